#include "ovs/ovs_io.h"
#include "ovs/ovs.h"

#include "log/log.h"

#include <errno.h>
#include <lib/smap.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PROBE_MS = 2500,  /* an echo after as much silence, and as much for its answer: seen in 5 s */
    ANSWER_MS = 5000, /* from connecting to having all of the database */
    AGAIN_MS = 500,   /* between looks for an ovsdb-server that is back */
};

struct ovs {
    struct backend backend;
    char *server;
    struct ovsdb_idl *idl;
    struct ovs_watch watch;
    struct ovs_commit commit;
    struct ovs_nft nft;

    unsigned int seqno; /* of what `seen` was made from */
    bool synced;        /* the whole database has come in on this connection */
    long long lost_ms;  /* since when that is not so */
    long long again_ms;
    bool maybe_deaf; /* flow-restore-wait has been on since this ovs-vswitchd was met */
    bool was_alive;
    struct ovs_seen seen;

    struct ovs_state *want; /* for want_for, of which a reference is held */
    struct intended *want_for;
    struct tenant_parts kept; /* of `want` */
    char *advice;             /* from both; or null */

    enum backend_health health;
    char *reason; /* why not ready, or a warning, or null */
};

static struct ovs *ovs_of(struct backend *backend)
{
    return CONTAINER_OF(backend, struct ovs, backend);
}

static int ovs_open(const struct config *config, struct backend **ret_backend)
{
    struct ovs *ovs;

    if (strcmp(config->ovs_datapath, "system") != 0 &&
        strcmp(config->ovs_datapath, "netdev") != 0) {
        return -EINVAL;
    }
    ovs = xzalloc(sizeof *ovs);
    ovs->backend.class = &ovs_backend_class;
    ovs->server = xstrdup(config->ovs_server);
    ovs->idl = ovsdb_idl_create_unconnected(&ovsrec_idl_class, false);
    ovs_see_register(ovs->idl);
    ovsdb_idl_set_remote(ovs->idl, ovs->server, true);
    ovsdb_idl_set_probe_interval(ovs->idl, PROBE_MS);
    ovs_watch_init(&ovs->watch, ovs->server);
    ovs_commit_init(&ovs->commit);
    ovs_nft_init(&ovs->nft);
    ovs_seen_init(&ovs->seen);
    ovs->health = BACKEND_OPENING;
    ovs->lost_ms = time_msec();
    ovs->maybe_deaf = true;
    *ret_backend = &ovs->backend;
    return 0;
}

static void forget_want(struct ovs *ovs)
{
    ovs_state_free(ovs->want);
    intended_unref(ovs->want_for);
    ovs->want = NULL;
    ovs->want_for = NULL;
    free(ovs->advice);
    ovs->advice = NULL;
}

static void advise(struct ovs *ovs)
{
    struct arena *arena = arena_new();
    const char *advice =
        ovs->want && ovs->seen.state ? ovs_advice(arena, ovs->want, ovs->seen.state) : NULL;

    free(ovs->advice);
    ovs->advice = advice ? xstrdup(advice) : NULL;
    arena_free(arena);
}

static void ovs_close(struct backend *backend)
{
    struct ovs *ovs = ovs_of(backend);

    ovs_commit_done(&ovs->commit);
    ovs_watch_done(&ovs->watch);
    ovs_nft_done(&ovs->nft);
    ovsdb_idl_destroy(ovs->idl);
    forget_want(ovs);
    ovs_want_forget(&ovs->kept);
    ovs_seen_done(&ovs->seen);
    free(ovs->server);
    free(ovs->reason);
    free(ovs);
}

/* --- the session --- */

/* The library waits up to 8 s between attempts. We look whether anybody listens again, which
 * costs nothing, and then start a session afresh. */
static void hurry_reconnect(struct ovs *ovs)
{
    int fd;

    if (time_msec() < ovs->again_ms || strncmp(ovs->server, "unix:", 5) != 0) {
        return;
    }
    ovs->again_ms = time_msec() + AGAIN_MS;
    fd = ovs_watch_connect(ovs->server + 5);
    if (fd >= 0) {
        close(fd);
        ovsdb_idl_set_remote(ovs->idl, NULL, true);
        ovsdb_idl_set_remote(ovs->idl, ovs->server, true);
        ovsdb_idl_set_probe_interval(ovs->idl, PROBE_MS);
    }
}

/* Takes in what the server says. What was known before a connection was lost says nothing until the
 * database has come in again: the sequence number changes then, in any case. */
static void session_run(struct ovs *ovs)
{
    unsigned int before = ovsdb_idl_get_seqno(ovs->idl);

    ovsdb_idl_run(ovs->idl);
    if (!ovsdb_idl_is_connected(ovs->idl)) {
        if (ovs->synced) {
            ovs->synced = false;
            ovs->lost_ms = time_msec();
            ovs->again_ms = time_msec() + AGAIN_MS;
        }
        hurry_reconnect(ovs);
    } else if (ovsdb_idl_get_seqno(ovs->idl) != before) {
        ovs->synced = true;
    }
}

static bool see_run(struct ovs *ovs)
{
    unsigned int seqno = ovsdb_idl_get_seqno(ovs->idl);
    bool limits = ovs_nft_run(&ovs->nft);

    if (!ovs->synced || (ovs->seen.state && seqno == ovs->seqno && !limits)) {
        return false;
    }
    ovs->seqno = seqno;
    if (!ovs_see(&ovs->seen, ovs->idl, &ovs->nft)) {
        return false;
    }
    advise(ovs);
    return true;
}

/* --- health --- */

static bool has_kernel_port(const struct ovs_state *seen)
{
    for (size_t i = 0; seen && i < seen->n_ports; i++) {
        const struct ovs_bridge *bridge = ovs_state_bridge(seen, seen->ports[i].bridge);

        if (seen->ports[i].made == OVS_MADE && !strcmp(bridge->datapath, "system")) {
            return true;
        }
    }
    return false;
}

/* ovs-vswitchd reads flow-restore-wait until it has once seen it false: a `true` left behind by a
 * failed reload leaves it forwarding nothing; one that is set later means nothing to it. */
static void deaf_run(struct ovs *ovs)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(ovs->idl);

    if (ovs->watch.alive && !ovs->was_alive) {
        ovs->maybe_deaf = true;
    }
    ovs->was_alive = ovs->watch.alive;
    if (ovs->synced && root && !smap_get_bool(&root->other_config, "flow-restore-wait", false)) {
        ovs->maybe_deaf = false;
    }
}

/* Why nothing is forwarded although everything answers, or null. */
static const char *deaf_reason(const struct ovs *ovs)
{
    if (ovs->maybe_deaf && ovs->synced) {
        return "ovs-vswitchd waits for flows to be restored and forwards nothing; if no reload is "
               "under way: ovs-vsctl remove open_vswitch . other_config flow-restore-wait";
    }
    return ovs->watch.warning;
}

static char *session_reason(const struct ovs *ovs)
{
    int error = ovsdb_idl_get_last_error(ovs->idl);
    bool connected = ovsdb_idl_is_connected(ovs->idl);

    return xasprintf("ovsdb-server does not answer on %s%s%s; is openvswitch-switch running?",
                     ovs->server, connected || !error ? "" : ": ",
                     connected || !error ? "" : ovs_retval_to_string(error));
}

/* The worst thing first. The reason is heap memory, or null. */
static enum backend_health judge_health(struct ovs *ovs, char **ret_reason)
{
    const struct ovsrec_open_vswitch *root = ovsrec_open_vswitch_first(ovs->idl);
    const char *warning = deaf_reason(ovs) ? deaf_reason(ovs) : ovs->advice;

    if (!ovs->synced) {
        bool early = ovs->health == BACKEND_OPENING && !ovsdb_idl_get_last_error(ovs->idl);

        *ret_reason = session_reason(ovs);
        return early && time_msec() < ovs->lost_ms + ANSWER_MS ? BACKEND_OPENING : BACKEND_AWAY;
    }
    if (!root) {
        *ret_reason =
            xasprintf("the Open_vSwitch database on %s is empty: ovs-vsctl init", ovs->server);
        return BACKEND_AWAY;
    }
    if (!ovs->watch.alive) {
        bool early = ovs->health == BACKEND_OPENING && !ovs->watch.reason;

        *ret_reason =
            xstrdup(ovs->watch.reason ? ovs->watch.reason : "ovs-vswitchd has not answered yet");
        return early ? BACKEND_OPENING : BACKEND_AWAY;
    }
    if (root->cur_cfg < ovs->commit.stuck) {
        *ret_reason = xasprintf("ovs-vswitchd does not carry out what is in its database (cur_cfg "
                                "%lld, wanted %lld); see its log",
                                (long long)root->cur_cfg, (long long)ovs->commit.stuck);
        return BACKEND_AWAY;
    }
    ovs->commit.stuck = 0;
    *ret_reason = warning ? xstrdup(warning) : NULL;
    return BACKEND_READY;
}

static bool health_run(struct ovs *ovs)
{
    char *reason;
    enum backend_health health = judge_health(ovs, &reason);
    bool same_reason =
        reason && ovs->reason ? !strcmp(reason, ovs->reason) : !reason && !ovs->reason;
    bool changed = health != ovs->health || !same_reason;

    free(ovs->reason);
    ovs->reason = reason;
    ovs->health = health;
    return changed;
}

static enum backend_health ovs_health(const struct backend *backend, const char **ret_reason)
{
    const struct ovs *ovs = ovs_of(CONST_CAST(struct backend *, backend));

    *ret_reason = ovs->reason;
    return ovs->health;
}

/* --- the loop's hooks --- */

static bool ovs_run(struct backend *backend)
{
    struct ovs *ovs = ovs_of(backend);
    bool changed;

    session_run(ovs);
    changed = see_run(ovs);
    ovs_watch_run(&ovs->watch, !ovs->maybe_deaf && has_kernel_port(ovs->seen.state),
                  ovs->commit.stage == OVS_COMMIT_EFFECT ? ovs->commit.patience_ms : 0);
    deaf_run(ovs);
    changed = health_run(ovs) || changed;
    if (ovs->health == BACKEND_READY) {
        ovs_commit_run(&ovs->commit, ovs->idl, ovs_watch_busy(&ovs->watch));
    } else {
        ovs_commit_abort(&ovs->commit, ovs->reason);
    }
    return ovs->commit.stuck && ovs->health == BACKEND_READY ? health_run(ovs) || changed : changed;
}

static void ovs_wait(struct backend *backend)
{
    struct ovs *ovs = ovs_of(backend);

    ovsdb_idl_wait(ovs->idl);
    ovs_watch_wait(&ovs->watch);
    ovs_commit_wait(&ovs->commit);
    ovs_nft_wait(&ovs->nft);
    if (!ovsdb_idl_is_connected(ovs->idl)) {
        poll_timer_wait_until(ovs->again_ms);
    } else if (!ovs->synced && ovs->health == BACKEND_OPENING) {
        poll_timer_wait_until(ovs->lost_ms + ANSWER_MS);
    }
}

static void ovs_diff_hook(struct backend *backend, const struct intended *intended,
                          struct plan *plan)
{
    struct ovs *ovs = ovs_of(backend);

    if (ovs->want_for != intended) {
        forget_want(ovs);
        ovs->want = ovs_want(intended, &ovs->kept);
        ovs->want_for = intended_ref(intended);
        advise(ovs);
    }
    ovs_diff(ovs->want, ovs->seen.state, plan);
}

static void ovs_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    struct ovs *ovs = ovs_of(backend);
    size_t n_rows = 0;

    for (size_t i = 0; i < n; i++) { /* those of rows first */
        struct step *step = steps[i];
        const struct ovs_work *work = step->data;

        if (work->nft) {
            ovs_nft_apply(&ovs->nft, plan, step);
        } else {
            steps[i] = steps[n_rows];
            steps[n_rows++] = step;
        }
    }
    ovs_commit_start(&ovs->commit, plan, steps, n_rows);
    if (ovs->health == BACKEND_READY) {
        ovs_commit_run(&ovs->commit, ovs->idl, false);
    } else {
        ovs_commit_abort(&ovs->commit, ovs->reason);
    }
}

static void ovs_status_hook(struct backend *backend, struct status *status)
{
    struct ovs *ovs = ovs_of(backend);

    ovs_status(ovs->seen.state, ovs->health == BACKEND_AWAY ? ovs->reason : NULL, deaf_reason(ovs),
               status);
}

const struct backend_class ovs_backend_class = {
    .name = "ovs",
    .open = ovs_open,
    .close = ovs_close,
    .run = ovs_run,
    .wait = ovs_wait,
    .health = ovs_health,
    .diff = ovs_diff_hook,
    .apply = ovs_apply,
    .status = ovs_status_hook,
};
