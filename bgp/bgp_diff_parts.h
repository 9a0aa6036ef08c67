/* bgp_diff_parts.h - what bgp_diff.c (all and networks), bgp_peer_diff.c, bgp_policy_diff.c and
 * bgp_bfd_diff.c share; nobody else includes it. Pure. */
#ifndef BGP_BGP_DIFF_PARTS_H
#define BGP_BGP_DIFF_PARTS_H

#include "bgp/bgp_diff.h"

struct diff {
    const struct bgp_state *wanted, *seen;
    struct plan *plan;
    struct arena *arena; /* the plan's */
    /* in the order of wanted->policies: each with its name, and how it is made if it is not there
     */
    struct bgp_making *makings;
    bool *make;
    /* in the order of seen->policies: still needed; the last step of a peer that refers to it */
    bool *used;
    struct step **users;
};

/* --- bgp_diff.c --- */

/* A step with an empty struct bgp_change. */
struct step *diff_add_step(struct diff *diff, enum plan_phase phase, enum step_action action,
                           const char *tenant, const char *object);
/* Its commands are the instance's. */
void diff_enter(struct bgp_change *change, const struct bgp_instance *instance);
/* "rvrf1001" */
const char *diff_vrf(struct diff *diff, const struct bgp_instance *instance);
/* Appends a part to a text, after a comma. */
void diff_join(struct diff *diff, const char **text, const char *part);
/* Appends commands that undo lines that we never write, and says so in `notes`. */
void diff_undo(struct diff *diff, struct bgp_commands *commands, const struct bgp_extra *extras,
               size_t n, const char **notes);

/* --- bgp_peer_diff.c --- */

/* The neighbor is there and not wanted; `instance` is the one that it is in. */
void diff_delete_peer(struct diff *diff, const struct bgp_instance *wanted,
                      const struct bgp_instance *instance, const struct bgp_peer *seen);
/* Makes it what is wanted; `seen` is null if it is not there. */
void diff_update_peer(struct diff *diff, const struct bgp_instance *instance,
                      const struct bgp_peer *wanted, const struct bgp_peer *seen);

/* --- bgp_policy_diff.c --- */

/* Gives each wanted policy the name of one that is there and says the same, or a new name. First.
 */
void diff_name_policies(struct diff *diff);
/* The name by which commands refer to a wanted policy; `change` makes it if need be. */
const char *diff_policy_name(struct diff *diff, struct bgp_change *change,
                             const struct bgp_policy *wanted);
/* A peer goes on with this policy, one of seen's. */
void diff_keep_policy(struct diff *diff, const struct bgp_policy *seen);
/* Notes that a step may be the one after which nobody refers to the peer's policies any more. */
void diff_leave_policies(struct diff *diff, const struct bgp_peer *seen, struct step *step);
/* Has policies dropped that nobody needs, each with the step that leaves it, or in a step of its
 * own. Last. */
void diff_drop_policies(struct diff *diff);

/* --- bgp_bfd_diff.c --- */

/* The profiles of bfdd, whose running configuration is `seen`. */
void diff_bfd(struct diff *diff, const struct bgp_state *seen);

#endif
