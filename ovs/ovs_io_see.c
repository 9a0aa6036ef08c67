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

/* --- rows that stay as they are --- */

/* What a Bridge row says, or an Interface row together with its Port. It lies in its arena. */
struct seen_row {
    struct hmap_node node;
    unsigned int version, port_version; /* the latter is 0 of a Bridge */
    unsigned int turn;                  /* when it was there */
    struct arena *arena;
    struct ovs_bridge bridge;
    struct ovs_port port;
    const char *port_row; /* its name */
};

/* The IDL counts the changes of all rows together: each version of a row has a number of its own,
 * also of one that comes again with a new connection. */
static unsigned int version_of(const struct ovsdb_idl_row *row)
{
    return MAX(ovsdb_idl_row_get_seqno(row, OVSDB_IDL_CHANGE_INSERT),
               ovsdb_idl_row_get_seqno(row, OVSDB_IDL_CHANGE_MODIFY));
}

/* What is kept of the row, or null. */
static struct seen_row *find_row(const struct ovs_seen *seen, unsigned int version,
                                 unsigned int port_version)
{
    struct seen_row *row;

    HMAP_FOR_EACH_WITH_HASH(row, node, version, &seen->rows) {
        if (row->version == version && row->port_version == port_version) {
            row->turn = seen->turn;
            return row;
        }
    }
    return NULL;
}

static struct seen_row *add_row(struct ovs_seen *seen, unsigned int version,
                                unsigned int port_version)
{
    struct arena *arena = arena_new();
    struct seen_row *row = arena_alloc(arena, sizeof *row);

    row->arena = arena;
    row->version = version;
    row->port_version = port_version;
    row->turn = seen->turn;
    hmap_insert(&seen->rows, &row->node, version);
    return row;
}

/* Forgets what was not there at the last look, or everything. */
static void forget_rows(struct ovs_seen *seen, bool all)
{
    struct seen_row *row;

    HMAP_FOR_EACH_SAFE(row, node, &seen->rows) {
        if (all || row->turn != seen->turn) {
            hmap_remove(&seen->rows, &row->node);
            arena_free(row->arena);
        }
    }
}

void ovs_seen_init(struct ovs_seen *seen)
{
    *seen = (struct ovs_seen){0};
    hmap_init(&seen->rows);
}

void ovs_seen_done(struct ovs_seen *seen)
{
    ovs_state_free(seen->state);
    forget_rows(seen, true);
    hmap_destroy(&seen->rows);
}

/* --- bridges and ports --- */

static void read_bridge(struct arena *arena, const struct ovsrec_bridge *row,
                        struct ovs_bridge *ret)
{
    *ret = (struct ovs_bridge){
        .name = arena_strdup(arena, row->name),
        .mark = mark_of(arena, &row->external_ids),
        .local_mark = "",
        .datapath = row->datapath_type[0] ? arena_strdup(arena, row->datapath_type)
                                          : "system", /* OVS's default */
        .settings = settings_of(row),
        .macs = (unsigned int)smap_get_int(&row->other_config, "mac-table-size", 0),
    };
}

static struct ovs_bridge *see_bridge(struct ovs_seen *seen, struct ovs_state *state,
                                     const struct ovsrec_bridge *row)
{
    unsigned int version = version_of(&row->header_);
    struct seen_row *found = find_row(seen, version, 0);
    struct ovs_bridge *bridge = ovs_state_add_bridge(state, "");

    if (!found) {
        found = add_row(seen, version, 0);
        read_bridge(found->arena, row, &found->bridge);
    }
    *bridge = found->bridge;
    return bridge;
}

static const char *refusal_of(struct arena *arena, const struct ovsrec_interface *row)
{
    return row->error && row->error[0]
               ? arena_strdup(arena, row->error)
               : arena_printf(arena, "could not add %s, see ovs-vswitchd's log", row->name);
}

static void read_port(struct arena *arena, const struct ovsrec_port *row,
                      const struct ovsrec_interface *interface, struct ovs_port *ret)
{
    enum ovs_made made = ovs_see_made(interface);

    *ret = (struct ovs_port){
        .name = arena_strdup(arena, interface->name),
        .mark = mark_of(arena, &row->external_ids),
        .interface_mark = mark_of(arena, &interface->external_ids),
        .type = arena_strdup(arena, interface->type),
        .peer = arena_strdup(arena, smap_get_def(&interface->options, "peer", "")),
        .mac = arena_strdup(arena, interface->mac ? interface->mac : ""),
        .tag = row->n_tag ? (int)row->tag[0] : OVS_NO_TAG,
        .service = service_of(row),
        .mtu = interface->n_mtu_request ? (unsigned int)interface->mtu_request[0] : 0,
        .plain = port_is_plain(row),
        .lldp = smap_get_bool(&interface->lldp, "enable", false),
        .made = made,
        .error = made == OVS_REFUSED ? refusal_of(arena, interface) : "",
        .link_down = interface->link_state && !strcmp(interface->link_state, "down"),
        .admin_down = interface->admin_state && !strcmp(interface->admin_state, "down"),
        .link_mtu = interface->n_mtu ? (unsigned int)interface->mtu[0] : 0,
    };
}

static const struct seen_row *see_interface(struct ovs_seen *seen, const struct ovsrec_port *row,
                                            const struct ovsrec_interface *interface)
{
    unsigned int version = version_of(&interface->header_), port = version_of(&row->header_);
    struct seen_row *found = find_row(seen, version, port);

    if (!found) {
        found = add_row(seen, version, port);
        read_port(found->arena, row, interface, &found->port);
        found->port_row = arena_strdup(found->arena, row->name);
    }
    return found;
}

/* The bridge's local port is a witness of its mark, not a port of its own. */
static void see_port(struct ovs_seen *seen, struct ovs_state *state, struct ovs_bridge *bridge,
                     const struct ovsrec_port *row)
{
    for (size_t i = 0; i < row->n_interfaces; i++) {
        const struct seen_row *found = see_interface(seen, row, row->interfaces[i]);

        if (strcmp(found->port_row, bridge->name) != 0) {
            struct ovs_port *port = ovs_state_add_port(state, "");

            *port = found->port;
            port->bridge = bridge->name; /* it may go to another without a change of its own */
        } else if (i == 0) {
            bridge->local_mark = found->port.interface_mark;
        }
    }
}

static void see_limit(struct ovs_state *state, const struct ovsrec_open_vswitch *root)
{
    if (root) {
        state->vlan_limit = smap_get_int(&root->other_config, "vlan-limit", OVS_LIMIT_UNSET);
        state->vlan_limit_ours = smap_get(&root->external_ids, OVS_LIMIT_KEY) != NULL;
    }
}

static struct ovs_state *look(struct ovs_seen *seen, const struct ovsdb_idl *idl,
                              const struct ovs_nft *nft)
{
    struct ovs_state *state = ovs_state_new();
    const struct ovsrec_bridge *row;

    OVSREC_BRIDGE_FOR_EACH(row, idl) {
        struct ovs_bridge *bridge = see_bridge(seen, state, row);

        for (size_t i = 0; i < row->n_ports; i++) {
            see_port(seen, state, bridge, row->ports[i]);
        }
    }
    ovs_nft_see(nft, state);
    see_limit(state, ovsrec_open_vswitch_first(idl));
    ovs_state_index(state);
    return state;
}

bool ovs_see(struct ovs_seen *seen, const struct ovsdb_idl *idl, const struct ovs_nft *nft)
{
    struct ovs_state *before = seen->state;
    bool same;

    seen->turn++;
    seen->state = look(seen, idl, nft);
    same = before && ovs_see_equal(before, seen->state);
    ovs_state_free(before);
    forget_rows(seen, false);
    return !same;
}

/* --- whether it has changed --- */

/* What was kept is the same text. */
static bool text_equal(const char *a, const char *b)
{
    return a == b || !strcmp(a, b);
}

static bool bridge_equal(const struct ovs_bridge *a, const struct ovs_bridge *b)
{
    return text_equal(a->name, b->name) && text_equal(a->mark, b->mark) &&
           text_equal(a->local_mark, b->local_mark) && text_equal(a->datapath, b->datapath) &&
           a->settings == b->settings && a->macs == b->macs && a->n_foreign == b->n_foreign;
}

static bool port_equal(const struct ovs_port *a, const struct ovs_port *b)
{
    return text_equal(a->name, b->name) && text_equal(a->bridge, b->bridge) &&
           text_equal(a->mark, b->mark) && text_equal(a->interface_mark, b->interface_mark) &&
           text_equal(a->type, b->type) && text_equal(a->peer, b->peer) &&
           text_equal(a->mac, b->mac) && a->tag == b->tag && a->service == b->service &&
           a->mtu == b->mtu && a->plain == b->plain && a->lldp == b->lldp && a->made == b->made &&
           text_equal(a->error, b->error) && a->link_down == b->link_down &&
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
