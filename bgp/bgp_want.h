/* bgp_want.h - from the intended state to what bgpd should hold. Pure.
 *
 * What a tenant's topology asks for is made once and kept (tenant_parts.h), with what was read of
 * its secrets. */
#ifndef BGP_BGP_WANT_H
#define BGP_BGP_WANT_H

#include "bgp/bgp_state.h"
#include "model/tenant_parts.h"

struct bgp_passwords {
    /* Looks up the digest of a secret. On an error *ret_problem is a sentence for people, borrowed
     * until the next call; it names the secret and never holds it. */
    int (*digest)(void *aux, const char *secret, uint64_t *ret_digest, const char **ret_problem);
    /* Another number once the secret may have become another one. */
    uint64_t (*stamp)(void *aux, const char *secret);
    void *aux;
};

/* Never null; the caller frees it. It points into `intended`, which must outlive it. Each policy is
 * there once; what refers to it may refer to an equal one. */
struct bgp_state *bgp_want(const struct intended *intended, struct tenant_parts *kept,
                           const struct bgp_passwords *passwords);
/* Whether a secret has changed since it was read for what is kept. Then that is to be forgotten. */
bool bgp_want_is_stale(const struct tenant_parts *kept, const struct bgp_passwords *passwords);
/* States that were made of it stay. */
void bgp_want_forget(struct tenant_parts *kept);

#endif
