/* Checks of pools: that they are where addresses of the network can be, that they do not share any,
 * and what of them may be given out. */
#include "model/checker.h"
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

enum { MTU_DEFAULT = 1500, MTU_V6_MIN = 1280 /* RFC 8200, section 5 */ };

/* What belongs to number i of what is written alone or as a list. */
static const struct doc *place_of(const struct doc *pool, const char *key, size_t i)
{
    const struct doc *doc = doc_get(pool, key);

    if (doc->kind == DOC_LIST) {
        doc = doc->child;
        while (i--) {
            doc = doc->next;
        }
    }
    return doc;
}

/* --- prefixes: where the pool is ---------------------------------------------------------------
 */

/* The first subnet at or after the prefix's first address that is inside of the prefix, or null. */
static const struct subnet *subnet_inside(const struct subnets *subnets,
                                          const struct prefix *prefix)
{
    size_t low = 0, high = subnets->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (addr_cmp(&subnets->items[middle].network.addr, &prefix->addr) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < subnets->n && prefix_covers(prefix, &subnets->items[low].network)
               ? &subnets->items[low]
               : NULL;
}

/* The segment that has the subnet, or null: a tunnel has. */
static struct segment *segment_of(const struct network *network, const struct subnet *subnet)
{
    const struct doc *list = subnet->doc->parent;

    return strcmp(list->key, "gateway") ? NULL : &network->segments[list->parent->index];
}

/* Sets where the pool's nodes of this family are. False after reporting why they are nowhere. */
static bool check_place_of_prefix(const struct checker *checker, const struct network *network,
                                  const struct subnets *subnets, struct pool *pool, size_t i,
                                  struct pool_family *family)
{
    const struct prefix *prefix = &pool->prefixes[i];
    const struct doc *doc = place_of(pool->doc, "prefix", i);
    const struct subnet *around = subnets_find(subnets, &prefix->addr);
    const struct subnet *inside = subnet_inside(subnets, prefix);
    char text[PREFIX_TEXT], other[PREFIX_TEXT];

    *family = (struct pool_family){.prefix = *prefix, .prefix_len = prefix->len};
    if (!check_host_address(checker, doc, &prefix->addr)) {
        return false;
    }
    if (around && prefix_covers(&around->network, prefix)) {
        const struct segment *segment = segment_of(network, around);

        if (!segment) {
            doc_error(doc, checker->errors, "%s is in the subnet of %s, where no node can be",
                      prefix_print(prefix, text), check_place(checker, around->doc));
            return false;
        }
        if (pool->segment && pool->segment != segment) {
            doc_error(doc, checker->errors, "%s is on another segment than the pool's other prefix",
                      prefix_print(prefix, text));
            return false;
        }
        pool->segment = segment;
        family->prefix_len = around->network.len;
        family->gateway = family->router = around->own;
    } else if (inside) {
        doc_error(doc, checker->errors, "%s reaches beyond the subnet %s of %s",
                  prefix_print(prefix, text), prefix_print(&inside->network, other),
                  check_place(checker, inside->doc));
        return false;
    }
    return true;
}

/* --- gateways ----------------------------------------------------------------------------------
 */

static struct pool_family *family_of(struct pool *pool, int family)
{
    return (struct pool_family *)pool_find_family(pool, family);
}

static void check_gateway(const struct checker *checker, struct pool *pool, size_t i)
{
    const struct addr *gateway = &pool->gateways[i];
    const struct doc *doc = place_of(pool->doc, "gateway", i);
    struct pool_family *family = family_of(pool, gateway->family);
    struct prefix subnet;
    char text[ADDR_TEXT], subnet_text[PREFIX_TEXT];
    const char *role;

    if (!family) {
        doc_error(doc, checker->errors, "the pool has no %s prefix",
                  gateway->family == AF_INET ? "IPv4" : "IPv6");
        return;
    }
    subnet = (struct prefix){family->prefix.addr, family->prefix_len};
    subnet = prefix_network(&subnet);
    role = check_subnet_role(&subnet, gateway);
    if (!prefix_contains(&subnet, gateway)) {
        doc_error(doc, checker->errors, "%s is not in the nodes' subnet %s",
                  addr_print(gateway, text), prefix_print(&subnet, subnet_text));
    } else if (role) {
        doc_error(doc, checker->errors, "%s is %s of %s", addr_print(gateway, text), role,
                  prefix_print(&subnet, subnet_text));
    } else {
        family->gateway = *gateway;
    }
}

/* --- ranges and holes --------------------------------------------------------------------------
 */

/* Whether a given range lies in the pool's prefix of its family; reports it otherwise. */
static bool check_range(const struct checker *checker, struct pool *pool, const char *key, size_t i,
                        const struct addr_range *range)
{
    const struct pool_family *family = pool_find_family(pool, range->first.family);

    if (family && prefix_contains(&family->prefix, &range->first) &&
        prefix_contains(&family->prefix, &range->last)) {
        return true;
    }
    doc_error(place_of(pool->doc, key, i), checker->errors, "is not inside of the pool's prefix");
    return false;
}

/* Addresses that are not given out. */
struct holes {
    struct arena *arena;
    struct addr_range *items;
    size_t n, capacity;
};

static void holes_add(struct holes *holes, const struct addr *first, const struct addr *last)
{
    holes->items =
        arena_grow(holes->arena, holes->items, holes->n, &holes->capacity, sizeof *holes->items);
    holes->items[holes->n++] = (struct addr_range){*first, *last};
}

static void holes_add_inside(struct holes *holes, const struct prefix *prefix,
                             const struct addr *addr)
{
    if (prefix_contains(prefix, addr)) {
        holes_add(holes, addr, addr);
    }
}

/* The first and last of a subnet, where they mean something. */
static void holes_add_roles(struct holes *holes, const struct prefix *subnet)
{
    struct addr first = prefix_first(subnet), last = prefix_last(subnet);

    if (check_subnet_role(subnet, &first)) {
        holes_add(holes, &first, &first);
    }
    if (check_subnet_role(subnet, &last)) {
        holes_add(holes, &last, &last);
    }
}

static void holes_add_provider(struct holes *holes, const struct prefix *prefix,
                               const struct profile *provider)
{
    int family = prefix->addr.family;
    struct addr first = prefix_first(prefix), last = prefix_last(prefix);
    addr_number low = addr_to_number(&first), high = addr_to_number(&last), span = high - low;

    if (provider->reserved_first) {
        struct addr end =
            addr_of_number(family, low + (provider->reserved_first - 1 < span
                                              ? (addr_number)provider->reserved_first - 1
                                              : span));

        holes_add(holes, &first, &end);
    }
    if (provider->reserved_last) {
        struct addr begin =
            addr_of_number(family, high - (provider->reserved_last - 1 < span
                                               ? (addr_number)provider->reserved_last - 1
                                               : span));

        holes_add(holes, &begin, &last);
    }
}

/* Who is known to have an address of the network: the router, its peers, next hops. */
static void holes_add_neighbours(struct holes *holes, const struct network *network,
                                 const struct prefix *prefix)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        for (size_t j = 0; j < network->segments[i].n_gateways; j++) {
            holes_add_inside(holes, prefix, &network->segments[i].gateways[j].addr);
        }
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        holes_add_inside(holes, prefix, &network->peers[i].address);
    }
    for (size_t i = 0; i < network->n_routes; i++) {
        holes_add_inside(holes, prefix, &network->routes[i].via);
    }
}

static struct holes holes_collect(const struct checker *checker, const struct network *network,
                                  const struct pool *pool, const struct pool_family *family,
                                  const struct profile *provider)
{
    struct holes holes = {.arena = checker->arena};
    struct prefix subnet = {family->prefix.addr, family->prefix_len};

    subnet = prefix_network(&subnet);
    holes_add_roles(&holes, &family->prefix);
    holes_add_roles(&holes, &subnet);
    holes_add_neighbours(&holes, network, &family->prefix);
    if (family->gateway.family) {
        holes_add_inside(&holes, &family->prefix, &family->gateway);
    }
    if (provider) {
        holes_add_provider(&holes, &family->prefix, provider);
    }
    for (size_t i = 0; i < pool->n_reserved; i++) {
        if (pool->reserved[i].first.family == family->prefix.addr.family) {
            holes_add(&holes, &pool->reserved[i].first, &pool->reserved[i].last);
        }
    }
    return holes;
}

static void set_usable(const struct checker *checker, const struct network *network,
                       struct pool *pool, struct pool_family *family,
                       const struct profile *provider)
{
    struct holes holes = holes_collect(checker, network, pool, family, provider);
    struct addr_range *ranges = arena_calloc(checker->arena, pool->n_ranges + 1, sizeof *ranges);
    size_t n = 0;

    for (size_t i = 0; i < pool->n_ranges; i++) {
        if (pool->ranges[i].first.family == family->prefix.addr.family) {
            ranges[n++] = pool->ranges[i];
        }
    }
    pool_family_set_usable(checker->topology->arena, family, ranges, n, holes.items, holes.n);
    if (!family->capacity) {
        doc_error(check_at(pool->doc, "range"), checker->errors,
                  "no address is left that could be given out");
    }
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static const struct profile *check_provider(const struct checker *checker, const struct pool *pool)
{
    const struct profile *profile =
        pool->provider ? profiles_find(checker->world->profiles, pool->provider) : NULL;

    if (pool->provider && (!profile || !profile->has_reserved)) {
        doc_error(doc_get(pool->doc, "provider"), checker->errors,
                  "there is no profile `%s` that tells which addresses the cloud keeps",
                  pool->provider);
        return NULL;
    }
    return profile;
}

/* What passes to the nodes' subnet: of a segment what its uplinks carry; behind a peer we know no
 * more than what the narrowest tunnel carries. */
static uint32_t default_mtu(const struct checker *checker, const struct network *network,
                            const struct pool *pool)
{
    uint32_t mtu = pool->segment ? segment_mtu(checker->world->config, pool->segment) : MTU_DEFAULT;

    for (size_t i = 0; !pool->segment && i < network->n_tunnels; i++) {
        uint32_t fits = network->tunnels[i].mtu;

        mtu = fits && fits < mtu ? fits : mtu;
    }
    return mtu ? mtu : MTU_DEFAULT;
}

static void check_mtu(const struct checker *checker, const struct network *network,
                      struct pool *pool)
{
    if (!pool->mtu) {
        pool->mtu = default_mtu(checker, network, pool);
    } else if (pool->mtu < MTU_V6_MIN && pool_find_family(pool, AF_INET6)) {
        doc_error(doc_get(pool->doc, "mtu"), checker->errors,
                  "must be at least %d, since the pool has an IPv6 prefix", MTU_V6_MIN);
    }
}

/* The first address behind the network's, where clouds have their routers. */
static void set_provider_gateway(struct pool_family *family)
{
    struct addr first = prefix_first(&family->prefix);

    if (!family->gateway.family && family->prefix.len + 2u <= addr_bits(first.family)) {
        family->gateway = addr_of_number(first.family, addr_to_number(&first) + 1);
    }
}

static void set_families(const struct checker *checker, const struct network *network,
                         const struct subnets *subnets, struct pool *pool)
{
    struct pool_family family;

    for (int version = AF_INET;; version = AF_INET6) {
        for (size_t i = 0; i < pool->n_prefixes; i++) {
            if (pool->prefixes[i].addr.family == version &&
                check_place_of_prefix(checker, network, subnets, pool, i, &family) &&
                !pool_find_family(pool, version)) {
                pool->families[pool->n_families++] = family;
            }
        }
        if (version == AF_INET6) {
            return;
        }
    }
}

static void check_addresses(const struct checker *checker, const struct doc *pool, const char *key,
                            const struct addr *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (addrs[i].family) {
            check_host_address(checker, place_of(pool, key, i), &addrs[i]);
        }
    }
}

/* Whether all of the pool's prefixes are where they can be; what depends on them is looked at then
 * only. */
static bool check_parts(const struct checker *checker, struct pool *pool)
{
    bool ok = pool->n_families && pool->n_families == pool->n_prefixes;

    check_addresses(checker, pool->doc, "dns", pool->dns, pool->n_dns);
    check_addresses(checker, pool->doc, "forwarders", pool->forwarders, pool->n_forwarders);
    for (size_t i = 0; ok && i < pool->n_ranges; i++) {
        ok = pool->ranges[i].first.family &&
             check_range(checker, pool, "range", i, &pool->ranges[i]);
    }
    for (size_t i = 0; ok && i < pool->n_reserved; i++) {
        ok = pool->reserved[i].first.family &&
             check_range(checker, pool, "reserved", i, &pool->reserved[i]);
    }
    for (size_t i = 0; ok && i < pool->n_gateways; i++) {
        if (pool->gateways[i].family) {
            check_gateway(checker, pool, i);
        }
    }
    return ok;
}

/* What may be given out is not computed of a pool that another one covers: thousands of pools with
 * one prefix would each have a hole for each of thousands of next hops. */
static void check_pool(const struct checker *checker, const struct network *network,
                       const struct subnets *subnets, struct pool *pool, bool is_covered)
{
    const struct profile *provider = check_provider(checker, pool);

    set_families(checker, network, subnets, pool);
    if (!check_parts(checker, pool)) {
        return;
    }
    pool->capacity = UINT64_MAX;
    for (size_t i = 0; i < pool->n_families; i++) {
        struct pool_family *family = &pool->families[i];

        if (provider) {
            set_provider_gateway(family);
        }
        if (is_covered) {
            continue;
        }
        set_usable(checker, network, pool, family, provider);
        pool->capacity = family->capacity < pool->capacity ? family->capacity : pool->capacity;
    }
    check_mtu(checker, network, pool);
    check_pool_services(checker, network, pool);
}

/* --- overlaps ----------------------------------------------------------------------------------
 */

struct claim {
    struct prefix prefix;
    const struct doc *doc;
    bool *is_covered; /* the pool's */
    bool is_reported;
};

static bool is_later(const struct doc *a, const struct doc *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

static int compare_claims(const void *a_, const void *b_)
{
    const struct claim *a = a_, *b = b_;
    int order = prefix_cmp(&a->prefix, &b->prefix);

    return order ? order : is_later(a->doc, b->doc) - is_later(b->doc, a->doc);
}

/* The fault is the later one's, and each is reported once. */
static void report_overlap(const struct checker *checker, struct claim *a, struct claim *b)
{
    struct claim *later = is_later(a->doc, b->doc) ? a : b;
    const struct claim *earlier = later == a ? b : a;
    char text[PREFIX_TEXT], other[PREFIX_TEXT];

    if (!later->is_reported) {
        later->is_reported = true;
        doc_error(later->doc, checker->errors, "%s overlaps %s of %s",
                  prefix_print(&later->prefix, text), prefix_print(&earlier->prefix, other),
                  check_place(checker, earlier->doc));
    }
}

static size_t claims_collect(const struct network *network, bool *is_covered, struct claim *claims)
{
    size_t n = 0;

    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];

        for (size_t j = 0; j < pool->n_prefixes; j++) {
            if (pool->prefixes[j].addr.family) {
                claims[n++] = (struct claim){pool->prefixes[j], place_of(pool->doc, "prefix", j),
                                             &is_covered[i], false};
            }
        }
    }
    return n;
}

/* Prefixes overlap only by one covering the other, so sorted ones are held against the last that
 * nothing covers. Tells by number which pools another one covers. */
static void check_overlaps(const struct checker *checker, const struct network *network,
                           bool *ret_is_covered)
{
    struct claim *claims, *cover = NULL;
    size_t n;

    claims = arena_calloc(checker->arena, network->n_pools * POOL_FAMILIES + 1, sizeof *claims);
    n = claims_collect(network, ret_is_covered, claims);
    qsort(claims, n, sizeof *claims, compare_claims);
    for (size_t i = 0; i < n; i++) {
        if (cover && prefix_covers(&cover->prefix, &claims[i].prefix)) {
            report_overlap(checker, cover, &claims[i]);
            *claims[i].is_covered = true;
        } else {
            cover = &claims[i];
        }
    }
}

void check_pools(const struct checker *checker, struct network *network,
                 const struct subnets *subnets)
{
    bool *is_covered = arena_calloc(checker->arena, network->n_pools + 1, sizeof *is_covered);

    check_overlaps(checker, network, is_covered);
    for (size_t i = 0; i < network->n_pools; i++) {
        check_pool(checker, network, subnets, &network->pools[i], is_covered[i]);
    }
    check_network_services(checker, network);
}
