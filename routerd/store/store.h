/* store.h - what must survive: generations, the numbers of objects, the nodes and the events, in an
 * OVSDB database of our own.
 *
 * The database ("Router" by default; schema in router.ovsschema) lives on the ovsdb-server that the
 * router runs anyway, or on an OVSDB RAFT cluster. This routerd is its only writer, made sure by an
 * OVSDB lock (RFC 7047, 4.1.8) that every transaction asserts; so the store reads everything once
 * after it has connected, keeps it as an image, and writes. Writes that are answered are durable
 * commits ({"op":"commit","durable":true}). Nothing here blocks: requests are queued, store_run()
 * makes progress, completions are callbacks from store_run(), and each request has a deadline.
 *
 * After a lost connection the outcome of a write in flight is unknown; the store reads everything
 * again, the image gets a new serial, and the engine compares as at the start. So an answer that
 * could not be given is still never half a change. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "model/config.h"
#include "model/ids.h"

#include <stdbool.h>
#include <stdint.h>

enum { STORE_DEADLINE_MS = 5000, STORE_GENERATIONS = 64 /* kept of each tenant */ };

struct store;

enum store_health {
    STORE_OPENING, /* connecting or reading */
    STORE_READY,
    STORE_AWAY, /* no server, no database, wrong schema, lock held by another routerd: the reason
                   says which and the remedy */
};

struct store_generation {
    uint64_t number;
    int64_t time_ms; /* Unix time */
    char *who;       /* "uid 0", "vcc-bio.example.ac.jp" */
    char *summary;   /* "3 to create, 1 to update" */
};

/* A generation in force that is rolled back unless somebody confirms it. */
struct store_confirm {
    int64_t until_ms; /* Unix time; 0: nothing awaits confirmation */
    int64_t for_ms;   /* how long it was given */
    uint64_t back;    /* the generation to go back to; 0: to no networks */
};

struct store_tenant {
    char *name;
    uint64_t generation; /* in force; 0: none */
    char *text;          /* its document */
    size_t text_len;
    struct store_confirm confirm;
    struct store_generation *history; /* oldest first, the one in force is the last */
    size_t n_history;
};

struct store_since {
    char *object; /* "bio/genome/peer/aws" */
    int64_t since_ms;
};

/* What the database holds. */
struct store_image {
    uint64_t
        serial; /* grows with each reading; writes of ours update the image in place and leave it */
    struct store_tenant *tenants;
    size_t n_tenants;
    struct ids ids;
    bool has_counters;         /* the store's own: the database has its row of counters */
    struct store_since *since; /* sorted by object */
    size_t n_since;
    uint32_t *pages; /* the store's own: the numbers of all pages of nodes, sorted */
    size_t n_pages;
};

/* Starts to connect. 0, or -EINVAL if the server's address cannot be one. */
int store_open(const struct config *config, struct store **ret_store);
void store_close(
    struct store *store); /* null is fine; requests under way are answered -ECANCELED */
/* Takes in answers; returns whether health or the image's serial changed. Calls completions. */
bool store_run(struct store *store);
/* Registers with the poll loop what should wake store_run(). */
void store_wait(struct store *store);
/* Every transaction has been answered. */
bool store_is_idle(const struct store *store);
enum store_health store_health(const struct store *store, const char **ret_reason);
/* Borrowed until the next store_run(); null before the first reading. */
const struct store_image *store_image(const struct store *store);

/* One accepted change of one tenant. */
struct store_change {
    const char *tenant;
    uint64_t generation; /* must be the one in force + 1 */
    const char *text;
    size_t text_len;
    const char *who, *summary;
    struct store_confirm confirm;
    const struct ids
        *ids; /* all numbers as they shall be; the store writes the difference to its image */
};

/* 0, or -errno: -EAGAIN away (nothing was written), -ETIMEDOUT and -EIO outcome unknown (see
 * above), -ENOSPC, -EROFS, ... refused by the server and nothing written. `detail` is a sentence
 * with the remedy, or null. */
typedef void store_done(void *aux, int result, const char *detail);
/* Writes it durably; `change` is copied as needed before the call returns. The completion always
 * comes, once, from a later store_run() or store_close(). */
void store_put(struct store *store, const struct store_change *change, store_done *done, void *aux);

/* What awaits confirmation from now on, or no more; durable, as store_put(). */
void store_put_confirm(struct store *store, const char *tenant, const struct store_confirm *confirm,
                       store_done *done, void *aux);

/* `text` is null on failure: -ENOENT no such generation, else as above. */
typedef void store_text(void *aux, int result, const char *text, size_t len);
/* Reads the document of one of the kept generations. */
void store_read(struct store *store, const char *tenant, uint64_t generation, store_text *done,
                void *aux);

/* Remembers when objects came up; `since_ms` 0 forgets one. Best effort, in the background, not
 * durable. */
void store_put_since(struct store *store, const struct store_since *changes, size_t n);

/* --- events: some thousand of the newest; no part of the image ------------------------------- */

struct store_event {
    uint64_t id; /* unique */
    int64_t time_ms;
    const char *kind, *tenant, *network, *object, *text;
    uint64_t generation;
};

/* Writes `n` events in one durable transaction; copied as needed before the call returns. Events
 * with ids from the first one's on are replaced, so an attempt of unknown outcome may be repeated;
 * those up to `forget` are deleted (0: none). The completion is as store_put()'s. */
void store_put_events(struct store *store, const struct store_event *events, size_t n,
                      uint64_t forget, store_done *done, void *aux);

/* All events, by id, borrowed for the call; `result` 0 or -errno as store_read()'s. */
typedef void store_events(void *aux, int result, const struct store_event *events, size_t n);
void store_read_events(struct store *store, store_events *done, void *aux);

/* --- nodes: a million of them and more, so they are no part of the image ---------------------- */

/* Nodes are kept as records, one line of text each, in pages: a page is a row with a set of some
 * hundred records of one pool. So reading a million takes some thousand rows, and writing one costs
 * one record in the server's log, since that holds the difference of sets (Open vSwitch 2.17 on).
 */
struct store_page {
    uint32_t number; /* unique in the database; the writer chooses it */
    const char *tenant, *network, *pool;
};

/* Is given all records whenever the database is read, before the image gets its new serial. */
struct store_nodes_reader {
    void (*begin)(void *aux); /* forget all that was given before */
    /* Borrowed until it returns. False: they make no sense, and the store is away. */
    bool (*page)(void *aux, const struct store_page *page, const char *const *records, size_t n);
    void *aux;
};

/* To be called before the first store_run(); `reader` is borrowed for the store's life. */
void store_read_nodes(struct store *store, const struct store_nodes_reader *reader);

enum store_page_step { STORE_PAGE_NEW, STORE_PAGE_CHANGED, STORE_PAGE_GONE };

struct store_page_change {
    struct store_page page;
    enum store_page_step step;
    const char *const *removed; /* records; none if the page is new or gone */
    size_t n_removed;
    const char *const *added; /* none if it is gone */
    size_t n_added;
};

/* Writes all changes in one durable transaction; copied as needed before the call returns. The
 * completion is as store_put()'s; on any failure the caller's idea of what is stored may be wrong
 * and it calls store_read_again(). */
void store_put_nodes(struct store *store, const struct store_page_change *changes, size_t n,
                     store_done *done, void *aux);
/* Reads everything again, by a new connection: what an old one has sent is done or lost then. */
void store_read_again(struct store *store);

/* `routerd --setup-database`: makes the database, has the server serve it, or upgrades its schema;
 * and nothing if all is well. Blocks up to `timeout_ms`. Also done by itself at start for a local
 * server. 0, or -errno with a sentence in `*ret_message` (heap). */
int store_setup(const struct config *config, int timeout_ms, char **ret_message);
/* `routerd --backup FILE`: a copy of the database as it is at one moment, durable, readable for the
 * owner only; routerd may run meanwhile. 0, or -errno; a sentence in `*ret_message` (heap). */
int store_backup(const struct config *config, const char *file, int timeout_ms, char **ret_message);
/* `routerd --restore FILE`: puts a backup, also one of an older schema, in the place of all that
 * the database holds. Refuses while a routerd holds its lock, and keeps another from starting. */
int store_restore(const struct config *config, const char *file, int timeout_ms,
                  char **ret_message);

#endif
