/* Checks of what joins a network to the outside: uplinks, the router's own addresses, and that the
 * subnets of a network do not overlap. VLANs are topology_check_vlans.c's. */
#include "model/checker.h"
#include "model/intended.h"
#include "model/reader.h"

#include <stdlib.h>
#include <string.h>

enum { MTU_V6_MIN = 1280 /* RFC 8200, section 5 */ };

/* --- uplinks -----------------------------------------------------------------------------------
 */

/* The uplink that the object names, if it is of the type; reports it otherwise. */
const struct config_uplink *check_uplink(const struct checker *checker, const struct doc *object,
                                         const char *name, enum uplink_type type)
{
    static const char *const wrong[] = {
        [UPLINK_TRUNK] = "uplink %s is routed; an attachment needs a trunk",
        [UPLINK_ROUTED] = "uplink %s is a trunk; a tunnel needs a routed one",
    };
    const struct doc *doc = check_at(object, "uplink");
    const struct config_uplink *uplink;

    if (!name) {
        return NULL;
    }
    uplink = config_find_uplink(checker->world->config, name);
    if (!uplink) {
        doc_error(doc, checker->errors, "there is no uplink `%s`", name);
    } else if (uplink->type != type) {
        doc_error(doc, checker->errors, wrong[type], name);
        uplink = NULL;
    }
    return uplink;
}

/* Calls back for each network that another tenant has in force. */
void each_foreign_network(const struct checker *checker,
                          void (*visit)(void *aux, const struct network *network), void *aux)
{
    const struct intended *intended = checker->world->intended;

    for (size_t i = 0; intended && i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        if (!strcmp(intended->tenants[i].name, checker->tenant->name)) {
            continue;
        }
        for (size_t j = 0; j < topology->n_networks; j++) {
            visit(aux, &topology->networks[j]);
        }
    }
}

/* --- the router's own addresses ----------------------------------------------------------------
 */

/* Reports an address that the router's interface cannot have. */
static bool check_own_address(const struct checker *checker, const struct doc *doc,
                              const struct prefix *own)
{
    struct prefix network = prefix_network(own);
    char address[ADDR_TEXT], subnet[PREFIX_TEXT];
    const char *role;

    if (own->len == 0) {
        doc_error(doc, checker->errors, "the prefix length must be from 1 to %u",
                  addr_bits(own->addr.family));
        return false;
    }
    if (!check_host_address(checker, doc, &own->addr)) {
        return false;
    }
    role = check_subnet_role(own, &own->addr);
    if (role) {
        doc_error(doc, checker->errors, "%s is %s of %s; the router needs a host's address",
                  addr_print(&own->addr, address), role, prefix_print(&network, subnet));
    }
    return !role;
}

/* Each address alone; those at fault lose their family. */
void check_own_addresses(const struct checker *checker, const struct doc *list, struct prefix *own,
                         size_t n)
{
    const struct doc *doc = n ? list->child : NULL;

    for (size_t i = 0; i < n; i++, doc = doc->next) {
        if (own[i].addr.family && !check_own_address(checker, doc, &own[i])) {
            own[i] = (struct prefix){0};
        }
    }
}

/* The attachment that lets the least through, and how much. */
static const struct attachment *narrowest(const struct checker *checker,
                                          const struct segment *segment, unsigned int *ret_mtu)
{
    const struct attachment *found = NULL;

    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];
        unsigned int mtu = attachment_mtu(checker->world->config, attachment);

        if (mtu && (!found || mtu < *ret_mtu)) {
            found = attachment;
            *ret_mtu = mtu;
        }
    }
    return found;
}

static void check_segment_mtu(const struct checker *checker, const struct segment *segment)
{
    const struct doc *doc = doc_get(segment->doc, "mtu");
    unsigned int mtu = 0;
    const struct attachment *attachment = narrowest(checker, segment, &mtu);

    if (!segment->mtu || !attachment) {
        return;
    }
    if (segment->mtu > mtu) {
        doc_error(doc, checker->errors, "%u is more than the %u that uplink %s carries%s",
                  segment->mtu, mtu, attachment->uplink,
                  attachment->outer_vlan ? " inside of an outer VLAN" : "");
    }
    for (size_t i = 0; i < segment->n_gateways && segment->mtu < MTU_V6_MIN; i++) {
        if (segment->gateways[i].addr.family == AF_INET6) {
            doc_error(doc, checker->errors,
                      "must be at least %d, since the segment has an IPv6 gateway", MTU_V6_MIN);
            return;
        }
    }
}

void check_segment(const struct checker *checker, struct segment *segment)
{
    const struct doc *mac_limit = doc_get(segment->doc, "mac_limit");

    check_own_addresses(checker, doc_get(segment->doc, "gateway"), segment->gateways,
                        segment->n_gateways);
    check_segment_mtu(checker, segment);
    if (segment->mac_limit && segment->n_attachments == 1) {
        doc_error(mac_limit, checker->errors,
                  "the segment has one attachment, so the router switches nothing on it and needs "
                  "no limit");
    }
    check_segment_services(checker, segment);
}

/* --- subnets -----------------------------------------------------------------------------------
 */

/* `object` has the addresses under the key. */
static void subnets_add(struct subnets *subnets, const struct doc *object, const char *key,
                        const struct prefix *own, size_t n)
{
    const struct doc *list = doc_get(object, key);
    const struct doc *doc = n ? list->child : NULL;

    if (object->kind != DOC_MAP || !read_list_worked(list, n)) {
        subnets->complete = false;
    }
    for (size_t i = 0; i < n; i++, doc = doc->next) {
        if (own[i].addr.family) {
            subnets->items[subnets->n++] =
                (struct subnet){prefix_network(&own[i]), own[i].addr, doc, false};
        } else {
            subnets->complete = false;
        }
    }
}

static struct subnets subnets_collect(const struct checker *checker, const struct network *network)
{
    struct subnets subnets = {
        .complete = read_list_worked(doc_get(network->doc, "segments"), network->n_segments) &&
                    read_list_worked(doc_get(network->doc, "tunnels"), network->n_tunnels),
    };
    size_t n = 0;

    for (size_t i = 0; i < network->n_segments; i++) {
        n += network->segments[i].n_gateways;
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        n += network->tunnels[i].n_inside;
    }
    subnets.items = arena_calloc(checker->arena, n, sizeof *subnets.items);
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];

        subnets_add(&subnets, segment->doc, "gateway", segment->gateways, segment->n_gateways);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        const struct tunnel *tunnel = &network->tunnels[i];

        subnets.complete = subnets.complete && tunnel->n_inside;
        subnets_add(&subnets, tunnel->doc, "inside", tunnel->inside, tunnel->n_inside);
    }
    return subnets;
}

static bool is_later(const struct doc *a, const struct doc *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* By first address, the larger one first: then the subnets that hold one come before it. */
static int compare_subnets(const void *a_, const void *b_)
{
    const struct subnet *a = a_, *b = b_;
    int order = prefix_cmp(&a->network, &b->network);

    return order ? order : is_later(a->doc, b->doc) - is_later(b->doc, a->doc);
}

/* The fault is the later one's, and each is reported once. */
static void report_overlap(const struct checker *checker, struct subnet *a, struct subnet *b)
{
    struct subnet *later = is_later(a->doc, b->doc) ? a : b;
    const struct subnet *earlier = later == a ? b : a;
    char text[PREFIX_TEXT], other[PREFIX_TEXT];

    if (!later->is_reported) {
        later->is_reported = true;
        doc_error(later->doc, checker->errors, "subnet %s overlaps %s of %s",
                  prefix_print(&later->network, text), prefix_print(&earlier->network, other),
                  check_place(checker, earlier->doc));
    }
}

enum { NESTING = 1 + 128 }; /* of different subnets in each other, at most */

/* Holds each of the sorted subnets against those around it. */
static void report_overlaps(const struct checker *checker, const struct subnets *subnets)
{
    struct subnet *around[NESTING];
    size_t depth = 0;

    for (size_t i = 0; i < subnets->n; i++) {
        struct subnet *subnet = &subnets->items[i];

        while (depth && !prefix_covers(&around[depth - 1]->network, &subnet->network)) {
            depth--;
        }
        for (size_t j = 0; j < depth; j++) {
            report_overlap(checker, around[j], subnet);
        }
        if (!depth || prefix_cmp(&around[depth - 1]->network, &subnet->network)) {
            around[depth++] = subnet;
        }
    }
}

struct subnets check_subnets(const struct checker *checker, const struct network *network)
{
    struct subnets subnets = subnets_collect(checker, network);
    size_t kept = 0;

    qsort(subnets.items, subnets.n, sizeof *subnets.items, compare_subnets);
    report_overlaps(checker, &subnets);
    for (size_t i = 0; i < subnets.n; i++) {
        if (!kept || !prefix_covers(&subnets.items[kept - 1].network, &subnets.items[i].network)) {
            subnets.items[kept++] = subnets.items[i];
        }
    }
    subnets.n = kept;
    return subnets;
}

const struct subnet *subnets_find(const struct subnets *subnets, const struct addr *addr)
{
    size_t low = 0, high = subnets->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (addr_cmp(&subnets->items[middle].network.addr, addr) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low && prefix_contains(&subnets->items[low - 1].network, addr) ? &subnets->items[low - 1]
                                                                          : NULL;
}
