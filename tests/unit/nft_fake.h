/* nft_fake.h - our nftables table in memory, for the tests of net/nft.
 *
 * It reads nft's commands as nft does: it refuses what does not exist, exists already, or is still
 * in use. */
#ifndef NFT_FAKE_H
#define NFT_FAKE_H

#include "model/intended.h"
#include "model/plan.h"
#include "net/nft_change.h"

struct nft_fake {
    struct nft_state now;     /* as seen: rules are digests; sort it after adding to it */
    struct nft_wanted wanted; /* kept from plan to plan, as by the backend */
};

void nft_fake_init(struct nft_fake *fake);
void nft_fake_done(struct nft_fake *fake);

/* The set or chain of that name; it must be there. */
struct nft_item *nft_fake_must_find(struct nft_fake *fake, enum nft_kind kind, const char *name);
/* The element of a set, or null. */
struct nft_item *nft_fake_find_key(struct nft_fake *fake, const char *set, const char *key);
void nft_fake_drop(struct nft_fake *fake, const struct nft_item *item);
void nft_fake_flush_set(struct nft_fake *fake, const char *set);

/* Adds the steps from what is there to the intended state. */
void nft_fake_add_steps(struct nft_fake *fake, const struct intended *intended, struct plan *plan);
/* A plan of them, sorted. */
struct plan *nft_fake_plan(struct nft_fake *fake, const struct intended *intended);
/* Carries out steps and sets their results, as the backend's apply() does. */
void nft_fake_carry_out(struct nft_fake *fake, struct plan *plan, struct step **steps, size_t n);
/* All that is there as lines of text; malloc()ed. */
char *nft_fake_text(const struct nft_fake *fake);

#endif
