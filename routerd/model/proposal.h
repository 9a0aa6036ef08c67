/* proposal.h - IKE and ESP proposals in swanctl.conf(5) syntax: words joined by hyphens.
 *
 * What routerd itself must know of them: that they are words, which words are weak, and what a
 * packet of ESP costs. Whether charon knows a word is charon's to say. Pure. */
#ifndef MODEL_PROPOSAL_H
#define MODEL_PROPOSAL_H

#include "model/reader.h"

enum { PROPOSALS = 16, PROPOSAL_WORD = 64 };

/* A list of 1 to PROPOSALS of them into a `const char **`; null and 0 if it is wrong. */
const char **read_proposals(struct reader *reader, const struct doc *doc, size_t *ret_n);
/* Copies the next word, cut if it is too long, and moves *at behind it. False at the end. */
bool proposal_next_word(const char **at, char word[PROPOSAL_WORD]);
/* Whether it has a word that RFC 8247 and RFC 8221 advise against, which is copied: 3DES, DES, MD5,
 * SHA-1, Diffie-Hellman groups below 2048 bits. */
bool proposal_is_weak(const char *proposal, char word[PROPOSAL_WORD]);
/* An error for each proposal that is weak, with what is to be done about it. The list was read from
 * the key `proposals` of `map`, or is null. */
void proposals_refuse_weak(const char *const *proposals, size_t n, const struct doc *map,
                           const char *remedy, struct errors *errors);
/* Whether a word is one of an additional key exchange (RFC 9370): "ke1_mlkem768", or a
 * post-quantum one, "mlkem768". */
bool proposal_word_is_extra_ke(const char *word);

/* What ESP adds to a packet beside the outer headers: its header, the initialisation vector, the
 * integrity check value, and padding and trailer up to a multiple of the block. */
struct esp_cost {
    unsigned int iv, block, icv; /* bytes */
};
/* The most that an algorithm of the proposal costs of each. */
struct esp_cost proposal_esp_cost(const char *proposal);

#endif
