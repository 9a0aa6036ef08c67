#include "model/tunnel_settings.h"

#include "model/topology.h"

static void take_ike(struct tunnel_settings *settings, const struct profile *profile, bool legacy)
{
    settings->ike_proposals = profile->ike_proposals;
    settings->n_ike_proposals = profile->n_ike_proposals;
    settings->ike_more = legacy ? profile->ike_legacy_proposals : NULL;
    settings->n_ike_more = legacy ? profile->n_ike_legacy_proposals : 0;
}

static void take_esp(struct tunnel_settings *settings, const struct profile *profile, bool legacy)
{
    settings->esp_proposals = profile->esp_proposals;
    settings->n_esp_proposals = profile->n_esp_proposals;
    settings->esp_more = legacy ? profile->esp_legacy_proposals : NULL;
    settings->n_esp_more = legacy ? profile->n_esp_legacy_proposals : 0;
}

struct tunnel_settings tunnel_settings(const struct tunnel *tunnel)
{
    const struct profile *profile = tunnel->profile;
    const struct tunnel_settings *own = &tunnel->own;
    struct tunnel_settings settings = *own;

    if (!own->ike_proposals) {
        take_ike(&settings, profile, tunnel->legacy);
    }
    if (!own->esp_proposals) {
        take_esp(&settings, profile, tunnel->legacy);
    }
    settings.ike_version = profile->ike_version;
    settings.ike_lifetime_s = own->ike_lifetime_s ? own->ike_lifetime_s : profile->ike_lifetime_s;
    settings.child_lifetime_s =
        own->child_lifetime_s ? own->child_lifetime_s : profile->child_lifetime_s;
    settings.dpd_delay_s = own->dpd_delay_s ? own->dpd_delay_s : profile->dpd_delay_s;
    settings.replay_window = own->replay_window ? own->replay_window : profile->replay_window;
    settings.has_nat_traversal = true;
    settings.force_nat_traversal =
        own->has_nat_traversal ? own->force_nat_traversal : profile->nat_forced;
    return settings;
}

const char *tunnel_file_suffix(enum tunnel_file file, size_t i)
{
    static const char *const suffixes[][4] = {
        [TUNNEL_CERTIFICATE] = {".pem", ".crt", ""},
        [TUNNEL_KEY] = {".key"},
        [TUNNEL_CA] = {".pem", ".crt", ""},
        [TUNNEL_CRL] = {".crl", ".pem", ""},
    };

    return i < 4 ? suffixes[file][i] : NULL;
}
