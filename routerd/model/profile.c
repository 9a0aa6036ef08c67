#include "model/profile.h"

#include "model/profile_builtin.h"
#include "model/profile_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- what a cloud takes as a key
 * ---------------------------------------------------------------------------------------------
 */

/* Whether a class such as "a-zA-Z0-9._" has the character; a hyphen at its edge is itself. */
static bool class_has(const char *class, char c)
{
    for (; *class; class ++) {
        if (class[1] == '-' && class[2]) {
            if (c >= class[0] && c <= class[2]) {
                return true;
            }
            class += 2;
        } else if (c == *class) {
            return true;
        }
    }
    return false;
}

const char *profile_psk_fault(const char *profile, const struct profile_psk *rule, const char *psk,
                              size_t len, char buffer[PROFILE_FAULT_TEXT])
{
    if (len < rule->min || (rule->max && len > rule->max)) {
        snprintf(buffer, PROFILE_FAULT_TEXT, "%s: the pre-shared key must have at %s %u characters",
                 profile, len < rule->min ? "least" : "most",
                 len < rule->min ? rule->min : rule->max);
        return buffer;
    }
    if (len && rule->not_first && strchr(rule->not_first, psk[0]) && psk[0]) {
        snprintf(buffer, PROFILE_FAULT_TEXT,
                 "%s: the pre-shared key may not begin with any of `%s`", profile, rule->not_first);
        return buffer;
    }
    for (size_t i = 0; i < len && rule->characters; i++) {
        if (!class_has(rule->characters, psk[i])) {
            snprintf(buffer, PROFILE_FAULT_TEXT,
                     "%s: the pre-shared key has other characters than %s", profile,
                     rule->characters);
            return buffer;
        }
    }
    return NULL;
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
        profile_read(&reader, root, &held->profile);
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
