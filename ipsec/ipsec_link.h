/* ipsec_link.h - one connection to charon's vici socket: requests out, answers and events in.
 *
 * Non-blocking, on the caller's loop: link_run() moves bytes and calls back, link_wait() registers
 * what to wake up for. vici has no sequence numbers, so one request is under way at a time and the
 * others queue. A connection that is lost fails all of them; it is reopened by the owner
 * (link_open()), never by itself. A request that is late stays under way: charon may only be
 * stopped, and answers when it goes on. link_late_ms() tells, and what to make of it is the owner's
 * business. */
#ifndef IPSEC_LINK_H
#define IPSEC_LINK_H

#include "ipsec/ipsec_vici.h"

#include <stdbool.h>
#include <stdint.h>

struct link;

/* The answer to a request: error 0 and the packet, borrowed for the call; or -errno (-ECONNRESET:
 * the connection was lost) and null. */
typedef void link_answer_cb(void *aux, int error, const struct vici_packet *packet);
/* An event; borrowed for the call. */
typedef void link_event_cb(void *aux, const struct vici_packet *packet);

/* A link to a Unix socket, not open yet. `event` may be null. */
struct link *link_new(const char *path, link_event_cb *event, void *aux);
void link_free(struct link *link); /* null is fine; calls nothing back */
/* Connects. 0, or -errno: then it is closed. Unix sockets connect at once; if charon's backlog is
 * full that is -EAGAIN. */
int link_open(struct link *link);
/* Closes, and answers all that waits with -ECONNRESET. */
void link_close(struct link *link);
bool link_is_open(const struct link *link);
/* Requests that wait for their answer or for being sent. */
size_t link_pending(const struct link *link);

/* Queues a finished or unfinished packet: the writer is finished here and taken. `answer` is called
 * exactly once, from link_run() or link_close(), unless the link is freed first; it may be null. */
void link_request(struct link *link, struct vici_writer *writer, link_answer_cb *answer, void *aux);
/* A request without arguments; and the registration for an event. */
void link_command(struct link *link, const char *name, link_answer_cb *answer, void *aux);
void link_register(struct link *link, const char *event, link_answer_cb *answer, void *aux);

/* Sends and receives what there is. 0, or -errno when the connection was lost just now: it is
 * closed and all has been answered. */
int link_run(struct link *link);
void link_wait(const struct link *link);
/* For how long the request that is under way has been waiting; 0 if there is none. */
int64_t link_late_ms(const struct link *link);

#endif
