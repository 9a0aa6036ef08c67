#include "ipsec/ipsec_want.h"

#include "ipsec/ipsec_clash.h"
#include "ipsec/ipsec_draft.h"
#include "model/proposal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where tunnels that leave by an uplink are sent from, in one family. */
struct local {
    bool asked;
    const char *text; /* null: it has none */
    uint64_t identity;
};

struct want {
    struct ipsec_wanted *wanted;
    const struct ipsec_facts *facts;
    const struct ipsec_seen *seen;
    const struct config *config;
    struct local *locals; /* of the configuration's uplinks, and of one that is not there: IPv4 and
                             IPv6 of each */
};

static const char *print(struct want *want, const struct addr *addr)
{
    char text[ADDR_TEXT];
    return arena_strdup(want->wanted->arena, addr_print(addr, text));
}

static const char *interface_of(const struct want *want, const struct ipsec_draft *draft)
{
    return draft->uplink < want->config->n_uplinks ? want->config->uplinks[draft->uplink].interface : "";
}

static const struct local *local_of(struct want *want, const struct ipsec_draft *draft, int family)
{
    struct local *local = &want->locals[2 * draft->uplink + (family != AF_INET)];
    struct addr addr;

    if (!local->asked) {
        local->asked = true;
        if (want->facts->uplink(want->facts->aux, interface_of(want, draft), family, &addr)) {
            local->text = print(want, &addr);
            local->identity = ipsec_identity(local->text);
        }
    }
    return local->text ? local : NULL;
}

/* The addresses of a name that are of the family. */
static const char *print_remotes(struct want *want, const struct addr *remotes, size_t n,
                                 int family)
{
    const char *list = NULL;

    for (size_t i = 0; i < n; i++) {
        if (remotes[i].family == family) {
            const char *addr = print(want, &remotes[i]);
            list = list ? arena_printf(want->wanted->arena, "%s,%s", list, addr) : addr;
        }
    }
    return list;
}

/* The remote's addresses of the family that the uplink has too, and the uplink's address, which is
 * returned: null if there is none. */
static const struct local *want_addrs(struct want *want, const struct ipsec_draft *draft,
                                      struct ipsec_tunnel *tunnel)
{
    const struct tunnel *source = draft->source;
    const struct local *local = NULL;
    struct addr remotes[IPSEC_REMOTES] = {draft->remote};
    size_t n =
        draft->remote_addrs ? 1 : want->facts->resolve(want->facts->aux, source->remote, remotes);
    int family = 0;

    if (n == 0) {
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NOT_YET,
                     "%s does not resolve to an address; is that name right, and does DNS answer?",
                     source->remote);
        return NULL;
    }
    for (size_t i = 0; i < n && !local; i++) {
        family = remotes[i].family;
        local = local_of(want, draft, family);
    }
    if (!local) {
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NOT_YET,
                     "uplink %s (interface %s) has no %s address to reach %s from", source->uplink,
                     interface_of(want, draft), remotes[0].family == AF_INET ? "IPv4" : "IPv6",
                     source->remote);
        return NULL;
    }
    tunnel->conn.local_addr = local->text;
    tunnel->conn.remote_addrs =
        draft->remote_addrs ? draft->remote_addrs : print_remotes(want, remotes, n, family);
    return local;
}

/* --- certificates ------------------------------------------------------------------------------
 */

void ipsec_card_complete(struct ipsec_card *card)
{
    struct addr addr;

    card->own_id = card->subject;
    card->identities[card->n_names] = ipsec_identity(card->subject);
    for (size_t i = card->n_names; i-- > 0;) {
        card->identities[i] = ipsec_identity(card->names[i]);
        if (addr_parse(card->names[i], &addr) != 0 && !strchr(card->names[i], '@')) {
            card->own_id = card->names[i];
        }
    }
}

static bool confirms(const struct ipsec_card *card, uint64_t identity)
{
    for (size_t i = 0; i <= card->n_names; i++) {
        if (card->identities[i] == identity) {
            return true;
        }
    }
    return false;
}

/* What we call ourselves if the topology does not say: the uplink's address if the certificate has
 * it, its first host name, or its subject. */
static const char *certified_id(struct want *want, const struct ipsec_card *card,
                                const struct local *local)
{
    return local && confirms(card, local->identity)
               ? local->text
               : arena_strdup(want->wanted->arena, card->own_id);
}

static void want_certificate(struct want *want, struct ipsec_tunnel *tunnel,
                             const struct local *local)
{
    struct arena *arena = want->wanted->arena;
    struct ipsec_conn *conn = &tunnel->conn;
    const struct ipsec_card *card =
        want->facts->card(want->facts->aux, tunnel->secrets_directory, &tunnel->files);

    if (card->fault) {
        tunnel->credentials_unknown = true;
        ipsec_refuse(arena, tunnel, IPSEC_NOT_YET, "%s", card->fault);
        return;
    }
    conn->credentials = card->version;
    conn->key = ipsec_key_number(card->key_id);
    if (!conn->local_id) {
        conn->local_id = certified_id(want, card, local);
        conn->local_identity = ipsec_identity(conn->local_id);
    }
    /* Names of attributes have several spellings: whether it is the subject is charon's to say. */
    if (!strchr(conn->local_id, '=') && !confirms(card, conn->local_identity)) {
        tunnel->credentials_unknown = true;
        ipsec_refuse(arena, tunnel, IPSEC_NOT_YET,
                     "local_id %s is not in certificate %s, which is for %s", conn->local_id,
                     tunnel->files.certificate, card->n_names ? card->names[0] : card->subject);
    }
}

/* --- what this charon may not know -------------------------------------------------------------
 */

/* Reports a further key exchange (RFC 9370) that charon does not offer. */
static void want_offered(struct want *want, struct ipsec_tunnel *tunnel, const char **proposals,
                         size_t n)
{
    const struct ipsec_seen *seen = want->seen;
    char word[PROPOSAL_WORD], padded[PROPOSAL_WORD + 2];

    for (size_t i = 0; i < n && seen->algorithms_known; i++) {
        for (const char *at = proposals[i]; proposal_next_word(&at, word);) {
            const char *method = strncmp(word, "ke", 2) == 0 ? strchr(word, '_') : NULL;

            if (!proposal_word_is_extra_ke(word)) {
                continue;
            }
            method = method ? method + 1 : word;
            snprintf(padded, sizeof padded, " %s ", method);
            bool quantum = strncmp(method, "mlkem", 5) == 0;
            if (seen->extra_ke && (!quantum || strstr(seen->post_quantum, padded))) {
                continue;
            }
            ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NOT_YET,
                         "the charon on this router does not offer %s; it needs strongSwan 6 %s",
                         word, quantum ? "with ML-KEM" : "or later");
        }
    }
}

/* --- secrets -----------------------------------------------------------------------------------
 */

/* The version of what is to be loaded: of the file and of the identities that it is for. After
 * ipsec_clash(). */
static void want_secret(struct want *want, const struct ipsec_draft *draft,
                        struct ipsec_tunnel *tunnel)
{
    int error = 0;
    uint64_t version = want->facts->secret(want->facts->aux, draft->secret_path, &error);

    if (version == 0) {
        tunnel->credentials_unknown = true;
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NOT_YET,
                     "secret %s cannot be read in %s: %s", tunnel->secret_name,
                     tunnel->secrets_directory, strerror(-error));
    } else if (!tunnel->conn.local_id) {
        tunnel->credentials_unknown = true;
    } else {
        version = ipsec_digest_number(ipsec_digest_start, version);
        version = ipsec_digest(version, tunnel->conn.remote_id);
        tunnel->secret_version =
            tunnel->secret_narrow ? ipsec_digest(version, tunnel->conn.local_id) : version;
        tunnel->conn.credentials = tunnel->secret_version;
    }
}

/* ---------------------------------------------------------------- all of it */

static void want_tunnel(struct want *want, const struct ipsec_draft *draft,
                        struct ipsec_tunnel *tunnel)
{
    struct ipsec_conn *conn = &tunnel->conn;

    *tunnel = draft->tunnel;
    const struct local *local = want_addrs(want, draft, tunnel);
    if (tunnel->files.certificate) {
        want_certificate(want, tunnel, local);
    } else if (!conn->local_id && local) {
        conn->local_id = local->text;
        conn->local_identity = local->identity;
    }
    if (!draft->tunnel.conn.local_id && conn->local_id) {
        conn->ends = ipsec_digest_number(conn->local_identity, conn->remote_identity);
    }
    if (draft->extra_ke) {
        const struct tunnel_settings *settings = &tunnel->settings;
        want_offered(want, tunnel, settings->ike_proposals, settings->n_ike_proposals);
        want_offered(want, tunnel, settings->esp_proposals, settings->n_esp_proposals);
    }
}

struct place {
    uint32_t id;
    const struct ipsec_draft *draft;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The drafts of all tenants, sorted by id. */
static const struct place *sort_drafts(const struct tenant_parts *parts, struct arena *arena,
                                       size_t *ret_n)
{
    size_t n_tenants = parts->intended->n_tenants, n = 0, at = 0;

    for (size_t t = 0; t < n_tenants; t++) {
        n += ((const struct ipsec_drafts *)parts->parts[t])->n_drafts;
    }
    struct place *places = arena_calloc(arena, n, sizeof *places);
    for (size_t t = 0; t < n_tenants; t++) {
        const struct ipsec_drafts *drafts = parts->parts[t];
        for (size_t i = 0; i < drafts->n_drafts; i++) {
            const struct ipsec_draft *draft = &drafts->drafts[i];
            places[at++] = (struct place){draft->tunnel.conn.id, draft};
        }
    }
    if (n > 1) {
        qsort(places, n, sizeof *places, compare_places);
    }
    *ret_n = n;
    return places;
}

struct ipsec_wanted *ipsec_want(const struct intended *intended, struct tenant_parts *parts,
                                const struct ipsec_facts *facts, const struct ipsec_seen *seen)
{
    struct arena *arena = arena_new();
    struct ipsec_wanted *wanted = arena_alloc(arena, sizeof *wanted);
    struct want want = {wanted, facts, seen, intended->config, NULL};

    tenant_parts_update(parts, intended, &ipsec_drafts_class, NULL);
    wanted->arena = arena;
    want.locals = arena_calloc(arena, 2 * (intended->config->n_uplinks + 1), sizeof *want.locals);
    const struct place *places = sort_drafts(parts, arena, &wanted->n_tunnels);
    wanted->tunnels = arena_calloc(arena, wanted->n_tunnels, sizeof *wanted->tunnels);
    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        want_tunnel(&want, places[i].draft, &wanted->tunnels[i]);
    }
    ipsec_clash(wanted, seen);
    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        if (wanted->tunnels[i].secret_name) {
            want_secret(&want, places[i].draft, &wanted->tunnels[i]);
        }
    }
    return wanted;
}

void ipsec_parts_clear(struct tenant_parts *parts)
{
    tenant_parts_clear(parts, &ipsec_drafts_class);
}

void ipsec_wanted_free(struct ipsec_wanted *wanted)
{
    if (wanted) {
        arena_free(wanted->arena);
    }
}

const struct ipsec_tunnel *ipsec_wanted_find(const struct ipsec_wanted *wanted, uint32_t id)
{
    size_t low = 0, high = wanted->n_tunnels;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wanted->tunnels[middle].conn.id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < wanted->n_tunnels && wanted->tunnels[low].conn.id == id ? &wanted->tunnels[low]
                                                                         : NULL;
}
