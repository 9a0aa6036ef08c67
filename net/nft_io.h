/* nft_io.h - between the files of this backend that speak to the kernel. Inside net only.
 *
 * libmnl listens and lists (nft_io_watch.c, nft_io_parse.c), libnftables changes (nft_io.c). */
#ifndef NET_NFT_IO_H
#define NET_NFT_IO_H

#include "backend/backend.h"
#include "net/nft_change.h"

#include <libmnl/libmnl.h>

struct nft_watch {
    struct mnl_socket *events;   /* nftables' */
    struct mnl_socket *settings; /* of net.ipv4.ip_forward, by rtnetlink */
    struct mnl_socket *requests;
    struct nft_state seen;
    struct nft_made made; /* by us, as far as is known */
    struct nft_host host;
    bool listed;        /* `seen` is what is there */
    bool stale;         /* our table has changed: list it again */
    bool changed;       /* since the last nft_watch_run() */
    long long retry_ms; /* when to try again after a failure */
    char reason[160];   /* of the last failure; "" for none */
};

void nft_watch_open(struct nft_watch *watch);
void nft_watch_close(struct nft_watch *watch);
/* Takes in what has come, lists where needed. True if anything changed since the last call. */
bool nft_watch_run(struct nft_watch *watch);
void nft_watch_wait(const struct nft_watch *watch);
/* Lists now what our own transaction made, and passes over its events. `all`: it has made all that
 * was to be, so what is there is ours. */
void nft_watch_look(struct nft_watch *watch, bool all);

/* Whether an event is about our table. */
bool nft_parse_event(const struct nlmsghdr *message);
/* Takes a message of a listing into the state: tables, chains and sets before rules and elements.
 */
void nft_parse_listed(struct nft_state *state, const struct nlmsghdr *message);
/* To be called at the end: strange sets lose their elements, all is sorted. */
void nft_parse_finish(struct nft_state *state);

#endif
