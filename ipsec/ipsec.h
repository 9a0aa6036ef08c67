/* ipsec.h - the backend that keeps tunnels in strongSwan's charon, over its vici socket.
 *
 * Per tunnel one IKE connection `routerd-ID` with one child of the same name for 0.0.0.0/0 and
 * ::/0, whose SAs have the tunnel's id as if_id both ways: the xfrm interface of that if_id, which
 * net/ makes, decides what goes through. Connections are loaded with start_action none, and
 * initiated and terminated explicitly, so that loading other settings touches no SA. SAs outlive
 * us: they are charon's, and those that are found are adopted.
 *
 *   ipsec_vici.h      the wire format (pure, fuzzed)
 *   ipsec_state.h     connections, secrets and SAs as values; the mark that makes them ours
 *   ipsec_seen.h      charon's answers to those (pure, fuzzed)
 *   ipsec_draft.h     the topologies to those (pure)
 *   ipsec_want.c      the intended state and what the machine knows to those (pure)
 *   ipsec_clash.h     identities that must not meet (pure)
 *   ipsec_diff.c      wanted and seen to steps (pure)
 *   ipsec_trouble.h   charon's log to reasons (pure, fuzzed)
 *   ipsec_pki.h       certificate files, and what is wrong with them
 *   ipsec_card.h      what they hold, kept fresh
 *   ipsec_env.h       addresses of uplinks, secret files, names
 *   ipsec_link.h      a connection to the socket
 *   ipsec_internal.h  the files that do the work
 *
 * Settings that others might choose otherwise: `unique = no`, so a peer that starts anew
 * (INITIAL_CONTACT) replaces its old SA, but two ends that initiate at the same time do not delete
 * each other's; `mobike = no`, the ends of a tunnel are fixed; `dpd_action = none`, a dead peer's
 * SA is dropped and we initiate again; `keyingtries = 1`, we repeat by ourselves. When other
 * proposals or lifetimes are loaded they hold for the next IKE SA; the present one keeps what was
 * agreed, and is replaced by one beside it when it is rekeyed next (ipsec_renew.c). What "no answer
 * for N retransmits" means in seconds is charon's configuration (charon.retransmit_*). */
#ifndef IPSEC_IPSEC_H
#define IPSEC_IPSEC_H

#include "backend/backend.h"

extern const struct backend_class ipsec_backend_class;

#endif
