/* progress.h - what is still outstanding, while a change is waited for.
 *
 * One line on standard error that is written over and over; only for people at a terminal. */
#ifndef ROUTERCTL_PROGRESS_H
#define ROUTERCTL_PROGRESS_H

#include "routerctl/ctl.h"

struct ctl_progress {
    const struct ctl *ctl;
    const char *tenant;
    int64_t seconds; /* ticks so far */
    bool shown;
};

/* For struct ctl_request: asks for the tenant's status and shows it. `aux` is a ctl_progress. */
void ctl_progress_tick(void *aux);
/* Wipes the line. */
void ctl_progress_end(struct ctl_progress *progress);

#endif
