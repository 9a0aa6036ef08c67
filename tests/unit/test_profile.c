#include "check.h"

#include "model/profile.h"
#include "model/profile_builtin.h"

#include <stdio.h>
#include <string.h>

static const char GOOD[] = "version: 1\n"
                           "source: a test, 2026-11\n"
                           "ike: {proposals: [aes256-sha256-modp2048], lifetime: 28800, dpd: 30}\n"
                           "esp: {proposals: [aes256-sha256, aes128-sha256], lifetime: 3600}\n"
                           "mtu: 1390\n"
                           "bgp: {keepalive: 20, hold: 60, max_prefixes: 100}\n";

static const char *add(struct profiles *profiles, const char *name, const char *text)
{
    static char message[1024];
    struct errors *errors = errors_new();
    bool good = profiles_add(profiles, name, text, strlen(text), errors);
    assert_int_equal(good, errors_count(errors) == 0);
    message[0] = '\0';
    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *e = errors_get(errors, i);
        size_t len = strlen(message);
        snprintf(message + len, sizeof message - len, "%s%u:%u: %s: %s", i ? "\n" : "", e->line,
                 e->column, e->path, e->message);
    }
    errors_free(errors);
    return message;
}

static const struct {
    const char *name;
    bool has_ipsec;
} SHIPPED[] = {
    {"generic", true},
    {"aws-vpn", true},
    {"aws-dx", false},
    {"azure-vpn", true},
    {"azure-expressroute", false},
    {"gcp-ha-vpn", true},
    {"gcp-interconnect", false},
    {"oracle-vpn", true},
    {"oracle-fastconnect", false},
    {"sakura", true},
    {"openstack", true},
    {"vsphere", true},
    {"mdx", false},
};

static void test_the_shipped_ones_are_right(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    profiles_add_builtin(profiles);
    for (size_t i = 0; i < sizeof SHIPPED / sizeof *SHIPPED; i++) {
        const struct profile *profile = profiles_find(profiles, SHIPPED[i].name);
        assert_non_null(profile);
        assert_int_equal(profile->has_ipsec, SHIPPED[i].has_ipsec);
        assert_true(profile->has_bgp);
    }
    for (size_t i = 0; i < n_profiles_builtin; i++) {
        const struct profile *profile = profiles_find(profiles, profiles_builtin[i].name);
        assert_non_null(profile);
        assert_true(strlen(profile->source) > 20);
        assert_int_equal(strlen(profile->date), strlen("2026-11-21"));
        assert_int_equal(strlen(profiles_builtin[i].text), profiles_builtin[i].len);
    }
    const struct profile *generic = profiles_find(profiles, "generic");
    assert_int_equal(generic->ike_lifetime_s, 28800);
    assert_int_equal(generic->child_lifetime_s, 3600);
    assert_in_range(generic->dpd_delay_s, 10, 30);
    assert_int_equal(generic->mtu, 0);
    assert_int_equal(generic->keepalive_s, 10);
    assert_int_equal(generic->hold_s, 30);
    assert_int_equal(generic->max_prefixes, 1000);
    assert_true(generic->n_ike_proposals >= 3 && generic->n_esp_proposals >= 3);
    assert_true(generic->has_ipsec && generic->has_bgp && !generic->legacy);
    assert_int_equal(generic->ike_version, PROFILE_IKEV2);
    assert_int_equal(generic->bfd, PROFILE_BFD_YES);
    assert_int_equal(generic->n_asns + generic->n_inside_within + generic->psk.max, 0);
    profiles_free(profiles);
}

static void test_every_key(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    assert_string_equal(add(profiles, "aws", GOOD), "");
    const struct profile *aws = profiles_find(profiles, "aws");
    assert_string_equal(aws->name, "aws");
    assert_string_equal(aws->cloud, "aws");
    assert_string_equal(aws->source, "a test, 2026-11");
    assert_int_equal(aws->n_ike_proposals, 1);
    assert_string_equal(aws->ike_proposals[0], "aes256-sha256-modp2048");
    assert_int_equal(aws->n_esp_proposals, 2);
    assert_string_equal(aws->esp_proposals[1], "aes128-sha256");
    assert_int_equal(aws->dpd_delay_s, 30);
    assert_int_equal(aws->mtu, 1390);
    assert_int_equal(aws->hold_s, 60);
    assert_int_equal(aws->max_prefixes, 100);
    assert_null(profiles_find(profiles, "azure"));
    profiles_free(profiles);
    profiles_free(NULL);
}

static const char EVERYTHING[] =
    "version: 1\n"
    "cloud: The Cloud\n"
    "source: a test\n"
    "date: 2026-11-21\n"
    "ike: {version: 1, proposals: [aes128-sha1-modp1024], lifetime: 28800, dpd: 15,\n"
    "      dpd_timeout: 30, legacy_proposals: [aes128-md5-modp1024]}\n"
    "esp: {proposals: [aes128-sha1], legacy_proposals: [3des-sha1, aes128-md5], lifetime: 1800, replay_window: 0}\n"
    "nat_traversal: force\n"
    "legacy: true\n"
    "psk: {min: 8, max: 64, characters: a-zA-Z0-9._, not_first: '0'}\n"
    "mtu: 0\n"
    "mtu_max: 1460\n"
    "mss: 1350\n"
    "inside: {within: [169.254.0.0/16, 'fd00::/8'], except: [169.254.0.0/30], length: [30, 126]}\n"
    "bgp:\n"
    "  keepalive: 10\n"
    "  hold: 30\n"
    "  hold_min: 20\n"
    "  max_prefixes: 4000\n"
    "  max_prefixes_out: 100\n"
    "  bfd: {interval: 1000, multiplier: 5, interval_min: 300, multiplier_min: 3}\n"
    "  graceful_restart: false\n"
    "  asn: [12076, 64512-65534]\n"
    "  not_asn: [65515]\n"
    "  password: required\n"
    "outer_vlan: required\n"
    "reserved: {first: 4, last: 1}\n";

static void test_the_rest_of_the_keys(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    assert_string_equal(add(profiles, "all", EVERYTHING), "");
    const struct profile *all = profiles_find(profiles, "all");
    assert_string_equal(all->cloud, "The Cloud");
    assert_string_equal(all->date, "2026-11-21");
    assert_int_equal(all->ike_version, PROFILE_IKEV1);
    assert_true(all->legacy && all->nat_forced && all->outer_vlan && all->has_reserved);
    assert_int_equal(all->n_ike_legacy_proposals, 1);
    assert_string_equal(all->ike_legacy_proposals[0], "aes128-md5-modp1024");
    assert_int_equal(all->n_esp_legacy_proposals, 2);
    assert_string_equal(all->esp_legacy_proposals[1], "aes128-md5");
    assert_int_equal(all->dpd_timeout_s, 30);
    assert_int_equal(all->replay_window, 0);
    assert_int_equal(all->psk.min, 8);
    assert_int_equal(all->psk.max, 64);
    assert_string_equal(all->psk.characters, "a-zA-Z0-9._");
    assert_string_equal(all->psk.not_first, "0");
    assert_int_equal(all->mtu, 0);
    assert_int_equal(all->mtu_max, 1460);
    assert_int_equal(all->mss, 1350);
    assert_int_equal(all->n_inside_within, 2);
    assert_int_equal(all->inside_within[1].len, 8);
    assert_int_equal(all->n_inside_except, 1);
    assert_int_equal(all->n_inside_lengths, 2);
    assert_int_equal(all->inside_lengths[1], 126);
    assert_int_equal(all->hold_min_s, 20);
    assert_int_equal(all->max_prefixes_out, 100);
    assert_int_equal(all->bfd_interval_ms, 1000);
    assert_int_equal(all->bfd_interval_min_ms, 300);
    assert_int_equal(all->bfd_multiplier, 5);
    assert_int_equal(all->bfd_multiplier_min, 3);
    assert_false(all->graceful_restart);
    assert_int_equal(all->n_asns, 2);
    assert_int_equal(all->asns[0].last, 12076);
    assert_int_equal(all->asns[1].first, 64512);
    assert_int_equal(all->asns[1].last, 65534);
    assert_int_equal(all->n_not_asns, 1);
    assert_int_equal(all->password, PROFILE_PASSWORD_REQUIRED);
    profiles_free(profiles);
}

static void test_parts_alone(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    assert_string_equal(add(profiles, "vlan",
                            "version: 1\nsource: x\n"
                            "bgp: {keepalive: 60, hold: 180, max_prefixes: 9, bfd: false}\n"),
                        "");
    const struct profile *vlan = profiles_find(profiles, "vlan");
    assert_true(vlan->has_bgp && !vlan->has_ipsec && !vlan->has_reserved);
    assert_int_equal(vlan->bfd, PROFILE_BFD_NONE);
    assert_string_equal(add(profiles, "x", "version: 1\nsource: x\n"),
                        "1:1: : needs `ike` and `esp` (for tunnels), `bgp` (for peers) or "
                        "`reserved` (for pools)");
    assert_string_equal(
        add(profiles, "x",
            "version: 1\nsource: x\nike: {version: 1, proposals: [a], lifetime: 300, dpd: 9}\n"),
        "1:1: : `esp` is missing\n"
        "3:16: ike.version: IKEv1 is no longer safe, so the profile needs `legacy: true`");
    profiles_free(profiles);
}

static void test_nothing_weak_unless_legacy(void **state)
{
    (void)state;
    static const char WEAK[] =
        "version: 1\nsource: x\n"
        "ike: {proposals: [aes256-sha256-modp2048, 3des-md5-modp2048], lifetime: 300, dpd: 9}\n"
        "esp: {proposals: [aes256gcm16-ecp384-modp1536], lifetime: 300}\n";
    struct profiles *profiles = profiles_new();
    char text[512];
#define REMEDY                                                                               \
    " is weak (RFC 8247, RFC 8221); its place is `legacy_proposals`, or if the cloud knows " \
    "nothing better the profile needs `legacy: true`"
    assert_string_equal(add(profiles, "weak", WEAK), "3:43: ike.proposals[1]: 3des" REMEDY
                                                     "\n4:19: esp.proposals[0]: modp1536" REMEDY);
    snprintf(text, sizeof text, "%slegacy: true\n", WEAK);
    assert_string_equal(add(profiles, "weak", text), "");
    profiles_free(profiles);
}

static const char *psk_fault(struct profiles *profiles, const char *psk)
{
    static char buffer[PROFILE_FAULT_TEXT];
    const struct profile *all = profiles_find(profiles, "all");
    const char *fault = profile_psk_fault(all->name, &all->psk, psk, strlen(psk), buffer);
    return fault ? fault : "";
}

static void test_pre_shared_keys(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    add(profiles, "all", EVERYTHING);
    assert_string_equal(psk_fault(profiles, "aZ9._aZ9"), "");
    assert_string_equal(psk_fault(profiles, "short"),
                        "all: the pre-shared key must have at least 8 characters");
    assert_string_equal(psk_fault(profiles, "12345678901234567890123456789012"
                                            "123456789012345678901234567890123"),
                        "all: the pre-shared key must have at most 64 characters");
    assert_string_equal(psk_fault(profiles, "0aaaaaaa"),
                        "all: the pre-shared key may not begin with any of `0`");
    assert_string_equal(psk_fault(profiles, "aaaaaaa-"),
                        "all: the pre-shared key has other characters than a-zA-Z0-9._");
    add(profiles, "all", GOOD);
    assert_string_equal(psk_fault(profiles, "0-"), "");
    profiles_free(profiles);
}

static void test_a_file_takes_the_place_of_a_shipped_one(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    profiles_add_builtin(profiles);
    const struct profile *shipped = profiles_find(profiles, "generic");
    assert_string_equal(add(profiles, "generic", GOOD), "");
    assert_int_equal(profiles_find(profiles, "generic")->mtu, 1390);
    /* Topologies that have the other one may keep it. */
    assert_int_equal(shipped->mtu, 0);
    profiles_free(profiles);
}

static void test_what_is_wrong(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    assert_string_equal(add(profiles, "x", ""), "1:1: : the document is empty");
    assert_string_equal(add(profiles, "X", GOOD),
                        "0:0: : the file's name must be 1 to 63 of a-z, 0-9 and -");
    assert_string_equal(
        add(profiles, "x",
            "version: 1\nsource: x\nike: {proposals: [], lifetime: 1, dpd: 0, modp: 1}\n"
            "esp: {proposals: [AES, -x], lifetime: 3600}\nmtu: 1000\n"
            "bgp: {keepalive: 90, hold: 60}\n"),
        "3:43: ike.modp: unknown key `modp`\n"
        "3:18: ike.proposals: must have at least one entry\n"
        "3:32: ike.lifetime: must be a whole number from 300 to 604800\n"
        "3:40: ike.dpd: must be a whole number from 1 to 3600\n"
        "4:19: esp.proposals[0]: must be a proposal such as aes256-sha256-modp2048 "
        "(swanctl.conf(5))\n"
        "4:24: esp.proposals[1]: must be a proposal such as aes256-sha256-modp2048 "
        "(swanctl.conf(5))\n"
        "5:6: mtu: must be a whole number from 1280 to 9216\n"
        "6:6: bgp: `max_prefixes` is missing\n"
        "6:28: bgp.hold: must not be less than `keepalive`");
    assert_string_equal(
        add(profiles, "x",
            "version: 1\nsource: x\nmss: 1300\nouter_vlan: no\n"
            "bgp: {keepalive: 9, hold: 18, hold_min: 20, max_prefixes: 1, bfd: yes,\n"
            "  asn: [65535, 9-1, x-y], password: yes}\nmtu: 1500\nmtu_max: 1400\n"),
        "5:67: bgp.bfd: must be false or {interval: MS, multiplier: N}\n"
        "6:9: bgp.asn[0]: AS number 65535 is reserved (RFC 7300)\n"
        "6:16: bgp.asn[1]: begins after its end\n"
        "6:21: bgp.asn[2]: must be a whole number from 1 to 4294967295\n"
        "6:37: bgp.password: must be allowed, required or none\n"
        "5:27: bgp.hold: must not be less than `hold_min`\n"
        "4:13: outer_vlan: must be allowed or required\n"
        "3:1: mss: `mss` is for tunnels, so it needs `ike` and `esp`\n"
        "7:6: mtu: must not be more than `mtu_max`");
    assert_string_equal(
        add(profiles, "x",
            "version: 1\nsource: x\n"
            "bgp: {keepalive: 9, hold: 18, max_prefixes: 1,\n"
            "  bfd: {interval: 100, multiplier: 2, interval_min: 300, multiplier_min: 3}}\n"),
        "4:19: bgp.bfd.interval: must not be less than `interval_min`\n"
        "4:36: bgp.bfd.multiplier: must not be less than `multiplier_min`");
    assert_string_equal(
        add(profiles, "x",
            "version: 1\nsource: x\n"
            "bgp: {keepalive: 9, hold: 18, max_prefixes: 1,\n"
            "  bfd: {mulTiplier: 5, interval_min: 300, multiplier_min: 5}}\n"),
        "4:9: bgp.bfd.mulTiplier: unknown key `mulTiplier`; did you mean `multiplier`?\n"
        "4:8: bgp.bfd: `interval` is missing\n"
        "4:8: bgp.bfd: `multiplier` is missing");
    assert_null(profiles_find(profiles, "x"));
    profiles_free(profiles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shipped_ones_are_right),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_the_rest_of_the_keys),
        cmocka_unit_test(test_parts_alone),
        cmocka_unit_test(test_nothing_weak_unless_legacy),
        cmocka_unit_test(test_pre_shared_keys),
        cmocka_unit_test(test_a_file_takes_the_place_of_a_shipped_one),
        cmocka_unit_test(test_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
