/* allocate.h - what a request for a node comes to: policy over a topology's pools and the nodes
 * that there are.
 *
 * Pure: it changes the index and nothing else; storing the change, and answering only then, is the
 * engine's. */
#ifndef NODES_ALLOCATE_H
#define NODES_ALLOCATE_H

#include "model/error.h"
#include "model/topology.h"
#include "nodes/nodes.h"
#include "nodes/want.h"

enum allocation {
    ALLOCATED,           /* a new node */
    ALLOCATED_BEFORE,    /* it was there, as asked for */
    ALLOCATION_WRONG,    /* the request does not fit the network: errors were added */
    ALLOCATION_CONFLICT, /* the address or the MAC is another's, or the name has others */
    ALLOCATION_FULL,     /* the pool has no free address */
};

enum { ALLOCATION_DETAIL = 320 };

/* Addresses that are free and yet not to be chosen now. */
struct allocation_avoid {
    bool (*avoid)(const struct pool *pool, const struct addr *addr, void *aux);
    void *aux;
};

/* Serves one request; `avoid` may be null and is not asked about fixed addresses. With the first
 * two *ret_id is the node; with the last two ret_detail says what is in the way, as a sentence. */
enum allocation allocate(struct nodes *nodes, const struct network *network,
                         const struct node_want *want, const struct allocation_avoid *avoid,
                         struct errors *errors, uint32_t *ret_id,
                         char ret_detail[ALLOCATION_DETAIL]);

/* Whether a node may live under the topology: its pool is there and has its addresses. If not,
 * ret_detail says why. */
bool allocation_holds(const struct nodes *nodes, uint32_t id, const struct network *network,
                      char ret_detail[ALLOCATION_DETAIL]);

#endif
