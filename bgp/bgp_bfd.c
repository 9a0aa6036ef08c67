/* Keeps what bfdd holds current: its profiles and its sessions. An FRR without bfdd is nobody's
 * fault as long as no peer wants BFD, so it is asked only while its socket is there or one does. */
#include "backend/secret.h"
#include "bgp/bgp_config.h"
#include "bgp/bgp_io.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONFIG_MS = 2000,
    CONFIG_MAX_MS = 3000,
    SHARE = 30,
    LOOK_MS = 1000,
    LOOK_WAITING_MS = 250, /* while one may come up any moment */
    LOOK_MAX_MS = 2000,
};

static bool lost(const struct bgp_reply *reply)
{
    return reply->status == BGP_VTY_BROKEN;
}

static void on_config(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;
    struct bgp_state *seen;

    bgp->bfd.config.pending--;
    if (lost(reply) || reply->status != BGP_REPLY_OK) {
        return;
    }
    seen = bgp_config_parse(reply->text, reply->len, secret_digest, bgp->bfd.seen);
    if (!bgp->bfd.seen || bgp->bfd.seen->fingerprint != seen->fingerprint) {
        bgp->changed = true;
        bgp->watch.config_len = 0; /* bgpd's is looked at anew, so that both are saved */
    }
    bgp_state_free(bgp->bfd.seen);
    bgp->bfd.seen = seen;
    bgp->residue.bfd = seen;
    bgp_poll_answered(&bgp->bfd.config, bgp->bfdd, CONFIG_MS, SHARE, CONFIG_MAX_MS);
}

void bgp_bfd_read(struct bgp *bgp)
{
    bgp->bfd.config.asked_ms = time_msec();
    bgp->bfd.config.pending++;
    bgp_vty_send(bgp->bfdd, "show running-config", NULL, on_config, bgp);
}

static bool all_up(const struct bgp_bfd_sessions *sessions)
{
    for (size_t i = 0; i < sessions->n; i++) {
        if (strcmp(sessions->v[i].state, "up") != 0) {
            return false;
        }
    }
    return true;
}

static void on_look(void *bgp_, const struct bgp_reply *reply)
{
    struct bgp *bgp = bgp_;
    struct bgp_bfd *bfd = &bgp->bfd;
    struct bgp_bfd_sessions sessions;

    bfd->look.pending--;
    if (!lost(reply) && bgp_show_bfd(reply->text, &sessions)) {
        bgp->changed |= !bgp_bfd_sessions_equal(&sessions, &bfd->sessions);
        bgp_bfd_sessions_done(&bfd->sessions);
        bfd->sessions = sessions;
    }
    bgp_poll_answered(&bfd->look, bgp->bfdd, all_up(&bfd->sessions) ? LOOK_MS : LOOK_WAITING_MS,
                      SHARE, LOOK_MAX_MS);
}

static void look(struct bgp *bgp)
{
    bgp->bfd.look.asked_ms = time_msec();
    bgp->bfd.look.pending++;
    bgp_vty_send(bgp->bfdd, "show bfd peers json", NULL, on_look, bgp);
}

/* Nothing that was seen in a session that is over counts. */
static void forget(struct bgp *bgp)
{
    if (!bgp_vty_answers(bgp->bfdd) && bgp->bfd.seen) {
        bgp_state_free(bgp->bfd.seen);
        bgp->bfd.seen = NULL;
        bgp->residue.bfd = NULL;
        bgp_bfd_sessions_done(&bgp->bfd.sessions);
        bgp->changed = true;
    }
}

static void tell_problem(struct bgp *bgp)
{
    struct bgp_bfd *bfd = &bgp->bfd;

    free(bfd->problem);
    bfd->problem = NULL;
    if (bfd->wanted && !bfd->seen && !bgp_vty_connecting(bgp->bfdd)) {
        bfd->problem = xasprintf("peers want BFD and %s", bgp_vty_problem(bgp->bfdd));
    }
}

static bool is_asked(const struct bgp *bgp)
{
    return bgp->bfd.wanted || bgp_vty_answers(bgp->bfdd) || !access(bgp_vty_path(bgp->bfdd), F_OK);
}

void bgp_bfd_run(struct bgp *bgp)
{
    struct bgp_bfd *bfd = &bgp->bfd;

    bfd->wanted = bgp->wanted && bgp->wanted->n_bfds;
    if (is_asked(bgp)) {
        bgp_vty_run(bgp->bfdd);
    }
    forget(bgp);
    if (bgp_poll_due(&bfd->config, bgp->bfdd) && bgp->job.stage == BGP_JOB_IDLE) {
        bgp_bfd_read(bgp);
    }
    if (bfd->wanted && bgp_poll_due(&bfd->look, bgp->bfdd)) {
        look(bgp);
    }
    if (is_asked(bgp)) {
        bgp_vty_run(bgp->bfdd); /* off with what was just asked */
    }
    tell_problem(bgp);
}

void bgp_bfd_wait(const struct bgp *bgp)
{
    const struct bgp_bfd *bfd = &bgp->bfd;

    if (is_asked(bgp)) {
        bgp_vty_wait(bgp->bfdd);
    }
    if (!bgp_vty_answers(bgp->bfdd)) {
        return;
    }
    if (!bfd->config.pending && bgp->job.stage == BGP_JOB_IDLE) {
        poll_timer_wait_until(bfd->config.next_ms);
    }
    if (bfd->wanted && !bfd->look.pending) {
        poll_timer_wait_until(bfd->look.next_ms);
    }
}

void bgp_bfd_done(struct bgp *bgp)
{
    bgp_state_free(bgp->bfd.seen);
    bgp_bfd_sessions_done(&bgp->bfd.sessions);
    free(bgp->bfd.problem);
}
