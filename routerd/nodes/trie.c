#include "nodes/trie.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A reference is an item with LEAF, the number of a branch, or EMPTY. */
#define LEAF 0x80000000u
#define EMPTY 0xffffffffu

struct trie_branch {
    uint32_t child[2]; /* by the bit; a free branch: [0] is the next free one */
    uint32_t count;    /* items below */
    uint16_t bit;      /* the first one, from the key's begin, in which the items below differ */
};

typedef unsigned __int128 number;

void trie_init(struct trie *trie, trie_key *key, const void *aux)
{
    *trie = (struct trie){.key = key, .aux = aux, .root = EMPTY, .free_branch = EMPTY};
}

void trie_done(struct trie *trie)
{
    free(trie->branches);
    trie->branches = NULL;
}

size_t trie_memory(const struct trie *trie)
{
    return trie->capacity * sizeof *trie->branches;
}

static bool is_leaf(uint32_t ref)
{
    return ref & LEAF;
}

static unsigned int key_bit(const uint8_t *key, size_t len, unsigned int bit)
{
    return bit / 8 < len ? key[bit / 8] >> (7 - bit % 8) & 1u : 0;
}

/* The leaf that a key leads to; it shares more of its begin than any other. */
static uint32_t nearest(const struct trie *trie, const uint8_t *key, size_t len)
{
    uint32_t ref = trie->root;

    while (!is_leaf(ref)) {
        const struct trie_branch *branch = &trie->branches[ref];

        ref = branch->child[key_bit(key, len, branch->bit)];
    }
    return ref & ~LEAF;
}

/* The first bit in which two keys differ, or -1. */
static int first_difference(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len;

    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return (int)(i * 8) + __builtin_clz((unsigned int)(a[i] ^ b[i])) - 24;
        }
    }
    assert(a_len == b_len); /* else one key is the other's begin */
    return -1;
}

static int differs_from(const struct trie *trie, uint32_t item, const uint8_t *key, size_t len)
{
    size_t item_len;
    const uint8_t *item_key = trie->key(trie->aux, item, &item_len);

    return first_difference(key, len, item_key, item_len);
}

uint32_t trie_find(const struct trie *trie, const void *key, size_t len)
{
    uint32_t item;
    size_t item_len;
    const uint8_t *item_key;

    if (trie->root == EMPTY) {
        return TRIE_NONE;
    }
    item = nearest(trie, key, len);
    item_key = trie->key(trie->aux, item, &item_len);
    return item_len == len && !memcmp(item_key, key, len) ? item : TRIE_NONE;
}

static uint32_t branch_new(struct trie *trie)
{
    uint32_t ref = trie->free_branch;

    if (ref != EMPTY) {
        trie->free_branch = trie->branches[ref].child[0];
        return ref;
    }
    if (trie->n_branches == trie->capacity) {
        trie->capacity = trie->capacity ? trie->capacity + trie->capacity / 2 : 16;
        trie->branches = realloc(trie->branches, trie->capacity * sizeof *trie->branches);
        if (!trie->branches) {
            abort();
        }
    }
    return trie->n_branches++;
}

static void branch_free(struct trie *trie, uint32_t ref)
{
    trie->branches[ref].child[0] = trie->free_branch;
    trie->free_branch = ref;
}

bool trie_add(struct trie *trie, uint32_t item)
{
    size_t len;
    const uint8_t *key = trie->key(trie->aux, item, &len);
    uint32_t *link = &trie->root, ref;
    int bit = -1;

    assert(item < TRIE_NONE);
    if (*link != EMPTY) {
        bit = differs_from(trie, nearest(trie, key, len), key, len);
        if (bit < 0) {
            return false;
        }
    }
    trie->count++;
    if (*link == EMPTY) {
        *link = item | LEAF;
        return true;
    }
    ref = branch_new(trie); /* may move the branches */
    link = &trie->root;
    while (!is_leaf(*link) && trie->branches[*link].bit < bit) {
        struct trie_branch *branch = &trie->branches[*link];

        branch->count++;
        link = &branch->child[key_bit(key, len, branch->bit)];
    }
    struct trie_branch *branch = &trie->branches[ref];
    unsigned int side = key_bit(key, len, (unsigned int)bit);

    branch->bit = (uint16_t)bit;
    branch->count = 1 + (is_leaf(*link) ? 1 : trie->branches[*link].count);
    branch->child[side] = item | LEAF;
    branch->child[!side] = *link;
    *link = ref;
    return true;
}

void trie_remove(struct trie *trie, uint32_t item)
{
    size_t len;
    const uint8_t *key = trie->key(trie->aux, item, &len);
    uint32_t *link = &trie->root, *above = NULL;
    unsigned int side = 0;

    while (!is_leaf(*link)) {
        struct trie_branch *branch = &trie->branches[*link];

        branch->count--;
        above = link;
        side = key_bit(key, len, branch->bit);
        link = &branch->child[side];
    }
    assert(*link == (item | LEAF));
    trie->count--;
    if (!above) {
        trie->root = EMPTY;
    } else {
        uint32_t gone = *above;

        *above = trie->branches[gone].child[!side];
        branch_free(trie, gone);
    }
}

/* The smallest below a reference. */
static uint32_t smallest(const struct trie *trie, uint32_t ref)
{
    while (!is_leaf(ref)) {
        ref = trie->branches[ref].child[0];
    }
    return ref & ~LEAF;
}

uint32_t trie_first(const struct trie *trie)
{
    return trie->root == EMPTY ? TRIE_NONE : smallest(trie, trie->root);
}

uint32_t trie_after(const struct trie *trie, const void *key_, size_t len)
{
    const uint8_t *key = key_;
    uint32_t ref = trie->root, right = EMPTY; /* where the next larger ones are */
    int bit;

    if (ref == EMPTY) {
        return TRIE_NONE;
    }
    bit = differs_from(trie, nearest(trie, key, len), key, len);
    while (!is_leaf(ref) && (bit < 0 || trie->branches[ref].bit < bit)) {
        const struct trie_branch *branch = &trie->branches[ref];
        unsigned int side = key_bit(key, len, branch->bit);

        if (!side) {
            right = branch->child[1];
        }
        ref = branch->child[side];
    }
    if (bit >= 0 && !key_bit(key, len, (unsigned int)bit)) {
        return smallest(trie, ref); /* all below are larger */
    }
    return right == EMPTY ? TRIE_NONE : smallest(trie, right);
}

/* --- the first free number ------------------------------------------------------------------ */

static number mask(unsigned int bits)
{
    return bits >= 128 ? ~(number)0 : ((number)1 << bits) - 1;
}

static number item_number(const struct trie *trie, uint32_t item)
{
    size_t len;
    const uint8_t *key = trie->key(trie->aux, item, &len);
    number value = 0;

    for (size_t i = 0; i < len; i++) {
        value = value << 8 | key[i];
    }
    return value;
}

static bool is_full(const struct trie_branch *branch, unsigned int block_bits)
{
    return block_bits < 32 && branch->count == mask(block_bits) + 1;
}

/* The search for the first free number at or after `from` in the block of 2^`block_bits` numbers
 * from `start`, of which those below `ref` are taken. */
static bool gap(const struct trie *trie, unsigned int bits, uint32_t ref, number start,
                unsigned int block_bits, number from, number *ret_number)
{
    const struct trie_branch *branch;
    number last = start + mask(block_bits), inner, inner_last;
    unsigned int inner_bits;

    from = from > start ? from : start;
    if (from > last) {
        return false;
    }
    *ret_number = from;
    if (ref == EMPTY) {
        return true;
    }
    if (is_leaf(ref)) {
        number taken = item_number(trie, ref & ~LEAF);

        *ret_number = from == taken ? from + 1 : from;
        return from != taken || taken < last;
    }
    branch = &trie->branches[ref];
    inner_bits = bits - branch->bit;
    inner = start;
    if (inner_bits != block_bits) { /* some of the block is outside of all that is taken */
        inner = item_number(trie, smallest(trie, ref)) & ~mask(inner_bits);
    }
    inner_last = inner + mask(inner_bits);
    if (from < inner || from > inner_last) {
        return true;
    }
    if (!is_full(branch, inner_bits) &&
        (gap(trie, bits, branch->child[0], inner, inner_bits - 1, from, ret_number) ||
         gap(trie, bits, branch->child[1], inner + mask(inner_bits - 1) + 1, inner_bits - 1, from,
             ret_number))) {
        return true;
    }
    *ret_number = inner_last + 1;
    return inner_last < last;
}

bool trie_first_free(const struct trie *trie, unsigned int bits, number first, number last,
                     number *ret_number)
{
    return gap(trie, bits, trie->root, 0, bits, first, ret_number) && *ret_number <= last;
}
