#include "model/status.h"

#include "model/ids.h"

#include <stdarg.h>
#include <string.h>

/* --- the skeleton
 * ------------------------------------------------------------------------------------ */

static void fill_segments(struct arena *arena, const struct network *network,
                          struct network_status *ret_status)
{
    ret_status->n_segments = network->n_segments;
    ret_status->segments = arena_calloc(arena, network->n_segments, sizeof *ret_status->segments);
    for (size_t i = 0; i < network->n_segments; i++) {
        struct segment_status *status = &ret_status->segments[i];
        status->object.name = network->segments[i].name;
        status->bridge = "";
        ids_segment_name(network->segments[i].id, status->interface);
    }
}

static void fill_tunnels(struct arena *arena, const struct network *network,
                         struct network_status *ret_status)
{
    ret_status->n_tunnels = network->n_tunnels;
    ret_status->tunnels = arena_calloc(arena, network->n_tunnels, sizeof *ret_status->tunnels);
    for (size_t i = 0; i < network->n_tunnels; i++) {
        struct tunnel_status *status = &ret_status->tunnels[i];
        status->object.name = network->tunnels[i].name;
        status->if_id = network->tunnels[i].id;
        ids_tunnel_name(network->tunnels[i].id, status->interface);
    }
}

static void fill_peers(struct arena *arena, const struct network *network,
                       struct network_status *ret_status)
{
    ret_status->n_peers = network->n_peers;
    ret_status->peers = arena_calloc(arena, network->n_peers, sizeof *ret_status->peers);
    for (size_t i = 0; i < network->n_peers; i++) {
        struct peer_status *status = &ret_status->peers[i];
        status->object.name = network->peers[i].name;
        status->bgp_state = "";
        status->address = network->peers[i].address;
        status->asn = network->peers[i].asn;
    }
}

static void fill_egress(struct arena *arena, const struct network *network,
                        struct network_status *ret_status)
{
    if (!network->egress)
        return;
    ret_status->egress = arena_alloc(arena, sizeof *ret_status->egress);
    ret_status->egress->object.name = network->egress->uplink;
    ret_status->egress->interface = "";
}

static void fill_network(struct arena *arena, const struct network *network,
                         struct network_status *ret_status)
{
    ret_status->object.name = network->name;
    ret_status->network = network;
    ret_status->table = ids_vrf_table(network->id);
    ids_vrf_name(network->id, ret_status->vrf);
    fill_segments(arena, network, ret_status);
    fill_tunnels(arena, network, ret_status);
    fill_peers(arena, network, ret_status);
    fill_egress(arena, network, ret_status);
}

static void fill_tenant(struct arena *arena, const struct intended_tenant *tenant,
                        struct tenant_status *ret_status)
{
    const struct topology *topology = tenant->topology;
    ret_status->name = tenant->name;
    ret_status->generation = tenant->generation;
    ret_status->n_networks = topology->n_networks;
    ret_status->networks = arena_calloc(arena, topology->n_networks, sizeof *ret_status->networks);
    for (size_t i = 0; i < topology->n_networks; i++)
        fill_network(arena, &topology->networks[i], &ret_status->networks[i]);
}

/* The tenant in `last`, if that can be taken over. */
static const struct tenant_status *find_same(const struct status *last,
                                             const struct intended *intended,
                                             const struct intended_tenant *tenant)
{
    if (last->intended->config != intended->config)
        return NULL;
    const struct intended_tenant *old = intended_find(last->intended, tenant->name);
    return old && old->shared == tenant->shared ? &last->tenants[old - last->intended->tenants]
                                                : NULL;
}

static void take_over(const struct status *last, const struct tenant_status *same,
                      const struct intended_tenant *tenant, struct tenant_status *ret_status)
{
    ret_status->name = tenant->name;
    ret_status->generation = tenant->generation;
    ret_status->networks = same->networks;
    ret_status->n_networks = same->n_networks;
    ret_status->home = status_ref(same->home ? same->home : last);
}

struct status *status_new(const struct intended *intended)
{
    return status_update(NULL, intended, NULL, NULL);
}

struct status *status_update(const struct status *last, const struct intended *intended,
                             bool (*fresh)(const struct intended_tenant *tenant, const void *aux),
                             const void *aux)
{
    struct arena *arena = arena_new();
    struct status *status = arena_alloc(arena, sizeof *status);
    status->arena = arena;
    status->refs = 1;
    status->intended = intended_ref(intended);
    status->n_tenants = intended->n_tenants;
    status->tenants = arena_calloc(arena, intended->n_tenants, sizeof *status->tenants);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &intended->tenants[i];
        const struct tenant_status *same =
            last && !fresh(tenant, aux) ? find_same(last, intended, tenant) : NULL;
        if (same)
            take_over(last, same, tenant, &status->tenants[i]);
        else
            fill_tenant(arena, tenant, &status->tenants[i]);
    }
    return status;
}

struct status *status_ref(const struct status *status)
{
    struct status *same = (struct status *)status; /* only the count changes */
    __atomic_add_fetch(&same->refs, 1, __ATOMIC_RELAXED);
    return same;
}

void status_unref(struct status *status)
{
    if (!status || __atomic_sub_fetch(&status->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < status->n_tenants; i++)
        status_unref((struct status *)status->tenants[i].home);
    intended_unref((struct intended *)status->intended);
    arena_free(status->arena);
}

struct network_status *status_next(struct status *status, struct status_cursor *cursor)
{
    for (; cursor->tenant < status->n_tenants; cursor->tenant++, cursor->network = 0) {
        struct tenant_status *tenant = &status->tenants[cursor->tenant];
        if (!tenant->home && cursor->network < tenant->n_networks)
            return &tenant->networks[cursor->network++];
    }
    return NULL;
}

/* --- votes
 * -------------------------------------------------------------------------------------------- */

void status_vote(struct status *status, struct object_status *object, enum object_state state,
                 const char *format, ...)
{
    if (state == OBJECT_DOWN && object->creating)
        state = OBJECT_PENDING;
    if (state <= object->state)
        return;
    object->state = state;
    object->reason = NULL;
    if (!format)
        return;
    va_list args;
    va_start(args, format);
    object->reason = arena_vprintf(status->arena, format, args);
    va_end(args);
}

/* --- looking up
 * ---------------------------------------------------------------------------------------- */

const struct tenant_status *status_find_tenant(const struct status *status, const char *tenant)
{
    for (size_t i = 0; i < status->n_tenants; i++)
        if (strcmp(status->tenants[i].name, tenant) == 0)
            return &status->tenants[i];
    return NULL;
}

/* The network whose name is the first `len` bytes of `name`. */
static struct network_status *find_network(const struct tenant_status *tenant, const char *name,
                                           size_t len)
{
    for (size_t i = 0; i < tenant->n_networks; i++) {
        const char *other = tenant->networks[i].object.name;
        if (strncmp(other, name, len) == 0 && !other[len])
            return &tenant->networks[i];
    }
    return NULL;
}

const struct network_status *tenant_status_find(const struct tenant_status *tenant,
                                                const char *network)
{
    return find_network(tenant, network, strlen(network));
}

/* Finds an object by name among `n` structures of `size` bytes that each begin with one. */
static struct object_status *find_object(void *array, size_t n, size_t size, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        struct object_status *object = (void *)((char *)array + i * size);
        if (strcmp(object->name, name) == 0)
            return object;
    }
    return NULL;
}

/* Cuts "kind/" off `path`: what follows it, or null if it begins otherwise. */
static const char *after(const char *path, const char *kind)
{
    size_t len = strlen(kind);
    return strncmp(path, kind, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

struct object_status *status_find(struct status *status, const char *tenant, const char *object)
{
    const struct tenant_status *of = status_find_tenant(status, tenant);
    size_t len = strcspn(object, "/");
    struct network_status *network = of ? find_network(of, object, len) : NULL;
    if (!network)
        return NULL;
    const char *rest = object[len] ? object + len + 1 : "", *name;
    struct object_status *found = NULL;
    if ((name = after(rest, "segment")))
        found =
            find_object(network->segments, network->n_segments, sizeof *network->segments, name);
    else if ((name = after(rest, "tunnel")))
        found = find_object(network->tunnels, network->n_tunnels, sizeof *network->tunnels, name);
    else if ((name = after(rest, "peer")))
        found = find_object(network->peers, network->n_peers, sizeof *network->peers, name);
    return found ? found : &network->object;
}

struct object_status *status_find_fresh(struct status *status, const char *tenant,
                                        const char *object)
{
    const struct tenant_status *of = status_find_tenant(status, tenant);
    return of && !of->home ? status_find(status, tenant, object) : NULL;
}

const char *object_state_name(enum object_state state)
{
    static const char *const NAMES[] = {
        [OBJECT_UP] = "up",     [OBJECT_PENDING] = "pending", [OBJECT_REMOVING] = "removing",
        [OBJECT_DOWN] = "down", [OBJECT_ERROR] = "error",
    };
    return NAMES[state];
}
