/* profile.h - a cloud's settings as data.
 *
 * A profile is one YAML file, NAME.yaml, under configs/profiles/. The shipped ones are compiled
 * into routerd and a file of the same name in the configured directory takes their place; a file of
 * a new name is a new cloud. A topology refers to it by name and may override parts of it. */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include "model/doc.h"

#include <stdint.h>

struct profile {
    const char *name;
    const char *source; /* where the numbers are from, with the date */
    /* IKE and ESP (RFC 7296); proposals in swanctl.conf(5) syntax */
    const char **ike_proposals;
    size_t n_ike_proposals;
    const char **esp_proposals;
    size_t n_esp_proposals;
    uint32_t ike_lifetime_s;   /* rekey time of the IKE SA */
    uint32_t child_lifetime_s; /* rekey time of the child SA */
    uint32_t dpd_delay_s;
    uint16_t mtu; /* of the tunnel interface, bytes */
    /* BGP (RFC 4271) */
    uint16_t keepalive_s, hold_s;
    uint32_t max_prefixes; /* accepted from a peer that says nothing else, each family */
    bool has_links; /* all of the above; else it only tells of the cloud's subnets, for pools */
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
/* Borrowed, or null. Those without has_links are of no use to tunnels and peers. */
const struct profile *profiles_find(const struct profiles *profiles, const char *name);

#endif
