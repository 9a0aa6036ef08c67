/* tunnel_mtu.h - how large packets and TCP segments in a tunnel may be.
 *
 * The interface's MTU is what the topology says (`mtu`), else the profile, else what is left of the
 * uplink's MTU beside the outer header, ESP (RFC 4303) and, where NAT traversal is forced, UDP (RFC
 * 3948), with the first, preferred ESP proposal: 1446 with AES-GCM over IPv4 and 1500 bytes, 1438
 * in UDP. Where the ends agree on a costlier one the kernel, which knows, tells senders (RFC 1191).
 * What the topology does not say is never more than the profile's `mtu_max`. TCP's MSS is the MTU
 * less the headers of IP and TCP, or less if something says less. Pure. */
#ifndef MODEL_TUNNEL_MTU_H
#define MODEL_TUNNEL_MTU_H

#include "model/config.h"
#include "model/proposal.h"
#include "model/topology.h"

enum { TUNNEL_MTU_MIN = 1280 }; /* RFC 8200, 5: below it the outer packets are fragmented */

/* The largest packet that ESP in tunnel mode carries over a link; `family` is the outer one's. 0 if
 * there is no room for any. */
uint32_t tunnel_mtu_esp(uint32_t link_mtu, int family, bool in_udp, const struct esp_cost *cost);
/* Of the tunnel's interface, in bytes, for topology_check(). Its profile must be resolved. A remote
 * that is a name may be an IPv6 address: then room is left for that. */
uint32_t tunnel_mtu(const struct tunnel *tunnel, const struct config *config);
/* The largest MSS option (RFC 9293, 3.7.1) that TCP in a checked tunnel may carry, of a family. */
uint32_t tunnel_mss(const struct tunnel *tunnel, int family);

#endif
