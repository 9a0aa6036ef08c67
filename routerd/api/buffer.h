/* buffer.h - bytes that grow.
 *
 * What a connection has read and has still to write, and texts that are put together. Running out
 * of memory aborts, as with arenas; how far a buffer may grow is its user's to limit. */
#ifndef API_BUFFER_H
#define API_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

struct buffer {
    char *data; /* null while capacity is 0 */
    size_t len, capacity;
};

/* Frees the memory and leaves an empty buffer. */
void buffer_done(struct buffer *buffer);
/* Makes room for at least `room` bytes behind those that are there. */
void buffer_reserve(struct buffer *buffer, size_t room);
void buffer_add(struct buffer *buffer, const char *bytes, size_t len);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops the first `n` bytes; an empty buffer of more than `keep` bytes gives its memory back. */
void buffer_drop(struct buffer *buffer, size_t n, size_t keep);

/* Zeroed memory, or the end of the process. */
void *api_alloc(size_t size) __attribute__((malloc, returns_nonnull));
char *api_strdup(const char *text) __attribute__((malloc, returns_nonnull));
/* printf into heap memory. */
char *api_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *api_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
