/* Any bytes: a configuration that is accepted is complete, one that is not has faults with places.
 */
#include "model/config.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const struct config *config)
{
    assert(config->router_name && config->router_id.family == AF_INET);
    assert(config->socket_path[0] == '/' && config->socket_mode <= 0777);
    for (size_t i = 0; i < config->n_uplinks; i++) {
        const struct config_uplink *uplink = &config->uplinks[i];
        assert(strlen(uplink->interface) < 16 && uplink->mtu >= 1280);
        assert((uplink->type == UPLINK_TRUNK) == (uplink->bridge != NULL));
        assert(config_find_uplink(config, uplink->name) == uplink);
    }
    for (size_t i = 0; i < config->n_tenants; i++)
        for (size_t k = 0; k < config->tenants[i].n_vlans; k++)
            assert(config_find_uplink(config, config->tenants[i].vlans[k].uplink));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errors *errors = errors_new();
    struct config *config = config_parse((const char *)data, size, errors);
    assert((config != NULL) == (errors_count(errors) == 0));
    if (config)
        check_config(config);
    config_free(config);
    errors_free(errors);
    return 0;
}
