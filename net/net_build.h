/* net_build.h - putting one step together: its operations and the sentence that tells people of
 * them. Inside net only, pure. */
#ifndef NET_NET_BUILD_H
#define NET_NET_BUILD_H

#include "model/arena.h"
#include "net/net_change.h"

struct net_build {
    struct plan *plan;
    const char *interface;     /* that operations are about, or null; borrowed */
    struct net_change *change; /* null: no operation yet */
    const char *link;          /* the interface's name in the plan's arena; with the change */
    const char *words;         /* "address 10.1.0.1/24 added, set up", or null */
    bool disruptive;
};

struct net_build net_build_start(struct plan *plan, const char *link);
/* Appends an operation on the build's interface. */
struct net_op *net_build_op(struct net_build *build, enum net_op_kind kind, enum net_round round);
void net_build_route(struct net_build *build, enum net_op_kind kind, enum net_round round,
                     const struct net_route *route);
/* Appends to the words. */
void net_build_say(struct net_build *build, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Makes it a step of the plan, with `summary` as it is. */
void net_build_finish(struct net_build *build, enum plan_phase phase, enum step_action action,
                      const char *tenant, const char *object, const char *summary);

/* Whose table it is, by the VRF that is seen or wanted: the tenant ("" if nobody's is there), and
 * the network or "table 1001" in *ret_object. */
const char *net_build_owner(struct plan *plan, struct net_state *wanted, struct net_state *seen,
                            uint32_t table, const char **ret_object);
/* The tenant and the rest of the path in an alias of ours: "routerd:bio/genome/segment/campus". */
const char *net_build_split(struct arena *arena, const char *alias, const char **ret_object);
/* The VRF's name for a table; "" for one that cannot be ours. */
const char *net_vrf_of_table(uint32_t table, char buffer[IFNAME_TEXT]);

/* The operations that make `seen` (null: nothing is there, or a new interface) as wanted; in
 * net_link_diff.c. */
void net_build_link(struct net_build *build, struct net_state *seen_state,
                    const struct net_link *wanted, const struct net_link *seen);
/* Those that undo an interface of ours: delete it, or where Open vSwitch made it, let go of it. */
void net_build_undo(struct net_build *build, const struct net_link *seen);
/* Whether making it as wanted takes it down for a moment, by which it loses its routes and IPv6
 * addresses. */
bool net_link_cycles(const struct net_state *seen_state, const struct net_link *wanted,
                     const struct net_link *seen);
/* "interface rseg12 in rvrf1001 with 10.1.0.1/24", in the arena. */
const char *net_link_words(struct arena *arena, const struct net_link *wanted);

#endif
