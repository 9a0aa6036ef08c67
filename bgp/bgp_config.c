#include "bgp/bgp_config_parts.h"

#include "model/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool line_is(const struct line *line, size_t i, const char *word)
{
    return i < line->n_words && !strcmp(line->words[i], word);
}

bool line_number(const struct line *line, size_t i, uint64_t min, uint64_t max, uint64_t *ret)
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

void config_count(struct reader *reader, const struct line *line)
{
    uint64_t hash = hash_line(hash_line(reader->block, reader->section), line->text);

    reader->state->fingerprint += hash ^ (hash >> 32);
}

const char *line_rest(const struct line *line, size_t i)
{
    return line->text + (line->words[i] - line->copy);
}

void config_begin(struct reader *reader, const struct line *line)
{
    reader->block = line ? hash_line(0, line->text) : 0;
    reader->section[0] = '\0';
}

void config_extra(struct reader *reader, const struct line *line)
{
    struct bgp_instance *instance = reader->instance;
    struct arena *arena = reader->state->arena;

    instance->extras = arena_grow(arena, instance->extras, instance->n_extras,
                                  &instance->extras_capacity, sizeof *instance->extras);
    instance->extras[instance->n_extras++] =
        (struct bgp_extra){arena_strdup(arena, reader->section), arena_strdup(arena, line->text)};
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

/* "aggregate-address PREFIX [summary-only]" */
static bool read_aggregate(struct reader *reader, const struct line *line)
{
    struct bgp_instance *instance = reader->instance;
    bool summary_only = line->n_words == 3 && line_is(line, 2, "summary-only");
    struct prefix prefix;

    if (!reader->family || line->n_words < 2 || (line->n_words > 2 && !summary_only) ||
        prefix_parse(line->words[1], &prefix) || prefix.addr.family != reader->family) {
        return false;
    }
    instance->aggregates =
        arena_grow(reader->state->arena, instance->aggregates, instance->n_aggregates,
                   &instance->aggregates_capacity, sizeof *instance->aggregates);
    instance->aggregates[instance->n_aggregates++] = (struct bgp_aggregate){prefix, summary_only};
    return true;
}

/* The instance's own settings. */
static bool read_setting(struct bgp_instance *instance, const struct line *line)
{
    struct addr address;
    uint64_t value;

    if (line->n_words == 3 && line_is(line, 0, "bgp") && line_is(line, 1, "router-id") &&
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
    } else if (!strcmp(line->text, "bgp bestpath as-path multipath-relax")) {
        instance->relaxed = true;
    } else if (!strcmp(line->text, "bgp graceful-restart preserve-fw-state")) {
        instance->preserves = true;
    } else if (line->n_words == 2 && line_is(line, 0, "coalesce-time") &&
               line_number(line, 1, 0, UINT32_MAX, &value)) {
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
    config_count(reader, line);
    if (line_is(line, 0, "neighbor")) {
        config_neighbor(reader, line);
    } else if (!(line_is(line, 0, "network") && read_network(reader, line)) &&
               !(line_is(line, 0, "aggregate-address") && read_aggregate(reader, line)) &&
               !(!reader->section[0] && read_setting(reader->instance, line)) &&
               !(line_is(line, 0, "no") &&
                 line_is(line, 1, "neighbor"))) { /* not active: as it should be */
        config_extra(reader, line);
    }
}

static void read_in_instance(struct reader *reader, const struct line *line)
{
    size_t usual = reader->section[0] ? 2 : 1;

    if (line_is(line, 0, "exit-address-family")) {
        reader->section[0] = '\0';
        reader->family = 0;
    } else if (line_is(line, 0, "address-family")) {
        enter_section(reader, line);
    } else if (line->indent > usual) {
        config_count(reader,
                     line); /* within a block that is an extra: undone with its first line */
    } else if (!bgp_starts(line->text, "exit")) {
        read_in_section(reader, line);
    }
}

/* "router bgp ASN vrf NAME" */
static void enter_instance(struct reader *reader, const struct line *line)
{
    struct bgp_state *state = reader->state;
    uint32_t id = line->n_words >= 5 && line_is(line, 3, "vrf") ? ids_of_vrf(line->words[4]) : 0;
    uint64_t asn = 0;

    reader->family = 0;
    if (!id || !line_number(line, 2, 1, UINT32_MAX, &asn)) {
        return;
    }
    state->instances = arena_grow(state->arena, state->instances, state->n_instances,
                                  &state->instances_capacity, sizeof *state->instances);
    config_begin(reader, line);
    config_count(reader, line);
    reader->instance = &state->instances[state->n_instances++];
    *reader->instance = (struct bgp_instance){
        .network_id = id,
        .asn = (uint32_t)asn,
        .logs = reader->datacenter,
        .tenant = "",
        .network = "",
    };
}

/* "profile NAME" in the block "bfd"; what is its default is not printed. */
static void enter_bfd_profile(struct reader *reader, const struct line *line)
{
    reader->bfd = NULL;
    if (line->n_words == 2 && line_is(line, 0, "profile") &&
        bgp_starts(line->words[1], BGP_POLICY_MARK)) {
        config_begin(reader, line);
        config_count(reader, line);
        reader->bfd =
            bgp_state_add_bfd(reader->state, arena_strdup(reader->state->arena, line->words[1]));
    }
}

static void read_in_bfd(struct reader *reader, const struct line *line)
{
    struct bgp_bfd_profile *bfd = reader->bfd;
    uint64_t value;

    if (line->indent <= 1) {
        enter_bfd_profile(reader, line);
        return;
    }
    if (!bfd || line_is(line, 0, "exit")) {
        return;
    }
    config_count(reader, line);
    if (line_is(line, 0, "detect-multiplier") && line_number(line, 1, 1, 255, &value)) {
        bfd->multiplier = (uint32_t)value;
    } else if (line_is(line, 0, "transmit-interval") && line_number(line, 1, 1, 60000, &value)) {
        bfd->transmit_ms = (uint32_t)value;
    } else if (line_is(line, 0, "receive-interval") && line_number(line, 1, 1, 60000, &value)) {
        bfd->receive_ms = (uint32_t)value;
    } else {
        bfd->odd = true;
    }
}

static void read_top(struct reader *reader, const struct line *line)
{
    reader->instance = NULL;
    reader->map = NULL;
    reader->bfd = NULL;
    reader->in_bfd = false;
    if (line_is(line, 0, "router") && line_is(line, 1, "bgp")) {
        enter_instance(reader, line);
    } else if (line_is(line, 0, "bfd") && line->n_words == 1) {
        reader->in_bfd = true;
    } else if (line_is(line, 0, "frr") && line_is(line, 1, "defaults")) {
        reader->datacenter = line_is(line, 2, "datacenter");
    } else {
        config_policy(reader, line);
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
    } else if (reader->map) {
        config_map_line(reader, line);
    } else if (reader->in_bfd) {
        read_in_bfd(reader, line);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* `copy` is another copy of `text`, to be cut into words. */
static void take_apart(struct line *line, char *text, char *copy)
{
    char *at = copy;

    line->indent = strspn(text, " ");
    line->text = text + line->indent;
    line->copy = copy + line->indent;
    line->n_words = 0;
    while (line->n_words < CONFIG_WORDS) { /* strtok() would take half of all the reading's time */
        for (; is_blank(*at); at++) {
        }
        if (!*at) {
            break;
        }
        line->words[line->n_words++] = at;
        for (; *at && !is_blank(*at); at++) {
        }
        if (*at) {
            *at++ = '\0';
        }
    }
}

/* What an instance's lines say together. */
static void finish_instance(struct bgp_instance *instance)
{
    for (size_t i = 0; i < instance->n_peers; i++) {
        instance->peers[i].families[0].active |= !instance->plain;
    }
    instance->ours |= !instance->n_peers && instance->plain && instance->unchecked &&
                      instance->coalesce_ms == BGP_COALESCE_MS;
    bgp_instance_sort(instance);
}

static void read_lines(struct reader *reader, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        char buffer[CONFIG_LINE_BYTES], copy[CONFIG_LINE_BYTES];
        struct line line;

        if (n < CONFIG_LINE_BYTES) {
            memcpy(buffer, text, n);
            buffer[n] = '\0';
            memcpy(copy, buffer, n + 1);
            take_apart(&line, buffer, copy);
            read_line(reader, &line);
        }
        text += n + 1;
    }
}

struct bgp_state *config_read_block(const char *text, size_t len, bgp_digest_cb *digest,
                                    bool datacenter)
{
    struct reader reader = {.state = bgp_state_new(), .digest = digest, .datacenter = datacenter};
    struct bgp_state *block = reader.state;

    read_lines(&reader, text, len);
    block->datacenter = reader.datacenter;
    for (size_t i = 0; i < block->n_instances; i++) {
        finish_instance(&block->instances[i]);
    }
    config_seal_lists(block);
    return block;
}
