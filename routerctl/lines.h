/* lines.h - how two texts differ, line by line. Pure. */
#ifndef ROUTERCTL_LINES_H
#define ROUTERCTL_LINES_H

#include <stddef.h>

/* Is given a line (without its end) that is gone ('-'), new ('+'), or the same (' '). */
typedef void ctl_line_cb(char mark, const char *line, size_t len, void *aux);

/* Tells the lines of both texts in order: what differs, with three lines around it, and a line
 * "..." where some that are the same are left out. Nothing for equal texts. A stretch of very many
 * changed lines is told as all gone and all new. */
void ctl_lines_diff(const char *old, const char *new, ctl_line_cb *line, void *aux);

#endif
