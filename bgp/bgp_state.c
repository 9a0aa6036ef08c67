#include "bgp/bgp_state.h"

#include "model/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bgp_starts(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

struct bgp_state *bgp_state_new(void)
{
    struct arena *arena = arena_new();
    struct bgp_state *state = arena_alloc(arena, sizeof *state);

    state->arena = arena;
    state->refs = 1;
    return state;
}

struct bgp_state *bgp_state_ref(struct bgp_state *state)
{
    state->refs++;
    return state;
}

void bgp_state_free(struct bgp_state *state)
{
    if (state && !--state->refs) {
        for (size_t i = 0; i < state->n_parts; i++) {
            bgp_state_free(state->parts[i]);
        }
        arena_free(state->arena);
    }
}

void bgp_state_add_part(struct bgp_state *state, struct bgp_state *part)
{
    state->parts = arena_grow(state->arena, state->parts, state->n_parts, &state->parts_capacity,
                              sizeof(struct bgp_state *));
    state->parts[state->n_parts++] = part;
}

void bgp_text_add(struct bgp_text *text, const char *line)
{
    size_t len = strlen(line);
    char *end;

    if (text->len + len + 2 > text->capacity) {
        size_t capacity = 2 * (text->len + len) + 128;
        char *grown = arena_alloc(text->arena, capacity);

        memcpy(grown, text->text, text->len);
        text->text = grown;
        text->capacity = capacity;
    }
    end = (char *)text->text + text->len;
    memcpy(end, line, len);
    end[len] = '\n';
    end[len + 1] = '\0';
    text->len += len + 1;
}

void bgp_state_make_room(struct bgp_state *state)
{
    for (size_t i = 0; i < state->n_parts; i++) {
        state->instances_capacity += state->parts[i]->n_instances;
        state->policies_capacity += state->parts[i]->n_policies;
        state->bfds_capacity += state->parts[i]->n_bfds;
    }
    state->instances =
        arena_calloc(state->arena, state->instances_capacity, sizeof *state->instances);
    state->policies = arena_calloc(state->arena, state->policies_capacity, sizeof *state->policies);
    state->bfds = arena_calloc(state->arena, state->bfds_capacity, sizeof *state->bfds);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int bgp_policy_cmp(const struct bgp_policy *a, const struct bgp_policy *b)
{
    int order = cmp_u64(a->kind, b->kind);

    if (a == b) {
        return 0;
    }
    if (!order) {
        order = cmp_u64(a->digest, b->digest);
    }
    if (!order) {
        order = strcmp(a->body, b->body);
    }
    for (size_t i = 0; i < BGP_LISTS && !order; i++) {
        const struct bgp_policy *x = a->lists[i], *y = b->lists[i];

        order = x && y ? bgp_policy_cmp(x, y) : (x != NULL) - (y != NULL);
    }
    return order;
}

/* FNV-1a, 64 bits: short, and every process finds the same. Equality is never taken from it. */
void bgp_policy_seal(struct bgp_policy *policy)
{
    uint64_t digest = 0xcbf29ce484222325U ^ policy->kind;

    for (const char *p = policy->body; *p; p++) {
        digest = (digest ^ (unsigned char)*p) * 0x100000001b3U;
    }
    for (size_t i = 0; i < BGP_LISTS; i++) {
        if (policy->lists[i]) {
            digest = (digest ^ policy->lists[i]->digest) * 0x100000001b3U;
        }
    }
    policy->digest = digest;
}

bool bgp_policy_restricts(const struct bgp_policy *map)
{
    return map->missing || strstr(map->body, "match ");
}

int bgp_family_of(size_t index)
{
    return index ? AF_INET6 : AF_INET;
}

size_t bgp_family_index(int family)
{
    return family == AF_INET6;
}

const char *bgp_rule_print(bool permit, const struct prefix *prefix, uint8_t ge, uint8_t le,
                           char line[BGP_LINE_BYTES])
{
    unsigned int bits = addr_bits(prefix->addr.family);
    char text[PREFIX_TEXT];
    int len;

    prefix_print(prefix, text);
    len = snprintf(line, BGP_LINE_BYTES, "%s %s", permit ? "permit" : "deny", text);
    if (ge > prefix->len) {
        len += snprintf(line + len, BGP_LINE_BYTES - (size_t)len, " ge %u", ge);
    }
    if (le > prefix->len && (le < bits || ge <= prefix->len)) {
        snprintf(line + len, BGP_LINE_BYTES - (size_t)len, " le %u", le);
    }
    return line;
}

static int cmp_instances(const void *a_, const void *b_)
{
    const struct bgp_instance *a = a_, *b = b_;

    return cmp_u64(a->network_id, b->network_id);
}

static int cmp_peers(const void *a_, const void *b_)
{
    const struct bgp_peer *a = a_, *b = b_;

    return addr_cmp(&a->address, &b->address);
}

static int cmp_prefixes(const void *a, const void *b)
{
    return prefix_cmp(a, b);
}

static int cmp_policies(const void *a_, const void *b_)
{
    const struct bgp_policy *const *a = a_, *const *b = b_;
    int order = bgp_policy_cmp(*a, *b);

    return order || !(*a)->name ? order : strcmp((*a)->name, (*b)->name);
}

static void sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    if (n > 1) {
        qsort(base, n, size, cmp);
    }
}

/* Drops all but one of each network that is there more than once. */
static void unique_networks(struct bgp_instance *instance)
{
    size_t kept = 0;

    sort(instance->networks, instance->n_networks, sizeof *instance->networks, cmp_prefixes);
    for (size_t i = 0; i < instance->n_networks; i++) {
        if (!kept || prefix_cmp(&instance->networks[kept - 1], &instance->networks[i])) {
            instance->networks[kept++] = instance->networks[i];
        }
    }
    instance->n_networks = kept;
}

static int cmp_aggregates(const void *a_, const void *b_)
{
    const struct bgp_aggregate *a = a_, *b = b_;

    return prefix_cmp(&a->prefix, &b->prefix);
}

static int cmp_bfds(const void *a_, const void *b_)
{
    const struct bgp_bfd_profile *a = a_, *b = b_;

    return strcmp(a->name, b->name);
}

static void unique_bfds(struct bgp_state *state)
{
    size_t kept = 0;

    sort(state->bfds, state->n_bfds, sizeof *state->bfds, cmp_bfds);
    for (size_t i = 0; i < state->n_bfds; i++) {
        if (!kept || cmp_bfds(&state->bfds[kept - 1], &state->bfds[i])) {
            state->bfds[kept++] = state->bfds[i];
        }
    }
    state->n_bfds = kept;
}

void bgp_instance_sort(struct bgp_instance *instance)
{
    unique_networks(instance);
    sort(instance->aggregates, instance->n_aggregates, sizeof *instance->aggregates,
         cmp_aggregates);
    sort(instance->peers, instance->n_peers, sizeof *instance->peers, cmp_peers);
}

void bgp_state_sort(struct bgp_state *state)
{
    unique_bfds(state);
    sort(state->instances, state->n_instances, sizeof *state->instances, cmp_instances);
    sort(state->policies, state->n_policies, sizeof *state->policies, cmp_policies);
}

const struct bgp_instance *bgp_state_find(const struct bgp_state *state, uint32_t network_id)
{
    struct bgp_instance key = {.network_id = network_id};

    return state->n_instances
               ? bsearch(&key, state->instances, state->n_instances, sizeof key, cmp_instances)
               : NULL;
}

const struct bgp_peer *bgp_instance_find(const struct bgp_instance *instance,
                                         const struct addr *address)
{
    struct bgp_peer key = {.address = *address};

    return instance->n_peers
               ? bsearch(&key, instance->peers, instance->n_peers, sizeof key, cmp_peers)
               : NULL;
}

const struct bgp_bfd_profile *bgp_state_find_bfd(const struct bgp_state *state, const char *name)
{
    struct bgp_bfd_profile key = {.name = name};

    return state->n_bfds ? bsearch(&key, state->bfds, state->n_bfds, sizeof key, cmp_bfds) : NULL;
}

struct bgp_bfd_profile *bgp_state_add_bfd(struct bgp_state *state, const char *name)
{
    state->bfds = arena_grow(state->arena, state->bfds, state->n_bfds, &state->bfds_capacity,
                             sizeof *state->bfds);
    state->bfds[state->n_bfds] = (struct bgp_bfd_profile){.name = name,
                                                          .transmit_ms = BGP_BFD_MS,
                                                          .receive_ms = BGP_BFD_MS,
                                                          .multiplier = BGP_BFD_MULTIPLIER};
    return &state->bfds[state->n_bfds++];
}

const char *bgp_bfd_name(struct arena *arena, uint32_t interval_ms, uint32_t multiplier)
{
    return arena_printf(arena, BGP_POLICY_MARK "%ux%u", interval_ms, multiplier);
}

size_t bgp_state_policy_slot(const struct bgp_state *state, const struct bgp_policy *policy)
{
    size_t low = 0, high = state->n_policies;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct bgp_policy *other = state->policies[middle];
        bool decides = other->kind == policy->kind && other->digest != policy->digest;

        if (decides ? other->digest < policy->digest : bgp_policy_cmp(other, policy) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct bgp_policy *bgp_state_find_policy(const struct bgp_state *state,
                                               const struct bgp_policy *policy)
{
    size_t slot = bgp_state_policy_slot(state, policy);

    return slot < state->n_policies && !bgp_policy_cmp(state->policies[slot], policy)
               ? state->policies[slot]
               : NULL;
}
