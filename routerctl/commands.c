/* The table of commands. */
#include "routerctl/ctl.h"

#include <limits.h>
#include <string.h>

#define NODES (CTL_OPTION_POOL | CTL_OPTION_ADDRESS | CTL_OPTION_MAC)
#define CHANGES (CTL_OPTION_WAIT | CTL_OPTION_IF_MATCH)

const struct ctl_command ctl_commands[] = {
    {"status", "", "the router and its tenants at a glance, and what is not up", NULL, 0, 0, 0,
     ctl_status},
    {"tenants", "", "the tenants, their generations, and whether they have converged", NULL, 0, 0,
     0, ctl_tenants},
    {"network", "[NAME]", "all networks, or one with everything in it", NULL, 0, 0, 1, ctl_network},
    {"segments", "", "the segments of all networks", NULL, 0, 0, 0, ctl_segments},
    {"tunnels", "", "the IPsec tunnels of all networks", NULL, 0, 0, 0, ctl_tunnels},
    {"peers", "", "the BGP peers of all networks", NULL, 0, 0, 0, ctl_peers},
    {"routes", "NETWORK", "the routes of a network, both families", NULL, 0, 1, 1, ctl_routes},
    {"nodes", "[NETWORK [NAME]]", "the nodes' addresses; nodes add|rm NETWORK NAME... changes them",
     "nodes add NETWORK NAME...   gives each an address, or none of them; a node that has its own\n"
     "                            already keeps it\n"
     "nodes rm NETWORK NAME...    releases them\n",
     NODES, 0, INT_MAX, ctl_nodes},
    {"topology", "[GENERATION]", "the topology as it was pushed, byte for byte", NULL, 0, 0, 1,
     ctl_topology},
    {"check", "FILE", "whether a topology is right; changes nothing",
     "FILE is YAML or JSON, - is standard input. Each fault is told as FILE:LINE:COLUMN: path: "
     "message.\n",
     0, 1, 1, ctl_check},
    {"plan", "FILE", "what applying a topology would do, step by step; changes nothing",
     "FILE is YAML or JSON, - is standard input. Steps marked ! interrupt traffic.\n",
     CTL_OPTION_IF_MATCH, 1, 1, ctl_plan},
    {"apply", "FILE", "make a topology the one in force",
     "FILE is YAML or JSON, - is standard input. Without --wait it is done once the topology is\n"
     "accepted and durable, with it once traffic passes.\n",
     CHANGES | CTL_OPTION_CONFIRM, 1, 1, ctl_apply},
    {"clear", "", "remove every network of a tenant", NULL,
     CHANGES | CTL_OPTION_YES | CTL_OPTION_DRY_RUN, 0, 0, ctl_clear},
    {"version", "", "the version of routerctl and, if it answers, of routerd", NULL, 0, 0, 0,
     ctl_version},
};
const size_t ctl_n_commands = sizeof ctl_commands / sizeof *ctl_commands;

const struct ctl_command *ctl_find_command(const char *name)
{
    for (size_t i = 0; i < ctl_n_commands; i++) {
        if (!strcmp(ctl_commands[i].name, name)) {
            return &ctl_commands[i];
        }
    }
    return NULL;
}

bool ctl_is_to_come(const char *name)
{
    static const char *const names[] = {"confirm", "rollback", "history", "diff",  "events",
                                        "ping",    "trace",    "capture", "graph", "support"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(names[i], name)) {
            return true;
        }
    }
    return false;
}
