#include "check.h"

#include "model/plan.h"

#include <string.h>

static void test_steps_are_copied_and_zeroed(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    char object[] = "genome/peer/aws";
    struct step *step = plan_add(plan, "bgp", PHASE_BGP_CREATE, STEP_UPDATE, "bio", object);
    object[0] = 'X';
    assert_string_equal(step->backend, "bgp");
    assert_string_equal(step->tenant, "bio");
    assert_string_equal(step->object, "genome/peer/aws");
    assert_int_equal(step->phase, PHASE_BGP_CREATE);
    assert_int_equal(step->action, STEP_UPDATE);
    assert_int_equal(step->result, STEP_TODO);
    assert_false(step->disruptive);
    assert_null(step->summary);
    assert_null(step->data);
    assert_null(step->reason);
    assert_ptr_equal(plan->steps[0], step);
    plan_free(plan);
    plan_free(NULL);
}

static void test_sort_is_by_phase_and_stable(void **state)
{
    (void)state;
    static char order[1000];
    struct plan *plan = plan_new();
    plan_sort(plan);
    for (size_t i = 0; i < 1000; i++) {
        struct step *step = plan_add(plan, "net", (enum plan_phase)((i * 7 + 3) % N_PHASES),
                                     STEP_CREATE, "bio", "genome");
        step->data = &order[i];
    }
    plan_sort(plan);
    assert_int_equal(plan->n_steps, 1000);
    for (size_t i = 1; i < 1000; i++) {
        const struct step *a = plan->steps[i - 1], *b = plan->steps[i];
        assert_true(a->phase < b->phase || (a->phase == b->phase && a->data < b->data));
    }
    plan_free(plan);
}

static void test_deletions_come_first_from_the_top(void **state)
{
    (void)state;
    static const enum plan_phase ORDER[] = {
        PHASE_DHCP_DELETE, PHASE_BGP_DELETE,   PHASE_IPSEC_DELETE, PHASE_NET_DELETE,
        PHASE_BGP_PURGE,   PHASE_OVS_DELETE,   PHASE_NFT,          PHASE_OVS_CREATE,
        PHASE_NET_CREATE,  PHASE_IPSEC_CREATE, PHASE_BFD_CREATE,   PHASE_BGP_CREATE,
        PHASE_BFD_DELETE,  PHASE_DHCP_CREATE};
    assert_int_equal(LENGTH(ORDER), N_PHASES);
    struct plan *plan = plan_new();
    for (size_t i = N_PHASES; i-- > 0;)
        plan_add(plan, "x", ORDER[i], STEP_CREATE, "bio", "genome");
    plan_sort(plan);
    for (size_t i = 0; i < N_PHASES; i++)
        assert_int_equal(plan->steps[i]->phase, ORDER[i]);
    plan_free(plan);
}

static void test_counts(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    plan_add(plan, "net", PHASE_NET_CREATE, STEP_CREATE, "bio", "a");
    plan_add(plan, "net", PHASE_NET_CREATE, STEP_CREATE, "bio", "b");
    plan_add(plan, "net", PHASE_NET_CREATE, STEP_UPDATE, "bio", "c")->disruptive = true;
    plan_add(plan, "net", PHASE_NET_DELETE, STEP_DELETE, "bio", "d")->disruptive = true;
    struct plan_counts counts = plan_count(plan);
    assert_int_equal(counts.create, 2);
    assert_int_equal(counts.update, 1);
    assert_int_equal(counts.delete, 1);
    assert_int_equal(counts.disruptive, 2);
    plan_free(plan);
}

static void test_told_interfaces(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    char name[] = "rseg1";
    assert_false(plan_remakes(plan, "rseg1"));
    plan_remake(plan, name);
    name[4] = '2';
    plan_remake(plan, name);
    assert_true(plan_remakes(plan, "rseg1"));
    assert_true(plan_remakes(plan, "rseg2"));
    assert_false(plan_remakes(plan, "rseg22"));
    assert_false(plan_withholds(plan, "rseg1"));
    plan_withhold(plan, "rseg1");
    assert_true(plan_withholds(plan, "rseg1"));
    plan_free(plan);
}

static void test_results(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    struct step *step = plan_add(plan, "net", PHASE_NET_CREATE, STEP_CREATE, "bio", "a");
    step_finish(plan, step, STEP_FAILED, "table %d is taken by %s", 1001, "vrf-x");
    assert_int_equal(step->result, STEP_FAILED);
    assert_string_equal(step->reason, "table 1001 is taken by vrf-x");
    step_finish(plan, step, STEP_DONE, NULL);
    assert_int_equal(step->result, STEP_DONE);
    assert_null(step->reason);
    assert_string_equal(step_action_name(STEP_CREATE), "create");
    assert_string_equal(step_action_name(STEP_UPDATE), "update");
    assert_string_equal(step_action_name(STEP_DELETE), "delete");
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_are_copied_and_zeroed),
        cmocka_unit_test(test_sort_is_by_phase_and_stable),
        cmocka_unit_test(test_deletions_come_first_from_the_top),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_told_interfaces),
        cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
