/* Checks of what a BGP session carries and of the aggregates that peers are told of. */
#include "model/checker.h"
#include "model/community.h"

#include <string.h>

/* --- sessions ----------------------------------------------------------------------------------
 */

static bool has_family(const struct prefix *own, size_t n, int family)
{
    for (size_t i = 0; i < n; i++) {
        if (own[i].addr.family == family) {
            return true;
        }
    }
    return false;
}

/* The other family's next hop is the router's address of that family on the same link. */
static void check_families(const struct checker *checker, const struct peer *peer)
{
    static const char *const NAMES[PEER_FAMILIES] = {"IPv4", "IPv6"};
    const struct prefix *own = peer->segment  ? peer->segment->gateways
                               : peer->tunnel ? peer->tunnel->inside
                                              : NULL;
    size_t n = peer->segment  ? peer->segment->n_gateways
               : peer->tunnel ? peer->tunnel->n_inside
                              : 0;

    for (size_t i = 0; i < PEER_FAMILIES; i++) {
        int family = i ? AF_INET6 : AF_INET;

        if (peer->families[i] && peer->address.family && family != peer->address.family && own &&
            !has_family(own, n, family)) {
            doc_error(doc_get(peer->doc, "families"), checker->errors,
                      "%s %s has no %s address for the routes' next hop; give it one in its `%s`, "
                      "or leave %s out",
                      peer->segment ? "segment" : "tunnel", peer->via, NAMES[i],
                      peer->segment ? "gateway" : "inside", NAMES[i]);
        }
    }
}

static void check_timers(const struct checker *checker, const struct peer *peer)
{
    const struct profile *profile = peer->profile;
    uint32_t keepalive_s = peer->keepalive_s ? peer->keepalive_s : profile->keepalive_s;
    uint32_t hold_s = peer->hold_s ? peer->hold_s : profile->hold_s;

    if ((peer->keepalive_s || peer->hold_s) && hold_s < keepalive_s) {
        doc_error(doc_get(peer->doc, "timers"), checker->errors,
                  "`hold` (%u s%s) must not be less than `keepalive` (%u s%s)", hold_s,
                  peer->hold_s ? "" : " by the profile", keepalive_s,
                  peer->keepalive_s ? "" : " by the profile");
    }
}

/* What the cloud does not do. */
static void check_cloud(const struct checker *checker, const struct peer *peer)
{
    const struct profile *profile = peer->profile;
    const struct doc *bfd = doc_get(peer->doc, "bfd");

    if (peer->bfd && profile->bfd == PROFILE_BFD_NONE) {
        doc_error(bfd, checker->errors, "%s: the cloud has no BFD, so the peer would never be up",
                  profile->name);
    } else if (peer->bfd_interval_ms && peer->bfd_interval_ms < profile->bfd_interval_min_ms) {
        doc_error(doc_get(bfd, "interval"), checker->errors,
                  "%s: the cloud's BFD takes %u ms and more", profile->name,
                  profile->bfd_interval_min_ms);
    } else if (peer->bfd_multiplier && peer->bfd_multiplier < profile->bfd_multiplier_min) {
        doc_error(doc_get(bfd, "multiplier"), checker->errors,
                  "%s: the cloud's BFD takes a multiplier of %u and more", profile->name,
                  profile->bfd_multiplier_min);
    }
    if (peer->graceful_restart && !profile->graceful_restart && peer->bfd) {
        doc_error(doc_get(peer->doc, "graceful_restart"), checker->errors,
                  "%s: the cloud does no graceful restart together with BFD; leave one of them out",
                  profile->name);
    }
    if (peer->hold_s && peer->hold_s < profile->hold_min_s) {
        doc_error(doc_get(doc_get(peer->doc, "timers"), "hold"), checker->errors,
                  "%s: the cloud takes %u s and more", profile->name, profile->hold_min_s);
    }
}

static void report_community(void *aux, const void *doc, const void *first)
{
    const struct checker *checker = aux;

    doc_error(doc, checker->errors, "says the same as %s", check_place(checker, first));
}

static void check_communities(const struct checker *checker, const struct peer *peer,
                              const char *direction, const char *key,
                              const struct communities *communities)
{
    const struct doc *doc =
        communities->n ? doc_get(doc_get(peer->doc, direction), key)->child : NULL;
    struct keyed keyed = {.arena = checker->arena};

    for (size_t i = 0; i < communities->n; i++, doc = doc->next) {
        char text[COMMUNITY_TEXT];

        if (communities->items[i].large || communities->items[i].part[0]) {
            community_print(&communities->items[i], text);
            keyed_add(&keyed, arena_strdup(checker->arena, text), doc);
        }
    }
    keyed_sort(&keyed);
    keyed_each_repeated(&keyed, report_community, (void *)checker);
}

void check_peer_session(const struct checker *checker, const struct peer *peer)
{
    check_families(checker, peer);
    if (peer->bfd && peer->ttl_security) { /* FRR 8.4 takes it for several hops away */
        doc_error(doc_get(peer->doc, "ttl_security"), checker->errors,
                  "FRR can do BFD or `ttl_security` with a peer, not both; leave one of them out");
    }
    if (peer->profile) {
        check_timers(checker, peer);
        check_cloud(checker, peer);
    }
    check_communities(checker, peer, "import", "communities", &peer->import_communities);
    check_communities(checker, peer, "import", "set_communities", &peer->import_set);
    check_communities(checker, peer, "export", "communities", &peer->export_communities);
    check_communities(checker, peer, "export", "set_communities", &peer->export_set);
}

/* --- aggregates ---------------------------------------------------------------------------------
 */

static void report_aggregate(void *aux, const void *aggregate_, const void *first_)
{
    const struct checker *checker = aux;
    const struct aggregate *aggregate = aggregate_, *first = first_;
    char text[PREFIX_TEXT];

    doc_error(doc_get(aggregate->doc, "prefix"), checker->errors, "%s is already aggregated by %s",
              prefix_print(&aggregate->prefix, text), check_place(checker, first->doc));
}

static bool is_routed(const struct prefix *prefix)
{
    return !prefix->len || !(addr_is_multicast(&prefix->addr) || addr_is_loopback(&prefix->addr) ||
                             addr_is_link_local(&prefix->addr));
}

void check_aggregates(const struct checker *checker, const struct network *network)
{
    struct keyed prefixes = {.arena = checker->arena};

    for (size_t i = 0; i < network->n_aggregates; i++) {
        const struct aggregate *aggregate = &network->aggregates[i];
        const struct doc *doc = doc_get(aggregate->doc, "prefix");
        char text[PREFIX_TEXT];

        if (!aggregate->prefix.addr.family) {
            continue;
        }
        prefix_print(&aggregate->prefix, text);
        if (!aggregate->prefix.len) {
            doc_error(doc, checker->errors,
                      "%s is the default route; announce it with `default_originate` of a peer's "
                      "`export`",
                      text);
        } else if (!is_routed(&aggregate->prefix)) {
            doc_error(doc, checker->errors, "%s is not routed", text);
        } else if (aggregate->prefix.len == addr_bits(aggregate->prefix.addr.family)) {
            doc_error(doc, checker->errors,
                      "%s is a single address, which has nothing inside of it", text);
        } else {
            keyed_add(&prefixes, arena_strdup(checker->arena, text), aggregate);
        }
    }
    keyed_sort(&prefixes);
    keyed_each_repeated(&prefixes, report_aggregate, (void *)checker);
}
