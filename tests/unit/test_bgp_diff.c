/* What bgp/ wants and how it gets there, on a bgpd in memory. */
#include "bgp_fake.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

struct world {
    struct bgp_fake fake;
    struct ids ids;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    bgp_fake_init(&world->fake);
    ids_init(&world->ids);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    bgp_fake_done(&world->fake);
    ids_done(&world->ids);
    free(world);
    bgp_fake_world_done();
    return 0;
}

/* The steps from what is there to bio's networks, carried out. */
static char *push(struct world *world, const char *bio)
{
    struct intended *intended = bgp_fake_intended(&world->ids, bio, NULL);
    struct plan *plan = bgp_fake_plan(&world->fake, intended);
    char *steps = bgp_fake_steps(plan);

    plan_free(plan);
    bgp_fake_pass(&world->fake, intended);
    intended_unref(intended);
    return steps;
}

static void expect_push(struct world *world, const char *bio, const char *expected)
{
    char *steps = push(world, bio);

    assert_string_equal(steps, expected);
    free(steps);
}

static bool config_has(struct world *world, const char *line)
{
    char *config = bgp_fake_config(&world->fake);
    bool found = strstr(config, line) != NULL;

    free(config);
    return found;
}

static void expect_config(struct world *world, const char *expected)
{
    char *config = bgp_fake_config(&world->fake);

    assert_string_equal(config, expected);
    free(config);
}

#define HEAD "frr version 8.4.4\nfrr defaults traditional\n!\nhostname fake\n!\n"

#define SEGMENTS                                                                             \
    "  segments:\n"                                                                          \
    "  - {name: campus, attachments: [{uplink: sinet, vlan: 10}], gateway: [10.1.0.1/24]}\n" \
    "  - {name: dx, attachments: [{uplink: sinet, vlan: 11}], gateway: [169.254.10.1/30]}\n"

static const char ONE[] = "- name: genome\n" SEGMENTS "  peers:\n"
                          "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512}\n"
                          "  routes:\n"
                          "  - {prefix: 10.1.0.0/16, blackhole: true}\n";

static void test_a_network_with_a_peer(void **state)
{
    expect_push(*state, ONE,
                "create bio/genome: BGP instance of AS 65010 in rvrf1001 announcing 2 prefixes\n"
                "create bio/genome/peer/aws: BGP peer 169.254.10.2 of AS 64512 in rvrf1001, at "
                "most 1000 prefixes\n");
    expect_config(*state,
                  HEAD "ip prefix-list routerd-021d18f47c94c675 seq 5 deny 10.1.0.0/24 le 32\n"
                       "ip prefix-list routerd-021d18f47c94c675 seq 10 deny 169.254.10.0/30 le 32\n"
                       "ip prefix-list routerd-021d18f47c94c675 seq 15 permit 0.0.0.0/0 ge 1\n"
                       "ip prefix-list routerd-724e925cc33561c4 seq 5 deny 169.254.0.0/16 le 32\n"
                       "ip prefix-list routerd-724e925cc33561c4 seq 10 permit 0.0.0.0/0 le 32\n"
                       "router bgp 65010 vrf rvrf1001\n"
                       " bgp router-id 192.0.2.1\n"
                       " no bgp default ipv4-unicast\n"
                       " no bgp network import-check\n"
                       " bgp log-neighbor-changes\n"
                       " bgp bestpath as-path multipath-relax\n"
                       " coalesce-time 13\n"
                       " neighbor 169.254.10.2 remote-as 64512\n"
                       " neighbor 169.254.10.2 description bio/genome/peer/aws\n"
                       " neighbor 169.254.10.2 timers 10 30\n"
                       " neighbor 169.254.10.2 timers connect 5\n"
                       " !\n"
                       " address-family ipv4 unicast\n"
                       "  network 10.1.0.0/16\n"
                       "  network 10.1.0.0/24\n"
                       "  neighbor 169.254.10.2 prefix-list routerd-021d18f47c94c675 in\n"
                       "  neighbor 169.254.10.2 prefix-list routerd-724e925cc33561c4 out\n"
                       "  neighbor 169.254.10.2 maximum-prefix 1000 restart 5\n"
                       "  neighbor 169.254.10.2 activate\n"
                       " exit-address-family\n"
                       "exit\n!\n");
    expect_push(*state, ONE, "");
}

static void test_the_session_starts_last(void **state)
{
    struct world *world = *state;
    const char *activate, *connect;

    free(push(world, ONE));
    activate = strstr(world->fake.log, "neighbor 169.254.10.2 activate\n");
    connect = strstr(world->fake.log, "neighbor 169.254.10.2 timers connect 5\n");
    assert_non_null(activate);
    assert_non_null(connect);
    assert_true(activate < connect);
}

static void test_no_peers_no_instance(void **state)
{
    expect_push(*state, "- name: genome\n" SEGMENTS, "");
    expect_config(*state, HEAD);
}

static void test_all_settings_of_a_peer(void **state)
{
    free(push(*state,
              "- name: genome\n" SEGMENTS "  peers:\n"
              "  - {name: aws, via: dx, address: 169.254.10.2, asn: 4200000000, password: {secret: "
              "dx}, import: {prefixes: [\"10.3.0.0/16 le 24\", \"2001:db8::/32\"], max_prefixes: "
              "7}, export: {prefixes: [\"10.1.0.0/16 ge 24\"], prepend: 3, med: 0}}\n"));
    assert_true(config_has(*state, " neighbor 169.254.10.2 remote-as 4200000000\n"));
    assert_true(config_has(*state, " neighbor 169.254.10.2 password pw-dx\n"));
    assert_true(config_has(*state, "  neighbor 169.254.10.2 maximum-prefix 7 restart 5\n"));
    assert_true(config_has(*state, " seq 5 permit 10.3.0.0/16 le 24\n"));
    assert_true(config_has(*state, " seq 5 permit 10.1.0.0/16 ge 24\n"));
    assert_true(config_has(*state, " set as-path prepend 65010 65010 65010\n set metric 0\n"));
    assert_false(config_has(*state, "2001:db8"));
    assert_false(config_has(*state, "le 32"));
}

static void test_an_empty_list_lets_nothing_pass(void **state)
{
    free(push(*state, "- name: genome\n" SEGMENTS "  peers:\n"
                      "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512, import: "
                      "{prefixes: []}, export: {prefixes: []}}\n"));
    assert_true(config_has(*state, " seq 5 deny 0.0.0.0/0 le 32\n"));
    assert_false(config_has(*state, " permit "));
}

static void test_both_families(void **state)
{
    free(push(*state, "- name: genome\n"
                      "  segments:\n"
                      "  - {name: campus, attachments: [{uplink: sinet, vlan: 10}], gateway: "
                      "[10.1.0.1/24, \"2001:db8:1::1/64\"]}\n"
                      "  peers:\n"
                      "  - {name: four, via: campus, address: 10.1.0.2, asn: 64512}\n"
                      "  - {name: six, via: campus, address: \"2001:db8:1::2\", asn: 64513}\n"));
    assert_true(config_has(*state, " address-family ipv6 unicast\n"
                                   "  network 2001:db8:1::/64\n"
                                   "  neighbor 2001:db8:1::2 prefix-list"));
    assert_true(config_has(*state, " seq 5 deny 2001:db8:1::/64 le 128\n"));
    assert_true(config_has(*state, " seq 5 deny fe80::/10 le 128\n"));
    assert_true(config_has(*state, " seq 10 permit ::/0 ge 1\n"));
}

static void test_changes_touch_only_what_changed(void **state)
{
    struct world *world = *state;

    free(push(world, ONE));
    expect_push(world,
                "- name: genome\n" SEGMENTS "  peers:\n"
                "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512, export: {prefixes: "
                "[10.1.0.0/24]}}\n"
                "  routes:\n"
                "  - {prefix: 10.1.0.0/16, blackhole: true}\n",
                "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: export [deny "
                "169.254.0.0/16 le 32,permit 0.0.0.0/0 le 32] -> [permit 10.1.0.0/24]\n");
    assert_string_equal(
        world->fake.log,
        "end\nconfigure terminal\n"
        "ip prefix-list routerd-b9f5ce5c256c15a9 seq 5 permit 10.1.0.0/24\n"
        "end\nconfigure terminal\nrouter bgp 65010 vrf rvrf1001\n"
        "address-family ipv4 unicast\n"
        "neighbor 169.254.10.2 prefix-list routerd-b9f5ce5c256c15a9 out\n"
        "exit-address-family\n"
        "end\nconfigure terminal\nno ip prefix-list routerd-724e925cc33561c4\nend\n");
}

static void test_what_interrupts_is_marked(void **state)
{
    static const char *const AWS = "- name: genome\n" SEGMENTS "  peers:\n"
                                   "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64513, "
                                   "password: {secret: dx}}\n"
                                   "  routes:\n"
                                   "  - {prefix: 10.1.0.0/16, blackhole: true}\n";

    free(push(*state, ONE));
    expect_push(*state, AWS,
                "update bio/genome/peer/aws!: BGP peer 169.254.10.2 in rvrf1001: remote AS 64512 "
                "-> 64513, with a password\n");
    expect_push(*state, ONE,
                "update bio/genome/peer/aws!: BGP peer 169.254.10.2 in rvrf1001: remote AS 64513 "
                "-> 64512, no password\n");
}

static void test_another_asn_is_another_instance(void **state)
{
    char *steps;

    free(push(*state, ONE));
    steps = push(*state, "- name: genome\n  asn: 65020\n" SEGMENTS "  peers:\n"
                         "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512}\n");
    assert_string_equal(
        steps,
        "delete bio/genome!: BGP instance of AS 65010 in rvrf1001 with 1 peer: 169.254.10.2\n"
        "create bio/genome: BGP instance of AS 65020 in rvrf1001 announcing 1 prefix\n"
        "create bio/genome/peer/aws: BGP peer 169.254.10.2 of AS 64512 in rvrf1001, at most "
        "1000 prefixes\n");
    free(steps);
}

static void test_removal_leaves_nothing(void **state)
{
    free(push(*state, ONE));
    expect_push(*state, NULL,
                "delete bio/genome!: BGP instance of AS 65010 in rvrf1001 with 1 peer: "
                "169.254.10.2\n");
    expect_config(*state, HEAD);
}

static void test_a_missing_secret_holds_the_peer_back(void **state)
{
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(
        &world->ids,
        "- name: genome\n" SEGMENTS "  peers:\n"
        "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512, password: {secret: none}}\n",
        NULL);
    struct plan *plan = bgp_fake_plan(&world->fake, intended);

    assert_int_equal(bgp_fake_apply(&world->fake, plan), 1);
    assert_false(config_has(world, " neighbor 1"));
    plan_free(plan);
    intended_unref(intended);
}

static const char FOREIGN[] = "configure terminal\n"
                              "ip prefix-list FOREIGN seq 5 permit 10.0.0.0/8 le 24\n"
                              "route-map FOREIGN permit 10\n"
                              "match ip address prefix-list FOREIGN\n"
                              "exit\n"
                              "router bgp 65010 vrf red\n"
                              "bgp router-id 192.0.2.99\n"
                              "neighbor 169.254.10.2 remote-as 64512\n"
                              "neighbor 169.254.10.2 description bio/genome/peer/aws\n"
                              "exit\n"
                              "router bgp 65099\n"
                              "neighbor 10.0.0.9 remote-as 64512\n"
                              "end\n";

static void test_foreign_configuration_stays(void **state)
{
    struct world *world = *state;
    char *before, *after;

    bgp_fake_type_all(&world->fake, FOREIGN);
    before = bgp_fake_foreign(&world->fake);
    free(push(world, ONE));
    free(push(world, NULL));
    after = bgp_fake_config(&world->fake);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_a_foreign_instance_in_the_way(void **state)
{
    struct world *world = *state;
    char *steps;

    bgp_fake_type_all(&world->fake, "configure terminal\n"
                                    "router bgp 65001 vrf rvrf1001\n"
                                    "neighbor 10.0.0.9 remote-as 64512\n"
                                    "end\n");
    steps = push(world, ONE);
    assert_non_null(strstr(steps, "REFUSED: FRR has a BGP instance of AS 65001 in rvrf1001"));
    free(steps);
    assert_true(config_has(world, " neighbor 10.0.0.9 remote-as 64512\n"));
    assert_false(config_has(world, "169.254.10.2"));
}

/* Somebody has overwritten the only description: the policies tell all the same. */
static void test_a_mark_is_lost(void **state)
{
    struct world *world = *state;

    free(push(world, ONE));
    bgp_fake_type_all(&world->fake, "configure terminal\n"
                                    "router bgp 65010 vrf rvrf1001\n"
                                    "neighbor 169.254.10.2 description stray\n"
                                    "end\n");
    expect_push(world, ONE,
                "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: description\n");
    assert_true(config_has(world, " neighbor 169.254.10.2 description bio/genome/peer/aws\n"));
}

static void test_half_an_instance_is_ours(void **state)
{
    struct world *world = *state;

    bgp_fake_type_all(&world->fake, "configure terminal\n"
                                    "router bgp 65010 vrf rvrf1007\n"
                                    "no bgp default ipv4-unicast\n"
                                    "no bgp network import-check\n"
                                    "coalesce-time 13\n"
                                    "end\n");
    expect_push(world, NULL,
                "delete /rvrf1007!: BGP instance of AS 65010 in rvrf1007 with 0 peers\n");
}

#define PEER(KEYS)                           \
    "- name: genome\n" SEGMENTS "  peers:\n" \
    "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512" KEYS "}\n"

/* Whether `first` was sent before `second`. */
static bool sent_before(const struct world *world, const char *first, const char *second)
{
    const char *a = strstr(world->fake.log, first), *b = strstr(world->fake.log, second);

    return a && b && a < b;
}

/* While a list and a map are switched one after the other no route passes that neither the old nor
 * the new ones let pass: a map that restricts comes first and goes last. */
static void test_maps_and_lists_are_switched_safely(void **state)
{
    static const char *const OPEN = PEER("");
    static const char *const SETS = PEER(", import: {local_preference: 7}");
    static const char *const TIGHT =
        PEER(", import: {prefixes: [\"10.3.0.0/16 le 24\"], communities: [\"65000:1\"]}");
    struct world *world = *state;

    free(push(world, OPEN));
    free(push(world, TIGHT));
    assert_true(sent_before(world, "169.254.10.2 route-map", "169.254.10.2 prefix-list"));
    assert_true(config_has(world, " match ip address prefix-list routerd-"));
    assert_true(config_has(world, " match community routerd-"));
    free(push(world, SETS));
    assert_true(sent_before(world, "169.254.10.2 prefix-list", "169.254.10.2 route-map"));
    free(push(world, TIGHT));
    assert_true(sent_before(world, "169.254.10.2 route-map", "169.254.10.2 prefix-list"));
    free(push(world, OPEN));
    assert_true(
        sent_before(world, "169.254.10.2 prefix-list", "no neighbor 169.254.10.2 route-map"));
    assert_true(sent_before(world, "no route-map", "no bgp community-list standard"));
    assert_false(config_has(world, "community-list"));
}

static void test_policies_do_not_interrupt(void **state)
{
    free(push(*state, PEER("")));
    expect_push(*state,
                PEER(", import: {communities: [\"65000:2\", \"65000:1\"], set_communities: "
                     "[\"65000:9\"]}, export: {max_prefixes: 5, default_originate: true}, "
                     "allowas_in: 2, as_override: true, bfd: {interval: 900}"),
                "create /bfd: BFD profile routerd-900x3\n"
                "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: bfd, BFD's timers "
                "routerd-900x3, import attributes none -> [match ip address prefix-list,match "
                "community,set community 65000:9 additive], maximum prefixes announced 5, "
                "allowas-in 2, as-override, default-originate\n");
    assert_true(config_has(*state, " seq 5 permit 65000:1\n"));
    assert_true(config_has(*state, " seq 10 permit 65000:2\n"));
    assert_true(config_has(*state, "bfd\n !\n profile routerd-900x3\n"
                                   "  transmit-interval 900\n  receive-interval 900\n"));
    expect_push(*state, PEER(", bfd: true, timers: {hold: 90, keepalive: 30}"),
                "create /bfd: BFD profile routerd-300x3\n"
                "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: keepalive 30 s and "
                "hold 90 s from the next session on, BFD's timers routerd-300x3, import attributes "
                "[match ip address prefix-list,match community,set community 65000:9 additive] -> "
                "none, no maximum of prefixes announced, no allowas-in, no as-override, no "
                "default-originate\n"
                "delete /bfd: BFD profile routerd-900x3\n");
}

static void test_another_family_interrupts(void **state)
{
    static const char *const BOTH =
        "- name: genome\n"
        "  segments:\n"
        "  - {name: dx, attachments: [{uplink: sinet, vlan: 11}], gateway: [169.254.10.1/30, "
        "\"2001:db8:a::1/64\"]}\n"
        "  peers:\n"
        "  - {name: aws, via: dx, address: 169.254.10.2, asn: 64512, families: [ipv4, ipv6]}\n";
    char *steps;

    free(push(*state, PEER("")));
    steps = push(*state, BOTH);
    assert_non_null(strstr(steps, "update bio/genome/peer/aws!: "));
    assert_non_null(strstr(steps, "IPv6 active"));
    free(steps);
    assert_true(config_has(*state, " address-family ipv6 unicast\n"
                                   "  network 2001:db8:a::/64\n"
                                   "  neighbor 169.254.10.2 prefix-list routerd-"));
    assert_true(config_has(*state, " deny 2001:db8:a::/64\n"));
    steps = push(*state, PEER(""));
    assert_non_null(strstr(steps, "update bio/genome/peer/aws!: "));
    free(steps);
    assert_false(config_has(*state, "  neighbor 169.254.10.2 prefix-list routerd-eeeee"));
}

static void test_aggregates_and_restarts(void **state)
{
    struct world *world = *state;

    free(push(world, PEER("")));
    expect_push(
        world,
        PEER(", graceful_restart: true") "  aggregates: [{prefix: 10.0.0.0/8, "
                                         "summary_only: true}, {prefix: 10.64.0.0/10}]\n",
        "update bio/genome: BGP instance of AS 65010 in rvrf1001: bgp graceful-restart "
        "preserve-fw-state, aggregate-address 10.0.0.0/8 summary-only, aggregate-address "
        "10.64.0.0/10\n"
        "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: graceful-restart\n");
    expect_push(world, PEER("") "  aggregates: [{prefix: 10.0.0.0/8}]\n",
                "update bio/genome: BGP instance of AS 65010 in rvrf1001: no bgp graceful-restart "
                "preserve-fw-state, aggregate-address 10.0.0.0/8, no aggregate-address "
                "10.64.0.0/10\n"
                "update bio/genome/peer/aws: BGP peer 169.254.10.2 in rvrf1001: no "
                "graceful-restart\n");
}

static void test_changes_by_hand_are_undone(void **state)
{
    static const char *const DAMAGE[] = {
        "neighbor 169.254.10.2 shutdown",
        "neighbor 169.254.10.2 bfd",
        "neighbor 169.254.10.2 graceful-restart",
        "neighbor 169.254.10.2 ttl-security hops 1",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 allowas-in 3",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 as-override",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 default-originate",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 maximum-prefix-out 9",
        "address-family ipv4 unicast\naggregate-address 10.0.0.0/8",
        "end\nconfigure terminal\nbfd\nprofile routerd-1x2\nexit",
        "end\nconfigure terminal\nbgp community-list standard routerd-junk seq 5 permit 1:1",
        "no neighbor 169.254.10.2",
        "neighbor 10.9.9.9 remote-as 5",
        "neighbor pg peer-group",
        "no bgp log-neighbor-changes",
        "bgp default ipv4-unicast",
        "no bgp bestpath as-path multipath-relax",
        "bgp bestpath compare-routerid",
        "bgp graceful-restart preserve-fw-state",
        "coalesce-time 1000",
        "neighbor 169.254.10.2 remote-as 7",
        "neighbor 169.254.10.2 password other",
        "neighbor 169.254.10.2 description somebody else's",
        "address-family ipv4 unicast\nno network 10.1.0.0/24",
        "address-family ipv4 unicast\nnetwork 10.77.0.0/16",
        "address-family ipv4 unicast\nredistribute connected",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 prefix-list FOREIGN out",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 route-map FOREIGN in",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 route-map FOREIGN out",
        "address-family ipv4 unicast\nneighbor 169.254.10.2 maximum-prefix 7",
        "address-family ipv6 unicast\nneighbor 169.254.10.2 activate",
        "address-family l2vpn evpn\nadvertise-all-vni",
        "end\nconfigure terminal\nip prefix-list routerd-junk seq 5 permit any",
        "end\nconfigure terminal\nroute-map routerd-junk permit 10\nset metric 5",
        "end\nconfigure terminal\nno router bgp 65010 vrf rvrf1001",
    };
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(&world->ids, ONE, NULL);

    bgp_fake_pass(&world->fake, intended);
    for (size_t i = 0; i < LENGTH(DAMAGE); i++) {
        bgp_fake_type_all(&world->fake, "end\nconfigure terminal\nrouter bgp 65010 vrf rvrf1001");
        if (strstr(DAMAGE[i], "ipv6 unicast")) { /* activated with no filters there: not ours */
            bgp_fake_type_all(&world->fake, "address-family ipv6 unicast\n"
                                            "neighbor 169.254.10.2 prefix-list FOREIGN in\n"
                                            "neighbor 169.254.10.2 prefix-list FOREIGN out\n");
        }
        bgp_fake_type_all(&world->fake, DAMAGE[i]);
        bgp_fake_type_all(&world->fake, "end");
        assert_true(bgp_fake_pass(&world->fake, intended) > 0);
        assert_false(config_has(world, "junk"));
    }
    intended_unref(intended);
}

/* A list that was made other by hand is not mended under the peers, but replaced. */
static void test_a_list_changed_by_hand_is_replaced(void **state)
{
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(&world->ids, ONE, NULL);

    bgp_fake_pass(&world->fake, intended);
    for (size_t i = 0; i < world->fake.n_lines; i++) {
        if (strstr(world->fake.lines[i], "724e925cc33561c4 seq 5 deny")) {
            *(strstr(world->fake.lines[i], " seq 5 ") + 5) = '4'; /* says the same */
        }
    }
    assert_int_equal(bgp_fake_pass(&world->fake, intended), 0);
    for (size_t i = 0; i < world->fake.n_lines; i++) {
        char *word = strstr(world->fake.lines[i], "724e925cc33561c4 seq 10 permit 0");

        if (word) {
            *(strstr(word, "permit 0") + 7) = '1';
        }
    }
    assert_int_equal(bgp_fake_pass(&world->fake, intended), 1);
    assert_true(config_has(world, "prefix-list routerd-724e925cc33561c4-2 out"));
    intended_unref(intended);
}

static void test_a_list_that_is_gone_gets_another_name(void **state)
{
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(&world->ids, ONE, NULL);

    bgp_fake_pass(&world->fake, intended);
    for (size_t i = world->fake.n_lines; i-- > 0;) {
        if (!strncmp(world->fake.lines[i], "||ip prefix-list routerd-021d18f47c94c675", 41)) {
            free(world->fake.lines[i]);
            memmove(&world->fake.lines[i], &world->fake.lines[i + 1],
                    (world->fake.n_lines-- - i - 1) * sizeof *world->fake.lines);
        }
    }
    assert_int_equal(bgp_fake_pass(&world->fake, intended), 1);
    assert_true(config_has(world, "prefix-list routerd-021d18f47c94c675-2 in"));
    intended_unref(intended);
}

static void test_peers_share_policies(void **state)
{
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(&world->ids, ONE,
                                                  "- name: genome\n"
                                                  "  segments:\n"
                                                  "  - {name: campus, attachments: [{uplink: "
                                                  "sinet, vlan: 2010}], gateway: [10.1.0.1/24]}\n"
                                                  "  - {name: dx, attachments: [{uplink: sinet, "
                                                  "vlan: 2011}], gateway: [169.254.10.1/30]}\n"
                                                  "  peers:\n"
                                                  "  - {name: aws, via: dx, address: "
                                                  "169.254.10.2, asn: 64512}\n");
    struct bgp_state *wanted = bgp_fake_want(intended);

    assert_int_equal(wanted->n_instances, 2);
    assert_int_equal(wanted->n_policies, 2);
    assert_int_equal(bgp_policy_cmp(wanted->instances[0].peers[0].families[0].uses[BGP_LIST_IN],
                                    wanted->instances[1].peers[0].families[0].uses[BGP_LIST_IN]),
                     0);
    bgp_state_free(wanted);
    bgp_fake_pass(&world->fake, intended);
    intended_unref(intended);
    free(push(world, ONE)); /* the other's peer still needs them */
    assert_true(config_has(world, "prefix-list routerd-724e925cc33561c4 out"));
}

static void test_what_zebra_remembers_is_purged(void **state)
{
    struct world *world = *state;
    struct intended *intended = bgp_fake_intended(&world->ids, ONE, NULL);
    struct bgp_state *wanted = bgp_fake_want(intended), *seen = bgp_state_new();
    uint32_t vrfs[] = {1, 77};
    struct bgp_residue residue = {.vrfs = vrfs, .n_vrfs = 2};
    struct plan *plan = plan_new();

    bgp_diff(wanted, seen, &residue, plan);
    plan_sort(plan);
    assert_int_equal(plan->n_steps, 3); /* 1001 is wanted: it stays */
    assert_int_equal(plan->steps[0]->phase, PHASE_BGP_PURGE);
    assert_string_equal(plan->steps[0]->object, "rvrf1077");
    assert_string_equal(((struct bgp_change *)plan->steps[0]->data)->commands.v[0].text,
                        "no vrf rvrf1077");
    plan_free(plan);
    bgp_state_free(wanted);
    bgp_state_free(seen);
    intended_unref(intended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_network_with_a_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_session_starts_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_peers_no_instance, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_settings_of_a_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_list_lets_nothing_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_both_families, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes_touch_only_what_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_interrupts_is_marked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_asn_is_another_instance, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_missing_secret_holds_the_peer_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_configuration_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_foreign_instance_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_mark_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_an_instance_is_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_maps_and_lists_are_switched_safely, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies_do_not_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_family_interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aggregates_and_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes_by_hand_are_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_changed_by_hand_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_list_that_is_gone_gets_another_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_peers_share_policies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_zebra_remembers_is_purged, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
