/* ovs_io.h - what the files of the ovs backend that know libopenvswitch share; nobody else includes
 * it. See ovs.h for which does what. */
#ifndef OVS_OVS_IO_H
#define OVS_OVS_IO_H

#include "ovs/ovs_state.h"

#include <lib/vswitch-idl.h>
#include <openvswitch/hmap.h>
#include <openvswitch/shash.h>

/* --- limits of broadcasts (ovs_io_nft.c) --- */

struct nft_ctx;

struct ovs_nft {
    struct nft_ctx *context;  /* null: libnftables does not work */
    int fd;                   /* hears of changes */
    bool dirty;               /* to be read again */
    char *text;               /* the listing, as JSON; "" if there is no table; null: no look yet */
    char *error;              /* why the last commands failed, or null */
    struct ovs_state *limits; /* of the listing, and nothing else; null: no look yet */
};

void ovs_nft_init(struct ovs_nft *nft);
void ovs_nft_done(struct ovs_nft *nft);
/* Reads the table again if it may have changed; true if it has. */
bool ovs_nft_run(struct ovs_nft *nft);
void ovs_nft_wait(const struct ovs_nft *nft);
/* The limits that a listing holds, freed with ovs_state_free(). */
struct ovs_state *ovs_nft_read(const char *listing);
/* Adds the limits to a state that is not indexed yet. */
void ovs_nft_see(const struct ovs_nft *nft, struct ovs_state *state);
/* Carries out and finishes a step that is commands for nftables. Takes milliseconds. */
void ovs_nft_apply(struct ovs_nft *nft, struct plan *plan, struct step *step);

/* --- rows to values (ovs_io_see.c) --- */

/* Asks for the columns that are looked at, and no others: a changed counter wakes nobody. */
void ovs_see_register(struct ovsdb_idl *idl);
/* What is seen, and the values of the rows that it was made from. */
struct ovs_seen {
    struct ovs_state *state; /* borrows from the rows; null: no look has been taken yet */
    struct hmap rows;        /* of struct seen_row, by version */
    unsigned int turn;       /* of looking */
};

void ovs_seen_init(struct ovs_seen *seen);
void ovs_seen_done(struct ovs_seen *seen);
/* Takes a look, always at the same IDL; of rows that have not changed since the last one only
 * whether they are there. True if what is seen has changed. */
bool ovs_see(struct ovs_seen *seen, const struct ovsdb_idl *idl, const struct ovs_nft *nft);
/* How far ovs-vswitchd is with an interface. */
enum ovs_made ovs_see_made(const struct ovsrec_interface *interface);
/* Whether both hold the same. */
bool ovs_see_equal(const struct ovs_state *a, const struct ovs_state *b);

/* --- operations to rows (ovs_io_rows.c) --- */

/* The rows by name while one transaction is put together, its own new ones too. */
struct ovs_rows {
    struct ovsdb_idl_txn *txn;
    const struct ovsrec_open_vswitch *root;
    struct shash bridges;    /* of const struct ovsrec_bridge * */
    struct shash ports;      /* of const struct ovsrec_port * */
    struct shash interfaces; /* of const struct ovsrec_interface * */
    struct shash places;     /* port's name -> the const struct ovsrec_bridge * that it is on */
};

/* For these steps' work: rows by other names are not collected. */
void ovs_rows_init(struct ovs_rows *rows, struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
                   struct step *const *steps, size_t n);
void ovs_rows_done(struct ovs_rows *rows);
/* Adds the whole of one of these steps' work to the transaction, or nothing of it: then why not, in
 * `arena`, with *ret_result saying whether that is a failure or something that is not there yet. */
const char *ovs_rows_add(struct ovs_rows *rows, const struct ovs_work *work, struct arena *arena,
                         enum step_result *ret_result);

/* --- steps to transactions (ovs_io_commit.c) --- */

enum ovs_commit_stage { OVS_COMMIT_IDLE, OVS_COMMIT_WRITING, OVS_COMMIT_EFFECT };

/* The steps being carried out: in chunks, each one transaction, whose effect is awaited. */
struct ovs_commit {
    enum ovs_commit_stage stage;
    struct plan *plan;
    struct step **steps;
    size_t n_steps, capacity;
    size_t first, n_chunk; /* the chunk at work */
    size_t limit;          /* of a chunk; 1 while a culprit is looked for */
    unsigned int tries;    /* of the chunk */
    struct ovsdb_idl_txn *txn;
    int64_t target;        /* next_cfg of our transaction */
    long long deadline_ms; /* of the stage */
    long long patience_ms; /* until when this chunk explains a busy ovs-vswitchd */
    int64_t stuck;         /* a target that was not reached in time; 0: none */
};

void ovs_commit_init(struct ovs_commit *commit);
/* Takes in steps of `plan`; they are set STEP_RUNNING. */
void ovs_commit_start(struct ovs_commit *commit, struct plan *plan, struct step **steps, size_t n);
/* Makes progress. `busy`: ovs-vswitchd is seen to be working, so it gets more time. */
void ovs_commit_run(struct ovs_commit *commit, struct ovsdb_idl *idl, bool busy);
void ovs_commit_wait(const struct ovs_commit *commit);
/* Gives up all steps at work as not ready, because of `reason`. */
void ovs_commit_abort(struct ovs_commit *commit, const char *reason);
void ovs_commit_done(struct ovs_commit *commit);

/* --- whether ovs-vswitchd lives (ovs_io_watch.c) --- */

struct ovs_watch {
    char *directory; /* where its control socket is; null: it cannot be watched */
    int fd;          /* its control socket, held open: its end is the daemon's end; -1: none */
    int pid;         /* of the daemon; 0: not visible from here */
    bool asked;      /* a call is under way */
    bool alive;      /* it has answered on this connection, and lately */
    bool looked;     /* this one's handler threads have been seen */
    long long alive_ms, asked_ms, next_ms;
    long long cpu_ticks; /* what it had used when it was last looked at */
    long long busy_until_ms;
    char *reason;  /* why it is not alive */
    char *warning; /* it lives but forwards nothing; or null */
};

/* `server` is the OVSDB's; the daemon's control socket is looked for beside it. */
void ovs_watch_init(struct ovs_watch *watch, const char *server);
void ovs_watch_done(struct ovs_watch *watch);
/* `kernel`: it has ports in the kernel, for which it needs handler threads. `patience_ms`: until
 * then it may be at work on what we asked for. */
void ovs_watch_run(struct ovs_watch *watch, bool kernel, long long patience_ms);
void ovs_watch_wait(const struct ovs_watch *watch);
/* A connection to a listening Unix socket, not blocking, or -errno. */
int ovs_watch_connect(const char *path);
/* Whether it does not answer but is seen to use the CPU. */
bool ovs_watch_busy(const struct ovs_watch *watch);

#endif
