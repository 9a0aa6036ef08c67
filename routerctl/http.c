#include "routerctl/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void ctl_answer_done(struct ctl_answer *answer)
{
    free(answer->content_type);
    free(answer->etag);
    ctl_buffer_done(&answer->body);
    *answer = (struct ctl_answer){0};
}

void ctl_http_init(struct ctl_http *http)
{
    *http = (struct ctl_http){
        .answer = {.content_type = ctl_strdup(""), .etag = ctl_strdup("")},
    };
}

void ctl_http_done(struct ctl_http *http)
{
    ctl_answer_done(&http->answer);
    ctl_buffer_done(&http->line);
}

static int wrong(const char *sentence, const char **ret_why)
{
    *ret_why = sentence;
    return -EPROTO;
}

/* --- the head ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int take_status_line(struct ctl_http *http, const char *line, const char **ret_why)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ') {
        return wrong("this is no HTTP/1.1", ret_why);
    }
    line += 9;
    if (line[0] < '1' || line[0] > '5' || !is_digit(line[1]) || !is_digit(line[2]) ||
        (line[3] && line[3] != ' ')) {
        return wrong("the answer has no status", ret_why);
    }
    http->answer.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    http->state = CTL_HTTP_HEADER;
    return 0;
}

static int take_length(struct ctl_http *http, const char *value, const char **ret_why)
{
    uint64_t length = 0;

    if (!*value || value[strspn(value, "0123456789")] || strlen(value) > 18) {
        return wrong("the answer's Content-Length is no number", ret_why);
    }
    for (const char *c = value; *c; c++) {
        length = length * 10 + (uint64_t)(*c - '0');
    }
    if (http->has_length && http->left != length) {
        return wrong("the answer has two lengths", ret_why);
    }
    http->has_length = true;
    http->left = length;
    return 0;
}

static void take_text(char **text, const char *value)
{
    free(*text);
    *text = ctl_strdup(value);
}

static int take_header(struct ctl_http *http, char *line, const char **ret_why)
{
    char *value = strchr(line, ':'), *end;

    if (!value || value == line || strcspn(line, " \t") < (size_t)(value - line)) {
        return wrong("a header of the answer is malformed", ret_why);
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--) {
        end[-1] = '\0';
    }
    if (!strcasecmp(line, "content-length")) {
        return take_length(http, value, ret_why);
    }
    if (!strcasecmp(line, "transfer-encoding")) {
        http->chunked = true;
        return strcasecmp(value, "chunked")
                   ? wrong("the answer is encoded in an unknown way", ret_why)
                   : 0;
    }
    if (!strcasecmp(line, "content-type")) {
        take_text(&http->answer.content_type, value);
    } else if (!strcasecmp(line, "etag")) {
        take_text(&http->answer.etag, value);
    }
    return 0;
}

/* RFC 9112, 6.3: which kind of body follows. An interim answer (1xx) is followed by another. */
static int end_head(struct ctl_http *http, const char **ret_why)
{
    int status = http->answer.status;

    if (status < 200) {
        ctl_answer_done(&http->answer);
        http->answer = (struct ctl_answer){
            .content_type = ctl_strdup(""),
            .etag = ctl_strdup(""),
        };
        http->has_length = http->chunked = false;
        http->state = CTL_HTTP_STATUS_LINE;
        return 0;
    }
    if (status == 204 || status == 304) {
        http->state = CTL_HTTP_DONE;
    } else if (http->chunked && http->has_length) {
        return wrong("the answer has a length and chunks", ret_why);
    } else if (http->chunked) {
        http->state = CTL_HTTP_CHUNK_SIZE;
    } else if (http->has_length) {
        http->state = http->left ? CTL_HTTP_BODY : CTL_HTTP_DONE;
    } else {
        http->state = CTL_HTTP_BODY_CLOSE;
    }
    return 0;
}

/* --- chunks --------------------------------------------------------------------------------- */

static int take_chunk_size(struct ctl_http *http, const char *line, const char **ret_why)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");

    if (!digits || digits > 15 || !strchr("; \t", line[digits])) {
        return wrong("a chunk of the answer has no size", ret_why);
    }
    http->left = strtoull(line, NULL, 16);
    http->head_bytes = 0; /* the limit is each chunk's own */
    http->state = http->left ? CTL_HTTP_CHUNK : CTL_HTTP_TRAILER;
    return 0;
}

/* --- lines ---------------------------------------------------------------------------------- */

static int take_line(struct ctl_http *http, char *line, const char **ret_why)
{
    switch (http->state) {
    case CTL_HTTP_STATUS_LINE: return take_status_line(http, line, ret_why);
    case CTL_HTTP_HEADER: return *line ? take_header(http, line, ret_why) : end_head(http, ret_why);
    case CTL_HTTP_CHUNK_SIZE: return take_chunk_size(http, line, ret_why);
    case CTL_HTTP_CHUNK_END:
        http->state = CTL_HTTP_CHUNK_SIZE;
        return *line ? wrong("a chunk of the answer is longer than it says", ret_why) : 0;
    case CTL_HTTP_TRAILER: http->state = *line ? CTL_HTTP_TRAILER : CTL_HTTP_DONE; return 0;
    case CTL_HTTP_BODY:
    case CTL_HTTP_BODY_CLOSE:
    case CTL_HTTP_CHUNK:
    case CTL_HTTP_DONE: break;
    }
    return wrong("this is no HTTP/1.1", ret_why);
}

/* Takes up to the end of a line, and the line once it is complete. */
static int feed_line(struct ctl_http *http, const char *bytes, size_t len, size_t *ret_used,
                     const char **ret_why)
{
    const char *newline = memchr(bytes, '\n', len);
    size_t used = newline ? (size_t)(newline - bytes) : len;
    struct ctl_buffer *line = &http->line;
    int error;

    *ret_used = used + (newline ? 1 : 0);
    http->head_bytes += *ret_used;
    if (http->head_bytes > CTL_HTTP_HEAD_BYTES) {
        *ret_why = "the head of the answer is too long";
        return -EMSGSIZE;
    }
    if (memchr(bytes, '\0', used)) {
        return wrong("the head of the answer is binary", ret_why);
    }
    ctl_buffer_add(line, bytes, used);
    if (!newline) {
        return 0;
    }
    if (line->len && line->data[line->len - 1] == '\r') {
        line->data[--line->len] = '\0';
    }
    error = take_line(http, line->len ? line->data : (char[]){""}, ret_why);
    line->len = 0;
    return error;
}

/* --- the body ------------------------------------------------------------------------------- */

static int feed_body(struct ctl_http *http, const char *bytes, size_t len, size_t *ret_used,
                     const char **ret_why)
{
    bool bounded = http->state != CTL_HTTP_BODY_CLOSE;
    size_t used = bounded && http->left < len ? (size_t)http->left : len;
    struct ctl_buffer *body = &http->answer.body;

    if (used > CTL_HTTP_BODY_BYTES - body->len) {
        *ret_why = "the answer is too long";
        return -EMSGSIZE;
    }
    ctl_buffer_add(body, bytes, used);
    *ret_used = used;
    if (bounded) {
        http->left -= used;
        if (!http->left) {
            http->state = http->state == CTL_HTTP_BODY ? CTL_HTTP_DONE : CTL_HTTP_CHUNK_END;
        }
    }
    return 0;
}

static bool in_body(const struct ctl_http *http)
{
    return http->state == CTL_HTTP_BODY || http->state == CTL_HTTP_BODY_CLOSE ||
           http->state == CTL_HTTP_CHUNK;
}

int ctl_http_feed(struct ctl_http *http, const char *bytes, size_t len, const char **ret_why)
{
    while (len && http->state != CTL_HTTP_DONE) {
        size_t used = 0;
        int error = in_body(http) ? feed_body(http, bytes, len, &used, ret_why)
                                  : feed_line(http, bytes, len, &used, ret_why);

        if (error) {
            return error;
        }
        bytes += used;
        len -= used;
    }
    return 0;
}

int ctl_http_end(struct ctl_http *http)
{
    if (http->state == CTL_HTTP_BODY_CLOSE) {
        http->state = CTL_HTTP_DONE;
    }
    return http->state == CTL_HTTP_DONE ? 0 : -ECONNRESET;
}
