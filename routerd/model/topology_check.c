/* A topology held against the world: the order of the checks, networks, names, limits and what all
 * kinds of objects need. Nothing here compares each with each: clashes are found by sorting
 * (keyed.h). */
#include "model/checker.h"
#include "model/intended.h"

#include <string.h>

/* --- for all kinds of objects ------------------------------------------------------------------
 */

const struct doc *check_at(const struct doc *object, const char *key)
{
    const struct doc *value = doc_get(object, key);

    return value ? value : object;
}

const char *check_place(const struct checker *checker, const struct doc *doc)
{
    return arena_printf(checker->arena, "%s (line %u)", doc_path(checker->arena, doc), doc->line);
}

static const char *address_class(const struct addr *addr)
{
    bool is_v4 = addr->family == AF_INET;

    if (addr_is_unspecified(addr)) {
        return "the unspecified address";
    }
    if (is_v4 && addr->bytes[0] == 0) {
        return "in 0.0.0.0/8, which no host can have";
    }
    if (addr_is_loopback(addr)) {
        return "a loopback address";
    }
    if (addr_is_multicast(addr)) {
        return "a multicast address";
    }
    if (is_v4 && addr->bytes[0] >= 240) {
        return "in 240.0.0.0/4, which is reserved";
    }
    if (!is_v4 && addr_is_link_local(addr)) {
        return "a link-local address; it must be a global or a unique local one";
    }
    return NULL;
}

bool check_host_address(const struct checker *checker, const struct doc *doc,
                        const struct addr *addr)
{
    const char *class = address_class(addr);
    char text[ADDR_TEXT];

    if (class) {
        doc_error(doc, checker->errors, "%s is %s", addr_print(addr, text), class);
    }
    return !class;
}

/* RFC 1122 and RFC 3021 (IPv4), RFC 4291, 2.6.1 and RFC 6164 (IPv6). */
const char *check_subnet_role(const struct prefix *subnet, const struct addr *addr)
{
    struct addr first = prefix_first(subnet), last = prefix_last(subnet);
    bool is_v4 = addr->family == AF_INET;

    if (subnet->len + 2u > addr_bits(addr->family)) {
        return NULL;
    }
    if (addr_equal(addr, &first)) {
        return is_v4 ? "the network address" : "the subnet-router anycast address";
    }
    return is_v4 && addr_equal(addr, &last) ? "the broadcast address" : NULL;
}

void check_secret(const struct checker *checker, const struct doc *doc, const char *name)
{
    const struct topology_world *world = checker->world;

    if (name && world->secret_exists && !world->secret_exists(world->aux, name)) {
        doc_error(check_at(doc, "secret"), checker->errors, "there is no secret `%s`", name);
    }
}

const struct profile *check_profile(const struct checker *checker, const struct doc *object,
                                    const char *name, enum profile_use use)
{
    static const char *const lacks[] = {
        [PROFILE_OF_TUNNEL] = "has no `ike` and `esp`, so no tunnel can have it",
        [PROFILE_OF_PEER] = "has no `bgp`, so no peer can have it",
    };
    const struct profile *profile = name ? profiles_find(checker->world->profiles, name) : NULL;

    if (name && !profile) {
        doc_error(check_at(object, "profile"), checker->errors, "there is no profile `%s`", name);
    } else if (profile && !(use == PROFILE_OF_TUNNEL ? profile->has_ipsec : profile->has_bgp)) {
        doc_error(check_at(object, "profile"), checker->errors, "profile `%s` %s", name,
                  lacks[use]);
        profile = NULL;
    }
    return profile;
}

void check_name_repeated(void *aux, const void *doc, const void *first)
{
    const struct checker *checker = aux;
    const struct doc *name = doc_get(doc, "name");

    doc_error(name, checker->errors, "`%s` is also the name of %s", name->text,
              check_place(checker, first));
}

/* --- names -------------------------------------------------------------------------------------
 */

static void name_add(struct keyed *names, const char *name, const struct doc *doc)
{
    if (name) {
        keyed_add(names, name, doc);
    }
}

static void names_check(const struct checker *checker, struct keyed *names)
{
    keyed_sort(names);
    keyed_each_repeated(names, check_name_repeated, (void *)checker);
}

static void check_network_names(const struct checker *checker)
{
    const struct topology *topology = checker->topology;
    struct keyed names = {.arena = checker->arena};

    for (size_t i = 0; i < topology->n_networks; i++) {
        name_add(&names, topology->networks[i].name, topology->networks[i].doc);
    }
    names_check(checker, &names);
}

/* Segments and tunnels share their names, since a peer's `via` may mean either. */
static void check_names_inside(const struct checker *checker, const struct network *network)
{
    struct keyed links = {.arena = checker->arena}, peers = {.arena = checker->arena},
                 pools = {.arena = checker->arena};

    for (size_t i = 0; i < network->n_segments; i++) {
        name_add(&links, network->segments[i].name, network->segments[i].doc);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        name_add(&links, network->tunnels[i].name, network->tunnels[i].doc);
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        name_add(&peers, network->peers[i].name, network->peers[i].doc);
    }
    for (size_t i = 0; i < network->n_pools; i++) {
        name_add(&pools, network->pools[i].name, network->pools[i].doc);
    }
    names_check(checker, &links);
    names_check(checker, &peers);
    names_check(checker, &pools);
}

/* --- the tenant's limits -----------------------------------------------------------------------
 */

static void check_limit(const struct checker *checker, const char *what, size_t n, uint32_t limit)
{
    if (n > limit) {
        doc_error(check_at(checker->topology->doc, "networks"), checker->errors,
                  "there are %zu %s, but tenant %s may have %u", n, what, checker->tenant->name,
                  limit);
    }
}

static void check_limits(const struct checker *checker)
{
    const struct topology *topology = checker->topology;
    const struct config_limits *limits = &checker->tenant->limits;
    size_t segments = 0, tunnels = 0, peers = 0;

    for (size_t i = 0; i < topology->n_networks; i++) {
        segments += topology->networks[i].n_segments;
        tunnels += topology->networks[i].n_tunnels;
        peers += topology->networks[i].n_peers;
    }
    check_limit(checker, "networks", topology->n_networks, limits->networks);
    check_limit(checker, "segments", segments, limits->segments);
    check_limit(checker, "tunnels", tunnels, limits->tunnels);
    check_limit(checker, "peers", peers, limits->peers);
}

/* --- networks ----------------------------------------------------------------------------------
 */

static void check_network_asn(const struct checker *checker, struct network *network)
{
    if (network->asn || doc_get(network->doc, "asn")) {
        return; /* given, rightly or not */
    }
    network->asn = checker->world->config->asn;
    if (!network->asn && network->n_peers) {
        doc_error(
            network->doc, checker->errors,
            "`asn` is missing: the network has peers and the router has no AS number of its own");
    }
}

static void check_network(const struct checker *checker, struct network *network)
{
    struct subnets subnets;

    check_names_inside(checker, network);
    check_network_asn(checker, network);
    for (size_t i = 0; i < network->n_segments; i++) {
        check_segment(checker, &network->segments[i]);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        check_tunnel(checker, &network->tunnels[i]);
    }
    subnets = check_subnets(checker, network);
    check_peers(checker, network);
    check_routes(checker, network, &subnets);
    check_aggregates(checker, network);
    check_pools(checker, network, &subnets);
    check_egress(checker, network);
}

void topology_check(struct topology *topology, const char *tenant,
                    const struct topology_world *world, struct errors *errors)
{
    struct checker checker = {arena_new(), topology, config_find_tenant(world->config, tenant),
                              world, errors};

    if (!checker.tenant) {
        errors_add(errors, "", 0, 0, "there is no tenant `%s`", tenant);
    } else {
        check_network_names(&checker);
        check_limits(&checker);
        check_attachments(&checker);
        for (size_t i = 0; i < topology->n_networks; i++) {
            check_network(&checker, &topology->networks[i]);
        }
        check_tunnel_identities(&checker);
        check_published_ports(&checker);
        errors_sort(errors);
    }
    arena_free(checker.arena);
}
