/* bgp_state.h - what bgpd should hold and what it does hold, in the same types.
 *
 * Built once, either from the intended state (bgp_want.h) or from bgpd's running configuration
 * (bgp_config.h), in one arena, sorted, and never changed afterwards. Only meaning is kept, no
 * text: FRR stores some commands as other lines than were typed. Pure. */
#ifndef BGP_BGP_STATE_H
#define BGP_BGP_STATE_H

#include "model/addr.h"
#include "model/arena.h"
#include "model/intended.h"

enum {
    /* How long a new peer's first announcement waits for others to share it with. FRR's default is
     * over a second. Nobody else writes 13: it is also the mark of an instance without neighbors.
     */
    BGP_COALESCE_MS = 13,
    BGP_CONNECT_S = 5,   /* between two attempts to connect; FRR's default is 120 s */
    BGP_RESTART_MIN = 5, /* after a peer announced too much */
    BGP_BFD_MS = 300,    /* between packets, unless the profile says something; and FRR's default */
    BGP_BFD_MULTIPLIER = 3,
    BGP_PASSWORD_BYTES = 80, /* TCP_MD5SIG_MAXKEYLEN, tcp(7) */
    BGP_LINE_BYTES = 256,
};

#define BGP_POLICY_MARK "routerd-"

/* In the order in which they are made: a map may refer to lists. */
enum bgp_policy_kind {
    BGP_PREFIXES_IPV4,     /* ip prefix-list */
    BGP_PREFIXES_IPV6,     /* ipv6 prefix-list */
    BGP_COMMUNITIES,       /* bgp community-list standard */
    BGP_LARGE_COMMUNITIES, /* bgp large-community-list standard */
    BGP_MAP,               /* route-map */
};

/* What a route map may match; a line "match ..." without a name in its body stands for each. */
enum bgp_list { BGP_LIST_PREFIXES, BGP_LIST_COMMUNITIES, BGP_LIST_LARGE, BGP_LISTS };

/* A filter or a route map, by what it says. `body` is its lines in one canonical form, each ended
 * by a newline: "permit 10.0.0.0/8 le 24", "set metric 50". Order counts. A route map's first entry
 * is 10 and not in its body, a further one is "permit 20". What we never write is in it as it was
 * read, and so is unlike any of ours. */
struct bgp_policy {
    enum bgp_policy_kind kind;
    const char *name;   /* null in a wanted state: its name depends on what is there */
    uint64_t name_hash; /* only of a seen one: by which it is found */
    const char *body;
    const struct bgp_policy *lists[BGP_LISTS]; /* that a map's body refers to; null: none */
    uint64_t digest; /* of all that; equal ones have equal digests, not the other way */
    bool missing; /* only of a seen one: something refers to it, but there is none of that name */
};

/* A line that we never write, in an instance of ours. `section` is its address family's line
 * ("address-family ipv4 unicast"), or "". */
struct bgp_extra {
    const char *section;
    const char *line;
};

enum bgp_password { BGP_PASSWORD_NONE, BGP_PASSWORD_SET, BGP_PASSWORD_UNREADABLE };

/* Where a peer refers to policies, of each address family. */
enum bgp_use { BGP_LIST_IN, BGP_LIST_OUT, BGP_MAP_IN, BGP_MAP_OUT, BGP_USES };

/* What a session has of one address family. */
struct bgp_family {
    bool active;           /* it is negotiated */
    uint32_t max_prefixes; /* that the peer may announce; 0: no limit */
    uint32_t restart_min;
    uint32_t max_prefixes_out; /* that it is told; 0: no limit */
    uint8_t allowas_in;
    bool as_override, default_originate;
    const struct bgp_policy *uses[BGP_USES]; /* null: none of ours */
    const char *names[BGP_USES]; /* only of a seen one: of its policies, ours or not; null: none */
};

enum { BGP_FAMILIES = 2 }; /* IPv4, IPv6 */

struct bgp_peer {
    struct addr address;
    uint32_t asn;
    const char *description; /* "bio/genome/peer/aws"; "" if it has none */
    enum bgp_password password;
    uint64_t password_digest;     /* of BGP_PASSWORD_SET */
    uint16_t keepalive_s, hold_s; /* 0: FRR's default */
    uint16_t connect_s;
    bool bfd;
    const char *bfd_profile; /* "" if it has none */
    bool graceful_restart;   /* for a restart of ours; to help with its own is FRR's default */
    bool ttl_security;
    struct bgp_family families[BGP_FAMILIES];

    /* only of a wanted peer */
    const struct peer *peer;
    const char *password_problem; /* of BGP_PASSWORD_UNREADABLE: a sentence */

    /* only of a seen one */
    struct bgp_extra *extras;
    size_t n_extras, extras_capacity;
};

/* A prefix that others are announced as. */
struct bgp_aggregate {
    struct prefix prefix;
    bool summary_only;
};

struct bgp_instance {
    uint32_t network_id; /* its VRF is ids_vrf_name() of it */
    uint32_t asn;
    struct addr router_id;
    bool plain;     /* IPv4 is not negotiated unasked: "no bgp default ipv4-unicast" */
    bool unchecked; /* networks are announced whatever zebra says: "no bgp network import-check" */
    bool logs;      /* "bgp log-neighbor-changes" */
    bool relaxed;   /* routes of several AS are used together if their paths are of one length */
    bool preserves; /* peers are told that packets are forwarded during a restart */
    uint32_t coalesce_ms;    /* 0: FRR's default */
    struct prefix *networks; /* announced; sorted, each once */
    size_t n_networks, networks_capacity;
    struct bgp_aggregate *aggregates; /* sorted by prefix, each once */
    size_t n_aggregates, aggregates_capacity;
    struct bgp_peer *peers; /* sorted by address */
    size_t n_peers, peers_capacity;

    /* of a wanted one, or of a seen one as far as descriptions tell; else "" */
    const char *tenant, *network;

    /* only of a seen one */
    bool ours;
    struct bgp_extra *extras;
    size_t n_extras, extras_capacity;
};

/* Timers of BFD, a profile of bfdd. Its name says what it should hold: "routerd-300x3". */
struct bgp_bfd_profile {
    const char *name;
    uint32_t transmit_ms, receive_ms, multiplier;
    bool odd; /* only of a seen one: it holds other settings, too */
};

struct bgp_state {
    struct arena *arena;
    unsigned int refs;
    /* What it was put together from and points into; a reference to each. */
    struct bgp_state **parts;
    size_t n_parts, parts_capacity;
    /* Only of a part that was read from a block of a text (bgp_config.h). */
    uint64_t key;    /* a digest of the text */
    bool datacenter; /* after it FRR's defaults are the datacenter's */
    /* Of a seen state: a sum over the lines that concern us, whatever their order. Equal texts have
     * equal ones; to be compared within one process or with another state of it. */
    uint64_t fingerprint;
    struct bgp_instance *instances; /* sorted by network_id */
    size_t n_instances, instances_capacity;
    struct bgp_policy **policies; /* sorted by bgp_policy_cmp(), then by name */
    size_t n_policies, policies_capacity;
    struct bgp_bfd_profile *bfds; /* sorted by name; wanted, or seen in bfdd's configuration */
    size_t n_bfds, bfds_capacity;
};

/* Lines while they are put together, in an arena; start from {.arena = ..., .text = ""}. */
struct bgp_text {
    struct arena *arena;
    const char *text;
    size_t len, capacity;
};

/* Appends a line and a newline. */
void bgp_text_add(struct bgp_text *text, const char *line);

/* Whether the text begins so. */
bool bgp_starts(const char *text, const char *head);

struct bgp_state *bgp_state_new(void); /* one reference, the caller's */
struct bgp_state *bgp_state_ref(struct bgp_state *state);
/* Drops a reference; null is fine. */
void bgp_state_free(struct bgp_state *state);
/* Makes it point into `part`, whose reference is taken. */
void bgp_state_add_part(struct bgp_state *state, struct bgp_state *part);
/* Makes room for all that its parts hold. */
void bgp_state_make_room(struct bgp_state *state);

/* Sorts everything: each instance's own, then the rest. Call them once all has been added, before
 * anything below. */
void bgp_instance_sort(struct bgp_instance *instance);
void bgp_state_sort(struct bgp_state *state);

const struct bgp_instance *bgp_state_find(const struct bgp_state *state, uint32_t network_id);
const struct bgp_peer *bgp_instance_find(const struct bgp_instance *instance,
                                         const struct addr *address);
/* Where the first policy that says the same is, or would be. */
size_t bgp_state_policy_slot(const struct bgp_state *state, const struct bgp_policy *policy);
/* The first policy that says the same, or null. */
const struct bgp_policy *bgp_state_find_policy(const struct bgp_state *state,
                                               const struct bgp_policy *policy);

/* The profile of that name, or null. */
const struct bgp_bfd_profile *bgp_state_find_bfd(const struct bgp_state *state, const char *name);
/* Adds one, for bgp_state_sort() to sort; the same once more is dropped there. */
struct bgp_bfd_profile *bgp_state_add_bfd(struct bgp_state *state, const char *name);
/* "routerd-300x3", in the arena. */
const char *bgp_bfd_name(struct arena *arena, uint32_t interval_ms, uint32_t multiplier);

/* Whether a map lets only some routes pass. */
bool bgp_policy_restricts(const struct bgp_policy *map);
/* AF_INET or AF_INET6 of an index into families, and back. */
int bgp_family_of(size_t index);
size_t bgp_family_index(int family);

/* Order by meaning: kind, digest, body, lists. */
int bgp_policy_cmp(const struct bgp_policy *a, const struct bgp_policy *b);
/* Fills in the digest. It is the same in every process: names are made of it. */
void bgp_policy_seal(struct bgp_policy *policy);
/* A rule of a prefix list in canonical form, without newline, into `line`. Equal meanings give
 * equal lines: "le" of the longest possible, "ge" of the prefix's own length and the "any" of the
 * command line are never in it. */
const char *bgp_rule_print(bool permit, const struct prefix *prefix, uint8_t ge, uint8_t le,
                           char line[BGP_LINE_BYTES]);

#endif
