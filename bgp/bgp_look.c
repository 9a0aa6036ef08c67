/* A look at the sessions: how they are, why they are down, whether they are settled, and what
 * FRR 8.4 has to be reminded of. One look is a round of questions that ends when all are answered.
 */
#include "bgp/bgp_announce.h"
#include "bgp/bgp_io.h"
#include "log/log.h"
#include "model/ids.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_QUICK_MS = 100,   /* while an established session is not settled */
    LOOK_WAITING_MS = 250, /* while one may come up any moment */
    LOOK_MS = 1000,
    LOOK_SHARE = 4,
    STIR_MS = 20000, /* how long after a change any moment is */
    FAILED_MS = 1000,
    LINKS_MIN_MS = 400, /* from a session's going down to whether zebra knows its addresses */
    LINKS_MAX_MS = 30000,
    ROUTES_MS = 4000, /* between two questions whether zebra has routes */
};

static bool lost(const struct bgp_reply *reply)
{
    return reply->status == BGP_VTY_BROKEN;
}

/* An answer that concerns one network. */
struct asked {
    struct bgp *bgp;
    uint32_t network_id;
    size_t family; /* its index */
};

static struct bgp_calm *calm_of(struct bgp_watch *watch, uint32_t network_id)
{
    for (size_t i = 0; i < watch->n_calms; i++) {
        if (watch->calm_ids[i] == network_id) {
            return &watch->calms[i];
        }
    }
    return NULL;
}

/* When to look next: soon while something moves. */
static int look_rest_ms(const struct bgp *bgp)
{
    bool stirred = time_msec() < bgp->watch.stirred_ms + STIR_MS;
    int rest_ms = LOOK_MS;

    for (size_t i = 0; i < bgp->sessions.n; i++) {
        const struct bgp_session *session = &bgp->sessions.v[i];

        if (session->established && !session->settled) {
            return LOOK_QUICK_MS;
        }
        if (!session->established && stirred) {
            rest_ms = LOOK_WAITING_MS;
        }
    }
    return rest_ms;
}

/* All answers are there: the verdicts. */
static void look_ends(struct bgp *bgp)
{
    struct bgp_watch *watch = &bgp->watch;

    bgp_addresses_free(watch->addresses);
    watch->addresses = NULL;
    for (size_t i = 0; i < watch->n_calms && !watch->look_bad; i++) {
        watch->calms[i].queues_empty = watch->look_calm;
        if (bgp_show_judge(&bgp->sessions, watch->calm_ids[i], &watch->calms[i],
                           time_wall_msec())) {
            bgp->changed = true;
        }
    }
    if (!watch->look_bad) {
        bgp_poll_answered(&watch->look, bgp->bgpd, look_rest_ms(bgp), LOOK_SHARE, LOOK_MS);
    } else {
        watch->look.next_ms = time_msec() + LOOK_MS;
    }
}

static void look_answered(struct bgp *bgp, const struct bgp_reply *reply)
{
    if (lost(reply)) {
        bgp->watch.look_bad = true;
    }
    if (!--bgp->watch.look.pending) {
        look_ends(bgp);
    }
}

static void look_ask(struct bgp *bgp, struct bgp_vty *vty, const char *command, bgp_vty_cb *cb,
                     void *aux)
{
    bgp->watch.look.pending++;
    bgp_vty_send(vty, command, NULL, cb, aux);
}

static void on_failed(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;

    if (!lost(reply)) {
        bgp->changed |= bgp_show_failed(reply->text, &bgp->sessions);
        bgp->watch.failed_ms = time_msec() + FAILED_MS;
    }
    look_answered(bgp, reply);
}

static void on_queues(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;

    bgp->watch.look_calm &= !lost(reply) && bgp_show_queues_empty(reply->text);
    look_answered(bgp, reply);
}

static void on_dplane(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;

    bgp->watch.look_calm &= !lost(reply) && bgp_show_dplane_empty(reply->text);
    look_answered(bgp, reply);
}

static void on_neighbors(void *asked_, const struct bgp_reply *reply)
{
    struct asked *asked = asked_;
    struct bgp *bgp = asked->bgp;

    if (!lost(reply)) {
        bgp_show_neighbors(reply->text, asked->network_id, &bgp->sessions);
    }
    look_answered(bgp, reply);
}

static void on_groups(void *asked_, const struct bgp_reply *reply)
{
    struct asked *asked = asked_;
    struct bgp *bgp = asked->bgp;
    struct bgp_calm *calm = calm_of(&bgp->watch, asked->network_id);
    uint64_t table = 0;

    for (size_t i = 0; i < bgp->sessions.n; i++) {
        const struct bgp_session *session = &bgp->sessions.v[i];

        if (session->network_id == asked->network_id && session->families[asked->family]) {
            table = session->tables[asked->family];
        }
    }
    if (calm && !lost(reply)) {
        calm->groups_done[asked->family] = bgp_show_groups_done(reply->text, table);
    }
    look_answered(bgp, reply);
}

static struct asked *asked_new(struct bgp *bgp, uint32_t network_id, size_t family)
{
    struct asked *asked = arena_alloc(bgp->watch.arena, sizeof *asked);

    *asked = (struct asked){bgp, network_id, family};
    return asked;
}

/* Asks what decides whether the network's sessions are settled. */
static void look_into(struct bgp *bgp, uint32_t network_id, bool families[2], bool details)
{
    struct bgp_watch *watch = &bgp->watch;
    char vrf[IFNAME_TEXT], command[96];

    watch->calms = xrealloc(watch->calms, (watch->n_calms + 1) * sizeof *watch->calms);
    watch->calm_ids = xrealloc(watch->calm_ids, (watch->n_calms + 1) * sizeof *watch->calm_ids);
    watch->calms[watch->n_calms] = (struct bgp_calm){.groups_done = {!families[0], !families[1]}};
    watch->calm_ids[watch->n_calms++] = network_id;
    ids_vrf_name(network_id, vrf);
    if (details) {
        snprintf(command, sizeof command, "show bgp vrf %s neighbors json", vrf);
        look_ask(bgp, bgp->bgpd, command, on_neighbors, asked_new(bgp, network_id, 0));
    }
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        if (families[i]) {
            snprintf(command, sizeof command, "show bgp vrf %s ipv%d unicast update-groups", vrf,
                     i ? 6 : 4);
            look_ask(bgp, bgp->bgpd, command, on_groups, asked_new(bgp, network_id, i));
        }
    }
}

/* The network whose sessions start at `*i`; looked into if one of them is not settled. */
static bool look_at_network(struct bgp *bgp, size_t *i)
{
    uint32_t network_id = bgp->sessions.v[*i].network_id;
    bool families[2] = {false}, unsettled = false, details = false;

    for (; *i < bgp->sessions.n && bgp->sessions.v[*i].network_id == network_id; ++*i) {
        const struct bgp_session *session = &bgp->sessions.v[*i];

        families[0] |= session->established && session->families[0];
        families[1] |= session->established && session->families[1];
        unsettled |= session->established && !session->settled;
        details |= session->established && !session->settled &&
                   (!session->end_received || session->refreshing);
    }
    if (unsettled) {
        look_into(bgp, network_id, families, details);
    }
    return unsettled;
}

/* FRR 8.4 counts a limit one short while routes come in, and looks again when it is set. */
static void set_limit(struct bgp *bgp, const struct bgp_instance *instance,
                      const struct bgp_peer *peer, size_t index)
{
    const struct bgp_family *family = &peer->families[index];
    char address[ADDR_TEXT], line[BGP_LINE_BYTES], vrf[IFNAME_TEXT];

    bgp_vty_send(bgp->bgpd, "end", NULL, NULL, NULL);
    bgp_vty_send(bgp->bgpd, "configure terminal", NULL, NULL, NULL);
    snprintf(line, sizeof line, "router bgp %u vrf %s", instance->asn,
             ids_vrf_name(instance->network_id, vrf));
    bgp_vty_send(bgp->bgpd, line, NULL, NULL, NULL);
    bgp_vty_send(bgp->bgpd, bgp_command_family(bgp_family_of(index)), NULL, NULL, NULL);
    snprintf(line, sizeof line, "neighbor %s maximum-prefix %u restart %u",
             addr_print(&peer->address, address), family->max_prefixes,
             family->restart_min ? family->restart_min : BGP_RESTART_MIN);
    bgp_vty_send(bgp->bgpd, line, NULL, NULL, NULL);
    bgp_vty_send(bgp->bgpd, "end", NULL, NULL, NULL);
}

static void enforce_limits(struct bgp *bgp, struct bgp_session *session)
{
    const struct bgp_instance *instance = bgp_state_find(bgp->seen, session->network_id);
    const struct bgp_peer *peer = instance ? bgp_instance_find(instance, &session->address) : NULL;

    for (size_t i = 0; i < BGP_FAMILIES && peer && instance->ours; i++) {
        if (peer->families[i].max_prefixes && !session->limited[i] &&
            session->received_of[i] > peer->families[i].max_prefixes) {
            session->limited[i] = true;
            set_limit(bgp, instance, peer, i);
        }
    }
}

static void on_interfaces(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;

    if (!lost(reply) && !bgp->watch.addresses) {
        bgp->watch.addresses = bgp_addresses_take(); /* once for all networks */
    }
    if (!lost(reply) && bgp->watch.addresses) {
        bgp_announce_missing(bgp->watch.addresses, reply->text);
    }
    look_answered(bgp, reply);
}

/* Sessions that are down may be so because zebra missed an address; that is looked into at growing
 * intervals, from the beginning whenever another number of them is down. */
static void look_at_links(struct bgp *bgp, size_t n_down)
{
    struct bgp_watch *watch = &bgp->watch;

    if (n_down != watch->n_down) {
        watch->n_down = n_down;
        watch->links_gap_ms = LINKS_MIN_MS;
        watch->links_ms = time_msec() + LINKS_MIN_MS;
    }
    if (!n_down || time_msec() < watch->links_ms || !bgp_vty_answers(bgp->zebra)) {
        return;
    }
    watch->links_gap_ms = MIN(2 * watch->links_gap_ms, LINKS_MAX_MS);
    watch->links_ms = time_msec() + watch->links_gap_ms;
    for (size_t i = 0; i < bgp->sessions.n; i++) {
        const struct bgp_session *session = &bgp->sessions.v[i];
        char command[64], vrf[IFNAME_TEXT];

        if (!session->established &&
            (i == 0 || session[-1].established || session[-1].network_id != session->network_id)) {
            snprintf(command, sizeof command, "show interface vrf %s json",
                     ids_vrf_name(session->network_id, vrf));
            look_ask(bgp, bgp->zebra, command, on_interfaces, bgp);
        }
    }
}

/* Whether a session brought in routes of the family, so that zebra must have some. */
static bool has_routes(const struct bgp *bgp, uint32_t network_id, size_t family)
{
    for (size_t i = 0; i < bgp->sessions.n; i++) {
        const struct bgp_session *session = &bgp->sessions.v[i];

        if (session->network_id == network_id && session->settled && session->received_of[family]) {
            return true;
        }
    }
    return false;
}

/* zebra's BGP routes of a network: "{}" if it has none. */
static void on_routes(void *asked_, const struct bgp_reply *reply)
{
    struct asked *asked = asked_;
    struct bgp *bgp = asked->bgp;
    const char *text = lost(reply) ? "lost" : reply->text;
    char vrf[IFNAME_TEXT], command[64];

    text += strspn(text, " \r\n");
    if (text[0] == '{' && text[1 + strspn(text + 1, " \r\n")] == '}' &&
        has_routes(bgp, asked->network_id, asked->family) && bgp_vty_answers(bgp->bgpd)) {
        ids_vrf_name(asked->network_id, vrf);
        log_line(
            LOG_LEVEL_WARNING, "bgp",
            "zebra has come back and bgpd has not told it the routes of %s: its sessions begin "
            "anew",
            vrf);
        snprintf(command, sizeof command, "clear bgp vrf %s *", vrf);
        bgp_vty_send(bgp->bgpd, command, NULL, NULL, NULL);
        bgp_show_unsettle(&bgp->sessions, asked->network_id);
        bgp->changed = true;
    }
    look_answered(bgp, reply);
}

/* bgpd 8.4 does not always tell its routes to a zebra that was started anew while its sessions
 * stayed: then there are none, though every session is up. Asked a few times after zebra's start.
 */
static void look_at_routes(struct bgp *bgp)
{
    struct bgp_watch *watch = &bgp->watch;

    if (!watch->n_route_checks || time_msec() < watch->routes_ms || !bgp_vty_answers(bgp->zebra)) {
        return;
    }
    watch->n_route_checks--;
    watch->routes_ms = time_msec() + ROUTES_MS;
    for (size_t i = 0; i < bgp->sessions.n * BGP_FAMILIES; i++) {
        const struct bgp_session *session = &bgp->sessions.v[i / BGP_FAMILIES];
        size_t family = i % BGP_FAMILIES;
        char command[64], vrf[IFNAME_TEXT];

        if ((session == bgp->sessions.v || session[-1].network_id != session->network_id) &&
            has_routes(bgp, session->network_id, family)) {
            snprintf(command, sizeof command, "show %s route vrf %s bgp json",
                     family ? "ipv6" : "ip", ids_vrf_name(session->network_id, vrf));
            look_ask(bgp, bgp->zebra, command, on_routes,
                     asked_new(bgp, session->network_id, family));
        }
    }
}

/* What is to be asked beside the summary. */
static void look_on(struct bgp *bgp)
{
    bool any_unsettled = false;
    size_t n_down = 0;

    for (size_t i = 0; i < bgp->sessions.n; i++) {
        n_down += !bgp->sessions.v[i].established;
        if (bgp->sessions.v[i].established && bgp->seen && bgp->job.stage == BGP_JOB_IDLE) {
            enforce_limits(bgp, &bgp->sessions.v[i]);
        }
    }
    if (n_down && time_msec() >= bgp->watch.failed_ms) {
        look_ask(bgp, bgp->bgpd, "show bgp vrf all summary failed json", on_failed, bgp);
    }
    look_at_links(bgp, n_down);
    look_at_routes(bgp);
    for (size_t i = 0; i < bgp->sessions.n;) {
        any_unsettled |= look_at_network(bgp, &i);
    }
    if (any_unsettled) {
        look_ask(bgp, bgp->bgpd, "show work-queues", on_queues, bgp);
        if (bgp_vty_answers(bgp->zebra)) {
            look_ask(bgp, bgp->zebra, "show work-queues", on_queues, bgp);
            look_ask(bgp, bgp->zebra, "show zebra dplane", on_dplane, bgp);
        } else {
            bgp->watch.look_calm = false;
        }
    }
}

static void on_summary(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;
    struct bgp_watch *watch = &bgp->watch;
    struct bgp_sessions sessions;
    bool details;

    if (lost(reply) || !bgp_show_summary(reply->text, &sessions)) {
        watch->look_bad = true;
        look_answered(bgp, reply);
        return;
    }
    if (bgp_show_carry(&sessions, &bgp->sessions, time_wall_msec(), &details)) {
        bgp->changed = true;
        watch->failed_ms = 0;
    }
    watch->counters_changed |= details;
    bgp_sessions_done(&bgp->sessions);
    bgp->sessions = sessions;
    look_on(bgp);
    look_answered(bgp, reply);
}

void bgp_look(struct bgp *bgp)
{
    bgp->watch.look_bad = false;
    bgp->watch.look_calm = true;
    bgp->watch.n_calms = 0;
    arena_free(bgp->watch.arena);
    bgp->watch.arena = arena_new();
    bgp->watch.look.asked_ms = time_msec();
    look_ask(bgp, bgp->bgpd, "show bgp vrf all summary json", on_summary, bgp);
}
