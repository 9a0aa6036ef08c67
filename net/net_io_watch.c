#include "net/net_io.h"

#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <openvswitch/poll-loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    RECEIVE_BYTES = 32 << 20, /* room for the events of a large batch, or of a full BGP table */
    MESSAGE_BYTES = 32 << 10, /* what the kernel fills at most in one go */
    EVENTS_A_TURN = 8192,
    RETRY_MS = 1000,
    ANSWER_S = 5,
    DUMP_TRIES = 10, /* each is broken off when what it lists changes meanwhile */
};

struct mnl_socket *net_socket_open(void)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!socket)
        return NULL;
    int on = 1, bytes = RECEIVE_BYTES / 8;
    struct timeval patience = {.tv_sec = ANSWER_S};
    int fd = mnl_socket_get_fd(socket);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof on);
    mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on);
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
        return socket;
    int error = errno;
    mnl_socket_close(socket);
    errno = error;
    return NULL;
}

/* Events come faster than one at a time is read only for moments; the large buffer bridges those.
 */
static struct mnl_socket *open_events(void)
{
    static const int groups[] = {RTNLGRP_LINK,         RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                 RTNLGRP_IPV4_ROUTE,   RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_NETCONF,
                                 RTNLGRP_IPV6_NETCONF, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE};
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!socket)
        return NULL;
    int bytes = RECEIVE_BYTES, error = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID);
    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    for (size_t i = 0; !error && i < sizeof groups / sizeof *groups; i++)
        error = mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
                                      sizeof groups[i]);
    if (!error)
        return socket;
    error = errno;
    mnl_socket_close(socket);
    errno = error;
    return NULL;
}

struct answer {
    mnl_cb_t cb;
    void *aux;
    bool done, broken; /* broken: what was listed changed meanwhile */
    int error;
};

static void take_answer(struct answer *answer, const struct nlmsghdr *message, bool dump)
{
    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        answer->broken = true;
    if (message->nlmsg_type == NLMSG_ERROR &&
        mnl_nlmsg_get_payload_len(message) >= sizeof(struct nlmsgerr)) {
        answer->error = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
        answer->done = true;
    } else if (message->nlmsg_type == NLMSG_DONE) {
        answer->done = true;
    } else {
        answer->cb(message, answer->aux);
        answer->done = !dump;
    }
}

int net_socket_ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t cb, void *aux)
{
    static _Thread_local unsigned int sequence;
    char buffer[MESSAGE_BYTES];
    struct answer answer = {.cb = cb, .aux = aux};
    bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    request->nlmsg_flags |= NLM_F_REQUEST;
    request->nlmsg_seq = ++sequence;
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
        return -errno;
    while (!answer.done) {
        ssize_t received = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        if (received < 0)
            return -errno;
        int len = (int)received;
        const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
        for (; mnl_nlmsg_ok(message, len); message = mnl_nlmsg_next(message, &len))
            if (message->nlmsg_seq == request->nlmsg_seq &&
                !answer.done) /* else a belated answer */
                take_answer(&answer, message, dump);
    }
    return answer.error ? answer.error : answer.broken ? -EINTR : 0;
}

/* --- listing --- */

struct listing {
    struct net_state *state;
    bool relist;
};

static int take_listed(const struct nlmsghdr *message, void *aux)
{
    struct listing *listing = aux;
    net_parse_message(listing->state, message, &listing->relist);
    return MNL_CB_OK;
}

static int list_links(struct mnl_socket *socket, struct listing *listing)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return net_socket_ask(socket, request, take_listed, listing);
}

static int list_addrs(struct mnl_socket *socket, struct listing *listing)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETADDR;
    request->nlmsg_flags = NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
    return net_socket_ask(socket, request, take_listed, listing);
}

/* A kernel without IPv6, or without policy rules. */
static bool is_unknown_family(int error)
{
    return error == -EOPNOTSUPP || error == -EAFNOSUPPORT;
}

/* Those of a table (RT_TABLE_UNSPEC: all) and of a protocol (RTPROT_UNSPEC: all). */
static int list_routes(struct mnl_socket *socket, struct listing *listing, int family,
                       unsigned char table, unsigned char protocol)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETROUTE;
    request->nlmsg_flags = NLM_F_DUMP;
    struct rtmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->rtm_family = (unsigned char)family;
    info->rtm_table = table;
    info->rtm_protocol = protocol;
    int error = net_socket_ask(socket, request, take_listed, listing);
    return is_unknown_family(error) ? 0 : error;
}

static int list_rules(struct mnl_socket *socket, struct listing *listing, int family)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETRULE;
    request->nlmsg_flags = NLM_F_DUMP;
    struct fib_rule_hdr *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->family = (unsigned char)family;
    int error = net_socket_ask(socket, request, take_listed, listing);
    return is_unknown_family(error) ? 0 : error;
}

static int ask_ipv6_forwarding(struct mnl_socket *socket, struct listing *listing)
{
    char buffer[256];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = RTM_GETNETCONF;
    struct netconfmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
    info->ncm_family = AF_INET6;
    mnl_attr_put_u32(request, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
    int error = net_socket_ask(socket, request, take_listed, listing);
    return is_unknown_family(error) ? 0 : error;
}

static int list_once(const struct net_watch *watch, struct net_state *ret_state)
{
    struct mnl_socket *socket = watch->requests;
    struct listing listing = {.state = ret_state};
    net_state_init(ret_state);
    ret_state->uplinks = (const char *const *)watch->uplinks;
    ret_state->n_uplinks = watch->n_uplinks;
    int error = list_links(socket, &listing);
    if (!error)
        error = list_addrs(socket, &listing);
    for (size_t i = 0; i < 2 && !error; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        error = list_routes(socket, &listing, family, RT_TABLE_UNSPEC, NET_ROUTE_PROTOCOL);
        if (!error)
            error = list_rules(socket, &listing, family);
        if (!error && watch->n_uplinks) /* the host's default routes, which egress follows */
            error = list_routes(socket, &listing, family, RT_TABLE_MAIN, RTPROT_UNSPEC);
    }
    if (!error)
        error = ask_ipv6_forwarding(socket, &listing);
    if (error)
        net_state_done(ret_state);
    return error;
}

static void list_all(struct net_watch *watch)
{
    struct net_state state;
    int error = -EINTR;
    for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++)
        error = list_once(watch, &state);
    if (error) {
        snprintf(watch->reason, sizeof watch->reason, "the kernel does not list its interfaces: %s",
                 strerror(-error));
        watch->retry_ms = time_msec() + RETRY_MS;
        return;
    }
    net_state_done(&watch->seen);
    watch->seen = state;
    watch->listed = watch->changed = true;
    watch->stale = false;
    watch->reason[0] = '\0';
}

/* --- events --- */

static void take_events(struct net_watch *watch, const char *buffer, int len)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
    for (; mnl_nlmsg_ok(message, len); message = mnl_nlmsg_next(message, &len))
        if (net_parse_message(&watch->seen, message, &watch->stale))
            watch->changed = true;
}

/* Reads up to `limit` events. After an overrun nothing more is queued until the queue is empty, so
 * it is read to its end and then all is listed. */
static void read_events(struct net_watch *watch, size_t limit)
{
    char buffer[MESSAGE_BYTES];
    watch->more = true;
    for (size_t i = 0; i < limit; i++) {
        ssize_t len = mnl_socket_recvfrom(watch->events, buffer, sizeof buffer);
        if (len >= 0) {
            take_events(watch, buffer, (int)len);
        } else if (errno == ENOBUFS || errno == ENOSPC) {
            watch->stale = true;
        } else if (errno != EINTR) {
            watch->more = false;
            return;
        }
    }
}

static void open_sockets(struct net_watch *watch)
{
    watch->events = open_events();
    watch->requests = watch->events ? net_socket_open() : NULL;
    if (watch->requests)
        return;
    snprintf(watch->reason, sizeof watch->reason, "cannot open a netlink socket: %s",
             strerror(errno));
    net_watch_close(watch);
    watch->retry_ms = time_msec() + RETRY_MS;
}

void net_watch_open(struct net_watch *watch)
{
    *watch = (struct net_watch){0};
    net_state_init(&watch->seen);
}

void net_watch_close(struct net_watch *watch)
{
    if (watch->events)
        mnl_socket_close(watch->events);
    if (watch->requests)
        mnl_socket_close(watch->requests);
    watch->events = watch->requests = NULL;
    net_state_done(&watch->seen);
    watch->listed = watch->stale = false;
}

static void forget_uplinks(struct net_watch *watch)
{
    for (size_t i = 0; i < watch->n_uplinks; i++)
        free(watch->uplinks[i]);
    free(watch->uplinks);
    watch->uplinks = NULL;
    watch->n_uplinks = 0;
}

void net_watch_follow(struct net_watch *watch, const struct config *config)
{
    forget_uplinks(watch);
    watch->uplinks = xcalloc(config->n_uplinks + 1, sizeof *watch->uplinks);
    for (size_t i = 0; i < config->n_uplinks; i++)
        if (config->uplinks[i].type == UPLINK_ROUTED)
            watch->uplinks[watch->n_uplinks++] = xstrdup(config->uplinks[i].interface);
    watch->seen.uplinks = (const char *const *)watch->uplinks;
    watch->seen.n_uplinks = watch->n_uplinks;
    watch->stale = true;
}

void net_watch_free(struct net_watch *watch)
{
    net_watch_close(watch);
    forget_uplinks(watch);
}

bool net_watch_run(struct net_watch *watch)
{
    bool waits = time_msec() < watch->retry_ms;
    if (!watch->events && !waits)
        open_sockets(watch);
    if (watch->events)
        read_events(watch, EVENTS_A_TURN);
    if (watch->events && (!watch->listed || watch->stale) && !watch->more && !waits) {
        if (watch->listed)
            log_line(LOG_LEVEL_DEBUG, "net", "listing everything again");
        list_all(watch);
    }
    bool changed = watch->changed;
    watch->changed = false;
    return changed;
}

void net_watch_drain(struct net_watch *watch)
{
    do
        read_events(watch, EVENTS_A_TURN);
    while (watch->more);
}

void net_watch_wait(const struct net_watch *watch)
{
    if (watch->events)
        poll_fd_wait(mnl_socket_get_fd(watch->events), POLLIN);
    if (watch->more)
        poll_immediate_wake();
    else if (!watch->events || !watch->listed || watch->stale)
        poll_timer_wait_until(watch->retry_ms);
}
