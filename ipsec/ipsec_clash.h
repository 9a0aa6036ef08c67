/* ipsec_clash.h - identities of different tunnels that must not meet.
 *
 * IKE finds the secret of an exchange by the two identities alone, whatever connection, tenant or
 * address it is for, and charon moreover verifies the other end with every secret that has either
 * of the two among its owners. So that one tenant can neither break nor enter another's tunnel:
 *
 * - identities are exact; patterns, which would fit somebody else's, are refused;
 * - a secret is owned by the remote identity alone, not by ours, which many tunnels share. Only
 * where several tunnels have the same remote identity and different secrets our own identity is
 * needed too, to tell them apart;
 * - tunnels with the same two identities must have the same secret;
 * - no identity is one tunnel's remote and another's local one.
 *
 * Certificates need none of that: a connection is only entered by who proves its remote identity
 * with a certificate of its own authority.
 *
 * Of two that clash the one that is loaded stays, else the one with the lower id, which is the
 * older one. Pure. */
#ifndef IPSEC_CLASH_H
#define IPSEC_CLASH_H

#include "ipsec/ipsec_want.h"

/* Whether a text is an identity that stands for one party only: an address, a name, name@name, or a
 * distinguished name. */
bool ipsec_identity_exact(const char *id);
/* Refuses the tunnels that clash, and sets secret_narrow where it is needed. */
void ipsec_clash(struct ipsec_wanted *wanted, const struct ipsec_seen *seen);
/* Sets a refusal with its reason, unless there is one of that rank already. */
void ipsec_refuse(struct arena *arena, struct ipsec_tunnel *tunnel, enum ipsec_refusal refusal,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
