#include "api/server.h"

#include "api/buffer.h"
#include "api/call.h"
#include "api/conn.h"
#include "api/socket.h"
#include "events/event_log.h"
#include "log/log.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_BATCH = 32, TICK_MS = 250, STOP_MS = 1000 };

const struct api_limits api_limits_default = {
    .connections = 128,
    .refused = 32,
    .body = 16 << 20,
    .bodies = 128 << 20,
    .calls = 1024,
    .followers = 64,
    .tenant_calls = 64,
    .idle_ms = 60000,
    .head_ms = 10000,
    .body_ms = 60000,
    .write_ms = 30000,
    .linger_ms = 5000,
    .engine_ms = 60000,
};

int64_t api_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- settings ------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct settings settings_of(const struct config *config)
{
    struct settings settings = {
        .router_name = api_strdup(config->router_name ? config->router_name : ""),
        .tenants = api_alloc((config->n_tenants + 1) * sizeof(char *)),
        .n_tenants = config->n_tenants,
    };

    for (size_t i = 0; i < config->n_tenants; i++) {
        settings.tenants[i] = api_strdup(config->tenants[i].name);
    }
    qsort(settings.tenants, settings.n_tenants, sizeof *settings.tenants, compare_names);
    return settings;
}

static void settings_done(struct settings *settings)
{
    api_tenants_free(settings->tenants, settings->n_tenants);
    free(settings->router_name);
}

void api_reconfigure(struct api *api, const struct config *config)
{
    struct settings settings = settings_of(config), old;

    pthread_mutex_lock(&api->lock);
    old = api->settings;
    api->settings = settings;
    pthread_mutex_unlock(&api->lock);
    settings_done(&old);
}

bool api_has_tenant(struct api *api, const char *tenant)
{
    bool found;

    pthread_mutex_lock(&api->lock);
    found = bsearch(&tenant, api->settings.tenants, api->settings.n_tenants, sizeof(char *),
                    compare_names) != NULL;
    pthread_mutex_unlock(&api->lock);
    return found;
}

char *api_router_name(struct api *api)
{
    char *name;

    pthread_mutex_lock(&api->lock);
    name = api_strdup(api->settings.router_name);
    pthread_mutex_unlock(&api->lock);
    return name;
}

char **api_tenants(struct api *api, size_t *ret_n)
{
    char **tenants;

    pthread_mutex_lock(&api->lock);
    *ret_n = api->settings.n_tenants;
    tenants = api_alloc((*ret_n + 1) * sizeof *tenants);
    for (size_t i = 0; i < *ret_n; i++) {
        tenants[i] = api_strdup(api->settings.tenants[i]);
    }
    pthread_mutex_unlock(&api->lock);
    return tenants;
}

void api_tenants_free(char **tenants, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(tenants[i]);
    }
    free(tenants);
}

/* --- listening ------------------------------------------------------------------------------- */

static void start_accepting(struct api *api)
{
    event_add(api->accept_event, NULL);
    if (api->metrics_event) {
        event_add(api->metrics_event, NULL);
    }
}

static void stop_accepting(struct api *api)
{
    event_del(api->accept_event);
    if (api->metrics_event) {
        event_del(api->metrics_event);
    }
}

/* --- the clock ------------------------------------------------------------------------------ */

static void on_tick(int fd, short what, void *aux)
{
    struct api *api = aux;
    int64_t now_ms = api_now_ms();
    struct conn *next;

    (void)fd;
    (void)what;
    for (struct conn *conn = api->conns; conn; conn = next) {
        next = conn_next(conn);
        conn_tick(conn, now_ms);
    }
    api->ticking = api->conns != NULL;
    if (!api->ticking) {
        event_del(api->tick_event);
    }
    if (!api->stopping) {
        start_accepting(api); /* see accept_failed() */
    }
}

/* A router that nobody talks to has nothing to wake up for. */
void api_start_ticking(struct api *api)
{
    const struct timeval interval = {.tv_usec = TICK_MS * 1000};

    if (!api->ticking) {
        api->ticking = true;
        event_add(api->tick_event, &interval);
    }
}

/* --- accepting ------------------------------------------------------------------------------ */

/* Out of descriptors or memory: the next tick tries again, so that it does not spin. */
static void accept_failed(struct api *api, int error)
{
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED) {
        return;
    }
    log_line(LOG_LEVEL_WARNING, "api", "a connection cannot be accepted: %s", strerror(error));
    stop_accepting(api);
    api_start_ticking(api);
}

static void admit(struct api *api, int fd)
{
    const gid_t *group = api->socket->has_group ? &api->socket->group : NULL;

    if (api->n_conns < api->limits.connections) {
        conn_open(api, fd, group, false);
        return;
    }
    api->counts.refused++;
    if (api->n_refused < api->limits.refused) {
        conn_open(api, fd, group, true);
    } else {
        close(fd);
    }
}

static void on_accept(int listener, short what, void *aux)
{
    struct api *api = aux;

    (void)what;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            accept_failed(api, errno);
            return;
        }
        admit(api, fd);
    }
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Answers whom it can and lets the answers out. */
static void serve_no_more(struct api *api)
{
    const struct timeval patience = {.tv_sec = STOP_MS / 1000};
    struct conn *next;

    api->stopping = true;
    stop_accepting(api);
    calls_abort(api);
    for (struct conn *conn = api->conns; conn; conn = next) {
        next = conn_next(conn);
        conn_stop(conn);
    }
    if (api->conns) {
        event_base_loopexit(api->base, &patience);
    } else {
        event_base_loopbreak(api->base);
    }
}

static void on_wake(int fd, short what, void *aux)
{
    struct api *api = aux;
    struct conn *next;

    (void)fd;
    (void)what;
    if (mailbox_collect(api->mailbox) && !api->stopping) {
        serve_no_more(api);
    }
    for (struct conn *conn = api->conns; conn && api->n_followers; conn = next) {
        next = conn_next(conn);
        conn_wake(conn);
    }
}

/* Called by whoever adds an event. */
static void on_event_added(void *aux)
{
    mailbox_wake(aux);
}

static void *api_thread(void *aux)
{
    struct api *api = aux;

    event_base_dispatch(api->base);
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct api *api)
{
    sigset_t all, old;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&api->thread, NULL, api_thread, api);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!error) {
        pthread_setname_np(api->thread, "api");
    }
    return -error;
}

/* --- opening and closing -------------------------------------------------------------------- */

static struct event *watch(struct api *api, int fd, short what, event_callback_fn callback)
{
    struct event *event = event_new(api->base, fd, (short)(what | EV_PERSIST), callback, api);

    if (!event) {
        abort();
    }
    return event;
}

/* The loop belongs to one thread, so it needs no locks. */
static int make_loop(struct api *api)
{
    struct event_config *config = event_config_new();

    if (!config) {
        abort();
    }
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    api->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!api->base) {
        return -ENOMEM;
    }
    api->accept_event = watch(api, api->socket->fd, EV_READ, on_accept);
    if (api->metrics_fd >= 0) {
        api->metrics_event = watch(api, api->metrics_fd, EV_READ, on_accept);
    }
    api->wake_event = watch(api, mailbox_fd(api->mailbox), EV_READ, on_wake);
    api->tick_event = watch(api, -1, 0, on_tick);
    start_accepting(api);
    event_add(api->wake_event, NULL);
    return 0;
}

static void free_event(struct event *event)
{
    if (event) {
        event_free(event);
    }
}

static void api_free(struct api *api)
{
    while (api->conns) {
        conn_free(api->conns);
    }
    free_event(api->accept_event);
    free_event(api->metrics_event);
    free_event(api->wake_event);
    free_event(api->tick_event);
    if (api->base) {
        event_base_free(api->base);
    }
    if (api->mailbox) {
        event_log_on_add(engine_events(api->engine), NULL, NULL);
        mailbox_close(api->mailbox);
    }
    control_socket_close(api->socket);
    if (api->metrics_fd >= 0) {
        close(api->metrics_fd);
    }
    settings_done(&api->settings);
    pthread_mutex_destroy(&api->lock);
    free(api);
}

static int api_start(struct api *api)
{
    int error = mailbox_new(&api->mailbox);

    if (!error) {
        error = make_loop(api);
    }
    if (!error) {
        event_log_on_add(engine_events(api->engine), on_event_added, api->mailbox);
        error = start_thread(api);
    }
    if (error) {
        log_line(LOG_LEVEL_ERROR, "api", "the API cannot start: %s", strerror(-error));
    }
    return error;
}

int api_open_with(const struct config *config, struct engine *engine,
                  const struct api_limits *limits, struct api **ret_api)
{
    struct api *api = api_alloc(sizeof *api);
    int error;

    api->engine = engine;
    api->metrics_fd = -1;
    api->limits = *limits;
    api->settings = settings_of(config);
    pthread_mutex_init(&api->lock, NULL);
    error = control_socket_open(config->socket_path, config->socket_group, config->socket_mode,
                                &api->socket);
    if (!error) {
        error = control_socket_listen(api->socket);
    }
    if (!error && config->metrics_address) {
        error = metrics_socket_open(config->metrics_address, &api->metrics_fd);
    }
    if (!error) {
        error = api_start(api);
    }
    if (error) {
        api_free(api);
        return error;
    }
    log_line(LOG_LEVEL_INFO, "api", "serving %s", config->socket_path);
    *ret_api = api;
    return 0;
}

int api_open(const struct config *config, struct engine *engine, struct api **ret_api)
{
    return api_open_with(config, engine, &api_limits_default, ret_api);
}

void api_close(struct api *api)
{
    if (!api) {
        return;
    }
    mailbox_stop(api->mailbox);
    pthread_join(api->thread, NULL);
    api_free(api);
}
