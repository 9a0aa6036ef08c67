/* `status` and `tenants`: the router at a glance. */
#include "routerctl/ctl.h"
#include "routerctl/objects.h"
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

static void cell_tenant(struct ctl_table *table, const cJSON *tenant)
{
    bool converged = ctl_json_bool(tenant, "converged");

    ctl_table_cell(table, ctl_json_text(tenant, "tenant"));
    ctl_table_number(table, ctl_json_number(tenant, "generation"));
    ctl_table_number(table, ctl_json_number(tenant, "applied"));
    ctl_table_cell_styled(table, converged ? "yes" : "no", converged ? CTL_GOOD : CTL_BUSY);
}

/* `list` is of anything that has a tenant's generations. */
static void print_tenants(const struct ctl *ctl, const cJSON *list)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_LEFT},
        {"GENERATION", CTL_RIGHT},
        {"APPLIED", CTL_RIGHT},
        {"CONVERGED", CTL_LEFT},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *tenant;

    cJSON_ArrayForEach(tenant, list) {
        cell_tenant(table, tenant);
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

static bool any_network(const struct ctl_answers *answers)
{
    const cJSON *tenant;

    cJSON_ArrayForEach(tenant, answers->list) {
        if (cJSON_GetArraySize(ctl_json_list(tenant, "networks"))) {
            return true;
        }
    }
    return false;
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
    if (any_network(answers)) {
        puts("");
        ctl_kind_print_all(ctl, &ctl_kind_network, answers);
    }
    print_all_outstanding(ctl, answers);
}

int ctl_status(const struct ctl *ctl, char **args)
{
    int status = ctl->output == CTL_TABLE ? print_health(ctl) : CTL_DONE;
    struct ctl_answers answers;

    (void)args;
    if (status == CTL_DONE) {
        status = ctl_gather(ctl, "/status", NULL, NULL, &answers);
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
    cJSON *answer;
    int status = ctl_get(ctl, "/v1/tenants", &answer);

    (void)args;
    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output == CTL_TABLE) {
        print_tenants(ctl, ctl_json_list(answer, "tenants"));
    } else {
        ctl_print(ctl, answer);
    }
    cJSON_Delete(answer);
    return CTL_DONE;
}
