/* When a session counts as up, and what to say when it does not.
 *
 * Established is too early: the peer has still to tell its routes and we have to pass them on. A
 * session is settled when the peer has marked the end of its routes (or has had time, if it
 * cannot), has told them again if the import filter has changed since, everything that the table
 * says has been sent to every peer of the network, and bgpd and zebra have nothing left to do; and
 * when all that is so twice in a row at one version of the table, which leaves what is under way
 * between the daemons the time to arrive. Once settled it stays so until it goes down or its
 * network is changed. */
#include "bgp/bgp_show.h"

#include <stdio.h>
#include <string.h>

enum {
    END_MISSING_MS = 3000,   /* a peer that cannot mark the end: it has had the time to say all */
    END_OVERDUE_MS = 30000,  /* one that said it would, and does not */
    TABLE_OVERDUE_MS = 5000, /* the rest is in order but versions or queues never meet */
};

/* NOTIFICATION codes, RFC 4271 4.5, RFC 4486 */
enum {
    ERROR_OPEN = 2,
    ERROR_HOLD_TIMER = 4,
    ERROR_CEASE = 6,
    ERROR_BAD_AS = 0x0202,
    ERROR_BAD_ID = 0x0203,
    ERROR_MAX_PREFIXES = 0x0601,
    ERROR_SHUTDOWN = 0x0602,
    ERROR_DECONFIGURED = 0x0603,
    ERROR_CONFIG_CHANGE = 0x0606,
};

static bool has_told(const struct bgp_session *session, int64_t now_ms)
{
    int64_t age_ms = now_ms - session->since_ms;

    return session->end_received ||
           age_ms >= (session->can_mark_end ? END_OVERDUE_MS : END_MISSING_MS);
}

static bool has_told_anew(const struct bgp_session *session, int64_t now_ms)
{
    return !session->refreshing ||
           now_ms - session->refresh_ms >=
               (session->can_mark_refresh ? END_OVERDUE_MS : END_MISSING_MS);
}

/* Looks at one session. Returns whether it is settled now. */
static bool judge(struct bgp_session *session, bool calm, int64_t now_ms)
{
    if (!has_told(session, now_ms) || !has_told_anew(session, now_ms)) {
        session->passing = false;
        session->passing_ms = 0;
        return false;
    }
    if (!session->passing_ms) {
        session->passing_ms = now_ms;
    }
    if (!calm && now_ms - session->passing_ms < TABLE_OVERDUE_MS) {
        session->passing = false;
        return false;
    }
    session->settled = session->passing && (session->passing_table == session->table || !calm);
    session->passing = true;
    session->passing_table = session->table;
    return session->settled;
}

bool bgp_show_judge(struct bgp_sessions *sessions, uint32_t network_id, const struct bgp_calm *calm,
                    int64_t now_ms)
{
    bool all_calm = calm->queues_empty && calm->groups_done[0] && calm->groups_done[1];
    bool settled = false;

    for (size_t i = 0; i < sessions->n; i++) {
        const struct bgp_session *session = &sessions->v[i];

        if (session->network_id == network_id && session->established) {
            all_calm &= !session->queued;
        }
    }
    for (size_t i = 0; i < sessions->n; i++) {
        struct bgp_session *session = &sessions->v[i];

        if (session->network_id == network_id && session->established && !session->settled) {
            settled |= judge(session, all_calm, now_ms);
        }
    }
    return settled;
}

void bgp_show_unsettle(struct bgp_sessions *sessions, uint32_t network_id)
{
    for (size_t i = 0; i < sessions->n; i++) {
        if (sessions->v[i].network_id == network_id) {
            sessions->v[i].settled = sessions->v[i].passing = false;
            sessions->v[i].passing_ms = 0;
        }
    }
}

/* What the last NOTIFICATION says, if it still explains anything. False if it does not. */
static bool explain_error(const struct bgp_session *session, const struct bgp_peer *wanted,
                          const char *peer, char *text, size_t size)
{
    const char *who = session->error_received ? "the peer" : "routerd's side";

    if (session->error == ERROR_BAD_AS && session->error_received) {
        snprintf(text, size, "%s expects another AS number of this router (Bad Peer AS)", peer);
    } else if (session->error == ERROR_BAD_AS) {
        snprintf(text, size, "%s says that it is of another AS than %u (Bad Peer AS)", peer,
                 wanted->asn);
    } else if (session->error == ERROR_BAD_ID) {
        snprintf(text, size, "%s and this router have the same router id", peer);
    } else if (session->error >> 8 == ERROR_OPEN) {
        snprintf(text, size, "%s refused the session with %s: %s", who, peer, session->error_text);
    } else if (session->error == ERROR_SHUTDOWN || session->error == ERROR_DECONFIGURED) {
        if (!session->error_received) {
            return false;
        }
        snprintf(text, size, "%s is shut down or removed at its side (%s)", peer,
                 session->error_text);
    } else if (session->error >> 8 == ERROR_CEASE && session->error_received) {
        snprintf(text, size, "%s closed the session: %s", peer, session->error_text);
    } else {
        return false;
    }
    return true;
}

/* The session has no TCP connection. */
static void explain_silence(const struct bgp_session *session, const struct bgp_peer *wanted,
                            const char *peer, char *text, size_t size)
{
    const char *remedy = wanted->password == BGP_PASSWORD_NONE
                             ? "is it reachable, and does it speak BGP?"
                             : "is it reachable, and is its password the same?";
    bool expired = session->error >> 8 == ERROR_HOLD_TIMER;

    snprintf(text, size, "no TCP connection to %s%s: %s", peer,
             expired ? " since it fell silent (hold timer expired)" : "", remedy);
}

/* The limit that was exceeded, as far as can be said. */
static uint32_t max_prefixes(const struct bgp_peer *wanted)
{
    return wanted->families[wanted->families[0].active ? 0 : 1].max_prefixes;
}

void bgp_show_reason(const struct bgp_session *session, const struct bgp_peer *wanted,
                     const char *vrf, char *text, size_t size)
{
    char peer[ADDR_TEXT];

    addr_print(&wanted->address, peer);
    if (session->established) {
        snprintf(text, size, "Established, exchanging routes");
    } else if (session->overflow) {
        snprintf(
            text, size,
            "%s announced more than %u prefixes (maximum prefixes exceeded); it is tried again "
            "after %u minutes, or when its import is changed",
            peer, max_prefixes(wanted), BGP_RESTART_MIN);
    } else if (session->shut) {
        snprintf(text, size, "the session is shut down by hand in FRR");
    } else if (!session->silent && explain_error(session, wanted, peer, text, size)) {
        return;
    } else if (!strcmp(session->state, "OpenSent") || !strcmp(session->state, "OpenConfirm")) {
        snprintf(text, size, "%s is connected and has not agreed to the session yet", peer);
    } else if (strstr(session->last, "NHT") || strstr(session->last, "nexthop")) {
        snprintf(text, size, "%s has no route to %s: is the interface of its segment or tunnel up?",
                 vrf, peer);
    } else {
        explain_silence(session, wanted, peer, text, size);
    }
}
