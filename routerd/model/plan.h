/* plan.h - the steps from what is seen to what is wanted.
 *
 * Backends add steps (each backend's X_diff.c, pure), the engine sorts them by phase and carries
 * them out, the API shows them. A plan owns one arena with all that its steps point to, the
 * backends' private data too. A step is about one object of one tenant, and is what people read in
 * `routerctl plan`. */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include "model/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum step_action { STEP_CREATE, STEP_UPDATE, STEP_DELETE };

/* The order across backends: all deletions, from what stands on others down to what is stood on,
 * then all creations the other way round. A phase starts when every step of the earlier ones is
 * done, has failed or is not ready. Updates go with the phase that suits them. */
enum plan_phase {
    PHASE_DHCP_DELETE,  /* servers on segments */
    PHASE_BGP_DELETE,   /* sessions, instances */
    PHASE_IPSEC_DELETE, /* SAs, connections */
    PHASE_NET_DELETE,   /* addresses, routes, xfrm interfaces, VRFs */
    PHASE_BGP_PURGE,    /* FRR's memory of VRFs that are gone */
    PHASE_OVS_DELETE,   /* ports, bridges */
    PHASE_NFT,          /* the packet filter: of what has gone, and for what is to come */
    PHASE_OVS_CREATE,
    PHASE_NET_CREATE,
    PHASE_IPSEC_CREATE,
    PHASE_BFD_CREATE, /* what BGP's sessions refer to */
    PHASE_BGP_CREATE,
    PHASE_BFD_DELETE, /* what they referred to */
    PHASE_DHCP_CREATE,
    N_PHASES
};

enum step_result {
    STEP_TODO,    /* not handed to its backend yet */
    STEP_RUNNING, /* the backend works on it and will set one of the following, by its own deadline
                   */
    STEP_DONE,    /* carried out and accepted; whether it took effect is seen by the next diff */
    STEP_NOT_READY, /* something that it stands on is missing yet; reason says what */
    STEP_FAILED,    /* refused; reason says what and, if possible, the remedy */
};

struct step {
    const char *backend; /* "ovs", "net", "nft", "ipsec", "bgp", "dhcp" */
    enum plan_phase phase;
    enum step_action action;
    const char *tenant;
    const char *object;  /* "genome/peer/aws" */
    bool disruptive;     /* traffic of this object is interrupted */
    const char *summary; /* one line for people, before and after where it is an update */
    void *data;          /* the backend's own, in the plan's arena */
    enum step_result result;
    const char *reason; /* in the plan's arena; set with STEP_NOT_READY and STEP_FAILED */
    const char *drift;  /* the engine's: who else has changed what it mends; null: asked for */
};

struct plan {
    struct arena *arena;
    struct step **steps;
    size_t n_steps, capacity;
    struct plan_names {
        const char **v;
        size_t n, capacity;
    } remade, withheld; /* interfaces; see plan_remake() and plan_withhold() */
};

struct plan *plan_new(void);
void plan_free(struct plan *plan);
/* Adds a step (zeroed but for the arguments; strings are copied) and returns it, borrowed; set
 * summary, data and disruptive on it. */
struct step *plan_add(struct plan *plan, const char *backend, enum plan_phase phase,
                      enum step_action action, const char *tenant, const char *object);
/* Says that a step takes an interface away and makes another of its name, so that nothing stays of
 * what was set on it: for backends whose objects stand on it and whose steps are added later. */
void plan_remake(struct plan *plan, const char *interface);
bool plan_remakes(const struct plan *plan, const char *interface);
/* Says that an interface is others', which cannot be seen by the interface itself: for the same
 * backends, so that they leave it alone. */
void plan_withhold(struct plan *plan, const char *interface);
bool plan_withholds(const struct plan *plan, const char *interface);
/* Stable sort by phase. */
void plan_sort(struct plan *plan);

struct plan_counts {
    size_t create, update, delete, disruptive;
};
struct plan_counts plan_count(const struct plan *plan);
const char *step_action_name(enum step_action action); /* "create", ... */
/* Sets a result with a reason; STEP_DONE has none (format null). */
void step_finish(struct plan *plan, struct step *step, enum step_result result, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

#endif
