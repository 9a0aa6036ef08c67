/* arena.h - memory that lives and dies together.
 *
 * A generation of the topology, a plan and a status snapshot each are built once, read for a while
 * and dropped whole. Each owns one arena; everything that it points to lies in it, so there is one
 * pointer to free and nothing to leak in between. An arena is not thread-safe while it grows; once
 * built it may be read from every thread. Running out of memory aborts the process: a router that
 * cannot allocate a few kilobytes cannot do anything sensible, and the supervisor restarts it
 * without loss. */
#ifndef MODEL_ARENA_H
#define MODEL_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new, empty arena; never null. The caller frees it with arena_free(). */
struct arena *arena_new(void);
/* Frees the arena and all that was allocated from it; null is fine. */
void arena_free(struct arena *arena);
/* Bytes held, for limits and metrics. */
size_t arena_size(const struct arena *arena);

/* Zeroed memory, aligned for any type; lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/* `n` zeroed elements of `size` bytes; aborts when the product overflows. */
void *arena_calloc(struct arena *arena, size_t n, size_t size)
    __attribute__((malloc, returns_nonnull));
/* A copy of a string; null gives null. */
char *arena_strdup(struct arena *arena, const char *text);
/* A NUL-terminated copy of `len` bytes. */
char *arena_memdup(struct arena *arena, const char *bytes, size_t len);
/* printf into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Grows an arena array so that it has room for one more of its elements and returns the array.
 * `*capacity` is kept by the caller beside the count. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);

#endif
