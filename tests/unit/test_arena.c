#include "check.h"

#include "model/arena.h"

#include <string.h>

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    static const size_t SIZES[] = {0, 1, 3, 8, 17, 100, 900, 1024, 5000, 300000, 2, 1 << 20, 7};
    unsigned char *memory[LENGTH(SIZES)];
    for (size_t i = 0; i < LENGTH(SIZES); i++) {
        memory[i] = arena_alloc(arena, SIZES[i]);
        assert_int_equal((uintptr_t)memory[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < SIZES[i]; k++)
            assert_int_equal(memory[i][k], 0);
        memset(memory[i], (int)i + 1, SIZES[i]);
    }
    for (size_t i = 0; i < LENGTH(SIZES); i++)
        for (size_t k = 0; k < SIZES[i]; k++)
            assert_int_equal(memory[i][k], i + 1);
    assert_true(arena_size(arena) >= 300000 + (1 << 20));
    arena_free(arena);
}

static void test_small_ones_share_blocks(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    for (int i = 0; i < 100000; i++)
        arena_alloc(arena, 16);
    assert_in_range(arena_size(arena), 1600000, 2400000);
    arena_free(arena);
}

static void test_strings(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    char text[] = "genome";
    char *copy = arena_strdup(arena, text);
    text[0] = 'G';
    assert_string_equal(copy, "genome");
    assert_null(arena_strdup(arena, NULL));
    assert_string_equal(arena_memdup(arena, "campus", 4), "camp");
    assert_string_equal(arena_memdup(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%s/%d", "x", 12), "x/12");
    char *wide = arena_printf(arena, "%5000d", 7);
    assert_int_equal(strlen(wide), 5000);
    arena_free(arena);
}

static void test_arrays_grow_and_keep_their_elements(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    int *array = NULL;
    size_t capacity = 0;
    for (size_t n = 0; n < 1000; n++) {
        array = arena_grow(arena, array, n, &capacity, sizeof *array);
        assert_true(capacity > n);
        assert_int_equal(array[n], 0);
        array[n] = (int)n;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    arena_free(arena);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(test_small_ones_share_blocks),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_arrays_grow_and_keep_their_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
