#include "net/nft_change.h"

#include "model/ids.h"
#include "model/intended.h"

#include <string.h>

/* One step on its way: what is wanted and seen of one number. */
struct part {
    const struct nft_item *const *items;
    size_t n;
};

struct diff {
    const struct intended *intended;
    const struct nft_state *wanted, *seen;
    struct plan *plan;
    uint32_t number;
    struct nft_change *change;
    const char *words; /* what differs, for people */
    size_t n_words;
};

static void add_op(struct diff *diff, enum nft_round round, const char *command)
{
    struct nft_change *change = diff->change;
    change->ops = arena_grow(diff->plan->arena, change->ops, change->n_ops, &change->capacity,
                             sizeof *change->ops);
    change->ops[change->n_ops++] = (struct nft_op){round, command};
}

#define OP(diff, round, ...) add_op(diff, round, arena_printf((diff)->plan->arena, __VA_ARGS__))

static void say(struct diff *diff, const struct nft_item *item)
{
    enum { TOLD = 3 };
    struct arena *arena = diff->plan->arena;
    const char *word = item->kind == NFT_ELEMENT
                           ? arena_printf(arena, "%s %s", item->name, item->text)
                       : item->kind == NFT_CHAIN ? arena_printf(arena, "chain %s", item->name)
                                                 : arena_printf(arena, "set %s", item->name);
    diff->n_words++;
    if (diff->n_words <= TOLD)
        diff->words = diff->words ? arena_printf(arena, "%s, %s", diff->words, word) : word;
    else if (diff->n_words == TOLD + 1)
        diff->words = arena_printf(arena, "%s, ...", diff->words);
}

/* --- items --------------------------------------------------------------------------------------
 */

static bool is_map(const char *text)
{
    return strncmp(text, "map", 3) == 0;
}

static void add_rules(struct diff *diff, const struct nft_item *chain)
{
    for (size_t i = 0; i < chain->n_rules; i++)
        OP(diff, NFT_ROUND_RULES, "add rule inet " NFT_TABLE " %s %s comment \"%s\"", chain->name,
           chain->rules[i], chain->digests[i]);
}

static void create(struct diff *diff, const struct nft_item *item)
{
    say(diff, item);
    if (item->kind == NFT_SET) {
        bool map = is_map(item->text);
        OP(diff, NFT_ROUND_DECLARE, "add %s inet " NFT_TABLE " %s %s", map ? "map" : "set",
           item->name, strchr(item->text, '{'));
    } else if (item->kind == NFT_CHAIN) {
        OP(diff, NFT_ROUND_DECLARE, "add chain inet " NFT_TABLE " %s { %s comment \"%u %s\"; }",
           item->name, item->text, item->number, item->comment);
        add_rules(diff, item);
    } else {
        const char *verdict = strstr(item->text, " : ");
        int key = verdict ? (int)(verdict - item->text) : (int)strlen(item->text);
        char *comment = arena_strdup(diff->plan->arena, item->text);
        for (char *c = comment; *c; c++)
            if (*c == '"')
                *c = '\''; /* a comment cannot hold the other kind */
        OP(diff, NFT_ROUND_ELEMENTS,
           "add element inet " NFT_TABLE " %s { %.*s comment \"%u %s\"%s }", item->name, key,
           item->text, item->number, comment, verdict ? verdict : "");
    }
}

static void undo(struct diff *diff, const struct nft_item *item)
{
    say(diff, item);
    if (item->kind == NFT_ELEMENT) {
        const char *verdict = strstr(item->text, " : ");
        int key = verdict ? (int)(verdict - item->text) : (int)strlen(item->text);
        OP(diff, NFT_ROUND_EMPTY, "delete element inet " NFT_TABLE " %s { %.*s }", item->name, key,
           item->text);
    } else if (item->kind == NFT_CHAIN) {
        OP(diff, NFT_ROUND_EMPTY, "flush chain inet " NFT_TABLE " %s", item->name);
        OP(diff, item->broken ? NFT_ROUND_REPLACE : NFT_ROUND_REMOVE,
           "delete chain inet " NFT_TABLE " %s", item->name);
    } else {
        OP(diff, NFT_ROUND_REMOVE, "delete %s inet " NFT_TABLE " %s",
           is_map(item->text) ? "map" : "set", item->name);
    }
}

static bool has_rules(const struct nft_item *wanted, const struct nft_item *seen)
{
    if (wanted->n_rules != seen->n_rules)
        return false;
    for (size_t i = 0; i < wanted->n_rules; i++)
        if (strcmp(wanted->digests[i], seen->rules[i]) != 0)
            return false;
    return true;
}

static void update_chain(struct diff *diff, const struct nft_item *wanted,
                         const struct nft_item *seen)
{
    bool same = strcmp(wanted->comment, seen->comment) == 0 && !seen->broken;
    if (same && has_rules(wanted, seen))
        return;
    OP(diff, NFT_ROUND_EMPTY, "flush chain inet " NFT_TABLE " %s", wanted->name);
    if (!same) {
        OP(diff, NFT_ROUND_REPLACE, "delete chain inet " NFT_TABLE " %s", wanted->name);
        create(diff, wanted);
        return;
    }
    say(diff, wanted);
    add_rules(diff, wanted);
}

/* A set with strange elements is emptied; its elements count as not seen then. */
static void update(struct diff *diff, const struct nft_item *wanted, const struct nft_item *seen)
{
    if (wanted->kind == NFT_CHAIN) {
        update_chain(diff, wanted, seen);
    } else if (wanted->kind == NFT_SET && seen->broken) {
        say(diff, wanted);
        OP(diff, NFT_ROUND_EMPTY, "flush %s inet " NFT_TABLE " %s",
           is_map(wanted->text) ? "map" : "set", wanted->name);
    }
}

/* Deletions first: an element that leads elsewhere now is one that goes and one that comes. */
static void merge(struct diff *diff, const struct part *wanted, const struct part *seen)
{
    size_t i = 0, j = 0;
    while (i < wanted->n || j < seen->n) {
        int order = i == wanted->n ? 1
                    : j == seen->n ? -1
                                   : nft_item_cmp(wanted->items[i], seen->items[j]);
        if (order < 0)
            create(diff, wanted->items[i]);
        else if (order > 0)
            undo(diff, seen->items[j]);
        else
            update(diff, wanted->items[i], seen->items[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

/* --- steps --------------------------------------------------------------------------------------
 */

/* The path of a network: by what is intended, else by what its chain says. */
static const char *find_owner(const struct diff *diff, const char **ret_network)
{
    for (size_t i = 0; i < diff->intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &diff->intended->tenants[i];
        for (size_t j = 0; j < tenant->topology->n_networks; j++) {
            const struct network *network = &tenant->topology->networks[j];
            if (ids_vrf_table(network->id) == diff->number) {
                *ret_network = network->name;
                return tenant->name;
            }
        }
    }
    for (size_t i = 0; i < diff->seen->n_items; i++) {
        const struct nft_item *item = diff->seen->items[i];
        const char *slash = strchr(item->comment, '/');
        if (item->number == diff->number && item->kind == NFT_CHAIN && slash) {
            *ret_network = slash + 1;
            return arena_memdup(diff->plan->arena, item->comment, (size_t)(slash - item->comment));
        }
    }
    *ret_network = arena_printf(diff->plan->arena, "table %u", diff->number);
    return "";
}

static void finish(struct diff *diff, enum step_action action)
{
    struct arena *arena = diff->plan->arena;
    const char *object = "nftables", *tenant = diff->number ? find_owner(diff, &object) : "";
    const char *what = diff->number ? arena_printf(arena, "packet filter of rvrf%u", diff->number)
                                    : "nftables table inet " NFT_TABLE;
    struct step *step = plan_add(diff->plan, "nft", PHASE_NFT, action, tenant, object);
    step->summary = action == STEP_UPDATE && diff->words
                        ? arena_printf(arena, "%s: %s", what, diff->words)
                        : what;
    step->data = diff->change;
    if (diff->seen->foreign)
        diff->change->obstacle =
            "nftables table inet " NFT_TABLE " is there and not routerd's: delete or rename it";
}

static void begin(struct diff *diff, uint32_t number)
{
    diff->number = number;
    diff->change = arena_alloc(diff->plan->arena, sizeof *diff->change);
    diff->words = NULL;
    diff->n_words = 0;
}

static void diff_table(struct diff *diff, bool there)
{
    if (diff->number)
        return;
    if (diff->seen->dormant)
        OP(diff, NFT_ROUND_TABLE, "delete table inet " NFT_TABLE);
    if (diff->wanted->n_items && !there)
        OP(diff, NFT_ROUND_TABLE, "add table inet " NFT_TABLE " { comment \"" NFT_MARK "\"; }");
    if (!diff->wanted->n_items && there)
        OP(diff, NFT_ROUND_REMOVE, "delete table inet " NFT_TABLE);
}

/* The items of a number, from `*at` on, which is set behind them. */
static struct part cut(const struct nft_state *state, size_t *at, uint32_t number)
{
    struct part part = {(const struct nft_item *const *)state->items + *at, 0};
    while (*at < state->n_items && state->items[*at]->number == number) {
        (*at)++;
        part.n++;
    }
    return part;
}

static uint32_t number_at(const struct nft_state *state, size_t at)
{
    return at < state->n_items ? state->items[at]->number : UINT32_MAX;
}

void nft_diff(const struct intended *intended, const struct nft_state *wanted,
              const struct nft_state *seen, struct plan *plan)
{
    static const struct nft_state nothing = {0};
    bool there = seen->present && !seen->dormant && !seen->foreign;
    const struct nft_state *items = there ? seen : &nothing;
    struct diff diff = {.intended = intended, .wanted = wanted, .seen = seen, .plan = plan};
    size_t i = 0, j = 0;
    bool first = true;

    while (first || i < wanted->n_items || j < items->n_items) {
        uint32_t a = number_at(wanted, i), b = number_at(items, j);
        uint32_t number = first ? 0 : a < b ? a : b;
        first = false;
        struct part want = cut(wanted, &i, number), see = cut(items, &j, number);
        bool create = number ? !see.n : !there, gone = number ? !want.n : !wanted->n_items;
        begin(&diff, number);
        diff_table(&diff, there);
        if (wanted->n_items) /* else all of them go with the table */
            merge(&diff, &want, &see);
        if (diff.change->n_ops || (number && gone))
            finish(&diff, gone ? STEP_DELETE : create ? STEP_CREATE : STEP_UPDATE);
    }
}
