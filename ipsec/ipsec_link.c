#include "ipsec/ipsec_link.h"

#include <assert.h>
#include <errno.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, READS_PER_RUN = 64 };

struct pending {
    struct pending *next;
    struct vici_writer writer;
    link_answer_cb *answer;
    void *aux;
};

struct link {
    char *path;
    int fd; /* -1: closed */
    link_event_cb *event;
    void *event_aux;
    struct pending *head, **tail; /* the head is under way */
    size_t n_pending, sent;       /* bytes of the head's packet that are sent */
    int64_t started_ms;           /* when the head was begun */
    uint8_t *input;
    size_t input_len, input_capacity;
    unsigned int opened; /* counts, so that a callback's reopening is noticed */
};

struct link *link_new(const char *path, link_event_cb *event, void *aux)
{
    struct link *link = calloc(1, sizeof *link);

    if (!link || !(link->path = strdup(path))) {
        abort();
    }
    link->fd = -1;
    link->event = event;
    link->event_aux = aux;
    link->tail = &link->head;
    return link;
}

static struct pending *pending_pop(struct link *link)
{
    struct pending *pending = link->head;

    link->head = pending->next;
    if (!link->head) {
        link->tail = &link->head;
    }
    link->n_pending--;
    link->sent = 0;
    link->started_ms = time_msec();
    return pending;
}

static void pending_free(struct pending *pending)
{
    vici_writer_done(&pending->writer);
    free(pending);
}

void link_free(struct link *link)
{
    if (!link) {
        return;
    }
    while (link->head) {
        pending_free(pending_pop(link));
    }
    if (link->fd >= 0) {
        close(link->fd);
    }
    free(link->input);
    free(link->path);
    free(link);
}

int link_open(struct link *link)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert(link->fd < 0);
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s", link->path) >=
        (int)sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    link->fd = fd;
    link->input_len = 0;
    link->opened++;
    return 0;
}

void link_close(struct link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
        link->fd = -1;
    }
    /* What a callback queues now belongs to the next connection. */
    struct pending *head = link->head;
    link->head = NULL;
    link->tail = &link->head;
    link->n_pending = 0;
    link->sent = 0;
    while (head) {
        struct pending *next = head->next;
        if (head->answer) {
            head->answer(head->aux, -ECONNRESET, NULL);
        }
        pending_free(head);
        head = next;
    }
}

bool link_is_open(const struct link *link)
{
    return link->fd >= 0;
}

size_t link_pending(const struct link *link)
{
    return link->n_pending;
}

void link_request(struct link *link, struct vici_writer *writer, link_answer_cb *answer, void *aux)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (!pending) {
        abort();
    }
    *pending = (struct pending){.writer = *writer, .answer = answer, .aux = aux};
    *writer = (struct vici_writer){0};
    vici_finish(&pending->writer); /* what is too long fails when its turn comes: send_head() */
    if (!link->head) {
        link->started_ms = time_msec();
    }
    *link->tail = pending;
    link->tail = &pending->next;
    link->n_pending++;
}

void link_command(struct link *link, const char *name, link_answer_cb *answer, void *aux)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, name);
    link_request(link, &writer, answer, aux);
}

void link_register(struct link *link, const char *event, link_answer_cb *answer, void *aux)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_EVENT_REGISTER, event);
    link_request(link, &writer, answer, aux);
}

static void answer_head(struct link *link, int error, const struct vici_packet *packet)
{
    struct pending *pending = pending_pop(link);

    if (pending->answer) {
        pending->answer(pending->aux, error, packet);
    }
    pending_free(pending);
}

static int send_head(struct link *link)
{
    while (link->head && link->sent < link->head->writer.len) {
        struct vici_writer *writer = &link->head->writer;
        if (writer->failed) {
            answer_head(link, -EMSGSIZE, NULL);
            continue;
        }
        ssize_t n =
            send(link->fd, writer->bytes + link->sent, writer->len - link->sent, MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        }
        link->sent += (size_t)n;
    }
    return 0;
}

/* Hands out one packet. An answer without a question, or an unknown type, means that we do not
 * understand each other. */
static int take_packet(struct link *link, const uint8_t *bytes, size_t len)
{
    struct vici_packet packet;
    int error = vici_packet_decode(bytes, len, &packet);

    if (error) {
        return error;
    }
    switch (packet.type) {
    case VICI_EVENT:
        if (link->event) {
            link->event(link->event_aux, &packet);
        }
        return 0;
    case VICI_CMD_RESPONSE:
    case VICI_EVENT_CONFIRM:
    case VICI_CMD_UNKNOWN:
    case VICI_EVENT_UNKNOWN: {
        bool known = packet.type == VICI_CMD_RESPONSE || packet.type == VICI_EVENT_CONFIRM;
        if (!link->head || link->sent < link->head->writer.len) {
            return -EPROTO;
        }
        answer_head(link, known ? 0 : -EOPNOTSUPP, known ? &packet : NULL);
        return 0;
    }
    case VICI_CMD_REQUEST:
    case VICI_EVENT_REGISTER:
    case VICI_EVENT_UNREGISTER: return -EPROTO;
    }
    return -EPROTO;
}

/* Takes all whole packets out of the input. */
static int take_input(struct link *link)
{
    unsigned int opened = link->opened;
    size_t at = 0;
    int error = 0;

    while (error == 0 && link->input_len - at >= VICI_HEADER_BYTES) {
        const uint8_t *header = link->input + at;
        size_t len =
            (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
        if (len > VICI_PACKET_BYTES) {
            return -EMSGSIZE;
        }
        if (link->input_len - at < VICI_HEADER_BYTES + len) {
            break;
        }
        error = take_packet(link, header + VICI_HEADER_BYTES, len);
        if (link->fd < 0 || link->opened != opened) {
            return 0; /* a callback closed it */
        }
        at += VICI_HEADER_BYTES + len;
    }
    memmove(link->input, link->input + at, link->input_len - at);
    link->input_len -= at;
    return error;
}

/* 1: more may be there; 0: not now; or -errno. */
static int receive(struct link *link)
{
    if (link->input_capacity - link->input_len < READ_BYTES) {
        link->input_capacity = link->input_len + 2 * READ_BYTES;
        link->input = realloc(link->input, link->input_capacity);
        if (!link->input) {
            abort();
        }
    }
    ssize_t n = recv(link->fd, link->input + link->input_len, READ_BYTES, 0);
    if (n == 0) {
        return -ECONNRESET;
    }
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    link->input_len += (size_t)n;
    return 1;
}

int link_run(struct link *link)
{
    unsigned int opened = link->opened;
    int error = 0;

    for (int i = 0; i < READS_PER_RUN && link->fd >= 0 && link->opened == opened; i++) {
        error = send_head(link);
        int more = error ? error : receive(link);
        error = more < 0 ? more : 0;
        if (more > 0) {
            error = take_input(link);
        }
        if (error && link->fd >= 0 && link->opened == opened) {
            link_close(link);
            return error;
        }
        if (more <= 0) {
            break;
        }
    }
    return 0;
}

void link_wait(const struct link *link)
{
    if (link->fd < 0) {
        return;
    }
    bool unsent = link->head && link->sent < link->head->writer.len;
    poll_fd_wait(link->fd, (short)(POLLIN | (unsent ? POLLOUT : 0)));
}

int64_t link_late_ms(const struct link *link)
{
    return link->fd >= 0 && link->head ? time_msec() - link->started_ms : 0;
}
