/* ipsec_env.h - what the machine knows and a connection depends on: addresses of uplinks, secret
 * files, DNS names.
 *
 * Keeps what was asked for once (struct ipsec_facts, ipsec_want.h) fresh: addresses by netlink's
 * notices, files by a stat() every ENV_POLL_MS, names by looking them up again. Asking never
 * blocks. An uplink keeps the address that was chosen for as long as the interface has it; at first
 * one that a loaded connection uses is chosen, else the interface's first that is not link-local.
 * charon is given addresses and no names, since it would look names up while it holds the lock that
 * all its other work waits for. */
#ifndef IPSEC_ENV_H
#define IPSEC_ENV_H

#include "ipsec/ipsec_want.h"

enum { ENV_POLL_MS = 400 };

struct ipsec_env;

/* `seen` is borrowed for the environment's life and read when an address is chosen. */
struct ipsec_env *ipsec_env_new(const struct ipsec_seen *seen);
void ipsec_env_free(struct ipsec_env *env); /* null is fine */
struct ipsec_facts ipsec_env_facts(struct ipsec_env *env);
/* Whether an answer that was given before would be another now. */
bool ipsec_env_run(struct ipsec_env *env);
void ipsec_env_wait(struct ipsec_env *env);

#endif
