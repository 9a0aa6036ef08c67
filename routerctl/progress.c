#include "routerctl/progress.h"

#include "routerctl/outstanding.h"
#include "routerctl/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { STATUS_TIMEOUT_MS = 2000 };

#define WIPE "\r\033[K"

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

static void show(struct ctl_progress *progress, const char *text)
{
    struct ctl_buffer safe = {0};
    const char *line;

    ctl_add_safe(&safe, text);
    line = ctl_buffer_string(&safe);
    fprintf(stderr, WIPE "%.*s", (int)ctl_text_fit(line, terminal_width() - 1), line);
    fflush(stderr);
    ctl_buffer_done(&safe);
    progress->shown = true;
}

void ctl_progress_tick(void *aux)
{
    struct ctl_progress *progress = aux;
    char *target = ctl_target(progress->tenant, "/status", NULL);
    cJSON *status = ctl_try_get(progress->ctl, target, STATUS_TIMEOUT_MS), *list;
    const cJSON *first;
    size_t total;
    char *text;

    free(target);
    progress->seconds++;
    if (!status) {
        return;
    }
    list = ctl_outstanding(status, &total);
    first = list->child;
    text = ctl_printf("%" PRId64 " s: %d of %zu not up%s%s%s%s", progress->seconds,
                      cJSON_GetArraySize(list), total, first ? ": " : "",
                      ctl_json_text(first, "object"), first ? ": " : "",
                      ctl_json_text(first, "reason"));
    show(progress, text);
    free(text);
    cJSON_Delete(list);
    cJSON_Delete(status);
}

void ctl_progress_end(struct ctl_progress *progress)
{
    if (progress->shown) {
        fputs(WIPE, stderr);
    }
}
