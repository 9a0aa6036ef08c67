#include "bgp/bgp_diff_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where a state keeps a policy; `policy` is one of its own, or, without a name, one that is wanted.
 */
static size_t slot_of(const struct bgp_state *state, const struct bgp_policy *policy)
{
    size_t slot = bgp_state_policy_slot(state, policy);

    while (policy->name && state->policies[slot] != policy) {
        slot++; /* the same under several names */
    }
    return slot;
}

static bool name_is_taken(const struct bgp_state *seen, const struct bgp_policy *policy,
                          const char *name)
{
    for (size_t i = 0; i < seen->n_policies; i++) {
        if (seen->policies[i]->kind == policy->kind && !strcmp(seen->policies[i]->name, name)) {
            return true;
        }
    }
    return false;
}

/* The copies, in the plan's arena, of the lists that a map refers to: they have names already, as
 * lists come before maps. */
static void name_lists(struct diff *diff, struct bgp_policy *map)
{
    for (size_t i = 0; i < BGP_LISTS; i++) {
        if (map->lists[i]) {
            map->lists[i] = diff->makings[slot_of(diff->wanted, map->lists[i])].policy;
        }
    }
}

void diff_name_policies(struct diff *diff)
{
    size_t n = diff->wanted->n_policies;

    diff->makings = arena_calloc(diff->arena, n, sizeof *diff->makings);
    diff->make = arena_calloc(diff->arena, n, sizeof *diff->make);
    for (size_t i = 0; i < n; i++) {
        const struct bgp_policy *wanted = diff->wanted->policies[i];
        const struct bgp_policy *found = bgp_state_find_policy(diff->seen, wanted);
        struct bgp_policy *named = arena_alloc(diff->arena, sizeof *named);
        unsigned int copy = 1;

        *named = *wanted;
        diff->makings[i].policy = named;
        diff->make[i] = !found;
        name_lists(diff, named);
        if (found) {
            diff_keep_policy(diff, found);
            named->name = arena_strdup(diff->arena, found->name);
            continue;
        }
        named->body = arena_strdup(diff->arena, wanted->body);
        named->name = arena_printf(diff->arena, BGP_POLICY_MARK "%016" PRIx64, wanted->digest);
        while (name_is_taken(diff->seen, wanted, named->name)) {
            named->name = arena_printf(diff->arena, BGP_POLICY_MARK "%016" PRIx64 "-%u",
                                       wanted->digest, ++copy);
        }
        bgp_command_make(diff->arena, &diff->makings[i].commands, named);
    }
}

const char *diff_policy_name(struct diff *diff, struct bgp_change *change,
                             const struct bgp_policy *wanted)
{
    size_t slot = slot_of(diff->wanted, wanted);

    if (diff->make[slot]) {
        for (size_t i = 0; i < BGP_LISTS; i++) {
            if (wanted->lists[i]) {
                diff_policy_name(diff, change, wanted->lists[i]);
            }
        }
        change->makings = arena_grow(diff->arena, change->makings, change->n_makings,
                                     &change->makings_capacity, sizeof *change->makings);
        change->makings[change->n_makings++] = &diff->makings[slot];
    }
    return diff->makings[slot].policy->name;
}

static void leave(struct diff *diff, const struct bgp_policy *policy, struct step *step)
{
    struct step **user = &diff->users[slot_of(diff->seen, policy)];

    if (!*user || (*user)->phase <= step->phase) {
        *user = step;
    }
    for (size_t i = 0; i < BGP_LISTS; i++) {
        if (policy->lists[i]) {
            leave(diff, policy->lists[i], step);
        }
    }
}

void diff_leave_policies(struct diff *diff, const struct bgp_peer *seen, struct step *step)
{
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        for (size_t j = 0; j < BGP_USES; j++) {
            if (seen->families[i].uses[j]) {
                leave(diff, seen->families[i].uses[j], step);
            }
        }
    }
}

void diff_keep_policy(struct diff *diff, const struct bgp_policy *seen)
{
    diff->used[slot_of(diff->seen, seen)] = true;
    for (size_t i = 0; i < BGP_LISTS; i++) {
        if (seen->lists[i]) {
            diff_keep_policy(diff, seen->lists[i]);
        }
    }
}

static void add_drop(struct diff *diff, struct bgp_change *change, const struct bgp_policy *policy)
{
    struct bgp_policy *copy = arena_alloc(diff->arena, sizeof *copy);

    *copy =
        (struct bgp_policy){.kind = policy->kind, .name = arena_strdup(diff->arena, policy->name)};
    change->drops = arena_grow(diff->arena, change->drops, change->n_drops, &change->drops_capacity,
                               sizeof *change->drops);
    change->drops[change->n_drops++] = copy;
}

void diff_drop_policies(struct diff *diff)
{
    struct step *orphans = NULL;

    for (size_t i = 0; i < diff->seen->n_policies; i++) {
        struct step *step = diff->users[i];

        if (diff->used[i] || diff->seen->policies[i]->missing) {
            continue;
        }
        if (!step) {
            if (!orphans) {
                orphans = diff_add_step(diff, PHASE_BGP_CREATE, STEP_DELETE, "", "policies");
                orphans->summary = "BGP policies that no peer uses";
            }
            step = orphans;
        }
        add_drop(diff, step->data, diff->seen->policies[i]);
    }
}
