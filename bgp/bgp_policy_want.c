/* The policies of a peer: what is wanted, each once for all peers that want the same. */
#include "bgp/bgp_want_parts.h"

#include "model/community.h"

#include <stdlib.h>
#include <string.h>

/* A rule twice is refused by FRR without a word; the first of two decides anyway. */
static void body_add_rule(struct bgp_text *body, bool permit, const struct prefix *prefix,
                          uint8_t ge, uint8_t le)
{
    struct prefix network = prefix_network(prefix);
    char line[BGP_LINE_BYTES + 1];
    const char *found;
    size_t len;

    bgp_rule_print(permit, &network, ge, le, line);
    len = strlen(line);
    line[len] = '\n';
    line[len + 1] = '\0';
    found = strstr(body->text, line);
    line[len] = '\0';
    if (!found || (found > body->text && found[-1] != '\n')) {
        bgp_text_add(body, line);
    }
}

static void want_rehash(struct want *want)
{
    struct bgp_state *state = want->state;

    want->n_slots = want->n_slots ? want->n_slots * 2 : 64;
    want->slots = arena_calloc(state->arena, want->n_slots, sizeof *want->slots);
    for (size_t i = 0; i < state->n_policies; i++) {
        size_t slot = state->policies[i]->digest & (want->n_slots - 1);

        while (want->slots[slot]) {
            slot = (slot + 1) & (want->n_slots - 1);
        }
        want->slots[slot] = state->policies[i];
    }
}

/* The policy that says what `key` says, made if it is the first. */
static const struct bgp_policy *want_policy(struct want *want, struct bgp_policy key)
{
    struct bgp_state *state = want->state;
    size_t slot;

    if (state->n_policies * 2 >= want->n_slots) {
        want_rehash(want);
    }
    bgp_policy_seal(&key);
    slot = key.digest & (want->n_slots - 1);
    while (want->slots[slot]) {
        if (!bgp_policy_cmp(want->slots[slot], &key)) {
            return want->slots[slot];
        }
        slot = (slot + 1) & (want->n_slots - 1);
    }
    want->slots[slot] = arena_alloc(state->arena, sizeof key);
    *want->slots[slot] = key;
    state->policies = arena_grow(state->arena, state->policies, state->n_policies,
                                 &state->policies_capacity, sizeof *state->policies);
    state->policies[state->n_policies++] = want->slots[slot];
    return want->slots[slot];
}

static void body_add_rules(struct bgp_text *body, int family, const struct prefix_rule *rules,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rules[i].prefix.addr.family == family) {
            body_add_rule(body, true, &rules[i].prefix, rules[i].ge, rules[i].le);
        }
    }
}

static void body_deny_inside(struct bgp_text *body, int family, const struct prefix *prefixes,
                             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (prefixes[i].addr.family == family) {
            body_add_rule(body, false, &prefixes[i], prefixes[i].len, (uint8_t)addr_bits(family));
        }
    }
}

/* Any prefix but the network's own and the default route. */
static void body_add_safe_import(struct bgp_text *body, int family, const struct network *network)
{
    struct prefix any = {.addr = {.family = family}};

    for (size_t i = 0; i < network->n_segments; i++) {
        body_deny_inside(body, family, network->segments[i].gateways,
                         network->segments[i].n_gateways);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        body_deny_inside(body, family, network->tunnels[i].inside, network->tunnels[i].n_inside);
    }
    body_add_rule(body, true, &any, 1, (uint8_t)addr_bits(family));
}

/* A peer is on its link itself. One that takes the link's prefix from us all the same may prefer
 * that to its own interface, and then finds no way to its next hop. */
static void body_deny_link(struct bgp_text *body, int family, const struct peer *peer)
{
    const struct prefix *prefixes = peer->segment ? peer->segment->gateways : peer->tunnel->inside;
    size_t n = peer->segment ? peer->segment->n_gateways : peer->tunnel->n_inside;

    for (size_t i = 0; i < n; i++) {
        bool other = family != peer->address.family; /* any of it may be the peer's */

        if (prefixes[i].addr.family == family && !addr_is_link_local(&prefixes[i].addr) &&
            (other || prefix_contains(&prefixes[i], &peer->address))) {
            body_add_rule(body, false, &prefixes[i], prefixes[i].len, prefixes[i].len);
        }
    }
}

/* All that the network has and learns, but nothing that is only good on one link. */
static void body_add_safe_export(struct bgp_text *body, int family, const struct peer *peer)
{
    struct prefix any = {.addr = {.family = family}};
    struct prefix link = any;
    uint8_t bits = (uint8_t)addr_bits(family);

    if (family == AF_INET) {
        memcpy(link.addr.bytes, (uint8_t[]){169, 254}, 2);
        link.len = 16;
    } else {
        memcpy(link.addr.bytes, (uint8_t[]){0xfe, 0x80}, 2);
        link.len = 10;
    }
    body_add_rule(body, false, &link, link.len, bits);
    body_deny_link(body, family, peer);
    body_add_rule(body, true, &any, 0, bits);
}

/* FRR takes a list without rules as "permit all", so a list that lets nothing through says so. */
static const struct bgp_policy *want_prefixes(struct want *want, int family, struct bgp_text *body)
{
    struct prefix any = {.addr = {.family = family}};

    if (!body->text[0]) {
        body_add_rule(body, false, &any, 0, (uint8_t)addr_bits(family));
    }
    return want_policy(
        want, (struct bgp_policy){.kind = family == AF_INET ? BGP_PREFIXES_IPV4 : BGP_PREFIXES_IPV6,
                                  .body = body->text});
}

/* --- route maps ------------------------------------------------------------------------------- */

static int cmp_communities(const void *a, const void *b)
{
    return community_cmp(a, b);
}

/* Sorted, each once, as FRR keeps them. */
static struct communities sorted(struct arena *arena, const struct communities *communities)
{
    struct communities copy = {arena_calloc(arena, communities->n, sizeof *copy.items), 0};

    for (size_t i = 0; i < communities->n; i++) {
        copy.items[copy.n++] = communities->items[i];
    }
    if (copy.n > 1) {
        qsort(copy.items, copy.n, sizeof *copy.items, cmp_communities);
    }
    for (size_t i = copy.n; i-- > 1;) {
        if (!community_cmp(&copy.items[i], &copy.items[i - 1])) {
            memmove(&copy.items[i], &copy.items[i + 1], (copy.n - i - 1) * sizeof *copy.items);
            copy.n--;
        }
    }
    return copy;
}

/* The list that matches a route with any of those of one kind; null if there are none. */
static const struct bgp_policy *want_communities(struct want *want,
                                                 const struct communities *communities, bool large)
{
    struct communities list = sorted(want->state->arena, communities);
    struct bgp_text body = {.arena = want->state->arena, .text = ""};
    char text[COMMUNITY_TEXT];

    for (size_t i = 0; i < list.n; i++) {
        if (list.items[i].large == large) {
            bgp_text_add(&body, arena_printf(body.arena, "permit %s",
                                             community_print(&list.items[i], text)));
        }
    }
    return body.text[0]
               ? want_policy(want, (struct bgp_policy){.kind = large ? BGP_LARGE_COMMUNITIES
                                                                     : BGP_COMMUNITIES,
                                                       .body = body.text})
               : NULL;
}

/* "set community 65000:1 65000:2 additive", of one kind. */
static void body_set_communities(struct bgp_text *body, const struct communities *communities,
                                 bool large)
{
    struct communities list = sorted(body->arena, communities);
    const char *line = large ? "set large-community" : "set community";
    size_t n = 0;
    char text[COMMUNITY_TEXT];

    for (size_t i = 0; i < list.n; i++) {
        if (list.items[i].large == large) {
            line = arena_printf(body->arena, "%s %s", line, community_print(&list.items[i], text));
            n++;
        }
    }
    if (n) {
        bgp_text_add(body, arena_printf(body->arena, "%s additive", line));
    }
}

/* What a map does to the routes that it lets pass. */
static const char *want_sets(struct want *want, const struct peer *peer, bool in)
{
    struct bgp_text body = {.arena = want->state->arena, .text = ""};
    const struct communities *set = in ? &peer->import_set : &peer->export_set;

    body_set_communities(&body, set, false);
    body_set_communities(&body, set, true);
    if (in && peer->has_import_local_preference) {
        bgp_text_add(&body, arena_printf(body.arena, "set local-preference %u",
                                         peer->import_local_preference));
    }
    if (!in && peer->export_prepend) {
        const char *line = "set as-path prepend";

        for (int i = 0; i < peer->export_prepend; i++) {
            line = arena_printf(body.arena, "%s %u", line, want->network->asn);
        }
        bgp_text_add(&body, line);
    }
    if (!in && peer->has_export_med) {
        bgp_text_add(&body, arena_printf(body.arena, "set metric %u", peer->export_med));
    }
    return body.text;
}

/* An entry for those with one of the communities, and one for those with one of the large ones. The
 * map repeats the list of prefixes that stands beside it, so that while a peer is switched from
 * both to others no route passes that neither the old nor the new ones let through. */
static const struct bgp_policy *want_map(struct want *want, int family, const struct peer *peer,
                                         const struct bgp_policy *prefixes, bool in)
{
    const struct communities *match = in ? &peer->import_communities : &peer->export_communities;
    const struct bgp_policy *plain = want_communities(want, match, false);
    const struct bgp_policy *large = want_communities(want, match, true);
    const char *sets = want_sets(want, peer, in);
    const char *head =
        family == AF_INET ? "match ip address prefix-list\n" : "match ipv6 address prefix-list\n";
    struct arena *arena = want->state->arena;
    struct bgp_policy map = {.kind = BGP_MAP, .body = sets, .lists = {NULL, plain, large}};

    if (!plain && !large) {
        return sets[0] ? want_policy(want, map) : NULL;
    }
    map.lists[BGP_LIST_PREFIXES] = prefixes;
    map.body = arena_printf(arena, "%s%s%s", head,
                            plain ? "match community\n" : "match large-community\n", sets);
    if (plain && large) {
        map.body =
            arena_printf(arena, "%spermit 20\n%smatch large-community\n%s", map.body, head, sets);
    }
    return want_policy(want, map);
}

void want_policies(struct want *want, const struct peer *peer, size_t index,
                   struct bgp_family *wanted)
{
    int family = bgp_family_of(index);
    struct bgp_text in = {.arena = want->state->arena, .text = ""}, out = in;

    if (peer->has_import_prefixes) {
        body_add_rules(&in, family, peer->import_prefixes, peer->n_import_prefixes);
    } else {
        body_add_safe_import(&in, family, want->network);
    }
    if (peer->has_export_prefixes) {
        body_add_rules(&out, family, peer->export_prefixes, peer->n_export_prefixes);
    } else {
        body_add_safe_export(&out, family, peer);
    }
    wanted->uses[BGP_LIST_IN] = want_prefixes(want, family, &in);
    wanted->uses[BGP_LIST_OUT] = want_prefixes(want, family, &out);
    wanted->uses[BGP_MAP_IN] = want_map(want, family, peer, wanted->uses[BGP_LIST_IN], true);
    wanted->uses[BGP_MAP_OUT] = want_map(want, family, peer, wanted->uses[BGP_LIST_OUT], false);
}
