/* intended.h - what this router should be: every tenant's topology in force ("intended" as in RFC
 * 8342).
 *
 * Immutable and reference counted; the engine makes a new one for each accepted change and shares
 * the unchanged tenants' topologies with the old one. Objects are named for people as NETWORK,
 * NETWORK/segment/NAME, NETWORK/tunnel/NAME, NETWORK/peer/NAME, NETWORK/route/PREFIX; with the
 * tenant in front where several tenants meet (kernel aliases, external_ids:
 * "bio/genome/segment/campus"). */
#ifndef MODEL_INTENDED_H
#define MODEL_INTENDED_H

#include "model/config.h"
#include "model/topology.h"

#include <stdint.h>

/* A tenant's topology, shared by several intended states; thread-safe count. */
struct shared_topology {
    struct topology *topology;
    unsigned int refs;
    char tenant[]; /* its name */
};

struct intended_tenant {
    const char *name;    /* = shared->tenant */
    uint64_t generation; /* 0: never had one */
    struct shared_topology *shared;
    const struct topology *topology; /* = shared->topology; never null */
};

struct intended {
    struct arena *arena;
    unsigned int refs;
    const struct config *config;     /* the configuration that it goes with; outlives it */
    struct intended_tenant *tenants; /* sorted by name */
    size_t n_tenants;
};

/* An intended state of no tenants; one reference, the caller's. */
struct intended *intended_new(const struct config *config);
struct intended *intended_ref(const struct intended *intended);
void intended_unref(struct intended *intended); /* null is fine */
/* A copy of `base` in which `tenant` has `topology` (taken, also shared with no one else yet) as
 * `generation`. One reference, the caller's. */
struct intended *intended_with(const struct intended *base, const char *tenant, uint64_t generation,
                               struct topology *topology);
/* A copy of `base` that goes with another configuration. */
struct intended *intended_with_config(const struct intended *base, const struct config *config);

const struct intended_tenant *intended_find(const struct intended *intended, const char *tenant);

enum { OBJECT_TEXT = 224 };

#endif
