/* From a document to a topology: each kind of object has one table of its keys (model/reader.h).
 * Here are shapes, types, ranges and references; what needs to know the world is in
 * topology_check.c. */
#include "model/keyed.h"
#include "model/prefix_rule.h"
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

static void read_secret(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {{"secret", REQUIRED, read_name, 0}, {0}};

    read_map(reader, doc, fields, ret);
}

/* --- what is known and does not work yet ---------------------------------------------------- */

static void refuse(struct reader *reader, const struct doc *doc)
{
    doc_error(doc, reader->errors, "`%s` is not supported yet", doc->key);
}

static void read_unsupported(struct reader *reader, const struct doc *doc, void *ret)
{
    (void)ret;
    refuse(reader, doc);
}

static void read_unsupported_unless_false(struct reader *reader, const struct doc *doc, void *ret)
{
    bool wanted = false;

    (void)ret;
    if (doc_bool(doc, reader->errors, &wanted) && wanted) {
        refuse(reader, doc);
    }
}

/* --- segments ------------------------------------------------------------------------------- */

static void read_attachment(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"uplink", REQUIRED, read_name, offsetof(struct attachment, uplink)},
        {"vlan", REQUIRED, read_vlan, offsetof(struct attachment, vlan)},
        {"outer_vlan", OPTIONAL, read_unsupported, 0},
        {0},
    };
    struct attachment *attachment = ret;

    attachment->doc = doc;
    read_map(reader, doc, fields, attachment);
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

static void read_segment(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct segment, name)},
        {"attachments", REQUIRED, read_attachments, 0},
        {"gateway", OPTIONAL, read_gateways, 0},
        {0},
    };
    struct segment *segment = ret;

    segment->doc = doc;
    read_map(reader, doc, fields, segment);
}

/* --- tunnels -------------------------------------------------------------------------------- */

static void read_auth(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"psk", OPTIONAL, read_secret, offsetof(struct tunnel, psk_secret)},
        {"certificate", OPTIONAL, read_unsupported, 0},
        {"ca", OPTIONAL, read_unsupported, 0},
        {0},
    };

    read_map(reader, doc, fields, ret);
    if (!doc_get(doc, "certificate") && !doc_get(doc, "ca")) {
        doc_require(doc, "psk", reader->errors);
    }
}

static void read_inside(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 8, sizeof(struct prefix), read_ifaddr};
    struct tunnel *tunnel = ret;

    tunnel->inside = read_list(reader, doc, &list, &tunnel->n_inside);
}

static void read_tunnel(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct tunnel, name)},
        {"profile", OPTIONAL, read_name, offsetof(struct tunnel, profile_name)},
        {"uplink", REQUIRED, read_name, offsetof(struct tunnel, uplink)},
        {"remote", REQUIRED, read_string, offsetof(struct tunnel, remote)},
        {"local_id", OPTIONAL, read_string, offsetof(struct tunnel, local_id)},
        {"remote_id", OPTIONAL, read_string, offsetof(struct tunnel, remote_id)},
        {"auth", REQUIRED, read_auth, 0},
        {"inside", REQUIRED, read_inside, 0},
        {"initiate", OPTIONAL, read_bool, offsetof(struct tunnel, initiate)},
        {0},
    };
    struct tunnel *tunnel = ret;

    tunnel->doc = doc;
    tunnel->initiate = true;
    tunnel->profile_name = "generic";
    read_map(reader, doc, fields, tunnel);
}

/* --- peers ---------------------------------------------------------------------------------- */

static void read_rule(struct reader *reader, const struct doc *doc, void *ret)
{
    prefix_rule_read(doc, reader->errors, ret);
}

static const struct list rules = {0, 1024, sizeof(struct prefix_rule), read_rule};

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

static void read_max_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 1000000);
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
        {0},
    };

    read_map(reader, doc, fields, ret);
}

static void read_export(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"prefixes", OPTIONAL, read_export_prefixes, 0},
        {"prepend", OPTIONAL, read_prepend, offsetof(struct peer, export_prepend)},
        {"med", OPTIONAL, read_med, 0},
        {0},
    };

    read_map(reader, doc, fields, ret);
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
        {"bfd", OPTIONAL, read_unsupported_unless_false, 0},
        {"import", OPTIONAL, read_import, 0},
        {"export", OPTIONAL, read_export, 0},
        {0},
    };
    struct peer *peer = ret;

    peer->doc = doc;
    read_map(reader, doc, fields, peer);
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

static void read_tunnels(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct tunnel), read_tunnel};
    struct network *network = ret;

    network->tunnels = read_list(reader, doc, &list, &network->n_tunnels);
}

static void read_peers(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct peer), read_peer};
    struct network *network = ret;

    network->peers = read_list(reader, doc, &list, &network->n_peers);
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
        {"pools", OPTIONAL, read_pools, 0},
        {"egress", OPTIONAL, read_unsupported, 0},
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

const struct network *topology_find_network(const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->n_networks; i++) {
        if (!strcmp(topology->networks[i].name, name)) {
            return &topology->networks[i];
        }
    }
    return NULL;
}
