/* What of the seen state goes into a snapshot: each peer's facts, and a vote with a reason. */
#include "bgp/bgp_io.h"
#include "model/ids.h"

#include <lib/util.h>
#include <stdio.h>

#include <string.h>

enum { REASON_TEXT = 512 };

/* What is wrong with the peer's BFD, into `text`; "" if nothing is or it has none. */
static void judge_bfd(const struct bgp *bgp, const struct bgp_instance *wanted,
                      struct peer_status *peer, char *text, size_t size)
{
    const struct bgp_bfd_session *session =
        bgp_bfd_sessions_find(&bgp->bfd.sessions, wanted->network_id, &peer->address);
    char address[ADDR_TEXT];

    text[0] = '\0';
    peer->bfd_state = session ? session->state : "";
    if (bgp->bfd.problem) {
        snprintf(text, size, "it has no BFD: %s", bgp->bfd.problem);
    } else if (!session) {
        snprintf(text, size, "its BFD has not started yet");
    } else if (strcmp(session->state, "up") != 0) {
        snprintf(text, size, "BFD with %s is %s%s%s%s", addr_print(&peer->address, address),
                 session->state,
                 session->diagnostic[0] ? " (" : ": does the peer speak it on this link?",
                 session->diagnostic, session->diagnostic[0] ? ")" : "");
    }
}

/* A cloud ends a session in which it is told too much, so bgpd holds back what is over the limit.
 */
static const char *note_limit(struct arena *arena, const struct bgp_session *session,
                              const struct bgp_peer *wanted)
{
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        uint32_t limit = wanted->families[i].max_prefixes_out;

        if (limit && session->sent_of[i] >= limit) {
            return arena_printf(
                arena,
                "is told %u %s prefixes, as many as it may be: what is over that is "
                "held back; aggregate them, or announce less by `export`",
                session->sent_of[i], i == 0 ? "IPv4" : "IPv6");
        }
    }
    return NULL;
}

static void status_peer(struct bgp *bgp, struct status *status, const struct bgp_instance *wanted,
                        struct peer_status *peer)
{
    const struct bgp_instance *seen = bgp_state_find(bgp->seen, wanted->network_id);
    const struct bgp_peer *wanted_peer = bgp_instance_find(wanted, &peer->address);
    const struct bgp_session *session =
        bgp_sessions_find(&bgp->sessions, wanted->network_id, &peer->address);
    char reason[REASON_TEXT], bfd[REASON_TEXT] = "", vrf[IFNAME_TEXT];

    if (!seen || !seen->ours || !wanted_peer || !bgp_instance_find(seen, &peer->address) ||
        !session) {
        status_vote(status, &peer->object, OBJECT_PENDING, "is not configured in FRR yet");
        return;
    }
    peer->bgp_state = session->state;
    peer->prefixes_received = session->received;
    peer->prefixes_sent = session->sent;
    peer->object.note = note_limit(status->arena, session, wanted_peer);
    if (wanted_peer->bfd) {
        judge_bfd(bgp, wanted, peer, bfd, sizeof bfd);
    }
    if (session->established && session->settled) {
        peer->object.since_ms = session->since_ms;
        if (bfd[0]) {
            status_vote(status, &peer->object, OBJECT_PENDING, "Established, but %s", bfd);
        }
        return;
    }
    bgp_show_reason(session, wanted_peer, ids_vrf_name(wanted->network_id, vrf), reason,
                    sizeof reason);
    status_vote(status, &peer->object, session->established ? OBJECT_PENDING : OBJECT_DOWN,
                "%s%s%s", bfd, bfd[0] ? "; " : "", reason);
}

static void status_network(struct bgp *bgp, struct status *status, struct network_status *network,
                           enum object_state unseen, const char *away)
{
    const struct bgp_instance *wanted =
        bgp->wanted ? bgp_state_find(bgp->wanted, network->network->id) : NULL;

    for (size_t i = 0; i < network->n_peers; i++) {
        struct peer_status *peer = &network->peers[i];

        peer->bgp_state = "";
        peer->bfd_state = network->network->peers[i].bfd ? "" : NULL;
        peer->address = network->network->peers[i].address;
        peer->asn = network->network->peers[i].asn;
        if (away) {
            status_vote(status, &peer->object, unseen, "%s", away);
        } else if (!wanted) {
            status_vote(status, &peer->object, OBJECT_PENDING, "is not configured in FRR yet");
        } else {
            status_peer(bgp, status, wanted, peer);
        }
    }
}

void bgp_status(struct backend *backend, struct status *status)
{
    struct bgp *bgp = CONTAINER_OF(backend, struct bgp, up);
    const char *away = NULL;
    enum backend_health health = bgp_health(backend, &away);
    struct status_cursor cursor = {0};
    struct network_status *network;

    if (!bgp->wanted || bgp->intended != status->intended) {
        bgp_want_now(bgp, status->intended); /* else a changed secret is the next difference's */
    }
    while ((network = status_next(status, &cursor))) {
        status_network(bgp, status, network, health == BACKEND_AWAY ? OBJECT_DOWN : OBJECT_PENDING,
                       health == BACKEND_READY ? NULL : away);
    }
}
