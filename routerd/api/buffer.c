#include "api/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_done(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_reserve(struct buffer *buffer, size_t room)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 512;

    if (buffer->capacity - buffer->len >= room) {
        return;
    }
    while (capacity - buffer->len < room) {
        capacity *= 2;
    }
    buffer->data = realloc(buffer->data, capacity);
    if (!buffer->data) {
        abort();
    }
    buffer->capacity = capacity;
}

void buffer_add(struct buffer *buffer, const char *bytes, size_t len)
{
    if (len) {
        buffer_reserve(buffer, len);
        memcpy(buffer->data + buffer->len, bytes, len);
        buffer->len += len;
    }
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    int len;

    buffer_reserve(buffer, 256);
    va_start(args, format);
    len = vsnprintf(buffer->data + buffer->len, buffer->capacity - buffer->len, format, args);
    va_end(args);
    if (len < 0) {
        abort();
    }
    if ((size_t)len >= buffer->capacity - buffer->len) {
        buffer_reserve(buffer, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
        va_end(args);
    }
    buffer->len += (size_t)len;
}

void buffer_drop(struct buffer *buffer, size_t n, size_t keep)
{
    buffer->len -= n;
    if (buffer->len) {
        if (n) {
            memmove(buffer->data, buffer->data + n, buffer->len);
        }
    } else if (buffer->capacity > keep) {
        buffer_done(buffer);
    }
}

void *api_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        abort();
    }
    return memory;
}

char *api_strdup(const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        abort();
    }
    return copy;
}

char *api_vprintf(const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0) {
        abort();
    }
    return text;
}

char *api_printf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = api_vprintf(format, args);
    va_end(args);
    return text;
}
