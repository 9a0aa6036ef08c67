/* dhcp.h - the backend that serves hosts on segments: DHCP, router advertisements, DNS.
 *
 * The work is dnsmasq's. There is one process for each segment that has DHCP or router
 * advertisements, bound to the segment's interface, and one for each network that has DNS, whose
 * sockets are bound to the network's VRF. They are apart because a DHCP server that also answers
 * DNS goes on answering for the names of leases after the nodes have been released. Addresses come
 * from the allocated nodes alone: all ranges are `static`, and who is not known by its MAC is
 * ignored.
 *
 * All that a process is started with is in one file that is never changed, and whose name ends in a
 * digest of it. So a look at a process's command line tells whether it is ours (the mark is the
 * folder) and whether it is as wanted, and nothing has to be remembered: processes outlive routerd,
 * and the next one takes them up. What changes with every node is in a file beside it, which is
 * replaced, and read again on SIGHUP; nobody is dropped by that.
 *
 *   DIR/rseg7/conf.3f...    of segment number 7: DHCP, router advertisements
 *   DIR/rseg7/hosts         the nodes on it, by MAC
 *   DIR/rseg7/leases, pid   dnsmasq's own
 *   DIR/rvrf1001/conf.9a... of network number 1: DNS
 *   DIR/rvrf1001/hosts      its nodes' names
 *
 * DIR is `dhcp` beside the control socket. A lease is short (SERVICES_LEASE_S), and the quarantine
 * of such a pool is longer, so that a released address is out of use before it is given out again.
 *
 * It also knows who else is on a segment: it asks for an address before that is given out, and
 * tells whom the kernel has seen, for pools with `probe`.
 *
 *   dhcp_state.h      services, processes and interfaces as values
 *   dhcp_want.c       the intended state to services (pure)
 *   dhcp_host_want.c  nodes to the lines of the hosts files (pure)
 *   dhcp_diff.c       services and processes to steps (pure)
 *   dhcp_io.h         the files that do the work */
#ifndef DHCP_DHCP_H
#define DHCP_DHCP_H

#include "backend/backend.h"

extern const struct backend_class dhcp_backend_class;

#endif
