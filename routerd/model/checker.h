/* checker.h - what the files of topology_check share: the checker, and the subnets of one network.
 *
 * Not for others. A fault is added once and where its cause is; what depends on a value that is
 * already known to be wrong (null, 0, no family) is left alone. The order of the steps is in
 * topology_check.c. */
#ifndef MODEL_CHECKER_H
#define MODEL_CHECKER_H

#include "model/keyed.h"
#include "model/topology.h"

struct checker {
    struct arena *arena; /* for what does not outlive the check */
    struct topology *topology;
    const struct config_tenant *tenant;
    const struct topology_world *world;
    struct errors *errors;
};

/* The value under the key, or the object itself: where a fault of it is to be shown. */
const struct doc *check_at(const struct doc *object, const char *key);
/* "networks[0].peers[1] (line 20)", in the checker's arena. */
const char *check_place(const struct checker *checker, const struct doc *doc);
/* Reports an address that no host's interface can have; the reason is put after its text. */
bool check_host_address(const struct checker *checker, const struct doc *doc,
                        const struct addr *addr);
/* Why a host of the subnet cannot have the address ("the network address", ...), or null. */
const char *check_subnet_role(const struct prefix *subnet, const struct addr *addr);
/* Reports a secret that is not there; null is fine. `doc` is the map {secret: NAME}. */
void check_secret(const struct checker *checker, const struct doc *doc, const char *name);
enum profile_use { PROFILE_OF_TUNNEL, PROFILE_OF_PEER };
/* Finds a profile for `object`; reports under its key `profile` that there is none or that it lacks
 * what it is wanted for. Null stays null. */
const struct profile *check_profile(const struct checker *checker, const struct doc *object,
                                    const char *name, enum profile_use use);
/* A callback for keyed_each_repeated() of docs: "NAME is also the name of PLACE". aux is the
 * checker. */
void check_name_repeated(void *aux, const void *doc, const void *first);

/* A subnet that the router is in. */
struct subnet {
    struct prefix network; /* host bits cleared */
    struct addr own;
    const struct doc *doc; /* the interface's address in the text */
    bool is_reported;
};

/* Those of one network, without overlaps, sorted. */
struct subnets {
    struct subnet *items;
    size_t n;
    bool complete; /* none was wrong, so that what is in none of them is a fault */
};

/* The one that holds the address, or null. */
const struct subnet *subnets_find(const struct subnets *subnets, const struct addr *addr);

/* topology_check_links.c: uplinks and the router's own addresses. */

/* The uplink that the object names, or null if it names none or one of another type, which is
 * reported. */
const struct config_uplink *check_uplink(const struct checker *checker, const struct doc *object,
                                         const char *name, enum uplink_type type);
/* Calls back for each network that another tenant has in force. */
void each_foreign_network(const struct checker *checker,
                          void (*visit)(void *aux, const struct network *network), void *aux);
/* Each address alone; those at fault lose their family. `list` is where they stood, null if n is 0.
 */
void check_own_addresses(const struct checker *checker, const struct doc *list, struct prefix *own,
                         size_t n);
void check_segment(const struct checker *checker, struct segment *segment);
/* Reports overlaps and returns the others. To be called when all addresses were checked alone. */
struct subnets check_subnets(const struct checker *checker, const struct network *network);

/* topology_check_vlans.c */
void check_attachments(const struct checker *checker);

/* topology_check_clouds.c: the rules of the profile, which must be set */
void check_tunnel_cloud(const struct checker *checker, const struct tunnel *tunnel);
void check_peer_cloud(const struct checker *checker, const struct network *network,
                      const struct peer *peer);

/* topology_check_tunnels.c */
void check_tunnel(const struct checker *checker, struct tunnel *tunnel);
void check_tunnel_identities(const struct checker *checker);

/* topology_check_routing.c: who is reached over segments and tunnels. */
void check_peers(const struct checker *checker, struct network *network);
void check_routes(const struct checker *checker, const struct network *network,
                  const struct subnets *subnets);

/* topology_check_policy.c: what a session carries, and how. The peer's profile is known. */
void check_peer_session(const struct checker *checker, const struct peer *peer);
void check_aggregates(const struct checker *checker, const struct network *network);

/* topology_check_egress.c: the gateway to the outside; the ports of all networks at once. */
void check_egress(const struct checker *checker, const struct network *network);
void check_published_ports(const struct checker *checker);

/* topology_check_pools.c: what pools are made of, and what of them may be given out
 * (pool_usable.c). To be called after the peers' and routes' checks. */
void check_pools(const struct checker *checker, struct network *network,
                 const struct subnets *subnets);
/* topology_check_services.c: what the router serves on segments. The pool's places and gateways are
 * known; sets what follows from what it serves. */
void check_pool_services(const struct checker *checker, const struct network *network,
                         struct pool *pool);
void check_network_services(const struct checker *checker, const struct network *network);
void check_segment_services(const struct checker *checker, const struct segment *segment);
/* Sets the usable addresses and the capacity of one family of a pool, whose prefix, length and
 * gateway are set. `holes` (sorted here) may be anything of that family. */
void pool_family_set_usable(struct arena *arena, struct pool_family *family,
                            const struct addr_range *ranges, size_t n_ranges,
                            struct addr_range *holes, size_t n_holes);

#endif
