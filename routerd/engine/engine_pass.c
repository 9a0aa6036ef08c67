/* A pass: the difference of all backends as one plan, carried out phase by phase. When a pass has
 * ended the next difference tells what took effect; a pass whose difference is empty is the end.
 * What fails, is not ready, or was accepted and yet did not take effect is an `attempt` and
 * repeated with backoff, alone: the steps of other objects go on. */
#include "engine/engine_fault.h"
#include "engine/engine_internal.h"

#include "log/log.h"

#include <inttypes.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/dynamic-string.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

static char *step_key(const struct step *step)
{
    return xasprintf("%s %s %s %d %s", step->backend, step->tenant ? step->tenant : "",
                     step->object, step->action, step->summary ? step->summary : "");
}

static struct attempt *attempt_find(struct engine *engine, const struct step *step)
{
    char *key = step_key(step);
    struct attempt *attempt = shash_find_data(&engine->attempts, key);

    free(key);
    return attempt;
}

static void attempt_free(struct attempt *attempt)
{
    free(attempt->reason);
    free(attempt->tenant);
    free(attempt->object);
    free(attempt);
}

static void attempts_drop(struct engine *engine,
                          bool (*drop)(const struct engine *, const struct attempt *, const char *),
                          const char *arg)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE(node, &engine->attempts) {
        struct attempt *attempt = node->data;

        if (drop(engine, attempt, arg)) {
            shash_delete(&engine->attempts, node);
            attempt_free(attempt);
        }
    }
}

static bool attempt_is_stale(const struct engine *engine, const struct attempt *attempt,
                             const char *arg OVS_UNUSED)
{
    return attempt->pass != engine->pass;
}

static bool attempt_is_of(const struct engine *engine OVS_UNUSED, const struct attempt *attempt,
                          const char *tenant)
{
    return !tenant || !attempt->tenant || !strcmp(attempt->tenant, tenant);
}

void pass_forget(struct engine *engine, const char *tenant)
{
    attempts_drop(engine, attempt_is_of, tenant);
}

/* How long to let a step rest that has now gone wrong `failures` times. */
static int64_t backoff_ms(unsigned int failures)
{
    unsigned int doublings = MIN(failures, 8) - (failures > 0);

    return MIN((int64_t)RETRY_MIN_MS << doublings, (int64_t)RETRY_MAX_MS);
}

static const char *attempt_reason(const struct step *step)
{
    if (step->result == STEP_DONE) {
        return "it was set, but does not stay";
    }
    return step->reason ? step->reason : "refused, with no reason given";
}

/* Remembers how a step went. The first STEP_DONE needs no rest: the next difference will not have
 * it. A step that was done and is there again was not effective. */
static void attempt_note(struct engine *engine, const struct step *step)
{
    struct attempt *attempt = attempt_find(engine, step);
    bool fresh = !attempt;

    if (fresh) {
        char *key = step_key(step);

        attempt = xzalloc(sizeof *attempt);
        attempt->tenant = nullable_xstrdup(step->tenant);
        attempt->object = xstrdup(step->object);
        attempt->removing = step->action == STEP_DELETE;
        attempt->pass = engine->pass;
        shash_add_nocopy(&engine->attempts, key, attempt);
    }
    attempt->result = step->result;
    free(attempt->reason);
    attempt->reason = xstrdup(attempt_reason(step));
    if (step->result == STEP_NOT_READY) {
        attempt->next_ms = time_msec() + NOT_READY_MS;
        return;
    }
    if (step->result == STEP_FAILED && (fresh || attempt->failures == 0)) {
        log_object(LOG_LEVEL_WARNING, step->backend, step->tenant, step->object, "%s failed: %s",
                   step->summary, attempt->reason);
    }
    attempt->failures++;
    attempt->next_ms = step->result == STEP_DONE && attempt->failures == 1
                           ? 0
                           : time_msec() + backoff_ms(attempt->failures);
}

/* Whether a step rests after what happened the last times. A step that was not ready is free again
 * as soon as anything has changed. */
static bool step_rests(struct engine *engine, const struct step *step, bool changed)
{
    struct attempt *attempt = attempt_find(engine, step);

    if (!attempt) {
        return false;
    }
    attempt->pass = engine->pass;
    if (attempt->result == STEP_NOT_READY && changed) {
        return false;
    }
    return time_msec() < attempt->next_ms;
}

void pass_look_again(struct engine *engine, size_t i)
{
    intended_unref(engine->clean_for[i]);
    engine->clean_for[i] = NULL;
    engine->dirty = true;
}

/* Backends that have been found to hold what is intended are not compared again until they change,
 * or one before them takes something away that they may stand on. */
static void add_difference(struct engine *engine, size_t i, const struct intended *intended,
                           struct plan *plan)
{
    const char *reason = NULL;
    size_t before = plan->n_steps;

    if ((engine->clean_for[i] == intended && !plan->remade.n) ||
        engine->classes[i]->health(engine->backends[i], &reason) != BACKEND_READY) {
        return;
    }
    engine->classes[i]->diff(engine->backends[i], intended, plan);
    if (intended == engine->intended && plan->n_steps == before) {
        intended_unref(engine->clean_for[i]);
        engine->clean_for[i] = intended_ref(intended);
    }
}

static struct plan *take_difference(struct engine *engine, const struct intended *intended)
{
    struct plan *plan = plan_new();

    for (size_t i = 0; i < engine->n_backends; i++) {
        add_difference(engine, i, intended, plan);
    }
    plan_sort(plan);
    return plan;
}

static bool step_concerns(const struct step *step, const char *tenant)
{
    return !step->tenant || !step->tenant[0] || !strcmp(step->tenant, tenant);
}

struct plan *pass_plan(struct engine *engine, const struct intended *intended, const char *tenant)
{
    struct plan *plan = take_difference(engine, intended);
    size_t kept = 0;

    for (size_t i = 0; i < plan->n_steps; i++) {
        if (step_concerns(plan->steps[i], tenant)) {
            plan->steps[kept++] = plan->steps[i];
        }
    }
    plan->n_steps = kept;
    return plan;
}

static bool all_ready(const struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        const char *reason = NULL;

        if (engine->classes[i]->health(engine->backends[i], &reason) != BACKEND_READY) {
            return false;
        }
    }
    return true;
}

/* Tells from a whole difference which tenants' generations have been carried out and read back. */
static void note_applied(struct engine *engine, const struct plan *plan)
{
    for (size_t i = 0; i < engine->intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &engine->intended->tenants[i];
        bool outstanding = false;
        uint64_t *applied;

        for (size_t j = 0; j < plan->n_steps && !outstanding; j++) {
            outstanding = step_concerns(plan->steps[j], tenant->name);
        }
        if (outstanding) {
            continue;
        }
        if (!all_ready(engine)) {
            char *blocked = status_blocked(engine, engine->intended, tenant->name);

            free(blocked);
            if (blocked) {
                continue;
            }
        }
        applied = shash_find_data(&engine->applied, tenant->name);
        if (!applied) {
            applied = xzalloc(sizeof *applied);
            shash_add(&engine->applied, tenant->name, applied);
        }
        if (*applied != tenant->generation) {
            *applied = tenant->generation;
            status_changed(engine);
            log_object(LOG_LEVEL_INFO, "engine", tenant->name, NULL,
                       "generation %" PRIu64 " is applied", tenant->generation);
        }
    }
}

/* Leaves the steps that do not rest; sets when the first of the others is due. */
static void keep_active_steps(struct engine *engine, struct plan *plan, bool changed)
{
    size_t kept = 0;

    engine->retry_ms = INT64_MAX;
    for (size_t i = 0; i < plan->n_steps; i++) {
        if (!step_rests(engine, plan->steps[i], changed)) {
            plan->steps[kept++] = plan->steps[i];
        } else {
            engine->retry_ms = MIN(engine->retry_ms, attempt_find(engine, plan->steps[i])->next_ms);
        }
    }
    plan->n_steps = kept;
    attempts_drop(engine, attempt_is_stale, NULL);
}

static void pass_start(struct engine *engine)
{
    bool changed = engine->dirty;
    struct plan *plan;

    engine->dirty = false;
    engine->pass++;
    plan = take_difference(engine, engine->intended);
    note_applied(engine, plan);
    drift_mark(engine, plan, all_ready(engine));
    keep_active_steps(engine, plan, changed);
    if (plan->n_steps == 0) {
        plan_free(plan);
        return;
    }
    engine->plan = plan;
    engine->plan_for = intended_ref(engine->intended);
    engine->plan_next = 0;
    status_changed(engine);
}

static void log_step(struct engine *engine, const struct step *step)
{
    enum log_level level = attempt_find(engine, step)
                               ? LOG_LEVEL_DEBUG
                               : LOG_LEVEL_INFO; /* a repetition is not news */

    log_object(level, step->backend, step->tenant, step->object, "%s: %s",
               step_action_name(step->action), step->summary);
}

/* Hands the steps of one phase to their backends; steps of one backend stay together and in order.
 */
static void phase_start(struct engine *engine)
{
    struct plan *plan = engine->plan;
    enum plan_phase phase = plan->steps[engine->plan_next]->phase;
    size_t end = engine->plan_next;

    while (end < plan->n_steps && plan->steps[end]->phase == phase) {
        end++;
        if (engine_fault_one_by_one()) {
            break;
        }
    }
    engine_fault_point();
    for (size_t i = 0; i < engine->n_backends; i++) {
        struct step **mine = xcalloc(end - engine->plan_next, sizeof *mine);
        size_t n = 0;

        for (size_t j = engine->plan_next; j < end; j++) {
            if (!strcmp(plan->steps[j]->backend, engine->classes[i]->name)) {
                log_step(engine, plan->steps[j]);
                mine[n++] = plan->steps[j];
            }
        }
        if (n) {
            engine->classes[i]->apply(engine->backends[i], plan, mine, n);
        }
        free(mine);
    }
    engine->plan_next = end;
}

static bool plan_is_running(const struct engine *engine)
{
    for (size_t i = 0; i < engine->plan_next; i++) {
        if (engine->plan->steps[i]->result == STEP_RUNNING) {
            return true;
        }
    }
    return false;
}

static void pass_drop_plan(struct engine *engine)
{
    plan_free(engine->plan);
    engine->plan = NULL;
    intended_unref(engine->plan_for);
    engine->plan_for = NULL;
}

/* Ends the plan that was carried out, or given up between two phases because the intended state is
 * another now. */
static void pass_finish(struct engine *engine)
{
    for (size_t i = 0; i < engine->plan_next; i++) {
        if (engine->plan->steps[i]->drift && !attempt_find(engine, engine->plan->steps[i])) {
            drift_tell(engine, engine->plan->steps[i]);
        }
        attempt_note(engine, engine->plan->steps[i]);
        if (engine->plan->steps[i]->result == STEP_DONE) {
            engine->dirty = true; /* look what became of it */
        } else {
            struct attempt *attempt = attempt_find(engine, engine->plan->steps[i]);

            engine->retry_ms = MIN(engine->retry_ms, attempt->next_ms);
        }
    }
    pass_drop_plan(engine);
    status_changed(engine);
}

bool pass_concerns(const struct engine *engine, const char *tenant)
{
    const struct shash_node *node;

    for (size_t i = 0; engine->plan && i < engine->plan->n_steps; i++) {
        const char *of = engine->plan->steps[i]->tenant;

        if (of && !strcmp(of, tenant)) {
            return true;
        }
    }
    SHASH_FOR_EACH(node, &engine->attempts) {
        const struct attempt *attempt = node->data;

        if (attempt->tenant && !strcmp(attempt->tenant, tenant)) {
            return true;
        }
    }
    return false;
}

void pass_abort(struct engine *engine)
{
    pass_drop_plan(engine);
    pass_forget(engine, NULL);
}

/* Goes on with the plan until something is running or it is finished. */
static void pass_advance(struct engine *engine)
{
    while (!plan_is_running(engine)) {
        if (engine->plan_next) {
            engine_fault_point();
        }
        if (engine->plan_next == engine->plan->n_steps || engine->plan_for != engine->intended) {
            pass_finish(engine);
            return;
        }
        phase_start(engine);
    }
}

void pass_run(struct engine *engine)
{
    if (!engine->store_serial) {
        return; /* what is intended is not known yet */
    }
    if (!engine->plan && (engine->dirty || time_msec() >= engine->retry_ms)) {
        pass_start(engine);
    }
    if (engine->plan) {
        pass_advance(engine);
    }
}

void pass_wait(struct engine *engine)
{
    if (!engine->store_serial || engine->plan) {
        return;
    }
    if (engine->dirty) {
        poll_immediate_wake();
    } else if (engine->retry_ms != INT64_MAX) {
        poll_timer_wait_until(engine->retry_ms);
    }
}

static void vote_for_attempt(struct status *status, const struct attempt *attempt)
{
    struct object_status *object =
        attempt->tenant ? status_find_fresh(status, attempt->tenant, attempt->object) : NULL;

    if (!object || (attempt->result == STEP_DONE && attempt->failures < 2)) {
        return;
    }
    if (attempt->removing && attempt->result != STEP_FAILED) {
        status_vote(status, object, OBJECT_REMOVING, "%s", attempt->reason);
    } else {
        status_vote(status, object,
                    attempt->result == STEP_NOT_READY ? OBJECT_PENDING : OBJECT_ERROR, "%s",
                    attempt->reason);
    }
}

void pass_vote(struct engine *engine, struct status *status)
{
    struct shash_node *node;

    SHASH_FOR_EACH(node, &engine->attempts) {
        vote_for_attempt(status, node->data);
    }
    for (size_t i = 0; engine->plan && i < engine->plan->n_steps; i++) {
        const struct step *step = engine->plan->steps[i];
        struct object_status *object =
            step->tenant ? status_find_fresh(status, step->tenant, step->object) : NULL;

        if (object && step->result <= STEP_RUNNING &&
            (step->action != STEP_UPDATE || step->disruptive)) {
            status_vote(status, object,
                        step->action == STEP_DELETE ? OBJECT_REMOVING : OBJECT_PENDING,
                        "%s is being carried out", step->summary);
        }
    }
}
