/* bgp_reply.h - cuts what an FRR daemon sends on its vty socket into answers.
 *
 * After each command (ended by a NUL) the daemon sends the command's output, three NULs and a
 * status byte: lib/vty.c, vtysh_read(); vtysh/vtysh.c, vtysh_client_run(). Output holds no NUL.
 * Pure. */
#ifndef BGP_BGP_REPLY_H
#define BGP_BGP_REPLY_H

#include <stddef.h>
#include <sys/types.h>

enum {
    BGP_REPLY_OK = 0,            /* CMD_SUCCESS, lib/command.h */
    BGP_REPLY_TAIL = 4,          /* bytes after the output */
    BGP_REPLY_BYTES = 256 << 20, /* no answer of FRR is longer; past that it is not FRR */
};

struct bgp_reply {
    const char *text; /* within the bytes that were given; not NUL-terminated by contract */
    size_t len;
    int status; /* 0-255, BGP_REPLY_OK or an error's number */
};

/* Looks for an answer at the start of `bytes`; `*scanned` (0 at first) is how much of it is known
 * to hold no NUL. Returns how many bytes the answer takes, 0 if it is not complete yet, or -EPROTO
 * if this is not the protocol. */
ssize_t bgp_reply_next(const char *bytes, size_t len, size_t *scanned, struct bgp_reply *ret_reply);

#endif
