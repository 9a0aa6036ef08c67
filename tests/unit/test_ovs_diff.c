/* ovs/: from intended states to bridges, ports and steps, on an Open vSwitch in memory. */
#include "ovs_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct config *config;
    struct ids ids;
    struct ovs_fake fake;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->config = ovs_fake_config();
    ids_init(&f->ids);
    ovs_fake_init(&f->fake);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ovs_fake_done(&f->fake);
    ids_done(&f->ids);
    config_free(f->config);
    free(f);
    return 0;
}

/* Each step as "action object[!]: summary", one a line; malloc()ed. */
static char *plan_text(const struct plan *plan)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        const struct ovs_work *work = step->data;

        fprintf(out, "%s %s%s%s%s: %s\n", step_action_name(step->action), step->tenant,
                step->tenant[0] ? "/" : "", step->object, step->disruptive ? "!" : "",
                work->blocked ? work->blocked : step->summary);
    }
    fclose(out);
    return text;
}

/* Plans for the segments, compares the plan with the text, carries it out, and then finds nothing
 * left to do but what was blocked. */
static void expect_plan(struct fixture *f, const char *bio, const char *geo, const char *expected)
{
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, bio, geo);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);
    char *text = plan_text(plan);
    size_t blocked;

    assert_string_equal(text, expected);
    blocked = ovs_fake_apply(&f->fake, plan);
    free(text);
    plan_free(plan);
    plan = ovs_fake_plan(&f->fake, intended);
    text = plan_text(plan);
    if (plan->n_steps != blocked) {
        fail_msg("left to do: %s", text);
    }
    free(text);
    plan_free(plan);
    intended_unref(intended);
}

static void expect_state(struct fixture *f, const char *expected)
{
    char *text = ovs_fake_text(&f->fake);

    assert_string_equal(text, expected);
    free(text);
}

#define SETTINGS "settings=31 macs=65536"

static void test_single(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "campus=sinet:1001", NULL,
                "create uplink/sinet: bridge br-sinet with interface ens4 on br-sinet, all VLANs, "
                "mtu 9000\n"
                "create bio/net/segment/campus: port rseg1 on br-sinet, VLAN 1001, mtu 9000\n");
    expect_state(f, "bridge br-sinet mark=uplink/sinet/uplink/sinet datapath=system " SETTINGS "\n"
                    "port ens4 on=br-sinet mark=uplink/sinet/uplink/sinet type= peer= tag=-1 "
                    "mtu=9000 mac=\n"
                    "port rseg1 on=br-sinet mark=bio/net/segment/campus/bio/net/segment/campus "
                    "type=internal peer= tag=1001 mtu=9000 mac=02:40:76:eb:34:d5\n");
}

static void test_several(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "x=sinet:1001+lab:7", NULL,
                "create uplink/sinet: bridge br-sinet with interface ens4 on br-sinet, all VLANs, "
                "mtu 9000\n"
                "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
                "1500\n"
                "create bio/net/segment/x: bridge rbr1, joined to br-sinet VLAN 1001, joined to "
                "br-lab VLAN 7, port rseg1 on rbr1, untagged, mtu 1500\n");
    assert_string_equal(ovs_fake_port(&f->fake, "sinet-1001-rbr1")->peer, "rbr1-sinet-1001");
    assert_string_equal(ovs_fake_port(&f->fake, "rbr1-sinet-1001")->peer, "sinet-1001-rbr1");
    assert_string_equal(ovs_fake_port(&f->fake, "rbr1-sinet-1001")->bridge, "rbr1");
    assert_int_equal(ovs_fake_port(&f->fake, "sinet-1001-rbr1")->tag, 1001);
    assert_int_equal(ovs_fake_port(&f->fake, "rbr1-lab-7")->tag, OVS_NO_TAG);
}

static void test_one_to_several_and_back(void **state)
{
    struct fixture *f = *state;
    struct intended *once = ovs_fake_intended(f->config, &f->ids, "x=sinet:1001 y=lab:9", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, once);
    char *before, *after;

    ovs_fake_apply(&f->fake, plan);
    before = ovs_fake_text(&f->fake);
    expect_plan(f, "x=sinet:1001+lab:7 y=lab:9", NULL,
                "update bio/net/segment/x!: bridge rbr1, joined to br-sinet VLAN 1001, joined to "
                "br-lab VLAN 7; rseg1: bridge br-sinet -> rbr1, VLAN 1001 -> untagged, mtu 9000 -> "
                "1500\n");
    expect_plan(f, "x=sinet:1001 y=lab:9", NULL,
                "update bio/net/segment/x!: rseg1: bridge rbr1 -> br-sinet, untagged -> VLAN 1001, "
                "mtu 1500 -> 9000; without port lab-7-rbr1 on br-lab; without port sinet-1001-rbr1 "
                "on br-sinet; without bridge rbr1\n");
    after = ovs_fake_text(&f->fake);
    assert_string_equal(after, before);
    free(before);
    free(after);
    plan_free(plan);
    intended_unref(once);
}

/* What comes to another bridge is another interface of that name, which others have to know. */
static void test_moved_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct intended *before = ovs_fake_intended(f->config, &f->ids, "x=sinet:1001 y=lab:9", NULL);
    struct intended *after = ovs_fake_intended(f->config, &f->ids, "x=lab:7 y=lab:10", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, before);

    assert_int_equal(plan->remade.n, 0); /* new ones are no others */
    ovs_fake_apply(&f->fake, plan);
    plan_free(plan);
    plan = ovs_fake_plan(&f->fake, after);
    assert_true(plan_remakes(plan, "rseg1"));
    assert_int_equal(plan->remade.n, 1);
    plan_free(plan);
    intended_unref(before);
    intended_unref(after);
}

static void test_attachments_change_in_place(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "x=sinet:1001 z=lab:1", NULL,
                "create uplink/sinet: bridge br-sinet with interface ens4 on br-sinet, all VLANs, "
                "mtu 9000\n"
                "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
                "1500\n"
                "create bio/net/segment/x: port rseg1 on br-sinet, VLAN 1001, mtu 9000\n"
                "create bio/net/segment/z: port rseg2 on br-lab, VLAN 1, mtu 1500\n");
    expect_plan(f, "x=sinet:1003 z=lab:1", NULL,
                "update bio/net/segment/x!: rseg1: VLAN 1001 -> VLAN 1003\n");
    expect_plan(f, "x=sinet:1003+sinet:4 z=lab:1", NULL,
                "update bio/net/segment/x!: bridge rbr1, joined to br-sinet VLAN 1003, joined to "
                "br-sinet VLAN 4; rseg1: bridge br-sinet -> rbr1, VLAN 1003 -> untagged\n");
    expect_plan(f, "x=sinet:4+lab:8+sinet:1003 z=lab:1", NULL,
                "update bio/net/segment/x: joined to br-lab VLAN 8; rseg1: mtu 9000 -> 1500\n");
    expect_plan(f, "x=lab:8+sinet:1003 z=lab:1", NULL,
                "update bio/net/segment/x!: without port sinet-4-rbr1 on br-sinet\n");
}

static void test_removal(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "a=sinet:10", "b=sinet:11+lab:11",
                "create uplink/sinet: bridge br-sinet with interface ens4 on br-sinet, all VLANs, "
                "mtu 9000\n"
                "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
                "1500\n"
                "create bio/net/segment/a: port rseg1 on br-sinet, VLAN 10, mtu 9000\n"
                "create geo/net/segment/b: bridge rbr2, joined to br-sinet VLAN 11, joined to "
                "br-lab VLAN 11, port rseg2 on rbr2, untagged, mtu 1500\n");
    expect_plan(f, "a=sinet:10", NULL,
                "delete geo/net/segment/b!: port lab-11-rbr2 on br-lab; port rseg2 on rbr2; port "
                "sinet-11-rbr2 on br-sinet; bridge rbr2\n"
                "delete uplink/lab!: port ens5 on br-lab; bridge br-lab\n");
    expect_plan(f, NULL, NULL,
                "delete bio/net/segment/a!: port rseg1 on br-sinet\n"
                "delete uplink/sinet!: port ens4 on br-sinet; bridge br-sinet\n");
    expect_state(f, "");
}

/* A name that comes back has a new number, so old and new are never taken for each other. */
static void test_delete_before_create(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=sinet:10", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);

    ovs_fake_apply(&f->fake, plan);
    expect_plan(f, "b=sinet:10", NULL,
                "delete bio/net/segment/a!: port rseg1 on br-sinet\n"
                "create bio/net/segment/b: port rseg2 on br-sinet, VLAN 10, mtu 9000\n");
    plan_free(plan);
    intended_unref(intended);
}

static void test_facilitys_own(void **state)
{
    struct fixture *f = *state;
    struct ovs_bridge *bridge = ovs_state_add_bridge(f->fake.now, "br-sinet");
    struct ovs_port *port = ovs_state_add_port(f->fake.now, "ens4");

    bridge->datapath = "system";
    port->bridge = "br-sinet";
    port->lldp = true;
    expect_plan(f, "a=sinet:10", NULL,
                "create bio/net/segment/a: port rseg1 on br-sinet, VLAN 10, mtu 9000\n");
    expect_plan(f, NULL, NULL, "delete bio/net/segment/a!: port rseg1 on br-sinet\n");
    expect_state(f, "bridge br-sinet mark=/ datapath=system settings=0 macs=0\n"
                    "port ens4 on=br-sinet mark=/ type= peer= tag=-1 mtu=0 mac= lldp\n");
}

static void test_facilitys_bridge_our_port(void **state)
{
    struct fixture *f = *state;

    ovs_state_add_bridge(f->fake.now, "br-sinet")->datapath = "system";
    expect_plan(f, "a=sinet:10", NULL,
                "create uplink/sinet: interface ens4 on br-sinet, all VLANs, mtu 9000\n"
                "create bio/net/segment/a: port rseg1 on br-sinet, VLAN 10, mtu 9000\n");
    expect_plan(f, NULL, NULL,
                "delete bio/net/segment/a!: port rseg1 on br-sinet\n"
                "delete uplink/sinet!: port ens4 on br-sinet\n");
    expect_state(f, "bridge br-sinet mark=/ datapath=system settings=0 macs=0\n");
}

static void test_foreign_in_the_way(void **state)
{
    struct fixture *f = *state;

    ovs_state_add_bridge(f->fake.now, "br0");
    ovs_state_add_bridge(f->fake.now, "rbr2");
    ovs_state_add_port(f->fake.now, "ens4")->bridge = "br0";
    ovs_state_add_port(f->fake.now, "rseg1")->bridge = "br0";
    expect_plan(
        f, "a=lab:10 b=lab:11+lab:12", "c=lab:13",
        "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
        "1500\n"
        "create bio/net/segment/a: port rseg1 is on bridge br0 and not routerd's: remove it "
        "from there\n"
        "create bio/net/segment/b: bridge rbr2 exists and is not routerd's: remove or rename "
        "it\n"
        "create geo/net/segment/c: port rseg3 on br-lab, VLAN 13, mtu 1500\n");
    expect_plan(f, NULL, "c=lab:13 d=sinet:1",
                "create uplink/sinet: interface ens4 is on bridge br0 and not routerd's: remove it "
                "from there\n"
                "create geo/net/segment/d: port rseg4 on br-sinet, VLAN 1, mtu 9000\n");
}

/* Those that work on its interface cannot see whose the port is. */
static void test_foreign_port_is_withheld(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=lab:10 b=lab:11", NULL);
    struct plan *plan;

    ovs_state_add_bridge(f->fake.now, "br0");
    ovs_state_add_port(f->fake.now, "rseg1")->bridge = "br0";
    plan = ovs_fake_plan(&f->fake, intended);
    assert_true(plan_withholds(plan, "rseg1"));
    assert_false(plan_withholds(plan, "rseg2"));
    plan_free(plan);
    intended_unref(intended);
}

/* Somebody's port on our bridge keeps the bridge, for as long as it is there. */
static void test_guest_on_our_bridge(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=sinet:10", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);

    ovs_fake_apply(&f->fake, plan);
    ovs_state_add_port(f->fake.now, "tap7")->bridge = "br-sinet";
    expect_plan(f, NULL, NULL,
                "delete bio/net/segment/a!: port rseg1 on br-sinet\n"
                "delete uplink/sinet!: port ens4 on br-sinet\n");
    assert_non_null(ovs_fake_port(&f->fake, "tap7"));
    assert_non_null(ovs_fake_bridge(&f->fake, "br-sinet"));
    f->fake.now->n_ports--;
    expect_plan(f, NULL, NULL, "delete uplink/sinet: bridge br-sinet\n");
    plan_free(plan);
    intended_unref(intended);
}

static void test_repair(void **state)
{
    struct fixture *f = *state;
    const char *segments = "a=sinet:10 b=sinet:11+sinet:12";
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, segments, NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);
    struct ovs_port *port;

    ovs_fake_apply(&f->fake, plan);
    port = ovs_fake_port(&f->fake, "rseg1");
    port->tag = 999;
    port->mtu = 0;
    port->mark = "";
    port->mac = "02:00:00:00:00:01";
    port->plain = false;
    port = ovs_fake_port(&f->fake, "rseg2");
    port->type = "";
    port->interface_mark = "geo/net/segment/z";
    ovs_fake_port(&f->fake, "rbr2-sinet-12")->peer = "elsewhere";
    port = ovs_fake_port(&f->fake, "ens4");
    port->lldp = true;
    port->tag = 7;
    ovs_fake_bridge(&f->fake, "rbr2")->mark = "x/y/segment/z";
    ovs_fake_bridge(&f->fake, "br-sinet")->settings &= ~(unsigned int)(OVS_NO_STP | OVS_NO_BPDU);
    ovs_fake_bridge(&f->fake, "br-sinet")->datapath = "netdev";
    expect_plan(
        f, segments, NULL,
        "update uplink/sinet!: bridge br-sinet: datapath_type netdev -> system; bridge "
        "br-sinet: put right stp_enable, forward-bpdu; ens4: VLAN 7 -> untagged, LLDP on -> "
        "off\n"
        "update bio/net/segment/a!: rseg1: VLAN 999 -> VLAN 10, mac \"02:00:00:00:00:01\" -> "
        "\"02:5d:83:bd:14:d1\", put right interfaces, trunks "
        "and vlan_mode, mtu unset -> 9000, mark \"\" -> \"bio/net/segment/a\"\n"
        "update bio/net/segment/b!: bridge rbr2: mark \"x/y/segment/z\" -> \"bio/net/segment/b\"; "
        "rbr2-sinet-12: peer \"elsewhere\" -> \"sinet-12-rbr2\"; rseg2: type \"\" -> "
        "\"internal\", mark \"geo/net/segment/z\" -> \"bio/net/segment/b\"\n");
    plan_free(plan);
    intended_unref(intended);
}

static void test_mtu_is_not_disruptive(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=sinet:10", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);

    ovs_fake_apply(&f->fake, plan);
    ovs_fake_port(&f->fake, "rseg1")->mtu = 1500;
    expect_plan(f, "a=sinet:10", NULL, "update bio/net/segment/a: rseg1: mtu 1500 -> 9000\n");
    plan_free(plan);
    intended_unref(intended);
}

enum { MAC_TEXT = 18 };

/* The address that a port is to have. */
static void wanted_mac(const struct intended *intended, const char *port, char mac[MAC_TEXT])
{
    struct tenant_parts kept = {0};
    struct ovs_state *want = ovs_want(intended, &kept);

    ovs_state_index(want);
    snprintf(mac, MAC_TEXT, "%s", ovs_state_port(want, port)->mac);
    ovs_state_free(want);
    ovs_want_forget(&kept);
}

/* The gateway's address on the wire outlives the port; two routers on one VLAN have two. */
static void test_mac_is_stable(void **state)
{
    struct fixture *f = *state;
    struct intended *intended =
        ovs_fake_intended(f->config, &f->ids, "a=sinet:10 b=sinet:11", NULL);
    struct intended *other = ovs_fake_intended(f->config, &f->ids, "b=lab:11+lab:12 a=lab:9", NULL);
    char macs[4][MAC_TEXT];

    wanted_mac(intended, "rseg1", macs[0]);
    wanted_mac(intended, "rseg2", macs[1]);
    wanted_mac(other, "rseg1", macs[2]);
    f->config->router_name = "vr2";
    wanted_mac(other, "rseg1", macs[3]);
    assert_memory_equal(macs[0], "02:", 3);
    assert_string_not_equal(macs[0], macs[1]);
    assert_string_equal(macs[0], macs[2]);
    assert_string_not_equal(macs[0], macs[3]);
    intended_unref(other);
    intended_unref(intended);
}

static void test_outer_vlan(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "a=sinet:1001.5 b=sinet:1001.6", "c=sinet:2000.5q",
                "create uplink/vlan-limit: look at two VLAN tags\n"
                "create uplink/sinet: bridge br-sinet with interface ens4 on br-sinet, all VLANs, "
                "mtu 9000\n"
                "create uplink/sinet/1001: bridge rq1001-c027b064, joined to br-sinet 802.1ad VLAN "
                "1001\n"
                "create uplink/sinet/2000: bridge rq2000-c027b064, joined to br-sinet outer VLAN "
                "2000\n"
                "create bio/net/segment/a: port rseg1 on rq1001-c027b064, VLAN 5, mtu 8996\n"
                "create bio/net/segment/b: port rseg2 on rq1001-c027b064, VLAN 6, mtu 8996\n"
                "create geo/net/segment/c: port rseg3 on rq2000-c027b064, VLAN 5, mtu 8996\n");
    assert_int_equal(ovs_fake_port(&f->fake, "sinet-1001-rq1001-c027b064")->service,
                     OVS_SERVICE_8021AD);
    assert_int_equal(ovs_fake_port(&f->fake, "sinet-2000-rq2000-c027b064")->service,
                     OVS_SERVICE_8021Q);
    assert_int_equal(ovs_fake_port(&f->fake, "rq1001-c027b064-sinet-1001")->tag, OVS_NO_TAG);
    /* Another type is another tag: what is inside is interrupted. */
    expect_plan(f, "a=sinet:1001.5q b=sinet:1001.6q+lab:7", NULL,
                "delete geo/net/segment/c!: port rseg3 on rq2000-c027b064\n"
                "delete uplink/sinet/2000!: port sinet-2000-rq2000-c027b064 on br-sinet; bridge "
                "rq2000-c027b064\n"
                "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
                "1500\n"
                "update uplink/sinet/1001!: sinet-1001-rq1001-c027b064: 802.1ad VLAN 1001 -> outer "
                "VLAN 1001\n"
                "update bio/net/segment/b!: bridge rbr2, joined to rq1001-c027b064 VLAN 6, joined "
                "to br-lab VLAN 7; rseg2: bridge rq1001-c027b064 -> rbr2, VLAN 6 -> untagged, mtu "
                "8996 -> 1500\n");
    expect_plan(f, NULL, NULL,
                "delete uplink/vlan-limit: look at one VLAN tag again\n"
                "delete bio/net/segment/a!: port rseg1 on rq1001-c027b064\n"
                "delete bio/net/segment/b!: port lab-7-rbr2 on br-lab; port rseg2 on rbr2; port "
                "sinet-1001.6-rbr2 on rq1001-c027b064; bridge rbr2\n"
                "delete uplink/lab!: port ens5 on br-lab; bridge br-lab\n"
                "delete uplink/sinet!: port ens4 on br-sinet; bridge br-sinet\n"
                "delete uplink/sinet/1001!: port sinet-1001-rq1001-c027b064 on br-sinet; bridge "
                "rq1001-c027b064\n");
    expect_state(f, "");
}

/* How many tags are looked at is for all of Open vSwitch: what somebody has said about it stays. */
static void test_vlan_limit_of_others(void **state)
{
    struct fixture *f = *state;

    f->fake.now->vlan_limit = OVS_LIMIT_NONE;
    expect_plan(f, "a=lab:9.5", NULL,
                "create uplink/lab: bridge br-lab with interface ens5 on br-lab, all VLANs, mtu "
                "1500\n"
                "create uplink/lab/9: bridge rq9-626092f4, joined to br-lab 802.1ad VLAN 9\n"
                "create bio/net/segment/a: port rseg1 on rq9-626092f4, VLAN 5, mtu 1496\n");
    f->fake.now->vlan_limit = 1;
    expect_plan(f, "a=lab:9.5", NULL, "create uplink/vlan-limit: " OVS_LIMIT_REMEDY "\n");
    assert_int_equal(f->fake.now->vlan_limit, 1);
}

static void test_limits_change_in_place(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=lab:1+lab:2", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);

    ovs_fake_apply(&f->fake, plan);
    expect_plan(f, "a@1400%100=lab:1+lab:2", NULL,
                "update bio/net/segment/a: bridge rbr1: mac-table-size 65536 -> 100; rseg1: mtu "
                "1500 -> 1400\n");
    expect_plan(f, "a=lab:1+lab:2", NULL,
                "update bio/net/segment/a: bridge rbr1: mac-table-size 100 -> 65536; rseg1: mtu "
                "1400 -> 1500\n");
    plan_free(plan);
    intended_unref(intended);
}

static void test_broadcast_limits(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = ovs_fake_intended(f->config, &f->ids, "a=lab:1+lab:2", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);
    struct ovs_state *want;
    struct tenant_parts kept = {0};

    ovs_fake_apply(&f->fake, plan);
    plan_free(plan);
    intended_unref(intended);
    intended = ovs_fake_intended(f->config, &f->ids, "a=lab:1!50+lab:2", NULL);
    plan = ovs_fake_plan(&f->fake, intended);
    assert_string_equal(
        ((struct ovs_work *)plan->steps[0]->data)->nft,
        "add table netdev routerd\n"
        "add chain netdev routerd on-ens5\n"
        "flush chain netdev routerd on-ens5\n"
        "delete chain netdev routerd on-ens5\n"
        "add chain netdev routerd on-ens5 { type filter hook ingress device \"ens5\" priority "
        "-200; policy accept; }\n"
        "add rule netdev routerd on-ens5 ether daddr ff:ff:ff:ff:ff:ff vlan id 1 limit rate over "
        "50/second burst 50 packets drop comment \"1 50\"\n");
    plan_free(plan);
    intended_unref(intended);
    expect_plan(f, "a=lab:1!50+lab:2", NULL,
                "create broadcast-limits/ens5: limit broadcasts of 1 VLANs of ens5\n");
    expect_plan(f, "a=lab:1!70+lab:2 b=lab:9.5!60", NULL,
                "create uplink/vlan-limit: look at two VLAN tags\n"
                "update broadcast-limits/ens5: limit broadcasts of 2 VLANs of ens5\n"
                "create uplink/lab/9: bridge rq9-626092f4, joined to br-lab 802.1ad VLAN 9\n"
                "create bio/net/segment/b: port rseg2 on rq9-626092f4, VLAN 5, mtu 1496\n");
    /* Somebody has deleted the rules, and then the table. */
    f->fake.now->n_limits = 0;
    ovs_state_add_limit(f->fake.now, "on-ens5", "");
    expect_plan(f, "a=lab:1!70+lab:2", NULL,
                "delete uplink/vlan-limit: look at one VLAN tag again\n"
                "delete bio/net/segment/b!: port rseg2 on rq9-626092f4\n"
                "delete uplink/lab/9!: port lab-9-rq9-626092f4 on br-lab; bridge rq9-626092f4\n"
                "update broadcast-limits/ens5: limit broadcasts of 1 VLANs of ens5\n");
    f->fake.now->n_limits = 0;
    expect_plan(f, "a=lab:1!70+lab:2", NULL,
                "create broadcast-limits/ens5: limit broadcasts of 1 VLANs of ens5\n");
    expect_plan(f, "a=lab:1+lab:2", NULL,
                "delete broadcast-limits/ens5: no limits of broadcasts of ens5\n");
    intended = ovs_fake_intended(f->config, &f->ids, "b=lab:9.5q!60 c=lab:9.6!7", NULL);
    want = ovs_want(intended, &kept);
    assert_true(ovs_state_has_limit(want, "on-ens5", "9.5q 60"));
    assert_true(ovs_state_has_limit(want, "on-ens5", "9.6 7"));
    ovs_state_free(want);
    ovs_want_forget(&kept);
    intended_unref(intended);
}

static void test_unknown_marks_go(void **state)
{
    struct fixture *f = *state;
    struct ovs_port *port;

    ovs_state_add_bridge(f->fake.now, "br0");
    port = ovs_state_add_port(f->fake.now, "old1");
    port->bridge = "br0";
    port->mark = "bio/gone/segment/x";
    port = ovs_state_add_port(f->fake.now, "old2");
    port->bridge = "br0";
    port->interface_mark = "nonsense";
    expect_plan(f, NULL, NULL,
                "delete bio/gone/segment/x!: port old1 on br0\n"
                "delete nonsense!: port old2 on br0\n");
}

static void test_refused_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct intended *intended =
        ovs_fake_intended(f->config, &f->ids, "a=sinet:10 b=sinet:11", NULL);
    struct plan *plan = ovs_fake_plan(&f->fake, intended);
    struct ovs_port *port;

    ovs_fake_apply(&f->fake, plan);
    port = ovs_fake_port(&f->fake, "rseg1");
    port->made = OVS_REFUSED;
    port->error = "could not add network device rseg1 to ofproto (File exists)";
    port = ovs_fake_port(&f->fake, "ens4");
    port->made =
        OVS_REFUSED; /* heals by the link's coming, and is not for every tenant to wait for */
    expect_plan(
        f, "a=sinet:10 b=sinet:11", NULL,
        "update bio/net/segment/a: rseg1: try again after could not add network device rseg1 "
        "to ofproto (File exists)\n");
    plan_free(plan);
    intended_unref(intended);
}

/* --- property: a random walk ends where a fresh build of its last state ends --- */

static struct intended *random_intended(struct fixture *f, unsigned int *seed)
{
    char *bio = ovs_fake_segments(seed, 2);
    char *geo = ovs_fake_roll(seed, 3) ? ovs_fake_segments(seed, 2000) : strdup("");
    struct intended *intended =
        ovs_fake_intended(f->config, &f->ids, bio[0] ? bio : NULL, geo[0] ? geo : NULL);

    free(bio);
    free(geo);
    return intended;
}

static void vandalise(struct fixture *f, unsigned int *seed)
{
    struct ovs_state *now = f->fake.now;
    struct ovs_port *port =
        now->n_ports ? &now->ports[ovs_fake_roll(seed, (unsigned int)now->n_ports)] : NULL;

    if (!port || !ovs_port_mark(port)[0]) {
        return;
    }
    switch (ovs_fake_roll(seed, 7)) {
    case 0: port->tag = (int)ovs_fake_roll(seed, 4095); break;
    case 1: port->mtu = 1280; break;
    case 2: port->type = "tap"; break;
    case 3: port->mark = ""; break;
    case 4: port->bridge = "br0"; break;
    case 5: *port = now->ports[--now->n_ports]; break;
    case 6: port->service = OVS_SERVICE_8021Q; break;
    default: break;
    }
}

static void settle(struct fixture *f, const struct intended *intended)
{
    struct plan *plan = ovs_fake_plan(&f->fake, intended);
    char *text;

    assert_int_equal(ovs_fake_apply(&f->fake, plan), 0);
    plan_free(plan);
    plan = ovs_fake_plan(&f->fake, intended);
    text = plan_text(plan);
    assert_string_equal(text, "");
    free(text);
    plan_free(plan);
}

static void add_foreign(struct ovs_fake *fake)
{
    ovs_state_add_bridge(fake->now, "br0")->datapath = "system";
    ovs_state_add_port(fake->now, "eth9")->bridge = "br0";
}

static void test_random_walk(void **state)
{
    struct fixture *f = *state;

    for (unsigned int walk = 1; walk <= 40; walk++) {
        unsigned int seed = walk;
        struct intended *last = NULL;
        struct ovs_fake fresh;
        char *walked, *built;

        ovs_fake_init(&fresh);
        add_foreign(&f->fake);
        for (unsigned int i = 0; i < 12; i++) {
            intended_unref(last);
            last = random_intended(f, &seed);
            vandalise(f, &seed);
            settle(f, last);
        }
        walked = ovs_fake_text(&f->fake);
        ovs_fake_done(&f->fake);
        f->fake = fresh;
        add_foreign(&f->fake);
        settle(f, last);
        built = ovs_fake_text(&f->fake);
        assert_string_equal(walked, built);
        assert_non_null(ovs_fake_port(&f->fake, "eth9"));
        free(walked);
        free(built);
        intended_unref(last);
        ovs_fake_done(&f->fake);
        ovs_fake_init(&f->fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_single, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_to_several_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moved_is_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attachments_change_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_before_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facilitys_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facilitys_bridge_our_port, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_port_is_withheld, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guest_on_our_bridge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repair, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mtu_is_not_disruptive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mac_is_stable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outer_vlan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vlan_limit_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits_change_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broadcast_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_marks_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_walk, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
