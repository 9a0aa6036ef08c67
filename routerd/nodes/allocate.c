#include "nodes/allocate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- the pool ------------------------------------------------------------------------------- */

/* The place of what is wrong with the request, or of the request. */
static const struct doc *want_at(const struct node_want *want, const char *key)
{
    const struct doc *doc = doc_get(want->doc, key);

    return doc ? doc : want->doc;
}

static const struct pool *pool_of_address(const struct network *network, const struct addr *addr)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool_family *family = pool_find_family(&network->pools[i], addr->family);

        if (family && prefix_contains(&family->prefix, addr)) {
            return &network->pools[i];
        }
    }
    return NULL;
}

/* The one that is named, or the only one, or the one that the address is of. Null after reporting.
 */
static const struct pool *find_pool(const struct network *network, const struct node_want *want,
                                    struct errors *errors)
{
    const struct pool *pool = NULL;

    if (want->pool) {
        pool = network_find_pool(network, want->pool);
        if (!pool) {
            doc_error(want_at(want, "pool"), errors, "there is no pool `%s` in network %s",
                      want->pool, network->name);
        }
        return pool;
    }
    if (network->n_pools == 1) {
        return &network->pools[0];
    }
    for (int i = 0; i < 2 && !pool; i++) {
        pool = want->addresses[i].family ? pool_of_address(network, &want->addresses[i]) : NULL;
    }
    if (!pool) {
        doc_error(want->doc, errors,
                  network->n_pools ? "`pool` is missing: network %s has several"
                                   : "network %s has no pool",
                  network->name);
    }
    return pool;
}

/* Whether the addresses asked for are the pool's to give; reports it otherwise. */
static bool check_addresses(const struct node_want *want, const struct pool *pool,
                            struct errors *errors)
{
    char text[ADDR_TEXT], prefix[PREFIX_TEXT];
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        const struct addr *addr = &want->addresses[i];
        const struct pool_family *family =
            addr->family ? pool_find_family(pool, addr->family) : NULL;

        if (!addr->family || (family && pool_family_has(family, addr))) {
            continue;
        }
        ok = false;
        if (!family) {
            doc_error(want_at(want, "address"), errors, "pool %s has no %s addresses", pool->name,
                      addr->family == AF_INET ? "IPv4" : "IPv6");
        } else if (prefix_contains(&family->prefix, addr)) {
            doc_error(want_at(want, "address"), errors, "%s is never given out by pool %s",
                      addr_print(addr, text), pool->name);
        } else {
            doc_error(want_at(want, "address"), errors, "%s is not in pool %s, %s",
                      addr_print(addr, text), pool->name, prefix_print(&family->prefix, prefix));
        }
    }
    return ok;
}

/* --- the same again ------------------------------------------------------------------------- */

static enum allocation conflict_again(const struct node_want *want, const char *what,
                                      const char *has, char *ret_detail)
{
    snprintf(ret_detail, ALLOCATION_DETAIL, "node %s is there already, with another %s%s%s",
             want->name, what, has ? ": " : "", has ? has : "");
    return ALLOCATION_CONFLICT;
}

/* The name is there: what the request says of it must be so. */
static enum allocation again(const struct nodes *nodes, const struct node_want *want, uint32_t id,
                             char *ret_detail)
{
    struct node node = nodes_get(nodes, id);
    char text[ADDR_TEXT];

    if (want->pool && strcmp(want->pool, node.pool) != 0) {
        return conflict_again(want, "pool", node.pool, ret_detail);
    }
    for (int i = 0; i < 2; i++) {
        if (want->addresses[i].family && !addr_equal(&want->addresses[i], &node.addresses[i])) {
            const struct addr *has = &node.addresses[node.addresses[i].family ? i : !i];

            return conflict_again(want, "address", addr_print(has, text), ret_detail);
        }
    }
    if (want->has_mac && (!node.has_mac || memcmp(want->mac, node.mac, MAC_BYTES) != 0)) {
        return conflict_again(want, "MAC", node.has_mac ? mac_print(node.mac, text) : "none",
                              ret_detail);
    }
    if (want->labels && (!node.labels || strcmp(want->labels, node.labels) != 0)) {
        return conflict_again(want, "set of labels", NULL, ret_detail);
    }
    return ALLOCATED_BEFORE;
}

/* --- new ones ------------------------------------------------------------------------------- */

/* What is in the way of an address or a MAC that was asked for. */
static bool conflicts(const struct nodes *nodes, const struct node_want *want, char *ret_detail)
{
    char text[ADDR_TEXT];
    uint32_t id;

    for (int i = 0; i < 2; i++) {
        enum address_use use = want->addresses[i].family
                                   ? nodes_find_address(nodes, &want->addresses[i], &id)
                                   : ADDRESS_FREE;

        if (use == ADDRESS_NODE) {
            snprintf(ret_detail, ALLOCATION_DETAIL, "address %s is taken by node %s",
                     addr_print(&want->addresses[i], text), nodes_get(nodes, id).name);
            return true;
        }
        if (use == ADDRESS_QUARANTINED) {
            snprintf(ret_detail, ALLOCATION_DETAIL,
                     "address %s was released a moment ago and is in quarantine",
                     addr_print(&want->addresses[i], text));
            return true;
        }
    }
    id = want->has_mac ? nodes_find_mac(nodes, want->mac) : (uint32_t)NODE_NONE;
    if (id != NODE_NONE) {
        snprintf(ret_detail, ALLOCATION_DETAIL, "MAC %s is that of node %s",
                 mac_print(want->mac, text), nodes_get(nodes, id).name);
        return true;
    }
    return false;
}

/* The first free one that is not to be avoided. */
static bool choose_address(const struct nodes *nodes, const struct pool *pool,
                           const struct pool_family *family, const struct allocation_avoid *avoid,
                           struct addr *ret_addr)
{
    struct addr addr;

    if (!avoid) {
        return nodes_first_free(nodes, family->usable, family->n_usable, ret_addr);
    }
    for (size_t i = 0; i < family->n_usable; i++) {
        struct addr_range rest = family->usable[i];

        while (nodes_first_free(nodes, &rest, 1, &addr)) {
            if (!avoid->avoid(pool, &addr, avoid->aux)) {
                *ret_addr = addr;
                return true;
            }
            if (addr_equal(&addr, &rest.last)) {
                break;
            }
            rest.first = addr_of_number(addr.family, addr_to_number(&addr) + 1);
        }
    }
    return false;
}

/* Chooses what was not asked for. */
static bool choose_addresses(const struct nodes *nodes, const struct pool *pool,
                             const struct node_want *want, const struct allocation_avoid *avoid,
                             struct addr ret_addresses[2])
{
    for (size_t i = 0; i < pool->n_families; i++) {
        const struct pool_family *family = &pool->families[i];
        int place = family->prefix.addr.family == AF_INET6;

        ret_addresses[place] = want->addresses[place];
        if (!want->addresses[place].family &&
            !choose_address(nodes, pool, family, avoid, &ret_addresses[place])) {
            return false;
        }
    }
    return true;
}

enum allocation allocate(struct nodes *nodes, const struct network *network,
                         const struct node_want *want, const struct allocation_avoid *avoid,
                         struct errors *errors, uint32_t *ret_id,
                         char ret_detail[ALLOCATION_DETAIL])
{
    struct node node = {.name = want->name, .has_mac = want->has_mac, .labels = want->labels};
    const struct pool *pool;
    int error;

    *ret_id = nodes_find(nodes, want->name);
    if (*ret_id != NODE_NONE) {
        return again(nodes, want, *ret_id, ret_detail);
    }
    pool = find_pool(network, want, errors);
    if (!pool || !check_addresses(want, pool, errors)) {
        return ALLOCATION_WRONG;
    }
    if (conflicts(nodes, want, ret_detail)) {
        return ALLOCATION_CONFLICT;
    }
    if (!choose_addresses(nodes, pool, want, avoid, node.addresses)) {
        snprintf(ret_detail, ALLOCATION_DETAIL, "pool-exhausted: pool %s has no free address",
                 pool->name);
        return ALLOCATION_FULL;
    }
    node.pool = pool->name;
    memcpy(node.mac, want->mac, MAC_BYTES);
    error = nodes_add(nodes, &node, ret_id);
    assert(!error);
    (void)error;
    return ALLOCATED;
}

bool allocation_holds(const struct nodes *nodes, uint32_t id, const struct network *network,
                      char ret_detail[ALLOCATION_DETAIL])
{
    struct node node = nodes_get(nodes, id);
    const struct pool *pool = network ? network_find_pool(network, node.pool) : NULL;
    char text[ADDR_TEXT];

    for (int i = 0; pool && i < 2; i++) {
        const struct addr *addr = &node.addresses[i];
        const struct pool_family *family =
            addr->family ? pool_find_family(pool, addr->family) : NULL;

        if (addr->family && (!family || !pool_family_has(family, addr))) {
            snprintf(ret_detail, ALLOCATION_DETAIL, "node %s has %s of pool %s", node.name,
                     addr_print(addr, text), node.pool);
            return false;
        }
    }
    if (!pool) {
        snprintf(ret_detail, ALLOCATION_DETAIL, "node %s has %s of pool %s", node.name,
                 addr_print(&node.addresses[!node.addresses[0].family], text), node.pool);
    }
    return pool != NULL;
}
