/* What of a pool may be given out: ranges less holes, as sorted and disjoint intervals. */
#include "model/checker.h"

#include <stdlib.h>
#include <string.h>

static int compare_ranges(const void *a_, const void *b_)
{
    const struct addr_range *a = a_, *b = b_;
    int order = addr_cmp(&a->first, &b->first);

    return order ? order : addr_cmp(&a->last, &b->last);
}

/* Sorts and joins what overlaps, in place; returns how many are left. */
static size_t merge(struct addr_range *ranges, size_t n)
{
    size_t kept = 0;

    if (n) {
        qsort(ranges, n, sizeof *ranges, compare_ranges);
    }
    for (size_t i = 0; i < n; i++) {
        struct addr_range *last = kept ? &ranges[kept - 1] : NULL;

        if (!last || addr_cmp(&ranges[i].first, &last->last) > 0) {
            ranges[kept++] = ranges[i];
        } else if (addr_cmp(&ranges[i].last, &last->last) > 0) {
            last->last = ranges[i].last;
        }
    }
    return kept;
}

static struct addr step(const struct addr *addr, int by)
{
    return addr_of_number(addr->family, addr_to_number(addr) + (addr_number)(__int128)by);
}

/* Adds what is left of a range without the holes, which are sorted and disjoint. */
static void add_rest(struct pool_family *family, struct addr_range range,
                     const struct addr_range *holes, size_t n_holes)
{
    for (size_t i = 0; i < n_holes; i++) {
        if (addr_cmp(&holes[i].last, &range.first) < 0) {
            continue;
        }
        if (addr_cmp(&holes[i].first, &range.last) > 0) {
            break;
        }
        if (addr_cmp(&holes[i].first, &range.first) > 0) {
            family->usable[family->n_usable++] =
                (struct addr_range){range.first, step(&holes[i].first, -1)};
        }
        if (addr_cmp(&holes[i].last, &range.last) >= 0) {
            return;
        }
        range.first = step(&holes[i].last, 1);
    }
    family->usable[family->n_usable++] = range;
}

static uint64_t saturating_add(uint64_t a, addr_number b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + (uint64_t)b;
}

void pool_family_set_usable(struct arena *arena, struct pool_family *family,
                            const struct addr_range *ranges, size_t n_ranges,
                            struct addr_range *holes, size_t n_holes)
{
    const struct addr_range whole = {prefix_first(&family->prefix), prefix_last(&family->prefix)};
    size_t n_base = n_ranges ? n_ranges : 1;
    struct addr_range *base = arena_calloc(arena, n_base, sizeof *base);

    memcpy(base, n_ranges ? ranges : &whole, n_base * sizeof *base);
    n_base = merge(base, n_base);
    n_holes = merge(holes, n_holes);
    family->usable = arena_calloc(arena, n_base + n_holes, sizeof *family->usable);
    for (size_t i = 0; i < n_base; i++) {
        add_rest(family, base[i], holes, n_holes);
    }
    for (size_t i = 0; i < family->n_usable; i++) {
        addr_number more =
            addr_to_number(&family->usable[i].last) - addr_to_number(&family->usable[i].first);

        family->capacity = saturating_add(saturating_add(family->capacity, more), 1);
    }
}

bool pool_family_has(const struct pool_family *family, const struct addr *addr)
{
    size_t low = 0, high = family->n_usable;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (addr_cmp(&family->usable[middle].first, addr) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low && addr_cmp(addr, &family->usable[low - 1].last) <= 0 &&
           addr->family == family->prefix.addr.family;
}

const struct pool_family *pool_find_family(const struct pool *pool, int family)
{
    for (size_t i = 0; i < pool->n_families; i++) {
        if (pool->families[i].prefix.addr.family == family) {
            return &pool->families[i];
        }
    }
    return NULL;
}

const struct pool *network_find_pool(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        if (!strcmp(network->pools[i].name, name)) {
            return &network->pools[i];
        }
    }
    return NULL;
}
