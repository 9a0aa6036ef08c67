#include "api/conn_internal.h"
#include "api/problem.h"
#include "api/route.h"

#include <stdio.h>
#include <string.h>

void conn_refuse(struct conn *conn, int status, const char *why)
{
    conn->last = true;
    problem_answer(conn, status, NULL, "%s", why);
}

static void conn_serve(struct conn *conn)
{
    conn->exchange.body = conn->in.data;
    conn->exchange.body_len = conn->body_len;
    conn->state = CONN_SERVING;
    route_serve(&conn->exchange);
    if (conn->state == CONN_SERVING) {
        conn_drop_body(conn); /* the call has what it needs of it */
    }
}

static void conn_refuse_too_large(struct conn *conn)
{
    char why[64];

    snprintf(why, sizeof why, "a body may have up to %zu bytes", conn->api->limits.body);
    conn_refuse(conn, 413, why);
}

static void conn_begin_body(struct conn *conn)
{
    conn_enter(conn, CONN_BODY, conn->api->limits.body_ms);
    conn->body_len = conn->head.chunked ? 0 : (size_t)conn->head.content_length;
    if (conn->head.expect_continue && !conn->in.len) {
        conn->write_deadline_ms = api_now_ms() + conn->api->limits.write_ms;
        buffer_printf(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
}

/* A whole head is there. */
static void conn_begin(struct conn *conn)
{
    bool has_body = conn->head.chunked || conn->head.content_length;

    conn->head_only = !strcmp(conn->head.method, "HEAD");
    conn->exchange = (struct exchange){
        .api = conn->api, .conn = conn, .client = &conn->client, .head = &conn->head};
    conn->last = !conn->head.keep_alive || has_body; /* a refusal leaves the body unread */
    if (!route_begin(&conn->exchange)) {
        return;
    }
    if (conn->head.content_length > conn->api->limits.body) {
        conn_refuse_too_large(conn);
        return;
    }
    conn->last = !conn->head.keep_alive;
    conn->chunks = (struct http_chunks){.state = HTTP_CHUNK_SIZE};
    if (has_body) {
        conn_begin_body(conn);
    } else {
        conn_serve(conn);
    }
}

bool conn_take_head(struct conn *conn)
{
    size_t len = http_head_end(conn->in.data, conn->in.len, &conn->scanned);
    const char *why;
    int status;

    conn->head_only = false;
    if (len > HTTP_HEAD_BYTES || (!len && conn->in.len >= HTTP_HEAD_BYTES)) {
        conn_refuse(conn, 431, "the request's head is too long");
        return true;
    }
    if (!len) {
        if (conn->eof) {
            conn_enter(conn, CONN_CLOSING, 0);
        }
        return conn->eof;
    }
    memcpy(conn->head_text, conn->in.data, len);
    buffer_drop(&conn->in, len, KEEP_BYTES);
    status = http_head_parse(conn->head_text, len, &conn->head, &why);
    if (status) {
        conn_refuse(conn, status, why);
    } else {
        conn_begin(conn);
    }
    return true;
}

/* Decodes what has come; what follows the body in the buffer is moved up to its end. */
static int conn_decode(struct conn *conn, bool *ret_whole)
{
    char *raw = conn->in.data + conn->body_len;
    size_t len = conn->in.len - conn->body_len, used, written, rest;
    int status =
        http_chunks_feed(&conn->chunks, raw, len, conn->api->limits.body, raw, &used, &written);

    rest = len - used;
    memmove(raw + written, raw + used, rest);
    conn->body_len += written;
    conn->in.len = conn->body_len + rest;
    *ret_whole = conn->chunks.state == HTTP_CHUNK_DONE;
    return status;
}

bool conn_take_body(struct conn *conn)
{
    bool whole = conn->in.len >= conn->body_len;
    int status = conn->head.chunked ? conn_decode(conn, &whole) : 0;

    if (status == 413) {
        conn_refuse_too_large(conn);
    } else if (status) {
        conn_refuse(conn, status, "the chunks of the body are malformed");
    } else if (whole) {
        conn_serve(conn);
    } else if (conn->eof) {
        conn->state = CONN_DEAD; /* the client has given up */
    } else if (!conn_charge(conn)) {
        conn->last = true;
        problem_answer(conn, 503, PROBLEM_RETRY, "too many large bodies are being sent at a time");
    } else {
        return false;
    }
    return true;
}
