/* server.h - what the API's own files share; nobody else includes it but its tests.
 *
 *   server.c    the thread: opening, closing, accepting, the clock
 *   socket.c    the control socket in the file system
 *   auth.c      who a client is and whether it may
 *   conn*.c     one connection: reading requests, writing answers
 *   http.c      HTTP's bytes; target.c its targets (pure)
 *   route.c     the table of what is served, and finding a request's row
 *   call.c      requests that the engine answers, and its thread's way back to ours
 *   topology.c  nodes.c  status.c  events.c  metrics.c   the rows
 *   problem.c   refusals as RFC 9457 documents; json.c and buffer.c help to build answers
 *
 * All of it runs on the API's thread but for call.c's one callback and api_reconfigure(). */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/api.h"
#include "api/http.h"
#include "api/target.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct conn;
struct call;
struct event;
struct event_base;
struct mailbox;

/* Every list and every wait has an end. */
struct api_limits {
    size_t connections;  /* served at a time */
    size_t refused;      /* beyond those, told so with a 503 at a time; the rest is only closed */
    size_t body;         /* bytes of one body */
    size_t bodies;       /* bytes of all bodies that are being read */
    size_t calls;        /* requests with the engine */
    size_t followers;    /* clients who wait for events, of the connections */
    size_t tenant_calls; /* topologies of one tenant among those */
    int idle_ms;         /* from the end of an answer to the next request */
    int head_ms;         /* for a whole head */
    int body_ms;         /* for a whole body */
    int write_ms;        /* without any progress on an answer */
    int linger_ms;       /* for the client to read the last answer and close */
    int engine_ms;       /* for the engine to answer, beyond what the client asked it to wait */
};
extern const struct api_limits api_limits_default;

enum { CLIENT_USER = 33, CLIENT_WHO = 64 };

/* A client, as the kernel (later: its certificate) tells. */
struct client {
    bool admin;           /* of every tenant */
    bool scraper;         /* of the metrics address: it is told the metrics and nothing else */
    char who[CLIENT_WHO]; /* for the history: "uid 1000 (alice)" */
};

struct row;

/* A request on its way from its head to its answer. Lives in its connection. */
struct exchange {
    struct api *api;
    struct conn *conn;
    const struct client *client;
    const struct http_head *head;
    const struct row *row;
    const char *tenant, *network, *node; /* from the path, null where its pattern has none */
    struct query query;
    struct if_match if_match;
    const char *body; /* while its row serves */
    size_t body_len;
};

/* What is said of what is served, from the configuration: the tenants' names, sorted. */
struct settings {
    char *router_name;
    char **tenants;
    size_t n_tenants;
};

struct api_counts {
    uint64_t answers[6]; /* by the first digit of the status */
    uint64_t refused;    /* connections */
};

struct api {
    struct engine *engine;
    struct api_limits limits;
    struct control_socket *socket;
    struct event_base *base;
    int metrics_fd; /* listens on the metrics address; -1: there is none */
    struct event *metrics_event;
    struct event *accept_event, *tick_event, *wake_event;
    struct mailbox *mailbox;
    pthread_t thread;
    bool stopping;
    bool ticking;
    struct conn *conns;
    size_t n_conns, n_refused;
    size_t bodies; /* bytes that connections hold for bodies */
    struct call *calls;
    size_t n_calls;
    size_t n_followers;
    struct api_counts counts;
    time_t date_s; /* `date` is that second as HTTP writes it */
    char date[32];

    pthread_mutex_t lock; /* guards settings, which api_reconfigure() replaces */
    struct settings settings;
};

/* api_open() with other limits. */
int api_open_with(const struct config *config, struct engine *engine,
                  const struct api_limits *limits, struct api **ret_api);

bool api_has_tenant(struct api *api, const char *tenant);
/* Copies, in heap memory. */
char *api_router_name(struct api *api);
char **api_tenants(struct api *api, size_t *ret_n);
void api_tenants_free(char **tenants, size_t n);

/* Milliseconds of a clock that never jumps. */
int64_t api_now_ms(void);
/* Sees to it that conn_tick() is called for every connection from now on. */
void api_start_ticking(struct api *api);

#endif
