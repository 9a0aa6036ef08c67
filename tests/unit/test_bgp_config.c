/* Reading FRR's configuration, and its answers. */
#include "bgp/bgp_config.h"
#include "bgp/bgp_reply.h"
#include "bgp/bgp_save.h"
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t digest(const void *bytes, size_t len)
{
    return len * 256 + *(const unsigned char *)bytes;
}

static struct bgp_state *parse(const char *text)
{
    return bgp_config_parse(text, strlen(text), digest, NULL);
}

static const char RUNNING[] = "frr version 8.4.4\n"
                              "frr defaults traditional\n"
                              "!\n"
                              "router bgp 65010 vrf red\n"
                              " neighbor 10.0.0.1 remote-as 1\n"
                              "exit\n"
                              "!\n"
                              "router bgp 65010 vrf rvrf1001\n"
                              " bgp router-id 192.0.2.1\n"
                              " no bgp default ipv4-unicast\n"
                              " coalesce-time 13\n"
                              " no bgp network import-check\n"
                              " timers bgp 3 9\n"
                              " neighbor 169.254.10.2 remote-as 64512\n"
                              " neighbor 169.254.10.2 description bio/genome/peer/aws\n"
                              " neighbor 169.254.10.2 password s3cret\n"
                              " neighbor 169.254.10.2 timers 10 30\n"
                              " neighbor 169.254.10.2 timers connect 5\n"
                              " neighbor 169.254.10.2 local-as 7\n"
                              " !\n"
                              " address-family ipv4 unicast\n"
                              "  network 10.1.0.0/24\n"
                              "  network 10.7.0.0/24 route-map X\n"
                              "  neighbor 169.254.10.2 activate\n"
                              "  neighbor 169.254.10.2 maximum-prefix 100 restart 5\n"
                              "  neighbor 169.254.10.2 prefix-list routerd-a in\n"
                              "  neighbor 169.254.10.2 prefix-list other out\n"
                              "  neighbor 169.254.10.2 route-map routerd-m out\n"
                              " exit-address-family\n"
                              " !\n"
                              " address-family l2vpn evpn\n"
                              "  vni 100\n"
                              "   rd 1:1\n"
                              "  exit-vni\n"
                              " exit-address-family\n"
                              "exit\n"
                              "!\n"
                              "ip prefix-list other seq 5 permit any\n"
                              "ip prefix-list routerd-a seq 5 deny 10.1.0.0/24 le 32\n"
                              "ip prefix-list routerd-a seq 7 permit 10.0.0.0/8 ge 9 le 32\n"
                              "ip prefix-list routerd-a seq 10 permit any\n"
                              "ipv6 prefix-list routerd-a seq 5 permit any\n"
                              "route-map routerd-m permit 10\n"
                              " set metric 5\n"
                              "exit\n";

static void test_a_running_configuration(void **state)
{
    struct bgp_state *seen = parse(RUNNING);
    const struct bgp_instance *instance = bgp_state_find(seen, 1);
    const struct bgp_peer *peer;

    (void)state;
    assert_int_equal(seen->n_instances, 1);
    assert_non_null(instance);
    assert_true(instance->ours && instance->plain && instance->unchecked);
    assert_false(instance->logs);
    assert_int_equal(instance->asn, 65010);
    assert_string_equal(instance->tenant, "bio");
    assert_string_equal(instance->network, "genome");
    assert_int_equal(instance->n_networks, 1);
    assert_int_equal(instance->n_extras, 3);
    assert_string_equal(instance->extras[0].line, "timers bgp 3 9");
    assert_string_equal(instance->extras[1].line, "network 10.7.0.0/24 route-map X");
    assert_string_equal(instance->extras[1].section, "address-family ipv4 unicast");
    assert_string_equal(instance->extras[2].line, "vni 100");
    peer = &instance->peers[0];
    assert_int_equal(peer->asn, 64512);
    assert_int_equal(peer->password, BGP_PASSWORD_SET);
    assert_int_equal(peer->password_digest, 6 * 256 + 's');
    assert_int_equal(peer->hold_s, 30);
    assert_int_equal(peer->connect_s, 5);
    assert_int_equal(peer->families[0].max_prefixes, 100);
    assert_int_equal(peer->families[0].restart_min, 5);
    assert_true(peer->families[0].active);
    assert_string_equal(peer->families[0].uses[BGP_LIST_IN]->body,
                        "deny 10.1.0.0/24 le 32\npermit 10.0.0.0/8 ge 9\npermit 0.0.0.0/0 le 32\n");
    assert_null(peer->families[0].uses[BGP_LIST_OUT]);
    assert_string_equal(peer->families[0].uses[BGP_MAP_OUT]->body, "set metric 5\n");
    assert_int_equal(peer->n_extras, 1);
    assert_string_equal(peer->extras[0].line, "neighbor 169.254.10.2 local-as 7");
    bgp_state_free(seen);
}

/* As FRR 8.4.4 prints it. */
static const char ALL[] = "frr version 8.4.4\n"
                          "frr defaults traditional\n"
                          "!\n"
                          "router bgp 65010 vrf rvrf1001\n"
                          " bgp graceful-restart preserve-fw-state\n"
                          " bgp bestpath as-path multipath-relax\n"
                          " neighbor 169.254.10.2 remote-as 64512\n"
                          " neighbor 169.254.10.2 description bio/genome/peer/aws\n"
                          " neighbor 169.254.10.2 bfd\n"
                          " neighbor 169.254.10.2 bfd profile routerd-300x3\n"
                          " neighbor 169.254.10.2 ttl-security hops 1\n"
                          " neighbor 169.254.10.2 graceful-restart\n"
                          " !\n"
                          " address-family ipv4 unicast\n"
                          "  aggregate-address 10.0.0.0/8 summary-only\n"
                          "  aggregate-address 172.16.0.0/12\n"
                          "  neighbor 169.254.10.2 activate\n"
                          "  neighbor 169.254.10.2 as-override\n"
                          "  neighbor 169.254.10.2 default-originate\n"
                          "  neighbor 169.254.10.2 maximum-prefix 100 restart 5\n"
                          "  neighbor 169.254.10.2 maximum-prefix-out 10\n"
                          "  neighbor 169.254.10.2 allowas-in 1\n"
                          "  neighbor 169.254.10.2 prefix-list routerd-p in\n"
                          "  neighbor 169.254.10.2 route-map routerd-m in\n"
                          "  neighbor 169.254.10.2 route-map routerd-n out\n"
                          " exit-address-family\n"
                          " !\n"
                          " address-family ipv6 unicast\n"
                          "  aggregate-address 2001:db8::/32 summary-only\n"
                          "  neighbor 169.254.10.2 activate\n"
                          "  neighbor 169.254.10.2 allowas-in\n"
                          " exit-address-family\n"
                          "exit\n"
                          "!\n"
                          "ip prefix-list routerd-p seq 5 permit 10.0.0.0/8 le 24\n"
                          "!\n"
                          "bgp community-list standard routerd-c seq 5 permit 65000:1\n"
                          "bgp community-list standard routerd-c seq 10 permit no-export\n"
                          "bgp large-community-list standard routerd-l seq 5 permit 42:1:2\n"
                          "!\n"
                          "route-map routerd-m permit 10\n"
                          " match ip address prefix-list routerd-p\n"
                          " match community routerd-c\n"
                          " set community 65000:3 65000:7 no-export additive\n"
                          " set local-preference 200\n"
                          "exit\n"
                          "!\n"
                          "route-map routerd-m permit 20\n"
                          " match ip address prefix-list routerd-p\n"
                          " match large-community routerd-l\n"
                          " set local-preference 200\n"
                          "exit\n"
                          "!\n"
                          "route-map routerd-n permit 10\n"
                          " match community other\n"
                          " match large-community routerd-gone\n"
                          "exit\n";

static void test_all_that_is_written(void **state)
{
    struct bgp_state *seen = parse(ALL);
    const struct bgp_instance *instance = bgp_state_find(seen, 1);
    const struct bgp_peer *peer = &instance->peers[0];
    const struct bgp_policy *in = peer->families[0].uses[BGP_MAP_IN];
    const struct bgp_policy *out = peer->families[0].uses[BGP_MAP_OUT];

    (void)state;
    assert_true(instance->relaxed && instance->preserves);
    assert_int_equal(instance->n_extras, 0);
    assert_int_equal(peer->n_extras, 0);
    assert_int_equal(instance->n_aggregates, 3);
    assert_true(instance->aggregates[0].summary_only);
    assert_false(instance->aggregates[1].summary_only);
    assert_true(peer->bfd && peer->graceful_restart && peer->ttl_security);
    assert_string_equal(peer->bfd_profile, "routerd-300x3");
    assert_true(peer->families[0].as_override && peer->families[0].default_originate);
    assert_int_equal(peer->families[0].max_prefixes_out, 10);
    assert_int_equal(peer->families[0].allowas_in, 1);
    assert_int_equal(peer->families[1].allowas_in, 3);
    assert_true(peer->families[1].active);
    assert_string_equal(in->body, "match ip address prefix-list\nmatch community\n"
                                  "set community 65000:3 65000:7 no-export additive\n"
                                  "set local-preference 200\npermit 20\n"
                                  "match ip address prefix-list\nmatch large-community\n"
                                  "set local-preference 200\n");
    assert_ptr_equal(in->lists[BGP_LIST_PREFIXES], peer->families[0].uses[BGP_LIST_IN]);
    assert_string_equal(in->lists[BGP_LIST_COMMUNITIES]->body,
                        "permit 65000:1\npermit no-export\n");
    assert_string_equal(in->lists[BGP_LIST_LARGE]->body, "permit 42:1:2\n");
    assert_string_equal(out->body, "match community other\nmatch large-community\n");
    assert_true(out->lists[BGP_LIST_LARGE]->missing);
    bgp_state_free(seen);
}

static void test_profiles_of_bfd(void **state)
{
    struct bgp_state *seen = parse("bfd\n"
                                   " profile other\n"
                                   "  detect-multiplier 9\n"
                                   " exit\n"
                                   " !\n"
                                   " profile routerd-300x3\n"
                                   " exit\n"
                                   " !\n"
                                   " profile routerd-1000x5\n"
                                   "  detect-multiplier 5\n"
                                   "  transmit-interval 1000\n"
                                   "  receive-interval 1000\n"
                                   "  echo-mode\n"
                                   " exit\n"
                                   " !\n"
                                   "exit\n");
    const struct bgp_bfd_profile *a = bgp_state_find_bfd(seen, "routerd-300x3");
    const struct bgp_bfd_profile *b = bgp_state_find_bfd(seen, "routerd-1000x5");

    (void)state;
    assert_int_equal(seen->n_bfds, 2);
    assert_true(a->transmit_ms == 300 && a->receive_ms == 300 && a->multiplier == 3 && !a->odd);
    assert_true(b->transmit_ms == 1000 && b->receive_ms == 1000 && b->multiplier == 5 && b->odd);
    bgp_state_free(seen);
}

static void test_marks(void **state)
{
    static const struct {
        const char *text;
        bool ours;
    } CASES[] = {
        {" neighbor 10.0.0.1 remote-as 1\n neighbor 10.0.0.1 description bio/x/peer/y\n", true},
        {" neighbor 10.0.0.1 remote-as 1\n neighbor 10.0.0.1 description made by hand\n", false},
        {" neighbor 10.0.0.1 remote-as 1\n neighbor 10.0.0.1 description a/b/peer/\n", false},
        {" neighbor 10.0.0.1 remote-as 1\n neighbor 10.0.0.1 description /b/peer/c\n", false},
        {" neighbor 10.0.0.1 remote-as 1\n neighbor 10.0.0.1 description a/b/peer/c/d\n", false},
        {" no bgp default ipv4-unicast\n no bgp network import-check\n coalesce-time 13\n", true},
        {" no bgp default ipv4-unicast\n no bgp network import-check\n", false},
        {" no bgp default ipv4-unicast\n no bgp network import-check\n coalesce-time 13\n"
         " neighbor 10.0.0.1 remote-as 1\n",
         false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        char text[400];
        struct bgp_state *seen;

        snprintf(text, sizeof text, "router bgp 1 vrf rvrf1001\n%sexit\n", CASES[i].text);
        seen = parse(text);
        assert_int_equal(seen->instances[0].ours, CASES[i].ours);
        bgp_state_free(seen);
    }
}

static void test_defaults_of_a_datacenter(void **state)
{
    struct bgp_state *seen = parse("frr defaults datacenter\nrouter bgp 1 vrf rvrf1001\nexit\n");

    (void)state;
    assert_true(seen->instances[0].logs);
    bgp_state_free(seen);
}

static void test_fingerprints(void **state)
{
    static const char *const SAME[] = {
        "router bgp 1 vrf rvrf1001\n bgp router-id 1.1.1.1\n neighbor 10.0.0.1 remote-as 1\nexit\n",
        "hostname x\n!\nrouter bgp 1 vrf rvrf1001\n!\n neighbor 10.0.0.1 remote-as 1\n bgp router-id "
        "1.1.1.1\nexit\n!\nrouter bgp 9\n",
    };
    struct bgp_state *a = parse(SAME[0]), *b = parse(SAME[1]), *c;

    (void)state;
    assert_int_equal(a->fingerprint, b->fingerprint);
    c = parse(
        "router bgp 1 vrf rvrf1002\n bgp router-id 1.1.1.1\n neighbor 10.0.0.1 remote-as 1\n");
    assert_int_not_equal(a->fingerprint, c->fingerprint);
    bgp_state_free(a);
    bgp_state_free(b);
    bgp_state_free(c);
}

static void expect_rule(const char *rule, const char *expected)
{
    char text[200];
    struct bgp_state *seen;

    snprintf(text, sizeof text, "ip prefix-list routerd-x seq 5 %s\n", rule);
    seen = parse(text);
    assert_int_equal(seen->n_policies, 1);
    assert_string_equal(seen->policies[0]->body, expected);
    bgp_state_free(seen);
}

static void test_rules_have_one_form(void **state)
{
    (void)state;
    expect_rule("permit any", "permit 0.0.0.0/0 le 32\n");
    expect_rule("permit 0.0.0.0/0 le 32", "permit 0.0.0.0/0 le 32\n");
    expect_rule("permit 10.0.0.0/8 ge 16 le 32", "permit 10.0.0.0/8 ge 16\n");
    expect_rule("permit 10.0.0.0/8 ge 8 le 24", "permit 10.0.0.0/8 le 24\n");
    expect_rule("permit 10.0.0.0/8 ge 24 le 24", "permit 10.0.0.0/8 ge 24 le 24\n");
    expect_rule("deny 0.0.0.0/0", "deny 0.0.0.0/0\n");
    expect_rule("permit 10.1.1.1/32", "permit 10.1.1.1/32\n");
    expect_rule("permit 2001:db8::/32", "seq 5 permit 2001:db8::/32\n"); /* of another family */
    expect_rule("allow 10.0.0.0/8", "seq 5 allow 10.0.0.0/8\n");
}

static void expect_reply(const char *bytes, size_t len, ssize_t n, int status)
{
    struct bgp_reply reply = {.status = -2};
    size_t scanned = 0;

    assert_int_equal(bgp_reply_next(bytes, len, &scanned, &reply), n);
    assert_int_equal(reply.status, status);
}

static void test_replies(void **state)
{
    (void)state;
    expect_reply("hello\0\0\0\0", 9, 9, 0);
    expect_reply("\0\0\0\15", 4, 4, 13);
    expect_reply("a\0\0\0\1b\0\0\0\2", 10, 5, 1);
    expect_reply("hello", 5, 0, -2);
    expect_reply("hello\0\0\0", 8, 0, -2);
    expect_reply("hello\0x", 7, -EPROTO, -2);
    expect_reply("", 0, 0, -2);
}

static bool lacks(const char *boot, const char *running)
{
    return bgp_save_lacks(boot, strlen(boot), running, strlen(running));
}

static void test_a_bgpd_that_has_not_read_its_boot_file(void **state)
{
    (void)state;
    assert_true(lacks("!\nrouter bgp 1 vrf red\nexit\n", "hostname x\n"));
    assert_true(lacks("router bgp 1\n", "router bgp 1 vrf red\n"));
    assert_false(lacks("router bgp 1 vrf red\nexit\n", "x\nrouter bgp 1 vrf red\n"));
    assert_false(lacks("router bgp 1 vrf rvrf1001\nexit", ""));
    assert_false(lacks("", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_running_configuration),
        cmocka_unit_test(test_all_that_is_written),
        cmocka_unit_test(test_profiles_of_bfd),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_defaults_of_a_datacenter),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_rules_have_one_form),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_a_bgpd_that_has_not_read_its_boot_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
