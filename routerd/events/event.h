/* event.h - what has happened, for people and controllers.
 *
 * An event is immutable, reference counted (any thread) and holds no secret: its text is made of
 * the same sentences as the status and the plan. It is a story, not a state: what is so now is in
 * the status, and nothing in routerd acts upon an event. */
#ifndef EVENTS_EVENT_H
#define EVENTS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    EVENT_ACCEPTED,        /* a generation is in force and durable */
    EVENT_APPLIED,         /* its every step has been carried out and read back */
    EVENT_CONVERGED,       /* moreover everything is up */
    EVENT_CONFIRMED,       /* a generation that awaited confirmation stays */
    EVENT_ROLLED_BACK,     /* a generation with the topology of an earlier one is in force */
    EVENT_ROLLBACK_FAILED, /* a generation was not confirmed and yet cannot be rolled back */
    EVENT_UP,              /* an object is up */
    EVENT_DOWN,            /* an object is down or in error; the text says why */
    EVENT_DRIFT,           /* something was changed, not by a plan of ours, and what became of it */
    EVENT_AWAY,            /* a backend or the state server does not answer */
    EVENT_BACK,            /* it answers again */
    EVENT_CONFLICT,        /* a node's address is used by something else */
    N_EVENT_KINDS
};

const char *event_kind_name(enum event_kind kind);            /* "rolled-back" */
bool event_kind_find(const char *name, enum event_kind *ret); /* false: no such kind */

/* What it is about; null is as good as "". */
struct event_about {
    const char *tenant;  /* "": the router itself */
    const char *network; /* "genome" */
    const char *object;  /* "genome/tunnel/sakura", as in plans; a backend's name */
    uint64_t generation; /* 0: none in particular */
};

struct router_event {
    unsigned int refs;
    uint64_t id; /* grows; 0 until it is in a log */
    int64_t time_ms;
    enum event_kind kind;
    struct event_about about; /* no nulls */
    const char *text;         /* a sentence */
};

/* Copies everything; one reference, the caller's. */
struct router_event *router_event_new(int64_t time_ms, enum event_kind kind,
                                      const struct event_about *about, const char *text);
struct router_event *router_event_ref(struct router_event *event);
void router_event_unref(struct router_event *event); /* null is fine */

#endif
