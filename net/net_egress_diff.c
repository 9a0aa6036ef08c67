#include "net/net_build.h"
#include "net/net_egress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int FAMILIES[] = {AF_INET, AF_INET6};

/* --- routes -------------------------------------------------------------------------------------
 */

bool net_egress_gateway(const struct net_egress *egress, const struct net_state *seen,
                        const struct net_link *uplink, int family, struct addr *ret_via)
{
    const struct addr *given = &egress->gateways[family == AF_INET6];
    const struct net_gateway *found = net_state_find_gateway(seen, family, uplink->index);
    if (!given->family && !found)
        return false;
    *ret_via = given->family ? *given : found->via;
    return true;
}

static void add_route(struct net_state *wanted, const struct net_egress *egress,
                      struct prefix prefix, uint32_t metric, struct addr via)
{
    wanted->resolved =
        reallocarray(wanted->resolved, wanted->n_resolved + 1, sizeof *wanted->resolved);
    if (!wanted->resolved)
        abort();
    struct net_route *route = &wanted->resolved[wanted->n_resolved++];
    *route = (struct net_route){
        .table = egress->table,
        .prefix = prefix,
        .metric = metric,
        .type = NET_ROUTE_UNICAST,
        .via = via,
        .uplink = true,
        .tenant = egress->tenant,
        .object = egress->object,
    };
    snprintf(route->dev, sizeof route->dev, "%s", egress->uplink);
}

static void resolve_family(struct net_state *wanted, const struct net_state *seen,
                           const struct net_egress *egress, const struct net_link *uplink,
                           int family)
{
    struct addr via;
    if (net_egress_gateway(egress, seen, uplink, family, &via))
        add_route(wanted, egress, (struct prefix){.addr.family = family}, NET_ROUTE_METRIC, via);
    for (size_t i = 0; i < uplink->n_addrs; i++) {
        const struct prefix *own = &uplink->addrs[i].prefix;
        if (own->addr.family == family && own->len < addr_bits(family) &&
            !(family == AF_INET6 && addr_is_link_local(&own->addr)))
            add_route(wanted, egress, prefix_network(own), NET_UPLINK_METRIC, (struct addr){0});
    }
}

void net_egress_forget(struct net_state *wanted)
{
    size_t kept = 0;
    if (!wanted->n_resolved)
        return;
    for (size_t i = 0; i < wanted->n_routes; i++)
        if (!wanted->routes[i]->uplink)
            wanted->routes[kept++] = wanted->routes[i];
    wanted->n_routes = kept;
    wanted->n_resolved = 0;
}

void net_egress_resolve(struct net_state *wanted, const struct net_state *seen)
{
    net_egress_forget(wanted);
    for (size_t i = 0; i < wanted->n_egresses; i++) {
        const struct net_egress *egress = &wanted->egresses[i];
        const struct net_link *uplink =
            net_state_find((struct net_state *)seen, egress->uplink); /* sorts, no more */
        for (size_t j = 0; uplink && uplink->up && j < 2; j++)
            if (net_egress_has(egress, FAMILIES[j]))
                resolve_family(wanted, seen, egress, uplink, FAMILIES[j]);
    }
    /* What the network itself says goes first. */
    net_state_lend_routes(wanted, wanted->resolved, wanted->n_resolved);
}

/* --- rules and forwarding -----------------------------------------------------------------------
 */

static void rule_op(struct net_build *build, enum net_op_kind kind, const struct net_rule *rule)
{
    struct net_op *op = net_build_op(build, kind, NET_ROUND_FIRST);
    op->link = NULL;
    op->number = rule->table;
    op->prefix.addr.family = rule->family;
    net_build_say(build, "policy rule of packets that come back (%s)",
                  rule->family == AF_INET ? "IPv4" : "IPv6");
}

static void undo_rules(struct net_state *wanted, struct net_state *seen, struct plan *plan)
{
    for (size_t i = 0; i < seen->n_rules; i++) {
        const struct net_rule *rule = &seen->rules[i];
        if (rule->mark != net_mark_of(rule->table) || net_state_has_rule(wanted, rule))
            continue;
        const char *object, *tenant = net_build_owner(plan, wanted, seen, rule->table, &object);
        struct net_build build = net_build_start(plan, NULL);
        rule_op(&build, NET_OP_MARK_DELETE, rule);
        net_build_finish(&build, PHASE_NET_DELETE, STEP_DELETE, tenant,
                         arena_printf(plan->arena, "%s/egress", object),
                         arena_printf(plan->arena, "%s, table %u", build.words, rule->table));
    }
}

/* Packets that come back are forwarded only if the uplink's interface forwards. */
static void build_forwarding(struct net_state *seen, struct net_build *build,
                             const struct net_egress *egress)
{
    const struct net_link *uplink = net_state_find(seen, egress->uplink);
    if (!uplink || uplink->conf.forwarding != 0)
        return;
    struct net_link *wanted = arena_alloc(build->plan->arena, sizeof *wanted);
    wanted->conf = (struct net_conf){1, -1, -1, -1, -1};
    struct net_op *op = net_build_op(build, NET_OP_CONF, NET_ROUND_FIRST);
    op->wanted = wanted;
    op->uplink = true;
    net_build_say(build, "IPv4 forwarding on for interface %s", egress->uplink);
}

static void diff_egress(struct net_state *seen, struct plan *plan, const struct net_egress *egress)
{
    struct net_build build = net_build_start(plan, egress->uplink);
    bool none = true;
    for (size_t i = 0; i < 2; i++) {
        struct net_rule rule = net_rule_of(egress, FAMILIES[i]);
        if (!net_egress_has(egress, FAMILIES[i]))
            continue;
        if (net_state_has_rule(seen, &rule))
            none = false;
        else
            rule_op(&build, NET_OP_MARK_ADD, &rule);
    }
    build_forwarding(seen, &build, egress);
    if (build.change)
        net_build_finish(
            &build, PHASE_NET_CREATE, none ? STEP_CREATE : STEP_UPDATE, egress->tenant,
            egress->object,
            arena_printf(plan->arena, "egress by %s: %s", egress->uplink, build.words));
}

void net_egress_diff(struct net_state *wanted, struct net_state *seen, struct plan *plan)
{
    undo_rules(wanted, seen, plan);
    for (size_t i = 0; i < wanted->n_egresses; i++)
        diff_egress(seen, plan, &wanted->egresses[i]);
}
