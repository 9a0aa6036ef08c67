#include "api/outstanding.h"

#include "api/buffer.h"
#include "api/json.h"

enum { OUTSTANDING_MAX = 100 };

struct outstanding {
    cJSON *list;
    const char *network;
};

/* Returns whether the object is not up. `kind` is null for the network itself. */
static bool add_object(struct outstanding *outstanding, const char *kind,
                       const struct object_status *object)
{
    struct buffer path = {0};
    cJSON *item;

    if (object->state == OBJECT_UP) {
        return false;
    }
    if (cJSON_GetArraySize(outstanding->list) >= OUTSTANDING_MAX) {
        return true;
    }
    buffer_printf(&path, "%s", outstanding->network);
    if (kind) {
        buffer_printf(&path, "/%s/%s", kind, object->name);
    }
    item = cJSON_CreateObject();
    json_add_text(item, "object", path.data);
    json_add_text(item, "state", object_state_name(object->state));
    json_add_text(item, "reason", object->reason);
    cJSON_AddItemToArray(outstanding->list, item);
    buffer_done(&path);
    return true;
}

/* The network itself is named only when no part of it explains it. */
static void add_network(cJSON *list, const struct network_status *network)
{
    struct outstanding outstanding = {list, network->object.name};
    bool explained = false;

    for (size_t i = 0; i < network->n_segments; i++) {
        explained |= add_object(&outstanding, "segment", &network->segments[i].object);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        explained |= add_object(&outstanding, "tunnel", &network->tunnels[i].object);
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        explained |= add_object(&outstanding, "peer", &network->peers[i].object);
    }
    if (!explained) {
        add_object(&outstanding, NULL, &network->object);
    }
}

void outstanding_add(cJSON *answer, struct engine *engine, const char *tenant)
{
    cJSON *list = cJSON_AddArrayToObject(answer, "outstanding");
    struct status *status = engine_status(engine);
    const struct tenant_status *found = status ? status_find_tenant(status, tenant) : NULL;

    for (size_t i = 0; found && i < found->n_networks; i++) {
        add_network(list, &found->networks[i]);
    }
    status_unref(status);
}
