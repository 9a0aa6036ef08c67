#include "model/keyed.h"

#include <stdlib.h>
#include <string.h>

void keyed_add(struct keyed *keyed, const char *key, const void *object)
{
    keyed->items =
        arena_grow(keyed->arena, keyed->items, keyed->n, &keyed->capacity, sizeof *keyed->items);
    keyed->items[keyed->n] = (struct keyed_item){key, object, keyed->n};
    keyed->n++;
}

static int compare_items(const void *a_, const void *b_)
{
    const struct keyed_item *a = a_, *b = b_;
    int order = strcmp(a->key, b->key);

    return order ? order : (a->order > b->order) - (a->order < b->order);
}

void keyed_sort(struct keyed *keyed)
{
    if (keyed->n) {
        qsort(keyed->items, keyed->n, sizeof *keyed->items, compare_items);
    }
}

const void *keyed_find(const struct keyed *keyed, const char *key)
{
    size_t low = 0, high = keyed->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(keyed->items[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < keyed->n && !strcmp(keyed->items[low].key, key) ? keyed->items[low].object : NULL;
}

void keyed_each_repeated(const struct keyed *keyed,
                         void (*report)(void *aux, const void *object, const void *first),
                         void *aux)
{
    const struct keyed_item *first = NULL;

    for (size_t i = 0; i < keyed->n; i++) {
        const struct keyed_item *item = &keyed->items[i];

        if (first && !strcmp(first->key, item->key)) {
            report(aux, item->object, first->object);
        } else {
            first = item;
        }
    }
}
