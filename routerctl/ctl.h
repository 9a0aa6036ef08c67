/* ctl.h - what every command stands on: what was said on the command line, asking routerd, and
 * telling people and programs what it answered.
 *
 * A command is a row of the table in commands.c and a function that returns the exit status. The
 * functions here that return one have already said why when it is not CTL_DONE. */
#ifndef ROUTERCTL_CTL_H
#define ROUTERCTL_CTL_H

#include "routerctl/client.h"
#include "routerctl/json.h"
#include "routerctl/table.h"

enum ctl_exit { CTL_DONE, CTL_FAILED, CTL_USAGE, CTL_UNREACHABLE };

enum ctl_output { CTL_TABLE, CTL_JSON, CTL_YAML };

/* The options that only some commands take. */
enum ctl_option {
    CTL_OPTION_WAIT = 1 << 0,
    CTL_OPTION_IF_MATCH = 1 << 1,
    CTL_OPTION_YES = 1 << 2,
    CTL_OPTION_DRY_RUN = 1 << 3,
    CTL_OPTION_CONFIRM = 1 << 4,
    CTL_OPTION_POOL = 1 << 5,
    CTL_OPTION_ADDRESS = 1 << 6,
    CTL_OPTION_MAC = 1 << 7,
    CTL_OPTION_FOLLOW = 1 << 8,
    CTL_OPTION_SINCE = 1 << 9,
    CTL_OPTION_DOT = 1 << 10,
    CTL_OPTION_LABEL = 1 << 11,
};

enum { CTL_ADDRESSES = 2 /* one of each family */, CTL_LABELS = 64 };

/* The command line. */
struct ctl {
    const char *socket;
    const char *tenant; /* null: none was named */
    enum ctl_output output;
    bool colour;   /* standard output is a terminal that shows it */
    bool progress; /* standard error is a terminal, and people are looking */
    int64_t timeout_ms;
    unsigned int given; /* set of enum ctl_option */
    int64_t wait_s, confirm_s;
    uint64_t since; /* the id of an event */
    const char *if_match;
    const char *pool, *mac; /* null: none was named */
    const char *addresses[CTL_ADDRESSES];
    size_t n_addresses;
    const char *labels[CTL_LABELS]; /* "NAME=VALUE" each */
    size_t n_labels;
};

struct ctl_command {
    const char *name, *arguments, *summary;
    const char *help;     /* the rest of `--help`; null: none */
    unsigned int options; /* those it takes, a set of enum ctl_option */
    int min_args, max_args;
    int (*run)(const struct ctl *ctl, char **args); /* args end with a null */
};

/* Says "routerctl: ..." on standard error. */
void ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- asking --------------------------------------------------------------------------------- */

/* Sends a request; the answer is a success, which the caller gives to ctl_answer_done(), or it has
 * been told. `file` is what the request's body is called in errors; null without one. */
int ctl_call(const struct ctl *ctl, const struct ctl_request *request, const char *file,
             struct ctl_answer *ret_answer);
/* GET of a target; the caller frees the JSON. */
int ctl_get(const struct ctl *ctl, const char *target, cJSON **ret_json);
/* The same, quiet: null when it cannot be had within the time. */
cJSON *ctl_try_get(const struct ctl *ctl, const char *target, int64_t timeout_ms);
/* The JSON of an answer, for the caller to free. */
int ctl_answer_json(const struct ctl *ctl, const struct ctl_answer *answer, cJSON **ret_json);

/* "/v1/tenants/TENANT" and the rest, in which %s is a name; heap. */
char *ctl_target(const char *tenant, const char *rest, const char *name);

/* The tenant that a change is for: the named one, or the only one. Heap. */
int ctl_one_tenant(const struct ctl *ctl, char **ret_tenant);

/* What routerd says of a tenant, or of all of them. */
struct ctl_answers {
    cJSON *list;  /* of the answers, each with its `tenant` */
    bool several; /* more than one tenant was asked for */
};

/* GETs ctl_target(T, rest, name) for the named tenant, or all. With `name`, which is that of a
 * `what`
 * ("network"), those of several tenants that have none of it are left out. */
int ctl_gather(const struct ctl *ctl, const char *rest, const char *what, const char *name,
               struct ctl_answers *ret_answers);
void ctl_answers_done(struct ctl_answers *answers);

/* --- telling -------------------------------------------------------------------------------- */

/* Prints JSON as `-o` says, which must not be CTL_TABLE. */
void ctl_print(const struct ctl *ctl, const cJSON *json);
/* The same for gathered answers: one tenant's as it is, several as a list. */
void ctl_print_answers(const struct ctl *ctl, const struct ctl_answers *answers);
/* Prints a line of text that holds names or sentences of routerd's. */
void ctl_say(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Cells that several tables have. */
void ctl_cell_state(struct ctl_table *table, const cJSON *object);
void ctl_cell_since(struct ctl_table *table, const cJSON *object);

/* --- commands.c ----------------------------------------------------------------------------- */

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;
const struct ctl_command *ctl_find_command(const char *name);

int ctl_status(const struct ctl *ctl, char **args);
int ctl_tenants(const struct ctl *ctl, char **args);
int ctl_network(const struct ctl *ctl, char **args);
int ctl_segments(const struct ctl *ctl, char **args);
int ctl_tunnels(const struct ctl *ctl, char **args);
int ctl_peers(const struct ctl *ctl, char **args);
int ctl_routes(const struct ctl *ctl, char **args);
int ctl_nodes(const struct ctl *ctl, char **args);
int ctl_topology(const struct ctl *ctl, char **args);
int ctl_check(const struct ctl *ctl, char **args);
int ctl_plan(const struct ctl *ctl, char **args);
int ctl_apply(const struct ctl *ctl, char **args);
int ctl_clear(const struct ctl *ctl, char **args);
int ctl_confirm(const struct ctl *ctl, char **args);
int ctl_rollback(const struct ctl *ctl, char **args);
int ctl_history(const struct ctl *ctl, char **args);
int ctl_diff(const struct ctl *ctl, char **args);
int ctl_events(const struct ctl *ctl, char **args);
int ctl_ping(const struct ctl *ctl, char **args);
int ctl_trace(const struct ctl *ctl, char **args);
int ctl_capture(const struct ctl *ctl, char **args);
int ctl_graph(const struct ctl *ctl, char **args);
int ctl_support(const struct ctl *ctl, char **args);
int ctl_version(const struct ctl *ctl, char **args);

#endif
