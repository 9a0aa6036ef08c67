/* The rows of .../networks/N/nodes: the wanted nodes are read here, the engine gives them their
 * addresses, and the answers say all that a node needs to use its own. */
#include "api/buffer.h"
#include "api/call.h"
#include "api/conn.h"
#include "api/json.h"
#include "api/problem.h"
#include "api/route.h"

#include <stdlib.h>
#include <string.h>

/* --- answers -------------------------------------------------------------------------------- */

static void add_addr(cJSON *object, const char *key, const struct addr *addr)
{
    char text[ADDR_TEXT];

    if (addr->family) {
        cJSON_AddStringToObject(object, key, addr_print(addr, text));
    }
}

/* An address with what is to be configured beside it. */
static void add_address(cJSON *object, const struct request_node *node, const struct addr *addr)
{
    const struct pool_family *family =
        node->pool ? pool_find_family(node->pool, addr->family) : NULL;

    add_addr(object, "address", addr);
    if (family) {
        json_add_uint(object, "prefix_len", family->prefix_len);
        add_addr(object, "gateway", &family->gateway);
    }
}

static void add_pool(cJSON *object, const struct pool *pool)
{
    cJSON *dns;

    json_add_uint(object, "mtu", pool->mtu);
    if (pool->n_dns) {
        dns = cJSON_AddArrayToObject(object, "dns");
        for (size_t i = 0; i < pool->n_dns; i++) {
            char text[ADDR_TEXT];

            cJSON_AddItemToArray(dns, cJSON_CreateString(addr_print(&pool->dns[i], text)));
        }
    }
    if (pool->domain) {
        json_add_text(object, "domain", pool->domain);
    }
}

/* `address` is the IPv4 one where there is one; `addresses` has all. */
static cJSON *node_new(const struct request_node *node)
{
    cJSON *object = cJSON_CreateObject(), *list;
    char mac[MAC_TEXT];

    json_add_text(object, "name", node->name);
    json_add_text(object, "pool", node->pool ? node->pool->name : "");
    add_address(object, node, &node->addresses[!node->addresses[0].family]);
    list = cJSON_AddArrayToObject(object, "addresses");
    for (int i = 0; i < 2; i++) {
        if (node->addresses[i].family) {
            cJSON *item = cJSON_CreateObject();

            add_address(item, node, &node->addresses[i]);
            cJSON_AddItemToArray(list, item);
        }
    }
    if (node->pool) {
        add_pool(object, node->pool);
    }
    if (node->has_mac) {
        json_add_text(object, "mac", mac_print(node->mac, mac));
    }
    if (node->labels) {
        cJSON_AddRawToObject(object, "labels", node->labels);
    }
    return object;
}

static void answer_list(struct conn *conn, int status, const struct request *request)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(answer, "nodes");

    for (size_t i = 0; i < request->n_nodes; i++) {
        cJSON_AddItemToArray(list, node_new(&request->nodes[i]));
    }
    if (request->next_node) {
        json_add_text(answer, "next", request->next_node);
    }
    conn_answer_json(conn, status, "application/json", NULL, answer);
}

static void answer_refusal(struct conn *conn, const struct request *request)
{
    const char *detail = request->detail ? request->detail : "the nodes cannot be reached";

    switch (request->outcome) {
    case REQUEST_WRONG: problem_answer_errors(conn, 422, request->errors); break;
    case REQUEST_CONFLICT: problem_answer_type(conn, 409, request->code, detail); break;
    case REQUEST_NOT_FOUND: problem_answer(conn, 404, NULL, "%s", detail); break;
    case REQUEST_DONE:
    case REQUEST_CONVERGED:
    case REQUEST_UNCHANGED:
    case REQUEST_PLANNED:
    case REQUEST_STALE:
    case REQUEST_AWAY:
    case REQUEST_FAILED: problem_answer(conn, 503, PROBLEM_RETRY, "%s", detail); break;
    }
}

static void answer_post(struct conn *conn, const struct request *request)
{
    if (request->outcome == REQUEST_DONE) {
        answer_list(conn, 201, request);
    } else if (request->outcome == REQUEST_UNCHANGED) {
        answer_list(conn, 200, request);
    } else {
        answer_refusal(conn, request);
    }
}

static void answer_get(struct conn *conn, const struct request *request)
{
    if (request->outcome != REQUEST_DONE) {
        answer_refusal(conn, request);
    } else if (request->node && request->n_nodes) {
        conn_answer_json(conn, 200, "application/json", NULL, node_new(&request->nodes[0]));
    } else {
        answer_list(conn, 200, request);
    }
}

static void answer_delete(struct conn *conn, const struct request *request)
{
    if (request->outcome == REQUEST_DONE) {
        conn_answer(conn, 204, "application/json", NULL, "", 0);
    } else {
        answer_refusal(conn, request);
    }
}

/* --- requests ------------------------------------------------------------------------------- */

static struct request *nodes_request(struct exchange *exchange, enum request_kind kind)
{
    struct request *request = request_new(kind);

    request->tenant = api_strdup(exchange->tenant);
    request->network = api_strdup(exchange->network);
    request->node = exchange->node ? api_strdup(exchange->node) : NULL;
    return request;
}

void nodes_post(struct exchange *exchange)
{
    struct errors *errors = errors_new();
    struct node_wants *wants =
        node_wants_parse(exchange->body ? exchange->body : "", exchange->body_len, errors);
    struct request *request;

    if (!errors_count(errors)) {
        request = nodes_request(exchange, REQUEST_NODES_ADD);
        request->wants = wants;
        request->errors = errors;
        call_submit(exchange, request, answer_post);
        return;
    }
    problem_answer_errors(exchange->conn, wants ? 422 : 400, errors);
    node_wants_free(wants);
    errors_free(errors);
}

/* Takes over a filter that has to be read. False: it has been refused. */
static bool take_filters(struct exchange *exchange, struct request *request)
{
    const struct query *query = &exchange->query;
    const char *wrong = NULL;

    request->by_address = query->address != NULL;
    request->by_mac = query->mac != NULL;
    if (query->address && query->mac) {
        wrong = "the query has both `address` and `mac`; one of them finds the node";
    } else if (query->address && addr_parse(query->address, &request->address)) {
        wrong = "the query parameter `address` must be an address";
    } else if (query->mac && mac_parse(query->mac, request->mac)) {
        wrong = "the query parameter `mac` must be the MAC address of a host";
    }
    if (wrong) {
        problem_answer(exchange->conn, 400, NULL, "%s", wrong);
    }
    return !wrong;
}

void nodes_list(struct exchange *exchange)
{
    struct request *request = nodes_request(exchange, REQUEST_NODES_GET);
    const struct query *query = &exchange->query;

    request->pool = query->pool ? api_strdup(query->pool) : NULL;
    request->after = query->after ? api_strdup(query->after) : NULL;
    request->limit = (size_t)query->limit;
    if (take_filters(exchange, request)) {
        call_submit(exchange, request, answer_get);
    } else {
        request_free(request);
    }
}

void nodes_get_one(struct exchange *exchange)
{
    call_submit(exchange, nodes_request(exchange, REQUEST_NODES_GET), answer_get);
}

void nodes_delete(struct exchange *exchange)
{
    call_submit(exchange, nodes_request(exchange, REQUEST_NODES_END), answer_delete);
}
