#include "net/net_io.h"

#include "log/log.h"
#include "net/net.h"

#include <stdlib.h>

struct net_backend {
    struct backend backend;
    struct net_watch watch;
    struct net_wanted wanted;
    const struct config *followed; /* whose uplinks are followed; only compared */
};

static struct net_backend *net_cast(const struct backend *backend)
{
    return (struct net_backend *)backend;
}

static int net_open(const struct config *config, struct backend **ret_backend)
{
    struct net_backend *net = calloc(1, sizeof *net);
    if (!net)
        abort();
    net->backend.class = &net_backend_class;
    net_watch_open(&net->watch);
    net_watch_follow(&net->watch, config);
    net->followed = config;
    *ret_backend = &net->backend;
    return 0;
}

static void net_close(struct backend *backend)
{
    struct net_backend *net = net_cast(backend);
    net_wanted_done(&net->wanted);
    net_watch_free(&net->watch);
    free(net);
}

static bool net_run(struct backend *backend)
{
    struct net_backend *net = net_cast(backend);
    bool was_listed = net->watch.listed, had_reason = net->watch.reason[0];
    bool changed = net_watch_run(&net->watch);
    if (net->watch.reason[0] && !had_reason)
        log_line(LOG_LEVEL_WARNING, "net", "%s", net->watch.reason);
    return changed || was_listed != net->watch.listed ||
           had_reason != (net->watch.reason[0] != '\0');
}

static void net_wait(struct backend *backend)
{
    net_watch_wait(&net_cast(backend)->watch);
}

static enum backend_health net_health(const struct backend *backend, const char **ret_reason)
{
    const struct net_watch *watch = &net_cast(backend)->watch;
    if (watch->reason[0]) {
        *ret_reason = watch->reason;
        return BACKEND_AWAY;
    }
    if (watch->listed)
        return BACKEND_READY;
    *ret_reason = "the kernel's interfaces are being listed";
    return BACKEND_OPENING;
}

static void net_backend_diff(struct backend *backend, const struct intended *intended,
                             struct plan *plan)
{
    struct net_backend *net = net_cast(backend);
    if (net->followed != intended->config) {
        net->followed = intended->config;
        net_watch_follow(&net->watch, intended->config);
    }
    net_want(&net->wanted, intended);
    net_diff(&net->wanted.state, &net->watch.seen, plan);
}

static void net_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    net_write(&net_cast(backend)->watch, plan, steps, n);
}

static void net_backend_status(struct backend *backend, struct status *status)
{
    const char *reason = NULL;
    enum backend_health health = net_health(backend, &reason);
    net_status(health == BACKEND_READY ? &net_cast(backend)->watch.seen : NULL, reason, status);
}

static int net_routes(struct backend *backend, const struct network *network, backend_route_cb *cb,
                      void *aux)
{
    (void)backend;
    return net_list_routes(network, cb, aux);
}

const struct backend_class net_backend_class = {
    .name = "net",
    .open = net_open,
    .close = net_close,
    .run = net_run,
    .wait = net_wait,
    .health = net_health,
    .diff = net_backend_diff,
    .apply = net_apply,
    .status = net_backend_status,
    .routes = net_routes,
};
