#include "routerctl/outstanding.h"

#include <stdlib.h>
#include <string.h>

struct finder {
    cJSON *list;
    const char *network;
    size_t total;
};

static bool is_up(const cJSON *object)
{
    return !strcmp(ctl_json_text(object, "state"), "up");
}

/* `kind` is null for the network itself. */
static void add_object(struct finder *finder, const char *kind, const cJSON *object)
{
    cJSON *item = cJSON_CreateObject();
    char *path = kind ? ctl_printf("%s/%s/%s", finder->network, kind, ctl_json_text(object, "name"))
                      : ctl_strdup(finder->network);

    cJSON_AddStringToObject(item, "object", path);
    cJSON_AddStringToObject(item, "state", ctl_json_text(object, "state"));
    cJSON_AddStringToObject(item, "reason", ctl_json_text(object, "reason"));
    cJSON_AddItemToArray(finder->list, item);
    free(path);
}

/* Whether the part is what the network's reason is about: then that ends with the part's own. */
static bool explains(const cJSON *part, const cJSON *network)
{
    const char *reason = ctl_json_text(network, "reason"), *own = ctl_json_text(part, "reason");
    size_t len = strlen(reason), own_len = strlen(own);

    return own_len && own_len <= len && !strcmp(reason + len - own_len, own);
}

static void find_in_network(struct finder *finder, const cJSON *network)
{
    static const char *const kinds[][2] = {
        {"segments", "segment"}, {"tunnels", "tunnel"}, {"peers", "peer"}};
    bool explained = is_up(network);
    const cJSON *object;

    finder->network = ctl_json_text(network, "name");
    finder->total++;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        cJSON_ArrayForEach(object, ctl_json_list(network, kinds[i][0])) {
            finder->total++;
            if (!is_up(object)) {
                add_object(finder, kinds[i][1], object);
                explained |= explains(object, network);
            }
        }
    }
    if (!explained) {
        add_object(finder, NULL, network);
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
