/* usage.h - what `--help` and a wrong command line are answered with. */
#ifndef ROUTERCTL_USAGE_H
#define ROUTERCTL_USAGE_H

#include "routerctl/ctl.h"

/* All commands. */
void ctl_usage(FILE *file);
/* One command's first line, "usage: routerctl apply [--wait DURATION] ... FILE". */
void ctl_usage_line(FILE *file, const struct ctl_command *command);
/* All of it, with its options. */
void ctl_usage_of(FILE *file, const struct ctl_command *command);

#endif
