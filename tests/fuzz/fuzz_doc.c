/* Any bytes: the reader of documents keeps its bounds, and what it reads is equal to itself and can
 * be walked. */
#include "model/doc.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next node in the order of the text. */
static const struct doc *walk(const struct doc *at)
{
    if (at->child)
        return at->child;
    while (at && !at->next)
        at = at->parent;
    return at ? at->next : NULL;
}

static void check_node(struct arena *arena, const struct doc *doc)
{
    assert(doc->line > 0 && doc->column > 0 && doc->text);
    assert(doc->kind != DOC_SCALAR || (!doc->child && doc->text[doc->text_len] == '\0'));
    assert(!doc->parent || (doc->parent->kind == DOC_MAP) == (doc->key != NULL));
    assert(strlen(doc_path(arena, doc)) < 4096);
}

static void check_values(const struct doc *doc, struct errors *errors)
{
    const char *text;
    bool flag;
    uint64_t number;
    struct addr addr;
    struct prefix prefix;
    if (doc_name(doc, errors, &text) || doc_string(doc, errors, &text))
        assert(*text);
    doc_bool(doc, errors, &flag);
    if (doc_uint(doc, errors, 3, 70000, &number))
        assert(number >= 3 && number <= 70000);
    doc_addr(doc, errors, &addr);
    if (doc_prefix(doc, errors, &prefix))
        assert(!prefix_has_host_bits(&prefix));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const KEYS[] = {"networks", "name", "gateway", NULL};
    struct arena *arena = arena_new();
    struct errors *errors = errors_new();
    const struct doc *root = doc_parse(arena, (const char *)data, size, errors);
    assert(root || errors_count(errors) > 0);
    if (root)
        assert(doc_equal(root, root) || errors_count(errors) > 0);
    for (const struct doc *doc = root; doc; doc = walk(doc)) {
        check_node(arena, doc);
        check_values(doc, errors);
        doc_check_keys(doc, KEYS, errors);
    }
    errors_sort(errors);
    errors_free(errors);
    arena_free(arena);
    return 0;
}
