/* topology.h - what a tenant wants (contract, section 3), typed.
 *
 * One generation of one tenant's topology lies in one arena and is immutable once checked and
 * numbered (ids.h), so that both threads may read it. Three steps make one: topology_parse() reads
 * the document (shape, types, ranges, unknown keys), topology_check() holds it against the
 * configuration, the profiles and the other tenants (references, subnets, VLAN grants, clashes,
 * limits), ids_assign() gives each network, segment and tunnel the number from which its names in
 * the kernel are made. Cross references are resolved to pointers by topology_parse(). */
#ifndef MODEL_TOPOLOGY_H
#define MODEL_TOPOLOGY_H

#include "model/addr.h"
#include "model/config.h"
#include "model/doc.h"
#include "model/profile.h"
#include "model/tunnel_settings.h"

#include <stdint.h>

struct attachment {
    const struct doc *doc; /* where it stood, for errors; likewise below */
    const char *uplink;
    uint16_t vlan;            /* on the wire; inside of outer_vlan if there is one */
    uint16_t outer_vlan;      /* Q-in-Q: what is granted and carried by the uplink; 0: none */
    bool outer_is_8021q;      /* the outer tag's type is 0x8100, not 802.1ad's 0x88a8 */
    uint32_t broadcast_limit; /* packets to all that are let in, per second; 0: any number */
};

struct segment {
    const struct doc *doc;
    const char *name;
    uint32_t id; /* unique on this router among segments and tunnels, never 0 once assigned, stable
                    across restarts */
    struct attachment *attachments;
    size_t n_attachments;    /* at least one */
    struct prefix *gateways; /* the router's addresses on the segment, host bits set */
    size_t n_gateways;
    uint16_t mtu;       /* bytes; 0: as segment_mtu() finds it */
    uint16_t mtu_max;   /* what its peers' clouds take; 0: any; filled in by topology_check() */
    uint32_t mac_limit; /* addresses that are learned between its attachments; 0: the default */
    bool strict_source; /* drop what has a source that is not routed back into the segment */
    bool advertises;    /* router advertisements (RFC 4861) on it */
};

struct tunnel {
    const struct doc *doc;
    const char *name;
    uint32_t id; /* also the xfrm if_id */
    const char *profile_name;
    const struct profile *profile; /* resolved by topology_check() and owned by the profiles' set,
                                      which outlives it */
    const char *uplink;
    const char *remote;               /* an address or a DNS name */
    const char *local_id, *remote_id; /* null: the default (the uplink's address; remote) */
    const char *psk_secret;           /* name of the secret; null: by certificate */
    /* names of files among the secrets (router-topology(5)); null with a PSK. crl may be null */
    const char *certificate, *ca, *crl;
    struct tunnel_settings own; /* what it says otherwise than the profile; see tunnel_settings() */
    bool legacy;                /* weak algorithms and IKEv1 are wanted */
    struct prefix *inside;
    size_t n_inside;
    bool initiate;
    uint32_t
        mtu; /* of its interface, in bytes; filled in by topology_check() if it has a profile */
};

/* "10.3.0.0/16 le 24": the prefixes inside `prefix` whose length is within [ge, le]. Without ge and
 * le only the prefix itself. */
struct prefix_rule {
    struct prefix prefix;
    uint8_t ge, le;
};

/* A BGP community (RFC 1997): a value of 32 bits in part[0]; or a large one (RFC 8092). */
struct community {
    bool large;
    uint32_t part[3];
};

/* A list of communities; no element: none. */
struct communities {
    struct community *items;
    size_t n;
};

enum { PEER_FAMILIES = 2 }; /* IPv4 first */

struct peer {
    const struct doc *doc;
    const char *name;
    const char *via;               /* a segment's or a tunnel's name */
    const struct segment *segment; /* exactly one of the two is set */
    const struct tunnel *tunnel;
    struct addr address;
    uint32_t asn;
    const char *profile_name; /* null: its tunnel's, else "generic" */
    const struct profile *profile;
    const char *password_secret; /* null: none */
    /* RFC 4271; 0: the profile's, and the default for connect_retry_s */
    uint16_t keepalive_s, hold_s, connect_retry_s;
    bool bfd;                     /* RFC 5880 */
    uint16_t bfd_interval_ms;     /* 0: the profile's */
    uint8_t bfd_multiplier;       /* likewise */
    bool families[PEER_FAMILIES]; /* whose routes are exchanged; at least one once checked */
    bool graceful_restart;        /* RFC 4724, for a restart of this router */
    bool has_graceful_restart;    /* false: as the profile says */
    bool ttl_security;            /* RFC 5082: it is one hop away and nobody else can speak */
    uint8_t allowas_in;           /* how often the own AS may be in what it announces */
    bool as_override;             /* its AS is replaced by ours in what it is told */
    bool has_import_prefixes;     /* false: any but the network's own and the default route */
    struct prefix_rule *import_prefixes;
    size_t n_import_prefixes;
    uint32_t import_max_prefixes;          /* 0: the profile's */
    struct communities import_communities; /* what is accepted has one of these; none: anything */
    struct communities import_set;         /* added to what is accepted */
    uint32_t import_local_preference;
    bool has_import_local_preference;
    bool has_export_prefixes; /* false: everything of the network and of its other peers */
    struct prefix_rule *export_prefixes;
    size_t n_export_prefixes;
    uint8_t export_prepend; /* how often the own AS is prepended in addition, 0-16 */
    uint32_t export_med;
    bool has_export_med;
    uint32_t export_max_prefixes;          /* 0: the profile's */
    struct communities export_communities; /* likewise, of what it is told */
    struct communities export_set;
    bool default_originate; /* it is told a default route, whether there is one or not */
};

/* Routes inside of it are announced as one. */
struct aggregate {
    const struct doc *doc;
    struct prefix prefix;
    bool summary_only; /* and not themselves */
};

struct route {
    const struct doc *doc;
    struct prefix prefix;
    bool blackhole;
    struct addr via; /* unless blackhole */
};

/* A pool's part of one family. */
struct pool_family {
    struct prefix prefix;
    uint8_t prefix_len;        /* of the subnet that the nodes are in; it may be wider */
    struct addr gateway;       /* of the nodes; no family: none is known */
    struct addr router;        /* the router's own in that subnet; no family: it has none */
    struct addr_range *usable; /* what may be given out: sorted, disjoint, at least one */
    size_t n_usable;
    uint64_t capacity; /* addresses in `usable`; UINT64_MAX: that many or more */
};

enum { POOL_FAMILIES = 2, POOL_QUARANTINE_S = 60 };

/* Where nodes get their addresses from: one of each family that the pool has. */
struct pool {
    const struct doc *doc;
    const char *name;
    struct prefix *prefixes; /* at most one of each family */
    size_t n_prefixes;
    struct addr_range *ranges; /* none of a family: all of its prefix */
    size_t n_ranges;
    struct addr_range *reserved;
    size_t n_reserved;
    struct addr *gateways; /* given ones, at most one of each family */
    size_t n_gateways;
    const char *provider; /* null: none */
    struct addr *dns; /* what nodes are told to ask; once checked the router's own if it serves */
    size_t n_dns;
    bool serves_dns; /* the router answers for the network's nodes */
    bool serves_dhcp;
    bool probes;             /* an address is asked for on the segment before it is given out */
    struct addr *forwarders; /* where the router asks for all other names; none: nowhere */
    size_t n_forwarders;
    const char *domain;    /* null: none */
    uint32_t mtu;          /* bytes; once checked never 0 */
    uint32_t quarantine_s; /* before a released address is given out again */
    /* filled in by topology_check() */
    const struct segment *segment;              /* that it lies on, or null */
    struct pool_family families[POOL_FAMILIES]; /* IPv4 first */
    size_t n_families;
    uint64_t capacity; /* nodes; saturated as above */
};

/* A port of the uplink that is forwarded into the network. */
struct publish {
    const struct doc *doc;
    uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
    uint16_t port;
    struct addr to;
    uint16_t to_port;
    struct addr address; /* no family: see egress_published() */
    struct prefix *from; /* who may; none: all */
    size_t n_from;
};

/* The network's gateway to the outside. */
struct egress {
    const struct doc *doc;
    const char *uplink;
    bool nat;              /* of the source; false: plain routing */
    struct addr address;   /* that sources get; no family: the uplink's */
    struct prefix prefix6; /* that takes the place of IPv6 sources' first bits; no family: none */
    struct publish *publishes;
    size_t n_publishes;
};

struct network {
    const struct doc *doc;
    const char *name;
    uint32_t id;  /* unique on this router among networks, from 1 */
    uint32_t asn; /* its own or the router's; 0 only if it has no peers */
    struct segment *segments;
    size_t n_segments;
    struct tunnel *tunnels;
    size_t n_tunnels;
    struct peer *peers;
    size_t n_peers;
    struct route *routes;
    size_t n_routes;
    struct aggregate *aggregates;
    size_t n_aggregates;
    struct pool *pools;
    size_t n_pools;
    const struct egress *egress; /* null: none */
};

struct topology {
    struct arena *arena;
    const struct doc *doc; /* the whole document */
    const char *text;      /* as pushed, byte for byte */
    size_t text_len;
    struct network *networks;
    size_t n_networks;
};

/* Reads a document. Returns the topology (free with topology_free()), with or without errors added:
 * with errors it may be incomplete and must not be used but for topology_check(), which adds what
 * it can see. Returns null only if the document could not be read at all. */
struct topology *topology_parse(const char *text, size_t len, struct errors *errors);
/* A topology of no networks, what DELETE asks for. */
struct topology *topology_new_empty(void);
void topology_free(struct topology *topology);
/* Whether both documents say the same. */
bool topology_equal(const struct topology *a, const struct topology *b);

struct intended;

/* What topology_check() holds a topology against. */
struct topology_world {
    const struct config *config;
    const struct profiles *profiles;
    const struct intended *intended; /* what is in force: the other tenants' VLANs count */
    /* Whether a secret of that name can be read; null: not checked. Must not block for long. */
    bool (*secret_exists)(void *aux, const char *name);
    /* Likewise whether there is a file of that name among them, which may be a certificate. */
    bool (*file_exists)(void *aux, const char *name);
    void *aux;
};

/* Adds every fault of the topology, were it the tenant's, and sorts the errors. Fills in profile
 * pointers and default AS numbers, of a topology with faults too where it can. Faulty addresses of
 * the router's interfaces lose their family. */
void topology_check(struct topology *topology, const char *tenant,
                    const struct topology_world *world, struct errors *errors);

/* What fits through an attachment, in bytes: its uplink's MTU, less a second tag, since the
 * kernel's Open vSwitch lets only one pass for free (packet_length() of its
 * net/openvswitch/vport.c). 0 if the configuration has no such trunk. */
unsigned int attachment_mtu(const struct config *config, const struct attachment *attachment);
/* What fits through all of the segment's uplinks that are trunks of the configuration, and that its
 * peers' clouds take, or what was given if that is less. 0 if it has no such uplink. */
unsigned int segment_mtu(const struct config *config, const struct segment *segment);

const struct network *topology_find_network(const struct topology *topology, const char *name);
const struct pool *network_find_pool(const struct network *network, const char *name);
/* The address whose port is forwarded: given, or what sources get; no family: the uplink's own. */
struct addr egress_published(const struct egress *egress, const struct publish *publish);
/* The pool's part of the family, or null. */
const struct pool_family *pool_find_family(const struct pool *pool, int family);
/* Whether the address is one of those that may be given out. */
bool pool_family_has(const struct pool_family *family, const struct addr *addr);

#endif
