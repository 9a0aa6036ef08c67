/* From the services that are wanted and the processes that run to steps. */
#include "dhcp/dhcp_state.h"

#include "backend/siphash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct dhcp_server *dhcp_seen_find(const struct dhcp_seen *seen, const char *key)
{
    for (size_t i = 0; i < seen->n_servers; i++) {
        if (!strcmp(seen->servers[i].key, key)) {
            return &seen->servers[i];
        }
    }
    return NULL;
}

static uint32_t find_index(const struct dhcp_seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->n_links; i++) {
        if (!strcmp(seen->links[i].name, name)) {
            return seen->links[i].index;
        }
    }
    return 0;
}

/* The interface of the segment that has the gateway; 0: it is not there. */
static uint32_t index_of_listen(const struct dhcp_seen *seen, const struct dhcp_service *service,
                                const struct addr *addr)
{
    const struct network *network = service->network;
    char name[IFNAME_TEXT];

    for (size_t i = 0; i < network->n_segments; i++) {
        for (size_t j = 0; j < network->segments[i].n_gateways; j++) {
            if (addr_equal(&network->segments[i].gateways[j].addr, addr)) {
                return find_index(seen, ids_segment_name(network->segments[i].id, name));
            }
        }
    }
    return 0;
}

static bool can_bind(const struct dhcp_seen *seen, uint32_t index, const struct addr *addr)
{
    for (size_t i = 0; index && i < seen->n_addresses; i++) {
        const struct dhcp_address *seen_addr = &seen->addresses[i];

        if (seen_addr->index == index && addr_equal(&seen_addr->addr, addr)) {
            return !seen_addr->tentative;
        }
    }
    return false;
}

/* The first of the router's addresses that the server needs and that is not there; null: all are.
 */
static const struct addr *find_missing(const struct dhcp_seen *seen,
                                       const struct dhcp_service *service, uint32_t index)
{
    const struct segment *segment = service->segment;

    for (size_t i = 0; i < service->n_listens; i++) {
        const struct addr *addr = &service->listens[i];

        if (!can_bind(seen, index_of_listen(seen, service, addr), addr)) {
            return addr;
        }
    }
    for (size_t i = 0; segment && i < segment->n_gateways; i++) {
        if (!can_bind(seen, index, &segment->gateways[i].addr)) {
            return &segment->gateways[i].addr;
        }
    }
    return NULL;
}

static struct dhcp_change *change_new(struct plan *plan, const struct dhcp_seen *seen,
                                      const struct dhcp_service *service)
{
    static const struct siphash_key no_key; /* no secret: it tells texts apart */
    struct dhcp_change *change = arena_alloc(plan->arena, sizeof *change);
    uint32_t index = plan_remakes(plan, service->key) ? 0 : find_index(seen, service->key);
    const struct addr *missing = find_missing(seen, service, index);
    char text[ADDR_TEXT];

    memcpy(change->key, service->key, sizeof change->key);
    snprintf(change->owner, sizeof change->owner, "%s/%s", service->tenant, service->object);
    change->kind = service->kind;
    change->conf =
        arena_printf(plan->arena, "%s# interface number %" PRIu32 "\n", service->conf, index);
    snprintf(change->digest, sizeof change->digest, "%016" PRIx64,
             siphash(&no_key, change->conf, strlen(change->conf)));
    change->index = service->kind == DHCP_NAMES ? index : 0;
    if (!index) {
        change->waits = arena_printf(plan->arena, "interface %s is not there yet", service->key);
    } else if (missing) {
        change->waits =
            arena_printf(plan->arena, "address %s cannot be used yet", addr_print(missing, text));
    }
    return change;
}

static void diff_service(const struct dhcp_service *service, const struct dhcp_seen *seen,
                         struct plan *plan)
{
    const struct dhcp_server *server = dhcp_seen_find(seen, service->key);
    struct dhcp_change *change = change_new(plan, seen, service);
    struct step *step;

    if (server && !strcmp(server->digest, change->digest)) {
        return;
    }
    step = plan_add(plan, "dhcp", PHASE_DHCP_CREATE, server ? STEP_UPDATE : STEP_CREATE,
                    service->tenant, service->object);
    step->data = change;
    step->disruptive = server != NULL;
    step->summary =
        arena_printf(plan->arena, "%s the server of %s",
                     server ? "start anew, with other settings," : "start", service->what);
}

static const struct dhcp_service *find_service(const struct dhcp_wanted *wanted, const char *key)
{
    for (size_t i = 0; i < wanted->n; i++) {
        if (!strcmp(wanted->services[i].key, key)) {
            return &wanted->services[i];
        }
    }
    return NULL;
}

/* Whose it was is in its configuration; of one that has lost it only the folder is known. */
static void stop_server(const struct dhcp_server *server, struct plan *plan)
{
    struct dhcp_change *change = arena_alloc(plan->arena, sizeof *change);
    const char *slash = strchr(server->owner, '/');
    char *tenant =
        arena_memdup(plan->arena, server->owner, slash ? (size_t)(slash - server->owner) : 0);
    struct step *step = plan_add(plan, "dhcp", PHASE_DHCP_DELETE, STEP_DELETE, tenant,
                                 slash ? slash + 1 : server->key);

    memcpy(change->key, server->key, sizeof change->key);
    step->data = change;
    step->summary = arena_printf(plan->arena, "stop the server of %s on %s",
                                 ids_of_vrf(server->key) ? "DNS" : "DHCP", server->key);
}

void dhcp_diff(const struct dhcp_wanted *wanted, const struct dhcp_seen *seen, struct plan *plan)
{
    for (size_t i = 0; i < seen->n_servers; i++) {
        if (!find_service(wanted, seen->servers[i].key)) {
            stop_server(&seen->servers[i], plan);
        }
    }
    for (size_t i = 0; i < wanted->n; i++) {
        diff_service(&wanted->services[i], seen, plan);
    }
}
