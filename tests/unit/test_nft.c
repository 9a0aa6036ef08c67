/* net/nft: from intended states to the nftables table, on a table in memory. */
#include "chance.h"
#include "net_fake.h"
#include "nft_fake.h"

#include "net/nft_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_settled(struct nft_fake *table, const struct intended *intended)
{
    struct plan *plan = nft_fake_plan(table, intended);

    if (plan->n_steps)
        fail_msg("still to do: %s: %s", plan->steps[0]->object, plan->steps[0]->summary);
    plan_free(plan);
}

static size_t pass(struct nft_fake *table, const struct intended *intended)
{
    struct plan *plan = nft_fake_plan(table, intended);
    size_t n = plan->n_steps;

    nft_fake_carry_out(table, plan, plan->steps, plan->n_steps);
    plan_free(plan);
    expect_settled(table, intended);
    return n;
}

static void expect_plan(struct nft_fake *table, struct ids *ids, const char *bio,
                        const char *expected)
{
    struct intended *intended = net_fake_intended(ids, bio, NULL);
    struct plan *plan = nft_fake_plan(table, intended);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++)
        fprintf(out, "%s %s/%s: %s\n", step_action_name(plan->steps[i]->action),
                plan->steps[i]->tenant, plan->steps[i]->object, plan->steps[i]->summary);
    fclose(out);
    assert_string_equal(text, expected);
    nft_fake_carry_out(table, plan, plan->steps, plan->n_steps);
    plan_free(plan);
    expect_settled(table, intended);
    free(text);
    intended_unref(intended);
}

/* --- single cases ----------------------------------------------------------------------------- */

struct fixture {
    struct ids ids;
    struct nft_fake table;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    ids_init(&f->ids);
    nft_fake_init(&f->table);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    nft_fake_done(&f->table);
    ids_done(&f->ids);
    free(f);
    return 0;
}

#define PLAIN                                                                          \
    "- name: n\n"                                                                      \
    "  asn: 65010\n"                                                                   \
    "  segments:\n"                                                                    \
    "  - {name: s, attachments: [{uplink: sinet, vlan: 5}], gateway: [10.1.0.1/24]}\n" \
    "  peers:\n"                                                                       \
    "  - {name: p, via: s, address: 10.1.0.2, asn: 64512}\n"
#define EGRESS "  egress: {uplink: wan}\n"

#define SERVED \
    "  pools: [{name: p, prefix: 10.1.0.64/26, dhcp: true, dns: true, forwarders: 10.9.0.53}]\n"

/* What pools serve gets through, and only there. */
static void test_services(void **state)
{
    struct fixture *f = *state;

    expect_plan(&f->table, &f->ids, PLAIN SERVED,
                "create /nftables: nftables table inet routerd\n"
                "create bio/n: packet filter of rvrf1001\n");
    assert_non_null(nft_fake_find_key(&f->table, "dhcp", "\"rseg1\""));
    assert_non_null(nft_fake_find_key(&f->table, "dns4", "\"rvrf1001\" . 10.1.0.1"));
    assert_non_null(nft_fake_find_key(&f->table, "forwarders4", "\"rvrf1001\" . 10.9.0.53"));
    assert_non_null(nft_state_find(&f->table.now, NFT_CHAIN, "services"));
    expect_plan(&f->table, &f->ids, PLAIN,
                "update /nftables: nftables table inet routerd: set dhcp, set dns4, set dns6, ...\n"
                "update bio/n: packet filter of rvrf1001: dhcp \"rseg1\", dns4 \"rvrf1001\" . "
                "10.1.0.1, forwarders4 \"rvrf1001\" . 10.9.0.53\n");
    assert_null(nft_state_find(&f->table.now, NFT_CHAIN, "services"));
    assert_null(nft_fake_find_key(&f->table, "dhcp", "\"rseg1\""));
}

/* Networks come and go, each with its own step; the frame comes with the first and goes with the
 * last. */
static void test_steps(void **state)
{
    struct fixture *f = *state;

    expect_plan(&f->table, &f->ids, PLAIN,
                "create /nftables: nftables table inet routerd\n"
                "create bio/n: packet filter of rvrf1001\n");
    assert_null(
        nft_state_find(&f->table.now, NFT_CHAIN, "arrive")); /* nothing that is not needed */
    assert_null(nft_state_find(&f->table.now, NFT_CHAIN, "forward"));
    assert_non_null(nft_fake_find_key(&f->table, "own4", "\"rvrf1001\" . 10.1.0.1"));
    assert_non_null(nft_fake_find_key(&f->table, "peers4", "\"rvrf1001\" . 10.1.0.2"));
    expect_plan(
        &f->table, &f->ids, PLAIN EGRESS,
        "update /nftables: nftables table inet routerd: set leave, set out, set ports, ...\n"
        "update bio/n: packet filter of rvrf1001: chain leave1001, chain out1001, chain "
        "track1001, ...\n");
    assert_non_null(nft_fake_find_key(&f->table, "ports", "\"rseg1\""));
    assert_non_null(nft_fake_find_key(&f->table, "leave", "\"rvrf1001\" . \"wan0\""));
    expect_plan(&f->table, &f->ids, NULL,
                "delete /nftables: nftables table inet routerd\n"
                "delete bio/n: packet filter of rvrf1001\n");
    assert_false(f->table.now.present);
}

/* One network's change leaves the others' and the frame alone. */
static void test_change_of_one(void **state)
{
    struct fixture *f = *state;
    struct intended *both = net_fake_intended(&f->ids, PLAIN EGRESS, PLAIN EGRESS);
    struct intended *changed =
        net_fake_intended(&f->ids, PLAIN EGRESS, PLAIN "  egress: {uplink: wan, nat: false}\n");

    pass(&f->table, both);
    struct plan *plan = nft_fake_plan(&f->table, changed);

    assert_int_equal(plan->n_steps, 1);
    assert_string_equal(plan->steps[0]->tenant, "geo");
    plan_free(plan);
    intended_unref(both);
    intended_unref(changed);
}

static const char *rule_of(const struct nft_state *wanted, const char *chain, const char *part)
{
    const struct nft_item *item = nft_state_find(wanted, NFT_CHAIN, chain);

    assert_non_null(item);
    for (size_t i = 0; item && i < item->n_rules; i++)
        if (strstr(item->rules[i], part))
            return item->rules[i];
    fail_msg("chain %s has no rule with: %s", chain, part);
    return NULL;
}

static void test_egress_rules(void **state)
{
    static const struct nft_host host = {.forwards = false}, router = {.forwards = true};
    struct fixture *f = *state;
    struct nft_wanted wanted = {0};
    struct intended *intended = net_fake_intended(
        &f->ids,
        "- name: n\n"
        "  segments:\n"
        "  - {name: s, attachments: [{uplink: sinet, vlan: 5}], gateway: [10.1.0.1/24], "
        "strict_source: true}\n"
        "  egress:\n"
        "    uplink: wan\n"
        "    address: 203.0.113.9\n"
        "    prefix6: 2001:db8:5::/64\n"
        "    publish:\n"
        "    - {protocol: tcp, port: 8022, to: 10.1.0.5, to_port: 22, from: [198.51.100.0/24]}\n"
        "    - {protocol: udp, port: 53, to: \"2001:db8::5\"}\n",
        NULL);

    nft_want(&wanted, intended, &host);
    rule_of(&wanted.state, "track1001",
            "fib daddr . mark oifname != \"wan0\" meta mark set 0 notrack");
    rule_of(&wanted.state, "track1001", "ct original zone set 1002");
    rule_of(&wanted.state, "strict1001", "fib saddr . iif oif 0 drop");
    rule_of(&wanted.state, "leave1001", "snat ip to 203.0.113.9:16384-65535");
    rule_of(&wanted.state, "leave1001", "snat ip6 prefix to 2001:db8:5::/64");
    rule_of(&wanted.state, "publish1001_tcp_8022_ip203_0_113_9",
            "ip saddr != { 198.51.100.0/24 } drop");
    rule_of(&wanted.state, "publish1001_tcp_8022_ip203_0_113_9", "dnat ip to 10.1.0.5:22");
    rule_of(&wanted.state, "publish1001_udp_53_ip6_", "dnat ip6 to [2001:db8::5]:53");
    const struct nft_item *inbound = nft_state_find(&wanted.state, NFT_CHAIN, "inbound");
    assert_string_equal(inbound->rules[inbound->n_rules - 1], "drop");
    nft_want(&wanted, intended, &router); /* the host's own traffic is its own business */
    rule_of(&wanted.state, "inbound", "oifname \"rseg*\" drop");
    nft_wanted_done(&wanted);
    intended_unref(intended);
}

/* What was changed by hand is noticed by what is missing or strange, and only that is redone. */
static void test_repair(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, PLAIN EGRESS, NULL);

    pass(&f->table, intended);
    nft_fake_must_find(&f->table, NFT_CHAIN, "isolation")->n_rules--;
    assert_int_equal(pass(&f->table, intended), 1);
    nft_fake_must_find(&f->table, NFT_CHAIN, "out1001")->rules[0] = "";
    assert_int_equal(pass(&f->table, intended), 1);
    nft_fake_must_find(&f->table, NFT_CHAIN, "input")->broken = true;
    assert_int_equal(pass(&f->table, intended), 1);
    nft_fake_drop(&f->table, nft_fake_find_key(&f->table, "own4", "\"rvrf1001\" . 10.1.0.1"));
    assert_int_equal(pass(&f->table, intended), 1);
    nft_state_add(&f->table.now, 0, NFT_CHAIN, "stray", "")->broken = true;
    nft_state_sort(&f->table.now);
    assert_int_equal(pass(&f->table, intended), 1);
    nft_fake_flush_set(&f->table, "ports");
    nft_fake_must_find(&f->table, NFT_SET, "ports")->broken = true;
    assert_int_equal(pass(&f->table, intended), 2);
    intended_unref(intended);
}

static void test_dormant_and_foreign(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, PLAIN, NULL);

    pass(&f->table, intended);
    f->table.now.dormant = true;
    struct plan *plan = nft_fake_plan(&f->table, intended);
    const struct nft_change *change = plan->steps[0]->data;

    assert_string_equal(change->ops[0].command, "delete table inet routerd");
    plan_free(plan);
    f->table.now.dormant = false;
    f->table.now.foreign = true;
    plan = nft_fake_plan(&f->table, intended);
    for (size_t i = 0; i < plan->n_steps; i++) {
        change = plan->steps[i]->data;
        assert_string_equal(
            change->obstacle,
            "nftables table inet routerd is there and not routerd's: delete or rename it");
    }
    plan_free(plan);
    intended_unref(intended);
    struct intended *nothing = net_fake_intended(&f->ids, NULL, NULL);
    expect_settled(&f->table, nothing); /* somebody else's stays */
    intended_unref(nothing);
}

/* --- random walks ----------------------------------------------------------------------------- */

enum { WALKS = 40, STEPS = 20, NETWORKS = 3, PARTS = 2 };

static void write_links(FILE *out, struct chance *chance, unsigned int network)
{
    fputs("  asn: 65010\n  segments:\n", out);
    for (unsigned int i = 0; i < PARTS; i++)
        fprintf(
            out,
            "  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.%u.0.%u/24], "
            "strict_source: %s}\n",
            i, 2 + network * PARTS + i, i, 1 + chance_below(chance, 2),
            chance_below(chance, 2) ? "true" : "false");
    if (chance_below(chance, 2))
        fprintf(
            out,
            "  tunnels:\n  - {name: t, profile: %s, uplink: wan, remote: 203.0.113.2, auth: {psk: "
            "{secret: s}}, inside: [\"2001:db8:5::1/64\"]}\n",
            chance_below(chance, 2) ? "generic" : "narrow");
    if (chance_below(chance, 2))
        fprintf(out, "  peers:\n  - {name: p, via: s0, address: 10.0.0.%u, asn: 64512}\n",
                5 + chance_below(chance, 3));
}

static void write_egress(FILE *out, struct chance *chance, unsigned int network)
{
    if (chance_below(chance, 2))
        return;
    fprintf(out, "  egress:\n    uplink: wan\n    nat: %s\n",
            chance_below(chance, 3) ? "true" : "false");
    if (chance_below(chance, 2))
        fprintf(out, "    address: 203.0.113.%u\n", 8 + chance_below(chance, 2));
    if (chance_below(chance, 2))
        fprintf(out, "    publish:\n    - {protocol: tcp, port: %u, to: 10.0.0.%u}\n",
                9000 + network, 5 + chance_below(chance, 2));
}

static void write_pools(FILE *out, struct chance *chance)
{
    if (chance_below(chance, 2))
        fprintf(out, "  pools:\n  - {name: p, prefix: 10.0.0.64/26, dhcp: %s, dns: %s}\n",
                chance_below(chance, 2) ? "true" : "false",
                chance_below(chance, 2) ? "true, forwarders: [10.1.0.9, 192.0.2.9]" : "false");
}

static void write_network(FILE *out, struct chance *chance, unsigned int tenant,
                          unsigned int number)
{
    write_links(out, chance, number);
    write_pools(out, chance);
    write_egress(out, chance, number + tenant * NETWORKS);
}

static void meddle(struct nft_fake *table, struct chance *chance)
{
    if (!table->now.n_items)
        return;
    struct nft_item *item =
        table->now.items[chance_below(chance, (unsigned int)table->now.n_items)];

    if (item->kind == NFT_CHAIN && item->n_rules)
        item->n_rules--;
    else if (item->kind == NFT_ELEMENT)
        nft_fake_drop(table, item);
    else if (item->kind == NFT_SET && chance_below(chance, 2)) {
        nft_fake_flush_set(table, item->name);
        item->broken = true;
    }
}

static void expect_as_built_afresh(struct nft_fake *table, const struct intended *intended)
{
    struct nft_fake fresh;

    nft_fake_init(&fresh);
    pass(&fresh, intended);
    char *text = nft_fake_text(table), *expected = nft_fake_text(&fresh);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
    nft_fake_done(&fresh);
}

static void test_walks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct nft_fake table;
        struct ids ids;
        struct chance chance = {seed};

        ids_init(&ids);
        nft_fake_init(&table);
        for (int i = 0; i < STEPS; i++) {
            struct intended *intended = net_fake_random(&ids, &chance, NETWORKS, write_network);

            for (unsigned int j = chance_below(&chance, 3); j > 0; j--)
                meddle(&table, &chance);
            pass(&table, intended);
            expect_as_built_afresh(&table, intended);
            intended_unref(intended);
        }
        nft_fake_done(&table);
        ids_done(&ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_services, setup, teardown),
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change_of_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_egress_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repair, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dormant_and_foreign, setup, teardown),
        cmocka_unit_test(test_walks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
