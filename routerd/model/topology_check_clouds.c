/* Checks of a cloud's rules, as its profile has them, on tunnels and peers. A sentence begins with
 * the profile's name, so that it is plain whose rule it is and which file has it. */
#include "model/checker.h"
#include "model/reader.h"

#include <string.h>

/* --- addresses of both ends --------------------------------------------------------------------
 */

/* "/30 or /31": the lengths that the profile has for a family; null: any is right. */
static const char *lengths_text(struct arena *arena, const struct profile *profile, int family)
{
    const char *text = NULL;

    for (size_t i = 0; i < profile->n_inside_lengths; i++) {
        unsigned int len = profile->inside_lengths[i];

        if ((len <= 32) == (family == AF_INET)) {
            text = text ? arena_printf(arena, "%s or /%u", text, len)
                        : arena_printf(arena, "/%u", len);
        }
    }
    return text;
}

static bool length_is_right(const struct profile *profile, const struct prefix *prefix)
{
    bool any = true;

    for (size_t i = 0; i < profile->n_inside_lengths; i++) {
        if ((profile->inside_lengths[i] <= 32) == (prefix->addr.family == AF_INET)) {
            any = false;
            if (profile->inside_lengths[i] == prefix->len) {
                return true;
            }
        }
    }
    return any;
}

static bool is_within(const struct profile *profile, const struct prefix *prefix)
{
    for (size_t i = 0; i < profile->n_inside_within; i++) {
        if (prefix_covers(&profile->inside_within[i], prefix)) {
            return true;
        }
    }
    return profile->n_inside_within == 0;
}

static bool is_excepted(const struct profile *profile, const struct prefix *prefix)
{
    for (size_t i = 0; i < profile->n_inside_except; i++) {
        if (prefix_covers(&profile->inside_except[i], prefix) ||
            prefix_covers(prefix, &profile->inside_except[i])) {
            return true;
        }
    }
    return false;
}

static const char *within_text(struct arena *arena, const struct profile *profile)
{
    const char *text = "";

    for (size_t i = 0; i < profile->n_inside_within; i++) {
        char buffer[PREFIX_TEXT];

        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "",
                            prefix_print(&profile->inside_within[i], buffer));
    }
    return text;
}

/* `what` is "inside" or "subnet". */
static void check_subnet(const struct checker *checker, const struct profile *profile,
                         const char *what, const struct prefix *own, const struct doc *doc)
{
    struct prefix prefix = prefix_network(own);
    char text[PREFIX_TEXT];

    prefix_print(&prefix, text);
    if (!is_within(profile, &prefix)) {
        doc_error(doc, checker->errors, "%s: %s %s is not one that %s takes: %s", profile->name,
                  what, text, profile->cloud, within_text(checker->arena, profile));
    } else if (is_excepted(profile, &prefix)) {
        doc_error(doc, checker->errors, "%s: %s %s is reserved by %s", profile->name, what, text,
                  profile->cloud);
    } else if (!length_is_right(profile, &prefix)) {
        doc_error(doc, checker->errors, "%s: %s %s must be a %s for %s", profile->name, what, text,
                  lengths_text(checker->arena, profile, prefix.addr.family), profile->cloud);
    }
}

void check_tunnel_cloud(const struct checker *checker, const struct tunnel *tunnel)
{
    const struct profile *profile = tunnel->profile;
    const struct doc *doc = tunnel->n_inside ? doc_get(tunnel->doc, "inside")->child : NULL;

    for (size_t i = 0; i < tunnel->n_inside; i++, doc = doc->next) {
        if (tunnel->inside[i].addr.family) {
            check_subnet(checker, profile, "inside", &tunnel->inside[i], doc);
        }
    }
    if (profile->mtu_max && tunnel->own.mtu > profile->mtu_max) {
        doc_error(doc_get(tunnel->doc, "mtu"), checker->errors,
                  "%s: an MTU of %u is more than the %u that %s takes", profile->name,
                  tunnel->own.mtu, profile->mtu_max, profile->cloud);
    }
}

/* --- what a peer is reached over ---------------------------------------------------------------
 */

static void check_outer_vlans(const struct checker *checker, const struct profile *profile,
                              const struct peer *peer)
{
    const struct segment *segment = peer->segment;

    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];

        if (!doc_get(attachment->doc, "outer_vlan")) {
            doc_error(check_at(peer->doc, "via"), checker->errors,
                      "%s: %s's VLAN comes inside of another one, so %s needs `outer_vlan`",
                      profile->name, profile->cloud, check_place(checker, attachment->doc));
            return;
        }
    }
}

static void check_segment_cloud(const struct checker *checker, const struct profile *profile,
                                const struct peer *peer)
{
    struct segment *segment = (struct segment *)peer->segment; /* of the topology that is checked */
    const struct doc *doc = segment->n_gateways ? doc_get(segment->doc, "gateway")->child : NULL;

    for (size_t i = 0; i < segment->n_gateways; i++, doc = doc->next) {
        const struct prefix *own = &segment->gateways[i];

        if (own->addr.family && peer->address.family && prefix_contains(own, &peer->address)) {
            check_subnet(checker, profile, "subnet", own, doc);
        }
    }
    if (profile->outer_vlan) {
        check_outer_vlans(checker, profile, peer);
    }
    if (!profile->mtu_max) {
        return;
    }
    if (segment->mtu > profile->mtu_max) {
        doc_error(doc_get(segment->doc, "mtu"), checker->errors,
                  "%s: an MTU of %u is more than the %u that %s takes (peer %s)", profile->name,
                  segment->mtu, profile->mtu_max, profile->cloud, peer->name ? peer->name : "");
    }
    if (!segment->mtu_max || profile->mtu_max < segment->mtu_max) {
        segment->mtu_max = profile->mtu_max;
    }
}

/* --- the session -------------------------------------------------------------------------------
 */

static bool has_asn(const struct profile_asns *asns, size_t n, uint32_t asn)
{
    for (size_t i = 0; i < n; i++) {
        if (asn >= asns[i].first && asn <= asns[i].last) {
            return true;
        }
    }
    return false;
}

static const char *asns_text(struct arena *arena, const struct profile_asns *asns, size_t n)
{
    const char *text = "";

    for (size_t i = 0; i < n; i++) {
        const char *comma = i ? ", " : "";

        text = asns[i].first == asns[i].last
                   ? arena_printf(arena, "%s%s%u", text, comma, asns[i].first)
                   : arena_printf(arena, "%s%s%u-%u", text, comma, asns[i].first, asns[i].last);
    }
    return text;
}

static void check_asns(const struct checker *checker, const struct profile *profile,
                       const struct network *network, const struct peer *peer)
{
    if (peer->asn && profile->n_asns && !has_asn(profile->asns, profile->n_asns, peer->asn)) {
        doc_error(doc_get(peer->doc, "asn"), checker->errors,
                  "%s: AS number %u is not one of %s's: %s", profile->name, peer->asn,
                  profile->cloud, asns_text(checker->arena, profile->asns, profile->n_asns));
    }
    if (network->asn && has_asn(profile->not_asns, profile->n_not_asns, network->asn)) {
        doc_error(check_at(peer->doc, "profile"), checker->errors,
                  "%s: the network's own AS number %u is reserved by %s", profile->name,
                  network->asn, profile->cloud);
    }
}

static void check_password(const struct checker *checker, const struct profile *profile,
                           const struct peer *peer)
{
    const struct doc *password = doc_get(peer->doc, "password");

    switch (profile->password) {
    case PROFILE_PASSWORD_ALLOWED: return;
    case PROFILE_PASSWORD_REQUIRED:
        if (!password) {
            doc_error(peer->doc, checker->errors, "%s: %s's sessions need a `password`",
                      profile->name, profile->cloud);
        }
        return;
    case PROFILE_PASSWORD_NONE:
        if (password) {
            doc_error(password, checker->errors, "%s: %s has no passwords for BGP sessions",
                      profile->name, profile->cloud);
        }
        return;
    }
}

void check_peer_cloud(const struct checker *checker, const struct network *network,
                      const struct peer *peer)
{
    const struct profile *profile = peer->profile;

    check_asns(checker, profile, network, peer);
    check_password(checker, profile, peer);
    if (peer->segment) {
        check_segment_cloud(checker, profile, peer);
    }
}
