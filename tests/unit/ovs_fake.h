/* ovs_fake.h - an Open vSwitch in memory, and intended states from a few words, for the tests of
 * ovs/.
 *
 * The fake carries out the operations of steps as ovs_io_rows.c does with rows, and fails the test
 * where that would touch what is not ours. */
#ifndef OVS_FAKE_H
#define OVS_FAKE_H

#include "ovs/ovs_state.h"

/* The configuration of the tests: trunks sinet (ens4 on br-sinet, mtu 9000) and lab (ens5 on
 * br-lab, mtu 1500), a routed wan, tenants bio and geo. Freed with config_free(). */
struct config *ovs_fake_config(void);

/* An intended state for tenants bio and geo; each text is one tenant's segments, of network "net":
 * "a=sinet:1001 b=sinet:1002+lab:7" are segment a with one attachment and b with two;
 * "c@1400%99=sinet:7.5+lab:7.6q" has an mtu, a mac_limit, outer VLANs 7 and, as 802.1Q, 7.
 * "d=lab:7!50" has a broadcast_limit. Null: none. `ids` remembers the numbers from one state to the
 * next. One reference, the caller's. */
struct intended *ovs_fake_intended(const struct config *config, struct ids *ids, const char *bio,
                                   const char *geo);

/* A copy of `base` in which the tenant has these segments. One reference, the caller's. */
struct intended *ovs_fake_with(const struct intended *base, struct ids *ids, const char *tenant,
                               const char *segments);
/* Some of the segments s0..s9, with attachments by chance; each has a VLAN of its own, from `vlan`
 * on. malloc()ed, maybe "". */
char *ovs_fake_segments(unsigned int *seed, unsigned int vlan);
/* By chance, less than n. */
unsigned int ovs_fake_roll(unsigned int *seed, unsigned int n);

/* What is there is `now`: change it freely, then take a look. */
struct ovs_fake {
    struct ovs_state *now;    /* never indexed */
    struct tenant_parts kept; /* of what is wanted, from one plan to the next */
};

void ovs_fake_init(struct ovs_fake *fake);
void ovs_fake_done(struct ovs_fake *fake);
/* What the backend would see; freed with ovs_state_free(). Every port has been made. */
struct ovs_state *ovs_fake_look(const struct ovs_fake *fake);
struct ovs_bridge *ovs_fake_bridge(struct ovs_fake *fake, const char *name); /* or null */
struct ovs_port *ovs_fake_port(struct ovs_fake *fake, const char *name);
/* Carries out steps in order and sets their results, as the backend's apply() does. */
void ovs_fake_carry_out(struct ovs_fake *fake, struct plan *plan, struct step **steps, size_t n);
/* All steps of a plan. Blocked ones are left out; returns how many were. */
size_t ovs_fake_apply(struct ovs_fake *fake, struct plan *plan);
/* Adds the steps from what is there to the intended state. */
void ovs_fake_add_steps(struct ovs_fake *fake, const struct intended *intended, struct plan *plan);
/* A plan of them, sorted. */
struct plan *ovs_fake_plan(struct ovs_fake *fake, const struct intended *intended);
/* All that is there as sorted lines of text; malloc()ed. */
char *ovs_fake_text(const struct ovs_fake *fake);

#endif
