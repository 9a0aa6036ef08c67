#include "check.h"

#include "net/sorted.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements are words of one letter; "-" is null. */
static void expect(char *const *array, size_t n, const char *words)
{
    assert_int_equal(strlen(words), 2 * n - 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(array[i] ? array[i][0] : '-', words[2 * i]);
}

static void test_add(void **state)
{
    (void)state;
    const char *first[] = {"b", "d", "f"}, *second[] = {"a", "c", "g", "h"}, *third[] = {"e"};
    char **array = sorted_add(NULL, 0, first, 3, compare);

    expect(array, 3, "b d f");
    array = sorted_add(array, 3, second, 4, compare);
    expect(array, 7, "a b c d f g h");
    array = sorted_add(array, 7, third, 1, compare);
    expect(array, 8, "a b c d e f g h");
    array = sorted_add(array, 8, NULL, 0, compare);
    expect(array, 8, "a b c d e f g h");
    free(array);
}

/* What goes is these very pointers, not what is equal: the new ones are there before the old go. */
static void test_remove(void **state)
{
    (void)state;
    char old[] = "b";
    const char *first[] = {"a", old, "c"}, *second[] = {"b", "d"}, *gone[] = {old};
    char **array = sorted_add(NULL, 0, first, 3, compare);

    array = sorted_add(array, 3, second, 2, compare);
    expect(array, 5, "a b b c d");
    assert_int_equal(sorted_remove(array, 5, gone, 1), 4);
    expect(array, 4, "a b c d");
    assert_ptr_equal(array[1], second[0]);
    assert_int_equal(sorted_remove(array, 4, second, 2), 2);
    expect(array, 2, "a c");
    assert_int_equal(sorted_remove(array, 2, NULL, 0), 2);
    free(array);
}

static void test_match(void **state)
{
    (void)state;
    const char *left[] = {"a", "c", "d", "f"}, *right[] = {"b", "c", "c", "e", "f", "f"};
    char **found = sorted_match(left, 4, right, 6, compare);

    expect(found, 4, "- c - f");
    expect(found + 4, 6, "- c c - f f");
    free(found);
    found = sorted_match(NULL, 0, right, 1, compare);
    assert_null(found[0]);
    free(found);
    found = sorted_match(left, 1, NULL, 0, compare);
    assert_null(found[0]);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
