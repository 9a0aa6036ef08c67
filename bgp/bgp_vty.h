/* bgp_vty.h - a client of one FRR daemon's vty socket, as vtysh is one.
 *
 * Commands are queued and sent as they fit; the daemon carries them out in order and answers each,
 * so any number may be under way. Nothing blocks. A daemon that has been asked and sends nothing
 * for BGP_VTY_DEADLINE_MS is taken for hung: the connection is dropped, every command under way is
 * answered as broken, and it is tried again, more slowly each time, up to every two seconds. */
#ifndef BGP_BGP_VTY_H
#define BGP_BGP_VTY_H

#include "bgp/bgp_reply.h"

#include <stdbool.h>

enum { BGP_VTY_DEADLINE_MS = 5000, BGP_VTY_BROKEN = -1 };

/* The answer to a command; status BGP_VTY_BROKEN and no text if there will be none. `text` is
 * NUL-terminated here, and borrowed for the call. It may send further commands. */
typedef void bgp_vty_cb(void *aux, const struct bgp_reply *reply);

struct bgp_vty;

/* `daemon` is its name, "bgpd", and `path` its socket; both are copied. Never null. */
struct bgp_vty *bgp_vty_new(const char *daemon, const char *path);
/* Drops the connection; what is under way is never answered. Null is fine. */
void bgp_vty_free(struct bgp_vty *vty);

/* Connects, sends, receives, calls back. */
void bgp_vty_run(struct bgp_vty *vty);
void bgp_vty_wait(const struct bgp_vty *vty);

/* Its socket; borrowed. */
const char *bgp_vty_path(const struct bgp_vty *vty);
/* Whether the daemon answers. */
bool bgp_vty_answers(const struct bgp_vty *vty);
/* Whether it is too early to say: the first connection is being tried. */
bool bgp_vty_connecting(const struct bgp_vty *vty);
/* How often a connection was made that answered: another number is another session, in which all
 * has to be read anew. */
unsigned int bgp_vty_session(const struct bgp_vty *vty);
/* The daemon's process, or 0 if that cannot be said. */
pid_t bgp_vty_pid(const struct bgp_vty *vty);
/* Why it does not answer: a sentence with place and remedy, borrowed until the next run. */
const char *bgp_vty_problem(const struct bgp_vty *vty);
/* How long it may be silent while it is asked; BGP_VTY_DEADLINE_MS at first. */
void bgp_vty_set_deadline(struct bgp_vty *vty, int deadline_ms);
/* How many commands are not answered yet. */
size_t bgp_vty_pending(const struct bgp_vty *vty);

/* Queues a command: `text`, followed by `secret` if that is not null. Both are copied; the copy of
 * the secret is wiped once it was sent. Only while it answers; the callback (null: nobody asks) is
 * never called from within. */
void bgp_vty_send(struct bgp_vty *vty, const char *text, const char *secret, bgp_vty_cb *cb,
                  void *aux);

#endif
