#include "bgp/bgp_announce.h"

#include "log/log.h"
#include "model/addr.h"
#include "model/ids.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <ifaddrs.h>
#include <lib/util.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct kernel_address {
    char interface[IFNAMSIZ];
    struct prefix prefix;
};

struct bgp_addresses {
    size_t n;
    struct kernel_address v[]; /* sorted by interface */
};

/* The kernel's entry as an address with its prefix length; false if it is not of IP. */
static bool take_prefix(const struct ifaddrs *entry, struct prefix *ret_prefix)
{
    struct prefix prefix = {.addr = {.family = entry->ifa_addr ? entry->ifa_addr->sa_family : 0}};
    const uint8_t *mask;
    size_t n;

    if (!entry->ifa_netmask) {
        return false;
    }
    if (prefix.addr.family == AF_INET) {
        n = 4;
        memcpy(prefix.addr.bytes, &((struct sockaddr_in *)entry->ifa_addr)->sin_addr, n);
        mask = (const uint8_t *)&((struct sockaddr_in *)entry->ifa_netmask)->sin_addr;
    } else if (prefix.addr.family == AF_INET6) {
        n = 16;
        memcpy(prefix.addr.bytes, &((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr, n);
        mask = (const uint8_t *)&((struct sockaddr_in6 *)entry->ifa_netmask)->sin6_addr;
    } else {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        prefix.len = (uint8_t)(prefix.len + __builtin_popcount(mask[i]));
    }
    *ret_prefix = prefix;
    return true;
}

/* Whether zebra lists the address on the interface. */
static bool zebra_knows(const cJSON *interface, const struct prefix *prefix)
{
    const cJSON *entry;

    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(interface, "ipAddresses")) {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(entry, "address");
        struct prefix known;

        if (cJSON_IsString(text) && !prefix_parse(text->valuestring, &known) &&
            !prefix_cmp(&known, prefix)) {
            return true;
        }
    }
    return false;
}

static int announce(struct mnl_socket *socket, const char *name, const struct prefix *prefix)
{
    char buffer[MNL_SOCKET_BUFFER_SIZE];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    size_t n = prefix->addr.family == AF_INET ? 4 : 16;
    struct ifaddrmsg *message;

    header->nlmsg_type = RTM_NEWADDR;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
    message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    message->ifa_family = (uint8_t)prefix->addr.family;
    message->ifa_prefixlen = prefix->len;
    message->ifa_scope = prefix->addr.family == AF_INET6 && addr_is_link_local(&prefix->addr)
                             ? RT_SCOPE_LINK
                             : RT_SCOPE_UNIVERSE;
    message->ifa_index = if_nametoindex(name);
    if (!message->ifa_index) {
        return -errno;
    }
    mnl_attr_put(header, IFA_LOCAL, n, prefix->addr.bytes);
    mnl_attr_put(header, IFA_ADDRESS, n, prefix->addr.bytes);
    return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int cmp_addresses(const void *a, const void *b)
{
    const struct kernel_address *x = a, *y = b;

    return strcmp(x->interface, y->interface);
}

struct bgp_addresses *bgp_addresses_take(void)
{
    struct bgp_addresses *taken;
    struct ifaddrs *list;
    size_t n = 0;

    if (getifaddrs(&list)) {
        return NULL;
    }
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        n++;
    }
    taken = xmalloc(sizeof *taken + n * sizeof *taken->v);
    taken->n = 0;
    for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        struct kernel_address *address = &taken->v[taken->n];

        if ((ids_of_segment(entry->ifa_name) || ids_of_tunnel(entry->ifa_name)) &&
            take_prefix(entry, &address->prefix)) {
            ovs_strlcpy(address->interface, entry->ifa_name, sizeof address->interface);
            taken->n++;
        }
    }
    freeifaddrs(list);
    qsort(taken->v, taken->n, sizeof *taken->v, cmp_addresses);
    return taken;
}

void bgp_addresses_free(struct bgp_addresses *addresses)
{
    free(addresses);
}

/* The addresses of an interface: the first, and how many. */
static const struct kernel_address *find_addresses(const struct bgp_addresses *addresses,
                                                   const char *interface, size_t *ret_n)
{
    struct kernel_address key = {.interface = ""};
    const struct kernel_address *found, *end = addresses->v + addresses->n;

    ovs_strlcpy(key.interface, interface, sizeof key.interface);
    found = bsearch(&key, addresses->v, addresses->n, sizeof key, cmp_addresses);
    while (found && found > addresses->v && !cmp_addresses(&found[-1], &key)) {
        found--;
    }
    for (*ret_n = 0; found && found + *ret_n < end && !cmp_addresses(&found[*ret_n], &key);) {
        ++*ret_n;
    }
    return found;
}

/* An address that has been removed since it was listed must not be made by announcing it. */
static bool is_still_there(const struct kernel_address *address)
{
    struct bgp_addresses *now = bgp_addresses_take();
    const struct kernel_address *found;
    bool there = false;
    size_t n = 0;

    found = now ? find_addresses(now, address->interface, &n) : NULL;
    for (size_t i = 0; i < n && !there; i++) {
        there = !prefix_cmp(&found[i].prefix, &address->prefix);
    }
    bgp_addresses_free(now);
    return there;
}

/* Announces those of the kernel's addresses on the interface that zebra does not list. */
static int announce_on(struct mnl_socket *socket, const cJSON *interface,
                       const struct bgp_addresses *addresses)
{
    size_t n;
    const struct kernel_address *found = find_addresses(addresses, interface->string, &n);
    char text[PREFIX_TEXT];
    int announced = 0;

    for (size_t i = 0; i < n; i++) {
        if (!zebra_knows(interface, &found[i].prefix) && is_still_there(&found[i]) &&
            !announce(socket, found[i].interface, &found[i].prefix)) {
            log_line(LOG_LEVEL_INFO, "bgp", "zebra missed address %s of %s: announced again",
                     prefix_print(&found[i].prefix, text), found[i].interface);
            announced++;
        }
    }
    return announced;
}

int bgp_announce_missing(const struct bgp_addresses *addresses, const char *text)
{
    cJSON *interfaces = cJSON_Parse(text);
    const cJSON *interface;
    struct mnl_socket *socket;
    int n = 0;

    if (!cJSON_IsObject(interfaces)) {
        cJSON_Delete(interfaces);
        return -EPROTO;
    }
    socket = mnl_socket_open(NETLINK_ROUTE);
    if (!socket) {
        n = -errno;
        cJSON_Delete(interfaces);
        return n;
    }
    cJSON_ArrayForEach(interface, interfaces) {
        n += announce_on(socket, interface, addresses);
    }
    mnl_socket_close(socket);
    cJSON_Delete(interfaces);
    return n;
}
