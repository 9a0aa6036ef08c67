#include "nodes/want.h"

#include "model/keyed.h"
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS = 64, LABEL_KEY = 128, LABEL_VALUE = 1024 };

bool node_name_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

    return len >= 1 && len <= NODE_NAME && !name[len] && name[0] != '.' && name[len - 1] != '.' &&
           !strstr(name, "..");
}

static void read_node_name(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_name = ret, *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    if (node_name_valid(text)) {
        *ret_name = text;
    } else {
        doc_error(doc, reader->errors, "must be 1 to %d of a-z, 0-9, - and dots between them",
                  NODE_NAME);
    }
}

static void read_any_addr(struct reader *reader, const struct doc *doc, void *ret)
{
    struct addr *addresses = ret, addr;

    if (!doc_addr(doc, reader->errors, &addr)) {
        return;
    }
    if (addresses[addr.family == AF_INET6].family) {
        doc_error(doc, reader->errors, "is the second %s one",
                  addr.family == AF_INET6 ? "IPv6" : "IPv4");
    } else {
        addresses[addr.family == AF_INET6] = addr;
    }
}

/* One, or a list with one of each family. */
static void read_addresses(struct reader *reader, const struct doc *doc, void *ret)
{
    if (doc->kind != DOC_LIST) {
        read_any_addr(reader, doc, ret);
        return;
    }
    if (!doc->n_children || doc->n_children > 2) {
        doc_error(doc, reader->errors, "must be one address, or one of each family");
        return;
    }
    for (const struct doc *child = doc->child; child; child = child->next) {
        read_any_addr(reader, child, ret);
    }
}

static void read_mac(struct reader *reader, const struct doc *doc, void *ret)
{
    struct node_want *want = ret;
    const char *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    want->has_mac = !mac_parse(text, want->mac);
    if (!want->has_mac) {
        doc_error(doc, reader->errors,
                  "must be the MAC address of a host such as 02:00:5e:00:53:01");
    }
}

/* --- labels --------------------------------------------------------------------------------- */

/* As JSON has it; documents hold no control characters. */
static size_t print_string(char *at, const char *text)
{
    const char *begin = at;

    *at++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            *at++ = '\\';
        }
        *at++ = *text;
    }
    *at++ = '"';
    return (size_t)(at - begin);
}

static bool has_control(const char *text)
{
    while (*text && (unsigned char)*text >= 0x20 && *text != 0x7f) {
        text++;
    }
    return *text;
}

/* Reports a label that is none. */
static bool check_label(struct reader *reader, const struct doc *doc)
{
    const char *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return false;
    }
    if (!*doc->key || strlen(doc->key) > LABEL_KEY || has_control(doc->key)) {
        doc_key_error(doc, reader->errors,
                      "a label's name must have 1 to %d bytes and no control characters",
                      LABEL_KEY);
        return false;
    }
    if (strlen(text) > LABEL_VALUE || strlen(text) != doc->text_len) {
        doc_error(doc, reader->errors, "a label may have up to %d bytes", LABEL_VALUE);
        return false;
    }
    return true;
}

/* A JSON object of the labels, which are sorted. */
static char *print_labels(struct arena *arena, const struct keyed *labels)
{
    size_t room = 3;
    char *text, *at;

    for (size_t i = 0; i < labels->n; i++) {
        const struct doc *doc = labels->items[i].object;

        room += 2 * (strlen(doc->key) + doc->text_len) + 6;
    }
    text = at = arena_alloc(arena, room);
    *at++ = '{';
    for (size_t i = 0; i < labels->n; i++) {
        const struct doc *doc = labels->items[i].object;

        if (i) {
            *at++ = ',';
        }
        at += print_string(at, doc->key);
        *at++ = ':';
        at += print_string(at, doc->text);
    }
    *at++ = '}';
    *at = '\0';
    return text;
}

static void read_labels(struct reader *reader, const struct doc *doc, void *ret)
{
    struct keyed labels = {.arena = reader->arena};
    const char **ret_labels = ret, *text;

    if (!doc_is(doc, DOC_MAP, reader->errors)) {
        return;
    }
    if (doc->n_children > LABELS) {
        doc_error(doc, reader->errors, "a node may have up to %d labels", LABELS);
        return;
    }
    for (const struct doc *child = doc->child; child; child = child->next) {
        if (check_label(reader, child)) {
            keyed_add(&labels, child->key, child);
        }
    }
    keyed_sort(&labels);
    text = print_labels(reader->arena, &labels);
    if (strlen(text) > NODE_LABELS) {
        doc_error(doc, reader->errors, "the labels of a node may have up to %d bytes", NODE_LABELS);
    } else if (labels.n) {
        *ret_labels = text;
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

static void read_want(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_node_name, offsetof(struct node_want, name)},
        {"pool", OPTIONAL, read_name, offsetof(struct node_want, pool)},
        {"address", OPTIONAL, read_addresses, offsetof(struct node_want, addresses)},
        {"mac", OPTIONAL, read_mac, 0},
        {"labels", OPTIONAL, read_labels, offsetof(struct node_want, labels)},
        {0},
    };
    struct node_want *want = ret;

    want->doc = doc;
    read_map(reader, doc, fields, want);
}

static void report_name(void *aux, const void *want_, const void *first_)
{
    const struct node_want *want = want_, *first = first_;
    struct reader *reader = aux;

    doc_error(doc_get(want->doc, "name"), reader->errors, "`%s` is also the name of %s", want->name,
              doc_path(reader->arena, first->doc));
}

static void check_names(struct reader *reader, const struct node_wants *wants)
{
    struct keyed names = {.arena = reader->arena};

    for (size_t i = 0; i < wants->n; i++) {
        if (wants->items[i].name) {
            keyed_add(&names, wants->items[i].name, &wants->items[i]);
        }
    }
    keyed_sort(&names);
    keyed_each_repeated(&names, report_name, reader);
}

struct node_wants *node_wants_parse(const char *text, size_t len, struct errors *errors)
{
    static const struct list list = {1, WANTS, sizeof(struct node_want), read_want};
    struct reader reader = {arena_new(), errors};
    struct doc *doc = doc_parse(reader.arena, text, len, errors);
    struct node_wants *wants;

    if (!doc) {
        arena_free(reader.arena);
        return NULL;
    }
    wants = arena_alloc(reader.arena, sizeof *wants);
    wants->arena = reader.arena;
    if (doc->kind == DOC_LIST) {
        wants->items = read_list(&reader, doc, &list, &wants->n);
        check_names(&reader, wants);
    } else {
        wants->items = arena_alloc(reader.arena, sizeof *wants->items);
        wants->n = 1;
        read_want(&reader, doc, wants->items);
    }
    errors_sort(errors);
    return wants;
}

void node_wants_free(struct node_wants *wants)
{
    if (wants) {
        arena_free(wants->arena);
    }
}
