/* net_state.h - interfaces and routes as values: what should be in the kernel, and what is seen
 * there.
 *
 * Both sides of the difference are a struct net_state. The wanted one is put together by net_want()
 * from those of the tenants; the seen one is kept by the netlink watcher. It holds only what is
 * ours or could stand in our way. Pure. */
#ifndef NET_NET_STATE_H
#define NET_NET_STATE_H

#include "model/addr.h"
#include "model/ids.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MARK "routerd:" /* how an alias of ours begins */
#define NET_LAST_RESORT_METRIC \
    UINT32_C(4278198272) /* of a VRF's unreachable default: what the kernel's VRF guide uses */

enum {
    NET_ROUTE_PROTOCOL =
        111, /* of our routes; free in iproute2's rt_protos and outside FRR's 186-197 */
    NET_ROUTE_METRIC = 10, /* of our static routes: better than zebra's BGP routes (20) */
    NET_RP_FILTER =
        2, /* loose: the kernel takes the greater of this and conf.all, so 0 could become strict */
    NET_ALIAS_TEXT = 256,   /* the kernel's IFALIASZ */
    NET_ALTNAME_TEXT = 128, /* the kernel's ALTIFNAMSIZ */
    NET_TYPE_TEXT = 16,
};

struct net_addr {
    struct prefix prefix;
    bool tentative; /* IPv6: duplicate address detection is going on */
    bool duplicate; /* IPv6: it found another holder */
    bool ours;      /* added by us, which the kernel remembers from 5.18 on (IFA_PROTO) */
};

/* Settings of an interface; -1: unknown (seen) or of no importance (wanted). */
struct net_conf {
    int8_t forwarding, rp_filter, promote_secondaries; /* net.ipv4.conf.IF */
    int8_t accept_ra, disable_ipv6;                    /* net.ipv6.conf.IF */
};

struct net_link {
    int index; /* the kernel's; wanted: a serial number of the tenant's */
    char name[IFNAME_TEXT];
    char type[NET_TYPE_TEXT];   /* the kernel's kind: "vrf", "xfrm", "openvswitch", "tun", ... */
    char alias[NET_ALIAS_TEXT]; /* "" for none */
    char altname[NET_ALTNAME_TEXT]; /* the one that goes with the alias; seen: "" if it is missing;
                                     without a mark, one that may have been ours */
    uint32_t table;                 /* of a VRF */
    uint32_t if_id;                 /* of an xfrm interface */
    uint32_t mtu;                   /* wanted: 0 for any */
    bool up;                        /* administratively; always wanted */
    bool running;                   /* the layer below is there */
    struct net_conf conf;
    int master_index;         /* seen: the VRF's, or 0 */
    char master[IFNAME_TEXT]; /* wanted: the VRF's, or "" */
    struct net_addr *addrs;   /* sorted */
    size_t n_addrs;
    const char *tenant, *object; /* wanted: borrowed from the topology or the tenant's arena */
};

enum net_route_type {
    NET_ROUTE_UNICAST,
    NET_ROUTE_BLACKHOLE,
    NET_ROUTE_UNREACHABLE,
    NET_ROUTE_ODD
};

struct net_route {
    uint32_t table; /* table, prefix and metric are the key */
    struct prefix prefix;
    uint32_t metric;
    enum net_route_type type; /* ODD: seen, and nothing that we would make */
    struct addr via;          /* of a unicast route; no family: the link needs none */
    int oif;                  /* seen */
    char dev[IFNAME_TEXT];    /* wanted; "" if no subnet of the network holds `via` */
    bool uplink;              /* wanted: `dev` is a routed uplink's interface; see net_egress.h */
    const char *tenant, *object;
};

/* A default route of the host, in its table `main`. */
struct net_gateway {
    int family, oif;
    struct addr via; /* no family: the link needs none */
    uint32_t metric;
};

/* A policy rule of ours: packets with the mark look into the table. */
struct net_rule {
    int family;
    uint32_t mark, table, priority;
};

/* A network's egress; see net_egress.h. */
struct net_egress {
    uint32_t table;
    char uplink[IFNAME_TEXT];
    struct addr gateways[2]; /* given ones, IPv4 first; no family: none */
    bool ipv6;               /* the network has IPv6, too */
    const char *tenant, *object;
};

/* As bits. */
enum net_family { NET_IPV4 = 1, NET_IPV6 = 2 };

struct net_state {
    void *link_tree, *route_tree; /* by index, by key */
    struct net_link **links;      /* see net_state_links(); null: to be made */
    size_t n_sorted;              /* of `links`, by name; the others behind them are to be */
    struct net_route **routes;    /* sorted by key; null: to be made */
    size_t n_links, n_routes;
    uint8_t l3mdev_rules;   /* families (enum net_family) whose lookups begin in the VRF's table */
    int8_t ipv6_forwarding; /* net.ipv6.conf.all.forwarding; -1: unknown or of no importance */
    struct net_gateway *gateways; /* seen */
    size_t n_gateways;
    struct net_rule *rules; /* sorted */
    size_t n_rules;
    struct net_egress *egresses; /* wanted */
    size_t n_egresses;
    struct net_route *resolved; /* wanted: the routes of net_egress_resolve() */
    size_t n_resolved;
    const char *const *uplinks; /* seen: interfaces of others that are followed; borrowed */
    size_t n_uplinks;
    struct arena *arena; /* of a tenant's wanted state */
};

void net_state_init(struct net_state *state);
void net_state_done(struct net_state *state);

/* Whether the interface carries our mark. */
bool net_link_is_ours(const struct net_link *link);
/* The altname for an alias: its path with dots, shortened with a digest where it is too long; ""
 * for an alias that is not ours. */
const char *net_altname(const char *alias, char buffer[NET_ALTNAME_TEXT]);

/* By index: find (or null), find or add, remove. */
struct net_link *net_state_link(const struct net_state *state, int index);
struct net_link *net_state_put_link(struct net_state *state, int index);
void net_state_drop_link(struct net_state *state, int index);
/* To be called after a link's name was changed. */
void net_state_renamed(struct net_state *state, struct net_link *link);
/* By name, and all, sorted by name. Valid until a link is added, removed or renamed. */
struct net_link *net_state_find(struct net_state *state, const char *name);
struct net_link *const *net_state_links(struct net_state *state);
/* For each of net_state_links() what net_state_find() finds in another state, and behind these
 * likewise for each of the other's. malloc()ed. */
struct net_link **net_state_match_links(struct net_state *state, struct net_state *other);

/* Adds or overwrites the address. True if that changed anything. */
bool net_link_put_addr(struct net_link *link, const struct net_addr *addr);
/* True if it was there. */
bool net_link_drop_addr(struct net_link *link, const struct prefix *prefix);
const struct net_addr *net_link_find_addr(const struct net_link *link, const struct prefix *prefix);

/* Adds a copy, or overwrites the route of the same key. True if that changed anything. */
bool net_state_put_route(struct net_state *state, const struct net_route *route);
bool net_state_drop_route(struct net_state *state, const struct net_route *key);
/* Removes all unicast routes of a family through an interface (seen). True if there were any. */
bool net_state_drop_routes_of(struct net_state *state, int family, int oif);
const struct net_route *net_state_find_route(struct net_state *state, const struct net_route *key);
/* Sorted by table, prefix, metric. Valid until a route is added or removed. */
struct net_route *const *net_state_routes(struct net_state *state);
/* As net_state_match_links(), by net_state_find_route(). */
struct net_route **net_state_match_routes(struct net_state *state, struct net_state *other);
int net_route_cmp_key(const struct net_route *a, const struct net_route *b);

/* A state that is put together of others, which must stay as they are while their interfaces and
 * routes are in it, has no trees: it is changed by these alone. */
void net_state_join(struct net_state *whole, struct net_state *part);
void net_state_leave(struct net_state *whole, struct net_state *part);
/* Likewise for routes of nobody's: puts in those whose key no other has. */
void net_state_lend_routes(struct net_state *whole, struct net_route *routes, size_t n);

#endif
