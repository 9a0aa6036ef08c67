#include "net/net_egress.h"
#include "net/net_io.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

/* Attributes of one message by their type; unknown and misshapen ones are not there. */
struct attrs {
    const struct nlattr *at[IFLA_MAX + 1];
};
_Static_assert((int)IFLA_MAX >= (int)RTA_MAX && (int)IFLA_MAX >= (int)IFA_MAX,
               "struct attrs fits all");

static int collect(const struct nlattr *attr, void *aux)
{
    struct attrs *attrs = aux;
    if (mnl_attr_get_type(attr) <= IFLA_MAX)
        attrs->at[mnl_attr_get_type(attr)] = attr;
    return MNL_CB_OK;
}

static struct attrs attrs_of(const struct nlmsghdr *message, size_t header)
{
    struct attrs attrs = {0};
    if (mnl_nlmsg_get_payload_len(message) >= header)
        mnl_attr_parse(message, (unsigned int)header, collect, &attrs);
    return attrs;
}

static struct attrs attrs_in(const struct nlattr *nest)
{
    struct attrs attrs = {0};
    if (nest)
        mnl_attr_parse_nested(nest, collect, &attrs);
    return attrs;
}

static bool get_u32(const struct nlattr *attr, uint32_t *ret)
{
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof *ret)
        return false;
    memcpy(ret, mnl_attr_get_payload(attr), sizeof *ret);
    return true;
}

static void get_text(const struct nlattr *attr, char *buffer, size_t size)
{
    if (attr)
        snprintf(buffer, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
                 (const char *)mnl_attr_get_payload(attr));
    else
        buffer[0] = '\0';
}

static struct addr get_addr(const struct nlattr *attr, int family)
{
    struct addr addr = {.family = family};
    if (attr && mnl_attr_get_payload_len(attr) == addr_bits(family) / 8)
        memcpy(addr.bytes, mnl_attr_get_payload(attr), addr_bits(family) / 8);
    return addr;
}

/* --- interfaces --- */

static int8_t setting(const struct nlattr *array, size_t i)
{
    int32_t value;
    if (!array || mnl_attr_get_payload_len(array) < (i + 1) * sizeof value)
        return -1;
    memcpy(&value, (const char *)mnl_attr_get_payload(array) + i * sizeof value, sizeof value);
    return (int8_t)(value < 0 || value > INT8_MAX ? INT8_MAX : value);
}

static struct net_conf get_conf(const struct nlattr *spec)
{
    struct attrs families = attrs_in(spec);
    struct attrs inet = attrs_in(families.at[AF_INET]), inet6 = attrs_in(families.at[AF_INET6]);
    const struct nlattr *v4 = inet.at[IFLA_INET_CONF], *v6 = inet6.at[IFLA_INET6_CONF];
    return (struct net_conf){
        .forwarding = setting(v4, IPV4_DEVCONF_FORWARDING - 1),
        .rp_filter = setting(v4, IPV4_DEVCONF_RP_FILTER - 1),
        .promote_secondaries = setting(v4, IPV4_DEVCONF_PROMOTE_SECONDARIES - 1),
        .accept_ra = setting(v6, DEVCONF_ACCEPT_RA),
        .disable_ipv6 = setting(v6, DEVCONF_DISABLE_IPV6),
    };
}

static void get_kind(struct net_link *link, const struct nlattr *info)
{
    struct attrs parts = attrs_in(info);
    struct attrs data = attrs_in(parts.at[IFLA_INFO_DATA]);
    get_text(parts.at[IFLA_INFO_KIND], link->type, sizeof link->type);
    if (strcmp(link->type, "vrf") == 0)
        get_u32(data.at[IFLA_VRF_TABLE], &link->table);
    if (strcmp(link->type, "xfrm") == 0)
        get_u32(data.at[IFLA_XFRM_IF_ID], &link->if_id);
}

struct altname_search {
    char wanted[NET_ALTNAME_TEXT];
    char found[NET_ALTNAME_TEXT];
};

/* Without a mark that says which one it must be, any that has the form of ours: somebody may have
 * taken the mark away. */
static int match_altname(const struct nlattr *attr, void *aux)
{
    struct altname_search *search = aux;
    char name[NET_ALTNAME_TEXT] = "";
    get_text(attr, name, sizeof name);
    if (mnl_attr_get_type(attr) == IFLA_ALT_IFNAME &&
        (search->wanted[0] ? strcmp(name, search->wanted) == 0 : strchr(name, '.') != NULL))
        memcpy(search->found, name, sizeof name);
    return MNL_CB_OK;
}

static void get_altname(struct net_link *link, const struct nlattr *list)
{
    struct altname_search search = {"", ""};
    net_altname(link->alias, search.wanted);
    if (list)
        mnl_attr_parse_nested(list, match_altname, &search);
    memcpy(link->altname, search.found, sizeof link->altname);
}

static bool has_name_of_ours(const char *name)
{
    return ids_of_vrf(name) || ids_of_segment(name) || ids_of_tunnel(name);
}

/* Whether we follow all of an interface, as ours and the routed uplinks'; of others that could
 * stand in the way only name, kind and numbers. */
static bool is_followed(const struct net_state *state, const struct net_link *link)
{
    return has_name_of_ours(link->name) || net_link_is_ours(link) ||
           net_state_is_uplink(state, link->name);
}

static bool drop_link(struct net_state *state, int index)
{
    bool known = net_state_link(state, index) != NULL;
    net_state_drop_link(state, index);
    net_state_drop_routes_of(state, AF_INET, index); /* the kernel does not tell of these */
    net_state_drop_gateways(state, index);
    return known;
}

static void fill_link(const struct net_state *state, struct net_link *link,
                      const struct ifinfomsg *info, const struct attrs *attrs)
{
    memset(link->name, 0, sizeof link->name);
    memset(link->type, 0, sizeof link->type);
    memset(link->alias, 0, sizeof link->alias);
    get_text(attrs->at[IFLA_IFNAME], link->name, sizeof link->name);
    get_text(attrs->at[IFLA_IFALIAS], link->alias, sizeof link->alias);
    get_kind(link, attrs->at[IFLA_LINKINFO]);
    if (!is_followed(state, link))
        return;
    uint32_t master = 0;
    get_u32(attrs->at[IFLA_MASTER], &master);
    link->master_index = (int)master;
    get_u32(attrs->at[IFLA_MTU], &link->mtu);
    link->up = info->ifi_flags & IFF_UP;
    link->running = info->ifi_flags & IFF_RUNNING;
    if (attrs->at[IFLA_AF_SPEC])
        link->conf = get_conf(attrs->at[IFLA_AF_SPEC]);
    get_altname(link, attrs->at[IFLA_PROP_LIST]);
}

static bool is_relevant(const struct net_state *state, const struct attrs *attrs)
{
    struct net_link probe = {0};
    fill_link(state, &probe, &(struct ifinfomsg){0}, attrs);
    return is_followed(state, &probe) || strcmp(probe.type, "vrf") == 0 ||
           strcmp(probe.type, "xfrm") == 0;
}

static bool has_same_conf(const struct net_conf *a, const struct net_conf *b)
{
    return a->forwarding == b->forwarding && a->rp_filter == b->rp_filter &&
           a->promote_secondaries == b->promote_secondaries && a->accept_ra == b->accept_ra &&
           a->disable_ipv6 == b->disable_ipv6;
}

/* In all that a message of an interface tells. */
static bool is_same(const struct net_link *a, const struct net_link *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0 &&
           strcmp(a->alias, b->alias) == 0 && strcmp(a->altname, b->altname) == 0 &&
           a->table == b->table && a->if_id == b->if_id && a->mtu == b->mtu && a->up == b->up &&
           a->running == b->running && a->master_index == b->master_index &&
           has_same_conf(&a->conf, &b->conf);
}

static bool parse_link(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof *info || info->ifi_family != AF_UNSPEC)
        return false; /* a bridge tells of its ports under AF_BRIDGE */
    if (message->nlmsg_type == RTM_DELLINK)
        return drop_link(state, info->ifi_index);

    struct attrs attrs = attrs_of(message, sizeof *info);
    struct net_link *link = net_state_link(state, info->ifi_index);
    bool known = link != NULL, followed = link && is_followed(state, link);
    if (!known && !is_relevant(state, &attrs))
        return false;
    if (!known)
        link = net_state_put_link(state, info->ifi_index);
    struct net_link before = *link;
    fill_link(state, link, info, &attrs);
    if (strcmp(before.name, link->name) != 0)
        net_state_renamed(state, link);
    /* Its addresses were not followed so far; a new interface, told by an all-ones change mask, has
     * none. */
    if (!followed && is_followed(state, link) && info->ifi_change != ~0U)
        *ret_relist = true;
    bool lost = !link->up && net_state_drop_routes_of(state, AF_INET, link->index);
    lost |= !link->up && net_state_drop_gateways(state, link->index);
    return !known || lost || !is_same(&before, link);
}

/* --- addresses --- */

static bool has_ipv4(const struct net_link *link)
{
    return link->n_addrs > 0 && link->addrs[0].prefix.addr.family == AF_INET; /* IPv4 sorts first */
}

static bool parse_addr(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof *info ||
        (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
        return false;
    struct net_link *link = net_state_link(state, (int)info->ifa_index);
    if (!link || !is_followed(state, link))
        return false;

    struct attrs attrs = attrs_of(message, sizeof *info);
    uint32_t flags = info->ifa_flags;
    get_u32(attrs.at[IFA_FLAGS], &flags);
    const struct nlattr *local = attrs.at[IFA_LOCAL] ? attrs.at[IFA_LOCAL] : attrs.at[IFA_ADDRESS];
    const struct nlattr *proto = attrs.at[IFA_PROTO];
    struct net_addr addr = {
        .prefix = {get_addr(local, info->ifa_family), info->ifa_prefixlen},
        .tentative = (flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC),
        .duplicate = flags & IFA_F_DADFAILED,
        .ours = proto && mnl_attr_get_payload_len(proto) >= 1 &&
                mnl_attr_get_u8(proto) == NET_ROUTE_PROTOCOL,
    };
    if (message->nlmsg_type == RTM_NEWADDR)
        return net_link_put_addr(link, &addr);
    bool had = net_link_drop_addr(link, &addr.prefix);
    if (info->ifa_family == AF_INET && !has_ipv4(link))
        net_state_drop_routes_of(state, AF_INET, link->index); /* with the last address, silently */
    if (had && net_state_is_uplink(state, link->name))
        *ret_relist = true; /* the host's default routes may have gone with it */
    return had;
}

/* --- routes --- */

static enum net_route_type route_type(const struct rtmsg *info, const struct attrs *attrs)
{
    if (attrs->at[RTA_MULTIPATH] || attrs->at[RTA_VIA])
        return NET_ROUTE_ODD;
    switch (info->rtm_type) {
    case RTN_UNICAST: return NET_ROUTE_UNICAST;
    case RTN_BLACKHOLE: return NET_ROUTE_BLACKHOLE;
    case RTN_UNREACHABLE: return NET_ROUTE_UNREACHABLE;
    default: return NET_ROUTE_ODD;
    }
}

static void put_gateway(struct net_state *state, const struct rtmsg *info, uint32_t metric,
                        uint32_t oif, const struct nlattr *via)
{
    struct net_gateway gateway = {.family = info->rtm_family, .oif = (int)oif, .metric = metric};
    if (via)
        gateway.via = get_addr(via, info->rtm_family);
    if (oif)
        net_state_put_gateway(state, &gateway);
}

static const struct nlattr *hop_gateway(const struct rtnexthop *hop)
{
    const struct nlattr *attr = (const struct nlattr *)RTNH_DATA(hop);
    int rest = hop->rtnh_len - (int)RTNH_LENGTH(0);
    for (; mnl_attr_ok(attr, rest); rest -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
        if (mnl_attr_get_type(attr) == RTA_GATEWAY)
            return attr;
    return NULL;
}

/* A default route of the host's table `main`, from a listing. */
static void take_gateways(struct net_state *state, const struct rtmsg *info,
                          const struct attrs *attrs)
{
    uint32_t metric = 0, oif = 0;
    get_u32(attrs->at[RTA_PRIORITY], &metric);
    if (!attrs->at[RTA_MULTIPATH]) {
        get_u32(attrs->at[RTA_OIF], &oif);
        put_gateway(state, info, metric, oif, attrs->at[RTA_GATEWAY]);
        return;
    }
    const struct rtnexthop *hop = mnl_attr_get_payload(attrs->at[RTA_MULTIPATH]);
    int left = mnl_attr_get_payload_len(attrs->at[RTA_MULTIPATH]);
    /* RTNH_OK() looks at the length before it knows that there is one */
    for (; left >= (int)sizeof *hop && RTNH_OK(hop, left);
         left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
        put_gateway(state, info, metric, (uint32_t)hop->rtnh_ifindex, hop_gateway(hop));
}

/* Changes of the host's default routes are rare, and one of several next hops is not told alone. */
static bool parse_default(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    if (info->rtm_type != RTN_UNICAST)
        return false;
    if (!(message->nlmsg_flags & NLM_F_MULTI)) {
        *ret_relist = state->n_uplinks > 0;
        return false;
    }
    struct attrs attrs = attrs_of(message, sizeof *info);
    take_gateways(state, info, &attrs);
    return true;
}

/* Our protocol number counts in tables that can be ours. */
static bool parse_route(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof *info)
        return false;
    if (info->rtm_table == RT_TABLE_MAIN && info->rtm_dst_len == 0)
        return parse_default(state, message, ret_relist);
    bool ours = info->rtm_protocol == NET_ROUTE_PROTOCOL, new = message->nlmsg_type == RTM_NEWROUTE;
    bool replaces = new && (message->nlmsg_flags & NLM_F_REPLACE);
    if ((!ours && !replaces) || (info->rtm_flags & RTM_F_CLONED) ||
        (info->rtm_family != AF_INET && info->rtm_family != AF_INET6))
        return false;

    struct attrs attrs = attrs_of(message, sizeof *info);
    struct net_route route = {.table = info->rtm_table, .type = route_type(info, &attrs)};
    get_u32(attrs.at[RTA_TABLE], &route.table);
    if (route.table <= ids_vrf_table(0))
        return false;
    route.prefix =
        (struct prefix){get_addr(attrs.at[RTA_DST], info->rtm_family), info->rtm_dst_len};
    get_u32(attrs.at[RTA_PRIORITY], &route.metric);
    if (!ours || !new)
        return net_state_drop_route(state, &route);
    uint32_t oif = 0;
    if (route.type == NET_ROUTE_UNICAST) { /* IPv6 shows lo for the others */
        get_u32(attrs.at[RTA_OIF], &oif);
        if (attrs.at[RTA_GATEWAY])
            route.via = get_addr(attrs.at[RTA_GATEWAY], info->rtm_family);
    }
    route.oif = (int)oif;
    return net_state_put_route(state, &route);
}

/* --- rules --- */

/* A rule of ours for marked packets; others' have another protocol. */
static bool parse_mark(struct net_state *state, const struct nlmsghdr *message,
                       const struct attrs *attrs)
{
    const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *protocol = attrs->at[FRA_PROTOCOL];
    struct net_rule rule = {.family = info->family, .table = info->table};
    if (!protocol || mnl_attr_get_payload_len(protocol) < 1 ||
        mnl_attr_get_u8(protocol) != NET_ROUTE_PROTOCOL ||
        !get_u32(attrs->at[FRA_FWMARK], &rule.mark))
        return false;
    get_u32(attrs->at[FRA_TABLE], &rule.table);
    get_u32(attrs->at[FRA_PRIORITY], &rule.priority);
    return message->nlmsg_type == RTM_NEWRULE ? net_state_put_rule(state, &rule)
                                              : net_state_drop_rule(state, &rule);
}

/* Of a removed rule it is not known whether it was the last of its kind. */
static bool parse_rule(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(message);
    if (mnl_nlmsg_get_payload_len(message) < sizeof *info ||
        (info->family != AF_INET && info->family != AF_INET6))
        return false;
    struct attrs attrs = attrs_of(message, sizeof *info);
    const struct nlattr *l3mdev = attrs.at[FRA_L3MDEV];
    if (!l3mdev || mnl_attr_get_payload_len(l3mdev) < 1 || !mnl_attr_get_u8(l3mdev))
        return parse_mark(state, message, &attrs);
    uint8_t family = info->family == AF_INET ? NET_IPV4 : NET_IPV6;
    if (message->nlmsg_type == RTM_DELRULE) {
        *ret_relist = true;
        return false;
    }
    bool had = state->l3mdev_rules & family;
    state->l3mdev_rules |= family;
    return !had;
}

/* --- settings that were changed --- */

static bool take(int8_t *setting_, const struct nlattr *attr)
{
    uint32_t value;
    if (!get_u32(attr, &value) || *setting_ == (int8_t)value)
        return false;
    *setting_ = (int8_t)value;
    return true;
}

static bool parse_netconf(struct net_state *state, const struct nlmsghdr *message)
{
    const struct netconfmsg *info = mnl_nlmsg_get_payload(message);
    uint32_t index;
    if (mnl_nlmsg_get_payload_len(message) < sizeof *info || message->nlmsg_type != RTM_NEWNETCONF)
        return false;
    struct attrs attrs = attrs_of(message, sizeof *info);
    if (!get_u32(attrs.at[NETCONFA_IFINDEX], &index))
        return false;
    if (info->ncm_family == AF_INET6)
        return (int)index == NETCONFA_IFINDEX_ALL &&
               take(&state->ipv6_forwarding, attrs.at[NETCONFA_FORWARDING]);
    struct net_link *link = info->ncm_family == AF_INET ? net_state_link(state, (int)index) : NULL;
    if (!link || !is_followed(state, link))
        return false;
    bool forwarding = take(&link->conf.forwarding, attrs.at[NETCONFA_FORWARDING]);
    bool rp_filter = take(&link->conf.rp_filter, attrs.at[NETCONFA_RP_FILTER]);
    return forwarding || rp_filter;
}

bool net_parse_message(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist)
{
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return parse_link(state, message, ret_relist);
    case RTM_NEWADDR:
    case RTM_DELADDR: return parse_addr(state, message, ret_relist);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: return parse_route(state, message, ret_relist);
    case RTM_NEWRULE:
    case RTM_DELRULE: return parse_rule(state, message, ret_relist);
    case RTM_NEWNETCONF:
    case RTM_DELNETCONF: return parse_netconf(state, message);
    default: return false;
    }
}
