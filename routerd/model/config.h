/* config.h - the configuration file of routerd (contract, section 2) as a type.
 *
 * Owned by the facility's admin: the router's identity, its uplinks, who may touch what, where the
 * parts are. Reading the file itself is config/'s job; here is its meaning, pure. A struct config
 * is built once in one arena and never changed; SIGHUP builds another. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "model/addr.h"
#include "model/doc.h"

#include <stdint.h>

enum uplink_type { UPLINK_TRUNK, UPLINK_ROUTED };

struct config_uplink {
    const char *name;
    enum uplink_type type;
    const char *interface;
    const char *bridge;      /* trunk only: the OVS bridge, "br-NAME" by default */
    uint32_t mtu;            /* bytes; 1500 by default */
    struct addr gateways[2]; /* routed only: the next hops of egress, IPv4 first; no family: the
                                host's own default route */
};

struct config_listen {
    const char *address; /* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
    const char *certificate, *key, *client_ca;
};

struct vlan_range {
    uint16_t first, last;
};

struct config_vlans { /* what a tenant may use of one trunk */
    const char *uplink;
    struct vlan_range *ranges;
    size_t n_ranges;
};

struct config_limits {
    uint32_t networks, segments, tunnels, peers, nodes; /* of the whole tenant */
};

struct config_tenant {
    const char *name;
    const char **controllers; /* SAN dNSNames */
    size_t n_controllers;
    struct config_vlans *vlans;
    size_t n_vlans;
    struct config_limits limits;
};

struct config {
    struct arena *arena;
    const char *router_name;
    struct addr router_id; /* IPv4 */
    uint32_t asn;          /* 0 if the file gives none: then each network with peers must */
    struct config_uplink *uplinks;
    size_t n_uplinks;
    const char *socket_path, *socket_group; /* group: null for root only */
    unsigned int socket_mode;
    struct config_listen *listens;
    size_t n_listens;
    const char *metrics_address; /* null: none */
    struct config_tenant *tenants;
    size_t n_tenants;
    const char *secrets_directory;
    const char *state_server, *state_database;
    const char *state_file; /* where a local database is made; null: /var/lib/openvswitch/NAME.db */
    const char *ovs_server, *ovs_datapath; /* datapath: "system" or "netdev" */
    const char *ipsec_vici;
    const char *bgp_vtysh;
    const char *dhcp_dnsmasq;
    const char *profiles_directory;
};

/* Parses and checks the configuration. Returns it (free with config_free()), or null with errors
 * added: all of them, sorted. */
struct config *config_parse(const char *text, size_t len, struct errors *errors);
void config_free(struct config *config);

const struct config_uplink *config_find_uplink(const struct config *config, const char *name);
const struct config_tenant *config_find_tenant(const struct config *config, const char *name);
/* Whether the tenant was granted the VLAN on the trunk. */
bool config_tenant_has_vlan(const struct config_tenant *tenant, const char *uplink, uint16_t vlan);

#endif
