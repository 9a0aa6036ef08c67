/* siphash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): a short keyed digest.
 *
 * For telling whether a secret changed without keeping it. It is no signature and nothing that
 * leaves the process. */
#ifndef BACKEND_SIPHASH_H
#define BACKEND_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint8_t bytes[16];
};

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t len);

#endif
