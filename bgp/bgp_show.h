/* bgp_show.h - reads what FRR's show commands say about sessions, and judges it.
 *
 * The texts are FRR's JSON and, where 8.4 has none, its tables; what is missing or of another shape
 * is taken as not known, never as an error, since every version of FRR says a little more or less.
 * Pure but for cJSON. */
#ifndef BGP_BGP_SHOW_H
#define BGP_BGP_SHOW_H

#include "bgp/bgp_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BGP_REASON_BYTES = 96 };

/* How often the peer was asked to tell its routes anew (RFC 2918), and what it has sent: UPDATEs,
 * and messages that ask us likewise or mark its answer's beginning and end (RFC 7313). */
struct bgp_talk {
    uint32_t asked, updates, marks;
};

/* A session as FRR tells of it. */
struct bgp_session {
    uint32_t network_id;
    struct addr address;
    const char *state; /* "Established", "Active", ...: static; "" if unknown */
    bool established;
    bool overflow;           /* down since the peer announced too much */
    bool shut;               /* by hand */
    bool silent;             /* it has been connected to for a while without an answer */
    int64_t connect_ms;      /* Unix time since when it is connected to; 0: it is not */
    int64_t since_ms;        /* Unix time at which it was established; 0: it is not */
    uint32_t sessions;       /* how often it was established: another number is another session */
    uint32_t received, sent; /* prefixes, of all address families */
    uint32_t queued;         /* messages, either way, that are not processed or sent yet */
    uint64_t table;          /* versions of the instance's tables of its address families, added */
    /* of each address family */
    bool families[BGP_FAMILIES]; /* it is in the session */
    uint32_t received_of[BGP_FAMILIES], sent_of[BGP_FAMILIES];
    uint64_t tables[BGP_FAMILIES];

    /* from the neighbor's details; false while not known */
    bool can_mark_end; /* it said that it sends End-of-RIB (RFC 4724) */
    bool end_received; /* it did, for each address family */

    /* Its import filter may have changed, which FRR applies to what the peer tells from then on,
     * and asks it to tell all. */
    bool refreshing;
    int64_t refresh_ms;     /* Unix time since when */
    struct bgp_talk before; /* what had been said by then */
    bool can_mark_refresh;  /* the peer marks the end of its answer (RFC 7313) */

    /* why it is down: from the list of failed neighbors */
    unsigned int error;                /* code << 8 | subcode of the last NOTIFICATION; 0: none */
    bool error_received;               /* the peer sent it, not we */
    char last[BGP_REASON_BYTES];       /* FRR's words for why it went down; "" if never */
    char error_text[BGP_REASON_BYTES]; /* FRR's words for `error` */

    bool limited[BGP_FAMILIES]; /* FRR was told to look at its number of prefixes again */

    /* our verdict, kept from one look to the next */
    bool settled;
    bool passing;           /* it could be settled if it still looks so the next time */
    uint64_t passing_table; /* at which version */
    int64_t passing_ms;     /* Unix time since when all but the table's versions was in order; 0 */
};

struct bgp_sessions {
    struct bgp_session *v; /* heap; sorted by network, then address */
    size_t n, capacity;
};

void bgp_sessions_done(struct bgp_sessions *sessions);
struct bgp_session *bgp_sessions_find(const struct bgp_sessions *sessions, uint32_t network_id,
                                      const struct addr *address);

/* "show bgp vrf all summary json". Fills in *ret_sessions, to be ended with bgp_sessions_done(),
 * with those in VRFs of ours. False if it could not be read. */
bool bgp_show_summary(const char *json, struct bgp_sessions *ret_sessions);
/* Takes over what `old` knows of the same sessions and a summary does not tell. Returns whether one
 * came or went, up or down, or the reason for it changed; *ret_details whether anything else did
 * that people see. */
bool bgp_show_carry(struct bgp_sessions *sessions, const struct bgp_sessions *old, int64_t now_ms,
                    bool *ret_details);
/* "show bgp vrf all summary failed json": adds why sessions are down. Returns whether that changed.
 */
bool bgp_show_failed(const char *json, struct bgp_sessions *sessions);
/* "show bgp vrf NAME neighbors json": adds the details of one network's sessions. */
void bgp_show_neighbors(const char *json, uint32_t network_id, struct bgp_sessions *sessions);
/* The same answer, from just before the network's filters are changed: its sessions are not settled
 * again until their peers have answered what FRR asks them then. */
void bgp_show_before(const char *json, uint32_t network_id, struct bgp_sessions *sessions,
                     int64_t now_ms);
/* "show bgp vrf NAME ipv4 unicast update-groups": whether all that the table of that version says
 * has been turned into messages for every peer. */
bool bgp_show_groups_done(const char *text, uint64_t table);
/* "show work-queues", of bgpd or zebra: whether nothing waits. */
bool bgp_show_queues_empty(const char *text);
/* "show zebra dplane": whether nothing waits for the kernel. */
bool bgp_show_dplane_empty(const char *text);
/* "show vrf" of zebra: the ids of ours that it remembers but the kernel does not have, malloc'ed
 * into *ret_ids. Returns how many. */
size_t bgp_show_lost_vrfs(const char *text, uint32_t **ret_ids);

/* A session of BFD as bfdd tells of it (RFC 5880). */
struct bgp_bfd_session {
    uint32_t network_id;
    struct addr address;
    const char *state; /* "up", "init", "down", "shutdown": static */
    char diagnostic[BGP_REASON_BYTES];
};

struct bgp_bfd_sessions {
    struct bgp_bfd_session *v; /* heap */
    size_t n, capacity;
};

void bgp_bfd_sessions_done(struct bgp_bfd_sessions *sessions);
/* Borrowed, or null. */
const struct bgp_bfd_session *bgp_bfd_sessions_find(const struct bgp_bfd_sessions *sessions,
                                                    uint32_t network_id,
                                                    const struct addr *address);
bool bgp_bfd_sessions_equal(const struct bgp_bfd_sessions *a, const struct bgp_bfd_sessions *b);
/* "show bfd peers json": fills in *ret_sessions, to be ended with bgp_bfd_sessions_done(), with
 * those in VRFs of ours. False if it could not be read. */
bool bgp_show_bfd(const char *json, struct bgp_bfd_sessions *ret_sessions);

/* How the sessions of one network look together. */
struct bgp_calm {
    bool groups_done[2]; /* IPv4, IPv6 */
    bool queues_empty;   /* of bgpd and zebra, and zebra's way to the kernel */
};

/* Judges the network's established sessions that are not settled. Returns whether one is now. */
bool bgp_show_judge(struct bgp_sessions *sessions, uint32_t network_id, const struct bgp_calm *calm,
                    int64_t now_ms);
/* They have to be judged again: their network's announcements or filters have changed. */
void bgp_show_unsettle(struct bgp_sessions *sessions, uint32_t network_id);

/* Why a session is not up, as a sentence that a person can act on, into `text`. `wanted` is its
 * peer; `vrf` its VRF's name. */
void bgp_show_reason(const struct bgp_session *session, const struct bgp_peer *wanted,
                     const char *vrf, char *text, size_t size);

#endif
