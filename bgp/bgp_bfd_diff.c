/* The timers of BFD are profiles of bfdd, which bgpd's peers refer to by name. A name says what it
 * holds, so a peer whose timers change is switched to another profile. */
#include "bgp/bgp_diff_parts.h"

#include <string.h>

static struct bgp_change *add_step(struct diff *diff, enum plan_phase phase,
                                   enum step_action action, const char *name)
{
    struct step *step = diff_add_step(diff, phase, action, "", "bfd");
    struct bgp_change *change = step->data;

    change->daemon = BGP_BFDD;
    step->summary = arena_printf(diff->arena, "BFD profile %s", name);
    bgp_command_add(diff->arena, &change->commands, "bfd");
    return change;
}

static void make(struct diff *diff, const struct bgp_bfd_profile *wanted,
                 const struct bgp_bfd_profile *seen)
{
    struct bgp_change *change =
        add_step(diff, PHASE_BFD_CREATE, seen ? STEP_UPDATE : STEP_CREATE, wanted->name);
    struct bgp_commands *commands = &change->commands;

    if (seen && seen->odd) {
        bgp_command_add(diff->arena, commands, "no profile %s", wanted->name);
    }
    bgp_command_add(diff->arena, commands, "profile %s", wanted->name);
    bgp_command_add(diff->arena, commands, "detect-multiplier %u", wanted->multiplier);
    bgp_command_add(diff->arena, commands, "transmit-interval %u", wanted->transmit_ms);
    bgp_command_add(diff->arena, commands, "receive-interval %u", wanted->receive_ms);
    bgp_command_add(diff->arena, commands, "exit");
    bgp_command_add(diff->arena, commands, "exit");
}

static void drop(struct diff *diff, const char *name)
{
    struct bgp_change *change = add_step(diff, PHASE_BFD_DELETE, STEP_DELETE, name);

    bgp_command_add(diff->arena, &change->commands, "no profile %s",
                    arena_strdup(diff->arena, name));
    bgp_command_add(diff->arena, &change->commands, "exit");
}

static bool is_right(const struct bgp_bfd_profile *wanted, const struct bgp_bfd_profile *seen)
{
    return seen && !seen->odd && seen->transmit_ms == wanted->transmit_ms &&
           seen->receive_ms == wanted->receive_ms && seen->multiplier == wanted->multiplier;
}

void diff_bfd(struct diff *diff, const struct bgp_state *seen)
{
    for (size_t i = 0; i < diff->wanted->n_bfds; i++) {
        const struct bgp_bfd_profile *wanted = &diff->wanted->bfds[i];
        const struct bgp_bfd_profile *found = bgp_state_find_bfd(seen, wanted->name);

        if (!is_right(wanted, found)) {
            make(diff, wanted, found);
        }
    }
    for (size_t i = 0; i < seen->n_bfds; i++) {
        if (!bgp_state_find_bfd(diff->wanted, seen->bfds[i].name)) {
            drop(diff, seen->bfds[i].name);
        }
    }
}
