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
    BGP_CONNECT_S = 5,       /* between two attempts to connect; FRR's default is 120 s */
    BGP_RESTART_MIN = 5,     /* after a peer announced too much */
    BGP_PASSWORD_BYTES = 80, /* TCP_MD5SIG_MAXKEYLEN, tcp(7) */
    BGP_LINE_BYTES = 256,
};

#define BGP_POLICY_MARK "routerd-"

enum bgp_policy_kind {
    BGP_PREFIXES_IPV4, /* ip prefix-list */
    BGP_PREFIXES_IPV6, /* ipv6 prefix-list */
    BGP_SETTINGS,      /* a route map of one entry that matches all and sets attributes */
};

/* A filter or a route map, by what it says. `body` is its lines in one canonical form, each ended
 * by a newline: "permit 10.0.0.0/8 le 24", "set metric 50". Order counts. What we never write is in
 * it as it was read, and so is unlike any of ours. */
struct bgp_policy {
    enum bgp_policy_kind kind;
    const char *name; /* null in a wanted state: its name depends on what is there */
    const char *body;
    uint64_t digest; /* of kind and body; equal bodies have equal digests, not the other way */
    bool missing;    /* only of a seen one: a peer refers to it, but there is none of that name */
};

/* A line that we never write, in an instance of ours. `section` is its address family's line
 * ("address-family ipv4 unicast"), or "". */
struct bgp_extra {
    const char *section;
    const char *line;
};

enum bgp_password { BGP_PASSWORD_NONE, BGP_PASSWORD_SET, BGP_PASSWORD_UNREADABLE };

struct bgp_peer {
    struct addr address;
    uint32_t asn;
    const char *description; /* "bio/genome/peer/aws"; "" if it has none */
    enum bgp_password password;
    uint64_t password_digest;     /* of BGP_PASSWORD_SET */
    uint16_t keepalive_s, hold_s; /* 0: FRR's default */
    uint16_t connect_s;
    uint32_t max_prefixes; /* 0: no limit */
    uint32_t restart_min;
    bool active;                       /* its own address family is negotiated */
    const struct bgp_policy *in, *out; /* null: none of ours */
    const struct bgp_policy *settings; /* of what it is told; null: none */

    /* only of a wanted peer */
    const struct peer *peer;
    const char *password_problem; /* of BGP_PASSWORD_UNREADABLE: a sentence */

    /* only of a seen one */
    const char *out_map; /* the route map that it has, ours or not; null: none */
    struct bgp_extra *extras;
    size_t n_extras, extras_capacity;
};

struct bgp_instance {
    uint32_t network_id; /* its VRF is ids_vrf_name() of it */
    uint32_t asn;
    struct addr router_id;
    bool plain;     /* IPv4 is not negotiated unasked: "no bgp default ipv4-unicast" */
    bool unchecked; /* networks are announced whatever zebra says: "no bgp network import-check" */
    bool logs;      /* "bgp log-neighbor-changes" */
    uint32_t coalesce_ms;    /* 0: FRR's default */
    struct prefix *networks; /* announced; sorted, each once */
    size_t n_networks, networks_capacity;
    struct bgp_peer *peers; /* sorted by address */
    size_t n_peers, peers_capacity;

    /* of a wanted one, or of a seen one as far as descriptions tell; else "" */
    const char *tenant, *network;

    /* only of a seen one */
    bool ours;
    struct bgp_extra *extras;
    size_t n_extras, extras_capacity;
};

struct bgp_state {
    struct arena *arena;
    /* Of a seen state: a sum over the lines that concern us, whatever their order. Equal texts have
     * equal ones; to be compared within one process or with another state of it. */
    uint64_t fingerprint;
    struct bgp_instance *instances; /* sorted by network_id */
    size_t n_instances, instances_capacity;
    struct bgp_policy **policies; /* sorted by bgp_policy_cmp(), then by name */
    size_t n_policies, policies_capacity;
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

struct bgp_state *bgp_state_new(void);
void bgp_state_free(struct bgp_state *state); /* null is fine */

/* Sorts everything. Call it once all has been added, before anything below. */
void bgp_state_finish(struct bgp_state *state);

const struct bgp_instance *bgp_state_find(const struct bgp_state *state, uint32_t network_id);
const struct bgp_peer *bgp_instance_find(const struct bgp_instance *instance,
                                         const struct addr *address);
/* The first policy that says the same, or null. */
const struct bgp_policy *bgp_state_find_policy(const struct bgp_state *state,
                                               const struct bgp_policy *policy);

/* Order by meaning: kind, digest, body. */
int bgp_policy_cmp(const struct bgp_policy *a, const struct bgp_policy *b);
/* Fills in the digest. It is the same in every process: names are made of it. */
void bgp_policy_seal(struct bgp_policy *policy);
/* A rule of a prefix list in canonical form, without newline, into `line`. Equal meanings give
 * equal lines: "le" of the longest possible, "ge" of the prefix's own length and the "any" of the
 * command line are never in it. */
const char *bgp_rule_print(bool permit, const struct prefix *prefix, uint8_t ge, uint8_t le,
                           char line[BGP_LINE_BYTES]);

#endif
