/* store_internal.h - what the store's own files share; nobody else includes it.
 *
 *   store.c        requests and their deadlines, the public functions
 *   store_session.c the connection: schema, lock, reading, messages in and out
 *   store_ops.c    OVSDB operations (RFC 7047, section 5) for each kind of write
 *   store_nodes.c  pages of nodes: operations and rows
 *   store_events.c the log of events: operations and rows
 *   store_image.c  rows into the image, and changes to it
 *   store_setup.c  making and upgrading the database
 *   store_backup.c copies of it, and going back to one
 *   store_tool.c   running ovsdb-server's tools for both
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/store.h"

#include <openvswitch/json.h>
#include <openvswitch/list.h>
#include <pthread.h>

/* Where the connection stands; each but the last waits for one answer. */
enum session_state {
    SESSION_CONNECTING,
    SESSION_SCHEMA,    /* get_schema */
    SESSION_SETUP,     /* the database is missing or old: store_setup() runs beside us */
    SESSION_LOCK,      /* lock, and maybe its holder */
    SESSION_ROWS,      /* everything but the documents */
    SESSION_DOCUMENTS, /* the documents in force */
    SESSION_PAGES,     /* the nodes, some pages at a time */
    SESSION_READY,
};

struct pending;
/* Takes the answer of a transaction: `result` as in store_done, `rows` the reply's array or null.
 */
typedef void pending_done(struct store *store, struct pending *pending, int result,
                          const struct json *rows, const char *detail);

/* One transaction, from its queueing to its answer. */
struct pending {
    struct ovs_list node;
    struct json *ops; /* until it is sent */
    struct json *id;  /* once sent */
    int64_t deadline_ms;
    bool changes; /* asserts the lock; its outcome is unknown when the connection breaks */
    pending_done *done;
    void (*answer)(void); /* store_done or store_text of the caller, null: nobody waits */
    void *aux;
    struct store_image_change *change; /* a topology change, to be applied to the image */
    char *confirm_tenant;              /* another tenant's `confirm`, for the image */
    struct store_confirm confirm;
    struct json *since; /* changed rows of Since: [[object, time], ...] */
};

struct setup_run; /* store_setup() on a thread of its own */

struct store {
    const struct config *config;
    char *lock_name;
    struct jsonrpc_session *session;
    unsigned int seqno;
    enum session_state state;
    struct json *request_id; /* of the session's own request under way */
    int64_t deadline_ms;     /* of that */
    int64_t retry_ms;        /* when to try again after a failure that reconnecting does not mend */
    char *reason;            /* why it is AWAY, heap; null: opening or ready */
    bool changed;
    struct store_image *image;
    struct store_image *reading;
    size_t next_page; /* of reading->pages: the first that was not asked for */
    const struct store_nodes_reader *nodes_reader; /* null: nobody wants to know */
    uint64_t serial;
    struct ovs_list queue; /* of struct pending, not sent */
    struct ovs_list sent;
    struct setup_run *setup;
    int64_t setup_after_ms;
};

/* store_session.c */
void session_open(struct store *store);
void session_close(struct store *store);
void session_run(struct store *store);
void session_wait(struct store *store);
/* Sends what is queued, if it may be sent now. */
void session_send_queue(struct store *store);

/* store.c */
/* A transaction (`ops` is taken) at the end of the queue. */
struct pending *pending_queue(struct store *store, struct json *ops, bool changes,
                              pending_done *done);
/* Answers a store_done with the result as it is. */
void pending_tell(struct store *store, struct pending *pending, int result, const struct json *rows,
                  const char *detail);
void pending_finish(struct store *store, struct pending *pending, int result,
                    const struct json *rows, const char *detail);
/* The connection is gone: what was sent has an unknown outcome, or none if it only read. */
void pending_fail_sent(struct store *store);
/* Queued changes of nodes were made for what was read before: another reading needs others. */
void pending_fail_queued_nodes(struct store *store);
/* Looks at each operation's result; 0 or -errno with *ret_detail (heap). */
int ops_result(const struct json *rows, char **ret_detail);

/* store_ops.c: each gives an array of operations, the database's name first, as `transact` takes
 * it. */
struct json *ops_rows(const char *database);
struct json *ops_documents(const char *database, const struct store_image *image);
struct json *ops_document(const char *database, const char *tenant, uint64_t generation);
struct json *ops_put(const struct store *store, const struct store_change *change, int64_t time_ms);
struct json *ops_confirm(const struct store *store, const char *tenant,
                         const struct store_confirm *confirm);
struct json *ops_since(const struct store *store, const struct store_since *changes, size_t n);

/* What most operations are made of. */
struct json *op_insert(const char *table, struct json *row);
struct json *op_delete(const char *table, struct json *where);
struct json *op_new(const char *op, const char *table);
struct json *op_select(const char *table, struct json *where, const char *const *names);
void where_add(struct json *where, const char *column, const char *function, struct json *value);
struct json *ops_start(const char *database);
/* A writing transaction: nothing of it happens unless we hold the lock. */
struct json *ops_start_write(const struct store *store);
void ops_end_durable(struct json *ops);

/* store_nodes.c */
struct json *ops_put_nodes(const struct store *store, const struct store_page_change *changes,
                           size_t n);
/* Whether each change of the answer met its page. */
bool nodes_answer_complete(const struct json *rows);
/* The pages of some numbers, both included. */
struct json *ops_pages(const char *database, uint32_t first, uint32_t last);
/* Gives the pages of the answer to the reader. -EPROTO: they make no sense. */
int nodes_read_pages(const struct store *store, const struct json *rows);

/* store_image.c */
struct store_image *image_new(void);
void image_free(struct store_image *image);
/* Fill in from the answers to ops_rows() and ops_documents(). -EPROTO if they are not of the
 * expected form. */
int image_read_rows(struct store_image *image, const struct json *rows);
int image_read_documents(struct store_image *image, const struct json *rows);
/* Columns of a row; of another type: "", 0. */
const char *row_string(const struct json *row, const char *column);
int64_t row_integer(const struct json *row, const char *column);
/* The rows of one select, or null. */
const struct json_array *rows_of(const struct json *result);
/* The text of ops_document()'s answer, or null. */
const char *image_document_of(const struct json *result);
struct store_image_change *image_change_new(const struct store_change *change, int64_t time_ms);
void image_change_free(struct store_image_change *change);
void image_confirm_apply(struct store_image *image, const char *tenant,
                         const struct store_confirm *confirm);
void image_change_apply(struct store_image *image, struct store_image_change *change);
const struct store_tenant *image_find(const struct store_image *image, const char *tenant);

/* store_setup.c */
struct setup_run *setup_start(const struct config *config);
/* Whether it has ended; then it is freed and *ret_message (heap) and *ret_result are set. */
bool setup_poll(struct setup_run *run, int *ret_result, char **ret_message);
void setup_wait(struct setup_run *run);
/* Waits for its end. */
void setup_finish(struct setup_run *run);
extern const char router_schema_text[]; /* router.ovsschema */
extern const char router_schema_version[];
/* <0, 0, >0 as the dotted versions compare. */
int schema_version_cmp(const char *a, const char *b);

#endif
