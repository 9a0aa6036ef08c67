/* How large packets in tunnels may be, and which proposals are weak. */
#include "topology_fixture.h"

#include "model/tunnel_mtu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG                                                                               \
    "version: 1\nrouter: {name: r, router_id: 192.0.2.1, asn: 65010}\n"                      \
    "uplinks: {wan: {type: routed, interface: e3}, far: {type: routed, interface: e4, mtu: " \
    "9000}, thin: {type: routed, interface: e5, mtu: 1400}}\n"                               \
    "tenants: {bio: {controllers: [bio.example.com], limits: {networks: 5, segments: 5, "    \
    "tunnels: 50, peers: 5, nodes: 1}}}\n"

/* AWS's own table of its Site-to-Site VPN ("Best practices for your customer gateway device", MTU
 * and MSS by algorithm, over IPv4 and 1500 bytes), then other links, families and ciphers counted
 * by hand. */
static const struct {
    const char *proposal;
    uint32_t link;
    int family;
    bool in_udp;
    uint32_t mtu;
} esp_rows[] = {
    {"aes256gcm16-ecp384", 1500, AF_INET, false, 1446},
    {"aes128gcm16-modp2048", 1500, AF_INET, true, 1438},
    {"aes128-sha1-modp1024", 1500, AF_INET, false, 1438},
    {"aes256-sha256-modp2048", 1500, AF_INET, false, 1438},
    {"aes256-sha384-ecp384", 1500, AF_INET, false, 1422},
    {"aes256-sha512-ecp521", 1500, AF_INET, false, 1422},
    {"aes128-sha1-modp1024", 1500, AF_INET, true, 1422},
    {"aes256-sha256-modp2048", 1500, AF_INET, true, 1422},
    {"aes256-sha384-ecp384", 1500, AF_INET, true, 1422},
    {"aes256-sha512-ecp521", 1500, AF_INET, true, 1406},
    {"aes256gcm16", 1500, AF_INET6, false, 1426},
    {"aes256gcm16", 9000, AF_INET, false, 8946},
    {"aes256gcm8", 1500, AF_INET, false, 1454},
    {"aes256gcm96", 1500, AF_INET, false, 1450},
    {"chacha20poly1305-curve25519", 1500, AF_INET, false, 1446},
    {"aes256ctr-sha256", 1500, AF_INET, false, 1446},
    {"aes256ccm12", 1500, AF_INET, false, 1450},
    {"aes128gmac", 1500, AF_INET, false, 1446},
    {"3des-md5", 1500, AF_INET, false, 1446},
    {"null-sha256_96", 1500, AF_INET, false, 1458},
    {"aes128-aesxcbc", 1500, AF_INET, false, 1438},
    {"aes256-aes128gcm16-sha512", 1500, AF_INET, false, 1422},
    {"default", 1500, AF_INET, false, 1422},
    {"aes256gcm16", 60, AF_INET, false, 6},
    {"aes256gcm16", 52, AF_INET, false, 0},
    {"aes256gcm16", 0, AF_INET6, true, 0},
};

static void counts_what_esp_costs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof esp_rows / sizeof *esp_rows; i++) {
        struct esp_cost cost = proposal_esp_cost(esp_rows[i].proposal);

        if (tunnel_mtu_esp(esp_rows[i].link, esp_rows[i].family, esp_rows[i].in_udp, &cost) !=
            esp_rows[i].mtu) {
            fail_msg(
                "%s: %u instead of %u", esp_rows[i].proposal,
                tunnel_mtu_esp(esp_rows[i].link, esp_rows[i].family, esp_rows[i].in_udp, &cost),
                esp_rows[i].mtu);
        }
    }
}

/* The largest that fits does, in whole blocks, and one more byte does not. */
static void fits_exactly(void **state)
{
    (void)state;
    for (uint32_t link = 100; link < 2000; link++) {
        for (size_t i = 0; i < sizeof esp_rows / sizeof *esp_rows; i++) {
            struct esp_cost c = proposal_esp_cost(esp_rows[i].proposal);
            uint32_t mtu = tunnel_mtu_esp(link, AF_INET, true, &c);
            uint32_t padded = (mtu + 2 + c.block - 1) / c.block * c.block;
            uint32_t more = (mtu + 3 + c.block - 1) / c.block * c.block;

            assert_true(28 + 8 + c.iv + padded + c.icv <= link);
            assert_true(28 + 8 + c.iv + more + c.icv > link);
        }
    }
}

static const struct {
    const char *keys; /* of the tunnel */
    uint32_t mtu, mss4, mss6;
} tunnel_rows[] = {
    {"uplink: wan, remote: 203.0.113.1", 1446, 1406, 1386},
    {"uplink: wan, remote: 203.0.113.1, profile: aws-vpn", 1446, 1406, 1386},
    {"uplink: far, remote: 203.0.113.1, profile: aws-vpn", 1446, 1406, 1386}, /* it has no more */
    {"uplink: wan, remote: 203.0.113.1, profile: aws-vpn, nat_traversal: force", 1438, 1398, 1378},
    {"uplink: wan, remote: 203.0.113.1, profile: sakura, legacy: true", 1438, 1398, 1378},
    {"uplink: wan, remote: 203.0.113.1, esp: {proposals: [aes128-sha256, aes256gcm16]}", 1438, 1398,
     1378},
    {"uplink: wan, remote: 203.0.113.1, esp: {proposals: [aes256gcm16]}", 1446, 1406, 1386},
    {"uplink: wan, remote: 203.0.113.1, esp: {proposals: [aes256gcm16]}, nat_traversal: force",
     1438, 1398, 1378},
    {"uplink: wan, remote: 203.0.113.1, esp: {proposals: [aes256gcm16]}, nat_traversal: auto", 1446,
     1406, 1386},
    {"uplink: wan, remote: '2001:db8::1', esp: {proposals: [aes256gcm16]}", 1426, 1386, 1366},
    {"uplink: wan, remote: vpn.example.com, esp: {proposals: [aes256gcm16]}", 1426, 1386, 1366},
    {"uplink: far, remote: 203.0.113.1, esp: {proposals: [aes256gcm16]}", 8946, 8906, 8886},
    {"uplink: thin, remote: 203.0.113.1, esp: {proposals: [aes256gcm16]}", 1346, 1306, 1286},
    {"uplink: wan, remote: 203.0.113.1, mtu: 1300", 1300, 1260, 1240},
    {"uplink: wan, remote: 203.0.113.1, mss: 1300", 1446, 1300, 1300},
    {"uplink: wan, remote: 203.0.113.1, mss: 1390", 1446, 1390, 1386},
    {"uplink: wan, remote: 203.0.113.1, profile: told", 1390, 1350, 1330},
    {"uplink: thin, remote: 203.0.113.1, profile: told", 1290, 1250, 1230},
    {"uplink: wan, remote: 203.0.113.1, profile: told, mss: 1200", 1390, 1200, 1200},
    {"uplink: wan, remote: 203.0.113.1, profile: in-udp", 1438, 1340, 1340},
    {"uplink: wan, remote: 203.0.113.1, profile: in-udp, nat_traversal: auto", 1446, 1340, 1340},
};

static void add_profiles(const struct topology_world *world)
{
    static const char told[] =
        "version: 1\nsource: test\nike: {proposals: [aes256-sha256-modp2048], lifetime: 28800, "
        "dpd: 30}\nesp: {proposals: [aes256-sha256-modp2048], lifetime: 3600}\nmtu: 1390\n"
        "bgp: {keepalive: 10, hold: 30, max_prefixes: 100}\n";
    static const char in_udp[] =
        "version: 1\nsource: test\nike: {proposals: [aes256gcm16-prfsha256-modp2048], lifetime: "
        "28800, dpd: 30}\nesp: {proposals: [aes256gcm16], lifetime: 3600, replay_window: 64}\n"
        "nat_traversal: force\nmss: 1340\nbgp: {keepalive: 10, hold: 30, max_prefixes: 100}\n";
    struct profiles *profiles = (struct profiles *)world->profiles;
    struct errors *errors = errors_new();

    assert_true(profiles_add(profiles, "told", told, strlen(told), errors));
    assert_true(profiles_add(profiles, "in-udp", in_udp, strlen(in_udp), errors));
    errors_free(errors);
}

static void follows_topology_profile_and_uplink(void **state)
{
    struct topology_world world = fixture_world(CONFIG);

    (void)state;
    add_profiles(&world);
    for (size_t i = 0; i < sizeof tunnel_rows / sizeof *tunnel_rows; i++) {
        struct errors *errors;
        char text[512];

        snprintf(text, sizeof text,
                 "version: 1\nnetworks: [{name: a, tunnels: [{name: t, auth: {psk: {secret: s}}, "
                 "inside: [169.254.20.1/30], %s}]}]\n",
                 tunnel_rows[i].keys);
        struct topology *topology = fixture_check(&world, "bio", text, &errors);
        assert_int_equal(errors_count(errors), 0);
        const struct tunnel *tunnel = &topology->networks[0].tunnels[0];
        if (tunnel->mtu != tunnel_rows[i].mtu) {
            fail_msg("%s: %u", tunnel_rows[i].keys, tunnel->mtu);
        }
        assert_int_equal(tunnel_mss(tunnel, AF_INET), tunnel_rows[i].mss4);
        assert_int_equal(tunnel_mss(tunnel, AF_INET6), tunnel_rows[i].mss6);
        errors_free(errors);
        topology_free(topology);
    }
    fixture_world_done(&world);
}

static void merges_settings(void **state)
{
    static const char text[] =
        "version: 1\nnetworks: [{name: a, tunnels: [{name: t, auth: {psk: {secret: s}}, inside: "
        "[10.0.1.1/24], uplink: wan, remote: 203.0.113.1, ike: {lifetime: 60, dpd: 3}, esp: "
        "{proposals: [aes128gcm16, chacha20poly1305], replay_window: 1024}}, {name: u, auth: {psk: "
        "{secret: s}}, inside: [10.0.2.1/24], uplink: wan, remote: 203.0.113.2, profile: in-udp}, "
        "{name: v, auth: {psk: {secret: s}}, inside: [10.0.3.1/24], uplink: wan, remote: "
        "203.0.113.3, profile: told}]}]\n";
    struct topology_world world = fixture_world(CONFIG);
    struct errors *errors;

    (void)state;
    add_profiles(&world);
    struct topology *topology = fixture_check(&world, "bio", text, &errors);
    assert_int_equal(errors_count(errors), 0);
    struct tunnel_settings t = tunnel_settings(&topology->networks[0].tunnels[0]);
    const struct profile *generic = topology->networks[0].tunnels[0].profile;
    assert_int_equal(t.ike_version, 2);
    assert_ptr_equal(t.ike_proposals, generic->ike_proposals);
    assert_int_equal(t.n_esp_proposals, 2);
    assert_int_equal(t.ike_lifetime_s, 60);
    assert_int_equal(t.child_lifetime_s, generic->child_lifetime_s);
    assert_int_equal(t.dpd_delay_s, 3);
    assert_int_equal(t.replay_window, 1024);
    assert_false(t.force_nat_traversal);
    struct tunnel_settings u = tunnel_settings(&topology->networks[0].tunnels[1]);
    assert_int_equal(u.replay_window, 64);
    assert_true(u.force_nat_traversal);
    struct tunnel_settings v = tunnel_settings(&topology->networks[0].tunnels[2]);
    assert_int_equal(v.replay_window, 32);
    assert_int_equal(v.n_ike_more, 0);
    struct tunnel legacy = topology->networks[0].tunnels[0];
    legacy.profile = profiles_find(world.profiles, "aws-vpn");
    assert_int_equal(tunnel_settings(&legacy).n_ike_more, 0);
    legacy.legacy = true;
    assert_int_equal(tunnel_settings(&legacy).n_ike_more, 1);
    assert_int_equal(tunnel_settings(&legacy).n_esp_more, 0); /* it has proposals of its own */
    errors_free(errors);
    topology_free(topology);
    fixture_world_done(&world);
}

static void knows_weak_and_extra_words(void **state)
{
    static const char *const weak[][2] = {
        {"aes128-sha1-modp2048", "sha1"},
        {"3des-sha256-modp2048", "3des"},
        {"aes256-md5", "md5"},
        {"aes256-sha256-modp1536", "modp1536"},
        {"modp1024", "modp1024"},
        {"des-sha256", "des"},
        {"aes256-sha256-prfsha1-x", "prfsha1"},
    };
    static const char *const strong[] = {"aes256gcm16-prfsha384-ecp384", "default",
                                         "aes256-sha256-modp2048", "sha1x", ""};
    char word[PROPOSAL_WORD];

    (void)state;
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        assert_true(proposal_is_weak(weak[i][0], word));
        assert_string_equal(word, weak[i][1]);
    }
    for (size_t i = 0; i < sizeof strong / sizeof *strong; i++) {
        assert_false(proposal_is_weak(strong[i], word));
    }
    assert_true(proposal_word_is_extra_ke("ke1_mlkem768"));
    assert_true(proposal_word_is_extra_ke("mlkem768"));
    assert_false(proposal_word_is_extra_ke("ke9_ecp384"));
    assert_false(proposal_word_is_extra_ke("ke"));
    assert_false(proposal_word_is_extra_ke("ecp384"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_esp_costs),
        cmocka_unit_test(fits_exactly),
        cmocka_unit_test(follows_topology_profile_and_uplink),
        cmocka_unit_test(merges_settings),
        cmocka_unit_test(knows_weak_and_extra_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
