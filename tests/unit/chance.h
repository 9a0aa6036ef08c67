/* chance.h - numbers by chance that are the same in each run: a seed tells all that follows. */
#ifndef UNIT_CHANCE_H
#define UNIT_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state; /* the seed */
};

/* Less than n, which is not 0 (Knuth's linear congruential generator, upper bits). */
static inline unsigned int chance_below(struct chance *chance, unsigned int n)
{
    chance->state = chance->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned int)(chance->state >> 33) % n;
}

/* One of so many words. */
static inline const char *chance_word(struct chance *chance, const char *const *words,
                                      unsigned int n)
{
    return words[chance_below(chance, n)];
}

#endif
