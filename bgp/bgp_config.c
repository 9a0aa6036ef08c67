#include "bgp/bgp_config.h"

#include "model/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS = 40,
    SECTION_TEXT = 64,
    LINE_BYTES = 4096, /* VTY_BUFSIZ: FRR takes no longer lines, so it has none */
};

struct reader {
    struct bgp_state *state;
    bgp_digest_cb *digest;
    bool datacenter;               /* "frr defaults datacenter": some lines are left out then */
    struct bgp_instance *instance; /* of the block that we are in, or null */
    struct bgp_policy *settings;   /* likewise */
    char section[SECTION_TEXT];    /* the address family's line, "" outside */
    int family;                    /* of the section; 0: none that we write */
    struct bgp_text body;          /* of the last policy */
    uint64_t block;                /* hash of the block's first line, for the fingerprint */
};

/* One line, taken apart. */
struct line {
    const char *text; /* NUL-terminated, without indentation */
    size_t indent;
    char *words[WORDS]; /* the first ones; the last may hold a rest */
    size_t n_words;
    char *copy; /* that the words point into */
};

static bool is(const struct line *line, size_t i, const char *word)
{
    return i < line->n_words && !strcmp(line->words[i], word);
}

/* A whole number from `min` to `max` in word i. */
static bool number(const struct line *line, size_t i, uint64_t min, uint64_t max, uint64_t *ret)
{
    char *end;
    unsigned long long value;

    if (i >= line->n_words || line->words[i][0] < '0' || line->words[i][0] > '9') {
        return false;
    }
    value = strtoull(line->words[i], &end, 10);
    if (*end || value < min || value > max) {
        return false;
    }
    *ret = value;
    return true;
}

/* FNV-1a over a line, going on from `hash`. */
static uint64_t hash_line(uint64_t hash, const char *text)
{
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3U;
    }
    return (hash ^ '\n') * 0x100000001b3U;
}

/* Counts a line into the fingerprint: what it says and where it stands, but not in which order. */
static void count_line(struct reader *reader, const struct line *line)
{
    uint64_t hash = hash_line(hash_line(reader->block, reader->section), line->text);

    reader->state->fingerprint += hash ^ (hash >> 32);
}

static void extra_add(struct arena *arena, struct bgp_extra **extras, size_t *n, size_t *capacity,
                      const char *section, const char *text)
{
    *extras = arena_grow(arena, *extras, *n, capacity, sizeof **extras);
    (*extras)[(*n)++] = (struct bgp_extra){arena_strdup(arena, section), arena_strdup(arena, text)};
}

static void instance_extra(struct reader *reader, const struct line *line)
{
    struct bgp_instance *instance = reader->instance;

    extra_add(reader->state->arena, &instance->extras, &instance->n_extras,
              &instance->extras_capacity, reader->section, line->text);
}

static void peer_extra(struct reader *reader, struct bgp_peer *peer, const struct line *line)
{
    extra_add(reader->state->arena, &peer->extras, &peer->n_extras, &peer->extras_capacity,
              reader->section, line->text);
}

/* The peer of that address in the instance at hand, made if it is not there yet. Peers come in
 * runs, so the last one is looked at first. */
static struct bgp_peer *peer_of(struct reader *reader, const struct addr *address)
{
    struct bgp_instance *instance = reader->instance;
    struct bgp_peer *peer;

    for (size_t i = instance->n_peers; i-- > 0;) {
        if (addr_equal(&instance->peers[i].address, address)) {
            return &instance->peers[i];
        }
    }
    instance->peers = arena_grow(reader->state->arena, instance->peers, instance->n_peers,
                                 &instance->peers_capacity, sizeof *instance->peers);
    peer = &instance->peers[instance->n_peers++];
    memset(peer, 0, sizeof *peer);
    peer->address = *address;
    peer->description = "";
    return peer;
}

/* Takes tenant and network from "bio/genome/peer/aws"; false if it is not of that form. */
static bool description_is_ours(struct reader *reader, const char *text)
{
    const char *first = strchr(text, '/');
    const char *second = first ? strchr(first + 1, '/') : NULL;

    if (!second || !bgp_starts(second, "/peer/") || strpbrk(text, " \t") || !second[6] ||
        strchr(second + 6, '/') || first == text || second == first + 1) {
        return false;
    }
    if (!reader->instance->tenant[0]) {
        reader->instance->tenant = arena_memdup(reader->state->arena, text, (size_t)(first - text));
        reader->instance->network =
            arena_memdup(reader->state->arena, first + 1, (size_t)(second - first - 1));
    }
    return true;
}

/* The part of the line from word i on, as it was written. */
static const char *rest(const struct line *line, size_t i)
{
    return line->text + (line->words[i] - line->copy);
}

static void set_password(struct reader *reader, struct bgp_peer *peer, const char *password)
{
    peer->password = BGP_PASSWORD_SET;
    peer->password_digest = reader->digest(password, strlen(password));
}

/* "neighbor ADDRESS ..." outside the address families. */
static void read_neighbor(struct reader *reader, struct bgp_peer *peer, const struct line *line)
{
    uint64_t a, b;

    if (is(line, 2, "remote-as") && number(line, 3, 1, UINT32_MAX, &a)) {
        peer->asn = (uint32_t)a;
    } else if (is(line, 2, "remote-as")) {
        peer->asn = 0;
    } else if (is(line, 2, "description") && line->n_words > 3) {
        peer->description = arena_strdup(reader->state->arena, rest(line, 3));
        reader->instance->ours |= description_is_ours(reader, peer->description);
    } else if (is(line, 2, "password") && line->n_words > 3) {
        set_password(reader, peer, rest(line, 3));
    } else if (is(line, 2, "timers") && is(line, 3, "connect") && line->n_words == 5 &&
               number(line, 4, 1, UINT16_MAX, &a)) {
        peer->connect_s = (uint16_t)a;
    } else if (is(line, 2, "timers") && line->n_words == 5 && number(line, 3, 0, UINT16_MAX, &a) &&
               number(line, 4, 0, UINT16_MAX, &b)) {
        peer->keepalive_s = (uint16_t)a;
        peer->hold_s = (uint16_t)b;
    } else {
        peer_extra(reader, peer, line);
    }
}

static enum bgp_policy_kind kind_of(int family)
{
    return family == AF_INET ? BGP_PREFIXES_IPV4 : BGP_PREFIXES_IPV6;
}

/* A policy that a line refers to: only its kind and name, until finish() puts in the real one. */
static const struct bgp_policy *reference(struct reader *reader, enum bgp_policy_kind kind,
                                          const char *name)
{
    struct bgp_policy *policy = arena_alloc(reader->state->arena, sizeof *policy);

    policy->kind = kind;
    policy->name = arena_strdup(reader->state->arena, name);
    return policy;
}

/* "neighbor ADDRESS ..." in the peer's own address family. */
static void read_neighbor_family(struct reader *reader, struct bgp_peer *peer,
                                 const struct line *line)
{
    uint64_t limit, restart = 0;

    if (is(line, 2, "activate") && line->n_words == 3) {
        peer->active = true;
    } else if (is(line, 2, "maximum-prefix") && number(line, 3, 1, UINT32_MAX, &limit) &&
               (line->n_words == 4 || (line->n_words == 6 && is(line, 4, "restart") &&
                                       number(line, 5, 1, UINT16_MAX, &restart)))) {
        peer->max_prefixes = (uint32_t)limit;
        peer->restart_min = (uint32_t)restart;
    } else if (is(line, 2, "prefix-list") && line->n_words == 5 && is(line, 4, "in")) {
        peer->in = reference(reader, kind_of(reader->family), line->words[3]);
    } else if (is(line, 2, "prefix-list") && line->n_words == 5 && is(line, 4, "out")) {
        peer->out = reference(reader, kind_of(reader->family), line->words[3]);
    } else if (is(line, 2, "route-map") && line->n_words == 5 && is(line, 4, "out")) {
        peer->settings = reference(reader, BGP_SETTINGS, line->words[3]);
        peer->out_map = peer->settings->name;
    } else {
        peer_extra(reader, peer, line);
    }
}

static void read_any_neighbor(struct reader *reader, const struct line *line)
{
    struct bgp_peer *peer;
    struct addr address;

    if (line->n_words < 3 || addr_parse(line->words[1], &address)) {
        instance_extra(reader, line);
        return;
    }
    peer = peer_of(reader, &address);
    if (!reader->section[0]) {
        read_neighbor(reader, peer, line);
    } else if (reader->family == address.family) {
        read_neighbor_family(reader, peer, line);
    } else {
        peer_extra(reader, peer, line);
    }
}

static bool read_network(struct reader *reader, const struct line *line)
{
    struct bgp_instance *instance = reader->instance;
    struct prefix prefix;

    if (!reader->family || line->n_words != 2 || prefix_parse(line->words[1], &prefix) ||
        prefix.addr.family != reader->family) {
        return false;
    }
    instance->networks = arena_grow(reader->state->arena, instance->networks, instance->n_networks,
                                    &instance->networks_capacity, sizeof *instance->networks);
    instance->networks[instance->n_networks++] = prefix;
    return true;
}

/* The instance's own settings. */
static bool read_setting(struct bgp_instance *instance, const struct line *line)
{
    struct addr address;
    uint64_t value;

    if (line->n_words == 3 && is(line, 0, "bgp") && is(line, 1, "router-id") &&
        !addr_parse(line->words[2], &address)) {
        instance->router_id = address;
    } else if (!strcmp(line->text, "no bgp default ipv4-unicast")) {
        instance->plain = true;
    } else if (!strcmp(line->text, "no bgp network import-check")) {
        instance->unchecked = true;
    } else if (!strcmp(line->text, "bgp log-neighbor-changes")) {
        instance->logs = true;
    } else if (!strcmp(line->text, "no bgp log-neighbor-changes")) {
        instance->logs = false;
    } else if (line->n_words == 2 && is(line, 0, "coalesce-time") &&
               number(line, 1, 0, UINT32_MAX, &value)) {
        instance->coalesce_ms = (uint32_t)value;
    } else {
        return false;
    }
    return true;
}

static void enter_section(struct reader *reader, const struct line *line)
{
    snprintf(reader->section, sizeof reader->section, "%s", line->text);
    reader->family = !strcmp(line->text, "address-family ipv4 unicast")   ? AF_INET
                     : !strcmp(line->text, "address-family ipv6 unicast") ? AF_INET6
                                                                          : 0;
}

static void read_in_section(struct reader *reader, const struct line *line)
{
    count_line(reader, line);
    if (is(line, 0, "neighbor")) {
        read_any_neighbor(reader, line);
    } else if (!(is(line, 0, "network") && read_network(reader, line)) &&
               !(!reader->section[0] && read_setting(reader->instance, line)) &&
               !(is(line, 0, "no") && is(line, 1, "neighbor"))) { /* not active: as it should be */
        instance_extra(reader, line);
    }
}

static void read_in_instance(struct reader *reader, const struct line *line)
{
    size_t usual = reader->section[0] ? 2 : 1;

    if (is(line, 0, "exit-address-family")) {
        reader->section[0] = '\0';
        reader->family = 0;
    } else if (is(line, 0, "address-family")) {
        enter_section(reader, line);
    } else if (line->indent > usual) {
        count_line(reader, line); /* within a block that is an extra: undone with its first line */
    } else if (!bgp_starts(line->text, "exit")) {
        read_in_section(reader, line);
    }
}

/* "router bgp ASN vrf NAME" */
static void enter_instance(struct reader *reader, const struct line *line)
{
    struct bgp_state *state = reader->state;
    uint32_t id = line->n_words >= 5 && is(line, 3, "vrf") ? ids_of_vrf(line->words[4]) : 0;
    uint64_t asn = 0;

    reader->instance = NULL;
    reader->section[0] = '\0';
    reader->family = 0;
    if (!id || !number(line, 2, 1, UINT32_MAX, &asn)) {
        return;
    }
    state->instances = arena_grow(state->arena, state->instances, state->n_instances,
                                  &state->instances_capacity, sizeof *state->instances);
    reader->block = hash_line(0, line->text);
    count_line(reader, line);
    reader->instance = &state->instances[state->n_instances++];
    *reader->instance = (struct bgp_instance){
        .network_id = id,
        .asn = (uint32_t)asn,
        .logs = reader->datacenter,
        .tenant = "",
        .network = "",
    };
}

static struct bgp_policy *policy_add(struct reader *reader, enum bgp_policy_kind kind,
                                     const char *name)
{
    struct bgp_state *state = reader->state;
    struct bgp_policy *policy = arena_alloc(state->arena, sizeof *policy);

    policy->kind = kind;
    policy->name = arena_strdup(state->arena, name);
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
    bool permit = is(line, i, "permit");
    struct prefix prefix;
    uint64_t ge = 0, value;
    uint8_t le;

    if (!(permit || is(line, i, "deny")) || i + 1 >= line->n_words ||
        !rule_prefix(line->words[i + 1], family, &prefix, &le)) {
        return false;
    }
    i += 2;
    if (is(line, i, "ge") && number(line, i + 1, prefix.len, addr_bits(family), &ge)) {
        le = (uint8_t)addr_bits(family);
        i += 2;
    }
    if (is(line, i, "le") && number(line, i + 1, prefix.len, addr_bits(family), &value)) {
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
    int family = is(line, 0, "ip") ? AF_INET : AF_INET6;
    struct bgp_state *state = reader->state;
    struct bgp_policy *policy = state->n_policies ? state->policies[state->n_policies - 1] : NULL;
    char text[BGP_LINE_BYTES];

    if (!bgp_starts(line->words[2], BGP_POLICY_MARK)) {
        return;
    }
    if (!policy || policy->kind != kind_of(family) || strcmp(policy->name, line->words[2]) != 0) {
        policy = policy_add(reader, kind_of(family), line->words[2]);
    }
    reader->block = 0;
    reader->section[0] = '\0';
    count_line(reader, line);
    if (is(line, 3, "seq") && line->n_words > 5 && read_rule(line, 5, family, text)) {
        body_add(reader, policy, text);
    } else {
        body_add(reader, policy, line->n_words > 3 ? rest(line, 3) : "");
    }
}

/* "route-map NAME permit 10"; each further entry of the same name makes it unlike any of ours. */
static void enter_route_map(struct reader *reader, const struct line *line)
{
    struct bgp_state *state = reader->state;
    struct bgp_policy *last = state->n_policies ? state->policies[state->n_policies - 1] : NULL;

    reader->settings = NULL;
    if (line->n_words < 2 || !bgp_starts(line->words[1], BGP_POLICY_MARK)) {
        return;
    }
    reader->block = hash_line(0, line->text);
    reader->section[0] = '\0';
    count_line(reader, line);
    if (last && last->kind == BGP_SETTINGS && !strcmp(last->name, line->words[1])) {
        reader->settings = last;
        body_add(reader, last, line->text);
        return;
    }
    reader->settings = policy_add(reader, BGP_SETTINGS, line->words[1]);
    if (!is(line, 2, "permit") || !is(line, 3, "10") || line->n_words != 4) {
        body_add(reader, reader->settings, line->text);
    }
}

static void read_top(struct reader *reader, const struct line *line)
{
    reader->instance = NULL;
    reader->settings = NULL;
    if (is(line, 0, "router") && is(line, 1, "bgp")) {
        enter_instance(reader, line);
    } else if ((is(line, 0, "ip") || is(line, 0, "ipv6")) && is(line, 1, "prefix-list") &&
               line->n_words > 2) {
        read_prefix_list(reader, line);
    } else if (is(line, 0, "route-map")) {
        enter_route_map(reader, line);
    } else if (is(line, 0, "frr") && is(line, 1, "defaults")) {
        reader->datacenter = is(line, 2, "datacenter");
    }
}

static void read_line(struct reader *reader, const struct line *line)
{
    if (!line->n_words || line->text[0] == '!') {
        return;
    }
    if (!line->indent) {
        read_top(reader, line);
    } else if (reader->instance) {
        read_in_instance(reader, line);
    } else if (reader->settings) {
        count_line(reader, line);
        body_add(reader, reader->settings, line->text);
    }
}

/* `copy` is another copy of `text`, to be cut into words. */
static void take_apart(struct line *line, char *text, char *copy)
{
    char *save = NULL;

    line->indent = strspn(text, " ");
    line->text = text + line->indent;
    line->copy = copy + line->indent;
    line->n_words = 0;
    for (char *word = strtok_r(line->copy, " \t\r", &save); word && line->n_words < WORDS;
         word = strtok_r(NULL, " \t\r", &save)) {
        line->words[line->n_words++] = word;
    }
}

static int cmp_names(const void *a_, const void *b_)
{
    const struct bgp_policy *const *a = a_, *const *b = b_;

    return (*a)->kind != (*b)->kind ? ((*a)->kind < (*b)->kind ? -1 : 1)
                                    : strcmp((*a)->name, (*b)->name);
}

/* Puts the policy that is meant into a peer's reference; null where that is not one of ours. A name
 * of ours without a policy becomes one that is missing, so that a new one is not given that name:
 * to a peer that refers to it already it would come unnoticed. */
static void resolve(struct bgp_state *state, const struct bgp_policy **reference)
{
    const struct bgp_policy **found = *reference && state->n_policies
                                          ? bsearch(reference, state->policies, state->n_policies,
                                                    sizeof *state->policies, cmp_names)
                                          : NULL;
    struct bgp_policy *missing;

    if (found || !*reference || !bgp_starts((*reference)->name, BGP_POLICY_MARK)) {
        *reference = found ? *found : NULL;
        return;
    }
    missing = arena_alloc(state->arena, sizeof *missing);
    *missing = (struct bgp_policy){.kind = (*reference)->kind,
                                   .name = (*reference)->name,
                                   .body = "missing\n",
                                   .missing = true};
    bgp_policy_seal(missing);
    state->policies = arena_grow(state->arena, state->policies, state->n_policies,
                                 &state->policies_capacity, sizeof *state->policies);
    state->policies[state->n_policies++] = missing;
    qsort(state->policies, state->n_policies, sizeof *state->policies, cmp_names);
    *reference = missing;
}

static void finish_instance(struct bgp_state *state, struct bgp_instance *instance)
{
    for (size_t i = 0; i < instance->n_peers; i++) {
        struct bgp_peer *peer = &instance->peers[i];

        resolve(state, &peer->in);
        resolve(state, &peer->out);
        resolve(state, &peer->settings);
        peer->active |= peer->address.family == AF_INET && !instance->plain;
    }
    instance->ours |= !instance->n_peers && instance->plain && instance->unchecked &&
                      instance->coalesce_ms == BGP_COALESCE_MS;
}

static void finish(struct reader *reader)
{
    struct bgp_state *state = reader->state;

    for (size_t i = 0; i < state->n_policies; i++) {
        bgp_policy_seal(state->policies[i]);
    }
    if (state->n_policies > 1) {
        qsort(state->policies, state->n_policies, sizeof *state->policies, cmp_names);
    }
    for (size_t i = 0; i < state->n_instances; i++) {
        finish_instance(state, &state->instances[i]);
    }
    bgp_state_finish(state);
}

struct bgp_state *bgp_config_parse(const char *text, size_t len, bgp_digest_cb *digest)
{
    struct reader reader = {.state = bgp_state_new(), .digest = digest};
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        char buffer[LINE_BYTES], copy[LINE_BYTES];
        struct line line;

        if (n < LINE_BYTES) {
            memcpy(buffer, text, n);
            buffer[n] = '\0';
            memcpy(copy, buffer, n + 1);
            take_apart(&line, buffer, copy);
            read_line(&reader, &line);
        }
        text += n + 1;
    }
    finish(&reader);
    return reader.state;
}
