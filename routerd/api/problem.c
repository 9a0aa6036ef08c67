#include "api/problem.h"

#include "api/buffer.h"
#include "api/conn.h"
#include "api/json.h"

#include <stdlib.h>
#include <string.h>

/* What a program may compare. The names are URI references and nothing is to be found there. */
static const char *type_of(int status)
{
    static const struct {
        int status;
        const char *type;
    } types[] = {
        {400, "unreadable"}, {403, "forbidden"},
        {404, "not-found"},  {405, "method-not-allowed"},
        {408, "timeout"},    {409, "conflict"},
        {412, "stale"},      {413, "too-large"},
        {414, "too-large"},  {417, "expectation-failed"},
        {422, "wrong"},      {429, "too-many-requests"},
        {431, "too-large"},  {501, "not-supported"},
        {503, "away"},       {505, "not-supported"},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].status == status) {
            return types[i].type;
        }
    }
    return "about:blank";
}

static cJSON *problem_new(int status, const char *detail)
{
    cJSON *problem = cJSON_CreateObject();

    cJSON_AddStringToObject(problem, "type", type_of(status));
    cJSON_AddStringToObject(problem, "title", http_phrase(status));
    json_add_uint(problem, "status", (uint64_t)status);
    json_add_text(problem, "detail", detail);
    return problem;
}

static void problem_send(struct conn *conn, int status, const char *headers, cJSON *problem)
{
    conn_answer_json(conn, status, "application/problem+json", headers, problem);
}

void problem_answer(struct conn *conn, int status, const char *headers, const char *format, ...)
{
    va_list args;
    char *detail;

    va_start(args, format);
    detail = api_vprintf(format, args);
    va_end(args);
    problem_send(conn, status, headers, problem_new(status, detail));
    free(detail);
}

void problem_answer_type(struct conn *conn, int status, const char *type, const char *detail)
{
    cJSON *problem = problem_new(status, detail);

    cJSON_ReplaceItemInObject(problem, "type", cJSON_CreateString(type));
    problem_send(conn, status, NULL, problem);
}

static void add_errors(cJSON *problem, const struct errors *errors)
{
    cJSON *list = cJSON_AddArrayToObject(problem, "errors");

    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);
        cJSON *item = cJSON_CreateObject();

        json_add_text(item, "path", error->path);
        json_add_uint(item, "line", error->line);
        json_add_uint(item, "column", error->column);
        json_add_text(item, "message", error->message);
        cJSON_AddItemToArray(list, item);
    }
}

void problem_answer_errors(struct conn *conn, int status, const struct errors *errors)
{
    size_t n = errors_count(errors), kept = errors_kept(errors);
    struct buffer detail = {0};
    cJSON *problem;

    buffer_printf(&detail, "the document has %zu error%s", n, n == 1 ? "" : "s");
    if (kept < n) {
        buffer_printf(&detail, ", of which %zu are told", kept);
    }
    problem = problem_new(status, detail.data);
    buffer_done(&detail);
    add_errors(problem, errors);
    problem_send(conn, status, NULL, problem);
}
