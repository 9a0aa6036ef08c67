#include "nodes/nodes.h"

#include "nodes/trie.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum entry_kind { ENTRY_FREE, ENTRY_NODE, ENTRY_QUARANTINE };

enum { DUE_BYTES = 12 };

/* A living node, or a quarantine. */
struct entry {
    union {
        struct {
            char *name;
            char *labels; /* null: none */
        };
        uint8_t due[DUE_BYTES]; /* a quarantine's end and its number, big-endian: a key */
        uint32_t next_free;
    };
    uint8_t v4[4], v6[16], mac[MAC_BYTES];
    uint16_t pool;
    uint32_t page;
    uint8_t kind;
    bool has_v4, has_v6, has_mac;
};

struct pool_use {
    char *name;
    size_t count; /* living nodes */
    size_t uses;  /* those and quarantines */
};

struct nodes {
    struct entry *entries;
    uint32_t n_entries, capacity, free_entry;
    struct trie names, v4, v6, macs, quarantine;
    struct pool_use *pools;
    size_t n_pools;
    size_t bytes; /* of names and labels */
};

/* --- keys ----------------------------------------------------------------------------------- */

static const struct entry *entry_at(const void *nodes_, uint32_t id)
{
    const struct nodes *nodes = nodes_;

    return &nodes->entries[id];
}

static const uint8_t *key_name(const void *aux, uint32_t id, size_t *ret_len)
{
    const char *name = entry_at(aux, id)->name;

    *ret_len = strlen(name) + 1;
    return (const uint8_t *)name;
}

static const uint8_t *key_v4(const void *aux, uint32_t id, size_t *ret_len)
{
    *ret_len = 4;
    return entry_at(aux, id)->v4;
}

static const uint8_t *key_v6(const void *aux, uint32_t id, size_t *ret_len)
{
    *ret_len = 16;
    return entry_at(aux, id)->v6;
}

static const uint8_t *key_mac(const void *aux, uint32_t id, size_t *ret_len)
{
    *ret_len = MAC_BYTES;
    return entry_at(aux, id)->mac;
}

static const uint8_t *key_due(const void *aux, uint32_t id, size_t *ret_len)
{
    *ret_len = DUE_BYTES;
    return entry_at(aux, id)->due;
}

static void set_due(struct entry *entry, uint32_t id, int64_t until_ms)
{
    uint64_t until = until_ms < 0 ? 0 : (uint64_t)until_ms;

    for (int i = 0; i < 8; i++) {
        entry->due[i] = (uint8_t)(until >> (56 - 8 * i));
    }
    for (int i = 0; i < 4; i++) {
        entry->due[8 + i] = (uint8_t)(id >> (24 - 8 * i));
    }
}

/* --- life ----------------------------------------------------------------------------------- */

static void *check_memory(void *memory)
{
    if (!memory) {
        abort(); /* out of memory, as elsewhere */
    }
    return memory;
}

struct nodes *nodes_new(void)
{
    struct nodes *nodes = check_memory(calloc(1, sizeof *nodes));

    nodes->free_entry = NODE_NONE;
    trie_init(&nodes->names, key_name, nodes);
    trie_init(&nodes->v4, key_v4, nodes);
    trie_init(&nodes->v6, key_v6, nodes);
    trie_init(&nodes->macs, key_mac, nodes);
    trie_init(&nodes->quarantine, key_due, nodes);
    return nodes;
}

void nodes_free(struct nodes *nodes)
{
    if (!nodes) {
        return;
    }
    for (uint32_t i = 0; i < nodes->n_entries; i++) {
        if (nodes->entries[i].kind == ENTRY_NODE) {
            free(nodes->entries[i].name);
            free(nodes->entries[i].labels);
        }
    }
    for (size_t i = 0; i < nodes->n_pools; i++) {
        free(nodes->pools[i].name);
    }
    trie_done(&nodes->names);
    trie_done(&nodes->v4);
    trie_done(&nodes->v6);
    trie_done(&nodes->macs);
    trie_done(&nodes->quarantine);
    free(nodes->entries);
    free(nodes->pools);
    free(nodes);
}

size_t nodes_count(const struct nodes *nodes)
{
    return nodes->names.count;
}

size_t nodes_count_quarantined(const struct nodes *nodes)
{
    return nodes->quarantine.count;
}

size_t nodes_memory(const struct nodes *nodes)
{
    return sizeof *nodes + nodes->capacity * sizeof *nodes->entries + trie_memory(&nodes->names) +
           trie_memory(&nodes->v4) + trie_memory(&nodes->v6) + trie_memory(&nodes->macs) +
           trie_memory(&nodes->quarantine) + nodes->bytes;
}

/* --- pools ---------------------------------------------------------------------------------- */

static size_t pool_find(const struct nodes *nodes, const char *name)
{
    size_t i = 0;

    while (i < nodes->n_pools && strcmp(nodes->pools[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* The number of a pool, a new one's too; those that nobody uses any more give their place. */
static uint16_t pool_number(struct nodes *nodes, const char *name)
{
    size_t i = pool_find(nodes, name), free_place = nodes->n_pools;

    if (i < nodes->n_pools) {
        return (uint16_t)i;
    }
    for (size_t j = 0; j < nodes->n_pools && free_place == nodes->n_pools; j++) {
        free_place = nodes->pools[j].uses ? free_place : j;
    }
    if (free_place == nodes->n_pools) {
        assert(nodes->n_pools < UINT16_MAX);
        nodes->pools =
            check_memory(realloc(nodes->pools, (nodes->n_pools + 1) * sizeof *nodes->pools));
        nodes->pools[nodes->n_pools++] = (struct pool_use){.name = NULL};
    }
    free(nodes->pools[free_place].name);
    nodes->pools[free_place] = (struct pool_use){.name = check_memory(strdup(name))};
    return (uint16_t)free_place;
}

size_t nodes_count_pool(const struct nodes *nodes, const char *pool)
{
    size_t i = pool_find(nodes, pool);

    return i < nodes->n_pools ? nodes->pools[i].count : 0;
}

/* --- finding -------------------------------------------------------------------------------- */

uint32_t nodes_find(const struct nodes *nodes, const char *name)
{
    return trie_find(&nodes->names, name, strlen(name) + 1);
}

uint32_t nodes_find_mac(const struct nodes *nodes, const uint8_t mac[MAC_BYTES])
{
    return trie_find(&nodes->macs, mac, MAC_BYTES);
}

uint32_t nodes_after(const struct nodes *nodes, const char *name)
{
    return name ? trie_after(&nodes->names, name, strlen(name) + 1) : trie_first(&nodes->names);
}

static const struct trie *trie_of(const struct nodes *nodes, int family)
{
    return family == AF_INET ? &nodes->v4 : &nodes->v6;
}

enum address_use nodes_find_address(const struct nodes *nodes, const struct addr *addr,
                                    uint32_t *ret_id)
{
    uint32_t id = trie_find(trie_of(nodes, addr->family), addr->bytes, addr_bits(addr->family) / 8);

    if (id == NODE_NONE) {
        return ADDRESS_FREE;
    }
    *ret_id = id;
    return nodes->entries[id].kind == ENTRY_NODE ? ADDRESS_NODE : ADDRESS_QUARANTINED;
}

struct node nodes_get(const struct nodes *nodes, uint32_t id)
{
    const struct entry *entry = &nodes->entries[id];
    struct node node = {.pool = nodes->pools[entry->pool].name};

    if (entry->has_v4) {
        node.addresses[0].family = AF_INET;
        memcpy(node.addresses[0].bytes, entry->v4, sizeof entry->v4);
    }
    if (entry->has_v6) {
        node.addresses[1].family = AF_INET6;
        memcpy(node.addresses[1].bytes, entry->v6, sizeof entry->v6);
    }
    if (entry->kind == ENTRY_NODE) {
        node.name = entry->name;
        node.labels = entry->labels;
        node.has_mac = entry->has_mac;
        memcpy(node.mac, entry->mac, MAC_BYTES);
    }
    return node;
}

/* --- changing ------------------------------------------------------------------------------- */

static uint32_t entry_new(struct nodes *nodes)
{
    uint32_t id = nodes->free_entry;

    if (id != NODE_NONE) {
        nodes->free_entry = nodes->entries[id].next_free;
        return id;
    }
    if (nodes->n_entries == nodes->capacity) {
        nodes->capacity = nodes->capacity ? nodes->capacity + nodes->capacity / 2 : 16;
        nodes->entries =
            check_memory(realloc(nodes->entries, nodes->capacity * sizeof *nodes->entries));
    }
    assert(nodes->n_entries < NODE_NONE);
    return nodes->n_entries++;
}

static void entry_free(struct nodes *nodes, uint32_t id)
{
    nodes->entries[id] = (struct entry){.kind = ENTRY_FREE};
    nodes->entries[id].next_free = nodes->free_entry;
    nodes->free_entry = id;
}

static void set_addresses(struct entry *entry, const struct addr addresses[2])
{
    entry->has_v4 = addresses[0].family == AF_INET;
    entry->has_v6 = addresses[1].family == AF_INET6;
    memcpy(entry->v4, addresses[0].bytes, sizeof entry->v4);
    memcpy(entry->v6, addresses[1].bytes, sizeof entry->v6);
}

/* Puts the entry into all sets that it belongs to, or into none: one of its keys is taken. */
static bool link_entry(struct nodes *nodes, uint32_t id)
{
    const struct entry *entry = &nodes->entries[id];
    bool is_node = entry->kind == ENTRY_NODE;
    struct trie *const sets[] = {
        is_node ? &nodes->names : &nodes->quarantine,
        entry->has_mac ? &nodes->macs : NULL,
        entry->has_v4 ? &nodes->v4 : NULL,
        entry->has_v6 ? &nodes->v6 : NULL,
    };

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!sets[i] || trie_add(sets[i], id)) {
            continue;
        }
        while (i--) {
            if (sets[i]) {
                trie_remove(sets[i], id);
            }
        }
        return false;
    }
    return true;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 + sizeof(size_t) : 0; /* as malloc takes it, about */
}

int nodes_add(struct nodes *nodes, const struct node *node, uint32_t *ret_id)
{
    uint32_t id = entry_new(nodes);
    struct entry *entry = &nodes->entries[id];

    *entry = (struct entry){.kind = ENTRY_NODE, .has_mac = node->has_mac};
    entry->name = check_memory(strdup(node->name));
    entry->labels = node->labels ? check_memory(strdup(node->labels)) : NULL;
    memcpy(entry->mac, node->mac, MAC_BYTES);
    set_addresses(entry, node->addresses);
    if (!link_entry(nodes, id)) {
        free(entry->name);
        free(entry->labels);
        entry_free(nodes, id);
        return -EEXIST;
    }
    nodes->bytes += text_size(entry->name) + text_size(entry->labels);
    entry->pool = pool_number(nodes, node->pool);
    nodes->pools[entry->pool].count++;
    nodes->pools[entry->pool].uses++;
    *ret_id = id;
    return 0;
}

int nodes_add_quarantine(struct nodes *nodes, const char *pool, const struct addr addresses[2],
                         int64_t until_ms, uint32_t *ret_id)
{
    uint32_t id = entry_new(nodes);
    struct entry *entry = &nodes->entries[id];

    *entry = (struct entry){.kind = ENTRY_QUARANTINE};
    set_addresses(entry, addresses);
    set_due(entry, id, until_ms);
    if (!link_entry(nodes, id)) {
        entry_free(nodes, id);
        return -EEXIST;
    }
    entry->pool = pool_number(nodes, pool);
    nodes->pools[entry->pool].uses++;
    *ret_id = id;
    return 0;
}

/* Takes away all of a node but its addresses and its pool. */
static void node_end(struct nodes *nodes, uint32_t id)
{
    struct entry *entry = &nodes->entries[id];

    assert(entry->kind == ENTRY_NODE);
    trie_remove(&nodes->names, id);
    if (entry->has_mac) {
        trie_remove(&nodes->macs, id);
        entry->has_mac = false;
    }
    nodes->pools[entry->pool].count--;
    nodes->bytes -= text_size(entry->name) + text_size(entry->labels);
    free(entry->name);
    free(entry->labels);
}

void nodes_remove(struct nodes *nodes, uint32_t id)
{
    const struct entry *entry = &nodes->entries[id];

    if (entry->kind == ENTRY_NODE) {
        node_end(nodes, id);
    } else {
        assert(entry->kind == ENTRY_QUARANTINE);
        trie_remove(&nodes->quarantine, id);
    }
    if (entry->has_v4) {
        trie_remove(&nodes->v4, id);
    }
    if (entry->has_v6) {
        trie_remove(&nodes->v6, id);
    }
    nodes->pools[entry->pool].uses--;
    entry_free(nodes, id);
}

void nodes_release(struct nodes *nodes, uint32_t id, int64_t until_ms)
{
    struct entry *entry = &nodes->entries[id];

    node_end(nodes, id);
    entry->kind = ENTRY_QUARANTINE;
    set_due(entry, id, until_ms);
    trie_add(&nodes->quarantine, id);
}

int64_t nodes_quarantined_until(const struct nodes *nodes, uint32_t id)
{
    uint64_t until = 0;

    for (int i = 0; i < 8; i++) {
        until = until << 8 | nodes->entries[id].due[i];
    }
    return (int64_t)until;
}

uint32_t nodes_first_quarantine(const struct nodes *nodes, int64_t *ret_until_ms)
{
    uint32_t id = trie_first(&nodes->quarantine);

    if (id != NODE_NONE) {
        *ret_until_ms = nodes_quarantined_until(nodes, id);
    }
    return id;
}

void nodes_set_page(struct nodes *nodes, uint32_t id, uint32_t page)
{
    nodes->entries[id].page = page;
}

uint32_t nodes_page(const struct nodes *nodes, uint32_t id)
{
    return nodes->entries[id].page;
}

bool nodes_first_free(const struct nodes *nodes, const struct addr_range *ranges, size_t n,
                      struct addr *ret_addr)
{
    for (size_t i = 0; i < n; i++) {
        int family = ranges[i].first.family;
        addr_number free_number;

        if (trie_first_free(trie_of(nodes, family), addr_bits(family),
                            addr_to_number(&ranges[i].first), addr_to_number(&ranges[i].last),
                            &free_number)) {
            *ret_addr = addr_of_number(family, free_number);
            return true;
        }
    }
    return false;
}

void nodes_each(const struct nodes *nodes, void (*visit)(void *aux, uint32_t id), void *aux)
{
    for (uint32_t i = 0; i < nodes->n_entries; i++) {
        if (nodes->entries[i].kind == ENTRY_NODE) {
            visit(aux, i);
        }
    }
}
