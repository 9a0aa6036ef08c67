/* Events: from whoever notices something, through the damper, into the log, and from there to the
 * database in batches. Nobody waits for any of it: while the state server is away events are
 * shown and stored later, and when it comes too late for the oldest, those are lost. */
#include "engine/engine_internal.h"

#include "events/event_damper.h"
#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/unicode.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAVE_BATCH = 256,
    SAVE_PAUSE_MS = 100,   /* for others to come into the same batch */
    SAVE_RETRY_MS = 2000,  /* after a failure */
    FORGET_AT_ONCE = 256,  /* deleting means looking at all rows */
    FLUSH_MS = 5000,       /* for the last ones, when routerd ends and the disk is slow */
    EVENT_TEXT_MAX = 1000, /* bytes */
};

struct event_service {
    struct event_log *log;
    struct event_damper *damper;
    bool asked;         /* the store for what was kept */
    bool saving;        /* a batch is with the store */
    uint64_t saving_id; /* the last of that */
    uint64_t saved_id;  /* all up to this are stored */
    uint64_t forgotten_id;
    int64_t save_ms; /* not before */
};

void events_open(struct engine *engine)
{
    engine->events = xzalloc(sizeof *engine->events);
    engine->events->log = event_log_new(EVENT_LOG_KEPT);
    engine->events->damper = event_damper_new();
}

void events_close(struct engine *engine)
{
    if (engine->events) {
        event_damper_free(engine->events->damper);
        event_log_free(engine->events->log);
        free(engine->events);
    }
}

struct event_log *engine_events(struct engine *engine)
{
    return engine->events->log;
}

bool events_ready(const struct engine *engine)
{
    return event_log_is_open(engine->events->log);
}

/* --- in ------------------------------------------------------------------------------------- */

/* Backends quote what others have said; the database takes UTF-8 only. */
static void make_clean(char *text)
{
    size_t end = strlen(text);

    if (end > EVENT_TEXT_MAX) {
        for (end = EVENT_TEXT_MAX; end && ((unsigned char)text[end] & 0xc0) == 0x80; end--) {
        }
        text[end] = '\0';
    }
    if (utf8_validate(text, NULL)) {
        for (char *p = text; *p; p++) {
            *p = *p & 0x80 ? '?' : *p;
        }
    }
}

void events_emit(struct engine *engine, enum event_kind kind, const struct event_about *about,
                 const char *format, ...)
{
    struct event_service *service = engine->events;
    struct router_event *event;
    va_list args;
    char *text;

    if (!events_ready(engine)) {
        return;
    }
    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    make_clean(text);
    event = event_damper_put(service->damper, time_msec(),
                             router_event_new(wall_ms(), kind, about, text));
    free(text);
    if (event) {
        event_log_add(service->log, event);
    }
}

/* --- what was kept -------------------------------------------------------------------------- */

static struct router_event *event_of(const struct store_event *stored)
{
    const struct event_about about = {stored->tenant, stored->network, stored->object,
                                      stored->generation};
    enum event_kind kind;
    struct router_event *event;

    if (!event_kind_find(stored->kind, &kind)) {
        return NULL;
    }
    event = router_event_new(stored->time_ms, kind, &about, stored->text);
    event->id = stored->id;
    return event;
}

static void kept_done(void *aux, int result, const struct store_event *stored, size_t n)
{
    struct engine *engine = aux;
    struct event_service *service = engine->events;
    struct router_event **events = xcalloc(n + 1, sizeof *events);
    size_t kept = 0;

    service->asked = false;
    if (result == -EPROTO || result == -EINVAL) {
        log_line(LOG_LEVEL_ERROR, "engine",
                 "the events that the database holds cannot be read and are left out");
        result = 0;
    }
    if (!result) {
        for (size_t i = 0; i < n; i++) {
            events[kept] = event_of(&stored[i]);
            kept += events[kept] != NULL;
        }
        tell_remember(engine, events, kept);
        service->saved_id = kept ? events[kept - 1]->id : 0;
        event_log_open(service->log, events, kept);
        status_changed(engine);
    }
    free(events);
}

/* --- out ------------------------------------------------------------------------------------ */

static void save_done(void *aux, int result, const char *detail)
{
    struct engine *engine = aux;
    struct event_service *service = engine->events;

    service->saving = false;
    service->save_ms = time_msec() + (result ? SAVE_RETRY_MS : SAVE_PAUSE_MS);
    if (!result) {
        service->saved_id = service->saving_id;
    } else {
        log_line(LOG_LEVEL_DEBUG, "engine", "events could not be stored: %s",
                 detail ? detail : ovs_strerror(-result));
    }
}

/* Up to which id the stored events can go now, 0: none. */
static uint64_t to_forget(struct event_service *service)
{
    uint64_t first = event_log_first(service->log);

    if (first <= service->forgotten_id + FORGET_AT_ONCE) {
        return 0;
    }
    service->forgotten_id = first - 1;
    return service->forgotten_id;
}

static void save(struct engine *engine)
{
    struct event_service *service = engine->events;
    struct store_event stored[SAVE_BATCH];
    struct router_event *events[SAVE_BATCH];
    size_t n;

    service->saving_id = service->saved_id;
    n = event_log_read(service->log, &service->saving_id, NULL, events, SAVE_BATCH);
    for (size_t i = 0; i < n; i++) {
        stored[i] = (struct store_event){
            .id = events[i]->id,
            .time_ms = events[i]->time_ms,
            .kind = event_kind_name(events[i]->kind),
            .tenant = events[i]->about.tenant,
            .network = events[i]->about.network,
            .object = events[i]->about.object,
            .text = events[i]->text,
            .generation = events[i]->about.generation,
        };
    }
    if (n) {
        service->saving = true;
        store_put_events(engine->store, stored, n, to_forget(service), save_done, engine);
    }
    for (size_t i = 0; i < n; i++) {
        router_event_unref(events[i]);
    }
}

static bool store_is_ready(const struct engine *engine)
{
    const char *reason;

    return engine->store_serial && !engine->store_conflict &&
           store_health(engine->store, &reason) == STORE_READY;
}

static bool has_unsaved(const struct engine *engine)
{
    return event_log_last(engine->events->log) > engine->events->saved_id;
}

void events_run(struct engine *engine)
{
    struct event_service *service = engine->events;
    struct router_event *event;

    while ((event = event_damper_take(service->damper, time_msec()))) {
        event_log_add(service->log, event);
    }
    if (!store_is_ready(engine) || service->saving || service->asked) {
        return;
    }
    if (!events_ready(engine)) {
        service->asked = true;
        store_read_events(engine->store, kept_done, engine);
    } else if (has_unsaved(engine) && time_msec() >= service->save_ms) {
        save(engine);
    }
}

void events_wait(struct engine *engine)
{
    struct event_service *service = engine->events;

    if (event_damper_due(service->damper) != INT64_MAX) {
        poll_timer_wait_until(event_damper_due(service->damper));
    }
    if (store_is_ready(engine) && !service->saving && !service->asked && has_unsaved(engine)) {
        poll_timer_wait_until(service->save_ms);
    }
}

void events_flush(struct engine *engine)
{
    int64_t until = time_msec() + FLUSH_MS;

    for (;;) {
        store_run(engine->store);
        engine->events->save_ms = 0;
        events_run(engine);
        if (!store_is_ready(engine) || time_msec() >= until ||
            (!has_unsaved(engine) && store_is_idle(engine->store))) {
            return;
        }
        store_wait(engine->store);
        poll_timer_wait_until(until);
        poll_block();
    }
}
