/* From the intended state to the dnsmasq processes that serve it, each with its configuration. */
#include "dhcp/dhcp_state.h"

#include "model/services.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASES = 16777216, /* dnsmasq would stop at 1,000 */
    RA_INTERVAL_S = 200,
    RA_LIFETIME_S = 1800,
    DNS_CACHE = 1000,
};

struct want {
    struct dhcp_wanted *wanted;
    const char *folder;
    const char *tenant;
    const struct network *network;
};

/* Text that grows, in the arena once it is whole. */
struct text {
    char *bytes;
    size_t len, capacity;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (text->len + (size_t)len >= text->capacity) {
        text->capacity = 2 * text->capacity + (size_t)len + 1;
        text->bytes = realloc(text->bytes, text->capacity);
        if (!text->bytes) {
            abort();
        }
    }
    va_start(args, format);
    vsnprintf(text->bytes + text->len, (size_t)len + 1, format, args);
    va_end(args);
    text->len += (size_t)len;
}

static const char *text_take(struct text *text, struct arena *arena)
{
    const char *whole = arena_memdup(arena, text->bytes, text->len);

    free(text->bytes);
    return whole;
}

const char *dhcp_folder(const struct config *config, char buffer[DHCP_PATH])
{
    const char *slash = strrchr(config->socket_path, '/');

    snprintf(buffer, DHCP_PATH, "%.*s/dhcp", slash ? (int)(slash - config->socket_path) : 0,
             config->socket_path);
    return buffer;
}

static struct dhcp_service *add_service(struct want *want, enum dhcp_kind kind)
{
    struct dhcp_wanted *wanted = want->wanted;

    wanted->services = arena_grow(wanted->arena, wanted->services, wanted->n, &wanted->capacity,
                                  sizeof *wanted->services);
    wanted->services[wanted->n] = (struct dhcp_service){
        .kind = kind,
        .tenant = want->tenant,
        .network = want->network,
    };
    return &wanted->services[wanted->n++];
}

/* What both kinds begin with. */
static void add_head(struct text *text, const struct want *want, const struct dhcp_service *service)
{
    add(text,
        "# routerd: %s of %s/%s\n"
        "bind-interfaces\nno-resolv\nno-hosts\npid-file=%s/%s/pid\n",
        service->what, want->tenant, service->object, want->folder, service->key);
}

/* --- DHCP ----------------------------------------------------------------------------------- */

static void add_list(struct text *text, const struct addr *addrs, size_t n, int family)
{
    char buffer[ADDR_TEXT];

    for (size_t i = 0; i < n; i++) {
        if (addrs[i].family == family) {
            add(text, family == AF_INET ? ",%s" : ",[%s]", addr_print(&addrs[i], buffer));
        }
    }
}

static bool has_family(const struct addr *addrs, size_t n, int family)
{
    for (size_t i = 0; i < n; i++) {
        if (addrs[i].family == family) {
            return true;
        }
    }
    return false;
}

/* RFC 2132: 3.5 router, 3.8 name servers, 3.17 domain, 5.1 MTU; RFC 3397: domain search. An empty
 * router option keeps dnsmasq from naming itself. */
static void add_options4(struct text *text, size_t subnet, const struct pool *pool,
                         const struct pool_family *family)
{
    add(text, "dhcp-option=tag:s%zu,option:router", subnet);
    add_list(text, &family->gateway, 1, AF_INET);
    add(text, "\ndhcp-option=tag:s%zu,option:mtu,%u\n", subnet, pool->mtu);
    if (has_family(pool->dns, pool->n_dns, AF_INET)) {
        add(text, "dhcp-option=tag:s%zu,option:dns-server", subnet);
        add_list(text, pool->dns, pool->n_dns, AF_INET);
        add(text, "\n");
    }
    if (pool->domain) {
        add(text,
            "dhcp-option=tag:s%zu,option:domain-name,%s\n"
            "dhcp-option=tag:s%zu,option:domain-search,%s\n",
            subnet, pool->domain, subnet, pool->domain);
    }
}

/* RFC 3646. */
static void add_options6(struct text *text, size_t subnet, const struct pool *pool)
{
    if (has_family(pool->dns, pool->n_dns, AF_INET6)) {
        add(text, "dhcp-option=tag:s%zu,option6:dns-server", subnet);
        add_list(text, pool->dns, pool->n_dns, AF_INET6);
        add(text, "\n");
    }
    if (pool->domain) {
        add(text, "dhcp-option=tag:s%zu,option6:domain-search,%s\n", subnet, pool->domain);
    }
}

static void add_range4(struct text *text, size_t number, const struct prefix *subnet)
{
    struct addr mask = {.family = AF_INET};
    char first[ADDR_TEXT], netmask[ADDR_TEXT];

    for (unsigned int i = 0; i < subnet->len; i++) {
        mask.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    add(text, "dhcp-range=set:s%zu,%s,static,%s,%d\n", number, addr_print(&subnet->addr, first),
        addr_print(&mask, netmask), SERVICES_LEASE_S);
}

/* The first pool with DHCP in the subnet of the router's address, or null; all that there are say
 * the same. */
static const struct pool *find_pool(const struct network *network, const struct segment *segment,
                                    const struct addr *router)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];
        const struct pool_family *family = pool->segment == segment && pool->serves_dhcp
                                               ? pool_find_family(pool, router->family)
                                               : NULL;

        if (family && addr_equal(&family->router, router)) {
            return pool;
        }
    }
    return NULL;
}

/* Each subnet has a tag, by which its options are found. Tags of hosts would do that for each pool,
 * but dnsmasq 2.90 crashes when it reads such hosts again after one has a lease. Hosts of an IPv6
 * subnet without nodes configure themselves (RFC 4862). */
static void add_subnet(struct text *text, const struct network *network,
                       const struct segment *segment, size_t i)
{
    const struct addr *router = &segment->gateways[i].addr;
    const struct pool *pool = find_pool(network, segment, router);
    struct prefix subnet = prefix_network(&segment->gateways[i]);
    char first[ADDR_TEXT];

    addr_print(&subnet.addr, first);
    if (pool && router->family == AF_INET) {
        add_range4(text, i, &subnet);
        add_options4(text, i, pool, pool_find_family(pool, AF_INET));
    } else if (pool) {
        add(text, "dhcp-range=set:s%zu,%s,static,%u,%d\n", i, first, subnet.len, SERVICES_LEASE_S);
        add_options6(text, i, pool);
    } else if (router->family == AF_INET6 && segment->advertises) {
        add(text, "dhcp-range=%s,ra-only,%u\n", first, subnet.len);
    }
}

/* What is said to hosts that are no nodes, by router advertisements: RFC 4861, RFC 8106. */
static void add_advertisements(struct text *text, const struct network *network,
                               const struct segment *segment, const char *interface)
{
    uint32_t mtu = UINT32_MAX;

    add(text, "enable-ra\n");
    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];

        if (pool->segment == segment) {
            mtu = pool->mtu < mtu ? pool->mtu : mtu;
        }
    }
    add(text, "ra-param=%s,", interface);
    if (mtu != UINT32_MAX) {
        add(text, "mtu:%u,", mtu);
    }
    add(text, "%d,%d\n", RA_INTERVAL_S, RA_LIFETIME_S);
    if (segment_services(network, segment).dns) {
        for (size_t i = 0; i < segment->n_gateways; i++) {
            if (segment->gateways[i].addr.family == AF_INET6) {
                add(text, "dhcp-option=option6:dns-server");
                add_list(text, &segment->gateways[i].addr, 1, AF_INET6);
                add(text, "\n");
                return;
            }
        }
    }
}

static void want_segment(struct want *want, const struct segment *segment)
{
    struct segment_services services = segment_services(want->network, segment);
    bool dhcp = services.dhcp4 || services.dhcp6;
    struct dhcp_service *service;
    struct text text = {0};

    if (!dhcp && !services.advertisements) {
        return;
    }
    service = add_service(want, DHCP_ON_SEGMENT);
    service->segment = segment;
    service->object =
        arena_printf(want->wanted->arena, "%s/segment/%s", want->network->name, segment->name);
    service->what = !dhcp                     ? "router advertisements"
                    : services.advertisements ? "DHCP and router advertisements"
                                              : "DHCP";
    ids_segment_name(segment->id, service->key);
    add_head(&text, want, service);
    add(&text,
        "port=0\ninterface=%s\nno-ping\ndhcp-authoritative\nquiet-dhcp\nquiet-dhcp6\nquiet-ra\n"
        "dhcp-ignore=tag:!known\ndhcp-ignore-names\ndhcp-lease-max=%d\n"
        "dhcp-hostsfile=%s/%s/hosts\ndhcp-leasefile=%s/%s/leases\n",
        service->key, LEASES, want->folder, service->key, want->folder, service->key);
    for (size_t i = 0; i < segment->n_gateways; i++) {
        add_subnet(&text, want->network, segment, i);
    }
    if (services.advertisements) {
        add_advertisements(&text, want->network, segment, service->key);
    }
    service->conf = text_take(&text, want->wanted->arena);
}

/* --- DNS ------------------------------------------------------------------------------------ */

static bool serves_names(const struct network *network)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        if (network->pools[i].serves_dns) {
            return true;
        }
    }
    return false;
}

static void add_listens(struct want *want, struct dhcp_service *service, struct text *text)
{
    const struct network *network = want->network;
    char buffer[ADDR_TEXT];
    size_t n = 0;

    for (size_t i = 0; i < network->n_segments; i++) {
        n += network->segments[i].n_gateways;
    }
    service->listens = arena_calloc(want->wanted->arena, n + 1, sizeof *service->listens);
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];

        for (size_t j = 0; segment_services(network, segment).dns && j < segment->n_gateways; j++) {
            service->listens[service->n_listens++] = segment->gateways[j].addr;
            add(text, "listen-address=%s\n", addr_print(&segment->gateways[j].addr, buffer));
        }
    }
}

/* Names of the network's own domains are asked nowhere else. */
static void add_domains(struct text *text, const struct network *network)
{
    for (size_t i = 0; i < network->n_pools; i++) {
        const char *domain = network->pools[i].domain;
        bool repeated = false;

        for (size_t j = 0; domain && j < i && !repeated; j++) {
            repeated = network->pools[j].domain && !strcmp(network->pools[j].domain, domain);
        }
        if (domain && !repeated) {
            add(text, "local=/%s/\n", domain);
        }
    }
}

static void add_forwarders(struct text *text, const struct network *network)
{
    char buffer[ADDR_TEXT];
    bool forwards = false;

    for (size_t i = 0; i < network->n_pools; i++) {
        const struct pool *pool = &network->pools[i];

        for (size_t j = 0; pool->serves_dns && j < pool->n_forwarders; j++) {
            add(text, "server=%s\n", addr_print(&pool->forwarders[j], buffer));
            forwards = true;
        }
    }
    add(text, "cache-size=%d\n", forwards ? DNS_CACHE : 0);
}

static void want_names(struct want *want)
{
    struct dhcp_service *service;
    struct text text = {0};

    if (!serves_names(want->network)) {
        return;
    }
    service = add_service(want, DHCP_NAMES);
    service->object = want->network->name;
    service->what = "DNS";
    ids_vrf_name(want->network->id, service->key);
    add_head(&text, want, service);
    add(&text, "domain-needed\nno-ident\naddn-hosts=%s/%s/hosts\n", want->folder, service->key);
    add_listens(want, service, &text);
    add_domains(&text, want->network);
    add_forwarders(&text, want->network);
    service->conf = text_take(&text, want->wanted->arena);
}

/* --- all ------------------------------------------------------------------------------------ */

void dhcp_want(const struct intended *intended, struct dhcp_wanted *ret_wanted)
{
    char folder[DHCP_PATH];

    *ret_wanted = (struct dhcp_wanted){.arena = arena_new()};
    dhcp_folder(intended->config, folder);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &intended->tenants[i];

        for (size_t j = 0; j < tenant->topology->n_networks; j++) {
            struct want want = {ret_wanted, folder, tenant->name, &tenant->topology->networks[j]};

            for (size_t k = 0; k < want.network->n_segments; k++) {
                want_segment(&want, &want.network->segments[k]);
            }
            want_names(&want);
        }
    }
}

void dhcp_wanted_done(struct dhcp_wanted *wanted)
{
    arena_free(wanted->arena);
    *wanted = (struct dhcp_wanted){.arena = NULL};
}
