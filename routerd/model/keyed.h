/* keyed.h - many things under text keys, compared without holding each against each.
 *
 * Whatever a controller can write a thousand times (names, addresses, prefixes) is checked for
 * clashes by collecting it here, sorting once, and then looking at neighbours or searching. It is
 * no hash table on purpose: nobody can choose keys that make it slow. */
#ifndef MODEL_KEYED_H
#define MODEL_KEYED_H

#include "model/arena.h"

#include <stddef.h>

struct keyed_item {
    const char *key;    /* borrowed */
    const void *object; /* the caller's */
    size_t order;       /* of adding */
};

/* Zeroed but for the arena, in which the items lie. */
struct keyed {
    struct arena *arena;
    struct keyed_item *items;
    size_t n, capacity;
};

void keyed_add(struct keyed *keyed, const char *key, const void *object);
/* Sorts by key, equal ones in the order of adding. To be called between adding and all below. */
void keyed_sort(struct keyed *keyed);
/* The object that was first added under the key, or null. */
const void *keyed_find(const struct keyed *keyed, const char *key);
/* Calls back for each object whose key an earlier one has, with the earliest. */
void keyed_each_repeated(const struct keyed *keyed,
                         void (*report)(void *aux, const void *object, const void *first),
                         void *aux);

#endif
