/* nft_change.h - what a step of this backend does: commands of nft(8), in the order of their
 * rounds.
 *
 * All steps of a pass go into one transaction, round by round, so that a set is there before its
 * elements, and a chain goes after all that leads to it. */
#ifndef NET_NFT_CHANGE_H
#define NET_NFT_CHANGE_H

#include "model/plan.h"
#include "model/tenant_parts.h"
#include "net/nft_state.h"

enum nft_round {
    NFT_ROUND_TABLE,
    NFT_ROUND_EMPTY,   /* elements and rules go */
    NFT_ROUND_REPLACE, /* chains that are made anew go */
    NFT_ROUND_DECLARE, /* sets, chains */
    NFT_ROUND_RULES,
    NFT_ROUND_ELEMENTS,
    NFT_ROUND_REMOVE, /* chains, sets, the table */
    NFT_N_ROUNDS
};

struct nft_op {
    enum nft_round round;
    const char *command;
};

struct nft_change {
    const char *obstacle; /* why it cannot be done, or null */
    struct nft_op *ops;
    size_t n_ops, capacity;
};

/* What the table depends on besides the intended state. */
struct nft_host {
    bool forwards; /* the host is a router of its own (net.ipv4.ip_forward) */
};

/* The table that the intended state asks for, in parts that stay while their tenants do. Start from
 * zeroes; it does not move. */
struct nft_wanted {
    struct nft_state state; /* sorted; no items: no table */
    struct nft_state frame; /* what the networks share; the rest is the tenants' */
    struct nft_host host;   /* that it is for */
    struct tenant_parts parts;
};

/* Pure: makes it that of `intended`, whatever it was before. */
void nft_want(struct nft_wanted *wanted, const struct intended *intended,
              const struct nft_host *host);
void nft_wanted_done(struct nft_wanted *wanted);

/* Pure: adds the steps from `seen` (sorted) to `wanted`. Their data is a struct nft_change. */
void nft_diff(const struct intended *intended, const struct nft_state *wanted,
              const struct nft_state *seen, struct plan *plan);

#endif
