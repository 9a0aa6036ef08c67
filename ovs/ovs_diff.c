#include "ovs/ovs_state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One thing that is seen and carries a mark; one of the two is set. */
struct part {
    const char *mark;
    const struct ovs_bridge *bridge;
    const struct ovs_port *port;
    bool wanted; /* by an object under its name, which puts it right */
};

/* What is wanted beside what is seen. */
struct comparison {
    const struct ovs_state *want;
    struct plan *plan;
    struct arena *arena;               /* for what follows */
    const struct ovs_bridge **bridges; /* seen under the names of those wanted, or null */
    const struct ovs_port **ports;
    struct part *strays; /* those not wanted by the object of their mark, sorted by it */
    size_t n_strays;
};

/* One step while it is put together. */
struct draft {
    struct plan *plan;
    struct ovs_work work;
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
    struct ovs_work *work = &draft->work;

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

    if (!draft->work.blocked) {
        va_start(args, format);
        draft->work.blocked = arena_vprintf(draft->plan->arena, format, args);
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

/* `seen` may be null. */
static void diff_bridge(struct draft *draft, const struct ovs_bridge *want,
                        const struct ovs_bridge *seen)
{
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

/* `seen` may be null. */
static void diff_port(struct draft *draft, const struct ovs_port *want, const struct ovs_port *seen)
{
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

/* Ports first: a bridge goes when it is empty of ours. One that carries a port of others stays,
 * they may need it; it goes once they are gone. */
static void drop_parts(struct draft *draft, const struct part *parts, size_t n)
{
    const char *word = draft->known ? "without " : "";

    for (size_t i = 0; i < n; i++) {
        if (parts[i].port && !parts[i].wanted) {
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

        if (bridge && !bridge->n_foreign && !parts[i].wanted) {
            draft_op(draft, OVS_OP_DROP_BRIDGE, bridge, NULL);
            draft_say(draft, "; ", "%sbridge %s", word, bridge->name);
        }
    }
}

static void draft_finish(struct draft *draft, enum plan_phase phase, enum step_action action,
                         const char *tenant, const char *object)
{
    struct ovs_work *work;
    struct step *step;

    if (draft->work.n_ops == 0) {
        return;
    }
    work = arena_alloc(draft->plan->arena, sizeof *work);
    *work = draft->work;
    step = plan_add(draft->plan, "ovs", phase, action, tenant, object);
    step->summary = draft->text ? draft->text : "remove leftovers";
    step->disruptive = draft->disruptive && (draft->known || action == STEP_DELETE);
    step->data = work;
}

/* The strays that carry the mark; *ret_n may be 0. */
static struct part *find_strays(const struct comparison *all, const char *mark, size_t *ret_n)
{
    size_t low = 0, high = all->n_strays, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(all->strays[middle].mark, mark) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low + n < all->n_strays && !strcmp(all->strays[low + n].mark, mark)) {
        n++;
    }
    *ret_n = n;
    return &all->strays[low];
}

static void diff_object(const struct comparison *all, const struct ovs_object *object)
{
    struct draft draft = {.plan = all->plan};
    size_t n_strays;
    const struct part *strays = find_strays(all, object->mark, &n_strays);

    for (size_t i = object->first_bridge; i < object->first_bridge + object->n_bridges; i++) {
        diff_bridge(&draft, &all->want->bridges[i], all->bridges[i]);
    }
    for (size_t i = object->first_port; i < object->first_port + object->n_ports; i++) {
        diff_port(&draft, &all->want->ports[i], all->ports[i]);
    }
    draft.known = draft.known || n_strays;
    drop_parts(&draft, strays, n_strays);
    draft_finish(&draft, PHASE_OVS_CREATE, draft.known ? STEP_UPDATE : STEP_CREATE, object->tenant,
                 object->object);
}

/* All that carries a mark which nothing intended has. */
static void diff_unwanted(struct plan *plan, const struct part *parts, size_t n)
{
    struct draft draft = {.plan = plan};
    const char *mark = parts[0].mark, *object = mark, *tenant = "";

    if (strncmp(mark, "uplink/", 7) != 0 && strchr(mark, '/')) {
        tenant = arena_memdup(plan->arena, mark, (size_t)(strchr(mark, '/') - mark));
        object = strchr(mark, '/') + 1;
    }
    drop_parts(&draft, parts, n);
    draft_finish(&draft, PHASE_OVS_DELETE, STEP_DELETE, tenant, object);
}

/* --- who is whose ---------------------------------------------------------------------------- */

/* Of one that is seen. */
enum found {
    NOT_WANTED,
    WANTED_BY_OTHER, /* an object that has another mark */
    WANTED,
};

static enum found found_by(const struct ovs_object *object, const char *mark)
{
    return strcmp(object->mark, mark) ? WANTED_BY_OTHER : WANTED;
}

/* By mark; of one mark bridges first, each kind by name, so that steps come in a stable order. */
static int part_cmp(const void *a_, const void *b_)
{
    const struct part *a = a_, *b = b_;
    int order = strcmp(a->mark, b->mark);

    if (order) {
        return order;
    }
    if (!a->bridge != !b->bridge) {
        return a->bridge ? -1 : 1;
    }
    return a->bridge ? strcmp(a->bridge->name, b->bridge->name)
                     : strcmp(a->port->name, b->port->name);
}

static void add_stray(struct comparison *all, const char *mark, const struct ovs_bridge *bridge,
                      const struct ovs_port *port, enum found found)
{
    if (mark[0] && found != WANTED) {
        all->strays[all->n_strays++] = (struct part){mark, bridge, port, found != NOT_WANTED};
    }
}

/* Collects what somebody else wants than its mark says, or nobody. */
static void find_all_strays(struct comparison *all, const struct ovs_state *seen,
                            const enum found *bridges, const enum found *ports)
{
    all->strays =
        arena_calloc(all->arena, seen->n_bridges + seen->n_ports + 1, sizeof *all->strays);
    for (size_t i = 0; i < seen->n_bridges; i++) {
        const struct ovs_bridge *bridge = &seen->bridges[i];

        add_stray(all, ovs_bridge_mark(bridge), bridge, NULL, bridges[i]);
    }
    for (size_t i = 0; i < seen->n_ports; i++) {
        const struct ovs_port *port = &seen->ports[i];

        add_stray(all, ovs_port_mark(port), NULL, port, ports[i]);
    }
    if (all->n_strays) {
        qsort(all->strays, all->n_strays, sizeof *all->strays, part_cmp);
    }
}

/* Finds what is seen under the names of one object's. */
static void find_object(struct comparison *all, const struct ovs_state *seen,
                        const struct ovs_object *object, enum found *bridges, enum found *ports)
{
    for (size_t i = object->first_bridge; i < object->first_bridge + object->n_bridges; i++) {
        const struct ovs_bridge *bridge = ovs_state_bridge(seen, all->want->bridges[i].name);

        all->bridges[i] = bridge;
        if (bridge && bridges[bridge - seen->bridges] != WANTED) {
            bridges[bridge - seen->bridges] = found_by(object, ovs_bridge_mark(bridge));
        }
    }
    for (size_t i = object->first_port; i < object->first_port + object->n_ports; i++) {
        const struct ovs_port *port = ovs_state_port(seen, all->want->ports[i].name);

        all->ports[i] = port;
        if (port && ports[port - seen->ports] != WANTED) {
            ports[port - seen->ports] = found_by(object, ovs_port_mark(port));
        }
    }
}

static void find_all(struct comparison *all, const struct ovs_state *seen)
{
    const struct ovs_state *want = all->want;
    enum found *bridges = arena_calloc(all->arena, seen->n_bridges + 1, sizeof *bridges);
    enum found *ports = arena_calloc(all->arena, seen->n_ports + 1, sizeof *ports);

    all->bridges = arena_calloc(all->arena, want->n_bridges + 1, sizeof(struct ovs_bridge *));
    all->ports = arena_calloc(all->arena, want->n_ports + 1, sizeof(struct ovs_port *));
    for (size_t i = 0; i < want->n_objects; i++) {
        find_object(all, seen, &want->objects[i], bridges, ports);
    }
    find_all_strays(all, seen, bridges, ports);
}

/* The steps for marks that no object has. */
static void diff_strays(const struct comparison *all)
{
    bool *claimed = arena_calloc(all->arena, all->n_strays + 1, sizeof *claimed);

    for (size_t i = 0, n; i < all->want->n_objects && all->n_strays; i++) {
        const struct part *strays = find_strays(all, all->want->objects[i].mark, &n);

        claimed[strays - all->strays] = claimed[strays - all->strays] || n;
    }
    for (size_t i = 0, n; i < all->n_strays; i += n) {
        const struct part *strays = find_strays(all, all->strays[i].mark, &n);

        if (!claimed[i]) {
            diff_unwanted(all->plan, strays, n);
        }
    }
}

/* The one setting that is not of a bridge or port. What somebody has set is never changed. */
static void diff_limit(const struct ovs_state *want, const struct ovs_state *seen,
                       struct plan *plan)
{
    struct draft draft = {.plan = plan};
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
    struct comparison all = {.want = want, .plan = plan, .arena = arena_new()};

    diff_limit(want, seen, plan);
    ovs_limit_diff(want, seen, plan);
    find_all(&all, seen);
    diff_strays(&all);
    for (size_t i = 0; i < want->n_objects; i++) {
        diff_object(&all, &want->objects[i]);
    }
    arena_free(all.arena);
}
