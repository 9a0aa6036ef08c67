/* The log of events: a row each, pruned by the writer. */
#include "store/store_internal.h"

#include <errno.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

static struct json *where_id(const char *function, uint64_t id)
{
    struct json *where = json_array_create_empty();

    where_add(where, "id", function, json_integer_create((long long)id));
    return where;
}

static struct json *event_row(const struct store_event *event)
{
    struct json *row = json_object_create();

    json_object_put(row, "id", json_integer_create((long long)event->id));
    json_object_put(row, "time", json_integer_create(event->time_ms));
    json_object_put(row, "generation", json_integer_create((long long)event->generation));
    json_object_put_string(row, "kind", event->kind);
    json_object_put_string(row, "tenant", event->tenant);
    json_object_put_string(row, "network", event->network);
    json_object_put_string(row, "object", event->object);
    json_object_put_string(row, "text", event->text);
    return row;
}

void store_put_events(struct store *store, const struct store_event *events, size_t n,
                      uint64_t forget, store_done *done, void *aux)
{
    struct json *ops = ops_start_write(store);
    struct pending *pending;

    json_array_add(ops, op_delete("Event", where_id(">=", events[0].id)));
    if (forget) {
        json_array_add(ops, op_delete("Event", where_id("<=", forget)));
    }
    for (size_t i = 0; i < n; i++) {
        json_array_add(ops, op_insert("Event", event_row(&events[i])));
    }
    ops_end_durable(ops);
    pending = pending_queue(store, ops, true, pending_tell);
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_send_queue(store); /* and no more, so that it is not answered yet */
}

static int event_cmp(const void *a_, const void *b_)
{
    const struct store_event *a = a_, *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

static bool read_event(const struct json *row, struct store_event *ret_event)
{
    if (row->type != JSON_OBJECT || row_integer(row, "id") < 1) {
        return false;
    }
    *ret_event = (struct store_event){
        .id = (uint64_t)row_integer(row, "id"),
        .time_ms = row_integer(row, "time"),
        .kind = row_string(row, "kind"),
        .tenant = row_string(row, "tenant"),
        .network = row_string(row, "network"),
        .object = row_string(row, "object"),
        .text = row_string(row, "text"),
        .generation = (uint64_t)row_integer(row, "generation"),
    };
    return true;
}

static void events_done(struct store *store OVS_UNUSED, struct pending *pending, int result,
                        const struct json *rows, const char *detail OVS_UNUSED)
{
    store_events *answer = (store_events *)pending->answer;
    const struct json_array *table = NULL;
    struct store_event *events;
    size_t n = 0;

    if (!result) {
        table = json_array(rows)->n ? rows_of(json_array(rows)->elems[0]) : NULL;
        result = table ? 0 : -EPROTO;
    }
    events = xcalloc((table ? table->n : 0) + 1, sizeof *events);
    for (size_t i = 0; table && i < table->n; i++) {
        n += read_event(table->elems[i], &events[n]);
    }
    qsort(events, n, sizeof *events, event_cmp);
    answer(pending->aux, result, events, n);
    free(events);
}

void store_read_events(struct store *store, store_events *done, void *aux)
{
    static const char *const columns[] = {"id",     "time",       "kind", "tenant", "network",
                                          "object", "generation", "text", NULL};
    struct json *ops = ops_start(store->config->state_database);
    struct pending *pending;

    json_array_add(ops, op_select("Event", json_array_create_empty(), columns));
    pending = pending_queue(store, ops, false, events_done);
    pending->answer = (void (*)(void))done;
    pending->aux = aux;
    session_send_queue(store); /* and no more, so that it is not answered yet */
}
