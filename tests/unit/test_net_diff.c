/* net/: from intended states to interfaces, routes and steps, on a kernel in memory. */
#include "net_fake.h"

#include "net/net_egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct ids ids;
    struct net_fake fake;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    ids_init(&f->ids);
    net_fake_init(&f->fake);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    net_fake_done(&f->fake);
    ids_done(&f->ids);
    free(f);
    return 0;
}

static char *plan_text(const struct plan *plan)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        const struct net_change *change = step->data;

        fprintf(out, "%s %s/%s%s: %s\n", step_action_name(step->action), step->tenant, step->object,
                step->disruptive ? "!" : "", step->summary);
        if (change->obstacle != STEP_TODO)
            fprintf(out, "  %s: %s\n", change->obstacle == STEP_FAILED ? "failed" : "not ready",
                    change->obstacle_reason);
    }
    fclose(out);
    return text;
}

/* The plan is as expected and, carried out, leaves nothing to do but what stands before an
 * obstacle. */
static void expect_plan(struct fixture *f, const char *bio, const char *geo, const char *expected)
{
    struct intended *intended = net_fake_intended(&f->ids, bio, geo);
    struct plan *plan = net_fake_plan(&f->fake, intended);
    char *text = plan_text(plan);

    assert_string_equal(text, expected);
    size_t left = net_fake_apply(&f->fake, intended, plan);
    plan_free(plan);
    plan = net_fake_plan(&f->fake, intended);
    free(text);
    text = plan_text(plan);
    if (plan->n_steps != left)
        fail_msg("still to do:\n%s", text);
    free(text);
    plan_free(plan);
    intended_unref(intended);
}

static void expect_state(struct fixture *f, const char *expected)
{
    char *text = net_fake_text(&f->fake);

    assert_string_equal(text, expected);
    free(text);
}

#define SEGMENT(NAME, VLAN, GATEWAYS)                                                          \
    "  - {name: " NAME ", attachments: [{uplink: sinet, vlan: " VLAN "}], gateway: [" GATEWAYS \
    "]}\n"
#define TUNNEL(NAME, PROFILE, INSIDE)        \
    "  - {name: " NAME ", profile: " PROFILE \
    ", uplink: wan, remote: 203.0.113.2, auth: {psk: {secret: s}}, inside: [" INSIDE "]}\n"

#define GENOME                                                                                            \
    "- name: genome\n"                                                                                    \
    "  segments:\n" SEGMENT("campus", "1001", "10.1.0.1/24, \"2001:db8:1::1/64\"") "  tunnels:\n" TUNNEL( \
        "sakura", "generic", "169.254.20.1/30") "  routes:\n"                                             \
                                                "  - {prefix: 10.9.0.0/16, via: 10.1.0.254}\n"            \
                                                "  - {prefix: 10.1.0.0/16, blackhole: true}\n"

#define GENOME_PLAN                                                                                                \
    "create bio/genome: VRF rvrf1001 with table 1001, net.ipv6.conf.all.forwarding of this host set to 1\n"        \
    "create bio/genome/segment/campus: interface rseg1 in rvrf1001 with 10.1.0.1/24, 2001:db8:1::1/64\n"           \
    "create bio/genome/tunnel/sakura: interface rtun2 (xfrm if_id 2) in rvrf1001 with 169.254.20.1/30, mtu 1400\n" \
    "create bio/genome/route/10.1.0.0/16: blackhole route 10.1.0.0/16 in table 1001\n"                             \
    "create bio/genome/route/10.9.0.0/16: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n"

#define GENOME_STATE                                                                                                  \
    "rseg1 openvswitch alias=routerd:bio/genome/segment/campus altname=bio.genome.segment.campus table=0 if_id=0 "    \
    "mtu=1500 up master=rvrf1001 conf=1,2,1,0,0 10.1.0.1/24 2001:db8:1::1/64\n"                                       \
    "rtun2 xfrm alias=routerd:bio/genome/tunnel/sakura altname=bio.genome.tunnel.sakura table=0 if_id=2 mtu=1400 up " \
    "master=rvrf1001 conf=1,2,1,0,0 169.254.20.1/30\n"                                                                \
    "rvrf1001 vrf alias=routerd:bio/genome altname=bio.genome table=1001 if_id=0 mtu=1500 up master= "                \
    "conf=1,2,0,1,0\n"                                                                                                \
    "route 1001 0.0.0.0/0 metric 4278198272 type 2 via  dev \n"                                                       \
    "route 1001 10.1.0.0/16 metric 10 type 1 via  dev \n"                                                             \
    "route 1001 10.9.0.0/16 metric 10 type 0 via 10.1.0.254 dev rseg1\n"                                              \
    "route 1001 ::/0 metric 4278198272 type 2 via  dev \n"

static void test_one_network(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    expect_state(f, GENOME_STATE);
    assert_int_equal(f->fake.now.ipv6_forwarding, 1);
    expect_plan(
        f, NULL, NULL,
        "delete bio/genome/route/10.1.0.0/16!: blackhole route 10.1.0.0/16 in table 1001\n"
        "delete bio/genome/route/10.9.0.0/16!: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n"
        "delete bio/genome/segment/campus!: interface rseg1, its addresses\n"
        "delete bio/genome/tunnel/sakura!: interface rtun2\n"
        "delete bio/genome!: VRF rvrf1001\n");
    expect_state(f, "");
}

/* Two tenants may use the same names and prefixes. */
static void test_twins(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "- name: n\n  segments:\n" SEGMENT("s", "5", "10.1.0.1/24"),
                "- name: n\n  segments:\n" SEGMENT("s", "6", "10.1.0.1/24"),
                "create bio/n: VRF rvrf1001 with table 1001\n"
                "create geo/n: VRF rvrf1002 with table 1002\n"
                "create bio/n/segment/s: interface rseg1 in rvrf1001 with 10.1.0.1/24\n"
                "create geo/n/segment/s: interface rseg2 in rvrf1002 with 10.1.0.1/24\n");
    assert_int_equal(f->fake.now.ipv6_forwarding, 0);
    expect_plan(f, NULL, "- name: n\n  segments:\n" SEGMENT("s", "6", "10.1.0.1/24"),
                "delete bio/n/segment/s!: interface rseg1, its addresses\n"
                "delete bio/n!: VRF rvrf1001\n");
}

static void test_addresses_change(void **state)
{
    struct fixture *f = *state;
    const char *head = "- name: n\n  segments:\n";
    char text[1024];

#define EXPECT(GATEWAYS, PLAN)                                               \
    (snprintf(text, sizeof text, "%s%s", head, SEGMENT("s", "5", GATEWAYS)), \
     expect_plan(f, text, NULL, PLAN))
    EXPECT(
        "10.1.0.1/24, \"2001:db8::1/64\"",
        "create bio/n: VRF rvrf1001 with table 1001, net.ipv6.conf.all.forwarding of this host set to 1\n"
        "create bio/n/segment/s: interface rseg1 in rvrf1001 with 10.1.0.1/24, 2001:db8::1/64\n");
    EXPECT("10.1.0.1/24, 10.2.0.1/24, \"2001:db8::1/64\"",
           "update bio/n/segment/s: interface rseg1: address 10.2.0.1/24 added\n");
    EXPECT(
        "10.1.0.1/25, 10.2.0.1/24, \"2001:db8::1/64\"",
        "update bio/n/segment/s!: interface rseg1: address 10.1.0.1/25 added, address 10.1.0.1/24 removed\n");
    EXPECT(
        "10.1.0.1/25, 10.2.0.1/24, \"2001:db8::1/48\"",
        "update bio/n/segment/s!: interface rseg1: address 2001:db8::1/64 removed, address 2001:db8::1/48 added\n");
    EXPECT("10.1.0.1/25",
           "update bio/n/segment/s!: interface rseg1: address 10.2.0.1/24 removed, address "
           "2001:db8::1/48 removed\n");
#undef EXPECT
}

static void test_mtu_and_routes_change(void **state)
{
    struct fixture *f = *state;

    expect_plan(
        f,
        "- name: n\n  tunnels:\n" TUNNEL(
            "t", "generic",
            "169.254.20.1/29") "  routes:\n"
                               "  - {prefix: 10.9.0.0/16, via: 169.254.20.2}\n  - {prefix: 10.8.0.0/16, blackhole: true}\n",
        NULL,
        "create bio/n: VRF rvrf1001 with table 1001\n"
        "create bio/n/tunnel/t: interface rtun1 (xfrm if_id 1) in rvrf1001 with 169.254.20.1/29, mtu 1400\n"
        "create bio/n/route/10.8.0.0/16: blackhole route 10.8.0.0/16 in table 1001\n"
        "create bio/n/route/10.9.0.0/16: route 10.9.0.0/16 via 169.254.20.2 in table 1001\n");
    expect_plan(
        f,
        "- name: n\n  tunnels:\n" TUNNEL(
            "t", "narrow",
            "169.254.20.1/29") "  routes:\n"
                               "  - {prefix: 10.9.0.0/16, via: 169.254.20.3}\n  - {prefix: 10.8.0.0/16, via: 169.254.20.2}\n",
        NULL,
        "update bio/n/tunnel/t: interface rtun1: mtu 1400 -> 1380\n"
        "update bio/n/route/10.8.0.0/16: blackhole route 10.8.0.0/16 in table 1001 -> route 10.8.0.0/16 via "
        "169.254.20.2 in table 1001\n"
        "update bio/n/route/10.9.0.0/16: route 10.9.0.0/16 via 169.254.20.2 in table 1001 -> route 10.9.0.0/16 "
        "via 169.254.20.3 in table 1001\n");
}

static void test_route_to_nowhere(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, "- name: n\n  routes:\n  - {prefix: 10.9.0.0/16, via: 10.1.0.254}\n", NULL,
                "create bio/n: VRF rvrf1001 with table 1001\n"
                "create bio/n/route/10.9.0.0/16: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n"
                "  failed: 10.1.0.254 is in no subnet of the network's segments and tunnels\n");
}

/* Foreign interfaces of our names and numbers stay as they are and hold up their own object only.
 */
static void test_foreign_in_the_way(void **state)
{
    struct fixture *f = *state;

    net_fake_add(&f->fake, "blue", "vrf")->table = 1001;
    net_fake_add(&f->fake, "ipsec0", "xfrm")->if_id = 3;
    net_fake_add(&f->fake, "rseg2", "dummy");
    char *before = net_fake_text(&f->fake);
    expect_plan(
        f, "- name: n\n  segments:\n" SEGMENT("s", "5", "10.1.0.1/24"),
        "- name: m\n  segments:\n" SEGMENT("s", "6", "10.1.0.1/24") "  tunnels:\n" TUNNEL(
            "t", "generic", "169.254.20.1/30"),
        "create bio/n: VRF rvrf1001 with table 1001\n"
        "  failed: VRF blue has table 1001 and is not routerd's: delete it or give it another table\n"
        "create geo/m: VRF rvrf1002 with table 1002\n"
        "create bio/n/segment/s: interface rseg1 in rvrf1001 with 10.1.0.1/24\n"
        "  not ready: VRF blue has table 1001 and is not routerd's: delete it or give it another table\n"
        "create geo/m/segment/s: interface rseg2 in rvrf1002 with 10.1.0.1/24\n"
        "  failed: interface rseg2 is there and of kind dummy, not openvswitch: delete or rename it\n"
        "create geo/m/tunnel/t: interface rtun3 (xfrm if_id 3) in rvrf1002 with 169.254.20.1/30, mtu 1400\n"
        "  failed: interface ipsec0 has if_id 3 and is not routerd's: delete it or give it another if_id\n");
    expect_plan(f, NULL, NULL, "delete geo/m!: VRF rvrf1002\n");
    expect_state(f, before);
    free(before);
}

static void test_foreign_name(void **state)
{
    struct fixture *f = *state;

    net_fake_add(&f->fake, "rvrf1001", "vrf")->table = 7;
    expect_plan(
        f, "- name: n\n  routes:\n  - {prefix: 10.8.0.0/16, blackhole: true}\n", NULL,
        "create bio/n: VRF rvrf1001 with table 1001\n"
        "  failed: interface rvrf1001 is there and not routerd's: delete or rename it\n"
        "create bio/n/route/10.8.0.0/16: blackhole route 10.8.0.0/16 in table 1001\n"
        "  not ready: interface rvrf1001 is there and not routerd's: delete or rename it\n");
}

static struct net_link *find(struct fixture *f, const char *name)
{
    struct net_link *link = net_state_find(&f->fake.now, name);

    assert_non_null(link);
    return link;
}

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;

    assert_int_equal(prefix_parse(text, &prefix), 0);
    return prefix;
}

/* Each kind of drift is repaired, by what differs only. */
static void test_repair(void **state)
{
    struct fixture *f = *state;
    struct prefix gateway = prefix_of("10.1.0.1/24"), stray = prefix_of("192.0.2.1/32"),
                  local = prefix_of("fe80::1/64");

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    net_link_put_addr(find(f, "rseg1"), &(struct net_addr){.prefix = local});
    char *good = net_fake_text(&f->fake);

    net_link_put_addr(find(f, "rseg1"), &(struct net_addr){.prefix = stray});
    find(f, "rseg1")->conf.forwarding = 0;
    find(f, "rtun2")->mtu = 1500;
    find(f, "rtun2")->altname[0] = '\0';
    find(f, "rvrf1001")->up = false;
    f->fake.now.l3mdev_rules = NET_IPV4;
    net_state_drop_route(&f->fake.now, &(struct net_route){.table = 1001,
                                                           .prefix = prefix_of("10.1.0.0/16"),
                                                           .metric = NET_ROUTE_METRIC});
    expect_plan(
        f, GENOME, NULL,
        "update bio/genome: VRF rvrf1001: set up, policy rule for VRFs (IPv6)\n"
        "update bio/genome/segment/campus!: interface rseg1: IPv4 forwarding on, address 192.0.2.1/32 removed\n"
        "update bio/genome/tunnel/sakura: interface rtun2: altname bio.genome.tunnel.sakura, mtu 1500 -> 1400\n"
        "create bio/genome/route/10.1.0.0/16: blackhole route 10.1.0.0/16 in table 1001\n");
    expect_state(f, good);

    net_fake_drop_addr(&f->fake, find(f, "rseg1"), &gateway);
    expect_plan(
        f, GENOME, NULL,
        "update bio/genome/segment/campus: interface rseg1: address 10.1.0.1/24 added\n"
        "create bio/genome/route/10.9.0.0/16: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n");
    expect_state(f, good);
    free(good);
}

/* Somebody took the alias away: what has our altname and our numbers is ours all the same. */
static void test_mark_lost(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    char *good = net_fake_text(&f->fake);
    snprintf(find(f, "rvrf1001")->alias, NET_ALIAS_TEXT, "somebody");
    find(f, "rtun2")->alias[0] = '\0';
    expect_plan(
        f, GENOME, NULL,
        "update bio/genome: VRF rvrf1001: alias \"routerd:bio/genome\"\n"
        "update bio/genome/tunnel/sakura: interface rtun2: alias \"routerd:bio/genome/tunnel/sakura\"\n");
    expect_state(f, good);
    free(good);

    find(f, "rtun2")->alias[0] = '\0';
    find(f, "rtun2")->altname[0] = '\0'; /* a foreign one of that name and number looks so */
    struct intended *intended = net_fake_intended(&f->ids, GENOME, NULL);
    assert_int_not_equal(net_fake_pass(&f->fake, intended), 0);
    assert_string_equal(find(f, "rtun2")->alias, "");
    intended_unref(intended);
}

/* A VRF deleted by hand: what was in it went on outside and is taken down before it is put back. */
/* What Open vSwitch says is others' stays as it is, though it is of the kind and name. */
static void test_withheld(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, GENOME, NULL);
    struct plan *plan = plan_new();

    net_fake_add(&f->fake, "rseg1", "openvswitch");
    plan_withhold(plan, "rseg1");
    net_fake_add_steps(&f->fake, intended, plan);
    plan_sort(plan);
    char *text = plan_text(plan);
    assert_non_null(strstr(text, "  failed: interface rseg1 is a port in Open vSwitch that is not "
                                 "routerd's: remove it there\n"));
    assert_int_equal(net_fake_apply(&f->fake, intended, plan), 2); /* with the route by it */
    assert_string_equal(find(f, "rseg1")->alias, "");
    assert_int_equal(find(f, "rseg1")->master_index, 0);
    free(text);
    plan_free(plan);
    intended_unref(intended);
}

/* An interface that Open vSwitch makes anew in the same plan comes without anything that was set.
 */
static void test_remade(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, GENOME, NULL);
    struct plan *plan = plan_new();

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    plan_remake(plan, "rseg1");
    net_fake_add_steps(&f->fake, intended, plan);
    char *text = plan_text(plan);
    assert_string_equal(
        text,
        "create bio/genome/segment/campus: interface rseg1 in rvrf1001 with 10.1.0.1/24, 2001:db8:1::1/64\n"
        "update bio/genome/route/10.9.0.0/16: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n");
    net_fake_delete(&f->fake, find(f, "rseg1"));
    net_fake_add(&f->fake, "rseg1", "openvswitch");
    assert_int_equal(net_fake_apply(&f->fake, intended, plan), 0);
    expect_state(f, GENOME_STATE);
    free(text);
    plan_free(plan);
    intended_unref(intended);
}

static void test_vrf_deleted(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    net_fake_delete(&f->fake, find(f, "rvrf1001"));
    expect_plan(
        f, GENOME, NULL,
        "create bio/genome: VRF rvrf1001 with table 1001\n"
        "update bio/genome/segment/campus!: interface rseg1: into rvrf1001, address 2001:db8:1::1/64 added\n"
        "update bio/genome/tunnel/sakura!: interface rtun2: into rvrf1001\n"
        "create bio/genome/route/10.9.0.0/16: route 10.9.0.0/16 via 10.1.0.254 in table 1001\n");
    expect_state(f, GENOME_STATE);
}

/* A VRF of ours with a wrong table cannot be changed; those in it must not fall out while up. */
static void test_vrf_replaced(void **state)
{
    struct fixture *f = *state;

    expect_plan(f, GENOME, NULL, GENOME_PLAN);
    find(f, "rvrf1001")->table = 9;
    struct intended *intended = net_fake_intended(&f->ids, GENOME, NULL);
    assert_int_not_equal(net_fake_pass(&f->fake, intended), 0);
    net_fake_pass(&f->fake, intended);
    assert_int_equal(net_fake_pass(&f->fake, intended), 0);
    expect_state(f, GENOME_STATE);
    intended_unref(intended);
}

/* What carries our mark and is not wanted goes, whatever it is called; so do stray routes of ours.
 */
static void test_leftovers(void **state)
{
    struct fixture *f = *state;
    struct net_link *vrf = net_fake_add(&f->fake, "other", "vrf"),
                    *port = net_fake_add(&f->fake, "tap0", "tun");

    vrf->table = 4711;
    strcpy(vrf->alias, "routerd:bio/old");
    strcpy(port->alias, "routerd:bio/old/segment/s");
    port->up = true;
    net_fake_add(&f->fake, "d0", "dummy");
    net_state_put_route(&f->fake.now, &(struct net_route){.table = 1009,
                                                          .prefix = prefix_of("10.0.0.0/8"),
                                                          .metric = 10,
                                                          .type = NET_ROUTE_BLACKHOLE});
    expect_plan(f, NULL, NULL,
                "delete /table 1009/route/10.0.0.0/8!: blackhole route 10.0.0.0/8 in table 1009\n"
                "delete bio/old/segment/s!: interface tap0, its addresses\n"
                "delete bio/old!: VRF other\n");
    expect_state(f,
                 "d0 dummy alias= altname= table=0 if_id=0 mtu=1500 down master= conf=0,0,0,1,0\n"
                 "tap0 tun alias= altname= table=0 if_id=0 mtu=1500 down master= conf=0,0,0,1,0\n");
}

#define EGRESS         \
    "- name: genome\n" \
    "  segments:\n" SEGMENT("campus", "1001", "10.1.0.1/24") "  egress: {uplink: wan}\n"

/* The default route follows the host's, the rule brings answers back; what goes takes both along.
 */
static void test_egress(void **state)
{
    struct fixture *f = *state;
    struct net_link *wan = net_fake_add_uplink(&f->fake);

    expect_plan(
        f, EGRESS, NULL,
        "create bio/genome: VRF rvrf1001 with table 1001\n"
        "create bio/genome/segment/campus: interface rseg1 in rvrf1001 with 10.1.0.1/24\n"
        "create bio/genome/egress: egress by wan0: policy rule of packets that come back (IPv4), "
        "IPv4 forwarding on for interface wan0\n"
        "create bio/genome/egress: route 0.0.0.0/0 via 203.0.113.254 by wan0 in table 1001\n"
        "create bio/genome/egress: route 203.0.113.0/24 by wan0 in table 1001\n");
    f->fake.now.gateways[0].via.bytes[3] = 253;
    expect_plan(
        f, EGRESS, NULL,
        "update bio/genome/egress: route 0.0.0.0/0 via 203.0.113.254 in table 1001 -> route "
        "0.0.0.0/0 via 203.0.113.253 by wan0 in table 1001\n");
    net_state_drop_gateways(&f->fake.now, wan->index);
    expect_plan(f, EGRESS, NULL,
                "delete bio/genome/route/0.0.0.0/0!: route 0.0.0.0/0 via 203.0.113.253 in table "
                "1001\n");
    expect_plan(
        f, "- name: genome\n  segments:\n" SEGMENT("campus", "1001", "10.1.0.1/24"), NULL,
        "delete bio/genome/route/203.0.113.0/24!: route 203.0.113.0/24 in table 1001\n"
        "delete bio/genome/egress: policy rule of packets that come back (IPv4), table 1001\n");
}

/* What the configuration names goes before what the host has, and of that the lowest metric. */
static void test_egress_gateway(void **state)
{
    struct fixture *f = *state;
    const struct net_link *wan = net_fake_add_uplink(&f->fake);
    struct net_gateway better = {.family = AF_INET, .oif = wan->index, .metric = 10};
    struct net_egress egress = {.table = 1001};
    struct addr via, named;

    assert_int_equal(addr_parse("203.0.113.253", &better.via), 0);
    assert_int_equal(addr_parse("203.0.113.252", &named), 0);
    net_state_put_gateway(&f->fake.now, &better);
    assert_true(net_egress_gateway(&egress, &f->fake.now, wan, AF_INET, &via));
    assert_true(addr_equal(&via, &better.via));
    assert_false(net_egress_gateway(&egress, &f->fake.now, wan, AF_INET6, &via));
    egress.gateways[0] = named;
    assert_true(net_egress_gateway(&egress, &f->fake.now, wan, AF_INET, &via));
    assert_true(addr_equal(&via, &named));
}

static void test_altname(void **state)
{
    char alias[NET_ALIAS_TEXT], one[NET_ALTNAME_TEXT], two[NET_ALTNAME_TEXT];
    (void)state;

    assert_string_equal(net_altname("routerd:bio/genome/segment/campus", one),
                        "bio.genome.segment.campus");
    assert_string_equal(net_altname("uplink to the roof", one), "");
    snprintf(alias, sizeof alias, "routerd:%063d/%063d/segment/%063d", 1, 2, 3);
    assert_int_equal(strlen(net_altname(alias, one)), NET_ALTNAME_TEXT - 1);
    alias[strlen(alias) - 1] = '4';
    assert_string_not_equal(net_altname(alias, two), one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_network, setup, teardown),
        cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mtu_and_routes_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_route_to_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repair, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mark_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_withheld, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remade, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrf_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vrf_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_egress, setup, teardown),
        cmocka_unit_test_setup_teardown(test_egress_gateway, setup, teardown),
        cmocka_unit_test(test_altname),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
