#include "ipsec/ipsec_draft.h"

#include "ipsec/ipsec_clash.h"
#include "model/proposal.h"

#include <string.h>

/* To be raised when what ipsec_apply.c loads besides the profile's settings changes: then every
 * connection is loaded anew, once. */
enum { SETTINGS_VERSION = 2 };

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

static bool has_extra_ke(const char **proposals, size_t n)
{
    char word[PROPOSAL_WORD];

    for (size_t i = 0; i < n; i++) {
        for (const char *at = proposals[i]; proposal_next_word(&at, word);) {
            if (proposal_word_is_extra_ke(word)) {
                return true;
            }
        }
    }
    return false;
}

/* Whether two tunnels surely have the same settings: the same lists, mostly their profile's. */
static bool same_settings(const struct ipsec_tunnel *a, const struct ipsec_tunnel *b)
{
    const struct tunnel_settings *x = &a->settings, *y = &b->settings;

    return x->ike_proposals == y->ike_proposals && x->n_ike_proposals == y->n_ike_proposals &&
           x->ike_more == y->ike_more && x->n_ike_more == y->n_ike_more &&
           x->esp_proposals == y->esp_proposals && x->n_esp_proposals == y->n_esp_proposals &&
           x->esp_more == y->esp_more && x->n_esp_more == y->n_esp_more &&
           x->ike_version == y->ike_version && x->replay_window == y->replay_window &&
           x->force_nat_traversal == y->force_nat_traversal &&
           a->dpd_timeout_s == b->dpd_timeout_s && a->family == b->family;
}

/* What is made of proposals, which are long texts: once for neighbours with the same ones. */
static void draft_settings(struct ipsec_draft *draft, const struct ipsec_draft *before)
{
    const struct tunnel_settings *settings = &draft->tunnel.settings;

    if (before && same_settings(&draft->tunnel, &before->tunnel)) {
        draft->tunnel.conn.settings = before->tunnel.conn.settings;
        draft->extra_ke = before->extra_ke;
        return;
    }
    draft->tunnel.conn.settings = digest_settings(&draft->tunnel);
    draft->extra_ke = has_extra_ke(settings->ike_proposals, settings->n_ike_proposals) ||
                      has_extra_ke(settings->esp_proposals, settings->n_esp_proposals);
}

static size_t uplink_place(const struct config *config, const char *name)
{
    const struct config_uplink *uplink = config_find_uplink(config, name);

    return uplink ? (size_t)(uplink - config->uplinks) : config->n_uplinks;
}

static void draft_identities(struct arena *arena, const struct tunnel *source,
                             struct ipsec_tunnel *tunnel)
{
    struct ipsec_conn *conn = &tunnel->conn;

    ipsec_conn_identify(conn, source->local_id,
                        source->remote_id ? source->remote_id : source->remote);
    if (source->local_id) {
        conn->ends = ipsec_digest_number(conn->local_identity, conn->remote_identity);
    }
    if (source->local_id && !ipsec_identity_exact(source->local_id)) {
        ipsec_refuse(arena, tunnel, IPSEC_NEVER,
                     "local_id is not an address, a host name, user@host or a distinguished name");
    }
    if (!ipsec_identity_exact(conn->remote_id)) {
        ipsec_refuse(arena, tunnel, IPSEC_NEVER,
                     "remote_id is not an address, a host name, user@host or a distinguished name");
    }
}

static struct ipsec_tunnel draft_tunnel(struct arena *arena, const struct config *config,
                                        const char *tenant, const struct network *network,
                                        const struct tunnel *source)
{
    struct tunnel_settings settings = tunnel_settings(source);
    char *owner = arena_printf(arena, "%s/%s/tunnel/%s", tenant, network->name, source->name);
    struct ipsec_tunnel tunnel = {
        .tenant = tenant,
        .object = owner + strlen(tenant) + 1,
        .profile = source->profile->name,
        .psk = source->profile->psk,
        .settings = settings,
        .dpd_timeout_s = dpd_timeout(source, &settings),
        .family = settings.ike_version == PROFILE_IKEV1 ? source->inside[0].addr.family : 0,
        .secrets_directory = config->secrets_directory,
        .secret_name = source->psk_secret,
        .files = {source->certificate, source->ca, source->crl},
    };

    tunnel.conn = (struct ipsec_conn){
        .id = source->id,
        .owner = owner,
        .initiate = source->initiate,
        .ike_rekey_s = settings.ike_lifetime_s,
        .child_rekey_s = settings.child_lifetime_s,
        .dpd_delay_s = settings.dpd_delay_s,
    };
    draft_identities(arena, source, &tunnel);
    return tunnel;
}

static void draft(struct arena *arena, const struct config *config, const char *tenant,
                  const struct network *network, const struct tunnel *source,
                  struct ipsec_draft *draft, const struct ipsec_draft *before)
{
    char text[ADDR_TEXT];

    *draft = (struct ipsec_draft){
        .tunnel = draft_tunnel(arena, config, tenant, network, source),
        .source = source,
        .uplink = uplink_place(config, source->uplink),
    };
    draft_settings(draft, before);
    if (addr_parse(source->remote, &draft->remote) == 0) {
        draft->remote_addrs = arena_strdup(arena, addr_print(&draft->remote, text));
    }
    if (source->psk_secret) {
        draft->secret_path =
            arena_printf(arena, "%s/%s", config->secrets_directory, source->psk_secret);
    }
}

static size_t count_tunnels(const struct topology *topology)
{
    size_t n = 0;

    for (size_t i = 0; i < topology->n_networks; i++) {
        n += topology->networks[i].n_tunnels;
    }
    return n;
}

static void *make(const struct intended *intended, const struct intended_tenant *tenant, void *aux)
{
    const struct topology *topology = tenant->topology;
    struct arena *arena = arena_new();
    struct ipsec_drafts *drafts = arena_alloc(arena, sizeof *drafts);
    (void)aux;

    drafts->arena = arena;
    drafts->drafts = arena_calloc(arena, count_tunnels(topology), sizeof *drafts->drafts);
    for (size_t i = 0; i < topology->n_networks; i++) {
        const struct network *network = &topology->networks[i];
        for (size_t k = 0; k < network->n_tunnels; k++) {
            struct ipsec_draft *next = &drafts->drafts[drafts->n_drafts];
            draft(arena, intended->config, tenant->name, network, &network->tunnels[k], next,
                  drafts->n_drafts++ > 0 ? next - 1 : NULL);
        }
    }
    return drafts;
}

static void drop(void *part)
{
    struct ipsec_drafts *drafts = part;
    arena_free(drafts->arena);
}

const struct tenant_parts_class ipsec_drafts_class = {make, drop};
