#include "model/intended.h"

#include <stdlib.h>
#include <string.h>

/* --- topologies that several intended states share
 * ------------------------------------------------- */

static struct shared_topology *shared_new(const char *tenant, struct topology *topology)
{
    size_t size = strlen(tenant) + 1;
    struct shared_topology *shared = calloc(1, sizeof *shared + size);
    if (!shared)
        abort();
    memcpy(shared->tenant, tenant, size);
    shared->topology = topology;
    shared->refs = 1;
    return shared;
}

static struct shared_topology *shared_ref(struct shared_topology *shared)
{
    __atomic_add_fetch(&shared->refs, 1, __ATOMIC_RELAXED);
    return shared;
}

static void shared_unref(struct shared_topology *shared)
{
    /* What other threads did with it comes before it is freed. */
    if (__atomic_sub_fetch(&shared->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    topology_free(shared->topology);
    free(shared);
}

/* --- intended states
 * --------------------------------------------------------------------------------- */

/* One with room for `n` tenants, of which there are none yet. */
static struct intended *intended_alloc(const struct config *config, size_t n)
{
    struct arena *arena = arena_new();
    struct intended *intended = arena_alloc(arena, sizeof *intended);
    intended->arena = arena;
    intended->refs = 1;
    intended->config = config;
    intended->tenants = arena_calloc(arena, n, sizeof *intended->tenants);
    return intended;
}

/* Appends a tenant; a reference to `shared` is taken over. */
static void append(struct intended *intended, uint64_t generation, struct shared_topology *shared)
{
    intended->tenants[intended->n_tenants++] = (struct intended_tenant){
        .name = shared->tenant,
        .generation = generation,
        .shared = shared,
        .topology = shared->topology,
    };
}

static void append_same(struct intended *intended, const struct intended_tenant *tenant)
{
    append(intended, tenant->generation, shared_ref(tenant->shared));
}

struct intended *intended_new(const struct config *config)
{
    return intended_alloc(config, 0);
}

struct intended *intended_ref(const struct intended *intended)
{
    struct intended *same = (struct intended *)intended; /* only the count changes */
    __atomic_add_fetch(&same->refs, 1, __ATOMIC_RELAXED);
    return same;
}

void intended_unref(struct intended *intended)
{
    if (!intended || __atomic_sub_fetch(&intended->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < intended->n_tenants; i++)
        shared_unref(intended->tenants[i].shared);
    arena_free(intended->arena);
}

struct intended *intended_with(const struct intended *base, const char *tenant, uint64_t generation,
                               struct topology *topology)
{
    struct intended *intended = intended_alloc(base->config, base->n_tenants + 1);
    struct shared_topology *shared = shared_new(tenant, topology);
    size_t i = 0;
    while (i < base->n_tenants && strcmp(base->tenants[i].name, tenant) < 0)
        append_same(intended, &base->tenants[i++]);
    append(intended, generation, shared);
    if (i < base->n_tenants && strcmp(base->tenants[i].name, tenant) == 0)
        i++;
    while (i < base->n_tenants)
        append_same(intended, &base->tenants[i++]);
    return intended;
}

struct intended *intended_with_config(const struct intended *base, const struct config *config)
{
    struct intended *intended = intended_alloc(config, base->n_tenants);
    for (size_t i = 0; i < base->n_tenants; i++)
        append_same(intended, &base->tenants[i]);
    return intended;
}

const struct intended_tenant *intended_find(const struct intended *intended, const char *tenant)
{
    size_t low = 0, high = intended->n_tenants;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tenant, intended->tenants[middle].name);
        if (order == 0)
            return &intended->tenants[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
