/* nft_state.h - the objects of our nftables table as values: what should be there, and what is
 * seen.
 *
 * A wanted item has its text as nft(8) reads it; a seen one has the comment that we gave it, which
 * tells what it was made of: "NUMBER REST", where NUMBER is the table of the network that it is
 * for, or 0 for the frame that all networks share. REST is an element's text, a chain's digest, or
 * the network's path for the chain that stands for the network. A rule's comment is the digest of
 * its text. Items lie in the state's arena. Pure. */
#ifndef NET_NFT_STATE_H
#define NET_NFT_STATE_H

#include "model/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_TABLE "routerd"
#define NFT_MARK "made by routerd" /* the table's comment */

enum { NFT_DIGEST_TEXT = 17, NFT_COMMENT_TEXT = 129 /* nft takes 128 bytes */ };

enum nft_kind { NFT_SET, NFT_CHAIN, NFT_ELEMENT };

struct nft_item {
    uint32_t number;
    enum nft_kind kind;
    const char *name;    /* an element's: of its set */
    const char *text;    /* wanted: "map { type ... }", a chain's "{ type ... }" or "", an element's
                            "KEY : VERDICT"; seen: an element's likewise */
    const char *comment; /* of a chain, without the number */
    const char **rules;  /* of a chain; wanted: as nft reads them; seen: their digests, "" where
                            there is none or where it was not we who made the rule */
    const char **digests; /* wanted: of the rules */
    size_t n_rules, capacity;
    bool broken; /* seen: not as we make them: a strange element in the set, another policy */
};

/* The kernel never changes a rule and never gives a number of a table's twice: what has a higher
 * one than ours, or is in another table of the name, was made by somebody else, whatever its
 * comment says. All zero: nothing is known, as after a start, and then the comments are believed.
 */
struct nft_made {
    uint64_t table; /* its handle */
    uint64_t rule;  /* the newest one's */
};

struct nft_state {
    struct arena *arena;
    struct nft_item **items; /* once sorted: by number, kind, name, text */
    size_t n_items, capacity;
    struct nft_item *last; /* seen: the chain that is being listed */
    struct nft_made ours;  /* seen: what was ours when it was listed */
    struct nft_made found; /* seen: what there is now */
    bool present;          /* seen: the table is there */
    bool foreign;          /* seen: without our mark */
    bool dormant;          /* seen: it was switched off */
};

void nft_state_init(struct nft_state *state);
void nft_state_done(struct nft_state *state);
/* A new item, zeroed but for the arguments, which are copied. */
struct nft_item *nft_state_add(struct nft_state *state, uint32_t number, enum nft_kind kind,
                               const char *name, const char *text);
void nft_item_add_rule(struct nft_state *state, struct nft_item *item, const char *rule);
/* The set or chain of that name, or null. Linear. */
struct nft_item *nft_state_find(const struct nft_state *state, enum nft_kind kind,
                                const char *name);
void nft_state_sort(struct nft_state *state);
/* For a state that is put together of others, sorted ones, which must stay as they are while they
 * are in it: it begins as zeroes, has no arena, and its array is the caller's to free. */
void nft_state_join(struct nft_state *whole, const struct nft_state *part);
void nft_state_leave(struct nft_state *whole, const struct nft_state *part);
int nft_item_cmp(const struct nft_item *a, const struct nft_item *b);

const char *nft_digest(const char *text, char buffer[NFT_DIGEST_TEXT]);
/* Splits "NUMBER REST"; false if it is not that. *ret_rest points into the text. */
bool nft_comment_split(const char *text, uint32_t *ret_number, const char **ret_rest);

#endif
