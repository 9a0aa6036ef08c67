#include "store/store_internal.h"

#include <errno.h>
#include <lib/util.h>
#include <openvswitch/shash.h>
#include <stdlib.h>
#include <string.h>

/* A change that was sent, to be made to the image when it is answered. */
struct store_image_change {
    char *tenant;
    uint64_t generation;
    char *text;
    size_t text_len;
    struct store_generation entry;
    struct store_confirm confirm;
    struct ids ids;
};

struct store_image *image_new(void)
{
    struct store_image *image = xzalloc(sizeof *image);

    ids_init(&image->ids);
    return image;
}

static void generation_done(struct store_generation *generation)
{
    free(generation->who);
    free(generation->summary);
}

static void tenant_done(struct store_tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_history; i++) {
        generation_done(&tenant->history[i]);
    }
    free(tenant->history);
    free(tenant->name);
    free(tenant->text);
}

void image_free(struct store_image *image)
{
    if (!image) {
        return;
    }
    for (size_t i = 0; i < image->n_tenants; i++) {
        tenant_done(&image->tenants[i]);
    }
    for (size_t i = 0; i < image->n_since; i++) {
        free(image->since[i].object);
    }
    free(image->tenants);
    free(image->since);
    free(image->pages);
    ids_done(&image->ids);
    free(image);
}

const struct store_tenant *image_find(const struct store_image *image, const char *tenant)
{
    for (size_t i = 0; i < image->n_tenants; i++) {
        if (!strcmp(image->tenants[i].name, tenant)) {
            return &image->tenants[i];
        }
    }
    return NULL;
}

const char *row_string(const struct json *row, const char *column)
{
    const struct json *value = shash_find_data(json_object(row), column);

    return value && value->type == JSON_STRING ? json_string(value) : "";
}

int64_t row_integer(const struct json *row, const char *column)
{
    const struct json *value = shash_find_data(json_object(row), column);

    return value && value->type == JSON_INTEGER ? json_integer(value) : 0;
}

typedef void row_reader(struct store_image *image, const struct json *row);

static void read_router(struct store_image *image, const struct json *row)
{
    image->has_counters = true;
    image->ids.next_network = (uint32_t)row_integer(row, "next_network");
    image->ids.next_link = (uint32_t)row_integer(row, "next_link");
}

static struct store_tenant *add_tenant(struct store_image *image, const char *name)
{
    struct store_tenant *tenant;

    image->tenants = xrealloc(image->tenants, (image->n_tenants + 1) * sizeof *image->tenants);
    tenant = &image->tenants[image->n_tenants++];
    *tenant = (struct store_tenant){.name = xstrdup(name)};
    return tenant;
}

static void read_tenant(struct store_image *image, const struct json *row)
{
    struct store_tenant *tenant = add_tenant(image, row_string(row, "name"));

    tenant->generation = (uint64_t)row_integer(row, "generation");
    tenant->confirm =
        (struct store_confirm){row_integer(row, "confirm_until"), row_integer(row, "confirm_for"),
                               (uint64_t)row_integer(row, "confirm_back")};
}

static void add_history(struct store_tenant *tenant, struct store_generation entry)
{
    tenant->history = xrealloc(tenant->history, (tenant->n_history + 1) * sizeof *tenant->history);
    tenant->history[tenant->n_history++] = entry;
}

static void read_generation(struct store_image *image, const struct json *row)
{
    const struct store_tenant *tenant = image_find(image, row_string(row, "tenant"));

    if (tenant) {
        add_history(CONST_CAST(struct store_tenant *, tenant),
                    (struct store_generation){
                        .number = (uint64_t)row_integer(row, "number"),
                        .time_ms = row_integer(row, "time"),
                        .who = xstrdup(row_string(row, "who")),
                        .summary = xstrdup(row_string(row, "summary")),
                    });
    }
}

static void read_object(struct store_image *image, const struct json *row)
{
    const char *kind = row_string(row, "kind");

    ids_add(&image->ids,
            !strcmp(kind, "network")   ? ID_NETWORK
            : !strcmp(kind, "segment") ? ID_SEGMENT
                                       : ID_TUNNEL,
            row_string(row, "tenant"), row_string(row, "network"), row_string(row, "name"),
            (uint32_t)row_integer(row, "id"));
}

static void read_since(struct store_image *image, const struct json *row)
{
    if (!(image->n_since & (image->n_since - 1))) { /* full at each power of two */
        image->since = xrealloc(image->since, MAX(1, 2 * image->n_since) * sizeof *image->since);
    }
    image->since[image->n_since++] =
        (struct store_since){xstrdup(row_string(row, "object")), row_integer(row, "time")};
}

static void read_page(struct store_image *image, const struct json *row)
{
    if (!(image->n_pages & (image->n_pages - 1))) { /* full at each power of two */
        image->pages = xrealloc(image->pages, MAX(1, 2 * image->n_pages) * sizeof *image->pages);
    }
    image->pages[image->n_pages++] = (uint32_t)row_integer(row, "number");
}

const struct json_array *rows_of(const struct json *result)
{
    const struct json *rows =
        result && result->type == JSON_OBJECT ? shash_find_data(json_object(result), "rows") : NULL;

    return rows && rows->type == JSON_ARRAY ? json_array(rows) : NULL;
}

static int history_cmp(const void *a_, const void *b_)
{
    const struct store_generation *a = a_, *b = b_;

    return a->number < b->number ? -1 : a->number > b->number;
}

static int since_cmp(const void *a_, const void *b_)
{
    const struct store_since *a = a_, *b = b_;

    return strcmp(a->object, b->object);
}

static int page_cmp(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void image_sort(struct store_image *image)
{
    for (size_t i = 0; i < image->n_tenants; i++) {
        if (image->tenants[i].n_history) {
            qsort(image->tenants[i].history, image->tenants[i].n_history,
                  sizeof *image->tenants[i].history, history_cmp);
        }
    }
    if (image->n_since) {
        qsort(image->since, image->n_since, sizeof *image->since, since_cmp);
    }
    if (image->n_pages) {
        qsort(image->pages, image->n_pages, sizeof *image->pages, page_cmp);
    }
}

int image_read_rows(struct store_image *image, const struct json *rows)
{
    static row_reader *const readers[] = {read_router, read_tenant, read_generation,
                                          read_object, read_since,  read_page};

    if (json_array(rows)->n < ARRAY_SIZE(readers)) {
        return -EPROTO;
    }
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        const struct json_array *table = rows_of(json_array(rows)->elems[i]);

        for (size_t j = 0; table && j < table->n; j++) {
            if (table->elems[j]->type != JSON_OBJECT) {
                return -EPROTO;
            }
            readers[i](image, table->elems[j]);
        }
        if (!table) {
            return -EPROTO;
        }
    }
    image_sort(image);
    return 0;
}

const char *image_document_of(const struct json *result)
{
    const struct json_array *rows = rows_of(result);

    return rows && rows->n == 1 && rows->elems[0]->type == JSON_OBJECT
               ? row_string(rows->elems[0], "document")
               : NULL;
}

int image_read_documents(struct store_image *image, const struct json *rows)
{
    if (json_array(rows)->n != image->n_tenants) {
        return -EPROTO;
    }
    for (size_t i = 0; i < image->n_tenants; i++) {
        const char *text = image_document_of(json_array(rows)->elems[i]);

        if (!text && image->tenants[i].generation) {
            return -EPROTO;
        }
        image->tenants[i].text = xstrdup(text ? text : "");
        image->tenants[i].text_len = strlen(image->tenants[i].text);
    }
    return 0;
}

struct store_image_change *image_change_new(const struct store_change *change, int64_t time_ms)
{
    struct store_image_change *copy = xzalloc(sizeof *copy);

    copy->tenant = xstrdup(change->tenant);
    copy->generation = change->generation;
    copy->text = xmemdup0(change->text, change->text_len);
    copy->text_len = change->text_len;
    copy->entry = (struct store_generation){change->generation, time_ms, xstrdup(change->who),
                                            xstrdup(change->summary)};
    copy->confirm = change->confirm;
    ids_clone(change->ids, &copy->ids);
    return copy;
}

void image_change_free(struct store_image_change *change)
{
    if (change) {
        free(change->tenant);
        free(change->text);
        generation_done(&change->entry);
        ids_done(&change->ids);
        free(change);
    }
}

/* Forgets what ops_put() deletes. */
static void forget_old_generations(struct store_tenant *tenant)
{
    size_t kept = 0;

    for (size_t i = 0; i < tenant->n_history; i++) {
        struct store_generation *entry = &tenant->history[i];

        if (entry->number + STORE_GENERATIONS > tenant->generation ||
            (tenant->confirm.until_ms && entry->number == tenant->confirm.back)) {
            tenant->history[kept++] = *entry;
        } else {
            generation_done(entry);
        }
    }
    tenant->n_history = kept;
}

void image_confirm_apply(struct store_image *image, const char *tenant,
                         const struct store_confirm *confirm)
{
    struct store_tenant *found = CONST_CAST(struct store_tenant *, image_find(image, tenant));

    if (found) {
        found->confirm = *confirm;
    }
}

void image_change_apply(struct store_image *image, struct store_image_change *change)
{
    struct store_tenant *tenant =
        CONST_CAST(struct store_tenant *, image_find(image, change->tenant));
    struct ids ids = image->ids;

    if (!tenant) {
        tenant = add_tenant(image, change->tenant);
    }
    free(tenant->text);
    tenant->text = change->text;
    tenant->text_len = change->text_len;
    tenant->generation = change->generation;
    tenant->confirm = change->confirm;
    add_history(tenant, change->entry);
    forget_old_generations(tenant);
    image->ids = change->ids;
    image->has_counters = true;
    ids_done(&ids);
    free(change->tenant);
    free(change);
}
