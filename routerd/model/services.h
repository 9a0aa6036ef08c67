/* services.h - what the router serves to the hosts of a segment: DHCP, DNS, router advertisements.
 *
 * Pools say it (`dhcp`, `dns`), and segments (`router_advertisements`); this puts together what
 * comes of it for one segment, for the backend that runs the servers (dhcp/) and for the one that
 * lets their packets pass. */
#ifndef MODEL_SERVICES_H
#define MODEL_SERVICES_H

#include "model/topology.h"

/* How long a client may use its address without asking again, the shortest that dnsmasq knows; and
 * the quarantine of an address that may be in use so long, with time for the server to hear of the
 * release. */
enum { SERVICES_LEASE_S = 120, SERVICES_QUARANTINE_S = SERVICES_LEASE_S + 10 };

struct segment_services {
    bool dhcp4;          /* UDP port 67 (RFC 2131) */
    bool dhcp6;          /* UDP port 547 (RFC 8415) */
    bool dns;            /* UDP and TCP port 53, on the router's addresses of the segment */
    bool advertisements; /* ICMPv6 router solicitations (RFC 4861) */
    bool probe;          /* a pool on it asks before an address is given out */
};

struct segment_services segment_services(const struct network *network,
                                         const struct segment *segment);

#endif
