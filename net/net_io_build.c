#include "net/net_egress.h"
#include "net/net_io.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/vrf.h>
#include <netlink/route/link/xfrmi.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

static struct nl_addr *nl_addr_of(const struct addr *addr, unsigned int len)
{
    struct nl_addr *nl = nl_addr_build(addr->family, addr->bytes, addr_bits(addr->family) / 8);
    if (nl)
        nl_addr_set_prefixlen(nl, (int)len);
    return nl;
}

/* --- interfaces --- */

/* The index is chosen by us, so that the mark, in the same batch, can only hit the interface that
 * was made. The xfrm interface has no device below: it outlives any change of the uplink, and the
 * host's routes choose the way. */
static struct nl_msg *build_create(const struct net_link *wanted, int index)
{
    struct nl_msg *message = NULL;
    bool vrf = strcmp(wanted->type, "vrf") == 0;
    struct rtnl_link *link = vrf ? rtnl_link_vrf_alloc() : rtnl_link_xfrmi_alloc();
    if (!link)
        return NULL;
    rtnl_link_set_name(link, wanted->name);
    rtnl_link_set_ifindex(link, index);
    if (wanted->mtu)
        rtnl_link_set_mtu(link, wanted->mtu);
    if (vrf)
        rtnl_link_vrf_set_tableid(link, wanted->table);
    else
        rtnl_link_xfrmi_set_if_id(link, wanted->if_id);
    rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &message);
    rtnl_link_put(link);
    return message;
}

static void set_conf(struct rtnl_link *link, const struct net_conf *conf)
{
    if (conf->forwarding >= 0)
        rtnl_link_inet_set_conf(link, IPV4_DEVCONF_FORWARDING, (uint32_t)conf->forwarding);
    if (conf->rp_filter >= 0)
        rtnl_link_inet_set_conf(link, IPV4_DEVCONF_RP_FILTER, (uint32_t)conf->rp_filter);
    if (conf->promote_secondaries >= 0)
        rtnl_link_inet_set_conf(link, IPV4_DEVCONF_PROMOTE_SECONDARIES,
                                (uint32_t)conf->promote_secondaries);
}

static void set_link(struct rtnl_link *link, const struct net_op *op, int other)
{
    if (op->kind == NET_OP_ALIAS)
        rtnl_link_set_ifalias(link, op->text);
    else if (op->kind == NET_OP_MASTER)
        rtnl_link_set_master(link, other);
    else if (op->kind == NET_OP_MTU)
        rtnl_link_set_mtu(link, op->number);
    else if (op->kind == NET_OP_UP)
        rtnl_link_set_flags(link, IFF_UP);
    else if (op->kind == NET_OP_DOWN)
        rtnl_link_unset_flags(link, IFF_UP);
    else if (op->kind == NET_OP_CONF)
        set_conf(link, &op->wanted->conf);
}

static struct nl_msg *build_set(const struct net_op *op, int index, int other)
{
    struct nl_msg *message = NULL;
    struct rtnl_link *link = rtnl_link_alloc();
    if (!link)
        return NULL;
    rtnl_link_set_ifindex(link, index);
    set_link(link, op, other);
    if (op->kind == NET_OP_LINK_DELETE)
        rtnl_link_build_delete_request(link, &message);
    else
        rtnl_link_build_add_request(link, 0, &message);
    rtnl_link_put(link);
    return message;
}

/* libnl-route knows no altnames. */
static struct nl_msg *build_altname(const struct net_op *op, int index)
{
    bool add = op->kind == NET_OP_ALTNAME_ADD;
    struct ifinfomsg info = {.ifi_index = index};
    struct nl_msg *message = nlmsg_alloc_simple(add ? RTM_NEWLINKPROP : RTM_DELLINKPROP,
                                                add ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0);
    if (!message)
        return NULL;
    nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO);
    struct nlattr *list = nla_nest_start(message, IFLA_PROP_LIST | NLA_F_NESTED);
    nla_put_string(message, IFLA_ALT_IFNAME, op->text);
    nla_nest_end(message, list);
    return message;
}

struct nl_msg *net_build_look(int index)
{
    struct ifinfomsg info = {.ifi_index = index};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETLINK, 0);
    if (!message)
        return NULL;
    nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO);
    nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return message;
}

/* --- addresses --- */

/* No duplicate address detection for the router's own addresses: an `up` that holds a second later
 * is a lie. */
static struct nl_msg *build_addr(const struct net_op *op, int index)
{
    struct nl_msg *message = NULL;
    struct rtnl_addr *addr = rtnl_addr_alloc();
    struct nl_addr *local = nl_addr_of(&op->prefix.addr, op->prefix.len);
    if (!addr || !local)
        goto out;
    rtnl_addr_set_ifindex(addr, index);
    rtnl_addr_set_local(addr, local);
    if (op->kind == NET_OP_ADDR_DELETE) {
        rtnl_addr_build_delete_request(addr, 0, &message);
        goto out;
    }
    if (op->prefix.addr.family == AF_INET6)
        rtnl_addr_set_flags(addr, IFA_F_NODAD);
    rtnl_addr_build_add_request(addr, NLM_F_CREATE | NLM_F_REPLACE, &message);
    if (message)
        nla_put_u8(message, IFA_PROTO, NET_ROUTE_PROTOCOL);
out:
    rtnl_addr_put(addr);
    nl_addr_put(local);
    return message;
}

/* --- routes --- */

static uint8_t kernel_type(enum net_route_type type)
{
    switch (type) {
    case NET_ROUTE_BLACKHOLE: return RTN_BLACKHOLE;
    case NET_ROUTE_UNREACHABLE: return RTN_UNREACHABLE;
    case NET_ROUTE_UNICAST: return RTN_UNICAST;
    case NET_ROUTE_ODD: break;
    }
    return RTN_UNSPEC; /* whichever it has, when it is deleted */
}

static int add_nexthop(struct rtnl_route *route, const struct net_route *wanted, int index)
{
    struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
    struct nl_addr *via =
        wanted->via.family ? nl_addr_of(&wanted->via, addr_bits(wanted->via.family)) : NULL;
    bool good = hop && (via || !wanted->via.family);
    if (good) {
        rtnl_route_nh_set_ifindex(hop, index);
        if (via)
            rtnl_route_nh_set_gateway(hop, via);
        if (via && wanted->uplink) /* the VRF's own table does not know the uplink's subnets */
            rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
        rtnl_route_add_nexthop(route, hop);
    } else if (hop) {
        rtnl_route_nh_free(hop);
    }
    nl_addr_put(via);
    return good ? 0 : -ENOMEM;
}

static void fill_route(struct rtnl_route *route, const struct net_route *wanted,
                       struct nl_addr *dst)
{
    rtnl_route_set_family(route, (uint8_t)wanted->prefix.addr.family);
    rtnl_route_set_table(route, wanted->table);
    rtnl_route_set_protocol(route, NET_ROUTE_PROTOCOL);
    rtnl_route_set_priority(route, wanted->metric);
    rtnl_route_set_type(route, kernel_type(wanted->type));
    rtnl_route_set_dst(route, dst);
}

static struct nl_msg *build_route(const struct net_op *op, int index)
{
    struct nl_msg *message = NULL;
    struct rtnl_route *route = rtnl_route_alloc();
    struct nl_addr *dst = nl_addr_of(&op->route->prefix.addr, op->route->prefix.len);
    if (!route || !dst)
        goto out;
    fill_route(route, op->route, dst);
    if (op->kind == NET_OP_ROUTE_DELETE) {
        rtnl_route_set_scope(route, RT_SCOPE_NOWHERE); /* any */
        rtnl_route_build_del_request(route, 0, &message);
        goto out;
    }
    rtnl_route_set_scope(route, op->route->type == NET_ROUTE_UNICAST && !op->route->via.family
                                    ? RT_SCOPE_LINK
                                    : RT_SCOPE_UNIVERSE);
    if (op->route->type == NET_ROUTE_UNICAST && add_nexthop(route, op->route, index) < 0)
        goto out;
    rtnl_route_build_add_request(
        route, NLM_F_CREATE | (op->kind == NET_OP_ROUTE_ADD ? NLM_F_EXCL : NLM_F_REPLACE),
        &message);
out:
    rtnl_route_put(route);
    nl_addr_put(dst);
    return message;
}

/* As the kernel makes it: priority 1000, after the table `local` and before `main`. */
static struct nl_msg *build_rule(const struct net_op *op)
{
    struct fib_rule_hdr info = {
        .family = op->number == NET_IPV4 ? AF_INET : AF_INET6,
        .action = FR_ACT_TO_TBL,
    };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    if (!message)
        return NULL;
    nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO);
    nla_put_u32(message, FRA_PRIORITY, 1000);
    nla_put_u8(message, FRA_L3MDEV, 1);
    return message;
}

static struct nl_msg *build_mark(const struct net_op *op)
{
    bool add = op->kind == NET_OP_MARK_ADD;
    struct fib_rule_hdr info = {
        .family = (uint8_t)op->prefix.addr.family,
        .action = FR_ACT_TO_TBL,
    };
    struct nl_msg *message =
        nlmsg_alloc_simple(add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
    if (!message)
        return NULL;
    nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO);
    nla_put_u32(message, FRA_PRIORITY, NET_RULE_PRIORITY);
    nla_put_u32(message, FRA_FWMARK, net_mark_of(op->number));
    nla_put_u32(message, FRA_FWMASK, UINT32_MAX);
    nla_put_u32(message, FRA_TABLE, op->number);
    nla_put_u8(message, FRA_PROTOCOL, NET_ROUTE_PROTOCOL);
    return message;
}

struct nl_msg *net_build_message(const struct net_op *op, int index, int other)
{
    switch (op->kind) {
    case NET_OP_LINK_CREATE: return build_create(op->wanted, index);
    case NET_OP_LINK_DELETE:
    case NET_OP_ALIAS:
    case NET_OP_MASTER:
    case NET_OP_MTU:
    case NET_OP_UP:
    case NET_OP_DOWN:
    case NET_OP_CONF: return build_set(op, index, other);
    case NET_OP_ALTNAME_ADD:
    case NET_OP_ALTNAME_DELETE: return build_altname(op, index);
    case NET_OP_ADDR_ADD:
    case NET_OP_ADDR_DELETE: return build_addr(op, index);
    case NET_OP_RULE_ADD: return build_rule(op);
    case NET_OP_MARK_ADD:
    case NET_OP_MARK_DELETE: return build_mark(op);
    case NET_OP_ROUTE_ADD:
    case NET_OP_ROUTE_REPLACE:
    case NET_OP_ROUTE_DELETE: return build_route(op, index);
    case NET_OP_ACCEPT_RA:
    case NET_OP_DISABLE_IPV6:
    case NET_OP_IPV6_FORWARDING: break;
    }
    return NULL;
}
