#include "api/conn_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- states --------------------------------------------------------------------------------- */

void conn_enter(struct conn *conn, enum conn_state state, int64_t within_ms)
{
    conn->state = state;
    conn->deadline_ms = api_now_ms() + within_ms;
}

void conn_enter_head(struct conn *conn)
{
    const struct api_limits *limits = &conn->api->limits;

    conn->scanned = 0;
    conn_enter(conn, CONN_HEAD, conn->in.len ? limits->head_ms : limits->idle_ms);
}

bool conn_charge(struct conn *conn)
{
    struct api *api = conn->api;
    size_t charge = conn->in.capacity > KEEP_BYTES ? conn->in.capacity : 0;
    bool more = charge > conn->charged;

    api->bodies = api->bodies - conn->charged + charge;
    conn->charged = charge;
    return !more || api->bodies <= api->limits.bodies;
}

void conn_drop_body(struct conn *conn)
{
    buffer_drop(&conn->in, conn->body_len, KEEP_BYTES);
    conn->body_len = 0;
    conn->exchange.body = NULL;
    conn_charge(conn);
}

void conn_drop_input(struct conn *conn)
{
    buffer_done(&conn->in);
    conn->body_len = 0;
    conn_charge(conn);
}

/* --- writing -------------------------------------------------------------------------------- */

size_t conn_unsent(const struct conn *conn)
{
    return conn->out.len - conn->sent;
}

const char *conn_date(struct api *api)
{
    time_t now = time(NULL);
    struct tm utc;

    if (now != api->date_s && gmtime_r(&now, &utc)) {
        strftime(api->date, sizeof api->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        api->date_s = now;
    }
    return api->date;
}

void conn_answer(struct conn *conn, int status, const char *type, const char *headers,
                 const char *body, size_t len)
{
    struct api *api = conn->api;

    api->counts.answers[status / 100]++;
    if (!conn_unsent(conn)) {
        conn->write_deadline_ms = api_now_ms() + api->limits.write_ms;
    }
    buffer_printf(&conn->out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_phrase(status),
                  conn_date(api));
    if (status != 204) { /* which has no content to tell of (RFC 9110, 8.6) */
        buffer_printf(&conn->out, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
    }
    buffer_printf(&conn->out, "%s%s\r\n", headers ? headers : "",
                  conn->last ? "Connection: close\r\n" : "");
    if (!conn->head_only) {
        buffer_add(&conn->out, body, len);
    }
    if (conn->last) {
        conn_drop_input(conn);
        conn_enter(conn, CONN_CLOSING, api->limits.linger_ms);
    } else {
        conn_drop_body(conn);
        conn_enter_head(conn);
    }
}

void conn_answer_json(struct conn *conn, int status, const char *type, const char *headers,
                      cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    if (!text) {
        abort(); /* out of memory, as elsewhere */
    }
    cJSON_Delete(json);
    conn_answer(conn, status, type, headers, text, strlen(text));
    cJSON_free(text);
}

void conn_flush(struct conn *conn)
{
    while (conn->sent < conn->out.len) {
        ssize_t n =
            send(conn->fd, conn->out.data + conn->sent, conn->out.len - conn->sent, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR) {
            if (errno != EAGAIN) {
                conn->state = CONN_DEAD;
            }
            return;
        }
        if (n > 0) {
            conn->sent += (size_t)n;
            conn->write_deadline_ms = api_now_ms() + conn->api->limits.write_ms;
        }
    }
    buffer_drop(&conn->out, conn->out.len, KEEP_BYTES);
    conn->sent = 0;
}
