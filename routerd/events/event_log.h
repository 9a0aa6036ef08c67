/* event_log.h - the newest events, in memory, for any thread.
 *
 * The engine's thread adds; the API's reads, by ids, in pieces. A lock is held for the copying of
 * some pointers. What is kept beyond a restart is the engine's business (engine_events.c), which
 * opens the log with what was kept. */
#ifndef EVENTS_EVENT_LOG_H
#define EVENTS_EVENT_LOG_H

#include "events/event.h"

#include <stddef.h>

enum { EVENT_LOG_KEPT = 10000 };

struct event_log;

struct event_log *event_log_new(size_t capacity);
void event_log_free(struct event_log *log); /* null is fine */
/* Puts in what was kept, by id from the oldest; references are taken. Ids go on behind a gap of the
 * log's capacity: events may have been shown of which the keeper does not know. */
void event_log_open(struct event_log *log, struct router_event **events, size_t n);
bool event_log_is_open(struct event_log *log);
/* Adds an event (taken), which gets its id. The log must be open. */
void event_log_add(struct event_log *log, struct router_event *event);

/* Gives up to `max` of the oldest events with greater ids than *since, a reference each, and moves
 * *since behind them and behind what was left out. With a tenant only its own. */
size_t event_log_read(struct event_log *log, uint64_t *since, const char *tenant,
                      struct router_event **ret_events, size_t max);
/* The ids of the oldest and the newest that are kept; 0: there are none. */
uint64_t event_log_first(struct event_log *log);
uint64_t event_log_last(struct event_log *log);
/* `notify` is called by each event_log_add(), on its thread; null ends it. After it has been set to
 * null no call is under way. */
void event_log_on_add(struct event_log *log, void (*notify)(void *aux), void *aux);

#endif
