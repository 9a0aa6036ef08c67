/* net_change.h - what a step of this backend does: a list of operations, each one netlink message
 * or one sysctl.
 *
 * Interfaces are named, not numbered, since a plan may be made before they exist. The kernel does
 * not stop a batch at the first error, so operations that must not happen after a failed one are in
 * a later round: an interface is not set up unless it is known to be in its VRF. Operations are
 * idempotent: creating means ensuring, deleting what is gone is fine. */
#ifndef NET_NET_CHANGE_H
#define NET_NET_CHANGE_H

#include "model/plan.h"
#include "model/tenant_parts.h"
#include "net/net_state.h"

enum net_op_kind {
    NET_OP_LINK_CREATE, /* name, type, table or if_id, mtu; marked in the same batch */
    NET_OP_LINK_DELETE,
    NET_OP_ALIAS,          /* text; "" removes the mark */
    NET_OP_ALTNAME_ADD,    /* text */
    NET_OP_ALTNAME_DELETE, /* text */
    NET_OP_MASTER,         /* text; "" for none */
    NET_OP_MTU,            /* number */
    NET_OP_UP,
    NET_OP_DOWN,
    NET_OP_CONF,            /* the IPv4 settings of `wanted` */
    NET_OP_ACCEPT_RA,       /* number */
    NET_OP_DISABLE_IPV6,    /* number */
    NET_OP_IPV6_FORWARDING, /* of the whole host, to 1 */
    NET_OP_RULE_ADD, /* number: the family, of the policy rule that sends lookups to the VRF's table
                      */
    NET_OP_MARK_ADD, /* number: the table, of the rule for packets of its network; the prefix's
                        family */
    NET_OP_MARK_DELETE,   /* likewise */
    NET_OP_ADDR_ADD,      /* prefix */
    NET_OP_ADDR_DELETE,   /* prefix */
    NET_OP_ROUTE_ADD,     /* route; fails where a foreign one has its key */
    NET_OP_ROUTE_REPLACE, /* route */
    NET_OP_ROUTE_DELETE,  /* route */
};

enum net_round { NET_ROUND_FIRST, NET_ROUND_MASTER, NET_ROUND_REST, NET_N_ROUNDS };

struct net_op {
    enum net_op_kind kind;
    enum net_round round;
    const char *link; /* its name; null for routes and host settings */
    const char *text;
    uint32_t number;
    const struct net_link
        *wanted; /* NET_OP_LINK_CREATE and NET_OP_CONF; lives as long as the plan */
    struct prefix prefix;
    const struct net_route *route; /* lives as long as the plan */
    bool uplink;                   /* the interface is an uplink's, and not ours */
};

struct net_change {
    enum step_result obstacle; /* STEP_TODO: none, else the result that apply() gives at once */
    const char *obstacle_reason;
    const char *waits_for; /* an interface that others make and that must be there first, or null */
    const char *reclaims;  /* an interface of ours that somebody took the mark from, or null */
    struct net_op *ops;
    size_t n_ops, capacity;
};

/* What the intended state asks of the kernel, in parts that stay while their tenants do. Start from
 * zeroes; it does not move. */
struct net_wanted {
    struct net_state state;
    struct tenant_parts parts;
};

/* Pure: makes it that of `intended`, whatever it was before. */
void net_want(struct net_wanted *wanted, const struct intended *intended);
void net_wanted_done(struct net_wanted *wanted);

/* Pure: adds the steps from `seen` to `wanted`. Their data is a struct net_change, all in the
 * plan's arena. */
void net_diff(struct net_state *wanted, struct net_state *seen, struct plan *plan);

#endif
