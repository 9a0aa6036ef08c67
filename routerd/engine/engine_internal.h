/* engine_internal.h - what the engine's own files share; nobody else includes it but the test of
 * passes, tests/unit/walk_world.h.
 *
 *   engine.c          the loop, the queue, opening and closing
 *   engine_pass.c     difference, plan, phases, backoff
 *   engine_request.c  requests, one change at a time, waiting for convergence
 *   engine_nodes.c    requests for nodes, committed in groups
 *   engine_probe.c    addresses that somebody uses without being given them
 *   engine_registry.c all nodes, and the pages that they are stored in
 *   engine_load.c     from the store's image and the configuration to the intended state
 *   engine_status.c   the snapshot, since when, publication
 *   engine_confirm.c  generations that await confirmation, going back, history
 *   engine_events.c   events: into the log, and from it into the store
 *   engine_drift.c    steps that mend what others have changed
 *   engine_tell.c     what snapshots tell: the events of generations, objects and backends
 */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "engine/engine.h"

#include "events/event_log.h"
#include "model/ids.h"
#include "store/store.h"

#include <lib/latch.h>
#include <openvswitch/shash.h>
#include <pthread.h>

enum {
    RETRY_MIN_MS = 250,     /* first repetition of a step that failed */
    RETRY_MAX_MS = 30000,   /* longest */
    NOT_READY_MS = 1000,    /* a step that was not ready is tried again at the latest */
    PUBLISH_MS = 100,       /* between two snapshots */
    PUBLISH_WAITED_MS = 20, /* while somebody waits for convergence */
    PUBLISH_SHARE = 10,     /* and at least so many times as long as the last one took */
    WHOLE_SHARE = 100,      /* likewise a whole one, while something is being carried out */
    SINCE_SLACK_MS = 2500,  /* by which two tellings of one moment may differ */
    FACTS_MS = 5000,        /* counters in the snapshot are at most this old */
    REQUEST_MS = 5000,      /* how long a request waits for the store and the backends to answer */
};

/* How it went with a step the last times; lives while the same step stays in the difference. Key:
 * backend, tenant, object, action, summary. */
struct attempt {
    enum step_result result;
    char *reason;
    char *tenant, *object;
    bool removing;         /* the step deletes an object that is not intended any more */
    unsigned int failures; /* in a row */
    int64_t next_ms;       /* not before */
    unsigned int pass;     /* the last pass that had it in its difference */
};

/* When the last snapshot of a kind was taken. */
struct snapshot {
    int64_t taken_ms, took_us;
    bool stale;  /* something may have changed since */
    bool urgent; /* and all should know it soon */
};

struct retired; /* configuration and profiles that published snapshots may still point to */

struct engine {
    struct config *config;
    struct profiles *profiles;
    struct retired *retired;
    const struct backend_class *const *classes;
    struct backend **backends;
    size_t n_backends;
    struct store *store;
    uint64_t store_serial; /* of the image that is in force; 0: none yet */
    char *
        store_conflict; /* the database went back in time: nothing is accepted; null: all is well */
    struct intended *intended;
    struct ids ids;
    bool fatal;

    /* the pass (engine_pass.c) */
    struct plan *plan;         /* being carried out; null: idle */
    struct intended *plan_for; /* what it was made for; a reference */
    size_t plan_next;          /* first step that is not handed out yet */
    bool dirty; /* something seen or intended has changed since the last difference */
    struct intended **clean_for; /* of each backend: since its last run() that told of anything it
                                  * has had no difference from that; a reference, or null */
    unsigned int pass;
    struct shash attempts; /* of struct attempt */
    int64_t retry_ms;      /* when the next attempt is due; INT64_MAX: none */

    /* status (engine_status.c) */
    struct shash applied;         /* tenant -> uint64_t * generation */
    struct shash since;           /* object -> int64_t * */
    struct intended *since_of;    /* whose objects they are; a reference, or null: not known */
    enum backend_health *healths; /* as they were last told of */
    enum store_health store_was;
    struct snapshot partial, whole; /* a whole one counts as a partial one, too */
    pthread_mutex_t lock;           /* of `published` and the queue; held for a few instructions */
    struct status *published;
    void (*notify)(void *aux);
    void *notify_aux;

    /* requests (engine_request.c) */
    struct request *queue, **queue_tail; /* under the lock */
    bool stopping;                       /* under the lock */
    struct latch wake;
    struct request *todo, **todo_tail; /* taken from the queue, in order */
    struct request *committing;        /* the change that the store is writing */
    struct intended *committing_intended;
    struct ids committing_ids;
    struct request *waiting; /* accepted, waiting for convergence */
    bool exclusive;          /* the first of `todo` may change pools: no node changes before it */

    struct shash awaited;         /* engine_confirm.c */
    struct node_service *nodes;   /* engine_nodes.c */
    struct probe_service *probes; /* engine_probe.c */
    struct event_service *events; /* engine_events.c */
    struct tell *tell;            /* engine_tell.c */
    struct drift *drift;          /* engine_drift.c */
};

/* engine_pass.c */
void pass_run(struct engine *engine);
void pass_wait(struct engine *engine);
void pass_abort(struct engine *engine);
/* Backend `i` is not what it was when it was last compared. */
void pass_look_again(struct engine *engine, size_t i);
void pass_vote(struct engine *engine, struct status *status);
/* Whether a step of the tenant's is under way or will be tried again. */
bool pass_concerns(const struct engine *engine, const char *tenant);
/* The steps that would be taken were `intended` in force: those of `tenant` and of the router
 * itself. */
struct plan *pass_plan(struct engine *engine, const struct intended *intended, const char *tenant);
/* Forgets how it went with the steps of a tenant, so that a new topology is tried at once. */
void pass_forget(struct engine *engine, const char *tenant);

/* engine_request.c */
void requests_run(struct engine *engine);
void requests_wait(struct engine *engine);
void requests_abort(struct engine *engine);
/* Answers those that wait for convergence and need not any longer, by this snapshot. */
void requests_answer_waiting(struct engine *engine, const struct status *status);
/* When the first of them has waited long enough; INT64_MAX: none waits. */
int64_t requests_waiting_until(const struct engine *engine);

/* A request that is served next, before all others. */
void requests_put_first(struct engine *engine, struct request *request);

/* engine_confirm.c */
void confirm_open(struct engine *engine);
void confirm_close(struct engine *engine);
void confirm_run(struct engine *engine);
void confirm_wait(struct engine *engine);
void confirm_serve(struct engine *engine, struct request *request);
void rollback_serve(struct engine *engine, struct request *request);
void history_serve(struct engine *engine, struct request *request);
/* What is stored of a tenant, or null. */
const struct store_tenant *confirm_tenant(const struct engine *engine, const char *tenant);
/* What awaits confirmation, or null. */
const struct store_confirm *confirm_find(const struct engine *engine, const char *tenant);
/* What will await confirmation once the request's change is in force. A change that need not be
 * confirmed settles what awaited it; one that must be goes back to where the first one came from.
 */
struct store_confirm confirm_make(const struct engine *engine, const struct request *request);
/* Whether a rollback of our own has become needless. */
bool rollback_is_settled(const struct engine *engine, const struct request *request);
void rollback_tell(struct engine *engine, const struct request *request);
void confirm_status(const struct engine *engine, struct status *status);

/* engine_nodes.c: while a change that may concern pools is being committed no node changes, and the
 * other way round. */
void node_service_open(struct engine *engine);
void node_service_close(struct engine *engine);
/* The nodes of a network, or null: it has none. */
const struct nodes *node_service_index(const struct engine *engine, const char *tenant,
                                       const char *network);
/* Where backends find the nodes. */
const struct backend_nodes *node_service_source(const struct engine *engine);
bool node_service_takes(const struct request *request);
/* Queues a request. */
void node_service_add(struct engine *engine, struct request *request);
void node_service_run(struct engine *engine);
void node_service_wait(struct engine *engine);
void node_service_abort(struct engine *engine);
/* Whether a node is changed and not stored yet. */
bool node_service_busy(const struct engine *engine);
/* Adds a fault for each living node that has no place in the tenant's new topology. */
void node_service_check(const struct engine *engine, const char *tenant,
                        const struct topology *topology, struct errors *errors);
/* Counts the nodes of all networks. */
void node_service_status(const struct engine *engine, struct status *status);
/* Why nothing can be accepted now, in heap memory, or null. */
char *store_blocked(const struct engine *engine, bool *ret_opening);
void request_answer(struct request *request, enum request_outcome outcome);
void request_detail(struct request *request, char *detail);

/* engine_probe.c: addresses of pools with `probe` are asked for on their segment before they are
 * given out. Until there is an answer the request is parked, and nothing of it is in the index. */
void probes_open(struct engine *engine);
void probes_close(struct engine *engine);

/* A new node that a request would get. */
struct probe_want {
    const struct pool *pool;
    struct addr addresses[2]; /* those of families that it has */
    bool fixed[2];            /* asked for; else chosen */
    bool has_mac;
    uint8_t mac[MAC_BYTES];
};
enum probes {
    PROBES_PASS,   /* all may be given out */
    PROBES_WAIT,   /* park the request */
    PROBES_AGAIN,  /* one is used: choose others */
    PROBES_REFUSE, /* a fixed one is used, or nobody can be asked: outcome and detail are set */
};
enum probes probes_ask(struct engine *engine, struct request *request,
                       const struct probe_want *wants, size_t n);
/* Takes the request, with what it would get: others are not to choose that meanwhile. */
void probes_park(struct engine *engine, struct request *request, const struct probe_want *wants,
                 size_t n);
/* Whether a free address is not to be chosen now. */
bool probes_avoid(const struct engine *engine, const struct pool *pool, const struct addr *addr);
/* The next parked request that is to be served again, or null. */
struct request *probes_unpark(struct engine *engine);
/* Answers all that are parked with REQUEST_AWAY. */
void probes_abort(struct engine *engine, const char *why);
/* Tells of addresses that are used by others than their nodes. */
void probes_run(struct engine *engine);
void probes_wait(const struct engine *engine);

/* engine_load.c */
void load_run(struct engine *engine);
/* Takes over another configuration, or explains in *ret_detail (heap) why the running one stays. */
bool load_config(struct engine *engine, struct config *config, struct profiles *profiles,
                 char **ret_detail);
int load_open_backends(struct engine *engine);
void load_close_backends(struct engine *engine);
void load_free_retired(struct engine *engine);
/* Checks a topology as the tenant's against the configuration and `intended`. */
void load_check(const struct engine *engine, const struct intended *intended, const char *tenant,
                struct topology *topology, struct errors *errors);

/* engine_status.c */
void status_run(struct engine *engine);
void status_wait(struct engine *engine);
/* Something that is in snapshots may have changed. */
void status_changed(struct engine *engine);
/* A backend has told so, or the store: if it is its health, all are to know soon. */
void status_backend_changed(struct engine *engine, size_t i);
void status_store_changed(struct engine *engine);
/* Takes a snapshot, publishes it and answers those that waited for it. It is anew for the tenants
 * only that something is being carried out for. */
void status_publish_now(struct engine *engine);
/* Whether the object ("bio/genome/...") is of a tenant that the snapshot has taken over. */
bool status_has_taken(const struct status *status, const char *path);
/* Whether its objects are others than those of `*known`, a reference or null, which follows. */
bool status_is_of_another(const struct status *status, struct intended **known);
/* Puts the store's memory of when objects came up in place of the engine's. */
void status_load_since(struct engine *engine, const struct store_image *image);
/* The first reason why an away or opening backend stands in the way of a tenant's objects, in heap
 * memory, or null. */
char *status_blocked(struct engine *engine, const struct intended *intended, const char *tenant);
/* What is not up, as a sentence in heap memory. */
char *status_outstanding(const struct tenant_status *tenant);

/* engine_events.c */
void events_open(struct engine *engine);
void events_close(struct engine *engine);
void events_run(struct engine *engine);
void events_wait(struct engine *engine);
/* Waits until the last ones, and all else that is on its way, are stored: some seconds at most. */
void events_flush(struct engine *engine);
/* Whether what was kept has been read; before that events are dropped. */
bool events_ready(const struct engine *engine);
/* Tells the world. Never blocks and may be called as often as one likes: storms are damped for each
 * object. The text is a sentence without secrets. */
void events_emit(struct engine *engine, enum event_kind kind, const struct event_about *about,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* engine_drift.c */
void drift_open(struct engine *engine);
void drift_close(struct engine *engine);
/* Marks the steps of a whole difference that mend what something else has changed. */
void drift_mark(struct engine *engine, struct plan *plan, bool all_ready);
/* Tells what became of such a step. */
void drift_tell(struct engine *engine, const struct step *step);
/* Something else is intended: what follows from that is no drift, be it another tenant's. They
 * share uplinks, and a tunnel may need its secret otherwise for one more that is like it. */
void drift_forget(struct engine *engine);

/* engine_tell.c */
void tell_open(struct engine *engine);
void tell_close(struct engine *engine);
/* Takes what was told before the restart from the events that were kept. */
void tell_remember(struct engine *engine, struct router_event *const *events, size_t n);
/* The newest generation that was told to be applied. */
uint64_t tell_applied(const struct engine *engine, const char *tenant);
/* Tell what is new in a snapshot: its backends, then each of its objects, a network behind its
 * parts, then generations. tell_begin() is false as long as nothing can be told. */
bool tell_begin(struct engine *engine, const struct status *status);
void tell_object(struct engine *engine, const struct object_status *object, const char *path);
void tell_end(struct engine *engine, const struct status *status);

int64_t wall_ms(void);

#endif
