#include "store/store_internal.h"

#include "log/log.h"

#include <errno.h>
#include <lib/jsonrpc.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t unix_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pending_free(struct pending *pending)
{
    json_destroy(pending->ops);
    json_destroy(pending->id);
    json_destroy(pending->since);
    free(pending->confirm_tenant);
    image_change_free(pending->change);
    free(pending);
}

void pending_finish(struct store *store, struct pending *pending, int result,
                    const struct json *rows, const char *detail)
{
    ovs_list_remove(&pending->node);
    pending->done(store, pending, result, rows, detail);
    pending_free(pending);
}

void pending_fail_sent(struct store *store)
{
    while (!ovs_list_is_empty(&store->sent)) {
        struct pending *pending = CONTAINER_OF(ovs_list_front(&store->sent), struct pending, node);

        pending_finish(
            store, pending, pending->changes ? -EIO : -EAGAIN, NULL,
            "the state server went away before it answered; whether the change was stored is seen when it is back");
    }
}

static void nodes_done(struct store *store OVS_UNUSED, struct pending *pending, int result,
                       const struct json *rows, const char *detail)
{
    if (!result && !nodes_answer_complete(rows)) {
        result = -EPROTO;
        detail = "the state database has lost some of the nodes' pages";
    }
    ((store_done *)pending->answer)(pending->aux, result, detail);
}

void pending_fail_queued_nodes(struct store *store)
{
    struct pending *pending;

    LIST_FOR_EACH_SAFE(pending, node, &store->queue) {
        if (pending->done == nodes_done) {
            pending_finish(store, pending, -EAGAIN, NULL,
                           "the state server went away before it could be asked");
        }
    }
}

static int refusal_errno(const char *error, const char *details)
{
    static const int numbers[] = {ENOSPC, EROFS, EDQUOT, EIO, EFBIG};

    for (size_t i = 0; details && i < ARRAY_SIZE(numbers); i++) {
        if (strstr(details, strerror(numbers[i]))) {
            return -numbers[i];
        }
    }
    return !strcmp(error, "I/O error") ? -EIO : -EINVAL;
}

/* A disk that took only a part of what was written is told as an I/O error alone. */
static const char *remedy_of(int result)
{
    switch (result) {
    case -ENOSPC:
    case -EDQUOT: return "; make room on the disk of the database and try again";
    case -EIO:
        return "; make room on the disk of the database if it is full, and see ovsdb-server's log";
    case -EROFS: return "; mount the disk of the database for writing";
    default: return "";
    }
}

static const char *member_string(const struct json *object, const char *name)
{
    const struct json *value = shash_find_data(json_object(object), name);

    return value && value->type == JSON_STRING ? json_string(value) : NULL;
}

int ops_result(const struct json *rows, char **ret_detail)
{
    for (size_t i = 0; i < json_array(rows)->n; i++) {
        const struct json *row = json_array(rows)->elems[i];
        const char *error = row->type == JSON_OBJECT ? member_string(row, "error") : NULL;

        if (error) {
            const char *details = member_string(row, "details");
            int result = refusal_errno(error, details);

            *ret_detail = xasprintf("the state server refused: %s%s%s%s", error,
                                    details ? ": " : "", details ? details : "", remedy_of(result));
            return result;
        }
    }
    return 0;
}

static void put_done(struct store *store, struct pending *pending, int result,
                     const struct json *rows OVS_UNUSED, const char *detail)
{
    if (!result) {
        image_change_apply(store->image, pending->change);
        pending->change = NULL;
    }
    ((store_done *)pending->answer)(pending->aux, result, detail);
}

void pending_tell(struct store *store OVS_UNUSED, struct pending *pending, int result,
                  const struct json *rows OVS_UNUSED, const char *detail)
{
    ((store_done *)pending->answer)(pending->aux, result, detail);
}

static void confirm_done(struct store *store, struct pending *pending, int result,
                         const struct json *rows, const char *detail)
{
    if (!result) {
        image_confirm_apply(store->image, pending->confirm_tenant, &pending->confirm);
    }
    pending_tell(store, pending, result, rows, detail);
}

static void read_done(struct store *store OVS_UNUSED, struct pending *pending, int result,
                      const struct json *rows, const char *detail OVS_UNUSED)
{
    store_text *answer = (store_text *)pending->answer;
    const char *text = NULL;

    if (!result) {
        text = image_document_of(json_array(rows)->elems[0]);
        result = text ? 0 : -ENOENT;
    }
    answer(pending->aux, result, text, text ? strlen(text) : 0);
}

static void since_done(struct store *store OVS_UNUSED, struct pending *pending OVS_UNUSED,
                       int result, const struct json *rows OVS_UNUSED, const char *detail)
{
    if (result) {
        log_line(LOG_LEVEL_WARNING, "store", "could not note when objects came up: %s",
                 detail ? detail : ovs_strerror(-result));
    }
}

struct pending *pending_queue(struct store *store, struct json *ops, bool changes,
                              pending_done *done)
{
    struct pending *pending = xzalloc(sizeof *pending);

    pending->ops = ops;
    pending->changes = changes;
    pending->done = done;
    pending->deadline_ms = time_msec() + STORE_DEADLINE_MS;
    ovs_list_push_back(&store->queue, &pending->node);
    return pending;
}

void store_put(struct store *store, const struct store_change *change, store_done *done, void *aux)
{
    int64_t now = unix_ms();
    struct pending *pending;

    ovs_assert(store->image);
    pending = pending_queue(store, ops_put(store, change, now), true, put_done);
    pending->change = image_change_new(change, now);
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_run(store);
}

void store_put_confirm(struct store *store, const char *tenant, const struct store_confirm *confirm,
                       store_done *done, void *aux)
{
    struct pending *pending =
        pending_queue(store, ops_confirm(store, tenant, confirm), true, confirm_done);

    pending->confirm_tenant = xstrdup(tenant);
    pending->confirm = *confirm;
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_send_queue(store); /* and no more, so that it is not answered yet */
}

void store_read_nodes(struct store *store, const struct store_nodes_reader *reader)
{
    store->nodes_reader = reader;
}

void store_put_nodes(struct store *store, const struct store_page_change *changes, size_t n,
                     store_done *done, void *aux)
{
    struct pending *pending;

    pending = pending_queue(store, ops_put_nodes(store, changes, n), true, nodes_done);
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_send_queue(store); /* and no more, so that it is not answered yet */
}

void store_read_again(struct store *store)
{
    jsonrpc_session_force_reconnect(store->session);
}

void store_read(struct store *store, const char *tenant, uint64_t generation, store_text *done,
                void *aux)
{
    struct pending *pending;

    pending = pending_queue(store, ops_document(store->config->state_database, tenant, generation),
                            false, read_done);
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_run(store);
}

void store_put_since(struct store *store, const struct store_since *changes, size_t n)
{
    if (n && store->image && store->state == SESSION_READY) {
        pending_queue(store, ops_since(store, changes, n), true, since_done);
    }
}

int store_open(const struct config *config, struct store **ret_store)
{
    struct store *store = xzalloc(sizeof *store);

    store->config = config;
    store->lock_name = xasprintf("routerd_%s", config->state_database);
    ovs_list_init(&store->queue);
    ovs_list_init(&store->sent);
    session_open(store);
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store) {
        return;
    }
    session_close(store);
    while (!ovs_list_is_empty(&store->sent)) {
        pending_finish(store, CONTAINER_OF(ovs_list_front(&store->sent), struct pending, node),
                       -ECANCELED, NULL, NULL);
    }
    while (!ovs_list_is_empty(&store->queue)) {
        pending_finish(store, CONTAINER_OF(ovs_list_front(&store->queue), struct pending, node),
                       -ECANCELED, NULL, NULL);
    }
    image_free(store->image);
    image_free(store->reading);
    free(store->lock_name);
    free(store->reason);
    free(store);
}

/* What has waited too long: unsent requests cannot be carried out now; a sent one makes the server
 * suspect, and reconnecting settles all. */
static void expire(struct store *store)
{
    int64_t now = time_msec();
    struct pending *pending;

    LIST_FOR_EACH_SAFE(pending, node, &store->queue) {
        if (now >= pending->deadline_ms) {
            pending_finish(store, pending, -EAGAIN, NULL,
                           store->reason ? store->reason : "the state server does not answer");
        }
    }
    LIST_FOR_EACH(pending, node, &store->sent) {
        if (now >= pending->deadline_ms) {
            jsonrpc_session_force_reconnect(store->session);
            return;
        }
    }
}

bool store_run(struct store *store)
{
    bool changed;

    session_run(store);
    expire(store);
    changed = store->changed;
    store->changed = false;
    return changed;
}

bool store_is_idle(const struct store *store)
{
    return ovs_list_is_empty(&store->queue) && ovs_list_is_empty(&store->sent);
}

void store_wait(struct store *store)
{
    const struct pending *pending;

    session_wait(store);
    LIST_FOR_EACH(pending, node, &store->queue) {
        poll_timer_wait_until(pending->deadline_ms);
    }
    LIST_FOR_EACH(pending, node, &store->sent) {
        poll_timer_wait_until(pending->deadline_ms);
    }
}

enum store_health store_health(const struct store *store, const char **ret_reason)
{
    if (store->state == SESSION_READY) {
        return STORE_READY;
    }
    if (store->reason) {
        *ret_reason = store->reason;
        return STORE_AWAY;
    }
    return STORE_OPENING;
}

const struct store_image *store_image(const struct store *store)
{
    return store->image;
}
