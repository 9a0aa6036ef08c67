#include "net/sorted.h"

#include <stdlib.h>
#include <string.h>

/* The first of `n` that does not go before the item. */
static size_t place_of(void *const *items, size_t n, void *const *item, sorted_cmp *cmp)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cmp(&items[middle], item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* From the end, so that each of the old ones moves only once. */
void *sorted_add(void *array, size_t n, const void *added, size_t n_added, sorted_cmp *cmp)
{
    void **items = reallocarray(array, n + n_added + 1, sizeof *items);
    void *const *more = added;
    if (!items)
        abort();
    for (size_t i = n_added; i-- > 0;) {
        size_t place = place_of(items, n, &more[i], cmp);
        memmove(items + place + i + 1, items + place, (n - place) * sizeof *items);
        items[place + i] = more[i];
        n = place;
    }
    return items;
}

size_t sorted_remove(void *array, size_t n, const void *removed, size_t n_removed)
{
    void **items = array;
    void *const *gone = removed;
    size_t kept = 0, n_gone = 0;
    for (size_t i = 0; i < n; i++) {
        if (n_gone < n_removed && items[i] == gone[n_gone])
            n_gone++;
        else
            items[kept++] = items[i];
    }
    return kept;
}

void *sorted_match(const void *a, size_t n_a, const void *b, size_t n_b, sorted_cmp *cmp)
{
    void *const *left = a, *const *right = b;
    void **found = calloc(n_a + n_b + 1, sizeof *found);
    size_t i = 0, j = 0;
    if (!found)
        abort();
    while (i < n_a || j < n_b) {
        int order = i == n_a ? 1 : j == n_b ? -1 : cmp(&left[i], &right[j]);
        if (order == 0) {
            found[i] = right[j];
            found[n_a + j] = left[i];
        } else if (order > 0 && i > 0 && cmp(&left[i - 1], &right[j]) == 0) {
            found[n_a + j] = left[i - 1]; /* another one that is equal to that */
        }
        i += order <= 0;
        j += order >= 0;
    }
    return found;
}
