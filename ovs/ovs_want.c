#include "ovs/ovs_state.h"

#include <stdio.h>
#include <string.h>

static struct ovs_bridge *add_bridge(struct ovs_state *state, const char *name, const char *mark,
                                     const char *datapath, bool adopt)
{
    struct ovs_bridge *bridge = ovs_state_add_bridge(state, name);

    bridge->mark = bridge->local_mark = mark;
    bridge->datapath = datapath;
    bridge->settings = OVS_SETTINGS;
    bridge->macs = OVS_MAC_TABLE;
    bridge->adopt = adopt;
    state->objects[state->n_objects - 1].n_bridges++;
    return bridge;
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

/* The bridge of an outer VLAN: the VLAN, and a hash of the uplink's name, which may be too long.
 * Two uplinks whose hashes (FNV-1a, 32 bits) are equal would need other names. */
static const char *service_bridge(const struct attachment *attachment, char buffer[IFNAME_TEXT])
{
    uint32_t hash = 2166136261U;

    for (const char *c = attachment->uplink; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619U;
    }
    snprintf(buffer, IFNAME_TEXT, "rq%u-%08x", attachment->outer_vlan & 0xfffU, hash);
    return buffer;
}

/* What an attachment's VLAN is a VLAN of. */
static const char *carrier(const struct config_uplink *uplink, const struct attachment *attachment,
                           char buffer[IFNAME_TEXT])
{
    return attachment->outer_vlan ? service_bridge(attachment, buffer) : uplink->bridge;
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
            return carrier(uplink, &segment->attachments[i], buffer);
        }
    }
    return NULL;
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

/* One end of a pair of patch ports. */
struct patch_end {
    const char *name, *bridge;
};

/* Two patch ports that are joined; the outer one has the tag. */
static void add_patch(struct ovs_state *state, struct patch_end outer, int tag,
                      enum ovs_service service, struct patch_end inner)
{
    struct ovs_port *port = add_port(state, outer.name, outer.bridge, "patch", tag);

    port->peer = inner.name;
    port->service = service;
    port = add_port(state, inner.name, inner.bridge, "patch", OVS_NO_TAG);
    port->peer = outer.name;
}

/* Between the segment's own bridge and what carries the attachment. The names hold the uplink and
 * the VLANs, so that the order of attachments does not matter. */
static void want_patch(struct ovs_state *state, const struct segment *segment,
                       const struct attachment *attachment, const struct config_uplink *uplink)
{
    char buffer[IFNAME_TEXT], carrier_buffer[IFNAME_TEXT];
    const char *bridge = ids_bridge_name(segment->id, buffer);
    const char *place = attachment->outer_vlan
                            ? arena_printf(state->arena, "%s-%u.%u", uplink->name,
                                           attachment->outer_vlan, attachment->vlan)
                            : arena_printf(state->arena, "%s-%u", uplink->name, attachment->vlan);

    add_patch(state,
              (struct patch_end){arena_printf(state->arena, "%s-%s", place, bridge),
                                 carrier(uplink, attachment, carrier_buffer)},
              attachment->vlan, OVS_NO_SERVICE,
              (struct patch_end){arena_printf(state->arena, "%s-%s", bridge, place), bridge});
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
        add_bridge(state, bridge, object->mark, config->ovs_datapath, false)->macs =
            segment->mac_limit ? segment->mac_limit : OVS_MAC_TABLE;
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

/* The bridge of an outer VLAN, for all attachments inside of it. */
static void want_service(struct ovs_state *state, const struct config *config,
                         const struct attachment *attachment)
{
    const struct config_uplink *uplink = ovs_want_uplink(config, attachment);
    unsigned int outer = attachment->outer_vlan;
    struct ovs_object *object = ovs_state_add_object(state);
    char bridge[IFNAME_TEXT];
    const char *place;

    object->mark = object->object = arena_printf(state->arena, "uplink/%s/%u", uplink->name, outer);
    service_bridge(attachment, bridge);
    add_bridge(state, bridge, object->mark, config->ovs_datapath, false);
    place = arena_printf(state->arena, "%s-%u", uplink->name, outer);
    add_patch(
        state,
        (struct patch_end){arena_printf(state->arena, "%s-%s", place, bridge), uplink->bridge},
        (int)outer, attachment->outer_is_8021q ? OVS_SERVICE_8021Q : OVS_SERVICE_8021AD,
        (struct patch_end){arena_printf(state->arena, "%s-%s", bridge, place), bridge});
    state->vlan_limit = OVS_LIMIT_SERVICE;
}

enum { VLANS = 4096 };

/* What attachments use of the trunks. */
struct used {
    struct ovs_state *state;
    const struct config *config;
    bool *uplinks;
    const struct attachment **services; /* by uplink and outer VLAN: one of those inside */
};

static void want_limit(struct ovs_state *state, const struct config_uplink *uplink,
                       const struct attachment *attachment)
{
    struct ovs_limit *limit =
        ovs_state_add_limit(state, ovs_limit_chain(state->arena, uplink->interface),
                            ovs_limit_key(state->arena, attachment));

    limit->interface = uplink->interface;
    limit->attachment = attachment;
}

static void mark_used(struct used *used, const struct network *network)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];

        for (size_t j = 0; j < segment->n_attachments; j++) {
            const struct attachment *attachment = &segment->attachments[j];
            const struct config_uplink *uplink = ovs_want_uplink(used->config, attachment);
            size_t n = uplink ? (size_t)(uplink - used->config->uplinks) : 0;

            if (uplink) {
                used->uplinks[n] = true;
            }
            if (uplink && attachment->broadcast_limit) {
                want_limit(used->state, uplink, attachment);
            }
            if (uplink && attachment->outer_vlan) {
                used->services[n * VLANS + attachment->outer_vlan % VLANS] = attachment;
            }
        }
    }
}

static void want_uplinks(struct ovs_state *state, const struct intended *intended)
{
    const struct config *config = intended->config;
    struct used used = {
        .state = state,
        .config = config,
        .uplinks = arena_calloc(state->arena, config->n_uplinks + 1, sizeof *used.uplinks),
        .services =
            arena_calloc(state->arena, config->n_uplinks * VLANS + 1, sizeof *used.services),
    };

    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        for (size_t j = 0; j < topology->n_networks; j++) {
            mark_used(&used, &topology->networks[j]);
        }
    }
    for (size_t i = 0; i < config->n_uplinks; i++) {
        if (used.uplinks[i]) {
            want_uplink(state, config, &config->uplinks[i]);
        }
    }
    for (size_t i = 0; i < config->n_uplinks * VLANS; i++) {
        if (used.services[i]) {
            want_service(state, config, used.services[i]);
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
