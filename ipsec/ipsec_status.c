#include "ipsec/ipsec_internal.h"

#include "ipsec/ipsec_want.h"

static void add_bytes(const struct ipsec_seen *seen, uint32_t id, struct tunnel_status *status)
{
    const struct ipsec_sa *sa = ipsec_find_sa(seen, id);

    for (; sa; sa = ipsec_next_sa(seen, sa)) {
        status->bytes_in += sa->bytes_in;
        status->bytes_out += sa->bytes_out;
    }
}

static const char *remote_of(const struct ipsec_tunnel *tunnel)
{
    return tunnel->conn.remote_addrs ? tunnel->conn.remote_addrs : tunnel->conn.remote_id;
}

/* "the secret sakura-psk" or "the certificate vr1". */
static const char *own_of(const struct ipsec_tunnel *tunnel, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s %s", tunnel->secret_name ? "the secret" : "the certificate",
             tunnel->secret_name ? tunnel->secret_name : tunnel->files.certificate);
    return buffer;
}

/* A connection that is loaded. */
static void vote_loaded(struct status *status, struct object_status *object,
                        const struct ipsec_tunnel *tunnel, const struct kept *kept)
{
    char text[300], own[96];

    if (kept->up && kept->trouble == TROUBLE_NONE) {
        object->since_ms = kept->up_since_ms;
    } else if (kept->trouble != TROUBLE_NONE) {
        ipsec_trouble_text(kept->trouble, remote_of(tunnel), own_of(tunnel, own, sizeof own), text,
                           sizeof text);
        status_vote(status, object, OBJECT_DOWN, "%s", text);
    } else if (!tunnel->conn.initiate) {
        status_vote(status, object, OBJECT_PENDING, "waiting for %s to initiate the tunnel",
                    remote_of(tunnel));
    } else {
        ipsec_trouble_text(TROUBLE_NONE, remote_of(tunnel), own_of(tunnel, own, sizeof own), text,
                           sizeof text);
        status_vote(status, object, OBJECT_PENDING, "%s", text);
    }
}

static void fill_tunnel(struct ipsec *ipsec, struct status *status, struct tunnel_status *fill,
                        const struct ipsec_tunnel *tunnel)
{
    const struct kept *kept = keeper_find(ipsec, tunnel->conn.id);

    fill->if_id = tunnel->conn.id;
    if (ipsec->sync.stage != SYNC_READY) {
        status_vote(status, &fill->object, ipsec->sync.was_away ? OBJECT_DOWN : OBJECT_PENDING,
                    "%s", ipsec->sync.was_away ? ipsec->sync.reason : "connecting to charon");
        return;
    }
    add_bytes(&ipsec->seen, tunnel->conn.id, fill);
    if (tunnel->refusal == IPSEC_NEVER) {
        status_vote(status, &fill->object, OBJECT_ERROR, "%s", tunnel->reason);
    } else if (tunnel->refusal == IPSEC_NOT_YET && !(kept && kept->up)) {
        status_vote(status, &fill->object, OBJECT_DOWN, "%s", tunnel->reason);
    } else if (!kept) {
        status_vote(status, &fill->object, OBJECT_PENDING, "not loaded into charon yet");
    } else {
        vote_loaded(status, &fill->object, tunnel, kept);
    }
}

static void fill_network(struct ipsec *ipsec, struct status *status,
                         const struct ipsec_wanted *wanted, struct network_status *network)
{
    for (size_t i = 0; i < network->n_tunnels; i++) {
        const struct ipsec_tunnel *tunnel =
            ipsec_wanted_find(wanted, network->network->tunnels[i].id);
        if (tunnel) {
            fill_tunnel(ipsec, status, &network->tunnels[i], tunnel);
        }
    }
}

void ipsec_fill_status(struct ipsec *ipsec, struct status *status)
{
    const struct ipsec_wanted *wanted = ipsec_wanted_for(ipsec, status->intended);
    struct status_cursor cursor = {0};
    struct network_status *network;

    ipsec->sync.counters_wanted = ipsec->seen.n_sas > 0;
    while ((network = status_next(status, &cursor))) {
        fill_network(ipsec, status, wanted, network);
    }
}
