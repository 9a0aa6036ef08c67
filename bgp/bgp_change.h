/* bgp_change.h - what a step of the bgp backend does: commands of FRR.
 *
 * All steps of a phase go to bgpd in one exchange: first the policies that are new, each once, then
 * the commands of each step. When that was accepted and read back, policies that nobody refers to
 * any more are dropped. Made by bgp_diff.c, in the plan's arena. */
#ifndef BGP_BGP_CHANGE_H
#define BGP_BGP_CHANGE_H

#include "bgp/bgp_state.h"
#include "model/plan.h"

enum bgp_daemon { BGP_BGPD, BGP_ZEBRA, BGP_BFDD, BGP_DAEMONS };

/* One line for a daemon. With `secret`, that secret's bytes follow `text`. */
struct bgp_command {
    const char *text;
    const char *secret;
};

/* The commands are an instance's, from its own node; or, if that is 0, the daemon's, from the
 * configuration node. They leave that node as they found it. */
struct bgp_commands {
    uint32_t asn, network_id;
    struct bgp_command *v;
    size_t n, capacity;
};

/* A policy that is to be made, unless another step of the exchange has made it. */
struct bgp_making {
    const struct bgp_policy *policy; /* with its name */
    struct bgp_commands commands;
    /* of the exchange that carries it out */
    bool sent;
    const char *refusal; /* why it could not be made; null: it could */
};

struct bgp_change {
    const char *refusal;    /* not null: the step fails with this sentence and does nothing */
    const char *not_ready;  /* of a refused command: the words that mean "not yet"; null: none */
    enum bgp_daemon daemon; /* whose commands they are; one phase is one daemon's */
    struct bgp_commands commands;
    struct bgp_making **makings;
    size_t n_makings, makings_capacity;
    const struct bgp_policy **drops; /* candidates: dropped if nobody refers to them by then */
    size_t n_drops, drops_capacity;
    uint32_t network_id; /* whose announcements change; 0: none */
    /* A peer that was changed: if it has no session, its waiting time is cut short afterwards. */
    const struct addr *kick;
};

/* Appends a command, printed into `arena`. */
void bgp_command_add(struct arena *arena, struct bgp_commands *commands, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends others. */
void bgp_command_append(struct arena *arena, struct bgp_commands *commands,
                        const struct bgp_commands *more);

/* The commands that make a policy (with a name), from the configuration node. */
void bgp_command_make(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy);
/* The command that drops it. */
void bgp_command_drop(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy);
/* "address-family ipv4 unicast" */
const char *bgp_command_family(int family);
/* Undoes a line that we never write. */
void bgp_command_undo(struct arena *arena, struct bgp_commands *commands, const char *line);

#endif
