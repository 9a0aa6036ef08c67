/* GET /metrics: the snapshot and the API's own counts in Prometheus' text format, 0.0.4. */
#include "api/buffer.h"
#include "api/conn.h"
#include "api/route.h"

#include <inttypes.h>
#include <string.h>

enum { N_STATES = OBJECT_ERROR + 1, N_KINDS = 4 };
static const char *const kinds[N_KINDS] = {"network", "segment", "tunnel", "peer"};

static void describe(struct buffer *text, const char *name, const char *type, const char *help)
{
    buffer_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_backends(struct buffer *text, const struct status *status)
{
    describe(text, "routerd_backend_up", "gauge", "Whether a part that routerd drives answers.");
    for (size_t i = 0; i < status->n_backends; i++) {
        buffer_printf(text, "routerd_backend_up{backend=\"%s\"} %d\n", status->backends[i].name,
                      status->backends[i].answers);
    }
    describe(text, "routerd_status_time_seconds", "gauge",
             "When the engine last published what it sees, Unix time.");
    buffer_printf(text, "routerd_status_time_seconds %" PRId64 ".%03d\n", status->time_ms / 1000,
                  (int)(status->time_ms % 1000));
}

static void add_generations(struct buffer *text, const struct status *status)
{
    describe(text, "routerd_tenant_generation", "gauge", "Generation in force.");
    for (size_t i = 0; i < status->n_tenants; i++) {
        buffer_printf(text, "routerd_tenant_generation{tenant=\"%s\"} %" PRIu64 "\n",
                      status->tenants[i].name, status->tenants[i].generation);
    }
    describe(text, "routerd_tenant_applied", "gauge",
             "Newest generation that was carried out and read back.");
    for (size_t i = 0; i < status->n_tenants; i++) {
        buffer_printf(text, "routerd_tenant_applied{tenant=\"%s\"} %" PRIu64 "\n",
                      status->tenants[i].name, status->tenants[i].applied);
    }
    describe(text, "routerd_tenant_converged", "gauge",
             "Whether the generation in force is applied and all of it is up.");
    for (size_t i = 0; i < status->n_tenants; i++) {
        buffer_printf(text, "routerd_tenant_converged{tenant=\"%s\"} %d\n", status->tenants[i].name,
                      status->tenants[i].converged);
    }
}

typedef size_t object_counts[N_KINDS][N_STATES];

static void count_network(const struct network_status *network, object_counts counts)
{
    counts[0][network->object.state]++;
    for (size_t i = 0; i < network->n_segments; i++) {
        counts[1][network->segments[i].object.state]++;
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        counts[2][network->tunnels[i].object.state]++;
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        counts[3][network->peers[i].object.state]++;
    }
}

static void add_objects(struct buffer *text, const struct tenant_status *tenant)
{
    object_counts counts = {{0}};

    for (size_t i = 0; i < tenant->n_networks; i++) {
        count_network(&tenant->networks[i], counts);
    }
    for (size_t kind = 0; kind < N_KINDS; kind++) {
        for (size_t state = 0; state < N_STATES; state++) {
            buffer_printf(text, "routerd_objects{tenant=\"%s\",kind=\"%s\",state=\"%s\"} %zu\n",
                          tenant->name, kinds[kind], object_state_name((enum object_state)state),
                          counts[kind][state]);
        }
    }
}

static void add_nodes(struct buffer *text, const struct status *status)
{
    describe(text, "routerd_nodes", "gauge", "Nodes that have their addresses.");
    for (size_t i = 0; i < status->n_tenants; i++) {
        const struct tenant_status *tenant = &status->tenants[i];

        for (size_t j = 0; j < tenant->n_networks; j++) {
            buffer_printf(text, "routerd_nodes{tenant=\"%s\",network=\"%s\"} %" PRIu64 "\n",
                          tenant->name, tenant->networks[j].object.name,
                          tenant->networks[j].nodes_allocated);
        }
    }
}

static void add_api(struct buffer *text, const struct api *api)
{
    describe(text, "routerd_api_answers_total", "counter", "Answers by the class of their status.");
    for (size_t i = 1; i < sizeof api->counts.answers / sizeof *api->counts.answers; i++) {
        buffer_printf(text, "routerd_api_answers_total{class=\"%zuxx\"} %" PRIu64 "\n", i,
                      api->counts.answers[i]);
    }
    describe(text, "routerd_api_connections", "gauge", "Connections that are open.");
    buffer_printf(text, "routerd_api_connections %zu\n", api->n_conns);
    describe(text, "routerd_api_connections_refused_total", "counter",
             "Connections that were refused because too many were open.");
    buffer_printf(text, "routerd_api_connections_refused_total %" PRIu64 "\n", api->counts.refused);
    describe(text, "routerd_engine_requests", "gauge", "Requests that the engine has to answer.");
    buffer_printf(text, "routerd_engine_requests %zu\n", api->n_calls);
}

void metrics_get(struct exchange *exchange)
{
    struct status *status = engine_status(exchange->api->engine);
    struct buffer text = {0};

    describe(&text, "routerd_build_info", "gauge", "The version that runs; always 1.");
    buffer_printf(&text, "routerd_build_info{version=\"%s\"} 1\n", ROUTERD_VERSION);
    if (status) {
        add_backends(&text, status);
        add_generations(&text, status);
        add_nodes(&text, status);
        describe(&text, "routerd_objects", "gauge", "Objects by kind and state.");
    }
    for (size_t i = 0; status && i < status->n_tenants; i++) {
        add_objects(&text, &status->tenants[i]);
    }
    add_api(&text, exchange->api);
    status_unref(status);
    conn_answer(exchange->conn, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, text.data,
                text.len);
    buffer_done(&text);
}
