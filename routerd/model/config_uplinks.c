#include "model/config_reader.h"
#include "model/ids.h"
#include "model/keyed.h"

#include <string.h>

enum { MTU_MIN = 1280 /* RFC 8200, 5 */, MTU_MAX = 65535, MTU_DEFAULT = 1500 };

static void read_type(struct reader *reader, const struct doc *doc, void *ret)
{
    enum uplink_type *ret_type = ret;
    const char *type;
    if (!doc_string(doc, reader->errors, &type))
        return;
    if (strcmp(type, "trunk") == 0)
        *ret_type = UPLINK_TRUNK;
    else if (strcmp(type, "routed") == 0)
        *ret_type = UPLINK_ROUTED;
    else
        doc_error(doc, reader->errors, "must be trunk or routed");
}

static void read_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    uint32_t *ret_mtu = ret;
    *ret_mtu = (uint32_t)read_uint(reader, doc, MTU_MIN, MTU_MAX);
}

static void take_gateway(struct reader *reader, const struct doc *doc, struct addr *gateways)
{
    struct addr gateway = {0};
    read_addr(reader, doc, &gateway);
    if (!gateway.family)
        return;
    struct addr *place = &gateways[gateway.family == AF_INET6];
    if (addr_is_unspecified(&gateway) || addr_is_multicast(&gateway) || addr_is_loopback(&gateway))
        doc_error(doc, reader->errors, "must be the address of a router on the uplink");
    else if (place->family)
        doc_error(doc, reader->errors, "there is one of that family already");
    else
        *place = gateway;
}

/* One address, or a list with one of each family. */
static void read_gateway(struct reader *reader, const struct doc *doc, void *ret)
{
    if (doc->kind == DOC_SCALAR)
        take_gateway(reader, doc, ret);
    else if (doc_is(doc, DOC_LIST, reader->errors))
        for (const struct doc *item = doc->child; item; item = item->next)
            take_gateway(reader, item, ret);
}

static const struct field UPLINK_FIELDS[] = {
    {"type", REQUIRED, read_type, offsetof(struct config_uplink, type)},
    {"interface", REQUIRED, read_interface, offsetof(struct config_uplink, interface)},
    {"bridge", OPTIONAL, read_interface, offsetof(struct config_uplink, bridge)},
    {"mtu", OPTIONAL, read_mtu, offsetof(struct config_uplink, mtu)},
    {"gateway", OPTIONAL, read_gateway, offsetof(struct config_uplink, gateways)},
    {0},
};

static void settle_bridge(struct reader *reader, const struct doc *doc,
                          struct config_uplink *uplink)
{
    const struct doc *bridge = doc_get(doc, "bridge");
    if (uplink->type == UPLINK_ROUTED) {
        if (bridge)
            doc_key_error(bridge, reader->errors, "only a trunk has a bridge");
        uplink->bridge = NULL;
        return;
    }
    if (doc_get(doc, "gateway"))
        doc_key_error(doc_get(doc, "gateway"), reader->errors,
                      "only a routed uplink has a gateway");
    if (bridge)
        return;
    uplink->bridge = arena_printf(reader->arena, "br-%s", uplink->name);
    if (strlen(uplink->bridge) >= IFNAME_TEXT)
        doc_error(doc, reader->errors,
                  "`bridge` is missing, and the default of `%s` is longer than 15 bytes",
                  uplink->bridge);
}

static void read_uplink(struct reader *reader, const struct doc *doc)
{
    struct config *config = ((struct config_reader *)reader)->config;
    struct config_uplink *uplink = &config->uplinks[config->n_uplinks++];
    *uplink = (struct config_uplink){.name = doc->key, .mtu = MTU_DEFAULT};
    read_map(reader, doc, UPLINK_FIELDS, uplink);
    if (doc->kind == DOC_MAP)
        settle_bridge(reader, doc, uplink);
}

/* --- names that are used twice
 * ------------------------------------------------------------------------ */

/* A name and the place where it was written; a default name has none of its own and stands at its
 * uplink. */
struct use {
    const char *name;
    const struct doc *doc;
};

static void report_twice(void *errors, const void *object, const void *first_)
{
    const struct use *use = object, *first = first_;
    doc_error(use->doc, errors, "`%s` is in use already, at line %u", use->name, first->doc->line);
}

static void add_use(struct keyed *names, const struct doc *uplink, const char *key,
                    const char *name)
{
    const struct doc *doc = doc_get(uplink, key);
    struct use *use = arena_alloc(names->arena, sizeof *use);
    *use = (struct use){name, doc ? doc : uplink};
    keyed_add(names, name, use);
}

static void check_names(struct reader *reader, const struct doc *doc)
{
    const struct config *config = ((struct config_reader *)reader)->config;
    struct keyed names = {.arena = reader->arena};
    for (size_t i = 0; i < config->n_uplinks; i++) {
        const struct config_uplink *uplink = &config->uplinks[i];
        const struct doc *member = doc_get(doc, uplink->name);
        if (uplink->interface)
            add_use(&names, member, "interface", uplink->interface);
        if (uplink->bridge)
            add_use(&names, member, "bridge", uplink->bridge);
    }
    keyed_sort(&names);
    keyed_each_repeated(&names, report_twice, reader->errors);
}

void read_uplinks(struct reader *reader, const struct doc *doc, void *ret)
{
    struct config *config = ret;
    config->uplinks = arena_calloc(reader->arena, CONFIG_UPLINKS, sizeof *config->uplinks);
    read_named(reader, doc, CONFIG_UPLINKS, read_uplink);
    check_names(reader, doc);
}
