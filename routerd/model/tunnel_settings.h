/* tunnel_settings.h - what of a tunnel a profile says and a topology may say otherwise.
 *
 * A topology's keys win over the profile's, each for itself. Pure. */
#ifndef MODEL_TUNNEL_SETTINGS_H
#define MODEL_TUNNEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tunnel_settings {
    const char **ike_proposals; /* swanctl.conf(5); null: not said */
    size_t n_ike_proposals;
    const char **esp_proposals;
    size_t n_esp_proposals;
    /* offered after those; tunnel_settings() takes them from the profile of a legacy tunnel */
    const char **ike_more, **esp_more;
    size_t n_ike_more, n_esp_more;
    /* 0: not said, in all of these */
    uint8_t ike_version;       /* 1 or 2 */
    uint32_t ike_lifetime_s;   /* rekey time of the IKE SA */
    uint32_t child_lifetime_s; /* rekey time of the child SA */
    uint32_t dpd_delay_s;      /* dead peer detection, RFC 3706 and RFC 7296, 2.4 */
    uint32_t replay_window;    /* packets, RFC 4303, 3.4.3 */
    uint16_t mtu;              /* of the tunnel's interface, bytes */
    uint16_t mss;              /* of TCP over IPv4, bytes */
    /* ESP in UDP (RFC 3948) always; else where a NAT is found on the way */
    bool has_nat_traversal, force_nat_traversal;
};

struct tunnel;
struct profile;

/* What holds for the tunnel: all is said (a replay window of 0 is none) but mtu and mss, which may
 * stay 0 (tunnel_mtu.h). Its profile must be resolved. Lists are borrowed from the two. */
struct tunnel_settings tunnel_settings(const struct tunnel *tunnel);

/* The files among the secrets that a certificate tunnel is made of. */
enum tunnel_file { TUNNEL_CERTIFICATE, TUNNEL_KEY, TUNNEL_CA, TUNNEL_CRL };

/* What is put behind the name to get the file's, the first that is there counts: of number `i` from
 * 0, null at the end. A key that has no file of its own lies in the certificate's. */
const char *tunnel_file_suffix(enum tunnel_file file, size_t i);

#endif
