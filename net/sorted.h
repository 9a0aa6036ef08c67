/* sorted.h - sorted arrays of pointers to which a few elements come, and from which a few go, at a
 * time, where a sweep moves pointers and looks at next to none of what stays; and what two of them
 * have in common. Inside net only, pure. */
#ifndef NET_SORTED_H
#define NET_SORTED_H

#include <stddef.h>

/* As for qsort(). */
typedef int sorted_cmp(const void *a, const void *b);

/* Puts the sorted `added` into the malloc()ed array of `n`, in front of what is equal. Returns the
 * array, which may have moved; never null. */
void *sorted_add(void *array, size_t n, const void *added, size_t n_added, sorted_cmp *cmp);
/* Takes out the very pointers of `removed`, which are there in the same order. Returns how many
 * stay. */
size_t sorted_remove(void *array, size_t n, const void *removed, size_t n_removed);

/* For each element of `a` one of `b` that is equal, or null, and behind these likewise for each of
 * `b`: as by looking for one after the other, in one walk. In `a` all differ. malloc()ed; never
 * null. */
void *sorted_match(const void *a, size_t n_a, const void *b, size_t n_b, sorted_cmp *cmp);

#endif
