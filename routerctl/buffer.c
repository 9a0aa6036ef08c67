#include "routerctl/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *ctl_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        abort();
    }
    return memory;
}

char *ctl_strdup(const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        abort();
    }
    return copy;
}

char *ctl_vprintf(const char *format, va_list args)
{
    char *text;

    if (vasprintf(&text, format, args) < 0) {
        abort();
    }
    return text;
}

char *ctl_printf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = ctl_vprintf(format, args);
    va_end(args);
    return text;
}

void ctl_buffer_done(struct ctl_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct ctl_buffer){0};
}

static void reserve(struct ctl_buffer *buffer, size_t room)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 256;

    if (buffer->capacity - buffer->len > room) {
        return;
    }
    while (capacity - buffer->len <= room) {
        capacity *= 2;
    }
    buffer->data = realloc(buffer->data, capacity);
    if (!buffer->data) {
        abort();
    }
    buffer->capacity = capacity;
}

void ctl_buffer_add(struct ctl_buffer *buffer, const char *bytes, size_t len)
{
    if (!len) {
        return;
    }
    reserve(buffer, len);
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
}

void ctl_buffer_text(struct ctl_buffer *buffer, const char *text)
{
    ctl_buffer_add(buffer, text, strlen(text));
}

void ctl_buffer_printf(struct ctl_buffer *buffer, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = ctl_vprintf(format, args);
    va_end(args);
    ctl_buffer_text(buffer, text);
    free(text);
}

const char *ctl_buffer_string(const struct ctl_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}
