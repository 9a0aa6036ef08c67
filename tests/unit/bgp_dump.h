/* bgp_dump.h - all that a state of bgp/ says as a text, to compare two of them by. */
#ifndef UNIT_BGP_DUMP_H
#define UNIT_BGP_DUMP_H

#include "bgp/bgp_state.h"

/* malloc()ed. */
char *bgp_dump(const struct bgp_state *state);

#endif
