/* Reading FRR's configuration again takes from the last time what is the same: whatever the text,
 * the result is that of reading it for the first time, and that of reading it in one piece. */
#include "bgp/bgp_config.h"
#include "bgp_dump.h"
#include "chance.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 400, TEXTS = 30, LINES = 60 };

/* FNV-1a */
static uint64_t digest(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325U;

    for (; len; len--) {
        hash = (hash ^ *at++) * 0x100000001b3U;
    }
    return hash;
}

static size_t n_digested; /* bytes */

static uint64_t counting_digest(const void *bytes, size_t len)
{
    n_digested += len;
    return digest(bytes, len);
}

static const char *const POOL[] = {
    "frr defaults datacenter",
    "frr defaults traditional",
    "!",
    "",
    "exit",
    "router bgp 65010 vrf rvrf1001",
    "router bgp 65010 vrf rvrf1001",
    "router bgp 65010 vrf rvrf1002",
    "router bgp 65011 vrf rvrf1003",
    "router bgp 65010 vrf red",
    "router bgp",
    "\trouter bgp 65010 vrf rvrf1004",
    " bgp router-id 192.0.2.1",
    " no bgp default ipv4-unicast",
    " no bgp network import-check",
    " coalesce-time 13",
    " timers bgp 3 9",
    " neighbor 169.254.10.2 remote-as 64512",
    " neighbor 169.254.10.2 description bio/genome/peer/aws",
    " neighbor 169.254.10.2 password s3cret",
    " neighbor 169.254.10.2 password other",
    " neighbor 169.254.10.2 bfd profile routerd-300x3",
    " neighbor 2001:db8::2 remote-as 7",
    " neighbor 169.254.10.9 local-as 7",
    " address-family ipv4 unicast",
    " address-family ipv6 unicast",
    " address-family l2vpn evpn",
    "  network 10.1.0.0/24",
    "  network 10.7.0.0/24 route-map X",
    "  aggregate-address 10.0.0.0/8 summary-only",
    "  neighbor 169.254.10.2 activate",
    "  neighbor 169.254.10.2 prefix-list routerd-a in",
    "  neighbor 169.254.10.2 prefix-list routerd-b out",
    "  neighbor 169.254.10.2 prefix-list other out",
    "  neighbor 169.254.10.2 route-map routerd-m in",
    "  neighbor 169.254.10.2 route-map routerd-gone out",
    "  neighbor 2001:db8::2 prefix-list routerd-a in",
    " exit-address-family",
    "ip prefix-list other seq 5 permit any",
    "ip prefix-list routerd-a seq 5 deny 10.1.0.0/24 le 32",
    "ip prefix-list routerd-a seq 10 permit any",
    "ip prefix-list routerd-a\tseq 15 permit any",
    "  ip prefix-list routerd-a seq 5 permit any",
    "ip prefix-list routerd-b seq 5 permit 10.0.0.0/8 ge 9",
    "ip prefix-list routerd-b description ours",
    "ip prefix-list routerd-c seq 5 permit 10.0.0.0/8 ge 9",
    "ip prefix-list",
    "ipv6 prefix-list routerd-a seq 5 permit any",
    "bgp community-list standard routerd-c seq 5 permit 65000:1",
    "bgp community-list standard routerd-c seq 5 permit 65000:2",
    "bgp large-community-list standard routerd-c seq 5 permit 65000:1:1",
    "route-map routerd-m permit 10",
    "route-map routerd-m permit 20",
    "route-map routerd-m2 permit 10",
    "route-map FOREIGN permit 10",
    " match ip address prefix-list routerd-a",
    " match ip address prefix-list routerd-gone",
    " match community routerd-c",
    " match large-community routerd-c",
    " set metric 5",
    "bfd",
    " profile routerd-300x3",
    " profile routerd-900x5",
    "  detect-multiplier 5",
    "  transmit-interval 900",
    "  minimum-ttl 7",
    "LONG",
};

/* A text as lines of the pool. */
struct text {
    const char *lines[LINES];
    size_t n;
};

static const char *line_by_chance(struct chance *chance)
{
    return chance_word(chance, POOL, LENGTH(POOL));
}

static void text_insert(struct text *text, size_t at, const char *line)
{
    if (text->n < LINES) {
        memmove(&text->lines[at + 1], &text->lines[at], (text->n - at) * sizeof *text->lines);
        text->lines[at] = line;
        text->n++;
    }
}

static void text_remove(struct text *text, size_t at, size_t n)
{
    text->n -= n;
    memmove(&text->lines[at], &text->lines[at + n], (text->n - at) * sizeof *text->lines);
}

/* What was moved stands elsewhere, too, or only there. */
static void text_move(struct text *text, size_t from, size_t to, size_t n, bool stays)
{
    const char *moved[LINES];

    memcpy(moved, &text->lines[from], n * sizeof *moved);
    if (!stays) {
        text_remove(text, from, n);
    }
    for (size_t i = n; i-- > 0;) {
        text_insert(text, to < text->n ? to : text->n, moved[i]);
    }
}

static void text_change(struct chance *chance, struct text *text)
{
    size_t at = chance_below(chance, (unsigned int)text->n + 1);
    size_t n = chance_below(chance, 6);

    n = n < text->n - at ? n : text->n - at;
    switch (chance_below(chance, 4)) {
    case 0: text_remove(text, at, n); break;
    case 1:
        text_move(text, at, chance_below(chance, (unsigned int)text->n + 1), n,
                  chance_below(chance, 2));
        break;
    default: text_insert(text, at, line_by_chance(chance));
    }
}

static bool is_top(const char *line)
{
    return line[0] && line[0] != ' ' && line[0] != '!' && line[0] != '\t';
}

/* With a tab before each line of the top it says the same, and nothing begins a block. */
static char *text_print(const struct text *text, bool one_piece)
{
    char *printed = NULL;
    size_t len;
    FILE *out = open_memstream(&printed, &len);

    for (size_t i = 0; i < text->n; i++) {
        if (!strcmp(text->lines[i], "LONG")) {
            fprintf(out, "router bgp 65010 vrf rvrf%05000d\n", 5);
        } else {
            fprintf(out, "%s%s\n", one_piece && is_top(text->lines[i]) ? "\t" : "", text->lines[i]);
        }
    }
    fclose(out);
    return printed;
}

static struct bgp_state *parse(const char *text, const struct bgp_state *last)
{
    return bgp_config_parse(text, strlen(text), digest, last);
}

static void expect_equal(const struct bgp_state *a, const struct bgp_state *b, bool fingerprint,
                         const char *text)
{
    char *x = bgp_dump(a), *y = bgp_dump(b);
    const char *from_x = fingerprint ? x : strchr(x, '\n'),
               *from_y = fingerprint ? y : strchr(y, '\n');

    if (strcmp(from_x, from_y) != 0) {
        fail_msg("not the same:\n%s\nand:\n%s\nof:\n%s", x, y, text);
    }
    free(x);
    free(y);
}

static struct bgp_state *read_all_ways(const struct text *text, struct bgp_state *last)
{
    char *printed = text_print(text, false), *in_one = text_print(text, true);
    struct bgp_state *again = parse(printed, last), *fresh = parse(printed, NULL);
    struct bgp_state *whole = parse(in_one, NULL);

    assert_true(whole->n_parts <= 1);
    bgp_state_free(last); /* what is still pointed into stays */
    expect_equal(fresh, again, true, printed);
    expect_equal(whole, again, false, printed);
    bgp_state_free(fresh);
    bgp_state_free(whole);
    free(printed);
    free(in_one);
    return again;
}

static void test_any_text(void **state)
{
    (void)state;
    for (unsigned int seed = 1; seed <= SEEDS; seed++) {
        struct chance chance = {seed};
        struct text text = {.n = 0};
        struct bgp_state *seen = NULL;

        while (text.n < LINES / 2) {
            text_insert(&text, text.n, line_by_chance(&chance));
        }
        for (int i = 0; i < TEXTS; i++) {
            seen = read_all_ways(&text, seen);
            text_change(&chance, &text);
        }
        bgp_state_free(seen);
    }
}

static const char USUAL[] = "frr version 8.4.4\n"
                            "frr defaults traditional\n"
                            "!\n"
                            "router bgp 65010 vrf rvrf1001\n"
                            " neighbor 169.254.10.2 remote-as 64512\n"
                            " neighbor 169.254.10.2 password s3cret\n"
                            " address-family ipv4 unicast\n"
                            "  neighbor 169.254.10.2 prefix-list routerd-a in\n"
                            "  neighbor 169.254.10.2 route-map routerd-m in\n"
                            " exit-address-family\n"
                            "exit\n"
                            "!\n"
                            "router bgp 65010 vrf rvrf1002\n"
                            " neighbor 169.254.10.2 remote-as 64512\n"
                            "exit\n"
                            "!\n"
                            "ip prefix-list routerd-a seq 5 deny 10.1.0.0/24 le 32\n"
                            "ip prefix-list routerd-a seq 10 permit any\n"
                            "ip prefix-list routerd-b seq 5 permit any\n"
                            "!\n"
                            "route-map routerd-m permit 10\n"
                            " match ip address prefix-list routerd-b\n"
                            "exit\n"
                            "!\n"
                            "route-map routerd-m permit 20\n"
                            "exit\n"
                            "!\n"
                            "end\n";

static size_t n_shared(const struct bgp_state *a, const struct bgp_state *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_parts * b->n_parts; i++) {
        n += a->parts[i / b->n_parts] == b->parts[i % b->n_parts];
    }
    return n;
}

/* Instances and policies each are a block, and only what was changed is read. */
static void test_what_is_shared(void **state)
{
    struct bgp_state *first = parse(USUAL, NULL), *same = parse(USUAL, first), *other;
    char *text = strdup(USUAL);

    (void)state;
    assert_int_equal(first->n_parts, 6);
    assert_int_equal(n_shared(first, same), 6);
    bgp_state_free(same);
    strstr(text, "s3cret")[5] = 'T';
    other = parse(text, first);
    assert_int_equal(n_shared(first, other), 5);
    assert_true(first->instances[0].peers[0].password_digest !=
                other->instances[0].peers[0].password_digest);
    bgp_state_free(first);
    same = parse(USUAL, other);
    assert_int_equal(n_shared(same, other), 5);
    bgp_state_free(same);
    bgp_state_free(other);
    free(text);
}

/* The same lines mean something else after other ones. */
static void test_what_is_said_before_counts(void **state)
{
    static const char INSTANCE[] = "router bgp 65010 vrf rvrf1001\nexit\n";
    char text[200];
    struct bgp_state *first = parse(INSTANCE, NULL), *second;

    (void)state;
    snprintf(text, sizeof text, "frr defaults datacenter\n%s", INSTANCE);
    second = parse(text, first);
    assert_false(first->instances[0].logs);
    assert_true(second->instances[0].logs);
    bgp_state_free(first);
    bgp_state_free(second);
}

/* A policy in pieces is one policy, and each byte of a text is digested twice at most. */
static void test_a_policy_in_pieces(void **state)
{
    static const char TEXT[] = "ip prefix-list routerd-a seq 5 permit 10.0.0.0/8\n"
                               "router bgp 65010 vrf rvrf1001\n"
                               "ip prefix-list routerd-a seq 10 permit any\n";
    struct bgp_state *seen;

    (void)state;
    n_digested = 0;
    seen = bgp_config_parse(TEXT, strlen(TEXT), counting_digest, NULL);
    assert_int_equal(n_digested, 2 * strlen(TEXT));
    assert_int_equal(seen->n_policies, 1);
    assert_int_equal(seen->n_parts, 1);
    assert_string_equal(seen->policies[0]->body, "permit 10.0.0.0/8\npermit 0.0.0.0/0 le 32\n");
    bgp_state_free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_what_is_shared),
        cmocka_unit_test(test_what_is_said_before_counts),
        cmocka_unit_test(test_a_policy_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
