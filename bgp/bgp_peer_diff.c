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
    struct bgp_commands family;   /* those inside the address family at hand */
    struct bgp_commands families; /* those of all, with their frames */
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

/* A line that is there or not. */
static void update_flag(struct peer_update *update, struct bgp_commands *commands, bool wanted,
                        bool seen, const char *line)
{
    if (wanted != seen) {
        bgp_command_add(update->diff->arena, commands, "%sneighbor %s %s", wanted ? "" : "no ",
                        update->address, line);
        diff_join(update->diff, &update->notes,
                  arena_printf(update->diff->arena, "%s%s", wanted ? "" : "no ", line));
    }
}

static void update_flags(struct peer_update *update)
{
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;
    struct bgp_commands *commands = &update->change->commands;

    update_flag(update, commands, wanted->graceful_restart, seen->graceful_restart,
                "graceful-restart");
    update_flag(update, commands, wanted->ttl_security, seen->ttl_security, "ttl-security hops 1");
    update->step->disruptive |= wanted->ttl_security != seen->ttl_security;
}

/* Another profile takes effect in place, by BFD's own negotiation (RFC 5880, 6.8.3). */
static void update_bfd(struct peer_update *update)
{
    struct arena *arena = update->diff->arena;
    const struct bgp_peer *wanted = update->wanted, *seen = update->seen;
    struct bgp_commands *commands = &update->change->commands;

    update_flag(update, commands, wanted->bfd, seen->bfd, "bfd");
    if (wanted->bfd && (!seen->bfd || strcmp(wanted->bfd_profile, seen->bfd_profile) != 0)) {
        bgp_command_add(arena, commands, "neighbor %s bfd profile %s", update->address,
                        wanted->bfd_profile);
        diff_join(update->diff, &update->notes,
                  arena_printf(arena, "BFD's timers %s", wanted->bfd_profile));
    }
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
        update->step->disruptive = true;
    }
    if (strcmp(wanted->description, seen->description) != 0) {
        bgp_command_add(diff->arena, commands, "neighbor %s description %s", update->address,
                        wanted->description);
        diff_join(diff, &update->notes, "description");
    }
    update_timers(update);
    update_flags(update);
    update_password(update);
    update_bfd(update);
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

/* What each use is called in commands and in summaries. */
static const struct {
    const char *command, *direction, *what;
} USES[BGP_USES] = {
    [BGP_LIST_IN] = {"prefix-list", "in", "import"},
    [BGP_LIST_OUT] = {"prefix-list", "out", "export"},
    [BGP_MAP_IN] = {"route-map", "in", "import attributes"},
    [BGP_MAP_OUT] = {"route-map", "out", "export attributes"},
};

static void update_use(struct peer_update *update, const struct bgp_family *wanted,
                       const struct bgp_family *seen, enum bgp_use use)
{
    struct diff *diff = update->diff;
    const struct bgp_policy *to = wanted->uses[use], *from = seen->uses[use];

    if (from && to && !bgp_policy_cmp(to, from)) {
        diff_keep_policy(diff, from);
        return;
    }
    if (to) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s %s %s %s", update->address,
                        USES[use].command, diff_policy_name(diff, update->change, to),
                        USES[use].direction);
    } else if (seen->names[use]) {
        bgp_command_add(diff->arena, &update->family, "no neighbor %s %s %s %s", update->address,
                        USES[use].command, seen->names[use], USES[use].direction);
    }
    if (to || seen->names[use]) {
        diff_join(diff, &update->notes,
                  arena_printf(diff->arena, "%s %s -> %s", USES[use].what, body_shown(diff, from),
                               body_shown(diff, to)));
    }
}

/* A list and a map stand side by side and are switched one after the other. A map that restricts
 * repeats the list, so it comes first where it is new and last where it goes: in between no route
 * passes that neither the old nor the new ones let pass. */
static void update_direction(struct peer_update *update, const struct bgp_family *wanted,
                             const struct bgp_family *seen, enum bgp_use list, enum bgp_use map)
{
    bool map_first = wanted->uses[map] && bgp_policy_restricts(wanted->uses[map]);

    update_use(update, wanted, seen, map_first ? map : list);
    update_use(update, wanted, seen, map_first ? list : map);
}

static void update_limits(struct peer_update *update, const struct bgp_family *wanted,
                          const struct bgp_family *seen)
{
    struct diff *diff = update->diff;

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
    if (wanted->max_prefixes_out && wanted->max_prefixes_out != seen->max_prefixes_out) {
        bgp_command_add(diff->arena, &update->family, "neighbor %s maximum-prefix-out %u",
                        update->address, wanted->max_prefixes_out);
        note_number(update, "maximum prefixes announced", seen->max_prefixes_out,
                    wanted->max_prefixes_out);
    } else if (!wanted->max_prefixes_out && seen->max_prefixes_out) {
        bgp_command_add(diff->arena, &update->family, "no neighbor %s maximum-prefix-out",
                        update->address);
        diff_join(diff, &update->notes, "no maximum of prefixes announced");
    }
}

static void update_allowas_in(struct peer_update *update, const struct bgp_family *wanted,
                              const struct bgp_family *seen)
{
    if (wanted->allowas_in && wanted->allowas_in != seen->allowas_in) {
        bgp_command_add(update->diff->arena, &update->family, "neighbor %s allowas-in %u",
                        update->address, wanted->allowas_in);
        note_number(update, "allowas-in", seen->allowas_in, wanted->allowas_in);
    } else if (!wanted->allowas_in) {
        update_flag(update, &update->family, false, seen->allowas_in, "allowas-in");
    }
}

/* Puts the lines of the family at hand to those of the others. */
static void frame_family(struct peer_update *update, size_t index)
{
    struct arena *arena = update->diff->arena;

    if (!update->family.n) {
        return;
    }
    bgp_command_add(arena, &update->families, "%s", bgp_command_family(bgp_family_of(index)));
    bgp_command_append(arena, &update->families, &update->family);
    bgp_command_add(arena, &update->families, "exit-address-family");
}

/* The lines of an address family: filters first, then what lets routes pass. One that is not wanted
 * is silenced first and then loses its lines. */
static void update_family(struct peer_update *update, size_t index)
{
    const struct bgp_family *wanted = &update->wanted->families[index];
    const struct bgp_family *seen = &update->seen->families[index];

    update->family.n = 0;
    if (!wanted->active) {
        update_flag(update, &update->family, false, seen->active, "activate");
    }
    update_direction(update, wanted, seen, BGP_LIST_IN, BGP_MAP_IN);
    update_direction(update, wanted, seen, BGP_LIST_OUT, BGP_MAP_OUT);
    update_limits(update, wanted, seen);
    update_allowas_in(update, wanted, seen);
    update_flag(update, &update->family, wanted->as_override, seen->as_override, "as-override");
    update_flag(update, &update->family, wanted->default_originate, seen->default_originate,
                "default-originate");
    if (wanted->active && !seen->active) {
        bgp_command_add(update->diff->arena, &update->family, "neighbor %s activate",
                        update->address);
        diff_join(update->diff, &update->notes, index ? "IPv6 active" : "IPv4 active");
    }
    update->step->disruptive |= update->seen->asn && wanted->active != seen->active;
    frame_family(update, index);
}

/* How often to connect: that command starts the session, in FRR 8.4 even before the family is
 * active, and then the peer is refused; so it comes last. */
static void attach_connect(struct peer_update *update)
{
    if (update->wanted->connect_s != update->seen->connect_s) {
        bgp_command_add(update->diff->arena, &update->change->commands,
                        "neighbor %s timers connect %u", update->address,
                        update->wanted->connect_s);
        diff_join(update->diff, &update->notes, "connect timer");
    }
}

static const char *created(struct diff *diff, const struct bgp_instance *instance,
                           const struct bgp_peer *wanted, const char *address)
{
    uint32_t max = wanted->families[0].max_prefixes ? wanted->families[0].max_prefixes
                                                    : wanted->families[1].max_prefixes;
    const char *limit = max ? arena_printf(diff->arena, ", at most %u prefixes", max) : "";

    return arena_printf(diff->arena, "BGP peer %s of AS %u in %s%s%s%s", address, wanted->asn,
                        diff_vrf(diff, instance), limit,
                        wanted->password == BGP_PASSWORD_NONE ? "" : ", with a password",
                        wanted->bfd ? ", with BFD" : "");
}

void diff_update_peer(struct diff *diff, const struct bgp_instance *instance,
                      const struct bgp_peer *wanted, const struct bgp_peer *seen)
{
    static const struct bgp_peer NONE = {.description = "", .bfd_profile = ""};
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
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        update_family(&update, i);
    }
    diff_undo(diff, &extras, update.seen->extras, update.seen->n_extras, &update.notes);
    bgp_command_append(diff->arena, &update.change->commands, &update.families);
    attach_connect(&update);
    bgp_command_append(diff->arena, &update.change->commands, &extras);
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
