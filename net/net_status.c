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
    for (size_t i = 0; i < status->n_segments; i++)
        status_vote(view->status, &status->segments[i].object, OBJECT_DOWN, "%s", reason);
    for (size_t i = 0; i < status->n_tunnels; i++)
        status_vote(view->status, &status->tunnels[i].object, OBJECT_DOWN, "%s", reason);
}

/* The skeleton has the segments and tunnels in the topology's order. */
static void vote_network(const struct view *view, struct network_status *status)
{
    const struct network *network = status->network;
    if (!network)
        return; /* it is only being removed: the engine says so */
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
}

void net_status(struct net_state *seen, const char *away, struct status *status)
{
    struct view view = {status, seen, away};
    for (size_t i = 0; i < status->n_tenants; i++)
        for (size_t j = 0; j < status->tenants[i].n_networks; j++)
            vote_network(&view, &status->tenants[i].networks[j]);
}
