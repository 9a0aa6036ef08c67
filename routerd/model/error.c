#include "model/error.h"

#include "model/arena.h"

#include <stdarg.h>
#include <stdlib.h>

struct kept {
    struct error error;
    size_t order; /* as found, to sort stably */
};

struct errors {
    struct arena *arena;
    struct kept *kept;
    size_t n_kept, capacity;
    size_t count;
};

struct errors *errors_new(void)
{
    struct arena *arena = arena_new();
    struct errors *errors = arena_alloc(arena, sizeof *errors);
    errors->arena = arena;
    return errors;
}

void errors_free(struct errors *errors)
{
    if (errors)
        arena_free(errors->arena);
}

void errors_add(struct errors *errors, const char *path, unsigned int line, unsigned int column,
                const char *format, ...)
{
    size_t order = errors->count++;
    if (errors->n_kept >= ERROR_LIMIT)
        return;
    errors->kept = arena_grow(errors->arena, errors->kept, errors->n_kept, &errors->capacity,
                              sizeof *errors->kept);
    va_list args;
    va_start(args, format);
    const char *message = arena_vprintf(errors->arena, format, args);
    va_end(args);
    errors->kept[errors->n_kept++] = (struct kept){
        .error = {.path = arena_strdup(errors->arena, path),
                  .line = line,
                  .column = column,
                  .message = message},
        .order = order,
    };
}

size_t errors_count(const struct errors *errors)
{
    return errors->count;
}

size_t errors_kept(const struct errors *errors)
{
    return errors->n_kept;
}

const struct error *errors_get(const struct errors *errors, size_t i)
{
    return &errors->kept[i].error;
}

static int compare(const void *a_, const void *b_)
{
    const struct kept *a = a_, *b = b_;
    if (a->error.line != b->error.line)
        return a->error.line < b->error.line ? -1 : 1;
    if (a->error.column != b->error.column)
        return a->error.column < b->error.column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void errors_sort(struct errors *errors)
{
    if (errors->n_kept > 1)
        qsort(errors->kept, errors->n_kept, sizeof *errors->kept, compare);
}
