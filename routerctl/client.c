#include "routerctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 1000, POLL_MAX_MS = 60000, READ_BYTES = 64 << 10 };

/* A request under way. */
struct call {
    const char *path;
    const struct ctl_request *request;
    int fd;
    int64_t deadline_ms, tick_ms;
    struct ctl_buffer head;
    size_t head_sent, body_sent;
    bool deaf; /* it takes no more of the request; it may have answered all the same */
    struct ctl_http http;
    char *why;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- connecting ----------------------------------------------------------------------------- */

static char *explain_denied(const char *path)
{
    struct stat info;
    const struct group *group;

    if (stat(path, &info) || info.st_gid == 0 || !(group = getgrgid(info.st_gid))) {
        return ctl_printf("cannot reach routerd at %s: permission denied; be root or a member of "
                          "the socket's group",
                          path);
    }
    return ctl_printf("cannot reach routerd at %s: permission denied; be root or a member of group "
                      "%s",
                      path, group->gr_name);
}

static char *explain_connect(const char *path, int error)
{
    switch (error) {
    case ENOENT:
        return ctl_printf("cannot reach routerd at %s: there is no such socket; start routerd "
                          "(systemctl start routerd), or name its socket with -s",
                          path);
    case ECONNREFUSED:
        return ctl_printf("cannot reach routerd at %s: nobody listens there; start routerd "
                          "(systemctl start routerd)",
                          path);
    case EACCES:
    case EPERM: return explain_denied(path);
    case EAGAIN:
        return ctl_printf("cannot reach routerd at %s: it is too busy to take the connection; try "
                          "again",
                          path);
    case ENAMETOOLONG:
        return ctl_printf("cannot reach routerd: %s is too long for a socket's path", path);
    default: return ctl_printf("cannot reach routerd at %s: %s", path, strerror(error));
    }
}

static int connect_socket(struct call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error = 0;

    if (strlen(call->path) >= sizeof address.sun_path) {
        error = ENAMETOOLONG;
    } else {
        memcpy(address.sun_path, call->path, strlen(call->path) + 1);
        call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (call->fd < 0 || connect(call->fd, (struct sockaddr *)&address, sizeof address)) {
            error = errno;
        }
    }
    if (error) {
        call->why = explain_connect(call->path, error);
    }
    return -error;
}

/* --- writing -------------------------------------------------------------------------------- */

static void make_head(struct call *call)
{
    const struct ctl_request *request = call->request;
    struct ctl_buffer *head = &call->head;

    ctl_buffer_printf(head,
                      "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      "User-Agent: routerctl/" ROUTERD_VERSION "\r\n",
                      request->method, request->target);
    if (request->if_match) {
        ctl_buffer_printf(
            head, strcmp(request->if_match, "*") ? "If-Match: \"%s\"\r\n" : "If-Match: %s\r\n",
            request->if_match);
    }
    if (request->body) {
        ctl_buffer_printf(head, "Content-Type: application/yaml\r\nContent-Length: %zu\r\n",
                          request->body_len);
    }
    ctl_buffer_text(head, "\r\n");
}

static bool all_sent(const struct call *call)
{
    return call->head_sent == call->head.len &&
           (!call->request->body || call->body_sent == call->request->body_len);
}

/* Sends what the socket takes. A server that has refused a request need not read the rest of it, so
 * a failure here is none as long as there is an answer. */
static void send_some(struct call *call)
{
    bool in_head = call->head_sent < call->head.len;
    const char *bytes =
        in_head ? call->head.data + call->head_sent : call->request->body + call->body_sent;
    size_t len =
        in_head ? call->head.len - call->head_sent : call->request->body_len - call->body_sent;
    ssize_t n = send(call->fd, bytes, len, MSG_NOSIGNAL);

    if (n > 0) {
        *(in_head ? &call->head_sent : &call->body_sent) += (size_t)n;
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        call->deaf = true;
    }
}

/* --- reading -------------------------------------------------------------------------------- */

static int explain_end(struct call *call)
{
    call->why = ctl_printf("routerd at %s closed the connection before its answer was complete; "
                           "its log says why",
                           call->path);
    return -ECONNRESET;
}

/* Reads what is there. 0, 1 with a complete answer, or -errno. */
static int receive_some(struct call *call)
{
    const char *why = "";
    char bytes[READ_BYTES];
    ssize_t n = recv(call->fd, bytes, sizeof bytes, 0);
    int error;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (n <= 0) {
        return ctl_http_end(&call->http) ? explain_end(call) : 1;
    }
    error = ctl_http_feed(&call->http, bytes, (size_t)n, &why);
    if (!error && call->request->take && call->http.answer.status / 100 == 2) {
        call->request->take(&call->http.answer.body, call->request->aux);
    }
    if (error) {
        call->why = ctl_printf("what answers at %s is not routerd: %s", call->path, why);
        return error;
    }
    return call->http.state == CTL_HTTP_DONE;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int explain_timeout(struct call *call)
{
    call->why = ctl_printf("routerd at %s did not answer within %" PRId64 " s", call->path,
                           (call->request->timeout_ms + 999) / 1000);
    return -ETIMEDOUT;
}

/* Waits until the socket is ready or the time is over, ticking. Returns poll's events, or 0 when it
 * is time to look at the clock again. */
static short wait_ready(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    int64_t now = now_ms(), until = call->deadline_ms;

    if (!all_sent(call) && !call->deaf) {
        poller.events |= POLLOUT;
    }
    if (call->request->tick) {
        if (now >= call->tick_ms) {
            call->request->tick(call->request->aux);
            now = now_ms();
            call->tick_ms = now + TICK_MS;
        }
        until = call->tick_ms < until ? call->tick_ms : until;
    }
    until = until - now > POLL_MAX_MS ? now + POLL_MAX_MS : until;
    if (poll(&poller, 1, until > now ? (int)(until - now) : 0) <= 0) {
        return 0;
    }
    return poller.revents;
}

static int exchange(struct call *call)
{
    int done = 0;

    while (!done) {
        short ready = wait_ready(call);

        if (ready & POLLOUT) {
            send_some(call);
        }
        if (ready & (POLLIN | POLLHUP | POLLERR)) {
            done = receive_some(call);
        }
        if (!done && now_ms() >= call->deadline_ms) {
            done = explain_timeout(call);
        }
    }
    return done > 0 ? 0 : done;
}

int ctl_client_call(const char *socket_path, const struct ctl_request *request,
                    struct ctl_answer *ret_answer, bool *ret_sent, char **ret_why)
{
    struct call call = {.path = socket_path, .request = request, .fd = -1};
    int error;

    call.deadline_ms = now_ms() + request->timeout_ms;
    call.tick_ms = now_ms() + TICK_MS;
    ctl_http_init(&call.http);
    make_head(&call);
    error = connect_socket(&call);
    if (!error) {
        error = exchange(&call);
    }
    if (ret_sent) {
        *ret_sent = all_sent(&call);
    }
    if (!error) {
        *ret_answer = call.http.answer;
        call.http.answer = (struct ctl_answer){0};
    } else {
        *ret_why = call.why;
    }
    if (call.fd >= 0) {
        close(call.fd);
    }
    ctl_buffer_done(&call.head);
    ctl_http_done(&call.http);
    return error;
}
