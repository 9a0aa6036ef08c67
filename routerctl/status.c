/* `status` and `tenants`: the router at a glance. */
#include "routerctl/ctl.h"
#include "routerctl/outstanding.h"

#include <stdlib.h>
#include <string.h>

/* --- the daemon ----------------------------------------------------------------------------- */

static int print_health(const struct ctl *ctl)
{
    const cJSON *backend;
    cJSON *health;
    int status = ctl_get(ctl, "/v1/health", &health);
    bool ok;

    if (status != CTL_DONE) {
        return status;
    }
    ok = !strcmp(ctl_json_text(health, "status"), "ok");
    fputs(ctl_style_code(ok ? CTL_GOOD : CTL_BAD, ctl->colour), stdout);
    ctl_say(stdout, "router %s, routerd %s: %s", ctl_json_text(health, "router"),
            ctl_json_text(health, "version"), ctl_json_text(health, "status"));
    fputs(ctl_style_code(CTL_PLAIN, ctl->colour), stdout);
    cJSON_ArrayForEach(backend, ctl_json_list(health, "backends")) {
        if (!ctl_json_bool(backend, "answers")) {
            ctl_say(stdout, "  %s does not answer: %s", ctl_json_text(backend, "name"),
                    ctl_json_text(backend, "reason"));
        }
    }
    cJSON_Delete(health);
    return CTL_DONE;
}

/* --- the tenants ---------------------------------------------------------------------------- */

struct count {
    int up, all;
};

static void count_list(struct count *count, const cJSON *list)
{
    const cJSON *object;

    cJSON_ArrayForEach(object, list) {
        count->all++;
        count->up += !strcmp(ctl_json_text(object, "state"), "up");
    }
}

static void cell_count(struct ctl_table *table, const struct count *count)
{
    char *text = ctl_printf("%d/%d", count->up, count->all);

    ctl_table_cell_styled(table, text, count->up == count->all ? CTL_PLAIN : CTL_BUSY);
    free(text);
}

static void cell_counts(struct ctl_table *table, const cJSON *tenant)
{
    static const char *const kinds[] = {"segments", "tunnels", "peers"};
    const cJSON *networks = ctl_json_list(tenant, "networks"), *network;
    struct count count = {0, 0};

    count_list(&count, networks);
    cell_count(table, &count);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        count = (struct count){0, 0};
        cJSON_ArrayForEach(network, networks) {
            count_list(&count, ctl_json_list(network, kinds[i]));
        }
        cell_count(table, &count);
    }
}

static void cell_tenant(struct ctl_table *table, const cJSON *tenant)
{
    bool converged = ctl_json_bool(tenant, "converged");

    ctl_table_cell(table, ctl_json_text(tenant, "tenant"));
    ctl_table_number(table, ctl_json_number(tenant, "generation"));
    ctl_table_number(table, ctl_json_number(tenant, "applied"));
    ctl_table_cell_styled(table, converged ? "yes" : "no", converged ? CTL_GOOD : CTL_BUSY);
}

static void print_tenants(const struct ctl *ctl, const cJSON *list)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_LEFT},    {"GENERATION", CTL_RIGHT}, {"APPLIED", CTL_RIGHT},
        {"CONVERGED", CTL_LEFT}, {"NETWORKS", CTL_RIGHT},   {"SEGMENTS", CTL_RIGHT},
        {"TUNNELS", CTL_RIGHT},  {"PEERS", CTL_RIGHT},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *tenant;

    cJSON_ArrayForEach(tenant, list) {
        cell_tenant(table, tenant);
        cell_counts(table, tenant);
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

static void add_outstanding(cJSON *all, const cJSON *tenant, bool several)
{
    cJSON *list = ctl_outstanding(tenant, NULL), *item;

    while ((item = cJSON_DetachItemFromArray(list, 0))) {
        if (several) {
            cJSON_AddStringToObject(item, "tenant", ctl_json_text(tenant, "tenant"));
        }
        cJSON_AddItemToArray(all, item);
    }
    cJSON_Delete(list);
}

static void print_all_outstanding(const struct ctl *ctl, const struct ctl_answers *answers)
{
    cJSON *all = cJSON_CreateArray();
    const cJSON *tenant;

    cJSON_ArrayForEach(tenant, answers->list) {
        add_outstanding(all, tenant, answers->several);
    }
    if (all->child) {
        puts("");
        ctl_print_outstanding(ctl, all);
    }
    cJSON_Delete(all);
}

static void print_status(const struct ctl *ctl, const struct ctl_answers *answers)
{
    puts("");
    if (!answers->list->child) {
        puts("The configuration has no tenants.");
        return;
    }
    print_tenants(ctl, answers->list);
    print_all_outstanding(ctl, answers);
}

int ctl_status(const struct ctl *ctl, char **args)
{
    int status = ctl->output == CTL_TABLE ? print_health(ctl) : CTL_DONE;
    struct ctl_answers answers;

    (void)args;
    if (status == CTL_DONE) {
        status = ctl_gather(ctl, "/status", NULL, &answers);
    }
    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output == CTL_TABLE) {
        print_status(ctl, &answers);
    } else {
        ctl_print_answers(ctl, &answers);
    }
    ctl_answers_done(&answers);
    return CTL_DONE;
}

int ctl_tenants(const struct ctl *ctl, char **args)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_LEFT},
        {"GENERATION", CTL_RIGHT},
        {"APPLIED", CTL_RIGHT},
        {"CONVERGED", CTL_LEFT},
    };
    struct ctl_table *table;
    const cJSON *tenant;
    cJSON *answer;
    int status = ctl_get(ctl, "/v1/tenants", &answer);

    (void)args;
    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output != CTL_TABLE) {
        ctl_print(ctl, answer);
        cJSON_Delete(answer);
        return CTL_DONE;
    }
    table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    cJSON_ArrayForEach(tenant, ctl_json_list(answer, "tenants")) {
        cell_tenant(table, tenant);
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
    cJSON_Delete(answer);
    return CTL_DONE;
}
