/* The peers of a network and the aggregates that they are told of, from a document. */
#include "model/community.h"
#include "model/prefix_rule.h"
#include "model/topology.h"
#include "model/topology_reader.h"

#include <string.h>

/* --- values ---------------------------------------------------------------------------------- */

static void read_asn(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_asn(doc, reader->errors, ret);
}

static void read_rule(struct reader *reader, const struct doc *doc, void *ret)
{
    prefix_rule_read(doc, reader->errors, ret);
}

static const struct list rules = {0, 1024, sizeof(struct prefix_rule), read_rule};

static void read_community(struct reader *reader, const struct doc *doc, void *ret)
{
    community_read(doc, reader->errors, ret);
}

static void read_communities(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 32, sizeof(struct community), read_community};
    struct communities *communities = ret;

    communities->items = read_list(reader, doc, &list, &communities->n);
}

static void read_max_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 1000000);
}

/* --- import and export ------------------------------------------------------------------------ */

static void read_import_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    struct peer *peer = ret;

    peer->has_import_prefixes = true;
    peer->import_prefixes = read_list(reader, doc, &rules, &peer->n_import_prefixes);
}

static void read_export_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    struct peer *peer = ret;

    peer->has_export_prefixes = true;
    peer->export_prefixes = read_list(reader, doc, &rules, &peer->n_export_prefixes);
}

static void read_local_preference(struct reader *reader, const struct doc *doc, void *ret)
{
    struct peer *peer = ret;

    peer->has_import_local_preference = true;
    peer->import_local_preference = (uint32_t)read_uint(reader, doc, 0, UINT32_MAX);
}

static void read_prepend(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, 0, 16);
}

static void read_med(struct reader *reader, const struct doc *doc, void *ret)
{
    struct peer *peer = ret;

    peer->has_export_med = true;
    peer->export_med = (uint32_t)read_uint(reader, doc, 0, UINT32_MAX);
}

static void read_import(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"prefixes", OPTIONAL, read_import_prefixes, 0},
        {"max_prefixes", OPTIONAL, read_max_prefixes, offsetof(struct peer, import_max_prefixes)},
        {"communities", OPTIONAL, read_communities, offsetof(struct peer, import_communities)},
        {"set_communities", OPTIONAL, read_communities, offsetof(struct peer, import_set)},
        {"local_preference", OPTIONAL, read_local_preference, 0},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

static void read_export(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"prefixes", OPTIONAL, read_export_prefixes, 0},
        {"max_prefixes", OPTIONAL, read_max_prefixes, offsetof(struct peer, export_max_prefixes)},
        {"communities", OPTIONAL, read_communities, offsetof(struct peer, export_communities)},
        {"set_communities", OPTIONAL, read_communities, offsetof(struct peer, export_set)},
        {"prepend", OPTIONAL, read_prepend, offsetof(struct peer, export_prepend)},
        {"med", OPTIONAL, read_med, 0},
        {"default_originate", OPTIONAL, read_bool, offsetof(struct peer, default_originate)},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

/* --- the session ------------------------------------------------------------------------------ */

static void read_bfd_interval(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 50, 60000);
}

static void read_bfd_multiplier(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, 2, 255);
}

/* true, false, or its timers. */
static void read_bfd(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"interval", OPTIONAL, read_bfd_interval, offsetof(struct peer, bfd_interval_ms)},
        {"multiplier", OPTIONAL, read_bfd_multiplier, offsetof(struct peer, bfd_multiplier)},
        {0},
    };
    struct peer *peer = ret;

    if (doc->kind == DOC_MAP) {
        peer->bfd = true;
        read_map(reader, doc, fields, peer);
    } else {
        doc_bool(doc, reader->errors, &peer->bfd);
    }
}

static void read_seconds(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1, 65535);
}

static void read_hold(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 3, 65535); /* RFC 4271, 4.2 */
}

static void read_timers(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"keepalive", OPTIONAL, read_seconds, offsetof(struct peer, keepalive_s)},
        {"hold", OPTIONAL, read_hold, offsetof(struct peer, hold_s)},
        {"connect_retry", OPTIONAL, read_seconds, offsetof(struct peer, connect_retry_s)},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

/* 1 for IPv4, 2 for IPv6, 0 if it is none, which is reported. */
static void read_family(struct reader *reader, const struct doc *doc, void *ret)
{
    const char *text = "";

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    *(uint8_t *)ret = !strcmp(text, "ipv4") ? 1 : !strcmp(text, "ipv6") ? 2 : 0;
    if (!*(uint8_t *)ret) {
        doc_error(doc, reader->errors, "must be ipv4 or ipv6");
    }
}

static void read_families(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, PEER_FAMILIES, sizeof(uint8_t), read_family};
    struct peer *peer = ret;
    size_t n = 0;
    const uint8_t *families = read_list(reader, doc, &list, &n);
    const struct doc *item = n ? doc->child : NULL;

    for (size_t i = 0; i < n; i++, item = item->next) {
        if (families[i] && peer->families[families[i] - 1]) {
            doc_error(item, reader->errors, "is there twice");
        } else if (families[i]) {
            peer->families[families[i] - 1] = true;
        }
    }
}

static void read_graceful_restart(struct reader *reader, const struct doc *doc, void *ret)
{
    struct peer *peer = ret;

    peer->has_graceful_restart = doc_bool(doc, reader->errors, &peer->graceful_restart);
}

static void read_allowas_in(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, 1, 10);
}

static void read_peer(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct peer, name)},
        {"via", REQUIRED, read_name, offsetof(struct peer, via)},
        {"address", REQUIRED, read_addr, offsetof(struct peer, address)},
        {"asn", REQUIRED, read_asn, offsetof(struct peer, asn)},
        {"profile", OPTIONAL, read_name, offsetof(struct peer, profile_name)},
        {"password", OPTIONAL, read_secret, offsetof(struct peer, password_secret)},
        {"timers", OPTIONAL, read_timers, 0},
        {"bfd", OPTIONAL, read_bfd, 0},
        {"families", OPTIONAL, read_families, 0},
        {"graceful_restart", OPTIONAL, read_graceful_restart, 0},
        {"ttl_security", OPTIONAL, read_bool, offsetof(struct peer, ttl_security)},
        {"allowas_in", OPTIONAL, read_allowas_in, offsetof(struct peer, allowas_in)},
        {"as_override", OPTIONAL, read_bool, offsetof(struct peer, as_override)},
        {"import", OPTIONAL, read_import, 0},
        {"export", OPTIONAL, read_export, 0},
        {0},
    };
    struct peer *peer = ret;

    peer->doc = doc;
    read_map(reader, doc, fields, peer);
    if (!doc_get(doc, "families") && peer->address.family) {
        peer->families[peer->address.family == AF_INET6] = true;
    }
}

void read_peers(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct peer), read_peer};
    struct network *network = ret;

    network->peers = read_list(reader, doc, &list, &network->n_peers);
}

/* --- aggregates ------------------------------------------------------------------------------- */

static void read_aggregate(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"prefix", REQUIRED, read_prefix, offsetof(struct aggregate, prefix)},
        {"summary_only", OPTIONAL, read_bool, offsetof(struct aggregate, summary_only)},
        {0},
    };
    struct aggregate *aggregate = ret;

    aggregate->doc = doc;
    read_map(reader, doc, fields, aggregate);
}

void read_aggregates(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 1024, sizeof(struct aggregate), read_aggregate};
    struct network *network = ret;

    network->aggregates = read_list(reader, doc, &list, &network->n_aggregates);
}
