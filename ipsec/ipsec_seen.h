/* ipsec_seen.h - reading charon's answers and events into ipsec_state.h's objects.
 *
 * Pure: packets in, objects out; fuzzed. Everything that is not of our names is passed over. */
#ifndef IPSEC_SEEN_H
#define IPSEC_SEEN_H

#include "ipsec/ipsec_state.h"
#include "ipsec/ipsec_vici.h"

/* Frees what the seen state owns and empties it. */
void ipsec_seen_done(struct ipsec_seen *seen);
/* Forget the connections / the secrets / the keys / the SAs (of one id; 0: all), to be read anew.
 */
void ipsec_seen_clear_conns(struct ipsec_seen *seen);
void ipsec_seen_clear_secrets(struct ipsec_seen *seen);
void ipsec_seen_clear_keys(struct ipsec_seen *seen);
void ipsec_seen_clear_sas(struct ipsec_seen *seen, uint32_t id);

/* Read a list-conn event, the answers to get-shared, get-keys and get-algorithms, a list-sa event.
 * 0, or -EBADMSG. Arrays are sorted by ipsec_seen_sort() only. */
int ipsec_seen_conn(struct ipsec_seen *seen, const struct vici_packet *packet);
int ipsec_seen_secrets(struct ipsec_seen *seen, const struct vici_packet *packet);
int ipsec_seen_keys(struct ipsec_seen *seen, const struct vici_packet *packet);
int ipsec_seen_algorithms(struct ipsec_seen *seen, const struct vici_packet *packet);
int ipsec_seen_sa(struct ipsec_seen *seen, const struct vici_packet *packet);
void ipsec_seen_add_sa(struct ipsec_seen *seen, const struct ipsec_sa *sa);
void ipsec_seen_sort(struct ipsec_seen *seen);
/* Puts the connection / the SAs that `fresh` has of an id, or none, in the place of those that are
 * there. Both are sorted, and `fresh` stays as it is. */
void ipsec_seen_take_conn(struct ipsec_seen *seen, const struct ipsec_seen *fresh, uint32_t id);
void ipsec_seen_take_sas(struct ipsec_seen *seen, const struct ipsec_seen *fresh, uint32_t id);

/* Sums of digests of names, to see cheaply whether the lists are still what they were: of those of
 * our form in the answer to get-conns or get-shared and of keys in that to get-keys; of the seen
 * connections, of the seen secrets, of the seen keys. */
uint64_t ipsec_seen_names(const struct vici_packet *packet);
uint64_t ipsec_seen_conn_names(const struct ipsec_seen *seen);
uint64_t ipsec_seen_secret_names(const struct ipsec_seen *seen);
uint64_t ipsec_seen_key_names(const struct ipsec_seen *seen);
/* A digest of all that the difference and the states of tunnels depend on, so not of counters; of
 * that, the connection and the SAs of an id alone; and the secrets and keys alone. */
uint64_t ipsec_seen_digest(const struct ipsec_seen *seen);
uint64_t ipsec_seen_digest_id(const struct ipsec_seen *seen, uint32_t id);
uint64_t ipsec_seen_digest_secrets(const struct ipsec_seen *seen);

/* The id of the IKE SA that an event is about (child-updown, ike-rekey, ...), or 0: not one of
 * ours. */
uint32_t ipsec_event_id(const struct vici_packet *packet);

/* A line of charon's log, from a log event. */
struct ipsec_log {
    uint32_t id;     /* 0: about none of our tunnels */
    uint32_t ike_id; /* of which IKE SA; 0: not told */
    char group[8];
    char text[512];
};
int ipsec_event_log(const struct vici_packet *packet, struct ipsec_log *ret_log);

#endif
