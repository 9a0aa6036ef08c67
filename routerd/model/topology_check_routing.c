/* Checks of who is reached over segments and tunnels: BGP peers with their filters, static routes.
 */
#include "model/checker.h"
#include "model/prefix_rule.h"
#include "model/reader.h"

#include <string.h>

/* --- peers: where they are ---------------------------------------------------------------------
 */

/* The router's addresses on the link that a peer is reached over. */
struct link {
    const char *kind; /* for people */
    const struct prefix *own;
    size_t n;
    bool complete; /* none of them was wrong */
};

/* A segment may have no gateway, but a tunnel without an address was reported. */
static struct link peer_link(const struct peer *peer)
{
    const struct segment *segment = peer->segment;
    const struct tunnel *tunnel = peer->tunnel;
    struct link link;

    if (segment) {
        link =
            (struct link){"segment", segment->gateways, segment->n_gateways,
                          read_list_worked(doc_get(segment->doc, "gateway"), segment->n_gateways)};
    } else {
        link = (struct link){"tunnel", tunnel->inside, tunnel->n_inside, tunnel->n_inside > 0};
    }
    for (size_t i = 0; i < link.n; i++) {
        link.complete = link.complete && link.own[i].addr.family;
    }
    return link;
}

/* "10.1.0.0/24, 2001:db8::/64": the subnets of the link. */
static const char *link_subnets(const struct checker *checker, const struct link *link)
{
    const char *text = "";

    for (size_t i = 0; i < link->n; i++) {
        struct prefix subnet = prefix_network(&link->own[i]);
        char buffer[PREFIX_TEXT];

        text = arena_printf(checker->arena, "%s%s%s", text, i ? ", " : "",
                            prefix_print(&subnet, buffer));
    }
    return text;
}

/* Reports an address that no neighbour in the subnet can have; `own` is the router's in it. */
static bool check_neighbour(const struct checker *checker, const struct doc *doc,
                            const struct addr *addr, const struct prefix *subnet,
                            const struct addr *own)
{
    struct prefix network = prefix_network(subnet);
    char text[ADDR_TEXT], subnet_text[PREFIX_TEXT];
    const char *role =
        addr_equal(addr, own) ? "the router's own address in" : check_subnet_role(subnet, addr);

    if (role) {
        doc_error(doc, checker->errors, "%s is %s%s %s", addr_print(addr, text), role,
                  addr_equal(addr, own) ? "" : " of", prefix_print(&network, subnet_text));
    }
    return !role;
}

static bool check_peer_place(const struct checker *checker, const struct peer *peer)
{
    const struct doc *doc = doc_get(peer->doc, "address");
    struct link link = peer_link(peer);
    char text[ADDR_TEXT];

    for (size_t i = 0; i < link.n; i++) {
        if (prefix_contains(&link.own[i], &peer->address)) {
            return check_neighbour(checker, doc, &peer->address, &link.own[i], &link.own[i].addr);
        }
    }
    if (!link.complete) {
        return false;
    }
    if (link.n == 0) {
        doc_error(check_at(peer->doc, "via"), checker->errors,
                  "%s %s has no `gateway`, so no peer is reached over it", link.kind, peer->via);
    } else {
        doc_error(doc, checker->errors, "%s is not in a subnet of %s %s (%s)",
                  addr_print(&peer->address, text), link.kind, peer->via,
                  link_subnets(checker, &link));
    }
    return false;
}

static void report_address(void *aux, const void *peer_, const void *first_)
{
    const struct checker *checker = aux;
    const struct peer *peer = peer_, *first = first_;
    char text[ADDR_TEXT];

    doc_error(doc_get(peer->doc, "address"), checker->errors, "%s is also the address of %s",
              addr_print(&peer->address, text), check_place(checker, first->doc));
}

/* --- peers: what is exchanged with them --------------------------------------------------------
 */

static void report_rule(void *aux, const void *doc_, const void *first)
{
    const struct checker *checker = aux;
    const struct doc *doc = doc_;

    doc_error(doc, checker->errors, "says the same as %s", check_place(checker, first));
}

/* Rules that were written twice are a slip, and routing daemons keep one of them. */
static void check_rules(const struct checker *checker, const struct peer *peer, const char *key,
                        const struct prefix_rule *rules, size_t n)
{
    const struct doc *doc = n ? doc_get(doc_get(peer->doc, key), "prefixes")->child : NULL;
    struct keyed keyed = {.arena = checker->arena};

    for (size_t i = 0; i < n; i++, doc = doc->next) {
        char text[PREFIX_RULE_TEXT];

        if (rules[i].prefix.addr.family) {
            keyed_add(&keyed, arena_strdup(checker->arena, prefix_rule_print(&rules[i], text)),
                      doc);
        }
    }
    keyed_sort(&keyed);
    keyed_each_repeated(&keyed, report_rule, (void *)checker);
}

/* What it names, else its tunnel's, which has been found or reported already, else the plain one.
 */
static const struct profile *peer_profile(const struct checker *checker, const struct peer *peer)
{
    const char *name = "generic";

    if (doc_get(peer->doc, "profile")) {
        name = peer->profile_name;
    } else if (peer->tunnel) {
        name = peer->tunnel->profile ? peer->tunnel->profile->name : NULL;
    }
    return check_profile(checker, peer->doc, name, PROFILE_OF_PEER);
}

static void check_peer(const struct checker *checker, const struct network *network,
                       struct peer *peer)
{
    if (peer->asn && peer->asn == network->asn) {
        doc_error(doc_get(peer->doc, "asn"), checker->errors,
                  "must differ from the network's own AS number %u", network->asn);
    }
    if (peer->password_secret) {
        check_secret(checker, doc_get(peer->doc, "password"), peer->password_secret);
    }
    check_rules(checker, peer, "import", peer->import_prefixes, peer->n_import_prefixes);
    check_rules(checker, peer, "export", peer->export_prefixes, peer->n_export_prefixes);
    peer->profile = peer_profile(checker, peer);
    check_peer_session(checker, peer);
    if (peer->profile) {
        check_peer_cloud(checker, network, peer);
    }
}

void check_peers(const struct checker *checker, struct network *network)
{
    struct keyed addresses = {.arena = checker->arena};

    for (size_t i = 0; i < network->n_peers; i++) {
        struct peer *peer = &network->peers[i];
        char text[ADDR_TEXT];

        check_peer(checker, network, peer);
        if (!peer->address.family ||
            !check_host_address(checker, doc_get(peer->doc, "address"), &peer->address)) {
            continue;
        }
        if ((peer->segment || peer->tunnel) && check_peer_place(checker, peer)) {
            keyed_add(&addresses, arena_strdup(checker->arena, addr_print(&peer->address, text)),
                      peer);
        }
    }
    keyed_sort(&addresses);
    keyed_each_repeated(&addresses, report_address, (void *)checker);
}

/* --- routes ------------------------------------------------------------------------------------
 */

static void check_via(const struct checker *checker, const struct route *route,
                      const struct subnets *subnets)
{
    const struct doc *doc = doc_get(route->doc, "via");
    const struct subnet *subnet = subnets_find(subnets, &route->via);
    char text[ADDR_TEXT];

    if (route->prefix.addr.family && route->prefix.addr.family != route->via.family) {
        doc_error(doc, checker->errors, "an %s prefix cannot be reached via an %s address",
                  route->prefix.addr.family == AF_INET ? "IPv4" : "IPv6",
                  route->via.family == AF_INET ? "IPv4" : "IPv6");
    } else if (!check_host_address(checker, doc, &route->via)) {
        return;
    } else if (subnet) {
        check_neighbour(checker, doc, &route->via, &subnet->network, &subnet->own);
    } else if (subnets->complete) {
        doc_error(doc, checker->errors,
                  "%s is not in the subnet of any segment or tunnel of this network",
                  addr_print(&route->via, text));
    }
}

/* Reports a prefix that is not routed, or that the router is in itself. */
static bool check_route_prefix(const struct checker *checker, const struct route *route,
                               const struct subnets *subnets)
{
    const struct addr *addr = &route->prefix.addr;
    const struct doc *doc = doc_get(route->doc, "prefix");
    const struct subnet *subnet = subnets_find(subnets, addr);
    char text[PREFIX_TEXT];

    if (route->prefix.len && (addr_is_multicast(addr) || addr_is_loopback(addr) ||
                              (addr->family == AF_INET6 && addr_is_link_local(addr)))) {
        doc_error(doc, checker->errors, "%s is not routed: it is of %s addresses",
                  prefix_print(&route->prefix, text),
                  addr_is_multicast(addr)  ? "multicast"
                  : addr_is_loopback(addr) ? "loopback"
                                           : "link-local");
        return false;
    }
    if (subnet && !prefix_cmp(&subnet->network, &route->prefix)) {
        doc_error(doc, checker->errors, "%s is the router's own subnet of %s",
                  prefix_print(&route->prefix, text), check_place(checker, subnet->doc));
        return false;
    }
    return true;
}

static void report_prefix(void *aux, const void *route_, const void *first_)
{
    const struct checker *checker = aux;
    const struct route *route = route_, *first = first_;
    char text[PREFIX_TEXT];

    doc_error(doc_get(route->doc, "prefix"), checker->errors, "%s is already routed by %s",
              prefix_print(&route->prefix, text), check_place(checker, first->doc));
}

void check_routes(const struct checker *checker, const struct network *network,
                  const struct subnets *subnets)
{
    struct keyed prefixes = {.arena = checker->arena};

    for (size_t i = 0; i < network->n_routes; i++) {
        const struct route *route = &network->routes[i];
        char text[PREFIX_TEXT];

        if (route->via.family && !route->blackhole) {
            check_via(checker, route, subnets);
        }
        if (route->prefix.addr.family && check_route_prefix(checker, route, subnets)) {
            keyed_add(&prefixes, arena_strdup(checker->arena, prefix_print(&route->prefix, text)),
                      route);
        }
    }
    keyed_sort(&prefixes);
    keyed_each_repeated(&prefixes, report_prefix, (void *)checker);
}
