/* ovs/: what is seen in Open vSwitch as states and reasons of segments. */
#include "ovs_fake.h"

#include "model/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct config *config;
    struct ids ids;
    struct ovs_fake fake;
    struct intended *intended;
    struct ovs_state *seen;
    struct status *status;
};

/* Segments a (one attachment) and b (two), carried out. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct plan *plan;

    f->config = ovs_fake_config();
    ids_init(&f->ids);
    ovs_fake_init(&f->fake);
    f->intended = ovs_fake_intended(f->config, &f->ids, "a=sinet:10 b=sinet:11+lab:7", NULL);
    plan = ovs_fake_plan(&f->fake, f->intended);
    ovs_fake_apply(&f->fake, plan);
    plan_free(plan);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    status_unref(f->status);
    ovs_state_free(f->seen);
    intended_unref(f->intended);
    ovs_fake_done(&f->fake);
    ids_done(&f->ids);
    config_free(f->config);
    free(f);
    return 0;
}

static const struct segment_status *look(struct fixture *f, const char *away, const char *deaf)
{
    ovs_state_free(f->seen);
    status_unref(f->status);
    f->seen = ovs_fake_look(&f->fake);
    f->status = status_new(f->intended);
    ovs_status(f->seen, away, deaf, f->status);
    return f->status->tenants[0].networks[0].segments;
}

static void expect(const struct segment_status *segment, enum object_state state,
                   const char *reason)
{
    assert_string_equal(object_state_name(segment->object.state), object_state_name(state));
    if (reason) {
        assert_string_equal(segment->object.reason, reason);
    }
}

static void test_facts(void **state)
{
    const struct segment_status *segments = look(*state, NULL, NULL);

    assert_string_equal(segments[0].interface, "rseg1");
    assert_string_equal(segments[0].bridge, "br-sinet");
    assert_string_equal(segments[1].interface, "rseg2");
    assert_string_equal(segments[1].bridge, "rbr2");
    expect(&segments[0], OBJECT_UP, NULL);
    expect(&segments[1], OBJECT_UP, NULL);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct ovs_port *port = ovs_fake_port(&f->fake, "rseg1");

    port->made = OVS_REFUSED;
    port->error = "could not add network device rseg1 to ofproto (File exists)";
    expect(&look(f, NULL, NULL)[0], OBJECT_ERROR,
           "OVS: could not add network device rseg1 to ofproto (File exists)");
    expect(&look(f, NULL, NULL)[1], OBJECT_UP, NULL);
}

static void test_missing(void **state)
{
    struct fixture *f = *state;

    ovs_fake_port(&f->fake, "rseg2")->name = "other";
    expect(&look(f, NULL, NULL)[1], OBJECT_PENDING, "port rseg2 is not in OVS yet");
}

static void test_uplinks(void **state)
{
    struct fixture *f = *state;
    struct ovs_port *port = ovs_fake_port(&f->fake, "ens5");

    port->link_down = true;
    expect(&look(f, NULL, NULL)[0], OBJECT_UP, NULL);
    expect(&look(f, NULL, NULL)[1], OBJECT_DOWN, "uplink lab: interface ens5 has no link");
    port->admin_down = true;
    expect(&look(f, NULL, NULL)[1], OBJECT_DOWN,
           "uplink lab: interface ens5 is switched off: ip link set ens5 up");
    port->made = OVS_REFUSED;
    port->error = "could not open network device ens5 (No such device)";
    expect(&look(f, NULL, NULL)[1], OBJECT_DOWN,
           "uplink lab: OVS: could not open network device ens5 (No such device)");
    port->bridge = "br-sinet";
    expect(&look(f, NULL, NULL)[1], OBJECT_DOWN,
           "uplink lab: interface ens5 is not on bridge br-lab but on br-sinet");
}

/* What is the facility's is told of in the backend's health, not in segments' states. */
static void test_advice(void **state)
{
    struct fixture *f = *state;
    struct tenant_parts kept = {0};
    struct ovs_state *want = ovs_want(f->intended, &kept);
    struct ovs_bridge *bridge = ovs_fake_bridge(&f->fake, "br-lab");
    struct ovs_port *port = ovs_fake_port(&f->fake, "ens5");

    port->link_mtu = 1500;
    look(f, NULL, NULL);
    assert_null(ovs_advice(f->seen->arena, want, f->seen));
    port->link_mtu = 1400;
    look(f, NULL, NULL);
    assert_string_equal(ovs_advice(f->seen->arena, want, f->seen),
                        "uplink interface ens5 has an MTU of 1400, but the configuration says "
                        "1500: ip link set ens5 mtu 1500");
    bridge->settings &= ~(unsigned int)OVS_NO_BPDU;
    look(f, NULL, NULL);
    assert_non_null(strstr(ovs_advice(f->seen->arena, want, f->seen), "MTU of 1400"));
    bridge->mark = bridge->local_mark = "";
    expect(&look(f, NULL, NULL)[1], OBJECT_UP, NULL);
    assert_string_equal(ovs_advice(f->seen->arena, want, f->seen),
                        "bridge br-lab is not routerd's and its other_config:forward-bpdu lets "
                        "STP, CDP or LLDP into uplink interface ens5: switch it off");
    ovs_state_free(want);
    ovs_want_forget(&kept);
}

static void test_tags_and_limits(void **state)
{
    struct fixture *f = *state;
    struct plan *plan;

    intended_unref(f->intended);
    f->intended = ovs_fake_intended(f->config, &f->ids, "a=sinet:10.5!50 b=sinet:11+lab:7", NULL);
    plan = ovs_fake_plan(&f->fake, f->intended);
    ovs_fake_apply(&f->fake, plan);
    plan_free(plan);
    expect(&look(f, NULL, NULL)[0], OBJECT_UP, NULL);
    f->fake.now->n_limits = 0;
    expect(&look(f, NULL, NULL)[0], OBJECT_PENDING,
           "broadcasts of VLAN 5 of uplink sinet are not limited yet");
    f->fake.now->vlan_limit = 1;
    expect(&look(f, NULL, NULL)[0], OBJECT_ERROR, OVS_LIMIT_REMEDY);
    f->fake.now->vlan_limit = OVS_LIMIT_UNSET;
    expect(&look(f, NULL, NULL)[0], OBJECT_PENDING, NULL);
    expect(&look(f, NULL, NULL)[1], OBJECT_UP, NULL);
}

static void test_away(void **state)
{
    struct fixture *f = *state;

    expect(&look(f, "ovs-vswitchd does not answer", NULL)[0], OBJECT_DOWN,
           "ovs-vswitchd does not answer");
    assert_string_equal(look(f, "ovs-vswitchd does not answer", NULL)[0].interface, "rseg1");
    expect(&look(f, NULL, "it is deaf")[1], OBJECT_DOWN, "it is deaf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uplinks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_advice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags_and_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_away, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
