/* From a document to a topology: each kind of object has one table of its keys (model/reader.h).
 * Here are shapes, types, ranges and references; what needs to know the world is in
 * topology_check.c. */
#include "model/keyed.h"
#include "model/reader.h"
#include "model/topology.h"
#include "model/topology_reader.h"

#include <assert.h>
#include <string.h>

/* --- values --------------------------------------------------------------------------------- */

static void read_version(struct reader *reader, const struct doc *doc, void *ret)
{
    (void)ret;
    if (doc_is(doc, DOC_SCALAR, reader->errors) && (doc->quoted || strcmp(doc->text, "1") != 0)) {
        doc_error(doc, reader->errors, "must be 1, the only version there is");
    }
}

static void read_vlan(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1, 4094);
}

static void read_asn(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_asn(doc, reader->errors, ret);
}

void read_secret(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {{"secret", REQUIRED, read_name, 0}, {0}};

    read_map(reader, doc, fields, ret);
}

/* --- segments ------------------------------------------------------------------------------- */

static void read_outer_ethertype(struct reader *reader, const struct doc *doc, void *ret)
{
    const char *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    if (strcmp(text, "802.1q") != 0 && strcmp(text, "802.1ad") != 0) {
        doc_error(doc, reader->errors, "must be \"802.1ad\" or \"802.1q\"");
    } else {
        *(bool *)ret = !strcmp(text, "802.1q");
    }
}

static void read_broadcast_limit(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 10000000);
}

static void read_attachment(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"uplink", REQUIRED, read_name, offsetof(struct attachment, uplink)},
        {"vlan", REQUIRED, read_vlan, offsetof(struct attachment, vlan)},
        {"outer_vlan", OPTIONAL, read_vlan, offsetof(struct attachment, outer_vlan)},
        {"outer_ethertype", OPTIONAL, read_outer_ethertype,
         offsetof(struct attachment, outer_is_8021q)},
        {"broadcast_limit", OPTIONAL, read_broadcast_limit,
         offsetof(struct attachment, broadcast_limit)},
        {0},
    };
    struct attachment *attachment = ret;

    attachment->doc = doc;
    read_map(reader, doc, fields, attachment);
    if (doc_get(doc, "outer_ethertype") && !doc_get(doc, "outer_vlan")) {
        doc_key_error(doc_get(doc, "outer_ethertype"), reader->errors,
                      "there is no `outer_vlan` that could have it");
    }
}

static void read_attachments(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 64, sizeof(struct attachment), read_attachment};
    struct segment *segment = ret;

    segment->attachments = read_list(reader, doc, &list, &segment->n_attachments);
}

static void read_gateways(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 16, sizeof(struct prefix), read_ifaddr};
    struct segment *segment = ret;

    segment->gateways = read_list(reader, doc, &list, &segment->n_gateways);
}

static void read_segment_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 576, UINT16_MAX);
}

static void read_mac_limit(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 10, 1000000);
}

static void read_segment(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct segment, name)},
        {"attachments", REQUIRED, read_attachments, 0},
        {"gateway", OPTIONAL, read_gateways, 0},
        {"mtu", OPTIONAL, read_segment_mtu, offsetof(struct segment, mtu)},
        {"mac_limit", OPTIONAL, read_mac_limit, offsetof(struct segment, mac_limit)},
        {"strict_source", OPTIONAL, read_bool, offsetof(struct segment, strict_source)},
        {"router_advertisements", OPTIONAL, read_bool, offsetof(struct segment, advertises)},
        {0},
    };
    struct segment *segment = ret;

    segment->doc = doc;
    read_map(reader, doc, fields, segment);
}

/* --- routes --------------------------------------------------------------------------------- */

static void read_route(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"prefix", REQUIRED, read_prefix, offsetof(struct route, prefix)},
        {"via", OPTIONAL, read_addr, offsetof(struct route, via)},
        {"blackhole", OPTIONAL, read_bool, offsetof(struct route, blackhole)},
        {0},
    };
    const struct doc *via = doc_get(doc, "via"), *blackhole = doc_get(doc, "blackhole");
    struct route *route = ret;

    route->doc = doc;
    read_map(reader, doc, fields, route);
    if (route->blackhole && via) {
        doc_error(via, reader->errors, "a blackhole route goes nowhere, so it has no `via`");
    } else if (doc->kind == DOC_MAP && !via && !blackhole) {
        doc_error(doc, reader->errors, "needs either `via` or `blackhole: true`");
    }
}

/* --- networks ------------------------------------------------------------------------------- */

static void read_segments(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct segment), read_segment};
    struct network *network = ret;

    network->segments = read_list(reader, doc, &list, &network->n_segments);
}

static void read_routes(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct route), read_route};
    struct network *network = ret;

    network->routes = read_list(reader, doc, &list, &network->n_routes);
}
/* What peers can be reached over, for resolving their `via`. */
struct links {
    struct keyed segments, tunnels;
    bool complete; /* all have names, else an unknown name may be one of theirs */
};

static void links_collect(struct links *links, const struct network *network)
{
    links->complete = read_list_worked(doc_get(network->doc, "segments"), network->n_segments) &&
                      read_list_worked(doc_get(network->doc, "tunnels"), network->n_tunnels);
    for (size_t i = 0; i < network->n_segments; i++) {
        if (network->segments[i].name) {
            keyed_add(&links->segments, network->segments[i].name, &network->segments[i]);
        } else {
            links->complete = false;
        }
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        if (network->tunnels[i].name) {
            keyed_add(&links->tunnels, network->tunnels[i].name, &network->tunnels[i]);
        } else {
            links->complete = false;
        }
    }
    keyed_sort(&links->segments);
    keyed_sort(&links->tunnels);
}

static void resolve_peers(struct reader *reader, struct network *network)
{
    struct arena *scratch = arena_new();
    struct links links = {.segments = {.arena = scratch}, .tunnels = {.arena = scratch}};

    links_collect(&links, network);
    for (size_t i = 0; i < network->n_peers; i++) {
        struct peer *peer = &network->peers[i];

        if (!peer->via) {
            continue;
        }
        peer->segment = keyed_find(&links.segments, peer->via);
        peer->tunnel = peer->segment ? NULL : keyed_find(&links.tunnels, peer->via);
        if (!peer->segment && !peer->tunnel && links.complete) {
            doc_error(doc_get(peer->doc, "via"), reader->errors,
                      "there is no segment or tunnel `%s` in this network", peer->via);
        }
    }
    arena_free(scratch);
}

static void read_network(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct network, name)},
        {"asn", OPTIONAL, read_asn, offsetof(struct network, asn)},
        {"segments", OPTIONAL, read_segments, 0},
        {"tunnels", OPTIONAL, read_tunnels, 0},
        {"peers", OPTIONAL, read_peers, 0},
        {"routes", OPTIONAL, read_routes, 0},
        {"aggregates", OPTIONAL, read_aggregates, 0},
        {"pools", OPTIONAL, read_pools, 0},
        {"egress", OPTIONAL, read_egress, offsetof(struct network, egress)},
        {0},
    };
    struct network *network = ret;

    network->doc = doc;
    read_map(reader, doc, fields, network);
    resolve_peers(reader, network);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void read_networks(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 16384, sizeof(struct network), read_network};
    struct topology *topology = ret;

    topology->networks = read_list(reader, doc, &list, &topology->n_networks);
}

struct topology *topology_parse(const char *text, size_t len, struct errors *errors)
{
    static const struct field fields[] = {
        {"version", REQUIRED, read_version, 0},
        {"networks", REQUIRED, read_networks, 0},
        {0},
    };
    struct reader reader = {arena_new(), errors};
    struct doc *doc = doc_parse(reader.arena, text, len, errors);
    struct topology *topology;

    if (!doc) {
        arena_free(reader.arena);
        errors_sort(errors);
        return NULL;
    }
    topology = arena_alloc(reader.arena, sizeof *topology);
    topology->arena = reader.arena;
    topology->doc = doc;
    topology->text = arena_memdup(reader.arena, text, len);
    topology->text_len = len;
    read_map(&reader, doc, fields, topology);
    errors_sort(errors);
    return topology;
}

struct topology *topology_new_empty(void)
{
    static const char text[] = "version: 1\nnetworks: []\n";
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(text, sizeof text - 1, errors);

    assert(topology && !errors_count(errors));
    errors_free(errors);
    return topology;
}

void topology_free(struct topology *topology)
{
    if (topology) {
        arena_free(topology->arena);
    }
}

bool topology_equal(const struct topology *a, const struct topology *b)
{
    return doc_equal(a->doc, b->doc);
}

struct addr egress_published(const struct egress *egress, const struct publish *publish)
{
    if (!publish->address.family && egress->address.family == publish->to.family) {
        return egress->address;
    }
    return publish->address;
}

const struct network *topology_find_network(const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->n_networks; i++) {
        if (!strcmp(topology->networks[i].name, name)) {
            return &topology->networks[i];
        }
    }
    return NULL;
}
