/* nft.h - the packet filter of the router, over nftables: what may reach the router itself from a
 * network, which packets leave by an uplink and as whom, and the MSS of what passes a tunnel.
 *
 * All of it is one table, `inet routerd`, whose comment is our mark; another table of that name is
 * somebody else's and stays, and then the steps fail and say so. No other table is looked at. The
 * table is made so that traffic between the segments and tunnels of a network costs next to
 * nothing: decisions are looked up by interface in maps, connections are tracked only where a
 * network has egress and only if they leave by it, and what no network needs is not there.
 *
 *   input      from a network only ICMP, BGP and BFD of its peers reach the router, and what its
 *              pools serve; nothing that comes by other interfaces is judged
 *   arrive     before routing: `strict_source`; whether a packet leaves by the uplink, hence is
 *              tracked, in a zone of its network
 *   restore    an answer from an uplink gets its connection's mark, by which routing finds the VRF
 *              (net_egress.h)
 *   publish, leave   destination and source NAT
 *   forward    from and to an uplink: only what belongs to connections that are meant to be
 *   clamp      the MSS in a SYN that passes a tunnel, either way
 *
 * Zones are of the original direction only. So two networks may send from the same address and
 * port to one server: what they send is told apart by the zone, and the answers, which lie in the
 * zone that all share, by the port that NAT must therefore choose (nf_conntrack_zones.h of Linux
 * says this is what a zone's direction is for). In a VRF a packet passes prerouting twice, first
 * with the interface, then with the VRF; the first one decides.
 *
 * Each rule, chain and element carries a comment of what it should be; so what was changed by hand
 * is seen by comparing these, and it is put right in one transaction, as every change is. */
#ifndef NET_NFT_H
#define NET_NFT_H

#include "backend/backend.h"

extern const struct backend_class nft_backend_class;

#endif
