#include "net/net_egress.h"

#include <stdlib.h>
#include <string.h>

/* --- the host's default routes -----------------------------------------------------------------
 */

void net_state_put_gateway(struct net_state *state, const struct net_gateway *gateway)
{
    state->gateways = reallocarray(state->gateways, state->n_gateways + 1, sizeof *state->gateways);
    if (!state->gateways)
        abort();
    state->gateways[state->n_gateways++] = *gateway;
}

bool net_state_drop_gateways(struct net_state *state, int oif)
{
    size_t kept = 0, n = state->n_gateways;
    for (size_t i = 0; i < n; i++)
        if (state->gateways[i].oif != oif)
            state->gateways[kept++] = state->gateways[i];
    state->n_gateways = kept;
    return kept != n;
}

const struct net_gateway *net_state_find_gateway(const struct net_state *state, int family, int oif)
{
    const struct net_gateway *best = NULL;
    for (size_t i = 0; i < state->n_gateways; i++) {
        const struct net_gateway *gateway = &state->gateways[i];
        if (gateway->family == family && gateway->oif == oif &&
            (!best || gateway->metric < best->metric))
            best = gateway;
    }
    return best;
}

/* --- policy rules -------------------------------------------------------------------------------
 */

static int rule_cmp(const void *a, const void *b)
{
    const struct net_rule *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->mark != y->mark)
        return x->mark < y->mark ? -1 : 1;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return (x->family > y->family) - (x->family < y->family);
}

static struct net_rule *find_rule(const struct net_state *state, const struct net_rule *rule)
{
    return state->n_rules
               ? bsearch(rule, state->rules, state->n_rules, sizeof *state->rules, rule_cmp)
               : NULL;
}

bool net_state_has_rule(const struct net_state *state, const struct net_rule *rule)
{
    return find_rule(state, rule) != NULL;
}

static void make_room(struct net_state *state, size_t n)
{
    state->rules = reallocarray(state->rules, n, sizeof *state->rules);
    if (!state->rules)
        abort();
}

bool net_state_put_rule(struct net_state *state, const struct net_rule *rule)
{
    size_t place = state->n_rules;
    if (find_rule(state, rule))
        return false;
    make_room(state, state->n_rules + 1);
    for (; place > 0 && rule_cmp(&state->rules[place - 1], rule) > 0; place--)
        state->rules[place] = state->rules[place - 1];
    state->rules[place] = *rule;
    state->n_rules++;
    return true;
}

bool net_state_drop_rule(struct net_state *state, const struct net_rule *rule)
{
    struct net_rule *found = find_rule(state, rule);
    if (!found)
        return false;
    state->n_rules--;
    memmove(found, found + 1,
            (size_t)(state->rules + state->n_rules - found) * sizeof *state->rules);
    return true;
}

bool net_state_is_uplink(const struct net_state *state, const char *name)
{
    for (size_t i = 0; i < state->n_uplinks; i++)
        if (strcmp(state->uplinks[i], name) == 0)
            return true;
    return false;
}

bool net_egress_has(const struct net_egress *egress, int family)
{
    return family == AF_INET || egress->ipv6;
}

struct net_rule net_rule_of(const struct net_egress *egress, int family)
{
    return (struct net_rule){
        .family = family,
        .mark = net_mark_of(egress->table),
        .table = egress->table,
        .priority = NET_RULE_PRIORITY,
    };
}

void net_egress_want_rules(struct net_state *wanted)
{
    static const int families[] = {AF_INET, AF_INET6};
    wanted->n_rules = 0;
    make_room(wanted, 2 * wanted->n_egresses + 1);
    for (size_t i = 0; i < wanted->n_egresses; i++)
        for (size_t j = 0; j < 2; j++)
            if (net_egress_has(&wanted->egresses[i], families[j]))
                wanted->rules[wanted->n_rules++] = net_rule_of(&wanted->egresses[i], families[j]);
    qsort(wanted->rules, wanted->n_rules, sizeof *wanted->rules, rule_cmp);
}
