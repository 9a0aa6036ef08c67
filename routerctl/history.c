/* `history` and `diff`: the generations that are kept. */
#include "routerctl/ctl.h"
#include "routerctl/lines.h"
#include "routerctl/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- history -------------------------------------------------------------------------------- */

static void print_history(const struct ctl *ctl, const struct ctl_answers *answers)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_OPTIONAL}, {"GENERATION", CTL_RIGHT}, {"TIME", CTL_LEFT},
        {"WHO", CTL_LEFT},        {"SUMMARY", CTL_LEFT},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *answer, *generation;

    cJSON_ArrayForEach(answer, answers->list) {
        cJSON_ArrayForEach(generation, ctl_json_list(answer, "generations")) {
            ctl_table_cell(table, answers->several ? ctl_json_text(answer, "tenant") : "");
            ctl_table_number(table, ctl_json_number(generation, "generation"));
            ctl_table_cell(table, ctl_json_text(generation, "time"));
            ctl_table_cell(table, ctl_json_text(generation, "who"));
            ctl_table_cell(table, ctl_json_text(generation, "summary"));
        }
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

int ctl_history(const struct ctl *ctl, char **args)
{
    struct ctl_answers answers;
    int status = ctl_gather(ctl, "/history", NULL, NULL, &answers);

    (void)args;
    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output == CTL_TABLE) {
        print_history(ctl, &answers);
    } else {
        ctl_print_answers(ctl, &answers);
    }
    ctl_answers_done(&answers);
    return CTL_DONE;
}

/* --- diff ----------------------------------------------------------------------------------- */

static int get_document(const struct ctl *ctl, const char *tenant, const char *generation,
                        struct ctl_answer *ret_answer)
{
    char *topology = ctl_target(tenant, "/topology", NULL);
    char *target = ctl_printf("%s?generation=%s", topology, generation);
    struct ctl_request request = {.method = "GET", .target = target, .timeout_ms = ctl->timeout_ms};
    int status = ctl_call(ctl, &request, NULL, ret_answer);

    free(topology);
    free(target);
    return status;
}

static void print_line(char mark, const char *line, size_t len, void *aux)
{
    const struct ctl *ctl = aux;
    enum ctl_style style = mark == '+' ? CTL_GOOD : mark == '-' ? CTL_BAD : CTL_PLAIN;
    struct ctl_buffer text = {0};
    char *copy = ctl_printf("%.*s", (int)len, line);
    struct ctl_buffer safe = {0};

    ctl_add_safe(&safe, copy);
    ctl_buffer_printf(&text, "%s%c%s%s", ctl_style_code(style, ctl->colour), mark,
                      ctl_buffer_string(&safe), ctl_style_code(CTL_PLAIN, ctl->colour));
    puts(text.data);
    ctl_buffer_done(&text);
    ctl_buffer_done(&safe);
    free(copy);
}

static void add_line(char mark, const char *line, size_t len, void *aux)
{
    ctl_buffer_printf(aux, "%c%.*s\n", mark, (int)len, line);
}

static void print_diff(const struct ctl *ctl, const char *tenant, char **args,
                       const struct ctl_answer *old, const struct ctl_answer *new)
{
    const char *before = ctl_buffer_string(&old->body), *after = ctl_buffer_string(&new->body);
    struct ctl_buffer text = {0};
    cJSON *json;

    if (ctl->output == CTL_TABLE) {
        ctl_lines_diff(before, after, print_line, (void *)ctl);
        return;
    }
    ctl_lines_diff(before, after, add_line, &text);
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "tenant", tenant);
    cJSON_AddNumberToObject(json, "from", strtod(args[0], NULL));
    cJSON_AddNumberToObject(json, "to", strtod(args[1], NULL));
    cJSON_AddStringToObject(json, "diff", ctl_buffer_string(&text));
    ctl_print(ctl, json);
    cJSON_Delete(json);
    ctl_buffer_done(&text);
}

static int diff_of(const struct ctl *ctl, const char *tenant, char **args)
{
    struct ctl_answer old, new;
    int status = get_document(ctl, tenant, args[0], &old);

    if (status != CTL_DONE) {
        return status;
    }
    status = get_document(ctl, tenant, args[1], &new);
    if (status == CTL_DONE) {
        print_diff(ctl, tenant, args, &old, &new);
        ctl_answer_done(&new);
    }
    ctl_answer_done(&old);
    return status;
}

int ctl_diff(const struct ctl *ctl, char **args)
{
    uint64_t number;
    char *tenant;
    int status;

    for (int i = 0; i < 2; i++) {
        if (ctl_parse_number(args[i], &number) || !number) {
            ctl_error("%s is no generation; `routerctl history` lists them", args[i]);
            return CTL_USAGE;
        }
    }
    status = ctl_one_tenant(ctl, &tenant);
    if (status == CTL_DONE) {
        status = diff_of(ctl, tenant, args);
        free(tenant);
    }
    return status;
}
