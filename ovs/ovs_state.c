#include "ovs/ovs_state.h"

#include <stdlib.h>
#include <string.h>

struct ovs_state *ovs_state_new(void)
{
    struct arena *arena = arena_new();
    struct ovs_state *state = arena_alloc(arena, sizeof *state);

    state->arena = arena;
    state->vlan_limit = OVS_LIMIT_UNSET;
    state->by_bridge.arena = state->by_port.arena = state->by_object.arena = arena;
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

/* By mark; of one mark bridges first, each kind by name, so that steps come in a stable order. */
static int part_cmp(const void *a_, const void *b_)
{
    const struct ovs_part *a = a_, *b = b_;
    int order = strcmp(a->mark, b->mark);

    if (order) {
        return order;
    }
    if (!a->bridge != !b->bridge) {
        return a->bridge ? -1 : 1;
    }
    return a->bridge ? strcmp(a->bridge->name, b->bridge->name)
                     : strcmp(a->port->name, b->port->name);
}

static void index_parts(struct ovs_state *state)
{
    state->parts =
        arena_calloc(state->arena, state->n_bridges + state->n_ports + 1, sizeof *state->parts);
    for (size_t i = 0; i < state->n_bridges; i++) {
        const struct ovs_bridge *bridge = &state->bridges[i];

        if (ovs_bridge_mark(bridge)[0]) {
            state->parts[state->n_parts++] =
                (struct ovs_part){ovs_bridge_mark(bridge), bridge, NULL};
        }
    }
    for (size_t i = 0; i < state->n_ports; i++) {
        const struct ovs_port *port = &state->ports[i];

        if (ovs_port_mark(port)[0]) {
            state->parts[state->n_parts++] = (struct ovs_part){ovs_port_mark(port), NULL, port};
        }
    }
    qsort(state->parts, state->n_parts, sizeof *state->parts, part_cmp);
}

void ovs_state_index(struct ovs_state *state)
{
    for (size_t i = 0; i < state->n_bridges; i++) {
        keyed_add(&state->by_bridge, state->bridges[i].name, &state->bridges[i]);
    }
    keyed_sort(&state->by_bridge);
    for (size_t i = 0; i < state->n_ports; i++) {
        struct ovs_port *port = &state->ports[i];
        struct ovs_bridge *bridge;

        keyed_add(&state->by_port, port->name, port);
        bridge = (struct ovs_bridge *)ovs_state_bridge(state, port->bridge);
        if (bridge && !ovs_port_mark(port)[0]) {
            bridge->n_foreign++;
        }
    }
    keyed_sort(&state->by_port);
    for (size_t i = 0; i < state->n_objects; i++) {
        keyed_add(&state->by_object, state->objects[i].mark, &state->objects[i]);
    }
    keyed_sort(&state->by_object);
    if (state->n_limits) {
        qsort(state->limits, state->n_limits, sizeof *state->limits, limit_cmp);
    }
    index_parts(state);
}

const struct ovs_bridge *ovs_state_bridge(const struct ovs_state *state, const char *name)
{
    return keyed_find(&state->by_bridge, name);
}

const struct ovs_port *ovs_state_port(const struct ovs_state *state, const char *name)
{
    return keyed_find(&state->by_port, name);
}

const struct ovs_object *ovs_state_object(const struct ovs_state *state, const char *mark)
{
    return keyed_find(&state->by_object, mark);
}

const struct ovs_part *ovs_state_parts(const struct ovs_state *state, const char *mark,
                                       size_t *ret_n)
{
    size_t low = 0, high = state->n_parts, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(state->parts[middle].mark, mark) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low + n < state->n_parts && !strcmp(state->parts[low + n].mark, mark)) {
        n++;
    }
    *ret_n = n;
    return &state->parts[low];
}
