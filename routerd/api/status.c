/* The rows that only read: from the last published snapshot, without the engine; but the routes of
 * a VRF, which nobody keeps. */
#include "api/buffer.h"
#include "api/call.h"
#include "api/conn.h"
#include "api/json.h"
#include "api/problem.h"
#include "api/route.h"

#include <stdlib.h>
#include <string.h>

static void answer(struct exchange *exchange, cJSON *json)
{
    conn_answer_json(exchange->conn, 200, "application/json", NULL, json);
}

/* --- objects -------------------------------------------------------------------------------- */

static void add_state(cJSON *json, const struct object_status *object)
{
    const char *reason = object->state == OBJECT_UP ? object->note : object->reason;

    json_add_text(json, "state", object_state_name(object->state));
    if (reason || object->state != OBJECT_UP) {
        json_add_text(json, "reason", reason);
    }
}

static cJSON *object_new(const struct object_status *object)
{
    cJSON *json = cJSON_CreateObject();

    json_add_text(json, "name", object->name);
    add_state(json, object);
    return json;
}

static cJSON *segment_new(const struct segment_status *segment)
{
    cJSON *json = object_new(&segment->object);

    json_add_text(json, "interface", segment->interface);
    json_add_text(json, "bridge", segment->bridge);
    json_add_time(json, "since", segment->object.since_ms);
    return json;
}

static cJSON *tunnel_new(const struct tunnel_status *tunnel)
{
    cJSON *json = object_new(&tunnel->object);

    json_add_text(json, "interface", tunnel->interface);
    json_add_uint(json, "if_id", tunnel->if_id);
    json_add_time(json, "since", tunnel->object.since_ms);
    json_add_uint(json, "bytes_in", tunnel->bytes_in);
    json_add_uint(json, "bytes_out", tunnel->bytes_out);
    return json;
}

/* What a peer goes over; its place in the status is mostly that in the topology. */
static const char *peer_via(const struct network *network, size_t place, const char *peer)
{
    if (network && place < network->n_peers && !strcmp(network->peers[place].name, peer)) {
        return network->peers[place].via;
    }
    for (size_t i = 0; network && i < network->n_peers; i++) {
        if (!strcmp(network->peers[i].name, peer)) {
            return network->peers[i].via;
        }
    }
    return "";
}

static cJSON *peer_new(const struct peer_status *peer, const struct network *network, size_t place)
{
    cJSON *json = object_new(&peer->object);
    char address[ADDR_TEXT];

    addr_print(&peer->address, address);
    json_add_text(json, "via", peer_via(network, place, peer->object.name));
    json_add_text(json, "bgp_state", peer->bgp_state);
    if (peer->bfd_state) {
        json_add_text(json, "bfd_state", peer->bfd_state);
    }
    json_add_text(json, "address", address);
    json_add_uint(json, "asn", peer->asn);
    json_add_time(json, "since", peer->object.since_ms);
    json_add_uint(json, "prefixes_received", peer->prefixes_received);
    json_add_uint(json, "prefixes_sent", peer->prefixes_sent);
    return json;
}

static void add_addresses(cJSON *json, const char *key, const struct addr *addresses)
{
    cJSON *list = cJSON_AddArrayToObject(json, key);
    char text[ADDR_TEXT];

    for (size_t i = 0; i < 2; i++) {
        if (addresses[i].family) {
            cJSON_AddItemToArray(list, cJSON_CreateString(addr_print(&addresses[i], text)));
        }
    }
}

static cJSON *egress_new(const struct egress_status *egress)
{
    cJSON *json = cJSON_CreateObject();
    char text[ADDR_TEXT] = "";

    json_add_text(json, "uplink", egress->object.name);
    add_state(json, &egress->object);
    json_add_text(json, "interface", egress->interface);
    for (size_t i = 2; i-- > 0;) {
        if (egress->addresses[i].family) {
            addr_print(&egress->addresses[i], text);
        }
    }
    json_add_text(json, "address", text);
    add_addresses(json, "addresses", egress->addresses);
    add_addresses(json, "gateways", egress->gateways);
    return json;
}

static void add_parts(cJSON *json, const struct network_status *network)
{
    cJSON *segments = cJSON_AddArrayToObject(json, "segments");
    cJSON *tunnels = cJSON_AddArrayToObject(json, "tunnels");
    cJSON *peers = cJSON_AddArrayToObject(json, "peers");

    for (size_t i = 0; i < network->n_segments; i++) {
        cJSON_AddItemToArray(segments, segment_new(&network->segments[i]));
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        cJSON_AddItemToArray(tunnels, tunnel_new(&network->tunnels[i]));
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        cJSON_AddItemToArray(peers, peer_new(&network->peers[i], network->network, i));
    }
    if (network->egress) {
        cJSON_AddItemToObject(json, "egress", egress_new(network->egress));
    }
}

/* How many nodes the network's pools have room for, saturated as theirs is. */
static uint64_t capacity_of(const struct network *network)
{
    uint64_t capacity = 0;

    for (size_t i = 0; network && i < network->n_pools; i++) {
        uint64_t more = network->pools[i].capacity;

        capacity = capacity > UINT64_MAX - more ? UINT64_MAX : capacity + more;
    }
    return capacity;
}

static cJSON *network_new(const struct network_status *network)
{
    cJSON *json = object_new(&network->object), *nodes;

    json_add_text(json, "vrf", network->vrf);
    json_add_uint(json, "table", network->table);
    json_add_time(json, "since", network->object.since_ms);
    add_parts(json, network);
    nodes = cJSON_AddObjectToObject(json, "nodes");
    json_add_uint(nodes, "allocated", network->nodes_allocated);
    json_add_uint(nodes, "capacity", capacity_of(network->network));
    return json;
}

/* --- tenants -------------------------------------------------------------------------------- */

/* The snapshot, or null when nothing is known yet and the client has been told so. What was known
 * before the state server went away is told as it was then. */
static struct status *snapshot(struct exchange *exchange)
{
    struct status *status = engine_status(exchange->api->engine);

    if (status && status->is_read) {
        return status;
    }
    problem_answer(exchange->conn, 503, PROBLEM_RETRY,
                   status ? "the state server does not answer, so it is not known what is in force"
                          : "routerd is starting");
    status_unref(status);
    return NULL;
}

static struct tenant_status tenant_find(const struct status *status, const char *name)
{
    const struct tenant_status *tenant = status_find_tenant(status, name);

    return tenant ? *tenant : (struct tenant_status){.name = name, .converged = true};
}

static cJSON *tenant_new(const struct tenant_status *tenant)
{
    cJSON *json = cJSON_CreateObject();

    json_add_text(json, "tenant", tenant->name);
    json_add_uint(json, "generation", tenant->generation);
    json_add_uint(json, "applied", tenant->applied);
    cJSON_AddBoolToObject(json, "converged", tenant->converged);
    if (tenant->confirm_until_ms) {
        json_add_confirm(json, tenant->confirm_until_ms, tenant->confirm_back);
    }
    return json;
}

void status_tenants(struct exchange *exchange)
{
    struct status *status = snapshot(exchange);
    cJSON *json, *list;
    char **names;
    size_t n;

    if (!status) {
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "tenants");
    names = api_tenants(exchange->api, &n);
    for (size_t i = 0; i < n; i++) {
        struct tenant_status tenant = tenant_find(status, names[i]);

        cJSON_AddItemToArray(list, tenant_new(&tenant));
    }
    api_tenants_free(names, n);
    status_unref(status);
    answer(exchange, json);
}

void status_tenant(struct exchange *exchange)
{
    struct status *status = snapshot(exchange);
    struct tenant_status tenant;
    cJSON *json, *list;

    if (!status) {
        return;
    }
    tenant = tenant_find(status, exchange->tenant);
    json = tenant_new(&tenant);
    list = cJSON_AddArrayToObject(json, "networks");
    for (size_t i = 0; i < tenant.n_networks; i++) {
        cJSON_AddItemToArray(list, network_new(&tenant.networks[i]));
    }
    status_unref(status);
    answer(exchange, json);
}

void status_network(struct exchange *exchange)
{
    struct status *status = snapshot(exchange);
    const struct network_status *network;
    struct tenant_status tenant;
    cJSON *json;

    if (!status) {
        return;
    }
    tenant = tenant_find(status, exchange->tenant);
    network = tenant_status_find(&tenant, exchange->network);
    if (network) {
        json = network_new(network);
        json_add_text(json, "tenant", tenant.name);
        json_add_uint(json, "generation", tenant.generation);
        answer(exchange, json);
    } else {
        problem_answer(exchange->conn, 404, NULL, "tenant %s has no network %.64s",
                       exchange->tenant, exchange->network);
    }
    status_unref(status);
}

/* --- routes --------------------------------------------------------------------------------- */

static cJSON *route_new(const struct request_route *route)
{
    cJSON *json = cJSON_CreateObject();

    json_add_text(json, "prefix", route->prefix);
    json_add_text(json, "via", route->via);
    json_add_text(json, "interface", route->interface);
    json_add_text(json, "protocol", route->protocol);
    cJSON_AddBoolToObject(json, "selected", route->selected);
    return json;
}

static void answer_routes(struct conn *conn, const struct request *request)
{
    cJSON *json, *list;

    if (request->outcome == REQUEST_NOT_FOUND) {
        problem_answer(conn, 404, NULL, "tenant %s has no network %.64s", request->tenant,
                       request->network);
        return;
    }
    if (request->outcome != REQUEST_DONE) {
        problem_answer(conn, 503, PROBLEM_RETRY, "%s",
                       request->detail ? request->detail : "the routes cannot be read");
        return;
    }
    json = cJSON_CreateObject();
    json_add_text(json, "tenant", request->tenant);
    json_add_text(json, "network", request->network);
    list = cJSON_AddArrayToObject(json, "routes");
    for (size_t i = 0; i < request->n_routes; i++) {
        cJSON_AddItemToArray(list, route_new(&request->routes[i]));
    }
    conn_answer_json(conn, 200, "application/json", NULL, json);
}

void status_routes(struct exchange *exchange)
{
    struct request *request = request_new(REQUEST_ROUTES);

    request->tenant = api_strdup(exchange->tenant);
    request->network = api_strdup(exchange->network);
    call_submit(exchange, request, answer_routes);
}

/* --- health --------------------------------------------------------------------------------- */

static cJSON *backend_new(const struct backend_status *backend)
{
    cJSON *json = cJSON_CreateObject();

    json_add_text(json, "name", backend->name);
    cJSON_AddBoolToObject(json, "answers", backend->answers);
    if (backend->reason) {
        json_add_text(json, "reason", backend->reason);
    }
    return json;
}

void status_health(struct exchange *exchange)
{
    struct status *status = engine_status(exchange->api->engine);
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    char *router = api_router_name(exchange->api);
    bool ok = status != NULL;

    for (size_t i = 0; status && i < status->n_backends; i++) {
        ok &= status->backends[i].answers;
        cJSON_AddItemToArray(list, backend_new(&status->backends[i]));
    }
    status_unref(status);
    json_add_text(json, "status", ok ? "ok" : "degraded");
    json_add_text(json, "router", router);
    json_add_text(json, "version", ROUTERD_VERSION);
    cJSON_AddItemToObject(json, "backends", list);
    free(router);
    answer(exchange, json);
}
