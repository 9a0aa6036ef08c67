/* Prefix lists, community lists and route maps with our mark, and what refers to them. */
#include "bgp/bgp_config_parts.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a: it only makes a search quick; names are compared all the same. */
static uint64_t hash_name(enum bgp_policy_kind kind, const char *name)
{
    uint64_t hash = kind;

    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3U;
    }
    return hash;
}

static struct bgp_policy *policy_add(struct reader *reader, enum bgp_policy_kind kind,
                                     const char *name)
{
    struct bgp_state *state = reader->state;
    struct bgp_policy *policy = arena_alloc(state->arena, sizeof *policy);

    policy->kind = kind;
    policy->name = arena_strdup(state->arena, name);
    policy->name_hash = hash_name(kind, name);
    policy->body = "";
    reader->body = (struct bgp_text){.arena = state->arena, .text = ""};
    state->policies = arena_grow(state->arena, state->policies, state->n_policies,
                                 &state->policies_capacity, sizeof *state->policies);
    state->policies[state->n_policies++] = policy;
    return policy;
}

static void body_add(struct reader *reader, struct bgp_policy *policy, const char *text)
{
    bgp_text_add(&reader->body, text);
    policy->body = reader->body.text;
}

/* The policy that the lines before belong to, if it is that one, else a new one. */
static struct bgp_policy *policy_of(struct reader *reader, enum bgp_policy_kind kind,
                                    const char *name)
{
    struct bgp_state *state = reader->state;
    struct bgp_policy *last = state->n_policies ? state->policies[state->n_policies - 1] : NULL;

    return last && last->kind == kind && !strcmp(last->name, name) ? last
                                                                   : policy_add(reader, kind, name);
}

/* --- lists ----------------------------------------------------------------------------------- */

/* The prefix of a rule; "any" is all of the family. */
static bool rule_prefix(const char *word, int family, struct prefix *ret_prefix, uint8_t *ret_le)
{
    if (!strcmp(word, "any")) {
        *ret_prefix = (struct prefix){.addr = {.family = family}};
        *ret_le = (uint8_t)addr_bits(family);
        return true;
    }
    if (prefix_parse(word, ret_prefix) || ret_prefix->addr.family != family) {
        return false;
    }
    *ret_le = ret_prefix->len;
    return true;
}

/* "permit|deny PREFIX [ge N] [le N]" from word i on, in canonical form. */
static bool read_rule(const struct line *line, size_t i, int family, char text[BGP_LINE_BYTES])
{
    bool permit = line_is(line, i, "permit");
    struct prefix prefix;
    uint64_t ge = 0, value;
    uint8_t le;

    if (!(permit || line_is(line, i, "deny")) || i + 1 >= line->n_words ||
        !rule_prefix(line->words[i + 1], family, &prefix, &le)) {
        return false;
    }
    i += 2;
    if (line_is(line, i, "ge") && line_number(line, i + 1, prefix.len, addr_bits(family), &ge)) {
        le = (uint8_t)addr_bits(family);
        i += 2;
    }
    if (line_is(line, i, "le") && line_number(line, i + 1, prefix.len, addr_bits(family), &value)) {
        le = (uint8_t)value;
        i += 2;
    }
    if (i != line->n_words) {
        return false;
    }
    bgp_rule_print(permit, &prefix, (uint8_t)ge, le, text);
    return true;
}

/* "ip|ipv6 prefix-list NAME seq N RULE"; FRR prints them in the order in which they count. */
static void read_prefix_list(struct reader *reader, const struct line *line)
{
    int family = line_is(line, 0, "ip") ? AF_INET : AF_INET6;
    struct bgp_policy *policy;
    char text[BGP_LINE_BYTES];

    if (!bgp_starts(line->words[2], BGP_POLICY_MARK)) {
        return;
    }
    policy = policy_of(reader, family == AF_INET ? BGP_PREFIXES_IPV4 : BGP_PREFIXES_IPV6,
                       line->words[2]);
    config_begin(reader, NULL);
    config_count(reader, line);
    if (line_is(line, 3, "seq") && line->n_words > 5 && read_rule(line, 5, family, text)) {
        body_add(reader, policy, text);
    } else {
        body_add(reader, policy, line->n_words > 3 ? line_rest(line, 3) : "");
    }
}

/* "bgp community-list|large-community-list standard NAME seq N RULE" */
static void read_community_list(struct reader *reader, const struct line *line)
{
    bool large = line_is(line, 1, "large-community-list");
    struct bgp_policy *policy;

    if (!bgp_starts(line->words[3], BGP_POLICY_MARK)) {
        return;
    }
    policy = policy_of(reader, large ? BGP_LARGE_COMMUNITIES : BGP_COMMUNITIES, line->words[3]);
    config_begin(reader, NULL);
    config_count(reader, line);
    body_add(reader, policy,
             line->n_words > 6 && line_is(line, 4, "seq") ? line_rest(line, 6)
             : line->n_words > 4                          ? line_rest(line, 4)
                                                          : "");
}

/* --- route maps ------------------------------------------------------------------------------ */

/* "route-map NAME permit 10", or a further entry of the same. */
static void enter_map(struct reader *reader, const struct line *line)
{
    size_t before = reader->state->n_policies;

    if (!bgp_starts(line->words[1], BGP_POLICY_MARK)) {
        return;
    }
    config_begin(reader, line);
    config_count(reader, line);
    reader->map = policy_of(reader, BGP_MAP, line->words[1]);
    if (reader->state->n_policies == before || !line_is(line, 2, "permit") ||
        !line_is(line, 3, "10") || line->n_words != 4) {
        body_add(reader, reader->map, line->n_words > 2 ? line_rest(line, 2) : "");
    }
}

/* What a line matches by name: "match ip address prefix-list NAME". */
static const struct {
    const char *text; /* as it stands in a body */
    enum bgp_list list;
    enum bgp_policy_kind kind;
} MATCHES[] = {
    {"match ip address prefix-list", BGP_LIST_PREFIXES, BGP_PREFIXES_IPV4},
    {"match ipv6 address prefix-list", BGP_LIST_PREFIXES, BGP_PREFIXES_IPV6},
    {"match community", BGP_LIST_COMMUNITIES, BGP_COMMUNITIES},
    {"match large-community", BGP_LIST_LARGE, BGP_LARGE_COMMUNITIES},
};

/* False if it is not a reference to a list of ours, or to a second one of its sort. */
static bool read_match(struct reader *reader, const struct line *line)
{
    struct bgp_policy *map = reader->map;

    for (size_t i = 0; i < sizeof MATCHES / sizeof *MATCHES; i++) {
        size_t len = strlen(MATCHES[i].text);
        const struct bgp_policy **list = &map->lists[MATCHES[i].list];
        const char *name = line->text + len + 1;

        if (!bgp_starts(line->text, MATCHES[i].text) || line->text[len] != ' ' ||
            !bgp_starts(name, BGP_POLICY_MARK) || strchr(name, ' ') ||
            (*list && ((*list)->kind != MATCHES[i].kind || strcmp((*list)->name, name) != 0))) {
            continue;
        }
        if (!*list) {
            *list = config_reference(reader, MATCHES[i].kind, name);
        }
        body_add(reader, map, MATCHES[i].text);
        return true;
    }
    return false;
}

void config_map_line(struct reader *reader, const struct line *line)
{
    config_count(reader, line);
    if (!read_match(reader, line)) {
        body_add(reader, reader->map, line->text);
    }
}

bool config_policy(struct reader *reader, const struct line *line)
{
    if ((line_is(line, 0, "ip") || line_is(line, 0, "ipv6")) && line_is(line, 1, "prefix-list") &&
        line->n_words > 2) {
        read_prefix_list(reader, line);
    } else if (line_is(line, 0, "bgp") && line->n_words > 3 && line_is(line, 2, "standard") &&
               (line_is(line, 1, "community-list") || line_is(line, 1, "large-community-list"))) {
        read_community_list(reader, line);
    } else if (line_is(line, 0, "route-map") && line->n_words > 1) {
        enter_map(reader, line);
    } else {
        return false;
    }
    return true;
}

/* --- references ------------------------------------------------------------------------------ */

const struct bgp_policy *config_reference(struct reader *reader, enum bgp_policy_kind kind,
                                          const char *name)
{
    struct bgp_policy *policy = arena_alloc(reader->state->arena, sizeof *policy);

    policy->kind = kind;
    policy->name = arena_strdup(reader->state->arena, name);
    policy->name_hash = hash_name(kind, name);
    return policy;
}

static int cmp_names(const void *a_, const void *b_)
{
    const struct bgp_policy *const *a = a_, *const *b = b_;

    if ((*a)->name_hash != (*b)->name_hash) {
        return (*a)->name_hash < (*b)->name_hash ? -1 : 1;
    }
    return (*a)->kind != (*b)->kind ? ((*a)->kind < (*b)->kind ? -1 : 1)
                                    : strcmp((*a)->name, (*b)->name);
}

static void sort_names(struct bgp_state *state)
{
    if (state->n_policies > 1) {
        qsort(state->policies, state->n_policies, sizeof *state->policies, cmp_names);
    }
}

/* The policy of that kind and name, or null. If somebody wrote several: the first. */
static const struct bgp_policy *find_name(const struct bgp_state *state,
                                          const struct bgp_policy *reference)
{
    size_t low = 0, high = state->n_policies;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (state->policies[middle]->name_hash < reference->name_hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < state->n_policies; low++) {
        const struct bgp_policy *policy = state->policies[low];
        int order = cmp_names(&policy, &reference);

        if (order >= 0) {
            return order ? NULL : policy;
        }
    }
    return NULL;
}

/* Puts the policy that is meant into a reference; null where that is not one of ours. A name of
 * ours without a policy becomes one that is missing, so that a new one is not given that name: to a
 * peer that refers to it already it would come unnoticed. */
void config_resolve(struct bgp_state *state, const struct bgp_policy **reference)
{
    const struct bgp_policy *found = *reference ? find_name(state, *reference) : NULL;
    struct bgp_policy *missing;

    if (found || !*reference || !bgp_starts((*reference)->name, BGP_POLICY_MARK)) {
        *reference = found;
        return;
    }
    missing = arena_alloc(state->arena, sizeof *missing);
    *missing = (struct bgp_policy){.kind = (*reference)->kind,
                                   .name = (*reference)->name,
                                   .name_hash = (*reference)->name_hash,
                                   .body = "missing\n",
                                   .missing = true};
    bgp_policy_seal(missing);
    state->policies = arena_grow(state->arena, state->policies, state->n_policies,
                                 &state->policies_capacity, sizeof *state->policies);
    state->policies[state->n_policies++] = missing;
    sort_names(state);
    *reference = missing;
}

void config_seal_lists(struct bgp_state *block)
{
    for (size_t i = 0; i < block->n_policies; i++) {
        if (block->policies[i]->kind != BGP_MAP) {
            bgp_policy_seal(block->policies[i]);
        }
    }
}

/* What a map says is also what its lists say. */
void config_resolve_policies(struct bgp_state *state)
{
    size_t n = state->n_policies;
    struct bgp_policy **policies = arena_calloc(state->arena, n, sizeof *policies);

    if (n) {
        memcpy(policies, state->policies, n * sizeof *policies);
    }
    sort_names(state);
    for (size_t i = 0; i < n; i++) {
        if (policies[i]->kind == BGP_MAP) {
            for (size_t j = 0; j < BGP_LISTS; j++) {
                config_resolve(state, &policies[i]->lists[j]);
            }
            bgp_policy_seal(policies[i]);
        }
    }
}
