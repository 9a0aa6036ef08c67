#include "log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static int max_level = LOG_LEVEL_INFO; /* atomic: set by one thread, read by all */

struct line {
    char text[LINE_BYTES];
    size_t len;
};

void log_set_level(enum log_level level)
{
    __atomic_store_n(&max_level, (int)level, __ATOMIC_RELAXED);
}

static void __attribute__((format(printf, 2, 0)))
line_vprintf(struct line *line, const char *format, va_list args)
{
    size_t room = sizeof line->text - line->len;
    int len = vsnprintf(line->text + line->len, room, format, args);
    if (len > 0)
        line->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void __attribute__((format(printf, 2, 3)))
line_printf(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    line_vprintf(line, format, args);
    va_end(args);
}

static void line_fields(struct line *line, const char *tenant, const char *object)
{
    if (tenant && tenant[0])
        line_printf(line, " tenant=%s", tenant);
    if (object)
        line_printf(line, " network=%.*s object=%s", (int)strcspn(object, "/"), object, object);
}

/* One event is one line, whatever a daemon's message held. */
static void line_close(struct line *line)
{
    for (size_t i = 0; i < line->len; i++)
        if ((unsigned char)line->text[i] < 0x20 || line->text[i] == 0x7f)
            line->text[i] = ' ';
    if (line->len == sizeof line->text - 1)
        line->len--;
    line->text[line->len++] = '\n';
}

void log_object(enum log_level level, const char *area, const char *tenant, const char *object,
                const char *format, ...)
{
    if ((int)level > __atomic_load_n(&max_level, __ATOMIC_RELAXED))
        return;
    int saved = errno; /* callers log before they return it */
    struct line line = {.len = 0};
    if (!isatty(STDERR_FILENO))
        line_printf(&line, "<%d>", (int)level);
    line_printf(&line, "%s: ", area);
    va_list args;
    va_start(args, format);
    line_vprintf(&line, format, args);
    va_end(args);
    line_fields(&line, tenant, object);
    line_close(&line);
    /* One write keeps lines of several threads whole; there is nowhere to report that it failed. */
    ssize_t written = write(STDERR_FILENO, line.text, line.len);
    (void)written;
    errno = saved;
}
