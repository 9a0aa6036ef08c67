#include "model/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BASE = 1000 };

static char *copy(const char *text)
{
    char *same = strdup(text);
    if (!same)
        abort();
    return same;
}

static void entry_done(struct id_entry *entry)
{
    free(entry->tenant);
    free(entry->network);
    free(entry->name);
}

void ids_init(struct ids *ids)
{
    *ids = (struct ids){.next_network = 1, .next_link = 1};
}

void ids_done(struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        entry_done(&ids->entries[i]);
    free(ids->entries);
    ids_init(ids);
}

static void append(struct ids *ids, struct id_entry entry)
{
    if (ids->n == ids->capacity) {
        ids->capacity = ids->capacity ? ids->capacity * 2 : 16;
        ids->entries = reallocarray(ids->entries, ids->capacity, sizeof *ids->entries);
        if (!ids->entries)
            abort();
    }
    ids->entries[ids->n++] = entry;
}

static uint32_t *next_of(struct ids *ids, enum id_kind kind)
{
    return kind == ID_NETWORK ? &ids->next_network : &ids->next_link;
}

void ids_add(struct ids *ids, enum id_kind kind, const char *tenant, const char *network,
             const char *name, uint32_t id)
{
    uint32_t *next = next_of(ids, kind);
    append(ids, (struct id_entry){.kind = kind,
                                  .tenant = copy(tenant),
                                  .network = copy(network),
                                  .name = copy(name),
                                  .id = id});
    if (id >= *next)
        *next = id + 1;
}

void ids_clone(const struct ids *ids, struct ids *ret_ids)
{
    struct ids clone;
    ids_init(&clone);
    for (size_t i = 0; i < ids->n; i++) {
        const struct id_entry *entry = &ids->entries[i];
        ids_add(&clone, entry->kind, entry->tenant, entry->network, entry->name, entry->id);
    }
    clone.next_network = ids->next_network;
    clone.next_link = ids->next_link;
    *ret_ids = clone;
}

/* --- a hash index over one tenant's entries
 * ------------------------------------------------------------- */

struct slot {
    size_t entry; /* index + 1; 0: free */
    bool used;    /* the object is in the topology */
};

struct index {
    const struct ids *ids;
    struct slot *slots;
    size_t mask;
};

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3; /* FNV-1a */
    return (hash ^ 0xff) * 0x100000001b3;
}

static bool entry_is(const struct id_entry *entry, enum id_kind kind, const char *network,
                     const char *name)
{
    return entry->kind == kind && strcmp(entry->network, network) == 0 &&
           strcmp(entry->name, name) == 0;
}

/* The slot of an object, or the free one where it would go. */
static struct slot *find(const struct index *index, enum id_kind kind, const char *network,
                         const char *name)
{
    uint64_t hash = 0xcbf29ce484222325 ^ (uint64_t)kind;
    hash = hash_text(hash_text(hash, network), name);
    for (size_t i = hash ^ hash >> 32;; i++) {
        struct slot *slot = &index->slots[i & index->mask];
        if (!slot->entry || entry_is(&index->ids->entries[slot->entry - 1], kind, network, name))
            return slot;
    }
}

static size_t count_objects(const struct topology *topology)
{
    size_t n = topology->n_networks;
    for (size_t i = 0; i < topology->n_networks; i++)
        n += topology->networks[i].n_segments + topology->networks[i].n_tunnels;
    return n;
}

static void index_init(struct index *index, const struct ids *ids, const char *tenant,
                       size_t n_objects)
{
    size_t size = 16;
    while (size < 2 * (ids->n + n_objects))
        size *= 2;
    *index =
        (struct index){.ids = ids, .slots = calloc(size, sizeof(struct slot)), .mask = size - 1};
    if (!index->slots)
        abort();
    for (size_t i = 0; i < ids->n; i++) {
        const struct id_entry *entry = &ids->entries[i];
        if (strcmp(entry->tenant, tenant) == 0)
            find(index, entry->kind, entry->network, entry->name)->entry = i + 1;
    }
}

/* --- numbering
 * -------------------------------------------------------------------------------------------- */

struct numbering {
    struct ids *ids;
    const char *tenant;
    struct index index;
};

static uint32_t number(struct numbering *numbering, enum id_kind kind, const char *network,
                       const char *name)
{
    struct ids *ids = numbering->ids;
    struct slot *slot = find(&numbering->index, kind, network, name);
    if (!slot->entry) {
        ids_add(ids, kind, numbering->tenant, network, name, *next_of(ids, kind));
        slot->entry = ids->n;
    }
    slot->used = true;
    return ids->entries[slot->entry - 1].id;
}

static void number_network(struct numbering *numbering, struct network *network)
{
    network->id = number(numbering, ID_NETWORK, network->name, "");
    for (size_t i = 0; i < network->n_segments; i++)
        network->segments[i].id =
            number(numbering, ID_SEGMENT, network->name, network->segments[i].name);
    for (size_t i = 0; i < network->n_tunnels; i++)
        network->tunnels[i].id =
            number(numbering, ID_TUNNEL, network->name, network->tunnels[i].name);
}

/* Drops the tenant's entries that no object used. Entries are only marked first, as slots hold
 * their places. */
static void drop_unused(struct numbering *numbering)
{
    struct ids *ids = numbering->ids;
    for (size_t i = 0; i <= numbering->index.mask; i++) {
        const struct slot *slot = &numbering->index.slots[i];
        if (slot->entry && !slot->used)
            ids->entries[slot->entry - 1].id = 0;
    }
    size_t kept = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->entries[i].id)
            ids->entries[kept++] = ids->entries[i];
        else
            entry_done(&ids->entries[i]);
    }
    ids->n = kept;
}

void ids_assign(struct ids *ids, const char *tenant, struct topology *topology)
{
    struct numbering numbering = {.ids = ids, .tenant = tenant};
    index_init(&numbering.index, ids, tenant, count_objects(topology));
    for (size_t i = 0; i < topology->n_networks; i++)
        number_network(&numbering, &topology->networks[i]);
    drop_unused(&numbering);
    free(numbering.index.slots);
}

/* --- the kernel's names
 * ------------------------------------------------------------------------------------ */

static const char *print(const char *head, uint32_t id, char buffer[IFNAME_TEXT])
{
    snprintf(buffer, IFNAME_TEXT, "%s%u", head, id);
    return buffer;
}

/* The number behind `head`, from `min` on and written as print() does; 0 for any other name. */
static uint32_t parse(const char *head, const char *name, uint32_t min)
{
    size_t len = strlen(head);
    char canonical[IFNAME_TEXT];
    if (strncmp(name, head, len) != 0 || name[len] < '1' || name[len] > '9')
        return 0;
    unsigned long long id = strtoull(name + len, NULL, 10);
    if (id < min || id > UINT32_MAX)
        return 0;
    return strcmp(print(head, (uint32_t)id, canonical), name) == 0 ? (uint32_t)id : 0;
}

uint32_t ids_vrf_table(uint32_t network_id)
{
    return TABLE_BASE + network_id;
}

const char *ids_vrf_name(uint32_t network_id, char buffer[IFNAME_TEXT])
{
    return print("rvrf", ids_vrf_table(network_id), buffer);
}

const char *ids_segment_name(uint32_t segment_id, char buffer[IFNAME_TEXT])
{
    return print("rseg", segment_id, buffer);
}

const char *ids_tunnel_name(uint32_t tunnel_id, char buffer[IFNAME_TEXT])
{
    return print("rtun", tunnel_id, buffer);
}

const char *ids_bridge_name(uint32_t segment_id, char buffer[IFNAME_TEXT])
{
    return print("rbr", segment_id, buffer);
}

uint32_t ids_of_vrf(const char *name)
{
    uint32_t table = parse("rvrf", name, TABLE_BASE + 1);
    return table ? table - TABLE_BASE : 0;
}

uint32_t ids_of_segment(const char *name)
{
    return parse("rseg", name, 1);
}

uint32_t ids_of_tunnel(const char *name)
{
    return parse("rtun", name, 1);
}

uint32_t ids_of_bridge(const char *name)
{
    return parse("rbr", name, 1);
}
