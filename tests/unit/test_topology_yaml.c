#include "topology_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_prefix(const struct prefix *prefix, const char *expected)
{
    char text[PREFIX_TEXT];

    assert_string_equal(prefix_print(prefix, text), expected);
}

static void assert_addr(const struct addr *addr, const char *expected)
{
    char text[ADDR_TEXT];

    assert_string_equal(addr_print(addr, text), expected);
}

static struct topology *parse_contract(void)
{
    char *text = fixture_read("tests/golden/topology/ok-contract.yaml");
    struct topology *topology = fixture_parse(text);

    assert_int_equal(topology->text_len, strlen(text));
    assert_memory_equal(topology->text, text, strlen(text));
    free(text);
    return topology;
}

static void reads_segments(void **state)
{
    struct topology *topology = parse_contract();
    const struct network *network = &topology->networks[0];
    const struct segment *campus = &network->segments[0];

    (void)state;
    assert_int_equal(topology->n_networks, 1);
    assert_string_equal(network->name, "genome");
    assert_int_equal(network->asn, 65010);
    assert_int_equal(network->n_segments, 2);
    assert_string_equal(campus->name, "campus");
    assert_int_equal(campus->n_attachments, 1);
    assert_string_equal(campus->attachments[0].uplink, "sinet");
    assert_int_equal(campus->attachments[0].vlan, 1001);
    assert_int_equal(campus->n_gateways, 2);
    assert_prefix(&campus->gateways[0], "10.1.0.1/24");
    assert_prefix(&campus->gateways[1], "2001:db8:1::1/64");
    topology_free(topology);
}

static void reads_tunnels(void **state)
{
    struct topology *topology = parse_contract();
    const struct tunnel *tunnel = &topology->networks[0].tunnels[0];

    (void)state;
    assert_int_equal(topology->networks[0].n_tunnels, 1);
    assert_string_equal(tunnel->name, "sakura");
    assert_string_equal(tunnel->profile_name, "generic");
    assert_string_equal(tunnel->uplink, "wan");
    assert_string_equal(tunnel->remote, "203.0.113.2");
    assert_string_equal(tunnel->local_id, "vr1.example.ac.jp");
    assert_string_equal(tunnel->remote_id, "203.0.113.2");
    assert_string_equal(tunnel->psk_secret, "sakura-psk");
    assert_int_equal(tunnel->n_inside, 1);
    assert_prefix(&tunnel->inside[0], "169.254.20.1/30");
    assert_true(tunnel->initiate);
    topology_free(topology);
}

static void reads_peers(void **state)
{
    struct topology *topology = parse_contract();
    const struct network *network = &topology->networks[0];
    const struct peer *aws = &network->peers[0], *sakura = &network->peers[1];

    (void)state;
    assert_int_equal(network->n_peers, 2);
    assert_ptr_equal(aws->segment, &network->segments[1]);
    assert_null(aws->tunnel);
    assert_addr(&aws->address, "169.254.10.2");
    assert_int_equal(aws->asn, 64512);
    assert_string_equal(aws->profile_name, "generic");
    assert_string_equal(aws->password_secret, "aws-dx");
    assert_false(aws->has_import_prefixes || aws->has_export_prefixes || aws->has_export_med);

    assert_null(sakura->segment);
    assert_ptr_equal(sakura->tunnel, &network->tunnels[0]);
    assert_null(sakura->profile_name);
    assert_null(sakura->password_secret);
    assert_true(sakura->has_import_prefixes && sakura->has_export_prefixes);
    assert_int_equal(sakura->n_import_prefixes, 1);
    assert_prefix(&sakura->import_prefixes[0].prefix, "10.3.0.0/16");
    assert_int_equal(sakura->import_prefixes[0].ge, 16);
    assert_int_equal(sakura->import_prefixes[0].le, 24);
    assert_int_equal(sakura->import_max_prefixes, 100);
    assert_prefix(&sakura->export_prefixes[0].prefix, "10.1.0.0/16");
    assert_true(sakura->has_export_med);
    assert_int_equal(sakura->export_med, 0);
    topology_free(topology);
}

static void reads_routes(void **state)
{
    struct topology *topology = parse_contract();
    const struct network *network = &topology->networks[0];

    (void)state;
    assert_int_equal(network->n_routes, 2);
    assert_prefix(&network->routes[0].prefix, "10.9.0.0/16");
    assert_addr(&network->routes[0].via, "10.1.0.254");
    assert_false(network->routes[0].blackhole);
    assert_prefix(&network->routes[1].prefix, "10.1.0.0/16");
    assert_true(network->routes[1].blackhole);
    assert_int_equal(network->routes[1].via.family, 0);
    topology_free(topology);
}

static void has_defaults(void **state)
{
    struct topology *topology = fixture_parse(
        "version: 1\n"
        "networks:\n"
        "- name: a\n"
        "  tunnels: [{name: t, uplink: wan, remote: vpn.example.com, auth: {psk: {secret: s}},"
        "             inside: ['2001:db8::1/64']}]\n"
        "  peers: [{name: p, via: t, address: '2001:db8::2', asn: 1, import: {prefixes: []},"
        "           export: {prefixes: [], prepend: 3, med: 7}}]\n"
        "- name: b\n");
    const struct tunnel *tunnel = &topology->networks[0].tunnels[0];
    const struct peer *peer = &topology->networks[0].peers[0];

    (void)state;
    assert_string_equal(tunnel->profile_name, "generic");
    assert_null(tunnel->local_id);
    assert_null(tunnel->remote_id);
    assert_true(tunnel->initiate);
    assert_int_equal(peer->import_max_prefixes, 0);
    assert_true(peer->has_import_prefixes && !peer->n_import_prefixes); /* nothing, not anything */
    assert_true(peer->has_export_prefixes && !peer->n_export_prefixes);
    assert_int_equal(peer->export_prepend, 3);
    assert_int_equal(peer->export_med, 7);
    assert_int_equal(topology->networks[0].asn, 0);
    assert_int_equal(topology->networks[1].n_segments, 0);
    assert_ptr_equal(topology_find_network(topology, "b"), &topology->networks[1]);
    assert_null(topology_find_network(topology, "c"));
    topology_free(topology);
}

static void compares_meaning(void **state)
{
    struct topology *yaml = fixture_parse("version: 1\nnetworks: # one\n- {name: a, asn: 1}\n");
    struct topology *json =
        fixture_parse("{\"networks\":[{\"asn\":1,\"name\":\"a\"}],\"version\":1}");
    struct topology *other = fixture_parse("version: 1\nnetworks: [{name: a, asn: 2}]\n");
    struct topology *empty = topology_new_empty();
    struct topology *none = fixture_parse("version: 1\nnetworks: []\n");

    (void)state;
    assert_true(topology_equal(yaml, json));
    assert_false(topology_equal(yaml, other));
    assert_false(topology_equal(yaml, empty));
    assert_true(topology_equal(none, empty));
    assert_int_equal(empty->n_networks, 0);
    topology_free(yaml);
    topology_free(json);
    topology_free(other);
    topology_free(empty);
    topology_free(none);
    topology_free(NULL);
}

static void survives_what_is_no_topology(void **state)
{
    static const char *const texts[] = {"", "]", "a", "[]", "{}", "version: 1", "networks: {}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct errors *errors = errors_new();
        struct topology *topology = topology_parse(texts[i], strlen(texts[i]), errors);

        assert_true(errors_count(errors) > 0);
        assert_true((topology != NULL) == (i >= 2)); /* the first two cannot be read at all */
        topology_free(topology);
        errors_free(errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_segments),
        cmocka_unit_test(reads_tunnels),
        cmocka_unit_test(reads_peers),
        cmocka_unit_test(reads_routes),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(compares_meaning),
        cmocka_unit_test(survives_what_is_no_topology),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
