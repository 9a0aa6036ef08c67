#include "model/config_reader.h"

#include <string.h>

/* What the contract has and this version does not do yet: refused, wherever it is said. */
static const char *const NOT_SUPPORTED[] = {
    "control.listen",
};

/* --- sections
 * ------------------------------------------------------------------------------------------ */

#define FIELD(key, need, read, member)                   \
    {                                                    \
        key, need, read, offsetof(struct config, member) \
    }

static const struct field ROUTER_FIELDS[] = {
    FIELD("name", REQUIRED, read_name, router_name),
    FIELD("router_id", REQUIRED, read_router_id, router_id),
    FIELD("asn", OPTIONAL, read_asn, asn),
    {0},
};

static void read_router(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, ROUTER_FIELDS, ret);
}

static const struct field SOCKET_FIELDS[] = {
    FIELD("path", OPTIONAL, read_socket_path, socket_path),
    FIELD("group", OPTIONAL, read_group, socket_group),
    FIELD("mode", OPTIONAL, read_mode, socket_mode),
    {0},
};

static void read_socket(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, SOCKET_FIELDS, ret);
}

static const struct field LISTEN_FIELDS[] = {
    {"address", REQUIRED, read_endpoint, offsetof(struct config_listen, address)},
    {"certificate", REQUIRED, read_path, offsetof(struct config_listen, certificate)},
    {"key", REQUIRED, read_path, offsetof(struct config_listen, key)},
    {"client_ca", REQUIRED, read_path, offsetof(struct config_listen, client_ca)},
    {0},
};

static void read_listen(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, LISTEN_FIELDS, ret);
}

static void read_listens(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list LIST = {0, 16, sizeof(struct config_listen), read_listen};
    struct config *config = ret;
    config->listens = read_list(reader, doc, &LIST, &config->n_listens);
}

static const struct field CONTROL_FIELDS[] = {
    {"socket", OPTIONAL, read_socket, 0},
    {"listen", OPTIONAL, read_listens, 0},
    {0},
};

static void read_control(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, CONTROL_FIELDS, ret);
}

static const struct field METRICS_FIELDS[] = {
    FIELD("address", REQUIRED, read_endpoint, metrics_address),
    {0},
};

static void read_metrics(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, METRICS_FIELDS, ret);
}

static const struct field SECRETS_FIELDS[] = {
    FIELD("directory", OPTIONAL, read_path, secrets_directory),
    {0},
};

static void read_secrets(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, SECRETS_FIELDS, ret);
}

static const struct field STATE_FIELDS[] = {
    FIELD("server", OPTIONAL, read_remote, state_server),
    FIELD("database", OPTIONAL, read_database, state_database),
    FIELD("file", OPTIONAL, read_path, state_file),
    {0},
};

static void read_state(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, STATE_FIELDS, ret);
}

static const struct field PROFILES_FIELDS[] = {
    FIELD("directory", OPTIONAL, read_path, profiles_directory),
    {0},
};

static void read_profiles(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, PROFILES_FIELDS, ret);
}

/* --- backends
 * -------------------------------------------------------------------------------------------- */

static const struct field OVS_FIELDS[] = {
    FIELD("server", OPTIONAL, read_remote, ovs_server),
    FIELD("datapath", OPTIONAL, read_datapath, ovs_datapath),
    {0},
};

static void read_ovs(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, OVS_FIELDS, ret);
}

static const struct field IPSEC_FIELDS[] = {
    FIELD("vici", OPTIONAL, read_vici, ipsec_vici),
    {0},
};

static void read_ipsec(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, IPSEC_FIELDS, ret);
}

static const struct field BGP_FIELDS[] = {
    FIELD("vtysh", OPTIONAL, read_path, bgp_vtysh),
    {0},
};

static void read_bgp(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, BGP_FIELDS, ret);
}

static const struct field DHCP_FIELDS[] = {
    FIELD("dnsmasq", OPTIONAL, read_path, dhcp_dnsmasq),
    {0},
};

static void read_dhcp(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, DHCP_FIELDS, ret);
}

static const struct field BACKEND_FIELDS[] = {
    {"ovs", OPTIONAL, read_ovs, 0},
    {"ipsec", OPTIONAL, read_ipsec, 0},
    {"bgp", OPTIONAL, read_bgp, 0},
    {"dhcp", OPTIONAL, read_dhcp, 0},
    {0},
};

static void read_backends(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, BACKEND_FIELDS, ret);
}

/* --- the whole
 * --------------------------------------------------------------------------------------------- */

static void read_version(struct reader *reader, const struct doc *doc, void *ret)
{
    uint64_t version;
    (void)ret;
    doc_uint(doc, reader->errors, 1, 1, &version);
}

/* In the order of the contract; tenants come after the uplinks that they refer to. */
static const struct field ROOT_FIELDS[] = {
    {"version", REQUIRED, read_version, 0},
    {"router", REQUIRED, read_router, 0},
    {"uplinks", OPTIONAL, read_uplinks, 0},
    {"control", OPTIONAL, read_control, 0},
    {"metrics", OPTIONAL, read_metrics, 0},
    {"tenants", OPTIONAL, read_tenants, 0},
    {"secrets", OPTIONAL, read_secrets, 0},
    {"state", OPTIONAL, read_state, 0},
    {"backends", OPTIONAL, read_backends, 0},
    {"profiles", OPTIONAL, read_profiles, 0},
    {0},
};

static struct config *config_new(void)
{
    struct arena *arena = arena_new();
    struct config *config = arena_alloc(arena, sizeof *config);
    *config = (struct config){
        .arena = arena,
        .socket_path = "/run/routerd/control.sock",
        .socket_mode = 0660,
        .secrets_directory = "/etc/routerd/secrets",
        .state_server = "unix:/run/openvswitch/db.sock",
        .state_database = "Router",
        .ovs_server = "unix:/run/openvswitch/db.sock",
        .ovs_datapath = "system",
        .ipsec_vici = "unix:///run/charon.vici",
        .bgp_vtysh = "/usr/bin/vtysh",
        .dhcp_dnsmasq = "/usr/sbin/dnsmasq",
        .profiles_directory = "/usr/share/routerd/profiles",
    };
    return config;
}

/* The node at a path of keys with dots between them, or null. */
static const struct doc *find(const struct doc *doc, const char *path)
{
    char key[DOC_KEY_TEXT];
    while (doc && *path) {
        size_t len = strcspn(path, ".");
        memcpy(key, path, len);
        key[len] = '\0';
        doc = doc_get(doc, key);
        path += len + (path[len] == '.');
    }
    return doc;
}

static void refuse_not_supported(const struct doc *root, struct errors *errors)
{
    for (size_t i = 0; i < sizeof NOT_SUPPORTED / sizeof *NOT_SUPPORTED; i++) {
        const struct doc *doc = find(root, NOT_SUPPORTED[i]);
        if (doc)
            doc_key_error(doc, errors, "`%s` is not supported yet", doc->key);
    }
}

static void read_root(struct config *config, const struct doc *root, struct errors *errors)
{
    struct config_reader reader = {.reader = {.arena = config->arena, .errors = errors},
                                   .config = config};
    read_map(&reader.reader, root, ROOT_FIELDS, config);
    check_grants(&reader);
    refuse_not_supported(root, errors);
}

struct config *config_parse(const char *text, size_t len, struct errors *errors)
{
    size_t before = errors_count(errors);
    struct config *config = config_new();
    const struct doc *root = doc_parse(config->arena, text, len, errors);
    if (root)
        read_root(config, root, errors);
    errors_sort(errors);
    if (errors_count(errors) == before)
        return config;
    config_free(config);
    return NULL;
}

void config_free(struct config *config)
{
    if (config)
        arena_free(config->arena);
}

/* --- looking up
 * ------------------------------------------------------------------------------------------------
 */

const struct config_uplink *config_find_uplink(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_uplinks; i++)
        if (strcmp(config->uplinks[i].name, name) == 0)
            return &config->uplinks[i];
    return NULL;
}

const struct config_tenant *config_find_tenant(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_tenants; i++)
        if (strcmp(config->tenants[i].name, name) == 0)
            return &config->tenants[i];
    return NULL;
}

bool config_tenant_has_vlan(const struct config_tenant *tenant, const char *uplink, uint16_t vlan)
{
    for (size_t i = 0; i < tenant->n_vlans; i++) {
        const struct config_vlans *vlans = &tenant->vlans[i];
        if (strcmp(vlans->uplink, uplink) != 0)
            continue;
        for (size_t k = 0; k < vlans->n_ranges; k++)
            if (vlan >= vlans->ranges[k].first && vlan <= vlans->ranges[k].last)
                return true;
    }
    return false;
}
