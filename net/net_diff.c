#include "net/net_build.h"

#include "model/intended.h"
#include "net/net_egress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diff {
    struct net_state *wanted, *seen;
    struct plan *plan;
    struct net_link **seen_links, **wanted_links; /* for each wanted one, each seen one; or null */
    struct net_route **seen_routes, **wanted_routes;
};

static bool is_type(const struct net_link *link, const char *type)
{
    return link->type[0] == type[0] && strcmp(link->type, type) == 0;
}

static bool is_vrf(const struct net_link *link)
{
    return is_type(link, "vrf");
}

static bool ovs_makes(const struct net_link *link)
{
    return is_type(link, "openvswitch") || is_type(link, "tun");
}

/* --- what stands in the way --- */

/* Another interface that has the VRF's table or the tunnel's if_id, and is not ours. */
static const struct net_link *find_rival(struct diff *diff, const struct net_link *wanted)
{
    struct net_link *const *links = net_state_links(diff->seen);
    for (size_t i = 0; i < diff->seen->n_links; i++) {
        if (!is_type(links[i], wanted->type) || net_link_is_ours(links[i]) ||
            strcmp(links[i]->name, wanted->name) == 0)
            continue;
        if (links[i]->table == wanted->table && links[i]->if_id == wanted->if_id)
            return links[i];
    }
    return NULL;
}

static const char *describe_rival(struct diff *diff, const struct net_link *wanted,
                                  const struct net_link *rival)
{
    if (wanted->table)
        return arena_printf(
            diff->plan->arena,
            "VRF %s has table %u and is not routerd's: delete it or give it another table",
            rival->name, rival->table);
    return arena_printf(
        diff->plan->arena,
        "interface %s has if_id %u and is not routerd's: delete it or give it another if_id",
        rival->name, rival->if_id);
}

/* Whether it is ours after all: somebody took the alias away, but the altname, the second witness,
 * and the numbers are those that we gave it. */
static bool lost_its_mark(const struct net_link *wanted, const struct net_link *seen)
{
    return strcmp(wanted->altname, seen->altname) == 0 && seen->table == wanted->table &&
           seen->if_id == wanted->if_id;
}

/* Why the interface cannot be made as wanted, or null. */
static const char *find_obstacle(struct diff *diff, const struct net_link *wanted)
{
    const struct net_link *seen = net_state_find(diff->seen, wanted->name);
    const char *type = seen && seen->type[0] ? seen->type : "unknown";
    if (seen && !is_type(seen, wanted->type))
        return arena_printf(diff->plan->arena,
                            "interface %s is there and of kind %s, not %s: delete or rename it",
                            wanted->name, type, wanted->type);
    if (ovs_makes(wanted))
        return plan_withholds(diff->plan, wanted->name)
                   ? arena_printf(diff->plan->arena,
                                  "interface %s is a port in Open vSwitch that is not routerd's: "
                                  "remove it there",
                                  wanted->name)
                   : NULL;
    if (seen && !net_link_is_ours(seen) && !lost_its_mark(wanted, seen))
        return arena_printf(diff->plan->arena,
                            "interface %s is there and not routerd's: delete or rename it",
                            wanted->name);
    const struct net_link *rival = find_rival(diff, wanted);
    return rival ? describe_rival(diff, wanted, rival) : NULL;
}

/* Likewise for what stands on the VRF, or goes by the interface, of that name. */
static const char *find_obstacle_below(struct diff *diff, const char *name)
{
    const struct net_link *wanted = name[0] ? net_state_find(diff->wanted, name) : NULL;
    return wanted ? find_obstacle(diff, wanted) : NULL;
}

/* --- interfaces --- */

/* Whether `seen`, of the wanted name and ours, is so different that it has to be made anew. */
static bool must_replace(const struct net_link *wanted, const struct net_link *seen)
{
    return is_type(seen, wanted->type) &&
           (seen->table != wanted->table || seen->if_id != wanted->if_id);
}

/* The seen interface of that name if it can become the wanted one, else null. */
static const struct net_link *keep_seen(struct diff *diff, const struct net_link *wanted,
                                        const struct net_link *seen)
{
    bool goes = seen && (must_replace(wanted, seen) || plan_remakes(diff->plan, seen->name));
    return goes ? NULL : seen;
}

/* Whether an interface, if it is ours, is to be undone before the wanted ones are made; `wanted` is
 * that of its name or null. */
static bool must_go(const struct net_link *wanted, const struct net_link *seen)
{
    return (!wanted || must_replace(wanted, seen)) && net_link_is_ours(seen) &&
           (ovs_makes(seen) || is_type(seen, "vrf") || is_type(seen, "xfrm"));
}

static void add_last_resorts(struct diff *diff, struct net_build *build, const struct net_link *vrf)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        struct net_route key = {.table = vrf->table,
                                .prefix.addr.family = families[i],
                                .metric = NET_LAST_RESORT_METRIC};
        const struct net_route *seen = net_state_find_route(diff->seen, &key);
        if (seen && seen->type == NET_ROUTE_UNREACHABLE)
            continue;
        const struct net_route *wanted = net_state_find_route(diff->wanted, &key);
        if (!wanted)
            continue;
        net_build_route(build, seen ? NET_OP_ROUTE_REPLACE : NET_OP_ROUTE_ADD, NET_ROUND_MASTER,
                        wanted);
        net_build_say(build, "unreachable default (%s)", families[i] == AF_INET ? "IPv4" : "IPv6");
    }
}

/* The host's IPv6 forwarding is turned on by the first step that is there for a VRF. */
static bool needs_ipv6_forwarding(struct diff *diff, const struct net_link *wanted)
{
    if (diff->wanted->ipv6_forwarding != 1 || diff->seen->ipv6_forwarding == 1 ||
        wanted->conf.disable_ipv6 != 0)
        return false;
    struct net_link *const *links = net_state_links(diff->wanted);
    for (size_t i = 0; i < diff->wanted->n_links; i++)
        if (is_type(links[i], "vrf") && links[i]->conf.disable_ipv6 == 0)
            return links[i] == wanted;
    return false;
}

/* The kernel makes these rules with its first VRF and never again. Without them the lookups of all
 * VRFs go to the main table; the first VRF that is there brings them back. */
static uint8_t missing_rules(struct diff *diff, const struct net_link *wanted)
{
    uint8_t missing = diff->wanted->l3mdev_rules & (uint8_t)~diff->seen->l3mdev_rules;
    struct net_link *const *links = net_state_links(diff->seen);

    if (!missing)
        return 0;
    for (size_t i = 0; i < diff->seen->n_links; i++)
        if (is_vrf(links[i]) && net_link_is_ours(links[i]))
            return strcmp(links[i]->name, wanted->name) == 0 ? missing : 0;
    return 0;
}

static void build_rules(struct diff *diff, struct net_build *build, const struct net_link *wanted)
{
    uint8_t missing = missing_rules(diff, wanted);

    for (unsigned int family = NET_IPV4; family <= NET_IPV6; family <<= 1) {
        if (!(missing & family))
            continue;
        net_build_op(build, NET_OP_RULE_ADD, NET_ROUND_FIRST)->number = family;
        net_build_say(build, "policy rule for VRFs (%s)", family == NET_IPV4 ? "IPv4" : "IPv6");
    }
}

static void build_vrf_parts(struct diff *diff, struct net_build *build,
                            const struct net_link *wanted)
{
    add_last_resorts(diff, build, wanted);
    build_rules(diff, build, wanted);
    if (!needs_ipv6_forwarding(diff, wanted))
        return;
    net_build_op(build, NET_OP_IPV6_FORWARDING, NET_ROUND_FIRST);
    net_build_say(build, "net.ipv6.conf.all.forwarding of this host set to 1");
}

static const char *link_summary(struct diff *diff, struct net_build *build,
                                const struct net_link *wanted, bool create)
{
    struct arena *arena = diff->plan->arena;
    if (!create)
        return arena_printf(arena, "%s %s: %s", is_type(wanted, "vrf") ? "VRF" : "interface",
                            wanted->name, build->words ? build->words : "restored");
    const char *words = net_link_words(arena, wanted);
    if (is_type(wanted, "vrf") && needs_ipv6_forwarding(diff, wanted))
        return arena_printf(arena, "%s, net.ipv6.conf.all.forwarding of this host set to 1", words);
    return words;
}

/* `there` is what is seen of that name, or null. */
static void diff_link(struct diff *diff, const struct net_link *wanted,
                      const struct net_link *there)
{
    const struct net_link *seen = keep_seen(diff, wanted, there);
    struct net_build build = net_build_start(diff->plan, wanted->name);
    net_build_link(&build, diff->seen, wanted, seen);
    if (is_type(wanted, "vrf"))
        build_vrf_parts(diff, &build, wanted);
    if (!build.change)
        return;

    bool reclaims =
        seen && !ovs_makes(wanted) && !net_link_is_ours(seen) && lost_its_mark(wanted, seen);
    bool create = !seen || (!net_link_is_ours(seen) && !reclaims);
    const char *summary = link_summary(diff, &build, wanted, create);
    const char *obstacle = find_obstacle(diff, wanted);
    const char *vrf_obstacle = find_obstacle_below(diff, wanted->master);
    build.disruptive &= !obstacle && !vrf_obstacle;
    build.change->reclaims = reclaims ? build.link : NULL;
    if (obstacle) {
        build.change->obstacle = STEP_FAILED;
        build.change->obstacle_reason = obstacle;
    } else if (vrf_obstacle) {
        build.change->obstacle = STEP_NOT_READY;
        build.change->obstacle_reason = vrf_obstacle;
    } else if (ovs_makes(wanted)) {
        build.change->waits_for = build.link;
    }
    net_build_finish(&build, PHASE_NET_CREATE, create ? STEP_CREATE : STEP_UPDATE, wanted->tenant,
                     wanted->object, summary);
}

/* Those of a type, in the order of their names. */
static void diff_links(struct diff *diff, const char *type)
{
    struct net_link *const *links = net_state_links(diff->wanted);
    for (size_t i = 0; i < diff->wanted->n_links; i++)
        if (is_type(links[i], type))
            diff_link(diff, links[i], diff->seen_links[i]);
}

/* Interfaces that stay and would fall out of a VRF which goes are set down first, so that nothing
 * of theirs passes outside of it. */
static void build_vrf_undo(struct diff *diff, struct net_build *build, const struct net_link *vrf)
{
    struct net_link *const *links = net_state_links(diff->seen);
    for (size_t i = 0; i < diff->seen->n_links; i++)
        if (links[i]->master_index == vrf->index && net_link_is_ours(links[i]) &&
            !must_go(diff->wanted_links[i], links[i]))
            net_build_op(build, NET_OP_DOWN, NET_ROUND_FIRST)->link =
                arena_strdup(diff->plan->arena, links[i]->name);
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        struct net_route key = {.table = vrf->table,
                                .prefix.addr.family = families[i],
                                .metric = NET_LAST_RESORT_METRIC};
        const struct net_route *seen = net_state_find_route(diff->seen, &key);
        if (seen)
            net_build_route(build, NET_OP_ROUTE_DELETE, NET_ROUND_REST, seen);
    }
}

static void undo_link(struct diff *diff, const struct net_link *seen)
{
    struct net_build build = net_build_start(diff->plan, seen->name);
    const char *object, *tenant = net_build_split(diff->plan->arena, seen->alias, &object);
    net_build_undo(&build, seen);
    if (is_type(seen, "vrf"))
        build_vrf_undo(diff, &build, seen);
    const char *summary =
        arena_printf(diff->plan->arena, "%s %s%s", is_type(seen, "vrf") ? "VRF" : "interface",
                     seen->name, ovs_makes(seen) ? ", its addresses" : "");
    net_build_finish(&build, PHASE_NET_DELETE, STEP_DELETE, tenant, object, summary);
}

static void undo_links(struct diff *diff, bool (*of_turn)(const struct net_link *link))
{
    struct net_link *const *links = net_state_links(diff->seen);
    for (size_t i = 0; i < diff->seen->n_links; i++)
        if (of_turn(links[i]) && must_go(diff->wanted_links[i], links[i]))
            undo_link(diff, links[i]);
}

static bool is_port(const struct net_link *link)
{
    return !is_vrf(link);
}

/* --- routes --- */

static bool is_last_resort(const struct net_route *route)
{
    return route->metric == NET_LAST_RESORT_METRIC;
}

static const char *owner_of_route(struct diff *diff, const struct net_route *route,
                                  const char **ret_object)
{
    char prefix[PREFIX_TEXT];
    const char *network,
        *tenant = net_build_owner(diff->plan, diff->wanted, diff->seen, route->table, &network);
    *ret_object = is_last_resort(route) && tenant[0]
                      ? network
                      : arena_printf(diff->plan->arena, "%s/route/%s", network,
                                     prefix_print(&route->prefix, prefix));
    return tenant;
}

static const char *route_words(struct arena *arena, const struct net_route *route)
{
    char prefix[PREFIX_TEXT], via[ADDR_TEXT];
    prefix_print(&route->prefix, prefix);
    if (route->type == NET_ROUTE_BLACKHOLE)
        return arena_printf(arena, "blackhole route %s in table %u", prefix, route->table);
    if (route->uplink && !route->via.family)
        return arena_printf(arena, "route %s by %s in table %u", prefix, route->dev, route->table);
    if (route->uplink)
        return arena_printf(arena, "route %s via %s by %s in table %u", prefix,
                            addr_print(&route->via, via), route->dev, route->table);
    if (route->type != NET_ROUTE_UNICAST || !route->via.family)
        return arena_printf(arena, "route %s in table %u", prefix, route->table);
    return arena_printf(arena, "route %s via %s in table %u", prefix, addr_print(&route->via, via),
                        route->table);
}

static bool goes_with_its_vrf(struct diff *diff, const struct net_route *route)
{
    char name[IFNAME_TEXT];
    const struct net_link *vrf = net_state_find(diff->seen, net_vrf_of_table(route->table, name));
    return is_last_resort(route) && vrf && vrf->table == route->table && is_vrf(vrf) &&
           must_go(net_state_find(diff->wanted, name), vrf);
}

static void undo_routes(struct diff *diff)
{
    struct net_route *const *routes = net_state_routes(diff->seen);
    for (size_t i = 0; i < diff->seen->n_routes; i++) {
        if (diff->wanted_routes[i] || goes_with_its_vrf(diff, routes[i]))
            continue;
        struct net_build build = net_build_start(diff->plan, NULL);
        const char *object, *tenant = owner_of_route(diff, routes[i], &object);
        build.disruptive = true;
        net_build_route(&build, NET_OP_ROUTE_DELETE, NET_ROUND_FIRST, routes[i]);
        net_build_finish(&build, PHASE_NET_DELETE, STEP_DELETE, tenant, object,
                         route_words(diff->plan->arena, routes[i]));
    }
}

/* Whether the kernel has the route as wanted and what this plan does leaves it there. */
static bool route_holds(struct diff *diff, const struct net_route *wanted,
                        const struct net_route *seen)
{
    if (!seen || seen->type != wanted->type)
        return false;
    if (wanted->type != NET_ROUTE_UNICAST)
        return true;
    if (wanted->uplink) {
        const struct net_link *uplink = net_state_find(diff->seen, wanted->dev);
        return uplink && seen->oif == uplink->index && addr_equal(&seen->via, &wanted->via);
    }
    const struct net_link *dev = net_state_find(diff->wanted, wanted->dev);
    const struct net_link *seen_dev =
        dev ? keep_seen(diff, dev, net_state_find(diff->seen, dev->name)) : NULL;
    return seen_dev && seen->oif == seen_dev->index && addr_equal(&seen->via, &wanted->via) &&
           !net_link_cycles(diff->seen, dev, seen_dev);
}

static void set_route_obstacle(struct diff *diff, struct net_change *change,
                               const struct net_route *wanted)
{
    char name[IFNAME_TEXT], via[ADDR_TEXT];
    const char *obstacle = find_obstacle_below(diff, net_vrf_of_table(wanted->table, name));
    if (!obstacle)
        obstacle = find_obstacle_below(diff, wanted->dev);
    if (obstacle) {
        change->obstacle = STEP_NOT_READY;
        change->obstacle_reason = obstacle;
    } else if (wanted->type == NET_ROUTE_UNICAST && !wanted->dev[0]) {
        change->obstacle = STEP_FAILED;
        change->obstacle_reason = arena_printf(
            diff->plan->arena, "%s is in no subnet of the network's segments and tunnels",
            addr_print(&wanted->via, via));
    } else if (wanted->type == NET_ROUTE_UNICAST) {
        change->waits_for = arena_strdup(diff->plan->arena, wanted->dev);
    }
}

static void diff_route(struct diff *diff, const struct net_route *wanted,
                       const struct net_route *seen)
{
    if (is_last_resort(wanted) || route_holds(diff, wanted, seen))
        return;
    struct arena *arena = diff->plan->arena;
    struct net_build build = net_build_start(diff->plan, NULL);
    bool same = seen && seen->type == wanted->type && addr_equal(&seen->via, &wanted->via);
    const char *summary = seen && !same ? arena_printf(arena, "%s -> %s", route_words(arena, seen),
                                                       route_words(arena, wanted))
                                        : route_words(arena, wanted);
    net_build_route(&build, seen ? NET_OP_ROUTE_REPLACE : NET_OP_ROUTE_ADD, NET_ROUND_REST, wanted);
    set_route_obstacle(diff, build.change, wanted);
    net_build_finish(&build, PHASE_NET_CREATE, seen ? STEP_UPDATE : STEP_CREATE, wanted->tenant,
                     wanted->object, summary);
}

void net_diff(struct net_state *wanted, struct net_state *seen, struct plan *plan)
{
    net_egress_resolve(wanted, seen);
    struct diff diff = {
        .wanted = wanted,
        .seen = seen,
        .plan = plan,
        .seen_links = net_state_match_links(wanted, seen),
        .seen_routes = net_state_match_routes(wanted, seen),
    };
    diff.wanted_links = diff.seen_links + wanted->n_links;
    diff.wanted_routes = diff.seen_routes + wanted->n_routes;
    undo_routes(&diff);
    undo_links(&diff, is_port);
    undo_links(&diff, is_vrf);
    diff_links(&diff, "vrf");
    diff_links(&diff, "openvswitch");
    diff_links(&diff, "tun");
    diff_links(&diff, "xfrm");
    net_egress_diff(wanted, seen, plan);
    struct net_route *const *routes = net_state_routes(wanted);
    for (size_t i = 0; i < wanted->n_routes; i++)
        diff_route(&diff, routes[i], diff.seen_routes[i]);
    free(diff.seen_links);
    free(diff.seen_routes);
}
