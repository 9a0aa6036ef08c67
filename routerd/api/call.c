#include "api/call.h"

#include "api/buffer.h"
#include "api/conn.h"
#include "api/problem.h"
#include "log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct call {
    struct api *api; /* null: closed */
    struct mailbox *mailbox;
    struct conn *conn; /* null: nobody waits any more */
    struct request *request;
    call_answer *answer;
    struct call *next, **link; /* of the API's calls */
    struct call *next_done;    /* of the mailbox */
};

/* Where the engine's thread leaves calls that are done. */
struct mailbox {
    pthread_mutex_t lock;
    int fd;            /* an eventfd */
    unsigned int refs; /* the API's and each call's */
    bool closed, stop;
    struct call *done, **done_tail;
};

/* --- the mailbox ---------------------------------------------------------------------------- */

int mailbox_new(struct mailbox **ret_mailbox)
{
    struct mailbox *mailbox = api_alloc(sizeof *mailbox);

    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd < 0) {
        int error = -errno;

        free(mailbox);
        return error;
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->refs = 1;
    mailbox->done_tail = &mailbox->done;
    *ret_mailbox = mailbox;
    return 0;
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

/* Gives back a reference; the lock is held, and no more when this returns. */
static void mailbox_unlock_unref(struct mailbox *mailbox)
{
    bool last = --mailbox->refs == 0;

    pthread_mutex_unlock(&mailbox->lock);
    if (last) {
        close(mailbox->fd);
        pthread_mutex_destroy(&mailbox->lock);
        free(mailbox);
    }
}

static void mailbox_ring(struct mailbox *mailbox)
{
    uint64_t one = 1;

    /* It can only fail by being rung 2^64 times already. */
    (void)!write(mailbox->fd, &one, sizeof one);
}

void mailbox_wake(struct mailbox *mailbox)
{
    mailbox_ring(mailbox);
}

void mailbox_stop(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->stop = true;
    mailbox_ring(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
}

static void call_free(struct call *call)
{
    request_free(call->request);
    free(call);
}

void mailbox_close(struct mailbox *mailbox)
{
    struct call *next;

    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    for (struct call *call = mailbox->done; call; call = next) {
        next = call->next_done;
        call_free(call);
    }
    mailbox->done = NULL;
    mailbox_unlock_unref(mailbox);
}

/* The engine's thread. */
static void call_done(struct request *request)
{
    struct call *call = request->aux;
    struct mailbox *mailbox = call->mailbox;

    pthread_mutex_lock(&mailbox->lock);
    if (mailbox->closed) {
        call_free(call);
    } else {
        if (!mailbox->done) {
            mailbox_ring(mailbox);
        }
        *mailbox->done_tail = call;
        mailbox->done_tail = &call->next_done;
    }
    mailbox_unlock_unref(mailbox);
}

/* --- the API's thread ----------------------------------------------------------------------- */

static void call_unlink(struct call *call)
{
    *call->link = call->next;
    if (call->next) {
        call->next->link = call->link;
    }
    call->api->n_calls--;
}

static void call_finish(struct call *call)
{
    struct conn *conn = call->conn;

    call_unlink(call);
    if (conn) {
        conn_call_ended(conn);
        call->answer(conn, call->request);
        conn_run(conn);
    }
    call_free(call);
}

bool mailbox_collect(struct mailbox *mailbox)
{
    struct call *done, *next;
    uint64_t count;
    bool stop;

    (void)!read(mailbox->fd, &count, sizeof count);
    pthread_mutex_lock(&mailbox->lock);
    done = mailbox->done;
    mailbox->done = NULL;
    mailbox->done_tail = &mailbox->done;
    stop = mailbox->stop;
    pthread_mutex_unlock(&mailbox->lock);
    for (; done; done = next) {
        next = done->next_done;
        call_finish(done);
    }
    return stop;
}

void call_forget(struct call *call)
{
    call->conn = NULL;
}

void calls_abort(struct api *api)
{
    struct call *next;

    for (struct call *call = api->calls; call; call = next) {
        struct conn *conn = call->conn;

        next = call->next;
        call_forget(call);
        if (conn) {
            conn_call_ended(conn);
            problem_answer(conn, 503, PROBLEM_RETRY, "routerd is stopping; ask again in a moment");
            conn_run(conn);
        }
    }
}

static bool is_change(const struct request *request)
{
    return request->kind == REQUEST_TOPOLOGY || request->kind == REQUEST_ROLLBACK;
}

/* Requests of clients that have gone count as well: else it would be enough not to wait. */
static bool too_many(const struct api *api, const struct request *request)
{
    size_t n = 0;

    if (api->n_calls >= api->limits.calls) {
        return true;
    }
    if (!is_change(request)) {
        return false;
    }
    for (const struct call *call = api->calls; call; call = call->next) {
        n += is_change(call->request) && !strcmp(call->request->tenant, request->tenant);
    }
    return n >= api->limits.tenant_calls;
}

static struct call *call_new(struct exchange *exchange, struct request *request,
                             call_answer *answer)
{
    struct api *api = exchange->api;
    struct call *call = api_alloc(sizeof *call);

    *call = (struct call){.api = api,
                          .mailbox = api->mailbox,
                          .conn = exchange->conn,
                          .request = request,
                          .answer = answer,
                          .next = api->calls,
                          .link = &api->calls};
    if (call->next) {
        call->next->link = &call->next;
    }
    api->calls = call;
    api->n_calls++;
    request->aux = call;
    request->done = call_done;
    pthread_mutex_lock(&api->mailbox->lock);
    api->mailbox->refs++;
    pthread_mutex_unlock(&api->mailbox->lock);
    return call;
}

void call_submit(struct exchange *exchange, struct request *request, call_answer *answer)
{
    struct api *api = exchange->api;

    if (too_many(api, request)) {
        request_free(request);
        problem_answer(exchange->conn, 429, PROBLEM_RETRY,
                       "too many requests of this tenant wait for an answer; ask again when some "
                       "have got theirs");
        return;
    }
    conn_call_began(exchange->conn, call_new(exchange, request, answer), request->wait_ms);
    engine_submit(api->engine, request);
}
