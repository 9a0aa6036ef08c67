/* Keeps what is seen current. FRR tells nothing by itself but that it is gone, so three questions
 * are asked again and again: for bgpd's configuration and for what zebra remembers, about once a
 * second, and how the sessions are (bgp_look.c), often while something moves. Each waits for its
 * answers before it is asked again, and the longer the answers take the rarer it is asked, so FRR
 * is never kept busy by us. */
#include "backend/secret.h"
#include "bgp/bgp_announce.h"
#include "bgp/bgp_config.h"
#include "bgp/bgp_io.h"
#include "bgp/bgp_process.h"
#include "log/log.h"
#include "model/ids.h"

#include <lib/hash.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONFIG_MS = 1000,
    CONFIG_MAX_MS = 1700, /* a change by hand is repaired within two seconds */
    CONFIG_SHARE = 30, /* of the time an answer takes, at least so many times it passes between */
    RESIDUE_MS = 2000,
    ROUTES_MS = 4000, /* from zebra's coming back to the question whether it has routes */
    ROUTE_CHECKS = 4,
    REFRESH_MS = 3000, /* from a change that is not ours to when it is surely complete */
    COUNTERS_MS = 1000,
    LOOK_BESIDE_MS = 1000, /* between two looks at sessions while steps are carried out */
};

void bgp_watch_stir(struct bgp *bgp)
{
    bgp->watch.stirred_ms = time_msec();
    bgp->watch.look.next_ms = 0;
}

static bool lost(const struct bgp_reply *reply)
{
    return reply->status == BGP_VTY_BROKEN;
}

void bgp_poll_answered(struct bgp_poll *poll, const struct bgp_vty *vty, int rest_ms, int share,
                       int max_ms)
{
    long long took_ms = time_msec() - poll->asked_ms;

    poll->session = bgp_vty_session(vty);
    poll->next_ms = time_msec() + MAX(rest_ms, MIN(took_ms * share, max_ms));
}

static void poll_asked(struct bgp_poll *poll)
{
    poll->asked_ms = time_msec();
}

bool bgp_poll_due(const struct bgp_poll *poll, const struct bgp_vty *vty)
{
    return !poll->pending && bgp_vty_answers(vty) &&
           (poll->session != bgp_vty_session(vty) || time_msec() >= poll->next_ms);
}

/* --- configuration --------------------------------------------------------------------------- */

/* Whether somebody else may have been at it: nobody may while our steps are being carried out, but
 * the reader of the boot file, which no lock keeps off. */
static bool is_not_ours(const struct bgp *bgp)
{
    return (bgp->seen && bgp->job.stage == BGP_JOB_IDLE) ||
           bgp_process_is_young(bgp_vty_pid(bgp->bgpd));
}

/* What came in while a session referred to a policy that was not there yet was refused, and FRR 8.4
 * does not look again when it is: routes are asked for (RFC 2918) and told once more. */
static void refresh_routes(struct bgp *bgp)
{
    char vrf[IFNAME_TEXT], command[64];

    for (size_t i = 0; bgp->seen && i < bgp->seen->n_instances; i++) {
        const struct bgp_instance *instance = &bgp->seen->instances[i];

        if (instance->ours) {
            ids_vrf_name(instance->network_id, vrf);
            snprintf(command, sizeof command, "clear bgp vrf %s * soft", vrf);
            bgp_vty_send(bgp->bgpd, command, NULL, NULL, NULL);
        }
    }
}

static void take_config(struct bgp *bgp, const struct bgp_reply *reply)
{
    struct bgp_watch *watch = &bgp->watch;
    uint32_t hash = hash_bytes(reply->text, reply->len, 0);
    struct bgp_state *seen;

    if (bgp->seen && hash == watch->config_hash && reply->len == watch->config_len) {
        return;
    }
    watch->config_hash = hash;
    watch->config_len = reply->len;
    seen = bgp_config_parse(reply->text, reply->len, secret_digest, bgp->seen);
    if (!bgp->seen || bgp->seen->fingerprint != seen->fingerprint) {
        bgp->changed = true;
        bgp_watch_stir(bgp);
        if (is_not_ours(bgp)) {
            watch->refresh_ms = time_msec() + REFRESH_MS;
        }
    }
    bgp_state_free(bgp->seen);
    bgp->seen = seen;
    bgp_save_note(bgp->save, reply->text, reply->len,
                  seen->fingerprint + (bgp->bfd.seen ? bgp->bfd.seen->fingerprint : 0),
                  bgp_vty_pid(bgp->bgpd));
}

static void on_config(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;

    bgp->watch.config.pending--;
    if (!lost(reply) && reply->status == BGP_REPLY_OK) {
        take_config(bgp, reply);
        bgp_poll_answered(&bgp->watch.config, bgp->bgpd, CONFIG_MS, CONFIG_SHARE, CONFIG_MAX_MS);
    }
}

static void ask_config(struct bgp *bgp)
{
    poll_asked(&bgp->watch.config);
    bgp->watch.config.pending++;
    bgp_vty_send(bgp->bgpd, "show running-config", NULL, on_config, bgp);
}

/* --- what zebra remembers -------------------------------------------------------------------- */

static void on_zebra_config(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;
    struct bgp_state *state;

    bgp->watch.residue.pending--;
    if (lost(reply) || reply->status != BGP_REPLY_OK) {
        return;
    }
    state = bgp_config_parse(reply->text, reply->len, secret_digest, bgp->zebra_state);
    if (!bgp->zebra_state || bgp->zebra_state->fingerprint != state->fingerprint) {
        bgp->changed = true;
    }
    bgp_state_free(bgp->zebra_state);
    bgp->zebra_state = state;
    bgp->residue.state = state;
}

static void on_vrfs(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;
    uint32_t *ids;
    size_t n;

    bgp->watch.residue.pending--;
    if (lost(reply)) {
        return;
    }
    n = bgp_show_lost_vrfs(reply->text, &ids);
    if (n != bgp->residue.n_vrfs || (n && memcmp(ids, bgp->residue.vrfs, n * sizeof *ids) != 0)) {
        bgp->changed = true;
    }
    free(bgp->residue.vrfs);
    bgp->residue.vrfs = ids;
    bgp->residue.n_vrfs = n;
    bgp_poll_answered(&bgp->watch.residue, bgp->zebra, RESIDUE_MS, CONFIG_SHARE, CONFIG_MAX_MS);
}

static void ask_residue(struct bgp *bgp)
{
    poll_asked(&bgp->watch.residue);
    bgp->watch.residue.pending += 2;
    bgp_vty_send(bgp->zebra, "show running-config", NULL, on_zebra_config, bgp);
    bgp_vty_send(bgp->zebra, "show vrf", NULL, on_vrfs, bgp);
}

void bgp_watch_read(struct bgp *bgp, enum bgp_daemon daemon)
{
    if (daemon == BGP_ZEBRA) {
        ask_residue(bgp);
    } else if (daemon == BGP_BFDD) {
        bgp_bfd_read(bgp);
    } else {
        ask_config(bgp);
    }
}

bool bgp_watch_reads(const struct bgp *bgp, enum bgp_daemon daemon)
{
    return daemon == BGP_ZEBRA  ? bgp->watch.residue.pending
           : daemon == BGP_BFDD ? bgp->bfd.config.pending
                                : bgp->watch.config.pending;
}

/* --- all ------------------------------------------------------------------------------------- */

bool bgp_watch_complete(const struct bgp *bgp)
{
    const struct bgp_watch *watch = &bgp->watch;

    return bgp_vty_answers(bgp->bgpd) && bgp_vty_answers(bgp->zebra) && bgp->seen &&
           watch->config.session == bgp_vty_session(bgp->bgpd) &&
           watch->look.session == bgp_vty_session(bgp->bgpd) &&
           watch->residue.session == bgp_vty_session(bgp->zebra);
}

/* If a routerd died within a bracket (bgp_apply.c) bgpd would let new peers wait for ten minutes.
 * One that was started just now may be within vtysh's own bracket: that is left alone. */
static void close_bracket(struct bgp *bgp)
{
    if (bgp->watch.session == bgp_vty_session(bgp->bgpd) || !bgp_vty_answers(bgp->bgpd)) {
        return;
    }
    bgp->watch.session = bgp_vty_session(bgp->bgpd);
    if (!bgp_process_is_young(bgp_vty_pid(bgp->bgpd))) {
        bgp_vty_send(bgp->bgpd, "configure terminal", NULL, NULL, NULL);
        bgp_vty_send(bgp->bgpd, "XFRR_end_configuration", NULL, NULL, NULL);
        bgp_vty_send(bgp->bgpd, "end", NULL, NULL, NULL);
    }
}

/* A zebra that has just come has still to be told all routes. */
static void distrust_zebra(struct bgp *bgp)
{
    if (bgp->watch.zebra_session == bgp_vty_session(bgp->zebra)) {
        return;
    }
    bgp->watch.zebra_session = bgp_vty_session(bgp->zebra);
    bgp->watch.n_route_checks = ROUTE_CHECKS;
    bgp->watch.routes_ms = time_msec() + ROUTES_MS;
    for (size_t i = 0; i < bgp->sessions.n; i++) {
        bgp_show_unsettle(&bgp->sessions, bgp->sessions.v[i].network_id);
    }
    bgp_watch_stir(bgp);
}

/* Nothing that was seen in a session that is over counts. */
static void forget(struct bgp *bgp)
{
    if (!bgp_vty_answers(bgp->bgpd) && bgp->seen) {
        bgp_state_free(bgp->seen);
        bgp->seen = NULL;
        bgp_sessions_done(&bgp->sessions);
    }
}

static bool refresh_is_due(const struct bgp *bgp)
{
    return bgp->watch.refresh_ms && bgp->job.stage == BGP_JOB_IDLE && bgp_vty_answers(bgp->bgpd);
}

/* Answers about all sessions would keep bgpd from carrying out what it is told, and it is looked at
 * right after that. */
static long long look_free_ms(const struct bgp *bgp)
{
    return bgp->job.stage == BGP_JOB_IDLE ? 0 : bgp->watch.look.asked_ms + LOOK_BESIDE_MS;
}

void bgp_watch_run(struct bgp *bgp)
{
    struct bgp_watch *watch = &bgp->watch;

    forget(bgp);
    close_bracket(bgp);
    distrust_zebra(bgp);
    if (bgp_poll_due(&watch->config, bgp->bgpd) && bgp->job.stage == BGP_JOB_IDLE) {
        ask_config(bgp);
    }
    if (bgp_poll_due(&watch->residue, bgp->zebra) && bgp->job.stage == BGP_JOB_IDLE) {
        ask_residue(bgp);
    }
    if (bgp_poll_due(&watch->look, bgp->bgpd) && time_msec() >= look_free_ms(bgp)) {
        bgp_look(bgp);
    }
    if (refresh_is_due(bgp) && time_msec() >= watch->refresh_ms) {
        watch->refresh_ms = 0;
        refresh_routes(bgp);
    }
    if (watch->counters_changed && time_msec() >= watch->counters_ms) {
        watch->counters_changed = false;
        watch->counters_ms = time_msec() + COUNTERS_MS;
        bgp->changed = true;
    }
}

void bgp_watch_wait(const struct bgp *bgp)
{
    const struct bgp_watch *watch = &bgp->watch;

    if (bgp_vty_answers(bgp->bgpd)) {
        if (!watch->config.pending && bgp->job.stage == BGP_JOB_IDLE) {
            poll_timer_wait_until(watch->config.next_ms);
        }
        if (!watch->look.pending) {
            poll_timer_wait_until(MAX(watch->look.next_ms, look_free_ms(bgp)));
        }
    }
    if (bgp_vty_answers(bgp->zebra) && !watch->residue.pending && bgp->job.stage == BGP_JOB_IDLE) {
        poll_timer_wait_until(watch->residue.next_ms);
    }
    if (watch->counters_changed) {
        poll_timer_wait_until(watch->counters_ms);
    }
    if (refresh_is_due(bgp)) {
        poll_timer_wait_until(watch->refresh_ms);
    }
}

void bgp_watch_done(struct bgp *bgp)
{
    bgp_state_free(bgp->seen);
    bgp_state_free(bgp->zebra_state);
    free(bgp->residue.vrfs);
    bgp_sessions_done(&bgp->sessions);
    arena_free(bgp->watch.arena);
    bgp_addresses_free(bgp->watch.addresses);
    free(bgp->watch.calms);
    free(bgp->watch.calm_ids);
}
