/* http.h - an answer of HTTP/1.1, read from bytes (RFC 9112).
 *
 * Pure: no socket, no clock. It takes the bytes as they come, in pieces of any size, and knows
 * bodies by length, in chunks, and up to the end of the connection. What is no HTTP, and what is
 * longer than the limits, is refused with a sentence; client.c does the talking. */
#ifndef ROUTERCTL_HTTP_H
#define ROUTERCTL_HTTP_H

#include "routerctl/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { CTL_HTTP_HEAD_BYTES = 64 << 10, CTL_HTTP_BODY_BYTES = 256 << 20 };

struct ctl_answer {
    int status;
    char *content_type; /* "" without one; heap */
    char *etag;         /* likewise */
    struct ctl_buffer body;
};

void ctl_answer_done(struct ctl_answer *answer);

enum ctl_http_state {
    CTL_HTTP_STATUS_LINE,
    CTL_HTTP_HEADER,
    CTL_HTTP_BODY,       /* of `left` bytes */
    CTL_HTTP_BODY_CLOSE, /* up to the end of the connection */
    CTL_HTTP_CHUNK_SIZE,
    CTL_HTTP_CHUNK,     /* of `left` bytes */
    CTL_HTTP_CHUNK_END, /* the line end behind it */
    CTL_HTTP_TRAILER,
    CTL_HTTP_DONE,
};

/* An answer that is being read. */
struct ctl_http {
    enum ctl_http_state state;
    struct ctl_answer answer;
    struct ctl_buffer line; /* the one that is not complete yet */
    size_t head_bytes;      /* of all lines so far */
    bool has_length, chunked;
    uint64_t left;
};

void ctl_http_init(struct ctl_http *http);
void ctl_http_done(struct ctl_http *http);
/* Takes in bytes; what lies behind the answer's end is ignored. 0, or -EPROTO or -EMSGSIZE with a
 * sentence in *ret_why, after which only ctl_http_done() may follow. */
int ctl_http_feed(struct ctl_http *http, const char *bytes, size_t len, const char **ret_why);
/* The connection has ended. 0 if the answer is complete, else -ECONNRESET. */
int ctl_http_end(struct ctl_http *http);

#endif
