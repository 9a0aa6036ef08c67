/* From a document to a profile: tables of keys (model/reader.h). */
#include "model/profile_reader.h"
#include "model/proposal.h"

#include <string.h>

enum {
    PREFIXES = 64,
    ASNS = 64,
    SECONDS_MAX = 7 * 24 * 3600,
    REPLAY_WINDOW = 32, /* charon's default */
    HOLD_MIN_S = 3,     /* RFC 4271, 4.2 */
    BFD_INTERVAL_MS = 300,
    BFD_INTERVAL_MIN_MS = 50,
    BFD_MULTIPLIER = 3,
};

/* --- values --------------------------------------------------------------------------------- */

static void read_version(struct reader *reader, const struct doc *doc, void *ret)
{
    uint64_t version;

    (void)ret;
    doc_uint(doc, reader->errors, 1, 1, &version);
}

/* Numbers of the widths and ranges that several keys have. */
static void read_lifetime(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 300, SECONDS_MAX);
}

static void read_dpd(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 3600);
}

static void read_replay_window(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 0, 4096);
}

/* 0 is said for "computed". */
static void read_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    if (doc->kind == DOC_SCALAR && !doc->quoted && !strcmp(doc->text, "0")) {
        *(uint16_t *)ret = 0;
    } else {
        *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1280, 9216);
    }
}

static void read_mss(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 0, 9176);
}

static void read_timer(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1, 65535);
}

static void read_max_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 1000000);
}

static void read_bfd_interval(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, BFD_INTERVAL_MIN_MS, 60000);
}

static void read_bfd_multiplier(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, 2, 255);
}

static void read_few(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 0, 255);
}

/* Which of the null-terminated words it is, or -1 after reporting that it must be one of them. */
static int read_word(struct reader *reader, const struct doc *doc, const char *const *words)
{
    const char *text, *all = words[0];

    if (!doc_string(doc, reader->errors, &text)) {
        return -1;
    }
    for (int i = 0; words[i]; i++) {
        if (!strcmp(text, words[i])) {
            return i;
        }
    }
    for (int i = 1; words[i]; i++) {
        all = arena_printf(reader->arena, "%s%s%s", all, words[i + 1] ? ", " : " or ", words[i]);
    }
    doc_error(doc, reader->errors, "must be %s", all);
    return -1;
}

/* 64512, or "64512-65534". */
static void read_asns(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile_asns *asns = ret;
    const char *dash = doc->kind == DOC_SCALAR ? strchr(doc->text, '-') : NULL;
    struct doc first = *doc, last = *doc;

    if (!dash) {
        doc_asn(doc, reader->errors, &asns->first);
        asns->last = asns->first;
        return;
    }
    first.text_len = (size_t)(dash - doc->text);
    first.text = arena_printf(reader->arena, "%.*s", (int)first.text_len, doc->text);
    last.text = dash + 1;
    last.text_len = strlen(last.text);
    first.quoted = last.quoted = false;
    if (doc_asn(&first, reader->errors, &asns->first) &&
        doc_asn(&last, reader->errors, &asns->last) && asns->first > asns->last) {
        doc_error(doc, reader->errors, "begins after its end");
    }
}

/* --- IKE and ESP ---------------------------------------------------------------------------- */

#define FIELD(key, need, read, member)                    \
    {                                                     \
        key, need, read, offsetof(struct profile, member) \
    }

static void read_ike_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->ike_proposals = read_proposals(reader, doc, &profile->n_ike_proposals);
}

static void read_esp_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->esp_proposals = read_proposals(reader, doc, &profile->n_esp_proposals);
}

static void read_ike_legacy(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->ike_legacy_proposals = read_proposals(reader, doc, &profile->n_ike_legacy_proposals);
}

static void read_esp_legacy(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->esp_legacy_proposals = read_proposals(reader, doc, &profile->n_esp_legacy_proposals);
}

static void read_ike_version(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, PROFILE_IKEV1, PROFILE_IKEV2);
}

static void read_ike(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        FIELD("version", OPTIONAL, read_ike_version, ike_version),
        {"proposals", REQUIRED, read_ike_proposals, 0},
        {"legacy_proposals", OPTIONAL, read_ike_legacy, 0},
        FIELD("lifetime", REQUIRED, read_lifetime, ike_lifetime_s),
        FIELD("dpd", REQUIRED, read_dpd, dpd_delay_s),
        FIELD("dpd_timeout", OPTIONAL, read_dpd, dpd_timeout_s),
        {0},
    };
    struct profile *profile = ret;
    const struct doc *timeout = doc_get(doc, "dpd_timeout");

    read_map(reader, doc, fields, profile);
    if (timeout && profile->dpd_timeout_s && profile->ike_version != PROFILE_IKEV1) {
        doc_error(timeout, reader->errors,
                  "only IKEv1 has it; IKEv2's retransmissions decide (swanctl.conf(5))");
    } else if (timeout && profile->dpd_timeout_s && profile->dpd_timeout_s < profile->dpd_delay_s) {
        doc_error(timeout, reader->errors, "must not be less than `dpd`");
    }
}

static void read_esp(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"proposals", REQUIRED, read_esp_proposals, 0},
        {"legacy_proposals", OPTIONAL, read_esp_legacy, 0},
        FIELD("lifetime", REQUIRED, read_lifetime, child_lifetime_s),
        FIELD("replay_window", OPTIONAL, read_replay_window, replay_window),
        {0},
    };

    read_map(reader, doc, fields, ret);
}

static void read_nat_traversal(struct reader *reader, const struct doc *doc, void *ret)
{
    static const char *const words[] = {"auto", "force", NULL};

    *(bool *)ret = read_word(reader, doc, words) == 1;
}

static void read_psk_len(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 4096);
}

static void read_psk(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"min", OPTIONAL, read_psk_len, offsetof(struct profile_psk, min)},
        {"max", OPTIONAL, read_psk_len, offsetof(struct profile_psk, max)},
        {"characters", OPTIONAL, read_string, offsetof(struct profile_psk, characters)},
        {"not_first", OPTIONAL, read_string, offsetof(struct profile_psk, not_first)},
        {0},
    };
    struct profile_psk *psk = ret;

    read_map(reader, doc, fields, psk);
    if (psk->max && psk->max < psk->min) {
        doc_error(doc_get(doc, "max"), reader->errors, "must not be less than `min`");
    }
}

/* --- inside addresses ----------------------------------------------------------------------- */

static const struct list prefix_list = {1, PREFIXES, sizeof(struct prefix), read_prefix};

static void read_within(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->inside_within = read_list(reader, doc, &prefix_list, &profile->n_inside_within);
}

static void read_except(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->inside_except = read_list(reader, doc, &prefix_list, &profile->n_inside_except);
}

static void read_length(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint8_t *)ret = (uint8_t)read_uint(reader, doc, 1, 128);
}

/* One length, or a list of them. */
static void read_lengths(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 16, sizeof(uint8_t), read_length};
    struct profile *profile = ret;

    if (doc->kind == DOC_LIST) {
        profile->inside_lengths = read_list(reader, doc, &list, &profile->n_inside_lengths);
    } else {
        profile->inside_lengths = arena_calloc(reader->arena, 1, sizeof *profile->inside_lengths);
        profile->n_inside_lengths = 1;
        read_length(reader, doc, profile->inside_lengths);
    }
}

static void read_inside(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"within", OPTIONAL, read_within, 0},
        {"except", OPTIONAL, read_except, 0},
        {"length", OPTIONAL, read_lengths, 0},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

/* --- BGP ------------------------------------------------------------------------------------ */

static void read_bfd_map(struct reader *reader, const struct doc *doc, struct profile *profile)
{
    static const struct field fields[] = {
        FIELD("interval", REQUIRED, read_bfd_interval, bfd_interval_ms),
        FIELD("multiplier", REQUIRED, read_bfd_multiplier, bfd_multiplier),
        FIELD("interval_min", OPTIONAL, read_bfd_interval, bfd_interval_min_ms),
        FIELD("multiplier_min", OPTIONAL, read_bfd_multiplier, bfd_multiplier_min),
        {0},
    };
    const struct doc *interval = doc_get(doc, "interval"), *multiplier = doc_get(doc, "multiplier");

    profile->bfd = PROFILE_BFD_YES;
    read_map(reader, doc, fields, profile);
    if (interval && profile->bfd_interval_ms &&
        profile->bfd_interval_ms < profile->bfd_interval_min_ms) {
        doc_error(interval, reader->errors, "must not be less than `interval_min`");
    }
    if (multiplier && profile->bfd_multiplier &&
        profile->bfd_multiplier < profile->bfd_multiplier_min) {
        doc_error(multiplier, reader->errors, "must not be less than `multiplier_min`");
    }
}

/* Its timers, or false for a cloud that has none. */
static void read_bfd(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    if (doc->kind == DOC_SCALAR && !doc->quoted && !strcmp(doc->text, "false")) {
        profile->bfd = PROFILE_BFD_NONE;
    } else if (doc->kind == DOC_MAP) {
        read_bfd_map(reader, doc, profile);
    } else {
        doc_error(doc, reader->errors, "must be false or {interval: MS, multiplier: N}");
    }
}

static const struct list asns_list = {1, ASNS, sizeof(struct profile_asns), read_asns};

static void read_peer_asns(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->asns = read_list(reader, doc, &asns_list, &profile->n_asns);
}

static void read_not_asns(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;

    profile->not_asns = read_list(reader, doc, &asns_list, &profile->n_not_asns);
}

static void read_password(struct reader *reader, const struct doc *doc, void *ret)
{
    static const char *const words[] = {
        [PROFILE_PASSWORD_ALLOWED] = "allowed",
        [PROFILE_PASSWORD_REQUIRED] = "required",
        [PROFILE_PASSWORD_NONE] = "none",
        NULL,
    };
    int word = read_word(reader, doc, words);

    if (word >= 0) {
        *(enum profile_password *)ret = (enum profile_password)word;
    }
}

static void check_timers(struct reader *reader, const struct doc *doc,
                         const struct profile *profile)
{
    const struct doc *hold = doc_get(doc, "hold"), *hold_min = doc_get(doc, "hold_min");

    if (hold_min && profile->hold_min_s < HOLD_MIN_S) {
        doc_error(hold_min, reader->errors, "must be at least %d seconds", HOLD_MIN_S);
    }
    if (!hold || !profile->hold_s || !profile->keepalive_s) {
        return;
    }
    if (profile->hold_s < HOLD_MIN_S) {
        doc_error(hold, reader->errors, "must be at least %d seconds", HOLD_MIN_S);
    } else if (profile->hold_s < profile->keepalive_s) {
        doc_error(hold, reader->errors, "must not be less than `keepalive`");
    } else if (profile->hold_s < profile->hold_min_s) {
        doc_error(hold, reader->errors, "must not be less than `hold_min`");
    }
}

static void read_bgp(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        FIELD("keepalive", REQUIRED, read_timer, keepalive_s),
        FIELD("hold", REQUIRED, read_timer, hold_s),
        FIELD("hold_min", OPTIONAL, read_timer, hold_min_s),
        FIELD("max_prefixes", REQUIRED, read_max_prefixes, max_prefixes),
        FIELD("max_prefixes_out", OPTIONAL, read_max_prefixes, max_prefixes_out),
        {"bfd", OPTIONAL, read_bfd, 0},
        FIELD("graceful_restart", OPTIONAL, read_bool, graceful_restart),
        {"asn", OPTIONAL, read_peer_asns, 0},
        {"not_asn", OPTIONAL, read_not_asns, 0},
        FIELD("password", OPTIONAL, read_password, password),
        {0},
    };
    struct profile *profile = ret;

    profile->has_bgp = true;
    read_map(reader, doc, fields, profile);
    check_timers(reader, doc, profile);
}

/* --- the whole ------------------------------------------------------------------------------ */

static void read_reserved(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        FIELD("first", REQUIRED, read_few, reserved_first),
        FIELD("last", REQUIRED, read_few, reserved_last),
        {0},
    };
    struct profile *profile = ret;

    profile->has_reserved = true;
    read_map(reader, doc, fields, profile);
}

static void read_outer_vlan(struct reader *reader, const struct doc *doc, void *ret)
{
    static const char *const words[] = {"allowed", "required", NULL};

    *(bool *)ret = read_word(reader, doc, words) == 1;
}

/* What is weak is offered to a tunnel that wants it, and to no other. */
static void check_legacy(struct reader *reader, const struct doc *doc,
                         const struct profile *profile)
{
    static const char remedy[] = "its place is `legacy_proposals`, or if the cloud knows nothing "
                                 "better the profile needs `legacy: true`";

    if (!profile->has_ipsec || profile->legacy) {
        return;
    }
    if (profile->ike_version == PROFILE_IKEV1) {
        doc_error(doc_get(doc_get(doc, "ike"), "version"), reader->errors,
                  "IKEv1 is no longer safe, so the profile needs `legacy: true`");
    }
    proposals_refuse_weak(profile->ike_proposals, profile->n_ike_proposals, doc_get(doc, "ike"),
                          remedy, reader->errors);
    proposals_refuse_weak(profile->esp_proposals, profile->n_esp_proposals, doc_get(doc, "esp"),
                          remedy, reader->errors);
}

/* IKE without ESP is nothing, and keys that only tunnels have are a slip elsewhere. */
static void check_parts(struct reader *reader, const struct doc *doc, struct profile *profile)
{
    static const char *const of_tunnels[] = {"nat_traversal", "legacy", "mss", "psk"};

    profile->has_ipsec = doc_get(doc, "ike") || doc_get(doc, "esp");
    if (profile->has_ipsec) {
        doc_require(doc, "ike", reader->errors);
        doc_require(doc, "esp", reader->errors);
    }
    for (size_t i = 0; i < sizeof of_tunnels / sizeof *of_tunnels && !profile->has_ipsec; i++) {
        if (doc_get(doc, of_tunnels[i])) {
            doc_key_error(doc_get(doc, of_tunnels[i]), reader->errors,
                          "`%s` is for tunnels, so it needs `ike` and `esp`", of_tunnels[i]);
        }
    }
    if (doc->kind == DOC_MAP && !profile->has_ipsec && !profile->has_bgp &&
        !profile->has_reserved) {
        doc_error(doc, reader->errors,
                  "needs `ike` and `esp` (for tunnels), `bgp` (for peers) or `reserved` (for "
                  "pools)");
    }
    if (profile->mtu && profile->mtu_max && profile->mtu > profile->mtu_max) {
        doc_error(doc_get(doc, "mtu"), reader->errors, "must not be more than `mtu_max`");
    }
    check_legacy(reader, doc, profile);
}

void profile_read(struct reader *reader, const struct doc *doc, struct profile *profile)
{
    static const struct field fields[] = {
        {"version", REQUIRED, read_version, 0},
        FIELD("cloud", OPTIONAL, read_string, cloud),
        FIELD("source", REQUIRED, read_string, source),
        FIELD("date", OPTIONAL, read_string, date),
        {"ike", OPTIONAL, read_ike, 0},
        {"esp", OPTIONAL, read_esp, 0},
        FIELD("nat_traversal", OPTIONAL, read_nat_traversal, nat_forced),
        FIELD("legacy", OPTIONAL, read_bool, legacy),
        FIELD("psk", OPTIONAL, read_psk, psk),
        FIELD("mtu", OPTIONAL, read_mtu, mtu),
        FIELD("mtu_max", OPTIONAL, read_mtu, mtu_max),
        FIELD("mss", OPTIONAL, read_mss, mss),
        {"inside", OPTIONAL, read_inside, 0},
        {"bgp", OPTIONAL, read_bgp, 0},
        FIELD("outer_vlan", OPTIONAL, read_outer_vlan, outer_vlan),
        {"reserved", OPTIONAL, read_reserved, 0},
        {0},
    };

    profile->cloud = profile->name;
    profile->ike_version = PROFILE_IKEV2;
    profile->replay_window = REPLAY_WINDOW;
    profile->hold_min_s = HOLD_MIN_S;
    profile->bfd_interval_ms = BFD_INTERVAL_MS;
    profile->bfd_interval_min_ms = BFD_INTERVAL_MIN_MS;
    profile->bfd_multiplier = BFD_MULTIPLIER;
    profile->bfd_multiplier_min = 2;
    profile->graceful_restart = true;
    read_map(reader, doc, fields, profile);
    check_parts(reader, doc, profile);
}
