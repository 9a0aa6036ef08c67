/* event_damper.h - so that a storm of events hurts nobody.
 *
 * Each object may have some events in a row and then one now and then, and so may all objects
 * together. What comes too soon is held back, and a newer event of the same object takes its place;
 * when its time has come it is let out with the number of those that it replaced. So the last event
 * of an object always tells how it ended. Events of no object (generations) have a wide measure of
 * their own. Not thread-safe; knows no clock but the times it is given (any clock that does not
 * jump). */
#ifndef EVENTS_EVENT_DAMPER_H
#define EVENTS_EVENT_DAMPER_H

#include "events/event.h"

#include <stddef.h>

struct event_damper;

struct event_damper *event_damper_new(void);
void event_damper_free(struct event_damper *damper); /* null is fine */
/* Takes an event. Returns it when it may go on now, or null: it is held back. */
struct router_event *event_damper_put(struct event_damper *damper, int64_t now_ms,
                                      struct router_event *event);
/* An event whose time has come (the caller's), or null: there is none for now. */
struct router_event *event_damper_take(struct event_damper *damper, int64_t now_ms);
/* When to look again; INT64_MAX: nothing is held back. */
int64_t event_damper_due(const struct event_damper *damper);

#endif
