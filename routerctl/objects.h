/* objects.h - tables of networks, segments, tunnels and peers.
 *
 * Each kind is a row of a table of kinds: its key in an answer, its columns, and what fills a row
 * of them. `network NAME` shows the same tables as `segments`, `tunnels` and `peers`. */
#ifndef ROUTERCTL_OBJECTS_H
#define ROUTERCTL_OBJECTS_H

#include "routerctl/ctl.h"

struct ctl_kind;

extern const struct ctl_kind ctl_kind_network, ctl_kind_segment, ctl_kind_tunnel, ctl_kind_peer;

/* Whether the network has any objects of the kind. */
bool ctl_kind_any(const struct ctl_kind *kind, const cJSON *network);
/* Prints the objects of one network, without the columns that would say which it is. */
void ctl_kind_print(const struct ctl *ctl, const struct ctl_kind *kind, const cJSON *network);
/* Prints those of all networks of the statuses, or gives them as one list with `tenant` and
 * `network` to programs. */
void ctl_kind_print_all(const struct ctl *ctl, const struct ctl_kind *kind,
                        const struct ctl_answers *statuses);

#endif
