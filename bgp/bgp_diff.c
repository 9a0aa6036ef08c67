#include "bgp/bgp_diff.h"

#include "model/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_SHOWN = 100 }; /* bytes of a policy in a summary */

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

/* Gives each wanted policy the name of one that is there and says the same, or a new name. */
static void name_policies(struct diff *diff)
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

/* The name by which commands refer to a wanted policy; `change` makes it if need be. */
static const char *policy_name(struct diff *diff, struct bgp_change *change,
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

/* Notes that a step may be the one after which nobody refers to these any more. */
static void leave_policies(struct diff *diff, const struct bgp_peer *seen, struct step *step)
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

static void add_drop(struct diff *diff, struct bgp_change *change, const struct bgp_policy *policy)
{
    struct bgp_policy *copy = arena_alloc(diff->arena, sizeof *copy);

    *copy =
        (struct bgp_policy){.kind = policy->kind, .name = arena_strdup(diff->arena, policy->name)};
    change->drops = arena_grow(diff->arena, change->drops, change->n_drops, &change->drops_capacity,
                               sizeof *change->drops);
    change->drops[change->n_drops++] = copy;
}

static void enter_instance(struct bgp_change *change, const struct bgp_instance *instance)
{
    change->commands.asn = instance->asn;
    change->commands.network_id = instance->network_id;
}

static struct step *add_step(struct diff *diff, enum plan_phase phase, enum step_action action,
                             const char *tenant, const char *object)
{
    struct step *step = plan_add(diff->plan, "bgp", phase, action, tenant, object);

    step->data = arena_alloc(diff->arena, sizeof(struct bgp_change));
    return step;
}

/* Each policy that nobody needs goes with the step that leaves it, or in a step of its own. */
static void drop_policies(struct diff *diff)
{
    struct step *orphans = NULL;

    for (size_t i = 0; i < diff->seen->n_policies; i++) {
        struct step *step = diff->users[i];

        if (diff->used[i] || diff->seen->policies[i]->missing) {
            continue;
        }
        if (!step) {
            if (!orphans) {
                orphans = add_step(diff, PHASE_BGP_CREATE, STEP_DELETE, "", "policies");
                orphans->summary = "BGP policies that no peer uses";
            }
            step = orphans;
        }
        add_drop(diff, step->data, diff->seen->policies[i]);
    }
}

/* --- networks -------------------------------------------------------------------------------- */

static const char *vrf_of(struct diff *diff, const struct bgp_instance *instance)
{
    char vrf[IFNAME_TEXT];

    return arena_strdup(diff->arena, ids_vrf_name(instance->network_id, vrf));
}

/* The object that an instance is: its network, or, if no neighbor tells, its VRF. */
static const char *object_of(struct diff *diff, const struct bgp_instance *instance)
{
    return instance->network[0] ? arena_strdup(diff->arena, instance->network)
                                : vrf_of(diff, instance);
}

static void join(struct diff *diff, const char **text, const char *part)
{
    *text = arena_printf(diff->arena, "%s%s%s", *text, (*text)[0] ? ", " : "", part);
}

static void delete_instance(struct diff *diff, const struct bgp_instance *seen)
{
    struct step *step =
        add_step(diff, PHASE_BGP_DELETE, STEP_DELETE, seen->tenant, object_of(diff, seen));
    struct bgp_change *change = step->data;
    const char *peers = "";

    for (size_t i = 0; i < seen->n_peers; i++) {
        char text[ADDR_TEXT];

        if (i < 8) {
            join(diff, &peers, addr_print(&seen->peers[i].address, text));
        }
        leave_policies(diff, &seen->peers[i], step);
    }
    step->disruptive = true;
    step->summary =
        arena_printf(diff->arena, "BGP instance of AS %u in %s with %zu peer%s%s%s%s", seen->asn,
                     vrf_of(diff, seen), seen->n_peers, seen->n_peers == 1 ? "" : "s",
                     seen->n_peers ? ": " : "", peers, seen->n_peers > 8 ? ", ..." : "");
    bgp_command_add(diff->arena, &change->commands, "no router bgp %u vrf %s", seen->asn,
                    vrf_of(diff, seen));
}

/* The networks of one family that are to be announced or not any more. */
static void update_networks(struct diff *diff, const struct bgp_instance *wanted,
                            const struct bgp_instance *seen, int family, struct bgp_change *change,
                            const char **notes)
{
    struct bgp_commands commands = {0};
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
            bgp_command_add(diff->arena, &commands, "%snetwork %s", order > 0 ? "no " : "", text);
            join(diff, notes,
                 arena_printf(diff->arena, "%sannounce %s", order > 0 ? "no longer " : "", text));
        }
    }
    if (commands.n) {
        bgp_command_add(diff->arena, &change->commands, "%s", bgp_command_family(family));
        for (i = 0; i < commands.n; i++) {
            bgp_command_add(diff->arena, &change->commands, "%s", commands.v[i].text);
        }
        bgp_command_add(diff->arena, &change->commands, "exit-address-family");
    }
}

static void undo_extras(struct diff *diff, struct bgp_commands *commands,
                        const struct bgp_extra *extras, size_t n, const char **notes)
{
    for (size_t i = 0; i < n; i++) {
        if (extras[i].section[0]) {
            bgp_command_add(diff->arena, commands, "%s", extras[i].section);
        }
        bgp_command_undo(diff->arena, commands, extras[i].line);
        if (extras[i].section[0]) {
            bgp_command_add(diff->arena, commands, "exit-address-family");
        }
        join(diff, notes, arena_printf(diff->arena, "without \"%s\"", extras[i].line));
    }
}

static void set_flag(struct diff *diff, struct bgp_change *change, bool wanted, bool seen,
                     const char *line, const char **notes)
{
    if (wanted != seen) {
        bgp_command_add(diff->arena, &change->commands, "%s", line);
        join(diff, notes, line);
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
        join(diff, notes,
             arena_printf(diff->arena, "router id %s%s%s", from, from[0] ? " -> " : "", to));
    }
    set_flag(diff, change, wanted->plain, seen->plain, "no bgp default ipv4-unicast", notes);
    set_flag(diff, change, wanted->unchecked, seen->unchecked, "no bgp network import-check",
             notes);
    set_flag(diff, change, wanted->logs, seen->logs, "bgp log-neighbor-changes", notes);
    set_flag(diff, change, true, wanted->coalesce_ms == seen->coalesce_ms,
             arena_printf(diff->arena, "coalesce-time %u", wanted->coalesce_ms), notes);
}

/* Makes the instance's own lines those that are wanted; `seen` is an empty one if there is none. */
static void update_instance(struct diff *diff, const struct bgp_instance *wanted,
                            const struct bgp_instance *seen, bool create)
{
    struct step *step;
    struct bgp_change *change;
    const char *notes = "";
    size_t n_steps = diff->plan->n_steps;

    step = add_step(diff, PHASE_BGP_CREATE, create ? STEP_CREATE : STEP_UPDATE, wanted->tenant,
                    wanted->network);
    change = step->data;
    change->network_id = wanted->network_id;
    enter_instance(change, wanted);
    update_settings(diff, wanted, seen, step, &notes);
    undo_extras(diff, &change->commands, seen->extras, seen->n_extras, &notes);
    update_networks(diff, wanted, seen, AF_INET, change, &notes);
    update_networks(diff, wanted, seen, AF_INET6, change, &notes);
    if (create) {
        step->summary = arena_printf(
            diff->arena, "BGP instance of AS %u in %s announcing %zu prefix%s", wanted->asn,
            vrf_of(diff, wanted), wanted->n_networks, wanted->n_networks == 1 ? "" : "es");
    } else if (notes[0]) {
        step->summary = arena_printf(diff->arena, "BGP instance of AS %u in %s: %s", wanted->asn,
                                     vrf_of(diff, wanted), notes);
    } else {
        diff->plan->n_steps = n_steps;
    }
}

/* --- peers ----------------------------------------------------------------------------------- */

static void delete_peer(struct diff *diff, const struct bgp_instance *wanted,
                        const struct bgp_instance *instance, const struct bgp_peer *seen)
{
    const char *head = arena_printf(diff->arena, "%s/%s/peer/", wanted->tenant, wanted->network);
    bool ours = !strncmp(seen->description, head, strlen(head));
    const char *object = ours ? seen->description + strlen(wanted->tenant) + 1 : wanted->network;
    struct step *step = add_step(diff, PHASE_BGP_DELETE, STEP_DELETE, wanted->tenant, object);
    struct bgp_change *change = step->data;
    char address[ADDR_TEXT];

    addr_print(&seen->address, address);
    step->disruptive = true;
    step->summary = arena_printf(diff->arena, "BGP peer %s of AS %u in %s%s", address, seen->asn,
                                 vrf_of(diff, wanted), ours ? "" : ", which nobody asked for");
    change->network_id = wanted->network_id;
    enter_instance(change, instance);
    bgp_command_add(diff->arena, &change->commands, "no neighbor %s", address);
    leave_policies(diff, seen, step);
}

/* What one peer's step is being made of. */
struct peer_update {
    struct diff *diff;
    const struct bgp_peer *wanted, *seen; /* seen: an empty one if there is none */
    struct step *step;
    struct bgp_change *change;
    const char *notes;
    struct bgp_commands family; /* those inside its address family */
    char address[ADDR_TEXT];
};

static void note_number(struct peer_update *update, const char *what, uint32_t from, uint32_t to)
{
    struct arena *arena = update->diff->arena;

    join(update->diff, &update->notes,
         from ? arena_printf(arena, "%s %u -> %u", what, from, to)
              : arena_printf(arena, "%s %u", what, to));
}

static void update_password(struct peer_update *update)
{
    struct diff *diff = update->diff;
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;
    struct bgp_commands *commands = &update->change->commands;

    if (wanted->password == BGP_PASSWORD_UNREADABLE) {
        update->change->refusal = arena_strdup(diff->arena, wanted->password_problem);
        join(diff, &update->notes, "password");
    } else if (wanted->password != seen->password ||
               wanted->password_digest != seen->password_digest) {
        if (wanted->password == BGP_PASSWORD_SET) {
            bgp_command_add(diff->arena, commands, "neighbor %s password ", update->address);
            commands->v[commands->n - 1].secret =
                arena_strdup(diff->arena, wanted->peer->password_secret);
        } else {
            bgp_command_add(diff->arena, commands, "no neighbor %s password", update->address);
        }
        join(diff, &update->notes,
             wanted->password == BGP_PASSWORD_NONE ? "no password"
             : seen->password == BGP_PASSWORD_NONE ? "with a password"
                                                   : "another password");
        update->step->disruptive = true;
    }
}

static void update_timers(struct peer_update *update)
{
    struct diff *diff = update->diff;
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;
    struct bgp_commands *commands = &update->change->commands;

    if (wanted->keepalive_s == seen->keepalive_s && wanted->hold_s == seen->hold_s) {
        return;
    }
    if (wanted->hold_s) {
        bgp_command_add(diff->arena, commands, "neighbor %s timers %u %u", update->address,
                        wanted->keepalive_s, wanted->hold_s);
    } else {
        bgp_command_add(diff->arena, commands, "no neighbor %s timers", update->address);
    }
    join(diff, &update->notes,
         arena_printf(diff->arena, "keepalive %u s and hold %u s%s", wanted->keepalive_s,
                      wanted->hold_s, seen->asn ? " from the next session on" : ""));
}

/* The lines outside the address families, up to where the session may start. */
static void update_basics(struct peer_update *update)
{
    struct diff *diff = update->diff;
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;
    struct bgp_commands *commands = &update->change->commands;

    if (wanted->asn != seen->asn) {
        bgp_command_add(diff->arena, commands, "neighbor %s remote-as %u", update->address,
                        wanted->asn);
        note_number(update, "remote AS", seen->asn, wanted->asn);
        update->step->disruptive = seen->asn != 0;
    }
    if (strcmp(wanted->description, seen->description)) {
        bgp_command_add(diff->arena, commands, "neighbor %s description %s", update->address,
                        wanted->description);
        join(diff, &update->notes, "description");
    }
    update_timers(update);
    update_password(update);
    update->step->disruptive &= update->seen->asn != 0;
}

/* A policy's lines as people can read them in a summary. */
static const char *body_shown(struct diff *diff, const struct bgp_policy *policy)
{
    char *text;
    size_t len;

    if (!policy || policy->missing) {
        return "none";
    }
    text = arena_printf(diff->arena, "%.*s", BODY_SHOWN, policy->body);
    for (len = 0; text[len]; len++) {
        text[len] = text[len] == '\n' ? ',' : text[len];
    }
    if (len == BODY_SHOWN) {
        return arena_printf(diff->arena, "[%s...]", text);
    }
    text[len - (len > 0)] = '\0';
    return arena_printf(diff->arena, "[%s]", text);
}

static void update_policy(struct peer_update *update, const struct bgp_policy *wanted,
                          const struct bgp_policy *seen, const char *what, const char *direction)
{
    struct diff *diff = update->diff;

    if (seen && wanted && !bgp_policy_cmp(wanted, seen)) {
        diff->used[slot_of(diff->seen, seen)] = true;
        return;
    }
    if (wanted) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s %s %s %s", update->address,
                        wanted->kind == BGP_SETTINGS ? "route-map" : "prefix-list",
                        policy_name(diff, update->change, wanted), direction);
    }
    if (wanted || seen) {
        join(diff, &update->notes,
             arena_printf(diff->arena, "%s %s -> %s", what, body_shown(diff, seen),
                          body_shown(diff, wanted)));
    }
}

/* The lines of its address family: filters first, then what lets routes pass. */
static void update_family(struct peer_update *update)
{
    struct diff *diff = update->diff;
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;

    update_policy(update, wanted->in, seen->in, "import", "in");
    update_policy(update, wanted->out, seen->out, "export", "out");
    update_policy(update, wanted->settings, seen->settings, "export attributes", "out");
    if (!wanted->settings && seen->out_map) {
        bgp_command_add(diff->arena, &update->family, "no neighbor %s route-map %s out",
                        update->address, seen->out_map);
        join(diff, &update->notes, "no route map");
    }
    if (wanted->max_prefixes &&
        (wanted->max_prefixes != seen->max_prefixes || wanted->restart_min != seen->restart_min)) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s maximum-prefix %u restart %u",
                        update->address, wanted->max_prefixes, wanted->restart_min);
        note_number(update, "maximum prefixes", seen->max_prefixes, wanted->max_prefixes);
    } else if (!wanted->max_prefixes && seen->max_prefixes) {
        bgp_command_add(diff->arena, &update->family, "no neighbor %s maximum-prefix",
                        update->address);
        join(diff, &update->notes, "no maximum of prefixes");
    }
    if (!seen->active) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s activate", update->address);
        join(diff, &update->notes, "active");
    }
}

/* Adds the lines of the family, and then how often to connect: that command starts the session, in
 * FRR 8.4 even before the family is active, and then the peer is refused; so it comes last. */
static void attach_family(struct peer_update *update)
{
    struct diff *diff = update->diff;
    struct bgp_commands *commands = &update->change->commands;
    bool connect = update->wanted->connect_s != update->seen->connect_s;

    if (update->family.n) {
        bgp_command_add(diff->arena, commands, "%s",
                        bgp_command_family(update->wanted->address.family));
        for (size_t i = 0; i < update->family.n; i++) {
            bgp_command_add(diff->arena, commands, "%s", update->family.v[i].text);
        }
        bgp_command_add(diff->arena, commands, "exit-address-family");
    }
    if (connect) {
        bgp_command_add(diff->arena, commands, "neighbor %s timers connect %u", update->address,
                        update->wanted->connect_s);
        join(diff, &update->notes, "connect timer");
    }
}

static const char *created(struct diff *diff, const struct bgp_instance *instance,
                           const struct bgp_peer *wanted, const char *address)
{
    const char *limit = !wanted->max_prefixes ? ""
                                              : arena_printf(diff->arena, ", at most %u prefixes",
                                                             wanted->max_prefixes);

    return arena_printf(diff->arena, "BGP peer %s of AS %u in %s%s%s", address, wanted->asn,
                        vrf_of(diff, instance), limit,
                        wanted->password == BGP_PASSWORD_NONE ? "" : ", with a password");
}

static void update_peer(struct diff *diff, const struct bgp_instance *instance,
                        const struct bgp_peer *wanted, const struct bgp_peer *seen)
{
    static const struct bgp_peer NONE = {.description = ""};
    struct peer_update update = {diff, wanted, seen ? seen : &NONE, .notes = ""};
    size_t n_steps = diff->plan->n_steps;
    struct bgp_commands extras = {0};

    addr_print(&wanted->address, update.address);
    update.step = add_step(diff, PHASE_BGP_CREATE, seen ? STEP_UPDATE : STEP_CREATE,
                           instance->tenant, wanted->description + strlen(instance->tenant) + 1);
    update.change = update.step->data;
    update.change->network_id = instance->network_id;
    enter_instance(update.change, instance);
    update_basics(&update);
    update_family(&update);
    undo_extras(diff, &extras, update.seen->extras, update.seen->n_extras, &update.notes);
    attach_family(&update);
    for (size_t i = 0; i < extras.n; i++) {
        bgp_command_add(diff->arena, &update.change->commands, "%s", extras.v[i].text);
    }
    if (!update.notes[0]) {
        diff->plan->n_steps = n_steps;
        return;
    }
    update.step->summary = seen ? arena_printf(diff->arena, "BGP peer %s in %s: %s", update.address,
                                               vrf_of(diff, instance), update.notes)
                                : created(diff, instance, wanted, update.address);
    if (seen) {
        struct addr *kick = arena_alloc(diff->arena, sizeof *kick);

        *kick = wanted->address;
        update.change->kick = kick;
        leave_policies(diff, seen, update.step);
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
            delete_peer(diff, wanted, seen, &seen->peers[j]);
        } else {
            update_peer(diff, wanted, &wanted->peers[i], order ? NULL : &seen->peers[j]);
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
        add_step(diff, PHASE_BGP_CREATE, STEP_CREATE, wanted->tenant, wanted->network);
    struct bgp_change *change = step->data;

    step->summary =
        arena_printf(diff->arena, "BGP instance of AS %u in %s", wanted->asn, vrf_of(diff, wanted));
    change->refusal = arena_printf(
        diff->arena,
        "FRR has a BGP instance of AS %u in %s that is not routerd's; if it is not needed, remove "
        "it in vtysh with \"no router bgp %u vrf %s\"",
        seen->asn, vrf_of(diff, wanted), seen->asn, vrf_of(diff, wanted));
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
        step = add_step(diff, PHASE_BGP_PURGE, STEP_DELETE, seen ? seen->tenant : "",
                        seen ? object_of(diff, seen) : vrf_of(diff, &key));
        step->summary = arena_printf(diff->arena, "zebra's memory of %s", vrf_of(diff, &key));
        change = step->data;
        change->zebra = true;
        change->not_ready = "Only inactive VRFs";
        bgp_command_add(diff->arena, &change->commands, "no vrf %s", vrf_of(diff, &key));
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
    step = add_step(diff, PHASE_BGP_PURGE, STEP_DELETE, "", "policies");
    step->summary =
        arena_printf(diff->arena, "zebra's copies of %zu BGP policies", zebra->n_policies);
    change = step->data;
    change->zebra = true;
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
    name_policies(&diff);
    while (i < wanted->n_instances || j < seen->n_instances) {
        const struct bgp_instance *a = i < wanted->n_instances ? &wanted->instances[i] : NULL;
        const struct bgp_instance *b = j < seen->n_instances ? &seen->instances[j] : NULL;
        bool take_a = a && (!b || a->network_id <= b->network_id);
        bool take_b = b && (!a || b->network_id <= a->network_id);

        diff_instance(&diff, take_a ? a : NULL, take_b ? b : NULL);
        i += take_a;
        j += take_b;
    }
    drop_policies(&diff);
    if (residue) {
        purge_vrfs(&diff, residue);
        purge_policies(&diff, residue->state);
    }
}
