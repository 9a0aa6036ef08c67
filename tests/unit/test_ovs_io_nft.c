/* What a listing of libnftables 1.0.6 says of the limits of broadcasts, as it says it. */
#include "check.h"

#include "ovs/ovs_io.h"

#include <stdio.h>
#include <string.h>

#define MATCH(protocol, field, right)                                                 \
    "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"" protocol \
    "\", \"field\": \"" field "\"}}, \"right\": " right "}}, "
#define TO_ALL MATCH("ether", "daddr", "\"ff:ff:ff:ff:ff:ff\"")
#define RATE(rate) \
    "{\"limit\": {\"rate\": " rate ", \"burst\": " rate ", \"per\": \"second\", \"inv\": true}}, "
#define DROP "{\"drop\": null}"
#define CHAIN(more)                                                           \
    "{\"chain\": {\"family\": \"netdev\", \"table\": \"routerd\", \"name\": " \
    "\"on-ens5\", \"handle\": 1, \"type\": \"filter\"" more "}}"
#define HOOKED CHAIN(", \"hook\": \"ingress\", \"prio\": -200, \"policy\": \"accept\"")

/* The keys that are seen of one chain with one rule, sorted, with commas. */
static const char *keys(const char *chain, const char *expr)
{
    static char text[256];
    char listing[4096];
    struct ovs_state *state;

    snprintf(listing, sizeof listing,
             "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}, {\"table\": {\"family\": "
             "\"netdev\", \"name\": \"routerd\", \"handle\": 1}}, %s, {\"rule\": {\"family\": "
             "\"netdev\", \"table\": \"routerd\", \"chain\": \"on-ens5\", \"handle\": 2, "
             "\"comment\": \"10 100\", \"expr\": [%s]}}]}",
             chain, expr);
    state = ovs_nft_read(listing);
    ovs_state_sort_limits(state);
    text[0] = '\0';
    for (size_t i = 0; i < state->n_limits; i++) {
        assert_string_equal(state->limits[i].chain, "on-ens5");
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "",
                 state->limits[i].key);
    }
    ovs_state_free(state);
    return text;
}

static void test_a_rule_is_what_it_does(void **state)
{
    (void)state;
    assert_string_equal(keys(HOOKED, TO_ALL MATCH("vlan", "id", "10") RATE("100") DROP), "10 100");
    assert_string_equal(
        keys(HOOKED, TO_ALL MATCH("ether", "type", "\"8021ad\"") MATCH("vlan", "id", "20") MATCH(
                         "vlan", "type", "\"8021q\"") MATCH("vlan", "id", "30") RATE("5") DROP),
        "20.30 5");
    assert_string_equal(keys(HOOKED,
                             TO_ALL MATCH("vlan", "id", "20") MATCH("vlan", "type", "\"8021q\"")
                                 MATCH("vlan", "id", "30") RATE("5") DROP),
                        "20.30q 5");
    assert_string_equal(keys(HOOKED, TO_ALL MATCH("ether", "type", "\"8021q\"")
                                         MATCH("vlan", "id", "10") RATE("100") DROP),
                        "10 100");
}

/* Each has the comment of a rule of ours still. */
static void test_a_rule_changed_by_hand(void **state)
{
    (void)state;
    static const char *const changed[] = {
        TO_ALL MATCH("vlan", "id", "10") RATE("100") "{\"accept\": null}",
        TO_ALL MATCH("vlan", "id", "10") RATE("100") "{\"counter\": {\"packets\": 0}}, " DROP,
        TO_ALL MATCH("vlan", "id", "10") RATE("100") DROP ", {\"counter\": {\"packets\": 0}}",
        TO_ALL MATCH("vlan", "id", "10") DROP,
        TO_ALL MATCH("vlan", "id", "{\"range\": [10, 20]}") RATE("100") DROP,
        TO_ALL RATE("100") DROP,
        MATCH("vlan", "id", "10") RATE("100") DROP,
        MATCH("ether", "daddr", "\"ff:ff:ff:ff:ff:fe\"") MATCH("vlan", "id", "10") RATE("100") DROP,
        TO_ALL MATCH("ether", "type", "\"8021ad\"") MATCH("vlan", "id", "10") RATE("100") DROP,
        TO_ALL MATCH("vlan", "id", "10") "{\"limit\": {\"rate\": 100, \"burst\": 100, \"per\": "
                                         "\"second\"}}, " DROP,
        TO_ALL MATCH("vlan", "id", "10") "{\"limit\": {\"rate\": 100, \"burst\": 100, \"per\": "
                                         "\"hour\", \"inv\": true}}, " DROP,
        TO_ALL MATCH("vlan", "id", "10") "{\"limit\": {\"rate\": 100, \"burst\": 5, \"per\": "
                                         "\"second\", \"inv\": true}}, " DROP,
        TO_ALL MATCH("vlan", "id",
                     "10") "{\"limit\": {\"rate\": 100, \"burst\": 100, \"per\": "
                           "\"second\", \"inv\": true, \"rate_unit\": \"kbytes\"}}, " DROP,
        "",
    };

    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        assert_string_equal(keys(HOOKED, changed[i]), "");
    }
    assert_string_equal(keys(HOOKED, TO_ALL MATCH("vlan", "id", "10") RATE("9000") DROP),
                        "10 9000");
}

static void test_a_chain_changed_by_hand(void **state)
{
    (void)state;
    static const char *const changed[] = {
        CHAIN(", \"hook\": \"ingress\", \"prio\": -200, \"policy\": \"drop\""),
        CHAIN(", \"hook\": \"ingress\", \"prio\": 0, \"policy\": \"accept\""),
        CHAIN(", \"hook\": \"egress\", \"prio\": -200, \"policy\": \"accept\""),
        CHAIN(""),
    };

    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        assert_string_equal(keys(changed[i], TO_ALL MATCH("vlan", "id", "10") RATE("100") DROP),
                            ",10 100");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_is_what_it_does),
        cmocka_unit_test(test_a_rule_changed_by_hand),
        cmocka_unit_test(test_a_chain_changed_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
