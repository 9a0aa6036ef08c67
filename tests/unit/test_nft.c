/* net/nft: from intended states to the nftables table, on a table in memory that reads nft's
 * commands as nft does: it refuses what does not exist, exists already, or is still in use. */
#include "net_fake.h"

#include "net/nft_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a table in memory ------------------------------------------------------------------------ */

struct table {
    struct nft_state now; /* as seen: rules are digests */
};

static struct nft_item *must_find(struct table *table, enum nft_kind kind, const char *name)
{
    struct nft_item *item = nft_state_find(&table->now, kind, name);

    if (!item) {
        fail_msg("%s is not there", name);
        abort();
    }
    return item;
}

static void drop(struct table *table, const struct nft_item *item)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->now.n_items; i++)
        if (table->now.items[i] != item)
            table->now.items[kept++] = table->now.items[i];
    table->now.n_items = kept;
}

/* The text between `head` and `tail` of a command. */
static char *between(const char *text, const char *head, const char *tail)
{
    const char *begin = strstr(text, head),
               *end = begin ? strstr(begin + strlen(head), tail) : NULL;

    if (!end) {
        fail_msg("no %s...%s in: %s", head, tail, text);
        abort();
    }
    begin += strlen(head);
    return strndup(begin, (size_t)(end - begin));
}

/* Everything that a verdict leads to must be there. */
static void check_verdict(struct table *table, const char *text)
{
    static const char *const words[] = {"goto ", "jump "};

    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(text, words[i]);
        char name[64];

        if (at && sscanf(at + 5, "%63[a-z0-9_A-Z]", name) == 1)
            must_find(table, NFT_CHAIN, name);
    }
    for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
        char name[64];

        if (sscanf(at + 1, "%63[a-z0-9_A-Z]", name) == 1)
            must_find(table, NFT_SET, name);
    }
}

static void split(struct table *table, const char *comment, uint32_t *ret_number, const char **ret)
{
    const char *rest;

    assert_true(strlen(comment) <= 128);
    assert_true(nft_comment_split(comment, ret_number, &rest));
    *ret = arena_strdup(table->now.arena, rest);
}

static void add_chain(struct table *table, const char *name, const char *command)
{
    char *comment = between(command, "comment \"", "\"");
    uint32_t number;
    const char *rest;

    assert_null(nft_state_find(&table->now, NFT_CHAIN, name));
    split(table, comment, &number, &rest);
    nft_state_add(&table->now, number, NFT_CHAIN, name, "")->comment = rest;
    free(comment);
}

static void add_rule(struct table *table, const char *name, const char *command)
{
    const char *last = strstr(command, " comment \"");
    char *comment = between(last, "comment \"", "\"");

    check_verdict(table, command);
    nft_item_add_rule(&table->now, must_find(table, NFT_CHAIN, name), comment);
    free(comment);
}

static struct nft_item *find_key(struct table *table, const char *set, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < table->now.n_items; i++) {
        struct nft_item *item = table->now.items[i];

        if (item->kind == NFT_ELEMENT && strcmp(item->name, set) == 0 &&
            strncmp(item->text, key, len) == 0 &&
            (!item->text[len] || strncmp(item->text + len, " : ", 3) == 0))
            return item;
    }
    return NULL;
}

static void add_element(struct table *table, const char *set, const char *command)
{
    char *comment = between(command, "comment \"", "\""), *key = between(command, "{ ", " comment");
    uint32_t number;
    const char *rest;

    must_find(table, NFT_SET, set);
    check_verdict(table, command);
    for (char *c = comment; *c; c++)
        if (*c == '\'')
            *c = '"';
    split(table, comment, &number, &rest);
    if (find_key(table, set, key))
        fail_msg("%s has %s already", set, key);
    nft_state_add(&table->now, number, NFT_ELEMENT, set, rest);
    free(comment);
    free(key);
}

static void delete_element(struct table *table, const char *set, const char *command)
{
    char *key = between(command, "{ ", " }");
    struct nft_item *item = find_key(table, set, key);

    if (!item)
        fail_msg("%s has no %s", set, key);
    drop(table, item);
    free(key);
}

static void flush_set(struct table *table, const char *set)
{
    must_find(table, NFT_SET, set)->broken = false;
    for (size_t i = table->now.n_items; i-- > 0;)
        if (table->now.items[i]->kind == NFT_ELEMENT && strcmp(table->now.items[i]->name, set) == 0)
            drop(table, table->now.items[i]);
}

static void delete_chain(struct table *table, const char *name)
{
    for (size_t i = 0; i < table->now.n_items; i++) {
        const struct nft_item *item = table->now.items[i];
        const char *at = item->kind == NFT_ELEMENT ? strstr(item->text, " : ") : NULL;

        if (at && strlen(at) > 8 && strcmp(at + 8, name) == 0)
            fail_msg("%s is still led to by %s %s", name, item->name, item->text);
    }
    assert_int_equal(must_find(table, NFT_CHAIN, name)->n_rules, 0);
    drop(table, must_find(table, NFT_CHAIN, name));
}

static void add_set(struct table *table, const char *name, const char *kind)
{
    assert_null(nft_state_find(&table->now, NFT_SET, name));
    nft_state_add(&table->now, 0, NFT_SET, name, kind);
}

static void run(struct table *table, const char *command)
{
    char verb[16], what[16], name[64] = "";

    if (sscanf(command, "%15s %15s inet routerd %63s", verb, what, name) < 2)
        fail_msg("cannot read: %s", command);
    bool add = strcmp(verb, "add") == 0, flush = strcmp(verb, "flush") == 0;
    bool set = strcmp(what, "set") == 0 || strcmp(what, "map") == 0;

    if (strcmp(what, "table") == 0) {
        table->now.present = add;
        if (!add)
            table->now.n_items = 0;
        return;
    }
    assert_true(table->now.present);
    if (set && add)
        add_set(table, name, what);
    else if (set && flush)
        flush_set(table, name);
    else if (set)
        drop(table, must_find(table, NFT_SET, name));
    else if (strcmp(what, "chain") == 0 && add)
        add_chain(table, name, command);
    else if (strcmp(what, "chain") == 0 && flush)
        must_find(table, NFT_CHAIN, name)->n_rules = 0;
    else if (strcmp(what, "chain") == 0)
        delete_chain(table, name);
    else if (strcmp(what, "rule") == 0)
        add_rule(table, name, command);
    else if (add)
        add_element(table, name, command);
    else
        delete_element(table, name, command);
}

static void apply(struct table *table, const struct plan *plan)
{
    for (int round = 0; round < NFT_N_ROUNDS; round++)
        for (size_t i = 0; i < plan->n_steps; i++) {
            const struct nft_change *change = plan->steps[i]->data;

            for (size_t j = 0; j < change->n_ops; j++)
                if ((int)change->ops[j].round == round)
                    run(table, change->ops[j].command);
        }
    nft_state_sort(&table->now);
}

static struct plan *plan_for(struct table *table, const struct intended *intended)
{
    static const struct nft_host host = {.forwards = false};
    struct nft_state wanted;
    struct plan *plan = plan_new();

    nft_want(intended, &host, &wanted);
    nft_diff(intended, &wanted, &table->now, plan);
    nft_state_done(&wanted);
    plan_sort(plan);
    return plan;
}

static void expect_settled(struct table *table, const struct intended *intended)
{
    struct plan *plan = plan_for(table, intended);

    if (plan->n_steps)
        fail_msg("still to do: %s: %s", plan->steps[0]->object, plan->steps[0]->summary);
    plan_free(plan);
}

static size_t pass(struct table *table, const struct intended *intended)
{
    struct plan *plan = plan_for(table, intended);
    size_t n = plan->n_steps;

    apply(table, plan);
    plan_free(plan);
    expect_settled(table, intended);
    return n;
}

static void expect_plan(struct table *table, struct ids *ids, const char *bio, const char *expected)
{
    struct intended *intended = net_fake_intended(ids, bio, NULL);
    struct plan *plan = plan_for(table, intended);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++)
        fprintf(out, "%s %s/%s: %s\n", step_action_name(plan->steps[i]->action),
                plan->steps[i]->tenant, plan->steps[i]->object, plan->steps[i]->summary);
    fclose(out);
    assert_string_equal(text, expected);
    apply(table, plan);
    plan_free(plan);
    expect_settled(table, intended);
    free(text);
    intended_unref(intended);
}

/* --- single cases ----------------------------------------------------------------------------- */

struct fixture {
    struct ids ids;
    struct table table;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    ids_init(&f->ids);
    nft_state_init(&f->table.now);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    nft_state_done(&f->table.now);
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
    assert_non_null(find_key(&f->table, "dhcp", "\"rseg1\""));
    assert_non_null(find_key(&f->table, "dns4", "\"rvrf1001\" . 10.1.0.1"));
    assert_non_null(find_key(&f->table, "forwarders4", "\"rvrf1001\" . 10.9.0.53"));
    assert_non_null(nft_state_find(&f->table.now, NFT_CHAIN, "services"));
    expect_plan(&f->table, &f->ids, PLAIN,
                "update /nftables: nftables table inet routerd: set dhcp, set dns4, set dns6, ...\n"
                "update bio/n: packet filter of rvrf1001: dhcp \"rseg1\", dns4 \"rvrf1001\" . "
                "10.1.0.1, forwarders4 \"rvrf1001\" . 10.9.0.53\n");
    assert_null(nft_state_find(&f->table.now, NFT_CHAIN, "services"));
    assert_null(find_key(&f->table, "dhcp", "\"rseg1\""));
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
    assert_non_null(find_key(&f->table, "own4", "\"rvrf1001\" . 10.1.0.1"));
    assert_non_null(find_key(&f->table, "peers4", "\"rvrf1001\" . 10.1.0.2"));
    expect_plan(
        &f->table, &f->ids, PLAIN EGRESS,
        "update /nftables: nftables table inet routerd: set leave, set out, set ports, ...\n"
        "update bio/n: packet filter of rvrf1001: chain leave1001, chain out1001, chain "
        "track1001, ...\n");
    assert_non_null(find_key(&f->table, "ports", "\"rseg1\""));
    assert_non_null(find_key(&f->table, "leave", "\"rvrf1001\" . \"wan0\""));
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
    struct plan *plan = plan_for(&f->table, changed);

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
    struct nft_state wanted;
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

    nft_want(intended, &host, &wanted);
    rule_of(&wanted, "track1001", "fib daddr . mark oifname != \"wan0\" meta mark set 0 notrack");
    rule_of(&wanted, "track1001", "ct original zone set 1002");
    rule_of(&wanted, "strict1001", "fib saddr . iif oif 0 drop");
    rule_of(&wanted, "leave1001", "snat ip to 203.0.113.9:16384-65535");
    rule_of(&wanted, "leave1001", "snat ip6 prefix to 2001:db8:5::/64");
    rule_of(&wanted, "publish1001_tcp_8022_ip203_0_113_9", "ip saddr != { 198.51.100.0/24 } drop");
    rule_of(&wanted, "publish1001_tcp_8022_ip203_0_113_9", "dnat ip to 10.1.0.5:22");
    rule_of(&wanted, "publish1001_udp_53_ip6_", "dnat ip6 to [2001:db8::5]:53");
    const struct nft_item *inbound = nft_state_find(&wanted, NFT_CHAIN, "inbound");
    assert_string_equal(inbound->rules[inbound->n_rules - 1], "drop");
    nft_state_done(&wanted);
    nft_want(intended, &router, &wanted); /* the host's own traffic is its own business */
    rule_of(&wanted, "inbound", "oifname \"rseg*\" drop");
    nft_state_done(&wanted);
    intended_unref(intended);
}

/* What was changed by hand is noticed by what is missing or strange, and only that is redone. */
static void test_repair(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, PLAIN EGRESS, NULL);

    pass(&f->table, intended);
    must_find(&f->table, NFT_CHAIN, "isolation")->n_rules--;
    assert_int_equal(pass(&f->table, intended), 1);
    must_find(&f->table, NFT_CHAIN, "out1001")->rules[0] = "";
    assert_int_equal(pass(&f->table, intended), 1);
    must_find(&f->table, NFT_CHAIN, "input")->broken = true;
    assert_int_equal(pass(&f->table, intended), 1);
    drop(&f->table, find_key(&f->table, "own4", "\"rvrf1001\" . 10.1.0.1"));
    assert_int_equal(pass(&f->table, intended), 1);
    nft_state_add(&f->table.now, 0, NFT_CHAIN, "stray", "")->broken = true;
    nft_state_sort(&f->table.now);
    assert_int_equal(pass(&f->table, intended), 1);
    flush_set(&f->table, "ports");
    must_find(&f->table, NFT_SET, "ports")->broken = true;
    assert_int_equal(pass(&f->table, intended), 2);
    intended_unref(intended);
}

static void test_dormant_and_foreign(void **state)
{
    struct fixture *f = *state;
    struct intended *intended = net_fake_intended(&f->ids, PLAIN, NULL);

    pass(&f->table, intended);
    f->table.now.dormant = true;
    struct plan *plan = plan_for(&f->table, intended);
    const struct nft_change *change = plan->steps[0]->data;

    assert_string_equal(change->ops[0].command, "delete table inet routerd");
    plan_free(plan);
    f->table.now.dormant = false;
    f->table.now.foreign = true;
    plan = plan_for(&f->table, intended);
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

static unsigned int pick(uint64_t *random, unsigned int n)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned int)(*random >> 33) % n;
}

static void write_links(FILE *out, uint64_t *random, unsigned int network)
{
    fputs("  asn: 65010\n  segments:\n", out);
    for (unsigned int i = 0; i < PARTS; i++)
        fprintf(
            out,
            "  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.%u.0.%u/24], "
            "strict_source: %s}\n",
            i, 2 + network * PARTS + i, i, 1 + pick(random, 2), pick(random, 2) ? "true" : "false");
    if (pick(random, 2))
        fprintf(
            out,
            "  tunnels:\n  - {name: t, profile: %s, uplink: wan, remote: 203.0.113.2, auth: {psk: "
            "{secret: s}}, inside: [\"2001:db8:5::1/64\"]}\n",
            pick(random, 2) ? "generic" : "narrow");
    if (pick(random, 2))
        fprintf(out, "  peers:\n  - {name: p, via: s0, address: 10.0.0.%u, asn: 64512}\n",
                5 + pick(random, 3));
}

static void write_egress(FILE *out, uint64_t *random, unsigned int network)
{
    if (pick(random, 2))
        return;
    fprintf(out, "  egress:\n    uplink: wan\n    nat: %s\n", pick(random, 3) ? "true" : "false");
    if (pick(random, 2))
        fprintf(out, "    address: 203.0.113.%u\n", 8 + pick(random, 2));
    if (pick(random, 2))
        fprintf(out, "    publish:\n    - {protocol: tcp, port: %u, to: 10.0.0.%u}\n",
                9000 + network, 5 + pick(random, 2));
}

static void write_pools(FILE *out, uint64_t *random)
{
    if (pick(random, 2))
        fprintf(out, "  pools:\n  - {name: p, prefix: 10.0.0.64/26, dhcp: %s, dns: %s}\n",
                pick(random, 2) ? "true" : "false",
                pick(random, 2) ? "true, forwarders: [10.1.0.9, 192.0.2.9]" : "false");
}

static struct intended *generate(struct ids *ids, uint64_t *random)
{
    char *texts[2];

    for (size_t i = 0; i < 2; i++) {
        size_t len;
        FILE *out = open_memstream(&texts[i], &len);

        for (unsigned int j = 0; j < NETWORKS; j++) {
            if (!pick(random, 2))
                continue;
            fprintf(out, "- name: n%u\n", j);
            write_links(out, random, j);
            write_pools(out, random);
            write_egress(out, random, j + (unsigned int)i * NETWORKS);
        }
        fclose(out);
    }
    struct intended *intended =
        net_fake_intended(ids, texts[0][0] ? texts[0] : NULL, texts[1][0] ? texts[1] : NULL);
    free(texts[0]);
    free(texts[1]);
    return intended;
}

static void meddle(struct table *table, uint64_t *random)
{
    if (!table->now.n_items)
        return;
    struct nft_item *item = table->now.items[pick(random, (unsigned int)table->now.n_items)];

    if (item->kind == NFT_CHAIN && item->n_rules)
        item->n_rules--;
    else if (item->kind == NFT_ELEMENT)
        drop(table, item);
    else if (item->kind == NFT_SET && pick(random, 2)) {
        flush_set(table, item->name);
        item->broken = true;
    }
}

static char *text_of(struct table *table)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < table->now.n_items; i++) {
        const struct nft_item *item = table->now.items[i];

        fprintf(out, "%u %d %s %s %s", item->number, (int)item->kind, item->name, item->text,
                item->comment);
        for (size_t j = 0; j < item->n_rules; j++)
            fprintf(out, " %s", item->rules[j]);
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

static void expect_as_built_afresh(struct table *table, const struct intended *intended)
{
    struct table fresh = {0};

    nft_state_init(&fresh.now);
    pass(&fresh, intended);
    char *text = text_of(table), *expected = text_of(&fresh);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
    nft_state_done(&fresh.now);
}

static void test_walks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct table table = {0};
        struct ids ids;
        uint64_t random = seed;

        ids_init(&ids);
        nft_state_init(&table.now);
        for (int i = 0; i < STEPS; i++) {
            struct intended *intended = generate(&ids, &random);

            for (unsigned int j = pick(&random, 3); j > 0; j--)
                meddle(&table, &random);
            pass(&table, intended);
            expect_as_built_afresh(&table, intended);
            intended_unref(intended);
        }
        nft_state_done(&table.now);
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
