#include "api/auth.h"
#include "api/call.h"
#include "api/conn_internal.h"
#include "api/problem.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- reading -------------------------------------------------------------------------------- */

static size_t read_size(const struct conn *conn)
{
    return conn->state == CONN_BODY ? READ_BODY_BYTES : READ_BYTES;
}

/* Whether the client has closed its end, rather than only having said all that it will say. */
static bool conn_hung_up(const struct conn *conn)
{
    struct pollfd poll_fd = {.fd = conn->fd};

    return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & (POLLHUP | POLLERR);
}

static void conn_fill(struct conn *conn)
{
    bool first = !conn->in.len;
    size_t size = read_size(conn);
    ssize_t n;

    if (conn->state == CONN_CLOSING) {
        conn->in.len = 0;
    }
    buffer_reserve(&conn->in, size);
    n = recv(conn->fd, conn->in.data + conn->in.len, size, 0);
    if (n > 0) {
        conn->in.len += (size_t)n;
        if (first && conn->state == CONN_HEAD) {
            conn_enter_head(conn);
        }
    } else if (n == 0) {
        conn->eof = true;
        if ((conn->state == CONN_SERVING || conn->state == CONN_STREAMING) && conn_hung_up(conn)) {
            conn->state = CONN_DEAD;
        }
    } else if (errno != EAGAIN && errno != EINTR) {
        conn->state = CONN_DEAD;
    }
}

/* The last answer is out: says so, and waits for the client to do the same. */
static void conn_linger(struct conn *conn)
{
    if (conn->eof || conn->api->stopping) {
        conn->state = CONN_DEAD;
    } else if (!conn->shut) {
        conn->shut = true;
        shutdown(conn->fd, SHUT_WR);
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

/* Does one thing. False: nothing more can be done for now. */
static bool conn_step(struct conn *conn)
{
    if (conn_unsent(conn) > KEEP_BYTES) {
        conn_flush(conn);
        if (conn_unsent(conn)) {
            return false;
        }
    }
    switch (conn->state) {
    case CONN_HEAD: return conn_take_head(conn);
    case CONN_BODY: return conn_take_body(conn);
    case CONN_STREAMING: return conn->stream.more(conn, conn->stream.aux);
    case CONN_SERVING:
    case CONN_CLOSING:
    case CONN_DEAD: break;
    }
    return false;
}

static bool wants_to_read(const struct conn *conn)
{
    if (conn->eof) {
        return false;
    }
    if (conn->state == CONN_SERVING || conn->state == CONN_STREAMING) {
        return conn->in.len < KEEP_BYTES; /* to see it go */
    }
    return conn->state == CONN_CLOSING || conn_unsent(conn) <= KEEP_BYTES;
}

static void watch(struct event *event, bool wanted, bool *pending)
{
    if (wanted != *pending) {
        (void)(wanted ? event_add(event, NULL) : event_del(event));
        *pending = wanted;
    }
}

void conn_run(struct conn *conn)
{
    while (conn_step(conn)) {
    }
    if (conn->state != CONN_DEAD) {
        conn_flush(conn);
    }
    if (conn->state == CONN_CLOSING && !conn_unsent(conn)) {
        conn_linger(conn);
    }
    if (conn->state == CONN_DEAD) {
        conn_free(conn);
        return;
    }
    watch(conn->read_event, wants_to_read(conn), &conn->reading);
    watch(conn->write_event, conn_unsent(conn) > 0, &conn->writing);
}

static void conn_ready(int fd, short what, void *aux)
{
    struct conn *conn = aux;

    (void)fd;
    if (what & EV_READ) {
        conn_fill(conn);
    }
    conn_run(conn);
}

static void conn_late(struct conn *conn)
{
    switch (conn->state) {
    case CONN_HEAD:
        if (conn->in.len) {
            conn_refuse(conn, 408, "the request's head did not come in time");
        } else {
            conn->state = CONN_DEAD;
        }
        break;
    case CONN_BODY: conn_refuse(conn, 408, "the request's body did not come in time"); break;
    case CONN_SERVING:
        call_forget(conn->call);
        conn_call_ended(conn);
        problem_answer(conn, 503, PROBLEM_RETRY,
                       "the engine has not answered; what was asked may still happen");
        break;
    case CONN_STREAMING:
    case CONN_CLOSING:
    case CONN_DEAD: conn->state = CONN_DEAD; break;
    }
}

void conn_tick(struct conn *conn, int64_t now_ms)
{
    if (conn_unsent(conn)) {
        if (now_ms < conn->write_deadline_ms) {
            return;
        }
        conn->state = CONN_DEAD;
    } else if (now_ms < conn->deadline_ms) {
        return;
    } else {
        conn_late(conn);
    }
    conn_run(conn);
}

void conn_stop(struct conn *conn)
{
    conn->last = true;
    if (conn->state == CONN_HEAD || conn->state == CONN_BODY) {
        conn_enter(conn, CONN_CLOSING, 0);
    } else if (conn->state == CONN_STREAMING) {
        conn_stream_end(conn);
    }
    conn_run(conn);
}

/* --- calls ---------------------------------------------------------------------------------- */

void conn_call_began(struct conn *conn, struct call *call, int64_t wait_ms)
{
    conn->call = call;
    conn_enter(conn, CONN_SERVING, conn->api->limits.engine_ms + wait_ms);
}

void conn_call_ended(struct conn *conn)
{
    conn->call = NULL;
}

const struct exchange *conn_exchange(const struct conn *conn)
{
    return &conn->exchange;
}

/* --- life ----------------------------------------------------------------------------------- */

static void conn_link(struct conn *conn)
{
    struct api *api = conn->api;

    conn->next = api->conns;
    conn->link = &api->conns;
    if (conn->next) {
        conn->next->link = &conn->next;
    }
    api->conns = conn;
    *(conn->refused ? &api->n_refused : &api->n_conns) += 1;
}

static struct conn *conn_new(struct api *api, int fd, bool refused)
{
    struct conn *conn = api_alloc(sizeof *conn);

    conn->api = api;
    conn->fd = fd;
    conn->refused = refused;
    conn->read_event = event_new(api->base, fd, EV_READ | EV_PERSIST, conn_ready, conn);
    conn->write_event = event_new(api->base, fd, EV_WRITE | EV_PERSIST, conn_ready, conn);
    if (!conn->read_event || !conn->write_event) {
        abort();
    }
    conn_link(conn);
    return conn;
}

void conn_open(struct api *api, int fd, const gid_t *group, bool refused)
{
    struct conn *conn = conn_new(api, fd, refused);

    if (refused) {
        conn->last = true;
        problem_answer(conn, 503, PROBLEM_RETRY, "%zu connections are open already",
                       api->limits.connections);
    } else {
        auth_client(fd, group, &conn->client);
        conn_enter_head(conn);
    }
    api_start_ticking(api);
    conn_run(conn);
}

void conn_free(struct conn *conn)
{
    struct api *api = conn->api;

    if (conn->call) {
        call_forget(conn->call);
    }
    conn_stream_done(conn);
    *conn->link = conn->next;
    if (conn->next) {
        conn->next->link = conn->link;
    }
    *(conn->refused ? &api->n_refused : &api->n_conns) -= 1;
    event_free(conn->read_event);
    event_free(conn->write_event);
    close(conn->fd);
    conn_drop_input(conn);
    buffer_done(&conn->out);
    free(conn);
    if (api->stopping && !api->conns) {
        event_base_loopbreak(api->base);
    }
}

struct conn *conn_next(const struct conn *conn)
{
    return conn->next;
}
