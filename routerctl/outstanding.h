/* outstanding.h - what of a tenant is not up, from its status.
 *
 * The same list as a change with ?wait answers when the time is over, so that `status`, `apply` and
 * its progress show one thing. */
#ifndef ROUTERCTL_OUTSTANDING_H
#define ROUTERCTL_OUTSTANDING_H

#include "routerctl/ctl.h"

/* A list of {"object": "genome/peer/aws", "state", "reason"} for the caller to free: a network only
 * if no part of it explains its state. *ret_total, unless null, is the number of all objects. */
cJSON *ctl_outstanding(const cJSON *status, size_t *ret_total);
/* Prints such a list as a table, with a column for `tenant` if any element has one. */
void ctl_print_outstanding(const struct ctl *ctl, const cJSON *list);

#endif
