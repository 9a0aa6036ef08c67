/* routerctl: from the command line to a command. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"
#include "routerctl/usage.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT_MS = 60000,
    WAIT_MAX_S = 3600,
    CONFIRM_MAX_S = 86400,
    TIMEOUT_MAX_S = 86400
};

/* The command line as far as it is understood. */
struct line {
    struct ctl ctl;
    bool help, version;
    char *wrong; /* what the first wrong option is; heap */
    int status;  /* not CTL_DONE: what is wrong has been said */
};

/* --- options -------------------------------------------------------------------------------- */

enum {
    OPT_TIMEOUT = 256,
    OPT_VERSION,
    OPT_WAIT,
    OPT_IF_MATCH,
    OPT_DRY_RUN,
    OPT_CONFIRM,
    OPT_POOL,
    OPT_ADDRESS,
    OPT_MAC,
    OPT_SINCE,
    OPT_DOT,
    OPT_LABEL
};

static void refuse_value(struct line *line, const char *option, const char *value,
                         const char *wanted)
{
    ctl_error("%s %s: must be %s", option, value, wanted);
    line->status = CTL_USAGE;
}

static void take_output(struct line *line, const char *value)
{
    static const char *const names[] = {
        [CTL_TABLE] = "table", [CTL_JSON] = "json", [CTL_YAML] = "yaml"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(names[i], value)) {
            line->ctl.output = (enum ctl_output)i;
            return;
        }
    }
    refuse_value(line, "-o", value, "table, json or yaml");
}

static void take_wait(struct line *line, const char *value)
{
    if (ctl_parse_duration(value, &line->ctl.wait_s) || line->ctl.wait_s < 1 ||
        line->ctl.wait_s > WAIT_MAX_S) {
        refuse_value(line, "--wait", value, "a duration such as 30s or 5m, at most 1h");
    }
    line->ctl.given |= CTL_OPTION_WAIT;
}

static void take_confirm(struct line *line, const char *value)
{
    if (ctl_parse_duration(value, &line->ctl.confirm_s) || line->ctl.confirm_s < 1 ||
        line->ctl.confirm_s > CONFIRM_MAX_S) {
        refuse_value(line, "--confirm", value, "a duration such as 5m or 1h, at most 1d");
    }
    line->ctl.given |= CTL_OPTION_CONFIRM;
}

static void take_since(struct line *line, const char *value)
{
    if (ctl_parse_number(value, &line->ctl.since)) {
        refuse_value(line, "--since", value, "the id of an event");
    }
    line->ctl.given |= CTL_OPTION_SINCE;
}

static void take_timeout(struct line *line, const char *value)
{
    int64_t seconds = 0;

    if (ctl_parse_duration(value, &seconds) || seconds < 1 || seconds > TIMEOUT_MAX_S) {
        refuse_value(line, "--timeout", value, "a duration such as 30s or 5m, at most 1d");
    }
    line->ctl.timeout_ms = seconds * 1000;
}

static void take_if_match(struct line *line, const char *value)
{
    uint64_t generation;

    if (strcmp(value, "*") != 0 && ctl_parse_number(value, &generation)) {
        refuse_value(line, "--if-match", value, "a generation's number, or * for any at all");
    }
    line->ctl.if_match = value;
    line->ctl.given |= CTL_OPTION_IF_MATCH;
}

static void take_address(struct line *line, const char *value)
{
    if (line->ctl.n_addresses == CTL_ADDRESSES) {
        ctl_error("--address %s: a node has at most one address of each family", value);
        line->status = CTL_USAGE;
        return;
    }
    line->ctl.addresses[line->ctl.n_addresses++] = value;
    line->ctl.given |= CTL_OPTION_ADDRESS;
}

static void take_label(struct line *line, const char *value)
{
    if (line->ctl.n_labels == CTL_LABELS || *value == '=' || !strchr(value, '=')) {
        refuse_value(line, "--label", value, "NAME=VALUE, at most 64 times");
        return;
    }
    line->ctl.labels[line->ctl.n_labels++] = value;
    line->ctl.given |= CTL_OPTION_LABEL;
}

static void take_option(struct line *line, int option, const char *value)
{
    switch (option) {
    case 's': line->ctl.socket = value; break;
    case 't': line->ctl.tenant = value; break;
    case 'o': take_output(line, value); break;
    case 'h': line->help = true; break;
    case 'y': line->ctl.given |= CTL_OPTION_YES; break;
    case OPT_TIMEOUT: take_timeout(line, value); break;
    case OPT_VERSION: line->version = true; break;
    case OPT_WAIT: take_wait(line, value); break;
    case OPT_IF_MATCH: take_if_match(line, value); break;
    case OPT_DRY_RUN: line->ctl.given |= CTL_OPTION_DRY_RUN; break;
    case OPT_POOL:
        line->ctl.pool = value;
        line->ctl.given |= CTL_OPTION_POOL;
        break;
    case OPT_MAC:
        line->ctl.mac = value;
        line->ctl.given |= CTL_OPTION_MAC;
        break;
    case OPT_ADDRESS: take_address(line, value); break;
    case OPT_LABEL: take_label(line, value); break;
    case OPT_CONFIRM: take_confirm(line, value); break;
    case 'f': line->ctl.given |= CTL_OPTION_FOLLOW; break;
    case OPT_SINCE: take_since(line, value); break;
    case OPT_DOT: line->ctl.given |= CTL_OPTION_DOT; break;
    default: break;
    }
}

/* `option` is what getopt_long() returned for the last word it looked at. */
static void note_wrong(struct line *line, int option, const char *word)
{
    const char *what = option == ':' ? "this option needs a value:" : "there is no option";

    if (line->wrong) {
        return;
    }
    line->wrong = optopt > 0 && optopt < 256 ? ctl_printf("%s -%c", what, optopt)
                                             : ctl_printf("%s %s", what, word);
}

/* Options may stand anywhere; what is left of argv from optind on is the command and its arguments.
 * What is wrong with an option is kept for when the command is known. */
static void take_options(struct line *line, int argc, char **argv)
{
    static const struct option longs[] = {
        {"socket", required_argument, NULL, 's'},
        {"tenant", required_argument, NULL, 't'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"version", no_argument, NULL, OPT_VERSION},
        {"wait", required_argument, NULL, OPT_WAIT},
        {"if-match", required_argument, NULL, OPT_IF_MATCH},
        {"yes", no_argument, NULL, 'y'},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"confirm", required_argument, NULL, OPT_CONFIRM},
        {"pool", required_argument, NULL, OPT_POOL},
        {"address", required_argument, NULL, OPT_ADDRESS},
        {"mac", required_argument, NULL, OPT_MAC},
        {"follow", no_argument, NULL, 'f'},
        {"since", required_argument, NULL, OPT_SINCE},
        {"dot", no_argument, NULL, OPT_DOT},
        {"label", required_argument, NULL, OPT_LABEL},
        {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":s:t:o:hyf", longs, NULL)) != -1) {
        if (option == '?' || option == ':') {
            note_wrong(line, option, argv[optind - 1]);
        } else {
            take_option(line, option, optarg);
        }
    }
}

/* --- running -------------------------------------------------------------------------------- */

static int wrong_usage(const struct ctl_command *command, const char *sentence, const char *word)
{
    ctl_error("%s%s%s", sentence, *word ? " " : "", word);
    if (command) {
        ctl_usage_line(stderr, command);
    } else {
        fputs("usage: routerctl [OPTION...] COMMAND [ARGUMENT...]; see routerctl --help\n", stderr);
    }
    return CTL_USAGE;
}

static int run_command(const struct line *line, const struct ctl_command *command, int n,
                       char **args)
{
    const struct ctl *ctl = &line->ctl;

    if (line->help) {
        ctl_usage_of(stdout, command);
        return CTL_DONE;
    }
    if (line->wrong) {
        return wrong_usage(command, line->wrong, "");
    }
    if (line->status != CTL_DONE) {
        return line->status;
    }
    if (ctl->given & ~command->options) {
        return wrong_usage(command, "an option does not go with", command->name);
    }
    if (n < command->min_args || n > command->max_args) {
        return n < command->min_args
                   ? wrong_usage(command, "an argument is missing", "")
                   : wrong_usage(command, "one argument too many:", args[command->max_args]);
    }
    return command->run(ctl, args);
}

static int run(const struct line *line, int n, char **args)
{
    const struct ctl_command *command = n ? ctl_find_command(args[0]) : NULL;

    if (command) {
        return run_command(line, command, n - 1, args + 1);
    }
    if (line->help) {
        ctl_usage(stdout);
        return CTL_DONE;
    }
    if (line->version && !n) {
        puts("routerctl " ROUTERD_VERSION);
        return CTL_DONE;
    }
    if (line->wrong) {
        return wrong_usage(NULL, line->wrong, "");
    }
    return n ? wrong_usage(NULL, "there is no command", args[0])
             : wrong_usage(NULL, "a command is missing", "");
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool shows_colour(void)
{
    const char *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && !from_environment("NO_COLOR") && terminal &&
           strcmp(terminal, "dumb") != 0;
}

/* All texts are UTF-8; the locale is asked for the width of characters only. */
static void set_characters(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
}

int main(int argc, char **argv)
{
    const char *socket = from_environment("ROUTERD_SOCKET");
    struct line line = {
        .ctl = {.socket = socket ? socket : "/run/routerd/control.sock",
                .tenant = from_environment("ROUTERD_TENANT"),
                .timeout_ms = DEFAULT_TIMEOUT_MS},
    };
    int status;

    set_characters();
    take_options(&line, argc, argv);
    line.ctl.colour = shows_colour();
    line.ctl.progress = line.ctl.output == CTL_TABLE && isatty(STDERR_FILENO);
    status = run(&line, argc - optind, argv + optind);
    free(line.wrong);
    if (fflush(stdout) || ferror(stdout)) {
        ctl_error("standard output: %s", strerror(errno));
        status = status == CTL_DONE ? CTL_FAILED : status;
    }
    return status;
}
