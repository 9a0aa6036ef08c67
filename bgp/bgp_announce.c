#include "bgp/bgp_announce.h"

#include "log/log.h"
#include "model/addr.h"
#include "model/ids.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

/* The kernel's entry as an address with its prefix length; false if it is not of IP. */
static bool kernel_address(const struct ifaddrs *entry, struct prefix *ret_prefix)
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

/* Announces those of the kernel's addresses that are on an interface of the answer and not in it.
 */
static int announce_all(struct mnl_socket *socket, const cJSON *interfaces,
                        const struct ifaddrs *addresses)
{
    int n = 0;

    for (const struct ifaddrs *entry = addresses; entry; entry = entry->ifa_next) {
        const cJSON *interface = cJSON_GetObjectItemCaseSensitive(interfaces, entry->ifa_name);
        char text[PREFIX_TEXT];
        struct prefix prefix;

        if (interface && (ids_of_segment(entry->ifa_name) || ids_of_tunnel(entry->ifa_name)) &&
            kernel_address(entry, &prefix) && !zebra_knows(interface, &prefix) &&
            !announce(socket, entry->ifa_name, &prefix)) {
            log_line(LOG_LEVEL_INFO, "bgp", "zebra missed address %s of %s: announced again",
                     prefix_print(&prefix, text), entry->ifa_name);
            n++;
        }
    }
    return n;
}

int bgp_announce_missing(const char *text)
{
    cJSON *interfaces = cJSON_Parse(text);
    struct mnl_socket *socket = NULL;
    struct ifaddrs *addresses = NULL;
    int result = -EPROTO;

    if (cJSON_IsObject(interfaces)) {
        socket = mnl_socket_open(NETLINK_ROUTE);
        result = !socket || getifaddrs(&addresses) ? -errno
                                                   : announce_all(socket, interfaces, addresses);
    }
    if (socket) {
        mnl_socket_close(socket);
    }
    freeifaddrs(addresses);
    cJSON_Delete(interfaces);
    return result;
}
