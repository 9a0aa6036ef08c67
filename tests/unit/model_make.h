/* model_make.h - topologies for unit tests, built from names alone.
 *
 * No parser is in between, so a test of what stands on topologies fails for its own faults only. */
#ifndef UNIT_MODEL_MAKE_H
#define UNIT_MODEL_MAKE_H

#include "model/topology.h"

/* One of the networks named in `words`: each begins a network, "s:NAME", "t:NAME" and "p:NAME" add
 * a segment, a tunnel or a peer to it: "genome s:campus t:sakura p:aws phys". The caller frees it.
 */
struct topology *make_topology(const char *words);

#endif
