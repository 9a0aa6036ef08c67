/* What the golden files (tests/golden/topology) cannot show: what is filled in, other worlds, cost.
 */
#include "topology_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define UPLINKS \
    "uplinks: {sinet: {type: trunk, interface: e4}, wan: {type: routed, interface: e3}}\n"
#define TENANTS                                                                             \
    "tenants:\n"                                                                            \
    "  bio:\n"                                                                              \
    "    controllers: [bio.example.com]\n"                                                  \
    "    vlans: {sinet: ['1-3000']}\n"                                                      \
    "    limits: {networks: 5000, segments: 5000, tunnels: 5000, peers: 10000, nodes: 1}\n" \
    "  phys:\n"                                                                             \
    "    controllers: [phys.example.com]\n"                                                 \
    "    vlans: {sinet: ['3001-3100']}\n"                                                   \
    "    limits: {networks: 5, segments: 5, tunnels: 5, peers: 5, nodes: 1}\n"

#define CONFIG "version: 1\nrouter: {name: r, router_id: 192.0.2.1, asn: 65010}\n" UPLINKS TENANTS
#define CONFIG_NO_ASN "version: 1\nrouter: {name: r, router_id: 192.0.2.1}\n" UPLINKS TENANTS

#define TUNNEL(NAME, REMOTE, INSIDE)                                                               \
    "{name: " NAME ", uplink: wan, remote: " REMOTE ", auth: {psk: {secret: s}}, inside: [" INSIDE \
    "]}"

static const char one_peer[] =
    "version: 1\n"
    "networks:\n"
    "- name: a\n"
    "  segments: [{name: s, attachments: [{uplink: sinet, vlan: 7}], gateway: [10.0.0.1/24]}]\n"
    "  peers: [{name: p, via: s, address: 10.0.0.2, asn: 64512}]\n";

static void fills_in_profiles_and_as_numbers(void **state)
{
    struct topology_world world = fixture_world(CONFIG);
    struct errors *errors = NULL;
    struct topology *topology = fixture_check(
        &world, "bio",
        "version: 1\n"
        "networks:\n"
        "- name: a\n"
        "  segments: [{name: s, attachments: [{uplink: sinet, vlan: 7}], gateway: [10.0.0.1/24]}]\n"
        "  tunnels: [" TUNNEL(
            "t", "203.0.113.1",
            "10.0.1.1/24") "]\n"
                           "  peers:\n"
                           "  - {name: p, via: s, address: 10.0.0.2, asn: 64512}\n"
                           "  - {name: q, via: t, address: 10.0.1.2, asn: 64512}\n"
                           "  - {name: r, via: t, address: 10.0.1.3, asn: 64512, profile: generic}\n"
                           "- {name: b, asn: 64600}\n",
        &errors);
    const struct profile *generic = profiles_find(world.profiles, "generic");

    (void)state;
    assert_int_equal(errors_count(errors), 0);
    assert_non_null(generic);
    assert_int_equal(topology->networks[0].asn, 65010);
    assert_int_equal(topology->networks[1].asn, 64600);
    assert_ptr_equal(topology->networks[0].tunnels[0].profile, generic);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(topology->networks[0].peers[i].profile, generic);
    }
    errors_free(errors);
    topology_free(topology);
    fixture_world_done(&world);
}

static void takes_a_profile_that_was_added(void **state)
{
    static const char text[] =
        "version: 1\nnetworks: [{name: a, tunnels: [{name: t, profile: newcloud, uplink: wan, "
        "remote: 203.0.113.1, auth: {psk: {secret: s}}, inside: [10.0.1.1/24]}]}]\n";
    struct topology_world world = fixture_world(CONFIG);
    struct errors *errors = errors_new();
    char *profile = fixture_read("configs/profiles/generic.yaml");

    (void)state;
    fixture_expect(&world, "bio", text,
                   "2:51: networks[0].tunnels[0].profile: there is no profile `newcloud`\n");
    assert_true(profiles_add((struct profiles *)world.profiles, "newcloud", profile,
                             strlen(profile), errors));
    fixture_expect(&world, "bio", text, "");
    free(profile);
    errors_free(errors);
    fixture_world_done(&world);
}

static void wants_an_as_number_from_somewhere(void **state)
{
    struct topology_world world = fixture_world(CONFIG_NO_ASN);

    (void)state;
    fixture_expect(
        &world, "bio", one_peer,
        "3:3: networks[0]: `asn` is missing: the network has peers and the router has no "
        "AS number of its own\n");
    fixture_expect(&world, "bio", "version: 1\nnetworks: [{name: a}]\n", "");
    fixture_world_done(&world);
}

static void knows_its_tenants(void **state)
{
    struct topology_world world = fixture_world(CONFIG);

    (void)state;
    fixture_expect(&world, "chem", one_peer, "0:0: : there is no tenant `chem`\n");
    fixture_expect(
        &world, "phys", one_peer,
        "4:60: networks[0].segments[0].attachments[0].vlan: VLAN 7 of uplink sinet is not "
        "granted to tenant phys\n");
    fixture_world_done(&world);
}

/* The tenant's own older generation is what the topology replaces; nothing else may be known. */
static void does_not_clash_with_itself(void **state)
{
    struct topology_world world = fixture_world(CONFIG);
    const struct intended *intended;

    (void)state;
    fixture_enforce(&world, "bio", one_peer);
    fixture_expect(&world, "bio", one_peer, "");
    intended = world.intended;
    world.intended = NULL;
    world.secret_exists = NULL;
    fixture_expect(&world, "bio", one_peer, "");
    world.intended = intended;
    fixture_world_done(&world);
}

/* What is in force of others may name uplinks that have left the configuration. */
static void clashes_with_others(void **state)
{
    static const char tunnel[] = "version: 1\nnetworks: [{name: a, tunnels: [" TUNNEL(
        "t", "vpn.example.com", "10.0.1.1/24") "]}]\n";
    struct topology_world world = fixture_world(CONFIG);

    (void)state;
    fixture_enforce(&world, "phys",
                    "version: 1\nnetworks: [{name: a, segments: [{name: s, attachments: "
                    "[{uplink: gone, vlan: 8}, {uplink: sinet, vlan: 7}]}], tunnels: [" TUNNEL(
                        "t", "VPN.example.com", "10.0.1.1/24") "]}]\n");
    fixture_expect(
        &world, "bio", one_peer,
        "4:60: networks[0].segments[0].attachments[0].vlan: VLAN 7 of uplink sinet is in "
        "use by another tenant\n");
    fixture_expect(
        &world, "bio", tunnel,
        "2:63: networks[0].tunnels[0].remote: IKE could not tell this tunnel from another "
        "tenant's: `uplink` and `remote` are the same, so `local_id` or `remote_id` must "
        "differ\n");
    fixture_world_done(&world);
}

/* A topology of n networks; or, the other way round, of one network with n of everything. */
static char *many_networks(unsigned int n)
{
    char *text;
    size_t len;
    FILE *memory = open_memstream(&text, &len);

    fprintf(memory, "version: 1\nnetworks:\n");
    for (unsigned int i = 0; i < n; i++) {
        fprintf(memory,
                "- name: network-%u\n"
                "  segments:\n"
                "  - {name: a, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.1.0.1/24]}\n"
                "  - {name: b, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.2.0.1/24]}\n"
                "  tunnels: [" TUNNEL(
                    "t", "t%u.example.com",
                    "10.3.0.1/30") "]\n"
                                   "  peers:\n"
                                   "  - {name: a, via: a, address: 10.1.0.2, asn: 64512}\n"
                                   "  - {name: t, via: t, address: 10.3.0.2, asn: 64513,"
                                   " import: {prefixes: [10.4.0.0/16 le 24]}}\n"
                                   "  routes: [{prefix: 10.9.0.0/16, via: 10.1.0.254}]\n",
                i, 1 + 2 * i, 2 + 2 * i, i);
    }
    fclose(memory);
    return text;
}

static char *one_large_network(unsigned int n)
{
    char *text;
    size_t len;
    FILE *memory = open_memstream(&text, &len);

    fprintf(memory, "version: 1\nnetworks:\n- name: a\n  segments:\n");
    for (unsigned int i = 0; i < n; i++) {
        fprintf(
            memory,
            "  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.%u.%u.1/24]}\n",
            i, i + 1, i / 256, i % 256);
    }
    fprintf(memory, "  peers:\n");
    for (unsigned int i = 0; i < n; i++) {
        fprintf(memory, "  - {name: p%u, via: s%u, address: 10.%u.%u.2, asn: 64512}\n", i, i,
                i / 256, i % 256);
    }
    fprintf(memory, "  routes:\n");
    for (unsigned int i = 0; i < n; i++) {
        fprintf(memory, "  - {prefix: 11.%u.%u.0/24, via: 10.%u.%u.3}\n", i / 256, i % 256, i / 256,
                i % 256);
    }
    fclose(memory);
    return text;
}

/* CPU seconds to parse and check the text, which must be right. */
static double cost(const struct topology_world *world, const char *text)
{
    clock_t start = clock();

    fixture_expect(world, "bio", text, "");
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Under sanitizers and beside other tests; without them it is some tens of milliseconds. */
static void is_quick(void **state)
{
    struct topology_world world = fixture_world(CONFIG);
    char *wide = many_networks(1000), *deep = one_large_network(3000);

    (void)state;
    assert_true(cost(&world, wide) < 2.0);
    assert_true(cost(&world, deep) < 2.0);
    free(wide);
    free(deep);
    fixture_world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_profiles_and_as_numbers),
        cmocka_unit_test(takes_a_profile_that_was_added),
        cmocka_unit_test(wants_an_as_number_from_somewhere),
        cmocka_unit_test(knows_its_tenants),
        cmocka_unit_test(does_not_clash_with_itself),
        cmocka_unit_test(clashes_with_others),
        cmocka_unit_test(is_quick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
