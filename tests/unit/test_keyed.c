#include "model/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void finds_the_first_of_a_key(void **state)
{
    static const char a1[] = "a1", a2[] = "a2", b[] = "b";
    struct keyed keyed = {.arena = arena_new()};

    (void)state;
    keyed_sort(&keyed);
    assert_null(keyed_find(&keyed, "a"));
    keyed_add(&keyed, "b", b);
    keyed_add(&keyed, "a", a1);
    keyed_add(&keyed, "a", a2);
    keyed_sort(&keyed);
    assert_ptr_equal(keyed_find(&keyed, "a"), a1);
    assert_ptr_equal(keyed_find(&keyed, "b"), b);
    assert_null(keyed_find(&keyed, ""));
    assert_null(keyed_find(&keyed, "ab"));
    assert_null(keyed_find(&keyed, "c"));
    arena_free(keyed.arena);
}

static void note(void *aux, const void *object, const void *first)
{
    char *text = aux;

    sprintf(text + strlen(text), "%s(%s) ", (const char *)object, (const char *)first);
}

static void walks_the_repeated_ones(void **state)
{
    static const char *const names[] = {"x", "y", "x", "z", "x", "y"};
    static const char *const objects[] = {"0", "1", "2", "3", "4", "5"};
    struct keyed keyed = {.arena = arena_new()};
    char seen[64] = "";

    (void)state;
    keyed_each_repeated(&keyed, note, seen);
    assert_string_equal(seen, "");
    for (size_t i = 0; i < 6; i++) {
        keyed_add(&keyed, names[i], objects[i]);
    }
    keyed_sort(&keyed);
    keyed_each_repeated(&keyed, note, seen);
    assert_string_equal(seen, "2(0) 4(0) 5(1) ");
    arena_free(keyed.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_of_a_key),
        cmocka_unit_test(walks_the_repeated_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
