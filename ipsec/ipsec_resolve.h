/* ipsec_resolve.h - DNS names to addresses in the background, by the C library's own asynchronous
 * resolver (getaddrinfo_a(3)).
 *
 * A name is looked up when it is first asked for and again every RESOLVE_MS, or RESOLVE_RETRY_MS
 * while it has no address. A name that does not resolve any more keeps its last addresses. */
#ifndef IPSEC_RESOLVE_H
#define IPSEC_RESOLVE_H

#include "model/addr.h"

#include <stdbool.h>
#include <stddef.h>

enum { RESOLVE_MS = 20000, RESOLVE_RETRY_MS = 5000, RESOLVE_CHECK_MS = 50, RESOLVE_NAMES = 1024 };

struct resolver;

struct resolver *resolver_new(void);
/* Lookups that are under way are left to end by themselves. Null is fine. */
void resolver_free(struct resolver *resolver);
/* Up to `size` addresses of a name; 0: not known (yet). */
size_t resolver_ask(struct resolver *resolver, const char *text, struct addr *ret_addrs,
                    size_t size);
/* Takes in results and starts what is due. Whether the addresses of any name changed. */
bool resolver_run(struct resolver *resolver);
void resolver_wait(const struct resolver *resolver);

#endif
