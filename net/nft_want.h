/* nft_want.h - what the files that make the wanted table share. Inside net only, pure. */
#ifndef NET_NFT_WANT_H
#define NET_NFT_WANT_H

#include "net/nft_change.h"

/* What the frame depends on: whether any network has that, and all that they have. */
struct nft_facts {
    bool networks, egress, publish, strict, tunnels, dhcp, dns;
    struct nft_mss {
        uint32_t v4, v6;
    } * mss; /* of tunnels; each pair once */
    size_t n_mss, mss_capacity;
    const struct config_uplink **uplinks; /* routed ones; each once */
    size_t n_uplinks, uplinks_capacity;
};

/* The frame, or a network on its way into its tenant's part. */
struct nft_want {
    struct nft_state *state;
    struct nft_facts *facts; /* the frame's are read, a network's are added */
    const struct config *config;
    const struct nft_host *host; /* of the frame */
    const char *tenant;
    const struct network *network;
    uint32_t table; /* the network's: its number */
    char vrf[16];
};

/* A chain; `header` is "" but for one that hangs on a hook. Rules may be added to it. */
struct nft_item *nft_want_chain(struct nft_want *want, uint32_t number, const char *name,
                                const char *header);
/* A rule of a chain, or an element of a set; printed. */
void nft_want_rule(struct nft_want *want, struct nft_item *chain, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void nft_want_element(struct nft_want *want, uint32_t number, const char *set, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
void nft_want_set(struct nft_want *want, const char *name, const char *text);
void nft_want_rules(struct nft_want *want, struct nft_item *chain, const char *const *rules);

/* An element that is an address in the network; `set` is its name but for the family's number. */
void nft_want_address(struct nft_want *want, const char *set, const struct addr *addr);

/* nft_want_services.c: the frame's part for services, and a network's. */
void nft_want_services_frame(struct nft_want *want);
void nft_want_services(struct nft_want *want);

/* nft_want_egress.c: likewise, for egress. */
void nft_want_egress_frame(struct nft_want *want);
void nft_want_egress(struct nft_want *want);
/* What becomes of packets that arrive at the network's ports: egress and `strict_source`. */
void nft_want_arrivals(struct nft_want *want);

#endif
