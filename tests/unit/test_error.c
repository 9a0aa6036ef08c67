#include "check.h"

#include "model/error.h"

#include <string.h>

static void test_faults_are_kept_as_found(void **state)
{
    (void)state;
    struct errors *errors = errors_new();
    char path[] = "networks[0]";
    assert_int_equal(errors_count(errors), 0);
    errors_add(errors, path, 3, 5, "must be %d", 7);
    path[0] = 'X';
    assert_int_equal(errors_kept(errors), 1);
    const struct error *error = errors_get(errors, 0);
    assert_string_equal(error->path, "networks[0]");
    assert_string_equal(error->message, "must be 7");
    assert_int_equal(error->line, 3);
    assert_int_equal(error->column, 5);
    errors_free(errors);
    errors_free(NULL);
}

static void test_sort_is_by_place_and_stable(void **state)
{
    (void)state;
    static const struct {
        unsigned int line, column;
        const char *message;
    } IN[] = {{2, 1, "e"}, {1, 9, "c"}, {2, 1, "f"}, {1, 2, "b"}, {0, 0, "a"}, {1, 9, "d"}};
    struct errors *errors = errors_new();
    for (size_t i = 0; i < LENGTH(IN); i++)
        errors_add(errors, "", IN[i].line, IN[i].column, "%s", IN[i].message);
    errors_sort(errors);
    for (size_t i = 0; i < LENGTH(IN); i++) {
        char expected[] = {(char)('a' + (int)i), '\0'};
        assert_string_equal(errors_get(errors, i)->message, expected);
    }
    errors_free(errors);
}

static void test_the_list_is_bounded_but_counts_on(void **state)
{
    (void)state;
    struct errors *errors = errors_new();
    for (unsigned int i = 0; i < 5000; i++)
        errors_add(errors, "x", i, 1, "fault %u", i);
    assert_int_equal(errors_count(errors), 5000);
    assert_int_equal(errors_kept(errors), ERROR_LIMIT);
    assert_string_equal(errors_get(errors, ERROR_LIMIT - 1)->message, "fault 999");
    errors_free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_are_kept_as_found),
        cmocka_unit_test(test_sort_is_by_place_and_stable),
        cmocka_unit_test(test_the_list_is_bounded_but_counts_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
