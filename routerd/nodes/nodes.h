/* nodes.h - the nodes of one network, in memory.
 *
 * An index of who has which address: by name, by address, by MAC; and of the addresses that were
 * released and are in quarantine. It is a pure data structure: what it holds is what the engine
 * read from the state database and has written or is writing there; policy (pools, requests) is in
 * allocate.h. A node costs it about 150 bytes and its name. */
#ifndef NODES_NODES_H
#define NODES_NODES_H

#include "model/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NODE_NONE = 0x7fffffff,
    NODE_NAME = 63,
    NODE_LABELS = 4096, /* bytes of all labels as JSON */
    MAC_BYTES = 6,
    MAC_TEXT = 18,
};

/* A node as it is put in and given out; strings are copied in and borrowed out, until the next
 * change. */
struct node {
    const char *name;
    const char *pool;
    struct addr addresses[2]; /* IPv4 first; one without family: none */
    bool has_mac;
    uint8_t mac[MAC_BYTES];
    const char *labels; /* a JSON object, or null: none */
};

enum address_use { ADDRESS_FREE, ADDRESS_NODE, ADDRESS_QUARANTINED };

struct nodes;

struct nodes *nodes_new(void);
void nodes_free(struct nodes *nodes); /* null is fine */
/* Living nodes; those of one pool. */
size_t nodes_count(const struct nodes *nodes);
size_t nodes_count_pool(const struct nodes *nodes, const char *pool);
size_t nodes_count_quarantined(const struct nodes *nodes);
/* Bytes held. */
size_t nodes_memory(const struct nodes *nodes);

/* Find a living node: its number, good until it is released, or NODE_NONE. */
uint32_t nodes_find(const struct nodes *nodes, const char *name);
uint32_t nodes_find_mac(const struct nodes *nodes, const uint8_t mac[MAC_BYTES]);
/* Of an address in quarantine the number of the quarantine. */
enum address_use nodes_find_address(const struct nodes *nodes, const struct addr *addr,
                                    uint32_t *ret_id);
/* The first by name behind `name`, which need not be there; null: the first of all. */
uint32_t nodes_after(const struct nodes *nodes, const char *name);
/* The node or quarantine of that number; of a quarantine only pool and addresses are set. */
struct node nodes_get(const struct nodes *nodes, uint32_t id);

/* Adds a node. -EEXIST: its name, one of its addresses or its MAC is taken, and nothing is changed.
 */
int nodes_add(struct nodes *nodes, const struct node *node, uint32_t *ret_id);
/* Ends a node and forgets it at once. */
void nodes_remove(struct nodes *nodes, uint32_t id);
/* Ends a node; its number is now that of the quarantine of its addresses. */
void nodes_release(struct nodes *nodes, uint32_t id, int64_t until_ms);
/* Adds a quarantine. -EEXIST as above. */
int nodes_add_quarantine(struct nodes *nodes, const char *pool, const struct addr addresses[2],
                         int64_t until_ms, uint32_t *ret_id);
/* The quarantine that ends first, or NODE_NONE; nodes_remove() ends it. */
uint32_t nodes_first_quarantine(const struct nodes *nodes, int64_t *ret_until_ms);
int64_t nodes_quarantined_until(const struct nodes *nodes, uint32_t id);

/* A mark of the user's on a node or quarantine: where it is stored. */
void nodes_set_page(struct nodes *nodes, uint32_t id, uint32_t page);
uint32_t nodes_page(const struct nodes *nodes, uint32_t id);

/* The first address of the ranges, in their order, that is free. False: all are taken. */
bool nodes_first_free(const struct nodes *nodes, const struct addr_range *ranges, size_t n,
                      struct addr *ret_addr);

/* Calls back for every living node, in no order. */
void nodes_each(const struct nodes *nodes, void (*visit)(void *aux, uint32_t id), void *aux);

/* "02:00:5e:00:53:01". 0, or -EINVAL: not the MAC of one host. */
int mac_parse(const char *text, uint8_t ret_mac[MAC_BYTES]);
const char *mac_print(const uint8_t mac[MAC_BYTES], char buffer[MAC_TEXT]);

#endif
