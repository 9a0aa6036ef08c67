/* net/: properties over generated states. Carried out, a plan leaves nothing to do; a random walk
 * with drift on the way ends where a fresh build of its last state ends; foreign interfaces never
 * change. The fake checks each operation. */
#include "chance.h"
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

enum { WALKS = 60, STEPS = 25, NETWORKS = 4, PARTS = 3 };

/* --- generated networks --- */

/* The subnets of a network, from which its routes take their next hops. */
struct subnets {
    bool v4[PARTS], v6[PARTS], tunnel[PARTS];
};

static void write_gateways(FILE *out, struct chance *chance, unsigned int part,
                           struct subnets *subnets)
{
    subnets->v4[part] = chance_below(chance, 4) != 0;
    subnets->v6[part] = chance_below(chance, 2) != 0;
    if (subnets->v4[part])
        fprintf(out, "10.%u.0.%u/%u", part, 1 + chance_below(chance, 2),
                24 + chance_below(chance, 2));
    if (subnets->v6[part])
        fprintf(out, "%s\"2001:db8:%u::%u/%u\"", subnets->v4[part] ? ", " : "", part,
                1 + chance_below(chance, 2), 48 + 16 * chance_below(chance, 2));
}

static void write_segments(FILE *out, struct chance *chance, unsigned int network,
                           struct subnets *subnets)
{
    const char *head = "  segments:\n";

    for (unsigned int i = 0; i < PARTS; i++) {
        if (!chance_below(chance, 2))
            continue;
        fprintf(out, "%s  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], gateway: [", head,
                i, 2 + network * PARTS + i);
        write_gateways(out, chance, i, subnets);
        fputs("]}\n", out);
        head = "";
    }
}

static void write_tunnels(FILE *out, struct chance *chance, struct subnets *subnets)
{
    const char *head = "  tunnels:\n";

    for (unsigned int i = 0; i < PARTS; i++) {
        subnets->tunnel[i] = chance_below(chance, 2) != 0;
        if (!subnets->tunnel[i])
            continue;
        fprintf(
            out,
            "%s  - {name: t%u, profile: %s, uplink: wan, remote: 203.0.113.2, auth: {psk: {secret: s}}, ",
            head, i, chance_below(chance, 2) ? "generic" : "narrow");
        fprintf(out, "inside: [10.%u.1.%u/24]}\n", 100 + i, 1 + chance_below(chance, 2));
        head = "";
    }
}

static void write_routes(FILE *out, struct chance *chance, const struct subnets *subnets)
{
    fputs("  routes:\n  - {prefix: 192.0.2.0/24, blackhole: true}\n", out);
    for (unsigned int i = 0; i < PARTS; i++) {
        unsigned int host = 5 + chance_below(chance, 2);

        if (subnets->v4[i] && (!subnets->tunnel[i] || chance_below(chance, 2)))
            fprintf(out, "  - {prefix: 172.%u.0.0/16, via: 10.%u.0.%u}\n", 16 + i, i, host);
        else if (subnets->tunnel[i])
            fprintf(out, "  - {prefix: 172.%u.0.0/16, via: 10.%u.1.%u}\n", 16 + i, 100 + i, host);
        else if (chance_below(chance, 2))
            fprintf(out, "  - {prefix: 172.%u.0.0/16, blackhole: true}\n", 16 + i);
        if (subnets->v6[i])
            fprintf(out, "  - {prefix: \"2001:db8:ff%u::/48\", via: \"2001:db8:%u::%u\"}\n", i, i,
                    host);
    }
}

static void write_network(FILE *out, struct chance *chance, unsigned int tenant,
                          unsigned int number)
{
    struct subnets subnets = {0};

    (void)tenant;
    write_segments(out, chance, number, &subnets);
    write_tunnels(out, chance, &subnets);
    write_routes(out, chance, &subnets);
    if (chance_below(chance, 2))
        fprintf(out, "  egress: {uplink: wan, nat: %s}\n",
                chance_below(chance, 2) ? "true" : "false");
}

/* --- drift --- */

/* The host's default route, by a router whose address ends in `last`. */
static void put_gateway(struct net_fake *fake, int family, uint8_t last)
{
    struct net_gateway gateway = {.family = family, .via.family = family, .metric = 5};

    gateway.oif = net_state_find(&fake->now, "wan0")->index;
    gateway.via.bytes[0] = 198;
    gateway.via.bytes[family == AF_INET ? 3 : 15] = last;
    net_state_put_gateway(&fake->now, &gateway);
}

/* What somebody may do by hand to one of our interfaces. */
static void meddle(struct net_fake *fake, struct chance *chance)
{
    static const char stray[] = {10, 7, 7, 7};
    struct net_link *link =
        fake->now.n_links
            ? net_state_links(&fake->now)[chance_below(chance, (unsigned int)fake->now.n_links)]
            : NULL;
    struct prefix prefix = {{AF_INET, {0}}, 24};

    if (!link || !net_link_is_ours(link))
        return;
    memcpy(prefix.addr.bytes, stray, sizeof stray);
    switch (chance_below(chance, 9)) {
    case 0: net_fake_down(fake, link); break;
    case 1: net_fake_delete(fake, link); break;
    case 2: net_link_put_addr(link, &(struct net_addr){.prefix = prefix}); break;
    case 3:
        if (link->n_addrs) {
            prefix = link->addrs[0].prefix;
            net_fake_drop_addr(fake, link, &prefix);
        }
        break;
    case 4: link->mtu = 1300; break;
    case 5: link->altname[0] = '\0'; break;
    case 6: link->conf.rp_filter = 1; break;
    case 7:
        if (!ids_of_vrf(link->name))
            link->master_index = net_state_find(&fake->now, "blue")->index;
        break;
    default:
        if (fake->now.n_routes)
            net_state_drop_route(
                &fake->now,
                net_state_routes(
                    &fake->now)[chance_below(chance, (unsigned int)fake->now.n_routes)]);
    }
    fake->now.ipv6_forwarding = (int8_t)chance_below(chance, 2);
    if (fake->now.n_rules && chance_below(chance, 3) == 0)
        fake->now.n_rules--;
    net_state_drop_gateways(&fake->now, net_state_find(&fake->now, "wan0")->index);
    if (chance_below(chance, 3) != 0)
        put_gateway(fake, chance_below(chance, 2) ? AF_INET : AF_INET6,
                    (uint8_t)(1 + chance_below(chance, 2)));
}

/* --- the properties --- */

static void expect_settled(struct net_fake *fake, const struct intended *intended)
{
    struct plan *plan = net_fake_plan(fake, intended);

    if (plan->n_steps)
        fail_msg("still to do: %s %s: %s", step_action_name(plan->steps[0]->action),
                 plan->steps[0]->object, plan->steps[0]->summary);
    plan_free(plan);
}

static void add_foreign(struct net_fake *fake)
{
    net_fake_add_uplink(fake);
    net_fake_add(fake, "blue", "vrf")->table = 77;
    net_fake_add(fake, "ipsec7", "xfrm")->if_id = 70007;
    net_fake_add(fake, "ovs0", "openvswitch")->up = true;
}

static void expect_foreign(struct net_fake *fake)
{
    static const char *const lines[] = {
        "blue vrf alias= altname= table=77 if_id=0 mtu=1500 down master= conf=0,0,0,1,0\n",
        "ipsec7 xfrm alias= altname= table=0 if_id=70007 mtu=1500 down master= conf=0,0,0,1,0\n",
        "ovs0 openvswitch alias= altname= table=0 if_id=0 mtu=1500 up master= conf=0,0,0,1,0\n",
    };
    char *text = net_fake_text(fake);

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(text, lines[i]));
    free(text);
}

/* The first lines that differ say more than the whole. */
static void expect_same(const char *text, const char *expected)
{
    while (*text && *text == *expected) {
        const char *end = strchr(text, '\n') + 1;

        if (strncmp(text, expected, (size_t)(end - text)) != 0)
            break;
        expected += end - text;
        text = end;
    }
    if (strcmp(text, expected) != 0)
        fail_msg("is:\n%.*s\nnot:\n%.*s", (int)strcspn(text, "\n"), text,
                 (int)strcspn(expected, "\n"), expected);
}

/* Ports that Open vSwitch makes differ in mtu and settings that nobody wants; a meddled one is made
 * even. */
static void forget_ports_own(struct net_fake *fake)
{
    for (size_t i = 0; i < fake->now.n_links; i++) {
        struct net_link *link = net_state_links(&fake->now)[i];

        if (ids_of_segment(link->name) || ids_of_vrf(link->name))
            link->mtu = 1500;
    }
    net_state_find(&fake->now, "wan0")->conf.forwarding = 0; /* which is never set back */
}

/* The host's default routes are as they are, too. */
static void copy_gateways(struct net_fake *to, const struct net_fake *from)
{
    int oif = net_state_find(&to->now, "wan0")->index;

    net_state_drop_gateways(&to->now, oif);
    for (size_t i = 0; i < from->now.n_gateways; i++) {
        struct net_gateway gateway = from->now.gateways[i];

        gateway.oif = oif;
        net_state_put_gateway(&to->now, &gateway);
    }
}

static void expect_as_built_afresh(struct net_fake *fake, const struct intended *intended)
{
    struct net_fake fresh;

    net_fake_init(&fresh);
    add_foreign(&fresh);
    copy_gateways(&fresh, fake);
    net_fake_pass(&fresh, intended);
    expect_settled(&fresh, intended);
    forget_ports_own(&fresh);
    char *expected = net_fake_text(&fresh), *text = net_fake_text(fake);
    expect_same(text, expected);
    free(text);
    free(expected);
    net_fake_done(&fresh);
}

static void walk(uint64_t seed)
{
    struct chance chance = {seed};
    struct net_fake fake;
    struct ids ids;

    ids_init(&ids);
    net_fake_init(&fake);
    add_foreign(&fake);
    for (int i = 0; i < STEPS; i++) {
        struct intended *intended = net_fake_random(&ids, &chance, NETWORKS, write_network);

        for (unsigned int j = chance_below(&chance, 4); j > 0; j--)
            meddle(&fake, &chance);
        net_fake_pass(&fake, intended);
        expect_settled(&fake, intended);
        expect_foreign(&fake);
        forget_ports_own(&fake);
        expect_as_built_afresh(&fake, intended);
        intended_unref(intended);
    }
    struct intended *nothing = net_fake_intended(&ids, NULL, NULL);
    net_fake_pass(&fake, nothing);
    assert_int_equal(fake.now.n_links, 4);
    assert_int_equal(fake.now.n_routes, 0);
    assert_int_equal(fake.now.n_rules, 0);
    intended_unref(nothing);
    net_fake_done(&fake);
    ids_done(&ids);
}

static void test_walks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++)
        walk(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
