/* walk_world.h - a whole router in memory: the engine's own passes (engine_pass.c) over the real
 * differences of all backends, which are carried out on the fakes. Open vSwitch's fake makes and
 * takes away the interfaces that the kernel's has, and what the kernel has is what dhcp/ sees.
 *
 * What others own is there, too, and shows in the text. */
#ifndef UNIT_WALK_WORLD_H
#define UNIT_WALK_WORLD_H

#include "bgp_fake.h"
#include "dhcp_fake.h"
#include "engine/engine_internal.h" /* no other way leads to a pass without a store */
#include "ipsec_fake.h"
#include "net_fake.h"
#include "nft_fake.h"
#include "ovs_fake.h"

enum { WALK_BACKENDS = 6, WALK_PORTS = 128 };

/* A step that was handed to its backend. */
struct walk_step {
    char *text; /* as walk_plan_lines() has it */
    char *tenant, *object;
    bool disruptive;
    bool drift; /* taken for what somebody else has done */
    enum step_result result;
    unsigned int pass;
};

struct walk_world {
    const struct topology_world *setting; /* configuration and profiles; borrowed */
    struct engine engine;
    struct walk_backend {
        struct backend up;
        struct walk_world *world;
        unsigned int number;
    } backends[WALK_BACKENDS];
    struct ovs_fake ovs;
    struct net_fake net;
    struct nft_fake nft;
    struct ipsec_fake ipsec;
    struct bgp_fake bgp;
    struct dhcp_fake dhcp;
    struct { /* where Open vSwitch has the interfaces of segments */
        char name[IFNAME_TEXT], bridge[IFNAME_TEXT];
    } ports[WALK_PORTS];
    size_t n_ports;
    struct {                  /* what comes into force in the middle of a plan */
        unsigned int applies; /* 0: nothing */
        const char *tenant;
        struct intended *intended;
        struct ids ids;
    } next;
    struct walk_step *steps; /* that were carried out since walk_world_forget() */
    size_t n_steps;
};

void walk_world_init(struct walk_world *world, const struct topology_world *setting);
void walk_world_done(struct walk_world *world);

/* What would be intended were the text the tenant's topology, which must be without fault; one
 * reference, the caller's, who ends *ret_ids with ids_done(). */
struct intended *walk_world_candidate(const struct walk_world *world, const char *tenant,
                                      const char *text, struct ids *ret_ids);
/* Puts it in force, as the tenant's or, if null, as everybody's change; takes both. */
void walk_world_put(struct walk_world *world, const char *tenant, struct intended *intended,
                    const struct ids *ids);
/* Likewise, but only once as many times steps have been handed out, of which the last are carried
 * out in part; by walk_world_run() at the latest. */
void walk_world_supersede(struct walk_world *world, unsigned int applies, const char *tenant,
                          struct intended *intended, const struct ids *ids);
/* Passes, until one finds nothing that it could do. */
void walk_world_run(struct walk_world *world);
/* Has all backends compared again: anything may have changed. */
void walk_world_look(struct walk_world *world);
/* Forgets the steps that were carried out. */
void walk_world_forget(struct walk_world *world);

/* Open vSwitch has other ports: so has the kernel. What goes must have been let go of, unless
 * somebody else did it. */
void walk_world_follow_ovs(struct walk_world *world, bool planned);

/* A plan, a step a line: "ovs create bio/n0/segment/s1: SUMMARY", "!" before the colon if
 * disruptive. One step; malloc()ed. */
char *walk_step_text(const struct step *step);
/* All that all parts hold as sorted lines, the same for all worlds that hold the same; malloc()ed.
 */
char *walk_world_text(const struct walk_world *world);

#endif
