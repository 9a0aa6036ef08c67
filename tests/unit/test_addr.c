#include "check.h"

#include "model/addr.h"

#include <errno.h>
#include <string.h>

static struct addr A(const char *text) {
    struct addr addr;
    if (addr_parse(text, &addr) < 0)
        fail_msg("%s is no address", text);
    return addr;
}

static struct prefix
P(const char *text) {
    struct prefix prefix;
    if (prefix_parse(text, &prefix) < 0)
        fail_msg("%s is no prefix", text);
    return prefix;
}

static void
test_addresses_are_printed_as_rfc5952(void **state)
{
    (void)state;
    static const char *const PAIRS[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"10.1.0.1", "10.1.0.1"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* 4.2.2: one group is not shortened */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* 4.2.3: the first of equal ones */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* 4.2.3: the longest */
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"fe80::1", "fe80::1"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
    };
    for (size_t i = 0; i < LENGTH(PAIRS); i++) {
        char text[ADDR_TEXT];
        struct addr addr = A(PAIRS[i][0]);
        assert_string_equal(addr_print(&addr, text), PAIRS[i][1]);
        struct addr again = A(text);
        assert_true(addr_equal(&addr, &again));
    }
}

static void test_what_is_no_address(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",
                                        " ",
                                        "10",
                                        "10.1",
                                        "10.1.1",
                                        "10.1.1.1.1",
                                        "10.1.1.256",
                                        "10.1.1.-1",
                                        "10.01.1.1",
                                        "010.1.1.1",
                                        "10.1.1.1 ",
                                        " 10.1.1.1",
                                        "10.1.1.1/24",
                                        "0x0a.1.1.1",
                                        "10.1.1.a",
                                        "a",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "12345::",
                                        "g::",
                                        "fe80::1%eth0",
                                        "::ffff:10.1.1.1",
                                        "::ffff:a01:101",
                                        "[::1]",
                                        "::1/128",
                                        "1:2:3:4:5:6:7:8::",
                                        "10.1.1.1\n"};
    for (size_t i = 0; i < LENGTH(WRONG); i++) {
        struct addr addr = {.family = 77};
        if (addr_parse(WRONG[i], &addr) != -EINVAL)
            fail_msg("\"%s\" was taken", WRONG[i]);
        assert_int_equal(addr.family, 77);
    }
}

static void test_what_is_no_prefix(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "/8",
        "10.0.0.0/8/",
        "10.0.0.0/8 ",
        "::/129",
        "::/0128",
        "10.0.0/8",
        "::/1000",
        "10.0.0.0/+8",
        "10.0.0.0//8",
        "10.0.0.0 /8",
        "::/4294967297",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64"};
    for (size_t i = 0; i < LENGTH(WRONG); i++) {
        struct prefix prefix = {.len = 99};
        if (prefix_parse(WRONG[i], &prefix) != -EINVAL)
            fail_msg("\"%s\" was taken", WRONG[i]);
        assert_int_equal(prefix.len, 99);
    }
}

static void test_prefixes_keep_host_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text, *network, *first, *last;
    } CASES[] = {
        {"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0", "255.255.255.255"},
        {"10.1.2.3/24", "10.1.2.0/24", "10.1.2.0", "10.1.2.255"},
        {"10.1.2.3/32", "10.1.2.3/32", "10.1.2.3", "10.1.2.3"},
        {"169.254.10.1/30", "169.254.10.0/30", "169.254.10.0", "169.254.10.3"},
        {"10.1.2.3/31", "10.1.2.2/31", "10.1.2.2", "10.1.2.3"},
        {"10.255.0.1/9", "10.128.0.0/9", "10.128.0.0", "10.255.255.255"},
        {"::/0", "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"2001:db8:1::1/64", "2001:db8:1::/64", "2001:db8:1::", "2001:db8:1:0:ffff:ffff:ffff:ffff"},
        {"2001:db8::ff/121", "2001:db8::80/121", "2001:db8::80", "2001:db8::ff"},
        {"2001:db8::1/128", "2001:db8::1/128", "2001:db8::1", "2001:db8::1"},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        char text[PREFIX_TEXT], address[ADDR_TEXT];
        struct prefix prefix = P(CASES[i].text), network = prefix_network(&prefix);
        struct addr first = prefix_first(&prefix), last = prefix_last(&prefix);
        assert_string_equal(prefix_print(&prefix, text), CASES[i].text);
        assert_string_equal(prefix_print(&network, text), CASES[i].network);
        assert_string_equal(addr_print(&first, address), CASES[i].first);
        assert_string_equal(addr_print(&last, address), CASES[i].last);
        assert_int_equal(prefix_has_host_bits(&prefix),
                         strcmp(CASES[i].text, CASES[i].network) != 0);
        assert_true(prefix_contains(&prefix, &first) && prefix_contains(&prefix, &last));
    }
}

static void test_containment(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool covers, overlaps;
    } CASES[] = {
        {"10.0.0.0/8", "10.1.0.0/16", true, true},
        {"10.1.0.0/16", "10.0.0.0/8", false, true},
        {"10.0.0.0/8", "11.0.0.0/8", false, false},
        {"10.0.0.0/8", "10.0.0.0/8", true, true},
        {"0.0.0.0/0", "::/0", false, false},
        {"::/0", "2001:db8::/32", true, true},
        {"10.1.0.1/24", "10.1.0.9/32", true, true},
        {"10.1.0.0/25", "10.1.0.128/25", false, false},
        {"2001:db8::/33", "2001:db8:8000::/33", false, false},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        struct prefix a = P(CASES[i].a), b = P(CASES[i].b);
        assert_int_equal(prefix_covers(&a, &b), CASES[i].covers);
        assert_int_equal(prefix_overlaps(&a, &b), CASES[i].overlaps);
        assert_int_equal(prefix_overlaps(&b, &a), CASES[i].overlaps);
    }
    struct prefix any = P("0.0.0.0/0");
    struct addr none = {0}, six = A("::1");
    assert_false(prefix_contains(&any, &none));
    assert_false(prefix_contains(&any, &six));
}

static void test_order(void **state)
{
    (void)state;
    static const char *const ASCENDING[] = {
        "0.0.0.0", "9.255.0.0", "10.0.0.1",   "10.0.0.2", "255.0.0.0",
        "::",      "::1",       "2001:db8::", "ff02::1"};
    struct addr none = {0};
    for (size_t i = 0; i < LENGTH(ASCENDING); i++) {
        struct addr a = A(ASCENDING[i]);
        assert_true(addr_cmp(&none, &a) < 0);
        for (size_t k = 0; k < LENGTH(ASCENDING); k++) {
            struct addr b = A(ASCENDING[k]);
            int order = addr_cmp(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    struct prefix a = P("10.0.0.0/8"), b = P("10.0.0.0/9"), c = P("10.0.0.1/8");
    assert_true(prefix_cmp(&a, &b) < 0 && prefix_cmp(&b, &a) > 0 && prefix_cmp(&a, &a) == 0);
    assert_true(prefix_cmp(&b, &c) < 0);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool link_local, multicast, loopback, unspecified;
    } CASES[] = {
        {"169.254.0.1", true, false, false, false}, {"169.253.255.255", false, false, false, false},
        {"fe80::1", true, false, false, false},     {"febf::1", true, false, false, false},
        {"fec0::1", false, false, false, false},    {"224.0.0.1", false, true, false, false},
        {"239.1.1.1", false, true, false, false},   {"240.0.0.1", false, false, false, false},
        {"ff02::1", false, true, false, false},     {"127.0.0.1", false, false, true, false},
        {"127.255.1.1", false, false, true, false}, {"::1", false, false, true, false},
        {"::2", false, false, false, false},        {"0.0.0.0", false, false, false, true},
        {"::", false, false, false, true},          {"10.0.0.1", false, false, false, false},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        struct addr addr = A(CASES[i].text);
        assert_int_equal(addr_is_link_local(&addr), CASES[i].link_local);
        assert_int_equal(addr_is_multicast(&addr), CASES[i].multicast);
        assert_int_equal(addr_is_loopback(&addr), CASES[i].loopback);
        assert_int_equal(addr_is_unspecified(&addr), CASES[i].unspecified);
    }
}

static void test_no_address_prints_as_nothing(void **state)
{
    (void)state;
    char text[PREFIX_TEXT];
    assert_string_equal(addr_print(&(struct addr){0}, text), "");
    assert_string_equal(prefix_print(&(struct prefix){0}, text), "");
    assert_false(addr_is_unspecified(&(struct addr){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_printed_as_rfc5952),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_what_is_no_prefix),
        cmocka_unit_test(test_prefixes_keep_host_bits),
        cmocka_unit_test(test_containment),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_no_address_prints_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
