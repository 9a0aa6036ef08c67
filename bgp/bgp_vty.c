#include "bgp/bgp_vty.h"

#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 2000,
    READ_BYTES = 256 << 10,
    RUN_BYTES = 4 << 20, /* read in one turn at most, so that one daemon cannot hold up the loop */
};

struct request {
    struct request *next;
    bgp_vty_cb *cb;
    void *aux;
};

struct bgp_vty {
    char *daemon, *path;
    int fd; /* -1: not connected */
    bool answers;
    unsigned int session;
    char *problem;
    int deadline_ms;
    long long backoff_ms, connect_ms; /* when to connect next */
    long long progress_ms;            /* when it last sent something, or was first asked */
    struct request *first, **last;    /* not answered yet, in order */
    size_t n_requests;
    char *out; /* not sent yet: from out_first to out_len */
    size_t out_first, out_len, out_size;
    char *in; /* received and not yet handed on */
    size_t in_first, in_len, in_size, scanned;
};

struct bgp_vty *bgp_vty_new(const char *daemon, const char *path)
{
    struct bgp_vty *vty = xzalloc(sizeof *vty);

    vty->daemon = xstrdup(daemon);
    vty->path = xstrdup(path);
    vty->fd = -1;
    vty->deadline_ms = BGP_VTY_DEADLINE_MS;
    vty->problem = xasprintf("%s has not been asked yet", daemon);
    vty->last = &vty->first;
    return vty;
}

static void set_problem(struct bgp_vty *vty, char *problem)
{
    if (vty->answers || strcmp(vty->problem, problem) != 0) {
        log_line(LOG_LEVEL_WARNING, "bgp", "%s", problem);
    }
    free(vty->problem);
    vty->problem = problem;
}

/* Ends the connection and answers everything that is under way as broken. */
static void drop(struct bgp_vty *vty, char *problem)
{
    static const struct bgp_reply BROKEN = {"", 0, BGP_VTY_BROKEN};
    struct request *request;
    struct request *requests = vty->first;

    set_problem(vty, problem);
    close(vty->fd);
    vty->fd = -1;
    vty->answers = false;
    vty->backoff_ms = MAX(BACKOFF_MIN_MS, MIN(vty->backoff_ms * 2, BACKOFF_MAX_MS));
    vty->connect_ms = time_msec() + vty->backoff_ms;
    if (vty->out_len) {
        explicit_bzero(vty->out, vty->out_len);
    }
    vty->out_first = vty->out_len = vty->in_first = vty->in_len = vty->scanned = 0;
    vty->n_requests = 0;
    vty->first = NULL;
    vty->last = &vty->first;
    while ((request = requests) != NULL) {
        requests = request->next;
        if (request->cb) {
            request->cb(request->aux, &BROKEN);
        }
        free(request);
    }
}

void bgp_vty_free(struct bgp_vty *vty)
{
    if (!vty) {
        return;
    }
    if (vty->fd >= 0) {
        close(vty->fd);
    }
    while (vty->first) {
        struct request *request = vty->first;

        vty->first = request->next;
        free(request);
    }
    if (vty->out) {
        explicit_bzero(vty->out, vty->out_size);
    }
    free(vty->out);
    free(vty->in);
    free(vty->problem);
    free(vty->daemon);
    free(vty->path);
    free(vty);
}

static void append(struct bgp_vty *vty, const char *bytes, size_t len)
{
    if (vty->out_len + len > vty->out_size) {
        size_t size = MAX(2 * (vty->out_len + len), 4096);
        char *out = xmalloc(size);

        if (vty->out_len) { /* not realloc: it could leave a secret behind */
            memcpy(out, vty->out, vty->out_len);
            explicit_bzero(vty->out, vty->out_len);
        }
        free(vty->out);
        vty->out = out;
        vty->out_size = size;
    }
    memcpy(vty->out + vty->out_len, bytes, len);
    vty->out_len += len;
}

static void enqueue(struct bgp_vty *vty, const char *text, const char *secret, bgp_vty_cb *cb,
                    void *aux)
{
    struct request *request = xmalloc(sizeof *request);

    if (!vty->n_requests) {
        vty->progress_ms = time_msec();
    }
    *request = (struct request){.cb = cb, .aux = aux};
    *vty->last = request;
    vty->last = &request->next;
    vty->n_requests++;
    append(vty, text, strlen(text));
    if (secret) {
        append(vty, secret, strlen(secret));
    }
    append(vty, "", 1);
}

void bgp_vty_send(struct bgp_vty *vty, const char *text, const char *secret, bgp_vty_cb *cb,
                  void *aux)
{
    ovs_assert(vty->answers);
    enqueue(vty, text, secret, cb, aux);
}

/* The answer to the first command: now there is someone. */
static void on_enabled(void *vty_, const struct bgp_reply *reply)
{
    struct bgp_vty *vty = vty_;

    if (reply->status == BGP_VTY_BROKEN) {
        return;
    }
    vty->answers = true;
    vty->session++;
    vty->backoff_ms = 0;
    log_line(LOG_LEVEL_INFO, "bgp", "%s answers", vty->daemon);
}

static void connect_now(struct bgp_vty *vty)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error = 0;

    vty->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (vty->fd < 0) {
        error = errno;
    } else {
        snprintf(address.sun_path, sizeof address.sun_path, "%s", vty->path);
        error = connect(vty->fd, (struct sockaddr *)&address, sizeof address) ? errno : 0;
    }
    if (!error) {
        enqueue(vty, "enable", NULL, on_enabled, vty);
        return;
    }
    if (vty->fd >= 0) {
        close(vty->fd);
        vty->fd = -1;
    }
    vty->backoff_ms = MAX(BACKOFF_MIN_MS, MIN(vty->backoff_ms * 2, BACKOFF_MAX_MS));
    vty->connect_ms = time_msec() + vty->backoff_ms;
    set_problem(vty, error == EAGAIN
                         ? xasprintf("%s takes no connections on %s; if it hangs, restart FRR",
                                     vty->daemon, vty->path)
                         : xasprintf("%s does not answer on %s: %s; is FRR running, with %s=yes in "
                                     "/etc/frr/daemons?",
                                     vty->daemon, vty->path, ovs_strerror(error), vty->daemon));
}

static void send_some(struct bgp_vty *vty)
{
    while (vty->fd >= 0 && vty->out_first < vty->out_len) {
        ssize_t n =
            send(vty->fd, vty->out + vty->out_first, vty->out_len - vty->out_first, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                drop(vty, xasprintf("%s closed the connection on %s: %s", vty->daemon, vty->path,
                                    ovs_strerror(errno)));
            }
            return;
        }
        explicit_bzero(vty->out + vty->out_first, (size_t)n);
        vty->out_first += (size_t)n;
    }
    vty->out_first = vty->out_len = 0;
}

static void answer(struct bgp_vty *vty, const struct bgp_reply *reply)
{
    struct request *request = vty->first;

    vty->first = request->next;
    if (!vty->first) {
        vty->last = &vty->first;
    }
    vty->n_requests--;
    if (request->cb) {
        request->cb(request->aux, reply);
    }
    free(request);
}

/* Hands on what is complete. */
static void hand_on(struct bgp_vty *vty)
{
    while (vty->fd >= 0) {
        struct bgp_reply reply;
        ssize_t n = bgp_reply_next(vty->in + vty->in_first, vty->in_len - vty->in_first,
                                   &vty->scanned, &reply);

        if (n < 0 || (n > 0 && !vty->n_requests)) {
            drop(vty,
                 xasprintf("what answers on %s does not speak as %s does", vty->path, vty->daemon));
            return;
        }
        if (!n) {
            break;
        }
        vty->in_first += (size_t)n;
        vty->scanned = 0;
        answer(vty, &reply);
    }
    if (vty->in_first == vty->in_len) {
        vty->in_first = vty->in_len = 0;
    }
}

/* Makes room for another READ_BYTES behind what was received. */
static void make_room(struct bgp_vty *vty)
{
    if (vty->in_first && vty->in_size - vty->in_len < READ_BYTES) {
        memmove(vty->in, vty->in + vty->in_first, vty->in_len - vty->in_first);
        vty->in_len -= vty->in_first;
        vty->in_first = 0;
    }
    if (vty->in_size - vty->in_len < READ_BYTES) {
        vty->in_size = 2 * vty->in_len + READ_BYTES;
        vty->in = xrealloc(vty->in, vty->in_size);
    }
}

static void receive_some(struct bgp_vty *vty)
{
    size_t total = 0;

    while (vty->fd >= 0 && total < RUN_BYTES) {
        ssize_t n;

        make_room(vty);
        n = recv(vty->fd, vty->in + vty->in_len, READ_BYTES, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            drop(vty,
                 xasprintf("%s closed the connection on %s%s%s; it is connected to again when "
                           "it is back",
                           vty->daemon, vty->path, n ? ": " : "", n ? ovs_strerror(errno) : ""));
            return;
        }
        vty->in_len += (size_t)n;
        total += (size_t)n;
        vty->progress_ms = time_msec();
        hand_on(vty);
    }
}

void bgp_vty_run(struct bgp_vty *vty)
{
    if (vty->fd < 0 && time_msec() >= vty->connect_ms) {
        connect_now(vty);
    }
    send_some(vty);
    receive_some(vty);
    send_some(vty); /* what answers have led to */
    if (vty->fd >= 0 && vty->n_requests && time_msec() >= vty->progress_ms + vty->deadline_ms) {
        drop(vty, xasprintf("%s has not answered on %s for %d s; if it hangs, restart FRR",
                            vty->daemon, vty->path, vty->deadline_ms / 1000));
    }
}

void bgp_vty_wait(const struct bgp_vty *vty)
{
    if (vty->fd < 0) {
        poll_timer_wait_until(vty->connect_ms);
        return;
    }
    poll_fd_wait(vty->fd, POLLIN | (vty->out_first < vty->out_len ? POLLOUT : 0));
    if (vty->n_requests) {
        poll_timer_wait_until(vty->progress_ms + vty->deadline_ms);
    }
}

const char *bgp_vty_path(const struct bgp_vty *vty)
{
    return vty->path;
}

bool bgp_vty_answers(const struct bgp_vty *vty)
{
    return vty->answers;
}

bool bgp_vty_connecting(const struct bgp_vty *vty)
{
    return !vty->session && !vty->backoff_ms;
}

unsigned int bgp_vty_session(const struct bgp_vty *vty)
{
    return vty->session;
}

pid_t bgp_vty_pid(const struct bgp_vty *vty)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return vty->fd >= 0 && !getsockopt(vty->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? peer.pid
                                                                                      : 0;
}

const char *bgp_vty_problem(const struct bgp_vty *vty)
{
    return vty->problem;
}

void bgp_vty_set_deadline(struct bgp_vty *vty, int deadline_ms)
{
    vty->deadline_ms = deadline_ms;
}

size_t bgp_vty_pending(const struct bgp_vty *vty)
{
    return vty->n_requests;
}
