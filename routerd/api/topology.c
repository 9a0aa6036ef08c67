/* The rows of /v1/tenants/T/topology and its history: a change goes to the engine, parsed, and the
 * engine's answer becomes HTTP's. */
#include "api/buffer.h"
#include "api/call.h"
#include "api/conn.h"
#include "api/json.h"
#include "api/outstanding.h"
#include "api/problem.h"
#include "api/route.h"
#include "model/doc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ETAG_HEADER = 40 };

static const char *etag_header(uint64_t generation, char text[ETAG_HEADER])
{
    snprintf(text, ETAG_HEADER, "ETag: \"%" PRIu64 "\"\r\n", generation);
    return text;
}

/* --- answers -------------------------------------------------------------------------------- */

static void add_plan(cJSON *answer, const struct plan *plan)
{
    cJSON *object = cJSON_AddObjectToObject(answer, "plan");
    cJSON *steps = cJSON_AddArrayToObject(object, "steps");
    struct plan_counts counts = {0};

    for (size_t i = 0; plan && i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        cJSON *item = cJSON_CreateObject();

        json_add_text(item, "backend", step->backend);
        json_add_text(item, "action", step_action_name(step->action));
        json_add_text(item, "object", step->object);
        cJSON_AddBoolToObject(item, "disruptive", step->disruptive);
        json_add_text(item, "summary", step->summary);
        cJSON_AddItemToArray(steps, item);
    }
    if (plan) {
        counts = plan_count(plan);
    }
    json_add_uint(object, "create", counts.create);
    json_add_uint(object, "update", counts.update);
    json_add_uint(object, "delete", counts.delete);
    json_add_uint(object, "disruptive", counts.disruptive);
}

static void add_confirm(cJSON *answer, const struct request *request)
{
    if (request->confirm_until_ms && !request->dry_run) {
        json_add_confirm(answer, request->confirm_until_ms, request->confirm_back);
    }
}

/* What is accepted, or would be. With ?wait the status says whether it has converged. */
static void answer_change(struct conn *conn, const struct request *request)
{
    bool waited = request->wait_ms > 0 && !request->dry_run;
    bool converged = request->outcome == REQUEST_CONVERGED || request->converged;
    bool accepted = request->outcome == REQUEST_DONE && request->kind != REQUEST_CONFIRM;
    bool settled = waited ? converged : !accepted;
    cJSON *answer = cJSON_CreateObject();
    char etag[ETAG_HEADER];

    json_add_uint(answer, "generation", request->ret_generation);
    add_plan(answer, request->plan);
    if (waited) {
        cJSON_AddBoolToObject(answer, "converged", converged);
    }
    add_confirm(answer, request);
    if (waited && !converged) {
        json_add_text(answer, "detail", request->detail);
        outstanding_add(answer, conn_exchange(conn)->api->engine, request->tenant);
    }
    conn_answer_json(conn, settled ? 200 : 202, "application/json",
                     etag_header(request->ret_generation, etag), answer);
}

static void answer_stale(struct conn *conn, const struct request *request)
{
    char etag[ETAG_HEADER];

    etag_header(request->ret_generation, etag);
    if (!request->ret_generation) {
        problem_answer(conn, 412, NULL, "If-Match: tenant %s has no topology yet", request->tenant);
    } else {
        problem_answer(conn, 412, etag, "If-Match: generation %" PRIu64 " is in force",
                       request->ret_generation);
    }
}

static void answer_away(struct conn *conn, const struct request *request)
{
    problem_answer(conn, 503, PROBLEM_RETRY, "%s",
                   request->detail ? request->detail : "what it takes does not answer");
}

static void answer_put(struct conn *conn, const struct request *request)
{
    switch (request->outcome) {
    case REQUEST_DONE:
    case REQUEST_CONVERGED:
    case REQUEST_UNCHANGED:
    case REQUEST_PLANNED: answer_change(conn, request); break;
    case REQUEST_WRONG: problem_answer_errors(conn, 422, request->errors); break;
    case REQUEST_STALE: answer_stale(conn, request); break;
    case REQUEST_CONFLICT: problem_answer(conn, 409, NULL, "%s", request->detail); break;
    case REQUEST_NOT_FOUND:
        problem_answer(conn, 404, NULL, "%s", request->detail ? request->detail : "no such tenant");
        break;
    case REQUEST_AWAY:
    case REQUEST_FAILED: answer_away(conn, request); break;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* JSON or not: what begins like an object may still be YAML's flow style. */
static const char *document_type(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    cJSON *json;

    while (at < end && is_space(*at)) {
        at++;
    }
    json = at < end && *at == '{' ? cJSON_ParseWithLengthOpts(text, len, &at, false) : NULL;
    if (!json) {
        return "application/yaml";
    }
    cJSON_Delete(json);
    while (at < end && is_space(*at)) {
        at++;
    }
    return at == end ? "application/json" : "application/yaml";
}

/* Which generation it is, and until when it awaits confirmation. */
static void document_headers(const struct request *request, struct buffer *headers)
{
    time_t until = (time_t)(request->confirm_until_ms / 1000);
    char etag[ETAG_HEADER], text[40];
    struct tm utc;

    buffer_printf(headers, "%s", etag_header(request->ret_generation, etag));
    if (until && gmtime_r(&until, &utc) &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)) {
        buffer_printf(headers, "Confirm-Until: %s\r\n", text);
    }
}

static void answer_document(struct conn *conn, const struct request *request)
{
    struct buffer headers = {0};

    if (request->outcome == REQUEST_DONE && request->text) {
        document_headers(request, &headers);
        conn_answer(conn, 200, document_type(request->text, request->text_len), headers.data,
                    request->text, request->text_len);
        buffer_done(&headers);
    } else if (request->outcome == REQUEST_NOT_FOUND) {
        problem_answer(conn, 404, NULL, "%s",
                       request->detail ? request->detail : "there is no such generation");
    } else {
        answer_away(conn, request);
    }
}

/* --- requests ------------------------------------------------------------------------------- */

/* `If-Match: *` is "if there is any"; the engine knows numbers only. */
static bool if_any_holds(struct exchange *exchange)
{
    struct status *status = engine_status(exchange->api->engine);
    const struct tenant_status *tenant =
        status ? status_find_tenant(status, exchange->tenant) : NULL;
    bool holds = tenant && tenant->generation;

    status_unref(status);
    return holds;
}

/* A request of whatever changes what is in force. */
static struct request *change_new(struct exchange *exchange, enum request_kind kind)
{
    struct request *request = request_new(kind);

    request->tenant = api_strdup(exchange->tenant);
    request->who = api_strdup(exchange->client->who);
    request->dry_run = exchange->query.dry_run;
    request->wait_ms = request->dry_run ? 0 : (int64_t)exchange->query.wait_s * 1000;
    request->confirm_s = (int64_t)exchange->query.confirm_s;
    request->has_if_match = exchange->if_match.kind == IF_MATCH_GENERATION;
    request->if_match = exchange->if_match.generation;
    return request;
}

/* Submits a change; the topology and the errors are taken. */
static void submit_change(struct exchange *exchange, struct topology *topology,
                          struct errors *errors)
{
    struct request *request = change_new(exchange, REQUEST_TOPOLOGY);

    request->topology = topology;
    request->errors = errors;
    call_submit(exchange, request, answer_put);
}

/* What stands in a change's way before its document is looked at. */
static bool refused(struct exchange *exchange)
{
    if (exchange->if_match.kind == IF_MATCH_ANY && !if_any_holds(exchange)) {
        problem_answer(exchange->conn, 412, NULL, "If-Match: tenant %s has no topology yet",
                       exchange->tenant);
        return true;
    }
    return false;
}

void topology_put(struct exchange *exchange)
{
    struct topology *topology;
    struct errors *errors;

    if (refused(exchange)) {
        return;
    }
    errors = errors_new();
    topology = topology_parse(exchange->body ? exchange->body : "", exchange->body_len, errors);
    if (topology) {
        submit_change(exchange, topology, errors);
        return;
    }
    problem_answer_errors(exchange->conn, 400, errors);
    errors_free(errors);
}

void topology_delete(struct exchange *exchange)
{
    if (!refused(exchange)) {
        submit_change(exchange, topology_new_empty(), errors_new());
    }
}

void topology_get(struct exchange *exchange)
{
    struct request *request = request_new(REQUEST_DOCUMENT);

    request->tenant = api_strdup(exchange->tenant);
    request->generation = exchange->query.generation;
    call_submit(exchange, request, answer_document);
}

void topology_confirm(struct exchange *exchange)
{
    if (!refused(exchange)) {
        call_submit(exchange, change_new(exchange, REQUEST_CONFIRM), answer_put);
    }
}

/* Reads `{"generation": 5}`; nothing at all is the one before. False: it has been refused. */
static bool read_generation(struct exchange *exchange, uint64_t *ret_generation)
{
    static const char *const keys[] = {"generation", NULL};
    struct errors *errors = errors_new();
    struct arena *arena = arena_new();
    struct doc *doc = doc_parse(arena, exchange->body, exchange->body_len, errors);
    const struct doc *number = NULL;
    bool ok;

    if (doc && doc_is(doc, DOC_MAP, errors)) {
        doc_check_keys(doc, keys, errors);
        number = doc_require(doc, "generation", errors);
    }
    if (number) {
        doc_uint(number, errors, 1, INT64_MAX, ret_generation);
    }
    ok = !errors_count(errors);
    if (!ok) {
        errors_sort(errors);
        problem_answer_errors(exchange->conn, 400, errors);
    }
    arena_free(arena);
    errors_free(errors);
    return ok;
}

void topology_rollback(struct exchange *exchange)
{
    uint64_t generation = 0;
    struct request *request;

    if (refused(exchange) || (exchange->body_len && !read_generation(exchange, &generation))) {
        return;
    }
    request = change_new(exchange, REQUEST_ROLLBACK);
    request->generation = generation;
    call_submit(exchange, request, answer_put);
}

/* --- history -------------------------------------------------------------------------------- */

static cJSON *generation_new(const struct request_generation *generation)
{
    cJSON *json = cJSON_CreateObject();

    json_add_uint(json, "generation", generation->number);
    json_add_uint(json, "number", generation->number);
    json_add_moment(json, "time", generation->time_ms);
    json_add_text(json, "who", generation->who);
    json_add_text(json, "summary", generation->summary);
    return json;
}

static void answer_history(struct conn *conn, const struct request *request)
{
    cJSON *answer, *list;

    if (request->outcome != REQUEST_DONE) {
        answer_away(conn, request);
        return;
    }
    answer = cJSON_CreateObject();
    json_add_text(answer, "tenant", request->tenant);
    json_add_uint(answer, "generation", request->ret_generation);
    list = cJSON_AddArrayToObject(answer, "generations");
    for (size_t i = 0; i < request->n_history; i++) {
        cJSON_AddItemToArray(list, generation_new(&request->history[i]));
    }
    conn_answer_json(conn, 200, "application/json", NULL, answer);
}

void topology_history(struct exchange *exchange)
{
    struct request *request = request_new(REQUEST_HISTORY);

    request->tenant = api_strdup(exchange->tenant);
    call_submit(exchange, request, answer_history);
}
