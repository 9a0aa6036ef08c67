/* engine_registry.h - all nodes of all networks, and how they are spread over the store's pages.
 *
 * The registry is the database as read, plus what is being written: it is changed first, tells
 * which pages the change touches, and is thrown away and read again when a write fails. So there is
 * no undoing, and no state but one. Used by engine_nodes.c only. */
#ifndef ENGINE_ENGINE_REGISTRY_H
#define ENGINE_ENGINE_REGISTRY_H

#include "nodes/nodes.h"
#include "store/store.h"

#include <openvswitch/shash.h>

enum { PAGE_RECORDS = 256, PAGES_LIMIT = 1 << 22 };

/* The living nodes of a tenant, for its limit. */
struct tenant_use {
    size_t count;
};

/* The nodes of one network. */
struct node_net {
    char *tenant, *network;
    struct tenant_use *use;
    struct nodes *index;
    uint64_t serial;   /* the registry's when a node of it came or went last */
    struct shash open; /* pool -> uint32_t *: the first page with room; NO_PAGE: none */
};

struct page;

struct registry {
    struct shash nets;  /* "tenant/network" -> struct node_net * */
    struct shash uses;  /* tenant -> struct tenant_use * */
    struct page *pages; /* by number */
    uint32_t n_pages;
    uint32_t free_page; /* no number below it is free */
    struct page *dirty; /* touched since registry_take_changes() */
    uint32_t first_dirty;
    uint64_t serial; /* +1 with every node that comes or goes, also over registry_reset() */
    bool broken;     /* contradicts itself */
};

void registry_init(struct registry *registry);
void registry_done(struct registry *registry);
/* The same as done and init. */
void registry_reset(struct registry *registry);
/* Adds what a page holds. False: it makes no sense. */
bool registry_add_page(struct registry *registry, const struct store_page *page,
                       const char *const *records, size_t n);

struct node_net *registry_net(struct registry *registry, const char *tenant, const char *network);
struct node_net *registry_find(const struct registry *registry, const char *tenant,
                               const char *network); /* null: it has no nodes */

/* Notes that a node was added to the index, ... */
void registry_added(struct registry *registry, struct node_net *net, uint32_t id);
/* ... ends one, into quarantine until then (0: none), ... */
void registry_release(struct registry *registry, struct node_net *net, uint32_t id,
                      int64_t until_ms);
/* ... and ends a quarantine. */
void registry_end_quarantine(struct registry *registry, struct node_net *net, uint32_t id);

bool registry_is_dirty(const struct registry *registry);
/* What is to be written, and forgets that it is; free with changes_free(). */
struct store_page_change *registry_take_changes(struct registry *registry, size_t *ret_n);
void changes_free(struct store_page_change *changes, size_t n);

#endif
