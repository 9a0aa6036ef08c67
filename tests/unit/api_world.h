/* api_world.h - a world for tests of the API: the real server on a socket in a directory of its
 * own, an engine that does what the test says, on a thread as the real one, and clients that write
 * raw bytes.
 *
 * It defines what engine.h declares, so a program that includes it has no other engine. */
#ifndef API_WORLD_H
#define API_WORLD_H

#include "api/server.h"
#include "api/socket.h"

#include "events/event_log.h"
#include "model/ids.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the engine ----------------------------------------------------------------------------- */

struct engine {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct request *queue, **tail;
    size_t n_submitted;
    bool hold; /* answer nothing for now */
    bool stop;
    /* What it answers; null: all is REQUEST_DONE. On the engine's thread. */
    void (*answer)(struct request *request);
    struct status *status;
    struct event_log *events;
};

__attribute__((unused)) struct request *request_new(enum request_kind kind)
{
    struct request *request = calloc(1, sizeof *request);

    assert(request);
    request->kind = kind;
    return request;
}

__attribute__((unused)) void request_free(struct request *request)
{
    if (!request) {
        return;
    }
    for (size_t i = 0; i < request->n_routes; i++) {
        free(request->routes[i].prefix);
        free(request->routes[i].via);
        free(request->routes[i].interface);
        free(request->routes[i].protocol);
    }
    free(request->routes);
    for (size_t i = 0; i < request->n_nodes; i++) {
        free(request->nodes[i].name);
        free(request->nodes[i].labels);
    }
    free(request->nodes);
    for (size_t i = 0; i < request->n_history; i++) {
        free(request->history[i].who);
        free(request->history[i].summary);
    }
    free(request->history);
    free(request->node);
    free(request->pool);
    free(request->after);
    free(request->next_node);
    node_wants_free(request->wants);
    intended_unref(request->intended);
    free(request->tenant);
    free(request->network);
    free(request->who);
    free(request->detail);
    free(request->text);
    topology_free(request->topology);
    errors_free(request->errors);
    plan_free(request->plan);
    free(request);
}

__attribute__((unused)) void engine_submit(struct engine *engine, struct request *request)
{
    pthread_mutex_lock(&engine->lock);
    request->next = NULL;
    *engine->tail = request;
    engine->tail = &request->next;
    engine->n_submitted++;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

__attribute__((unused)) struct status *engine_status(struct engine *engine)
{
    struct status *status;

    pthread_mutex_lock(&engine->lock);
    status = engine->status ? status_ref(engine->status) : NULL;
    pthread_mutex_unlock(&engine->lock);
    return status;
}

__attribute__((unused)) struct event_log *engine_events(struct engine *engine)
{
    return engine->events;
}

static void engine_answer(struct engine *engine, struct request *request)
{
    request->outcome = REQUEST_DONE;
    if (engine->answer) {
        engine->answer(request);
    }
    request->done(request);
}

static void *engine_thread(void *aux)
{
    struct engine *engine = aux;

    pthread_mutex_lock(&engine->lock);
    while (!engine->stop || (engine->queue && !engine->hold)) {
        struct request *request = engine->queue;

        if (!request || engine->hold) {
            pthread_cond_wait(&engine->changed, &engine->lock);
            continue;
        }
        engine->queue = request->next;
        if (!engine->queue) {
            engine->tail = &engine->queue;
        }
        pthread_mutex_unlock(&engine->lock);
        engine_answer(engine, request);
        pthread_mutex_lock(&engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

static void engine_start(struct engine *engine)
{
    *engine = (struct engine){.tail = &engine->queue};
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->changed, NULL);
    engine->events = event_log_new(100);
    event_log_open(engine->events, NULL, 0);
    assert(!pthread_create(&engine->thread, NULL, engine_thread, engine));
}

static void engine_set_hold(struct engine *engine, bool hold)
{
    pthread_mutex_lock(&engine->lock);
    engine->hold = hold;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

/* Waits until so many requests have come. */
__attribute__((unused)) static void engine_await(struct engine *engine, size_t n_submitted)
{
    pthread_mutex_lock(&engine->lock);
    while (engine->n_submitted < n_submitted) {
        pthread_cond_wait(&engine->changed, &engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
}

/* Answers what it still has, on its own thread, and ends. */
static void engine_end(struct engine *engine)
{
    engine_set_hold(engine, false);
    pthread_mutex_lock(&engine->lock);
    engine->stop = true;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    status_unref(engine->status);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
}

/* --- the world ------------------------------------------------------------------------------ */

struct world {
    char directory[64], path[96];
    struct config_tenant tenants[3];
    struct config config;
    struct api_limits limits;
    struct engine engine;
    struct api *api;
};

static void world_init(struct world *world)
{
    *world = (struct world){.limits = api_limits_default};
    snprintf(world->directory, sizeof world->directory, "/tmp/routerd-api-XXXXXX");
    assert(mkdtemp(world->directory));
    assert(!chmod(world->directory, 0755));
    snprintf(world->path, sizeof world->path, "%s/control.sock", world->directory);
    world->tenants[0].name = "geo";
    world->tenants[1].name = "bio";
    world->tenants[2].name = "astro";
    world->config = (struct config){
        .router_name = "vr1",
        .socket_path = world->path,
        .socket_mode = 0660,
        .tenants = world->tenants,
        .n_tenants = 2,
    };
    engine_start(&world->engine);
}

static void world_open(struct world *world)
{
    assert(!api_open_with(&world->config, &world->engine, &world->limits, &world->api));
}

static void world_done(struct world *world)
{
    char lock[128];

    engine_end(&world->engine);
    api_close(world->api);
    event_log_free(world->engine.events);
    snprintf(lock, sizeof lock, "%s.lock", world->path);
    unlink(lock);
    rmdir(world->directory);
}

/* --- clients -------------------------------------------------------------------------------- */

static int client_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert(fd >= 0);
    assert(strlen(path) < sizeof address.sun_path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Returns whether all of it could be sent. */
static bool client_send(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

__attribute__((unused)) static bool client_say(int fd, const char *text)
{
    return client_send(fd, text, strlen(text));
}

struct reply {
    int status; /* 0: the connection was closed instead */
    char *head, *body;
    size_t body_len;
};

static void reply_done(struct reply *reply)
{
    free(reply->head);
    free(reply->body);
    *reply = (struct reply){0};
}

/* The value of a header of the reply, in `buffer`; "" if it is not there. */
static const char *reply_header(const struct reply *reply, const char *name, char buffer[256])
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\r\n%s: ", name);
    at = reply->head ? strcasestr(reply->head, key) : NULL;
    buffer[0] = '\0';
    if (at) {
        at += strlen(key);
        snprintf(buffer, 256, "%.*s", (int)strcspn(at, "\r"), at);
    }
    return buffer;
}

/* Reads a head byte by byte, so that nothing of what follows is lost. */
static char *read_head(int fd)
{
    char *head = calloc(1, 8192);
    size_t len = 0;

    assert(head);
    while (len < 8191 && recv(fd, head + len, 1, 0) == 1) {
        len++;
        if (len >= 4 && !memcmp(head + len - 4, "\r\n\r\n", 4)) {
            return head;
        }
    }
    free(head);
    return NULL;
}

/* Reads the next answer; `with_body` is false for HEAD. */
static struct reply client_read(int fd, bool with_body)
{
    struct reply reply = {.head = read_head(fd)};
    char length[256];

    if (!reply.head) {
        return reply;
    }
    sscanf(reply.head, "HTTP/1.1 %d", &reply.status);
    reply.body_len = strtoul(reply_header(&reply, "Content-Length", length), NULL, 10);
    reply.body = calloc(1, reply.body_len + 1);
    assert(reply.body);
    if (with_body && reply.body_len &&
        recv(fd, reply.body, reply.body_len, MSG_WAITALL) != (ssize_t)reply.body_len) {
        reply.status = -1;
    }
    return reply;
}

/* Whether the server has closed the connection, without further bytes. */
__attribute__((unused)) static bool client_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

/* One request on a connection of its own; `headers` are whole lines or "". */
__attribute__((unused)) static struct reply ask_with(struct world *world, const char *method,
                                                     const char *target, const char *headers,
                                                     const char *body)
{
    int fd = client_open(world->path);
    char *text;
    int len = asprintf(&text, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
                       method, target, headers, strlen(body), body);
    struct reply reply;

    assert(fd >= 0 && len > 0);
    client_send(fd, text, (size_t)len);
    free(text);
    reply = client_read(fd, strcmp(method, "HEAD") != 0);
    close(fd);
    return reply;
}

__attribute__((unused)) static struct reply ask(struct world *world, const char *method,
                                                const char *target, const char *body)
{
    return ask_with(world, method, target, "", body);
}

/* --- a status ------------------------------------------------------------------------------- */

#define WORLD_TOPOLOGY                                 \
    "version: 1\n"                                     \
    "networks:\n"                                      \
    "- name: genome\n"                                 \
    "  asn: 65010\n"                                   \
    "  segments:\n"                                    \
    "  - name: campus\n"                               \
    "    attachments: [{uplink: sinet, vlan: 1001}]\n" \
    "    gateway: [10.1.0.1/24]\n"                     \
    "  tunnels:\n"                                     \
    "  - name: sakura\n"                               \
    "    uplink: wan\n"                                \
    "    remote: 203.0.113.2\n"                        \
    "    auth: {psk: {secret: sakura-psk}}\n"          \
    "    inside: [169.254.20.1/30]\n"                  \
    "  peers:\n"                                       \
    "  - {name: aws, via: campus, address: 10.1.0.2, asn: 64512}\n"

static struct topology *world_topology(void)
{
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(WORLD_TOPOLOGY, strlen(WORLD_TOPOLOGY), errors);

    assert(topology && !errors_count(errors));
    errors_free(errors);
    return topology;
}

/* Publishes a snapshot: tenant bio has WORLD_TOPOLOGY as generation 7, the tunnel is down, two
 * backends and the store answer or not. */
__attribute__((unused)) static void world_publish(struct world *world, bool tunnel_up,
                                                  bool ipsec_answers)
{
    struct intended *none = intended_new(&world->config), *intended;
    struct topology *topology = world_topology();
    struct status *status;
    struct ids ids;

    ids_init(&ids);
    ids_assign(&ids, "bio", topology);
    ids_done(&ids);
    intended = intended_with(none, "bio", 7, topology);
    status = status_new(intended);
    intended_unref(intended);
    intended_unref(none);
    struct tenant_status *tenant = &status->tenants[0];
    struct network_status *network = &tenant->networks[0];

    tenant->applied = 7;
    tenant->converged = tunnel_up;
    network->segments[0].bridge = "br-sinet";
    network->segments[0].object.since_ms = 1775012645000;
    network->tunnels[0].object.since_ms = tunnel_up ? 1775012645000 : 0;
    network->tunnels[0].bytes_in = UINT64_MAX;
    network->tunnels[0].bytes_out = 9007199254740993; /* no double is that */
    network->peers[0].bgp_state = "Established";
    network->peers[0].prefixes_received = 3;
    if (!tunnel_up) {
        status_vote(status, &network->tunnels[0].object, OBJECT_DOWN, "ipsec: no SA");
        status_vote(status, &network->object, OBJECT_DOWN, "genome/tunnel/sakura: no SA");
    }
    status->time_ms = 1775012645678;
    status->is_read = true;
    status->n_backends = 3;
    status->backends = arena_calloc(status->arena, 3, sizeof *status->backends);
    status->backends[0] = (struct backend_status){"ovs", true, NULL, false};
    status->backends[1] =
        (struct backend_status){"ipsec", ipsec_answers, ipsec_answers ? NULL : "no charon", false};
    status->backends[2] = (struct backend_status){"state", true, NULL, false};
    pthread_mutex_lock(&world->engine.lock);
    status_unref(world->engine.status);
    world->engine.status = status;
    pthread_mutex_unlock(&world->engine.lock);
}

__attribute__((unused)) static int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    world_init(world);
    *state = world;
    return 0;
}

__attribute__((unused)) static int world_teardown(void **state)
{
    world_done(*state);
    free(*state);
    return 0;
}

#endif
