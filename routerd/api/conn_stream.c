/* Answers that come piece by piece: in chunks (RFC 9112, 7.1), or for HTTP/1.0 up to the end of the
 * connection. */
#include "api/conn_internal.h"

#include <stdint.h>

void conn_stream(struct conn *conn, const char *type, stream_more *more, void (*done)(void *aux),
                 void *aux)
{
    struct api *api = conn->api;

    api->counts.answers[2]++;
    conn->stream = (struct stream){more, done, aux, conn->head.minor > 0};
    conn->last |= !conn->stream.chunked;
    if (!conn_unsent(conn)) {
        conn->write_deadline_ms = api_now_ms() + api->limits.write_ms;
    }
    buffer_printf(&conn->out, "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: %s\r\n%s%s\r\n",
                  conn_date(api), type,
                  conn->stream.chunked ? "Transfer-Encoding: chunked\r\n" : "",
                  conn->last ? "Connection: close\r\n" : "");
    conn_drop_body(conn);
    conn_enter(conn, CONN_STREAMING, INT64_MAX / 2);
    if (conn->head_only) {
        conn_stream_end(conn);
    }
}

void conn_stream_add(struct conn *conn, const char *text, size_t len)
{
    if (!len) {
        return; /* a chunk of nothing is the end */
    }
    if (!conn_unsent(conn)) {
        conn->write_deadline_ms = api_now_ms() + conn->api->limits.write_ms;
    }
    if (conn->stream.chunked) {
        buffer_printf(&conn->out, "%zx\r\n", len);
    }
    buffer_add(&conn->out, text, len);
    if (conn->stream.chunked) {
        buffer_printf(&conn->out, "\r\n");
    }
}

void conn_stream_done(struct conn *conn)
{
    struct stream stream = conn->stream;

    conn->stream = (struct stream){.more = NULL};
    if (stream.done) {
        stream.done(stream.aux);
    }
}

void conn_stream_end(struct conn *conn)
{
    if (conn->stream.chunked && !conn->head_only) {
        buffer_printf(&conn->out, "0\r\n\r\n");
    }
    conn_stream_done(conn);
    if (conn->last) {
        conn_drop_input(conn);
        conn_enter(conn, CONN_CLOSING, conn->api->limits.linger_ms);
    } else {
        conn_enter_head(conn);
    }
}

void conn_wake(struct conn *conn)
{
    if (conn->state == CONN_STREAMING) {
        conn_run(conn);
    }
}
