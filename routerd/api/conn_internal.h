/* conn_internal.h - what the files of a connection share; nobody else includes it.
 *
 *   conn.c          its life: events, time, what happens next
 *   conn_request.c  from bytes to a request that is served
 *   conn_answer.c   from an answer to bytes */
#ifndef API_CONN_INTERNAL_H
#define API_CONN_INTERNAL_H

#include "api/buffer.h"
#include "api/conn.h"

enum {
    READ_BYTES = 16 << 10,      /* read at a time */
    READ_BODY_BYTES = 64 << 10, /* of a body */
    KEEP_BYTES = 64 << 10, /* what a buffer holds on to, and how far is read or answered ahead */
};

enum conn_state {
    CONN_HEAD,      /* between requests, or within a head */
    CONN_BODY,      /* within a body */
    CONN_SERVING,   /* the engine has the request */
    CONN_STREAMING, /* within the body of an answer that comes piece by piece */
    CONN_CLOSING,   /* the last answer is on its way out; whatever still comes in is thrown away */
    CONN_DEAD,      /* to be freed as soon as nobody up the stack uses it */
};

struct stream {
    stream_more *more; /* null: none */
    void (*done)(void *aux);
    void *aux;
    bool chunked;
};

struct conn {
    struct api *api;
    struct conn *next, **link;
    int fd;
    struct event *read_event, *write_event;
    bool reading, writing; /* those are pending */
    bool refused;
    bool eof;  /* the client sends no more */
    bool last; /* nothing follows the answer to this request */
    bool head_only;
    bool shut;
    enum conn_state state;
    int64_t deadline_ms, write_deadline_ms;
    struct client client;
    struct buffer in, out;
    size_t sent;    /* of out */
    size_t charged; /* of api->bodies */
    size_t scanned; /* of the head, by http_head_end() */
    struct http_head head;
    struct http_chunks chunks;
    size_t body_len; /* in `in`: of a body in chunks what is decoded, else what there is to be */
    struct exchange exchange;
    struct call *call;
    struct stream stream;
    char head_text[HTTP_HEAD_BYTES + 1];
};

/* conn_answer.c */
/* Enters a state that is to be over within a time. */
void conn_enter(struct conn *conn, enum conn_state state, int64_t within_ms);
/* Between requests; or, when some of the next one has come already, within its head. */
void conn_enter_head(struct conn *conn);
/* What bodies hold is counted over all connections. False: more than there may be. */
bool conn_charge(struct conn *conn);
/* The request's bytes have been used. */
void conn_drop_body(struct conn *conn);
/* No request follows: what is there, and what still comes, is of no use. */
void conn_drop_input(struct conn *conn);
size_t conn_unsent(const struct conn *conn);
/* The time as HTTP writes it. */
const char *conn_date(struct api *api);
/* Writes what it can; CONN_DEAD when nobody reads any more. */
void conn_flush(struct conn *conn);

/* conn_stream.c */
/* The answer that comes piece by piece is over, ended or not. */
void conn_stream_done(struct conn *conn);

/* conn_request.c */
/* Refuses what is no request, or not all of one: the connection ends with the answer, since what
 * follows cannot be told from what belongs to it. */
void conn_refuse(struct conn *conn, int status, const char *why);
/* Go on with a head or a body. Return whether anything was done. */
bool conn_take_head(struct conn *conn);
bool conn_take_body(struct conn *conn);

#endif
