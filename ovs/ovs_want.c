#include "ovs/ovs_state.h"

#include <stdio.h>
#include <stdlib.h>
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
 * Two uplinks whose hashes are equal would need other names. */
static const char *service_bridge(const struct attachment *attachment, char buffer[IFNAME_TEXT])
{
    snprintf(buffer, IFNAME_TEXT, "rq%u-%08x", attachment->outer_vlan & 0xfffU,
             ovs_hash(attachment->uplink));
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
    object->tenant = tenant;
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

/* --- what tenants ask for --- */

enum { VLANS = 4096 };

/* An outer VLAN of an uplink, and one of the attachments inside of it. */
struct service {
    size_t place; /* by uplink and VLAN */
    size_t order; /* of finding it */
    const struct attachment *attachment;
};

/* What one tenant's topology asks for. */
struct part {
    struct ovs_state *state; /* its own objects; in its arena lies the rest */
    bool *uplinks;           /* which of the configuration's it uses */
    struct service *services;
    size_t n_services, services_capacity;
};

static int service_cmp(const void *a_, const void *b_)
{
    const struct service *a = a_, *b = b_;

    return a->place != b->place ? (a->place > b->place) - (a->place < b->place)
                                : (a->order > b->order) - (a->order < b->order);
}

/* Leaves one attachment of each outer VLAN, the last. Returns how many. */
static size_t settle_services(struct service *services, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        services[i].order = i;
    }
    if (n) {
        qsort(services, n, sizeof *services, service_cmp);
    }
    for (size_t i = 0; i < n; i++) {
        if (i + 1 == n || services[i + 1].place != services[i].place) {
            services[kept++] = services[i];
        }
    }
    return kept;
}

static void want_limit(struct ovs_state *state, const struct config_uplink *uplink,
                       const struct attachment *attachment)
{
    struct ovs_limit *limit =
        ovs_state_add_limit(state, ovs_limit_chain(state->arena, uplink->interface),
                            ovs_limit_key(state->arena, attachment));

    limit->interface = uplink->interface;
    limit->attachment = attachment;
}

/* What a segment uses of the trunks. */
static void use_trunks(struct part *part, const struct config *config,
                       const struct segment *segment)
{
    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];
        const struct config_uplink *uplink = ovs_want_uplink(config, attachment);
        size_t n = uplink ? (size_t)(uplink - config->uplinks) : 0;

        if (uplink) {
            part->uplinks[n] = true;
        }
        if (uplink && attachment->broadcast_limit) {
            want_limit(part->state, uplink, attachment);
        }
        if (uplink && attachment->outer_vlan) {
            part->services = arena_grow(part->state->arena, part->services, part->n_services,
                                        &part->services_capacity, sizeof *part->services);
            part->services[part->n_services++] = (struct service){
                .place = n * VLANS + attachment->outer_vlan % VLANS,
                .attachment = attachment,
            };
        }
    }
}

static void *part_make(const struct intended *intended, const struct intended_tenant *tenant,
                       void *aux)
{
    const struct config *config = intended->config;
    struct ovs_state *state = ovs_state_new();
    struct part *part = arena_alloc(state->arena, sizeof *part);

    (void)aux;
    part->state = state;
    part->uplinks = arena_calloc(state->arena, config->n_uplinks + 1, sizeof *part->uplinks);
    for (size_t i = 0; i < tenant->topology->n_networks; i++) {
        const struct network *network = &tenant->topology->networks[i];

        for (size_t j = 0; j < network->n_segments; j++) {
            want_segment(state, config, tenant->name, network->name, &network->segments[j]);
            use_trunks(part, config, &network->segments[j]);
        }
    }
    part->n_services = settle_services(part->services, part->n_services);
    return part;
}

static void part_drop(void *part_)
{
    struct part *part = part_;

    ovs_state_free(part->state);
}

static const struct tenant_parts_class part_class = {.make = part_make, .drop = part_drop};

/* --- all together --- */

/* The parts' outer VLANs, sorted by uplink and VLAN; *ret_n may be 0. */
static struct service *all_services(struct arena *arena, const struct tenant_parts *kept,
                                    size_t *ret_n)
{
    struct service *services;
    size_t n = 0;

    for (size_t i = 0; i < kept->intended->n_tenants; i++) {
        n += ((const struct part *)kept->parts[i])->n_services;
    }
    services = arena_calloc(arena, n, sizeof *services);
    n = 0;
    for (size_t i = 0; i < kept->intended->n_tenants; i++) {
        const struct part *part = kept->parts[i];

        for (size_t j = 0; j < part->n_services; j++) {
            services[n++] = part->services[j];
        }
    }
    *ret_n = settle_services(services, n);
    return services;
}

static bool is_used(const struct tenant_parts *kept, size_t uplink)
{
    bool used = false;

    for (size_t i = 0; i < kept->intended->n_tenants && !used; i++) {
        used = ((const struct part *)kept->parts[i])->uplinks[uplink];
    }
    return used;
}

static void want_uplinks(struct ovs_state *state, const struct tenant_parts *kept)
{
    const struct config *config = kept->intended->config;
    size_t n_services;
    const struct service *services = all_services(state->arena, kept, &n_services);

    for (size_t i = 0; i < config->n_uplinks; i++) {
        if (is_used(kept, i)) {
            want_uplink(state, config, &config->uplinks[i]);
        }
    }
    for (size_t i = 0; i < n_services; i++) {
        want_service(state, config, services[i].attachment);
    }
}

struct ovs_state *ovs_want(const struct intended *intended, struct tenant_parts *kept)
{
    struct ovs_state *state = ovs_state_new();

    tenant_parts_update(kept, intended, &part_class, NULL);
    want_uplinks(state, kept);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        ovs_state_append(state, ((const struct part *)kept->parts[i])->state);
    }
    ovs_state_sort_limits(state);
    return state;
}

void ovs_want_forget(struct tenant_parts *kept)
{
    tenant_parts_clear(kept, &part_class);
}
