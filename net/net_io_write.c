#include "net/net_io.h"

#include "log/log.h"
#include "model/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_BYTES = 48 << 10, /* what one sendmsg carries at least, before it is sent; each step's
                               messages of a round stay together */
    ANSWER_BYTES = 32 << 10,
    LOOKS_AT_ONCE = 256,
    INDEX_FIRST = 1000000, /* far from what the kernel gives out */
    INDEX_SPAN = 9000000,
};

/* One step on its way. */
struct job {
    struct step *step;
    const struct net_change *change;
    int index;   /* of the interface that it creates */
    int changed; /* the index of an interface that it changed in a way the kernel may not tell of */
};

struct sent {
    struct job *job;
    const struct net_op *op; /* null: only looking */
};

struct writer {
    struct net_watch *watch;
    struct plan *plan;
    struct mnl_socket *socket;
    char *bytes; /* the batch: messages one after the other */
    size_t len, capacity;
    struct sent *sent; /* who each is of, by sequence number */
    size_t n_sent, sent_capacity;
    uint32_t first_sequence;
    uint64_t random;
};

static bool is_open(const struct job *job)
{
    return job->step->result == STEP_TODO;
}

static void fail(struct writer *writer, struct job *job, const struct net_op *op, int error,
                 const char *detail)
{
    const char *reason;
    if (!op || !is_open(job) || net_is_harmless(op, error))
        return;
    enum step_result result = net_explain(op, error, detail, writer->plan->arena, &reason);
    step_finish(writer->plan, job->step, result, "%s", reason);
}

/* --- sending --- */

static void *grown(void *array, size_t needed, size_t *capacity, size_t size)
{
    size_t old = *capacity;
    if (needed <= old)
        return array;
    *capacity = needed * 2;
    array = realloc(array, *capacity * size);
    if (!array)
        abort();
    memset((char *)array + old * size, 0, (*capacity - old) * size);
    return array;
}

static void append(struct writer *writer, struct job *job, const struct net_op *op,
                   struct nl_msg *message)
{
    struct nlmsghdr *header = nlmsg_hdr(message);
    size_t size = NLMSG_ALIGN(header->nlmsg_len);
    header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_seq = writer->first_sequence + (uint32_t)writer->n_sent;
    header->nlmsg_pid = 0;
    writer->bytes = grown(writer->bytes, writer->len + size, &writer->capacity, 1);
    memset(writer->bytes + writer->len, 0, size);
    memcpy(writer->bytes + writer->len, header, header->nlmsg_len);
    writer->len += size;
    writer->sent =
        grown(writer->sent, writer->n_sent + 1, &writer->sent_capacity, sizeof *writer->sent);
    writer->sent[writer->n_sent++] = (struct sent){job, op};
}

/* The kernel's own sentence, if the answer has one. */
static const char *detail_of(const struct nlmsghdr *message)
{
    const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);
    size_t offset = sizeof *answer;
    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
        return NULL;
    if (!(message->nlmsg_flags & NLM_F_CAPPED))
        offset += MNL_ALIGN(answer->msg.nlmsg_len) - sizeof answer->msg;
    if (mnl_nlmsg_get_payload_len(message) < offset)
        return NULL;
    const struct nlattr *attr;
    mnl_attr_for_each(attr, message,
                      (unsigned int)offset) if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
                                                mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ==
                                                    0) return mnl_attr_get_str(attr);
    return NULL;
}

/* Returns how many of the batch were answered. */
static size_t take_answers(struct writer *writer, const char *buffer, int len)
{
    size_t n = 0;
    const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
    for (; mnl_nlmsg_ok(message, len); message = mnl_nlmsg_next(message, &len)) {
        uint32_t i = message->nlmsg_seq - writer->first_sequence;
        if (message->nlmsg_type == RTM_NEWLINK && i < writer->n_sent)
            writer->watch->changed |=
                net_parse_message(&writer->watch->seen, message, &writer->watch->stale);
        if (message->nlmsg_type != NLMSG_ERROR || i >= writer->n_sent ||
            mnl_nlmsg_get_payload_len(message) < sizeof(struct nlmsgerr))
            continue;
        int error = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
        if (error)
            fail(writer, writer->sent[i].job, writer->sent[i].op, error, detail_of(message));
        n++;
    }
    return n;
}

static void fail_all(struct writer *writer, int error)
{
    for (size_t i = 0; i < writer->n_sent; i++)
        fail(writer, writer->sent[i].job, writer->sent[i].op, error,
             "the netlink batch was not answered");
}

/* Sends what has been gathered and waits for the kernel's answers, which are there when sendmsg
 * returns. */
static void flush(struct writer *writer)
{
    char buffer[ANSWER_BYTES];
    size_t answered = 0;
    if (writer->n_sent == 0)
        return;
    if (mnl_socket_sendto(writer->socket, writer->bytes, writer->len) < 0) {
        fail_all(writer, errno);
        answered = writer->n_sent;
    }
    while (answered < writer->n_sent) {
        ssize_t len = mnl_socket_recvfrom(writer->socket, buffer, sizeof buffer);
        if (len >= 0) {
            answered += take_answers(writer, buffer, (int)len);
        } else if (errno != EINTR) {
            fail_all(writer, errno);
            break;
        }
    }
    writer->first_sequence += (uint32_t)writer->n_sent;
    writer->len = writer->n_sent = 0;
    net_watch_drain(writer->watch);
}

/* --- settings under /proc/sys --- */

static int write_setting(const char *path, uint32_t value)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%u\n", value);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = write(fd, text, (size_t)len) == len ? 0 : -errno;
    close(fd);
    return error;
}

/* The kernel tells nobody of these two, so what was written is noted as seen. */
static void set_now(struct writer *writer, struct job *job, const struct net_op *op)
{
    char path[96] = "/proc/sys/net/ipv6/conf/all/forwarding";
    uint32_t value = 1;
    if (op->kind != NET_OP_IPV6_FORWARDING) {
        snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", op->link,
                 op->kind == NET_OP_ACCEPT_RA ? "accept_ra" : "disable_ipv6");
        value = op->number;
    }
    int error = write_setting(path, value);
    if (error) {
        fail(writer, job, op, -error, NULL);
        return;
    }
    struct net_link *link = op->link ? net_state_find(&writer->watch->seen, op->link) : NULL;
    if (link && op->kind == NET_OP_ACCEPT_RA)
        link->conf.accept_ra = (int8_t)value;
    if (link && op->kind == NET_OP_DISABLE_IPV6)
        link->conf.disable_ipv6 = (int8_t)value;
}

/* --- operations --- */

/* What Open vSwitch made for us and we have not marked yet, or what has lost its mark. */
static bool is_for_us(const struct job *job, const struct net_op *op, const struct net_link *link)
{
    if (!op->route && job->change->reclaims && strcmp(job->change->reclaims, link->name) == 0)
        return link->altname[0] != '\0';
    return !op->route && job->change->waits_for &&
           strcmp(job->change->waits_for, link->name) == 0 &&
           (strcmp(link->type, "openvswitch") == 0 || strcmp(link->type, "tun") == 0);
}

static bool undoes(const struct net_op *op)
{
    return op->kind == NET_OP_LINK_DELETE || op->kind == NET_OP_ALTNAME_DELETE ||
           op->kind == NET_OP_ADDR_DELETE || op->kind == NET_OP_DOWN;
}

/* The index of an interface of ours by its name; 0 if the operation is not to be sent, with the job
 * finished unless there is nothing to do. The plan may be seconds old: what has become foreign
 * since is left alone. */
static int resolve(struct writer *writer, struct job *job, const struct net_op *op,
                   const char *name)
{
    if (job->index && op->round == NET_ROUND_FIRST)
        return job->index;
    const struct net_link *link = net_state_find(&writer->watch->seen, name);
    if (!link && undoes(op))
        return 0;
    if (!link)
        step_finish(writer->plan, job->step, STEP_NOT_READY, "interface %s is not there", name);
    else if (!op->uplink && !(op->route && op->route->uplink) && !net_link_is_ours(link) &&
             !is_for_us(job, op, link))
        step_finish(writer->plan, job->step, STEP_FAILED,
                    "interface %s is not routerd's: delete or rename it", name);
    else
        return link->index;
    return 0;
}

static uint64_t next_random(struct writer *writer)
{
    writer->random ^= writer->random << 13; /* xorshift64 */
    writer->random ^= writer->random >> 7;
    writer->random ^= writer->random << 17;
    return writer->random;
}

static int pick_index(struct writer *writer)
{
    int index;
    do
        index = INDEX_FIRST + (int)(next_random(writer) % INDEX_SPAN);
    while (net_state_link(&writer->watch->seen, index));
    return index;
}

static bool is_setting(const struct net_op *op)
{
    return op->kind == NET_OP_ACCEPT_RA || op->kind == NET_OP_DISABLE_IPV6 ||
           op->kind == NET_OP_IPV6_FORWARDING;
}

/* The kernel tells of a new alias, altname or setting only if the interface is up. */
static bool is_silent(const struct net_op *op)
{
    return op->kind == NET_OP_ALIAS || op->kind == NET_OP_ALTNAME_ADD ||
           op->kind == NET_OP_ALTNAME_DELETE || op->kind == NET_OP_CONF;
}

static void start_op(struct writer *writer, struct job *job, const struct net_op *op)
{
    const char *name = op->route ? op->route->dev : op->link;
    bool needs_link = op->route
                          ? op->route->type == NET_ROUTE_UNICAST && op->kind != NET_OP_ROUTE_DELETE
                          : name != NULL;
    int index = 0, other = 0;

    if (op->kind == NET_OP_LINK_CREATE)
        index = job->index = pick_index(writer);
    else if (needs_link && (index = resolve(writer, job, op, name)) == 0)
        return;
    if (op->kind == NET_OP_MASTER && op->text[0] &&
        (other = resolve(writer, job, op, op->text)) == 0)
        return;
    if (is_setting(op)) {
        set_now(writer, job, op);
        return;
    }
    struct nl_msg *message = net_build_message(op, index, other);
    if (!message) {
        step_finish(writer->plan, job->step, STEP_FAILED, "cannot build the netlink message");
        return;
    }
    append(writer, job, op, message);
    nlmsg_free(message);
    if (is_silent(op))
        job->changed = index;
}

static void look_again(struct writer *writer, struct job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!jobs[i].changed)
            continue;
        struct nl_msg *message = net_build_look(jobs[i].changed);
        jobs[i].changed = 0;
        if (!message)
            abort();
        append(writer, &jobs[i], NULL, message);
        nlmsg_free(message);
        if (writer->n_sent >= LOOKS_AT_ONCE)
            flush(writer);
    }
    flush(writer);
}

static bool is_there(struct writer *writer, const char *name)
{
    return net_state_find(&writer->watch->seen, name) != NULL;
}

static void start_round(struct writer *writer, struct job *job, enum net_round round)
{
    for (size_t i = 0; i < job->change->n_ops; i++) {
        const struct net_op *op = &job->change->ops[i];
        if (op->round != round)
            continue;
        if (job->change->waits_for && !is_there(writer, job->change->waits_for))
            step_finish(writer->plan, job->step, STEP_NOT_READY, "interface %s is not there yet%s",
                        job->change->waits_for,
                        ids_of_segment(job->change->waits_for) ? " (Open vSwitch makes it)" : "");
        if (!is_open(job))
            return;
        start_op(writer, job, op);
    }
    if (writer->len >= BATCH_BYTES)
        flush(writer);
}

static void write_all(struct writer *writer, struct job *jobs, size_t n)
{
    for (int round = 0; round < NET_N_ROUNDS; round++) {
        for (size_t i = 0; i < n; i++)
            if (is_open(&jobs[i]))
                start_round(writer, &jobs[i], (enum net_round)round);
        flush(writer);
        look_again(writer, jobs, n);
    }
    for (size_t i = 0; i < n; i++)
        if (is_open(&jobs[i]))
            step_finish(writer->plan, jobs[i].step, STEP_DONE, NULL);
}

static void meet_obstacle(struct plan *plan, struct job *job)
{
    if (job->change->obstacle != STEP_TODO)
        step_finish(plan, job->step, job->change->obstacle, "%s", job->change->obstacle_reason);
}

void net_write(struct net_watch *watch, struct plan *plan, struct step **steps, size_t n)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct writer writer = {.watch = watch,
                            .plan = plan,
                            .socket = net_socket_open(),
                            .first_sequence = 1,
                            .random = (uint64_t)now.tv_nsec * UINT64_C(0x9E3779B97F4A7C15) +
                                      (uint64_t)now.tv_sec + 1};
    int error = errno;
    struct job *jobs = calloc(n, sizeof *jobs);
    if (!jobs)
        abort();
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){.step = steps[i], .change = steps[i]->data};
        meet_obstacle(plan, &jobs[i]);
        if (!writer.socket && is_open(&jobs[i]))
            step_finish(plan, steps[i], STEP_FAILED, "cannot open a netlink socket: %s",
                        strerror(error));
    }
    net_watch_drain(watch);
    write_all(&writer, jobs, n);
    if (writer.socket)
        mnl_socket_close(writer.socket);
    free(writer.bytes);
    free(writer.sent);
    free(jobs);
}
