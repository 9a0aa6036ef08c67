#include "ipsec/ipsec_env.h"

#include "ipsec/ipsec_card.h"
#include "ipsec/ipsec_resolve.h"
#include "log/log.h"

#include <errno.h>
#include <ifaddrs.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/shash.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Dry runs may ask for what is never loaded; past this many all is forgotten and asked anew. */
enum { ENTRIES = 4096 };

struct uplink {
    char interface[IFNAMSIZ];
    unsigned int ifindex;  /* 0: there is none */
    struct addr chosen[2]; /* IPv4, IPv6; family 0: none */
};

struct file {
    uint64_t version; /* 0: error */
    int error;
};

struct ipsec_env {
    const struct ipsec_seen *seen;
    struct resolver *resolver;
    struct uplink *uplinks;
    size_t n_uplinks;
    struct shash files; /* of struct file, by path */
    struct ipsec_cards *cards;
    int netlink; /* -1: could not be had; then addresses are polled with the files */
    bool uplinks_stale;
    long long next_poll_ms;
};

static int open_netlink(void)
{
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0) {
        log_line(LOG_LEVEL_WARNING, "ipsec", "no notices of address changes: %s", strerror(errno));
    }
    return fd;
}

struct ipsec_env *ipsec_env_new(const struct ipsec_seen *seen)
{
    struct ipsec_env *env = calloc(1, sizeof *env);

    if (!env) {
        abort();
    }
    env->seen = seen;
    shash_init(&env->files);
    env->cards = ipsec_cards_new();
    env->resolver = resolver_new();
    env->netlink = open_netlink();
    return env;
}

void ipsec_env_free(struct ipsec_env *env)
{
    if (!env) {
        return;
    }
    shash_destroy_free_data(&env->files);
    ipsec_cards_free(env->cards);
    free(env->uplinks);
    resolver_free(env->resolver);
    if (env->netlink >= 0) {
        close(env->netlink);
    }
    free(env);
}

/* ---------------------------------------------------------------- uplinks */

static bool addr_of(const struct ifaddrs *entry, int family, struct addr *ret_addr)
{
    struct addr addr = {.family = family};

    if (!entry->ifa_addr || entry->ifa_addr->sa_family != family) {
        return false;
    }
    if (family == AF_INET) {
        memcpy(addr.bytes, &((struct sockaddr_in *)entry->ifa_addr)->sin_addr, 4);
    } else {
        memcpy(addr.bytes, &((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr, 16);
    }
    *ret_addr = addr;
    return !addr_is_link_local(&addr) && !addr_is_loopback(&addr);
}

static bool is_loaded(const struct ipsec_seen *seen, const struct addr *addr)
{
    for (size_t i = 0; i < seen->n_conns; i++) {
        if (!seen->conns[i].foreign && ipsec_addrs_hold(seen->conns[i].local_addr, addr)) {
            return true;
        }
    }
    return false;
}

/* The one that was chosen before if it is still there, else one that is in use already, else the
 * first. */
static struct addr choose(const struct ipsec_env *env, const struct ifaddrs *list,
                          const char *interface, int family, const struct addr *before)
{
    struct addr best = {0}, addr;
    bool best_loaded = false;

    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        if (strcmp(entry->ifa_name, interface) != 0 || !addr_of(entry, family, &addr)) {
            continue;
        }
        if (before->family && addr_equal(&addr, before)) {
            return addr;
        }
        bool loaded = is_loaded(env->seen, &addr);
        if (!best.family || (loaded && !best_loaded)) {
            best = addr;
            best_loaded = loaded;
        }
    }
    return best;
}

/* Whether its addresses changed. */
static bool refresh_uplink(const struct ipsec_env *env, const struct ifaddrs *list,
                           struct uplink *uplink)
{
    static const int families[2] = {AF_INET, AF_INET6};
    bool changed = false;

    uplink->ifindex = if_nametoindex(uplink->interface);
    for (int i = 0; i < 2; i++) {
        struct addr addr = choose(env, list, uplink->interface, families[i], &uplink->chosen[i]);
        changed = changed || !addr_equal(&addr, &uplink->chosen[i]);
        uplink->chosen[i] = addr;
    }
    return changed;
}

static bool refresh_uplinks(struct ipsec_env *env, size_t from)
{
    struct ifaddrs *list = NULL;
    bool changed = false;

    if (getifaddrs(&list) != 0) {
        return false;
    }
    for (size_t i = from; i < env->n_uplinks; i++) {
        changed = refresh_uplink(env, list, &env->uplinks[i]) || changed;
    }
    freeifaddrs(list);
    return changed;
}

static bool ask_uplink(void *aux, const char *interface, int family, struct addr *ret_addr)
{
    struct ipsec_env *env = aux;
    size_t i = 0;

    while (i < env->n_uplinks && strcmp(env->uplinks[i].interface, interface) != 0) {
        i++;
    }
    if (i == env->n_uplinks) {
        env->uplinks = realloc(env->uplinks, (i + 1) * sizeof *env->uplinks);
        if (!env->uplinks) {
            abort();
        }
        env->uplinks[i] = (struct uplink){.ifindex = 0};
        snprintf(env->uplinks[i].interface, sizeof env->uplinks[i].interface, "%s", interface);
        env->n_uplinks++;
        refresh_uplinks(env, i);
    }
    *ret_addr = env->uplinks[i].chosen[family == AF_INET ? 0 : 1];
    return ret_addr->family != 0;
}

/* Whether a notice is about an uplink, or about a link that may become one. */
static bool concerns_uplink(const struct ipsec_env *env, const struct nlmsghdr *message)
{
    bool link = message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK;
    unsigned int ifindex = link ? (unsigned int)((struct ifinfomsg *)NLMSG_DATA(message))->ifi_index
                                : ((struct ifaddrmsg *)NLMSG_DATA(message))->ifa_index;

    for (size_t i = 0; i < env->n_uplinks; i++) {
        if (env->uplinks[i].ifindex == ifindex || (link && env->uplinks[i].ifindex == 0)) {
            return true;
        }
    }
    return false;
}

static void take_notices(struct ipsec_env *env)
{
    union {
        struct nlmsghdr header;
        char bytes[16384];
    } buffer;

    while (env->netlink >= 0) {
        ssize_t n = recv(env->netlink, &buffer, sizeof buffer, 0);
        if (n < 0 && errno == ENOBUFS) {
            env->uplinks_stale = true; /* some were lost */
            continue;
        }
        if (n <= 0) {
            return;
        }
        size_t left = (size_t)n;
        for (struct nlmsghdr *at = &buffer.header; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
            size_t need = at->nlmsg_type == RTM_NEWLINK || at->nlmsg_type == RTM_DELLINK
                              ? sizeof(struct ifinfomsg)
                              : sizeof(struct ifaddrmsg);
            if (at->nlmsg_len >= NLMSG_LENGTH(need) && concerns_uplink(env, at)) {
                env->uplinks_stale = true;
            }
        }
    }
}

/* ---------------------------------------------------------------- secret files */

/* Whether the file is another than before. */
static bool refresh_file(struct file *file, const char *path)
{
    uint64_t before = file->version;

    file->version = ipsec_file_version(path, &file->error);
    return file->version != before;
}

static uint64_t ask_secret(void *aux, const char *path, int *ret_error)
{
    struct ipsec_env *env = aux;
    struct file *file = shash_find_data(&env->files, path);
    if (!file) {
        if (shash_count(&env->files) == ENTRIES) {
            shash_clear_free_data(&env->files);
        }
        file = xzalloc(sizeof *file);
        refresh_file(file, path);
        shash_add(&env->files, path, file);
    }
    *ret_error = file->error;
    return file->version;
}

static bool refresh_files(struct ipsec_env *env)
{
    struct shash_node *node;
    bool changed = false;

    SHASH_FOR_EACH(node, &env->files) {
        changed = refresh_file(node->data, node->name) || changed;
    }
    return changed;
}

/* ---------------------------------------------------------------- all of it */

static size_t ask_name(void *aux, const char *name, struct addr *ret_addrs)
{
    struct ipsec_env *env = aux;
    return resolver_ask(env->resolver, name, ret_addrs, IPSEC_REMOTES);
}

static const struct ipsec_card *ask_card(void *aux, const char *directory,
                                         const struct ipsec_files *files)
{
    struct ipsec_env *env = aux;
    return ipsec_cards_ask(env->cards, directory, files);
}

struct ipsec_facts ipsec_env_facts(struct ipsec_env *env)
{
    return (struct ipsec_facts){
        .aux = env,
        .uplink = ask_uplink,
        .resolve = ask_name,
        .secret = ask_secret,
        .card = ask_card,
    };
}

bool ipsec_env_run(struct ipsec_env *env)
{
    bool changed = resolver_run(env->resolver);

    take_notices(env);
    if (time_msec() >= env->next_poll_ms) {
        env->next_poll_ms = time_msec() + ENV_POLL_MS;
        changed = refresh_files(env) || changed;
        changed = ipsec_cards_refresh(env->cards) || changed;
        env->uplinks_stale = env->uplinks_stale || env->netlink < 0;
    }
    if (env->uplinks_stale) {
        env->uplinks_stale = false;
        changed = refresh_uplinks(env, 0) || changed;
    }
    return changed;
}

void ipsec_env_wait(struct ipsec_env *env)
{
    resolver_wait(env->resolver);
    if (!shash_is_empty(&env->files) || !ipsec_cards_empty(env->cards)) {
        poll_timer_wait_until(env->next_poll_ms);
    }
    if (env->netlink >= 0) {
        poll_fd_wait(env->netlink, POLLIN);
    }
}
