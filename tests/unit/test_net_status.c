/* net/: what the votes say of a kernel in memory, and what a refused operation means for its step.
 */
#include "net_fake.h"

#include "net/net_egress.h"
#include "net/net_io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NETWORK                                                                                    \
    "- name: n\n"                                                                                  \
    "  segments:\n"                                                                                \
    "  - {name: s, attachments: [{uplink: sinet, vlan: 5}], gateway: [\"2001:db8::1/64\"]}\n"      \
    "  tunnels:\n"                                                                                 \
    "  - {name: t, profile: generic, uplink: wan, remote: 203.0.113.2, auth: {psk: {secret: s}}, " \
    "inside: [169.254.20.1/30]}\n"                                                                 \
    "  routes:\n"                                                                                  \
    "  - {prefix: 10.8.0.0/16, via: 169.254.20.2}\n"

struct fixture {
    struct ids ids;
    struct net_fake fake;
    struct intended *intended;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    ids_init(&f->ids);
    net_fake_init(&f->fake);
    f->intended = net_fake_intended(&f->ids, NETWORK, NULL);
    net_fake_pass(&f->fake, f->intended);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    intended_unref(f->intended);
    net_fake_done(&f->fake);
    ids_done(&f->ids);
    free(f);
    return 0;
}

static void expect_object(const struct object_status *object, enum object_state state,
                          const char *reason)
{
    assert_string_equal(object->reason ? object->reason : "", reason ? reason : "");
    assert_int_equal(object->state, state);
}

/* Null reasons: up. */
static void expect_votes(struct fixture *f, const char *network, const char *segment,
                         const char *tunnel)
{
    struct status *status = status_new(f->intended);
    const struct network_status *seen = &status->tenants[0].networks[0];

    net_status(&f->fake.now, NULL, status);
    expect_object(&seen->object, network ? OBJECT_DOWN : OBJECT_UP, network);
    expect_object(&seen->segments[0].object, segment ? OBJECT_DOWN : OBJECT_UP, segment);
    expect_object(&seen->tunnels[0].object, tunnel ? OBJECT_DOWN : OBJECT_UP, tunnel);
    status_unref(status);
}

static struct net_link *find(struct fixture *f, const char *name)
{
    struct net_link *link = net_state_find(&f->fake.now, name);

    assert_non_null(link);
    return link;
}

static void test_facts(void **state)
{
    struct fixture *f = *state;
    struct status *status = status_new(f->intended);
    const struct network_status *seen = &status->tenants[0].networks[0];

    net_status(&f->fake.now, NULL, status);
    assert_string_equal(seen->vrf, "rvrf1001");
    assert_int_equal(seen->table, 1001);
    assert_string_equal(seen->segments[0].interface, "rseg1");
    assert_string_equal(seen->tunnels[0].interface, "rtun2");
    assert_int_equal(seen->tunnels[0].if_id, 2);
    status_unref(status);
    expect_votes(f, NULL, NULL, NULL);
}

static void test_links(void **state)
{
    struct fixture *f = *state;

    find(f, "rseg1")->running = false;
    find(f, "rtun2")->up = false;
    expect_votes(f, NULL, "interface rseg1 has no carrier", "interface rtun2 is set down");
    find(f, "rtun2")->master_index = 0;
    expect_votes(f, NULL, "interface rseg1 has no carrier",
                 "interface rtun2 is not in VRF rvrf1001");
    strcpy(find(f, "rseg1")->alias, "mine");
    expect_votes(f, NULL, "interface rseg1 is not routerd's",
                 "interface rtun2 is not in VRF rvrf1001");
    find(f, "rvrf1001")->up = false;
    net_state_drop_link(&f->fake.now, find(f, "rseg1")->index);
    expect_votes(f, "VRF rvrf1001 is set down", "interface rseg1 is not there",
                 "interface rtun2 is not in VRF rvrf1001");
}

static void test_addresses(void **state)
{
    struct fixture *f = *state;
    struct net_link *port = find(f, "rseg1");
    struct status *status = status_new(f->intended);

    port->addrs[0].tentative = true;
    net_status(&f->fake.now, NULL, status);
    expect_object(
        &status->tenants[0].networks[0].segments[0].object, OBJECT_PENDING,
        "address 2001:db8::1/64 on interface rseg1 is still being checked for duplicates");
    status_unref(status);
    port->addrs[0].duplicate = true;
    expect_votes(f, NULL, "address 2001:db8::1/64 on interface rseg1 is used by another host, too",
                 NULL);
    port->n_addrs = 0;
    expect_votes(f, NULL, "address 2001:db8::1/64 is not on interface rseg1", NULL);
}

static void test_route(void **state)
{
    struct fixture *f = *state;
    struct status *status = status_new(f->intended);

    net_state_drop_routes_of(&f->fake.now, AF_INET, find(f, "rtun2")->index);
    net_status(&f->fake.now, NULL, status);
    expect_object(&status->tenants[0].networks[0].object, OBJECT_PENDING,
                  "route 10.8.0.0/16 is not in table 1001");
    status_unref(status);
}

static void test_away(void **state)
{
    struct fixture *f = *state;
    struct status *status = status_new(f->intended);

    net_status(NULL, "no netlink", status);
    expect_object(&status->tenants[0].networks[0].object, OBJECT_DOWN, "no netlink");
    expect_object(&status->tenants[0].networks[0].tunnels[0].object, OBJECT_DOWN, "no netlink");
    assert_string_equal(status->tenants[0].networks[0].vrf, "rvrf1001");
    status_unref(status);
}

/* The way out as it is seen, and what it lacks. */
static void test_egress(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(
        &f->ids,
        "- name: n\n"
        "  segments:\n"
        "  - {name: s, attachments: [{uplink: sinet, vlan: 5}], gateway: [10.1.0.1/24]}\n"
        "  egress: {uplink: wan}\n",
        NULL);
    struct net_link *wan = net_fake_add_uplink(&f->fake);
    char text[ADDR_TEXT];

    net_fake_pass(&f->fake, intended);
    struct status *status = status_new(intended);
    const struct network_status *network = &status->tenants[0].networks[0];
    const struct egress_status *egress = network->egress;

    net_status(&f->fake.now, NULL, status);
    expect_object(&egress->object, OBJECT_UP, NULL);
    assert_string_equal(egress->object.name, "wan");
    assert_string_equal(egress->interface, "wan0");
    assert_string_equal(addr_print(&egress->addresses[0], text), "203.0.113.1");
    assert_string_equal(addr_print(&egress->gateways[0], text), "203.0.113.254");
    assert_null(egress->object.note);
    status_unref(status);

    net_state_drop_gateways(&f->fake.now, wan->index);
    status = status_new(intended);
    net_status(&f->fake.now, NULL, status);
    expect_object(&status->tenants[0].networks[0].egress->object, OBJECT_UP, NULL);
    assert_non_null(strstr(status->tenants[0].networks[0].egress->object.note,
                           "uplink wan has no default route of IPv4, so only its own subnets"));
    status_unref(status);

    wan->running = false;
    status = status_new(intended);
    net_status(&f->fake.now, NULL, status);
    network = &status->tenants[0].networks[0];
    expect_object(&network->egress->object, OBJECT_DOWN, "interface wan0 of uplink wan is down");
    expect_object(&network->object, OBJECT_DOWN, "egress: interface wan0 of uplink wan is down");
    status_unref(status);
    intended_unref(intended);
}

static void expect_meaning(const struct net_op *op, int error, const char *detail,
                           enum step_result result, const char *expected)
{
    struct arena *arena = arena_new();
    const char *reason;

    assert_int_equal(net_explain(op, error, detail, arena, &reason), result);
    assert_string_equal(reason, expected);
    arena_free(arena);
}

static void test_refusals(void **state)
{
    struct net_link vrf = {.type = "vrf", .table = 1001}, tunnel = {.type = "xfrm", .if_id = 2};
    struct net_route route = {.table = 1001, .dev = "rtun2", .metric = 10};
    (void)state;

    assert_int_equal(prefix_parse("10.8.0.0/16", &route.prefix), 0);
    assert_int_equal(addr_parse("169.254.20.2", &route.via), 0);
    struct net_op op = {.kind = NET_OP_LINK_CREATE, .link = "rvrf1001", .wanted = &vrf};
    expect_meaning(&op, EOPNOTSUPP, "Unknown device type", STEP_FAILED,
                   "this kernel has no VRF support: modprobe vrf");
    op = (struct net_op){.kind = NET_OP_LINK_CREATE, .link = "rtun2", .wanted = &tunnel};
    expect_meaning(&op, EOPNOTSUPP, NULL, STEP_FAILED,
                   "this kernel has no xfrm interfaces: modprobe xfrm_interface");
    op = (struct net_op){.kind = NET_OP_MTU, .link = "rtun2", .number = 70000};
    expect_meaning(&op, EINVAL, "mtu greater than device maximum", STEP_FAILED,
                   "cannot set mtu 70000 on rtun2: Invalid argument (mtu greater than device "
                   "maximum)");
    expect_meaning(&op, ENODEV, NULL, STEP_NOT_READY,
                   "cannot set mtu 70000 on rtun2: the interface has gone");
    expect_meaning(&op, EPERM, NULL, STEP_FAILED,
                   "cannot set mtu 70000 on rtun2: not permitted; routerd needs CAP_NET_ADMIN");
    op = (struct net_op){.kind = NET_OP_ROUTE_ADD, .route = &route};
    expect_meaning(&op, ENETDOWN, NULL, STEP_NOT_READY,
                   "next hop 169.254.20.2 cannot be reached: interface rtun2 is not up");
    expect_meaning(&op, EEXIST, NULL, STEP_FAILED,
                   "another route to 10.8.0.0/16 with metric 10 is in table 1001 and not "
                   "routerd's: delete it");
    assert_true(net_is_harmless(&(struct net_op){.kind = NET_OP_LINK_DELETE}, ENODEV));
    assert_false(net_is_harmless(&(struct net_op){.kind = NET_OP_LINK_DELETE}, EPERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_route, setup, teardown),
        cmocka_unit_test_setup_teardown(test_away, setup, teardown),
        cmocka_unit_test_setup_teardown(test_egress, setup, teardown),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
