/* Pages of nodes: what is written and what is read (RFC 7047, section 5). */
#include "store/store_internal.h"

#include <errno.h>
#include <lib/util.h>
#include <stdlib.h>

/* A page's row can be found by its number without searching. */
static struct json *page_uuid(uint32_t number)
{
    return json_string_create_nocopy(xasprintf("6e6f6465-7061-4765-8000-0000%08x", number));
}

static struct json *where_page(uint32_t number)
{
    struct json *where = json_array_create_empty();

    where_add(where, "_uuid",
              "==", json_array_create_2(json_string_create("uuid"), page_uuid(number)));
    return where;
}

static struct json *set_of(const char *const *records, size_t n)
{
    struct json **items = xcalloc(n, sizeof *items);

    for (size_t i = 0; i < n; i++) {
        items[i] = json_string_create(records[i]);
    }
    return json_array_create_2(json_string_create("set"), json_array_create(items, n));
}

static struct json *op_insert_page(const struct store_page_change *change)
{
    struct json *op = op_new("insert", "Node_Page"), *row = json_object_create();

    json_object_put(row, "number", json_integer_create(change->page.number));
    json_object_put_string(row, "tenant", change->page.tenant);
    json_object_put_string(row, "network", change->page.network);
    json_object_put_string(row, "pool", change->page.pool);
    json_object_put(row, "nodes", set_of(change->added, change->n_added));
    json_object_put(op, "row", row);
    json_object_put(op, "uuid", page_uuid(change->page.number));
    return op;
}

static void add_mutation(struct json *mutations, const char *mutator, const char *const *records,
                         size_t n)
{
    if (n) {
        json_array_add(mutations,
                       json_array_create_3(json_string_create("nodes"), json_string_create(mutator),
                                           set_of(records, n)));
    }
}

static struct json *op_change_page(const struct store_page_change *change)
{
    struct json *op = op_new("mutate", "Node_Page"), *mutations = json_array_create_empty();

    add_mutation(mutations, "delete", change->removed, change->n_removed);
    add_mutation(mutations, "insert", change->added, change->n_added);
    json_object_put(op, "where", where_page(change->page.number));
    json_object_put(op, "mutations", mutations);
    return op;
}

static struct json *op_delete_page(const struct store_page_change *change)
{
    struct json *op = op_new("delete", "Node_Page");

    json_object_put(op, "where", where_page(change->page.number));
    return op;
}

struct json *ops_put_nodes(const struct store *store, const struct store_page_change *changes,
                           size_t n)
{
    static struct json *(*const steps[])(const struct store_page_change *) = {
        [STORE_PAGE_NEW] = op_insert_page,
        [STORE_PAGE_CHANGED] = op_change_page,
        [STORE_PAGE_GONE] = op_delete_page,
    };
    struct json *ops = ops_start_write(store);

    for (size_t i = 0; i < n; i++) {
        json_array_add(ops, steps[changes[i].step](&changes[i]));
    }
    ops_end_durable(ops);
    return ops;
}

bool nodes_answer_complete(const struct json *rows)
{
    for (size_t i = 0; i < json_array(rows)->n; i++) {
        const struct json *row = json_array(rows)->elems[i];
        const struct json *count =
            row->type == JSON_OBJECT ? shash_find_data(json_object(row), "count") : NULL;

        if (count && (count->type != JSON_INTEGER || json_integer(count) != 1)) {
            return false;
        }
    }
    return true;
}

struct json *ops_pages(const char *database, uint32_t first, uint32_t last)
{
    static const char *const columns[] = {"number", "tenant", "network", "pool", "nodes", NULL};
    struct json *ops = ops_start(database), *where = json_array_create_empty();

    where_add(where, "number", ">=", json_integer_create(first));
    where_add(where, "number", "<=", json_integer_create(last));
    json_array_add(ops, op_select("Node_Page", where, columns));
    return ops;
}

/* The texts of a set column: one alone stands without its set (RFC 7047, 5.1). */
static const char **texts_of(const struct json *set, size_t *ret_n)
{
    const struct json *const *items = (const struct json *const *)&set;
    const char **texts;
    size_t n = 1;

    if (set && set->type == JSON_ARRAY && json_array(set)->n == 2 &&
        json_array(set)->elems[1]->type == JSON_ARRAY) {
        items = (const struct json *const *)json_array(json_array(set)->elems[1])->elems;
        n = json_array(json_array(set)->elems[1])->n;
    }
    texts = xcalloc(n + 1, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        if (!items[i] || items[i]->type != JSON_STRING) {
            free(texts);
            return NULL;
        }
        texts[i] = json_string(items[i]);
    }
    *ret_n = n;
    return texts;
}

static bool read_page(const struct store *store, const struct json *row)
{
    struct store_page page;
    const char **texts;
    size_t n;
    bool ok;

    if (row->type != JSON_OBJECT) {
        return false;
    }
    texts = texts_of(shash_find_data(json_object(row), "nodes"), &n);
    if (!texts) {
        return false;
    }
    page = (struct store_page){(uint32_t)row_integer(row, "number"), row_string(row, "tenant"),
                               row_string(row, "network"), row_string(row, "pool")};
    ok = store->nodes_reader->page(store->nodes_reader->aux, &page, texts, n);
    free(texts);
    return ok;
}

int nodes_read_pages(const struct store *store, const struct json *rows)
{
    const struct json_array *pages =
        json_array(rows)->n ? rows_of(json_array(rows)->elems[0]) : NULL;

    for (size_t i = 0; pages && i < pages->n; i++) {
        if (!read_page(store, pages->elems[i])) {
            return -EPROTO;
        }
    }
    return pages ? 0 : -EPROTO;
}
