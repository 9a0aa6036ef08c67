#include "ipsec/ipsec_internal.h"

#include "log/log.h"

#include <lib/random.h>
#include <lib/timeval.h>
#include <limits.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

/* Initiating is no step of a plan: it goes on for as long as a connection is loaded whose mark says
 * so, and what is loaded is seen, also after our restart. */

enum {
    /* An attempt that hears nothing for so long is begun anew: charon's own repetitions grow apart
     * to more than a minute. */
    ATTEMPT_MS = 30000,
    /* From one beginning to the next, doubled each time. */
    BACKOFF_MIN_MS = 1000,
    BACKOFF_MAX_MS = 30000,
    /* So many attempts may be fresh, that is begun, or heard of from the other end, within so long.
     * The others only wait, and cost nothing. */
    FRESH_LIMIT = 20,
    FRESH_MS = 2000,
    /* Requests under way beside an initiation, so that lists of SAs get through between them. */
    QUEUE_LIMIT = 4,
    /* Retransmits without an answer after which an SA is not called up any more. */
    SILENT_LIMIT = 2,
    JITTER_MS = 250,
    /* Ages of SAs come in whole seconds. */
    CLOCK_S = 2,
};

struct kept *keeper_find(const struct ipsec *ipsec, uint32_t id)
{
    struct kept *kept;

    HMAP_FOR_EACH_WITH_HASH(kept, node, id, &ipsec->keeper.tunnels) {
        if (kept->id == id) {
            return kept;
        }
    }
    return NULL;
}

void keeper_wake(struct ipsec *ipsec, long long when_ms)
{
    if (when_ms < ipsec->keeper.next_ms) {
        ipsec->keeper.next_ms = when_ms;
    }
}

static void set_trouble(struct ipsec *ipsec, struct kept *kept, enum ipsec_trouble trouble)
{
    if (kept->trouble != trouble) {
        kept->trouble = trouble;
        ipsec->changed = true;
    }
}

void keeper_init(struct ipsec *ipsec)
{
    hmap_init(&ipsec->keeper.tunnels);
    ipsec->keeper.next_ms = LLONG_MAX;
}

static void drop(struct ipsec *ipsec, struct kept *kept)
{
    hmap_remove(&ipsec->keeper.tunnels, &kept->node);
    free(kept);
}

void keeper_reset(struct ipsec *ipsec)
{
    struct kept *kept, *next;

    HMAP_FOR_EACH_SAFE(kept, next, node, &ipsec->keeper.tunnels) {
        drop(ipsec, kept);
    }
}

void keeper_done(struct ipsec *ipsec)
{
    keeper_reset(ipsec);
    hmap_destroy(&ipsec->keeper.tunnels);
}

/* ---------------------------------------------------------------- attempts */

static long long backoff_ms(const struct kept *kept)
{
    long long backoff = BACKOFF_MIN_MS;

    for (unsigned int i = 1; i < kept->failures && backoff < BACKOFF_MAX_MS; i++) {
        backoff *= 2;
    }
    backoff = backoff < BACKOFF_MAX_MS ? backoff : BACKOFF_MAX_MS;
    return backoff * 3 / 4 + random_range((uint32_t)(backoff / 2));
}

/* An attempt is over. The next is due a while after this one's beginning, but not at once. */
static void fail(struct ipsec *ipsec, struct kept *kept, enum ipsec_trouble trouble)
{
    long long now = time_msec();

    /* "failed to establish CHILD_SA" follows the line that said why. */
    if (trouble != TROUBLE_OTHER || kept->trouble == TROUBLE_NONE ||
        kept->trouble == TROUBLE_NO_ANSWER) {
        set_trouble(ipsec, kept, trouble);
    }
    kept->trying = false;
    kept->leftover = true;
    kept->failures++;
    kept->next_ms = kept->started_ms + backoff_ms(kept);
    if (kept->next_ms < now + JITTER_MS) {
        kept->next_ms = now + JITTER_MS + random_range(JITTER_MS);
    }
    keeper_wake(ipsec, kept->next_ms);
}

/* What a request's answer finds its tunnel by: it may be gone by then. */
struct ask {
    struct ipsec *ipsec;
    uint32_t id;
};

static void on_initiated(void *aux, int error, const struct vici_packet *packet)
{
    struct ask *ask = aux;
    struct kept *kept = keeper_find(ask->ipsec, ask->id);
    char why[200];

    if (kept && kept->asked > 0) {
        kept->asked--;
        if (!sync_succeeded(error, packet, why, sizeof why) && !error && kept->trying) {
            log_line(LOG_LEVEL_INFO, "ipsec", "routerd-%u: %s", kept->id, why);
            fail(ask->ipsec, kept, TROUBLE_OTHER);
        }
    }
    free(ask);
}

static void terminate(struct ipsec *ipsec, const char *name)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, "terminate");
    vici_key(&writer, "ike", name);
    vici_key(&writer, "force", "yes");
    vici_key(&writer, "timeout", "-1");
    link_request(ipsec->sas, &writer, NULL, NULL);
}

static void initiate(struct ipsec *ipsec, struct kept *kept)
{
    struct vici_writer writer;
    struct ask *ask = malloc(sizeof *ask);
    char name[IPSEC_NAME_TEXT];

    if (!ask) {
        abort();
    }
    *ask = (struct ask){ipsec, kept->id};
    ipsec_name(kept->id, name);
    if (kept->leftover) {
        terminate(ipsec, name); /* charon would go on with that, or both would come up */
        kept->leftover = false;
    }
    vici_begin(&writer, VICI_CMD_REQUEST, "initiate");
    vici_key(&writer, "child", name);
    vici_key(&writer, "ike", name);
    vici_key(&writer, "timeout", "-1");
    link_request(ipsec->sas, &writer, on_initiated, ask);
    kept->asked++;
    kept->trying = true;
    kept->started_ms = kept->alive_ms = time_msec();
}

void keeper_hurry(struct ipsec *ipsec, uint32_t id)
{
    struct kept *kept = keeper_find(ipsec, id);

    if (kept && !kept->up) {
        /* Were the attempt under way left to come up beside its successor, either end might take
         * the other one's for the SA that stays (INITIAL_CONTACT, RFC 7296, 2.4). */
        kept->leftover = kept->leftover || kept->trying;
        kept->trying = false;
        kept->next_ms = time_msec();
        keeper_wake(ipsec, kept->next_ms);
        set_trouble(ipsec, kept, TROUBLE_NONE);
    }
}

/* ---------------------------------------------------------------- what is seen */

static uint32_t established_s(const struct ipsec_seen *seen, uint32_t id)
{
    const struct ipsec_sa *sa = ipsec_find_sa(seen, id);
    uint32_t longest = 0;

    for (; sa; sa = ipsec_next_sa(seen, sa)) {
        if (sa->n_installed > 0 && sa->established_s > longest) {
            longest = sa->established_s;
        }
    }
    return longest;
}

static void come_up(struct ipsec *ipsec, struct kept *kept, const struct ipsec_conn *conn)
{
    kept->up = true;
    kept->trying = kept->leftover = false;
    kept->failures = kept->silent = 0;
    kept->up_since_ms = time_wall_msec() - 1000 * (int64_t)established_s(&ipsec->seen, kept->id);
    kept->outdated = kept->up_since_ms / 1000 + CLOCK_S < conn->loaded_s;
    set_trouble(ipsec, kept, TROUBLE_NONE);
    ipsec->changed = true;
}

static void go_down(struct ipsec *ipsec, struct kept *kept)
{
    kept->up = kept->trying = kept->outdated = false;
    kept->replace_ms = kept->end_old_ms = 0;
    kept->failures = kept->silent = 0;
    kept->next_ms = time_msec();
    keeper_wake(ipsec, kept->next_ms);
    ipsec->changed = true;
}

static struct kept *add(struct ipsec *ipsec, uint32_t id)
{
    struct kept *kept = calloc(1, sizeof *kept);

    if (!kept) {
        abort();
    }
    kept->id = id;
    kept->next_ms = time_msec();
    hmap_insert(&ipsec->keeper.tunnels, &kept->node, id);
    if (ipsec_find_sa(&ipsec->seen, id)) {
        /* Found under way: it gets the time of an attempt. */
        kept->trying = true;
        kept->started_ms = kept->alive_ms = time_msec();
    }
    keeper_wake(ipsec, kept->next_ms);
    return kept;
}

/* What is kept of a connection of ours. */
static struct kept *see(struct ipsec *ipsec, const struct ipsec_conn *conn)
{
    struct kept *kept = keeper_find(ipsec, conn->id);
    bool up = ipsec_seen_up(&ipsec->seen, conn->id);

    kept = kept ? kept : add(ipsec, conn->id);
    if (up && !kept->up) {
        come_up(ipsec, kept, conn);
    } else if (!up && kept->up) {
        go_down(ipsec, kept);
    } else if (up) {
        renew_seen(ipsec, kept);
    }
    return kept;
}

void keeper_seen_id(struct ipsec *ipsec, uint32_t id)
{
    const struct ipsec_conn *conn = ipsec_find_conn(&ipsec->seen, id);
    struct kept *kept = keeper_find(ipsec, id);

    if (conn && !conn->foreign) {
        see(ipsec, conn);
    } else if (kept) {
        drop(ipsec, kept);
    }
}

void keeper_seen(struct ipsec *ipsec)
{
    const struct ipsec_seen *seen = &ipsec->seen;
    struct kept *kept, *next;

    for (size_t i = 0; i < seen->n_conns; i++) {
        if (!seen->conns[i].foreign) {
            see(ipsec, &seen->conns[i])->mark = true;
        }
    }
    HMAP_FOR_EACH_SAFE(kept, next, node, &ipsec->keeper.tunnels) {
        if (kept->mark) {
            kept->mark = false;
        } else {
            drop(ipsec, kept);
        }
    }
}

/* Whether the tunnel is up by another SA than the one that the line is about: one that has been
 * replaced, and whose other end may be gone already. */
static bool is_of_another_sa(const struct ipsec *ipsec, const struct kept *kept,
                             const struct ipsec_log *log)
{
    size_t n;
    const struct ipsec_sa *sa = kept->up ? renew_youngest(&ipsec->seen, kept->id, &n) : NULL;

    return sa && log->ike_id && log->ike_id != sa->ike_id;
}

void keeper_log(struct ipsec *ipsec, const struct ipsec_log *log)
{
    struct kept *kept = log->id ? keeper_find(ipsec, log->id) : NULL;
    struct ipsec_symptom symptom = ipsec_symptom(log->group, log->text);

    if (!kept || is_of_another_sa(ipsec, kept, log)) {
        return;
    }
    if (kept->up) {
        bool was_silent = kept->silent >= SILENT_LIMIT;
        kept->silent = symptom.alive ? 0 : kept->silent + (symptom.trouble == TROUBLE_NO_ANSWER);
        bool silent = kept->silent >= SILENT_LIMIT;
        if (silent != was_silent) {
            set_trouble(ipsec, kept, silent ? TROUBLE_NO_ANSWER : TROUBLE_NONE);
        }
    } else if (symptom.ended && kept->trying) {
        fail(ipsec, kept, symptom.trouble);
    } else if (symptom.trouble != TROUBLE_NONE &&
               (symptom.trouble != TROUBLE_OTHER || kept->trouble == TROUBLE_NONE)) {
        set_trouble(ipsec, kept, symptom.trouble);
    } else if (symptom.alive && kept->trying) {
        kept->alive_ms = time_msec();
        set_trouble(ipsec, kept, kept->trouble == TROUBLE_NO_ANSWER ? TROUBLE_NONE : kept->trouble);
    }
}

/* ---------------------------------------------------------------- the loop */

static bool is_fresh(const struct kept *kept, long long now)
{
    return kept->trying && now < kept->alive_ms + FRESH_MS;
}

/* Counts the fresh attempts and ends those that took too long. */
static unsigned int look_after(struct ipsec *ipsec, long long now)
{
    unsigned int fresh = 0;
    struct kept *kept;

    HMAP_FOR_EACH(kept, node, &ipsec->keeper.tunnels) {
        if (kept->trying && now >= kept->alive_ms + ATTEMPT_MS) {
            bool reasoned = kept->trouble != TROUBLE_NONE;
            fail(ipsec, kept, reasoned ? kept->trouble : TROUBLE_NO_ANSWER);
        }
        if (is_fresh(kept, now)) {
            fresh++;
            keeper_wake(ipsec, kept->alive_ms + FRESH_MS);
        } else if (kept->trying) {
            keeper_wake(ipsec, kept->alive_ms + ATTEMPT_MS);
        }
    }
    return fresh;
}

void keeper_run(struct ipsec *ipsec)
{
    long long now = time_msec();

    /* While steps are under way connections come and go; a moment later it is clear what there is.
     */
    if (ipsec->sync.stage != SYNC_READY || ipsec->batch || now < ipsec->keeper.next_ms) {
        return;
    }
    ipsec->keeper.next_ms = LLONG_MAX;
    unsigned int fresh = look_after(ipsec, now);
    for (size_t i = 0; i < ipsec->seen.n_conns; i++) {
        const struct ipsec_conn *conn = &ipsec->seen.conns[i];
        struct kept *kept = conn->initiate ? keeper_find(ipsec, conn->id) : NULL;
        if (kept && kept->end_old_ms) {
            renew_run(ipsec, kept);
        }
        if (!kept || kept->up || kept->trying || kept->asked > 0) {
            continue;
        }
        if (now < kept->next_ms) {
            keeper_wake(ipsec, kept->next_ms);
        } else if (fresh < FRESH_LIMIT && link_pending(ipsec->sas) < QUEUE_LIMIT) {
            initiate(ipsec, kept);
            fresh++;
            keeper_wake(ipsec, now + FRESH_MS);
        } else {
            keeper_wake(ipsec, now + 10);
        }
    }
}

void keeper_wait(const struct ipsec *ipsec)
{
    if (ipsec->sync.stage == SYNC_READY && !ipsec->batch && ipsec->keeper.next_ms != LLONG_MAX) {
        poll_timer_wait_until(ipsec->keeper.next_ms);
    }
}
