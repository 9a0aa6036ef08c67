/* engine.h - the loop that makes the router what it should be.
 *
 * One thread owns the store and every backend. Each turn: take in events; if the intended or a seen
 * state changed, take the difference of all backends as one plan, carry it out phase by phase, and
 * publish what is seen. Requests of the API come through a queue and are answered once each; status
 * is read without asking the thread.
 *
 * engine_submit(), engine_status() and engine_stop() may be called from any thread; all else is the
 * owner's, before engine_run() and after it has returned. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "backend/backend.h"
#include "model/error.h"
#include "model/intended.h"
#include "model/plan.h"
#include "model/profile.h"
#include "model/status.h"
#include "model/topology.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

enum request_kind {
    REQUEST_TOPOLOGY, /* a new topology for a tenant */
    REQUEST_DOCUMENT, /* the document of a generation */
    REQUEST_ROUTES,   /* the routes of a network */
    REQUEST_CONFIG,   /* another configuration is in force (SIGHUP) */
};

enum request_outcome {
    REQUEST_DONE,      /* accepted and durable (topology); answered (others) */
    REQUEST_CONVERGED, /* topology with wait_ms: accepted, and traffic passes */
    REQUEST_UNCHANGED, /* the same topology is in force already */
    REQUEST_PLANNED,   /* dry run: the plan and nothing else */
    REQUEST_WRONG,     /* the topology has errors */
    REQUEST_STALE,     /* if_match is not the generation in force */
    REQUEST_NOT_FOUND, /* no such tenant, network or generation */
    REQUEST_AWAY,   /* the store or a backend that is needed does not answer; detail says which */
    REQUEST_FAILED, /* the store refused; detail says why */
};

struct request_route {
    char *prefix, *via, *interface, *protocol;
    bool selected;
};

/* One request. The submitter fills in the first part; the engine the second, then calls done() on
 * its own thread, after which the request belongs to the submitter again, who frees it with
 * request_free(). */
struct request {
    enum request_kind kind;
    char *tenant;              /* heap, owned */
    char *network;             /* REQUEST_ROUTES; heap, owned */
    char *who;                 /* for the history; heap, owned */
    struct topology *topology; /* REQUEST_TOPOLOGY: parsed; taken by the engine when accepted */
    struct errors *errors; /* REQUEST_TOPOLOGY: what parsing found; the engine adds what checking
                              finds; owned */
    bool dry_run;
    bool has_if_match;
    uint64_t if_match;
    int64_t wait_ms;           /* how long to wait for convergence; 0: answer once durable */
    uint64_t generation;       /* REQUEST_DOCUMENT: which; 0: the one in force */
    struct config *config;     /* REQUEST_CONFIG: taken */
    struct profiles *profiles; /* REQUEST_CONFIG: taken */
    void (*done)(struct request *request);
    void *aux; /* the submitter's */

    enum request_outcome outcome;
    uint64_t ret_generation; /* topology: in force after it; document: the one returned */
    struct plan *plan;       /* owned; null if none was made */
    bool converged;
    char *detail; /* sentence for people: why not, what is outstanding; heap */
    char *text;   /* REQUEST_DOCUMENT; heap */
    size_t text_len;
    struct request_route *routes; /* REQUEST_ROUTES; heap */
    size_t n_routes;

    /* the engine's own while it has the request */
    struct request *next;
    int64_t deadline_ms;
};

struct request *request_new(enum request_kind kind);
void request_free(struct request *request); /* null is fine; frees all that is still owned */

/* Takes the configuration and the profiles. `classes` is borrowed for the engine's life. 0 or
 * -errno. */
int engine_open(struct config *config, struct profiles *profiles,
                const struct backend_class *const *classes, size_t n_classes,
                struct engine **ret_engine);
void engine_close(struct engine *engine);
/* Runs until engine_stop(); then every waiting request has been answered. Changes nothing on its
 * way out. 0, or -EINVAL when the topologies in force do not go with the configuration: what is
 * wrong has been logged, and the router is left as it is. */
int engine_run(struct engine *engine);
void engine_stop(struct engine *engine);
/* Hands a request over; its done() is always called, once. */
void engine_submit(struct engine *engine, struct request *request);
/* The newest published snapshot, a reference for the caller; null before the first. */
struct status *engine_status(struct engine *engine);
/* `notify` is called on the engine's thread after each publication; set before engine_run(). */
void engine_on_status(struct engine *engine, void (*notify)(void *aux), void *aux);

#endif
