/* The index of nodes: random walks against a model that scans arrays, and what it costs. */
#include "nodes/nodes.h"
#include "nodes/record.h"
#include "nodes/trie.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static uint64_t random_state = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % n;
}

static struct addr address(const char *text)
{
    struct addr addr;

    assert_int_equal(addr_parse(text, &addr), 0);
    return addr;
}

/* --- a naive model -------------------------------------------------------------------------- */

enum { NAMES = 60, ADDRESSES = 64 };

struct model_node {
    bool lives;
    int v4, v6, mac; /* numbers, -1: none */
};

struct model {
    struct model_node nodes[NAMES];
    int64_t quarantined[2][ADDRESSES]; /* until; 0: not */
};

static const char *const bases[2] = {"10.0.0.0", "2001:db8::ffff:ffff:ffff:ffe0"};

static struct addr numbered(int family_place, int number)
{
    struct addr base = address(bases[family_place]);

    return addr_of_number(base.family, addr_to_number(&base) + (addr_number)number);
}

static const char *name_of(int number, char buffer[16])
{
    /* Some are the others' beginning. */
    snprintf(buffer, 16, "%.*s%u", 1 + number % 4, "abcd", (unsigned int)number / 3);
    return buffer;
}

static bool name_is_double(int number)
{
    char a[16], b[16];

    for (int i = 0; i < number; i++) {
        if (!strcmp(name_of(i, a), name_of(number, b))) {
            return true;
        }
    }
    return false;
}

static int taken_by(const struct model *model, int place, int number)
{
    for (int i = 0; i < NAMES; i++) {
        const struct model_node *node = &model->nodes[i];

        if (node->lives && (place ? node->v6 : node->v4) == number) {
            return i;
        }
    }
    return -1;
}

static bool model_taken(const struct model *model, int place, int number)
{
    return number >= 0 &&
           (taken_by(model, place, number) >= 0 || model->quarantined[place][number]);
}

static bool model_mac_taken(const struct model *model, int mac)
{
    for (int i = 0; i < NAMES; i++) {
        if (mac >= 0 && model->nodes[i].lives && model->nodes[i].mac == mac) {
            return true;
        }
    }
    return false;
}

/* --- the walk ------------------------------------------------------------------------------- */

static void add_one(struct nodes *nodes, struct model *model)
{
    int number = (int)random_below(NAMES), mac = (int)random_below(40) - 20;
    int v4 = (int)random_below(ADDRESSES + 8) - 8, v6 = (int)random_below(ADDRESSES + 30) - 30;
    struct node node = {.pool = random_below(2) ? "one" : "two"};
    char name[16];
    uint32_t id;
    bool fits;

    v4 = v4 < 0 ? -1 : v4;
    v6 = v6 < 0 ? -1 : v6;
    mac = mac < 0 ? -1 : mac;
    if (name_is_double(number) || (v4 < 0 && v6 < 0)) {
        return;
    }
    node.name = name_of(number, name);
    if (v4 >= 0) {
        node.addresses[0] = numbered(0, v4);
    }
    if (v6 >= 0) {
        node.addresses[1] = numbered(1, v6);
    }
    node.has_mac = mac >= 0;
    node.mac[0] = 2;
    node.mac[5] = (uint8_t)mac;
    node.labels = number % 5 ? NULL : "{\"a\":\"b c\"}";
    fits = !model->nodes[number].lives && !model_taken(model, 0, v4) &&
           !model_taken(model, 1, v6) && !model_mac_taken(model, mac);
    assert_int_equal(nodes_add(nodes, &node, &id), fits ? 0 : -EEXIST);
    if (fits) {
        model->nodes[number] = (struct model_node){true, v4, v6, mac};
        nodes_set_page(nodes, id, (uint32_t)number);
    }
}

static void end_one(struct nodes *nodes, struct model *model, int64_t now)
{
    int number = (int)random_below(NAMES);
    struct model_node *node = &model->nodes[number];
    int64_t until = now + (int64_t)random_below(5) + 1;
    char name[16];
    uint32_t id;

    if (!node->lives) {
        return;
    }
    id = nodes_find(nodes, name_of(number, name));
    node->lives = false;
    if (random_below(4)) {
        nodes_release(nodes, id, until);
        if (node->v4 >= 0) {
            model->quarantined[0][node->v4] = until;
        }
        if (node->v6 >= 0) {
            model->quarantined[1][node->v6] = until;
        }
    } else {
        nodes_remove(nodes, id);
    }
}

static void expire(struct nodes *nodes, struct model *model, int64_t now)
{
    int64_t until;
    uint32_t id;

    while ((id = nodes_first_quarantine(nodes, &until)) != NODE_NONE && until <= now) {
        nodes_remove(nodes, id);
    }
    for (int place = 0; place < 2; place++) {
        for (int i = 0; i < ADDRESSES; i++) {
            if (model->quarantined[place][i] <= now) {
                model->quarantined[place][i] = 0;
            }
        }
    }
}

/* --- comparing ------------------------------------------------------------------------------ */

static void compare_addresses(const struct nodes *nodes, const struct model *model)
{
    for (int place = 0; place < 2; place++) {
        for (int i = 0; i < ADDRESSES; i++) {
            struct addr addr = numbered(place, i);
            int owner = taken_by(model, place, i);
            uint32_t id = 0;
            enum address_use use = nodes_find_address(nodes, &addr, &id);

            assert_int_equal(use, owner >= 0                     ? ADDRESS_NODE
                                  : model->quarantined[place][i] ? ADDRESS_QUARANTINED
                                                                 : ADDRESS_FREE);
            if (use == ADDRESS_NODE) {
                assert_int_equal(nodes_page(nodes, id), owner);
            } else if (use == ADDRESS_QUARANTINED) {
                assert_true(nodes_quarantined_until(nodes, id) == model->quarantined[place][i]);
            }
        }
    }
}

static void compare_first_free(const struct nodes *nodes, const struct model *model)
{
    int place = (int)random_below(2), first = (int)random_below(ADDRESSES);
    int last = first + (int)random_below((uint32_t)(ADDRESSES - first)), expected = first;
    struct addr_range range = {numbered(place, first), numbered(place, last)};
    struct addr seen, wanted;
    bool found = nodes_first_free(nodes, &range, 1, &seen);

    while (expected <= last && model_taken(model, place, expected)) {
        expected++;
    }
    assert_int_equal(found, expected <= last);
    if (found) {
        wanted = numbered(place, expected);
        assert_true(addr_equal(&seen, &wanted));
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void compare_names(const struct nodes *nodes, const struct model *model)
{
    char names[NAMES][16], from[16];
    size_t n = 0, at = 0;
    uint32_t id;

    for (int i = 0; i < NAMES; i++) {
        char name[16];

        if (!name_is_double(i)) {
            assert_int_equal(nodes_find(nodes, name_of(i, name)) != NODE_NONE,
                             model->nodes[i].lives);
        }
        if (model->nodes[i].lives) {
            name_of(i, names[n++]);
        }
    }
    assert_int_equal(nodes_count(nodes), n);
    assert_int_equal(nodes_count_pool(nodes, "one") + nodes_count_pool(nodes, "two"), n);
    qsort(names, n, sizeof *names, compare_texts);
    name_of((int)random_below(NAMES), from); /* may not be there */
    while (at < n && strcmp(names[at], from) <= 0) {
        at++;
    }
    for (id = nodes_after(nodes, from); id != NODE_NONE; at++) {
        assert_true(at < n);
        assert_string_equal(nodes_get(nodes, id).name, names[at]);
        id = nodes_after(nodes, names[at]);
    }
    assert_int_equal(at, n);
}

/* What the records say is the same again. */
static void compare_copy(const struct nodes *nodes, const struct model *model)
{
    struct nodes *copy = nodes_new();
    char record[RECORD_TEXT], again[RECORD_TEXT];
    uint32_t id, id_copy;

    for (int place = 0; place < 2; place++) {
        for (int i = 0; i < ADDRESSES; i++) {
            struct addr addr = numbered(place, i);

            if (nodes_find_address(nodes, &addr, &id) != ADDRESS_FREE &&
                nodes_find_address(copy, &addr, &id_copy) == ADDRESS_FREE) {
                record_print(nodes, id, record);
                assert_int_equal(record_add(copy, nodes_get(nodes, id).pool, record, &id_copy), 0);
                assert_string_equal(record_print(copy, id_copy, again), record);
                assert_int_equal(record_add(copy, "x", record, &id_copy), -EEXIST);
            }
        }
    }
    for (int i = 0; i < NAMES; i++) {
        char name[16];

        id = nodes_find(copy, name_of(i, name));
        if (model->nodes[i].lives) {
            nodes_set_page(copy, id, (uint32_t)i);
        }
    }
    compare_addresses(copy, model);
    compare_names(copy, model);
    nodes_free(copy);
}

static void walks_like_the_model(void **state)
{
    (void)state;
    for (int walk = 0; walk < 20; walk++) {
        struct nodes *nodes = nodes_new();
        struct model model = {0};

        for (int64_t step = 1; step < 400; step++) {
            if (random_below(3)) {
                add_one(nodes, &model);
            } else {
                end_one(nodes, &model, step);
            }
            expire(nodes, &model, step);
            compare_first_free(nodes, &model);
            if (step % 7 == 0) {
                compare_addresses(nodes, &model);
                compare_names(nodes, &model);
            }
        }
        compare_copy(nodes, &model);
        nodes_free(nodes);
    }
}

static void refuses_what_is_no_record(void **state)
{
    static const char *const wrong[] = {
        "",
        "a",
        "a ",
        "a b -",
        "a 10.0.0.1",
        "a 10.0.0.1 x",
        "! 10.0.0.1",
        "!x 10.0.0.1",
        "!5 ",
        "!5 x",
        "a 10.0.0.1,10.0.0.2 -",
        "a 10.0.0.1 01:00:00:00:00:00",
        "a , -",
    };
    struct nodes *nodes = nodes_new();
    char *longest = malloc(2 * RECORD_TEXT);
    uint32_t id;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(record_add(nodes, "p", wrong[i], &id), -EINVAL);
    }
    memset(longest, 'a', 2 * RECORD_TEXT - 1);
    longest[2 * RECORD_TEXT - 1] = '\0';
    assert_int_equal(record_add(nodes, "p", longest, &id), -EINVAL);
    free(longest);
    assert_int_equal(nodes_count(nodes), 0);
    nodes_free(nodes);
}

static void reads_macs(void **state)
{
    uint8_t mac[MAC_BYTES];
    char text[MAC_TEXT];

    (void)state;
    assert_int_equal(mac_parse("02:00:5E:00:53:01", mac), 0);
    assert_string_equal(mac_print(mac, text), "02:00:5e:00:53:01");
    assert_int_equal(mac_parse("02-00-5e-00-53-01", mac), 0);
    assert_int_equal(mac_parse("02:00-5e:00:53:01", mac), -EINVAL);
    assert_int_equal(mac_parse("02:00:5e:00:53:0", mac), -EINVAL);
    assert_int_equal(mac_parse("02:00:5e:00:53:0g", mac), -EINVAL);
    assert_int_equal(mac_parse("ff:ff:ff:ff:ff:ff", mac), -EINVAL);
    assert_int_equal(mac_parse("00:00:00:00:00:00", mac), -EINVAL);
    assert_int_equal(mac_parse("020:0:5e:00:53:01", mac), -EINVAL);
}

/* --- cost ----------------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The next free address, taken by a node of that number. */
static void take_next(struct nodes *nodes, const struct addr_range *range, unsigned int number)
{
    struct node node = {.pool = "campus", .has_mac = true};
    char name[24];
    uint32_t id;

    snprintf(name, sizeof name, "node-%07u", number);
    node.name = name;
    node.mac[0] = 2;
    for (int i = 0; i < 4; i++) {
        node.mac[2 + i] = (uint8_t)(number >> (24 - 8 * i));
    }
    assert_true(
        nodes_first_free(nodes, range, 1, &node.addresses[range->first.family == AF_INET6]));
    assert_int_equal(nodes_add(nodes, &node, &id), 0);
}

static double seconds_for(struct nodes *nodes, const struct addr_range *range, unsigned int from,
                          unsigned int n)
{
    double start = now_s();

    for (unsigned int i = from; i < from + n; i++) {
        take_next(nodes, range, i);
    }
    return now_s() - start;
}

static void check_cost(const char *first, const char *last)
{
    const struct addr_range range = {address(first), address(last)};
    enum { MANY = 1000000, FEW = 20000 };
    struct nodes *nodes = nodes_new();
    double empty = seconds_for(nodes, &range, 0, FEW), full;

    seconds_for(nodes, &range, FEW, MANY - FEW);
    print_message("%s: %zu bytes a node\n", first, nodes_memory(nodes) / MANY);
    assert_true(nodes_memory(nodes) / MANY < 300);
    for (unsigned int i = 0; i < MANY; i += 50) { /* holes everywhere */
        char name[24];

        snprintf(name, sizeof name, "node-%07u", i);
        nodes_remove(nodes, nodes_find(nodes, name));
    }
    full = seconds_for(nodes, &range, MANY, FEW);
    print_message("%s: allocation %.0f ns when empty, %.0f ns with a million taken\n", first,
                  empty / FEW * 1e9, full / FEW * 1e9);
    assert_true(full < 20 * empty + 0.2); /* a scan would be thousands of times slower */
    nodes_free(nodes);
}

static void is_as_quick_with_a_million(void **state)
{
    (void)state;
    check_cost("10.0.0.1", "10.255.255.254");
    check_cost("2001:db8::1", "2001:db8::ffff:ffff:ffff:fffe");
}

static void fills_to_the_last_address(void **state)
{
    const struct addr_range whole[] = {{address("255.255.255.254"), address("255.255.255.255")},
                                       {address("0.0.0.0"), address("0.0.0.1")}};
    struct nodes *nodes = nodes_new();
    struct addr_range six = {address("ffff::fffe"),
                             address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")};
    struct addr addr;

    (void)state;
    take_next(nodes, &whole[0], 1);
    take_next(nodes, &whole[0], 2);
    assert_false(nodes_first_free(nodes, whole, 1, &addr));
    assert_true(nodes_first_free(nodes, whole, 2, &addr));
    assert_int_equal(addr.bytes[3], 0);
    take_next(nodes, &whole[1], 3);
    take_next(nodes, &whole[1], 4);
    assert_false(nodes_first_free(nodes, whole, 2, &addr));
    take_next(nodes, &six, 5);
    six.first = six.last;
    take_next(nodes, &six, 6);
    assert_false(nodes_first_free(nodes, &six, 1, &addr));
    nodes_free(nodes);
    nodes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_like_the_model),
        cmocka_unit_test(refuses_what_is_no_record),
        cmocka_unit_test(reads_macs),
        cmocka_unit_test(fills_to_the_last_address),
        cmocka_unit_test(is_as_quick_with_a_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
