/* status.h - what is seen, in the shape of what is wanted: a snapshot that the API answers reads
 * from.
 *
 * The engine makes the skeleton from the intended state (same order of tenants, networks, objects),
 * every backend fills in its facts and votes on each object that it carries a part of, the engine
 * adds what outstanding steps say, and the snapshot is published: immutable from then on, reference
 * counted, read by the API's thread. The vote: an object starts `up`; the worst vote wins, and of
 * equal ones the first, with its reason.
 *
 * A snapshot may take tenants over from the one before, as they were seen then (status_update()).
 * Their networks belong to that one and are not written to: status_next() and status_find_fresh()
 * pass them over. */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include "model/intended.h"

#include <stdbool.h>
#include <stdint.h>

enum object_state {
    OBJECT_UP,
    OBJECT_PENDING,
    OBJECT_REMOVING,
    OBJECT_DOWN,
    OBJECT_ERROR
}; /* in order of badness */

struct object_status {
    const char *name;
    enum object_state state;
    const char *reason; /* null when up */
    const char *note;   /* what people should know of it though it is up, or null */
    int64_t since_ms;   /* when it last came up, Unix time; 0: not up */
    bool creating; /* it has never been up and is being made: what it lacks is pending, not down */
};

struct segment_status {
    struct object_status object;
    char interface[16];
    const char *bridge;
};

struct tunnel_status {
    struct object_status object;
    char interface[16];
    uint32_t if_id;
    uint64_t bytes_in, bytes_out;
};

struct peer_status {
    struct object_status object;
    const char *bgp_state; /* "Established", "Active", ... (RFC 4271, 8.2.2); "" when unknown */
    const char *bfd_state; /* "up", "init", "down" (RFC 5880); "" when unknown; null: it has none */
    struct addr address;
    uint32_t asn;
    uint32_t prefixes_received, prefixes_sent;
};

/* The network's way to the outside. */
struct egress_status {
    struct object_status object; /* named by its uplink */
    const char *interface;
    struct addr addresses[2]; /* that sources get, IPv4 first; no family: none */
    struct addr gateways[2];  /* the next hops in use; likewise */
    bool routed[2];           /* whether there is a default route, by a next hop or by the link */
};

struct network_status {
    struct object_status object;
    const struct network *network;
    char vrf[16];
    uint32_t table;
    struct segment_status *segments;
    size_t n_segments;
    struct tunnel_status *tunnels;
    size_t n_tunnels;
    struct peer_status *peers;
    size_t n_peers;
    struct egress_status *egress; /* null: none */
    uint64_t nodes_allocated;
};

struct tenant_status {
    const char *name;
    uint64_t generation; /* in force, durable */
    uint64_t applied;    /* the newest whose every step was carried out and read back */
    bool converged;
    int64_t confirm_until_ms; /* Unix time until which it awaits confirmation; 0: it does not */
    uint64_t confirm_back;    /* the generation that it would be rolled back to */
    struct network_status *networks; /* in the order of the intended state */
    size_t n_networks;
    const struct status *home; /* whose the networks are, a reference; null: this snapshot's */
};

struct backend_status {
    const char *name;
    bool answers;
    const char *reason; /* when it does not; or what it lacks though it does; else null */
    bool opening;       /* it does not yet, and it is too early to say more */
};

struct status {
    struct arena *arena;
    unsigned int refs;
    const struct intended *intended; /* a reference is held */
    int64_t time_ms;
    bool is_read; /* the state database, once: who is not among the tenants has no topology */
    struct tenant_status *tenants; /* in the order of intended->tenants */
    size_t n_tenants;
    struct backend_status *backends;
    size_t n_backends;
};

/* A skeleton in which everything is up and nothing is known; one reference, the caller's. */
struct status *status_new(const struct intended *intended);
/* The same, but tenants that are not `fresh` are taken over from `last`, if they have the same
 * topology and configuration there. */
struct status *status_update(const struct status *last, const struct intended *intended,
                             bool (*fresh)(const struct intended_tenant *tenant, const void *aux),
                             const void *aux);
struct status *status_ref(const struct status *status);
void status_unref(struct status *status); /* null is fine */

/* The networks that are to be filled in, one after the other, then null. Start from zeroes. */
struct status_cursor {
    size_t tenant, network;
};
struct network_status *status_next(struct status *status, struct status_cursor *cursor);

/* Votes on an object; the reason (one sentence, no secret) is printed into the snapshot's arena. */
void status_vote(struct status *status, struct object_status *object, enum object_state state,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Finds an object by its path ("genome/peer/aws"; "genome/route/..." NETWORK/egress and
 * anything unknown inside a known network give the network), or null. */
struct object_status *status_find(struct status *status, const char *tenant, const char *object);
/* The same, to vote on it: null if its tenant was taken over. */
struct object_status *status_find_fresh(struct status *status, const char *tenant,
                                        const char *object);
const struct tenant_status *status_find_tenant(const struct status *status, const char *tenant);
const struct network_status *tenant_status_find(const struct tenant_status *tenant,
                                                const char *network);
const char *object_state_name(enum object_state state);

#endif
