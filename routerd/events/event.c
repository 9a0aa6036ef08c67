#include "events/event.h"

#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [EVENT_ACCEPTED] = "accepted",
    [EVENT_APPLIED] = "applied",
    [EVENT_CONVERGED] = "converged",
    [EVENT_CONFIRMED] = "confirmed",
    [EVENT_ROLLED_BACK] = "rolled-back",
    [EVENT_ROLLBACK_FAILED] = "rollback-failed",
    [EVENT_UP] = "up",
    [EVENT_DOWN] = "down",
    [EVENT_DRIFT] = "drift",
    [EVENT_AWAY] = "away",
    [EVENT_BACK] = "back",
    [EVENT_CONFLICT] = "conflict",
};
BUILD_ASSERT_DECL(ARRAY_SIZE(names) == N_EVENT_KINDS);

const char *event_kind_name(enum event_kind kind)
{
    return names[kind];
}

bool event_kind_find(const char *name, enum event_kind *ret)
{
    for (size_t i = 0; i < N_EVENT_KINDS; i++) {
        if (!strcmp(names[i], name)) {
            *ret = (enum event_kind)i;
            return true;
        }
    }
    return false;
}

struct router_event *router_event_new(int64_t time_ms, enum event_kind kind,
                                      const struct event_about *about, const char *text)
{
    const char *sources[] = {about->tenant, about->network, about->object, text};
    const char *copies[ARRAY_SIZE(sources)];
    size_t size = 0;
    struct router_event *event;
    char *at;

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        sources[i] = sources[i] ? sources[i] : "";
        size += strlen(sources[i]) + 1;
    }
    event = xzalloc(sizeof *event + size);
    at = (char *)(event + 1);
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        size = strlen(sources[i]) + 1;
        copies[i] = memcpy(at, sources[i], size);
        at += size;
    }
    event->refs = 1;
    event->time_ms = time_ms;
    event->kind = kind;
    event->about = (struct event_about){copies[0], copies[1], copies[2], about->generation};
    event->text = copies[3];
    return event;
}

struct router_event *router_event_ref(struct router_event *event)
{
    __atomic_add_fetch(&event->refs, 1, __ATOMIC_RELAXED);
    return event;
}

void router_event_unref(struct router_event *event)
{
    if (event && !__atomic_sub_fetch(&event->refs, 1, __ATOMIC_ACQ_REL)) {
        free(event);
    }
}
