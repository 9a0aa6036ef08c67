/* `events`: what has happened, and with -f what happens. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LAST = 10, RETRY_S = 1 };

struct stream {
    const struct ctl *ctl;
    uint64_t since;          /* the id of the last that came */
    bool silent;             /* they are counted and not told */
    uint64_t last[LAST + 1]; /* ids, a ring */
    size_t n;
};

static enum ctl_style style_of(const char *kind)
{
    static const struct {
        const char *kind;
        enum ctl_style style;
    } styles[] = {
        {"up", CTL_GOOD},    {"back", CTL_GOOD},    {"converged", CTL_GOOD},
        {"down", CTL_BAD},   {"away", CTL_BAD},     {"rollback-failed", CTL_BAD},
        {"drift", CTL_BUSY}, {"conflict", CTL_BAD}, {"rolled-back", CTL_BUSY},
    };

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        if (!strcmp(styles[i].kind, kind)) {
            return styles[i].style;
        }
    }
    return CTL_PLAIN;
}

static void tell_people(const struct ctl *ctl, const cJSON *event)
{
    const char *tenant = ctl_json_text(event, "tenant"), *kind = ctl_json_text(event, "kind");
    struct ctl_buffer text = {0}, line = {0};

    ctl_add_safe(&text, ctl_json_text(event, "text"));
    ctl_buffer_printf(&line, "%s  %s%-11s%s  %s%s%s\n", ctl_json_text(event, "time"),
                      ctl_style_code(style_of(kind), ctl->colour), kind,
                      ctl_style_code(CTL_PLAIN, ctl->colour), tenant, *tenant ? ": " : "",
                      ctl_buffer_string(&text));
    fputs(line.data, stdout);
    ctl_buffer_done(&line);
    ctl_buffer_done(&text);
}

static void tell_event(const struct ctl *ctl, const cJSON *event, const char *line)
{
    if (ctl->output == CTL_TABLE) {
        tell_people(ctl, event);
    } else if (ctl->output == CTL_JSON) {
        puts(line);
    } else {
        puts("---");
        ctl_print(ctl, event);
    }
}

static void take_line(struct stream *stream, const char *line)
{
    cJSON *event = cJSON_Parse(line);
    uint64_t id = (uint64_t)ctl_json_number(event, "id");

    if (id) {
        stream->since = id;
        stream->last[stream->n++ % (LAST + 1)] = id;
        if (!stream->silent) {
            tell_event(stream->ctl, event, line);
        }
    }
    cJSON_Delete(event);
}

/* Whole lines out of what has come so far. */
static void take_lines(struct ctl_buffer *body, void *aux)
{
    char *start = body->data, *end;

    while (start && (end = memchr(start, '\n', body->len - (size_t)(start - body->data)))) {
        *end = '\0';
        take_line(aux, start);
        start = end + 1;
    }
    if (start && start != body->data) {
        body->len -= (size_t)(start - body->data);
        memmove(body->data, start, body->len + 1);
        fflush(stdout);
    }
}

static int get_events(struct stream *stream, bool follow)
{
    const struct ctl *ctl = stream->ctl;
    struct ctl_buffer target = {0};
    struct ctl_request request = {
        .method = "GET",
        .timeout_ms = follow ? INT64_MAX / 4 : ctl->timeout_ms,
        .take = take_lines,
        .aux = stream,
    };
    struct ctl_answer answer;
    int status;

    ctl_buffer_printf(&target, "/v1/events?since=%" PRIu64 "%s", stream->since,
                      follow ? "&follow=true" : "");
    if (ctl->tenant) {
        ctl_buffer_text(&target, "&tenant=");
        ctl_add_url(&target, ctl->tenant);
    }
    request.target = target.data;
    status = ctl_call(ctl, &request, NULL, &answer);
    if (status == CTL_DONE) {
        ctl_answer_done(&answer);
    }
    ctl_buffer_done(&target);
    return status;
}

/* routerd may be restarted meanwhile: what is missed then comes afterwards. */
static int follow(struct stream *stream)
{
    for (;;) {
        int status = get_events(stream, true);

        if (status == CTL_FAILED) {
            return status;
        }
        if (ferror(stdout)) {
            return CTL_FAILED;
        }
        sleep(RETRY_S);
    }
}

int ctl_events(const struct ctl *ctl, char **args)
{
    struct stream stream = {.ctl = ctl, .since = ctl->since};
    int status;

    (void)args;
    if (!(ctl->given & CTL_OPTION_FOLLOW)) {
        return get_events(&stream, false);
    }
    if (!(ctl->given & CTL_OPTION_SINCE)) {
        stream.silent = true;
        status = get_events(&stream, false);
        if (status != CTL_DONE) {
            return status;
        }
        stream.silent = false;
        stream.since = stream.n > LAST ? stream.last[stream.n % (LAST + 1)] : 0;
    }
    return follow(&stream);
}
