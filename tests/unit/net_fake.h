/* net_fake.h - a kernel in memory, and intended states from short texts, for the tests of net/.
 *
 * The fake carries out the operations of steps as the kernel does, with what the kernel does beside
 * (addresses and routes that go with a link set down), and fails the test where that would touch
 * what is not ours, or let packets of a network out of its VRF. */
#ifndef NET_FAKE_H
#define NET_FAKE_H

#include "chance.h"

#include "model/ids.h"
#include "model/intended.h"
#include "net/net_change.h"

#include <stdio.h>

struct net_fake {
    struct net_state now; /* what is there: change it freely by the functions below */
    int next_index;
    struct net_wanted wanted; /* kept from plan to plan, as by the backend */
};

void net_fake_init(struct net_fake *fake);
void net_fake_done(struct net_fake *fake);

struct net_link *net_fake_add(struct net_fake *fake, const char *name, const char *type);
/* The routed uplink `wan` with 203.0.113.1/24 and the host's default route via 203.0.113.254. */
struct net_link *net_fake_add_uplink(struct net_fake *fake);
void net_fake_down(struct net_fake *fake, struct net_link *link);
/* With what it takes along: routes through it, and who was in it if it is a VRF. */
void net_fake_delete(struct net_fake *fake, struct net_link *link);
void net_fake_drop_addr(struct net_fake *fake, struct net_link *link, const struct prefix *prefix);

/* Adds the steps from what is there to the intended state. */
void net_fake_add_steps(struct net_fake *fake, const struct intended *intended, struct plan *plan);
/* A plan of them, sorted. */
struct plan *net_fake_plan(struct net_fake *fake, const struct intended *intended);
/* Carries out steps of one phase and sets their results, as the backend's apply() does. */
void net_fake_carry_out(struct net_fake *fake, struct plan *plan, struct step **steps, size_t n);
/* Carries out a plan; between deleting and creating Open vSwitch makes the ports of the wanted
 * segments and removes others. Returns how many steps could not be carried out (an obstacle, or
 * what they wait for is missing). */
size_t net_fake_apply(struct net_fake *fake, const struct intended *intended, struct plan *plan);
/* Both. Returns the number of steps. */
size_t net_fake_pass(struct net_fake *fake, const struct intended *intended);
/* All that is there as lines of text, without indexes; malloc()ed. */
char *net_fake_text(struct net_fake *fake);

/* An intended state in which each tenant has the networks of a YAML list ("- name: ..."); null:
 * none. `ids` remembers the numbers from one state to the next. One reference, the caller's. */
struct intended *net_fake_intended(struct ids *ids, const char *bio, const char *geo);

/* A copy of `base`, whose reference it takes, in which one tenant has other networks. */
struct intended *net_fake_with(struct intended *base, struct ids *ids, const char *tenant,
                               const char *networks);

/* Writes what a network has besides its name: the lines of its YAML after "- name: n2". */
typedef void net_fake_writer(FILE *out, struct chance *chance, unsigned int tenant,
                             unsigned int number);
/* Likewise, of tenants with so many networks at the most, each there or not by chance. */
struct intended *net_fake_random(struct ids *ids, struct chance *chance, unsigned int networks,
                                 net_fake_writer *write);

#endif
