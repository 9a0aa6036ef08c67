#include "model/plan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct plan *plan_new(void)
{
    struct arena *arena = arena_new();
    struct plan *plan = arena_alloc(arena, sizeof *plan);
    plan->arena = arena;
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan)
        arena_free(plan->arena);
}

struct step *plan_add(struct plan *plan, const char *backend, enum plan_phase phase,
                      enum step_action action, const char *tenant, const char *object)
{
    struct step *step = arena_alloc(plan->arena, sizeof *step);
    step->backend = arena_strdup(plan->arena, backend);
    step->phase = phase;
    step->action = action;
    step->tenant = arena_strdup(plan->arena, tenant);
    step->object = arena_strdup(plan->arena, object);
    plan->steps =
        arena_grow(plan->arena, plan->steps, plan->n_steps, &plan->capacity, sizeof(struct step *));
    plan->steps[plan->n_steps++] = step;
    return step;
}

static void add_name(struct plan *plan, struct plan_names *names, const char *name)
{
    names->v = arena_grow(plan->arena, names->v, names->n, &names->capacity, sizeof *names->v);
    names->v[names->n++] = arena_strdup(plan->arena, name);
}

static bool has_name(const struct plan_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->v[i], name) == 0)
            return true;
    return false;
}

void plan_remake(struct plan *plan, const char *interface)
{
    add_name(plan, &plan->remade, interface);
}

bool plan_remakes(const struct plan *plan, const char *interface)
{
    return has_name(&plan->remade, interface);
}

void plan_withhold(struct plan *plan, const char *interface)
{
    add_name(plan, &plan->withheld, interface);
}

bool plan_withholds(const struct plan *plan, const char *interface)
{
    return has_name(&plan->withheld, interface);
}

/* Counting sort: stable by nature, and the phases are few. */
void plan_sort(struct plan *plan)
{
    size_t place[N_PHASES + 1] = {0};
    if (plan->n_steps < 2)
        return;
    struct step **sorted = calloc(plan->n_steps, sizeof(struct step *));
    if (!sorted)
        abort();
    for (size_t i = 0; i < plan->n_steps; i++)
        place[plan->steps[i]->phase + 1]++;
    for (size_t phase = 0; phase < N_PHASES; phase++)
        place[phase + 1] += place[phase];
    for (size_t i = 0; i < plan->n_steps; i++)
        sorted[place[plan->steps[i]->phase]++] = plan->steps[i];
    memcpy(plan->steps, sorted, plan->n_steps * sizeof(struct step *));
    free(sorted);
}

struct plan_counts plan_count(const struct plan *plan)
{
    struct plan_counts counts = {0};
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        counts.create += step->action == STEP_CREATE;
        counts.update += step->action == STEP_UPDATE;
        counts.delete += step->action == STEP_DELETE;
        counts.disruptive += step->disruptive;
    }
    return counts;
}

const char *step_action_name(enum step_action action)
{
    static const char *const NAMES[] = {
        [STEP_CREATE] = "create", [STEP_UPDATE] = "update", [STEP_DELETE] = "delete"};
    return NAMES[action];
}

void step_finish(struct plan *plan, struct step *step, enum step_result result, const char *format,
                 ...)
{
    step->result = result;
    step->reason = NULL;
    if (!format)
        return;
    va_list args;
    va_start(args, format);
    step->reason = arena_vprintf(plan->arena, format, args);
    va_end(args);
}
