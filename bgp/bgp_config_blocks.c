/* A text is read block by block, and what its blocks say is put together: what refers to policies
 * is shown the ones that are meant, and all is sorted. A block's meaning is that of its text and of
 * FRR's defaults as the lines before have set them, nothing else, so it is read once.
 *
 * The one exception: a policy goes on where the last lines of one were of the same, wherever they
 * stand. FRR prints a policy in one piece, which is one block. If somebody wrote it otherwise all
 * is read as one block. */
#include "bgp/bgp_config_parts.h"

#include <string.h>

/* FRR keeps its order, so a block is looked for not far behind the one before it: blocks are there
 * that were not, or so many are gone. One that is not found is read. */
enum { BLOCKS_AHEAD = 256 };

/* The making of one state. */
struct blocks {
    struct bgp_state *state;
    const struct bgp_state *last; /* an earlier one, or null */
    bgp_digest_cb *digest;
    bool datacenter;
    size_t next; /* of last's blocks: the one that is expected */
};

/* --- from a text to blocks ------------------------------------------------------------------- */

/* What begins a block: a line that begins so, and in its first words differs from the line that
 * began the last one. */
static const struct {
    const char *text;
    bool whole; /* not only its next word counts */
} HEADS[] = {
    {"ip prefix-list ", false},
    {"ipv6 prefix-list ", false},
    {"bgp community-list standard ", false},
    {"bgp large-community-list standard ", false},
    {"route-map ", false},
    {"router bgp ", true},
};

/* How much of a line tells its block from others; 0: it begins none. */
static size_t head_len(const char *line, size_t len)
{
    if (len >= CONFIG_LINE_BYTES || !len || line[0] == ' ' || line[0] == '!') {
        return 0; /* most lines */
    }
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        size_t head = strlen(HEADS[i].text);

        if (len > head && !memcmp(line, HEADS[i].text, head)) {
            const char *end = memchr(line + head, ' ', len - head);

            return end && !HEADS[i].whole ? (size_t)(end - line) : len;
        }
    }
    return 0;
}

/* The length of the block that `text` begins with. */
static size_t block_len(const char *text, size_t len)
{
    const char *end = text + len, *newline = memchr(text, '\n', len);
    size_t head = head_len(text, newline ? (size_t)(newline - text) : len);

    while (newline) {
        const char *line = newline + 1;
        size_t line_len, other;

        newline = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
        line_len = (size_t)((newline ? newline : end) - line);
        other = head_len(line, line_len);
        if (other && (other != head || memcmp(line, text, head) != 0)) {
            return (size_t)(line - text);
        }
    }
    return len;
}

/* Last's block of that key if it is where it is looked for, or null. */
static struct bgp_state *find_block(struct blocks *blocks, uint64_t key)
{
    const struct bgp_state *last = blocks->last;

    for (size_t i = 0; last && i < BLOCKS_AHEAD && blocks->next + i < last->n_parts; i++) {
        if (last->parts[blocks->next + i]->key == key) {
            blocks->next += i + 1;
            return last->parts[blocks->next - 1];
        }
    }
    return NULL;
}

static void add_block(struct blocks *blocks, const char *text, size_t len)
{
    uint64_t key = blocks->digest(text, len) + blocks->datacenter;
    struct bgp_state *block = find_block(blocks, key);

    if (block) {
        bgp_state_ref(block);
    } else {
        block = config_read_block(text, len, blocks->digest, blocks->datacenter);
        block->key = key;
    }
    blocks->datacenter = block->datacenter;
    bgp_state_add_part(blocks->state, block);
}

/* --- from blocks to a state ------------------------------------------------------------------ */

static bool goes_on(const struct bgp_policy *last, const struct bgp_policy *next)
{
    return last->name_hash == next->name_hash && last->kind == next->kind &&
           !strcmp(last->name, next->name);
}

/* A list stays the block's; a map is yet to be shown its lists. False if the first policy goes on
 * where an earlier block's last one ended. */
static bool add_policies(struct bgp_state *state, const struct bgp_state *block)
{
    if (state->n_policies && block->n_policies &&
        goes_on(state->policies[state->n_policies - 1], block->policies[0])) {
        return false;
    }
    for (size_t i = 0; i < block->n_policies; i++) {
        struct bgp_policy *policy = block->policies[i];

        if (policy->kind == BGP_MAP) {
            policy = arena_alloc(state->arena, sizeof *policy);
            *policy = *block->policies[i];
        }
        state->policies[state->n_policies++] = policy;
    }
    return true;
}

static void *copy(struct arena *arena, const void *items, size_t n, size_t size)
{
    void *copied = arena_calloc(arena, n, size);

    if (n) {
        memcpy(copied, items, n * size);
    }
    return copied;
}

static void add_instances(struct bgp_state *state, const struct bgp_state *block)
{
    for (size_t i = 0; i < block->n_instances; i++) {
        struct bgp_instance *instance = &state->instances[state->n_instances++];

        *instance = block->instances[i];
        instance->peers =
            copy(state->arena, instance->peers, instance->n_peers, sizeof *instance->peers);
    }
}

static void resolve_peer(struct bgp_state *state, struct bgp_peer *peer)
{
    for (size_t i = 0; i < BGP_FAMILIES * BGP_USES; i++) {
        config_resolve(state, &peer->families[i / BGP_USES].uses[i % BGP_USES]);
    }
}

static void resolve(struct bgp_state *state)
{
    config_resolve_policies(state);
    for (size_t i = 0; i < state->n_instances; i++) {
        for (size_t j = 0; j < state->instances[i].n_peers; j++) {
            resolve_peer(state, &state->instances[i].peers[j]);
        }
    }
}

/* False if that is not what the text says: a policy is in several pieces. */
static bool put_together(struct bgp_state *state)
{
    bgp_state_make_room(state);
    for (size_t i = 0; i < state->n_parts; i++) {
        const struct bgp_state *block = state->parts[i];

        if (!add_policies(state, block)) {
            return false;
        }
        add_instances(state, block);
        for (size_t j = 0; j < block->n_bfds; j++) {
            state->bfds[state->n_bfds++] = block->bfds[j];
        }
        state->fingerprint += block->fingerprint;
    }
    resolve(state);
    bgp_state_sort(state);
    return true;
}

struct bgp_state *bgp_config_parse(const char *text, size_t len, bgp_digest_cb *digest,
                                   const struct bgp_state *last)
{
    struct blocks blocks = {.state = bgp_state_new(), .last = last, .digest = digest};

    for (size_t at = 0, n; at < len; at += n) {
        n = block_len(text + at, len - at);
        add_block(&blocks, text + at, n);
    }
    if (!put_together(blocks.state)) {
        bgp_state_free(blocks.state);
        blocks = (struct blocks){.state = bgp_state_new(), .last = last, .digest = digest};
        add_block(&blocks, text, len);
        put_together(blocks.state);
    }
    return blocks.state;
}
