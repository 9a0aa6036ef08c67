#include "store/store_internal.h"

#include <inttypes.h>
#include <lib/util.h>
#include <string.h>

static const char *const kind_names[] = {
    [ID_NETWORK] = "network", [ID_SEGMENT] = "segment", [ID_TUNNEL] = "tunnel"};

struct json *op_new(const char *op, const char *table)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "op", op);
    if (table) {
        json_object_put_string(json, "table", table);
    }
    return json;
}

void where_add(struct json *where, const char *column, const char *function, struct json *value)
{
    json_array_add(where, json_array_create_3(json_string_create(column),
                                              json_string_create(function), value));
}

static struct json *columns(const char *const *names)
{
    struct json *json = json_array_create_empty();

    for (; *names; names++) {
        json_array_add(json, json_string_create(*names));
    }
    return json;
}

struct json *op_select(const char *table, struct json *where, const char *const *names)
{
    struct json *op = op_new("select", table);

    json_object_put(op, "where", where);
    json_object_put(op, "columns", columns(names));
    return op;
}

struct json *ops_start(const char *database)
{
    return json_array_create_1(json_string_create(database));
}

struct json *ops_start_write(const struct store *store)
{
    struct json *ops = ops_start(store->config->state_database);
    struct json *assertion = op_new("assert", NULL);

    json_object_put_string(assertion, "lock", store->lock_name);
    json_array_add(ops, assertion);
    return ops;
}

void ops_end_durable(struct json *ops)
{
    struct json *commit = op_new("commit", NULL);

    json_object_put(commit, "durable", json_boolean_create(true));
    json_array_add(ops, commit);
}

struct json *ops_rows(const char *database)
{
    static const char *const router[] = {"next_network", "next_link", NULL};
    static const char *const tenant[] = {"name",        "generation",   "confirm_until",
                                         "confirm_for", "confirm_back", NULL};
    static const char *const generation[] = {"tenant", "number", "time", "who", "summary", NULL};
    static const char *const object[] = {"kind", "tenant", "network", "name", "id", NULL};
    static const char *const since[] = {"object", "time", NULL};
    static const char *const page[] = {"number", NULL};
    struct json *ops = ops_start(database);

    json_array_add(ops, op_select("Router", json_array_create_empty(), router));
    json_array_add(ops, op_select("Tenant", json_array_create_empty(), tenant));
    json_array_add(ops, op_select("Generation", json_array_create_empty(), generation));
    json_array_add(ops, op_select("Object", json_array_create_empty(), object));
    json_array_add(ops, op_select("Since", json_array_create_empty(), since));
    json_array_add(ops, op_select("Node_Page", json_array_create_empty(), page));
    return ops;
}

static struct json *where_generation(const char *tenant, const char *function, uint64_t number)
{
    struct json *where = json_array_create_empty();

    where_add(where, "tenant", "==", json_string_create(tenant));
    where_add(where, "number", function, json_integer_create((long long)number));
    return where;
}

static void add_select_document(struct json *ops, const char *tenant, uint64_t generation)
{
    static const char *const document[] = {"document", NULL};

    json_array_add(ops,
                   op_select("Generation", where_generation(tenant, "==", generation), document));
}

struct json *ops_documents(const char *database, const struct store_image *image)
{
    struct json *ops = ops_start(database);

    for (size_t i = 0; i < image->n_tenants; i++) {
        add_select_document(ops, image->tenants[i].name, image->tenants[i].generation);
    }
    return ops;
}

struct json *ops_document(const char *database, const char *tenant, uint64_t generation)
{
    struct json *ops = ops_start(database);

    add_select_document(ops, tenant, generation);
    return ops;
}

struct json *op_insert(const char *table, struct json *row)
{
    struct json *op = op_new("insert", table);

    json_object_put(op, "row", row);
    return op;
}

static struct json *op_update(const char *table, struct json *where, struct json *row)
{
    struct json *op = op_new("update", table);

    json_object_put(op, "where", where);
    json_object_put(op, "row", row);
    return op;
}

struct json *op_delete(const char *table, struct json *where)
{
    struct json *op = op_new("delete", table);

    json_object_put(op, "where", where);
    return op;
}

static void put_confirm(struct json *row, const struct store_confirm *confirm)
{
    json_object_put(row, "confirm_until", json_integer_create(confirm->until_ms));
    json_object_put(row, "confirm_for", json_integer_create(confirm->for_ms));
    json_object_put(row, "confirm_back", json_integer_create((long long)confirm->back));
}

struct json *ops_confirm(const struct store *store, const char *tenant,
                         const struct store_confirm *confirm)
{
    struct json *ops = ops_start_write(store), *row = json_object_create();
    struct json *where = json_array_create_empty();

    put_confirm(row, confirm);
    where_add(where, "name", "==", json_string_create(tenant));
    json_array_add(ops, op_update("Tenant", where, row));
    ops_end_durable(ops);
    return ops;
}

static void add_tenant(struct json *ops, const struct store_image *image,
                       const struct store_change *change)
{
    struct json *row = json_object_create();

    json_object_put(row, "generation", json_integer_create((long long)change->generation));
    put_confirm(row, &change->confirm);
    if (image_find(image, change->tenant)) {
        struct json *where = json_array_create_empty();

        where_add(where, "name", "==", json_string_create(change->tenant));
        json_array_add(ops, op_update("Tenant", where, row));
    } else {
        json_object_put_string(row, "name", change->tenant);
        json_array_add(ops, op_insert("Tenant", row));
    }
}

static void add_generation(struct json *ops, const struct store_change *change, int64_t time_ms)
{
    struct json *row = json_object_create();

    json_object_put_string(row, "tenant", change->tenant);
    json_object_put(row, "number", json_integer_create((long long)change->generation));
    json_object_put(row, "time", json_integer_create(time_ms));
    json_object_put_string(row, "who", change->who);
    json_object_put_string(row, "summary", change->summary);
    json_object_put(row, "document",
                    json_string_create_nocopy(xmemdup0(change->text, change->text_len)));
    json_array_add(ops, op_insert("Generation", row));
    if (change->generation > STORE_GENERATIONS) {
        struct json *where =
            where_generation(change->tenant, "<=", change->generation - STORE_GENERATIONS);

        if (change->confirm.until_ms) { /* it may have to come back */
            where_add(where, "number", "!=", json_integer_create((long long)change->confirm.back));
        }
        json_array_add(ops, op_delete("Generation", where));
    }
}

static void add_counters(struct json *ops, bool exist, const struct ids *ids)
{
    struct json *row = json_object_create();

    json_object_put(row, "next_network", json_integer_create(ids->next_network));
    json_object_put(row, "next_link", json_integer_create(ids->next_link));
    json_array_add(ops, exist ? op_update("Router", json_array_create_empty(), row)
                              : op_insert("Router", row));
}

static void add_object(struct json *ops, const struct id_entry *entry)
{
    struct json *row = json_object_create();

    json_object_put_string(row, "kind", kind_names[entry->kind]);
    json_object_put_string(row, "tenant", entry->tenant);
    json_object_put_string(row, "network", entry->network);
    json_object_put_string(row, "name", entry->name);
    json_object_put(row, "id", json_integer_create(entry->id));
    json_array_add(ops, op_insert("Object", row));
}

static void delete_object(struct json *ops, const struct id_entry *entry)
{
    struct json *where = json_array_create_empty();

    where_add(where, "kind", "==", json_string_create(kind_names[entry->kind]));
    where_add(where, "tenant", "==", json_string_create(entry->tenant));
    where_add(where, "id", "==", json_integer_create(entry->id));
    json_array_add(ops, op_delete("Object", where));
}

/* Numbers are unique for networks, and for segments and tunnels together; so number and kind say
 * which object it is. */
static int entry_cmp(const void *a_, const void *b_)
{
    const struct id_entry *a = *(const struct id_entry *const *)a_,
                          *b = *(const struct id_entry *const *)b_;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

static const struct id_entry **entries_sorted(const struct ids *ids, const char *tenant,
                                              size_t *ret_n)
{
    const struct id_entry **entries = xcalloc(ids->n + 1, sizeof *entries);

    *ret_n = 0;
    for (size_t i = 0; i < ids->n; i++) {
        if (!strcmp(ids->entries[i].tenant, tenant)) {
            entries[(*ret_n)++] = &ids->entries[i];
        }
    }
    qsort(entries, *ret_n, sizeof *entries, entry_cmp);
    return entries;
}

/* The difference of the two sets: deletions before insertions, for the index on names. */
static void add_objects(struct json *ops, const struct ids *old, const struct ids *new,
                        const char *tenant)
{
    size_t n_old, n_new;
    const struct id_entry **olds = entries_sorted(old, tenant, &n_old),
                          **news = entries_sorted(new, tenant, &n_new);

    for (size_t i = 0; i < n_old; i++) {
        if (!bsearch(&olds[i], news, n_new, sizeof *news, entry_cmp)) {
            delete_object(ops, olds[i]);
        }
    }
    for (size_t i = 0; i < n_new; i++) {
        if (!bsearch(&news[i], olds, n_old, sizeof *olds, entry_cmp)) {
            add_object(ops, news[i]);
        }
    }
    free(olds);
    free(news);
}

struct json *ops_put(const struct store *store, const struct store_change *change, int64_t time_ms)
{
    struct json *ops = ops_start_write(store);

    add_tenant(ops, store->image, change);
    add_generation(ops, change, time_ms);
    add_counters(ops, store->image->has_counters, change->ids);
    add_objects(ops, &store->image->ids, change->ids, change->tenant);
    ops_end_durable(ops);
    return ops;
}

struct json *ops_since(const struct store *store, const struct store_since *changes, size_t n)
{
    struct json *ops = ops_start_write(store);

    for (size_t i = 0; i < n; i++) {
        struct json *where = json_array_create_empty();

        where_add(where, "object", "==", json_string_create(changes[i].object));
        json_array_add(ops, op_delete("Since", where));
        if (changes[i].since_ms) {
            struct json *row = json_object_create();

            json_object_put_string(row, "object", changes[i].object);
            json_object_put(row, "time", json_integer_create(changes[i].since_ms));
            json_array_add(ops, op_insert("Since", row));
        }
    }
    return ops;
}
