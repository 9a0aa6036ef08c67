/* trie.h - an ordered set of items by their keys, as a crit-bit tree.
 *
 * The items are numbers of the user's, who tells the key of each: bytes of which none is the
 * beginning of another (fixed lengths, or text with its NUL). Whoever chooses the keys cannot make
 * it slow: finding, adding and removing cost at most one step for each bit of a key, whatever is in
 * it, and about the logarithm of the number of items as a rule. Each branch counts what is below
 * it, so that the first number that is not in a set of millions is found without a scan. */
#ifndef NODES_TRIE_H
#define NODES_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIE_NONE = 0x7fffffff }; /* no item; items are below it */

/* The key of an item, borrowed until the next call. */
typedef const uint8_t *trie_key(const void *aux, uint32_t item, size_t *ret_len);

struct trie_branch;

struct trie {
    trie_key *key;
    const void *aux;
    struct trie_branch *branches;
    uint32_t n_branches, capacity, free_branch, root;
    uint32_t count; /* items */
};

void trie_init(struct trie *trie, trie_key *key, const void *aux);
void trie_done(struct trie *trie);
/* Adds the item under its key. False: another has that key. */
bool trie_add(struct trie *trie, uint32_t item);
/* Removes the item, which must be there with its key unchanged. */
void trie_remove(struct trie *trie, uint32_t item);
/* The item of that key, or TRIE_NONE. */
uint32_t trie_find(const struct trie *trie, const void *key, size_t len);
/* The item with the smallest key, or TRIE_NONE. */
uint32_t trie_first(const struct trie *trie);
/* The item with the smallest key behind this one, which need not be there, or TRIE_NONE. */
uint32_t trie_after(const struct trie *trie, const void *key, size_t len);
size_t trie_memory(const struct trie *trie);

/* For keys that are numbers of `bits` bits, big-endian: the smallest one from `first` to `last`
 * that no item has. False: all are taken. */
bool trie_first_free(const struct trie *trie, unsigned int bits, unsigned __int128 first,
                     unsigned __int128 last, unsigned __int128 *ret_number);

#endif
