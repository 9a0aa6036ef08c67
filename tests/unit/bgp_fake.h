/* bgp_fake.h - a bgpd in memory that takes FRR's commands and prints a running configuration, and
 * intended states from short texts, for the tests of bgp/.
 *
 * It knows the commands that bgp/ sends, in which node they are taken, and which line replaces
 * which. It fails the test where routes could pass unfiltered: a peer that is activated before it
 * has both filters, a filter that is changed or dropped while a peer refers to it. */
#ifndef UNIT_BGP_FAKE_H
#define UNIT_BGP_FAKE_H

#include "bgp/bgp_diff.h"
#include "model/ids.h"
#include "model/tenant_parts.h"

struct bgp_fake {
    char **lines; /* the configuration, each as BLOCK "|" SECTION "|" LINE; in order of making */
    size_t n_lines, capacity;
    char block[128], section[64]; /* where the vty is; block "": the configuration node */
    bool configuring;
    char *log; /* the commands of the last apply, one a line */
    size_t n_commands;
    struct bgp_state *seen; /* the configuration as it was read last; null: never */
    struct tenant_parts wanted_parts;
};

void bgp_fake_init(struct bgp_fake *fake);
void bgp_fake_done(struct bgp_fake *fake);

/* One command, as typed; whether it is accepted. */
bool bgp_fake_type(struct bgp_fake *fake, const char *command);
/* Several, one a line; all must be accepted. */
void bgp_fake_type_all(struct bgp_fake *fake, const char *commands);
/* The running configuration; malloc()ed. */
char *bgp_fake_config(const struct bgp_fake *fake);
/* That of what is not in a VRF of ours and not a policy of ours. */
char *bgp_fake_foreign(const struct bgp_fake *fake);

/* Adds the steps from what is there to the intended state. The secret NAME is "pw-NAME"; one whose
 * name begins with "no" cannot be read. */
void bgp_fake_add_steps(struct bgp_fake *fake, const struct intended *intended, struct plan *plan);
/* A plan of them, sorted. */
struct plan *bgp_fake_plan(struct bgp_fake *fake, const struct intended *intended);
/* Carries out steps, phase by phase, as bgp_apply.c does, and sets their results. */
void bgp_fake_carry_out(struct bgp_fake *fake, struct step **steps, size_t n);
/* All steps of a sorted plan. Returns how many failed. */
size_t bgp_fake_apply(struct bgp_fake *fake, struct plan *plan);
/* Both; the difference after it must be empty but for the steps that failed. Returns the number of
 * steps. */
size_t bgp_fake_pass(struct bgp_fake *fake, const struct intended *intended);
/* The steps, one a line: "create bio/genome/peer/aws: SUMMARY", "!" before the colon if disruptive;
 * malloc()ed. */
char *bgp_fake_steps(const struct plan *plan);

/* An intended state in which each tenant has the networks of a YAML list ("- name: ..."); null:
 * none. `ids` remembers the numbers from one state to the next. One reference, the caller's. Two at
 * a time share one configuration: end with bgp_fake_world_done(). */
struct intended *bgp_fake_intended(struct ids *ids, const char *bio, const char *phys);
void bgp_fake_world_done(void);
/* Another one, in which a tenant has other networks. One reference, the caller's. */
struct intended *bgp_fake_change(const struct intended *base, struct ids *ids, const char *tenant,
                                 const char *networks);
/* What is wanted, all of it made now. */
struct bgp_state *bgp_fake_want(const struct intended *intended);

#endif
