#include "net/net_change.h"

#include "model/arena.h"
#include "net/net_egress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One network on its way from the topology to the state. */
struct want {
    struct net_state *state;
    const struct config *config;
    const char *tenant;
    const struct network *network;
    char vrf[IFNAME_TEXT];
};

static const char *object_path(struct want *want, const char *kind, const char *name)
{
    return arena_printf(want->state->arena, "%s/%s/%s", want->network->name, kind, name);
}

static struct net_link *add_link(struct want *want, const char *name, const char *type,
                                 const char *object)
{
    struct net_link *link = net_state_put_link(want->state, (int)want->state->n_links + 1);
    snprintf(link->name, sizeof link->name, "%s", name);
    snprintf(link->type, sizeof link->type, "%s", type);
    snprintf(link->alias, sizeof link->alias, NET_MARK "%s/%s", want->tenant, object);
    net_altname(link->alias, link->altname);
    link->up = true;
    link->conf = (struct net_conf){1, NET_RP_FILTER, -1, -1, -1};
    link->tenant = want->tenant;
    link->object = object;
    return link;
}

static bool has_ipv6(const struct prefix *prefixes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (prefixes[i].addr.family == AF_INET6)
            return true;
    return false;
}

/* An interface in the VRF. Router advertisements of neighbours must not configure a router. */
static struct net_link *add_port(struct want *want, const char *name, const char *type,
                                 const char *object, const struct prefix *prefixes, size_t n)
{
    struct net_link *link = add_link(want, name, type, object);
    snprintf(link->master, sizeof link->master, "%s", want->vrf);
    link->conf.promote_secondaries = 1;
    link->conf.accept_ra = 0;
    link->conf.disable_ipv6 = has_ipv6(prefixes, n) ? 0 : -1;
    for (size_t i = 0; i < n; i++)
        net_link_put_addr(link, &(struct net_addr){.prefix = prefixes[i], .ours = true});
    return link;
}

static void want_last_resort(struct want *want, int family)
{
    net_state_put_route(want->state, &(struct net_route){
                                         .table = ids_vrf_table(want->network->id),
                                         .prefix.addr.family = family,
                                         .metric = NET_LAST_RESORT_METRIC,
                                         .type = NET_ROUTE_UNREACHABLE,
                                         .tenant = want->tenant,
                                         .object = want->network->name,
                                     });
}

static bool network_has_ipv6(const struct network *network)
{
    for (size_t i = 0; i < network->n_segments; i++)
        if (has_ipv6(network->segments[i].gateways, network->segments[i].n_gateways))
            return true;
    for (size_t i = 0; i < network->n_tunnels; i++)
        if (has_ipv6(network->tunnels[i].inside, network->tunnels[i].n_inside))
            return true;
    return false;
}

static void want_vrf(struct want *want)
{
    struct net_link *link = add_link(want, want->vrf, "vrf", want->network->name);
    link->table = ids_vrf_table(want->network->id);
    want->state->l3mdev_rules = NET_IPV4 | NET_IPV6;
    want_last_resort(want, AF_INET);
    want_last_resort(want, AF_INET6);
    if (!network_has_ipv6(want->network))
        return;
    link->conf.disable_ipv6 = 0;
    want->state->ipv6_forwarding = 1;
}

static void want_segment(struct want *want, const struct segment *segment)
{
    /* Open vSwitch's own kind of interface, or a tap where it forwards in user space. */
    const char *type = strcmp(want->config->ovs_datapath, "netdev") == 0 ? "tun" : "openvswitch";
    char name[IFNAME_TEXT];
    add_port(want, ids_segment_name(segment->id, name), type,
             object_path(want, "segment", segment->name), segment->gateways, segment->n_gateways);
}

static void want_tunnel(struct want *want, const struct tunnel *tunnel)
{
    char name[IFNAME_TEXT];
    struct net_link *link =
        add_port(want, ids_tunnel_name(tunnel->id, name), "xfrm",
                 object_path(want, "tunnel", tunnel->name), tunnel->inside, tunnel->n_inside);
    link->if_id = tunnel->id;
    link->mtu = tunnel->mtu;
}

static bool holds(const struct prefix *prefixes, size_t n, const struct addr *via)
{
    for (size_t i = 0; i < n; i++)
        if (prefix_contains(&prefixes[i], via))
            return true;
    return false;
}

/* The interface whose subnet holds the next hop, into `ret_dev`; "" if there is none. */
static void find_dev(const struct network *network, const struct addr *via,
                     char ret_dev[IFNAME_TEXT])
{
    ret_dev[0] = '\0';
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];
        if (holds(segment->gateways, segment->n_gateways, via)) {
            ids_segment_name(segment->id, ret_dev);
            return;
        }
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        const struct tunnel *tunnel = &network->tunnels[i];
        if (holds(tunnel->inside, tunnel->n_inside, via)) {
            ids_tunnel_name(tunnel->id, ret_dev);
            return;
        }
    }
}

static void want_route(struct want *want, const struct route *route)
{
    char text[PREFIX_TEXT];
    struct net_route wanted = {
        .table = ids_vrf_table(want->network->id),
        .prefix = route->prefix,
        .metric = NET_ROUTE_METRIC,
        .type = route->blackhole ? NET_ROUTE_BLACKHOLE : NET_ROUTE_UNICAST,
        .tenant = want->tenant,
        .object = object_path(want, "route", prefix_print(&route->prefix, text)),
    };
    if (!route->blackhole) {
        wanted.via = route->via;
        find_dev(want->network, &route->via, wanted.dev);
    }
    net_state_put_route(want->state, &wanted);
}

static void add_egresses(struct net_state *state, const struct net_egress *egresses, size_t n)
{
    if (!n)
        return;
    state->egresses = reallocarray(state->egresses, state->n_egresses + n, sizeof *state->egresses);
    if (!state->egresses)
        abort();
    memcpy(state->egresses + state->n_egresses, egresses, n * sizeof *egresses);
    state->n_egresses += n;
}

static void want_egress(struct want *want, const struct egress *egress)
{
    const struct config_uplink *uplink = config_find_uplink(want->config, egress->uplink);
    if (!uplink)
        return; /* it was checked; the configuration has changed since */
    struct net_egress wanted = {
        .table = ids_vrf_table(want->network->id),
        .gateways = {uplink->gateways[0], uplink->gateways[1]},
        .ipv6 = network_has_ipv6(want->network),
        .tenant = want->tenant,
        .object = arena_printf(want->state->arena, "%s/egress", want->network->name),
    };
    snprintf(wanted.uplink, sizeof wanted.uplink, "%s", uplink->interface);
    add_egresses(want->state, &wanted, 1);
}

static void want_network(struct want *want)
{
    const struct network *network = want->network;
    ids_vrf_name(network->id, want->vrf);
    want_vrf(want);
    for (size_t i = 0; i < network->n_segments; i++)
        want_segment(want, &network->segments[i]);
    for (size_t i = 0; i < network->n_tunnels; i++)
        want_tunnel(want, &network->tunnels[i]);
    for (size_t i = 0; i < network->n_routes; i++)
        want_route(want, &network->routes[i]);
    if (network->egress)
        want_egress(want, network->egress);
}

/* --- tenants ------------------------------------------------------------------------------------
 */

struct part {
    struct net_state state;
    struct net_state *whole; /* that it is in */
};

static void *make_part(const struct intended *intended, const struct intended_tenant *tenant,
                       void *aux)
{
    struct part *part = calloc(1, sizeof *part);
    if (!part)
        abort();
    net_state_init(&part->state);
    part->state.arena = arena_new();
    part->whole = aux;
    for (size_t i = 0; i < tenant->topology->n_networks; i++)
        want_network(&(struct want){
            .state = &part->state,
            .config = intended->config,
            .tenant = tenant->name,
            .network = &tenant->topology->networks[i],
        });
    net_state_join(part->whole, &part->state);
    return part;
}

static void drop_part(void *data)
{
    struct part *part = data;
    net_state_leave(part->whole, &part->state);
    net_state_done(&part->state);
    free(part);
}

static const struct tenant_parts_class PARTS = {make_part, drop_part};

/* What concerns all tenants, and the egresses in their order. */
static void gather(struct net_wanted *wanted)
{
    struct net_state *state = &wanted->state;
    state->l3mdev_rules = 0;
    state->ipv6_forwarding = -1;
    state->n_egresses = 0;
    for (size_t i = 0; i < wanted->parts.intended->n_tenants; i++) {
        const struct net_state *part = &((const struct part *)wanted->parts.parts[i])->state;
        state->l3mdev_rules |= part->l3mdev_rules;
        if (part->ipv6_forwarding == 1)
            state->ipv6_forwarding = 1;
        add_egresses(state, part->egresses, part->n_egresses);
    }
    net_egress_want_rules(state);
}

void net_want(struct net_wanted *wanted, const struct intended *intended)
{
    if (wanted->parts.intended == intended)
        return;
    net_egress_forget(&wanted->state);
    tenant_parts_update(&wanted->parts, intended, &PARTS, &wanted->state);
    gather(wanted);
}

void net_wanted_done(struct net_wanted *wanted)
{
    tenant_parts_clear(&wanted->parts, &PARTS);
    net_state_done(&wanted->state);
}
