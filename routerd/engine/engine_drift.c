/* Drift: a step that is there although everything had been carried out. Then something else has
 * changed the router, and people want to know what, and who it may have been. */
#include "engine/engine_internal.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

enum { AWAY_RECENTLY_MS = 60000 };

struct drift_backend {
    bool away;
    int64_t back_ms; /* when it last came back; 0: it never was away */
};

struct drift {
    struct shash settled; /* tenants ("": the router) of which nothing was outstanding once */
    struct drift_backend *backends;
    bool first_pass_over;
};

void drift_open(struct engine *engine)
{
    engine->drift = xzalloc(sizeof *engine->drift);
    engine->drift->backends = xcalloc(engine->n_backends, sizeof *engine->drift->backends);
    shash_init(&engine->drift->settled);
}

void drift_close(struct engine *engine)
{
    if (engine->drift) {
        shash_destroy(&engine->drift->settled);
        free(engine->drift->backends);
        free(engine->drift);
    }
}

static void watch_backends(struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        struct drift_backend *backend = &engine->drift->backends[i];
        const char *reason = NULL;
        enum backend_health health = engine->classes[i]->health(engine->backends[i], &reason);

        if (health == BACKEND_READY && backend->away) {
            backend->back_ms = time_msec();
        }
        backend->away = health != BACKEND_READY;
    }
}

void drift_forget(struct engine *engine)
{
    shash_clear(&engine->drift->settled);
}

static const char *tenant_of(const struct step *step)
{
    return step->tenant ? step->tenant : "";
}

/* What had been carried out when routerd ended has been settled before it started. */
static bool was_settled(const struct engine *engine, const char *tenant)
{
    const struct intended_tenant *found;

    if (engine->drift->first_pass_over) {
        return shash_find(&engine->drift->settled, tenant);
    }
    found = intended_find(engine->intended, tenant);
    return found && found->generation && tell_applied(engine, tenant) == found->generation;
}

static void settle(struct engine *engine, const struct plan *plan)
{
    struct shash open = SHASH_INITIALIZER(&open);

    for (size_t i = 0; i < plan->n_steps; i++) {
        shash_add_once(&open, tenant_of(plan->steps[i]), NULL);
    }
    for (size_t i = 0; i < engine->intended->n_tenants; i++) {
        const char *tenant = engine->intended->tenants[i].name;

        if (!shash_find(&open, tenant)) {
            shash_add_once(&engine->drift->settled, tenant, NULL);
        }
    }
    if (!plan->n_steps) {
        shash_add_once(&engine->drift->settled, "", NULL);
    }
    shash_destroy(&open);
}

static const char *likely_cause(struct engine *engine, const struct step *step)
{
    static const char *const causes[] = {
        [STEP_CREATE] = "deleted by hand or by another program",
        [STEP_UPDATE] = "changed by hand or by another program",
        [STEP_DELETE] = "added by hand or by another program",
    };

    for (size_t i = 0; i < engine->n_backends; i++) {
        int64_t back_ms = engine->drift->backends[i].back_ms;

        if (!strcmp(engine->classes[i]->name, step->backend) && back_ms &&
            time_msec() - back_ms < AWAY_RECENTLY_MS) {
            return "lost while its backend was away";
        }
    }
    return engine->drift->first_pass_over ? causes[step->action]
                                          : "so when routerd started, and not before";
}

void drift_mark(struct engine *engine, struct plan *plan, bool all_ready)
{
    watch_backends(engine);
    for (size_t i = 0; i < plan->n_steps; i++) {
        struct step *step = plan->steps[i];

        step->drift = was_settled(engine, tenant_of(step)) ? likely_cause(engine, step) : NULL;
    }
    if (all_ready) {
        settle(engine, plan);
        engine->drift->first_pass_over = true;
    }
}

void drift_tell(struct engine *engine, const struct step *step)
{
    static const char *const outcomes[] = {
        [STEP_TODO] = "not restored yet",
        [STEP_RUNNING] = "not restored yet",
        [STEP_DONE] = "restored",
        [STEP_NOT_READY] = "not restored yet",
        [STEP_FAILED] = "it cannot be restored",
    };
    char *network = xmemdup0(step->object, strcspn(step->object, "/"));
    const struct event_about about = {step->tenant, tenant_of(step)[0] ? network : NULL,
                                      step->object, 0};

    events_emit(engine, EVENT_DRIFT, &about, "%s: %s (%s); %s by: %s: %s%s%s", step->object,
                step->drift, step->backend, outcomes[step->result], step_action_name(step->action),
                step->summary ? step->summary : "", step->reason ? ": " : "",
                step->reason ? step->reason : "");
    free(network);
}
