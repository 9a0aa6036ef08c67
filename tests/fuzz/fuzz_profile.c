/* Any bytes: a profile that is accepted has what its parts promise, one that is not has faults. */
#include "model/profile.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_profile(const struct profile *profile, const uint8_t *data, size_t size)
{
    char text[PROFILE_FAULT_TEXT];

    assert(profile->source && profile->cloud);
    assert(profile->has_ipsec || profile->has_bgp || profile->has_reserved);
    if (profile->has_ipsec) {
        assert(profile->n_ike_proposals && profile->n_esp_proposals);
        assert(profile->ike_lifetime_s && profile->child_lifetime_s && profile->dpd_delay_s);
        assert(profile->ike_version == PROFILE_IKEV2 || profile->legacy);
    }
    if (profile->has_bgp) {
        assert(profile->hold_s >= profile->hold_min_s && profile->hold_s >= profile->keepalive_s);
        assert(profile->max_prefixes && profile->keepalive_s);
        assert(profile->bfd_interval_ms >= profile->bfd_interval_min_ms);
    }
    for (size_t i = 0; i < profile->n_asns; i++) {
        assert(profile->asns[i].first && profile->asns[i].first <= profile->asns[i].last);
    }
    profile_psk_fault(profile->name, &profile->psk, (const char *)data, size, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errors *errors = errors_new();
    struct profiles *profiles = profiles_new();
    bool good = profiles_add(profiles, "x", (const char *)data, size, errors);

    assert(good == (errors_count(errors) == 0));
    if (good) {
        check_profile(profiles_find(profiles, "x"), data, size);
    }
    profiles_free(profiles);
    errors_free(errors);
    return 0;
}
