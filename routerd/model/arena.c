#include "model/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks double from the first size to the last one; what is larger than a block gets one of its
 * own. */
enum { BLOCK_FIRST = 1024, BLOCK_LAST = 256 * 1024 };

struct block {
    struct block *next;
    size_t size, used; /* bytes of data */
    max_align_t data[];
};

struct arena {
    struct block *blocks; /* the first one is being filled */
    size_t size;
    size_t next_size;
};

struct arena *arena_new(void)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        abort();
    arena->next_size = BLOCK_FIRST;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    struct block *next;
    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

size_t arena_size(const struct arena *arena)
{
    return arena->size;
}

static struct block *block_new(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        abort();
    struct block *block = calloc(1, sizeof *block + size);
    if (!block)
        abort();
    block->size = size;
    arena->size += sizeof *block + size;
    return block;
}

/* A block with room for `size` bytes. A large one is put behind the one that is being filled. */
static struct block *block_for(struct arena *arena, size_t size)
{
    struct block *head = arena->blocks;
    if (head && head->size - head->used >= size)
        return head;
    if (head && size > arena->next_size / 4) {
        struct block *own = block_new(arena, size);
        own->next = head->next;
        head->next = own;
        return own;
    }
    struct block *block = block_new(arena, size > arena->next_size ? size : arena->next_size);
    if (arena->next_size < BLOCK_LAST)
        arena->next_size *= 2;
    block->next = head;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX - align)
        abort();
    size = size ? (size + align - 1) / align * align : align;
    struct block *block = block_for(arena, size);
    void *memory = (char *)block->data + block->used;
    block->used += size;
    return memory;
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        abort();
    return arena_alloc(arena, total);
}

char *arena_memdup(struct arena *arena, const char *bytes, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_memdup(arena, text, strlen(text)) : NULL;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wider = *capacity ? *capacity * 2 : 4;
    void *copy = arena_calloc(arena, wider, size);
    if (count > 0)
        memcpy(copy, array, count * size);
    *capacity = wider;
    return copy;
}
