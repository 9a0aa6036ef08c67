#include "events/event_damper.h"

#include <lib/util.h>
#include <openvswitch/shash.h>
#include <stdlib.h>

/* A measure: `burst` at once, then one each `every_ms`. `full_ms` is when nothing of it will be
 * used up any more. */
struct measure {
    int64_t full_ms;
};

struct pace {
    int64_t every_ms, burst;
};

static const struct pace object_pace = {2000, 20};
static const struct pace tenant_pace = {100, 300}; /* events of no object */
static const struct pace common_pace = {50, 1000}; /* all objects together */

enum { OBJECTS_MAX = 8192, TAKE_PAUSE_MS = 50 };

struct place {
    struct measure measure;
    struct router_event *held;
    size_t replaced;
};

struct event_damper {
    struct shash places; /* of struct place, by "tenant/object" */
    struct measure common;
    size_t n_held;
    int64_t due_ms;
};

struct event_damper *event_damper_new(void)
{
    struct event_damper *damper = xzalloc(sizeof *damper);

    shash_init(&damper->places);
    damper->due_ms = INT64_MAX;
    return damper;
}

void event_damper_free(struct event_damper *damper)
{
    struct shash_node *node;

    if (!damper) {
        return;
    }
    SHASH_FOR_EACH(node, &damper->places) {
        router_event_unref(((struct place *)node->data)->held);
    }
    shash_destroy_free_data(&damper->places);
    free(damper);
}

static bool has_room(const struct measure *measure, const struct pace *pace, int64_t now_ms)
{
    return measure->full_ms - now_ms <= (pace->burst - 1) * pace->every_ms;
}

static void use(struct measure *measure, const struct pace *pace, int64_t now_ms)
{
    measure->full_ms = MAX(measure->full_ms, now_ms) + pace->every_ms;
}

/* Whether an event of the place may go now; then it is counted. */
static bool admit(struct event_damper *damper, struct place *place, bool of_object, int64_t now_ms)
{
    const struct pace *pace = of_object ? &object_pace : &tenant_pace;

    if (!has_room(&place->measure, pace, now_ms) ||
        (of_object && !has_room(&damper->common, &common_pace, now_ms))) {
        return false;
    }
    use(&place->measure, pace, now_ms);
    if (of_object) {
        use(&damper->common, &common_pace, now_ms);
    }
    return true;
}

/* Places that are as good as new need not be remembered. */
static void forget_idle(struct event_damper *damper, int64_t now_ms)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE(node, &damper->places) {
        struct place *place = node->data;

        if (!place->held && place->measure.full_ms <= now_ms) {
            free(place);
            shash_delete(&damper->places, node);
        }
    }
}

static struct place *place_of(struct event_damper *damper, const struct router_event *event,
                              int64_t now_ms)
{
    char *key = xasprintf("%s/%s", event->about.tenant, event->about.object);
    struct place *place = shash_find_data(&damper->places, key);

    if (!place) {
        if (shash_count(&damper->places) >= OBJECTS_MAX) {
            forget_idle(damper, now_ms);
        }
        if (shash_count(&damper->places) >= OBJECTS_MAX) { /* all the others share one */
            free(key);
            key = xstrdup("");
            place = shash_find_data(&damper->places, key);
        }
    }
    if (!place) {
        place = xzalloc(sizeof *place);
        shash_add(&damper->places, key, place);
    }
    free(key);
    return place;
}

struct router_event *event_damper_put(struct event_damper *damper, int64_t now_ms,
                                      struct router_event *event)
{
    struct place *place = place_of(damper, event, now_ms);

    if (!place->held && admit(damper, place, event->about.object[0], now_ms)) {
        return event;
    }
    if (place->held) {
        place->replaced++;
        router_event_unref(place->held);
    } else {
        damper->n_held++;
    }
    place->held = event;
    damper->due_ms = MIN(damper->due_ms, now_ms + TAKE_PAUSE_MS);
    return NULL;
}

static struct router_event *let_out(struct place *place)
{
    struct router_event *event = place->held;

    if (place->replaced) {
        char *text = xasprintf("%s (%zu earlier ones were left out)", event->text, place->replaced);
        struct router_event *told =
            router_event_new(event->time_ms, event->kind, &event->about, text);

        free(text);
        router_event_unref(event);
        event = told;
    }
    place->held = NULL;
    place->replaced = 0;
    return event;
}

struct router_event *event_damper_take(struct event_damper *damper, int64_t now_ms)
{
    struct shash_node *node;

    if (!damper->n_held || now_ms < damper->due_ms) {
        return NULL;
    }
    SHASH_FOR_EACH(node, &damper->places) {
        struct place *place = node->data;

        if (place->held && admit(damper, place, place->held->about.object[0], now_ms)) {
            damper->n_held--;
            damper->due_ms = damper->n_held ? damper->due_ms : INT64_MAX;
            return let_out(place);
        }
    }
    damper->due_ms = damper->n_held ? now_ms + TAKE_PAUSE_MS : INT64_MAX;
    return NULL;
}

int64_t event_damper_due(const struct event_damper *damper)
{
    return damper->due_ms;
}
