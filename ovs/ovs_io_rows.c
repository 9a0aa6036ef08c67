#include "ovs/ovs_io.h"

#include <lib/smap.h>
#include <lib/sset.h>
#include <string.h>

/* All names that operations go by. */
static void add_names(struct sset *names, const struct ovs_work *work)
{
    for (size_t i = 0; i < work->n_ops; i++) {
        const struct ovs_op *op = &work->ops[i];

        if (op->bridge) {
            sset_add(names, op->bridge->name);
        }
        if (op->port) {
            sset_add(names, op->port->name);
            sset_add(names, op->port->bridge);
        }
    }
}

static void add_row(struct shash *rows, const struct sset *names, const char *name, const void *row)
{
    if (sset_contains(names, name)) {
        shash_add(rows, name, row);
    }
}

void ovs_rows_init(struct ovs_rows *rows, struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
                   struct step *const *steps, size_t n)
{
    struct sset names = SSET_INITIALIZER(&names);
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *port;
    const struct ovsrec_interface *interface;

    rows->txn = txn;
    rows->root = ovsrec_open_vswitch_first(idl);
    shash_init(&rows->bridges);
    shash_init(&rows->ports);
    shash_init(&rows->interfaces);
    shash_init(&rows->places);
    for (size_t i = 0; i < n; i++) {
        add_names(&names, steps[i]->data);
    }
    OVSREC_BRIDGE_FOR_EACH(bridge, idl) {
        add_row(&rows->bridges, &names, bridge->name, bridge);
        for (size_t i = 0; i < bridge->n_ports; i++) {
            add_row(&rows->places, &names, bridge->ports[i]->name, bridge);
        }
    }
    OVSREC_PORT_FOR_EACH(port, idl) {
        add_row(&rows->ports, &names, port->name, port);
    }
    OVSREC_INTERFACE_FOR_EACH(interface, idl) {
        add_row(&rows->interfaces, &names, interface->name, interface);
    }
    sset_destroy(&names);
}

void ovs_rows_done(struct ovs_rows *rows)
{
    shash_destroy(&rows->bridges);
    shash_destroy(&rows->ports);
    shash_destroy(&rows->interfaces);
    shash_destroy(&rows->places);
}

static bool marked(const struct smap *external_ids)
{
    return smap_get_def(external_ids, OVS_MARK_KEY, "")[0];
}

static bool port_is_ours(const struct ovsrec_port *port)
{
    bool ours = marked(&port->external_ids);

    for (size_t i = 0; i < port->n_interfaces; i++) {
        ours = ours || marked(&port->interfaces[i]->external_ids);
    }
    return ours;
}

static bool bridge_is_ours(const struct ovs_rows *rows, const struct ovsrec_bridge *bridge)
{
    const struct ovsrec_port *local = shash_find_data(&rows->ports, bridge->name);

    return marked(&bridge->external_ids) || (local && port_is_ours(local));
}

/* --- may it be done? The difference said so; but what is seen may have changed since. --- */

static const char *check_bridge(const struct ovs_rows *rows, const struct ovs_bridge *want,
                                struct arena *arena)
{
    const struct ovsrec_bridge *row = shash_find_data(&rows->bridges, want->name);

    if (row ? !bridge_is_ours(rows, row) : shash_find(&rows->ports, want->name) != NULL) {
        return arena_printf(arena,
                            "a %s %s that is not routerd's is in the way: remove or rename it",
                            row ? "bridge" : "port", want->name);
    }
    return NULL;
}

static const char *check_port(const struct ovs_rows *rows, const struct ovs_port *want,
                              const struct ovs_work *work, struct arena *arena,
                              enum step_result *ret_result)
{
    const struct ovsrec_port *port = shash_find_data(&rows->ports, want->name);
    const struct ovsrec_interface *interface = shash_find_data(&rows->interfaces, want->name);
    bool coming = false;

    if ((port && !port_is_ours(port)) ||
        (!port && interface && !marked(&interface->external_ids))) {
        return arena_printf(arena, "a port %s that is not routerd's is in the way: remove it",
                            want->name);
    }
    for (size_t i = 0; i < work->n_ops; i++) {
        const struct ovs_op *op = &work->ops[i];

        coming = coming || (op->kind == OVS_OP_BRIDGE && !strcmp(op->bridge->name, want->bridge));
    }
    if (!coming && !shash_find(&rows->bridges, want->bridge)) {
        *ret_result = STEP_NOT_READY;
        return arena_printf(arena, "bridge %s is not there yet", want->bridge);
    }
    return NULL;
}

static const char *check_work(const struct ovs_rows *rows, const struct ovs_work *work,
                              struct arena *arena, enum step_result *ret_result)
{
    const char *reason = work->blocked;

    *ret_result = STEP_FAILED;
    for (size_t i = 0; i < work->n_ops && !reason; i++) {
        const struct ovs_op *op = &work->ops[i];

        if (op->kind == OVS_OP_BRIDGE) {
            reason = check_bridge(rows, op->bridge, arena);
        } else if (op->kind == OVS_OP_PORT) {
            reason = check_port(rows, op->port, work, arena, ret_result);
        }
    }
    return reason;
}

/* --- bridges --- */

/* The local port, as ovs-vsctl(8) makes it. Its interface has the mark too, as a second witness. */
static struct ovsrec_port *insert_local_port(struct ovs_rows *rows, const struct ovs_bridge *want,
                                             const struct smap *mark)
{
    struct ovsrec_interface *interface = ovsrec_interface_insert(rows->txn);
    struct ovsrec_port *port = ovsrec_port_insert(rows->txn);

    ovsrec_interface_set_name(interface, want->name);
    ovsrec_interface_set_type(interface, "internal");
    ovsrec_interface_set_external_ids(interface, mark);
    ovsrec_port_set_name(port, want->name);
    ovsrec_port_set_interfaces(port, &interface, 1);
    shash_add(&rows->interfaces, want->name, interface);
    shash_add(&rows->ports, want->name, port);
    return port;
}

/* --- the whole of Open vSwitch --- */

static void set_limit(const struct ovs_rows *rows)
{
    if (!smap_get(&rows->root->other_config, "vlan-limit")) {
        ovsrec_open_vswitch_update_other_config_setkey(rows->root, "vlan-limit", "2");
        ovsrec_open_vswitch_update_external_ids_setkey(rows->root, OVS_LIMIT_KEY, "2");
    }
}

static void drop_limit(const struct ovs_rows *rows)
{
    if (smap_get_int(&rows->root->other_config, "vlan-limit", 0) == OVS_LIMIT_SERVICE) {
        ovsrec_open_vswitch_update_other_config_delkey(rows->root, "vlan-limit");
    }
    ovsrec_open_vswitch_update_external_ids_delkey(rows->root, OVS_LIMIT_KEY);
}

/* --- bridges' settings --- */

static void bridge_settings(const struct ovsrec_bridge *row, const struct ovs_bridge *want)
{
    struct smap config;

    smap_clone(&config, &row->other_config);
    smap_remove(&config, "forward-bpdu");
    smap_replace(&config, "disable-in-band", "true");
    smap_remove(&config, "mac-table-size");
    smap_add_format(&config, "mac-table-size", "%u", want->macs);
    ovsrec_bridge_set_other_config(row, &config);
    smap_destroy(&config);
    ovsrec_bridge_set_fail_mode(row, "standalone");
    ovsrec_bridge_set_stp_enable(row, false);
    ovsrec_bridge_set_rstp_enable(row, false);
    if (strcmp(want->datapath, row->datapath_type) != 0 &&
        (row->datapath_type[0] || strcmp(want->datapath, "system") != 0)) {
        ovsrec_bridge_set_datapath_type(row, want->datapath);
    }
}

static const struct ovsrec_bridge *insert_bridge(struct ovs_rows *rows,
                                                 const struct ovs_bridge *want)
{
    struct ovsrec_bridge *row = ovsrec_bridge_insert(rows->txn);
    struct ovsrec_port *local;
    struct smap mark;

    smap_init(&mark);
    smap_add(&mark, OVS_MARK_KEY, want->mark);
    local = insert_local_port(rows, want, &mark);
    ovsrec_bridge_set_name(row, want->name);
    ovsrec_bridge_set_external_ids(row, &mark);
    ovsrec_bridge_set_ports(row, &local, 1);
    ovsrec_open_vswitch_update_bridges_addvalue(rows->root, row);
    shash_add(&rows->bridges, want->name, row);
    smap_destroy(&mark);
    return row;
}

static void ensure_bridge(struct ovs_rows *rows, const struct ovs_bridge *want)
{
    const struct ovsrec_bridge *row = shash_find_data(&rows->bridges, want->name);
    const struct ovsrec_interface *local = shash_find_data(&rows->interfaces, want->name);

    if (!row) {
        bridge_settings(insert_bridge(rows, want), want);
        return;
    }
    ovsrec_bridge_update_external_ids_setkey(row, OVS_MARK_KEY, want->mark);
    if (local) {
        ovsrec_interface_update_external_ids_setkey(local, OVS_MARK_KEY, want->local_mark);
    }
    bridge_settings(row, want);
}

static void drop_bridge(struct ovs_rows *rows, const char *name)
{
    const struct ovsrec_bridge *row = shash_find_data(&rows->bridges, name);

    if (!row || !bridge_is_ours(rows, row)) {
        return;
    }
    for (size_t i = 0; i < row->n_ports; i++) {
        if (strcmp(row->ports[i]->name, name) != 0 && !port_is_ours(row->ports[i])) {
            return; /* somebody put a port on it just now */
        }
    }
    for (size_t i = 0; i < row->n_ports; i++) {
        if (shash_find_data(&rows->places, row->ports[i]->name) == row) {
            shash_find_and_delete(&rows->ports, row->ports[i]->name);
            shash_find_and_delete(&rows->interfaces, row->ports[i]->name);
            shash_find_and_delete(&rows->places, row->ports[i]->name);
        }
    }
    ovsrec_open_vswitch_update_bridges_delvalue(rows->root, row);
    shash_find_and_delete(&rows->bridges, name);
}

/* --- ports --- */

static void interface_settings(const struct ovsrec_interface *row, const struct ovs_port *want)
{
    int64_t mtu = want->mtu;
    struct smap ids, options;

    smap_clone(&ids, &row->external_ids);
    smap_replace(&ids, OVS_MARK_KEY, want->interface_mark);
    ovsrec_interface_set_external_ids(row, &ids);
    smap_destroy(&ids);
    ovsrec_interface_set_type(row, want->type);
    ovsrec_interface_set_mac(row, want->mac[0] ? want->mac : NULL);
    ovsrec_interface_set_mtu_request(row, &mtu, mtu ? 1 : 0);
    smap_clone(&options, &row->options);
    smap_remove(&options, "peer");
    if (want->peer[0]) {
        smap_add(&options, "peer", want->peer);
    }
    ovsrec_interface_set_options(row, &options);
    smap_destroy(&options);
    if (!smap_is_empty(&row->lldp)) {
        struct smap none = SMAP_INITIALIZER(&none);

        ovsrec_interface_set_lldp(row, &none);
    }
}

static void port_ethertype(const struct ovsrec_port *row, const struct ovs_port *want)
{
    struct smap config;

    smap_clone(&config, &row->other_config);
    smap_remove(&config, "qinq-ethtype");
    if (want->service) {
        smap_add(&config, "qinq-ethtype",
                 want->service == OVS_SERVICE_8021Q ? "802.1q" : "802.1ad");
    }
    ovsrec_port_set_other_config(row, &config);
    smap_destroy(&config);
}

static void port_settings(const struct ovsrec_port *row, const struct ovs_port *want)
{
    int64_t tag = want->tag;
    struct smap ids;

    smap_clone(&ids, &row->external_ids);
    smap_replace(&ids, OVS_MARK_KEY, want->mark);
    ovsrec_port_set_external_ids(row, &ids);
    smap_destroy(&ids);
    ovsrec_port_set_tag(row, &tag, want->tag == OVS_NO_TAG ? 0 : 1);
    ovsrec_port_set_trunks(row, NULL, 0);
    ovsrec_port_set_cvlans(row, NULL, 0);
    ovsrec_port_set_vlan_mode(row, want->service ? "dot1q-tunnel" : NULL);
    port_ethertype(row, want);
}

/* The one interface of the port; what somebody bonded to it is let go of. */
static void ensure_interface(struct ovs_rows *rows, const struct ovsrec_port *port,
                             const struct ovs_port *want)
{
    const struct ovsrec_interface *row = shash_find_data(&rows->interfaces, want->name);

    if (!row) {
        struct ovsrec_interface *new = ovsrec_interface_insert(rows->txn);

        ovsrec_interface_set_name(new, want->name);
        shash_add(&rows->interfaces, want->name, new);
        row = new;
    }
    if (port->n_interfaces != 1 || port->interfaces[0] != row) {
        struct ovsrec_interface *only = CONST_CAST(struct ovsrec_interface *, row);

        ovsrec_port_set_interfaces(port, &only, 1);
    }
    interface_settings(row, want);
}

static void ensure_port(struct ovs_rows *rows, const struct ovs_port *want)
{
    const struct ovsrec_port *row = shash_find_data(&rows->ports, want->name);
    const struct ovsrec_bridge *to = shash_find_data(&rows->bridges, want->bridge);
    const struct ovsrec_bridge *from = shash_find_data(&rows->places, want->name);

    if (!row) {
        struct ovsrec_port *new = ovsrec_port_insert(rows->txn);

        ovsrec_port_set_name(new, want->name);
        shash_add(&rows->ports, want->name, new);
        row = new;
    }
    ensure_interface(rows, row, want);
    port_settings(row, want);
    if (from != to) {
        if (from) {
            ovsrec_bridge_update_ports_delvalue(from, row);
        }
        ovsrec_bridge_update_ports_addvalue(to, row);
        shash_replace(&rows->places, want->name, to);
    }
}

static void drop_port(struct ovs_rows *rows, const char *name)
{
    const struct ovsrec_port *row = shash_find_data(&rows->ports, name);
    const struct ovsrec_bridge *from = shash_find_data(&rows->places, name);

    if (row && from && port_is_ours(row)) {
        ovsrec_bridge_update_ports_delvalue(from, row);
        shash_find_and_delete(&rows->ports, name);
        shash_find_and_delete(&rows->interfaces, name);
        shash_find_and_delete(&rows->places, name);
    }
}

const char *ovs_rows_add(struct ovs_rows *rows, const struct ovs_work *work, struct arena *arena,
                         enum step_result *ret_result)
{
    const char *reason = check_work(rows, work, arena, ret_result);

    for (size_t i = 0; i < work->n_ops && !reason; i++) {
        const struct ovs_op *op = &work->ops[i];

        switch (op->kind) {
        case OVS_OP_BRIDGE: ensure_bridge(rows, op->bridge); break;
        case OVS_OP_PORT: ensure_port(rows, op->port); break;
        case OVS_OP_DROP_PORT: drop_port(rows, op->port->name); break;
        case OVS_OP_DROP_BRIDGE: drop_bridge(rows, op->bridge->name); break;
        case OVS_OP_LIMIT: set_limit(rows); break;
        case OVS_OP_DROP_LIMIT: drop_limit(rows); break;
        case OVS_OP_RETRY: break; /* the increment of next_cfg is all that it takes */
        }
    }
    return reason;
}
