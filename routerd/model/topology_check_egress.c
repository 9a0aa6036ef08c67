/* Checks of a network's gateway to the outside, and that no port of an uplink is forwarded twice,
 * whoever asks for it. */
#include "model/checker.h"
#include "model/intended.h"

#include <netinet/in.h>
#include <string.h>

enum { IKE_PORT = 500, IKE_NAT_PORT = 4500 };

static void check_egress_uplink(const struct checker *checker, const struct egress *egress)
{
    const struct doc *doc = check_at(egress->doc, "uplink");
    const struct config_uplink *uplink =
        egress->uplink ? config_find_uplink(checker->world->config, egress->uplink) : NULL;

    if (egress->uplink && !uplink) {
        doc_error(doc, checker->errors, "there is no uplink `%s`", egress->uplink);
    } else if (uplink && uplink->type != UPLINK_ROUTED) {
        doc_error(doc, checker->errors, "uplink %s is a trunk; egress needs a routed one",
                  egress->uplink);
    }
}

/* What only makes sense where addresses are translated. */
static void check_egress_nat(const struct checker *checker, const struct egress *egress)
{
    static const char *const keys[] = {"address", "prefix6", "publish"};

    for (size_t i = 0; !egress->nat && i < sizeof keys / sizeof *keys; i++) {
        const struct doc *doc = doc_get(egress->doc, keys[i]);

        if (doc) {
            doc_key_error(doc, checker->errors, "without `nat` there is no `%s`", keys[i]);
        }
    }
    if (egress->address.family) {
        check_host_address(checker, doc_get(egress->doc, "address"), &egress->address);
    }
    if (egress->prefix6.addr.family == AF_INET) {
        doc_error(doc_get(egress->doc, "prefix6"), checker->errors, "must be an IPv6 prefix");
    } else if (egress->prefix6.addr.family && egress->prefix6.len > 64) {
        doc_error(doc_get(egress->doc, "prefix6"), checker->errors,
                  "must not be longer than /64, as hosts keep the last 64 bits (RFC 6296)");
    }
    if (egress->prefix6.addr.family && egress->address.family == AF_INET6) {
        doc_key_error(doc_get(egress->doc, "prefix6"), checker->errors,
                      "an IPv6 `address` is given already");
    }
}

/* The default route is egress's. */
static void check_default_routes(const struct checker *checker, const struct network *network)
{
    for (size_t i = 0; i < network->n_routes; i++) {
        const struct route *route = &network->routes[i];
        char text[PREFIX_TEXT];

        if (route->prefix.addr.family && route->prefix.len == 0) {
            doc_error(doc_get(route->doc, "prefix"), checker->errors,
                      "%s is already routed by %s: remove one of them",
                      prefix_print(&route->prefix, text),
                      check_place(checker, network->egress->doc));
        }
    }
}

static bool is_own(const struct prefix *own, size_t n, const struct addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (addr_equal(&own[i].addr, addr)) {
            return true;
        }
    }
    return false;
}

static bool is_routers(const struct network *network, const struct addr *addr)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        if (is_own(network->segments[i].gateways, network->segments[i].n_gateways, addr)) {
            return true;
        }
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        if (is_own(network->tunnels[i].inside, network->tunnels[i].n_inside, addr)) {
            return true;
        }
    }
    return false;
}

static void check_publish_to(const struct checker *checker, const struct network *network,
                             const struct publish *publish)
{
    const struct doc *doc = doc_get(publish->doc, "to");
    char text[ADDR_TEXT];

    if (!publish->to.family || !check_host_address(checker, doc, &publish->to)) {
        return;
    }
    if (is_routers(network, &publish->to)) {
        doc_error(doc, checker->errors, "%s is the router's own address; it must be a host's",
                  addr_print(&publish->to, text));
    }
    if (publish->address.family && publish->address.family != publish->to.family) {
        doc_error(doc_get(publish->doc, "address"), checker->errors,
                  "must be of the same family as `to`");
    }
}

static void check_publish(const struct checker *checker, const struct network *network,
                          const struct publish *publish)
{
    const struct doc *doc = doc_get(publish->doc, "from");

    check_publish_to(checker, network, publish);
    if (publish->address.family) {
        check_host_address(checker, doc_get(publish->doc, "address"), &publish->address);
    }
    if (publish->protocol == IPPROTO_UDP &&
        (publish->port == IKE_PORT || publish->port == IKE_NAT_PORT)) {
        doc_error(doc_get(publish->doc, "port"), checker->errors,
                  "UDP port %u is the router's own, for IKE: take another one", publish->port);
    }
    doc = publish->n_from ? doc->child : NULL;
    for (size_t i = 0; i < publish->n_from; i++, doc = doc->next) {
        if (publish->from[i].addr.family && publish->to.family &&
            publish->from[i].addr.family != publish->to.family) {
            doc_error(doc, checker->errors, "must be of the same family as `to`");
        }
    }
}

void check_egress(const struct checker *checker, const struct network *network)
{
    const struct egress *egress = network->egress;

    if (!egress) {
        return;
    }
    check_egress_uplink(checker, egress);
    check_egress_nat(checker, egress);
    check_default_routes(checker, network);
    for (size_t i = 0; i < egress->n_publishes; i++) {
        check_publish(checker, network, &egress->publishes[i]);
    }
}

/* --- ports that are forwarded twice ------------------------------------------------------------
 */

/* One port of an uplink that somebody has. */
struct taken {
    const struct doc *doc; /* null: another tenant's */
    struct addr address;   /* no family: the uplink's own */
};

struct ports {
    const struct checker *checker;
    struct keyed keyed; /* of struct taken */
};

static void add_ports(struct ports *ports, const struct network *network, bool is_foreign)
{
    const struct egress *egress = network->egress;
    struct arena *arena = ports->checker->arena;

    for (size_t i = 0; egress && egress->uplink && i < egress->n_publishes; i++) {
        const struct publish *publish = &egress->publishes[i];
        struct taken *taken = arena_alloc(arena, sizeof *taken);

        if (!publish->port || !publish->protocol || !publish->to.family) {
            continue;
        }
        *taken =
            (struct taken){is_foreign ? NULL : publish->doc, egress_published(egress, publish)};
        keyed_add(&ports->keyed,
                  arena_printf(arena, "%s/%d/%u/%05u", egress->uplink, publish->to.family,
                               publish->protocol, publish->port),
                  taken);
    }
}

static void add_foreign_ports(void *aux, const struct network *network)
{
    add_ports(aux, network, true);
}

/* Which address the uplink's own is, only the running host knows; so it may be any. */
static bool is_same_address(const struct taken *a, const struct taken *b)
{
    return !a->address.family || !b->address.family || addr_equal(&a->address, &b->address);
}

static void report_port(const struct ports *ports, const struct taken *taken,
                        const struct taken *first)
{
    const struct doc *doc = doc_get(taken->doc, "port");

    if (first->doc) {
        doc_error(doc, ports->checker->errors, "port %s of the uplink is already forwarded by %s",
                  doc->text, check_place(ports->checker, first->doc));
    } else {
        doc_error(doc, ports->checker->errors,
                  "port %s of the uplink is forwarded by another tenant: take another one",
                  doc->text);
    }
}

/* Items of one key are few: one for each address that the uplink has. */
static void report_ports(const struct ports *ports)
{
    const struct keyed_item *items = ports->keyed.items;

    for (size_t i = 1; i < ports->keyed.n; i++) {
        const struct taken *taken = items[i].object;

        for (size_t j = i; taken->doc && j-- > 0 && !strcmp(items[i].key, items[j].key);) {
            if (is_same_address(taken, items[j].object)) {
                report_port(ports, taken, items[j].object);
                break;
            }
        }
    }
}

void check_published_ports(const struct checker *checker)
{
    struct ports ports = {checker, {.arena = checker->arena}};

    each_foreign_network(checker, add_foreign_ports, &ports);
    for (size_t i = 0; i < checker->topology->n_networks; i++) {
        add_ports(&ports, &checker->topology->networks[i], false);
    }
    keyed_sort(&ports.keyed);
    report_ports(&ports);
}
