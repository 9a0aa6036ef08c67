/* bgp_io.h - what the files of the bgp backend that talk to FRR share; nobody else includes it.
 *
 * bgp_io.c holds the hooks, bgp_watch.c and bgp_look.c keep what is seen current, bgp_apply.c
 * carries out steps, bgp_bfd.c what bfdd holds, bgp_status.c fills in the snapshot, bgp_save.c
 * saves. All on the engine's thread. */
#ifndef BGP_BGP_IO_H
#define BGP_BGP_IO_H

#include "backend/backend.h"
#include "bgp/bgp_change.h"
#include "bgp/bgp_diff.h"
#include "bgp/bgp_save.h"
#include "bgp/bgp_show.h"
#include "bgp/bgp_vty.h"
#include "model/tenant_parts.h"

/* A question that is asked again and again. */
struct bgp_poll {
    size_t pending;       /* answers that are still to come */
    long long next_ms;    /* when to ask again */
    long long asked_ms;   /* when it was asked */
    unsigned int session; /* of the daemon, in which it was last answered; 0: never */
};

/* Keeping what is seen current (bgp_watch.c). */
struct bgp_watch {
    unsigned int session; /* of bgpd, that was begun with */
    unsigned int zebra_session;
    struct bgp_poll config;  /* bgpd's running configuration */
    struct bgp_poll residue; /* what zebra remembers */
    struct bgp_poll look;    /* the sessions */
    uint32_t config_hash;    /* of the text that `seen` is of */
    size_t config_len;
    struct arena *arena;             /* of this look's questions */
    struct bgp_addresses *addresses; /* the kernel's, if this look compares zebra's with them */
    bool look_bad;                   /* an answer of this look could not be read or never came */
    bool look_calm;         /* nothing waits in bgpd's and zebra's queues, as of this look */
    struct bgp_calm *calms; /* of this look, per network of `seen` that is not settled */
    uint32_t *calm_ids;     /* whose they are; sorted */
    size_t n_calms;
    long long failed_ms;              /* when to ask next why sessions are down */
    unsigned int n_route_checks;      /* how often to ask yet whether zebra has routes */
    long long routes_ms;              /* when to do so next */
    size_t n_down;                    /* sessions that were down at the last look */
    long long links_ms, links_gap_ms; /* when to ask next whether zebra knows their addresses */
    long long stirred_ms;             /* when something was last changed or moved */
    long long counters_ms;            /* when changed counters may be published next */
    bool counters_changed;
    long long refresh_ms; /* when all routes are to be filtered anew; 0: they need not be */
};

/* What bfdd holds (bgp_bfd.c). It is asked only while it is there or somebody wants it. */
struct bgp_bfd {
    struct bgp_poll config, look;
    struct bgp_state *seen; /* its configuration; null until read in this session */
    struct bgp_bfd_sessions sessions;
    bool wanted;   /* a peer wants BFD */
    char *problem; /* of bfdd, with the remedy; null: none, or nobody wants it */
};

enum bgp_job_stage { BGP_JOB_IDLE, BGP_JOB_COMMANDS, BGP_JOB_READ, BGP_JOB_DROP, BGP_JOB_REREAD };

/* The steps being carried out (bgp_apply.c). */
struct bgp_job {
    enum bgp_job_stage stage;
    enum bgp_daemon daemon; /* whose they are */
    unsigned int session;   /* of that daemon */
    struct plan *plan;
    struct step **steps; /* in the plan's arena */
    size_t n_steps;
    size_t pending; /* answers still to come in this stage */
};

struct bgp {
    struct backend up;
    char *secrets_directory;
    struct bgp_vty *bgpd, *zebra, *bfdd;
    struct bgp_save *save;

    /* what is seen; null or empty until read in this session */
    struct bgp_state *seen;
    struct bgp_residue residue;
    struct bgp_state *zebra_state;
    struct bgp_sessions sessions;
    struct bgp_watch watch;

    struct bgp_bfd bfd;

    struct bgp_job job;

    /* what is wanted, as of the last intended state and secrets */
    struct intended *intended;
    struct bgp_state *wanted;
    struct tenant_parts wanted_parts;
    long long secrets_ms; /* when to look next whether a secret's file has changed */

    char *secret_problem; /* of the last secret that was looked at */

    bool changed;          /* since run() last said so */
    uint32_t health_stamp; /* of the health that run() last told */
};

/* Asks what is due. */
void bgp_watch_run(struct bgp *bgp);
void bgp_watch_wait(const struct bgp *bgp);
void bgp_watch_done(struct bgp *bgp);
/* Whether all has been read in the present sessions. */
bool bgp_watch_complete(const struct bgp *bgp);
/* Reads the configuration of bgpd or bfdd, or what zebra remembers, now: the answer is there once
 * bgp_watch_reads() says no. */
void bgp_watch_read(struct bgp *bgp, enum bgp_daemon daemon);
bool bgp_watch_reads(const struct bgp *bgp, enum bgp_daemon daemon);
/* Begins a look at the sessions (bgp_look.c). */
void bgp_look(struct bgp *bgp);
/* Between two looks at a session: `rest_ms`, or `share` times what the answer took, up to `max_ms`.
 * The answer to a poll is complete now. */
void bgp_poll_answered(struct bgp_poll *poll, const struct bgp_vty *vty, int rest_ms, int share,
                       int max_ms);
bool bgp_poll_due(const struct bgp_poll *poll, const struct bgp_vty *vty);
/* Something was changed: look at the sessions often for a while. */
void bgp_watch_stir(struct bgp *bgp);

/* BFD (bgp_bfd.c). */
void bgp_bfd_run(struct bgp *bgp);
void bgp_bfd_wait(const struct bgp *bgp);
void bgp_bfd_done(struct bgp *bgp);
void bgp_bfd_read(struct bgp *bgp);

/* Makes `wanted` that of the intended state, and of the secrets as they are now. */
void bgp_want_now(struct bgp *bgp, const struct intended *intended);
/* Goes on with the steps under way. */
void bgp_apply_run(struct bgp *bgp);

/* As struct backend_class says. */
void bgp_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n);
void bgp_status(struct backend *backend, struct status *status);
enum backend_health bgp_health(const struct backend *backend, const char **ret_reason);

#endif
