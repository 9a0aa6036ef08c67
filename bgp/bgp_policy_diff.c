#include "bgp/bgp_diff_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where a state keeps a policy; `policy` is one of its own. */
static size_t slot_of(const struct bgp_state *state, const struct bgp_policy *policy)
{
    size_t low = 0, high = state->n_policies;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bgp_policy_cmp(state->policies[middle], policy) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (state->policies[low] != policy) {
        low++; /* the same under several names */
    }
    return low;
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
        if (found) {
            diff->used[slot_of(diff->seen, found)] = true;
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
        change->makings = arena_grow(diff->arena, change->makings, change->n_makings,
                                     &change->makings_capacity, sizeof *change->makings);
        change->makings[change->n_makings++] = &diff->makings[slot];
    }
    return diff->makings[slot].policy->name;
}

void diff_leave_policies(struct diff *diff, const struct bgp_peer *seen, struct step *step)
{
    const struct bgp_policy *policies[] = {seen->in, seen->out, seen->settings};

    for (size_t i = 0; i < 3; i++) {
        if (policies[i]) {
            struct step **user = &diff->users[slot_of(diff->seen, policies[i])];

            if (!*user || (*user)->phase <= step->phase) {
                *user = step;
            }
        }
    }
}

void diff_keep_policy(struct diff *diff, const struct bgp_policy *seen)
{
    diff->used[slot_of(diff->seen, seen)] = true;
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
