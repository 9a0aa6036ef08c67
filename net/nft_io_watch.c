#include "net/net_io.h"
#include "net/nft_io.h"

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <lib/timeval.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <openvswitch/poll-loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    RECEIVE_BYTES = 8 << 20,
    MESSAGE_BYTES = 64 << 10,
    RETRY_MS = 1000,
    ANSWER_S = 5,
    DUMP_TRIES = 10, /* each is broken off when what it lists changes meanwhile */
};

/* --- sockets ------------------------------------------------------------------------------------
 */

/* One that hears of a group (0: none). */
static struct mnl_socket *open_socket(int bus, int group, int flags)
{
    struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC | flags);
    if (!socket)
        return NULL;
    int bytes = RECEIVE_BYTES, fd = mnl_socket_get_fd(socket);
    struct timeval patience = {.tv_sec = ANSWER_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    int error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID);
    if (!error && group)
        error = mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
    if (!error)
        return socket;
    error = errno;
    mnl_socket_close(socket);
    errno = error;
    return NULL;
}

static void set_reason(struct nft_watch *watch, const char *what, int error)
{
    snprintf(watch->reason, sizeof watch->reason, "%s: %s", what, strerror(error));
    watch->retry_ms = time_msec() + RETRY_MS;
}

static void open_sockets(struct nft_watch *watch)
{
    watch->events = open_socket(NETLINK_NETFILTER, NFNLGRP_NFTABLES, SOCK_NONBLOCK);
    if (watch->events)
        watch->settings = open_socket(NETLINK_ROUTE, RTNLGRP_IPV4_NETCONF, SOCK_NONBLOCK);
    if (watch->settings)
        watch->requests = open_socket(NETLINK_NETFILTER, 0, 0);
    if (watch->requests)
        return;
    int error = errno;
    nft_watch_close(watch);
    set_reason(watch, "cannot open a netlink socket for nftables", error);
}

static void close_socket(struct mnl_socket **socket)
{
    if (*socket)
        mnl_socket_close(*socket);
    *socket = NULL;
}

void nft_watch_open(struct nft_watch *watch)
{
    *watch = (struct nft_watch){0};
    nft_state_init(&watch->seen);
}

void nft_watch_close(struct nft_watch *watch)
{
    close_socket(&watch->events);
    close_socket(&watch->settings);
    close_socket(&watch->requests);
    nft_state_done(&watch->seen);
    watch->listed = watch->stale = false;
}

/* --- listing ------------------------------------------------------------------------------------
 */

static int take_listed(const struct nlmsghdr *message, void *aux)
{
    nft_parse_listed(aux, message);
    return MNL_CB_OK;
}

/* All of a kind in our table, or (set) the elements of a set. The kernel filters by table where it
 * can. */
static int list(struct mnl_socket *socket, struct nft_state *state, uint16_t kind, bool of_table,
                const char *set)
{
    char buffer[512];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | kind);
    request->nlmsg_flags = NLM_F_DUMP;
    struct nfgenmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->nfgen_family = NFPROTO_INET;
    info->version = NFNETLINK_V0;
    if (of_table)
        mnl_attr_put_strz(request, NFTA_SET_TABLE, NFT_TABLE);
    if (set)
        mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set);
    return net_socket_ask(socket, request, take_listed, state);
}

static int list_elements(struct mnl_socket *socket, struct nft_state *state)
{
    int error = 0;
    size_t n = state->n_items; /* elements are added behind */
    for (size_t i = 0; i < n && !error; i++)
        if (state->items[i]->kind == NFT_SET)
            error = list(socket, state, NFT_MSG_GETSETELEM, true, state->items[i]->name);
    return error;
}

/* Sets come first, so that they are found quickly. -ENOENT: one has gone meanwhile. */
static int list_once(struct mnl_socket *socket, struct nft_made made, struct nft_state *ret_state)
{
    nft_state_init(ret_state);
    ret_state->ours = made;
    int error = list(socket, ret_state, NFT_MSG_GETTABLE, false, NULL);
    if (!error && ret_state->present)
        error = list(socket, ret_state, NFT_MSG_GETSET, true, NULL);
    if (!error && ret_state->present)
        error = list(socket, ret_state, NFT_MSG_GETCHAIN, false, NULL);
    if (!error && ret_state->present)
        error = list(socket, ret_state, NFT_MSG_GETRULE, true, NULL);
    if (!error && ret_state->present)
        error = list_elements(socket, ret_state);
    if (error)
        nft_state_done(ret_state);
    else
        nft_parse_finish(ret_state);
    return error;
}

static bool host_forwards(void)
{
    char text = '0';
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool forwards = read(fd, &text, 1) == 1 && text != '0';
    close(fd);
    return forwards;
}

static void list_all(struct nft_watch *watch)
{
    struct nft_state state;
    int error = -EINTR;
    watch->stale = false;
    for (int i = 0; i < DUMP_TRIES && (error == -EINTR || error == -ENOENT); i++)
        error = list_once(watch->requests, watch->made, &state);
    if (error) {
        watch->stale = true;
        set_reason(watch, "the kernel does not list its nftables (modprobe nf_tables?)", -error);
        return;
    }
    nft_state_done(&watch->seen);
    watch->seen = state;
    if (!watch->made.table)
        watch->made = state.found;
    watch->host.forwards = host_forwards();
    watch->listed = watch->changed = true;
    watch->reason[0] = '\0';
}

/* --- events -------------------------------------------------------------------------------------
 */

/* net.ipv4.ip_forward is what netconf calls the forwarding of all interfaces. */
static bool is_of_host(const struct nlmsghdr *message)
{
    const struct nlattr *attr;
    if (message->nlmsg_type != RTM_NEWNETCONF)
        return false;
    mnl_attr_for_each(attr, message, sizeof(struct netconfmsg))
    {
        int32_t index;
        if (mnl_attr_get_type(attr) != NETCONFA_IFINDEX ||
            mnl_attr_get_payload_len(attr) < sizeof index)
            continue;
        memcpy(&index, mnl_attr_get_payload(attr), sizeof index);
        return index == NETCONFA_IFINDEX_ALL;
    }
    return false;
}

/* Reads all that has come; whether any of it concerns us. After an overrun all may. */
static bool read_events(struct mnl_socket *socket, bool (*concerns)(const struct nlmsghdr *))
{
    char buffer[MESSAGE_BYTES];
    bool found = false;
    for (;;) {
        ssize_t received = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        if (received < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            found = true;
            continue;
        }
        if (received < 0 && errno != EINTR)
            return found;
        int len = (int)received;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; received > 0 && !found && mnl_nlmsg_ok(message, len);
             message = mnl_nlmsg_next(message, &len))
            found = concerns(message);
    }
}

void nft_watch_look(struct nft_watch *watch, bool all)
{
    if (!watch->events)
        return;
    if (all)
        watch->made = (struct nft_made){0};
    read_events(watch->events, nft_parse_event);
    list_all(watch);
}

bool nft_watch_run(struct nft_watch *watch)
{
    bool waits = time_msec() < watch->retry_ms;
    if (!watch->events && !waits)
        open_sockets(watch);
    if (watch->events) {
        bool table = read_events(watch->events, nft_parse_event);
        bool host = read_events(watch->settings, is_of_host);
        watch->stale |= table || host;
    }
    if (watch->events && (!watch->listed || watch->stale) && !waits)
        list_all(watch);
    bool changed = watch->changed;
    watch->changed = false;
    return changed;
}

void nft_watch_wait(const struct nft_watch *watch)
{
    if (watch->events) {
        poll_fd_wait(mnl_socket_get_fd(watch->events), POLLIN);
        poll_fd_wait(mnl_socket_get_fd(watch->settings), POLLIN);
    }
    if (!watch->events || !watch->listed || watch->stale)
        poll_timer_wait_until(watch->retry_ms);
}
