#include "model/prefix_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Reads one rule; null if it is refused, else what it is printed as. */
static const char *read_and_print(const char *text, struct prefix_rule *ret_rule)
{
    static char printed[PREFIX_RULE_TEXT];
    struct arena *arena = arena_new();
    struct errors *errors = errors_new();
    const struct doc *doc;
    char yaml[128];
    bool read;

    snprintf(yaml, sizeof yaml, "\"%s\"", text);
    doc = doc_parse(arena, yaml, strlen(yaml), errors);
    assert_non_null(doc);
    memset(ret_rule, 0, sizeof *ret_rule);
    read = prefix_rule_read(doc, errors, ret_rule);
    assert_int_equal(errors_count(errors), read ? 0 : 1);
    errors_free(errors);
    arena_free(arena);
    return read ? prefix_rule_print(ret_rule, printed) : NULL;
}

static void reads_the_range(void **state)
{
    static const struct {
        const char *text, *printed;
        uint8_t ge, le;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", 8, 8},
        {"10.0.0.0/8 le 24", "10.0.0.0/8 le 24", 8, 24},
        {"10.0.0.0/8 le 32", "10.0.0.0/8 le 32", 8, 32},
        {"10.0.0.0/8 ge 24", "10.0.0.0/8 ge 24", 24, 32},
        {"10.0.0.0/8 ge 24 le 32", "10.0.0.0/8 ge 24", 24, 32},
        {"10.0.0.0/8 ge 24 le 24", "10.0.0.0/8 ge 24 le 24", 24, 24},
        {"10.0.0.0/8 ge 16 le 24", "10.0.0.0/8 ge 16 le 24", 16, 24},
        {" 10.0.0.0/8   ge  8  le 8 ", "10.0.0.0/8", 8, 8},
        {"10.0.0.1/32 le 32", "10.0.0.1/32", 32, 32},
        {"0.0.0.0/0 le 32", "0.0.0.0/0 le 32", 0, 32},
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0},
        {"2001:DB8::/32 ge 48", "2001:db8::/32 ge 48", 48, 128},
        {"::/0 ge 128 le 128", "::/0 ge 128", 128, 128},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prefix_rule rule;
        const char *printed = read_and_print(cases[i].text, &rule);

        assert_non_null(printed);
        assert_string_equal(printed, cases[i].printed);
        assert_int_equal(rule.ge, cases[i].ge);
        assert_int_equal(rule.le, cases[i].le);
    }
}

static void refuses_the_rest(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "any",
        "10.0.0.0",
        "10.0.0.1/8",
        "10.0.0.0/8 le",
        "10.0.0.0/8 24",
        "10.0.0.0/8 le 7",
        "10.0.0.0/8 le 33",
        "10.0.0.0/8 le 264",
        "10.0.0.0/8 le 1000",
        "10.0.0.0/8 ge 7",
        "10.0.0.0/8 ge 33",
        "10.0.0.0/8 ge 24 le 23",
        "10.0.0.0/8 le 24 ge 16",
        "10.0.0.0/8 le -1",
        "10.0.0.0/8 le +9",
        "10.0.0.0/8 le 09",
        "10.0.0.0/8 ge 9 le 10 le 11",
        "::/0 le 129",
        "2001:db8::1/64",
        "10.0.0.0/8                                                                         le 24",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prefix_rule rule;

        assert_null(read_and_print(cases[i], &rule));
        assert_int_equal(rule.prefix.addr.family, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_range),
        cmocka_unit_test(refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
