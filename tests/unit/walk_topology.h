/* walk_topology.h - topologies by chance that use everything the contract has, each of them right,
 * and a way from one to the next that leaves most as it is. */
#ifndef UNIT_WALK_TOPOLOGY_H
#define UNIT_WALK_TOPOLOGY_H

#include "chance.h"

#include <stdbool.h>

enum {
    WALK_TENANTS = 2,
    WALK_NETWORKS = 4, /* of a tenant; below: of a network */
    WALK_SEGMENTS = 4,
    WALK_TUNNELS = 3,
    WALK_PEERS = 4,
    WALK_ROUTES = 4,
};

/* The parts of a network that change each by itself. */
enum walk_part {
    WALK_HEAD, /* its name and AS number */
    WALK_SEGMENT,
    WALK_TUNNEL = WALK_SEGMENT + WALK_SEGMENTS,
    WALK_PEER = WALK_TUNNEL + WALK_TUNNELS,
    WALK_ROUTE = WALK_PEER + WALK_PEERS,
    WALK_AGGREGATES = WALK_ROUTE + WALK_ROUTES,
    WALK_POOLS,
    WALK_EGRESS,
    WALK_PARTS
};

/* What a tenant's topology is made of. */
struct walk_topology {
    unsigned int tenant;
    unsigned int rotation;   /* of its VLANs: all move at once */
    unsigned int ethertypes; /* of its outer VLANs, a bit for each */
    bool backwards;          /* the order of the networks, which means nothing */
    struct {
        bool there;
        uint64_t seeds[WALK_PARTS];
    } networks[WALK_NETWORKS];
};

/* The configuration that the topologies are right for: tenants "bio" and "phys". */
extern const char walk_config[];
extern const char *const walk_tenants[WALK_TENANTS];

/* No networks. */
void walk_topology_init(struct walk_topology *topology, unsigned int tenant);
/* A step of the walk. */
void walk_topology_step(struct walk_topology *topology, struct chance *chance);
/* The document; malloc()ed. */
char *walk_topology_text(const struct walk_topology *topology);

#endif
