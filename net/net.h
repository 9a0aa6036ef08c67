/* net.h - the kernel's part of the router, over rtnetlink.
 *
 * For each network a VRF with its table; for each segment the interface that Open vSwitch made for
 * it, put into the VRF with the gateway addresses; for each tunnel an xfrm interface in the VRF;
 * the static routes. It makes no VLANs and no bridges (ovs), no SAs (ipsec) and no BGP routes
 * (bgp), and it never touches what it did not make.
 *
 * The marks: an interface of ours has an alias that begins with "routerd:" and goes on with the
 * object's path
 * ("routerd:bio/genome/segment/campus"); a route of ours has protocol number 111. An interface that
 * Open vSwitch made under a wanted name is marked when it is first seen. All else is foreign: it
 * stays, and where it stands in the way of ours (name, VRF table, if_id) the step fails and names
 * it.
 *
 * Seen state is a cache that one netlink socket's events keep current; when the kernel says that
 * events were lost, everything is listed again. A step is a list of small operations
 * (net_change.h), and all steps of a phase go to the kernel in a few large batches.
 *
 * A network's egress (net_egress.h) adds routes by an uplink to its table, and a policy rule, which
 * carries our protocol number, too; it turns the uplink's IPv4 forwarding on, and never back.
 *
 * Host settings: Linux forwards IPv6 only if net.ipv6.conf.all.forwarding is 1, so that is set once
 * a network has an IPv6 address, and never set back; a host that configures its own uplink by
 * router advertisements then needs accept_ra=2 there. The policy rules that send lookups to the
 * VRFs' tables (l3mdev, made by the kernel with its first VRF) are put back if somebody deletes
 * them. All other settings are those of our own interfaces: IPv4 forwarding, rp_filter 2 (loose:
 * the kernel takes the greater of that and conf.all), promote_secondaries, accept_ra 0,
 * disable_ipv6 0. */
#ifndef NET_NET_H
#define NET_NET_H

#include "backend/backend.h"

extern const struct backend_class net_backend_class;

#endif
