/* What topology_check() makes of pools: where their nodes are and what may be given out. The faults
 * are in tests/golden/topology. */
#include "topology_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG                                                                       \
    "version: 1\nrouter: {name: r, router_id: 192.0.2.1, asn: 65010}\n"              \
    "uplinks: {sinet: {type: trunk, interface: e4, mtu: 9000}, wan: {type: routed, " \
    "interface: e3}}\n"                                                              \
    "tenants: {bio: {controllers: [bio.example.com], vlans: {sinet: ['1-3000']}}}\n"

static const char *describe_family(char *at, const struct pool_family *family)
{
    char text[PREFIX_TEXT], gateway[ADDR_TEXT], first[ADDR_TEXT], last[ADDR_TEXT];

    at += sprintf(at, " %s /%u via %s:", prefix_print(&family->prefix, text), family->prefix_len,
                  addr_print(&family->gateway, gateway));
    for (size_t i = 0; i < family->n_usable; i++) {
        at += sprintf(at, " %s-%s", addr_print(&family->usable[i].first, first),
                      addr_print(&family->usable[i].last, last));
    }
    return at;
}

/* "mtu 1500, 100: 10.1.0.0/24 /16 via 10.1.0.1: 10.1.0.100-10.1.0.199" */
static void expect_pool(const char *network, const char *pool, const char *expected)
{
    char text[1024], seen[2048], *at = seen;
    struct topology_world world = fixture_world(CONFIG);
    struct topology *topology;
    struct errors *errors;

    snprintf(text, sizeof text, "version: 1\nnetworks:\n- name: a\n%s  pools: [{name: p, %s}]\n",
             network, pool);
    topology = fixture_check(&world, "bio", text, &errors);
    assert_int_equal(errors_count(errors), 0);
    const struct pool *seen_pool = network_find_pool(&topology->networks[0], "p");

    at += sprintf(at, "mtu %u, %llu:", seen_pool->mtu, (unsigned long long)seen_pool->capacity);
    for (size_t i = 0; i < seen_pool->n_families; i++) {
        at = (char *)describe_family(at, &seen_pool->families[i]);
    }
    assert_string_equal(seen, expected);
    assert_null(network_find_pool(&topology->networks[0], "q"));
    errors_free(errors);
    topology_free(topology);
    fixture_world_done(&world);
}

#define SEGMENT                                                                 \
    "  segments: [{name: s, attachments: [{uplink: sinet, vlan: 7}], gateway: " \
    "[10.1.0.1/16, '2001:db8::1/64']}]\n"
#define REST                                                        \
    "  peers: [{name: p, via: s, address: 10.1.0.2, asn: 64512}]\n" \
    "  routes: [{prefix: 10.9.0.0/16, via: 10.1.0.254}]\n"

static void on_a_segment(void **state)
{
    (void)state;
    expect_pool(SEGMENT, "prefix: 10.1.0.0/24, range: 10.1.0.100-10.1.0.199",
                "mtu 9000, 100: 10.1.0.0/24 /16 via 10.1.0.1: 10.1.0.100-10.1.0.199");
    expect_pool(SEGMENT REST, "prefix: 10.1.0.0/24",
                "mtu 9000, 251: 10.1.0.0/24 /16 via 10.1.0.1: 10.1.0.3-10.1.0.253");
    expect_pool(SEGMENT, "prefix: 10.1.255.0/24, gateway: 10.1.255.9, mtu: 1500",
                "mtu 1500, 253: 10.1.255.0/24 /16 via 10.1.255.9: 10.1.255.1-10.1.255.8 "
                "10.1.255.10-10.1.255.254");
    expect_pool(SEGMENT, "prefix: ['2001:db8::/64', 10.1.4.0/30]",
                "mtu 9000, 2: 10.1.4.0/30 /16 via 10.1.0.1: 10.1.4.1-10.1.4.2 2001:db8::/64 /64 "
                "via 2001:db8::1: 2001:db8::2-2001:db8::ffff:ffff:ffff:ffff");
}

static void behind_a_peer(void **state)
{
    (void)state;
    expect_pool("", "prefix: 10.2.0.0/24, provider: aws",
                "mtu 1500, 251: 10.2.0.0/24 /24 via 10.2.0.1: 10.2.0.4-10.2.0.254");
    expect_pool("", "prefix: 10.2.0.0/29, provider: gcp",
                "mtu 1500, 4: 10.2.0.0/29 /29 via 10.2.0.1: 10.2.0.2-10.2.0.5");
    expect_pool("  tunnels: [{name: t, uplink: wan, remote: 203.0.113.1, auth: {psk: {secret: s}}, "
                "inside: [10.0.1.1/24]}]\n",
                "prefix: 10.2.0.0/31", "mtu 1446, 2: 10.2.0.0/31 /31 via : 10.2.0.0-10.2.0.1");
}

static void ranges_and_holes(void **state)
{
    (void)state;
    expect_pool("",
                "prefix: 10.2.0.0/24, range: [10.2.0.20-10.2.0.30, 10.2.0.0-10.2.0.9, "
                "10.2.0.25-10.2.0.40], reserved: [10.2.0.2/31, 10.2.0.35, 10.2.0.39-10.2.0.50]",
                "mtu 1500, 25: 10.2.0.0/24 /24 via : 10.2.0.1-10.2.0.1 10.2.0.4-10.2.0.9 "
                "10.2.0.20-10.2.0.34 10.2.0.36-10.2.0.38");
    expect_pool("", "prefix: 10.0.0.0/8",
                "mtu 1500, 16777214: 10.0.0.0/8 /8 via : "
                "10.0.0.1-10.255.255.254");
    expect_pool("", "prefix: 'fd00::/8'",
                "mtu 1500, 18446744073709551615: fd00::/8 /8 via : "
                "fd00::1-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void knows_what_may_be_given_out(void **state)
{
    struct topology_world world = fixture_world(CONFIG);
    struct errors *errors;
    struct topology *topology = fixture_check(
        &world, "bio",
        "version: 1\nnetworks: [{name: a, pools: [{name: p, prefix: 10.2.0.0/24, provider: aws, "
        "reserved: 10.2.0.50}]}]\n",
        &errors);
    const struct pool_family *family = &topology->networks[0].pools[0].families[0];
    static const struct {
        const char *text;
        bool expected;
    } cases[] = {{"10.2.0.3", false},   {"10.2.0.4", true},  {"10.2.0.49", true},
                 {"10.2.0.50", false},  {"10.2.0.51", true}, {"10.2.0.254", true},
                 {"10.2.0.255", false}, {"10.3.0.4", false}, {"2001:db8::4", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr addr;

        assert_int_equal(addr_parse(cases[i].text, &addr), 0);
        assert_int_equal(pool_family_has(family, &addr), cases[i].expected);
    }
    assert_null(pool_find_family(&topology->networks[0].pools[0], AF_INET6));
    errors_free(errors);
    topology_free(topology);
    fixture_world_done(&world);
}

/* What is refused anyway may not cost the square of what was sent. */
static void test_many_in_one_prefix(void **state)
{
    enum { MANY = 1000, LINE = 64 };
    struct topology_world world = fixture_world(CONFIG);
    char *text = malloc((2 * MANY + 4) * LINE), *at = text;
    struct topology *topology;
    struct errors *errors;

    (void)state;
    assert_non_null(text);
    at += sprintf(at, "version: 1\nnetworks:\n- name: a\n  pools:\n");
    for (int i = 0; i < MANY; i++) {
        at += sprintf(at, "  - {name: p%d, prefix: 10.0.0.0/%d}\n", i, i < MANY - 1 ? 16 : 8);
    }
    at += sprintf(at, "  routes:\n");
    for (int i = 0; i < MANY; i++) {
        at += sprintf(at, "  - {prefix: 11.0.0.0/8, via: 10.0.%d.%d}\n", i / 100, i % 100 * 2 + 1);
    }
    topology = fixture_check(&world, "bio", text, &errors);
    assert_true(errors_count(errors) > 0);
    assert_true(arena_size(topology->arena) < (size_t)(at - text) * 100);
    errors_free(errors);
    topology_free(topology);
    fixture_world_done(&world);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_segment),
        cmocka_unit_test(behind_a_peer),
        cmocka_unit_test(ranges_and_holes),
        cmocka_unit_test(knows_what_may_be_given_out),
        cmocka_unit_test(test_many_in_one_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
