/* bgp_want_parts.h - what bgp_want.c and bgp_policy_want.c share; nobody else includes it. Pure. */
#ifndef BGP_BGP_WANT_PARTS_H
#define BGP_BGP_WANT_PARTS_H

#include "bgp/bgp_want.h"

struct want {
    struct bgp_state *state;
    const char *tenant;
    const struct network *network; /* the one at hand */
    const struct bgp_passwords *passwords;
    /* the policies so far, hashed by digest, so that each is there once */
    struct bgp_policy **slots;
    size_t n_slots; /* a power of two */
};

/* Fills in what one address family of the peer refers to; `index` is the family's. */
void want_policies(struct want *want, const struct peer *peer, size_t index,
                   struct bgp_family *wanted);

#endif
