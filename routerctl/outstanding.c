#include "routerctl/outstanding.h"

#include <stdlib.h>
#include <string.h>

struct finder {
    cJSON *list;
    const char *network;
    size_t total;
};

/* Returns whether the object is not up. `kind` is null for the network itself. */
static bool find_object(struct finder *finder, const char *kind, const cJSON *object)
{
    const char *state = ctl_json_text(object, "state");
    cJSON *item;
    char *path;

    if (!strcmp(state, "up")) {
        return false;
    }
    path = kind ? ctl_printf("%s/%s/%s", finder->network, kind, ctl_json_text(object, "name"))
                : ctl_strdup(finder->network);
    item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "object", path);
    cJSON_AddStringToObject(item, "state", state);
    cJSON_AddStringToObject(item, "reason", ctl_json_text(object, "reason"));
    cJSON_AddItemToArray(finder->list, item);
    free(path);
    return true;
}

static void find_in_network(struct finder *finder, const cJSON *network)
{
    static const char *const kinds[][2] = {
        {"segments", "segment"}, {"tunnels", "tunnel"}, {"peers", "peer"}};
    bool explained = false;
    const cJSON *object;

    finder->network = ctl_json_text(network, "name");
    finder->total++;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        cJSON_ArrayForEach(object, ctl_json_list(network, kinds[i][0])) {
            explained |= find_object(finder, kinds[i][1], object);
            finder->total++;
        }
    }
    if (!explained) {
        find_object(finder, NULL, network);
    }
}

cJSON *ctl_outstanding(const cJSON *status, size_t *ret_total)
{
    struct finder finder = {.list = cJSON_CreateArray()};
    const cJSON *network;

    cJSON_ArrayForEach(network, ctl_json_list(status, "networks")) {
        find_in_network(&finder, network);
    }
    if (ret_total) {
        *ret_total = finder.total;
    }
    return finder.list;
}

void ctl_print_outstanding(const struct ctl *ctl, const cJSON *list)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_OPTIONAL},
        {"OBJECT", CTL_LEFT},
        {"STATE", CTL_LEFT},
        {"REASON", CTL_OPTIONAL},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *item;

    cJSON_ArrayForEach(item, list) {
        ctl_table_cell(table, ctl_json_text(item, "tenant"));
        ctl_table_cell(table, ctl_json_text(item, "object"));
        ctl_cell_state(table, item);
        ctl_table_cell(table, ctl_json_text(item, "reason"));
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}
