/* outstanding.h - what of a tenant is not up, from its status.
 *
 * It is shown by `status` and, while a change is waited for, by the progress of `apply`. A network
 * is as well as the worst of its parts and then says which that is, so it is told only when it has
 * a trouble of its own. */
#ifndef ROUTERCTL_OUTSTANDING_H
#define ROUTERCTL_OUTSTANDING_H

#include "routerctl/ctl.h"

/* A list of {"object": "genome/peer/aws", "state", "reason"} for the caller to free. *ret_total,
 * unless null, is the number of all objects, up or not. */
cJSON *ctl_outstanding(const cJSON *status, size_t *ret_total);
/* Prints such a list as a table, with a column for `tenant` if any element has one. */
void ctl_print_outstanding(const struct ctl *ctl, const cJSON *list);

#endif
