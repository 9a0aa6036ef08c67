#include "ipsec/ipsec_want.h"

#include "ipsec/ipsec_clash.h"
#include "model/proposal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To be raised when what ipsec_apply.c loads besides the profile's settings changes: then every
 * connection is loaded anew, once. */
enum { SETTINGS_VERSION = 2 };

struct want {
    struct ipsec_wanted *wanted;
    const struct ipsec_facts *facts;
    const struct config *config;
    const char *tenant;
    const struct network *network;
};

static const char *print(struct want *want, const struct addr *addr)
{
    char text[ADDR_TEXT];
    return arena_strdup(want->wanted->arena, addr_print(addr, text));
}

/* The remote's addresses of the family that the uplink has too, and the uplink's address. */
static void want_addrs(struct want *want, struct ipsec_tunnel *tunnel, const struct tunnel *source)
{
    const struct config_uplink *uplink = config_find_uplink(want->config, source->uplink);
    const char *interface = uplink ? uplink->interface : "";
    struct addr remotes[IPSEC_REMOTES], local;
    size_t n = 1;

    if (addr_parse(source->remote, &remotes[0]) != 0) {
        n = want->facts->resolve(want->facts->aux, source->remote, remotes);
        if (n == 0) {
            ipsec_refuse(
                want->wanted->arena, tunnel, IPSEC_NOT_YET,
                "%s does not resolve to an address; is that name right, and does DNS answer?",
                source->remote);
            return;
        }
    }
    for (size_t i = 0; i < n && !tunnel->conn.local_addr; i++) {
        if (want->facts->uplink(want->facts->aux, interface, remotes[i].family, &local)) {
            tunnel->conn.local_addr = print(want, &local);
        }
    }
    if (!tunnel->conn.local_addr) {
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NOT_YET,
                     "uplink %s (interface %s) has no %s address to reach %s from", source->uplink,
                     interface, remotes[0].family == AF_INET ? "IPv4" : "IPv6", source->remote);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (remotes[i].family == local.family) {
            const char *addr = print(want, &remotes[i]), *list = tunnel->conn.remote_addrs;
            tunnel->conn.remote_addrs =
                list ? arena_printf(want->wanted->arena, "%s,%s", list, addr) : addr;
        }
    }
}

static uint64_t digest_list(uint64_t digest, const char **texts, size_t n)
{
    digest = ipsec_digest_number(digest, n);
    for (size_t i = 0; i < n; i++) {
        digest = ipsec_digest(digest, texts[i]);
    }
    return digest;
}

/* Of what charon does not show, or shows in another spelling. */
static uint64_t digest_settings(const struct ipsec_tunnel *tunnel)
{
    const struct tunnel_settings *settings = &tunnel->settings;
    uint64_t digest = ipsec_digest_number(ipsec_digest_start, SETTINGS_VERSION);

    digest = digest_list(digest, settings->ike_proposals, settings->n_ike_proposals);
    digest = digest_list(digest, settings->ike_more, settings->n_ike_more);
    digest = digest_list(digest, settings->esp_proposals, settings->n_esp_proposals);
    digest = digest_list(digest, settings->esp_more, settings->n_esp_more);
    digest = ipsec_digest_number(digest, settings->ike_version);
    digest = ipsec_digest_number(digest, settings->replay_window);
    digest = ipsec_digest_number(digest, settings->force_nat_traversal);
    digest = ipsec_digest_number(digest, tunnel->dpd_timeout_s);
    return ipsec_digest_number(digest, (uint64_t)tunnel->family);
}

/* --- certificates ------------------------------------------------------------------------------
 */

static bool confirms(const struct ipsec_card *card, const char *id)
{
    for (size_t i = 0; i < card->n_names; i++) {
        if (ipsec_identity(card->names[i]) == ipsec_identity(id)) {
            return true;
        }
    }
    return ipsec_identity(card->subject) == ipsec_identity(id);
}

/* What we call ourselves if the topology does not say: the uplink's address if the certificate has
 * it, its first host name, or its subject. */
static const char *certified_id(struct want *want, const struct ipsec_card *card,
                                const char *local_addr)
{
    struct addr addr;
    const char *id = card->subject;

    if (local_addr && confirms(card, local_addr)) {
        return local_addr;
    }
    for (size_t i = card->n_names; i-- > 0;) {
        if (addr_parse(card->names[i], &addr) != 0 && !strchr(card->names[i], '@')) {
            id = card->names[i];
        }
    }
    return arena_strdup(want->wanted->arena, id);
}

static void want_certificate(struct want *want, struct ipsec_tunnel *tunnel, const char *local_id)
{
    struct arena *arena = want->wanted->arena;
    const struct ipsec_card *card =
        want->facts->card(want->facts->aux, tunnel->secrets_directory, &tunnel->files);

    if (card->fault) {
        tunnel->credentials_unknown = true;
        ipsec_refuse(arena, tunnel, IPSEC_NOT_YET, "%s", card->fault);
        return;
    }
    tunnel->conn.credentials = card->version;
    tunnel->conn.key = ipsec_key_number(card->key_id);
    tunnel->conn.local_id = local_id ? local_id : certified_id(want, card, tunnel->conn.local_addr);
    /* Names of attributes have several spellings: whether it is the subject is charon's to say. */
    if (!strchr(tunnel->conn.local_id, '=') && !confirms(card, tunnel->conn.local_id)) {
        tunnel->credentials_unknown = true;
        ipsec_refuse(arena, tunnel, IPSEC_NOT_YET,
                     "local_id %s is not in certificate %s, which is for %s", local_id,
                     tunnel->files.certificate, card->n_names ? card->names[0] : card->subject);
    }
}

/* --- what this charon may not know -------------------------------------------------------------
 */

/* Reports a further key exchange (RFC 9370) that charon does not offer. */
static void want_offered(struct want *want, struct ipsec_tunnel *tunnel,
                         const struct ipsec_seen *seen, const char **proposals, size_t n)
{
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
static void want_secret(struct want *want, struct ipsec_tunnel *tunnel)
{
    int error = 0;
    uint64_t version = want->facts->secret(want->facts->aux, tunnel->secrets_directory,
                                           tunnel->secret_name, &error);

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

/* How long IKEv1 waits for the other end's word (RFC 3706): as the profile says unless the topology
 * asks so seldom that it would give up at once. */
static uint32_t dpd_timeout(const struct tunnel *source, const struct tunnel_settings *settings)
{
    uint32_t timeout = source->profile->dpd_timeout_s;

    if (settings->ike_version != PROFILE_IKEV1) {
        return 0;
    }
    return timeout > settings->dpd_delay_s ? timeout : 2 * settings->dpd_delay_s;
}

static void want_ends(struct want *want, const struct tunnel *source, struct ipsec_tunnel *tunnel)
{
    struct ipsec_conn *conn = &tunnel->conn;

    want_addrs(want, tunnel, source);
    conn->local_id = source->local_id ? source->local_id : conn->local_addr;
    conn->remote_id = source->remote_id ? source->remote_id : source->remote;
    if (tunnel->files.certificate) {
        conn->local_id = source->local_id;
        want_certificate(want, tunnel, source->local_id);
    }
    if (conn->local_id) {
        conn->ends =
            ipsec_digest_number(ipsec_identity(conn->local_id), ipsec_identity(conn->remote_id));
    }
}

static void want_tunnel(struct want *want, const struct ipsec_seen *seen,
                        const struct tunnel *source, struct ipsec_tunnel *tunnel)
{
    struct arena *arena = want->wanted->arena;
    struct tunnel_settings settings = tunnel_settings(source);

    *tunnel = (struct ipsec_tunnel){
        .tenant = want->tenant,
        .object = arena_printf(arena, "%s/tunnel/%s", want->network->name, source->name),
        .profile = source->profile->name,
        .psk = source->profile->psk,
        .settings = settings,
        .dpd_timeout_s = dpd_timeout(source, &settings),
        .family = settings.ike_version == PROFILE_IKEV1 ? source->inside[0].addr.family : 0,
        .secrets_directory = want->config->secrets_directory,
        .secret_name = source->psk_secret,
        .files = {source->certificate, source->ca, source->crl},
    };
    tunnel->conn = (struct ipsec_conn){
        .id = source->id,
        .owner = arena_printf(arena, "%s/%s", want->tenant, tunnel->object),
        .initiate = source->initiate,
        .settings = digest_settings(tunnel),
        .ike_rekey_s = settings.ike_lifetime_s,
        .child_rekey_s = settings.child_lifetime_s,
        .dpd_delay_s = settings.dpd_delay_s,
    };
    want_ends(want, source, tunnel);
    want_offered(want, tunnel, seen, settings.ike_proposals, settings.n_ike_proposals);
    want_offered(want, tunnel, seen, settings.esp_proposals, settings.n_esp_proposals);
    if (source->local_id && !ipsec_identity_exact(source->local_id)) {
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NEVER,
                     "local_id is not an address, a host name, user@host or a distinguished name");
    }
    if (!ipsec_identity_exact(tunnel->conn.remote_id)) {
        ipsec_refuse(want->wanted->arena, tunnel, IPSEC_NEVER,
                     "remote_id is not an address, a host name, user@host or a distinguished name");
    }
}

/* ---------------------------------------------------------------- all of it */

static int compare_tunnels(const void *a, const void *b)
{
    const struct ipsec_tunnel *x = a, *y = b;
    return x->conn.id < y->conn.id ? -1 : x->conn.id > y->conn.id;
}

static size_t count_tunnels(const struct intended *intended)
{
    size_t n = 0;

    for (size_t t = 0; t < intended->n_tenants; t++) {
        const struct topology *topology = intended->tenants[t].topology;
        for (size_t i = 0; i < topology->n_networks; i++) {
            n += topology->networks[i].n_tunnels;
        }
    }
    return n;
}

static void want_topology(struct want *want, const struct ipsec_seen *seen,
                          const struct topology *topology)
{
    struct ipsec_wanted *wanted = want->wanted;

    for (size_t i = 0; i < topology->n_networks; i++) {
        want->network = &topology->networks[i];
        for (size_t k = 0; k < want->network->n_tunnels; k++) {
            want_tunnel(want, seen, &want->network->tunnels[k],
                        &wanted->tunnels[wanted->n_tunnels++]);
        }
    }
}

struct ipsec_wanted *ipsec_want(const struct intended *intended, const struct ipsec_facts *facts,
                                const struct ipsec_seen *seen)
{
    struct arena *arena = arena_new();
    struct ipsec_wanted *wanted = arena_alloc(arena, sizeof *wanted);
    struct want want = {.wanted = wanted, .facts = facts, .config = intended->config};

    wanted->arena = arena;
    wanted->tunnels = arena_calloc(arena, count_tunnels(intended), sizeof *wanted->tunnels);
    for (size_t t = 0; t < intended->n_tenants; t++) {
        want.tenant = intended->tenants[t].name;
        want_topology(&want, seen, intended->tenants[t].topology);
    }
    if (wanted->n_tunnels > 1) {
        qsort(wanted->tunnels, wanted->n_tunnels, sizeof *wanted->tunnels, compare_tunnels);
    }
    ipsec_clash(wanted, seen);
    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        if (wanted->tunnels[i].secret_name) {
            want_secret(&want, &wanted->tunnels[i]);
        }
    }
    return wanted;
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
