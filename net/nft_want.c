#include "net/nft_want.h"

#include "model/ids.h"
#include "model/tunnel_mtu.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- items --------------------------------------------------------------------------------------
 */

struct nft_item *nft_want_chain(struct nft_want *want, uint32_t number, const char *name,
                                const char *header)
{
    char digest[NFT_DIGEST_TEXT];
    struct nft_item *chain = nft_state_add(want->state, number, NFT_CHAIN, name, header);
    chain->comment = arena_strdup(want->state->arena, nft_digest(header, digest));
    return chain;
}

void nft_want_rule(struct nft_want *want, struct nft_item *chain, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    nft_item_add_rule(want->state, chain, arena_vprintf(want->state->arena, format, args));
    va_end(args);
}

void nft_want_rules(struct nft_want *want, struct nft_item *chain, const char *const *rules)
{
    for (; *rules; rules++)
        nft_item_add_rule(want->state, chain, *rules);
}

void nft_want_element(struct nft_want *want, uint32_t number, const char *set, const char *format,
                      ...)
{
    va_list args;
    va_start(args, format);
    nft_state_add(want->state, number, NFT_ELEMENT, set,
                  arena_vprintf(want->state->arena, format, args));
    va_end(args);
}

void nft_want_set(struct nft_want *want, const char *name, const char *text)
{
    nft_state_add(want->state, 0, NFT_SET, name, text);
}

/* --- the frame ----------------------------------------------------------------------------------
 */

/* A packet that was received in a VRF comes by the VRF, but by its own interface where it is
 * link-local or multicast IPv6. */
static const char *const INPUT[] = {
    "iifname \"rvrf*\" goto isolation",
    "iifname \"rseg*\" goto isolation",
    "iifname \"rtun*\" goto isolation",
    NULL,
};

/* Neighbour discovery (RFC 4861) and what a host's multicast needs (RFC 2710); ICMP that a router
 * answers, and errors about what it sent (RFC 1812, 4.3; RFC 4890, 4.4); BGP (RFC 4271) and BFD
 * (RFC 5881, RFC 5883) of peers. To the network's own addresses only, not to others of the host. */
static const char *const ISOLATION[] = {
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, "
    "mld-listener-query } accept",
    "meta nfproto ipv4 iifname . ip daddr != @own4 drop",
    "ip6 daddr != fe80::/10 iifname . ip6 daddr != @own6 drop",
    "icmp type { echo-request, echo-reply, destination-unreachable, time-exceeded, "
    "parameter-problem } accept",
    "icmpv6 type { echo-request, echo-reply, destination-unreachable, packet-too-big, "
    "time-exceeded, parameter-problem } accept",
    "tcp dport 179 iifname . ip saddr @peers4 accept",
    "tcp sport 179 iifname . ip saddr @peers4 accept",
    "udp dport { 3784, 3785, 4784 } iifname . ip saddr @peers4 accept",
    "tcp dport 179 iifname . ip6 saddr @peers6 accept",
    "tcp sport 179 iifname . ip6 saddr @peers6 accept",
    "udp dport { 3784, 3785, 4784 } iifname . ip6 saddr @peers6 accept",
    "drop",
    NULL,
};

static void want_isolation(struct nft_want *want)
{
    nft_want_set(want, "own4", "set { type ifname . ipv4_addr; }");
    nft_want_set(want, "own6", "set { type ifname . ipv6_addr; }");
    nft_want_set(want, "peers4", "set { type ifname . ipv4_addr; }");
    nft_want_set(want, "peers6", "set { type ifname . ipv6_addr; }");
    nft_want_rules(
        want,
        nft_want_chain(want, 0, "input", "type filter hook input priority filter; policy accept;"),
        INPUT);
    struct nft_item *chain = nft_want_chain(want, 0, "isolation", "");
    nft_want_services_frame(want);
    if (want->dhcp || want->dns)
        nft_want_rule(want, chain, "jump services");
    nft_want_rules(want, chain, ISOLATION);
}

/* --- the MSS of tunnels -------------------------------------------------------------------------
 */

/* One chain for each pair of values; the option is only ever lowered by it. */
static const char *want_mss(struct nft_want *want, const struct tunnel *tunnel)
{
    uint32_t mss4 = tunnel_mss(tunnel, AF_INET), mss6 = tunnel_mss(tunnel, AF_INET6);
    const char *name = arena_printf(want->state->arena, "mss%u_%u", mss4, mss6);
    if (nft_state_find(want->state, NFT_CHAIN, name))
        return name;
    struct nft_item *chain = nft_want_chain(want, 0, name, "");
    nft_want_rule(want, chain, "meta nfproto ipv4 tcp option maxseg size set %u", mss4);
    nft_want_rule(want, chain, "meta nfproto ipv6 tcp option maxseg size set %u", mss6);
    return name;
}

static void want_clamp(struct nft_want *want)
{
    if (!want->tunnels)
        return;
    nft_want_set(want, "mss", "map { type ifname : verdict; }");
    struct nft_item *chain = nft_want_chain(
        want, 0, "clamp", "type filter hook forward priority mangle; policy accept;");
    nft_want_rule(want, chain, "tcp flags & (syn | rst) == syn goto syn_passes");
    chain = nft_want_chain(want, 0, "syn_passes", "");
    nft_want_rule(want, chain, "oifname vmap @mss");
    nft_want_rule(want, chain, "meta sdifname vmap @mss");
}

static void want_tunnel(struct nft_want *want, const struct tunnel *tunnel)
{
    char name[IFNAME_TEXT];
    if (tunnel->profile)
        nft_want_element(want, want->table, "mss", "\"%s\" : jump %s",
                         ids_tunnel_name(tunnel->id, name), want_mss(want, tunnel));
}

/* --- networks -----------------------------------------------------------------------------------
 */

void nft_want_address(struct nft_want *want, const char *set, const struct addr *addr)
{
    char text[ADDR_TEXT], name[32];
    snprintf(name, sizeof name, "%s%d", set, addr->family == AF_INET ? 4 : 6);
    nft_want_element(want, want->table, name, "\"%s\" . %s", want->vrf, addr_print(addr, text));
}

static void want_own(struct nft_want *want, const struct prefix *own, size_t n)
{
    for (size_t i = 0; i < n; i++)
        nft_want_address(want, "own", &own[i].addr);
}

static void want_network(struct nft_want *want)
{
    const struct network *network = want->network;
    char name[32];
    want->table = ids_vrf_table(network->id);
    ids_vrf_name(network->id, want->vrf);
    snprintf(name, sizeof name, "network%u", want->table);
    nft_want_chain(want, want->table, name, "")->comment =
        arena_printf(want->state->arena, "%.59s/%.59s", want->tenant, network->name);
    for (size_t i = 0; i < network->n_segments; i++)
        want_own(want, network->segments[i].gateways, network->segments[i].n_gateways);
    for (size_t i = 0; i < network->n_tunnels; i++) {
        want_own(want, network->tunnels[i].inside, network->tunnels[i].n_inside);
        want_tunnel(want, &network->tunnels[i]);
    }
    for (size_t i = 0; i < network->n_peers; i++)
        nft_want_address(want, "peers", &network->peers[i].address);
    nft_want_services(want);
    nft_want_arrivals(want);
    if (network->egress)
        nft_want_egress(want);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

typedef void network_fn(struct nft_want *want);

static void look_at(struct nft_want *want)
{
    const struct network *network = want->network;
    want->egress |= network->egress != NULL;
    want->publish |= network->egress && network->egress->n_publishes;
    want->tunnels |= network->n_tunnels > 0;
    nft_want_services_look(want);
    for (size_t i = 0; i < network->n_segments; i++)
        want->strict |= network->segments[i].strict_source;
}

static size_t each_network(struct nft_want *want, const struct intended *intended,
                           network_fn *visit)
{
    size_t n = 0;
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;
        want->tenant = intended->tenants[i].name;
        for (size_t j = 0; j < topology->n_networks; j++, n++) {
            want->network = &topology->networks[j];
            visit(want);
        }
    }
    return n;
}

void nft_want(const struct intended *intended, const struct nft_host *host,
              struct nft_state *ret_wanted)
{
    nft_state_init(ret_wanted);
    struct nft_want want = {.state = ret_wanted, .config = intended->config, .host = host};
    if (each_network(&want, intended, look_at) == 0)
        return;
    want_isolation(&want);
    want_clamp(&want);
    nft_want_egress_frame(&want, intended);
    each_network(&want, intended, want_network);
    nft_state_sort(ret_wanted);
}
