/* bgp_config.h - reads a configuration of FRR: bgpd's running one, zebra's, or the boot file.
 *
 * The text is FRR's output (`show running-config`), which people can write parts of: every byte of
 * it is accepted, and what is not understood is either foreign or an extra of an instance of ours.
 * Only BGP instances in VRFs with names of ours, and policies with our mark, are kept. Pure. */
#ifndef BGP_BGP_CONFIG_H
#define BGP_BGP_CONFIG_H

#include "bgp/bgp_state.h"

/* How passwords, and blocks of text, are digested: secret_digest(), or a test's. */
typedef uint64_t bgp_digest_cb(const void *bytes, size_t len);

/* Never null; the caller frees it. `text` need not be NUL-terminated and no part of it is kept but
 * what people wrote into lines that we would not write; never a password.
 *
 * `last` is what was made of an earlier text with the same digest, or null. Mostly it was nearly
 * the same text: what it says in a block (an instance, a policy) that is there again is taken from
 * there. Blocks are told apart by digests of their texts, so that these need not be kept: with a
 * key that nobody knows, nobody can write two of one digest. */
struct bgp_state *bgp_config_parse(const char *text, size_t len, bgp_digest_cb *digest,
                                   const struct bgp_state *last);

#endif
