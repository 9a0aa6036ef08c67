/* What of the seen state goes into a snapshot: each peer's facts, and a vote with a reason. */
#include "bgp/bgp_io.h"
#include "model/ids.h"

#include <lib/util.h>
#include <stdio.h>

enum { REASON_TEXT = 512 };

static void status_peer(struct bgp *bgp, struct status *status, const struct bgp_instance *wanted,
                        struct peer_status *peer)
{
    const struct bgp_instance *seen = bgp_state_find(bgp->seen, wanted->network_id);
    const struct bgp_peer *wanted_peer = bgp_instance_find(wanted, &peer->address);
    const struct bgp_session *session =
        bgp_sessions_find(&bgp->sessions, wanted->network_id, &peer->address);
    char reason[REASON_TEXT], vrf[IFNAME_TEXT];

    if (!seen || !seen->ours || !wanted_peer || !bgp_instance_find(seen, &peer->address) ||
        !session) {
        status_vote(status, &peer->object, OBJECT_PENDING, "is not configured in FRR yet");
        return;
    }
    peer->bgp_state = session->state;
    peer->prefixes_received = session->received;
    peer->prefixes_sent = session->sent;
    if (session->established && session->settled) {
        peer->object.since_ms = session->since_ms;
        return;
    }
    bgp_show_reason(session, wanted_peer, ids_vrf_name(wanted->network_id, vrf), reason,
                    sizeof reason);
    status_vote(status, &peer->object, session->established ? OBJECT_PENDING : OBJECT_DOWN, "%s",
                reason);
}

static void status_network(struct bgp *bgp, struct status *status, struct network_status *network,
                           enum object_state unseen, const char *away)
{
    const struct bgp_instance *wanted =
        bgp->wanted ? bgp_state_find(bgp->wanted, network->network->id) : NULL;

    for (size_t i = 0; i < network->n_peers; i++) {
        struct peer_status *peer = &network->peers[i];

        peer->bgp_state = "";
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

    bgp_want_now(bgp, status->intended);
    for (size_t i = 0; i < status->n_tenants; i++) {
        for (size_t j = 0; j < status->tenants[i].n_networks; j++) {
            struct network_status *network = &status->tenants[i].networks[j];

            if (network->network) {
                status_network(bgp, status, network,
                               health == BACKEND_AWAY ? OBJECT_DOWN : OBJECT_PENDING,
                               health == BACKEND_READY ? NULL : away);
            }
        }
    }
}
