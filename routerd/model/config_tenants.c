#include "model/config_reader.h"
#include "model/keyed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { VLAN_MIN = 1, VLAN_MAX = 4094 }; /* IEEE 802.1Q, table 9-2 */

enum { TENANT_CONTROLLERS = 64, VLAN_RANGES = 4096 };

/* --- limits
 * ------------------------------------------------------------------------------------------- */

static const struct config_limits DEFAULT_LIMITS = {
    .networks = 16, .segments = 64, .tunnels = 64, .peers = 128, .nodes = 65536};

static void read_few(struct reader *reader, const struct doc *doc, void *ret)
{
    uint64_t number;
    if (doc_uint(doc, reader->errors, 0, 65535, &number))
        *(uint32_t *)ret = (uint32_t)number;
}

static void read_many(struct reader *reader, const struct doc *doc, void *ret)
{
    uint64_t number;
    if (doc_uint(doc, reader->errors, 0, 1 << 24, &number))
        *(uint32_t *)ret = (uint32_t)number;
}

static const struct field LIMIT_FIELDS[] = {
    {"networks", OPTIONAL, read_few, offsetof(struct config_limits, networks)},
    {"segments", OPTIONAL, read_few, offsetof(struct config_limits, segments)},
    {"tunnels", OPTIONAL, read_few, offsetof(struct config_limits, tunnels)},
    {"peers", OPTIONAL, read_few, offsetof(struct config_limits, peers)},
    {"nodes", OPTIONAL, read_many, offsetof(struct config_limits, nodes)},
    {0},
};

static void read_limits(struct reader *reader, const struct doc *doc, void *ret)
{
    struct config_tenant *tenant = ret;
    read_map(reader, doc, LIMIT_FIELDS, &tenant->limits);
}

/* --- controllers
 * ---------------------------------------------------------------------------------------- */

static void read_controllers(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list LIST = {0, TENANT_CONTROLLERS, sizeof(const char *), read_dns_name};
    struct config_tenant *tenant = ret;
    tenant->controllers = read_list(reader, doc, &LIST, &tenant->n_controllers);
}

static const char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static void report_twice(void *errors, const void *object, const void *first_)
{
    const struct doc *doc = object, *first = first_;
    doc_error(doc, errors, "this controller is named already, at line %u", first->line);
}

/* The name picks the tenant, so it can pick one only. */
static void check_controllers(struct reader *reader, const struct doc *doc)
{
    const struct config *config = ((struct config_reader *)reader)->config;
    struct keyed names = {.arena = reader->arena};
    for (size_t i = 0; i < config->n_tenants; i++) {
        const struct config_tenant *tenant = &config->tenants[i];
        const struct doc *list = doc_get(doc_get(doc, tenant->name), "controllers");
        const struct doc *at = list ? list->child : NULL;
        for (size_t k = 0; at && k < tenant->n_controllers; k++, at = at->next)
            if (tenant->controllers[k])
                keyed_add(&names, lower(reader->arena, tenant->controllers[k]), at);
    }
    keyed_sort(&names);
    keyed_each_repeated(&names, report_twice, reader->errors);
}

/* --- VLANs
 * ------------------------------------------------------------------------------------------------
 */

/* Reads a VLAN's number and what follows it, or returns false. */
static bool parse_vlan(const char *text, uint16_t *ret_vlan, const char **ret_end)
{
    char *end;
    if (*text < '1' || *text > '9')
        return false;
    unsigned long vlan = strtoul(text, &end, 10);
    if (vlan < VLAN_MIN || vlan > VLAN_MAX)
        return false;
    *ret_vlan = (uint16_t)vlan;
    *ret_end = end;
    return true;
}

static bool parse_range(const char *text, struct vlan_range *ret_range)
{
    struct vlan_range range;
    if (!parse_vlan(text, &range.first, &text))
        return false;
    range.last = range.first;
    if (*text == '-' && !parse_vlan(text + 1, &range.last, &text))
        return false;
    if (*text)
        return false;
    *ret_range = range;
    return true;
}

static void read_range(struct reader *reader, const struct doc *doc, void *ret)
{
    struct vlan_range *ret_range = ret, range;
    const char *text;
    if (!doc_is(doc, DOC_SCALAR, reader->errors) || !doc_string(doc, reader->errors, &text))
        return;
    if (!parse_range(text, &range))
        doc_error(doc, reader->errors, "must be a VLAN from %d to %d, or a range such as 1001-1099",
                  VLAN_MIN, VLAN_MAX);
    else if (range.first > range.last)
        doc_error(doc, reader->errors, "the range is the wrong way round: %u is more than %u",
                  range.first, range.last);
    else
        *ret_range = range;
}

static void check_trunk(struct reader *reader, const struct doc *doc)
{
    const struct config *config = ((struct config_reader *)reader)->config;
    const struct config_uplink *uplink = config_find_uplink(config, doc->key);
    char key[DOC_KEY_TEXT];
    if (!uplink)
        doc_key_error(doc, reader->errors, "there is no uplink `%s`", doc_key(doc, key));
    else if (uplink->type != UPLINK_TRUNK)
        doc_key_error(doc, reader->errors, "uplink `%s` is routed and carries no VLANs",
                      doc_key(doc, key));
}

static void add_grant(struct config_reader *reader, const struct vlan_grant *grant)
{
    reader->grants = arena_grow(reader->reader.arena, reader->grants, reader->n_grants,
                                &reader->grants_capacity, sizeof *reader->grants);
    reader->grants[reader->n_grants++] = *grant;
}

static void read_vlans_of(struct reader *reader, const struct doc *doc, const char *tenant,
                          struct config_vlans *ret_vlans)
{
    static const struct list LIST = {0, VLAN_RANGES, sizeof(struct vlan_range), read_range};
    check_trunk(reader, doc);
    ret_vlans->uplink = doc->key;
    ret_vlans->ranges = read_list(reader, doc, &LIST, &ret_vlans->n_ranges);
    const struct doc *at = doc->child;
    for (size_t i = 0; i < ret_vlans->n_ranges; i++, at = at->next)
        if (ret_vlans->ranges[i].first)
            add_grant((struct config_reader *)reader,
                      &(struct vlan_grant){at, tenant, doc->key, ret_vlans->ranges[i]});
}

static void read_vlans(struct reader *reader, const struct doc *doc, void *ret)
{
    struct config_tenant *tenant = ret;
    if (!doc_is(doc, DOC_MAP, reader->errors))
        return;
    tenant->vlans = arena_calloc(reader->arena, doc->n_children, sizeof *tenant->vlans);
    for (const struct doc *member = doc->child; member; member = member->next)
        if (!member->reported)
            read_vlans_of(reader, member, tenant->name, &tenant->vlans[tenant->n_vlans++]);
}

/* --- VLANs that are granted twice
 * --------------------------------------------------------------------------- */

static int by_vlan(const void *a_, const void *b_)
{
    const struct vlan_grant *a = a_, *b = b_;
    int order = strcmp(a->uplink, b->uplink);
    if (order)
        return order;
    if (a->range.first != b->range.first)
        return a->range.first < b->range.first ? -1 : 1;
    if (a->doc->line != b->doc->line)
        return a->doc->line < b->doc->line ? -1 : 1;
    return a->doc->column < b->doc->column ? -1 : a->doc->column > b->doc->column;
}

static bool stands_before(const struct doc *a, const struct doc *b)
{
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* Two grants share the VLAN at which the second one begins; the one further down in the text is the
 * fault. */
static void report_shared(struct config_reader *reader, const struct vlan_grant *a,
                          const struct vlan_grant *b)
{
    unsigned int vlan = b->range.first;
    const struct vlan_grant *first = stands_before(a->doc, b->doc) ? a : b;
    const struct vlan_grant *second = first == a ? b : a;
    doc_error(second->doc, reader->reader.errors,
              "VLAN %u of uplink `%s` is granted to `%s` already, at line %u", vlan, b->uplink,
              first->tenant, first->doc->line);
}

void check_grants(struct config_reader *reader)
{
    const struct vlan_grant *widest = NULL; /* of those so far, the one that reaches furthest */
    if (reader->n_grants > 1)
        qsort(reader->grants, reader->n_grants, sizeof *reader->grants, by_vlan);
    for (size_t i = 0; i < reader->n_grants; i++) {
        const struct vlan_grant *grant = &reader->grants[i];
        bool same_uplink = widest && strcmp(widest->uplink, grant->uplink) == 0;
        if (same_uplink && grant->range.first <= widest->range.last)
            report_shared(reader, widest, grant);
        if (!same_uplink || grant->range.last > widest->range.last)
            widest = grant;
    }
}

/* --- tenants
 * -----------------------------------------------------------------------------------------------------
 */

static const struct field TENANT_FIELDS[] = {
    {"controllers", OPTIONAL, read_controllers, 0},
    {"vlans", OPTIONAL, read_vlans, 0},
    {"limits", OPTIONAL, read_limits, 0},
    {0},
};

static void read_tenant(struct reader *reader, const struct doc *doc)
{
    struct config *config = ((struct config_reader *)reader)->config;
    struct config_tenant *tenant = &config->tenants[config->n_tenants++];
    *tenant = (struct config_tenant){.name = doc->key, .limits = DEFAULT_LIMITS};
    read_map(reader, doc, TENANT_FIELDS, tenant);
}

void read_tenants(struct reader *reader, const struct doc *doc, void *ret)
{
    struct config *config = ret;
    size_t n = doc->n_children < CONFIG_TENANTS ? doc->n_children : CONFIG_TENANTS;
    config->tenants = arena_calloc(reader->arena, n, sizeof *config->tenants);
    read_named(reader, doc, CONFIG_TENANTS, read_tenant);
    check_controllers(reader, doc);
}
