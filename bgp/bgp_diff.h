/* bgp_diff.h - from wanted and seen to steps. Pure. */
#ifndef BGP_BGP_DIFF_H
#define BGP_BGP_DIFF_H

#include "bgp/bgp_change.h"

/* What the other daemons hold: zebra what it should not remember, bfdd the timers of BFD. */
struct bgp_residue {
    uint32_t *vrfs; /* network ids of VRFs that are configured there but not in the kernel */
    size_t n_vrfs;
    const struct bgp_state *state; /* zebra's running configuration: policies are bgpd's alone */
    const struct bgp_state *bfd;   /* bfdd's; null: it does not answer */
};

/* Adds the steps; each has a struct bgp_change as its data. `residue` may be null. */
void bgp_diff(const struct bgp_state *wanted, const struct bgp_state *seen,
              const struct bgp_residue *residue, struct plan *plan);

#endif
