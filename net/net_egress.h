/* net_egress.h - a network's way to the outside in the kernel's routing: routes of the VRF's table
 * that leave by a routed uplink, and the rule by which answers find the VRF again.
 *
 * A packet of the network finds in the VRF's table the default route by way of the uplink's router:
 * the one that the configuration names, else the host's own default route on that uplink, which is
 * followed when it changes; and the uplink's own subnets. Without a router there are only those. An
 * answer carries the mark that nftables (nft.h) restored from its connection, and the rule sends
 * its lookup to the VRF's table. The rules come after that of the VRFs (1000), so that lookups in
 * VRFs do not pass them.
 *
 * What goes out depends on what is seen of the host, so these routes join the wanted state at each
 * difference. NAT and what may pass is nftables' part, not this one's. Pure. */
#ifndef NET_NET_EGRESS_H
#define NET_NET_EGRESS_H

#include "model/plan.h"
#include "net/net_state.h"

enum {
    NET_RULE_PRIORITY = 1100,
    NET_UPLINK_METRIC = 30, /* of an uplink's subnets: zebra's BGP routes (20) go before them */
};

/* The mark of a network's packets and connections: the table, below a byte that is ours. */
#define NET_MARK_BASE UINT32_C(0x52000000)
#define NET_MARK_MASK UINT32_C(0xff000000)

static inline uint32_t net_mark_of(uint32_t table)
{
    return NET_MARK_BASE | (table & ~NET_MARK_MASK);
}

void net_state_put_gateway(struct net_state *state, const struct net_gateway *gateway);
/* Those by way of an interface. True if there were any. */
bool net_state_drop_gateways(struct net_state *state, int oif);
/* The best of a family by way of the interface, or null. */
const struct net_gateway *net_state_find_gateway(const struct net_state *state, int family,
                                                 int oif);

bool net_state_has_rule(const struct net_state *state, const struct net_rule *rule);
/* True if that changed anything; likewise below. */
bool net_state_put_rule(struct net_state *state, const struct net_rule *rule);
bool net_state_drop_rule(struct net_state *state, const struct net_rule *rule);
/* Whether it is of that family, too. */
bool net_egress_has(const struct net_egress *egress, int family);
struct net_rule net_rule_of(const struct net_egress *egress, int family);

/* Whether the interface is a routed uplink's. */
bool net_state_is_uplink(const struct net_state *state, const char *name);

/* Makes the rules those of all egresses. */
void net_egress_want_rules(struct net_state *wanted);
/* Puts the routes of all egresses, as the seen state lets them be, into the wanted state, in place
 * of those of last time. */
void net_egress_resolve(struct net_state *wanted, const struct net_state *seen);
/* Takes those of last time out; to be called before the egresses change. */
void net_egress_forget(struct net_state *wanted);
/* The router that a family's packets leave by: true with *ret_via, which has no family where the
 * link needs none; false: there is no default route. */
bool net_egress_gateway(const struct net_egress *egress, const struct net_state *seen,
                        const struct net_link *uplink, int family, struct addr *ret_via);
/* Adds the steps for rules and for the uplinks' forwarding. */
void net_egress_diff(struct net_state *wanted, struct net_state *seen, struct plan *plan);

#endif
