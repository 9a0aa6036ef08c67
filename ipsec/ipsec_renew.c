/* Settings that are loaded hold for IKE SAs that are made from then on, and a rekey keeps those
 * that its SA was made with. So when the SAs of a tunnel that we initiate are rekeyed next after a
 * change, another IKE SA is made beside them with what is loaded now, which takes over (both have
 * the same if_id, and the kernel sends by the newest), and a while later the old ones end. Unlike a
 * rekey this may lose what the other end sends by the new SA in the moment before we have it. If
 * the other end does not agree the old ones stay, and it is tried again at the next rekey. The
 * time in the mark tells a routerd that was not there which SAs are older than their settings. */
#include "ipsec/ipsec_internal.h"

#include "log/log.h"

#include <lib/timeval.h>
#include <stdlib.h>

enum {
    REPLACE_MS = 30000, /* an attempt is over */
    /* Until the other end sends by the new one and what it sent before has come in; charon has as
     * much patience with a rekeyed one (charon.delete_rekeyed_delay). */
    END_OLD_MS = 5000,
};

void keeper_outdated(struct ipsec *ipsec, uint32_t id)
{
    struct kept *kept = keeper_find(ipsec, id);

    if (kept && kept->up) {
        kept->outdated = true;
        kept->replace_ms = 0;
    }
}

void keeper_rekeyed(struct ipsec *ipsec, uint32_t id)
{
    struct kept *kept = keeper_find(ipsec, id);
    const struct ipsec_conn *conn = ipsec_find_conn(&ipsec->seen, id);
    struct vici_writer writer;
    char name[IPSEC_NAME_TEXT];

    if (!kept || !kept->up || !kept->outdated || !conn || !conn->initiate ||
        (kept->replace_ms && time_msec() < kept->replace_ms + REPLACE_MS)) {
        return;
    }
    log_line(LOG_LEVEL_INFO, "ipsec", "%s: SAs with the settings of now are made beside its own",
             ipsec_name(id, name));
    vici_begin(&writer, VICI_CMD_REQUEST, "initiate");
    vici_key(&writer, "child", name);
    vici_key(&writer, "ike", name);
    vici_key(&writer, "timeout", "-1");
    link_request(ipsec->sas, &writer, NULL, NULL);
    kept->replace_ms = time_msec();
}

static void terminate(struct ipsec *ipsec, const struct ipsec_sa *sa)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, "terminate");
    vici_key_printf(&writer, "ike-id", "%u", sa->ike_id);
    vici_key(&writer, "timeout", "-1");
    link_request(ipsec->sas, &writer, NULL, NULL);
}

/* SAs of one id are sorted by charon's number, which grows. */
const struct ipsec_sa *renew_youngest(const struct ipsec_seen *seen, uint32_t id, size_t *ret_n)
{
    const struct ipsec_sa *found = NULL;

    *ret_n = 0;
    for (const struct ipsec_sa *sa = ipsec_find_sa(seen, id); sa; sa = ipsec_next_sa(seen, sa)) {
        if (sa->established && sa->n_installed > 0) {
            found = sa;
            ++*ret_n;
        }
    }
    return found;
}

void renew_seen(struct ipsec *ipsec, struct kept *kept)
{
    size_t n;

    renew_youngest(&ipsec->seen, kept->id, &n);
    if (kept->replace_ms && n >= 2 && time_msec() < kept->replace_ms + REPLACE_MS) {
        kept->replace_ms = 0;
        kept->outdated = false;
        kept->end_old_ms = time_msec() + END_OLD_MS;
        keeper_wake(ipsec, kept->end_old_ms);
    }
}

void renew_run(struct ipsec *ipsec, struct kept *kept)
{
    size_t n;
    const struct ipsec_sa *keep = renew_youngest(&ipsec->seen, kept->id, &n);

    if (time_msec() < kept->end_old_ms) {
        keeper_wake(ipsec, kept->end_old_ms);
        return;
    }
    kept->end_old_ms = 0;
    for (const struct ipsec_sa *sa = ipsec_find_sa(&ipsec->seen, kept->id); sa && n >= 2;
         sa = ipsec_next_sa(&ipsec->seen, sa)) {
        if (sa != keep && sa->n_installed > 0) {
            terminate(ipsec, sa);
        }
    }
}
