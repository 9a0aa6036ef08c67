#include "check.h"

#include "model/profile.h"
#include "model/profile_builtin.h"

#include <stdio.h>
#include <string.h>

static const char GOOD[] = "version: 1\n"
                           "source: a test, 2026-11\n"
                           "ike: {proposals: [aes256-sha256-modp2048], lifetime: 28800, dpd: 30}\n"
                           "esp: {proposals: [aes256-sha256, aes128-sha1], lifetime: 3600}\n"
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

static void test_the_shipped_ones_are_right(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    profiles_add_builtin(profiles);
    assert_true(n_profiles_builtin >= 1);
    for (size_t i = 0; i < n_profiles_builtin; i++) {
        const struct profile *profile = profiles_find(profiles, profiles_builtin[i].name);
        assert_non_null(profile);
        assert_true(strlen(profile->source) > 20);
        assert_int_equal(strlen(profiles_builtin[i].text), profiles_builtin[i].len);
    }
    const struct profile *generic = profiles_find(profiles, "generic");
    assert_int_equal(generic->ike_lifetime_s, 28800);
    assert_int_equal(generic->child_lifetime_s, 3600);
    assert_in_range(generic->dpd_delay_s, 10, 30);
    assert_int_equal(generic->mtu, 1400);
    assert_int_equal(generic->keepalive_s, 10);
    assert_int_equal(generic->hold_s, 30);
    assert_int_equal(generic->max_prefixes, 1000);
    assert_true(generic->n_ike_proposals >= 3 && generic->n_esp_proposals >= 3);
    profiles_free(profiles);
}

static void test_every_key(void **state)
{
    (void)state;
    struct profiles *profiles = profiles_new();
    assert_string_equal(add(profiles, "aws", GOOD), "");
    const struct profile *aws = profiles_find(profiles, "aws");
    assert_string_equal(aws->name, "aws");
    assert_string_equal(aws->source, "a test, 2026-11");
    assert_int_equal(aws->n_ike_proposals, 1);
    assert_string_equal(aws->ike_proposals[0], "aes256-sha256-modp2048");
    assert_int_equal(aws->n_esp_proposals, 2);
    assert_string_equal(aws->esp_proposals[1], "aes128-sha1");
    assert_int_equal(aws->dpd_delay_s, 30);
    assert_int_equal(aws->mtu, 1390);
    assert_int_equal(aws->hold_s, 60);
    assert_int_equal(aws->max_prefixes, 100);
    assert_null(profiles_find(profiles, "azure"));
    profiles_free(profiles);
    profiles_free(NULL);
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
    assert_int_equal(shipped->mtu, 1400);
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
        "5:6: mtu: must be a whole number from 1280 to 9000\n"
        "6:6: bgp: `max_prefixes` is missing\n"
        "6:28: bgp.hold: must not be less than `keepalive`");
    assert_null(profiles_find(profiles, "x"));
    profiles_free(profiles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shipped_ones_are_right),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_a_file_takes_the_place_of_a_shipped_one),
        cmocka_unit_test(test_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
