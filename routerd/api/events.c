/* The row of /v1/events: the log of what has happened, a line each, to its end or on and on. Each
 * client has its own place in the log; one that reads slowly holds up nobody, and at last misses
 * what has dropped out of the log. */
#include "api/buffer.h"
#include "api/conn.h"
#include "api/json.h"
#include "api/problem.h"
#include "api/route.h"
#include "events/event_log.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_AT_ONCE = 64 };

struct follower {
    struct api *api;
    uint64_t since, until; /* ids; until is UINT64_MAX for one who follows */
    char *tenant;          /* null: all */
};

static void add_line(struct buffer *lines, const struct router_event *event)
{
    cJSON *json = cJSON_CreateObject();
    char *text;

    json_add_uint(json, "id", event->id);
    json_add_moment(json, "time", event->time_ms);
    json_add_text(json, "tenant", event->about.tenant);
    json_add_text(json, "network", event->about.network);
    json_add_text(json, "object", event->about.object);
    json_add_text(json, "kind", event_kind_name(event->kind));
    if (event->about.generation) {
        json_add_uint(json, "generation", event->about.generation);
    }
    json_add_text(json, "text", event->text);
    text = cJSON_PrintUnformatted(json);
    if (!text) {
        abort(); /* out of memory, as elsewhere */
    }
    buffer_printf(lines, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static bool more_events(struct conn *conn, void *aux)
{
    struct follower *follower = aux;
    struct router_event *events[EVENTS_AT_ONCE];
    struct buffer lines = {0};
    uint64_t before = follower->since;
    size_t n = event_log_read(engine_events(follower->api->engine), &follower->since,
                              follower->tenant, events, EVENTS_AT_ONCE);
    bool over = follower->since == before || follower->since >= follower->until;

    for (size_t i = 0; i < n; i++) {
        if (events[i]->id <= follower->until) {
            add_line(&lines, events[i]);
        }
        router_event_unref(events[i]);
    }
    conn_stream_add(conn, lines.data, lines.len);
    buffer_done(&lines);
    if (over && follower->until != UINT64_MAX) {
        conn_stream_end(conn);
        return true;
    }
    return follower->since != before;
}

static void follower_done(void *aux)
{
    struct follower *follower = aux;

    follower->api->n_followers -= follower->until == UINT64_MAX;
    free(follower->tenant);
    free(follower);
}

static bool refused(struct exchange *exchange)
{
    struct api *api = exchange->api;

    if (exchange->query.tenant && !api_has_tenant(api, exchange->query.tenant)) {
        problem_answer(exchange->conn, 404, NULL, "there is no tenant %.64s",
                       exchange->query.tenant);
        return true;
    }
    if (!event_log_is_open(engine_events(api->engine))) {
        problem_answer(exchange->conn, 503, PROBLEM_RETRY,
                       "the events have not been read from the state server yet");
        return true;
    }
    if (exchange->query.follow && api->n_followers >= api->limits.followers) {
        problem_answer(exchange->conn, 503, PROBLEM_RETRY, "%zu clients follow the events already",
                       api->n_followers);
        return true;
    }
    return false;
}

void events_get(struct exchange *exchange)
{
    struct api *api = exchange->api;
    struct follower *follower;

    if (refused(exchange)) {
        return;
    }
    follower = api_alloc(sizeof *follower);
    *follower = (struct follower){
        .api = api,
        .since = exchange->query.since,
        .until = exchange->query.follow ? UINT64_MAX : event_log_last(engine_events(api->engine)),
        .tenant = exchange->query.tenant ? api_strdup(exchange->query.tenant) : NULL,
    };
    api->n_followers += exchange->query.follow;
    conn_stream(exchange->conn, "application/x-ndjson", more_events, follower_done, follower);
}
