/* ovs_state.h - the part of Open vSwitch that concerns routerd, as values.
 *
 * Both what is wanted (ovs_want.c) and what is seen (ovs_io_see.c) have this shape, so that the
 * difference (ovs_diff.c) is a comparison. It knows no library. A state lies in one arena and is
 * filled with ovs_state_add_*(). One to be searched is closed with ovs_state_index() and only read
 * from then on. */
#ifndef OVS_OVS_STATE_H
#define OVS_OVS_STATE_H

#include "model/arena.h"
#include "model/ids.h"
#include "model/intended.h"
#include "model/plan.h"
#include "model/tenant_parts.h"

#include <stdbool.h>

#define OVS_MARK_KEY "routerd"             /* in external_ids */
#define OVS_LIMIT_KEY "routerd-vlan-limit" /* in Open_vSwitch's: the limit is ours */

enum { OVS_NO_TAG = -1, OVS_MAC_TABLE = 65536 };

/* The settings of our bridges; a bit is set when it is as we want it. */
enum ovs_setting {
    OVS_STANDALONE = 1 << 0, /* fail_mode=standalone: switches by itself */
    OVS_NO_STP = 1 << 1,     /* stp_enable=false */
    OVS_NO_RSTP = 1 << 2,    /* rstp_enable=false */
    OVS_NO_BPDU = 1 << 3,    /* other_config:forward-bpdu absent */
    OVS_NO_IN_BAND = 1 << 4, /* other_config:disable-in-band=true: no hidden flows */
    OVS_SETTINGS = (1 << 5) - 1
};

/* Whether a port adds a tag to what has one already, and of which type. */
enum ovs_service {
    OVS_NO_SERVICE,
    OVS_SERVICE_8021AD,
    OVS_SERVICE_8021Q,
};

/* Open_vSwitch's other_config:vlan-limit: how many tags are looked at. */
enum {
    OVS_LIMIT_UNSET = -1, /* 1 then */
    OVS_LIMIT_NONE = 0,
    OVS_LIMIT_SERVICE = 2, /* what Q-in-Q needs */
};

struct ovs_bridge {
    const char *name;
    const char *mark;       /* on the Bridge row; "": none */
    const char *local_mark; /* on its local Interface: a second witness */
    const char *datapath;   /* "system" or "netdev" */
    unsigned int settings;
    unsigned int macs; /* other_config:mac-table-size; 0: unset */
    bool adopt;        /* wanted: one of that name without mark does as it is */
    /* seen */
    size_t n_foreign; /* ports of others, but for its local one */
};

enum ovs_made {
    OVS_UNMADE,  /* ovs-vswitchd has not got to it yet */
    OVS_MADE,    /* it has a port number */
    OVS_REFUSED, /* error says why not */
};

struct ovs_port {
    const char *name; /* of the interface, and of the Port row unless it is a bond of others */
    const char *bridge;
    const char *mark;           /* on the Port row; "": none */
    const char *interface_mark; /* on the Interface row */
    const char *type;           /* "", "internal", "patch" */
    const char *peer;           /* of a patch; "" else */
    const char *mac;            /* asked for; "": OVS's choice */
    int tag;                    /* VLAN, or OVS_NO_TAG */
    enum ovs_service service;   /* the tag is an outer one */
    unsigned int mtu;           /* mtu_request in bytes; 0: none */
    bool plain;                 /* one interface, no trunks or cvlans, no other vlan_mode */
    bool lldp;                  /* sends LLDP */
    bool adopt;                 /* wanted: as of a bridge */
    /* seen */
    enum ovs_made made;
    const char *error; /* of OVS_REFUSED */
    bool link_down;    /* no carrier, or administratively down */
    bool admin_down;
    unsigned int link_mtu; /* of the interface itself; 0: not known */
};

/* How many packets to the broadcast address an uplink's interface lets in from a VLAN. */
struct ovs_limit {
    const char *chain; /* of the interface: "on-ens4" */
    const char *key;   /* "1001 50": VLAN and packets a second; "1001.5 50", "1001.5q 50" with an
                          outer one. Seen only: "" for a rule that is none, or for a chain without
                          any or of another kind */
    /* wanted only */
    const char *interface;
    const struct attachment *attachment;
};

/* What is wanted for one uplink or segment: a run of the state's bridges and of its ports. */
struct ovs_object {
    const char *mark;
    const char *tenant; /* "" for an uplink, which is everybody's */
    const char *object; /* "genome/segment/campus", "uplink/sinet" */
    size_t first_bridge, n_bridges;
    size_t first_port, n_ports;
};

/* Things by name: a hash table, since the names of bridges and ports are not for controllers to
 * choose. */
struct ovs_names {
    struct ovs_name {
        const char *name; /* null: free */
        const void *thing;
    } * slots;
    size_t n_slots; /* a power of two, or 0 */
};

struct ovs_state {
    struct arena *arena;
    struct ovs_bridge *bridges;
    size_t n_bridges, bridges_capacity;
    struct ovs_port *ports;
    size_t n_ports, ports_capacity;
    int vlan_limit;           /* wanted: OVS_LIMIT_SERVICE, or OVS_LIMIT_UNSET if any will do */
    bool vlan_limit_ours;     /* seen: we have set it */
    struct ovs_limit *limits; /* sorted by ovs_state_sort_limits() */
    size_t n_limits, limits_capacity;
    const char *limits_error;   /* seen: why the last attempt to set them failed, or null */
    struct ovs_object *objects; /* wanted only */
    size_t n_objects, objects_capacity;
    /* made by ovs_state_index() */
    struct ovs_names by_bridge, by_port;
};

/* Whether frames with two tags can be told apart, and what to do if not and somebody wants it so.
 */
bool ovs_limit_suffices(int vlan_limit);
#define OVS_LIMIT_REMEDY                                                                      \
    "somebody has set Open vSwitch to look at one VLAN tag, but Q-in-Q needs two: ovs-vsctl " \
    "set Open_vSwitch . other_config:vlan-limit=2"

/* FNV-1a, 32 bits. */
uint32_t ovs_hash(const char *text);

struct ovs_state *ovs_state_new(void);
void ovs_state_free(struct ovs_state *state); /* null is fine */
/* A zeroed element (a port without a tag, its strings ""); valid until the next of its kind is
 * added. */
struct ovs_bridge *ovs_state_add_bridge(struct ovs_state *state, const char *name);
struct ovs_port *ovs_state_add_port(struct ovs_state *state, const char *name);
struct ovs_object *ovs_state_add_object(struct ovs_state *state);
struct ovs_limit *ovs_state_add_limit(struct ovs_state *state, const char *chain, const char *key);
/* Adds all bridges, ports, objects and limits of another state; their texts are borrowed. */
void ovs_state_append(struct ovs_state *state, const struct ovs_state *more);
void ovs_state_sort_limits(struct ovs_state *state);
/* Makes the indexes, sorts the limits and counts foreign ports. */
void ovs_state_index(struct ovs_state *state);

const struct ovs_bridge *ovs_state_bridge(const struct ovs_state *state,
                                          const char *name); /* or null */
const struct ovs_port *ovs_state_port(const struct ovs_state *state, const char *name);
bool ovs_state_has_limit(const struct ovs_state *state, const char *chain, const char *key);
/* The mark of a thing: its own, else its Interface's; "" if it is not ours. */
const char *ovs_bridge_mark(const struct ovs_bridge *bridge);
const char *ovs_port_mark(const struct ovs_port *port);

/* What one step does, in order. Each makes sure of an end, whatever was there before. */
enum ovs_op_kind {
    OVS_OP_BRIDGE,      /* the bridge is as given */
    OVS_OP_PORT,        /* the port is as given, on the bridge given */
    OVS_OP_RETRY,       /* ovs-vswitchd tries the port again, which is as wanted */
    OVS_OP_DROP_PORT,   /* the port is gone; if it is ours */
    OVS_OP_DROP_BRIDGE, /* the bridge is gone; if it is ours and nobody else's port is on it */
    OVS_OP_LIMIT,       /* two tags are looked at, if nobody has said how many; with our mark */
    OVS_OP_DROP_LIMIT,  /* our mark is gone, and what we have set unless somebody has changed it */
};

struct ovs_op {
    enum ovs_op_kind kind;
    const struct ovs_bridge *bridge; /* in the plan's arena, likewise port */
    const struct ovs_port *port;
};

/* A step's private data. */
struct ovs_work {
    struct ovs_op *ops;
    size_t n_ops, capacity;
    const char *blocked; /* why it cannot be done, or null */
    const char *nft;     /* instead of operations: commands for nftables, or null */
};

/* What is wanted for the intended state, not indexed but for its limits. What is made of one
 * tenant's topology is kept in `kept` from one call to the next, and borrowed from there: what is
 * returned is valid until the next call with the same, or ovs_want_forget(). */
struct ovs_state *ovs_want(const struct intended *intended, struct tenant_parts *kept);
void ovs_want_forget(struct tenant_parts *kept);
/* What carries the segment: its bridge's name (borrowed from the configuration, or written to
 * `buffer`), or null if none of its uplinks is configured. */
const char *ovs_want_bridge(const struct config *config, const struct segment *segment,
                            char buffer[IFNAME_TEXT]);
/* The trunk an attachment is on, or null if the configuration has none of that name any more. */
const struct config_uplink *ovs_want_uplink(const struct config *config,
                                            const struct attachment *attachment);
/* Adds the steps from seen to wanted. */
void ovs_diff(const struct ovs_state *want, const struct ovs_state *seen, struct plan *plan);

/* The chain of an interface; nft(8) 1.0.6 does not list a chain's interface in JSON. */
const char *ovs_limit_chain(struct arena *arena, const char *interface);
/* The key of the attachment's limit; it is wanted if broadcast_limit is not 0. */
const char *ovs_limit_key(struct arena *arena, const struct attachment *attachment);
/* Adds the steps for the limits alone; ovs_diff() does so too. */
void ovs_limit_diff(const struct ovs_state *want, const struct ovs_state *seen, struct plan *plan);
#define OVS_NFT_TABLE "netdev routerd"
enum { OVS_NFT_PRIORITY = -200 };

/* What of the uplinks is the facility's and not as it should be, as a sentence in `arena`, or null.
 * It is only told: what is not ours is not changed. */
const char *ovs_advice(struct arena *arena, const struct ovs_state *want,
                       const struct ovs_state *seen);

struct status;
/* Fills in the segments' facts and votes. `away`: why nothing is known, or null. `deaf`: why
 * nothing is forwarded, or null. `seen` may be null when away. */
void ovs_status(const struct ovs_state *seen, const char *away, const char *deaf,
                struct status *status);

#endif
