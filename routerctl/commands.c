/* The table of commands. */
#include "routerctl/ctl.h"

#include <limits.h>
#include <string.h>

#define NODES (CTL_OPTION_POOL | CTL_OPTION_ADDRESS | CTL_OPTION_MAC | CTL_OPTION_LABEL)
#define CHANGES (CTL_OPTION_WAIT | CTL_OPTION_IF_MATCH | CTL_OPTION_CONFIRM)

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
     CHANGES, 1, 1, ctl_apply},
    {"clear", "", "remove every network of a tenant", NULL,
     CHANGES | CTL_OPTION_YES | CTL_OPTION_DRY_RUN, 0, 0, ctl_clear},
    {"confirm", "", "keep a topology that was applied with --confirm", NULL, CTL_OPTION_IF_MATCH, 0,
     0, ctl_confirm},
    {"rollback", "[GENERATION]", "make the topology of an earlier generation the one in force",
     "Without a generation: the one before, or where an unconfirmed one came from.\n",
     CHANGES | CTL_OPTION_DRY_RUN, 0, 1, ctl_rollback},
    {"history", "", "the generations that are kept, newest first", NULL, 0, 0, 0, ctl_history},
    {"diff", "FROM TO", "how the topologies of two generations differ, line by line", NULL, 0, 2, 2,
     ctl_diff},
    {"events", "", "what has happened, oldest first; of all tenants unless one is named",
     "With -f the last ten and what happens from now on.\n", CTL_OPTION_FOLLOW | CTL_OPTION_SINCE,
     0, 0, ctl_events},
    {"ping", "NETWORK HOST [ARG...]", "ping(8) within a network, on the router, as root",
     "What follows the host goes to ping; write -- before what begins with a dash.\n", 0, 2,
     INT_MAX, ctl_ping},
    {"trace", "NETWORK HOST [ARG...]", "traceroute(8) within a network, on the router, as root",
     "What follows the host goes to traceroute; write -- before what begins with a dash.\n", 0, 2,
     INT_MAX, ctl_trace},
    {"capture", "OBJECT [ARG...]", "tcpdump(8) on a network, segment or tunnel, as root",
     "OBJECT is NETWORK, or NETWORK/NAME, or the NAME of a segment or tunnel if it is the only one.\n"
     "What follows goes to tcpdump; write -- before what begins with a dash.\n",
     0, 1, INT_MAX, ctl_capture},
    {"graph", "[NETWORK]",
     "networks with their segments, tunnels and peers as a tree, or for dot(1)", NULL,
     CTL_OPTION_DOT, 0, 1, ctl_graph},
    {"support", "[FILE]", "all that routerd tells, in a file for whoever helps; without secrets",
     "FILE is routerd-support-TIME.json unless named; - is standard output.\n", 0, 0, 1,
     ctl_support},
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
