#include "model/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct thing {
    const char *name;
    struct addr *addrs;
    size_t n_addrs;
    bool flag;
};

static void read_addrs(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 3, sizeof(struct addr), read_addr};
    struct thing *thing = ret;

    thing->addrs = read_list(reader, doc, &list, &thing->n_addrs);
}

static const struct field fields[] = {
    {"name", REQUIRED, read_name, offsetof(struct thing, name)},
    {"addrs", OPTIONAL, read_addrs, 0},
    {"flag", OPTIONAL, read_bool, offsetof(struct thing, flag)},
    {0},
};

/* Reads a thing, which must have so many faults; its strings last as long as the arena. */
static struct thing read_thing(struct arena *arena, const char *text, size_t faults)
{
    struct reader reader = {arena, errors_new()};
    struct doc *doc = doc_parse(arena, text, strlen(text), reader.errors);
    struct thing thing = {.flag = true};

    assert_non_null(doc);
    read_map(&reader, doc, fields, &thing);
    assert_int_equal(errors_count(reader.errors), faults);
    errors_free(reader.errors);
    return thing;
}

static void reads_what_is_there(void **state)
{
    struct arena *arena = arena_new();
    struct thing thing = read_thing(arena, "{name: a, addrs: [10.0.0.1, '::1'], flag: false}", 0);

    (void)state;
    assert_string_equal(thing.name, "a");
    assert_int_equal(thing.n_addrs, 2);
    assert_int_equal(thing.addrs[1].family, AF_INET6);
    assert_false(thing.flag);
    thing = read_thing(arena, "name: b", 0);
    assert_string_equal(thing.name, "b");
    assert_null(thing.addrs);
    assert_true(thing.flag);
    arena_free(arena);
}

static void leaves_what_is_wrong(void **state)
{
    struct arena *arena = arena_new();
    struct thing thing = read_thing(arena, "{name: A, addrs: [x, 10.0.0.1], flag: 1, y: 2}", 4);

    (void)state;
    assert_null(thing.name);
    assert_int_equal(thing.n_addrs, 2); /* one for each in the text */
    assert_int_equal(thing.addrs[0].family, 0);
    assert_int_equal(thing.addrs[1].family, AF_INET);
    assert_true(thing.flag);
    read_thing(arena, "flag: true", 1);
    read_thing(arena, "[]", 1);
    arena_free(arena);
}

static void bounds_lists(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_int_equal(read_thing(arena, "{name: a, addrs: []}", 1).n_addrs, 0);
    assert_int_equal(read_thing(arena, "{name: a, addrs: [x, x, x, x]}", 1).n_addrs, 0);
    assert_int_equal(read_thing(arena, "{name: a, addrs: {}}", 1).n_addrs, 0);
    arena_free(arena);
}

static void tells_whether_a_list_was_read(void **state)
{
    static const struct doc three = {.kind = DOC_LIST, .n_children = 3}, map = {.kind = DOC_MAP};

    (void)state;
    assert_true(read_list_worked(&three, 3));
    assert_false(read_list_worked(&three, 0));
    assert_false(read_list_worked(&map, 0));
    assert_true(read_list_worked(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(leaves_what_is_wrong),
        cmocka_unit_test(bounds_lists),
        cmocka_unit_test(tells_whether_a_list_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
