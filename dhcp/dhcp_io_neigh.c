/* Who is on the segments where addresses are probed, by the kernel's neighbour tables: it asks by
 * ARP (RFC 826) and neighbour discovery (RFC 4861) as for any packet, from the gateway's own
 * address, and tells who has answered. A question is an entry that is made in state NONE and "used"
 * (NTF_USE, rtnetlink(7)), and made anew a few times, since the kernel itself would wait a second
 * between two. Entries of our own that nobody answered for are taken away again. */
#include "dhcp/dhcp_io.h"

#include "model/services.h"

#include <errno.h>
#include <lib/hash.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <openvswitch/hmap.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    ASK_MS = 300, /* between questions */
    QUESTIONS = 3,
    FRESH_MS = 5000, /* an answer is good for so long */
    MESSAGE_BYTES = 32768,
    SIGHTINGS = 256, /* more at a time are forgotten; they come again */
    KNOWN = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT,
};

/* A question and its answer. */
struct probe {
    struct hmap_node node; /* by index and address */
    uint32_t index;        /* of the interface */
    struct addr addr;
    enum backend_probe state;
    uint8_t mac[6];
    int asked;         /* how often */
    long long next_ms; /* to be asked again; to be forgotten */
};

/* Somebody was seen. */
struct seen_host {
    uint32_t index;
    struct addr addr;
    uint8_t mac[6];
};

struct neigh {
    struct mnl_socket *socket;
    struct hmap probes;
    size_t n_running;
    struct seen_host hosts[SIGHTINGS];
    size_t n_hosts;
};

static uint32_t hash_of(uint32_t index, const struct addr *addr)
{
    return hash_bytes(addr->bytes, sizeof addr->bytes, index);
}

static struct probe *find_probe(const struct neigh *neigh, uint32_t index, const struct addr *addr)
{
    struct probe *probe;

    HMAP_FOR_EACH_WITH_HASH(probe, node, hash_of(index, addr), &neigh->probes) {
        if (probe->index == index && addr_equal(&probe->addr, addr)) {
            return probe;
        }
    }
    return NULL;
}

/* --- the kernel ----------------------------------------------------------------------------- */

/* The kernel's answer is not waited for: what it did comes as an event. */
static void tell_kernel(const struct neigh *neigh, uint16_t type, uint16_t flags,
                        const struct probe *probe)
{
    char buffer[256];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct ndmsg *info = mnl_nlmsg_put_extra_header(message, sizeof *info);

    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    info->ndm_family = (uint8_t)probe->addr.family;
    info->ndm_ifindex = (int)probe->index;
    info->ndm_state = NUD_NONE;
    info->ndm_flags = type == RTM_NEWNEIGH ? NTF_USE : 0;
    mnl_attr_put(message, NDA_DST, addr_bits(probe->addr.family) / 8, probe->addr.bytes);
    mnl_socket_sendto(neigh->socket, message, message->nlmsg_len);
}

static void ask(const struct neigh *neigh, struct probe *probe)
{
    tell_kernel(neigh, RTM_DELNEIGH, 0, probe);
    tell_kernel(neigh, RTM_NEWNEIGH, NLM_F_CREATE, probe);
    probe->asked++;
    probe->next_ms = time_msec() + ASK_MS;
}

static void take_host(struct neigh *neigh, const struct seen_host *host)
{
    struct probe *probe = find_probe(neigh, host->index, &host->addr);

    if (probe) {
        neigh->n_running -= probe->state == PROBE_RUNNING;
        probe->state = PROBE_USED;
        memcpy(probe->mac, host->mac, sizeof probe->mac);
        probe->next_ms = time_msec() + FRESH_MS;
    }
    if (neigh->n_hosts < SIGHTINGS) {
        neigh->hosts[neigh->n_hosts++] = *host;
    }
}

static int take_message(const struct nlmsghdr *message, void *aux)
{
    const struct ndmsg *info = mnl_nlmsg_get_payload(message);
    struct seen_host host = {.index = (uint32_t)info->ndm_ifindex};
    bool has_mac = false;
    const struct nlattr *attr;

    if (message->nlmsg_type != RTM_NEWNEIGH || !(info->ndm_state & KNOWN) ||
        (info->ndm_family != AF_INET && info->ndm_family != AF_INET6)) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each(attr, message, sizeof *info)
    {
        uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

        if (type == NDA_DST && len == addr_bits(info->ndm_family) / 8) {
            host.addr.family = info->ndm_family;
            memcpy(host.addr.bytes, mnl_attr_get_payload(attr), len);
        } else if (type == NDA_LLADDR && len == sizeof host.mac) {
            memcpy(host.mac, mnl_attr_get_payload(attr), len);
            has_mac = true;
        }
    }
    if (has_mac && host.addr.family) {
        take_host(aux, &host);
    }
    return MNL_CB_OK;
}

/* Errors are those of entries that were not there to be deleted. Events that were lost come again.
 */
static void read_events(struct neigh *neigh)
{
    char buffer[MESSAGE_BYTES];
    ssize_t n;

    while ((n = mnl_socket_recvfrom(neigh->socket, buffer, sizeof buffer)) >= 0 ||
           errno == ENOBUFS || errno == EINTR) {
        int left = (int)MAX(n, 0);

        for (const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_type >= NLMSG_MIN_TYPE) {
                take_message(message, neigh);
            }
        }
    }
}

/* --- the life of a question ----------------------------------------------------------------- */

static struct neigh *neigh_open(struct dhcp *dhcp)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = -2};
    struct neigh *neigh = dhcp->neigh;

    if (neigh) {
        return neigh;
    }
    neigh = xzalloc(sizeof *neigh);
    hmap_init(&neigh->probes);
    neigh->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!neigh->socket || mnl_socket_bind(neigh->socket, RTMGRP_NEIGH, MNL_SOCKET_AUTOPID) ||
        epoll_ctl(dhcp->epoll, EPOLL_CTL_ADD, mnl_socket_get_fd(neigh->socket), &event)) {
        if (neigh->socket) {
            mnl_socket_close(neigh->socket);
        }
        hmap_destroy(&neigh->probes);
        free(neigh);
        return NULL;
    }
    dhcp->neigh = neigh;
    return neigh;
}

void dhcp_neigh_close(struct dhcp *dhcp)
{
    struct probe *probe;

    if (!dhcp->neigh) {
        return;
    }
    HMAP_FOR_EACH_POP(probe, node, &dhcp->neigh->probes) {
        free(probe);
    }
    hmap_destroy(&dhcp->neigh->probes);
    mnl_socket_close(dhcp->neigh->socket);
    free(dhcp->neigh);
    dhcp->neigh = NULL;
}

static uint32_t find_index(const struct dhcp *dhcp, const char *name)
{
    for (size_t i = 0; i < dhcp->seen.n_links; i++) {
        if (!strcmp(dhcp->seen.links[i].name, name)) {
            return dhcp->seen.links[i].index;
        }
    }
    return 0;
}

enum backend_probe dhcp_neigh_probe(struct dhcp *dhcp, const struct segment *segment,
                                    const struct addr *addr, uint8_t *ret_mac)
{
    struct neigh *neigh = neigh_open(dhcp);
    char name[IFNAME_TEXT];
    struct probe *probe;
    uint32_t index;

    if (!dhcp->links.listed) {
        dhcp_links_list(dhcp);
    }
    index = find_index(dhcp, ids_segment_name(segment->id, name));
    if (!neigh || !index) {
        return PROBE_IMPOSSIBLE;
    }
    probe = find_probe(neigh, index, addr);
    if (!probe) {
        probe = xzalloc(sizeof *probe);
        *probe = (struct probe){.index = index, .addr = *addr, .state = PROBE_RUNNING};
        hmap_insert(&neigh->probes, &probe->node, hash_of(index, addr));
        neigh->n_running++;
        ask(neigh, probe);
    }
    if (probe->state == PROBE_USED) {
        memcpy(ret_mac, probe->mac, sizeof probe->mac);
    }
    return probe->state;
}

/* Goes on with a question whose time has come. */
static void advance(struct neigh *neigh, struct probe *probe)
{
    if (probe->state != PROBE_RUNNING) {
        hmap_remove(&neigh->probes, &probe->node);
        free(probe);
    } else if (probe->asked < QUESTIONS) {
        ask(neigh, probe);
    } else {
        tell_kernel(neigh, RTM_DELNEIGH, 0, probe);
        probe->state = PROBE_FREE;
        probe->next_ms = time_msec() + FRESH_MS;
        neigh->n_running--;
    }
}

void dhcp_neigh_run(struct dhcp *dhcp)
{
    struct neigh *neigh = dhcp->watches ? neigh_open(dhcp) : dhcp->neigh;
    struct probe *probe;

    if (!neigh) {
        return;
    }
    HMAP_FOR_EACH_SAFE(probe, node, &neigh->probes) {
        if (time_msec() >= probe->next_ms) {
            advance(neigh, probe);
        }
    }
}

void dhcp_neigh_take_events(struct dhcp *dhcp)
{
    if (dhcp->neigh) {
        read_events(dhcp->neigh);
    }
}

void dhcp_neigh_wait(const struct dhcp *dhcp)
{
    const struct probe *probe;

    if (!dhcp->neigh) {
        return;
    }
    HMAP_FOR_EACH(probe, node, &dhcp->neigh->probes) {
        poll_timer_wait_until(probe->next_ms);
    }
    if (dhcp->neigh->n_hosts) {
        poll_immediate_wake();
    }
}

/* --- sightings ------------------------------------------------------------------------------ */

/* Finds the segment of an interface; false: none where addresses are probed. */
static bool find_segment(const struct dhcp *dhcp, uint32_t index,
                         struct backend_sighting *ret_sighting)
{
    const struct intended *intended = dhcp->wanted_of;
    char name[IFNAME_TEXT];

    for (size_t i = 0; intended && i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        for (size_t j = 0; j < topology->n_networks; j++) {
            const struct network *network = &topology->networks[j];

            for (size_t k = 0; k < network->n_segments; k++) {
                const struct segment *segment = &network->segments[k];

                if (find_index(dhcp, ids_segment_name(segment->id, name)) == index) {
                    ret_sighting->tenant = intended->tenants[i].name;
                    ret_sighting->network = network;
                    ret_sighting->segment = segment;
                    return segment_services(network, segment).probe;
                }
            }
        }
    }
    return false;
}

bool dhcp_neigh_sighting(struct dhcp *dhcp, struct backend_sighting *ret_sighting)
{
    struct neigh *neigh = dhcp->neigh;

    while (neigh && neigh->n_hosts) {
        const struct seen_host *host = &neigh->hosts[--neigh->n_hosts];

        if (find_segment(dhcp, host->index, ret_sighting)) {
            ret_sighting->addr = host->addr;
            memcpy(ret_sighting->mac, host->mac, sizeof ret_sighting->mac);
            return true;
        }
    }
    return false;
}
