#include "routerctl/plan.h"

#include <stdlib.h>
#include <string.h>

bool ctl_plan_empty(const cJSON *plan)
{
    return cJSON_GetArraySize(ctl_json_list(plan, "steps")) == 0;
}

char *ctl_plan_counts(const cJSON *plan)
{
    double disruptive = ctl_json_number(plan, "disruptive");
    char *counts = ctl_printf("%.0f to create, %.0f to update, %.0f to delete",
                              ctl_json_number(plan, "create"), ctl_json_number(plan, "update"),
                              ctl_json_number(plan, "delete")),
         *text;

    if (disruptive <= 0) {
        return counts;
    }
    text =
        ctl_printf("%s; %.0f interrupt%s traffic", counts, disruptive, disruptive == 1 ? "s" : "");
    free(counts);
    return text;
}

static enum ctl_style style_of(const char *action)
{
    return !strcmp(action, "create") ? CTL_GOOD : !strcmp(action, "delete") ? CTL_BAD : CTL_BUSY;
}

static void print_steps(const struct ctl *ctl, const cJSON *steps)
{
    static const struct ctl_column columns[] = {
        {"", CTL_OPTIONAL | CTL_BLANK}, {"ACTION", CTL_LEFT},  {"OBJECT", CTL_LEFT},
        {"BACKEND", CTL_LEFT},          {"SUMMARY", CTL_LEFT},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *step;

    cJSON_ArrayForEach(step, steps) {
        const char *action = ctl_json_text(step, "action");

        ctl_table_cell_styled(table, ctl_json_bool(step, "disruptive") ? "!" : "", CTL_BAD);
        ctl_table_cell_styled(table, action, style_of(action));
        ctl_table_cell(table, ctl_json_text(step, "object"));
        ctl_table_cell(table, ctl_json_text(step, "backend"));
        ctl_table_cell(table, ctl_json_text(step, "summary"));
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

void ctl_plan_print(const struct ctl *ctl, const cJSON *plan)
{
    char *counts;

    if (ctl_plan_empty(plan)) {
        puts("Nothing to do.");
        return;
    }
    print_steps(ctl, ctl_json_list(plan, "steps"));
    counts = ctl_plan_counts(plan);
    printf("\n%s%s\n", counts, ctl_json_number(plan, "disruptive") > 0 ? " (!)" : "");
    free(counts);
}
