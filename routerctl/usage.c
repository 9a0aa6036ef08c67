#include "routerctl/usage.h"

static const struct {
    enum ctl_option option;
    const char *synopsis, *text;
} options[] = {
    {CTL_OPTION_WAIT, "[--wait DURATION]",
     "  --wait DURATION       wait until everything is up, e.g. 30s or 5m, at most 1h;\n"
     "                        exit 1 if it is not by then\n"},
    {CTL_OPTION_IF_MATCH, "[--if-match GENERATION]",
     "  --if-match GENERATION refuse unless this generation is in force (0: none yet)\n"},
    {CTL_OPTION_CONFIRM, "[--confirm DURATION]",
     "  --confirm DURATION    roll it back by itself unless `routerctl confirm` comes in time\n"},
    {CTL_OPTION_FOLLOW, "[-f | --follow]", "  -f, --follow          go on with what happens\n"},
    {CTL_OPTION_SINCE, "[--since ID]", "  --since ID            only what came after this event\n"},
    {CTL_OPTION_DOT, "[--dot]", "  --dot                 as input of dot(1)\n"},
    {CTL_OPTION_DRY_RUN, "[--dry-run]",
     "  --dry-run             show the plan and change nothing\n"},
    {CTL_OPTION_POOL, "[--pool POOL]",
     "  --pool POOL           the pool; to add, needed if the network has several\n"},
    {CTL_OPTION_ADDRESS, "[--address ADDRESS]",
     "  --address ADDRESS     the one to look for, or to ask for (once for each family)\n"},
    {CTL_OPTION_MAC, "[--mac MAC]", "  --mac MAC             the node's MAC address\n"},
    {CTL_OPTION_LABEL, "[--label NAME=VALUE]",
     "  --label NAME=VALUE    to add: a label of the nodes; may be repeated\n"},
    {CTL_OPTION_YES, "[-y | --yes]", "  -y, --yes             do not ask\n"},
};
enum { N_OPTIONS = sizeof options / sizeof *options };

static void common_options(FILE *file)
{
    fputs("  -t, --tenant TENANT   the tenant (ROUTERD_TENANT); default: the only one, or, to\n"
          "                        look at, all of them\n"
          "  -o, --output FORMAT   table, json or yaml\n"
          "  -s, --socket SOCKET   routerd's control socket (ROUTERD_SOCKET; default\n"
          "                        /run/routerd/control.sock)\n"
          "  --timeout DURATION    how long to wait for an answer (60s)\n"
          "  -h, --help            this, or a command's own\n",
          file);
}

void ctl_usage(FILE *file)
{
    fputs("usage: routerctl [OPTION...] COMMAND [ARGUMENT...]\n\ncommands:\n", file);
    for (size_t i = 0; i < ctl_n_commands; i++) {
        fprintf(file, "  %-8s %-16s  %s\n", ctl_commands[i].name, ctl_commands[i].arguments,
                ctl_commands[i].summary);
    }
    fputs("\noptions:\n", file);
    common_options(file);
    fputs("\nexit status: 0 done, 1 refused or failed, 2 usage, 3 routerd cannot be reached.\n"
          "routerctl(1) says more, and `routerctl COMMAND --help`.\n",
          file);
}

void ctl_usage_line(FILE *file, const struct ctl_command *command)
{
    fprintf(file, "usage: routerctl [OPTION...] %s", command->name);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (command->options & options[i].option) {
            fprintf(file, " %s", options[i].synopsis);
        }
    }
    fprintf(file, "%s%s\n", *command->arguments ? " " : "", command->arguments);
}

void ctl_usage_of(FILE *file, const struct ctl_command *command)
{
    ctl_usage_line(file, command);
    fprintf(file, "\n%s: %s\n", command->name, command->summary);
    if (command->help) {
        fprintf(file, "%s", command->help);
    }
    fputs("\noptions:\n", file);
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (command->options & options[i].option) {
            fputs(options[i].text, file);
        }
    }
    common_options(file);
}
