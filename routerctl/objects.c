#include "routerctl/objects.h"

#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>

struct ctl_kind {
    const char *key; /* of the list in a network's status; null: the networks themselves */
    const struct ctl_column *columns;
    size_t n_columns;
    void (*cells)(struct ctl_table *table, const cJSON *object);
};

#define KIND(key, columns, cells)                               \
    {                                                           \
        key, columns, sizeof columns / sizeof *(columns), cells \
    }

static void cell_text(struct ctl_table *table, const cJSON *object, const char *key)
{
    ctl_table_cell(table, ctl_json_text(object, key));
}

static void cell_number(struct ctl_table *table, const cJSON *object, const char *key)
{
    ctl_table_number(table, ctl_json_number(object, key));
}

/* --- networks ------------------------------------------------------------------------------- */

static const struct ctl_column network_columns[] = {
    {"TENANT", CTL_OPTIONAL}, {"NETWORK", CTL_LEFT},
    {"STATE", CTL_LEFT},      {"UPTIME", CTL_LEFT},
    {"VRF", CTL_LEFT},        {"TABLE", CTL_RIGHT},
    {"SEGMENTS", CTL_RIGHT},  {"TUNNELS", CTL_RIGHT},
    {"PEERS", CTL_RIGHT},     {"NODES", CTL_RIGHT | CTL_OPTIONAL},
    {"REASON", CTL_OPTIONAL},
};

/* "3/4": how many of a network's objects are up. */
static void cell_up(struct ctl_table *table, const cJSON *network, const char *key)
{
    const cJSON *object;
    int up = 0, all = 0;
    char *text;

    cJSON_ArrayForEach(object, ctl_json_list(network, key)) {
        all++;
        up += !strcmp(ctl_json_text(object, "state"), "up");
    }
    text = ctl_printf("%d/%d", up, all);
    ctl_table_cell_styled(table, text, up == all ? CTL_PLAIN : CTL_BUSY);
    free(text);
}

/* "2/100", given out and possible; empty without pools. An IPv6 pool has no end that counts. */
static void cell_nodes(struct ctl_table *table, const cJSON *network)
{
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(network, "nodes");
    double allocated = ctl_json_number(nodes, "allocated");
    double capacity = ctl_json_number(nodes, "capacity");
    char *text = capacity >= 1e15 ? ctl_printf("%.0f", allocated)
                 : capacity > 0   ? ctl_printf("%.0f/%.0f", allocated, capacity)
                                  : ctl_strdup("");

    ctl_table_cell(table, text);
    free(text);
}

static void network_cells(struct ctl_table *table, const cJSON *network)
{
    ctl_cell_state(table, network);
    ctl_cell_since(table, network);
    cell_text(table, network, "vrf");
    cell_number(table, network, "table");
    cell_up(table, network, "segments");
    cell_up(table, network, "tunnels");
    cell_up(table, network, "peers");
    cell_nodes(table, network);
    cell_text(table, network, "reason");
}

const struct ctl_kind ctl_kind_network = KIND(NULL, network_columns, network_cells);

/* --- segments ------------------------------------------------------------------------------- */

static const struct ctl_column segment_columns[] = {
    {"TENANT", CTL_OPTIONAL}, {"NETWORK", CTL_OPTIONAL}, {"SEGMENT", CTL_LEFT},
    {"STATE", CTL_LEFT},      {"UPTIME", CTL_LEFT},      {"INTERFACE", CTL_LEFT},
    {"BRIDGE", CTL_LEFT},     {"REASON", CTL_OPTIONAL},
};

static void segment_cells(struct ctl_table *table, const cJSON *segment)
{
    cell_text(table, segment, "name");
    ctl_cell_state(table, segment);
    ctl_cell_since(table, segment);
    cell_text(table, segment, "interface");
    cell_text(table, segment, "bridge");
    cell_text(table, segment, "reason");
}

const struct ctl_kind ctl_kind_segment = KIND("segments", segment_columns, segment_cells);

/* --- tunnels -------------------------------------------------------------------------------- */

static const struct ctl_column tunnel_columns[] = {
    {"TENANT", CTL_OPTIONAL}, {"NETWORK", CTL_OPTIONAL}, {"TUNNEL", CTL_LEFT}, {"STATE", CTL_LEFT},
    {"UPTIME", CTL_LEFT},     {"INTERFACE", CTL_LEFT},   {"IF_ID", CTL_RIGHT}, {"IN", CTL_RIGHT},
    {"OUT", CTL_RIGHT},       {"REASON", CTL_OPTIONAL},
};

static void cell_bytes(struct ctl_table *table, const cJSON *object, const char *key)
{
    char text[CTL_SHORT];

    ctl_table_cell(table, ctl_print_bytes(ctl_json_number(object, key), text));
}

static void tunnel_cells(struct ctl_table *table, const cJSON *tunnel)
{
    cell_text(table, tunnel, "name");
    ctl_cell_state(table, tunnel);
    ctl_cell_since(table, tunnel);
    cell_text(table, tunnel, "interface");
    cell_number(table, tunnel, "if_id");
    cell_bytes(table, tunnel, "bytes_in");
    cell_bytes(table, tunnel, "bytes_out");
    cell_text(table, tunnel, "reason");
}

const struct ctl_kind ctl_kind_tunnel = KIND("tunnels", tunnel_columns, tunnel_cells);

/* --- peers ---------------------------------------------------------------------------------- */

static const struct ctl_column peer_columns[] = {
    {"TENANT", CTL_OPTIONAL}, {"NETWORK", CTL_OPTIONAL}, {"PEER", CTL_LEFT},
    {"STATE", CTL_LEFT},      {"UPTIME", CTL_LEFT},      {"ADDRESS", CTL_LEFT},
    {"ASN", CTL_RIGHT},       {"BGP", CTL_LEFT},         {"RECEIVED", CTL_RIGHT},
    {"SENT", CTL_RIGHT},      {"REASON", CTL_OPTIONAL},
};

static void peer_cells(struct ctl_table *table, const cJSON *peer)
{
    cell_text(table, peer, "name");
    ctl_cell_state(table, peer);
    ctl_cell_since(table, peer);
    cell_text(table, peer, "address");
    cell_number(table, peer, "asn");
    cell_text(table, peer, "bgp_state");
    cell_number(table, peer, "prefixes_received");
    cell_number(table, peer, "prefixes_sent");
    cell_text(table, peer, "reason");
}

const struct ctl_kind ctl_kind_peer = KIND("peers", peer_columns, peer_cells);

/* --- tables --------------------------------------------------------------------------------- */

/* Calls `take` for each object of the kind in a network. */
typedef void take_fn(void *aux, const char *tenant, const cJSON *network, const cJSON *object);

static void each_object(const struct ctl_kind *kind, const char *tenant, const cJSON *network,
                        take_fn *take, void *aux)
{
    const cJSON *object;

    if (!kind->key) {
        take(aux, tenant, network, network);
        return;
    }
    cJSON_ArrayForEach(object, ctl_json_list(network, kind->key)) {
        take(aux, tenant, network, object);
    }
}

static void each_object_of_all(const struct ctl_kind *kind, const struct ctl_answers *statuses,
                               take_fn *take, void *aux)
{
    const cJSON *status, *network;

    cJSON_ArrayForEach(status, statuses->list) {
        cJSON_ArrayForEach(network, ctl_json_list(status, "networks")) {
            each_object(kind, ctl_json_text(status, "tenant"), network, take, aux);
        }
    }
}

struct filler {
    const struct ctl_kind *kind;
    struct ctl_table *table;
    bool tenants, networks; /* are worth a column */
};

static void fill_row(void *aux, const char *tenant, const cJSON *network, const cJSON *object)
{
    const struct filler *filler = aux;

    ctl_table_cell(filler->table, filler->tenants ? tenant : "");
    ctl_table_cell(filler->table, filler->networks ? ctl_json_text(network, "name") : "");
    filler->kind->cells(filler->table, object);
}

static struct filler filler_new(const struct ctl_kind *kind)
{
    return (struct filler){.kind = kind, .table = ctl_table_new(kind->columns, kind->n_columns)};
}

bool ctl_kind_any(const struct ctl_kind *kind, const cJSON *network)
{
    return cJSON_GetArraySize(ctl_json_list(network, kind->key)) > 0;
}

void ctl_kind_print(const struct ctl *ctl, const struct ctl_kind *kind, const cJSON *network)
{
    struct filler filler = filler_new(kind);

    each_object(kind, "", network, fill_row, &filler);
    ctl_table_print(filler.table, stdout, ctl->colour);
    ctl_table_free(filler.table);
}

static void add_object(void *list, const char *tenant, const cJSON *network, const cJSON *object)
{
    cJSON *copy = cJSON_CreateObject();
    const cJSON *member;

    cJSON_AddStringToObject(copy, "tenant", tenant);
    if (network != object) {
        cJSON_AddStringToObject(copy, "network", ctl_json_text(network, "name"));
    }
    cJSON_ArrayForEach(member, object) {
        cJSON_AddItemToObject(copy, member->string, cJSON_Duplicate(member, true));
    }
    cJSON_AddItemToArray(list, copy);
}

void ctl_kind_print_all(const struct ctl *ctl, const struct ctl_kind *kind,
                        const struct ctl_answers *statuses)
{
    if (ctl->output != CTL_TABLE) {
        cJSON *list = cJSON_CreateArray();

        each_object_of_all(kind, statuses, add_object, list);
        ctl_print(ctl, list);
        cJSON_Delete(list);
    } else {
        struct filler filler = filler_new(kind);

        filler.tenants = statuses->several;
        filler.networks = true;
        each_object_of_all(kind, statuses, fill_row, &filler);
        ctl_table_print(filler.table, stdout, ctl->colour);
        ctl_table_free(filler.table);
    }
}
