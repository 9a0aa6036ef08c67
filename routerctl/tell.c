/* Telling people and programs, for commands. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void say(FILE *file, const char *prefix, const char *format, va_list args)
{
    char *text = ctl_vprintf(format, args);
    struct ctl_buffer safe = {0};

    ctl_add_safe(&safe, text);
    fprintf(file, "%s%s\n", prefix, ctl_buffer_string(&safe));
    ctl_buffer_done(&safe);
    free(text);
}

void ctl_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(stderr, "routerctl: ", format, args);
    va_end(args);
}

void ctl_say(FILE *file, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(file, "", format, args);
    va_end(args);
}

void ctl_print(const struct ctl *ctl, const cJSON *json)
{
    struct ctl_buffer text = {0};

    (ctl->output == CTL_YAML ? ctl_yaml_print : ctl_json_print)(&text, json);
    fwrite(ctl_buffer_string(&text), 1, text.len, stdout);
    ctl_buffer_done(&text);
}

void ctl_print_answers(const struct ctl *ctl, const struct ctl_answers *answers)
{
    ctl_print(ctl, answers->several ? answers->list : answers->list->child);
}

void ctl_cell_state(struct ctl_table *table, const cJSON *object)
{
    const char *state = ctl_json_text(object, "state");
    enum ctl_style style = !strcmp(state, "up")                                      ? CTL_GOOD
                           : !strcmp(state, "pending") || !strcmp(state, "removing") ? CTL_BUSY
                                                                                     : CTL_BAD;

    ctl_table_cell_styled(table, state, style);
}

void ctl_cell_since(struct ctl_table *table, const cJSON *object)
{
    const char *since = ctl_json_text(object, "since");
    char text[CTL_SHORT] = "";
    int64_t then;

    if (!ctl_parse_time(since, &then)) {
        ctl_print_age((int64_t)time(NULL) - then, text);
    }
    ctl_table_cell(table, text);
}
