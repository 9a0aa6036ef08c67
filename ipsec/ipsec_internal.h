/* ipsec_internal.h - what the files of ipsec/ that do I/O share; nobody else includes it.
 *
 *   ipsec_io.c      the hooks
 *   ipsec_sync.c    connecting, listing, polling, events: keeps `seen` true
 *   ipsec_apply.c   steps to commands
 *   ipsec_write.c   a connection as a command has it
 *   ipsec_keeper.c  initiates what is down, and knows why it is down
 *   ipsec_renew.c   replaces SAs of settings that have changed
 *   ipsec_status.c  tunnels to states
 *
 * Three connections to charon. `commands` carries what only touches charon's configuration: it
 * answers at once, so that it also tells whether charon is alive. `sas` carries what touches IKE
 * SAs (list-sas, initiate, terminate): charon may keep that waiting for as long as somebody's SA is
 * busy. `events` only listens. */
#ifndef IPSEC_INTERNAL_H
#define IPSEC_INTERNAL_H

#include "backend/backend.h"
#include "ipsec/ipsec_env.h"
#include "ipsec/ipsec_link.h"
#include "ipsec/ipsec_seen.h"
#include "ipsec/ipsec_trouble.h"

#include <openvswitch/hmap.h>

enum {
    LATE_MS = 5000,        /* charon is taken for stuck when a command takes longer */
    SAS_LATE_MS = 10000,   /* the same for what may wait for an SA */
    HELLO_LATE_MS = 60000, /* a connection that never got an answer is given up and made anew */
    RECONNECT_MIN_MS = 100,
    RECONNECT_MAX_MS = 1000,
    POLL_MS = 400,      /* names of connections and secrets: their unloading raises no event */
    REFRESH_MS = 50,    /* between two readings of SAs after events */
    COUNTERS_MS = 4500, /* bytes in the status are at most this old */
    LIST_FEW = 32,      /* connections that are listed one by one before all are again */
};

/* How far the connection to charon is. Each stage waits for answers and then enters the next. */
enum sync_stage { SYNC_CLOSED, SYNC_HELLO, SYNC_REGISTER, SYNC_LIST, SYNC_READY };

struct sync {
    enum sync_stage stage;
    long long retry_ms, backoff_ms; /* SYNC_CLOSED */
    unsigned int unanswered;        /* of the stage's requests */
    bool was_away; /* since the last SYNC_READY, or never ready for reasons that are known */
    char reason[300];
    bool listing, list_again; /* lists are being read; all of them after that */
    uint32_t again[LIST_FEW]; /* or of these connections */
    size_t n_again;
    unsigned int list_parts;   /* that are outstanding */
    uint32_t listed[LIST_FEW]; /* the connections that are being listed; n_listed 0: all */
    size_t n_listed, n_partly; /* partly: listed one by one since all were */
    struct ipsec_seen fresh;   /* being read */
    bool reading_sas;          /* SAs only are being read */
    uint32_t reading_id;       /* of which connection; 0: of all */
    uint32_t *dirty;           /* ids whose SAs changed */
    size_t n_dirty;
    bool all_dirty;
    long long refresh_ms, poll_ms,
        counters_ms; /* not before; the last of them: when counters were read */
    bool counters_wanted;
    unsigned int polls; /* outstanding */
};

/* What is remembered of a connection of ours: nothing that decides what it should be. */
struct kept {
    struct hmap_node node;
    uint32_t id;
    bool up;
    int64_t up_since_ms; /* Unix time */
    bool trying;
    bool leftover;      /* charon may still be at an attempt that is over for us */
    unsigned int asked; /* requests outstanding */
    long long started_ms, alive_ms, next_ms; /* alive: when the other end was last heard */
    unsigned int failures;                   /* in a row */
    enum ipsec_trouble trouble;
    unsigned int silent;  /* retransmits in a row while it is up */
    bool outdated;        /* other settings were loaded since its SAs were made */
    long long replace_ms; /* when SAs with those were begun beside the present ones; 0: not */
    long long end_old_ms; /* when all but the newest are to end; 0: not */
    bool mark;
};

struct keeper {
    struct hmap tunnels;
    long long next_ms; /* when there may be something to do */
};

struct batch;

struct ipsec {
    struct backend backend;
    char *path; /* of the socket */
    struct link *commands, *sas, *events;
    struct sync sync;
    struct ipsec_seen seen;
    struct keeper keeper;
    struct ipsec_env *env;
    struct batch *batch; /* steps under way, or null */
    bool changed;        /* to be told by the next run() */
    /* the wanted state that was asked for last, and what it was made of */
    struct ipsec_wanted *wanted;
    struct intended *wanted_intended;
    struct tenant_parts parts;
    bool wanted_stale;
};

void sync_init(struct ipsec *ipsec);
void sync_done(struct ipsec *ipsec);
void sync_run(struct ipsec *ipsec);
void sync_wait(struct ipsec *ipsec);
/* Reads all lists anew, as soon as what is queued has been answered; batch_listed() is called
 * after. */
void sync_list(struct ipsec *ipsec);
/* Likewise, of connections and SAs those of the ids alone unless they are many. */
void sync_list_few(struct ipsec *ipsec, const uint32_t *ids, size_t n);
/* Closes all connections for a reason and tries again later. */
void sync_lose(struct ipsec *ipsec, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether the answer says success; else what it says is in `buffer`. */
bool sync_succeeded(int error, const struct vici_packet *packet, char *buffer, size_t size);

void batch_start(struct ipsec *ipsec, struct plan *plan, struct step **steps, size_t n);
void batch_run(struct ipsec *ipsec);
void batch_wait(const struct ipsec *ipsec);
void batch_listed(struct ipsec *ipsec);
/* Whether a step under way is about the connection. */
bool batch_concerns(const struct ipsec *ipsec, uint32_t id);
/* Ends all steps under way as failed for the reason. */
void batch_fail(struct ipsec *ipsec, const char *reason);
/* Lets go of the steps under way without a result. */
void batch_drop(struct ipsec *ipsec);

void keeper_init(struct ipsec *ipsec);
void keeper_done(struct ipsec *ipsec);
/* Takes in that `seen` changed, or what it has of an id. */
void keeper_seen(struct ipsec *ipsec);
void keeper_seen_id(struct ipsec *ipsec, uint32_t id);
/* Forgets attempts: charon does not answer, or is another. */
void keeper_reset(struct ipsec *ipsec);
void keeper_log(struct ipsec *ipsec, const struct ipsec_log *log);
/* A step ended the tunnel's SAs, or gave it another secret: initiate at once. */
void keeper_hurry(struct ipsec *ipsec, uint32_t id);
/* Other settings were loaded: SAs that were made with the ones before are replaced at their next
 * rekey, which a rekey event tells. */
void keeper_outdated(struct ipsec *ipsec, uint32_t id);
void keeper_rekeyed(struct ipsec *ipsec, uint32_t id);
void keeper_run(struct ipsec *ipsec);
void keeper_wait(const struct ipsec *ipsec);
struct kept *keeper_find(const struct ipsec *ipsec, uint32_t id);
/* ipsec_renew.c: takes in that `seen` changed, for one that is up. */
void renew_seen(struct ipsec *ipsec, struct kept *kept);
/* Ends what was replaced, once it is time. */
void renew_run(struct ipsec *ipsec, struct kept *kept);
/* The youngest SA that passes traffic, or null, and how many there are. */
const struct ipsec_sa *renew_youngest(const struct ipsec_seen *seen, uint32_t id, size_t *ret_n);
/* The keeper has something to do then. */
void keeper_wake(struct ipsec *ipsec, long long when_ms);

/* Writes a connection's section: with certificates, or null for a PSK. */
void ipsec_write_conn(struct vici_writer *writer, const struct ipsec_tunnel *tunnel,
                      const struct ipsec_pki *pki);

/* The wanted state for an intended one, cached. */
const struct ipsec_wanted *ipsec_wanted_for(struct ipsec *ipsec, const struct intended *intended);
void ipsec_fill_status(struct ipsec *ipsec, struct status *status);

#endif
