#include "nft_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void nft_fake_init(struct nft_fake *fake)
{
    *fake = (struct nft_fake){.now = {0}};
    nft_state_init(&fake->now);
}

void nft_fake_done(struct nft_fake *fake)
{
    nft_state_done(&fake->now);
    nft_wanted_done(&fake->wanted);
}

struct nft_item *nft_fake_must_find(struct nft_fake *fake, enum nft_kind kind, const char *name)
{
    struct nft_item *item = nft_state_find(&fake->now, kind, name);

    if (!item) {
        fail_msg("%s is not there", name);
        abort();
    }
    return item;
}

void nft_fake_drop(struct nft_fake *fake, const struct nft_item *item)
{
    size_t kept = 0;

    for (size_t i = 0; i < fake->now.n_items; i++)
        if (fake->now.items[i] != item)
            fake->now.items[kept++] = fake->now.items[i];
    fake->now.n_items = kept;
}

/* The text between `head` and `tail` of a command. */
static char *between(const char *text, const char *head, const char *tail)
{
    const char *begin = strstr(text, head),
               *end = begin ? strstr(begin + strlen(head), tail) : NULL;

    if (!end) {
        fail_msg("no %s...%s in: %s", head, tail, text);
        abort();
    }
    begin += strlen(head);
    return strndup(begin, (size_t)(end - begin));
}

/* Everything that a verdict leads to must be there. */
static void check_verdict(struct nft_fake *fake, const char *text)
{
    static const char *const words[] = {"goto ", "jump "};

    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(text, words[i]);
        char name[64];

        if (at && sscanf(at + 5, "%63[a-z0-9_A-Z]", name) == 1)
            nft_fake_must_find(fake, NFT_CHAIN, name);
    }
    for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
        char name[64];

        if (sscanf(at + 1, "%63[a-z0-9_A-Z]", name) == 1)
            nft_fake_must_find(fake, NFT_SET, name);
    }
}

static void split(struct nft_fake *fake, const char *comment, uint32_t *ret_number,
                  const char **ret)
{
    const char *rest;

    assert_true(strlen(comment) <= 128);
    assert_true(nft_comment_split(comment, ret_number, &rest));
    *ret = arena_strdup(fake->now.arena, rest);
}

static void add_chain(struct nft_fake *fake, const char *name, const char *command)
{
    char *comment = between(command, "comment \"", "\"");
    uint32_t number;
    const char *rest;

    assert_null(nft_state_find(&fake->now, NFT_CHAIN, name));
    split(fake, comment, &number, &rest);
    nft_state_add(&fake->now, number, NFT_CHAIN, name, "")->comment = rest;
    free(comment);
}

static void add_rule(struct nft_fake *fake, const char *name, const char *command)
{
    const char *last = strstr(command, " comment \"");
    char *comment = between(last, "comment \"", "\"");

    check_verdict(fake, command);
    nft_item_add_rule(&fake->now, nft_fake_must_find(fake, NFT_CHAIN, name), comment);
    free(comment);
}

struct nft_item *nft_fake_find_key(struct nft_fake *fake, const char *set, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < fake->now.n_items; i++) {
        struct nft_item *item = fake->now.items[i];

        if (item->kind == NFT_ELEMENT && strcmp(item->name, set) == 0 &&
            strncmp(item->text, key, len) == 0 &&
            (!item->text[len] || strncmp(item->text + len, " : ", 3) == 0))
            return item;
    }
    return NULL;
}

static void add_element(struct nft_fake *fake, const char *set, const char *command)
{
    char *comment = between(command, "comment \"", "\""), *key = between(command, "{ ", " comment");
    uint32_t number;
    const char *rest;

    nft_fake_must_find(fake, NFT_SET, set);
    check_verdict(fake, command);
    for (char *c = comment; *c; c++)
        if (*c == '\'')
            *c = '"';
    split(fake, comment, &number, &rest);
    if (nft_fake_find_key(fake, set, key))
        fail_msg("%s has %s already", set, key);
    nft_state_add(&fake->now, number, NFT_ELEMENT, set, rest);
    free(comment);
    free(key);
}

static void delete_element(struct nft_fake *fake, const char *set, const char *command)
{
    char *key = between(command, "{ ", " }");
    struct nft_item *item = nft_fake_find_key(fake, set, key);

    if (!item)
        fail_msg("%s has no %s", set, key);
    nft_fake_drop(fake, item);
    free(key);
}

void nft_fake_flush_set(struct nft_fake *fake, const char *set)
{
    nft_fake_must_find(fake, NFT_SET, set)->broken = false;
    for (size_t i = fake->now.n_items; i-- > 0;)
        if (fake->now.items[i]->kind == NFT_ELEMENT && strcmp(fake->now.items[i]->name, set) == 0)
            nft_fake_drop(fake, fake->now.items[i]);
}

static void delete_chain(struct nft_fake *fake, const char *name)
{
    for (size_t i = 0; i < fake->now.n_items; i++) {
        const struct nft_item *item = fake->now.items[i];
        const char *at = item->kind == NFT_ELEMENT ? strstr(item->text, " : ") : NULL;

        if (at && strlen(at) > 8 && strcmp(at + 8, name) == 0)
            fail_msg("%s is still led to by %s %s", name, item->name, item->text);
    }
    assert_int_equal(nft_fake_must_find(fake, NFT_CHAIN, name)->n_rules, 0);
    nft_fake_drop(fake, nft_fake_must_find(fake, NFT_CHAIN, name));
}

static void add_set(struct nft_fake *fake, const char *name, const char *kind)
{
    assert_null(nft_state_find(&fake->now, NFT_SET, name));
    nft_state_add(&fake->now, 0, NFT_SET, name, kind);
}

static void run(struct nft_fake *fake, const char *command)
{
    char verb[16], what[16], name[64] = "";

    if (sscanf(command, "%15s %15s inet routerd %63s", verb, what, name) < 2)
        fail_msg("cannot read: %s", command);
    bool add = strcmp(verb, "add") == 0, flush = strcmp(verb, "flush") == 0;
    bool set = strcmp(what, "set") == 0 || strcmp(what, "map") == 0;

    if (strcmp(what, "table") == 0) {
        fake->now.present = add;
        if (!add)
            fake->now.n_items = 0;
        return;
    }
    assert_true(fake->now.present);
    if (set && add)
        add_set(fake, name, what);
    else if (set && flush)
        nft_fake_flush_set(fake, name);
    else if (set)
        nft_fake_drop(fake, nft_fake_must_find(fake, NFT_SET, name));
    else if (strcmp(what, "chain") == 0 && add)
        add_chain(fake, name, command);
    else if (strcmp(what, "chain") == 0 && flush)
        nft_fake_must_find(fake, NFT_CHAIN, name)->n_rules = 0;
    else if (strcmp(what, "chain") == 0)
        delete_chain(fake, name);
    else if (strcmp(what, "rule") == 0)
        add_rule(fake, name, command);
    else if (add)
        add_element(fake, name, command);
    else
        delete_element(fake, name, command);
}

void nft_fake_carry_out(struct nft_fake *fake, struct plan *plan, struct step **steps, size_t n)
{
    for (int round = 0; round < NFT_N_ROUNDS; round++)
        for (size_t i = 0; i < n; i++) {
            const struct nft_change *change = steps[i]->data;

            for (size_t j = 0; !change->obstacle && j < change->n_ops; j++)
                if ((int)change->ops[j].round == round)
                    run(fake, change->ops[j].command);
        }
    nft_state_sort(&fake->now);
    for (size_t i = 0; i < n; i++) {
        const struct nft_change *change = steps[i]->data;

        step_finish(plan, steps[i], change->obstacle ? STEP_FAILED : STEP_DONE, NULL);
    }
}

void nft_fake_add_steps(struct nft_fake *fake, const struct intended *intended, struct plan *plan)
{
    static const struct nft_host host = {.forwards = false};

    nft_want(&fake->wanted, intended, &host);
    nft_diff(intended, &fake->wanted.state, &fake->now, plan);
}

struct plan *nft_fake_plan(struct nft_fake *fake, const struct intended *intended)
{
    struct plan *plan = plan_new();

    nft_fake_add_steps(fake, intended, plan);
    nft_wanted_done(&fake->wanted); /* the plan must stand on its own */
    plan_sort(plan);
    return plan;
}

char *nft_fake_text(const struct nft_fake *fake)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < fake->now.n_items; i++) {
        const struct nft_item *item = fake->now.items[i];

        fprintf(out, "%u %d %s %s %s", item->number, (int)item->kind, item->name, item->text,
                item->comment);
        for (size_t j = 0; j < item->n_rules; j++)
            fprintf(out, " %s", item->rules[j]);
        fputc('\n', out);
    }
    fclose(out);
    return text;
}
