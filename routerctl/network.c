/* `network`, `segments`, `tunnels`, `peers` and `routes`: what a network is made of. */
#include "routerctl/ctl.h"
#include "routerctl/objects.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- all of a kind -------------------------------------------------------------------------- */

static int print_kind(const struct ctl *ctl, const struct ctl_kind *kind)
{
    struct ctl_answers statuses;
    int status = ctl_gather(ctl, "/status", NULL, NULL, &statuses);

    if (status == CTL_DONE) {
        ctl_kind_print_all(ctl, kind, &statuses);
        ctl_answers_done(&statuses);
    }
    return status;
}

int ctl_segments(const struct ctl *ctl, char **args)
{
    (void)args;
    return print_kind(ctl, &ctl_kind_segment);
}

int ctl_tunnels(const struct ctl *ctl, char **args)
{
    (void)args;
    return print_kind(ctl, &ctl_kind_tunnel);
}

int ctl_peers(const struct ctl *ctl, char **args)
{
    (void)args;
    return print_kind(ctl, &ctl_kind_peer);
}

/* --- one network ---------------------------------------------------------------------------- */

static void print_state(const struct ctl *ctl, const cJSON *network)
{
    const char *state = ctl_json_text(network, "state"), *reason = ctl_json_text(network, "reason");
    bool up = !strcmp(state, "up");
    char age[CTL_SHORT] = "";
    int64_t since;

    if (up && !ctl_parse_time(ctl_json_text(network, "since"), &since)) {
        ctl_print_age((int64_t)time(NULL) - since, age);
    }
    fputs(ctl_style_code(CTL_BOLD, ctl->colour), stdout);
    ctl_say(stdout, "network %s of tenant %s", ctl_json_text(network, "name"),
            ctl_json_text(network, "tenant"));
    fputs(ctl_style_code(up ? CTL_GOOD : CTL_BAD, ctl->colour), stdout);
    ctl_say(stdout, "  %s%s%s%s%s", state, *age ? " for " : "", age, *reason ? ": " : "", reason);
    fputs(ctl_style_code(CTL_PLAIN, ctl->colour), stdout);
    ctl_say(stdout, "  VRF %s, table %.0f", ctl_json_text(network, "vrf"),
            ctl_json_number(network, "table"));
}

static void print_egress(const struct ctl *ctl, const cJSON *network)
{
    const cJSON *egress = cJSON_GetObjectItemCaseSensitive(network, "egress");
    const char *state, *reason, *address;
    bool up;

    if (!egress) {
        return;
    }
    state = ctl_json_text(egress, "state");
    reason = ctl_json_text(egress, "reason");
    address = ctl_json_text(egress, "address");
    up = !strcmp(state, "up");
    ctl_say(stdout, "egress by uplink %s (%s)%s%s", ctl_json_text(egress, "uplink"),
            ctl_json_text(egress, "interface"), *address ? " as " : "", address);
    fputs(ctl_style_code(up ? CTL_GOOD : CTL_BAD, ctl->colour), stdout);
    ctl_say(stdout, "  %s%s%s", state, *reason ? ": " : "", reason);
    fputs(ctl_style_code(CTL_PLAIN, ctl->colour), stdout);
}

static void print_network(const struct ctl *ctl, const cJSON *network)
{
    const struct ctl_kind *const kinds[] = {&ctl_kind_segment, &ctl_kind_tunnel, &ctl_kind_peer};

    print_state(ctl, network);
    print_egress(ctl, network);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ctl_kind_any(kinds[i], network)) {
            puts("");
            ctl_kind_print(ctl, kinds[i], network);
        }
    }
}

int ctl_network(const struct ctl *ctl, char **args)
{
    struct ctl_answers answers;
    const cJSON *network;
    int status;

    if (!args[0]) {
        return print_kind(ctl, &ctl_kind_network);
    }
    status = ctl_gather(ctl, "/networks/%s", "network", args[0], &answers);
    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output != CTL_TABLE) {
        ctl_print_answers(ctl, &answers);
    } else {
        cJSON_ArrayForEach(network, answers.list) {
            fputs(network == answers.list->child ? "" : "\n", stdout);
            print_network(ctl, network);
        }
    }
    ctl_answers_done(&answers);
    return CTL_DONE;
}

/* --- routes --------------------------------------------------------------------------------- */

static void fill_routes(struct ctl_table *table, const cJSON *answer, bool several)
{
    const cJSON *route;

    cJSON_ArrayForEach(route, ctl_json_list(answer, "routes")) {
        bool selected = ctl_json_bool(route, "selected");

        ctl_table_cell(table, several ? ctl_json_text(answer, "tenant") : "");
        ctl_table_cell_styled(table, ctl_json_text(route, "prefix"),
                              selected ? CTL_PLAIN : CTL_FAINT);
        ctl_table_cell(table, ctl_json_text(route, "via"));
        ctl_table_cell(table, ctl_json_text(route, "interface"));
        ctl_table_cell(table, ctl_json_text(route, "protocol"));
        ctl_table_cell(table, selected ? "yes" : "no");
    }
}

static void print_routes(const struct ctl *ctl, const struct ctl_answers *answers)
{
    static const struct ctl_column columns[] = {
        {"TENANT", CTL_OPTIONAL}, {"PREFIX", CTL_LEFT},   {"VIA", CTL_LEFT},
        {"INTERFACE", CTL_LEFT},  {"PROTOCOL", CTL_LEFT}, {"SELECTED", CTL_LEFT},
    };
    struct ctl_table *table = ctl_table_new(columns, sizeof columns / sizeof *columns);
    const cJSON *answer;

    cJSON_ArrayForEach(answer, answers->list) {
        fill_routes(table, answer, answers->several);
    }
    ctl_table_print(table, stdout, ctl->colour);
    ctl_table_free(table);
}

int ctl_routes(const struct ctl *ctl, char **args)
{
    struct ctl_answers answers;
    int status = ctl_gather(ctl, "/networks/%s/routes", "network", args[0], &answers);

    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output == CTL_TABLE) {
        print_routes(ctl, &answers);
    } else {
        ctl_print_answers(ctl, &answers);
    }
    ctl_answers_done(&answers);
    return CTL_DONE;
}
