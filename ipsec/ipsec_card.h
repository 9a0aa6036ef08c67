/* ipsec_card.h - what tunnels' certificate files hold, kept fresh.
 *
 * A card is what the wanted state needs to know of the files (struct ipsec_card, ipsec_want.h); the
 * keys themselves are read again when they are loaded and are not kept. A card is made anew when a
 * file of it changes, and when one of its certificates has expired meanwhile. */
#ifndef IPSEC_CARD_H
#define IPSEC_CARD_H

#include "ipsec/ipsec_want.h"

struct ipsec_cards;

struct ipsec_cards *ipsec_cards_new(void);
void ipsec_cards_free(struct ipsec_cards *cards); /* null is fine */
/* The card for the files; borrowed until the next refresh. */
const struct ipsec_card *ipsec_cards_ask(struct ipsec_cards *cards, const char *directory,
                                         const struct ipsec_files *files);
/* Looks at the files again. Whether any card changed. */
bool ipsec_cards_refresh(struct ipsec_cards *cards);
bool ipsec_cards_empty(const struct ipsec_cards *cards);
/* A digest of the file's size and times; 0: it cannot be used, with -errno in *ret_error. */
uint64_t ipsec_file_version(const char *path, int *ret_error);

#endif
