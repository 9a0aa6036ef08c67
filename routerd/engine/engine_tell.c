/* What two snapshots in a row tell: generations that were applied and converged, objects that came
 * up or went down, backends that went away or came back. What was told is remembered, from the kept
 * events also over a restart, so that nothing is told twice. */
#include "engine/engine_internal.h"

#include <inttypes.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

struct told_object {
    bool up;
    unsigned int round; /* the last snapshot that had it */
};

struct told_tenant {
    uint64_t applied, converged;
};

struct told_backend {
    bool away;
};

struct tell {
    struct shash objects; /* "bio/genome/tunnel/sakura" */
    struct shash tenants;
    struct shash backends;
    int64_t started_ms; /* Unix time */

    unsigned int round;  /* the snapshot that is being looked at */
    bool part_is_down;   /* of the network that comes next */
    struct intended *of; /* whose objects are remembered; a reference, or null */
};

void tell_open(struct engine *engine)
{
    engine->tell = xzalloc(sizeof *engine->tell);
    shash_init(&engine->tell->objects);
    shash_init(&engine->tell->tenants);
    shash_init(&engine->tell->backends);
    engine->tell->started_ms = wall_ms();
}

void tell_close(struct engine *engine)
{
    if (engine->tell) {
        shash_destroy_free_data(&engine->tell->objects);
        shash_destroy_free_data(&engine->tell->tenants);
        shash_destroy_free_data(&engine->tell->backends);
        intended_unref(engine->tell->of);
        free(engine->tell);
    }
}

static void *entry_of(struct shash *shash, const char *name, size_t size)
{
    void *entry = shash_find_data(shash, name);

    if (!entry) {
        entry = xzalloc(size);
        shash_add(shash, name, entry);
    }
    return entry;
}

/* --- what was told before the restart ------------------------------------------------------- */

static void remember(struct tell *tell, const struct router_event *event)
{
    const struct event_about *about = &event->about;
    char *path = xasprintf("%s/%s", about->tenant, about->object);
    struct told_tenant *tenant;

    if (event->kind == EVENT_UP || event->kind == EVENT_DOWN) {
        struct told_object *object = entry_of(&tell->objects, path, sizeof *object);

        object->up = event->kind == EVENT_UP;
    } else if (event->kind == EVENT_APPLIED || event->kind == EVENT_CONVERGED) {
        tenant = entry_of(&tell->tenants, about->tenant, sizeof *tenant);
        *(event->kind == EVENT_APPLIED ? &tenant->applied : &tenant->converged) = about->generation;
    } else if (event->kind == EVENT_AWAY || event->kind == EVENT_BACK) {
        struct told_backend *backend = entry_of(&tell->backends, about->object, sizeof *backend);

        backend->away = event->kind == EVENT_AWAY;
    }
    free(path);
}

void tell_remember(struct engine *engine, struct router_event *const *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        remember(engine->tell, events[i]);
    }
}

uint64_t tell_applied(const struct engine *engine, const char *tenant)
{
    const struct told_tenant *told = shash_find_data(&engine->tell->tenants, tenant);

    return told ? told->applied : 0;
}

/* --- objects -------------------------------------------------------------------------------- */

static void tell_one(struct engine *engine, const char *path, struct told_object *told, bool up,
                     const struct object_status *object)
{
    const char *name = strchr(path, '/') + 1;
    char *tenant = xmemdup0(path, (size_t)(name - 1 - path));
    char *network = xmemdup0(name, strcspn(name, "/"));
    const struct event_about about = {tenant, network, name, 0};

    told->up = up;
    if (up) {
        events_emit(engine, EVENT_UP, &about, "%s is up", name);
    } else {
        events_emit(engine, EVENT_DOWN, &about, "%s is %s: %s", name,
                    object_state_name(object->state), object->reason ? object->reason : "");
    }
    free(network);
    free(tenant);
}

/* What is remembered of an object that is up or down for good. One that is met for the first time
 * and came up before routerd started is no news. */
static struct told_object *object_told(struct tell *tell, const char *path, bool up,
                                       const struct object_status *object)
{
    struct told_object *told = shash_find_data(&tell->objects, path);

    if (!told) {
        told = entry_of(&tell->objects, path, sizeof *told);
        told->up = up ? object->since_ms < tell->started_ms : true;
    }
    return told;
}

/* A network comes behind its parts, and is only told of when none of them explains it. What is
 * pending or being removed is on its way and no news. */
void tell_object(struct engine *engine, const struct object_status *object, const char *path)
{
    struct tell *tell = engine->tell;
    bool down = object->state == OBJECT_DOWN || object->state == OBJECT_ERROR;
    bool up = object->state == OBJECT_UP;
    bool is_network = !strchr(strchr(path, '/') + 1, '/');
    bool explained = is_network && tell->part_is_down;
    struct told_object *told = up || (down && !explained) ? object_told(tell, path, up, object)
                                                          : shash_find_data(&tell->objects, path);

    tell->part_is_down = !is_network && (tell->part_is_down || !up);
    if (!told) {
        return;
    }
    told->round = tell->round;
    if ((up && !told->up) || (down && !explained && told->up)) {
        tell_one(engine, path, told, up, object);
    }
}

static void forget_objects(struct tell *tell, const struct status *status)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE(node, &tell->objects) {
        const struct told_object *told = node->data;

        if (told->round != tell->round && !status_has_taken(status, node->name)) {
            free(node->data);
            shash_delete(&tell->objects, node);
        }
    }
}

/* --- generations and backends --------------------------------------------------------------- */

static void tell_generation(struct engine *engine, const struct tenant_status *tenant)
{
    const struct event_about about = {tenant->name, NULL, NULL, tenant->generation};
    struct told_tenant *told = entry_of(&engine->tell->tenants, tenant->name, sizeof *told);

    if (tenant->generation && tenant->applied == tenant->generation &&
        told->applied != tenant->generation) {
        told->applied = tenant->generation;
        events_emit(engine, EVENT_APPLIED, &about,
                    "generation %" PRIu64 " has been carried out and read back",
                    tenant->generation);
    }
    if (tenant->generation && tenant->converged && told->converged != tenant->generation) {
        told->converged = tenant->generation;
        events_emit(engine, EVENT_CONVERGED, &about, "generation %" PRIu64 ": everything is up",
                    tenant->generation);
    }
}

static void tell_backend(struct engine *engine, const struct backend_status *backend)
{
    const struct event_about about = {NULL, NULL, backend->name, 0};
    struct told_backend *told = entry_of(&engine->tell->backends, backend->name, sizeof *told);

    if (told->away == !backend->answers || (!told->away && backend->opening)) {
        return;
    }
    told->away = !backend->answers;
    if (told->away) {
        events_emit(engine, EVENT_AWAY, &about, "%s does not answer: %s", backend->name,
                    backend->reason);
    } else {
        events_emit(engine, EVENT_BACK, &about, "%s answers again", backend->name);
    }
}

bool tell_begin(struct engine *engine, const struct status *status)
{
    if (!events_ready(engine)) {
        return false;
    }
    engine->tell->round++;
    engine->tell->part_is_down = false;
    for (size_t i = 0; i < status->n_backends; i++) { /* causes first */
        tell_backend(engine, &status->backends[i]);
    }
    return true;
}

void tell_end(struct engine *engine, const struct status *status)
{
    if (status_is_of_another(status, &engine->tell->of)) {
        forget_objects(engine->tell, status);
    }
    for (size_t i = 0; i < status->n_tenants; i++) {
        tell_generation(engine, &status->tenants[i]);
    }
}
