/* bgp_want.h - from the intended state to what bgpd should hold. Pure. */
#ifndef BGP_BGP_WANT_H
#define BGP_BGP_WANT_H

#include "bgp/bgp_state.h"

/* Looks up the digest of a secret. On an error *ret_problem is a sentence for people, borrowed
 * until the next call; it names the secret and never holds it. */
typedef int bgp_password_cb(void *aux, const char *secret, uint64_t *ret_digest,
                            const char **ret_problem);

/* Never null; the caller frees it. It points into `intended`, which must outlive it. */
struct bgp_state *bgp_want(const struct intended *intended, bgp_password_cb *password, void *aux);

#endif
