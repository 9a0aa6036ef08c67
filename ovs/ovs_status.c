#include "ovs/ovs_state.h"

#include "model/status.h"

#include <string.h>

/* What the votes are made from. */
struct view {
    const struct ovs_state *seen;
    const char *away, *deaf;
    struct status *status;
};

/* An uplink that does not carry is a segment that is down, on that side at least. */
static void vote_uplink(const struct view *view, const struct config_uplink *uplink,
                        struct object_status *object)
{
    const struct ovs_port *port = ovs_state_port(view->seen, uplink->interface);

    if (!port || strcmp(port->bridge, uplink->bridge) != 0) {
        status_vote(view->status, object, OBJECT_DOWN,
                    "uplink %s: interface %s is not on bridge %s%s%s", uplink->name,
                    uplink->interface, uplink->bridge, port ? " but on " : " yet",
                    port ? port->bridge : "");
    } else if (port->made == OVS_REFUSED) {
        status_vote(view->status, object, OBJECT_DOWN, "uplink %s: OVS: %s", uplink->name,
                    port->error);
    } else if (port->admin_down) {
        status_vote(view->status, object, OBJECT_DOWN,
                    "uplink %s: interface %s is switched off: ip link set %s up", uplink->name,
                    uplink->interface, uplink->interface);
    } else if (port->link_down) {
        status_vote(view->status, object, OBJECT_DOWN, "uplink %s: interface %s has no link",
                    uplink->name, uplink->interface);
    }
}

static void vote_limit(const struct view *view, const struct config_uplink *uplink,
                       const struct attachment *attachment, struct object_status *object)
{
    const char *error = view->seen->limits_error;

    if (attachment->broadcast_limit &&
        !ovs_state_has_limit(view->seen, ovs_limit_chain(view->status->arena, uplink->interface),
                             ovs_limit_key(view->status->arena, attachment))) {
        status_vote(view->status, object, error ? OBJECT_ERROR : OBJECT_PENDING,
                    "broadcasts of VLAN %u of uplink %s are not limited%s%s", attachment->vlan,
                    uplink->name, error ? ": nftables: " : " yet", error ? error : "");
    }
}

static void vote_port(const struct view *view, const char *name, struct object_status *object)
{
    const struct ovs_port *port = ovs_state_port(view->seen, name);

    if (!port) {
        status_vote(view->status, object, OBJECT_PENDING, "port %s is not in OVS yet", name);
    } else if (port->made == OVS_REFUSED) {
        status_vote(view->status, object, OBJECT_ERROR, "OVS: %s", port->error);
    } else if (port->made == OVS_UNMADE) {
        status_vote(view->status, object, OBJECT_PENDING, "ovs-vswitchd has not made port %s yet",
                    name);
    }
}

static void vote_segment(const struct view *view, const struct segment *segment,
                         struct segment_status *status)
{
    const struct config *config = view->status->intended->config;

    if (view->away) {
        status_vote(view->status, &status->object, OBJECT_DOWN, "%s", view->away);
        return;
    }
    if (!view->seen) {
        status_vote(view->status, &status->object, OBJECT_PENDING,
                    "Open vSwitch's state has not been read yet");
        return;
    }
    vote_port(view, status->interface, &status->object);
    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];
        const struct config_uplink *uplink = ovs_want_uplink(config, attachment);

        if (attachment->outer_vlan && !ovs_limit_suffices(view->seen->vlan_limit)) {
            status_vote(view->status, &status->object,
                        view->seen->vlan_limit == OVS_LIMIT_UNSET ? OBJECT_PENDING : OBJECT_ERROR,
                        "%s",
                        view->seen->vlan_limit == OVS_LIMIT_UNSET
                            ? "Open vSwitch does not look at two VLAN tags yet"
                            : OVS_LIMIT_REMEDY);
        }
        if (uplink) {
            vote_uplink(view, uplink, &status->object);
            vote_limit(view, uplink, attachment, &status->object);
        } else {
            status_vote(view->status, &status->object, OBJECT_ERROR,
                        "the router has no trunk uplink %s any more", attachment->uplink);
        }
    }
    if (view->deaf) {
        status_vote(view->status, &status->object, OBJECT_DOWN, "%s", view->deaf);
    }
}

static void fill_segment(const struct view *view, const struct segment *segment,
                         struct segment_status *status)
{
    char buffer[IFNAME_TEXT];
    const char *bridge = ovs_want_bridge(view->status->intended->config, segment, buffer);

    ids_segment_name(segment->id, status->interface);
    status->bridge = arena_strdup(view->status->arena, bridge ? bridge : "");
    vote_segment(view, segment, status);
}

/* --- advice ------------------------------------------------------------------------------------
 */

/* What of a bridge that is not ours lets STP, CDP or LLDP into an uplink; null: nothing. */
static const char *talkative(const struct ovs_bridge *bridge, const struct ovs_port *port)
{
    if (ovs_bridge_mark(bridge)[0]) {
        return NULL;
    }
    if (!(bridge->settings & OVS_NO_STP)) {
        return "stp_enable";
    }
    if (!(bridge->settings & OVS_NO_RSTP)) {
        return "rstp_enable";
    }
    if (!(bridge->settings & OVS_NO_BPDU)) {
        return "other_config:forward-bpdu";
    }
    return port->lldp ? "its port's lldp" : NULL;
}

const char *ovs_advice(struct arena *arena, const struct ovs_state *want,
                       const struct ovs_state *seen)
{
    for (size_t i = 0; i < want->n_ports; i++) {
        const struct ovs_port *uplink = &want->ports[i];
        const struct ovs_port *port = uplink->adopt ? ovs_state_port(seen, uplink->name) : NULL;
        const struct ovs_bridge *bridge = port ? ovs_state_bridge(seen, port->bridge) : NULL;
        const char *setting = bridge ? talkative(bridge, port) : NULL;

        if (setting) {
            return arena_printf(arena,
                                "bridge %s is not routerd's and its %s lets STP, CDP or LLDP into "
                                "uplink interface %s: switch it off",
                                bridge->name, setting, port->name);
        }
        if (port && port->link_mtu && port->link_mtu < uplink->mtu) {
            return arena_printf(arena,
                                "uplink interface %s has an MTU of %u, but the configuration says "
                                "%u: ip link set %s mtu %u",
                                port->name, port->link_mtu, uplink->mtu, port->name, uplink->mtu);
        }
    }
    return NULL;
}

void ovs_status(const struct ovs_state *seen, const char *away, const char *deaf,
                struct status *status)
{
    const struct view view = {.seen = seen, .away = away, .deaf = deaf, .status = status};

    struct status_cursor cursor = {0};
    struct network_status *network;

    while ((network = status_next(status, &cursor))) {
        for (size_t i = 0; i < network->n_segments; i++) {
            fill_segment(&view, &network->network->segments[i], &network->segments[i]);
        }
    }
}
