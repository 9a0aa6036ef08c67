/* What bgpd should hold is made of what is kept of each tenant: it is always what would be made
 * from nothing. */
#include "bgp/bgp_want.h"
#include "bgp_dump.h"
#include "bgp_fake.h"
#include "chance.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 30, CHANGES = 40, STATES = 6 };

/* Secrets, each with the number of times that it was changed. */
struct secrets {
    unsigned int changes[2]; /* of a and b */
    unsigned int reads;
    char problem[40];
};

static unsigned int *changes_of(struct secrets *secrets, const char *name)
{
    return &secrets->changes[!strcmp(name, "b")];
}

/* A secret that was changed three times cannot be read. */
static int digest(void *secrets_, const char *name, uint64_t *ret_digest, const char **ret_problem)
{
    struct secrets *secrets = secrets_;
    unsigned int changes = *changes_of(secrets, name);

    secrets->reads++;
    if (changes % 4 == 3) {
        snprintf(secrets->problem, sizeof secrets->problem, "%s is no secret now", name);
        *ret_problem = secrets->problem;
        return -2;
    }
    *ret_digest = 100 * (uint64_t)name[0] + changes;
    return 0;
}

static uint64_t stamp(void *secrets_, const char *name)
{
    return *changes_of(secrets_, name);
}

#define NETWORK(name, vlan, rest)                                                                  \
    "- name: " name "\n"                                                                           \
    "  segments:\n"                                                                                \
    "  - {name: dx, attachments: [{uplink: sinet, vlan: " vlan "}], gateway: [169.254.10.1/24]}\n" \
    "  peers:\n" rest
#define PEER(number, rest) \
    "  - {name: p" number ", via: dx, address: 169.254.10.1" number ", asn: 64512" rest "}\n"

/* A tenant's networks, with which first VLAN's digits; some policies and timers are in several. */
#define NETWORKS(vlans)                                                                         \
    {                                                                                           \
        NULL, NETWORK("one", vlans "1", PEER("1", "")),                                         \
            NETWORK("one", vlans "1",                                                           \
                    PEER("1", ", password: {secret: a}") PEER("2", ", bfd: true")),             \
            NETWORK("one", vlans "1",                                                           \
                    PEER("1", ", export: {communities: [\"65000:1\"], prepend: 2}"))            \
                NETWORK("two", vlans "2",                                                       \
                        PEER("1", ", import: {prefixes: [10.0.0.0/8]}, bfd: {interval: 900}")), \
            NETWORK("two", vlans "2",                                                           \
                    PEER("1", ", password: {secret: b}")                                        \
                        PEER("2", ", password: {secret: a}, import: {max_prefixes: 9}") PEER(   \
                            "3", ", password: {secret: b}, bfd: true, export: {prepend: 2}")),  \
    }

static const char *const BIO[] = NETWORKS("1"), *const PHYS[] = NETWORKS("200");

/* How many policies there are more than one of. */
static size_t n_twice(const struct bgp_state *state)
{
    size_t n = 0;

    for (size_t i = 1; i < state->n_policies; i++) {
        n += !bgp_policy_cmp(state->policies[i - 1], state->policies[i]);
    }
    return n;
}

static void expect_fresh(const struct intended *intended, struct tenant_parts *kept,
                         struct secrets *secrets)
{
    const struct bgp_passwords passwords = {digest, stamp, secrets};
    struct tenant_parts none = {0};
    struct bgp_state *wanted, *fresh = bgp_want(intended, &none, &passwords);
    char *a, *b;

    if (bgp_want_is_stale(kept, &passwords)) {
        bgp_want_forget(kept);
    }
    wanted = bgp_want(intended, kept, &passwords);
    bgp_want_forget(&none);
    a = bgp_dump(wanted);
    b = bgp_dump(fresh);
    assert_string_equal(a, b);
    assert_int_equal(n_twice(wanted), 0);
    free(a);
    free(b);
    bgp_state_free(wanted);
    bgp_state_free(fresh);
}

/* A tenant gets other networks, a secret changes, or an earlier state comes back. */
static void change(struct chance *chance, struct intended **states, struct ids *ids,
                   struct secrets *secrets)
{
    unsigned int from = chance_below(chance, STATES), to = chance_below(chance, STATES);
    struct intended *next;

    switch (chance_below(chance, 5)) {
    case 0: secrets->changes[chance_below(chance, 2)]++; return;
    case 1: next = intended_ref(states[from]); break;
    case 2:
        next = bgp_fake_change(states[from], ids, "bio", chance_word(chance, BIO, LENGTH(BIO)));
        break;
    case 3: next = intended_with_config(states[from], states[from]->config); break;
    default:
        next = bgp_fake_change(states[from], ids, "phys", chance_word(chance, PHYS, LENGTH(PHYS)));
    }
    intended_unref(states[to]);
    states[to] = next;
}

static void walk(unsigned int seed)
{
    struct chance chance = {seed};
    struct secrets secrets = {.reads = 0};
    struct tenant_parts kept = {0};
    struct intended *states[STATES];
    struct ids ids;

    ids_init(&ids);
    for (size_t i = 0; i < STATES; i++) {
        states[i] = bgp_fake_intended(&ids, BIO[i % LENGTH(BIO)], PHYS[i % LENGTH(PHYS)]);
    }
    for (int i = 0; i < CHANGES; i++) {
        expect_fresh(states[chance_below(&chance, STATES)], &kept, &secrets);
        change(&chance, states, &ids, &secrets);
    }
    bgp_want_forget(&kept);
    for (size_t i = 0; i < STATES; i++) {
        intended_unref(states[i]);
    }
    ids_done(&ids);
}

static void test_what_is_kept_is_as_fresh(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= SEEDS; seed++) {
        walk(seed);
    }
    bgp_fake_world_done();
}

/* A secret is read for the tenant that was changed only, or when it was changed itself. */
static void test_what_is_read(void **state)
{
    struct secrets secrets = {.reads = 0};
    const struct bgp_passwords passwords = {digest, stamp, &secrets};
    struct tenant_parts kept = {0};
    struct intended *before, *after;
    struct bgp_state *wanted;
    struct ids ids;

    (void)state;
    ids_init(&ids);
    before = bgp_fake_intended(&ids, BIO[4], PHYS[4]);
    after = bgp_fake_change(before, &ids, "bio", BIO[2]);
    wanted = bgp_want(before, &kept, &passwords);
    assert_int_equal(secrets.reads, 6);
    bgp_state_free(wanted);
    wanted = bgp_want(after, &kept, &passwords);
    assert_int_equal(secrets.reads, 7);
    secrets.changes[0]++;
    assert_true(bgp_want_is_stale(&kept, &passwords));
    bgp_want_forget(&kept);
    assert_false(bgp_want_is_stale(&kept, &passwords));
    assert_int_equal(wanted->n_instances, 2); /* it still has what it was made of */
    assert_string_equal(wanted->instances[1].peers[0].description, "bio/one/peer/p1");
    bgp_state_free(wanted);
    intended_unref(before);
    intended_unref(after);
    ids_done(&ids);
    bgp_fake_world_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept_is_as_fresh),
        cmocka_unit_test(test_what_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
