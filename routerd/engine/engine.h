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
#include "nodes/nodes.h"
#include "nodes/want.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct event_log;

enum request_kind {
    REQUEST_TOPOLOGY,  /* a new topology for a tenant */
    REQUEST_CONFIRM,   /* the generation in force stays */
    REQUEST_ROLLBACK,  /* the topology of an earlier generation, as a new one */
    REQUEST_HISTORY,   /* the generations that are kept */
    REQUEST_DOCUMENT,  /* the document of a generation */
    REQUEST_ROUTES,    /* the routes of a network */
    REQUEST_NODES_ADD, /* addresses for nodes, all or none */
    REQUEST_NODES_GET, /* some nodes of a network */
    REQUEST_NODES_END, /* releases a node's addresses */
    REQUEST_CONFIG,    /* another configuration is in force (SIGHUP) */
};

enum request_outcome {
    REQUEST_DONE,      /* accepted and durable (topology); answered (others) */
    REQUEST_CONVERGED, /* topology with wait_ms: accepted, and traffic passes */
    REQUEST_UNCHANGED, /* the same topology is in force, or the same nodes are there, already */
    REQUEST_PLANNED,   /* dry run: the plan and nothing else */
    REQUEST_WRONG,     /* the topology or the wanted nodes have errors */
    REQUEST_CONFLICT,  /* nodes: what is asked for is another's, or there is no more; see `code`;
                          REQUEST_CONFIRM: nothing awaits it */
    REQUEST_STALE,     /* if_match is not the generation in force */
    REQUEST_NOT_FOUND, /* no such tenant, network or generation */
    REQUEST_AWAY,   /* the store or a backend that is needed does not answer; detail says which */
    REQUEST_FAILED, /* the store refused; detail says why */
};

struct request_route {
    char *prefix, *via, *interface, *protocol;
    bool selected;
};

struct request_generation {
    uint64_t number;
    int64_t time_ms;
    char *who, *summary;
};

/* A node as it was when it was asked about. */
struct request_node {
    char *name, *labels; /* heap; labels: a JSON object or null */
    struct addr addresses[2];
    bool has_mac;
    uint8_t mac[MAC_BYTES];
    const struct pool *pool; /* of request->intended */
};

enum { REQUEST_NODES_LIMIT = 1000, REQUEST_NODES_LIMIT_MAX = 10000 };

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
    int64_t confirm_s;         /* topology, rollback: rolled back unless confirmed; 0: never */
    uint64_t generation;       /* REQUEST_DOCUMENT: which; 0: the one in force. _ROLLBACK: to which;
                                  0: the one before */
    struct config *config;     /* REQUEST_CONFIG: taken */
    struct profiles *profiles; /* REQUEST_CONFIG: taken */
    struct node_wants *wants;  /* REQUEST_NODES_ADD: without errors; owned */
    char *node; /* REQUEST_NODES_END: its name; _GET: the only one that is asked for; heap */
    char *pool, *after;      /* REQUEST_NODES_GET: of this pool; behind this name; heap */
    bool by_address, by_mac; /* REQUEST_NODES_GET: the one that has this */
    struct addr address;
    uint8_t mac[MAC_BYTES];
    size_t limit; /* REQUEST_NODES_GET: not more; 0: REQUEST_NODES_LIMIT */
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
    struct request_generation *history; /* REQUEST_HISTORY: newest first; heap */
    size_t n_history;
    int64_t confirm_until_ms; /* topology, rollback: until when it awaits confirmation; 0: not */
    uint64_t confirm_back;    /* and what it would be rolled back to */
    struct request_node
        *nodes; /* REQUEST_NODES_ADD in the order of the wants, _GET by name; heap */
    size_t n_nodes;
    char *next_node;           /* REQUEST_NODES_GET: there may be more behind this name; heap */
    const char *code;          /* REQUEST_CONFLICT: for programs, such as "pool-exhausted" */
    struct intended *intended; /* what `nodes` point to; a reference */

    /* the engine's own while it has the request */
    struct request *next;
    int64_t deadline_ms;
    int64_t automatic; /* REQUEST_ROLLBACK of its own: the `until` of what was not confirmed */
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
/* What has happened; borrowed for the engine's life, for any thread. */
struct event_log *engine_events(struct engine *engine);

#endif
