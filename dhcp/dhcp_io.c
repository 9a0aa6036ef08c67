#include "dhcp/dhcp_io.h"

#include "dhcp/dhcp.h"
#include "log/log.h"

#include <errno.h>
#include <lib/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct dhcp *dhcp_cast(const struct backend *backend)
{
    return (struct dhcp *)backend;
}

static void forget_wanted(struct dhcp *dhcp)
{
    if (dhcp->wanted_of) {
        dhcp_wanted_done(&dhcp->wanted);
        intended_unref((struct intended *)dhcp->wanted_of);
        dhcp->wanted_of = NULL;
    }
}

static bool has_probes(const struct intended *intended)
{
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        for (size_t j = 0; j < topology->n_networks; j++) {
            for (size_t k = 0; k < topology->networks[j].n_pools; k++) {
                if (topology->networks[j].pools[k].probes) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Keeps what is in force at hand. */
static void take_intended(struct dhcp *dhcp)
{
    const struct intended *intended;

    if (!dhcp->nodes || dhcp->nodes->intended(dhcp->nodes) == dhcp->wanted_of) {
        return;
    }
    intended = dhcp->nodes->intended(dhcp->nodes);
    forget_wanted(dhcp);
    dhcp_want(intended, &dhcp->wanted);
    dhcp->wanted_of = intended_ref(intended);
    dhcp->watches = has_probes(intended);
    dhcp->nodes_serial = 0;
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        dhcp->processes[i]->serial = 0;
    }
}

static int dhcp_open(const struct config *config, struct backend **ret_backend)
{
    struct dhcp *dhcp = xzalloc(sizeof *dhcp);
    int error;

    dhcp->backend.class = &dhcp_backend_class;
    dhcp->dnsmasq = config->dhcp_dnsmasq;
    dhcp_folder(config, dhcp->folder);
    dhcp->epoll = epoll_create1(EPOLL_CLOEXEC);
    error = dhcp->epoll < 0 ? -errno : dhcp_links_open(dhcp);
    if (!error) {
        error = dhcp_process_scan(dhcp);
    }
    if (error) {
        snprintf(dhcp->reason, sizeof dhcp->reason, "the kernel does not tell what runs: %s",
                 ovs_strerror(-error));
        log_line(LOG_LEVEL_WARNING, "dhcp", "%s", dhcp->reason);
    }
    *ret_backend = &dhcp->backend;
    return 0;
}

static void dhcp_close(struct backend *backend)
{
    struct dhcp *dhcp = dhcp_cast(backend);

    dhcp_process_close(dhcp);
    dhcp_links_close(dhcp);
    dhcp_neigh_close(dhcp);
    forget_wanted(dhcp);
    free(dhcp->seen.servers);
    if (dhcp->epoll >= 0) {
        close(dhcp->epoll);
    }
    free(dhcp);
}

static void dhcp_take_nodes(struct backend *backend, const struct backend_nodes *nodes)
{
    dhcp_cast(backend)->nodes = nodes;
}

static bool dhcp_run(struct backend *backend)
{
    struct dhcp *dhcp = dhcp_cast(backend);
    bool changed;

    if (!dhcp->reason[0]) {
        take_intended(dhcp);
        dhcp_process_run(dhcp);
        if (dhcp->links.stale) {
            dhcp_links_run(dhcp);
        }
        dhcp_hosts_run(dhcp);
        dhcp_neigh_run(dhcp);
    }
    changed = dhcp->changed;
    dhcp->changed = false;
    return changed;
}

static void dhcp_wait(struct backend *backend)
{
    const struct dhcp *dhcp = dhcp_cast(backend);

    if (!dhcp->reason[0]) {
        dhcp_process_wait(dhcp);
        dhcp_links_wait(dhcp);
        dhcp_hosts_wait(dhcp);
        dhcp_neigh_wait(dhcp);
    }
}

static enum backend_health dhcp_health(const struct backend *backend, const char **ret_reason)
{
    const struct dhcp *dhcp = dhcp_cast(backend);

    *ret_reason = dhcp->reason[0] ? dhcp->reason : NULL;
    return dhcp->reason[0] ? BACKEND_AWAY : BACKEND_READY;
}

/* All that run, but for those that are just ending, as if they had ended. */
static void see_servers(struct dhcp *dhcp)
{
    struct dhcp_seen *seen = &dhcp->seen;

    free(seen->servers);
    seen->servers = xcalloc(dhcp->n_processes + 1, sizeof *seen->servers);
    seen->n_servers = 0;
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        if (dhcp->processes[i]->state != PROCESS_STOPPING) {
            seen->servers[seen->n_servers++] = dhcp->processes[i]->server;
        }
    }
}

/* A plan may be asked for that is only shown, of topologies that are not in force. */
static void dhcp_backend_diff(struct backend *backend, const struct intended *intended,
                              struct plan *plan)
{
    struct dhcp *dhcp = dhcp_cast(backend);
    struct dhcp_wanted wanted = {.arena = NULL};
    bool in_force;

    take_intended(dhcp);
    in_force = intended == dhcp->wanted_of;
    if (!in_force) {
        dhcp_want(intended, &wanted);
    }
    if ((in_force ? dhcp->wanted.n : wanted.n) && !dhcp->links.listed) {
        dhcp_links_list(dhcp);
    }
    see_servers(dhcp);
    dhcp_diff(in_force ? &dhcp->wanted : &wanted, &dhcp->seen, plan);
    dhcp_wanted_done(&wanted);
}

static void dhcp_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    struct dhcp *dhcp = dhcp_cast(backend);

    take_intended(dhcp);
    for (size_t i = 0; i < n; i++) {
        switch (steps[i]->action) {
        case STEP_CREATE: dhcp_process_start(dhcp, plan, steps[i]); break;
        case STEP_UPDATE:
        case STEP_DELETE: dhcp_process_stop(dhcp, plan, steps[i]); break;
        }
    }
}

static void dhcp_backend_status(struct backend *backend, struct status *status)
{
    dhcp_status(dhcp_cast(backend), status);
}

static enum backend_probe dhcp_probe(struct backend *backend, const struct segment *segment,
                                     const struct addr *addr, uint8_t *ret_mac)
{
    struct dhcp *dhcp = dhcp_cast(backend);

    return dhcp->reason[0] ? PROBE_IMPOSSIBLE : dhcp_neigh_probe(dhcp, segment, addr, ret_mac);
}

static bool dhcp_sighting(struct backend *backend, struct backend_sighting *ret_sighting)
{
    return dhcp_neigh_sighting(dhcp_cast(backend), ret_sighting);
}

const struct backend_class dhcp_backend_class = {
    .name = "dhcp",
    .open = dhcp_open,
    .close = dhcp_close,
    .run = dhcp_run,
    .wait = dhcp_wait,
    .health = dhcp_health,
    .diff = dhcp_backend_diff,
    .apply = dhcp_apply,
    .status = dhcp_backend_status,
    .take_nodes = dhcp_take_nodes,
    .probe = dhcp_probe,
    .sighting = dhcp_sighting,
};
