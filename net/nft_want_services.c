/* What the router serves on segments: DHCP, and DNS for the network. */
#include "net/nft_want.h"

#include "model/ids.h"
#include "model/services.h"

/* RFC 2131, 4.1; RFC 8415, 7.2. What a client sends to all comes by its own interface in IPv6. */
static const char *const DHCP[] = {
    "meta nfproto ipv4 udp dport 67 meta sdifname @dhcp accept",
    "meta nfproto ipv6 udp dport 547 meta sdifname @dhcp accept",
    "meta nfproto ipv6 udp dport 547 iifname @dhcp accept",
    NULL,
};

/* Questions, and the answers of those whom the router asks. */
static const char *const DNS[] = {
    "udp dport 53 iifname . ip daddr @dns4 accept",
    "tcp dport 53 iifname . ip daddr @dns4 accept",
    "udp dport 53 iifname . ip6 daddr @dns6 accept",
    "tcp dport 53 iifname . ip6 daddr @dns6 accept",
    "udp sport 53 iifname . ip saddr @forwarders4 accept",
    "tcp sport 53 iifname . ip saddr @forwarders4 accept",
    "udp sport 53 iifname . ip6 saddr @forwarders6 accept",
    "tcp sport 53 iifname . ip6 saddr @forwarders6 accept",
    NULL,
};

void nft_want_services_frame(struct nft_want *want)
{
    struct nft_item *chain;

    if (!want->facts->dhcp && !want->facts->dns)
        return;
    chain = nft_want_chain(want, 0, "services", "");
    if (want->facts->dhcp) {
        nft_want_set(want, "dhcp", "set { type ifname; }");
        nft_want_rules(want, chain, DHCP);
    }
    if (want->facts->dns) {
        nft_want_set(want, "dns4", "set { type ifname . ipv4_addr; }");
        nft_want_set(want, "dns6", "set { type ifname . ipv6_addr; }");
        nft_want_set(want, "forwarders4", "set { type ifname . ipv4_addr; }");
        nft_want_set(want, "forwarders6", "set { type ifname . ipv6_addr; }");
        nft_want_rules(want, chain, DNS);
    }
}

static void want_segment(struct nft_want *want, const struct segment *segment)
{
    struct segment_services services = segment_services(want->network, segment);
    char name[IFNAME_TEXT];

    if (services.dhcp4 || services.dhcp6)
        nft_want_element(want, want->table, "dhcp", "\"%s\"", ids_segment_name(segment->id, name));
    for (size_t i = 0; services.dns && i < segment->n_gateways; i++)
        nft_want_address(want, "dns", &segment->gateways[i].addr);
}

/* Whether an earlier pool has the same one; a set has each element once. */
static bool is_repeated(const struct network *network, size_t pool, size_t forwarder)
{
    const struct addr *addr = &network->pools[pool].forwarders[forwarder];

    for (size_t i = 0; i <= pool; i++)
        for (size_t j = 0; j < (i < pool ? network->pools[i].n_forwarders : forwarder); j++)
            if (addr_equal(&network->pools[i].forwarders[j], addr))
                return true;
    return false;
}

void nft_want_services(struct nft_want *want)
{
    const struct network *network = want->network;

    for (size_t i = 0; i < network->n_segments; i++)
        want_segment(want, &network->segments[i]);
    for (size_t i = 0; i < network->n_pools; i++)
        for (size_t j = 0; j < network->pools[i].n_forwarders; j++)
            if (!is_repeated(network, i, j))
                nft_want_address(want, "forwarders", &network->pools[i].forwarders[j]);
}
