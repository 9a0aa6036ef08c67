#include "api/route.h"

#include "api/buffer.h"
#include "api/conn.h"
#include "api/problem.h"

#include <string.h>

/* docs/openapi.yaml as it stands; made by the build. */
extern const char openapi_text[];

static void openapi_get(struct exchange *exchange)
{
    conn_answer(exchange->conn, 200, "application/yaml", NULL, openapi_text, strlen(openapi_text));
}

#define TENANT "/v1/tenants/{tenant}"
#define NETWORK TENANT "/networks/{network}"
#define NODES (QUERY_POOL | QUERY_AFTER | QUERY_LIMIT | QUERY_ADDRESS | QUERY_MAC)
#define EVENTS (QUERY_SINCE | QUERY_FOLLOW | QUERY_TENANT)
#define CHANGE (QUERY_WAIT | QUERY_DRY_RUN | QUERY_CONFIRM)

static const struct row {
    const char *method, *pattern;
    unsigned int query; /* the keys that may be given */
    void (*serve)(struct exchange *exchange);
} rows[] = {
    {"PUT", TENANT "/topology", CHANGE, topology_put},
    {"GET", TENANT "/topology", QUERY_GENERATION, topology_get},
    {"DELETE", TENANT "/topology", CHANGE, topology_delete},
    {"POST", TENANT "/topology/confirm", 0, topology_confirm},
    {"POST", TENANT "/topology/rollback", CHANGE, topology_rollback},
    {"GET", TENANT "/history", 0, topology_history},
    {"GET", "/v1/tenants", 0, status_tenants},
    {"GET", TENANT "/status", 0, status_tenant},
    {"GET", NETWORK, 0, status_network},
    {"GET", NETWORK "/routes", 0, status_routes},
    {"POST", NETWORK "/nodes", 0, nodes_post},
    {"GET", NETWORK "/nodes", NODES, nodes_list},
    {"GET", NETWORK "/nodes/{node}", 0, nodes_get_one},
    {"DELETE", NETWORK "/nodes/{node}", 0, nodes_delete},
    {"GET", "/v1/events", EVENTS, events_get},
    {"GET", "/v1/health", 0, status_health},
    {"GET", "/v1/openapi.yaml", 0, openapi_get},
    {"GET", "/metrics", 0, metrics_get},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* HEAD is GET whose answer has no body (RFC 9110, 9.3.2). */
static bool has_method(const struct row *row, const char *method)
{
    return !strcmp(row->method, method) || (!strcmp(row->method, "GET") && !strcmp(method, "HEAD"));
}

static void refuse_method(struct exchange *exchange, const struct path *path)
{
    const char *args[PATH_ARGS];
    struct buffer allow = {0};

    buffer_printf(&allow, "Allow: ");
    for (size_t i = 0; i < N_ROWS; i++) {
        if (path_match(path, rows[i].pattern, args)) {
            buffer_printf(&allow, "%s%s%s", allow.len > strlen("Allow: ") ? ", " : "",
                          rows[i].method, !strcmp(rows[i].method, "GET") ? ", HEAD" : "");
        }
    }
    buffer_printf(&allow, "\r\n");
    problem_answer(exchange->conn, 405, allow.data, "%.32s is no method of this resource",
                   exchange->head->method);
    buffer_done(&allow);
}

/* The row of the request, or null when it has been refused. */
static const struct row *find_row(struct exchange *exchange, const struct path *path)
{
    const char *args[PATH_ARGS] = {NULL};
    bool known = false;

    for (size_t i = 0; i < N_ROWS; i++) {
        if (!path_match(path, rows[i].pattern, args)) {
            continue;
        }
        known = true;
        if (has_method(&rows[i], exchange->head->method)) {
            exchange->tenant = args[0];
            exchange->network = args[1];
            exchange->node = args[2];
            return &rows[i];
        }
    }
    if (known) {
        refuse_method(exchange, path);
    } else {
        problem_answer(exchange->conn, 404, NULL, "there is nothing of that name here");
    }
    return NULL;
}

static bool take_if_match(struct exchange *exchange)
{
    size_t n;
    const char *text = http_header(exchange->head, "if-match", &n);

    if (!text || (n == 1 && !if_match_parse(text, &exchange->if_match))) {
        return true;
    }
    problem_answer(exchange->conn, 400, NULL,
                   "If-Match must be one generation in quotes, such as \"6\", or *");
    return false;
}

static bool take_query(struct exchange *exchange, char *query)
{
    char why[QUERY_WHY];

    if (!query_parse(query, exchange->row->query, &exchange->query, why)) {
        return true;
    }
    problem_answer(exchange->conn, 400, NULL, "%s", why);
    return false;
}

bool route_begin(struct exchange *exchange)
{
    struct conn *conn = exchange->conn;
    struct path path;
    char *query;

    if (!exchange->client->admin && !exchange->client->scraper) {
        problem_answer(conn, 403, NULL, "%s is neither root nor in the control socket's group",
                       exchange->client->who);
        return false;
    }
    if (target_parse(exchange->head->target, &path, &query)) {
        problem_answer(conn, 400, NULL, "the request's target is malformed");
        return false;
    }
    exchange->row = find_row(exchange, &path);
    if (!exchange->row) {
        return false;
    }
    if (exchange->client->scraper && exchange->row->serve != metrics_get) {
        problem_answer(conn, 403, NULL, "this address serves /metrics only");
        return false;
    }
    if (exchange->tenant && !api_has_tenant(exchange->api, exchange->tenant)) {
        problem_answer(conn, 404, NULL, "there is no tenant %.64s", exchange->tenant);
        return false;
    }
    return take_query(exchange, query) && take_if_match(exchange);
}

void route_serve(struct exchange *exchange)
{
    exchange->row->serve(exchange);
}
