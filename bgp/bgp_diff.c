#include "bgp/bgp_diff_parts.h"

#include "model/ids.h"

#include <stdio.h>
#include <string.h>

void diff_enter(struct bgp_change *change, const struct bgp_instance *instance)
{
    change->commands.asn = instance->asn;
    change->commands.network_id = instance->network_id;
}

struct step *diff_add_step(struct diff *diff, enum plan_phase phase, enum step_action action,
                           const char *tenant, const char *object)
{
    struct step *step = plan_add(diff->plan, "bgp", phase, action, tenant, object);

    step->data = arena_alloc(diff->arena, sizeof(struct bgp_change));
    return step;
}

const char *diff_vrf(struct diff *diff, const struct bgp_instance *instance)
{
    char vrf[IFNAME_TEXT];

    return arena_strdup(diff->arena, ids_vrf_name(instance->network_id, vrf));
}

/* The object that an instance is: its network, or, if no neighbor tells, its VRF. */
static const char *object_of(struct diff *diff, const struct bgp_instance *instance)
{
    return instance->network[0] ? arena_strdup(diff->arena, instance->network)
                                : diff_vrf(diff, instance);
}

void diff_join(struct diff *diff, const char **text, const char *part)
{
    *text = arena_printf(diff->arena, "%s%s%s", *text, (*text)[0] ? ", " : "", part);
}

static void delete_instance(struct diff *diff, const struct bgp_instance *seen)
{
    struct step *step =
        diff_add_step(diff, PHASE_BGP_DELETE, STEP_DELETE, seen->tenant, object_of(diff, seen));
    struct bgp_change *change = step->data;
    const char *peers = "";

    for (size_t i = 0; i < seen->n_peers; i++) {
        char text[ADDR_TEXT];

        if (i < 8) {
            diff_join(diff, &peers, addr_print(&seen->peers[i].address, text));
        }
        diff_leave_policies(diff, &seen->peers[i], step);
    }
    step->disruptive = true;
    step->summary =
        arena_printf(diff->arena, "BGP instance of AS %u in %s with %zu peer%s%s%s%s", seen->asn,
                     diff_vrf(diff, seen), seen->n_peers, seen->n_peers == 1 ? "" : "s",
                     seen->n_peers ? ": " : "", peers, seen->n_peers > 8 ? ", ..." : "");
    bgp_command_add(diff->arena, &change->commands, "no router bgp %u vrf %s", seen->asn,
                    diff_vrf(diff, seen));
}

/* The networks of one family that are to be announced or not any more. */
static void update_networks(struct diff *diff, const struct bgp_instance *wanted,
                            const struct bgp_instance *seen, int family,
                            struct bgp_commands *commands, const char **notes)
{
    size_t i = 0, j = 0;

    while (i < wanted->n_networks || j < seen->n_networks) {
        int order = i == wanted->n_networks ? 1
                    : j == seen->n_networks ? -1
                                            : prefix_cmp(&wanted->networks[i], &seen->networks[j]);
        const struct prefix *prefix = order > 0 ? &seen->networks[j] : &wanted->networks[i];
        char text[PREFIX_TEXT];

        i += order <= 0;
        j += order >= 0;
        if (order && prefix->addr.family == family) {
            prefix_print(prefix, text);
            bgp_command_add(diff->arena, commands, "%snetwork %s", order > 0 ? "no " : "", text);
            diff_join(
                diff, notes,
                arena_printf(diff->arena, "%sannounce %s", order > 0 ? "no longer " : "", text));
        }
    }
}

/* Likewise what they are announced as. The command takes the place of one for the same prefix. */
static void update_aggregates(struct diff *diff, const struct bgp_instance *wanted,
                              const struct bgp_instance *seen, int family,
                              struct bgp_commands *commands, const char **notes)
{
    size_t i = 0, j = 0;

    while (i < wanted->n_aggregates || j < seen->n_aggregates) {
        int order = i == wanted->n_aggregates ? 1
                    : j == seen->n_aggregates
                        ? -1
                        : prefix_cmp(&wanted->aggregates[i].prefix, &seen->aggregates[j].prefix);
        const struct bgp_aggregate *aggregate =
            order > 0 ? &seen->aggregates[j] : &wanted->aggregates[i];
        bool same = !order && aggregate->summary_only == seen->aggregates[j].summary_only;
        char text[PREFIX_TEXT];

        i += order <= 0;
        j += order >= 0;
        if (!same && aggregate->prefix.addr.family == family) {
            const char *line =
                arena_printf(diff->arena, "%saggregate-address %s%s", order > 0 ? "no " : "",
                             prefix_print(&aggregate->prefix, text),
                             aggregate->summary_only ? " summary-only" : "");

            bgp_command_add(diff->arena, commands, "%s", line);
            diff_join(diff, notes, line);
        }
    }
}

static void update_announcements(struct diff *diff, const struct bgp_instance *wanted,
                                 const struct bgp_instance *seen, int family,
                                 struct bgp_change *change, const char **notes)
{
    struct bgp_commands commands = {0};

    update_aggregates(diff, wanted, seen, family, &commands, notes);
    update_networks(diff, wanted, seen, family, &commands, notes);
    if (commands.n) {
        bgp_command_add(diff->arena, &change->commands, "%s", bgp_command_family(family));
        bgp_command_append(diff->arena, &change->commands, &commands);
        bgp_command_add(diff->arena, &change->commands, "exit-address-family");
    }
}

void diff_undo(struct diff *diff, struct bgp_commands *commands, const struct bgp_extra *extras,
               size_t n, const char **notes)
{
    for (size_t i = 0; i < n; i++) {
        if (extras[i].section[0]) {
            bgp_command_add(diff->arena, commands, "%s", extras[i].section);
        }
        bgp_command_undo(diff->arena, commands, extras[i].line);
        if (extras[i].section[0]) {
            bgp_command_add(diff->arena, commands, "exit-address-family");
        }
        diff_join(diff, notes, arena_printf(diff->arena, "without \"%s\"", extras[i].line));
    }
}

static void set_flag(struct diff *diff, struct bgp_change *change, bool wanted, bool seen,
                     const char *line, const char **notes)
{
    if (wanted != seen) {
        bgp_command_add(diff->arena, &change->commands, "%s", line);
        diff_join(diff, notes, line);
    }
}

static void update_settings(struct diff *diff, const struct bgp_instance *wanted,
                            const struct bgp_instance *seen, struct step *step, const char **notes)
{
    struct bgp_change *change = step->data;
    char from[ADDR_TEXT] = "", to[ADDR_TEXT];

    if (!addr_equal(&wanted->router_id, &seen->router_id)) {
        addr_print(&wanted->router_id, to);
        if (seen->router_id.family) {
            addr_print(&seen->router_id, from);
            step->disruptive = true;
        }
        bgp_command_add(diff->arena, &change->commands, "bgp router-id %s", to);
        diff_join(diff, notes,
                  arena_printf(diff->arena, "router id %s%s%s", from, from[0] ? " -> " : "", to));
    }
    set_flag(diff, change, wanted->plain, seen->plain, "no bgp default ipv4-unicast", notes);
    set_flag(diff, change, wanted->unchecked, seen->unchecked, "no bgp network import-check",
             notes);
    set_flag(diff, change, wanted->logs, seen->logs, "bgp log-neighbor-changes", notes);
    set_flag(diff, change, wanted->relaxed, seen->relaxed, "bgp bestpath as-path multipath-relax",
             notes);
    set_flag(diff, change, wanted->preserves, seen->preserves,
             wanted->preserves ? "bgp graceful-restart preserve-fw-state"
                               : "no bgp graceful-restart preserve-fw-state",
             notes);
    if (wanted->coalesce_ms != seen->coalesce_ms) {
        set_flag(diff, change, true, false,
                 arena_printf(diff->arena, "coalesce-time %u", wanted->coalesce_ms), notes);
    }
}

/* Makes the instance's own lines those that are wanted; `seen` is an empty one if there is none. */
static void update_instance(struct diff *diff, const struct bgp_instance *wanted,
                            const struct bgp_instance *seen, bool create)
{
    struct step *step;
    struct bgp_change *change;
    const char *notes = "";
    size_t n_steps = diff->plan->n_steps;

    step = diff_add_step(diff, PHASE_BGP_CREATE, create ? STEP_CREATE : STEP_UPDATE, wanted->tenant,
                         wanted->network);
    change = step->data;
    change->network_id = wanted->network_id;
    diff_enter(change, wanted);
    update_settings(diff, wanted, seen, step, &notes);
    diff_undo(diff, &change->commands, seen->extras, seen->n_extras, &notes);
    update_announcements(diff, wanted, seen, AF_INET, change, &notes);
    update_announcements(diff, wanted, seen, AF_INET6, change, &notes);
    if (create) {
        step->summary = arena_printf(
            diff->arena, "BGP instance of AS %u in %s announcing %zu prefix%s", wanted->asn,
            diff_vrf(diff, wanted), wanted->n_networks, wanted->n_networks == 1 ? "" : "es");
    } else if (notes[0]) {
        step->summary = arena_printf(diff->arena, "BGP instance of AS %u in %s: %s", wanted->asn,
                                     diff_vrf(diff, wanted), notes);
    } else {
        diff->plan->n_steps = n_steps;
    }
}

static void diff_peers(struct diff *diff, const struct bgp_instance *wanted,
                       const struct bgp_instance *seen)
{
    size_t i = 0, j = 0;

    while (i < wanted->n_peers || j < seen->n_peers) {
        int order = i == wanted->n_peers ? 1
                    : j == seen->n_peers
                        ? -1
                        : addr_cmp(&wanted->peers[i].address, &seen->peers[j].address);

        if (order > 0) {
            diff_delete_peer(diff, wanted, seen, &seen->peers[j]);
        } else {
            diff_update_peer(diff, wanted, &wanted->peers[i], order ? NULL : &seen->peers[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
}

/* --- all ------------------------------------------------------------------------------------- */

static void refuse_foreign(struct diff *diff, const struct bgp_instance *wanted,
                           const struct bgp_instance *seen)
{
    struct step *step =
        diff_add_step(diff, PHASE_BGP_CREATE, STEP_CREATE, wanted->tenant, wanted->network);
    struct bgp_change *change = step->data;

    step->summary = arena_printf(diff->arena, "BGP instance of AS %u in %s", wanted->asn,
                                 diff_vrf(diff, wanted));
    change->refusal = arena_printf(
        diff->arena,
        "FRR has a BGP instance of AS %u in %s that is not routerd's; if it is not needed, remove "
        "it in vtysh with \"no router bgp %u vrf %s\"",
        seen->asn, diff_vrf(diff, wanted), seen->asn, diff_vrf(diff, wanted));
}

static void diff_instance(struct diff *diff, const struct bgp_instance *wanted,
                          const struct bgp_instance *seen)
{
    static const struct bgp_instance NONE = {.tenant = "", .network = ""};
    bool fresh = !seen || (wanted && wanted->asn != seen->asn);

    if (seen && !seen->ours) {
        if (wanted) {
            refuse_foreign(diff, wanted, seen);
        }
        return;
    }
    if (seen && (!wanted || fresh)) {
        delete_instance(diff, seen);
    }
    if (wanted) {
        update_instance(diff, wanted, fresh ? &NONE : seen, fresh);
        diff_peers(diff, wanted, fresh ? &NONE : seen);
    }
}

static void purge_vrfs(struct diff *diff, const struct bgp_residue *residue)
{
    for (size_t i = 0; i < residue->n_vrfs; i++) {
        const struct bgp_instance key = {.network_id = residue->vrfs[i]};
        const struct bgp_instance *seen = bgp_state_find(diff->seen, key.network_id);
        struct bgp_change *change;
        struct step *step;

        if (bgp_state_find(diff->wanted, key.network_id)) {
            continue;
        }
        step = diff_add_step(diff, PHASE_BGP_PURGE, STEP_DELETE, seen ? seen->tenant : "",
                             seen ? object_of(diff, seen) : diff_vrf(diff, &key));
        step->summary = arena_printf(diff->arena, "zebra's memory of %s", diff_vrf(diff, &key));
        change = step->data;
        change->daemon = BGP_ZEBRA;
        change->not_ready = "Only inactive VRFs";
        bgp_command_add(diff->arena, &change->commands, "no vrf %s", diff_vrf(diff, &key));
    }
}

/* When FRR reads its boot file each daemon gets the policies, and only bgpd's are kept right. */
static void purge_policies(struct diff *diff, const struct bgp_state *zebra)
{
    struct bgp_change *change;
    struct step *step;

    if (!zebra || !zebra->n_policies) {
        return;
    }
    step = diff_add_step(diff, PHASE_BGP_PURGE, STEP_DELETE, "", "policies");
    step->summary =
        arena_printf(diff->arena, "zebra's copies of %zu BGP policies", zebra->n_policies);
    change = step->data;
    change->daemon = BGP_ZEBRA;
    for (size_t i = 0; i < zebra->n_policies; i++) {
        bgp_command_drop(diff->arena, &change->commands, zebra->policies[i]);
    }
}

void bgp_diff(const struct bgp_state *wanted, const struct bgp_state *seen,
              const struct bgp_residue *residue, struct plan *plan)
{
    struct diff diff = {.wanted = wanted, .seen = seen, .plan = plan, .arena = plan->arena};
    size_t i = 0, j = 0;

    diff.used = arena_calloc(diff.arena, seen->n_policies, sizeof *diff.used);
    diff.users = arena_calloc(diff.arena, seen->n_policies, sizeof(struct step *));
    diff_name_policies(&diff);
    while (i < wanted->n_instances || j < seen->n_instances) {
        const struct bgp_instance *a = i < wanted->n_instances ? &wanted->instances[i] : NULL;
        const struct bgp_instance *b = j < seen->n_instances ? &seen->instances[j] : NULL;
        bool take_a = a && (!b || a->network_id <= b->network_id);
        bool take_b = b && (!a || b->network_id <= a->network_id);

        diff_instance(&diff, take_a ? a : NULL, take_b ? b : NULL);
        i += take_a;
        j += take_b;
    }
    diff_drop_policies(&diff);
    if (residue && residue->bfd) {
        diff_bfd(&diff, residue->bfd);
    }
    if (residue) {
        purge_vrfs(&diff, residue);
        purge_policies(&diff, residue->state);
    }
}
