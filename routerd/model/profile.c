#include "model/profile.h"

#include "model/profile_builtin.h"
#include "model/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PROPOSALS = 16, SECONDS_MAX = 7 * 24 * 3600 };

/* A profile with the arena that it lies in. Those that were replaced are kept, as topologies may
 * still point to them. */
struct held {
    struct profile profile;
    struct arena *arena;
    struct held *next;
};

struct profiles {
    struct held *held; /* the newest first, so that it is found before the one that it replaces */
};

/* --- reading
 * --------------------------------------------------------------------------------------------- */

static void read_version(struct reader *reader, const struct doc *doc, void *ret)
{
    uint64_t version;
    (void)ret;
    doc_uint(doc, reader->errors, 1, 1, &version);
}

/* The characters of swanctl.conf(5)'s proposals. Whether charon knows the words is charon's to say.
 */
static void read_proposal(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_proposal = ret, *proposal;
    if (!doc_string(doc, reader->errors, &proposal))
        return;
    if (proposal[strspn(proposal, "abcdefghijklmnopqrstuvwxyz0123456789-_")] || proposal[0] == '-')
        doc_error(doc, reader->errors,
                  "must be a proposal such as aes256-sha256-modp2048 (swanctl.conf(5))");
    else
        *ret_proposal = proposal;
}

static const struct list PROPOSAL_LIST = {1, PROPOSALS, sizeof(const char *), read_proposal};

static void read_ike_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;
    profile->ike_proposals = read_list(reader, doc, &PROPOSAL_LIST, &profile->n_ike_proposals);
}

static void read_esp_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;
    profile->esp_proposals = read_list(reader, doc, &PROPOSAL_LIST, &profile->n_esp_proposals);
}

static void read_lifetime(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 300, SECONDS_MAX);
}

static void read_dpd(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 3600);
}

static void read_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1280, 9000);
}

static void read_timer(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1, 65535);
}

static void read_max_prefixes(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 1000000);
}

#define FIELD(key, read, member)                              \
    {                                                         \
        key, REQUIRED, read, offsetof(struct profile, member) \
    }

static const struct field IKE_FIELDS[] = {
    {"proposals", REQUIRED, read_ike_proposals, 0},
    FIELD("lifetime", read_lifetime, ike_lifetime_s),
    FIELD("dpd", read_dpd, dpd_delay_s),
    {0},
};

static void read_ike(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, IKE_FIELDS, ret);
}

static const struct field ESP_FIELDS[] = {
    {"proposals", REQUIRED, read_esp_proposals, 0},
    FIELD("lifetime", read_lifetime, child_lifetime_s),
    {0},
};

static void read_esp(struct reader *reader, const struct doc *doc, void *ret)
{
    read_map(reader, doc, ESP_FIELDS, ret);
}

static const struct field BGP_FIELDS[] = {
    FIELD("keepalive", read_timer, keepalive_s),
    FIELD("hold", read_timer, hold_s),
    FIELD("max_prefixes", read_max_prefixes, max_prefixes),
    {0},
};

static void read_bgp(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;
    read_map(reader, doc, BGP_FIELDS, profile);
    const struct doc *hold = doc_get(doc, "hold");
    if (!hold || !profile->hold_s || !profile->keepalive_s)
        return;
    if (profile->hold_s < 3) /* RFC 4271, 4.2 */
        doc_error(hold, reader->errors, "must be at least 3 seconds");
    else if (profile->hold_s < profile->keepalive_s)
        doc_error(hold, reader->errors, "must not be less than `keepalive`");
}

static void read_few(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 0, 255);
}

static const struct field RESERVED_FIELDS[] = {
    FIELD("first", read_few, reserved_first),
    FIELD("last", read_few, reserved_last),
    {0},
};

static void read_reserved(struct reader *reader, const struct doc *doc, void *ret)
{
    struct profile *profile = ret;
    profile->has_reserved = true;
    read_map(reader, doc, RESERVED_FIELDS, profile);
}

static const struct field ROOT_FIELDS[] = {
    {"version", REQUIRED, read_version, 0},
    FIELD("source", read_string, source),
    {"ike", OPTIONAL, read_ike, 0},
    {"esp", OPTIONAL, read_esp, 0},
    {"mtu", OPTIONAL, read_mtu, offsetof(struct profile, mtu)},
    {"bgp", OPTIONAL, read_bgp, 0},
    {"reserved", OPTIONAL, read_reserved, 0},
    {0},
};

/* What tunnels and peers need is there whole, or not at all beside what pools need. */
static void read_profile(struct reader *reader, const struct doc *doc, struct profile *profile)
{
    static const char *const links[] = {"ike", "esp", "mtu", "bgp"};
    size_t n = sizeof links / sizeof *links;

    read_map(reader, doc, ROOT_FIELDS, profile);
    for (size_t i = 0; i < n; i++)
        profile->has_links |= doc_get(doc, links[i]) != NULL;
    profile->has_links |= !doc_get(doc, "reserved");
    for (size_t i = 0; i < n && profile->has_links && doc->kind == DOC_MAP; i++)
        doc_require(doc, links[i], reader->errors);
}

/* --- the set
 * -----------------------------------------------------------------------------------------------
 */

struct profiles *profiles_new(void)
{
    struct profiles *profiles = calloc(1, sizeof *profiles);
    if (!profiles)
        abort();
    return profiles;
}

void profiles_free(struct profiles *profiles)
{
    if (!profiles)
        return;
    struct held *next;
    for (struct held *held = profiles->held; held; held = next) {
        next = held->next;
        arena_free(held->arena); /* it lies in there itself */
    }
    free(profiles);
}

static bool name_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len >= 1 && len <= 63 && !name[len];
}

bool profiles_add(struct profiles *profiles, const char *name, const char *text, size_t len,
                  struct errors *errors)
{
    size_t before = errors_count(errors);
    struct arena *arena = arena_new();
    struct held *held = arena_alloc(arena, sizeof *held);
    held->arena = arena;
    held->profile.name = arena_strdup(arena, name);
    if (!name_valid(name))
        errors_add(errors, "", 0, 0, "the file's name must be 1 to 63 of a-z, 0-9 and -");
    const struct doc *root = doc_parse(arena, text, len, errors);
    if (root) {
        struct reader reader = {.arena = arena, .errors = errors};
        read_profile(&reader, root, &held->profile);
    }
    if (errors_count(errors) > before) {
        arena_free(arena);
        return false;
    }
    held->next = profiles->held;
    profiles->held = held;
    return true;
}

void profiles_add_builtin(struct profiles *profiles)
{
    struct errors *errors = errors_new();
    for (size_t i = 0; i < n_profiles_builtin; i++) {
        const struct profile_builtin *builtin = &profiles_builtin[i];
        bool good = profiles_add(profiles, builtin->name, builtin->text, builtin->len, errors);
        assert(good);
        (void)good;
    }
    errors_free(errors);
}

const struct profile *profiles_find(const struct profiles *profiles, const char *name)
{
    for (const struct held *held = profiles->held; held; held = held->next)
        if (strcmp(held->profile.name, name) == 0)
            return &held->profile;
    return NULL;
}
