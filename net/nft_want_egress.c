#include "net/net_egress.h"
#include "net/nft_want.h"

#include "model/ids.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Ports that sources get: above those of the host's own services and of IKE (RFC 7296, 2.23), so
 * that no answer to the router itself can be taken for an answer to a network. */
#define NAT_PORTS "16384-65535"

enum { ZONES = UINT16_MAX }; /* 0 is the one that all others share */

/* --- the frame ----------------------------------------------------------------------------------
 */

/* What is the router's own is not tracked: IKE and ESP (RFC 3948), and all that it says in VRFs. */
static const char *const UNDERLAY[] = {
    "meta l4proto { esp, ah } notrack",
    "udp dport { 500, 4500 } notrack",
    NULL,
};

static const char *const DEPART[] = {
    "oifname \"rvrf*\" notrack",
    "oifname \"rseg*\" notrack",
    "oifname \"rtun*\" notrack",
    "oifname @uplinks meta l4proto { esp, ah } notrack",
    "oifname @uplinks udp sport { 500, 4500 } notrack",
    NULL,
};

static const char *const FORWARD[] = {
    "iifname @uplinks goto inbound",
    "oifname @uplinks iifname \"rvrf*\" goto outbound",
    NULL,
};

static const char *const OUTBOUND[] = {
    "iifname . oifname vmap @out",
    "drop",
    NULL,
};

static void want_arrive(struct nft_want *want)
{
    if (!want->facts->egress && !want->facts->strict)
        return;
    nft_want_set(want, "ports", "map { type ifname : verdict; }");
    struct nft_item *chain = nft_want_chain(
        want, 0, "arrive", "type filter hook prerouting priority raw; policy accept;");
    nft_want_rule(want, chain, "iifname vmap @ports");
    if (want->facts->egress) {
        nft_want_rule(want, chain, "iifname \"rseg*\" notrack");
        nft_want_rule(want, chain, "iifname \"rtun*\" notrack");
    }
    if (!want->facts->strict)
        return;
    chain = nft_want_chain(want, 0, "strict", "");
    nft_want_rule(want, chain, "ip6 saddr { ::, fe80::/10 } accept");
    nft_want_rule(want, chain, "fib saddr . iif oif 0 drop");
    if (want->facts->egress)
        nft_want_rule(want, chain, "notrack");
}

/* From an uplink passes what belongs to a connection of a network; the host's own traffic is left
 * alone where it is a router anyway, and if not, it does not become one by our forwarding. */
static void want_inbound(struct nft_want *want)
{
    struct nft_item *chain = nft_want_chain(want, 0, "inbound", "");
    nft_want_rule(want, chain, "meta mark & 0x%08x == 0x%08x accept", NET_MARK_MASK, NET_MARK_BASE);
    if (!want->host->forwards) {
        nft_want_rule(want, chain, "drop");
        return;
    }
    nft_want_rule(want, chain, "oifname \"rvrf*\" drop");
    nft_want_rule(want, chain, "oifname \"rseg*\" drop");
    nft_want_rule(want, chain, "oifname \"rtun*\" drop");
}

static void want_publish(struct nft_want *want)
{
    if (!want->facts->publish)
        return;
    nft_want_set(want, "ways_in",
                 "map { type ifname . nf_proto . inet_proto . inet_service : verdict; }");
    nft_want_set(want, "ways_in4",
                 "map { type ifname . ipv4_addr . inet_proto . inet_service : verdict; }");
    nft_want_set(want, "ways_in6",
                 "map { type ifname . ipv6_addr . inet_proto . inet_service : verdict; }");
    struct nft_item *chain = nft_want_chain(
        want, 0, "publish", "type nat hook prerouting priority dstnat - 1; policy accept;");
    nft_want_rule(want, chain, "iifname . ip daddr . meta l4proto . th dport vmap @ways_in4");
    nft_want_rule(want, chain, "iifname . ip6 daddr . meta l4proto . th dport vmap @ways_in6");
    nft_want_rule(want, chain,
                  "fib daddr type local iifname . meta nfproto . meta l4proto . th dport vmap "
                  "@ways_in");
}

static void want_uplinks(struct nft_want *want)
{
    nft_want_set(want, "uplinks", "set { type ifname; }");
    for (size_t i = 0; i < want->facts->n_uplinks; i++) {
        const struct config_uplink *uplink = want->facts->uplinks[i];
        nft_want_element(want, 0, "uplinks", "\"%s\"", uplink->interface);
        nft_want_element(want, 0, "ports", "\"%s\" : goto underlay", uplink->interface);
    }
}

void nft_want_egress_frame(struct nft_want *want)
{
    want_arrive(want);
    if (!want->facts->egress)
        return;
    want_uplinks(want);
    nft_want_set(want, "leave", "map { type ifname . ifname : verdict; }");
    nft_want_set(want, "out", "map { type ifname . ifname : verdict; }");
    nft_want_rules(want, nft_want_chain(want, 0, "underlay", ""), UNDERLAY);
    nft_want_rules(
        want,
        nft_want_chain(want, 0, "depart", "type filter hook output priority raw; policy accept;"),
        DEPART);
    struct nft_item *chain = nft_want_chain(
        want, 0, "restore", "type filter hook prerouting priority mangle; policy accept;");
    nft_want_rule(want, chain, "iifname @uplinks ct mark & 0x%08x == 0x%08x meta mark set ct mark",
                  NET_MARK_MASK, NET_MARK_BASE);
    want_publish(want);
    nft_want_rules(want,
                   nft_want_chain(want, 0, "forward",
                                  "type filter hook forward priority filter; policy accept;"),
                   FORWARD);
    want_inbound(want);
    nft_want_rules(want, nft_want_chain(want, 0, "outbound", ""), OUTBOUND);
    chain = nft_want_chain(want, 0, "source",
                           "type nat hook postrouting priority srcnat - 1; policy accept;");
    nft_want_rule(want, chain, "iifname . oifname vmap @leave");
}

/* --- a network ----------------------------------------------------------------------------------
 */

static struct nft_item *chain_of(struct nft_want *want, const char *kind)
{
    char name[48];
    snprintf(name, sizeof name, "%s%u", kind, want->table);
    return nft_want_chain(want, want->table, name, "");
}

static const char *uplink_interface(const struct nft_want *want)
{
    const struct config_uplink *uplink =
        want->network->egress ? config_find_uplink(want->config, want->network->egress->uplink)
                              : NULL;
    return uplink ? uplink->interface : NULL; /* null: the configuration has changed since */
}

/* Which packets leave by the uplink the routing tells, which is asked with the network's mark: a
 * lookup by interface would only tell of routes through that interface. */
static void want_track(struct nft_want *want, const char *uplink)
{
    struct nft_item *chain = chain_of(want, "track");
    nft_want_rule(want, chain, "meta mark set 0x%08x", net_mark_of(want->table));
    nft_want_rule(want, chain, "fib daddr . mark oifname != \"%s\" meta mark set 0 notrack accept",
                  uplink);
    nft_want_rule(want, chain, "meta mark set 0");
    nft_want_rule(want, chain, "ct original zone set %u", want->table % ZONES + 1);
}

static void want_port(struct nft_want *want, const char *interface, bool strict, bool egress)
{
    if (egress)
        nft_want_element(want, want->table, "ports", "\"%s\" : goto %s%u", interface,
                         strict ? "strict" : "track", want->table);
    else if (strict)
        nft_want_element(want, want->table, "ports", "\"%s\" : goto strict", interface);
}

void nft_want_arrivals(struct nft_want *want)
{
    const struct network *network = want->network;
    bool egress = uplink_interface(want) != NULL, strict = false;
    char name[IFNAME_TEXT];
    for (size_t i = 0; i < network->n_segments; i++) {
        strict |= network->segments[i].strict_source;
        want_port(want, ids_segment_name(network->segments[i].id, name),
                  network->segments[i].strict_source, egress);
    }
    for (size_t i = 0; i < network->n_tunnels; i++)
        want_port(want, ids_tunnel_name(network->tunnels[i].id, name), false, egress);
    if (!strict || !egress)
        return;
    struct nft_item *chain = chain_of(want, "strict");
    nft_want_rule(want, chain, "ip6 saddr { ::, fe80::/10 } goto track%u", want->table);
    nft_want_rule(want, chain, "fib saddr . iif oif 0 drop");
    nft_want_rule(want, chain, "goto track%u", want->table);
}

/* Only its own connections, and with NAT only protocols of which answers can be told apart. */
static void want_out(struct nft_want *want, const char *uplink)
{
    uint32_t mark = net_mark_of(want->table);
    struct nft_item *chain = chain_of(want, "out");
    nft_want_rule(want, chain, "ct mark != { 0x00000000, 0x%08x } drop", mark);
    nft_want_rule(want, chain, "ct state { invalid, untracked } drop");
    if (want->network->egress->nat)
        nft_want_rule(want, chain, "meta l4proto != { tcp, udp, icmp, ipv6-icmp } drop");
    nft_want_rule(want, chain, "ct state new ct mark set 0x%08x", mark);
    nft_want_rule(want, chain, "accept");
    nft_want_element(want, want->table, "out", "\"%s\" . \"%s\" : goto out%u", want->vrf, uplink,
                     want->table);
}

static void want_source(struct nft_want *want, struct nft_item *chain, int family)
{
    const struct egress *egress = want->network->egress;
    char address[ADDR_TEXT], prefix[PREFIX_TEXT];
    const char *word = family == AF_INET ? "ip" : "ip6", *open = family == AF_INET ? "" : "[",
               *close = family == AF_INET ? "" : "]";
    const char *proto = family == AF_INET ? "ipv4" : "ipv6";
    if (family == AF_INET6 && egress->prefix6.addr.family) {
        nft_want_rule(want, chain, "meta nfproto ipv6 snat ip6 prefix to %s",
                      prefix_print(&egress->prefix6, prefix));
    } else if (egress->address.family == family) {
        addr_print(&egress->address, address);
        nft_want_rule(want, chain,
                      "meta nfproto %s meta l4proto { tcp, udp } snat %s to %s%s%s:" NAT_PORTS,
                      proto, word, open, address, close);
        nft_want_rule(want, chain, "meta nfproto %s snat %s to %s", proto, word, address);
    } else {
        nft_want_rule(want, chain,
                      "meta nfproto %s meta l4proto { tcp, udp } masquerade to :" NAT_PORTS, proto);
        nft_want_rule(want, chain, "meta nfproto %s masquerade", proto);
    }
}

static void want_leave(struct nft_want *want, const char *uplink)
{
    if (!want->network->egress->nat)
        return;
    struct nft_item *chain = chain_of(want, "leave");
    want_source(want, chain, AF_INET);
    want_source(want, chain, AF_INET6);
    nft_want_element(want, want->table, "leave", "\"%s\" . \"%s\" : goto leave%u", want->vrf,
                     uplink, want->table);
}

/* --- forwarded ports ----------------------------------------------------------------------------
 */

static const char *prefixes(struct nft_want *want, const struct prefix *list, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++) {
        char one[PREFIX_TEXT];
        text = arena_printf(want->state->arena, "%s%s%s", text, i ? ", " : "",
                            prefix_print(&list[i], one));
    }
    return text;
}

static void want_way_in(struct nft_want *want, const struct publish *publish, const char *uplink)
{
    bool v4 = publish->to.family == AF_INET;
    const char *protocol = publish->protocol == IPPROTO_TCP ? "tcp" : "udp";
    struct addr at = egress_published(want->network->egress, publish);
    char address[ADDR_TEXT] = "", to[ADDR_TEXT];
    if (at.family)
        addr_print(&at, address);
    const char *name = arena_printf(want->state->arena, "publish%u_%s_%u_%s%s", want->table,
                                    protocol, publish->port, v4 ? "ip" : "ip6_", address);
    char *plain = arena_strdup(want->state->arena, name);
    for (char *c = plain; *c; c++)
        if (*c == ':' || *c == '.')
            *c = '_';
    struct nft_item *chain = nft_want_chain(want, want->table, plain, "");
    uint32_t mark = net_mark_of(want->table);
    if (publish->n_from)
        nft_want_rule(want, chain, "%s saddr != { %s } drop", v4 ? "ip" : "ip6",
                      prefixes(want, publish->from, publish->n_from));
    nft_want_rule(want, chain, "ct mark set 0x%08x meta mark set 0x%08x", mark, mark);
    nft_want_rule(want, chain,
                  v4 ? "meta l4proto %s dnat ip to %s:%u" : "meta l4proto %s dnat ip6 to [%s]:%u",
                  protocol, addr_print(&publish->to, to), publish->to_port);
    if (at.family)
        nft_want_element(want, want->table, v4 ? "ways_in4" : "ways_in6",
                         "\"%s\" . %s . %s . %u : goto %s", uplink, address, protocol,
                         publish->port, plain);
    else
        nft_want_element(want, want->table, "ways_in", "\"%s\" . %s . %s . %u : goto %s", uplink,
                         v4 ? "ipv4" : "ipv6", protocol, publish->port, plain);
}

void nft_want_egress(struct nft_want *want)
{
    const char *uplink = uplink_interface(want);
    if (!uplink)
        return;
    want_track(want, uplink);
    want_out(want, uplink);
    want_leave(want, uplink);
    for (size_t i = 0; i < want->network->egress->n_publishes; i++)
        want_way_in(want, &want->network->egress->publishes[i], uplink);
}
