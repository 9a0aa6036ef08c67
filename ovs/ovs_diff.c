#include "ovs/ovs_state.h"

#include <stdarg.h>
#include <string.h>

/* One step while it is put together. */
struct draft {
    struct plan *plan;
    const struct ovs_state *want, *seen;
    struct ovs_work *work;
    const char *text;
    bool known;      /* some of the object was there already: an update */
    bool disruptive; /* what is carried already is interrupted */
};

static void draft_say(struct draft *draft, const char *separator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void draft_say(struct draft *draft, const char *separator, const char *format, ...)
{
    va_list args;
    const char *more;

    va_start(args, format);
    more = arena_vprintf(draft->plan->arena, format, args);
    va_end(args);
    draft->text = draft->text
                      ? arena_printf(draft->plan->arena, "%s%s%s", draft->text, separator, more)
                      : more;
}

static const struct ovs_bridge *copy_bridge(struct arena *arena, const struct ovs_bridge *bridge)
{
    struct ovs_bridge *copy = arena_alloc(arena, sizeof *copy);

    *copy = *bridge;
    copy->name = arena_strdup(arena, bridge->name);
    copy->mark = arena_strdup(arena, bridge->mark);
    copy->local_mark = arena_strdup(arena, bridge->local_mark);
    copy->datapath = arena_strdup(arena, bridge->datapath);
    return copy;
}

static const struct ovs_port *copy_port(struct arena *arena, const struct ovs_port *port)
{
    struct ovs_port *copy = arena_alloc(arena, sizeof *copy);

    *copy = *port;
    copy->name = arena_strdup(arena, port->name);
    copy->bridge = arena_strdup(arena, port->bridge);
    copy->mark = arena_strdup(arena, port->mark);
    copy->interface_mark = arena_strdup(arena, port->interface_mark);
    copy->type = arena_strdup(arena, port->type);
    copy->peer = arena_strdup(arena, port->peer);
    copy->mac = arena_strdup(arena, port->mac);
    copy->error = arena_strdup(arena, port->error);
    return copy;
}

static void draft_op(struct draft *draft, enum ovs_op_kind kind, const struct ovs_bridge *bridge,
                     const struct ovs_port *port)
{
    struct arena *arena = draft->plan->arena;
    struct ovs_work *work = draft->work;

    work->ops = arena_grow(arena, work->ops, work->n_ops, &work->capacity, sizeof *work->ops);
    work->ops[work->n_ops++] = (struct ovs_op){
        .kind = kind,
        .bridge = bridge ? copy_bridge(arena, bridge) : NULL,
        .port = port ? copy_port(arena, port) : NULL,
    };
}

static void draft_block(struct draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void draft_block(struct draft *draft, const char *format, ...)
{
    va_list args;

    if (!draft->work->blocked) {
        va_start(args, format);
        draft->work->blocked = arena_vprintf(draft->plan->arena, format, args);
        va_end(args);
    }
}

/* --- bridges -------------------------------------------------------------------------------------
 */

static const char *settings_text(struct draft *draft, unsigned int wrong)
{
    static const char *const names[] = {"fail_mode", "stp_enable", "rstp_enable", "forward-bpdu",
                                        "disable-in-band"};
    const char *text = NULL;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (wrong & 1U << i) {
            text = text ? arena_printf(draft->plan->arena, "%s, %s", text, names[i]) : names[i];
        }
    }
    return text;
}

static void diff_bridge_settings(struct draft *draft, const struct ovs_bridge *want,
                                 const struct ovs_bridge *seen)
{
    unsigned int wrong = want->settings & ~seen->settings;
    bool datapath = strcmp(want->datapath, seen->datapath) != 0;
    bool own_mark = strcmp(want->mark, seen->mark) != 0;
    bool mark = own_mark || strcmp(want->local_mark, seen->local_mark) != 0;

    if (!wrong && !datapath && !mark && want->macs == seen->macs) {
        return;
    }
    draft_op(draft, OVS_OP_BRIDGE, want, NULL);
    if (datapath) {
        draft_say(draft, "; ", "bridge %s: datapath_type %s -> %s", want->name, seen->datapath,
                  want->datapath);
        draft->disruptive = true;
    }
    if (wrong) {
        draft_say(draft, "; ", "bridge %s: put right %s", want->name, settings_text(draft, wrong));
    }
    if (want->macs != seen->macs) {
        draft_say(draft, "; ", "bridge %s: mac-table-size %s -> %u", want->name,
                  seen->macs ? arena_printf(draft->plan->arena, "%u", seen->macs) : "unset",
                  want->macs);
    }
    if (mark) {
        draft_say(draft, "; ", "bridge %s: mark \"%s\" -> \"%s\"", want->name,
                  own_mark ? seen->mark : seen->local_mark, want->mark);
    }
}

static void diff_bridge(struct draft *draft, const struct ovs_bridge *want)
{
    const struct ovs_bridge *seen = ovs_state_bridge(draft->seen, want->name);

    if (!seen) {
        draft_op(draft, OVS_OP_BRIDGE, want, NULL);
        draft_say(draft, "; ", "bridge %s", want->name);
    } else if (ovs_bridge_mark(seen)[0]) {
        draft->known = true;
        diff_bridge_settings(draft, want, seen);
    } else if (!want->adopt) {
        draft_op(draft, OVS_OP_BRIDGE, want, NULL);
        draft_say(draft, "; ", "bridge %s", want->name);
        draft_block(draft, "bridge %s exists and is not routerd's: remove or rename it",
                    want->name);
    }
}

/* --- ports ---------------------------------------------------------------------------------------
 */

static const char *tag_text(struct draft *draft, const struct ovs_port *port)
{
    static const char *const types[] = {
        [OVS_NO_SERVICE] = "",
        [OVS_SERVICE_8021AD] = "802.1ad ",
        [OVS_SERVICE_8021Q] = "outer ",
    };

    return port->tag == OVS_NO_TAG
               ? "untagged"
               : arena_printf(draft->plan->arena, "%sVLAN %d", types[port->service], port->tag);
}

static const char *mtu_text(struct draft *draft, unsigned int mtu)
{
    return mtu ? arena_printf(draft->plan->arena, "%u", mtu) : "unset";
}

/* The inner half of a patch is said with the outer one, which has the VLAN. */
static bool is_inner_patch(const struct ovs_port *port)
{
    return !strcmp(port->type, "patch") && port->tag == OVS_NO_TAG;
}

static void say_new_port(struct draft *draft, const struct ovs_port *want)
{
    if (!strcmp(want->type, "patch")) {
        if (!is_inner_patch(want)) {
            draft_say(draft, ", ", "joined to %s %s", want->bridge, tag_text(draft, want));
        }
    } else if (want->adopt) {
        draft_say(draft, " with ", "interface %s on %s, all VLANs, mtu %u", want->name,
                  want->bridge, want->mtu);
    } else {
        const char *tag = tag_text(draft, want);

        draft_say(draft, ", ", "port %s on %s, %s, mtu %u", want->name, want->bridge, tag,
                  want->mtu);
    }
}

/* One attribute that differs: from what to what. */
static void say_change(struct draft *draft, size_t *n, const struct ovs_port *want,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say_change(struct draft *draft, size_t *n, const struct ovs_port *want,
                       const char *format, ...)
{
    va_list args;
    const char *change;

    va_start(args, format);
    change = arena_vprintf(draft->plan->arena, format, args);
    va_end(args);
    if ((*n)++) {
        draft_say(draft, ", ", "%s", change);
    } else {
        draft_say(draft, "; ", "%s: %s", want->name, change);
    }
}

/* What interrupts the port's traffic. */
static size_t diff_port_carriage(struct draft *draft, const struct ovs_port *want,
                                 const struct ovs_port *seen)
{
    size_t n = 0;

    if (strcmp(want->bridge, seen->bridge) != 0) {
        say_change(draft, &n, want, "bridge %s -> %s", seen->bridge, want->bridge);
    }
    if (want->tag != seen->tag || want->service != seen->service) {
        say_change(draft, &n, want, "%s -> %s", tag_text(draft, seen), tag_text(draft, want));
    }
    if (strcmp(want->type, seen->type) != 0) {
        say_change(draft, &n, want, "type \"%s\" -> \"%s\"", seen->type, want->type);
    }
    if (strcmp(want->peer, seen->peer) != 0) {
        say_change(draft, &n, want, "peer \"%s\" -> \"%s\"", seen->peer, want->peer);
    }
    if (strcmp(want->mac, seen->mac) != 0) {
        say_change(draft, &n, want, "mac \"%s\" -> \"%s\"", seen->mac, want->mac);
    }
    if (want->plain && !seen->plain) {
        say_change(draft, &n, want, "put right interfaces, trunks and vlan_mode");
    }
    /* ovs-vswitchd takes the interface from one bridge and makes one for the other. */
    if (!strcmp(want->type, "internal") &&
        (strcmp(want->bridge, seen->bridge) != 0 || strcmp(want->type, seen->type) != 0)) {
        plan_remake(draft->plan, want->name);
    }
    draft->disruptive = draft->disruptive || n;
    return n;
}

static size_t diff_port_rest(struct draft *draft, const struct ovs_port *want,
                             const struct ovs_port *seen, size_t n)
{
    if (want->mtu != seen->mtu) {
        say_change(draft, &n, want, "mtu %s -> %s", mtu_text(draft, seen->mtu),
                   mtu_text(draft, want->mtu));
    }
    if (seen->lldp) {
        say_change(draft, &n, want, "LLDP on -> off");
    }
    if (strcmp(want->mark, seen->mark) != 0 ||
        strcmp(want->interface_mark, seen->interface_mark) != 0) {
        say_change(draft, &n, want, "mark \"%s\" -> \"%s\"",
                   strcmp(want->mark, seen->mark) != 0 ? seen->mark : seen->interface_mark,
                   want->mark);
    }
    return n;
}

/* A port of others under a name that we want: the facility's uplink, or in the way. */
static void diff_foreign_port(struct draft *draft, const struct ovs_port *want,
                              const struct ovs_port *seen)
{
    if (want->adopt && !strcmp(want->bridge, seen->bridge)) {
        return;
    }
    draft_op(draft, OVS_OP_PORT, NULL, want);
    say_new_port(draft, want);
    draft_block(draft, "%s %s is on bridge %s and not routerd's: remove it from there",
                want->adopt ? "interface" : "port", want->name, seen->bridge);
    plan_withhold(draft->plan, want->name);
}

static void diff_port(struct draft *draft, const struct ovs_port *want)
{
    const struct ovs_port *seen = ovs_state_port(draft->seen, want->name);
    size_t n;

    if (!seen) {
        draft_op(draft, OVS_OP_PORT, NULL, want);
        say_new_port(draft, want);
        return;
    }
    if (!ovs_port_mark(seen)[0]) {
        diff_foreign_port(draft, want, seen);
        return;
    }
    draft->known = true;
    n = diff_port_carriage(draft, want, seen);
    n = diff_port_rest(draft, want, seen, n);
    if (n) {
        draft_op(draft, OVS_OP_PORT, NULL, want);
    } else if (seen->made != OVS_MADE && !want->adopt) {
        /* An uplink's interface is not tried again by us: ovs-vswitchd does so by itself
         * whenever a link comes or goes, and a missing NIC must not hold up every tenant. */
        draft_op(draft, OVS_OP_RETRY, NULL, want);
        draft_say(draft, "; ", "%s: try again%s%s", want->name,
                  seen->made == OVS_REFUSED ? " after " : "", seen->error);
    }
}

/* --- what is too much
 * ------------------------------------------------------------------------------ */

/* A part that somebody wants under its name is put right by that object's step. */
static bool part_is_wanted(const struct ovs_state *want, const struct ovs_part *part)
{
    return part->bridge ? ovs_state_bridge(want, part->bridge->name) != NULL
                        : ovs_state_port(want, part->port->name) != NULL;
}

/* Ports first: a bridge goes when it is empty of ours. One that carries a port of others stays,
 * they may need it; it goes once they are gone. */
static void drop_parts(struct draft *draft, const struct ovs_part *parts, size_t n)
{
    const char *word = draft->known ? "without " : "";

    for (size_t i = 0; i < n; i++) {
        if (parts[i].port && !part_is_wanted(draft->want, &parts[i])) {
            draft_op(draft, OVS_OP_DROP_PORT, NULL, parts[i].port);
            draft->disruptive = true;
            if (!is_inner_patch(parts[i].port)) {
                draft_say(draft, "; ", "%sport %s on %s", word, parts[i].port->name,
                          parts[i].port->bridge);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct ovs_bridge *bridge = parts[i].bridge;

        if (bridge && !bridge->n_foreign && !part_is_wanted(draft->want, &parts[i])) {
            draft_op(draft, OVS_OP_DROP_BRIDGE, bridge, NULL);
            draft_say(draft, "; ", "%sbridge %s", word, bridge->name);
        }
    }
}

static void draft_finish(struct draft *draft, enum plan_phase phase, enum step_action action,
                         const char *tenant, const char *object)
{
    struct step *step;

    if (draft->work->n_ops == 0) {
        return;
    }
    step = plan_add(draft->plan, "ovs", phase, action, tenant, object);
    step->summary = draft->text ? draft->text : "remove leftovers";
    step->disruptive = draft->disruptive && (draft->known || action == STEP_DELETE);
    step->data = draft->work;
}

static struct draft draft_new(const struct ovs_state *want, const struct ovs_state *seen,
                              struct plan *plan)
{
    return (struct draft){
        .plan = plan,
        .want = want,
        .seen = seen,
        .work = arena_alloc(plan->arena, sizeof(struct ovs_work)),
    };
}

static void diff_object(const struct ovs_state *want, const struct ovs_state *seen,
                        const struct ovs_object *object, struct plan *plan)
{
    struct draft draft = draft_new(want, seen, plan);
    const struct ovs_part *parts;
    size_t n_parts;

    parts = ovs_state_parts(seen, object->mark, &n_parts);
    for (size_t i = 0; i < object->n_bridges; i++) {
        diff_bridge(&draft, &want->bridges[object->first_bridge + i]);
    }
    for (size_t i = 0; i < object->n_ports; i++) {
        diff_port(&draft, &want->ports[object->first_port + i]);
    }
    draft.known = draft.known || n_parts;
    drop_parts(&draft, parts, n_parts);
    draft_finish(&draft, PHASE_OVS_CREATE, draft.known ? STEP_UPDATE : STEP_CREATE, object->tenant,
                 object->object);
}

/* All that carries a mark which nothing intended has. */
static void diff_unwanted(const struct ovs_state *want, const struct ovs_state *seen,
                          const struct ovs_part *parts, size_t n, struct plan *plan)
{
    struct draft draft = draft_new(want, seen, plan);
    const char *mark = parts[0].mark, *object = mark, *tenant = "";

    if (strncmp(mark, "uplink/", 7) != 0 && strchr(mark, '/')) {
        tenant = arena_memdup(plan->arena, mark, (size_t)(strchr(mark, '/') - mark));
        object = strchr(mark, '/') + 1;
    }
    drop_parts(&draft, parts, n);
    draft_finish(&draft, PHASE_OVS_DELETE, STEP_DELETE, tenant, object);
}

/* The one setting that is not of a bridge or port. What somebody has set is never changed. */
static void diff_limit(const struct ovs_state *want, const struct ovs_state *seen,
                       struct plan *plan)
{
    struct draft draft = draft_new(want, seen, plan);
    bool wanted = want->vlan_limit != OVS_LIMIT_UNSET;

    if (wanted && !ovs_limit_suffices(seen->vlan_limit)) {
        draft_op(&draft, OVS_OP_LIMIT, NULL, NULL);
        draft_say(&draft, "", "look at two VLAN tags");
        if (seen->vlan_limit != OVS_LIMIT_UNSET) {
            draft_block(&draft, "%s", OVS_LIMIT_REMEDY);
        }
        draft_finish(&draft, PHASE_OVS_CREATE, STEP_CREATE, "", "uplink/vlan-limit");
    } else if (!wanted && seen->vlan_limit_ours) {
        draft_op(&draft, OVS_OP_DROP_LIMIT, NULL, NULL);
        draft_say(&draft, "", "look at one VLAN tag again");
        draft_finish(&draft, PHASE_OVS_DELETE, STEP_DELETE, "", "uplink/vlan-limit");
    }
}

void ovs_diff(const struct ovs_state *want, const struct ovs_state *seen, struct plan *plan)
{
    diff_limit(want, seen, plan);
    ovs_limit_diff(want, seen, plan);
    for (size_t i = 0, n; i < seen->n_parts; i += n) {
        const struct ovs_part *parts = ovs_state_parts(seen, seen->parts[i].mark, &n);

        if (!ovs_state_object(want, parts[0].mark)) {
            diff_unwanted(want, seen, parts, n, plan);
        }
    }
    for (size_t i = 0; i < want->n_objects; i++) {
        diff_object(want, seen, &want->objects[i], plan);
    }
}
