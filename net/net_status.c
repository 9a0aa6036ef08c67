#include "net/net_egress.h"
#include "net/net_io.h"

#include <stdio.h>
#include <string.h>

struct view {
    struct status *status;
    struct net_state *seen;
    const char *away;
};

static void vote_addr(const struct view *view, const struct net_link *link,
                      const struct prefix *prefix, struct object_status *object)
{
    char text[PREFIX_TEXT];
    const struct net_addr *addr = net_link_find_addr(link, prefix);
    prefix_print(prefix, text);
    if (!addr)
        status_vote(view->status, object, OBJECT_DOWN, "address %s is not on interface %s", text,
                    link->name);
    else if (addr->duplicate)
        status_vote(view->status, object, OBJECT_DOWN,
                    "address %s on interface %s is used by another host, too", text, link->name);
    else if (addr->tentative)
        status_vote(view->status, object, OBJECT_PENDING,
                    "address %s on interface %s is still being checked for duplicates", text,
                    link->name);
}

/* The votes on an interface in a VRF. */
static void vote_port(const struct view *view, const char *name, const char *vrf,
                      const struct prefix *prefixes, size_t n, struct object_status *object)
{
    const struct net_link *link = net_state_find(view->seen, name);
    if (!link || !net_link_is_ours(link)) {
        status_vote(view->status, object, OBJECT_DOWN,
                    link ? "interface %s is not routerd's" : "interface %s is not there", name);
        return;
    }
    const struct net_link *master = net_state_link(view->seen, link->master_index);
    if (!master || strcmp(master->name, vrf) != 0)
        status_vote(view->status, object, OBJECT_DOWN, "interface %s is not in VRF %s", name, vrf);
    if (!link->up)
        status_vote(view->status, object, OBJECT_DOWN, "interface %s is set down", name);
    else if (!link->running)
        status_vote(view->status, object, OBJECT_DOWN, "interface %s has no carrier", name);
    for (size_t i = 0; i < n; i++)
        vote_addr(view, link, &prefixes[i], object);
}

static void vote_vrf(const struct view *view, struct network_status *network)
{
    const struct net_link *vrf = net_state_find(view->seen, network->vrf);
    if (!vrf)
        status_vote(view->status, &network->object, OBJECT_DOWN, "VRF %s is not there",
                    network->vrf);
    else if (!net_link_is_ours(vrf))
        status_vote(view->status, &network->object, OBJECT_DOWN, "interface %s is not routerd's",
                    network->vrf);
    else if (!vrf->up)
        status_vote(view->status, &network->object, OBJECT_DOWN, "VRF %s is set down",
                    network->vrf);
}

static void vote_routes(const struct view *view, struct network_status *network)
{
    for (size_t i = 0; i < network->network->n_routes; i++) {
        const struct route *route = &network->network->routes[i];
        struct net_route key = {
            .table = network->table, .prefix = route->prefix, .metric = NET_ROUTE_METRIC};
        char text[PREFIX_TEXT];
        if (!net_state_find_route(view->seen, &key))
            status_vote(view->status, &network->object, OBJECT_PENDING,
                        "route %s is not in table %u", prefix_print(&route->prefix, text),
                        network->table);
    }
}

/* Votes on the egress and, by that, on its network. */
static void vote_egress(const struct view *view, struct network_status *network, const char *format,
                        const char *uplink, const char *interface)
{
    struct object_status *object = &network->egress->object;
    object->creating = network->object.creating;
    status_vote(view->status, object, OBJECT_DOWN, format, uplink, interface);
    status_vote(view->status, &network->object, object->state, "egress: %s", object->reason);
}

static const struct addr *first_addr(const struct net_link *link, int family)
{
    for (size_t i = 0; i < link->n_addrs; i++) {
        const struct addr *addr = &link->addrs[i].prefix.addr;
        if (addr->family == family && !(family == AF_INET6 && addr_is_link_local(addr)))
            return addr;
    }
    return NULL;
}

/* Where traffic leaves, and as whom. */
static void fill_family(const struct view *view, const struct network_status *network,
                        const struct config_uplink *uplink, const struct net_link *link, int family)
{
    struct egress_status *status = network->egress;
    const struct egress *egress = network->network->egress;
    const struct net_egress ways = {.gateways = {uplink->gateways[0], uplink->gateways[1]}};
    const struct addr *own = first_addr(link, family);
    size_t i = family == AF_INET6;
    status->routed[i] = net_egress_gateway(&ways, view->seen, link, family, &status->gateways[i]);
    if (!egress->nat)
        return;
    if (egress->address.family == family)
        status->addresses[i] = egress->address;
    else if (family == AF_INET6 && egress->prefix6.addr.family)
        status->addresses[i] = egress->prefix6.addr;
    else if (own)
        status->addresses[i] = *own;
}

static bool has_family(const struct prefix *prefixes, size_t n, int family)
{
    for (size_t i = 0; i < n; i++)
        if (prefixes[i].addr.family == family)
            return true;
    return false;
}

static bool network_has(const struct network *network, int family)
{
    for (size_t i = 0; i < network->n_segments; i++)
        if (has_family(network->segments[i].gateways, network->segments[i].n_gateways, family))
            return true;
    for (size_t i = 0; i < network->n_tunnels; i++)
        if (has_family(network->tunnels[i].inside, network->tunnels[i].n_inside, family))
            return true;
    return false;
}

/* A family of the network without a router on the uplink: it is up, but does not get far. */
static void note_lacks(const struct view *view, struct network_status *network)
{
    struct egress_status *status = network->egress;
    bool v4 = network_has(network->network, AF_INET) && !status->routed[0],
         v6 = network_has(network->network, AF_INET6) && !status->routed[1];
    if (v4 || v6)
        status->object.note = arena_printf(
            view->status->arena,
            "uplink %s has no default route of %s, so only its own subnets are reached: give the "
            "host one, or the uplink a `gateway` in routerd.yaml",
            status->object.name,
            v4 && v6 ? "IPv4 and IPv6"
            : v4     ? "IPv4"
                     : "IPv6");
}

static void fill_egress(const struct view *view, struct network_status *network)
{
    const struct egress *egress = network->network->egress;
    const struct config_uplink *uplink =
        config_find_uplink(view->status->intended->config, egress->uplink);
    if (!uplink)
        return;
    struct egress_status *status = network->egress;
    status->interface = uplink->interface;
    const struct net_link *link = net_state_find(view->seen, uplink->interface);
    if (!link)
        vote_egress(view, network, "interface %2$s of uplink %1$s is not there", egress->uplink,
                    uplink->interface);
    else if (!link->up || !link->running)
        vote_egress(view, network, "interface %2$s of uplink %1$s is down", egress->uplink,
                    uplink->interface);
    else if (!first_addr(link, AF_INET) && !first_addr(link, AF_INET6))
        vote_egress(view, network, "interface %2$s of uplink %1$s has no address", egress->uplink,
                    uplink->interface);
    if (!link)
        return;
    fill_family(view, network, uplink, link, AF_INET);
    fill_family(view, network, uplink, link, AF_INET6);
    note_lacks(view, network);
}

static void fill_names(struct network_status *status)
{
    const struct network *network = status->network;
    ids_vrf_name(network->id, status->vrf);
    status->table = ids_vrf_table(network->id);
    for (size_t i = 0; i < status->n_segments; i++)
        ids_segment_name(network->segments[i].id, status->segments[i].interface);
    for (size_t i = 0; i < status->n_tunnels; i++) {
        ids_tunnel_name(network->tunnels[i].id, status->tunnels[i].interface);
        status->tunnels[i].if_id = network->tunnels[i].id;
    }
}

static void vote_away(const struct view *view, struct network_status *status)
{
    const char *reason = view->away ? view->away : "the kernel's state is not known yet";
    status_vote(view->status, &status->object, OBJECT_DOWN, "%s", reason);
    if (status->egress)
        status_vote(view->status, &status->egress->object, OBJECT_DOWN, "%s", reason);
    for (size_t i = 0; i < status->n_segments; i++)
        status_vote(view->status, &status->segments[i].object, OBJECT_DOWN, "%s", reason);
    for (size_t i = 0; i < status->n_tunnels; i++)
        status_vote(view->status, &status->tunnels[i].object, OBJECT_DOWN, "%s", reason);
}

/* The skeleton has the segments and tunnels in the topology's order. */
static void vote_network(const struct view *view, struct network_status *status)
{
    const struct network *network = status->network;
    fill_names(status);
    if (!view->seen) {
        vote_away(view, status);
        return;
    }
    vote_vrf(view, status);
    for (size_t i = 0; i < status->n_segments; i++)
        vote_port(view, status->segments[i].interface, status->vrf, network->segments[i].gateways,
                  network->segments[i].n_gateways, &status->segments[i].object);
    for (size_t i = 0; i < status->n_tunnels; i++)
        vote_port(view, status->tunnels[i].interface, status->vrf, network->tunnels[i].inside,
                  network->tunnels[i].n_inside, &status->tunnels[i].object);
    vote_routes(view, status);
    if (status->egress)
        fill_egress(view, status);
}

void net_status(struct net_state *seen, const char *away, struct status *status)
{
    struct view view = {status, seen, away};
    struct status_cursor cursor = {0};
    struct network_status *network;
    while ((network = status_next(status, &cursor)))
        vote_network(&view, network);
}
