/* nft_change.h - what a step of this backend does: commands of nft(8), in the order of their
 * rounds.
 *
 * All steps of a pass go into one transaction, round by round, so that a set is there before its
 * elements, and a chain goes after all that leads to it. */
#ifndef NET_NFT_CHANGE_H
#define NET_NFT_CHANGE_H

#include "model/plan.h"
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

struct intended;
/* Pure: the table that the intended state asks for, sorted; no items: none. The caller frees it
 * with nft_state_done(). */
void nft_want(const struct intended *intended, const struct nft_host *host,
              struct nft_state *ret_wanted);

/* Pure: adds the steps from `seen` (sorted) to `wanted`. Their data is a struct nft_change. */
void nft_diff(const struct intended *intended, const struct nft_state *wanted,
              const struct nft_state *seen, struct plan *plan);

#endif
