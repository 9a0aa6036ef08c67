/* Limits of broadcasts, from attachments to commands for nftables.
 *
 * A storm is stopped where it comes in: at the ingress of the uplink's interface, before Open
 * vSwitch gets the frame (nft(8), family netdev). That takes nothing from the interface or its
 * bridge, which may be the facility's, and works for attachments with and without a bridge of their
 * own. Each interface has a chain in our table and each limit a rule. A rule's comment is its key,
 * for people: what is seen of a rule is what it does. */
#include "ovs/ovs_state.h"

#include <ctype.h>
#include <string.h>

#define CHAIN "on-"

const char *ovs_limit_key(struct arena *arena, const struct attachment *attachment)
{
    if (!attachment->outer_vlan) {
        return arena_printf(arena, "%u %u", attachment->vlan, attachment->broadcast_limit);
    }
    return arena_printf(arena, "%u.%u%s %u", attachment->outer_vlan, attachment->vlan,
                        attachment->outer_is_8021q ? "q" : "", attachment->broadcast_limit);
}

/* Interfaces may have characters in their names that chains may not. */
const char *ovs_limit_chain(struct arena *arena, const char *interface)
{
    char *name = arena_strdup(arena, interface);

    for (char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c)) {
            *c = '_';
        }
    }
    return arena_printf(arena, CHAIN "%s", name);
}

static const char *vlan_match(struct arena *arena, const struct attachment *attachment)
{
    if (!attachment->outer_vlan) {
        return arena_printf(arena, "vlan id %u", attachment->vlan);
    }
    return arena_printf(arena, "ether type %s vlan id %u vlan type 8021q vlan id %u",
                        attachment->outer_is_8021q ? "8021q" : "8021ad", attachment->outer_vlan,
                        attachment->vlan);
}

static const char *add_rule(struct arena *arena, const struct ovs_limit *limit)
{
    unsigned int rate = limit->attachment->broadcast_limit;

    return arena_printf(arena,
                        "add rule " OVS_NFT_TABLE " %s ether daddr ff:ff:ff:ff:ff:ff %s limit rate "
                        "over %u/second burst %u packets drop comment \"%s\"\n",
                        limit->chain, vlan_match(arena, limit->attachment), rate, rate, limit->key);
}

/* The limits of one chain, wanted and seen: runs of the states' limits. */
struct part {
    const char *chain;
    const struct ovs_limit *want, *seen;
    size_t n_want, n_seen;
};

/* The chain is made anew, since somebody may have given it another hook. */
static const char *fill_chain(struct arena *arena, const struct part *part)
{
    const char *text = arena_printf(
        arena,
        "add table " OVS_NFT_TABLE "\nadd chain " OVS_NFT_TABLE " %s\nflush chain " OVS_NFT_TABLE
        " %s\ndelete chain " OVS_NFT_TABLE " %s\nadd chain " OVS_NFT_TABLE
        " %s { type filter hook ingress device \"%s\" priority %d; policy accept; }\n",
        part->chain, part->chain, part->chain, part->chain, part->want->interface,
        OVS_NFT_PRIORITY);

    for (size_t i = 0; i < part->n_want; i++) {
        text = arena_printf(arena, "%s%s", text, add_rule(arena, &part->want[i]));
    }
    return text;
}

static bool part_is_settled(const struct part *part)
{
    bool same = part->n_want == part->n_seen;

    for (size_t i = 0; same && i < part->n_want; i++) {
        same = !strcmp(part->want[i].key, part->seen[i].key);
    }
    return same;
}

/* Who knows what somebody has put into our table. */
static const char *chain_owner(const char *chain)
{
    return strncmp(chain, CHAIN, strlen(CHAIN)) ? chain : chain + strlen(CHAIN);
}

static void add_step(struct plan *plan, const struct part *part, bool last)
{
    struct arena *arena = plan->arena;
    enum step_action action = !part->n_want  ? STEP_DELETE
                              : part->n_seen ? STEP_UPDATE
                                             : STEP_CREATE;
    const char *interface = part->n_want ? part->want->interface : chain_owner(part->chain);
    struct ovs_work *work = arena_alloc(arena, sizeof *work);
    struct step *step;

    if (part->n_want) {
        work->nft = fill_chain(arena, part);
    } else if (last) {
        work->nft = "delete table " OVS_NFT_TABLE "\n";
    } else {
        work->nft = arena_printf(
            arena, "flush chain " OVS_NFT_TABLE " %s\ndelete chain " OVS_NFT_TABLE " %s\n",
            part->chain, part->chain);
    }
    step = plan_add(plan, "ovs", part->n_want ? PHASE_OVS_CREATE : PHASE_OVS_DELETE, action, "",
                    arena_printf(arena, "broadcast-limits/%s", interface));
    step->summary = part->n_want ? arena_printf(arena, "limit broadcasts of %zu VLANs of %s",
                                                part->n_want, interface)
                                 : arena_printf(arena, "no limits of broadcasts of %s", interface);
    step->data = work;
}

/* How many of the state's limits from `at` on are of the same chain. */
static size_t run_length(const struct ovs_state *state, size_t at)
{
    size_t n = 0;

    while (at + n < state->n_limits &&
           !strcmp(state->limits[at + n].chain, state->limits[at].chain)) {
        n++;
    }
    return n;
}

void ovs_limit_diff(const struct ovs_state *want, const struct ovs_state *seen, struct plan *plan)
{
    size_t w = 0, s = 0;

    while (w < want->n_limits || s < seen->n_limits) {
        struct part part = {.n_want = run_length(want, w), .n_seen = run_length(seen, s)};
        int order = !part.n_want   ? 1
                    : !part.n_seen ? -1
                                   : strcmp(want->limits[w].chain, seen->limits[s].chain);

        part.n_want = order > 0 ? 0 : part.n_want;
        part.n_seen = order < 0 ? 0 : part.n_seen;
        part.chain = order > 0 ? seen->limits[s].chain : want->limits[w].chain;
        part.want = part.n_want ? &want->limits[w] : NULL;
        part.seen = part.n_seen ? &seen->limits[s] : NULL;
        w += part.n_want;
        s += part.n_seen;
        if (!part_is_settled(&part)) {
            add_step(plan, &part, !want->n_limits && s == seen->n_limits);
        }
    }
}
