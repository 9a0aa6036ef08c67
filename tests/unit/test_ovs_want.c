/* ovs/: what is wanted, put together from the parts that are kept of each tenant, is what a fresh
 * making of all of it gives. */
#include "ovs_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct config *config, *other;
    struct ids ids;
    struct tenant_parts kept;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->config = ovs_fake_config();
    f->other = ovs_fake_config();
    f->other->router_name = "vr2";
    f->other->ovs_datapath = "netdev";
    f->other->uplinks[0].mtu = 1600;
    ids_init(&f->ids);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ovs_want_forget(&f->kept);
    ids_done(&f->ids);
    config_free(f->config);
    config_free(f->other);
    free(f);
    return 0;
}

static void expect_bridge(const struct ovs_bridge *a, const struct ovs_bridge *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->mark, b->mark);
    assert_string_equal(a->local_mark, b->local_mark);
    assert_string_equal(a->datapath, b->datapath);
    assert_int_equal(a->settings, b->settings);
    assert_int_equal(a->macs, b->macs);
    assert_int_equal(a->adopt, b->adopt);
}

static void expect_port(const struct ovs_port *a, const struct ovs_port *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->bridge, b->bridge);
    assert_string_equal(a->mark, b->mark);
    assert_string_equal(a->interface_mark, b->interface_mark);
    assert_string_equal(a->type, b->type);
    assert_string_equal(a->peer, b->peer);
    assert_string_equal(a->mac, b->mac);
    assert_int_equal(a->tag, b->tag);
    assert_int_equal(a->service, b->service);
    assert_int_equal(a->mtu, b->mtu);
    assert_int_equal(a->plain, b->plain);
    assert_int_equal(a->adopt, b->adopt);
}

static void expect_object(const struct ovs_object *a, const struct ovs_object *b)
{
    assert_string_equal(a->mark, b->mark);
    assert_string_equal(a->tenant, b->tenant);
    assert_string_equal(a->object, b->object);
    assert_int_equal(a->first_bridge, b->first_bridge);
    assert_int_equal(a->n_bridges, b->n_bridges);
    assert_int_equal(a->first_port, b->first_port);
    assert_int_equal(a->n_ports, b->n_ports);
}

static void expect_limit(const struct ovs_limit *a, const struct ovs_limit *b)
{
    assert_string_equal(a->chain, b->chain);
    assert_string_equal(a->key, b->key);
    assert_ptr_equal(a->interface, b->interface);
    assert_ptr_equal(a->attachment, b->attachment);
}

static void expect_same(const struct ovs_state *a, const struct ovs_state *b)
{
    assert_int_equal(a->n_bridges, b->n_bridges);
    assert_int_equal(a->n_ports, b->n_ports);
    assert_int_equal(a->n_objects, b->n_objects);
    assert_int_equal(a->n_limits, b->n_limits);
    assert_int_equal(a->vlan_limit, b->vlan_limit);
    for (size_t i = 0; i < a->n_bridges; i++) {
        expect_bridge(&a->bridges[i], &b->bridges[i]);
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        expect_port(&a->ports[i], &b->ports[i]);
    }
    for (size_t i = 0; i < a->n_objects; i++) {
        expect_object(&a->objects[i], &b->objects[i]);
    }
    for (size_t i = 0; i < a->n_limits; i++) {
        expect_limit(&a->limits[i], &b->limits[i]);
    }
}

static void expect_as_fresh(struct fixture *f, const struct intended *intended)
{
    struct tenant_parts none = {0};
    struct ovs_state *kept = ovs_want(intended, &f->kept);
    struct ovs_state *fresh = ovs_want(intended, &none);

    expect_same(kept, fresh);
    ovs_state_free(kept);
    ovs_state_free(fresh);
    ovs_want_forget(&none);
}

/* One tenant has other segments, or none. */
static struct intended *change_tenant(struct fixture *f, const struct intended *base,
                                      unsigned int *seed)
{
    static const char *const tenants[] = {"geo", "bio", "zoo"};
    unsigned int which = ovs_fake_roll(seed, 3);
    char *segments = ovs_fake_segments(seed, 2 + 1000 * which);
    bool gone = !segments[0] || ovs_fake_roll(seed, 4) == 0;
    struct intended *next = ovs_fake_with(base, &f->ids, tenants[which], gone ? NULL : segments);

    free(segments);
    return next;
}

static void test_kept_is_as_fresh(void **state)
{
    struct fixture *f = *state;
    struct intended *last = intended_new(f->config), *before = intended_ref(last);
    unsigned int seed = 1;

    for (unsigned int i = 0; i < 400; i++) {
        unsigned int what = ovs_fake_roll(&seed, 8);
        struct intended *next =
            what == 0 ? intended_ref(before)
            : what == 1
                ? intended_with_config(last, last->config == f->config ? f->other : f->config)
                : change_tenant(f, last, &seed);

        intended_unref(before);
        before = last;
        last = next;
        expect_as_fresh(f, last);
    }
    intended_unref(before);
    intended_unref(last);
}

/* The tenants that did not change are not made anew: their texts stay where they are. */
static void test_others_stay(void **state)
{
    struct fixture *f = *state;
    struct intended *before = ovs_fake_intended(f->config, &f->ids, "a=sinet:10", "b=sinet:2000");
    struct intended *after = ovs_fake_with(before, &f->ids, "bio", "a=sinet:11 c=lab:7");
    struct ovs_state *want = ovs_want(before, &f->kept);
    const char *mac = want->ports[2].mac;

    assert_string_equal(want->ports[2].name, "rseg2");
    ovs_state_free(want);
    want = ovs_want(after, &f->kept);
    assert_string_equal(want->ports[4].name, "rseg2");
    assert_ptr_equal(want->ports[4].mac, mac);
    ovs_state_free(want);
    intended_unref(before);
    intended_unref(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_is_as_fresh, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_stay, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
