/* record.h - nodes and quarantines as one line of text each, as the state database keeps them.
 *
 *   web-1 10.2.0.20,2001:db8::20 02:00:5e:00:53:01 {"owner":"kim"}
 *   !1775012645000 10.2.0.21
 *
 * A node is its name, its addresses, its MAC or "-", and its labels if it has any; a quarantine is
 * its end in milliseconds of Unix time and the addresses. The same always gives the same text. The
 * pool is told elsewhere. */
#ifndef NODES_RECORD_H
#define NODES_RECORD_H

#include "nodes/nodes.h"

enum { RECORD_TEXT = NODE_NAME + 2 * ADDR_TEXT + MAC_TEXT + NODE_LABELS + 32 };

/* Prints the node or quarantine of that number; returns the buffer. */
const char *record_print(const struct nodes *nodes, uint32_t id, char buffer[RECORD_TEXT]);

/* Adds what a record of a pool says. -EINVAL: it is none, -EEXIST: it contradicts another. */
int record_add(struct nodes *nodes, const char *pool, const char *record, uint32_t *ret_id);

#endif
