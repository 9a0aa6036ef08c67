/* The connection to the state server (RFC 7047, section 4): which database, our lock, all rows,
 * then transactions. Whatever goes wrong leads back to a state from which it goes on by itself. */
#include "store/store_internal.h"

#include "log/log.h"

#include <errno.h>
#include <lib/jsonrpc.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 1000,        /* between two attempts at what a person has to mend */
    SETUP_PAUSE_MS = 10000, /* between two attempts to make the database */
    PROBE_MS = 5000,        /* the server is asked for a sign of life after so much silence */
    BACKOFF_MS = 1000,      /* longest pause between two attempts to connect */
    CONNECT_MS = 2500,      /* without a connection for so long, the server is away */
    SENT_MAX = 64,
    PAGES_MAX = 64, /* of nodes read at a time: about a megabyte */
};

static void session_away(struct store *store, char *reason)
{
    if (!store->reason || strcmp(store->reason, reason) != 0) {
        log_line(LOG_LEVEL_WARNING, "store", "%s", reason);
        store->changed = true;
        free(store->reason);
        store->reason = reason;
    } else {
        free(reason);
    }
}

static void session_enter(struct store *store, enum session_state state)
{
    if ((store->state == SESSION_READY) != (state == SESSION_READY)) {
        store->changed = true;
    }
    store->state = state;
    store->retry_ms = INT64_MAX;
    json_destroy(store->request_id);
    store->request_id = NULL;
    store->deadline_ms = INT64_MAX;
}

void session_open(struct store *store)
{
    store->session = jsonrpc_session_open(store->config->state_server, true);
    jsonrpc_session_set_probe_interval(store->session, PROBE_MS);
    jsonrpc_session_set_max_backoff(store->session, BACKOFF_MS);
    store->seqno = jsonrpc_session_get_seqno(store->session);
    session_enter(store, SESSION_CONNECTING);
    store->deadline_ms = time_msec() + CONNECT_MS;
}

void session_close(struct store *store)
{
    setup_finish(store->setup);
    store->setup = NULL;
    jsonrpc_session_close(store->session);
    store->session = NULL;
    json_destroy(store->request_id);
    store->request_id = NULL;
}

/* Sends the session's own next request. */
static void session_ask(struct store *store, enum session_state state, const char *method,
                        struct json *params)
{
    struct json *id;
    struct jsonrpc_msg *msg = jsonrpc_create_request(method, params, &id);

    session_enter(store, state);
    store->request_id = id;
    store->deadline_ms = time_msec() + STORE_DEADLINE_MS;
    jsonrpc_session_send(store->session, msg);
}

static void ask_schema(struct store *store)
{
    session_ask(store, SESSION_SCHEMA, "get_schema",
                json_array_create_1(json_string_create(store->config->state_database)));
}

static void ask_lock(struct store *store)
{
    session_ask(store, SESSION_LOCK, "lock",
                json_array_create_1(json_string_create(store->lock_name)));
}

static void ask_rows(struct store *store)
{
    image_free(store->reading);
    store->reading = image_new();
    session_ask(store, SESSION_ROWS, "transact", ops_rows(store->config->state_database));
}

/* The database is not there or old: make it so, but not too often. While that is under way the
 * store is opening; what comes of it is said by the setup. */
static void begin_setup(struct store *store, char *why)
{
    session_enter(store, SESSION_SETUP);
    if (time_msec() < store->setup_after_ms) {
        session_away(store, why);
        store->retry_ms = store->setup_after_ms;
        return;
    }
    log_line(LOG_LEVEL_INFO, "store", "%s", why);
    free(why);
    store->setup_after_ms = time_msec() + SETUP_PAUSE_MS;
    store->setup = setup_start(store->config);
}

static const char *schema_version_of(const struct json *schema)
{
    const struct json *version = schema && schema->type == JSON_OBJECT
                                     ? shash_find_data(json_object(schema), "version")
                                     : NULL;

    return version && version->type == JSON_STRING ? json_string(version) : "0.0.0";
}

static void take_schema(struct store *store, const struct jsonrpc_msg *msg)
{
    const char *version = schema_version_of(msg->result);
    int cmp = schema_version_cmp(version, router_schema_version);

    if (msg->type == JSONRPC_ERROR) {
        begin_setup(store,
                    xasprintf("%s serves no database %s; `routerd --setup-database` makes it",
                              store->config->state_server, store->config->state_database));
    } else if (cmp < 0) {
        begin_setup(
            store,
            xasprintf(
                "database %s has the schema of version %s; `routerd --setup-database` upgrades it to %s",
                store->config->state_database, version, router_schema_version));
    } else if (cmp > 0) {
        session_away(
            store,
            xasprintf(
                "database %s has the schema of version %s, newer than this routerd's %s: upgrade routerd, or restore a backup",
                store->config->state_database, version, router_schema_version));
        session_enter(store, SESSION_SCHEMA);
        store->retry_ms = time_msec() + RETRY_MS;
    } else {
        ask_lock(store);
    }
}

static void take_lock(struct store *store, const struct jsonrpc_msg *msg)
{
    const struct json *locked = msg->type == JSONRPC_REPLY && msg->result->type == JSON_OBJECT
                                    ? shash_find_data(json_object(msg->result), "locked")
                                    : NULL;

    if (locked && locked->type == JSON_TRUE) {
        ask_rows(store);
    } else {
        session_away(
            store,
            xasprintf("another routerd holds the lock of database %s; this one waits until it ends",
                      store->config->state_database));
        session_enter(store, SESSION_LOCK); /* the server tells us when it is ours */
    }
}

static void session_refuse(struct store *store, char *reason)
{
    session_away(store, reason);
    image_free(store->reading);
    store->reading = NULL;
    session_enter(store, SESSION_SCHEMA);
    store->retry_ms = time_msec() + RETRY_MS;
}

/* The rows of a transaction's answer, or null with the reason told and a retry set. */
static const struct json *rows_of_answer(struct store *store, const struct jsonrpc_msg *msg)
{
    char *detail = NULL;

    if (msg->type != JSONRPC_REPLY || msg->result->type != JSON_ARRAY) {
        session_refuse(store,
                       xasprintf("database %s cannot be read", store->config->state_database));
        return NULL;
    }
    if (ops_result(msg->result, &detail)) {
        session_refuse(store, detail);
        return NULL;
    }
    return msg->result;
}

static void session_ready(struct store *store)
{
    image_free(store->image);
    store->image = store->reading;
    store->reading = NULL;
    store->image->serial = ++store->serial;
    free(store->reason);
    store->reason = NULL;
    session_enter(store, SESSION_READY);
    store->changed = true;
    log_line(LOG_LEVEL_INFO, "store", "database %s has been read: %zu tenants",
             store->config->state_database, store->image->n_tenants);
}

/* Asks for the next pages of nodes. False: there are no more. */
static bool ask_pages(struct store *store)
{
    const struct store_image *reading = store->reading;
    size_t first = store->next_page, n = MIN(reading->n_pages - first, PAGES_MAX);

    if (!n) {
        return false;
    }
    store->next_page += n;
    session_ask(store, SESSION_PAGES, "transact",
                ops_pages(store->config->state_database, reading->pages[first],
                          reading->pages[first + n - 1]));
    return true;
}

static void begin_pages(struct store *store)
{
    store->next_page = 0;
    if (store->nodes_reader) {
        store->nodes_reader->begin(store->nodes_reader->aux);
    }
    if (!store->nodes_reader || !ask_pages(store)) {
        session_ready(store);
    }
}

/* The server prepares the next pages while these are taken in. */
static void take_pages(struct store *store, const struct jsonrpc_msg *msg)
{
    const struct json *rows = rows_of_answer(store, msg);
    bool more = rows && ask_pages(store);

    if (!rows) {
        return;
    }
    if (nodes_read_pages(store, rows)) {
        session_refuse(store,
                       xasprintf("database %s holds nodes that make no sense; restore a backup",
                                 store->config->state_database));
    } else if (!more) {
        session_ready(store);
    }
}

static void take_rows(struct store *store, const struct jsonrpc_msg *msg)
{
    const struct json *rows = rows_of_answer(store, msg);

    if (!rows) {
        return;
    }
    if (image_read_rows(store->reading, rows)) {
        session_refuse(store, xasprintf("database %s holds rows of another form",
                                        store->config->state_database));
    } else if (store->reading->n_tenants) {
        session_ask(store, SESSION_DOCUMENTS, "transact",
                    ops_documents(store->config->state_database, store->reading));
    } else {
        begin_pages(store);
    }
}

static void take_documents(struct store *store, const struct jsonrpc_msg *msg)
{
    const struct json *rows = rows_of_answer(store, msg);

    if (rows && image_read_documents(store->reading, rows)) {
        session_refuse(
            store,
            xasprintf("database %s lacks the document of a generation in force; restore a backup",
                      store->config->state_database));
    } else if (rows) {
        begin_pages(store);
    }
}

static void take_own_answer(struct store *store, const struct jsonrpc_msg *msg)
{
    switch (store->state) {
    case SESSION_SCHEMA: take_schema(store, msg); break;
    case SESSION_LOCK: take_lock(store, msg); break;
    case SESSION_ROWS: take_rows(store, msg); break;
    case SESSION_DOCUMENTS: take_documents(store, msg); break;
    case SESSION_PAGES: take_pages(store, msg); break;
    case SESSION_CONNECTING:
    case SESSION_SETUP:
    case SESSION_READY: break;
    }
}

static void take_transaction(struct store *store, const struct jsonrpc_msg *msg)
{
    struct pending *pending;

    LIST_FOR_EACH(pending, node, &store->sent) {
        if (json_equal(pending->id, msg->id)) {
            bool rows = msg->type == JSONRPC_REPLY && msg->result->type == JSON_ARRAY;
            char *detail = NULL;
            int result = rows ? ops_result(msg->result, &detail) : -EPROTO;

            pending_finish(store, pending, result, result ? NULL : msg->result, detail);
            free(detail);
            return;
        }
    }
}

static void take_notification(struct store *store, const struct jsonrpc_msg *msg)
{
    if (!strcmp(msg->method, "locked") && store->state == SESSION_LOCK && !store->request_id) {
        ask_rows(store);
    } else if (!strcmp(msg->method, "stolen")) {
        jsonrpc_session_force_reconnect(store->session);
    }
}

static void take_message(struct store *store, struct jsonrpc_msg *msg)
{
    if (msg->type == JSONRPC_NOTIFY) {
        take_notification(store, msg);
    } else if (msg->type == JSONRPC_REQUEST && !strcmp(msg->method, "echo")) {
        jsonrpc_session_send(store->session,
                             jsonrpc_create_reply(json_clone(msg->params), msg->id));
    } else if (msg->type == JSONRPC_REPLY || msg->type == JSONRPC_ERROR) {
        if (store->request_id && json_equal(store->request_id, msg->id)) {
            take_own_answer(store, msg);
        } else {
            take_transaction(store, msg);
        }
    }
}

static void watch_connection(struct store *store)
{
    unsigned int seqno = jsonrpc_session_get_seqno(store->session);

    if (seqno != store->seqno) {
        store->seqno = seqno;
        pending_fail_sent(store);
        pending_fail_queued_nodes(store);
        session_enter(store, SESSION_CONNECTING);
        store->deadline_ms = time_msec() + CONNECT_MS;
    }
    if (store->state == SESSION_CONNECTING && jsonrpc_session_is_connected(store->session)) {
        ask_schema(store);
    } else if (store->state == SESSION_CONNECTING && time_msec() >= store->deadline_ms) {
        int error = jsonrpc_session_get_last_error(store->session);

        session_away(
            store, xasprintf("the state server does not answer on %s%s%s; is ovsdb-server running?",
                             store->config->state_server, error > 0 ? ": " : "",
                             error > 0 ? ovs_strerror(error) : ""));
        store->deadline_ms = INT64_MAX;
    } else if (store->state != SESSION_CONNECTING && time_msec() >= store->deadline_ms) {
        store->deadline_ms = INT64_MAX;
        session_away(store,
                     xasprintf("the state server on %s accepts connections but does not answer",
                               store->config->state_server));
        jsonrpc_session_force_reconnect(store->session);
    }
}

static void watch_setup(struct store *store)
{
    char *message = NULL;
    int result;

    if (store->setup && setup_poll(store->setup, &result, &message)) {
        store->setup = NULL;
        if (result && message) {
            session_away(store, message);
            message = NULL;
        }
        store->retry_ms = result ? store->setup_after_ms : time_msec();
        free(message);
    }
    if (time_msec() >= store->retry_ms && jsonrpc_session_is_connected(store->session) &&
        !store->setup) {
        ask_schema(store);
    }
}

void session_send_queue(struct store *store)
{
    while (store->state == SESSION_READY && !ovs_list_is_empty(&store->queue) &&
           ovs_list_size(&store->sent) < SENT_MAX) {
        struct pending *pending =
            CONTAINER_OF(ovs_list_pop_front(&store->queue), struct pending, node);
        struct jsonrpc_msg *msg = jsonrpc_create_request("transact", pending->ops, &pending->id);

        pending->ops = NULL;
        pending->deadline_ms = time_msec() + STORE_DEADLINE_MS;
        ovs_list_push_back(&store->sent, &pending->node);
        jsonrpc_session_send(store->session, msg);
    }
}

void session_run(struct store *store)
{
    jsonrpc_session_run(store->session);
    watch_connection(store);
    watch_setup(store);
    for (int i = 0; i < 100; i++) {
        struct jsonrpc_msg *msg = jsonrpc_session_recv(store->session);

        if (!msg) {
            break;
        }
        take_message(store, msg);
        jsonrpc_msg_destroy(msg);
    }
    session_send_queue(store);
}

void session_wait(struct store *store)
{
    jsonrpc_session_wait(store->session);
    jsonrpc_session_recv_wait(store->session);
    if (store->setup) {
        setup_wait(store->setup);
    }
    if (store->deadline_ms != INT64_MAX) {
        poll_timer_wait_until(store->deadline_ms);
    }
    if (store->retry_ms != INT64_MAX && jsonrpc_session_is_connected(store->session)) {
        poll_timer_wait_until(store->retry_ms);
    }
}
