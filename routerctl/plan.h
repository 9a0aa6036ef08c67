/* plan.h - the answer to a change, for people: its steps in their order, and how many. */
#ifndef ROUTERCTL_PLAN_H
#define ROUTERCTL_PLAN_H

#include "routerctl/ctl.h"

/* Prints the steps as a table and then the counts; of an empty plan only that it is empty. */
void ctl_plan_print(const struct ctl *ctl, const cJSON *plan);
/* "3 to create, 1 to update, 0 to delete", and how many steps interrupt traffic; heap. */
char *ctl_plan_counts(const cJSON *plan);
bool ctl_plan_empty(const cJSON *plan);

#endif
