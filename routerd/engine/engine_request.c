/* Requests: taken in order, answered once each. A change of topology goes check, number, plan,
 * durable write, in force, and (if asked) waits for convergence; one change is in the store's hands
 * at a time and the others wait behind it for the millisecond that it takes. */
#include "engine/engine_fault.h"
#include "engine/engine_internal.h"

#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

void request_answer(struct request *request, enum request_outcome outcome)
{
    request->outcome = outcome;
    request->done(request);
}

void request_detail(struct request *request, char *detail)
{
    free(request->detail);
    request->detail = detail;
}

static struct request *queue_take(struct engine *engine)
{
    struct request *queue;

    pthread_mutex_lock(&engine->lock);
    queue = engine->queue;
    engine->queue = NULL;
    engine->queue_tail = &engine->queue;
    pthread_mutex_unlock(&engine->lock);
    return queue;
}

static void take_new_requests(struct engine *engine)
{
    struct request *next;

    latch_poll(&engine->wake);
    for (struct request *request = queue_take(engine); request; request = next) {
        next = request->next;
        request->next = NULL;
        request->deadline_ms = time_msec() + REQUEST_MS;
        if (node_service_takes(request)) {
            node_service_add(engine, request);
        } else {
            *engine->todo_tail = request;
            engine->todo_tail = &request->next;
        }
    }
}

void requests_put_first(struct engine *engine, struct request *request)
{
    request->deadline_ms = time_msec() + REQUEST_MS;
    request->next = engine->todo;
    if (!engine->todo) {
        engine->todo_tail = &request->next;
    }
    engine->todo = request;
}

static void todo_pop(struct engine *engine)
{
    struct request *request = engine->todo;

    engine->todo = request->next;
    if (!engine->todo) {
        engine->todo_tail = &engine->todo;
    }
    request->next = NULL;
}

char *store_blocked(const struct engine *engine, bool *ret_opening)
{
    const char *reason = NULL;
    enum store_health health = store_health(engine->store, &reason);

    *ret_opening = false;
    if (engine->store_conflict) {
        return xstrdup(engine->store_conflict);
    }
    if (health == STORE_READY && engine->store_serial && events_ready(engine)) {
        return NULL;
    }
    *ret_opening = health != STORE_AWAY;
    return xasprintf("state server: %s", reason ? reason : "connecting");
}

static bool backends_opening(const struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        const char *reason = NULL;

        if (engine->classes[i]->health(engine->backends[i], &reason) == BACKEND_OPENING) {
            return true;
        }
    }
    return false;
}

static uint64_t generation_of(const struct engine *engine, const char *tenant)
{
    const struct intended_tenant *found = intended_find(engine->intended, tenant);

    return found ? found->generation : 0;
}

static void wait_for_convergence(struct engine *engine, struct request *request)
{
    request->deadline_ms = time_msec() + request->wait_ms;
    request->next = engine->waiting;
    engine->waiting = request;
    status_changed(engine);
}

static void tell_accepted(struct engine *engine, const struct request *request)
{
    const struct event_about about = {request->tenant, NULL, NULL, request->ret_generation};
    struct plan_counts counts = plan_count(request->plan);

    log_object(LOG_LEVEL_INFO, "engine", request->tenant, NULL,
               "generation %" PRIu64 " is in force, from %s", request->ret_generation,
               request->who);
    events_emit(
        engine, EVENT_ACCEPTED, &about,
        "generation %" PRIu64
        " is in force, from %s: %zu to create, %zu to update, %zu to delete, %zu disruptive",
        request->ret_generation, request->who, counts.create, counts.update, counts.delete,
        counts.disruptive);
    if (request->kind == REQUEST_ROLLBACK) {
        rollback_tell(engine, request);
    }
}

/* The store has answered: the change is in force, or nothing has happened. */
static void change_done(void *aux, int result, const char *detail)
{
    struct engine *engine = aux;
    struct request *request = engine->committing;

    engine_fault_point();
    engine->committing = NULL;
    if (result) {
        intended_unref(engine->committing_intended);
        ids_done(&engine->committing_ids);
        engine->committing_intended = NULL;
        request->ret_generation = generation_of(engine, request->tenant);
        request_detail(request, xasprintf("the change could not be stored: %s",
                                          detail ? detail : ovs_strerror(-result)));
        request_answer(request, result == -EAGAIN || result == -ETIMEDOUT || result == -ECANCELED
                                    ? REQUEST_AWAY
                                    : REQUEST_FAILED);
        return;
    }
    intended_unref(engine->intended);
    engine->intended = engine->committing_intended;
    engine->committing_intended = NULL;
    ids_done(&engine->ids);
    engine->ids = engine->committing_ids;
    engine->dirty = true;
    status_changed(engine);
    pass_forget(engine, request->tenant);
    drift_forget(engine);
    tell_accepted(engine, request);
    if (request->wait_ms > 0) {
        wait_for_convergence(engine, request);
    } else {
        status_publish_now(engine); /* whoever reads after the answer sees the new generation */
        request_answer(request, REQUEST_DONE);
    }
}

static char *plan_summary(const struct request *request)
{
    struct plan_counts counts = plan_count(request->plan);
    char *back = request->kind == REQUEST_ROLLBACK
                     ? xasprintf("back to generation %" PRIu64 ": ", request->generation)
                     : xstrdup("");
    char *summary = xasprintf("%s%zu to create, %zu to update, %zu to delete, %zu disruptive", back,
                              counts.create, counts.update, counts.delete, counts.disruptive);

    free(back);
    return summary;
}

static void change_commit(struct engine *engine, struct request *request, struct intended *intended,
                          struct ids *ids)
{
    const struct topology *topology = intended_find(intended, request->tenant)->topology;
    char *summary = plan_summary(request);
    struct store_change change = {
        .tenant = request->tenant,
        .generation = request->ret_generation,
        .text = topology->text,
        .text_len = topology->text_len,
        .who = request->who,
        .summary = summary,
        .confirm = confirm_make(engine, request),
        .ids = ids,
    };

    request->confirm_until_ms = change.confirm.until_ms;
    request->confirm_back = change.confirm.back;

    engine->committing = request;
    engine->committing_intended = intended;
    engine->committing_ids = *ids;
    engine_fault_point();
    store_put(engine->store, &change, change_done, engine);
    free(summary);
}

/* The topology is right: number it, plan it, and unless it is a dry run write it. */
static void change_plan(struct engine *engine, struct request *request)
{
    uint64_t generation = generation_of(engine, request->tenant);
    struct intended *intended;
    char *blocked;
    struct ids ids;

    ids_clone(&engine->ids, &ids);
    ids_assign(&ids, request->tenant, request->topology);
    intended = intended_with(engine->intended, request->tenant, generation + 1, request->topology);
    request->topology = NULL; /* taken */
    request->ret_generation = generation;
    blocked = status_blocked(engine, intended, request->tenant);
    if (!blocked) {
        blocked = status_blocked(engine, engine->intended, request->tenant);
    }
    if (blocked && request->automatic) { /* safer to go back than to wait for what is away */
        free(blocked);
        blocked = NULL;
    }
    if (!blocked) {
        request->plan = pass_plan(engine, intended, request->tenant);
        if (!request->dry_run) {
            request->ret_generation = generation + 1;
            change_commit(engine, request, intended, &ids);
            return;
        }
    }
    intended_unref(intended);
    ids_done(&ids);
    request_detail(request, blocked);
    request_answer(request, blocked ? REQUEST_AWAY : REQUEST_PLANNED);
}

/* What was pushed before and still awaits confirmation. */
static void change_tell_confirm(const struct engine *engine, struct request *request)
{
    const struct store_confirm *confirm = confirm_find(engine, request->tenant);

    if (confirm) {
        request->confirm_until_ms = confirm->until_ms;
        request->confirm_back = confirm->back;
    }
}

static void change_unchanged(struct engine *engine, struct request *request)
{
    request->ret_generation = generation_of(engine, request->tenant);
    request->plan = plan_new();
    request->outcome = REQUEST_UNCHANGED;
    change_tell_confirm(engine, request);
    if (request->wait_ms > 0) {
        wait_for_convergence(engine, request);
    } else {
        request_answer(request, REQUEST_UNCHANGED);
    }
}

static void serve_topology(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);

    request->ret_generation = tenant ? tenant->generation : 0;
    if (request->has_if_match && request->if_match != request->ret_generation) {
        request_answer(request, REQUEST_STALE);
        return;
    }
    if (rollback_is_settled(engine, request)) {
        request_answer(request, REQUEST_NOT_FOUND);
        return;
    }
    load_check(engine, engine->intended, request->tenant, request->topology, request->errors);
    if (!errors_count(request->errors)) {
        node_service_check(engine, request->tenant, request->topology, request->errors);
    }
    if (errors_count(request->errors)) {
        errors_sort(request->errors);
        request_answer(request, REQUEST_WRONG);
    } else if (!request->dry_run && tenant && topology_equal(tenant->topology, request->topology)) {
        change_unchanged(engine, request);
    } else {
        change_plan(engine, request);
    }
}

static void document_done(void *aux, int result, const char *text, size_t len)
{
    struct request *request = aux;

    if (text) {
        request->text = xmemdup0(text, len);
        request->text_len = len;
        request->ret_generation = request->generation;
        request_answer(request, REQUEST_DONE);
    } else if (result == -ENOENT) {
        request_detail(request,
                       xasprintf("generation %" PRIu64 " is not kept", request->generation));
        request_answer(request, REQUEST_NOT_FOUND);
    } else {
        request_detail(request, xasprintf("state server: %s", ovs_strerror(-result)));
        request_answer(request, REQUEST_AWAY);
    }
}

static void serve_document(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);

    if (!tenant || !tenant->generation) {
        request_detail(request, xasprintf("tenant %s has no topology yet", request->tenant));
        request_answer(request, REQUEST_NOT_FOUND);
    } else if (request->generation && request->generation != tenant->generation) {
        store_read(engine->store, request->tenant, request->generation, document_done, request);
    } else {
        request->text = xmemdup0(tenant->topology->text, tenant->topology->text_len);
        request->text_len = tenant->topology->text_len;
        change_tell_confirm(engine, request);
        request->ret_generation = tenant->generation;
        request_answer(request, REQUEST_DONE);
    }
}

static void add_route(const struct backend_route *route, void *aux)
{
    struct request *request = aux;

    if (!(request->n_routes & (request->n_routes - 1))) { /* full at each power of two */
        request->routes =
            xrealloc(request->routes, MAX(1, 2 * request->n_routes) * sizeof *request->routes);
    }
    request->routes[request->n_routes++] = (struct request_route){
        .prefix = xstrdup(route->prefix),
        .via = xstrdup(route->via),
        .interface = xstrdup(route->interface),
        .protocol = xstrdup(route->protocol),
        .selected = route->selected,
    };
}

static void serve_routes(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);
    const struct network *network =
        tenant ? topology_find_network(tenant->topology, request->network) : NULL;

    if (!network) {
        request_answer(request, REQUEST_NOT_FOUND);
        return;
    }
    for (size_t i = 0; i < engine->n_backends; i++) {
        int error =
            engine->classes[i]->routes
                ? engine->classes[i]->routes(engine->backends[i], network, add_route, request)
                : 0;

        if (error) {
            request_detail(request, xasprintf("%s: the routes could not be read: %s",
                                              engine->classes[i]->name, ovs_strerror(-error)));
            request_answer(request, REQUEST_AWAY);
            return;
        }
    }
    request_answer(request, REQUEST_DONE);
}

static void serve_config(struct engine *engine, struct request *request)
{
    struct config *config = request->config;
    struct profiles *profiles = request->profiles;
    char *detail = NULL;
    bool ok;

    request->config = NULL;
    request->profiles = NULL;
    ok = load_config(engine, config, profiles, &detail);
    request_detail(request, detail);
    request_answer(request, ok ? REQUEST_DONE : REQUEST_WRONG);
}

static void serve(struct engine *engine, struct request *request)
{
    switch (request->kind) {
    case REQUEST_TOPOLOGY: serve_topology(engine, request); break;
    case REQUEST_ROLLBACK:
        if (request->topology) {
            serve_topology(engine, request);
        } else {
            rollback_serve(engine, request);
        }
        break;
    case REQUEST_CONFIRM: confirm_serve(engine, request); break;
    case REQUEST_HISTORY: history_serve(engine, request); break;
    case REQUEST_DOCUMENT: serve_document(engine, request); break;
    case REQUEST_ROUTES: serve_routes(engine, request); break;
    case REQUEST_CONFIG: serve_config(engine, request); break;
    case REQUEST_NODES_ADD:
    case REQUEST_NODES_GET:
    case REQUEST_NODES_END: ovs_assert(false); /* not in this queue */
    }
}

static bool changes_pools(const struct request *request)
{
    return request->kind == REQUEST_TOPOLOGY || request->kind == REQUEST_ROLLBACK ||
           request->kind == REQUEST_CONFIG;
}

static void serve_todo(struct engine *engine)
{
    engine->exclusive = false;
    while (engine->todo && !engine->committing) {
        struct request *request = engine->todo;
        bool opening, patient = time_msec() < request->deadline_ms;
        char *blocked = store_blocked(engine, &opening);

        if (patient && (blocked ? opening : backends_opening(engine))) {
            free(blocked);
            return;
        }
        engine->exclusive = !blocked && changes_pools(request) && node_service_busy(engine);
        if (engine->exclusive) {
            return; /* the store's next answers change that */
        }
        todo_pop(engine);
        if (blocked) {
            request->ret_generation = request->tenant ? generation_of(engine, request->tenant) : 0;
            request_detail(request, blocked);
            request_answer(request, REQUEST_AWAY);
        } else {
            serve(engine, request);
        }
    }
}

/* Answers the one that waits, if it has been waiting for this snapshot or long enough. */
static bool answer_waiting(struct engine *engine, struct request *request,
                           const struct status *status)
{
    const struct tenant_status *tenant = status_find_tenant(status, request->tenant);
    bool superseded = generation_of(engine, request->tenant) != request->ret_generation;
    bool unchanged = request->outcome == REQUEST_UNCHANGED;

    request->converged =
        !superseded && tenant && tenant->converged && tenant->applied == request->ret_generation;
    if (!request->converged && !superseded && time_msec() < request->deadline_ms) {
        return false;
    }
    if (superseded) {
        request_detail(request, xasprintf("superseded by generation %" PRIu64,
                                          generation_of(engine, request->tenant)));
    } else if (!request->converged) {
        request_detail(request, status_outstanding(tenant));
    }
    request_answer(request, unchanged            ? REQUEST_UNCHANGED
                            : request->converged ? REQUEST_CONVERGED
                                                 : REQUEST_DONE);
    return true;
}

void requests_answer_waiting(struct engine *engine, const struct status *status)
{
    struct request **link = &engine->waiting;

    while (*link) {
        struct request *request = *link, *next = request->next;

        if (answer_waiting(engine, request, status)) {
            *link = next;
        } else {
            link = &request->next;
        }
    }
}

int64_t requests_waiting_until(const struct engine *engine)
{
    int64_t first = INT64_MAX;

    for (const struct request *request = engine->waiting; request; request = request->next) {
        first = MIN(first, request->deadline_ms);
    }
    return first;
}

void requests_run(struct engine *engine)
{
    take_new_requests(engine);
    serve_todo(engine);
}

void requests_wait(struct engine *engine)
{
    latch_wait(&engine->wake);
    if (engine->todo && !engine->committing) {
        poll_timer_wait_until(engine->todo->deadline_ms);
    }
}

static void abort_list(struct request *list)
{
    while (list) {
        struct request *next = list->next;

        request_detail(list, xstrdup("routerd is stopping; ask again in a moment"));
        request_answer(list, REQUEST_AWAY);
        list = next;
    }
}

void requests_abort(struct engine *engine)
{
    struct request *waiting = engine->waiting;

    take_new_requests(engine);
    engine->waiting = NULL;
    abort_list(waiting);
    node_service_abort(engine);
    abort_list(engine->todo);
    engine->todo = NULL;
    engine->todo_tail = &engine->todo;
    store_close(engine->store); /* answers what it has under way */
    engine->store = NULL;
}
