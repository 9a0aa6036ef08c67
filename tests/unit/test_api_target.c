/* Targets, queries and If-Match. */
#include "api/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static char text[256];
static struct path path;
static char *query;

static int target(const char *target)
{
    snprintf(text, sizeof text, "%s", target);
    return target_parse(text, &path, &query);
}

static void test_target(void **state)
{
    (void)state;
    assert_int_equal(target("/v1/tenants/a%2Fb%41?x=1&y"), 0);
    assert_int_equal(path.n_segments, 3);
    assert_string_equal(path.segments[0], "v1");
    assert_string_equal(path.segments[2], "a/bA");
    assert_string_equal(query, "x=1&y");
    assert_int_equal(target("/"), 0);
    assert_int_equal(path.n_segments, 1);
    assert_string_equal(path.segments[0], "");
    assert_null(query);
    assert_int_equal(target("http://host:80/v1?a"), 0);
    assert_string_equal(path.segments[0], "v1");
    assert_int_equal(target("/1/2/3/4/5/6/7/8"), 0);
    assert_int_equal(path.n_segments, PATH_SEGMENTS);
    assert_int_equal(target("/1/2/3/4/5/6/7/8/9/10"), 0);
    assert_true(path.n_segments > PATH_SEGMENTS);
}

static void test_wrong_targets(void **state)
{
    static const char *const wrong[] = {"",     "*",     "v1",       "host:80", "http://host",
                                        "/a%",  "/a%4",  "/a%4g",    "/a%g4",   "/a%00",
                                        "?a=b", "/%%41", "http://h?"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (target(wrong[i]) != -EINVAL) {
            fail_msg("%s is taken", wrong[i]);
        }
    }
}

static void test_match(void **state)
{
    const char *args[PATH_ARGS] = {NULL};

    (void)state;
    target("/v1/tenants/bio/networks/g%65nome");
    assert_true(path_match(&path, "/v1/tenants/{tenant}/networks/{network}", args));
    assert_string_equal(args[0], "bio");
    assert_string_equal(args[1], "genome");
    assert_false(path_match(&path, "/v1/tenants/{tenant}/networks", args));
    assert_false(path_match(&path, "/v1/tenants/{tenant}/networks/{network}/routes", args));
    assert_false(path_match(&path, "/v1/tenants/{tenant}/network/{network}", args));
    assert_false(path_match(&path, "/v1/tenants/{tenant}/networksx/{network}", args));
    target("/v1/tenants//status");
    assert_false(path_match(&path, "/v1/tenants/{tenant}/status", args));
    target("/v1/tenants/");
    assert_false(path_match(&path, "/v1/tenants", args));
    target("/1/2/3/4/5/6/7/8/9");
    assert_false(path_match(&path, "/1/2/3/4/5/6/7/8/9", args));
}

static char why[QUERY_WHY];
static struct query parsed;

static int parse(const char *given, unsigned int allowed)
{
    char buffer[256];

    snprintf(buffer, sizeof buffer, "%s", given);
    memset(why, 0, sizeof why);
    return query_parse(buffer, allowed, &parsed, why);
}

static void test_query(void **state)
{
    (void)state;
    assert_int_equal(query_parse(NULL, 0, &parsed, why), 0);
    assert_int_equal(parsed.keys, 0);
    assert_int_equal(parse("wait=30&dry_run=true&", QUERY_WAIT | QUERY_DRY_RUN), 0);
    assert_int_equal(parsed.keys, QUERY_WAIT | QUERY_DRY_RUN);
    assert_int_equal(parsed.wait_s, 30);
    assert_true(parsed.dry_run);
    assert_int_equal(parse("dry_run=false", QUERY_DRY_RUN), 0);
    assert_false(parsed.dry_run);
    assert_int_equal(parse("w%61it=%33600", QUERY_WAIT), 0);
    assert_int_equal(parsed.wait_s, 3600);
    assert_int_equal(parse("generation=999999999999999999", QUERY_GENERATION), 0);
    assert_int_equal(parsed.generation, 999999999999999999);
}

static void test_wrong_queries(void **state)
{
    static const struct {
        const char *query, *named;
    } cases[] = {
        {"wait=abc", "`wait`"},
        {"wait=-1", "`wait`"},
        {"wait=3601", "`wait`"},
        {"wait=", "`wait`"},
        {"wait", "`wait`"},
        {"wait=1.5", "`wait`"},
        {"wait=1%20", "`wait`"},
        {"wait=1&wait=1", "`wait` is given twice"},
        {"wait=18446744073709551617", "`wait`"},
        {"dry_run=1", "`dry_run`"},
        {"dry_run", "`dry_run`"},
        {"dry_run=TRUE", "`dry_run`"},
        {"generation=0", "`generation`"},
        {"confirm=0", "`confirm`"},
        {"wiat=3", "`wiat` is unknown"},
        {"=3", "`` is unknown"},
        {"wait=%zz", "escape"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (parse(cases[i].query, ~0U) != -EINVAL || !strstr(why, cases[i].named)) {
            fail_msg("%s: %s", cases[i].query, why);
        }
    }
    assert_int_equal(parse("generation=1", QUERY_WAIT), -EINVAL); /* known, but not here */
}

static void test_if_match(void **state)
{
    static const char *const wrong[] = {"",
                                        "7",
                                        "\"7",
                                        "7\"",
                                        "W/\"7\"",
                                        "\"\"",
                                        "\"07\"",
                                        "\"7\",\"8\"",
                                        "\"x\"",
                                        "**",
                                        "\"-1\"",
                                        "\" 7\"",
                                        "\"12345678901234567890\""};
    struct if_match match;

    (void)state;
    assert_int_equal(if_match_parse("*", &match), 0);
    assert_int_equal(match.kind, IF_MATCH_ANY);
    assert_int_equal(if_match_parse("\"0\"", &match), 0);
    assert_int_equal(match.kind, IF_MATCH_GENERATION);
    assert_int_equal(match.generation, 0);
    assert_int_equal(if_match_parse("\"123456789012345678\"", &match), 0);
    assert_int_equal(match.generation, 123456789012345678);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (if_match_parse(wrong[i], &match) != -EINVAL) {
            fail_msg("%s is taken", wrong[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),        cmocka_unit_test(test_wrong_targets),
        cmocka_unit_test(test_match),         cmocka_unit_test(test_query),
        cmocka_unit_test(test_wrong_queries), cmocka_unit_test(test_if_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
