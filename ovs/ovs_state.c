#include "ovs/ovs_state.h"

#include <stdlib.h>
#include <string.h>

struct ovs_state *ovs_state_new(void)
{
    struct arena *arena = arena_new();
    struct ovs_state *state = arena_alloc(arena, sizeof *state);

    state->arena = arena;
    state->vlan_limit = OVS_LIMIT_UNSET;
    return state;
}

bool ovs_limit_suffices(int vlan_limit)
{
    return vlan_limit == OVS_LIMIT_NONE || vlan_limit >= OVS_LIMIT_SERVICE;
}

void ovs_state_free(struct ovs_state *state)
{
    if (state) {
        arena_free(state->arena);
    }
}

struct ovs_bridge *ovs_state_add_bridge(struct ovs_state *state, const char *name)
{
    struct ovs_bridge *bridge;

    state->bridges = arena_grow(state->arena, state->bridges, state->n_bridges,
                                &state->bridges_capacity, sizeof *state->bridges);
    bridge = &state->bridges[state->n_bridges++];
    *bridge = (struct ovs_bridge){
        .name = arena_strdup(state->arena, name),
        .mark = "",
        .local_mark = "",
        .datapath = "",
    };
    return bridge;
}

struct ovs_port *ovs_state_add_port(struct ovs_state *state, const char *name)
{
    struct ovs_port *port;

    state->ports = arena_grow(state->arena, state->ports, state->n_ports, &state->ports_capacity,
                              sizeof *state->ports);
    port = &state->ports[state->n_ports++];
    *port = (struct ovs_port){
        .name = arena_strdup(state->arena, name),
        .bridge = "",
        .mark = "",
        .interface_mark = "",
        .type = "",
        .peer = "",
        .mac = "",
        .tag = OVS_NO_TAG,
        .plain = true,
        .error = "",
    };
    return port;
}

struct ovs_object *ovs_state_add_object(struct ovs_state *state)
{
    struct ovs_object *object;

    state->objects = arena_grow(state->arena, state->objects, state->n_objects,
                                &state->objects_capacity, sizeof *state->objects);
    object = &state->objects[state->n_objects++];
    *object = (struct ovs_object){
        .mark = "",
        .tenant = "",
        .object = "",
        .first_bridge = state->n_bridges,
        .first_port = state->n_ports,
    };
    return object;
}

struct ovs_limit *ovs_state_add_limit(struct ovs_state *state, const char *chain, const char *key)
{
    struct ovs_limit *limit;

    state->limits = arena_grow(state->arena, state->limits, state->n_limits,
                               &state->limits_capacity, sizeof *state->limits);
    limit = &state->limits[state->n_limits++];
    *limit = (struct ovs_limit){
        .chain = arena_strdup(state->arena, chain),
        .key = arena_strdup(state->arena, key),
    };
    return limit;
}

static int limit_cmp(const void *a_, const void *b_)
{
    const struct ovs_limit *a = a_, *b = b_;
    int order = strcmp(a->chain, b->chain);

    return order ? order : strcmp(a->key, b->key);
}

bool ovs_state_has_limit(const struct ovs_state *state, const char *chain, const char *key)
{
    const struct ovs_limit wanted = {.chain = chain, .key = key};

    return state->n_limits &&
           bsearch(&wanted, state->limits, state->n_limits, sizeof *state->limits, limit_cmp);
}

const char *ovs_bridge_mark(const struct ovs_bridge *bridge)
{
    return bridge->mark[0] ? bridge->mark : bridge->local_mark;
}

const char *ovs_port_mark(const struct ovs_port *port)
{
    return port->mark[0] ? port->mark : port->interface_mark;
}

/* An array with the others behind its own. */
static void *join(struct arena *arena, void *array, size_t n, size_t *capacity, const void *more,
                  size_t n_more, size_t size)
{
    if (n + n_more > *capacity) {
        size_t wider = 2 * *capacity > n + n_more ? 2 * *capacity : n + n_more;
        void *copy = arena_calloc(arena, wider, size);

        if (n) {
            memcpy(copy, array, n * size);
        }
        array = copy;
        *capacity = wider;
    }
    if (n_more) {
        memcpy((char *)array + n * size, more, n_more * size);
    }
    return array;
}

void ovs_state_append(struct ovs_state *state, const struct ovs_state *more)
{
    struct arena *arena = state->arena;

    state->objects = join(arena, state->objects, state->n_objects, &state->objects_capacity,
                          more->objects, more->n_objects, sizeof *state->objects);
    for (size_t i = 0; i < more->n_objects; i++) {
        state->objects[state->n_objects + i].first_bridge += state->n_bridges;
        state->objects[state->n_objects + i].first_port += state->n_ports;
    }
    state->n_objects += more->n_objects;
    state->bridges = join(arena, state->bridges, state->n_bridges, &state->bridges_capacity,
                          more->bridges, more->n_bridges, sizeof *state->bridges);
    state->n_bridges += more->n_bridges;
    state->ports = join(arena, state->ports, state->n_ports, &state->ports_capacity, more->ports,
                        more->n_ports, sizeof *state->ports);
    state->n_ports += more->n_ports;
    state->limits = join(arena, state->limits, state->n_limits, &state->limits_capacity,
                         more->limits, more->n_limits, sizeof *state->limits);
    state->n_limits += more->n_limits;
}

/* --- indexes --- */

uint32_t ovs_hash(const char *text)
{
    uint32_t hash = 2166136261U;

    for (const char *c = text; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    }
    return hash;
}

/* The thing's place by name, or the free one where it would be. */
static struct ovs_name *find_name(const struct ovs_names *names, const char *name)
{
    size_t hash = ovs_hash(name);
    struct ovs_name *slot;

    do {
        slot = &names->slots[hash++ & (names->n_slots - 1)];
    } while (slot->name && strcmp(slot->name, name) != 0);
    return slot;
}

static void make_names(struct arena *arena, struct ovs_names *names, size_t n)
{
    names->n_slots = 4;
    while (names->n_slots < 2 * n) {
        names->n_slots *= 2;
    }
    names->slots = arena_calloc(arena, names->n_slots, sizeof *names->slots);
}

static void add_name(struct ovs_names *names, const char *name, const void *thing)
{
    struct ovs_name *slot = find_name(names, name);

    if (!slot->name) {
        *slot = (struct ovs_name){name, thing};
    }
}

void ovs_state_sort_limits(struct ovs_state *state)
{
    if (state->n_limits) {
        qsort(state->limits, state->n_limits, sizeof *state->limits, limit_cmp);
    }
}

void ovs_state_index(struct ovs_state *state)
{
    make_names(state->arena, &state->by_bridge, state->n_bridges);
    for (size_t i = 0; i < state->n_bridges; i++) {
        add_name(&state->by_bridge, state->bridges[i].name, &state->bridges[i]);
    }
    make_names(state->arena, &state->by_port, state->n_ports);
    for (size_t i = 0; i < state->n_ports; i++) {
        struct ovs_port *port = &state->ports[i];
        struct ovs_bridge *bridge;

        add_name(&state->by_port, port->name, port);
        bridge = (struct ovs_bridge *)ovs_state_bridge(state, port->bridge);
        if (bridge && !ovs_port_mark(port)[0]) {
            bridge->n_foreign++;
        }
    }
    ovs_state_sort_limits(state);
}

const struct ovs_bridge *ovs_state_bridge(const struct ovs_state *state, const char *name)
{
    return find_name(&state->by_bridge, name)->thing;
}

const struct ovs_port *ovs_state_port(const struct ovs_state *state, const char *name)
{
    return find_name(&state->by_port, name)->thing;
}
