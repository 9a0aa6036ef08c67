#include "net/nft_state.h"

#include "net/sorted.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nft_state_init(struct nft_state *state)
{
    *state = (struct nft_state){.arena = arena_new()};
}

void nft_state_done(struct nft_state *state)
{
    arena_free(state->arena);
    *state = (struct nft_state){0};
}

struct nft_item *nft_state_add(struct nft_state *state, uint32_t number, enum nft_kind kind,
                               const char *name, const char *text)
{
    struct nft_item *item = arena_alloc(state->arena, sizeof *item);
    item->number = number;
    item->kind = kind;
    item->name = arena_strdup(state->arena, name);
    item->text = arena_strdup(state->arena, text);
    item->comment = "";
    state->items = arena_grow(state->arena, state->items, state->n_items, &state->capacity,
                              sizeof(struct nft_item *));
    state->items[state->n_items++] = item;
    return item;
}

void nft_item_add_rule(struct nft_state *state, struct nft_item *item, const char *rule)
{
    item->rules =
        arena_grow(state->arena, item->rules, item->n_rules, &item->capacity, sizeof *item->rules);
    item->rules[item->n_rules++] = arena_strdup(state->arena, rule);
}

struct nft_item *nft_state_find(const struct nft_state *state, enum nft_kind kind, const char *name)
{
    for (size_t i = 0; i < state->n_items; i++)
        if (state->items[i]->kind == kind && strcmp(state->items[i]->name, name) == 0)
            return state->items[i];
    return NULL;
}

/* A set or chain is one thing whatever its text says; an element is its text. */
int nft_item_cmp(const struct nft_item *a, const struct nft_item *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order || a->kind != NFT_ELEMENT ? order : strcmp(a->text, b->text);
}

static int compare(const void *a, const void *b)
{
    return nft_item_cmp(*(const struct nft_item *const *)a, *(const struct nft_item *const *)b);
}

void nft_state_sort(struct nft_state *state)
{
    if (state->n_items)
        qsort(state->items, state->n_items, sizeof *state->items, compare);
}

void nft_state_join(struct nft_state *whole, const struct nft_state *part)
{
    whole->items = sorted_add(whole->items, whole->n_items, part->items, part->n_items, compare);
    whole->n_items += part->n_items;
}

void nft_state_leave(struct nft_state *whole, const struct nft_state *part)
{
    whole->n_items = sorted_remove(whole->items, whole->n_items, part->items, part->n_items);
}

const char *nft_digest(const char *text, char buffer[NFT_DIGEST_TEXT])
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    snprintf(buffer, NFT_DIGEST_TEXT, "%016llx", (unsigned long long)hash);
    return buffer;
}

bool nft_comment_split(const char *text, uint32_t *ret_number, const char **ret_rest)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return false;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != ' ' || number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    *ret_rest = end + 1;
    return true;
}
