/* bgp.h - the routing daemon's part of the router: FRR's bgpd, and zebra as far as bgpd needs it.
 *
 * For each network that has a peer, one BGP instance in the network's VRF; in it a neighbor for
 * each peer, with its filters, its password and its limit. A network without peers has none (an
 * instance costs a megabyte). The instance announces the prefixes of the network's segments and its
 * static routes, and passes what one peer says to the others; the addresses, the VRF and the static
 * routes themselves are the net backend's.
 *
 * The marks: an instance is ours if its VRF has a name of ours and a neighbor in it a description
 * such as "bio/genome/peer/aws" or, the second witness, a policy of ours, or, before it has any
 * neighbor, if it has the settings that only we write (bgp_state.h). Prefix lists and route maps of
 * ours are called "routerd-" and a digest of what they say: they are never edited, a peer whose
 * policy changes is switched to another one in a single command, so no route ever passes
 * unfiltered, and peers with the same policy share it. All other configuration of FRR is foreign
 * and stays byte for byte.
 *
 * Talking to FRR: over the daemons' own vty sockets (bgp_vty.h), as vtysh does, since that costs a
 * hundredth of starting vtysh and tells of each command whether it was accepted. What is seen is
 * bgpd's running configuration, read after every change of ours and about once a second, because
 * FRR has no event for a change by hand. vtysh itself is started for one thing: to save the
 * configuration (bgp_save.h), so that an FRR that restarts has it before routerd looks. */
#ifndef BGP_BGP_H
#define BGP_BGP_H

#include "backend/backend.h"

extern const struct backend_class bgp_backend_class;

#endif
