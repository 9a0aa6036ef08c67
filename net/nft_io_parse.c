#include "net/nft_io.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

enum {
    ATTRS = 32,
    TABLE_NAME = 1, /* the first attribute of all kinds of messages */
    COMMENT = 0,    /* the type of a comment in user data, for all kinds (libnftnl's udata.h) */
};
_Static_assert((int)NFTA_TABLE_NAME == (int)TABLE_NAME && (int)NFTA_CHAIN_TABLE == TABLE_NAME &&
                   (int)NFTA_RULE_TABLE == TABLE_NAME && (int)NFTA_SET_TABLE == TABLE_NAME &&
                   (int)NFTA_SET_ELEM_LIST_TABLE == TABLE_NAME,
               "every message begins with its table");

/* Attributes of one message by their type; unknown ones are not there. */
struct nft_attrs {
    const struct nlattr *at[ATTRS];
};

static int collect(const struct nlattr *attr, void *aux)
{
    struct nft_attrs *attrs = aux;
    if (mnl_attr_get_type(attr) < ATTRS)
        attrs->at[mnl_attr_get_type(attr)] = attr;
    return MNL_CB_OK;
}

static struct nft_attrs attrs_of(const struct nlmsghdr *message)
{
    struct nft_attrs attrs = {0};
    if (mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg))
        mnl_attr_parse(message, sizeof(struct nfgenmsg), collect, &attrs);
    return attrs;
}

static struct nft_attrs attrs_in(const struct nlattr *nest)
{
    struct nft_attrs attrs = {0};
    if (nest)
        mnl_attr_parse_nested(nest, collect, &attrs);
    return attrs;
}

static const char *text_of(const struct nlattr *attr, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (attr)
        snprintf(buffer, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
                 (const char *)mnl_attr_get_payload(attr));
    return buffer;
}

static uint32_t number_of(const struct nlattr *attr, uint32_t otherwise)
{
    uint32_t value;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof value)
        return otherwise;
    memcpy(&value, mnl_attr_get_payload(attr), sizeof value);
    return ntohl(value);
}

static uint64_t handle_of(const struct nlattr *attr)
{
    uint64_t value;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof value)
        return 0;
    memcpy(&value, mnl_attr_get_payload(attr), sizeof value);
    return be64toh(value);
}

/* User data is a list of type, length, value, one byte each of the first two. */
static const char *comment_of(const struct nlattr *attr, char buffer[NFT_COMMENT_TEXT])
{
    buffer[0] = '\0';
    const unsigned char *data = attr ? mnl_attr_get_payload(attr) : NULL;
    size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;
    while (len >= 2 && data[1] + 2u <= len) {
        if (data[0] == COMMENT) {
            snprintf(buffer, NFT_COMMENT_TEXT, "%.*s", data[1], (const char *)data + 2);
            break;
        }
        len -= data[1] + 2u;
        data += data[1] + 2u;
    }
    return buffer;
}

static bool is_ours(const struct nlmsghdr *message, const struct nft_attrs *attrs)
{
    char table[NFT_NAME_MAXLEN];
    const struct nfgenmsg *info = mnl_nlmsg_get_payload(message);
    return mnl_nlmsg_get_payload_len(message) >= sizeof *info &&
           info->nfgen_family == NFPROTO_INET &&
           strcmp(text_of(attrs->at[TABLE_NAME], table, sizeof table), NFT_TABLE) == 0;
}

bool nft_parse_event(const struct nlmsghdr *message)
{
    if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
        (message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
        return false;
    struct nft_attrs attrs = attrs_of(message);
    return is_ours(message, &attrs);
}

/* --- listings -----------------------------------------------------------------------------------
 */

static void take_table(struct nft_state *state, const struct nft_attrs *attrs)
{
    char comment[NFT_COMMENT_TEXT];
    state->present = true;
    state->found.table = handle_of(attrs->at[NFTA_TABLE_HANDLE]);
    state->foreign = strcmp(comment_of(attrs->at[NFTA_TABLE_USERDATA], comment), NFT_MARK) != 0;
    state->dormant = !state->foreign && number_of(attrs->at[NFTA_TABLE_FLAGS], 0) != 0;
}

static void take_chain(struct nft_state *state, const struct nft_attrs *attrs)
{
    char name[NFT_NAME_MAXLEN], comment[NFT_COMMENT_TEXT];
    uint32_t number = 0;
    const char *rest = "";
    text_of(attrs->at[NFTA_CHAIN_NAME], name, sizeof name);
    bool known =
        nft_comment_split(comment_of(attrs->at[NFTA_CHAIN_USERDATA], comment), &number, &rest);
    struct nft_item *chain = nft_state_add(state, number, NFT_CHAIN, name, "");
    chain->comment = arena_strdup(state->arena, rest);
    chain->broken = !known || number_of(attrs->at[NFTA_CHAIN_POLICY], NF_ACCEPT) != NF_ACCEPT;
}

static bool is_made_by_us(const struct nft_state *state, uint64_t rule)
{
    return !state->ours.table ||
           (state->ours.table == state->found.table && rule <= state->ours.rule);
}

static void take_rule(struct nft_state *state, const struct nft_attrs *attrs)
{
    char name[NFT_NAME_MAXLEN], comment[NFT_COMMENT_TEXT];
    uint64_t handle = handle_of(attrs->at[NFTA_RULE_HANDLE]);
    if (handle > state->found.rule)
        state->found.rule = handle;
    text_of(attrs->at[NFTA_RULE_CHAIN], name, sizeof name);
    if (!state->last || strcmp(state->last->name, name) != 0)
        state->last = nft_state_find(state, NFT_CHAIN, name);
    comment_of(attrs->at[NFTA_RULE_USERDATA], comment);
    if (state->last)
        nft_item_add_rule(state, state->last, is_made_by_us(state, handle) ? comment : "");
}

static void take_set(struct nft_state *state, const struct nft_attrs *attrs)
{
    char name[NFT_NAME_MAXLEN];
    uint32_t flags = number_of(attrs->at[NFTA_SET_FLAGS], 0);
    if (!(flags & NFT_SET_ANONYMOUS))
        nft_state_add(state, 0, NFT_SET, text_of(attrs->at[NFTA_SET_NAME], name, sizeof name),
                      flags & NFT_SET_MAP ? "map" : "set");
}

struct elements {
    struct nft_state *state;
    struct nft_item *set;
};

/* What we add says in its comment what it is. */
static int take_element(const struct nlattr *attr, void *aux)
{
    struct elements *elements = aux;
    char comment[NFT_COMMENT_TEXT];
    struct nft_attrs attrs = attrs_in(attr);
    uint32_t number;
    const char *rest;
    comment_of(attrs.at[NFTA_SET_ELEM_USERDATA], comment);
    for (char *c = comment; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (nft_comment_split(comment, &number, &rest))
        nft_state_add(elements->state, number, NFT_ELEMENT, elements->set->name, rest);
    else
        elements->set->broken = true;
    return MNL_CB_OK;
}

static void take_elements(struct nft_state *state, const struct nft_attrs *attrs)
{
    char name[NFT_NAME_MAXLEN];
    struct elements elements = {
        state, nft_state_find(state, NFT_SET,
                              text_of(attrs->at[NFTA_SET_ELEM_LIST_SET], name, sizeof name))};
    const struct nlattr *list = attrs->at[NFTA_SET_ELEM_LIST_ELEMENTS];
    if (elements.set && list)
        mnl_attr_parse_nested(list, take_element, &elements);
}

void nft_parse_listed(struct nft_state *state, const struct nlmsghdr *message)
{
    struct nft_attrs attrs = attrs_of(message);
    if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || !is_ours(message, &attrs))
        return;
    switch (message->nlmsg_type & 0xff) {
    case NFT_MSG_NEWTABLE: take_table(state, &attrs); break;
    case NFT_MSG_NEWCHAIN: take_chain(state, &attrs); break;
    case NFT_MSG_NEWSET: take_set(state, &attrs); break;
    case NFT_MSG_NEWRULE: take_rule(state, &attrs); break;
    case NFT_MSG_NEWSETELEM: take_elements(state, &attrs); break;
    default: break;
    }
}

void nft_parse_finish(struct nft_state *state)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->n_items; i++) {
        struct nft_item *item = state->items[i];
        struct nft_item *set =
            item->kind == NFT_ELEMENT ? nft_state_find(state, NFT_SET, item->name) : NULL;
        if (!set || !set->broken)
            state->items[kept++] = item;
    }
    state->n_items = kept;
    nft_state_sort(state);
}
