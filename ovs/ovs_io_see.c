#include "ovs/ovs_io.h"

#include <lib/smap.h>
#include <stdlib.h>
#include <string.h>

/* A change of these means something to us. */
static const struct ovsdb_idl_column *const seen_columns[] = {
    &ovsrec_open_vswitch_col_bridges,
    &ovsrec_open_vswitch_col_other_config,
    &ovsrec_open_vswitch_col_external_ids,
    &ovsrec_bridge_col_name,
    &ovsrec_bridge_col_ports,
    &ovsrec_bridge_col_datapath_type,
    &ovsrec_bridge_col_external_ids,
    &ovsrec_bridge_col_fail_mode,
    &ovsrec_bridge_col_stp_enable,
    &ovsrec_bridge_col_rstp_enable,
    &ovsrec_bridge_col_other_config,
    &ovsrec_port_col_name,
    &ovsrec_port_col_interfaces,
    &ovsrec_port_col_tag,
    &ovsrec_port_col_trunks,
    &ovsrec_port_col_vlan_mode,
    &ovsrec_port_col_cvlans,
    &ovsrec_port_col_external_ids,
    &ovsrec_port_col_other_config,
    &ovsrec_interface_col_name,
    &ovsrec_interface_col_type,
    &ovsrec_interface_col_options,
    &ovsrec_interface_col_mtu_request,
    &ovsrec_interface_col_external_ids,
    &ovsrec_interface_col_lldp,
    &ovsrec_interface_col_mac,
    &ovsrec_interface_col_mtu,
    &ovsrec_interface_col_ofport,
    &ovsrec_interface_col_error,
    &ovsrec_interface_col_link_state,
    &ovsrec_interface_col_admin_state,
};

void ovs_see_register(struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < ARRAY_SIZE(seen_columns); i++) {
        ovsdb_idl_add_column(idl, seen_columns[i]);
    }
    ovsdb_idl_add_column(idl, &ovsrec_open_vswitch_col_next_cfg);
    ovsdb_idl_add_column(idl, &ovsrec_open_vswitch_col_cur_cfg);
    ovsdb_idl_omit_alert(idl, &ovsrec_open_vswitch_col_next_cfg);
    ovsdb_idl_omit_alert(idl, &ovsrec_open_vswitch_col_cur_cfg);
    ovsdb_idl_set_write_changed_only_all(idl, true);
}

enum ovs_made ovs_see_made(const struct ovsrec_interface *interface)
{
    if (interface->error && interface->error[0]) {
        return OVS_REFUSED;
    }
    if (interface->n_ofport == 0) {
        return OVS_UNMADE;
    }
    return interface->ofport[0] > 0 ? OVS_MADE : OVS_REFUSED;
}

static const char *mark_of(struct arena *arena, const struct smap *external_ids)
{
    return arena_strdup(arena, smap_get_def(external_ids, OVS_MARK_KEY, ""));
}

static unsigned int settings_of(const struct ovsrec_bridge *row)
{
    const struct smap *config = &row->other_config;
    bool standalone = row->fail_mode && !strcmp(row->fail_mode, "standalone");

    return (standalone ? OVS_STANDALONE : 0U) | (row->stp_enable ? 0U : OVS_NO_STP) |
           (row->rstp_enable ? 0U : OVS_NO_RSTP) |
           (smap_get(config, "forward-bpdu") ? 0U : OVS_NO_BPDU) |
           (smap_get_bool(config, "disable-in-band", false) ? OVS_NO_IN_BAND : 0U);
}

static const char *local_mark(struct arena *arena, const struct ovsrec_bridge *row)
{
    for (size_t i = 0; i < row->n_ports; i++) {
        const struct ovsrec_port *port = row->ports[i];

        if (!strcmp(port->name, row->name) && port->n_interfaces) {
            return mark_of(arena, &port->interfaces[0]->external_ids);
        }
    }
    return "";
}

static enum ovs_service service_of(const struct ovsrec_port *row)
{
    const char *type = smap_get_def(&row->other_config, "qinq-ethtype", "802.1ad");

    if (!row->vlan_mode || strcmp(row->vlan_mode, "dot1q-tunnel") != 0) {
        return OVS_NO_SERVICE;
    }
    return strcmp(type, "802.1q") ? OVS_SERVICE_8021AD : OVS_SERVICE_8021Q;
}

static bool port_is_plain(const struct ovsrec_port *row)
{
    return row->n_interfaces == 1 && !strcmp(row->name, row->interfaces[0]->name) &&
           row->n_trunks == 0 && row->n_cvlans == 0 &&
           (!row->vlan_mode || service_of(row) != OVS_NO_SERVICE);
}

static void see_interface(struct ovs_state *state, const struct ovsrec_bridge *bridge,
                          const struct ovsrec_port *row, const struct ovsrec_interface *interface)
{
    struct arena *arena = state->arena;
    struct ovs_port *port = ovs_state_add_port(state, interface->name);

    port->bridge = arena_strdup(arena, bridge->name);
    port->mark = mark_of(arena, &row->external_ids);
    port->interface_mark = mark_of(arena, &interface->external_ids);
    port->type = arena_strdup(arena, interface->type);
    port->peer = arena_strdup(arena, smap_get_def(&interface->options, "peer", ""));
    port->mac = arena_strdup(arena, interface->mac ? interface->mac : "");
    port->tag = row->n_tag ? (int)row->tag[0] : OVS_NO_TAG;
    port->service = service_of(row);
    port->mtu = interface->n_mtu_request ? (unsigned int)interface->mtu_request[0] : 0;
    port->plain = port_is_plain(row);
    port->lldp = smap_get_bool(&interface->lldp, "enable", false);
    port->link_mtu = interface->n_mtu ? (unsigned int)interface->mtu[0] : 0;
    port->made = ovs_see_made(interface);
    if (port->made == OVS_REFUSED) {
        port->error =
            interface->error && interface->error[0]
                ? arena_strdup(arena, interface->error)
                : arena_printf(arena, "could not add %s, see ovs-vswitchd's log", interface->name);
    }
    port->admin_down = interface->admin_state && !strcmp(interface->admin_state, "down");
    port->link_down = interface->link_state && !strcmp(interface->link_state, "down");
}

static void see_limit(struct ovs_state *state, const struct ovsrec_open_vswitch *root)
{
    if (root) {
        state->vlan_limit = smap_get_int(&root->other_config, "vlan-limit", OVS_LIMIT_UNSET);
        state->vlan_limit_ours = smap_get(&root->external_ids, OVS_LIMIT_KEY) != NULL;
    }
}

struct ovs_state *ovs_see(const struct ovsdb_idl *idl, const struct ovs_nft *nft)
{
    struct ovs_state *state = ovs_state_new();
    const struct ovsrec_bridge *row;

    OVSREC_BRIDGE_FOR_EACH(row, idl) {
        struct ovs_bridge *bridge = ovs_state_add_bridge(state, row->name);

        bridge->mark = mark_of(state->arena, &row->external_ids);
        bridge->local_mark = local_mark(state->arena, row);
        bridge->datapath = row->datapath_type[0] ? arena_strdup(state->arena, row->datapath_type)
                                                 : "system"; /* OVS's default */
        bridge->settings = settings_of(row);
        bridge->macs = (unsigned int)smap_get_int(&row->other_config, "mac-table-size", 0);
        for (size_t i = 0; i < row->n_ports; i++) {
            const struct ovsrec_port *port = row->ports[i];

            for (size_t j = 0; j < port->n_interfaces && strcmp(port->name, row->name) != 0; j++) {
                see_interface(state, row, port, port->interfaces[j]);
            }
        }
    }
    ovs_nft_see(nft, state);
    see_limit(state, ovsrec_open_vswitch_first(idl));
    ovs_state_index(state);
    return state;
}

static bool bridge_equal(const struct ovs_bridge *a, const struct ovs_bridge *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->mark, b->mark) &&
           !strcmp(a->local_mark, b->local_mark) && !strcmp(a->datapath, b->datapath) &&
           a->settings == b->settings && a->macs == b->macs && a->n_foreign == b->n_foreign;
}

static bool port_equal(const struct ovs_port *a, const struct ovs_port *b)
{
    return !strcmp(a->name, b->name) && !strcmp(a->bridge, b->bridge) &&
           !strcmp(a->mark, b->mark) && !strcmp(a->interface_mark, b->interface_mark) &&
           !strcmp(a->type, b->type) && !strcmp(a->peer, b->peer) && !strcmp(a->mac, b->mac) &&
           a->tag == b->tag && a->service == b->service && a->mtu == b->mtu &&
           a->plain == b->plain && a->lldp == b->lldp && a->made == b->made &&
           !strcmp(a->error, b->error) && a->link_down == b->link_down &&
           a->admin_down == b->admin_down && a->link_mtu == b->link_mtu;
}

static bool limits_equal(const struct ovs_state *a, const struct ovs_state *b)
{
    bool equal = a->n_limits == b->n_limits && !a->limits_error == !b->limits_error &&
                 (!a->limits_error || !strcmp(a->limits_error, b->limits_error));

    for (size_t i = 0; equal && i < a->n_limits; i++) {
        equal = !strcmp(a->limits[i].chain, b->limits[i].chain) &&
                !strcmp(a->limits[i].key, b->limits[i].key);
    }
    return equal;
}

bool ovs_see_equal(const struct ovs_state *a, const struct ovs_state *b)
{
    bool equal = a->n_bridges == b->n_bridges && a->n_ports == b->n_ports && limits_equal(a, b) &&
                 a->vlan_limit == b->vlan_limit && a->vlan_limit_ours == b->vlan_limit_ours;

    for (size_t i = 0; equal && i < a->n_bridges; i++) {
        const struct ovs_bridge *other = ovs_state_bridge(b, a->bridges[i].name);

        equal = other && bridge_equal(&a->bridges[i], other);
    }
    for (size_t i = 0; equal && i < a->n_ports; i++) {
        const struct ovs_port *other = ovs_state_port(b, a->ports[i].name);

        equal = other && port_equal(&a->ports[i], other);
    }
    return equal;
}
