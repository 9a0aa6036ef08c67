/* The examples of the manual pages are right: each display that begins with `version: 1` is read as
 * what its page is about. */
#include "check.h"

#include "model/config.h"
#include "model/profile.h"
#include "model/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 64 << 10 };

typedef void read_example(const char *text, size_t len, struct errors *errors);

static void read_config(const char *text, size_t len, struct errors *errors)
{
    config_free(config_parse(text, len, errors));
}

static void read_topology(const char *text, size_t len, struct errors *errors)
{
    topology_free(topology_parse(text, len, errors));
}

static void read_profile(const char *text, size_t len, struct errors *errors)
{
    struct profiles *profiles = profiles_new();

    profiles_add(profiles, "example", text, len, errors);
    profiles_free(profiles);
}

static char *read_page(const char *name)
{
    char *path = NULL, *text = calloc(1, PAGE_BYTES);
    FILE *file;

    assert_true(asprintf(&path, "%s/docs/%s", SOURCE_DIR, name) > 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_in_range(fread(text, 1, PAGE_BYTES, file), 1, PAGE_BYTES - 1);
    fclose(file);
    free(path);
    return text;
}

static void check_example(const char *page, const char *text, size_t len, read_example *read)
{
    struct errors *errors = errors_new();

    read(text, len, errors);
    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);

        print_error("%s: %u:%u: %s: %s\n", page, error->line, error->column, error->path,
                    error->message);
    }
    assert_int_equal(errors_count(errors), 0);
    errors_free(errors);
}

static void check_page(const char *page, size_t n_examples, read_example *read)
{
    static const char begin[] = ".Bd -literal -offset indent\nversion: 1\n";
    char *text = read_page(page);
    size_t n = 0;

    for (char *at = strstr(text, begin); at; at = strstr(at, begin)) {
        at = strstr(at, "version");
        check_example(page, at, (size_t)(strstr(at, "\n.Ed") + 1 - at), read);
        n++;
    }
    free(text);
    assert_int_equal(n, n_examples);
}

static void test_routerd_yaml(void **state)
{
    (void)state;
    check_page("routerd.yaml.5", 1, read_config);
}

static void test_router_topology(void **state)
{
    (void)state;
    check_page("router-topology.5", 2, read_topology);
}

static void test_router_profile(void **state)
{
    (void)state;
    check_page("router-profile.5", 1, read_profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routerd_yaml),
        cmocka_unit_test(test_router_topology),
        cmocka_unit_test(test_router_profile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
