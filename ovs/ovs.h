/* ovs.h - the backend that keeps segments in Open vSwitch.
 *
 * For each trunk uplink that a segment uses there is the uplink's bridge with the uplink's
 * interface as a port that carries every VLAN. A segment with one attachment is an internal port
 * (rseg12) on that bridge, tagged with the attachment's VLAN. A segment with several is a bridge of
 * its own (rbr12) with that port on it, joined to each uplink's bridge by a pair of patch ports,
 * tagged there. Few bridges and many tagged ports is what ovs-vswitchd is quick with. An outer VLAN
 * of Q-in-Q is one more bridge (rq1001-5b0c2f9e), joined to the uplink's by a patch that adds and
 * takes off the outer tag; attachments inside of it are on that bridge as others are on the
 * uplink's. Two tags need Open_vSwitch's other_config:vlan-limit, which is for the whole of Open
 * vSwitch: we set it to 2 if nobody has set it, say so in external_ids, and take it back.
 *
 * Whatever is ours says so: external_ids:routerd is "TENANT/NETWORK/segment/NAME" or
 * "uplink/NAME" on Bridge, Port and Interface. An uplink's bridge or port that exists without that
 * is the facility's: used as it is, never changed. Nothing of ours sends STP, CDP or LLDP,
 * and no bridge of ours forwards them (forward-bpdu of ovs-vswitchd.conf.db(5)).
 *
 *   ovs_state.h      bridges and ports as values: what is wanted, and what is seen
 *   ovs_want.c       the intended state to bridges and ports (pure)
 *   ovs_diff.c       wanted and seen to steps (pure)
 *   ovs_status.c     seen to states and reasons of segments (pure)
 *   ovs_limit.c      limits of broadcasts: keys, steps, commands for nftables (pure)
 *   ovs_io.c         the hooks; the OVSDB session and whether it answers
 *   ovs_io_see.c     rows to bridges and ports
 *   ovs_io_rows.c    a step's operations to rows of a transaction
 *   ovs_io_commit.c  steps to transactions, and their effect awaited
 *   ovs_io_nft.c     the limits of broadcasts in nftables
 *   ovs_io_watch.c   whether ovs-vswitchd is alive, which OVSDB does not tell
 *
 * The addresses on the segments' ports are net/'s job. */
#ifndef OVS_OVS_H
#define OVS_OVS_H

#include "backend/backend.h"

extern const struct backend_class ovs_backend_class;

#endif
