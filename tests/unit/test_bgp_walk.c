/* Random walks through topologies on a bgpd in memory: after each pass nothing is left to do, what
 * others made is untouched, and the end is the same as if it had been built at once. */
#include "bgp_fake.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS = 40, STEPS = 12, NETWORKS = 4, PEERS = 4 };

static uint32_t random_state;

static unsigned int below(unsigned int n)
{
    random_state = random_state * 1664525U + 1013904223U;
    return (random_state >> 8) % n;
}

static const char *pick(const char *const *words, unsigned int n)
{
    return words[below(n)];
}

static void print_policy(FILE *out)
{
    static const char *const IMPORTS[] = {
        "",
        ", import: {prefixes: []}",
        ", import: {prefixes: [\"10.0.0.0/8 le 24\", \"2001:db8::/32 ge 48\"]}",
        ", import: {max_prefixes: 9}",
        ", import: {communities: [\"65000:1\", \"1:2:3\", no-export], local_preference: 200}",
        (", import: {prefixes: [10.3.0.0/16, \"2001:db8:3::/48\"], communities: [\"65000:2\"], "
         "set_communities: [\"65000:9\", \"65000:8\"]}"),
        ", import: {communities: [\"4:5:6\"], max_prefixes: 7}",
        ", import: {set_communities: [\"7:7:7\", \"65000:8\"], local_preference: 0}",
        ", import: {prefixes: [\"10.2.0.0/16 ge 20 le 28\", 10.3.0.0/16], max_prefixes: 100}",
    };
    static const char *const EXPORTS[] = {
        "",
        ", export: {prepend: 3}",
        ", export: {prefixes: [10.1.0.0/24, \"10.0.0.0/8 ge 24 le 24\"], med: 0}",
        ", export: {prefixes: [], prepend: 1, med: 4294967295}",
        ", export: {communities: [\"65000:1\"], max_prefixes: 50, default_originate: true}",
        ", export: {communities: [\"65000:1\"], set_communities: [\"3:2:1\"], prepend: 2}",
        ", export: {default_originate: true, max_prefixes: 51}",
    };
    static const char *const PASSWORDS[] = {"", "", ", password: {secret: a}",
                                            ", password: {secret: b}"};

    static const char *const BFDS[] = {"",
                                       "",
                                       ", bfd: true",
                                       ", bfd: {interval: 900}",
                                       ", bfd: {multiplier: 5}",
                                       ", ttl_security: true"};
    static const char *const FAMILIES[] = {"", "", ", families: [ipv4, ipv6]", ", families: [ipv6]",
                                           ", families: [ipv4]"};
    static const char *const FLAGS[] = {"",
                                        ", graceful_restart: true",
                                        ", allowas_in: 3",
                                        ", allowas_in: 1, as_override: true",
                                        ", timers: {keepalive: 3, hold: 9}",
                                        ", timers: {connect_retry: 20}, graceful_restart: false"};

    fprintf(out, "%s%s%s%s%s%s}\n", pick(IMPORTS, LENGTH(IMPORTS)), pick(EXPORTS, LENGTH(EXPORTS)),
            pick(PASSWORDS, LENGTH(PASSWORDS)), pick(BFDS, LENGTH(BFDS)),
            pick(FAMILIES, LENGTH(FAMILIES)), pick(FLAGS, LENGTH(FLAGS)));
}

static void print_peers(FILE *out)
{
    unsigned int n = below(PEERS + 1);

    fprintf(out, "  peers:%s\n", n ? "" : " []");
    for (unsigned int i = 0; i < n; i++) {
        if (below(3)) {
            fprintf(out, "  - {name: p%u, via: dx, address: 169.254.10.%u, asn: %u", i, i + 2,
                    64512 + below(2));
        } else {
            fprintf(out, "  - {name: p%u, via: six, address: \"2001:db8:9::%u\", asn: %u", i, i + 2,
                    64600 + below(2));
        }
        print_policy(out);
    }
}

static void print_network(FILE *out, unsigned int i, unsigned int vlans)
{
    static const char *const ASNS[] = {"", "  asn: 65020\n"};
    static const char *const ROUTES[] = {
        "", "  routes:\n  - {prefix: 10.0.0.0/8, blackhole: true}\n",
        ("  routes:\n  - {prefix: 10.8.0.0/16, via: 10.1.0.9}\n  - {prefix: \"2001:db8:f::/48\", "
         "blackhole: true}\n")};
    static const char *const AGGREGATES[] = {
        "", "  aggregates: [{prefix: 10.0.0.0/8}, {prefix: \"2001:db8::/32\"}]\n",
        "  aggregates: [{prefix: 10.0.0.0/8, summary_only: true}, {prefix: 10.64.0.0/10}]\n"};
    unsigned int vlan = vlans + 10 * i;

    fprintf(out,
            "- name: net%u\n%s  segments:\n"
            "  - {name: campus, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.1.0.1/24]}\n"
            "  - {name: dx, attachments: [{uplink: sinet, vlan: %u}], gateway: [169.254.10.1/27, "
            "\"2001:db8:a::1/64\"]}\n"
            "  - {name: six, attachments: [{uplink: sinet, vlan: %u}], gateway: "
            "[\"2001:db8:9::1/64\", 10.9.9.1/24]}\n",
            i, pick(ASNS, 2), vlan, vlan + 1, vlan + 2);
    if (below(2)) {
        fprintf(out,
                "  - {name: lab, attachments: [{uplink: sinet, vlan: %u}], gateway: "
                "[10.%u.0.1/24]}\n",
                vlan + 3, 5 + below(3));
    }
    print_peers(out);
    fprintf(out, "%s%s", pick(ROUTES, LENGTH(ROUTES)), pick(AGGREGATES, LENGTH(AGGREGATES)));
}

/* A tenant's networks; null for none. */
static char *random_networks(unsigned int vlans)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    for (unsigned int i = 0; i < NETWORKS; i++) {
        if (below(4)) {
            print_network(out, i, vlans);
        }
    }
    fclose(out);
    if (!len) {
        free(text);
        return NULL;
    }
    return text;
}

static struct intended *random_intended(struct ids *ids)
{
    char *bio = random_networks(100), *phys = random_networks(2100);
    struct intended *intended = bgp_fake_intended(ids, bio, phys);

    free(bio);
    free(phys);
    return intended;
}

static int cmp_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The configuration without its order: instances and policies stay where they were made. */
static char *sorted(const struct bgp_fake *fake)
{
    char **lines = calloc(fake->n_lines + 1, sizeof *lines);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    memcpy(lines, fake->lines, fake->n_lines * sizeof *lines);
    qsort(lines, fake->n_lines, sizeof *lines, cmp_lines);
    for (size_t i = 0; i < fake->n_lines; i++) {
        fprintf(out, "%s\n", lines[i]);
    }
    fclose(out);
    free(lines);
    return text;
}

static void add_foreign(struct bgp_fake *fake)
{
    bgp_fake_type_all(fake, "configure terminal\n"
                            "ip prefix-list FOREIGN seq 5 permit 10.0.0.0/8 le 24\n"
                            "route-map FOREIGN permit 10\n"
                            "match ip address prefix-list FOREIGN\n"
                            "exit\n"
                            "router bgp 65010 vrf red\n"
                            "neighbor 169.254.10.2 remote-as 64512\n"
                            "address-family ipv4 unicast\n"
                            "redistribute connected\n"
                            "end");
}

/* The same as if it had been built from nothing. */
static void expect_fresh(const struct bgp_fake *fake, const struct intended *intended)
{
    struct bgp_fake fresh;
    char *walked = sorted(fake), *built;

    bgp_fake_init(&fresh);
    add_foreign(&fresh);
    bgp_fake_pass(&fresh, intended);
    built = sorted(&fresh);
    assert_string_equal(walked, built);
    free(walked);
    free(built);
    bgp_fake_done(&fresh);
}

static void walk(uint32_t seed)
{
    struct bgp_fake fake;
    struct ids ids;
    char *foreign, *after;

    random_state = seed;
    bgp_fake_init(&fake);
    ids_init(&ids);
    add_foreign(&fake);
    foreign = bgp_fake_foreign(&fake);
    for (int i = 0; i < STEPS; i++) {
        struct intended *intended = random_intended(&ids);

        bgp_fake_pass(&fake, intended);
        if (i + 1 == STEPS) {
            expect_fresh(&fake, intended);
        }
        intended_unref(intended);
        after = bgp_fake_foreign(&fake);
        assert_string_equal(after, foreign);
        free(after);
    }
    free(foreign);
    bgp_fake_done(&fake);
    ids_done(&ids);
}

static void test_walks(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= WALKS; seed++) {
        walk(seed);
    }
    bgp_fake_world_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
