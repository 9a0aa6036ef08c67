/* `nodes`: the addresses that are given out. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_NODES = 5000 };

/* --- reading -------------------------------------------------------------------------------- */

/* Adds "&key=value" unless there is no value. */
static void add_query(struct ctl_buffer *target, const char *key, const char *value)
{
    if (value && *value) {
        ctl_buffer_printf(target, "&%s=", key);
        ctl_add_url(target, value);
    }
}

/* The target of a page of a network's nodes behind `after`; heap. */
static char *page_target(const struct ctl *ctl, const char *tenant, const char *network,
                         const char *after)
{
    char *nodes = ctl_target(tenant, "/networks/%s/nodes", network);
    struct ctl_buffer target = {0};

    ctl_buffer_printf(&target, "%s?limit=%d", nodes, PAGE_NODES);
    add_query(&target, "pool", ctl->pool);
    add_query(&target, "address", ctl->n_addresses ? ctl->addresses[0] : NULL);
    add_query(&target, "mac", ctl->mac);
    add_query(&target, "after", after);
    free(nodes);
    return target.data;
}

/* Moves the nodes of an answer to the list, each with where it is. */
static void take_nodes(cJSON *list, cJSON *answer, const char *tenant, const char *network)
{
    cJSON *nodes = cJSON_GetObjectItemCaseSensitive(answer, "nodes"), *node;

    while ((node = cJSON_DetachItemFromArray(nodes, 0))) {
        if (cJSON_IsObject(node)) {
            cJSON_AddStringToObject(node, "tenant", tenant);
            cJSON_AddStringToObject(node, "network", network);
            cJSON_AddItemToArray(list, node);
        } else {
            cJSON_Delete(node);
        }
    }
}

/* All pages of one network. */
static int get_nodes(const struct ctl *ctl, const char *tenant, const char *network, cJSON *list)
{
    char *after = ctl_strdup("");
    int status = CTL_DONE;

    while (status == CTL_DONE && after) {
        char *target = page_target(ctl, tenant, network, after), *next = NULL;
        cJSON *answer;

        status = ctl_get(ctl, target, &answer);
        if (status == CTL_DONE) {
            const char *text = ctl_json_text(answer, "next");

            next = *text && strcmp(text, after) != 0 ? ctl_strdup(text) : NULL;
            take_nodes(list, answer, tenant, network);
            cJSON_Delete(answer);
        }
        free(target);
        free(after);
        after = next;
    }
    free(after);
    return status;
}

/* --- showing -------------------------------------------------------------------------------- */

/* What each address of a node has under the key, with its prefix length for the address itself. */
static void cell_addresses(struct ctl_table *table, const cJSON *node, const char *key)
{
    struct ctl_buffer text = {0};
    const cJSON *address;

    cJSON_ArrayForEach(address, ctl_json_list(node, "addresses")) {
        const char *value = ctl_json_text(address, key);

        if (*value) {
            ctl_buffer_printf(&text, "%s%s", text.len ? ", " : "", value);
        }
        if (*value && !strcmp(key, "address")) {
            ctl_buffer_printf(&text, "/%.0f", ctl_json_number(address, "prefix_len"));
        }
    }
    ctl_table_cell(table, ctl_buffer_string(&text));
    ctl_buffer_done(&text);
}

static void print_nodes(const struct ctl *ctl, const cJSON *list, bool tenants)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_OPTIONAL}, {"NETWORK", CTL_LEFT}, {"NODE", CTL_LEFT},    {"POOL", CTL_LEFT},
        {"ADDRESS", CTL_LEFT},    {"GATEWAY", CTL_LEFT}, {"MAC", CTL_OPTIONAL},
    };
    struct ctl_table *table;
    const cJSON *node;

    if (ctl->output != CTL_TABLE) {
        ctl_print(ctl, list);
        return;
    }
    table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    cJSON_ArrayForEach(node, list) {
        ctl_table_cell(table, tenants ? ctl_json_text(node, "tenant") : "");
        ctl_table_cell(table, ctl_json_text(node, "network"));
        ctl_table_cell(table, ctl_json_text(node, "name"));
        ctl_table_cell(table, ctl_json_text(node, "pool"));
        cell_addresses(table, node, "address");
        cell_addresses(table, node, "gateway");
        ctl_table_cell(table, ctl_json_text(node, "mac"));
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

/* A network that is only being removed has no nodes. */
static int list_status(const struct ctl *ctl, const cJSON *tenant, cJSON *list)
{
    const cJSON *network;
    int status = CTL_DONE;

    cJSON_ArrayForEach(network, ctl_json_list(tenant, "networks")) {
        if (status == CTL_DONE && strcmp(ctl_json_text(network, "state"), "removing") != 0) {
            status = get_nodes(ctl, ctl_json_text(tenant, "tenant"), ctl_json_text(network, "name"),
                               list);
        }
    }
    return status;
}

static int list_nodes(const struct ctl *ctl, const char *network)
{
    struct ctl_answers answers;
    const cJSON *answer;
    cJSON *list;
    int status = network ? ctl_gather(ctl, "/networks/%s", "network", network, &answers)
                         : ctl_gather(ctl, "/status", NULL, NULL, &answers);

    if (status != CTL_DONE) {
        return status;
    }
    list = cJSON_CreateArray();
    cJSON_ArrayForEach(answer, answers.list) {
        if (status == CTL_DONE) {
            status = network ? get_nodes(ctl, ctl_json_text(answer, "tenant"), network, list)
                             : list_status(ctl, answer, list);
        }
    }
    if (status == CTL_DONE) {
        print_nodes(ctl, list, answers.several);
    }
    cJSON_Delete(list);
    ctl_answers_done(&answers);
    return status;
}

static int show_node(const struct ctl *ctl, const char *network, const char *name)
{
    struct ctl_buffer rest = {0};
    struct ctl_answers answers;
    cJSON *node;
    int status;

    ctl_buffer_text(&rest, "/networks/");
    ctl_add_url(&rest, network);
    ctl_buffer_text(&rest, "/nodes/%s");
    status = ctl_gather(ctl, rest.data, "node", name, &answers);
    if (status == CTL_DONE) {
        cJSON_ArrayForEach(node, answers.list) {
            cJSON_AddStringToObject(node, "network", network);
        }
        print_nodes(ctl, answers.list, answers.several);
        ctl_answers_done(&answers);
    }
    ctl_buffer_done(&rest);
    return status;
}

/* --- changing ------------------------------------------------------------------------------- */

/* A name that is given twice is sent twice, for routerd to refuse. */
static void add_labels(cJSON *json, const struct ctl *ctl)
{
    cJSON *labels = ctl->n_labels ? cJSON_AddObjectToObject(json, "labels") : NULL;

    for (size_t i = 0; i < ctl->n_labels; i++) {
        const char *equals = strchr(ctl->labels[i], '=');
        char *name = ctl_printf("%.*s", (int)(equals - ctl->labels[i]), ctl->labels[i]);

        cJSON_AddStringToObject(labels, name, equals + 1);
        free(name);
    }
}

static cJSON *request_new(const struct ctl *ctl, const char *name)
{
    cJSON *json = cJSON_CreateObject(), *addresses;

    cJSON_AddStringToObject(json, "name", name);
    if (ctl->pool) {
        cJSON_AddStringToObject(json, "pool", ctl->pool);
    }
    if (ctl->n_addresses) {
        addresses = cJSON_AddArrayToObject(json, "address");
        for (size_t i = 0; i < ctl->n_addresses; i++) {
            cJSON_AddItemToArray(addresses, cJSON_CreateString(ctl->addresses[i]));
        }
    }
    if (ctl->mac) {
        cJSON_AddStringToObject(json, "mac", ctl->mac);
    }
    add_labels(json, ctl);
    return json;
}

/* One object for one name, else a list, of which all or none are done; heap. */
static char *request_body(const struct ctl *ctl, char **names)
{
    cJSON *list = cJSON_CreateArray();
    char *body;

    for (size_t i = 0; names[i]; i++) {
        cJSON_AddItemToArray(list, request_new(ctl, names[i]));
    }
    body = cJSON_PrintUnformatted(names[1] ? list : list->child);
    if (!body) {
        abort();
    }
    cJSON_Delete(list);
    return body;
}

static void print_added(const struct ctl *ctl, cJSON *answer, const char *tenant,
                        const char *network)
{
    cJSON *list;

    if (ctl->output != CTL_TABLE) {
        ctl_print(ctl, answer);
        return;
    }
    list = cJSON_CreateArray();
    take_nodes(list, answer, tenant, network);
    print_nodes(ctl, list, false);
    cJSON_Delete(list);
}

static int add_nodes(const struct ctl *ctl, const char *tenant, const char *network, char **names)
{
    char *target = ctl_target(tenant, "/networks/%s/nodes", network);
    char *body = request_body(ctl, names);
    struct ctl_request request = {
        .method = "POST",
        .target = target,
        .body = body,
        .body_len = strlen(body),
        .timeout_ms = ctl->timeout_ms,
    };
    struct ctl_answer answer;
    cJSON *json;
    int status = ctl_call(ctl, &request, NULL, &answer);

    if (status == CTL_DONE) {
        status = ctl_answer_json(ctl, &answer, &json);
        ctl_answer_done(&answer);
    }
    if (status == CTL_DONE) {
        print_added(ctl, json, tenant, network);
        cJSON_Delete(json);
    }
    cJSON_free(body);
    free(target);
    return status;
}

static int remove_node(const struct ctl *ctl, const char *tenant, const char *network,
                       const char *name)
{
    char *nodes = ctl_target(tenant, "/networks/%s/nodes/", network);
    struct ctl_buffer target = {0};
    struct ctl_request request = {.method = "DELETE", .timeout_ms = ctl->timeout_ms};
    struct ctl_answer answer;
    int status;

    ctl_buffer_text(&target, nodes);
    ctl_add_url(&target, name);
    request.target = target.data;
    status = ctl_call(ctl, &request, NULL, &answer);
    if (status == CTL_DONE) {
        if (ctl->output == CTL_TABLE) {
            ctl_say(stdout, "node %s of network %s is released", name, network);
        }
        ctl_answer_done(&answer);
    }
    ctl_buffer_done(&target);
    free(nodes);
    return status;
}

/* Goes on after a refusal, so that the rest is done; the first refusal counts. */
static int remove_nodes(const struct ctl *ctl, const char *tenant, const char *network,
                        char **names)
{
    int result = CTL_DONE;

    for (size_t i = 0; names[i] && result != CTL_UNREACHABLE; i++) {
        int status = remove_node(ctl, tenant, network, names[i]);

        result = result == CTL_DONE || status == CTL_UNREACHABLE ? status : result;
    }
    return result;
}

static int change_nodes(const struct ctl *ctl, char **args)
{
    bool add = !strcmp(args[0], "add");
    char *tenant;
    int status;

    if (!args[1] || !args[2]) {
        ctl_error("nodes %s takes a network and the names of nodes", args[0]);
        return CTL_USAGE;
    }
    if ((!add && ctl->given) || (add && args[3] && (ctl->n_addresses || ctl->mac))) {
        ctl_error("%s", add ? "--address and --mac go with one node only"
                            : "nodes rm takes no --pool, --address, --mac or --label");
        return CTL_USAGE;
    }
    status = ctl_one_tenant(ctl, &tenant);
    if (status == CTL_DONE) {
        status = (add ? add_nodes : remove_nodes)(ctl, tenant, args[1], args + 2);
        free(tenant);
    }
    return status;
}

int ctl_nodes(const struct ctl *ctl, char **args)
{
    if (args[0] && (!strcmp(args[0], "add") || !strcmp(args[0], "rm"))) {
        return change_nodes(ctl, args);
    }
    if (args[0] && !strcmp(args[0], "list")) {
        args++;
    }
    if (args[0] && args[1] && args[2]) {
        ctl_error("one argument too many: %s", args[2]);
        return CTL_USAGE;
    }
    if ((ctl->given && args[0] && args[1]) || ctl->n_addresses > 1 || ctl->n_labels) {
        ctl_error("%s", ctl->n_labels          ? "--label is for nodes add"
                        : ctl->n_addresses > 1 ? "one --address to look for is all there can be"
                                               : "--pool, --address and --mac are for lists");
        return CTL_USAGE;
    }
    return args[0] && args[1] ? show_node(ctl, args[0], args[1]) : list_nodes(ctl, args[0]);
}
