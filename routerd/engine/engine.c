#include "engine/engine_internal.h"

#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/util.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct request *request_new(enum request_kind kind)
{
    struct request *request = xzalloc(sizeof *request);

    request->kind = kind;
    return request;
}

static void request_free_nodes(struct request *request)
{
    for (size_t i = 0; i < request->n_nodes; i++) {
        free(request->nodes[i].name);
        free(request->nodes[i].labels);
    }
    free(request->nodes);
    free(request->next_node);
    free(request->node);
    free(request->pool);
    free(request->after);
    node_wants_free(request->wants);
    intended_unref(request->intended);
}

static void request_free_history(struct request *request)
{
    for (size_t i = 0; i < request->n_history; i++) {
        free(request->history[i].who);
        free(request->history[i].summary);
    }
    free(request->history);
}

static void request_free_routes(struct request *request)
{
    for (size_t i = 0; i < request->n_routes; i++) {
        free(request->routes[i].prefix);
        free(request->routes[i].via);
        free(request->routes[i].interface);
        free(request->routes[i].protocol);
    }
    free(request->routes);
}

void request_free(struct request *request)
{
    if (!request) {
        return;
    }
    free(request->tenant);
    free(request->network);
    free(request->who);
    topology_free(request->topology);
    errors_free(request->errors);
    config_free(request->config);
    profiles_free(request->profiles);
    plan_free(request->plan);
    free(request->detail);
    free(request->text);
    request_free_routes(request);
    request_free_history(request);
    request_free_nodes(request);
    free(request);
}

int engine_open(struct config *config, struct profiles *profiles,
                const struct backend_class *const *classes, size_t n_classes,
                struct engine **ret_engine)
{
    struct engine *engine = xzalloc(sizeof *engine);
    int result;

    engine->config = config;
    engine->profiles = profiles;
    engine->classes = classes;
    engine->n_backends = n_classes;
    engine->backends = xcalloc(n_classes, sizeof *engine->backends);
    engine->clean_for = xcalloc(n_classes, sizeof *engine->clean_for);
    engine->healths = xcalloc(n_classes, sizeof *engine->healths);
    engine->intended = intended_new(config);
    engine->queue_tail = &engine->queue;
    engine->todo_tail = &engine->todo;
    engine->retry_ms = INT64_MAX;
    ids_init(&engine->ids);
    shash_init(&engine->attempts);
    shash_init(&engine->applied);
    shash_init(&engine->since);
    pthread_mutex_init(&engine->lock, NULL);
    latch_init(&engine->wake);
    confirm_open(engine);
    events_open(engine);
    tell_open(engine);
    drift_open(engine);
    result = store_open(config, &engine->store);
    if (!result) {
        node_service_open(engine);
        result = load_open_backends(engine);
    }
    if (result) {
        engine_close(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

void engine_close(struct engine *engine)
{
    if (!engine) {
        return;
    }
    pass_abort(engine);
    load_close_backends(engine);
    store_close(engine->store);
    node_service_close(engine);
    confirm_close(engine);
    drift_close(engine);
    tell_close(engine);
    events_close(engine);
    intended_unref(engine->intended);
    intended_unref(engine->since_of);
    status_unref(engine->published);
    ids_done(&engine->ids);
    shash_destroy(&engine->attempts);
    shash_destroy_free_data(&engine->applied);
    shash_destroy_free_data(&engine->since);
    latch_destroy(&engine->wake);
    pthread_mutex_destroy(&engine->lock);
    load_free_retired(engine);
    config_free(engine->config);
    profiles_free(engine->profiles);
    free(engine->store_conflict);
    free(engine->clean_for);
    free(engine->healths);
    free(engine->backends);
    free(engine);
}

/* One turn: events in, requests, at most one phase of work, a snapshot out. */
static void engine_turn(struct engine *engine)
{
    if (store_run(engine->store)) {
        status_store_changed(engine);
    }
    load_run(engine);
    for (size_t i = 0; i < engine->n_backends; i++) {
        if (engine->classes[i]->run(engine->backends[i])) {
            pass_look_again(engine, i);
            status_backend_changed(engine, i);
        }
    }
    confirm_run(engine);
    requests_run(engine);
    node_service_run(engine);
    probes_run(engine);
    pass_run(engine);
    status_run(engine);
    events_run(engine);
}

static bool engine_stopping(struct engine *engine)
{
    bool stopping;

    pthread_mutex_lock(&engine->lock);
    stopping = engine->stopping;
    pthread_mutex_unlock(&engine->lock);
    return stopping || engine->fatal;
}

int engine_run(struct engine *engine)
{
    while (!engine_stopping(engine)) {
        engine_turn(engine);
        store_wait(engine->store);
        for (size_t i = 0; i < engine->n_backends; i++) {
            engine->classes[i]->wait(engine->backends[i]);
        }
        confirm_wait(engine);
        requests_wait(engine);
        node_service_wait(engine);
        probes_wait(engine);
        pass_wait(engine);
        status_wait(engine);
        events_wait(engine);
        poll_block();
    }
    events_flush(engine);
    requests_abort(engine);
    return engine->fatal ? -EINVAL : 0;
}

void engine_stop(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    pthread_mutex_unlock(&engine->lock);
    latch_set(&engine->wake);
}

void engine_submit(struct engine *engine, struct request *request)
{
    bool accepted, first;

    request->next = NULL;
    pthread_mutex_lock(&engine->lock);
    accepted = !engine->stopping;
    first = !engine->queue; /* who put in the first one has woken it, and it takes all at once */
    if (accepted) {
        *engine->queue_tail = request;
        engine->queue_tail = &request->next;
    }
    pthread_mutex_unlock(&engine->lock);
    if (accepted) {
        if (first) {
            latch_set(&engine->wake);
        }
        return;
    }
    request->outcome = REQUEST_AWAY;
    request->detail = xstrdup("routerd is stopping; ask again in a moment");
    request->done(request);
}

struct status *engine_status(struct engine *engine)
{
    struct status *status;

    pthread_mutex_lock(&engine->lock);
    status = engine->published ? status_ref(engine->published) : NULL;
    pthread_mutex_unlock(&engine->lock);
    return status;
}

void engine_on_status(struct engine *engine, void (*notify)(void *aux), void *aux)
{
    engine->notify = notify;
    engine->notify_aux = aux;
}
