#include "check.h"
#include "model_make.h"

#include "model/ids.h"
#include "model/status.h"

#include <string.h>

static struct status *make_status(void)
{
    struct ids ids;
    ids_init(&ids);
    struct topology *bio = make_topology("genome s:campus s:dx t:sakura p:aws p:campus cells");
    bio->networks[0].peers[0].asn = 64512;
    addr_parse("169.254.10.2", &bio->networks[0].peers[0].address);
    ids_assign(&ids, "bio", bio);
    ids_done(&ids);
    struct intended *empty = intended_new(NULL);
    struct intended *one = intended_with(empty, "bio", 7, bio);
    struct intended *two = intended_with(one, "phys", 1, make_topology(""));
    struct status *status = status_new(two);
    intended_unref(empty);
    intended_unref(one);
    intended_unref(two);
    return status;
}

static void test_the_skeleton_mirrors_what_is_intended(void **state)
{
    (void)state;
    struct status *status = make_status();
    assert_int_equal(status->n_tenants, 2);
    const struct tenant_status *bio = status_find_tenant(status, "bio");
    assert_int_equal(bio->generation, 7);
    assert_int_equal(bio->n_networks, 2);
    const struct network_status *genome = tenant_status_find(bio, "genome");
    assert_string_equal(genome->object.name, "genome");
    assert_int_equal(genome->object.state, OBJECT_UP);
    assert_string_equal(genome->vrf, "rvrf1001");
    assert_int_equal(genome->table, 1001);
    assert_int_equal(genome->n_segments, 2);
    assert_string_equal(genome->segments[1].interface, "rseg2");
    assert_string_equal(genome->tunnels[0].interface, "rtun3");
    assert_int_equal(genome->tunnels[0].if_id, 3);
    assert_int_equal(genome->n_peers, 2);
    assert_int_equal(genome->peers[0].asn, 64512);
    assert_string_equal(genome->peers[0].bgp_state, "");
    assert_null(tenant_status_find(bio, "geno"));
    assert_null(tenant_status_find(bio, "genome2"));
    assert_null(status_find_tenant(status, "chem"));
    assert_int_equal(status_find_tenant(status, "phys")->n_networks, 0);
    status_unref(status);
}

static void test_objects_are_found_by_path(void **state)
{
    (void)state;
    struct status *status = make_status();
    struct network_status *genome = &status->tenants[0].networks[0];
    const struct {
        const char *path;
        const struct object_status *object;
    } CASES[] = {
        {"genome", &genome->object},
        {"genome/segment/campus", &genome->segments[0].object},
        {"genome/segment/dx", &genome->segments[1].object},
        {"genome/tunnel/sakura", &genome->tunnels[0].object},
        {"genome/peer/campus", &genome->peers[1].object},
        {"genome/route/10.0.0.0/8", &genome->object},
        {"genome/segment/gone", &genome->object},
        {"genome/segments/campus", &genome->object},
        {"genome/", &genome->object},
        {"cells", &status->tenants[0].networks[1].object},
        {"gen", NULL},
        {"genomes/segment/campus", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++)
        assert_ptr_equal(status_find(status, "bio", CASES[i].path), CASES[i].object);
    assert_null(status_find(status, "phys", "genome"));
    assert_null(status_find(status, "chem", "genome"));
    status_unref(status);
}

static void test_the_worst_vote_wins_and_of_equals_the_first(void **state)
{
    (void)state;
    struct status *status = make_status();
    struct object_status *object = status_find(status, "bio", "genome");
    status_vote(status, object, OBJECT_UP, "nothing");
    assert_null(object->reason);
    status_vote(status, object, OBJECT_DOWN, "charon does not answer on %s", "/run/x");
    status_vote(status, object, OBJECT_PENDING, "waiting");
    status_vote(status, object, OBJECT_DOWN, "second");
    assert_int_equal(object->state, OBJECT_DOWN);
    assert_string_equal(object->reason, "charon does not answer on /run/x");
    status_vote(status, object, OBJECT_ERROR, "refused");
    assert_string_equal(object->reason, "refused");
    status_unref(status);
}

static void test_state_names(void **state)
{
    (void)state;
    assert_string_equal(object_state_name(OBJECT_UP), "up");
    assert_string_equal(object_state_name(OBJECT_PENDING), "pending");
    assert_string_equal(object_state_name(OBJECT_REMOVING), "removing");
    assert_string_equal(object_state_name(OBJECT_DOWN), "down");
    assert_string_equal(object_state_name(OBJECT_ERROR), "error");
}

static void test_references_hold_the_intended_state(void **state)
{
    (void)state;
    struct status *status = make_status();
    assert_ptr_equal(status_ref(status), status);
    status_unref(status);
    assert_int_equal(status->refs, 1);
    assert_string_equal(status->intended->tenants[0].topology->networks[0].name, "genome");
    status_unref(status);
    status_unref(NULL);
}

static bool is_named(const struct intended_tenant *tenant, const void *name)
{
    return name && strcmp(tenant->name, name) == 0;
}

/* The next snapshot, and the reference to the last one is let go. */
static struct status *update(struct status *last, const struct intended *intended,
                             const char *fresh)
{
    struct status *status = status_update(last, intended, is_named, fresh);
    status_unref(last);
    return status;
}

static size_t count_to_fill(struct status *status)
{
    struct status_cursor cursor = {0};
    size_t n = 0;
    while (status_next(status, &cursor))
        n++;
    return n;
}

static void test_tenants_are_taken_over(void **state)
{
    (void)state;
    struct status *status = make_status();
    struct intended *intended = intended_ref(status->intended);
    assert_int_equal(count_to_fill(status), 2);
    status_vote(status, status_find(status, "bio", "cells"), OBJECT_DOWN, "link %s", "down");

    status = update(status, intended, "phys");
    status = update(status, intended, "phys"); /* from one that has it from another */
    assert_int_equal(count_to_fill(status), 0);
    assert_null(status_find_fresh(status, "bio", "cells"));
    const struct tenant_status *bio = status_find_tenant(status, "bio");
    assert_int_equal(bio->generation, 7);
    assert_string_equal(tenant_status_find(bio, "cells")->object.reason, "link down");

    status = update(status, intended, "bio");
    assert_int_equal(count_to_fill(status), 2);
    bio = status_find_tenant(status, "bio");
    assert_int_equal(tenant_status_find(bio, "cells")->object.state, OBJECT_UP);
    intended_unref(intended);
    status_unref(status);
}

static void test_what_has_changed_is_not_taken_over(void **state)
{
    (void)state;
    static const struct config config = {.router_name = "vr1"};
    struct status *status = make_status();
    struct intended *phys = intended_with(status->intended, "phys", 2, make_topology("lhc"));
    status = update(status, phys, NULL);
    assert_int_equal(count_to_fill(status), 1);
    assert_int_equal(status_find_tenant(status, "phys")->generation, 2);
    assert_non_null(status_find_fresh(status, "phys", "lhc"));
    struct intended *first = intended_with(phys, "a", 1, make_topology("x"));
    status = update(status, first, NULL); /* the others' places move */
    assert_int_equal(count_to_fill(status), 1);
    assert_string_equal(status->tenants[2].networks[0].object.name, "lhc");
    struct intended *other = intended_with_config(first, &config);
    status = update(status, other, NULL);
    assert_int_equal(count_to_fill(status), 4);
    intended_unref(phys);
    intended_unref(first);
    intended_unref(other);
    status_unref(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_skeleton_mirrors_what_is_intended),
        cmocka_unit_test(test_objects_are_found_by_path),
        cmocka_unit_test(test_the_worst_vote_wins_and_of_equals_the_first),
        cmocka_unit_test(test_state_names),
        cmocka_unit_test(test_references_hold_the_intended_state),
        cmocka_unit_test(test_tenants_are_taken_over),
        cmocka_unit_test(test_what_has_changed_is_not_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
