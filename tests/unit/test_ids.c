#include "check.h"
#include "model_make.h"

#include "model/ids.h"

#include <stdio.h>
#include <string.h>

static struct ids ids;

static int setup(void **state)
{
    (void)state;
    ids_init(&ids);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ids_done(&ids);
    return 0;
}

/* Assigns and prints all numbers, as "genome=1 campus=1 sakura=2". */
static const char *assign(const char *tenant, const char *words)
{
    static char text[1024];
    struct topology *topology = make_topology(words);
    int len = 0;
    text[0] = '\0';
    ids_assign(&ids, tenant, topology);
    for (size_t i = 0; i < topology->n_networks; i++) {
        const struct network *network = &topology->networks[i];
        len += sprintf(text + len, " %s=%u", network->name, network->id);
        for (size_t k = 0; k < network->n_segments; k++)
            len +=
                sprintf(text + len, " %s=%u", network->segments[k].name, network->segments[k].id);
        for (size_t k = 0; k < network->n_tunnels; k++)
            len += sprintf(text + len, " %s=%u", network->tunnels[k].name, network->tunnels[k].id);
    }
    topology_free(topology);
    return text;
}

static void test_numbers_last_and_are_never_given_again(void **state)
{
    (void)state;
    assert_string_equal(assign("bio", "genome s:campus s:dx t:sakura"),
                        " genome=1 campus=1 dx=2 sakura=3");
    assert_string_equal(assign("bio", "genome s:campus s:dx t:sakura"),
                        " genome=1 campus=1 dx=2 sakura=3");
    assert_int_equal(ids.n, 4);
    /* Another order, one gone, one new. */
    assert_string_equal(assign("bio", "cells genome s:new s:campus t:sakura"),
                        " cells=2 genome=1 new=4 campus=1 sakura=3");
    /* What comes back is new. */
    assert_string_equal(assign("bio", "genome s:dx t:dx"), " genome=1 dx=5 dx=6");
    assert_int_equal(ids.n, 3);
    assert_string_equal(assign("bio", ""), "");
    assert_int_equal(ids.n, 0);
    assert_string_equal(assign("bio", "genome s:dx"), " genome=3 dx=7");
}

static void test_tenants_and_networks_are_apart(void **state)
{
    (void)state;
    assert_string_equal(assign("bio", "net s:x other s:x"), " net=1 x=1 other=2 x=2");
    assert_string_equal(assign("phys", "net s:x"), " net=3 x=3");
    assert_string_equal(assign("bio", ""), "");
    assert_int_equal(ids.n, 2);
    assert_string_equal(assign("phys", "net s:x"), " net=3 x=3");
}

static void test_what_the_store_remembers(void **state)
{
    (void)state;
    ids_add(&ids, ID_NETWORK, "bio", "genome", "", 5);
    ids_add(&ids, ID_SEGMENT, "bio", "genome", "campus", 12);
    ids_add(&ids, ID_TUNNEL, "bio", "genome", "campus", 9);
    ids_add(&ids, ID_NETWORK, "bio", "gone", "", 8);
    assert_string_equal(assign("bio", "genome s:campus t:campus s:new next"),
                        " genome=5 campus=12 new=13 campus=9 next=9");
}

static void test_clones_are_independent(void **state)
{
    (void)state;
    struct ids clone;
    assign("bio", "genome s:campus");
    assign("bio", "genome");
    ids_clone(&ids, &clone);
    assert_int_equal(clone.n, 1);
    assert_int_equal(clone.next_link, 2);
    assign("bio", "");
    assert_string_equal(clone.entries[0].network, "genome");
    ids_done(&clone);
    assert_int_equal(clone.n, 0);
}

static void test_many(void **state)
{
    (void)state;
    char words[8192];
    for (int round = 0; round < 3; round++) {
        int len = 0;
        for (int i = 0; i < 60; i++)
            len += sprintf(words + len, "n%d s:a%d s:b%d t:c%d ", (i * 7 + round) % 60, i, i, i);
        struct topology *topology = make_topology(words);
        ids_assign(&ids, "bio", topology);
        bool seen[1000] = {false};
        for (size_t i = 0; i < topology->n_networks; i++) {
            assert_in_range(topology->networks[i].id, 1, 60);
            assert_false(seen[topology->networks[i].id]);
            seen[topology->networks[i].id] = true;
        }
        topology_free(topology);
        assert_int_equal(ids.n, 240);
    }
}

static void test_names(void **state)
{
    (void)state;
    char name[IFNAME_TEXT];
    assert_string_equal(ids_vrf_name(1, name), "rvrf1001");
    assert_int_equal(ids_vrf_table(1), 1001);
    assert_string_equal(ids_segment_name(12, name), "rseg12");
    assert_string_equal(ids_tunnel_name(4294967295, name), "rtun4294967295");
    assert_string_equal(ids_bridge_name(7, name), "rbr7");
    for (uint32_t id = 1; id < 4000000000; id = id * 3 + 1) {
        assert_int_equal(ids_of_vrf(ids_vrf_name(id, name)), id);
        assert_int_equal(ids_of_segment(ids_segment_name(id, name)), id);
        assert_int_equal(ids_of_tunnel(ids_tunnel_name(id, name)), id);
        assert_int_equal(ids_of_bridge(ids_bridge_name(id, name)), id);
    }
}

static void test_names_of_others(void **state)
{
    (void)state;
    static const char *const SEGMENTS[] = {"",
                                           "rseg",
                                           "rseg0",
                                           "rseg01",
                                           "rseg-1",
                                           "rseg1x",
                                           "rsegx",
                                           "xrseg1",
                                           "rtun1",
                                           "rseg 1",
                                           "rseg1 ",
                                           "rseg+1",
                                           "rseg4294967296",
                                           "rseg99999999999999999999"};
    for (size_t i = 0; i < LENGTH(SEGMENTS); i++)
        assert_int_equal(ids_of_segment(SEGMENTS[i]), 0);
    assert_int_equal(ids_of_vrf("rvrf1000"), 0);
    assert_int_equal(ids_of_vrf("rvrf1"), 0);
    assert_int_equal(ids_of_vrf("rvrf1001"), 1);
    assert_int_equal(ids_of_bridge("rbr"), 0);
    assert_int_equal(ids_of_tunnel("rtun0"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers_last_and_are_never_given_again),
        TEST(test_tenants_and_networks_are_apart),
        TEST(test_what_the_store_remembers),
        TEST(test_clones_are_independent),
        TEST(test_many),
        TEST(test_names),
        TEST(test_names_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
