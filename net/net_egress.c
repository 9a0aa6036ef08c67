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

static struct net_rule *find_rule(const struct net_state *state, const struct net_rule *rule)
{
    for (size_t i = 0; i < state->n_rules; i++) {
        struct net_rule *other = &state->rules[i];
        if (other->family == rule->family && other->mark == rule->mark &&
            other->table == rule->table && other->priority == rule->priority)
            return other;
    }
    return NULL;
}

bool net_state_has_rule(const struct net_state *state, const struct net_rule *rule)
{
    return find_rule(state, rule) != NULL;
}

bool net_state_put_rule(struct net_state *state, const struct net_rule *rule)
{
    if (find_rule(state, rule))
        return false;
    state->rules = reallocarray(state->rules, state->n_rules + 1, sizeof *state->rules);
    if (!state->rules)
        abort();
    state->rules[state->n_rules++] = *rule;
    return true;
}

bool net_state_drop_rule(struct net_state *state, const struct net_rule *rule)
{
    struct net_rule *found = find_rule(state, rule);
    if (!found)
        return false;
    *found = state->rules[--state->n_rules];
    return true;
}

bool net_state_is_uplink(const struct net_state *state, const char *name)
{
    for (size_t i = 0; i < state->n_uplinks; i++)
        if (strcmp(state->uplinks[i], name) == 0)
            return true;
    return false;
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
