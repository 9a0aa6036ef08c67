#include "bgp/bgp_want.h"

#include <stdio.h>
#include <string.h>

struct want {
    struct bgp_state *state;
    const char *tenant;
    const struct network *network;
    bgp_password_cb *password;
    void *aux;
    struct bgp_policy *
        *slots;     /* the policies so far, hashed by digest, so that each is there once */
    size_t n_slots; /* a power of two */
};

/* The lines of a policy while they are put together. */
struct body {
    struct arena *arena;
    const char *text;
};

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

/* The policy of that kind and body, made if it is the first. */
static const struct bgp_policy *want_policy(struct want *want, enum bgp_policy_kind kind,
                                            const char *body)
{
    struct bgp_state *state = want->state;
    struct bgp_policy key = {.kind = kind, .body = body};
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
static void body_deny_link(struct bgp_text *body, const struct peer *peer)
{
    const struct prefix *prefixes = peer->segment ? peer->segment->gateways : peer->tunnel->inside;
    size_t n = peer->segment ? peer->segment->n_gateways : peer->tunnel->n_inside;

    for (size_t i = 0; i < n; i++) {
        if (prefix_contains(&prefixes[i], &peer->address) && !addr_is_link_local(&peer->address)) {
            body_add_rule(body, false, &prefixes[i], prefixes[i].len, prefixes[i].len);
        }
    }
}

/* All that the network has and learns, but nothing that is only good on one link. */
static void body_add_safe_export(struct bgp_text *body, const struct peer *peer)
{
    int family = peer->address.family;
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
    body_deny_link(body, peer);
    body_add_rule(body, true, &any, 0, bits);
}

/* FRR takes a list without rules as "permit all", so a list that lets nothing through says so. */
static const struct bgp_policy *want_prefixes(struct want *want, int family, struct bgp_text *body)
{
    struct prefix any = {.addr = {.family = family}};

    if (!body->text[0]) {
        body_add_rule(body, false, &any, 0, (uint8_t)addr_bits(family));
    }
    return want_policy(want, family == AF_INET ? BGP_PREFIXES_IPV4 : BGP_PREFIXES_IPV6, body->text);
}

static void want_policies(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    int family = peer->address.family;
    struct bgp_text in = {.arena = want->state->arena, .text = ""}, out = in, set = in;

    if (peer->has_import_prefixes) {
        body_add_rules(&in, family, peer->import_prefixes, peer->n_import_prefixes);
    } else {
        body_add_safe_import(&in, family, want->network);
    }
    if (peer->has_export_prefixes) {
        body_add_rules(&out, family, peer->export_prefixes, peer->n_export_prefixes);
    } else {
        body_add_safe_export(&out, peer);
    }
    wanted->in = want_prefixes(want, family, &in);
    wanted->out = want_prefixes(want, family, &out);
    if (peer->export_prepend) {
        char line[BGP_LINE_BYTES] = "set as-path prepend";

        for (int i = 0; i < peer->export_prepend; i++) {
            size_t len = strlen(line);

            snprintf(line + len, sizeof line - len, " %u", want->network->asn);
        }
        bgp_text_add(&set, line);
    }
    if (peer->has_export_med) {
        bgp_text_add(&set, arena_printf(set.arena, "set metric %u", peer->export_med));
    }
    if (set.text[0]) {
        wanted->settings = want_policy(want, BGP_SETTINGS, set.text);
    }
}

static void want_password(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    const char *problem = NULL;

    if (!peer->password_secret) {
        return;
    }
    if (want->password(want->aux, peer->password_secret, &wanted->password_digest, &problem)) {
        wanted->password = BGP_PASSWORD_UNREADABLE;
        wanted->password_problem = arena_strdup(want->state->arena, problem);
    } else {
        wanted->password = BGP_PASSWORD_SET;
    }
}

static void want_peer(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    wanted->address = peer->address;
    wanted->asn = peer->asn;
    wanted->description = arena_printf(want->state->arena, "%s/%s/peer/%s", want->tenant,
                                       want->network->name, peer->name);
    want_password(want, peer, wanted);
    wanted->keepalive_s = peer->profile ? peer->profile->keepalive_s : 0;
    wanted->hold_s = peer->profile ? peer->profile->hold_s : 0;
    wanted->connect_s = BGP_CONNECT_S;
    wanted->max_prefixes = peer->import_max_prefixes;
    if (!wanted->max_prefixes && peer->profile) {
        wanted->max_prefixes = peer->profile->max_prefixes;
    }
    wanted->restart_min = wanted->max_prefixes ? BGP_RESTART_MIN : 0;
    wanted->active = true;
    wanted->peer = peer;
    want_policies(want, peer, wanted);
}

static void want_announce(struct want *want, struct bgp_instance *instance,
                          const struct prefix *prefix)
{
    if (addr_is_link_local(&prefix->addr)) {
        return;
    }
    instance->networks = arena_grow(want->state->arena, instance->networks, instance->n_networks,
                                    &instance->networks_capacity, sizeof *instance->networks);
    instance->networks[instance->n_networks++] = prefix_network(prefix);
}

static void want_network(struct want *want, struct bgp_instance *instance)
{
    const struct network *network = want->network;

    instance->network_id = network->id;
    instance->asn = network->asn;
    instance->plain = instance->unchecked = instance->logs = instance->ours = true;
    instance->coalesce_ms = BGP_COALESCE_MS;
    instance->tenant = want->tenant;
    instance->network = network->name;
    for (size_t i = 0; i < network->n_segments; i++) {
        for (size_t j = 0; j < network->segments[i].n_gateways; j++) {
            want_announce(want, instance, &network->segments[i].gateways[j]);
        }
    }
    for (size_t i = 0; i < network->n_routes; i++) {
        want_announce(want, instance, &network->routes[i].prefix);
    }
    instance->peers = arena_calloc(want->state->arena, network->n_peers, sizeof *instance->peers);
    instance->n_peers = network->n_peers;
    for (size_t i = 0; i < network->n_peers; i++) {
        want_peer(want, &network->peers[i], &instance->peers[i]);
    }
}

struct bgp_state *bgp_want(const struct intended *intended, bgp_password_cb *password, void *aux)
{
    struct bgp_state *state = bgp_state_new();
    struct want want = {.state = state, .password = password, .aux = aux};

    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        want.tenant = intended->tenants[i].name;
        for (size_t j = 0; j < topology->n_networks; j++) {
            struct bgp_instance *instance;

            want.network = &topology->networks[j];
            if (!want.network->n_peers) {
                continue;
            }
            state->instances = arena_grow(state->arena, state->instances, state->n_instances,
                                          &state->instances_capacity, sizeof *state->instances);
            instance = &state->instances[state->n_instances++];
            memset(instance, 0, sizeof *instance);
            instance->router_id = intended->config->router_id;
            want_network(&want, instance);
        }
    }
    bgp_state_finish(state);
    return state;
}
