#include "engine/engine_registry.h"

#include "nodes/record.h"

#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

enum { NO_PAGE = UINT32_MAX };

static char comes, goes; /* what becomes of a record */

struct page {
    struct node_net *net; /* null: the number is free */
    char *pool;
    unsigned int count;  /* records */
    bool stored;         /* the database has it, or is being told */
    bool is_open;        /* in its pool's list of pages with room */
    uint32_t next_open;  /* of that list */
    struct shash *delta; /* record -> &comes or &goes; null: not dirty */
    uint32_t next_dirty;
};

/* --- life ----------------------------------------------------------------------------------- */

void registry_init(struct registry *registry)
{
    *registry = (struct registry){.first_dirty = NO_PAGE, .serial = 1};
    shash_init(&registry->nets);
    shash_init(&registry->uses);
}

static void delta_free(struct page *page)
{
    if (page->delta) {
        shash_destroy(page->delta);
        free(page->delta);
        page->delta = NULL;
    }
}

void registry_done(struct registry *registry)
{
    struct shash_node *node;

    for (uint32_t i = 0; i < registry->n_pages; i++) {
        delta_free(&registry->pages[i]);
        free(registry->pages[i].pool);
    }
    SHASH_FOR_EACH(node, &registry->nets) {
        struct node_net *net = node->data;

        nodes_free(net->index);
        shash_destroy_free_data(&net->open);
        free(net->tenant);
        free(net->network);
    }
    free(registry->pages);
    shash_destroy_free_data(&registry->nets);
    shash_destroy_free_data(&registry->uses);
}

void registry_reset(struct registry *registry)
{
    uint64_t serial = registry->serial;

    registry_done(registry);
    registry_init(registry);
    registry->serial = serial + 1;
}

static char *net_key(const char *tenant, const char *network)
{
    return xasprintf("%s/%s", tenant, network);
}

struct node_net *registry_find(const struct registry *registry, const char *tenant,
                               const char *network)
{
    char *key = net_key(tenant, network);
    struct node_net *net = shash_find_data(&registry->nets, key);

    free(key);
    return net;
}

static struct tenant_use *use_of(struct registry *registry, const char *tenant)
{
    struct tenant_use *use = shash_find_data(&registry->uses, tenant);

    if (!use) {
        use = xzalloc(sizeof *use);
        shash_add(&registry->uses, tenant, use);
    }
    return use;
}

struct node_net *registry_net(struct registry *registry, const char *tenant, const char *network)
{
    struct node_net *net = registry_find(registry, tenant, network);

    if (!net) {
        net = xzalloc(sizeof *net);
        net->tenant = xstrdup(tenant);
        net->network = xstrdup(network);
        net->use = use_of(registry, tenant);
        net->index = nodes_new();
        shash_init(&net->open);
        shash_add_nocopy(&registry->nets, net_key(tenant, network), net);
    }
    return net;
}

/* --- pages ---------------------------------------------------------------------------------- */

static uint32_t *open_list(struct node_net *net, const char *pool)
{
    uint32_t *first = shash_find_data(&net->open, pool);

    if (!first) {
        first = xmalloc(sizeof *first);
        *first = NO_PAGE;
        shash_add(&net->open, pool, first);
    }
    return first;
}

static void page_open(struct registry *registry, uint32_t number)
{
    struct page *page = &registry->pages[number];
    uint32_t *first = open_list(page->net, page->pool);

    if (!page->is_open && page->count < PAGE_RECORDS) {
        page->is_open = true;
        page->next_open = *first;
        *first = number;
    }
}

static struct page *page_new(struct registry *registry, uint32_t number, struct node_net *net,
                             const char *pool)
{
    struct page *page;

    while (number >= registry->n_pages) {
        uint32_t more = MAX(64, registry->n_pages);

        registry->pages =
            xrealloc(registry->pages, (registry->n_pages + more) * sizeof *registry->pages);
        memset(&registry->pages[registry->n_pages], 0, more * sizeof *registry->pages);
        registry->n_pages += more;
    }
    page = &registry->pages[number];
    page->net = net;
    page->pool = xstrdup(pool);
    return page;
}

static uint32_t free_number(struct registry *registry)
{
    while (registry->free_page < registry->n_pages && registry->pages[registry->free_page].net) {
        registry->free_page++;
    }
    return registry->free_page;
}

/* A page of the pool with room for one more. */
static uint32_t page_with_room(struct registry *registry, struct node_net *net, const char *pool)
{
    uint32_t *first = open_list(net, pool), number = *first;

    while (number != NO_PAGE && registry->pages[number].count >= PAGE_RECORDS) {
        registry->pages[number].is_open = false;
        *first = number = registry->pages[number].next_open;
    }
    if (number == NO_PAGE) {
        number = free_number(registry);
        page_new(registry, number, net, pool);
        page_open(registry, number);
    }
    return number;
}

/* An empty page leaves the database, and its number is free again. */
static void page_free(struct registry *registry, uint32_t number)
{
    struct page *page = &registry->pages[number];
    uint32_t *link = open_list(page->net, page->pool);

    while (page->is_open && *link != number) {
        link = &registry->pages[*link].next_open;
    }
    if (page->is_open) {
        *link = page->next_open;
    }
    free(page->pool);
    *page = (struct page){.net = NULL};
    registry->free_page = MIN(registry->free_page, number);
}

bool registry_add_page(struct registry *registry, const struct store_page *page,
                       const char *const *records, size_t n)
{
    struct node_net *net = registry_net(registry, page->tenant, page->network);

    if (page->number >= PAGES_LIMIT ||
        (page->number < registry->n_pages && registry->pages[page->number].net)) {
        return false;
    }
    page_new(registry, page->number, net, page->pool)->stored = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t id;

        if (record_add(net->index, page->pool, records[i], &id)) {
            return false;
        }
        nodes_set_page(net->index, id, page->number);
        net->use->count += *records[i] != '!';
    }
    net->serial = ++registry->serial;
    registry->pages[page->number].count = (unsigned int)n;
    page_open(registry, page->number);
    return true;
}

/* --- changes -------------------------------------------------------------------------------- */

static void note(struct registry *registry, uint32_t number, const char *record, char *change)
{
    struct page *page = &registry->pages[number];
    struct shash_node *node;

    if (!page->delta) {
        page->delta = xmalloc(sizeof *page->delta);
        shash_init(page->delta);
        page->next_dirty = registry->first_dirty;
        registry->first_dirty = number;
    }
    node = shash_find(page->delta, record);
    if (!node) {
        shash_add(page->delta, record, change);
    } else if (node->data != change) {
        shash_delete(page->delta, node); /* it came and went, or the other way round */
    } else {
        registry->broken = true;
    }
    page->count = change == &comes ? page->count + 1 : page->count - 1;
}

static void note_record(struct registry *registry, const struct node_net *net, uint32_t id,
                        char *change)
{
    char record[RECORD_TEXT];

    note(registry, nodes_page(net->index, id), record_print(net->index, id, record), change);
}

void registry_added(struct registry *registry, struct node_net *net, uint32_t id)
{
    uint32_t number = page_with_room(registry, net, nodes_get(net->index, id).pool);

    nodes_set_page(net->index, id, number);
    note_record(registry, net, id, &comes);
    net->use->count++;
    net->serial = ++registry->serial;
}

void registry_release(struct registry *registry, struct node_net *net, uint32_t id,
                      int64_t until_ms)
{
    uint32_t number = nodes_page(net->index, id);

    note_record(registry, net, id, &goes);
    net->use->count--;
    net->serial = ++registry->serial;
    if (until_ms) {
        nodes_release(net->index, id, until_ms);
        note_record(registry, net, id, &comes);
    } else {
        nodes_remove(net->index, id);
        page_open(registry, number);
    }
}

void registry_end_quarantine(struct registry *registry, struct node_net *net, uint32_t id)
{
    uint32_t number = nodes_page(net->index, id);

    note_record(registry, net, id, &goes);
    nodes_remove(net->index, id);
    page_open(registry, number);
}

bool registry_is_dirty(const struct registry *registry)
{
    return registry->first_dirty != NO_PAGE;
}

/* The records of a delta that come or go. */
static const char *const *records_of(const struct shash *delta, const char *change, size_t *ret_n)
{
    const char **records = xcalloc(shash_count(delta) + 1, sizeof *records);
    struct shash_node *node;

    *ret_n = 0;
    SHASH_FOR_EACH(node, delta) {
        if (node->data == change) {
            records[(*ret_n)++] = xstrdup(node->name);
        }
    }
    return records;
}

/* False: nothing of the page is to be written. */
static bool take_change(struct page *page, uint32_t number, struct store_page_change *change)
{
    *change = (struct store_page_change){
        .page = {number, page->net->tenant, page->net->network, page->count ? page->pool : ""},
        .step = !page->stored  ? STORE_PAGE_NEW
                : !page->count ? STORE_PAGE_GONE
                               : STORE_PAGE_CHANGED,
    };
    if (page->stored ? shash_is_empty(page->delta) && page->count : !page->count) {
        return false;
    }
    page->stored = true;
    if (change->step != STORE_PAGE_GONE) {
        change->added = records_of(page->delta, &comes, &change->n_added);
        change->removed = records_of(page->delta, &goes, &change->n_removed);
    }
    return true;
}

struct store_page_change *registry_take_changes(struct registry *registry, size_t *ret_n)
{
    struct store_page_change *changes = NULL;
    size_t capacity = 0;
    uint32_t next;

    *ret_n = 0;
    for (uint32_t number = registry->first_dirty; number != NO_PAGE; number = next) {
        struct page *page = &registry->pages[number];

        next = page->next_dirty;
        if (*ret_n == capacity) {
            changes = x2nrealloc(changes, &capacity, sizeof *changes);
        }
        if (take_change(page, number, &changes[*ret_n])) {
            (*ret_n)++;
        }
        delta_free(page);
        if (!page->count) {
            page_free(registry, number);
        }
    }
    registry->first_dirty = NO_PAGE;
    return changes;
}

static void records_free(const char *const *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(CONST_CAST(char *, records[i]));
    }
    free(CONST_CAST(const char **, records));
}

void changes_free(struct store_page_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        records_free(changes[i].added, changes[i].n_added);
        records_free(changes[i].removed, changes[i].n_removed);
    }
    free(changes);
}
