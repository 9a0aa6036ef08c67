/* ids.h - the persistent numbers of networks, segments and tunnels.
 *
 * Names in the kernel are at most 15 bytes, so they are made of a number: VRF `rvrf1001` (table
 * 1001), segment interface `rseg12`, tunnel interface `rtun13` (if_id 13), bridge `rbr12`. A number
 * belongs to (tenant, network, object name) for as long as that is in the topology in force; it
 * survives restarts (the store keeps it) and is never given to another object afterwards, so that a
 * new object cannot be taken for an old one that is still being removed. */
#ifndef MODEL_IDS_H
#define MODEL_IDS_H

#include "model/topology.h"

#include <stdint.h>

enum id_kind { ID_NETWORK, ID_SEGMENT, ID_TUNNEL };

struct id_entry {
    enum id_kind kind;
    char *tenant, *network, *name; /* name is "" for a network */
    uint32_t id;
};

struct ids {
    struct id_entry *entries; /* heap */
    size_t n, capacity;
    uint32_t next_network; /* next number to give; starts at 1 */
    uint32_t next_link;    /* of segments and tunnels together; starts at 1 */
};

void ids_init(struct ids *ids);
void ids_done(struct ids *ids);
void ids_clone(const struct ids *ids, struct ids *ret_ids);
/* Adds an entry as the store remembers it. */
void ids_add(struct ids *ids, enum id_kind kind, const char *tenant, const char *network,
             const char *name, uint32_t id);
/* Numbers every object of the tenant's topology: the remembered number or a new one. Entries of the
 * tenant that are no longer in the topology are dropped. Linear in the sizes (hashing). */
void ids_assign(struct ids *ids, const char *tenant, struct topology *topology);

enum { IFNAME_TEXT = 16 };
/* The kernel's names and numbers made of an id. Names fill IFNAME_TEXT bytes and are returned. */
const char *ids_vrf_name(uint32_t network_id, char buffer[IFNAME_TEXT]);     /* rvrf1001 */
uint32_t ids_vrf_table(uint32_t network_id);                                 /* 1000 + id */
const char *ids_segment_name(uint32_t segment_id, char buffer[IFNAME_TEXT]); /* rseg12 */
const char *ids_tunnel_name(uint32_t tunnel_id, char buffer[IFNAME_TEXT]);   /* rtun13 */
const char *ids_bridge_name(uint32_t segment_id, char buffer[IFNAME_TEXT]);  /* rbr12 */
/* The other way round: the id in a name of that form, or 0. */
uint32_t ids_of_vrf(const char *name);
uint32_t ids_of_segment(const char *name);
uint32_t ids_of_tunnel(const char *name);
uint32_t ids_of_bridge(const char *name);

#endif
