/* Generations that have to be confirmed, and going back to earlier ones.
 *
 * What awaits confirmation is in the database, with the time of its end by the wall clock and how
 * long it was given. While routerd runs the time is counted by a clock that does not jump; over a
 * restart the wall clock tells what is left, but never more than was given, so a clock that was set
 * back cannot put it off for ever, and one that was set forward ends it early, which is the safe
 * side. A rollback is a change like any other: checked against the configuration and the nodes of
 * today, planned, written, a generation of its own. */
#include "engine/engine_internal.h"

#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum { ROLLBACK_RETRY_MS = 5000 };

/* What the clock of this process says of a confirmation. */
struct awaited {
    int64_t until_ms; /* as in the database, which names it */
    int64_t due_ms;   /* by time_msec() */
    bool rolling;     /* the rollback is under way */
    char *trouble;    /* why the last attempt failed; null: there was none */
};

void confirm_open(struct engine *engine)
{
    shash_init(&engine->awaited);
}

static void awaited_free(struct awaited *awaited)
{
    free(awaited->trouble);
    free(awaited);
}

void confirm_close(struct engine *engine)
{
    struct shash_node *node;

    SHASH_FOR_EACH(node, &engine->awaited) {
        awaited_free(node->data);
    }
    shash_destroy(&engine->awaited);
}

const struct store_tenant *confirm_tenant(const struct engine *engine, const char *tenant)
{
    const struct store_image *image = engine->store ? store_image(engine->store) : NULL;

    for (size_t i = 0; image && i < image->n_tenants; i++) {
        if (!strcmp(image->tenants[i].name, tenant)) {
            return &image->tenants[i];
        }
    }
    return NULL;
}

const struct store_confirm *confirm_find(const struct engine *engine, const char *tenant)
{
    const struct store_tenant *found = confirm_tenant(engine, tenant);

    return found && found->confirm.until_ms ? &found->confirm : NULL;
}

struct store_confirm confirm_make(const struct engine *engine, const struct request *request)
{
    const struct store_confirm *old = confirm_find(engine, request->tenant);
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);
    int64_t for_ms = request->confirm_s * 1000;

    if (!for_ms) {
        return (struct store_confirm){.until_ms = 0};
    }
    return (struct store_confirm){
        .until_ms = wall_ms() + for_ms,
        .for_ms = for_ms,
        .back = old      ? old->back
                : tenant ? tenant->generation
                         : 0,
    };
}

/* --- confirming ----------------------------------------------------------------------------- */

static void confirm_stored(void *aux, int result, const char *detail)
{
    struct engine *engine = aux;
    struct request *request = engine->committing;
    const struct event_about about = {request->tenant, NULL, NULL, request->ret_generation};

    engine->committing = NULL;
    if (result) {
        request_detail(request, xasprintf("the confirmation could not be stored: %s",
                                          detail ? detail : ovs_strerror(-result)));
        request_answer(request, REQUEST_AWAY);
        return;
    }
    log_object(LOG_LEVEL_INFO, "engine", request->tenant, NULL,
               "generation %" PRIu64 " is confirmed, by %s", request->ret_generation, request->who);
    events_emit(engine, EVENT_CONFIRMED, &about, "generation %" PRIu64 " is confirmed, by %s",
                request->ret_generation, request->who);
    request->plan = plan_new();
    status_publish_now(engine);
    request_answer(request, REQUEST_DONE);
}

void confirm_serve(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);
    const struct store_confirm none = {.until_ms = 0};

    request->ret_generation = tenant ? tenant->generation : 0;
    if (request->has_if_match && request->if_match != request->ret_generation) {
        request_answer(request, REQUEST_STALE);
    } else if (!confirm_find(engine, request->tenant)) {
        request_detail(request, xasprintf("generation %" PRIu64 " of tenant %s is in force, and "
                                          "awaits no confirmation",
                                          request->ret_generation, request->tenant));
        request_answer(request, REQUEST_CONFLICT);
    } else {
        engine->committing = request;
        store_put_confirm(engine->store, request->tenant, &none, confirm_stored, engine);
    }
}

/* --- going back ----------------------------------------------------------------------------- */

struct going_back {
    struct engine *engine;
    struct request *request;
};

/* The document of then, as a change of now. */
static void document_read(void *aux, int result, const char *text, size_t len)
{
    struct going_back *back = aux;
    struct engine *engine = back->engine;
    struct request *request = back->request;

    free(back);
    if (result == -ENOENT) {
        request_detail(request, xasprintf("generation %" PRIu64 " of tenant %s is not kept",
                                          request->generation, request->tenant));
        request_answer(request, REQUEST_NOT_FOUND);
        return;
    }
    if (result) {
        request_detail(request, xasprintf("state server: %s", ovs_strerror(-result)));
        request_answer(request, REQUEST_AWAY);
        return;
    }
    request->topology = topology_parse(text, len, request->errors);
    if (!request->topology) {
        request_answer(request, REQUEST_WRONG);
        return;
    }
    requests_put_first(engine, request);
}

/* Which generation to go back to, if none was named: the one that an unconfirmed one came from, or
 * the one before. */
static uint64_t generation_before(const struct engine *engine, const struct request *request)
{
    const struct store_confirm *confirm = confirm_find(engine, request->tenant);

    if (confirm) {
        return confirm->back;
    }
    return request->ret_generation ? request->ret_generation - 1 : 0;
}

void rollback_serve(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);
    struct going_back *back;

    request->ret_generation = tenant ? tenant->generation : 0;
    if (!request->errors) {
        request->errors = errors_new();
    }
    if (request->has_if_match && request->if_match != request->ret_generation) {
        request_answer(request, REQUEST_STALE);
        return;
    }
    if (!request->ret_generation) {
        request_detail(request, xasprintf("tenant %s has no topology yet", request->tenant));
        request_answer(request, REQUEST_NOT_FOUND);
        return;
    }
    request->generation =
        request->generation ? request->generation : generation_before(engine, request);
    if (!request->generation) { /* there was nothing before */
        request->topology = topology_new_empty();
        requests_put_first(engine, request);
        return;
    }
    back = xmalloc(sizeof *back);
    *back = (struct going_back){engine, request};
    store_read(engine->store, request->tenant, request->generation, document_read, back);
}

void rollback_tell(struct engine *engine, const struct request *request)
{
    const struct event_about about = {request->tenant, NULL, NULL, request->ret_generation};

    events_emit(engine, EVENT_ROLLED_BACK, &about,
                "generation %" PRIu64 " has the topology of generation %" PRIu64 " again: %s%s",
                request->ret_generation, request->generation,
                request->automatic ? "what came after it was not confirmed in time"
                                   : "asked for by ",
                request->automatic ? "" : request->who);
}

/* --- by itself ------------------------------------------------------------------------------ */

bool rollback_is_settled(const struct engine *engine, const struct request *request)
{
    const struct store_confirm *confirm = confirm_find(engine, request->tenant);

    return request->automatic && (!confirm || confirm->until_ms != request->automatic);
}

static void settled(void *aux, int result OVS_UNUSED, const char *detail OVS_UNUSED)
{
    struct engine *engine = aux;

    status_changed(engine);
}

/* What is in force is what there was before: then only the waiting ends. */
static void settle(struct engine *engine, const char *tenant)
{
    const struct store_confirm none = {.until_ms = 0};

    store_put_confirm(engine->store, tenant, &none, settled, engine);
}

static char *first_trouble(const struct request *request)
{
    if (request->errors && errors_count(request->errors)) {
        const struct error *error = errors_get(request->errors, 0);

        return xasprintf("%s: %s", error->path, error->message);
    }
    return xstrdup(request->detail ? request->detail : "no reason given");
}

static void note_trouble(struct engine *engine, struct awaited *awaited,
                         const struct request *request)
{
    const struct event_about about = {request->tenant, NULL, NULL, request->ret_generation};
    char *trouble = first_trouble(request);

    if (!awaited->trouble || strcmp(awaited->trouble, trouble) != 0) {
        log_object(LOG_LEVEL_ERROR, "engine", request->tenant, NULL,
                   "generation %" PRIu64 " was not confirmed and cannot be rolled back yet: %s",
                   request->ret_generation, trouble);
        events_emit(engine, EVENT_ROLLBACK_FAILED, &about,
                    "generation %" PRIu64 " was not confirmed in time, but generation %" PRIu64
                    " cannot come back yet; it is tried again: %s",
                    request->ret_generation, request->generation, trouble);
    }
    free(awaited->trouble);
    awaited->trouble = trouble;
}

/* The engine's own request has been answered. */
static void rolled_back(struct request *request)
{
    struct engine *engine = request->aux;
    struct awaited *awaited = shash_find_data(&engine->awaited, request->tenant);

    if (awaited) {
        awaited->rolling = false;
        awaited->due_ms = time_msec() + ROLLBACK_RETRY_MS;
        switch (request->outcome) {
        case REQUEST_UNCHANGED: settle(engine, request->tenant); break;
        case REQUEST_WRONG:
        case REQUEST_NOT_FOUND:
        case REQUEST_FAILED:
            if (!rollback_is_settled(engine, request)) {
                note_trouble(engine, awaited, request);
            }
            break;
        case REQUEST_DONE:
        case REQUEST_CONVERGED:
        case REQUEST_PLANNED:
        case REQUEST_CONFLICT:
        case REQUEST_STALE:
        case REQUEST_AWAY: break;
        }
    }
    request_free(request);
}

static void roll_back(struct engine *engine, const struct store_tenant *tenant)
{
    struct request *request = request_new(REQUEST_ROLLBACK);

    request->tenant = xstrdup(tenant->name);
    request->who = xstrdup("routerd, as it was not confirmed in time");
    request->generation = tenant->confirm.back;
    request->automatic = tenant->confirm.until_ms;
    request->aux = engine;
    request->done = rolled_back;
    requests_put_first(engine, request);
}

/* What is known of a confirmation that the image tells of. */
static struct awaited *awaited_of(struct engine *engine, const struct store_tenant *tenant)
{
    const struct store_confirm *confirm = &tenant->confirm;
    struct awaited *awaited = shash_find_data(&engine->awaited, tenant->name);
    int64_t left_ms = MAX(0, MIN(confirm->until_ms - wall_ms(), confirm->for_ms));

    if (!awaited) {
        awaited = xzalloc(sizeof *awaited);
        shash_add(&engine->awaited, tenant->name, awaited);
    }
    if (awaited->until_ms != confirm->until_ms) {
        awaited->until_ms = confirm->until_ms;
        awaited->due_ms = time_msec() + left_ms;
        free(awaited->trouble);
        awaited->trouble = NULL;
    }
    return awaited;
}

static bool may_run(const struct engine *engine)
{
    const char *reason;

    return engine->store_serial && !engine->store_conflict &&
           store_health(engine->store, &reason) == STORE_READY;
}

void confirm_run(struct engine *engine)
{
    const struct store_image *image = store_image(engine->store);

    for (size_t i = 0; may_run(engine) && i < image->n_tenants; i++) {
        const struct store_tenant *tenant = &image->tenants[i];
        struct awaited *awaited;

        if (!tenant->confirm.until_ms) {
            continue;
        }
        awaited = awaited_of(engine, tenant);
        if (!awaited->rolling && time_msec() >= awaited->due_ms) {
            awaited->rolling = true;
            roll_back(engine, tenant);
        }
    }
}

void confirm_wait(struct engine *engine)
{
    const struct store_image *image = store_image(engine->store);

    for (size_t i = 0; may_run(engine) && i < image->n_tenants; i++) {
        const struct store_tenant *tenant = &image->tenants[i];
        const struct awaited *awaited = shash_find_data(&engine->awaited, tenant->name);

        if (tenant->confirm.until_ms && awaited && !awaited->rolling) {
            poll_timer_wait_until(awaited->due_ms);
        } else if (tenant->confirm.until_ms && !awaited) {
            poll_immediate_wake();
        }
    }
}

void confirm_status(const struct engine *engine, struct status *status)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        struct tenant_status *tenant = &status->tenants[i];
        const struct store_confirm *confirm = confirm_find(engine, tenant->name);

        if (confirm) {
            tenant->confirm_until_ms = confirm->until_ms;
            tenant->confirm_back = confirm->back;
        }
    }
}

/* --- history -------------------------------------------------------------------------------- */

void history_serve(struct engine *engine, struct request *request)
{
    const struct store_tenant *tenant = confirm_tenant(engine, request->tenant);
    size_t n = tenant ? tenant->n_history : 0;

    request->ret_generation = tenant ? tenant->generation : 0;
    request->history = xcalloc(n + 1, sizeof *request->history);
    for (size_t i = 0; i < n; i++) { /* newest first */
        const struct store_generation *entry = &tenant->history[n - 1 - i];

        request->history[i] = (struct request_generation){
            entry->number, entry->time_ms, xstrdup(entry->who), xstrdup(entry->summary)};
    }
    request->n_history = n;
    request_answer(request, REQUEST_DONE);
}
