#include "model/reader.h"

#include <assert.h>

void read_map(struct reader *reader, const struct doc *doc, const struct field *fields,
              void *object)
{
    const char *keys[READER_FIELDS + 1] = {NULL};

    if (!doc_is(doc, DOC_MAP, reader->errors)) {
        return;
    }
    for (size_t i = 0; fields[i].key; i++) {
        assert(i < READER_FIELDS);
        keys[i] = fields[i].key;
    }
    doc_check_keys(doc, keys, reader->errors);
    for (const struct field *field = fields; field->key; field++) {
        const struct doc *value = field->need == REQUIRED
                                      ? doc_require(doc, field->key, reader->errors)
                                      : doc_get(doc, field->key);

        if (value) {
            field->read(reader, value, (char *)object + field->offset);
        }
    }
}

void *read_list(struct reader *reader, const struct doc *doc, const struct list *list,
                size_t *ret_n)
{
    char *items, *item;

    if (!doc_is(doc, DOC_LIST, reader->errors)) {
        return NULL;
    }
    if (doc->n_children < list->min) {
        doc_error(doc, reader->errors, "must have at least one entry");
        return NULL;
    }
    if (doc->n_children > list->max) {
        doc_error(doc, reader->errors, "has %zu entries, at most %zu are possible", doc->n_children,
                  list->max);
        return NULL;
    }
    item = items = arena_calloc(reader->arena, doc->n_children, list->size);
    for (const struct doc *child = doc->child; child; child = child->next) {
        list->read(reader, child, item);
        item += list->size;
    }
    *ret_n = doc->n_children;
    return items;
}

bool read_list_worked(const struct doc *doc, size_t n)
{
    return doc ? doc->kind == DOC_LIST && doc->n_children == n : n == 0;
}

void read_name(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_name(doc, reader->errors, ret);
}

void read_string(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_string(doc, reader->errors, ret);
}

void read_bool(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_bool(doc, reader->errors, ret);
}

void read_addr(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_addr(doc, reader->errors, ret);
}

void read_prefix(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_prefix(doc, reader->errors, ret);
}

void read_ifaddr(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_ifaddr(doc, reader->errors, ret);
}

uint64_t read_uint(struct reader *reader, const struct doc *doc, uint64_t min, uint64_t max)
{
    uint64_t number = 0;

    doc_uint(doc, reader->errors, min, max, &number);
    return number;
}
