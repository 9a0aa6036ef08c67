#include "net/net_io.h"

#include "model/arena.h"

#include <errno.h>
#include <string.h>

static const char *describe(const struct net_op *op, struct arena *arena)
{
    char text[PREFIX_TEXT];
    switch (op->kind) {
    case NET_OP_LINK_CREATE: return arena_printf(arena, "create %s", op->link);
    case NET_OP_LINK_DELETE: return arena_printf(arena, "delete %s", op->link);
    case NET_OP_ALIAS: return arena_printf(arena, "set the alias of %s", op->link);
    case NET_OP_ALTNAME_ADD:
        return arena_printf(arena, "give %s the altname %s", op->link, op->text);
    case NET_OP_ALTNAME_DELETE:
        return arena_printf(arena, "take the altname %s from %s", op->text, op->link);
    case NET_OP_MASTER:
        return op->text[0] ? arena_printf(arena, "put %s into %s", op->link, op->text)
                           : arena_printf(arena, "take %s out of its VRF", op->link);
    case NET_OP_MTU: return arena_printf(arena, "set mtu %u on %s", op->number, op->link);
    case NET_OP_UP: return arena_printf(arena, "set %s up", op->link);
    case NET_OP_DOWN: return arena_printf(arena, "set %s down", op->link);
    case NET_OP_CONF: return arena_printf(arena, "set forwarding and rp_filter of %s", op->link);
    case NET_OP_ACCEPT_RA: return arena_printf(arena, "set net.ipv6.conf.%s.accept_ra", op->link);
    case NET_OP_DISABLE_IPV6:
        return arena_printf(arena, "set net.ipv6.conf.%s.disable_ipv6", op->link);
    case NET_OP_IPV6_FORWARDING: return "set net.ipv6.conf.all.forwarding";
    case NET_OP_RULE_ADD: return "add the policy rule for VRFs (l3mdev)";
    case NET_OP_MARK_ADD:
        return arena_printf(arena, "add the policy rule for marked packets of table %u",
                            op->number);
    case NET_OP_MARK_DELETE:
        return arena_printf(arena, "remove the policy rule for marked packets of table %u",
                            op->number);
    case NET_OP_ADDR_ADD:
        return arena_printf(arena, "add address %s to %s", prefix_print(&op->prefix, text),
                            op->link);
    case NET_OP_ADDR_DELETE:
        return arena_printf(arena, "remove address %s from %s", prefix_print(&op->prefix, text),
                            op->link);
    case NET_OP_ROUTE_ADD:
    case NET_OP_ROUTE_REPLACE:
        return arena_printf(arena, "add route %s to table %u",
                            prefix_print(&op->route->prefix, text), op->route->table);
    case NET_OP_ROUTE_DELETE:
        return arena_printf(arena, "remove route %s from table %u",
                            prefix_print(&op->route->prefix, text), op->route->table);
    }
    return "do it";
}

bool net_is_harmless(const struct net_op *op, int error)
{
    switch (op->kind) {
    case NET_OP_LINK_DELETE:
    case NET_OP_DOWN: return error == ENODEV;
    case NET_OP_ALTNAME_DELETE: return error == ENODEV || error == ENOENT || error == EINVAL;
    case NET_OP_ADDR_DELETE: return error == ENODEV || error == EADDRNOTAVAIL;
    case NET_OP_ROUTE_DELETE: return error == ESRCH || error == ENODEV || error == ENOENT;
    case NET_OP_MARK_DELETE: return error == ENOENT;
    case NET_OP_MARK_ADD:
    case NET_OP_RULE_ADD: return error == EEXIST;
    case NET_OP_ACCEPT_RA:
        return error == ENOENT; /* no IPv6 here: no router advertisements either */
    default: return false;
    }
}

/* Errors of a route whose interface is missing or down. */
static bool is_way_closed(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN || error == ENODEV;
}

static bool adds_route(const struct net_op *op)
{
    return op->kind == NET_OP_ROUTE_ADD || op->kind == NET_OP_ROUTE_REPLACE;
}

/* The cases that people meet, each with its remedy; null for any other. */
static const char *known_case(const struct net_op *op, int error, struct arena *arena)
{
    char text[PREFIX_TEXT];
    if (op->kind == NET_OP_LINK_CREATE && error == EOPNOTSUPP)
        return strcmp(op->wanted->type, "vrf") == 0
                   ? "this kernel has no VRF support: modprobe vrf"
                   : "this kernel has no xfrm interfaces: modprobe xfrm_interface";
    if (op->kind == NET_OP_LINK_CREATE && error == EEXIST)
        return arena_printf(
            arena, "cannot create %s: an interface of that name, altname%s is there already",
            op->link, op->wanted->if_id ? " or if_id" : "");
    if (op->kind == NET_OP_ALTNAME_ADD && error == EEXIST)
        return arena_printf(arena, "another interface is named %s: rename it", op->text);
    if (op->kind == NET_OP_ROUTE_ADD && error == EEXIST)
        return arena_printf(
            arena, "another route to %s with metric %u is in table %u and not routerd's: delete it",
            prefix_print(&op->route->prefix, text), op->route->metric, op->route->table);
    if (adds_route(op) && op->route->prefix.addr.family == AF_INET6 &&
        (error == EOPNOTSUPP || error == EAFNOSUPPORT))
        return "this kernel has no IPv6: it was turned off (ipv6.disable)";
    if (error == EPERM)
        return arena_printf(arena, "cannot %s: not permitted; routerd needs CAP_NET_ADMIN",
                            describe(op, arena));
    return NULL;
}

enum step_result net_explain(const struct net_op *op, int error, const char *detail,
                             struct arena *arena, const char **ret_reason)
{
    if (adds_route(op) && op->route->type == NET_ROUTE_UNICAST && is_way_closed(error)) {
        char via[ADDR_TEXT];
        *ret_reason = arena_printf(arena, "next hop %s cannot be reached: interface %s is not up",
                                   addr_print(&op->route->via, via), op->route->dev);
        return STEP_NOT_READY;
    }
    if (error == ENODEV) {
        *ret_reason = arena_printf(arena, "cannot %s: the interface has gone", describe(op, arena));
        return STEP_NOT_READY;
    }
    *ret_reason = known_case(op, error, arena);
    if (!*ret_reason)
        *ret_reason =
            detail ? arena_printf(arena, "cannot %s: %s (%s)", describe(op, arena), strerror(error),
                                  detail)
                   : arena_printf(arena, "cannot %s: %s", describe(op, arena), strerror(error));
    return STEP_FAILED;
}
