/* The snapshot: skeleton from the intended state, facts and votes of the backends, votes for
 * outstanding steps, since when, and publication.
 *
 * Whole ones cost what all networks cost. While something is being carried out they are taken more
 * seldom, and those in between are anew for the tenants only that it is carried out for. */
#include "engine/engine_internal.h"

#include "log/log.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/dynamic-string.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

/* Visits every segment, tunnel and peer of a tenant, then the network itself; `path` is
 * "bio/genome/peer/aws". */
typedef void object_visitor(struct object_status *object, const char *path, void *aux);

static void visit_part(struct object_status *object, struct ds *path, size_t end, const char *kind,
                       object_visitor *visit, void *aux)
{
    ds_truncate(path, end);
    ds_put_cstr(path, kind);
    ds_put_cstr(path, object->name);
    visit(object, ds_cstr(path), aux);
}

static void visit_network(const char *tenant, struct network_status *network, object_visitor *visit,
                          void *aux)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    size_t end;

    ds_put_cstr(&path, tenant); /* no formats: this is done for every object of the router */
    ds_put_char(&path, '/');
    ds_put_cstr(&path, network->object.name);
    end = path.length;
    for (size_t i = 0; i < network->n_segments; i++) {
        visit_part(&network->segments[i].object, &path, end, "/segment/", visit, aux);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        visit_part(&network->tunnels[i].object, &path, end, "/tunnel/", visit, aux);
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        visit_part(&network->peers[i].object, &path, end, "/peer/", visit, aux);
    }
    ds_truncate(&path, end);
    visit(&network->object, ds_cstr(&path), aux);
    ds_destroy(&path);
}

static void visit_tenant(struct tenant_status *tenant, object_visitor *visit, void *aux)
{
    for (size_t i = 0; i < tenant->n_networks; i++) {
        visit_network(tenant->name, &tenant->networks[i], visit, aux);
    }
}

/* All objects but those that were taken over from the snapshot before. */
static void visit_fresh(struct status *status, object_visitor *visit, void *aux)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        if (!status->tenants[i].home) {
            visit_tenant(&status->tenants[i], visit, aux);
        }
    }
}

bool status_is_of_another(const struct status *status, struct intended **known)
{
    if (*known == status->intended) {
        return false;
    }
    intended_unref(*known);
    *known = intended_ref(status->intended);
    return true;
}

bool status_has_taken(const struct status *status, const char *path)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        size_t len = strlen(status->tenants[i].name);

        if (!strncmp(path, status->tenants[i].name, len) && path[len] == '/') {
            return status->tenants[i].home != NULL;
        }
    }
    return false;
}

struct inherit {
    struct status *status;
    struct network_status *network;
};

/* A network is as well as the worst of what it is made of. */
static void inherit_vote(struct object_status *object, const char *path, void *aux)
{
    struct inherit *inherit = aux;

    if (object != &inherit->network->object && object->state != OBJECT_UP) {
        status_vote(inherit->status, &inherit->network->object, object->state, "%s: %s",
                    strchr(path, '/') + 1, object->reason);
    }
}

static void inherit_votes(struct status *status)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        for (size_t j = 0; !status->tenants[i].home && j < status->tenants[i].n_networks; j++) {
            struct inherit inherit = {status, &status->tenants[i].networks[j]};

            visit_network(status->tenants[i].name, inherit.network, inherit_vote, &inherit);
        }
    }
}

struct since_change {
    struct engine *engine;
    struct store_since *changes;
    size_t n, capacity;
    bool tells;
};

static void since_note(struct since_change *change, const char *path, int64_t since_ms)
{
    if (change->n == change->capacity) {
        change->changes = x2nrealloc(change->changes, &change->capacity, sizeof *change->changes);
    }
    change->changes[change->n++] = (struct store_since){xstrdup(path), since_ms};
}

static void since_forget(struct since_change *change, struct shash_node *node)
{
    since_note(change, node->name, 0);
    free(node->data);
    shash_delete(&change->engine->since, node);
}

static void since_remember(struct since_change *change, const char *path, int64_t since_ms)
{
    int64_t *since = shash_find_data(&change->engine->since, path);

    if (!since) {
        since = xmalloc(sizeof *since);
        shash_add(&change->engine->since, path, since);
    }
    *since = since_ms;
    since_note(change, path, since_ms);
}

/* When the object came up: what is remembered, unless its backend knows of a later time (a session
 * that came back while nobody looked). Backends count back from an age in seconds, so a little is
 * no news. An object that is pending has not been seen to fail: after a restart everything is so
 * for a moment. */
static void since_update(struct object_status *object, const char *path, void *aux)
{
    struct since_change *change = aux;
    struct shash_node *node = shash_find(&change->engine->since, path);
    int64_t known = node ? *(int64_t *)node->data : 0, told = object->since_ms;

    if (object->state != OBJECT_UP) {
        object->since_ms = 0;
        if (node && object->state != OBJECT_PENDING) {
            since_forget(change, node);
        }
        return;
    }
    if (!known || told > known + SINCE_SLACK_MS) {
        known = told ? told : wall_ms();
        since_remember(change, path, known);
    }
    object->since_ms = known;
}

static void since_and_tell(struct object_status *object, const char *path, void *aux)
{
    const struct since_change *change = aux;

    since_update(object, path, aux);
    if (change->tells) {
        tell_object(change->engine, object, path);
    }
}

static void collect_path(struct object_status *object OVS_UNUSED, const char *path, void *aux)
{
    shash_add_once(aux, path, NULL);
}

/* Forgets the objects that are not wanted any more. */
static void since_sweep(struct since_change *change, struct status *status)
{
    struct shash wanted = SHASH_INITIALIZER(&wanted);
    struct shash_node *node;

    visit_fresh(status, collect_path, &wanted);
    SHASH_FOR_EACH_SAFE(node, &change->engine->since) {
        if (!shash_find(&wanted, node->name) && !status_has_taken(status, node->name)) {
            since_forget(change, node);
        }
    }
    shash_destroy(&wanted);
}

static void since_run(struct engine *engine, struct status *status)
{
    struct since_change change = {.engine = engine, .tells = tell_begin(engine, status)};

    visit_fresh(status, since_and_tell, &change);
    if (change.tells) {
        tell_end(engine, status);
    }
    if (status_is_of_another(status, &engine->since_of)) {
        since_sweep(&change, status);
    }
    if (change.n) {
        store_put_since(engine->store, change.changes, change.n);
    }
    for (size_t i = 0; i < change.n; i++) {
        free(change.changes[i].object);
    }
    free(change.changes);
}

void status_load_since(struct engine *engine, const struct store_image *image)
{
    shash_clear_free_data(&engine->since);
    intended_unref(engine->since_of);
    engine->since_of = NULL;
    for (size_t i = 0; i < image->n_since; i++) {
        int64_t *since = xmalloc(sizeof *since);

        *since = image->since[i].since_ms;
        shash_add(&engine->since, image->since[i].object, since);
    }
}

static void add_state_server(const struct engine *engine, struct status *status,
                             struct backend_status *state)
{
    const char *reason = NULL;
    enum store_health health = store_health(engine->store, &reason);

    state->name = "state";
    state->answers = health == STORE_READY && !engine->store_conflict;
    state->opening = health == STORE_OPENING;
    reason = engine->store_conflict ? engine->store_conflict : reason ? reason : "connecting";
    state->reason = state->answers ? NULL : arena_strdup(status->arena, reason);
}

static void add_backends(struct engine *engine, struct status *status)
{
    const char *reason = NULL;

    status->n_backends = engine->n_backends + 1;
    status->backends = arena_calloc(status->arena, status->n_backends, sizeof *status->backends);
    for (size_t i = 0; i < engine->n_backends; i++) {
        struct backend_status *backend = &status->backends[i];
        enum backend_health health;

        reason = NULL;
        health = engine->classes[i]->health(engine->backends[i], &reason);
        backend->name = engine->classes[i]->name;
        backend->answers = health == BACKEND_READY;
        backend->opening = health == BACKEND_OPENING;
        if (!backend->answers && !reason) {
            reason = "connecting";
        }
        backend->reason = arena_strdup(status->arena, reason);
    }
    add_state_server(engine, status, &status->backends[engine->n_backends]);
}

static bool backends_opening(const struct status *status, struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        const char *reason;

        if (engine->classes[i]->health(engine->backends[i], &reason) == BACKEND_OPENING) {
            return true;
        }
    }
    return !status->backends;
}

static void set_converged(struct engine *engine, struct status *status)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        struct tenant_status *tenant = &status->tenants[i];
        uint64_t *applied = shash_find_data(&engine->applied, tenant->name);

        tenant->applied = applied ? *applied : 0;
        tenant->converged = tenant->applied == tenant->generation;
        for (size_t j = 0; j < tenant->n_networks; j++) {
            tenant->converged &= tenant->networks[j].object.state == OBJECT_UP;
        }
    }
}

static void mark_one_creating(struct object_status *object, const char *path, void *aux)
{
    object->creating = !shash_find(aux, path);
}

/* While a generation is being carried out, what has not been up yet is being made. */
static void mark_creating(struct engine *engine, struct status *status)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        uint64_t *applied = shash_find_data(&engine->applied, status->tenants[i].name);

        if (!status->tenants[i].home && (!applied || *applied != status->tenants[i].generation)) {
            visit_tenant(&status->tenants[i], mark_one_creating, &engine->since);
        }
    }
}

/* --- what is being carried out, and for whom ------------------------------------------------ */

static bool is_waited_for(const struct engine *engine, const char *tenant)
{
    const struct request *request = engine->waiting;

    while (request && strcmp(request->tenant, tenant) != 0) {
        request = request->next;
    }
    return request != NULL;
}

/* The newest generation of the tenant's that a snapshot has told to be applied. */
static uint64_t published_applied(const struct engine *engine, const char *tenant)
{
    const struct status *status = engine->published;
    const struct intended_tenant *found = status ? intended_find(status->intended, tenant) : NULL;

    return found ? status->tenants[found - status->intended->tenants].applied : 0;
}

/* Whether something is being carried out for the tenant, will be repeated, or has been carried out
 * and not been told. */
static bool is_stirred(const struct intended_tenant *tenant, const void *engine_)
{
    const struct engine *engine = engine_;

    return published_applied(engine, tenant->name) != tenant->generation ||
           is_waited_for(engine, tenant->name) || pass_concerns(engine, tenant->name);
}

static bool any_is_stirred(const struct engine *engine)
{
    for (size_t i = 0; i < engine->intended->n_tenants; i++) {
        if (is_stirred(&engine->intended->tenants[i], engine)) {
            return true;
        }
    }
    return false;
}

/* --- the snapshot --------------------------------------------------------------------------- */

static struct status *status_build(struct engine *engine, bool whole)
{
    struct status *status =
        status_update(whole ? NULL : engine->published, engine->intended, is_stirred, engine);

    status->time_ms = wall_ms();
    status->is_read = engine->store_serial != 0;
    mark_creating(engine, status);
    pass_vote(engine,
              status); /* first: what a step said is nearer to the cause than what is missing */
    for (size_t i = 0; i < engine->n_backends; i++) {
        engine->classes[i]->status(engine->backends[i], status);
    }
    return status;
}

static struct status *status_take(struct engine *engine, bool whole)
{
    struct status *status = status_build(engine, whole);

    add_backends(engine, status);
    node_service_status(engine, status);
    inherit_votes(status);
    set_converged(engine, status);
    confirm_status(engine, status);
    if (!backends_opening(status, engine)) {
        since_run(engine, status);
    }
    return status;
}

static void snapshot_taken(struct snapshot *snapshot)
{
    snapshot->taken_ms = time_msec();
    snapshot->stale = snapshot->urgent = false;
}

static void status_publish(struct engine *engine, struct status *status, bool whole)
{
    struct status *old;

    pthread_mutex_lock(&engine->lock);
    old = engine->published;
    engine->published = status;
    pthread_mutex_unlock(&engine->lock);
    status_unref(old);
    snapshot_taken(&engine->partial);
    if (whole) {
        snapshot_taken(&engine->whole);
    }
    if (engine->notify) {
        engine->notify(engine->notify_aux);
    }
}

static void publish(struct engine *engine, bool whole)
{
    long long started_us = time_usec();
    struct status *status = status_take(engine, whole);

    status_publish(engine, status_ref(status),
                   whole); /* first, so that who is answered reads no older one */
    requests_answer_waiting(engine, status);
    status_unref(status);
    (whole ? &engine->whole : &engine->partial)->took_us = time_usec() - started_us;
}

void status_publish_now(struct engine *engine)
{
    publish(engine, !engine->published);
}

void status_changed(struct engine *engine)
{
    engine->partial.stale = engine->whole.stale = true;
}

void status_backend_changed(struct engine *engine, size_t i)
{
    const char *reason = NULL;
    enum backend_health health = engine->classes[i]->health(engine->backends[i], &reason);

    status_changed(engine);
    engine->whole.urgent |= engine->healths[i] != health;
    engine->healths[i] = health;
}

void status_store_changed(struct engine *engine)
{
    const char *reason = NULL;
    enum store_health health = store_health(engine->store, &reason);

    status_changed(engine);
    engine->whole.urgent |= engine->store_was != health;
    engine->store_was = health;
}

static int64_t snapshot_due(const struct snapshot *snapshot, int interval_ms, int share)
{
    int64_t rest_ms =
        MAX(snapshot->stale ? interval_ms : FACTS_MS, snapshot->took_us * share / 1000);

    return snapshot->taken_ms + (snapshot->urgent ? PUBLISH_WAITED_MS : rest_ms);
}

/* When the next snapshot is due, and whether that is a whole one. */
static int64_t publish_due(const struct engine *engine, bool *ret_whole)
{
    int interval_ms = engine->waiting ? PUBLISH_WAITED_MS : PUBLISH_MS;
    bool stirred = engine->whole.stale && any_is_stirred(engine);
    int64_t whole =
        snapshot_due(&engine->whole, interval_ms, stirred ? WHOLE_SHARE : PUBLISH_SHARE);
    int64_t next = stirred && engine->partial.stale
                       ? snapshot_due(&engine->partial, interval_ms, PUBLISH_SHARE)
                       : INT64_MAX;

    next = MIN(next, requests_waiting_until(engine));
    *ret_whole = whole <= next;
    return MIN(whole, next);
}

void status_run(struct engine *engine)
{
    bool whole;

    if (time_msec() >= publish_due(engine, &whole)) {
        publish(engine, whole || !engine->published);
    }
}

void status_wait(struct engine *engine)
{
    bool whole;

    poll_timer_wait_until(publish_due(engine, &whole));
}

struct blocked {
    const char *reason;
};

static void first_reason(struct object_status *object, const char *path OVS_UNUSED, void *aux)
{
    struct blocked *blocked = aux;

    if (object->state != OBJECT_UP && !blocked->reason) {
        blocked->reason = object->reason;
    }
}

/* A backend that is away votes on each object that it carries a part of; so its votes tell whether
 * a topology needs it. */
char *status_blocked(struct engine *engine, const struct intended *intended, const char *tenant)
{
    char *result = NULL;

    for (size_t i = 0; i < engine->n_backends && !result; i++) {
        const char *reason = NULL;
        struct blocked blocked = {NULL};
        struct tenant_status *found;
        struct status *status;

        if (engine->classes[i]->health(engine->backends[i], &reason) == BACKEND_READY) {
            continue;
        }
        status = status_new(intended);
        engine->classes[i]->status(engine->backends[i], status);
        found = CONST_CAST(struct tenant_status *, status_find_tenant(status, tenant));
        if (found) {
            visit_tenant(found, first_reason, &blocked);
        }
        if (blocked.reason) {
            result =
                xasprintf("%s: %s", engine->classes[i]->name, reason ? reason : blocked.reason);
        }
        status_unref(status);
    }
    return result;
}

struct outstanding {
    struct ds text;
    size_t n;
};

static void outstanding_add(struct object_status *object, const char *path, void *aux)
{
    struct outstanding *outstanding = aux;

    if (object->state != OBJECT_UP && strchr(strchr(path, '/') + 1, '/') && outstanding->n++ < 20) {
        ds_put_format(&outstanding->text, "%s%s is %s: %s", outstanding->text.length ? "; " : "",
                      strchr(path, '/') + 1, object_state_name(object->state), object->reason);
    }
}

char *status_outstanding(const struct tenant_status *tenant)
{
    struct outstanding outstanding = {DS_EMPTY_INITIALIZER, 0};

    if (tenant) {
        visit_tenant(CONST_CAST(struct tenant_status *, tenant), outstanding_add, &outstanding);
    }
    if (!outstanding.n) {
        ds_put_cstr(&outstanding.text, "the change is being carried out");
    }
    return ds_steal_cstr(&outstanding.text);
}
