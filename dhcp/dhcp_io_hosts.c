/* The nodes, into the files that dnsmasq reads again on SIGHUP. They may come by the thousand in a
 * second, so they are gathered: a file is written at once when it was quiet before, and after that
 * so rarely that it costs a twentieth of the thread's time at the most. */
#include "dhcp/dhcp_io.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>

enum { REST_MS = 100, SHARE = 20, RETRY_MS = 1000 };

struct hosts {
    const struct dhcp_service *service;
    char *text;
    size_t len, capacity;
};

static void add_host(const struct backend_node *node, void *aux)
{
    struct hosts *hosts = aux;
    char line[DHCP_LINE];
    size_t len = dhcp_host_line(hosts->service, node, line);

    if (hosts->len + len > hosts->capacity) {
        hosts->capacity = 2 * hosts->capacity + DHCP_LINE;
        hosts->text = xrealloc(hosts->text, hosts->capacity);
    }
    memcpy(hosts->text + hosts->len, line, len);
    hosts->len += len;
}

/* As dhcp_file_write(). */
static int write_hosts(const struct dhcp *dhcp, const struct dhcp_service *service)
{
    struct hosts hosts = {service, xmalloc(DHCP_LINE), 0, DHCP_LINE};
    int result;

    dhcp->nodes->each(dhcp->nodes, service->tenant, service->network->name, add_host, &hosts);
    result = dhcp_file_write(dhcp, service->key, "hosts", hosts.text, hosts.len);
    free(hosts.text);
    return result;
}

int dhcp_hosts_prepare(const struct dhcp *dhcp, const struct dhcp_service *service,
                       uint64_t *ret_serial)
{
    int result;

    if (!dhcp->nodes || !dhcp->nodes->ready(dhcp->nodes)) {
        return -EAGAIN;
    }
    *ret_serial = dhcp->nodes->serial_of(dhcp->nodes, service->tenant, service->network->name);
    result = write_hosts(dhcp, service);
    return MIN(result, 0);
}

const struct dhcp_service *dhcp_wanted_find(const struct dhcp_wanted *wanted, const char *key)
{
    for (size_t i = 0; i < wanted->n; i++) {
        if (!strcmp(wanted->services[i].key, key)) {
            return &wanted->services[i];
        }
    }
    return NULL;
}

/* One that was found running may not have been told of the file's last change, so it is told again.
 * False: the file could not be written. */
static bool update(struct dhcp *dhcp, struct process *process)
{
    const struct dhcp_service *service = dhcp_wanted_find(&dhcp->wanted, process->server.key);
    bool had_problem = process->problem[0];
    uint64_t serial;
    int result;

    if (process->state != PROCESS_RUNNING || !service) {
        return true;
    }
    serial = dhcp->nodes->serial_of(dhcp->nodes, service->tenant, service->network->name);
    if (serial == process->serial) {
        return true;
    }
    result = write_hosts(dhcp, service);
    if (result < 0) {
        snprintf(process->problem, sizeof process->problem,
                 "the nodes cannot be written to %s/%s: %s", dhcp->folder, process->server.key,
                 ovs_strerror(-result));
        dhcp->changed |= !had_problem;
        return false;
    }
    dhcp->changed |= had_problem;
    process->problem[0] = '\0';
    process->serial = serial;
    if (result == 0 || process->adopted) {
        pidfd_send_signal(process->pidfd, SIGHUP, NULL, 0);
        process->adopted = false;
    }
    return true;
}

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static bool is_due(const struct dhcp *dhcp)
{
    return dhcp->nodes && dhcp->n_processes &&
           dhcp->nodes_serial != dhcp->nodes->serial(dhcp->nodes) &&
           dhcp->nodes->ready(dhcp->nodes);
}

void dhcp_hosts_run(struct dhcp *dhcp)
{
    long long began_us = now_us();
    bool ok = true;

    if (!is_due(dhcp) || time_msec() < dhcp->hosts_ms) {
        return;
    }
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        ok = update(dhcp, dhcp->processes[i]) && ok;
    }
    if (ok) {
        dhcp->nodes_serial = dhcp->nodes->serial(dhcp->nodes);
    }
    dhcp->hosts_ms =
        time_msec() + (ok ? MAX(REST_MS, SHARE * (now_us() - began_us) / 1000) : RETRY_MS);
}

void dhcp_hosts_wait(const struct dhcp *dhcp)
{
    if (is_due(dhcp)) {
        poll_timer_wait_until(dhcp->hosts_ms);
    }
}
