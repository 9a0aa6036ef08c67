/* buffer.h - bytes that grow, and memory that is there.
 *
 * What an answer and a text on its way to the terminal are collected in. Running out of memory ends
 * the program; how far a buffer may grow is its user's to limit. */
#ifndef ROUTERCTL_BUFFER_H
#define ROUTERCTL_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct ctl_buffer {
    char *data; /* null while empty, else with a NUL behind the last byte */
    size_t len, capacity;
};

void ctl_buffer_done(struct ctl_buffer *buffer);
void ctl_buffer_add(struct ctl_buffer *buffer, const char *bytes, size_t len);
void ctl_buffer_text(struct ctl_buffer *buffer, const char *text);
void ctl_buffer_printf(struct ctl_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The bytes as a string, "" if there are none; borrowed until the buffer's next change. */
const char *ctl_buffer_string(const struct ctl_buffer *buffer);

/* Zeroed memory. */
void *ctl_alloc(size_t size) __attribute__((malloc, returns_nonnull));
char *ctl_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *ctl_printf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *ctl_vprintf(const char *format, va_list args)
    __attribute__((format(printf, 1, 0), returns_nonnull));

#endif
