/* What a configuration means. What is wrong with one is in tests/golden/config. */
#include "check.h"

#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config *parse(const char *text)
{
    struct errors *errors = errors_new();
    struct config *config = config_parse(text, strlen(text), errors);
    for (size_t i = 0; i < errors_kept(errors); i++)
        print_error("%u: %s: %s\n", errors_get(errors, i)->line, errors_get(errors, i)->path,
                    errors_get(errors, i)->message);
    errors_free(errors);
    assert_non_null(config);
    return config;
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *config = parse("version: 1\nrouter: {name: vr1, router_id: 192.0.2.1}\n"
                                  "uplinks: {l2: {type: trunk, interface: ens4}}\n"
                                  "tenants: {bio: {}}\n");
    assert_string_equal(config->router_name, "vr1");
    assert_int_equal(config->asn, 0);
    assert_string_equal(config->socket_path, "/run/routerd/control.sock");
    assert_null(config->socket_group);
    assert_int_equal(config->socket_mode, 0660);
    assert_int_equal(config->n_listens, 0);
    assert_null(config->metrics_address);
    assert_string_equal(config->secrets_directory, "/etc/routerd/secrets");
    assert_string_equal(config->state_server, "unix:/run/openvswitch/db.sock");
    assert_string_equal(config->state_database, "Router");
    assert_string_equal(config->ovs_server, "unix:/run/openvswitch/db.sock");
    assert_string_equal(config->ovs_datapath, "system");
    assert_string_equal(config->ipsec_vici, "unix:///run/charon.vici");
    assert_string_equal(config->bgp_vtysh, "/usr/bin/vtysh");
    assert_string_equal(config->profiles_directory, "/usr/share/routerd/profiles");
    assert_string_equal(config->uplinks[0].bridge, "br-l2");
    assert_int_equal(config->uplinks[0].mtu, 1500);
    const struct config_limits *limits = &config_find_tenant(config, "bio")->limits;
    assert_int_equal(limits->networks, 16);
    assert_int_equal(limits->segments, 64);
    assert_int_equal(limits->tunnels, 64);
    assert_int_equal(limits->peers, 128);
    assert_int_equal(limits->nodes, 65536);
    config_free(config);
}

static void test_every_key(void **state)
{
    (void)state;
    struct config *config =
        parse("version: 1\n"
              "router: {name: vr1, router_id: 192.0.2.1, asn: 4200000000}\n"
              "uplinks:\n"
              "  sinet: {type: trunk, interface: ens4, bridge: br-x, mtu: 9000}\n"
              "  wan: {type: routed, interface: ens3}\n"
              "control: {socket: {path: /run/x.sock, group: 27, mode: 0600}}\n"
              "tenants:\n"
              "  bio:\n"
              "    controllers: [vcc-bio.example.ac.jp, b.example]\n"
              "    vlans: {sinet: [\"1001-1099\", 2001]}\n"
              "    limits: {networks: 1, segments: 2, tunnels: 3, peers: 4, nodes: 5}\n"
              "secrets: {directory: /s}\n"
              "state: {server: \"tcp:127.0.0.1:6640\", database: Router2, file: /r.db}\n"
              "backends:\n"
              "  ovs: {server: \"unix:/o.sock\", datapath: netdev}\n"
              "  ipsec: {vici: \"unix:/c.vici\"}\n"
              "  bgp: {vtysh: /vtysh}\n"
              "profiles: {directory: /p}\n");
    char text[ADDR_TEXT];
    assert_string_equal(addr_print(&config->router_id, text), "192.0.2.1");
    assert_int_equal(config->asn, 4200000000);
    const struct config_uplink *sinet = config_find_uplink(config, "sinet");
    const struct config_uplink *wan = config_find_uplink(config, "wan");
    assert_int_equal(sinet->type, UPLINK_TRUNK);
    assert_string_equal(sinet->interface, "ens4");
    assert_string_equal(sinet->bridge, "br-x");
    assert_int_equal(sinet->mtu, 9000);
    assert_int_equal(wan->type, UPLINK_ROUTED);
    assert_null(wan->bridge);
    assert_string_equal(config->socket_path, "/run/x.sock");
    assert_string_equal(config->socket_group, "27");
    assert_int_equal(config->socket_mode, 0600);
    const struct config_tenant *bio = config_find_tenant(config, "bio");
    assert_int_equal(bio->n_controllers, 2);
    assert_string_equal(bio->controllers[1], "b.example");
    assert_int_equal(bio->limits.networks, 1);
    assert_int_equal(bio->limits.segments, 2);
    assert_int_equal(bio->limits.tunnels, 3);
    assert_int_equal(bio->limits.peers, 4);
    assert_int_equal(bio->limits.nodes, 5);
    assert_string_equal(config->secrets_directory, "/s");
    assert_string_equal(config->state_server, "tcp:127.0.0.1:6640");
    assert_string_equal(config->state_database, "Router2");
    assert_string_equal(config->state_file, "/r.db");
    assert_string_equal(config->ovs_server, "unix:/o.sock");
    assert_string_equal(config->ovs_datapath, "netdev");
    assert_string_equal(config->ipsec_vici, "unix:/c.vici");
    assert_string_equal(config->bgp_vtysh, "/vtysh");
    assert_string_equal(config->profiles_directory, "/p");
    config_free(config);
}

static void test_vlans(void **state)
{
    (void)state;
    struct config *config =
        parse("version: 1\nrouter: {name: vr1, router_id: 192.0.2.1}\n"
              "uplinks:\n  a: {type: trunk, interface: e0}\n  b: {type: trunk, interface: e1}\n"
              "tenants:\n  bio: {vlans: {a: [\"1001-1099\", 2001, 4094-4094], b: [1]}}\n"
              "  phys: {vlans: {a: [1100, 1000]}}\n");
    const struct config_tenant *bio = config_find_tenant(config, "bio");
    const struct config_tenant *phys = config_find_tenant(config, "phys");
    assert_true(config_tenant_has_vlan(bio, "a", 1001));
    assert_true(config_tenant_has_vlan(bio, "a", 1099));
    assert_true(config_tenant_has_vlan(bio, "a", 2001));
    assert_true(config_tenant_has_vlan(bio, "a", 4094));
    assert_true(config_tenant_has_vlan(bio, "b", 1));
    assert_false(config_tenant_has_vlan(bio, "a", 1000));
    assert_false(config_tenant_has_vlan(bio, "a", 1100));
    assert_false(config_tenant_has_vlan(bio, "a", 0));
    assert_false(config_tenant_has_vlan(bio, "b", 1001));
    assert_false(config_tenant_has_vlan(bio, "c", 1001));
    assert_true(config_tenant_has_vlan(phys, "a", 1100));
    assert_null(config_find_tenant(config, "chem"));
    assert_null(config_find_uplink(config, "c"));
    config_free(config);
    config_free(NULL);
}

static void test_faults_are_sorted_and_give_nothing(void **state)
{
    (void)state;
    static const char TEXT[] = "foo: 1\nrouter: {name: VR}\n";
    struct errors *errors = errors_new();
    assert_null(config_parse(TEXT, strlen(TEXT), errors));
    assert_int_equal(errors_count(errors), 4);
    for (size_t i = 1; i < errors_kept(errors); i++)
        assert_true(errors_get(errors, i - 1)->line <= errors_get(errors, i)->line);
    errors_free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_vlans),
        cmocka_unit_test(test_faults_are_sorted_and_give_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
