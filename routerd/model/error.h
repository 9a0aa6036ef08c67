/* error.h - what is wrong with somebody's input, as a list of places and sentences.
 *
 * Parsing and checking report every fault that they find, not the first one. Each fault names its
 * place twice: as line and column of the text, and as a path such as `networks[0].peers[1].via`.
 * The list is bounded (ERROR_LIMIT): past that only the count goes on, so that a hostile document
 * cannot make us build an enormous answer. This is not for errors of the machine (those are -errno
 * and go to the log). */
#ifndef MODEL_ERROR_H
#define MODEL_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum { ERROR_LIMIT = 1000 };

struct error {
    const char *path;    /* "" for the whole document */
    unsigned int line;   /* from 1; 0 if the fault has no place in the text */
    unsigned int column; /* from 1; 0 likewise */
    const char *message; /* one sentence, no full stop, no secret */
};

struct errors;

struct errors *errors_new(void);
void errors_free(struct errors *errors);

/* Adds a fault; `path` is copied. */
void errors_add(struct errors *errors, const char *path, unsigned int line, unsigned int column,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Number of faults found (it may be more than are kept). */
size_t errors_count(const struct errors *errors);
/* Number of faults kept, at most ERROR_LIMIT. */
size_t errors_kept(const struct errors *errors);
/* Fault number i, i < errors_kept(); borrowed. In the order of line, column once errors_sort() was
 * called, else as found. */
const struct error *errors_get(const struct errors *errors, size_t i);
/* Stable sort by line, then column. */
void errors_sort(struct errors *errors);

#endif
