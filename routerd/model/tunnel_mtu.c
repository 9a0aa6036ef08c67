#include "model/tunnel_mtu.h"

enum {
    LINK_MTU = 1500, /* what profiles' numbers are for, and what an unknown uplink has */
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    ESP_HEADER = 8,  /* SPI and sequence number */
    ESP_TRAILER = 2, /* pad length and next header, inside the padded part */
};

static uint32_t ip_header(int family)
{
    return family == AF_INET ? IPV4_HEADER : IPV6_HEADER;
}

uint32_t tunnel_mtu_esp(uint32_t link_mtu, int family, bool in_udp, const struct esp_cost *cost)
{
    uint32_t fixed =
        ip_header(family) + (in_udp ? UDP_HEADER : 0) + ESP_HEADER + cost->iv + cost->icv;
    uint32_t padded = link_mtu > fixed ? (link_mtu - fixed) / cost->block * cost->block : 0;

    return padded > ESP_TRAILER ? padded - ESP_TRAILER : 0;
}

static uint32_t link_mtu(const struct tunnel *tunnel, const struct config *config)
{
    const struct config_uplink *uplink = config_find_uplink(config, tunnel->uplink);

    return uplink ? uplink->mtu : LINK_MTU;
}

static uint32_t computed_mtu(const struct tunnel *tunnel, const struct tunnel_settings *settings,
                             uint32_t link)
{
    struct addr remote;
    int family = addr_parse(tunnel->remote, &remote) == 0 ? remote.family : AF_INET6;
    struct esp_cost cost = proposal_esp_cost(settings->esp_proposals[0]);

    return tunnel_mtu_esp(link, family, settings->force_nat_traversal, &cost);
}

uint32_t tunnel_mtu(const struct tunnel *tunnel, const struct config *config)
{
    struct tunnel_settings settings = tunnel_settings(tunnel);
    uint32_t link = link_mtu(tunnel, config), mtu = tunnel->own.mtu;

    if (mtu) {
        return mtu;
    }
    mtu = tunnel->profile->mtu;
    if (!mtu) {
        mtu = computed_mtu(tunnel, &settings, link);
    } else if (link < LINK_MTU) {
        uint32_t less = LINK_MTU - link;

        mtu = mtu > less ? mtu - less : 0;
    }
    if (tunnel->profile->mtu_max && mtu > tunnel->profile->mtu_max) {
        mtu = tunnel->profile->mtu_max;
    }
    return mtu > TUNNEL_MTU_MIN ? mtu : TUNNEL_MTU_MIN;
}

uint32_t tunnel_mss(const struct tunnel *tunnel, int family)
{
    uint32_t most = tunnel->mtu - ip_header(family) - TCP_HEADER;
    uint32_t said = tunnel->own.mss ? tunnel->own.mss : tunnel->profile->mss;

    return said && said < most ? said : most;
}
