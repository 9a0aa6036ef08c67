#include "net/net_io.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One next hop of a route, as it will be shown. */
struct shown {
    struct prefix prefix;
    uint32_t metric;
    size_t order; /* as the kernel listed it */
    uint8_t type, protocol;
    bool dead;
    struct addr via;
    int oif;
};

struct list {
    struct shown *items;
    size_t n, capacity;
};

static const char *protocol_name(uint8_t protocol, char buffer[16])
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {
        {RTPROT_KERNEL, "connected"},
        {RTPROT_BOOT, "boot"},
        {RTPROT_STATIC, "static"},
        {RTPROT_RA, "ra"},
        {NET_ROUTE_PROTOCOL, "static"},
        {RTPROT_ZEBRA, "zebra"},
        {RTPROT_BIRD, "bird"},
        {RTPROT_DHCP, "dhcp"},
        {RTPROT_BGP, "bgp"},
        {RTPROT_ISIS, "isis"},
        {RTPROT_OSPF, "ospf"},
        {RTPROT_RIP, "rip"},
        {RTPROT_EIGRP, "eigrp"},
        {196, "static"}, /* zebra's */
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == protocol)
            return names[i].name;
    snprintf(buffer, 16, "%u", protocol);
    return buffer;
}

static const char *type_word(uint8_t type)
{
    switch (type) {
    case RTN_BLACKHOLE: return "blackhole";
    case RTN_UNREACHABLE: return "unreachable";
    case RTN_PROHIBIT: return "prohibit";
    case RTN_THROW: return "throw";
    default: return NULL;
    }
}

static void add(struct list *list, struct shown item)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 64;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (!list->items)
            abort();
    }
    item.order = list->n;
    list->items[list->n++] = item;
}

/* --- reading --- */

static void take_gateway(struct shown *item, const struct nlattr *attr, int family)
{
    if (mnl_attr_get_type(attr) == RTA_GATEWAY &&
        mnl_attr_get_payload_len(attr) == addr_bits(family) / 8) {
        item->via.family = family;
        memcpy(item->via.bytes, mnl_attr_get_payload(attr), addr_bits(family) / 8);
    }
    if (mnl_attr_get_type(attr) == RTA_VIA &&
        mnl_attr_get_payload_len(attr) == sizeof(uint16_t) + 16) {
        item->via.family = AF_INET6; /* RFC 8950: an IPv4 route by way of an IPv6 neighbour */
        memcpy(item->via.bytes, (const char *)mnl_attr_get_payload(attr) + sizeof(uint16_t), 16);
    }
}

static void add_hops(struct list *list, struct shown item, const struct nlattr *hops)
{
    const struct rtnexthop *hop = mnl_attr_get_payload(hops);
    int left = mnl_attr_get_payload_len(hops);
    while (RTNH_OK(hop, left)) {
        struct shown one = item;
        const struct nlattr *attr = (const struct nlattr *)RTNH_DATA(hop);
        int rest = hop->rtnh_len - (int)RTNH_LENGTH(0);
        one.oif = hop->rtnh_ifindex;
        one.dead = hop->rtnh_flags & RTNH_F_DEAD;
        for (; mnl_attr_ok(attr, rest);
             rest -= MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
            take_gateway(&one, attr, item.prefix.addr.family);
        add(list, one);
        left -= RTNH_ALIGN(hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

/* Those that say nothing about where traffic goes: the router's own addresses, multicast, IPv6
 * link-local, our last resort. */
static bool is_noise(const struct rtmsg *info, const struct shown *item)
{
    if (info->rtm_type == RTN_LOCAL || info->rtm_type == RTN_BROADCAST ||
        info->rtm_type == RTN_MULTICAST || info->rtm_type == RTN_ANYCAST ||
        (info->rtm_flags & RTM_F_CLONED))
        return true;
    if (item->protocol == RTPROT_KERNEL && item->prefix.addr.family == AF_INET6 &&
        (addr_is_link_local(&item->prefix.addr) || addr_is_multicast(&item->prefix.addr)))
        return true;
    return item->protocol == NET_ROUTE_PROTOCOL && item->metric == NET_LAST_RESORT_METRIC;
}

static int take_route(const struct nlmsghdr *message, void *aux)
{
    struct list *list = aux;
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr, *hops = NULL;
    if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof *info)
        return MNL_CB_OK;
    struct shown item = {
        .prefix = {{.family = info->rtm_family}, info->rtm_dst_len},
        .type = info->rtm_type,
        .protocol = info->rtm_protocol,
        .dead = info->rtm_flags & RTNH_F_DEAD,
    };
    mnl_attr_for_each(attr, message, sizeof *info)
    {
        size_t len = mnl_attr_get_payload_len(attr);
        if (mnl_attr_get_type(attr) == RTA_DST && len == addr_bits(info->rtm_family) / 8)
            memcpy(item.prefix.addr.bytes, mnl_attr_get_payload(attr), len);
        else if (mnl_attr_get_type(attr) == RTA_PRIORITY && len == sizeof item.metric)
            memcpy(&item.metric, mnl_attr_get_payload(attr), len);
        else if (mnl_attr_get_type(attr) == RTA_OIF && len == sizeof item.oif)
            memcpy(&item.oif, mnl_attr_get_payload(attr), len);
        else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
            hops = attr;
        else
            take_gateway(&item, attr, info->rtm_family);
    }
    if (is_noise(info, &item))
        return MNL_CB_OK;
    if (hops)
        add_hops(list, item, hops);
    else
        add(list, item);
    return MNL_CB_OK;
}

static int read_table(struct mnl_socket *socket, uint32_t table, int family, struct list *list)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETROUTE;
    request->nlmsg_flags = NLM_F_DUMP;
    struct rtmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->rtm_family = (unsigned char)family;
    mnl_attr_put_u32(request, RTA_TABLE, table);
    int error = net_socket_ask(socket, request, take_route, list);
    /* No such table: it has no routes. No IPv6 here: likewise. */
    return error == -ENOENT || error == -EOPNOTSUPP || error == -EAFNOSUPPORT ? 0 : error;
}

static int read_tables(uint32_t table, struct list *list)
{
    enum { TRIES = 5 }; /* each is broken off when the table changes meanwhile */
    struct mnl_socket *socket = net_socket_open();
    if (!socket)
        return -errno;
    int error = -EINTR;
    for (int i = 0; i < TRIES && error == -EINTR; i++) {
        list->n = 0;
        error = read_table(socket, table, AF_INET, list);
        if (!error)
            error = read_table(socket, table, AF_INET6, list);
    }
    mnl_socket_close(socket);
    return error == -EINTR ? 0 : error; /* it never stands still: what was read is as good as any */
}

/* --- showing --- */

static int compare(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    int order = prefix_cmp(&x->prefix, &y->prefix);
    if (order)
        return order;
    if (x->metric != y->metric)
        return x->metric < y->metric ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void show(const struct shown *item, bool selected, backend_route_cb *cb, void *aux)
{
    char prefix[PREFIX_TEXT], via[ADDR_TEXT] = "", interface[IF_NAMESIZE] = "", protocol[16];
    const char *word = type_word(item->type);
    if (item->via.family)
        addr_print(&item->via, via);
    if (item->oif && !word && !if_indextoname((unsigned int)item->oif, interface))
        snprintf(interface, sizeof interface, "if%d", item->oif);
    cb(
        &(struct backend_route){
            .prefix = prefix_print(&item->prefix, prefix),
            .via = word ? word : via,
            .interface = interface,
            .protocol = protocol_name(item->protocol, protocol),
            .selected = selected,
        },
        aux);
}

/* Selected is the lowest metric of a prefix that is not dead, with all its next hops. */
static void show_all(struct list *list, backend_route_cb *cb, void *aux)
{
    const struct shown *chosen = NULL;
    if (list->n)
        qsort(list->items, list->n, sizeof *list->items, compare);
    for (size_t i = 0; i < list->n; i++) {
        const struct shown *item = &list->items[i];
        if (chosen && prefix_cmp(&chosen->prefix, &item->prefix) != 0)
            chosen = NULL;
        if (!chosen && !item->dead)
            chosen = item;
        bool selected = chosen && !item->dead && item->metric == chosen->metric;
        show(item, selected, cb, aux);
    }
}

int net_list_routes(const struct network *network, backend_route_cb *cb, void *aux)
{
    struct list list = {0};
    int error = read_tables(ids_vrf_table(network->id), &list);
    if (!error)
        show_all(&list, cb, aux);
    free(list.items);
    return error;
}
