#include "model/services.h"

struct segment_services segment_services(const struct network *network,
                                         const struct segment *segment)
{
    struct segment_services services = {.advertisements = segment->advertises};

    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];

        if (pool->segment != segment) {
            continue;
        }
        services.dhcp4 |= pool->serves_dhcp && pool_find_family(pool, AF_INET);
        services.dhcp6 |= pool->serves_dhcp && pool_find_family(pool, AF_INET6);
        services.dns |= pool->serves_dns;
        services.probe |= pool->probes;
    }
    return services;
}
