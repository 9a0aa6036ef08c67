/* Pools, from a document to structs. What may be there once or once for each family is written
 * alone or as a list. */
#include "model/topology.h"
#include "model/topology_reader.h"

#include <string.h>

/* The value alone or a list of such. */
static void *read_some(struct reader *reader, const struct doc *doc, const struct list *list,
                       size_t *ret_n)
{
    void *item;

    if (doc->kind == DOC_LIST) {
        return read_list(reader, doc, list, ret_n);
    }
    item = arena_calloc(reader->arena, 1, list->size);
    list->read(reader, doc, item);
    *ret_n = 1;
    return item;
}

/* The place of number i of what read_some() gave. */
static const struct doc *some_at(const struct doc *doc, size_t i)
{
    if (doc->kind == DOC_LIST) {
        doc = doc->child;
        while (i--) {
            doc = doc->next;
        }
    }
    return doc;
}

static void report_second(struct reader *reader, const struct doc *doc, int family, int other)
{
    if (family && family == other) {
        doc_error(some_at(doc, 1), reader->errors,
                  "is the second %s one; there is one of each family",
                  family == AF_INET ? "IPv4" : "IPv6");
    }
}

static void read_pool_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, POOL_FAMILIES, sizeof(struct prefix), read_prefix};
    struct pool *pool = ret;

    pool->prefixes = read_some(reader, doc, &list, &pool->n_prefixes);
    if (pool->n_prefixes == 2) {
        report_second(reader, doc, pool->prefixes[1].addr.family, pool->prefixes[0].addr.family);
    }
}

static void read_pool_gateways(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, POOL_FAMILIES, sizeof(struct addr), read_addr};
    struct pool *pool = ret;

    pool->gateways = read_some(reader, doc, &list, &pool->n_gateways);
    if (pool->n_gateways == 2) {
        report_second(reader, doc, pool->gateways[1].family, pool->gateways[0].family);
    }
}

static void read_range(struct reader *reader, const struct doc *doc, void *ret)
{
    const char *text;

    if (doc_string(doc, reader->errors, &text) && addr_range_parse(text, ret)) {
        doc_error(doc, reader->errors, "must be a range such as 10.1.0.100-10.1.0.199");
    }
}

static void read_ranges(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 64, sizeof(struct addr_range), read_range};
    struct pool *pool = ret;

    pool->ranges = read_some(reader, doc, &list, &pool->n_ranges);
}

/* An address, a range or a prefix. */
static void read_reserved_item(struct reader *reader, const struct doc *doc, void *ret)
{
    struct addr_range *range = ret;
    struct prefix prefix;
    const char *text;

    if (!doc_string(doc, reader->errors, &text) || !addr_range_parse(text, range)) {
        return;
    }
    if (prefix_parse(text, &prefix) || prefix_has_host_bits(&prefix)) {
        doc_error(doc, reader->errors,
                  "must be an address, a range such as 10.1.0.1-10.1.0.9 or a prefix");
        return;
    }
    *range = (struct addr_range){prefix_first(&prefix), prefix_last(&prefix)};
}

static void read_reserved(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 256, sizeof(struct addr_range), read_reserved_item};
    struct pool *pool = ret;

    pool->reserved = read_some(reader, doc, &list, &pool->n_reserved);
}

static const struct list servers = {1, 8, sizeof(struct addr), read_addr};

static bool is_bool(const struct doc *doc)
{
    return doc->kind == DOC_SCALAR && !doc->quoted &&
           (!strcmp(doc->text, "true") || !strcmp(doc->text, "false"));
}

/* Servers somewhere, or `true`: the router itself. */
static void read_dns(struct reader *reader, const struct doc *doc, void *ret)
{
    struct pool *pool = ret;

    if (is_bool(doc)) {
        read_bool(reader, doc, &pool->serves_dns);
    } else {
        pool->dns = read_some(reader, doc, &servers, &pool->n_dns);
    }
}

static void read_forwarders(struct reader *reader, const struct doc *doc, void *ret)
{
    struct pool *pool = ret;

    pool->forwarders = read_some(reader, doc, &servers, &pool->n_forwarders);
}

/* RFC 1123, 2.1: labels of letters, digits and inner hyphens. */
static bool is_domain(const char *text)
{
    size_t len = strlen(text);

    while (len <= 253) {
        size_t label =
            strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

        if (!label || label > 63 || *text == '-' || text[label - 1] == '-') {
            return false;
        }
        if (!text[label]) {
            return true;
        }
        if (text[label] != '.') {
            return false;
        }
        text += label + 1;
    }
    return false;
}

static void read_domain(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_domain = ret, *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    if (is_domain(text)) {
        *ret_domain = text;
    } else {
        doc_error(doc, reader->errors, "must be a domain name such as vc.example.ac.jp");
    }
}

static void read_pool_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 576, 9216);
}

static void read_quarantine(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 0, 7 * 24 * 3600);
}

static void read_pool(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct pool, name)},
        {"prefix", REQUIRED, read_pool_prefixes, 0},
        {"range", OPTIONAL, read_ranges, 0},
        {"reserved", OPTIONAL, read_reserved, 0},
        {"provider", OPTIONAL, read_name, offsetof(struct pool, provider)},
        {"gateway", OPTIONAL, read_pool_gateways, 0},
        {"dns", OPTIONAL, read_dns, 0},
        {"domain", OPTIONAL, read_domain, offsetof(struct pool, domain)},
        {"mtu", OPTIONAL, read_pool_mtu, offsetof(struct pool, mtu)},
        {"quarantine", OPTIONAL, read_quarantine, offsetof(struct pool, quarantine_s)},
        {"dhcp", OPTIONAL, read_bool, offsetof(struct pool, serves_dhcp)},
        {"forwarders", OPTIONAL, read_forwarders, 0},
        {"probe", OPTIONAL, read_bool, offsetof(struct pool, probes)},
        {0},
    };
    struct pool *pool = ret;

    pool->doc = doc;
    pool->quarantine_s = POOL_QUARANTINE_S;
    read_map(reader, doc, fields, pool);
}

void read_pools(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct pool), read_pool};
    struct network *network = ret;

    network->pools = read_list(reader, doc, &list, &network->n_pools);
}
