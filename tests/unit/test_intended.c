#include "check.h"
#include "model_make.h"

#include "model/intended.h"

#include <string.h>

static void test_tenants_are_sorted_and_replaced(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"m", "a", "z", "m", "b"};
    struct intended *now = intended_new(NULL);
    assert_int_equal(now->n_tenants, 0);
    assert_null(intended_find(now, "a"));
    for (size_t i = 0; i < LENGTH(NAMES); i++) {
        struct intended *next = intended_with(now, NAMES[i], i + 1, make_topology("genome"));
        intended_unref(now);
        now = next;
    }
    assert_int_equal(now->n_tenants, 4);
    assert_string_equal(now->tenants[0].name, "a");
    assert_string_equal(now->tenants[1].name, "b");
    assert_string_equal(now->tenants[2].name, "m");
    assert_string_equal(now->tenants[3].name, "z");
    assert_int_equal(intended_find(now, "m")->generation, 4);
    assert_int_equal(intended_find(now, "b")->generation, 5);
    assert_null(intended_find(now, "c"));
    assert_null(intended_find(now, ""));
    intended_unref(now);
}

static void test_unchanged_tenants_are_shared(void **state)
{
    (void)state;
    static const struct config config = {.router_name = "vr1"};
    struct intended *empty = intended_new(NULL);
    struct intended *one = intended_with(empty, "bio", 1, make_topology("genome"));
    intended_unref(empty);
    struct intended *two = intended_with(one, "phys", 1, make_topology("lhc"));
    struct intended *three = intended_with_config(two, &config);
    assert_ptr_equal(intended_find(one, "bio")->topology, intended_find(three, "bio")->topology);
    assert_int_equal(intended_find(one, "bio")->shared->refs, 3);
    assert_ptr_equal(three->config, &config);
    assert_null(two->config);
    intended_unref(two);
    intended_unref(one);
    /* The last one holds everything still: ASan would tell. */
    assert_string_equal(intended_find(three, "bio")->topology->networks[0].name, "genome");
    assert_string_equal(intended_find(three, "phys")->name, "phys");
    assert_int_equal(intended_find(three, "bio")->shared->refs, 1);
    intended_unref(three);
    intended_unref(NULL);
}

static void test_references_are_counted(void **state)
{
    (void)state;
    struct intended *intended = intended_new(NULL);
    assert_ptr_equal(intended_ref(intended), intended);
    intended_unref(intended);
    assert_int_equal(intended->refs, 1);
    intended_unref(intended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tenants_are_sorted_and_replaced),
        cmocka_unit_test(test_unchanged_tenants_are_shared),
        cmocka_unit_test(test_references_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
