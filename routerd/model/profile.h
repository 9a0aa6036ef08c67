/* profile.h - a cloud's settings as data.
 *
 * A profile is one YAML file, NAME.yaml, under configs/profiles/. The shipped ones are compiled
 * into routerd and a file of the same name in the configured directory takes their place; a file of
 * a new name is a new cloud. A topology refers to it by name and may override parts of it. Here are
 * the settings and the set of profiles; profile_yaml.c reads a file, and whether a topology keeps a
 * cloud's rules is topology_check_clouds.c's to say. router-profile(5) describes the keys. */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include "model/doc.h"

#include <stdint.h>

enum { PROFILE_IKEV1 = 1, PROFILE_IKEV2 = 2 };

/* What a cloud says to MD5 on its BGP sessions (RFC 2385). */
enum profile_password {
    PROFILE_PASSWORD_ALLOWED,
    PROFILE_PASSWORD_REQUIRED,
    PROFILE_PASSWORD_NONE,
};

/* What is known of the cloud's BFD (RFC 5880). */
enum profile_bfd {
    PROFILE_BFD_UNKNOWN, /* nothing: the timers are ours */
    PROFILE_BFD_YES,
    PROFILE_BFD_NONE, /* it has none, so a session would only be down */
};

/* What a cloud takes as a pre-shared key; all zero: anything. */
struct profile_psk {
    uint32_t min, max;      /* bytes; max 0: no limit */
    const char *characters; /* such as "a-zA-Z0-9._"; null: any */
    const char *not_first;  /* characters that it may not begin with; null: any may */
};

struct profile_asns {
    uint32_t first, last;
};

struct profile {
    const char *name;
    const char *cloud; /* whose rules these are, for sentences: "AWS"; the name if it is not said */
    const char *source; /* where the numbers are from */
    const char *date;   /* when they were read there; null: not said */

    /* IKE and ESP (RFC 7296, RFC 2409); proposals in swanctl.conf(5) syntax. Only if has_ipsec. */
    bool has_ipsec;
    uint8_t ike_version; /* PROFILE_IKEV1 or PROFILE_IKEV2 */
    bool legacy;         /* it needs what is no longer safe: the tunnel must say so too */
    bool nat_forced;     /* UDP encapsulation even where no NAT is seen */
    const char **ike_proposals;
    size_t n_ike_proposals;
    const char **esp_proposals;
    size_t n_esp_proposals;
    /* Offered after the others by a tunnel that says `legacy: true`; mostly none. */
    const char **ike_legacy_proposals;
    size_t n_ike_legacy_proposals;
    const char **esp_legacy_proposals;
    size_t n_esp_legacy_proposals;
    uint32_t ike_lifetime_s;   /* rekey time of the IKE SA */
    uint32_t child_lifetime_s; /* rekey time of the child SA */
    uint32_t dpd_delay_s;
    uint32_t dpd_timeout_s; /* of IKEv1; 0: charon's */
    uint32_t replay_window; /* packets; 0: no check */
    struct profile_psk psk;

    /* Both of tunnels and of segments (what a cloud's VLAN carries). Bytes. */
    uint16_t mtu;     /* of the interface; 0: computed (tunnels) or not limited (segments) */
    uint16_t mtu_max; /* the topology may not ask for more; 0: no limit */
    uint16_t mss;     /* of TCP in IPv4 through a tunnel; 0: computed */

    /* The subnet of both ends of a tunnel, or of a peer on a segment. */
    struct prefix *inside_within; /* one of these must hold the subnet; none: any */
    size_t n_inside_within;
    struct prefix *inside_except; /* none of these may overlap it */
    size_t n_inside_except;
    uint8_t *inside_lengths; /* allowed prefix lengths: up to 32 for IPv4, others for IPv6; of a
                                family without any, all are */
    size_t n_inside_lengths;

    /* BGP (RFC 4271). Only if has_bgp. */
    bool has_bgp;
    uint16_t keepalive_s, hold_s;
    uint16_t hold_min_s;       /* the cloud refuses less; at least 3 */
    uint32_t max_prefixes;     /* accepted from a peer that says nothing else, each family */
    uint32_t max_prefixes_out; /* the cloud ends a session with more, each family; 0: no limit */
    enum profile_bfd bfd;
    uint16_t bfd_interval_ms, bfd_interval_min_ms; /* set whatever `bfd` says */
    uint8_t bfd_multiplier, bfd_multiplier_min;
    bool graceful_restart;     /* false: not together with BFD (RFC 4724) */
    struct profile_asns *asns; /* one of these is the peer's; none: any */
    size_t n_asns;
    struct profile_asns *not_asns; /* the network itself may have none of these */
    size_t n_not_asns;
    enum profile_password password;

    bool outer_vlan; /* its VLANs come inside of another (Q-in-Q): every attachment must name it */

    /* addresses that the cloud keeps of each of its subnets */
    bool has_reserved;
    uint32_t reserved_first, reserved_last;
};

struct profiles; /* a set of them by name */

struct profiles *profiles_new(void);
void profiles_free(struct profiles *profiles);
/* Parses one profile file and adds it, in place of one of the same name. False with errors added.
 */
bool profiles_add(struct profiles *profiles, const char *name, const char *text, size_t len,
                  struct errors *errors);
/* Adds those that were compiled in; they are known to be right (tested). */
void profiles_add_builtin(struct profiles *profiles);
/* Borrowed, or null. Tunnels need one with has_ipsec, peers one with has_bgp, a pool's `provider`
 * one with has_reserved. */
const struct profile *profiles_find(const struct profiles *profiles, const char *name);

enum { PROFILE_FAULT_TEXT = 192 };
/* Why the cloud refuses the pre-shared key, as a sentence that begins with the profile's name and
 * holds nothing of the key, in `buffer`; null if it takes it. */
const char *profile_psk_fault(const char *profile, const struct profile_psk *rule, const char *psk,
                              size_t len, char buffer[PROFILE_FAULT_TEXT]);

#endif
