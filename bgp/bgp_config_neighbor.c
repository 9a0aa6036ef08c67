#include "bgp/bgp_config_parts.h"

#include <string.h>

static void peer_extra(struct reader *reader, struct bgp_peer *peer, const struct line *line)
{
    struct arena *arena = reader->state->arena;

    peer->extras = arena_grow(arena, peer->extras, peer->n_extras, &peer->extras_capacity,
                              sizeof *peer->extras);
    peer->extras[peer->n_extras++] =
        (struct bgp_extra){arena_strdup(arena, reader->section), arena_strdup(arena, line->text)};
}

/* The peer of that address in the instance at hand, made if it is not there yet. Peers come in
 * runs, so the last one is looked at first. */
static struct bgp_peer *peer_of(struct reader *reader, const struct addr *address)
{
    struct bgp_instance *instance = reader->instance;
    struct bgp_peer *peer;

    for (size_t i = instance->n_peers; i-- > 0;) {
        if (addr_equal(&instance->peers[i].address, address)) {
            return &instance->peers[i];
        }
    }
    instance->peers = arena_grow(reader->state->arena, instance->peers, instance->n_peers,
                                 &instance->peers_capacity, sizeof *instance->peers);
    peer = &instance->peers[instance->n_peers++];
    memset(peer, 0, sizeof *peer);
    peer->address = *address;
    peer->description = peer->bfd_profile = "";
    return peer;
}

/* Takes tenant and network from "bio/genome/peer/aws"; false if it is not of that form. */
static bool description_is_ours(struct reader *reader, const char *text)
{
    const char *first = strchr(text, '/');
    const char *second = first ? strchr(first + 1, '/') : NULL;

    if (!second || !bgp_starts(second, "/peer/") || strpbrk(text, " \t") || !second[6] ||
        strchr(second + 6, '/') || first == text || second == first + 1) {
        return false;
    }
    if (!reader->instance->tenant[0]) {
        reader->instance->tenant = arena_memdup(reader->state->arena, text, (size_t)(first - text));
        reader->instance->network =
            arena_memdup(reader->state->arena, first + 1, (size_t)(second - first - 1));
    }
    return true;
}

static void set_password(struct reader *reader, struct bgp_peer *peer, const char *password)
{
    peer->password = BGP_PASSWORD_SET;
    peer->password_digest = reader->digest(password, strlen(password));
}

/* "neighbor ADDRESS ..." outside the address families. */
static void read_neighbor(struct reader *reader, struct bgp_peer *peer, const struct line *line)
{
    uint64_t a, b;

    if (line_is(line, 2, "remote-as") && line_number(line, 3, 1, UINT32_MAX, &a)) {
        peer->asn = (uint32_t)a;
    } else if (line_is(line, 2, "remote-as")) {
        peer->asn = 0;
    } else if (line_is(line, 2, "description") && line->n_words > 3) {
        peer->description = arena_strdup(reader->state->arena, line_rest(line, 3));
        reader->instance->ours |= description_is_ours(reader, peer->description);
    } else if (line_is(line, 2, "password") && line->n_words > 3) {
        set_password(reader, peer, line_rest(line, 3));
    } else if (line_is(line, 2, "bfd") && line->n_words == 3) {
        peer->bfd = true;
    } else if (line_is(line, 2, "bfd") && line_is(line, 3, "profile") && line->n_words == 5) {
        peer->bfd_profile = arena_strdup(reader->state->arena, line->words[4]);
    } else if (line_is(line, 2, "graceful-restart") && line->n_words == 3) {
        peer->graceful_restart = true;
    } else if (line_is(line, 2, "ttl-security") && line_is(line, 3, "hops") &&
               line_is(line, 4, "1") && line->n_words == 5) {
        peer->ttl_security = true;
    } else if (line_is(line, 2, "timers") && line_is(line, 3, "connect") && line->n_words == 5 &&
               line_number(line, 4, 1, UINT16_MAX, &a)) {
        peer->connect_s = (uint16_t)a;
    } else if (line_is(line, 2, "timers") && line->n_words == 5 &&
               line_number(line, 3, 0, UINT16_MAX, &a) && line_number(line, 4, 0, UINT16_MAX, &b)) {
        peer->keepalive_s = (uint16_t)a;
        peer->hold_s = (uint16_t)b;
    } else {
        peer_extra(reader, peer, line);
    }
}

/* "neighbor ADDRESS prefix-list|route-map NAME in|out" */
static bool read_use(struct reader *reader, struct bgp_family *family, const struct line *line)
{
    bool list = line_is(line, 2, "prefix-list"), out = line_is(line, 4, "out");
    enum bgp_policy_kind kind = !list                       ? BGP_MAP
                                : reader->family == AF_INET ? BGP_PREFIXES_IPV4
                                                            : BGP_PREFIXES_IPV6;
    enum bgp_use use = list ? (out ? BGP_LIST_OUT : BGP_LIST_IN) : (out ? BGP_MAP_OUT : BGP_MAP_IN);

    if (line->n_words != 5 || !(list || line_is(line, 2, "route-map")) ||
        !(out || line_is(line, 4, "in"))) {
        return false;
    }
    family->uses[use] = config_reference(reader, kind, line->words[3]);
    family->names[use] = family->uses[use]->name;
    reader->instance->ours |= bgp_starts(line->words[3], BGP_POLICY_MARK);
    return true;
}

/* "neighbor ADDRESS maximum-prefix N [restart MINUTES]" */
static bool read_limit(struct bgp_family *family, const struct line *line)
{
    uint64_t limit, restart = 0;

    if (!line_is(line, 2, "maximum-prefix") || !line_number(line, 3, 1, UINT32_MAX, &limit) ||
        !(line->n_words == 4 || (line->n_words == 6 && line_is(line, 4, "restart") &&
                                 line_number(line, 5, 1, UINT16_MAX, &restart)))) {
        return false;
    }
    family->max_prefixes = (uint32_t)limit;
    family->restart_min = (uint32_t)restart;
    return true;
}

/* "neighbor ADDRESS allowas-in [N]": 3 is the default, which is not printed. */
static bool read_allowas_in(struct bgp_family *family, const struct line *line)
{
    uint64_t n = 3;

    if (!line_is(line, 2, "allowas-in") ||
        !(line->n_words == 3 || (line->n_words == 4 && line_number(line, 3, 1, 10, &n)))) {
        return false;
    }
    family->allowas_in = (uint8_t)n;
    return true;
}

/* "neighbor ADDRESS ..." in an address family. */
static void read_neighbor_family(struct reader *reader, struct bgp_peer *peer,
                                 const struct line *line)
{
    struct bgp_family *family = &peer->families[bgp_family_index(reader->family)];
    uint64_t limit;

    if (line_is(line, 2, "activate") && line->n_words == 3) {
        family->active = true;
    } else if (line_is(line, 2, "as-override") && line->n_words == 3) {
        family->as_override = true;
    } else if (line_is(line, 2, "default-originate") && line->n_words == 3) {
        family->default_originate = true;
    } else if (line_is(line, 2, "maximum-prefix-out") && line->n_words == 4 &&
               line_number(line, 3, 1, UINT32_MAX, &limit)) {
        family->max_prefixes_out = (uint32_t)limit;
    } else if (!read_limit(family, line) && !read_allowas_in(family, line) &&
               !read_use(reader, family, line)) {
        peer_extra(reader, peer, line);
    }
}

void config_neighbor(struct reader *reader, const struct line *line)
{
    struct bgp_peer *peer;
    struct addr address;

    if (line->n_words < 3 || addr_parse(line->words[1], &address)) {
        config_extra(reader, line);
        return;
    }
    peer = peer_of(reader, &address);
    if (!reader->section[0]) {
        read_neighbor(reader, peer, line);
    } else if (reader->family) {
        read_neighbor_family(reader, peer, line);
    } else {
        peer_extra(reader, peer, line);
    }
}
