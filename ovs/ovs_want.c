#include "ovs/ovs_state.h"

#include <string.h>

static void add_bridge(struct ovs_state *state, const char *name, const char *mark,
                       const char *datapath, bool adopt)
{
    struct ovs_bridge *bridge = ovs_state_add_bridge(state, name);

    bridge->mark = bridge->local_mark = mark;
    bridge->datapath = datapath;
    bridge->settings = OVS_SETTINGS;
    bridge->adopt = adopt;
    state->objects[state->n_objects - 1].n_bridges++;
}

static struct ovs_port *add_port(struct ovs_state *state, const char *name, const char *bridge,
                                 const char *type, int tag)
{
    struct ovs_object *object = &state->objects[state->n_objects - 1];
    struct ovs_port *port = ovs_state_add_port(state, name);

    port->bridge = arena_strdup(state->arena, bridge);
    port->mark = port->interface_mark = object->mark;
    port->type = type;
    port->tag = tag;
    object->n_ports++;
    return port;
}

const struct config_uplink *ovs_want_uplink(const struct config *config,
                                            const struct attachment *attachment)
{
    const struct config_uplink *uplink = config_find_uplink(config, attachment->uplink);

    return uplink && uplink->type == UPLINK_TRUNK ? uplink : NULL;
}

static size_t count_usable(const struct config *config, const struct segment *segment)
{
    size_t n = 0;

    for (size_t i = 0; i < segment->n_attachments; i++) {
        n += ovs_want_uplink(config, &segment->attachments[i]) != NULL;
    }
    return n;
}

const char *ovs_want_bridge(const struct config *config, const struct segment *segment,
                            char buffer[IFNAME_TEXT])
{
    size_t n = count_usable(config, segment);

    if (n > 1) {
        return ids_bridge_name(segment->id, buffer);
    }
    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct config_uplink *uplink = ovs_want_uplink(config, &segment->attachments[i]);

        if (uplink) {
            return uplink->bridge;
        }
    }
    return NULL;
}

/* The MTU that fits through all of the segment's uplinks. */
static unsigned int segment_mtu(const struct config *config, const struct segment *segment)
{
    unsigned int mtu = 0;

    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct config_uplink *uplink = ovs_want_uplink(config, &segment->attachments[i]);

        if (uplink && (!mtu || uplink->mtu < mtu)) {
            mtu = uplink->mtu;
        }
    }
    return mtu;
}

/* A MAC address of its own for the segment's port, the same each time: a port that is made anew, by
 * ovs-vswitchd's restart or by a move between bridges, must not leave neighbours with a stale
 * address of their gateway. Locally administered (IEEE 802, 8.2.2); of the router's name too, since
 * two routers may be on one VLAN. The hash is FNV-1a with the finisher of MurmurHash3. */
static const char *segment_mac(struct arena *arena, const char *router, const char *mark)
{
    uint64_t hash = 14695981039346656037U;
    const char *texts[] = {router ? router : "", mark};

    for (size_t i = 0; i < 2; i++) {
        for (const char *c = texts[i];; c++) {
            hash = (hash ^ (unsigned char)*c) * 1099511628211U;
            if (!*c) {
                break;
            }
        }
    }
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdU;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53U;
    hash ^= hash >> 33;
    return arena_printf(arena, "02:%02x:%02x:%02x:%02x:%02x", (unsigned int)(hash & 255),
                        (unsigned int)(hash >> 8 & 255), (unsigned int)(hash >> 16 & 255),
                        (unsigned int)(hash >> 24 & 255), (unsigned int)(hash >> 32 & 255));
}

/* The pair of patch ports between the segment's own bridge and an uplink's. Their names hold the
 * uplink and the VLAN, so that the order of attachments does not matter. */
static void want_patch(struct ovs_state *state, const struct segment *segment,
                       const struct attachment *attachment, const struct config_uplink *uplink)
{
    char buffer[IFNAME_TEXT];
    const char *bridge = ids_bridge_name(segment->id, buffer);
    const char *inner, *outer;
    struct ovs_port *port;

    inner = arena_printf(state->arena, "%s-%s-%u", bridge, uplink->name, attachment->vlan);
    outer = arena_printf(state->arena, "%s-%u-%s", uplink->name, attachment->vlan, bridge);
    port = add_port(state, outer, uplink->bridge, "patch", attachment->vlan);
    port->peer = inner;
    port = add_port(state, inner, bridge, "patch", OVS_NO_TAG);
    port->peer = outer;
}

static void want_segment(struct ovs_state *state, const struct config *config, const char *tenant,
                         const char *network, const struct segment *segment)
{
    size_t n = count_usable(config, segment);
    char bridge_buffer[IFNAME_TEXT], name[IFNAME_TEXT];
    const char *bridge = ovs_want_bridge(config, segment, bridge_buffer);
    struct ovs_object *object;
    struct ovs_port *port;
    int tag = OVS_NO_TAG;

    if (!bridge) {
        return;
    }
    object = ovs_state_add_object(state);
    object->tenant = arena_strdup(state->arena, tenant);
    object->object = arena_printf(state->arena, "%s/segment/%s", network, segment->name);
    object->mark = arena_printf(state->arena, "%s/%s", tenant, object->object);
    if (n > 1) {
        add_bridge(state, bridge, object->mark, config->ovs_datapath, false);
    }
    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];
        const struct config_uplink *uplink = ovs_want_uplink(config, attachment);

        if (uplink && n > 1) {
            want_patch(state, segment, attachment, uplink);
        } else if (uplink) {
            tag = attachment->vlan;
        }
    }
    port = add_port(state, ids_segment_name(segment->id, name), bridge, "internal", tag);
    port->mtu = segment_mtu(config, segment);
    port->mac = segment_mac(state->arena, config->router_name, object->mark);
}

static void want_uplink(struct ovs_state *state, const struct config *config,
                        const struct config_uplink *uplink)
{
    struct ovs_object *object = ovs_state_add_object(state);
    struct ovs_port *port;
    bool shared = false; /* two uplinks may be on one bridge: it belongs to the first of them */

    object->mark = object->object = arena_printf(state->arena, "uplink/%s", uplink->name);
    for (size_t i = 0; i < state->n_bridges; i++) {
        shared = shared || !strcmp(state->bridges[i].name, uplink->bridge);
    }
    if (!shared) {
        add_bridge(state, uplink->bridge, object->mark, config->ovs_datapath, true);
    }
    port = add_port(state, uplink->interface, uplink->bridge, "", OVS_NO_TAG);
    port->mtu = uplink->mtu;
    port->adopt = true;
}

static void mark_used(const struct config *config, const struct network *network, bool *used)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];

        for (size_t j = 0; j < segment->n_attachments; j++) {
            const struct config_uplink *uplink = ovs_want_uplink(config, &segment->attachments[j]);

            if (uplink) {
                used[uplink - config->uplinks] = true;
            }
        }
    }
}

static void want_uplinks(struct ovs_state *state, const struct intended *intended)
{
    const struct config *config = intended->config;
    bool *used = arena_calloc(state->arena, config->n_uplinks + 1, sizeof *used);

    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        for (size_t j = 0; j < topology->n_networks; j++) {
            mark_used(config, &topology->networks[j], used);
        }
    }
    for (size_t i = 0; i < config->n_uplinks; i++) {
        if (used[i]) {
            want_uplink(state, config, &config->uplinks[i]);
        }
    }
}

static void want_network(struct ovs_state *state, const struct config *config, const char *tenant,
                         const struct network *network)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        want_segment(state, config, tenant, network->name, &network->segments[i]);
    }
}

struct ovs_state *ovs_want(const struct intended *intended)
{
    struct ovs_state *state = ovs_state_new();

    want_uplinks(state, intended);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &intended->tenants[i];

        for (size_t j = 0; j < tenant->topology->n_networks; j++) {
            want_network(state, intended->config, tenant->name, &tenant->topology->networks[j]);
        }
    }
    ovs_state_index(state);
    return state;
}
