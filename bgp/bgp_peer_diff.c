#include "bgp/bgp_diff_parts.h"

#include <string.h>

enum { BODY_SHOWN = 100 }; /* bytes of a policy in a summary */

void diff_delete_peer(struct diff *diff, const struct bgp_instance *wanted,
                      const struct bgp_instance *instance, const struct bgp_peer *seen)
{
    const char *head = arena_printf(diff->arena, "%s/%s/peer/", wanted->tenant, wanted->network);
    bool ours = !strncmp(seen->description, head, strlen(head));
    const char *object = ours ? seen->description + strlen(wanted->tenant) + 1 : wanted->network;
    struct step *step = diff_add_step(diff, PHASE_BGP_DELETE, STEP_DELETE, wanted->tenant, object);
    struct bgp_change *change = step->data;
    char address[ADDR_TEXT];

    addr_print(&seen->address, address);
    step->disruptive = true;
    step->summary = arena_printf(diff->arena, "BGP peer %s of AS %u in %s%s", address, seen->asn,
                                 diff_vrf(diff, wanted), ours ? "" : ", which nobody asked for");
    change->network_id = wanted->network_id;
    diff_enter(change, instance);
    bgp_command_add(diff->arena, &change->commands, "no neighbor %s", address);
    diff_leave_policies(diff, seen, step);
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

    diff_join(update->diff, &update->notes,
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
        diff_join(diff, &update->notes, "password");
    } else if (wanted->password != seen->password ||
               wanted->password_digest != seen->password_digest) {
        if (wanted->password == BGP_PASSWORD_SET) {
            bgp_command_add(diff->arena, commands, "neighbor %s password ", update->address);
            commands->v[commands->n - 1].secret =
                arena_strdup(diff->arena, wanted->peer->password_secret);
        } else {
            bgp_command_add(diff->arena, commands, "no neighbor %s password", update->address);
        }
        diff_join(diff, &update->notes,
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
    diff_join(diff, &update->notes,
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
    if (strcmp(wanted->description, seen->description) != 0) {
        bgp_command_add(diff->arena, commands, "neighbor %s description %s", update->address,
                        wanted->description);
        diff_join(diff, &update->notes, "description");
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
        diff_keep_policy(diff, seen);
        return;
    }
    if (wanted) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s %s %s %s", update->address,
                        wanted->kind == BGP_SETTINGS ? "route-map" : "prefix-list",
                        diff_policy_name(diff, update->change, wanted), direction);
    }
    if (wanted || seen) {
        diff_join(diff, &update->notes,
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
        diff_join(diff, &update->notes, "no route map");
    }
    if (wanted->max_prefixes &&
        (wanted->max_prefixes != seen->max_prefixes || wanted->restart_min != seen->restart_min)) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s maximum-prefix %u restart %u",
                        update->address, wanted->max_prefixes, wanted->restart_min);
        note_number(update, "maximum prefixes", seen->max_prefixes, wanted->max_prefixes);
    } else if (!wanted->max_prefixes && seen->max_prefixes) {
        bgp_command_add(diff->arena, &update->family, "no neighbor %s maximum-prefix",
                        update->address);
        diff_join(diff, &update->notes, "no maximum of prefixes");
    }
    if (!seen->active) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s activate", update->address);
        diff_join(diff, &update->notes, "active");
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
        diff_join(diff, &update->notes, "connect timer");
    }
}

static const char *created(struct diff *diff, const struct bgp_instance *instance,
                           const struct bgp_peer *wanted, const char *address)
{
    const char *limit = !wanted->max_prefixes ? ""
                                              : arena_printf(diff->arena, ", at most %u prefixes",
                                                             wanted->max_prefixes);

    return arena_printf(diff->arena, "BGP peer %s of AS %u in %s%s%s", address, wanted->asn,
                        diff_vrf(diff, instance), limit,
                        wanted->password == BGP_PASSWORD_NONE ? "" : ", with a password");
}

void diff_update_peer(struct diff *diff, const struct bgp_instance *instance,
                      const struct bgp_peer *wanted, const struct bgp_peer *seen)
{
    static const struct bgp_peer NONE = {.description = ""};
    struct peer_update update = {diff, wanted, seen ? seen : &NONE, .notes = ""};
    size_t n_steps = diff->plan->n_steps;
    struct bgp_commands extras = {0};

    addr_print(&wanted->address, update.address);
    update.step =
        diff_add_step(diff, PHASE_BGP_CREATE, seen ? STEP_UPDATE : STEP_CREATE, instance->tenant,
                      wanted->description + strlen(instance->tenant) + 1);
    update.change = update.step->data;
    update.change->network_id = instance->network_id;
    diff_enter(update.change, instance);
    update_basics(&update);
    update_family(&update);
    diff_undo(diff, &extras, update.seen->extras, update.seen->n_extras, &update.notes);
    attach_family(&update);
    for (size_t i = 0; i < extras.n; i++) {
        bgp_command_add(diff->arena, &update.change->commands, "%s", extras.v[i].text);
    }
    if (!update.notes[0]) {
        diff->plan->n_steps = n_steps;
        return;
    }
    update.step->summary = seen ? arena_printf(diff->arena, "BGP peer %s in %s: %s", update.address,
                                               diff_vrf(diff, instance), update.notes)
                                : created(diff, instance, wanted, update.address);
    if (seen) {
        struct addr *kick = arena_alloc(diff->arena, sizeof *kick);

        *kick = wanted->address;
        update.change->kick = kick;
        diff_leave_policies(diff, seen, update.step);
    }
}
