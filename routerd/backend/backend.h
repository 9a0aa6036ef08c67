/* backend.h - the shape that ovs, net, ipsec and bgp share.
 *
 * A backend makes one part of the router hold what the intended state says. It never remembers what
 * it was asked: it watches the real thing, and every pass compares wanted with seen (X_want.c and
 * X_diff.c, pure) and changes the real thing by the steps of that difference (X_io.c). So starting,
 * repairing and changing are the same code. It touches only objects that carry routerd's mark; all
 * others are foreign and stay.
 *
 * All hooks are called on the engine's thread and none blocks longer than a few milliseconds (a
 * large netlink batch aside): what takes longer goes on in run(). The thread sleeps in
 * libopenvswitch's poll_block(); wait() registers what should wake it (poll_fd_wait,
 * poll_timer_wait_until, poll_immediate_wake).
 *
 * The life of a step: diff() adds it; the engine calls apply() with all of this backend's steps of
 * one phase; apply() sets each step's result at once or leaves it STEP_RUNNING and finishes it from
 * run(), by the backend's own deadline (BACKEND_DEADLINE_MS unless it says why another). The plan
 * outlives its running steps. After them the engine takes a new diff: an empty one means that it
 * took effect. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "model/config.h"
#include "model/intended.h"
#include "model/plan.h"
#include "model/status.h"

#include <stdbool.h>
#include <stdio.h>

enum { BACKEND_DEADLINE_MS = 10000 };

struct backend {
    const struct backend_class *class;
};

enum backend_health {
    BACKEND_OPENING, /* connecting, first listing under way: too early to say */
    BACKEND_READY,   /* what it holds is known: diff() may be called */
    BACKEND_AWAY,    /* does not answer; it is tried again by itself */
};

/* Writes one route of a VRF as the API shows it. Strings are borrowed for the call. */
struct backend_route {
    const char *prefix, *via, *interface, *protocol; /* via and interface may be "" */
    bool selected;
};
typedef void backend_route_cb(const struct backend_route *route, void *aux);

/* A living node, as it is stored or just being stored; borrowed for the call. */
struct backend_node {
    const char *name, *pool;
    const struct addr *addresses; /* two, IPv4 first; one without family: none */
    bool has_mac;
    const uint8_t *mac; /* six bytes */
};
typedef void backend_node_cb(const struct backend_node *node, void *aux);

/* The nodes of all networks, for a backend that serves them. They come and go by the thousand, so
 * they are no part of the intended state and no steps of a plan: the backend looks at the serials
 * in its run() and keeps up by itself, in batches. */
struct backend_nodes {
    /* False while they are being read: nothing may be concluded from what is not there. */
    bool (*ready)(const struct backend_nodes *nodes);
    /* The topologies in force, which the nodes live under; borrowed for the turn. */
    const struct intended *(*intended)(const struct backend_nodes *nodes);
    /* Another number whenever a node of any network, or of this one, has come or gone; never 0. */
    uint64_t (*serial)(const struct backend_nodes *nodes);
    uint64_t (*serial_of)(const struct backend_nodes *nodes, const char *tenant,
                          const char *network);
    /* Calls back for each node of a network, in no order. */
    void (*each)(const struct backend_nodes *nodes, const char *tenant, const char *network,
                 backend_node_cb *cb, void *aux);
};

enum backend_probe {
    PROBE_RUNNING,    /* asked a moment ago; there will be an answer within a second or so */
    PROBE_FREE,       /* nobody has answered */
    PROBE_USED,       /* somebody has */
    PROBE_IMPOSSIBLE, /* the segment is not there, so nobody can be asked */
};

/* Somebody on a segment where addresses are probed was seen to use one. */
struct backend_sighting {
    const char *tenant; /* borrowed until the next run() */
    const struct network *network;
    const struct segment *segment;
    struct addr addr;
    uint8_t mac[6];
};

struct backend_class {
    const char *name; /* "ovs", as in steps, health and logs */

    /* Makes an instance. Does not block and does not fail because the part is away: that is
     * BACKEND_AWAY. -EINVAL if the configuration cannot work. */
    int (*open)(const struct config *config, struct backend **ret_backend);
    /* Lets go of everything and changes nothing. */
    void (*close)(struct backend *backend);
    /* Takes in events, makes progress on running steps, reconnects. Returns whether the seen state,
     * the health, or the status facts changed since the last call. */
    bool (*run)(struct backend *backend);
    void (*wait)(struct backend *backend);
    /* *ret_reason, if not READY: a sentence with the place and the remedy, borrowed until the next
     * run(). If READY it is left alone, or set where something that is wanted cannot be had. */
    enum backend_health (*health)(const struct backend *backend, const char **ret_reason);
    /* Adds the steps from seen to intended, in a stable order. Pure as to the outside and to steps
     * under way: it may also be called, for a plan that is only shown, while steps are running, and
     * then describes what is seen at that moment. Only called when READY. */
    void (*diff)(struct backend *backend, const struct intended *intended, struct plan *plan);
    /* Starts to carry out `n` steps of `plan`, all of one phase and of this backend. */
    void (*apply)(struct backend *backend, struct plan *plan, struct step **steps, size_t n);
    /* Fills in this backend's facts and votes. Always called, also when away: then it votes DOWN on
     * each object that it carries, with the reason. */
    void (*status)(struct backend *backend, struct status *status);
    /* Lists the routes of a network (both families) through the callback; null where the backend
     * has none to tell. 0, or -errno. */
    int (*routes)(struct backend *backend, const struct network *network, backend_route_cb *cb,
                  void *aux);
    /* Tells, once and before the first run(), where the nodes are; borrowed for the backend's life.
     * Null where the backend has no use for them. */
    void (*take_nodes)(struct backend *backend, const struct backend_nodes *nodes);
    /* Who uses an address on a segment: asks (RFC 826, RFC 4861), unless that was done in the last
     * few seconds, and never waits; to be called again until it is not RUNNING any more. ret_mac
     * (six bytes) with PROBE_USED. Null, as the next, in all backends but one. */
    enum backend_probe (*probe)(struct backend *backend, const struct segment *segment,
                                const struct addr *addr, uint8_t *ret_mac);
    /* Takes the next sighting; false: there is none. The same may be told again and again. */
    bool (*sighting)(struct backend *backend, struct backend_sighting *ret_sighting);
};

#endif
