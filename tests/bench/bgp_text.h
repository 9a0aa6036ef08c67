/* bgp_text.h - a wanted state as FRR 8.4's bgpd would print it once it is carried out. */
#ifndef BENCH_BGP_TEXT_H
#define BENCH_BGP_TEXT_H

#include "bgp/bgp_state.h"

/* malloc()ed. Without passwords and BFD. */
char *bgp_text_print(const struct bgp_state *state);

#endif
