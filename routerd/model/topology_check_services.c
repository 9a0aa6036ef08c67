/* Checks of what the router is to serve on segments: DHCP, DNS, router advertisements, probes. */
#include "model/checker.h"
#include "model/services.h"

#include <string.h>

enum { SLAAC_LEN = 64 /* RFC 4862, 5.5.3 and RFC 4291, 2.5.1 */ };

/* Services are for hosts that the router shares a segment with. */
static void check_on_segment(const struct checker *checker, const struct network *network,
                             const struct pool *pool)
{
    static const char *const keys[] = {"dhcp", "dns", "probe"};
    const bool wanted[] = {pool->serves_dhcp, pool->serves_dns, pool->probes};

    for (size_t i = 0; i < sizeof keys / sizeof *keys && !pool->segment; i++) {
        if (wanted[i]) {
            doc_error(doc_get(pool->doc, keys[i]), checker->errors,
                      "`%s: true` is for a pool on a segment, and %s lies on none of network %s; "
                      "give a segment a gateway in its subnet or leave it out",
                      keys[i], pool->name ? pool->name : "it",
                      network->name ? network->name : "it");
        }
    }
}

static void check_dhcp(const struct checker *checker, struct pool *pool)
{
    const struct pool_family *v6 = pool_find_family(pool, AF_INET6);
    const struct doc *quarantine = doc_get(pool->doc, "quarantine");

    if (v6 && pool->segment && v6->prefix_len < SLAAC_LEN) {
        doc_error(doc_get(pool->doc, "dhcp"), checker->errors,
                  "DHCPv6 needs a subnet of /64 or longer, and the segment's is a /%u",
                  v6->prefix_len);
    }
    if (quarantine && pool->quarantine_s < SERVICES_QUARANTINE_S) {
        doc_error(quarantine, checker->errors,
                  "must be at least %d with `dhcp: true`: so long may a client still use its lease",
                  SERVICES_QUARANTINE_S);
    } else if (!quarantine) {
        pool->quarantine_s = SERVICES_QUARANTINE_S;
    }
}

/* Nodes ask the router where it serves. */
static void set_dns(const struct checker *checker, struct pool *pool)
{
    pool->dns = arena_calloc(checker->topology->arena, POOL_FAMILIES, sizeof *pool->dns);
    pool->n_dns = 0;
    for (size_t i = 0; i < pool->n_families; i++) {
        if (pool->families[i].router.family) {
            pool->dns[pool->n_dns++] = pool->families[i].router;
        }
    }
}

void check_pool_services(const struct checker *checker, const struct network *network,
                         struct pool *pool)
{
    check_on_segment(checker, network, pool);
    if (pool->serves_dhcp) {
        check_dhcp(checker, pool);
    }
    if (pool->serves_dns) {
        set_dns(checker, pool);
    } else if (pool->n_forwarders) {
        doc_error(doc_get(pool->doc, "forwarders"), checker->errors,
                  "are whom the router asks, so `dns: true` must be there, too; the servers that "
                  "nodes ask themselves are `dns: [ADDRESS, ...]`");
    }
}

static bool same_text(const char *a, const char *b)
{
    return !a == !b && (!a || !strcmp(a, b));
}

/* The next name server of a family from number i on; n_dns: there is none. */
static size_t next_dns(const struct pool *pool, size_t i, int family)
{
    while (i < pool->n_dns && pool->dns[i].family != family) {
        i++;
    }
    return i;
}

static bool same_dns(const struct pool *a, const struct pool *b, int family)
{
    size_t i = next_dns(a, 0, family), j = next_dns(b, 0, family);

    while (i < a->n_dns && j < b->n_dns && addr_equal(&a->dns[i], &b->dns[j])) {
        i = next_dns(a, i + 1, family);
        j = next_dns(b, j + 1, family);
    }
    return i == a->n_dns && j == b->n_dns;
}

/* Whether two pools share a subnet and yet would have their nodes told different things. */
static bool tells_otherwise(const struct pool *a, const struct pool *b)
{
    for (size_t i = 0; i < a->n_families; i++) {
        const struct pool_family *family = &a->families[i];
        int version = family->prefix.addr.family;
        const struct pool_family *other = pool_find_family(b, version);

        if (other && addr_equal(&family->router, &other->router) &&
            (!addr_equal(&family->gateway, &other->gateway) || a->mtu != b->mtu ||
             !same_dns(a, b, version) || !same_text(a->domain, b->domain))) {
            return true;
        }
    }
    return false;
}

void check_network_services(const struct checker *checker, const struct network *network)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];
        const struct pool *other = NULL;

        for (size_t j = 0; pool->segment && pool->serves_dhcp && j < i && !other; j++) {
            const struct pool *earlier = &network->pools[j];

            other = earlier->segment == pool->segment && earlier->serves_dhcp &&
                            tells_otherwise(pool, earlier)
                        ? earlier
                        : NULL;
        }
        if (other) {
            doc_error(
                doc_get(pool->doc, "dhcp"), checker->errors,
                "DHCP tells the same to all nodes of a subnet: `gateway`, `dns`, `domain` and "
                "`mtu` must be as in pool %s",
                other->name ? other->name : "before");
        }
    }
}

void check_segment_services(const struct checker *checker, const struct segment *segment)
{
    size_t n_v6 = 0;

    for (size_t i = 0; segment->advertises && i < segment->n_gateways; i++) {
        const struct prefix *gateway = &segment->gateways[i];
        bool is_v6 = gateway->addr.family == AF_INET6;

        n_v6 += is_v6 || !gateway->addr.family; /* of one that is wrong nothing is known */
        if (is_v6 && gateway->len != SLAAC_LEN) {
            doc_error(doc_get(segment->doc, "router_advertisements"), checker->errors,
                      "need IPv6 gateways with /%d, by which hosts configure themselves, and there "
                      "is one with /%u",
                      SLAAC_LEN, gateway->len);
        }
    }
    if (segment->advertises && !n_v6) {
        doc_error(doc_get(segment->doc, "router_advertisements"), checker->errors,
                  "need an IPv6 gateway on the segment, such as 2001:db8:1::1/64");
    }
}
