#include "dhcp/dhcp_io.h"

#include "model/services.h"

static void vote(const struct dhcp *dhcp, struct status *status, struct object_status *object,
                 const char *key, const char *what)
{
    const struct process *process = dhcp_process_find(dhcp, key);

    if (!process) {
        status_vote(status, object, OBJECT_DOWN, "the server of %s on %s does not run", what, key);
    } else if (process->state != PROCESS_RUNNING) {
        status_vote(status, object, OBJECT_PENDING, "the server of %s on %s is being started", what,
                    key);
    } else if (process->problem[0]) {
        status_vote(status, object, OBJECT_ERROR, "%s", process->problem);
    }
}

static void vote_network(const struct dhcp *dhcp, struct status *status,
                         struct network_status *network)
{
    bool names = false;
    char key[IFNAME_TEXT];

    for (size_t i = 0; i < network->network->n_segments; i++) {
        const struct segment *segment = &network->network->segments[i];
        struct segment_services services = segment_services(network->network, segment);

        names |= services.dns;
        if (services.dhcp4 || services.dhcp6 || services.advertisements) {
            vote(dhcp, status, &network->segments[i].object, ids_segment_name(segment->id, key),
                 services.dhcp4 || services.dhcp6 ? "DHCP" : "router advertisements");
        }
    }
    if (names) {
        vote(dhcp, status, &network->object, ids_vrf_name(network->network->id, key), "DNS");
    }
}

void dhcp_status(const struct dhcp *dhcp, struct status *status)
{
    struct status_cursor cursor = {0};
    struct network_status *network;

    while ((network = status_next(status, &cursor))) {
        vote_network(dhcp, status, network);
    }
}
