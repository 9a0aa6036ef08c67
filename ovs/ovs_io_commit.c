#include "ovs/ovs_io.h"

#include "backend/backend.h"
#include "log/log.h"

#include <inttypes.h>
#include <lib/timeval.h>
#include <openvswitch/json.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_OPS = 100,  /* in one transaction, about: what ovs-vswitchd is not stalled by */
    TRIES = 5,        /* of a transaction that met somebody else's change */
    MS_PER_OP = 1000, /* what a port may take of a slow machine with many of them */
    BUSY_MS = 10000,  /* more time for one that is seen to work */
};

void ovs_commit_init(struct ovs_commit *commit)
{
    memset(commit, 0, sizeof *commit);
}

static struct ovs_work *work_of(const struct step *step)
{
    return step->data;
}

/* The steps of the chunk; those that could not be put into the transaction have a result already.
 */
static struct step *chunk_step(const struct ovs_commit *commit, size_t i)
{
    return commit->steps[commit->first + i];
}

void ovs_commit_start(struct ovs_commit *commit, struct plan *plan, struct step **steps, size_t n)
{
    if (commit->first == commit->n_steps) {
        commit->first = commit->n_steps = 0;
    }
    commit->plan = plan;
    for (size_t i = 0; i < n; i++) {
        if (commit->n_steps == commit->capacity) {
            commit->steps = x2nrealloc(commit->steps, &commit->capacity, sizeof(struct step *));
        }
        steps[i]->result = STEP_RUNNING;
        commit->steps[commit->n_steps++] = steps[i];
    }
    if (commit->stage == OVS_COMMIT_IDLE) {
        commit->limit = 0;
    }
}

static void drop_txn(struct ovs_commit *commit)
{
    if (commit->txn) {
        ovsdb_idl_txn_destroy(commit->txn);
        commit->txn = NULL;
    }
}

static void finish_chunk(struct ovs_commit *commit)
{
    drop_txn(commit);
    commit->first += commit->n_chunk;
    commit->n_chunk = 0;
    commit->tries = 0;
    commit->stage = OVS_COMMIT_IDLE;
}

/* The same result for all of the chunk that have none yet. */
static void finish_all(struct ovs_commit *commit, enum step_result result, const char *reason)
{
    for (size_t i = 0; i < commit->n_chunk; i++) {
        struct step *step = chunk_step(commit, i);

        if (step->result == STEP_RUNNING) {
            step_finish(commit->plan, step, result, reason ? "%s" : NULL, reason);
        }
    }
    finish_chunk(commit);
}

void ovs_commit_abort(struct ovs_commit *commit, const char *reason)
{
    commit->n_chunk = commit->n_steps - commit->first;
    finish_all(commit, STEP_NOT_READY, reason);
}

void ovs_commit_done(struct ovs_commit *commit)
{
    drop_txn(commit);
    free(commit->steps);
}

/* --- writing --- */

/* How many of the next steps go into one transaction. Removing or making thousands of patched
 * bridges at once would stall ovs-vswitchd for long. */
static size_t chunk_size(const struct ovs_commit *commit)
{
    size_t left = commit->n_steps - commit->first, n = 0, n_ops = 0;

    if (commit->limit) {
        return MIN(commit->limit, left);
    }
    while (n < left && n_ops < CHUNK_OPS) {
        n_ops += work_of(commit->steps[commit->first + n])->n_ops;
        n++;
    }
    return n;
}

/* A new transaction of the next steps. Steps that cannot be part of it get their result here. */
static void chunk_start(struct ovs_commit *commit, struct ovsdb_idl *idl)
{
    struct ovs_rows rows;
    size_t n_added = 0;

    commit->n_chunk = chunk_size(commit);
    commit->txn = ovsdb_idl_txn_create(idl);
    ovs_rows_init(&rows, idl, commit->txn, &commit->steps[commit->first], commit->n_chunk);
    for (size_t i = 0; i < commit->n_chunk; i++) {
        struct step *step = chunk_step(commit, i);
        enum step_result result;
        const char *reason = ovs_rows_add(&rows, work_of(step), commit->plan->arena, &result);

        if (reason) {
            step_finish(commit->plan, step, result, "%s", reason);
        } else {
            n_added++;
        }
    }
    ovsdb_idl_txn_increment(commit->txn, &rows.root->header_, &ovsrec_open_vswitch_col_next_cfg,
                            true);
    ovs_rows_done(&rows);
    commit->stage = OVS_COMMIT_WRITING;
    commit->deadline_ms = time_msec() + BACKEND_DEADLINE_MS;
    if (n_added == 0) {
        ovsdb_idl_txn_abort(commit->txn);
        finish_chunk(commit);
    }
}

/* What the server said, without its JSON; malloc()ed. */
static char *refusal(const struct ovs_commit *commit)
{
    const char *text = ovsdb_idl_txn_get_error(commit->txn);
    struct json *json = json_from_string(text ? text : "{}");
    const struct json *details =
        json->type == JSON_OBJECT ? shash_find_data(json_object(json), "details") : NULL;
    char *copy = xstrdup(details && details->type == JSON_STRING ? json_string(details)
                         : text                                  ? text
                                                                 : "no reason given");

    json_destroy(json);
    return copy;
}

/* The transaction as a whole was refused. The innocent must not suffer: one step a transaction. */
static void chunk_refused(struct ovs_commit *commit)
{
    char *text = refusal(commit);

    if (commit->n_chunk == 1) {
        char *reason = xasprintf("ovsdb-server refuses it: %s", text);

        finish_all(commit, STEP_FAILED, reason);
        free(reason);
        free(text);
        return;
    }
    log_line(LOG_LEVEL_WARNING, "ovs",
             "a transaction of %zu steps was refused, trying them one by one: %s", commit->n_chunk,
             text);
    free(text);
    commit->limit = 1;
    commit->n_chunk = 0;
    drop_txn(commit);
    commit->stage = OVS_COMMIT_IDLE;
}

static void chunk_again(struct ovs_commit *commit)
{
    if (++commit->tries >= TRIES) {
        finish_all(commit, STEP_NOT_READY, "the transaction kept meeting changes by others");
        return;
    }
    drop_txn(commit);
    commit->n_chunk = 0;
    commit->stage = OVS_COMMIT_IDLE;
}

static size_t count_ops(const struct ovs_commit *commit)
{
    size_t n = 0;

    for (size_t i = 0; i < commit->n_chunk; i++) {
        n += work_of(chunk_step(commit, i))->n_ops;
    }
    return n;
}

static void writing_run(struct ovs_commit *commit)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(commit->txn);

    switch (status) {
    case TXN_INCOMPLETE:
        if (time_msec() >= commit->deadline_ms) {
            finish_all(commit, STEP_NOT_READY, "ovsdb-server does not answer a transaction");
        }
        return;
    case TXN_SUCCESS:
        commit->target = ovsdb_idl_txn_get_increment_new_value(commit->txn);
        commit->stage = OVS_COMMIT_EFFECT;
        commit->deadline_ms = commit->patience_ms =
            time_msec() + BACKEND_DEADLINE_MS + (long long)count_ops(commit) * MS_PER_OP;
        drop_txn(commit);
        return;
    case TXN_UNCHANGED: finish_all(commit, STEP_DONE, NULL); return;
    case TXN_ERROR: chunk_refused(commit); return;
    case TXN_TRY_AGAIN:
    case TXN_NOT_LOCKED:
    case TXN_ABORTED:
    case TXN_UNCOMMITTED: chunk_again(commit); return;
    }
}

/* --- the effect --- */

static bool is_looked_at(const struct ovs_op *op)
{
    return op->kind == OVS_OP_PORT || op->kind == OVS_OP_RETRY;
}

/* Looks at what became of the interfaces of one step. */
static void judge_step(struct ovs_commit *commit, struct step *step, const struct shash *interfaces)
{
    const struct ovs_work *work = work_of(step);

    for (size_t i = 0; i < work->n_ops; i++) {
        const struct ovs_op *op = &work->ops[i];
        bool looked_at = is_looked_at(op);
        const struct ovsrec_interface *row =
            looked_at ? shash_find_data(interfaces, op->port->name) : NULL;

        if (!looked_at || (row && ovs_see_made(row) == OVS_MADE)) {
            continue;
        }
        if (!row) {
            step_finish(commit->plan, step, STEP_FAILED, "port %s was removed by somebody else",
                        op->port->name);
        } else if (row->error && row->error[0]) {
            step_finish(commit->plan, step, STEP_FAILED, "OVS: could not add %s: %s",
                        op->port->name, row->error);
        } else {
            step_finish(commit->plan, step, STEP_FAILED,
                        "OVS: could not add %s to bridge %s; ovs-vswitchd's log says why",
                        op->port->name, op->port->bridge);
        }
        return;
    }
    step_finish(commit->plan, step, STEP_DONE, NULL);
}

/* The rows of the interfaces that the chunk is about, by name; null: there is none. */
static void find_interfaces(const struct ovs_commit *commit, struct ovsdb_idl *idl,
                            struct shash *interfaces)
{
    const struct ovsrec_interface *row;

    for (size_t i = 0; i < commit->n_chunk; i++) {
        const struct ovs_work *work = work_of(chunk_step(commit, i));

        for (size_t j = 0; j < work->n_ops; j++) {
            if (is_looked_at(&work->ops[j])) {
                shash_add_once(interfaces, work->ops[j].port->name, NULL);
            }
        }
    }
    OVSREC_INTERFACE_FOR_EACH(row, idl) {
        struct shash_node *node = shash_find(interfaces, row->name);

        if (node) {
            node->data = CONST_CAST(struct ovsrec_interface *, row);
        }
    }
}

static void judge_chunk(struct ovs_commit *commit, struct ovsdb_idl *idl)
{
    struct shash interfaces;

    shash_init(&interfaces);
    find_interfaces(commit, idl, &interfaces);
    for (size_t i = 0; i < commit->n_chunk; i++) {
        struct step *step = chunk_step(commit, i);

        if (step->result == STEP_RUNNING) {
            judge_step(commit, step, &interfaces);
        }
    }
    shash_destroy(&interfaces);
    finish_chunk(commit);
}

static void effect_run(struct ovs_commit *commit, struct ovsdb_idl *idl, bool busy)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(idl);

    if (root && root->cur_cfg >= commit->target) {
        judge_chunk(commit, idl);
    } else if (time_msec() >= commit->deadline_ms) {
        if (busy) {
            commit->deadline_ms = time_msec() + BUSY_MS;
            return;
        }
        commit->stuck = commit->target;
        ovs_commit_abort(commit, "ovs-vswitchd does not carry out what is in its database");
    }
}

void ovs_commit_run(struct ovs_commit *commit, struct ovsdb_idl *idl, bool busy)
{
    enum ovs_commit_stage before;
    size_t first;

    do {
        before = commit->stage;
        first = commit->first;
        switch (commit->stage) {
        case OVS_COMMIT_IDLE:
            if (commit->first < commit->n_steps && ovsrec_open_vswitch_first(idl)) {
                chunk_start(commit, idl);
            }
            break;
        case OVS_COMMIT_WRITING: writing_run(commit); break;
        case OVS_COMMIT_EFFECT: effect_run(commit, idl, busy); break;
        }
    } while (commit->stage != before || commit->first != first);
}

void ovs_commit_wait(const struct ovs_commit *commit)
{
    if (commit->txn) {
        ovsdb_idl_txn_wait(commit->txn);
    }
    if (commit->stage != OVS_COMMIT_IDLE) {
        poll_timer_wait_until(commit->deadline_ms);
    } else if (commit->first < commit->n_steps) {
        poll_immediate_wake();
    }
}
