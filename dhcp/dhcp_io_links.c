/* Which of routerd's interfaces are there, under which number, and with which addresses. Any event
 * means that all is listed anew: rarely, and only while there is somebody to serve. */
#include "dhcp/dhcp_io.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    LIST_REST_MS = 20,
    LIST_SHARE = 20, /* so many times as long as listing takes it rests */
    MESSAGE_BYTES = 32768,
};

static struct mnl_socket *open_socket(unsigned int groups)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (socket && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID)) {
        mnl_socket_close(socket);
        return NULL;
    }
    return socket;
}

int dhcp_links_open(struct dhcp *dhcp)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
    struct links *links = &dhcp->links;

    links->events = open_socket(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
    if (!links->events) {
        return -errno;
    }
    links->stale = true;
    return epoll_ctl(dhcp->epoll, EPOLL_CTL_ADD, mnl_socket_get_fd(links->events), &event) ? -errno
                                                                                           : 0;
}

void dhcp_links_close(struct dhcp *dhcp)
{
    if (dhcp->links.events) {
        mnl_socket_close(dhcp->links.events);
    }
    free(dhcp->seen.links);
    free(dhcp->seen.addresses);
}

/* --- listing -------------------------------------------------------------------------------- */

/* What is being listed. */
struct listing {
    struct dhcp_link *links;
    size_t n_links, links_capacity;
    struct dhcp_address *addresses;
    size_t n_addresses, addresses_capacity;
};

static int take_link(const struct nlmsghdr *message, void *aux)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    struct listing *listing = aux;
    const struct nlattr *attr;
    struct dhcp_link *link;

    mnl_attr_for_each(attr, message, sizeof *info)
    {
        if (mnl_attr_get_type(attr) != IFLA_IFNAME ||
            (!ids_of_segment(mnl_attr_get_str(attr)) && !ids_of_vrf(mnl_attr_get_str(attr)))) {
            continue;
        }
        if (listing->n_links == listing->links_capacity) {
            listing->links =
                x2nrealloc(listing->links, &listing->links_capacity, sizeof *listing->links);
        }
        link = &listing->links[listing->n_links++];
        *link = (struct dhcp_link){.index = (uint32_t)info->ifi_index};
        ovs_strzcpy(link->name, mnl_attr_get_str(attr), sizeof link->name);
    }
    return MNL_CB_OK;
}

static bool is_listed(const struct listing *listing, uint32_t index)
{
    for (size_t i = 0; i < listing->n_links; i++) {
        if (listing->links[i].index == index) {
            return true;
        }
    }
    return false;
}

static int take_address(const struct nlmsghdr *message, void *aux)
{
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    struct listing *listing = aux;
    struct dhcp_address address;
    const struct nlattr *attr;
    size_t len = info->ifa_family == AF_INET ? 4 : 16;

    memset(&address, 0, sizeof address); /* it is compared whole */
    address.index = info->ifa_index;
    address.addr.family = info->ifa_family;
    address.tentative = info->ifa_flags & IFA_F_TENTATIVE;
    mnl_attr_for_each(attr, message, sizeof *info)
    {
        uint16_t type = mnl_attr_get_type(attr);

        if ((type == IFA_LOCAL || (type == IFA_ADDRESS && info->ifa_family == AF_INET6)) &&
            mnl_attr_get_payload_len(attr) == len) {
            memcpy(address.addr.bytes, mnl_attr_get_payload(attr), len);
        }
    }
    if (is_listed(listing, address.index)) {
        if (listing->n_addresses == listing->addresses_capacity) {
            listing->addresses = x2nrealloc(listing->addresses, &listing->addresses_capacity,
                                            sizeof *listing->addresses);
        }
        listing->addresses[listing->n_addresses++] = address;
    }
    return MNL_CB_OK;
}

/* A dump; the kernel answers it at once. 0 or -errno. */
static int dump(uint16_t type, size_t header, mnl_cb_t take, struct listing *listing)
{
    char buffer[MESSAGE_BYTES];
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    ssize_t n = -1;
    int more = MNL_CB_ERROR;

    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, header);
    if (socket && mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0) {
        do {
            n = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
            more = n > 0 ? mnl_cb_run(buffer, (size_t)n, 0, 0, take, listing) : MNL_CB_ERROR;
        } while (more > MNL_CB_STOP);
    }
    more = more < 0 ? -errno : 0;
    if (socket) {
        mnl_socket_close(socket);
    }
    return more;
}

static bool same(const struct dhcp_seen *seen, const struct listing *listing)
{
    return seen->n_links == listing->n_links && seen->n_addresses == listing->n_addresses &&
           (!seen->n_links ||
            !memcmp(seen->links, listing->links, seen->n_links * sizeof *seen->links)) &&
           (!seen->n_addresses || !memcmp(seen->addresses, listing->addresses,
                                          seen->n_addresses * sizeof *seen->addresses));
}

void dhcp_links_list(struct dhcp *dhcp)
{
    long long began_ms = time_wall_msec(), took_ms;
    struct listing listing = {0};

    if (dump(RTM_GETLINK, sizeof(struct ifinfomsg), take_link, &listing) ||
        dump(RTM_GETADDR, sizeof(struct ifaddrmsg), take_address, &listing)) {
        dhcp->links.next_ms = time_msec() + 1000;
        free(listing.links);
        free(listing.addresses);
        return;
    }
    dhcp->changed |= !same(&dhcp->seen, &listing);
    free(dhcp->seen.links);
    free(dhcp->seen.addresses);
    dhcp->seen.links = listing.links;
    dhcp->seen.n_links = listing.n_links;
    dhcp->seen.addresses = listing.addresses;
    dhcp->seen.n_addresses = listing.n_addresses;
    dhcp->links.listed = true;
    dhcp->links.stale = false;
    took_ms = MAX(time_wall_msec() - began_ms, 0);
    dhcp->links.next_ms = time_msec() + LIST_REST_MS + LIST_SHARE * took_ms;
}

/* --- events --------------------------------------------------------------------------------- */

void dhcp_links_run(struct dhcp *dhcp)
{
    struct links *links = &dhcp->links;
    char buffer[MESSAGE_BYTES];

    while (mnl_socket_recvfrom(links->events, buffer, sizeof buffer) >= 0 || errno == ENOBUFS ||
           errno == ENOSPC || errno == EINTR) {
        links->stale = true;
    }
    if (links->stale && (dhcp->wanted.n || dhcp->watches) && time_msec() >= links->next_ms) {
        dhcp_links_list(dhcp);
    }
}

void dhcp_links_wait(const struct dhcp *dhcp)
{
    if (dhcp->links.stale && (dhcp->wanted.n || dhcp->watches)) {
        poll_timer_wait_until(dhcp->links.next_ms);
    }
}
