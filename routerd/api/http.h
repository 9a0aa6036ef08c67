/* http.h - HTTP/1.1 as bytes (RFC 9112): the head of a request, and bodies that come in chunks.
 *
 * Pure: no sockets, no clock. libevent's own evhttp answers what it refuses (too long, malformed)
 * with pages of HTML and has no hook there, cannot limit connections or the time that a request
 * takes, and does not tell who is gone; so the few rules that matter are here, strictly: what two
 * readers could understand differently is refused. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HEAD_BYTES = 16 << 10,
    HTTP_LINE_BYTES = 8 << 10, /* of the request line */
    HTTP_HEADERS = 64,
    HTTP_CHUNK_LINE_BYTES = 256,
    HTTP_TRAILER_BYTES = 4 << 10,
};

struct http_header {
    const char *name, *value;
};

/* Everything points into the text that was parsed. */
struct http_head {
    const char *method;
    char *target;
    unsigned int minor; /* of HTTP/1 */
    struct http_header headers[HTTP_HEADERS];
    size_t n_headers;
    bool keep_alive; /* the client wants the connection to stay */
    bool expect_continue;
    bool chunked;
    uint64_t content_length; /* unless chunked; 0: no body */
};

/* The length of the head that `text` begins with, its empty line included, or 0 while that is not
 * there. *scanned is where an earlier call of the same head left off, at first 0. */
size_t http_head_end(const char *text, size_t len, size_t *scanned);

/* Parses the `len` bytes of a head in place; `text` must have room for one byte more. Returns 0 or
 * the status to refuse it with, and then a sentence in *ret_why. */
int http_head_parse(char *text, size_t len, struct http_head *ret_head, const char **ret_why);

/* The value of a header, null if it is not there; *ret_n says how often it is. */
const char *http_header(const struct http_head *head, const char *name, size_t *ret_n);

enum http_chunk_state {
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_EXTENSION,
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_DATA_CR,
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_TRAILER,      /* at the start of a line of the trailer */
    HTTP_CHUNK_TRAILER_LINE, /* within one */
    HTTP_CHUNK_TRAILER_LF,   /* the last one */
    HTTP_CHUNK_DONE,
};

/* A body in chunks that is being decoded; zeroed to begin with. */
struct http_chunks {
    enum http_chunk_state state;
    uint64_t left;   /* of the chunk, or its size as far as it is read */
    size_t digits;   /* of the size */
    size_t line_len; /* of the size's line, or of the trailer */
    uint64_t total;  /* announced by all chunks so far */
};

/* Decodes `len` bytes of `in` to `out`, which may be the same memory or lie before it. Stops behind
 * the body's end. Returns 0, or the status to refuse it with: 400, or 413 when the body would be
 * longer than `max`. */
int http_chunks_feed(struct http_chunks *chunks, const char *in, size_t len, uint64_t max,
                     char *out, size_t *ret_used, size_t *ret_written);

/* The phrase that goes with a status: "Not Found". */
const char *http_phrase(int status);

#endif
