#include "net/nft_want.h"

#include "model/ids.h"
#include "model/tunnel_mtu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
    if (want->facts->dhcp || want->facts->dns)
        nft_want_rule(want, chain, "jump services");
    nft_want_rules(want, chain, ISOLATION);
}

/* --- the MSS of tunnels -------------------------------------------------------------------------
 */

#define MSS_CHAIN "mss%u_%u"

/* One chain for each pair of values; the option is only ever lowered by it. */
static void want_mss(struct nft_want *want, struct nft_mss mss)
{
    char name[32];
    snprintf(name, sizeof name, MSS_CHAIN, mss.v4, mss.v6);
    struct nft_item *chain = nft_want_chain(want, 0, name, "");
    nft_want_rule(want, chain, "meta nfproto ipv4 tcp option maxseg size set %u", mss.v4);
    nft_want_rule(want, chain, "meta nfproto ipv6 tcp option maxseg size set %u", mss.v6);
}

static void want_clamp(struct nft_want *want)
{
    if (!want->facts->tunnels)
        return;
    nft_want_set(want, "mss", "map { type ifname : verdict; }");
    struct nft_item *chain = nft_want_chain(
        want, 0, "clamp", "type filter hook forward priority mangle; policy accept;");
    nft_want_rule(want, chain, "tcp flags & (syn | rst) == syn goto syn_passes");
    chain = nft_want_chain(want, 0, "syn_passes", "");
    nft_want_rule(want, chain, "oifname vmap @mss");
    nft_want_rule(want, chain, "meta sdifname vmap @mss");
    for (size_t i = 0; i < want->facts->n_mss; i++)
        want_mss(want, want->facts->mss[i]);
}

static struct nft_mss mss_of(const struct tunnel *tunnel)
{
    return (struct nft_mss){tunnel_mss(tunnel, AF_INET), tunnel_mss(tunnel, AF_INET6)};
}

static void want_tunnel(struct nft_want *want, const struct tunnel *tunnel)
{
    char name[IFNAME_TEXT];
    if (!tunnel->profile)
        return;
    struct nft_mss mss = mss_of(tunnel);
    nft_want_element(want, want->table, "mss", "\"%s\" : jump " MSS_CHAIN,
                     ids_tunnel_name(tunnel->id, name), mss.v4, mss.v6);
}

/* --- what the frame depends on ------------------------------------------------------------------
 */

static void add_mss(struct arena *arena, struct nft_facts *facts, struct nft_mss mss)
{
    for (size_t i = 0; i < facts->n_mss; i++)
        if (facts->mss[i].v4 == mss.v4 && facts->mss[i].v6 == mss.v6)
            return;
    facts->mss =
        arena_grow(arena, facts->mss, facts->n_mss, &facts->mss_capacity, sizeof *facts->mss);
    facts->mss[facts->n_mss++] = mss;
}

static void add_uplink(struct arena *arena, struct nft_facts *facts,
                       const struct config_uplink *uplink)
{
    for (size_t i = 0; i < facts->n_uplinks; i++)
        if (facts->uplinks[i] == uplink)
            return;
    facts->uplinks = arena_grow(arena, facts->uplinks, facts->n_uplinks, &facts->uplinks_capacity,
                                sizeof(const struct config_uplink *));
    facts->uplinks[facts->n_uplinks++] = uplink;
}

static void add_facts(struct arena *arena, struct nft_facts *facts, const struct nft_facts *more)
{
    facts->networks |= more->networks;
    facts->egress |= more->egress;
    facts->publish |= more->publish;
    facts->strict |= more->strict;
    facts->tunnels |= more->tunnels;
    facts->dhcp |= more->dhcp;
    facts->dns |= more->dns;
    for (size_t i = 0; i < more->n_mss; i++)
        add_mss(arena, facts, more->mss[i]);
    for (size_t i = 0; i < more->n_uplinks; i++)
        add_uplink(arena, facts, more->uplinks[i]);
}

static void look_at_egress(const struct nft_want *want, const struct egress *egress)
{
    const struct config_uplink *uplink = config_find_uplink(want->config, egress->uplink);
    want->facts->egress = true;
    want->facts->publish |= egress->n_publishes > 0;
    if (uplink && uplink->type == UPLINK_ROUTED)
        add_uplink(want->state->arena, want->facts, uplink);
}

static void look_at(const struct nft_want *want)
{
    const struct network *network = want->network;
    struct nft_facts *facts = want->facts;
    facts->networks = true;
    facts->tunnels |= network->n_tunnels > 0;
    for (size_t i = 0; i < network->n_tunnels; i++)
        if (network->tunnels[i].profile)
            add_mss(want->state->arena, facts, mss_of(&network->tunnels[i]));
    for (size_t i = 0; i < network->n_segments; i++)
        facts->strict |= network->segments[i].strict_source;
    for (size_t i = 0; i < network->n_pools; i++) {
        facts->dhcp |= network->pools[i].serves_dhcp;
        facts->dns |= network->pools[i].serves_dns;
    }
    if (network->egress)
        look_at_egress(want, network->egress);
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

struct part {
    struct nft_state state;
    struct nft_facts facts;  /* in its arena */
    struct nft_state *whole; /* that it is in */
};

/* The digests are made with the items, of which most stay from change to change. */
static void finish(struct nft_state *state)
{
    char digest[NFT_DIGEST_TEXT];
    nft_state_sort(state);
    for (size_t i = 0; i < state->n_items; i++) {
        struct nft_item *item = state->items[i];
        item->digests = arena_calloc(state->arena, item->n_rules + 1, sizeof *item->digests);
        for (size_t j = 0; j < item->n_rules; j++)
            item->digests[j] = arena_strdup(state->arena, nft_digest(item->rules[j], digest));
    }
}

static void *make_part(const struct intended *intended, const struct intended_tenant *tenant,
                       void *aux)
{
    struct part *part = calloc(1, sizeof *part);
    if (!part)
        abort();
    nft_state_init(&part->state);
    part->whole = aux;
    for (size_t i = 0; i < tenant->topology->n_networks; i++) {
        struct nft_want want = {
            .state = &part->state,
            .facts = &part->facts,
            .config = intended->config,
            .tenant = tenant->name,
            .network = &tenant->topology->networks[i],
        };
        look_at(&want);
        want_network(&want);
    }
    finish(&part->state);
    nft_state_join(part->whole, &part->state);
    return part;
}

static void drop_part(void *data)
{
    struct part *part = data;
    nft_state_leave(part->whole, &part->state);
    nft_state_done(&part->state);
    free(part);
}

static const struct tenant_parts_class PARTS = {make_part, drop_part};

static void make_frame(struct nft_wanted *wanted)
{
    struct nft_facts facts = {0};
    struct nft_want want = {.state = &wanted->frame, .facts = &facts, .host = &wanted->host};
    nft_state_init(&wanted->frame);
    for (size_t i = 0; i < wanted->parts.intended->n_tenants; i++)
        add_facts(wanted->frame.arena, &facts,
                  &((const struct part *)wanted->parts.parts[i])->facts);
    if (!facts.networks)
        return;
    want_isolation(&want);
    want_clamp(&want);
    nft_want_egress_frame(&want);
    finish(&wanted->frame);
}

void nft_want(struct nft_wanted *wanted, const struct intended *intended,
              const struct nft_host *host)
{
    if (wanted->parts.intended == intended && wanted->host.forwards == host->forwards)
        return;
    nft_state_leave(&wanted->state, &wanted->frame);
    nft_state_done(&wanted->frame);
    tenant_parts_update(&wanted->parts, intended, &PARTS, &wanted->state);
    wanted->host = *host;
    make_frame(wanted);
    nft_state_join(&wanted->state, &wanted->frame);
}

void nft_wanted_done(struct nft_wanted *wanted)
{
    tenant_parts_clear(&wanted->parts, &PARTS);
    nft_state_done(&wanted->frame);
    free(wanted->state.items);
    *wanted = (struct nft_wanted){0};
}
