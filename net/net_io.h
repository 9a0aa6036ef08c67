/* net_io.h - between the files that speak netlink. Inside net only.
 *
 * libmnl listens and lists (net_io_watch.c, net_io_parse.c), libnl builds the messages that change
 * things (net_io_build.c), net_io_write.c sends them in batches, net_io.c is the backend. */
#ifndef NET_NET_IO_H
#define NET_NET_IO_H

#include "backend/backend.h"
#include "net/net_change.h"

#include <libmnl/libmnl.h>

/* --- watching --- */

struct net_watch {
    struct mnl_socket *events;   /* subscribed to all that matters */
    struct mnl_socket *requests; /* for listing; blocks, but the kernel answers at once */
    struct net_state seen;
    bool listed;        /* `seen` is what is there */
    bool stale;         /* events were lost, or something came into view: list again */
    bool changed;       /* since the last net_watch_run() */
    bool more;          /* events were left for the next turn */
    long long retry_ms; /* when to try again after a failure */
    char reason[160];   /* of the last failure; "" for none */
    char **uplinks;     /* the routed uplinks' interfaces */
    size_t n_uplinks;
};

void net_watch_open(struct net_watch *watch);
/* Lets go of the sockets and of what was seen, for a while or for good. */
void net_watch_close(struct net_watch *watch);
void net_watch_free(struct net_watch *watch);
/* From now on those of this configuration are followed; all is listed again. */
void net_watch_follow(struct net_watch *watch, const struct config *config);
/* Takes in what has come, lists where needed. True if `seen` changed since the last call. */
bool net_watch_run(struct net_watch *watch);
void net_watch_wait(const struct net_watch *watch);
/* Takes in everything that has come; the change is reported by the next net_watch_run(). */
void net_watch_drain(struct net_watch *watch);

/* A socket for requests with the kernel's strict checking, by which a dump is filtered in the
 * kernel. Null with errno. */
struct mnl_socket *net_socket_open(void);
/* Sends a dump (or any) request and hands each answer to `cb`. 0 or -errno. */
int net_socket_ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t cb, void *aux);

/* Takes one message into the state. True if that changed anything. `*ret_relist` is set if only a
 * listing can tell. */
bool net_parse_message(struct net_state *state, const struct nlmsghdr *message, bool *ret_relist);

/* --- writing --- */

struct nl_msg;
/* The message for an operation on the interface of that index; for NET_OP_MASTER `other` is the
 * VRF's. Null: out of memory or, for settings under /proc/sys, none. The caller frees it with
 * nlmsg_free(). */
struct nl_msg *net_build_message(const struct net_op *op, int index, int other);

/* The message that asks for one interface; likewise. */
struct nl_msg *net_build_look(int index);

/* Carries out steps of one phase; sets every result. */
void net_write(struct net_watch *watch, struct plan *plan, struct step **steps, size_t n);

/* What an operation's failure means for its step: the result, and a sentence in `arena`. */
enum step_result net_explain(const struct net_op *op, int error, const char *detail,
                             struct arena *arena, const char **ret_reason);
/* Whether an error only says that the operation had nothing to do. */
bool net_is_harmless(const struct net_op *op, int error);

/* --- reading for people --- */

int net_list_routes(const struct network *network, backend_route_cb *cb, void *aux);
/* `seen` is null while nothing is known, and then `away` says why. */
void net_status(struct net_state *seen, const char *away, struct status *status);

#endif
