/* target.h - what a request is for: path, query and If-Match, from text to meaning.
 *
 * Pure, strict, and in place: the results point into the text. */
#ifndef API_TARGET_H
#define API_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATH_SEGMENTS = 8 };

/* A path in its segments, decoded: "/v1/tenants/a%2fb" is "v1", "tenants", "a/b". */
struct path {
    const char *segments[PATH_SEGMENTS];
    size_t n_segments; /* more than PATH_SEGMENTS: too many to be anything */
};

/* Splits a target (origin or absolute form) at its question mark and the path at its slashes, and
 * decodes the segments. *ret_query is null without one. 0, or -EINVAL: no path, or an escape that
 * is none or makes a NUL. */
int target_parse(char *target, struct path *ret_path, char **ret_query);

/* Whether the path is one of a pattern such as "/v1/tenants/{tenant}"; then *ret_args are the
 * segments in the place of braces, in order. */
enum { PATH_ARGS = 3 };
bool path_match(const struct path *path, const char *pattern, const char *ret_args[PATH_ARGS]);

enum query_key {
    QUERY_WAIT = 1 << 0,
    QUERY_DRY_RUN = 1 << 1,
    QUERY_GENERATION = 1 << 2,
    QUERY_CONFIRM = 1 << 3,
    QUERY_POOL = 1 << 4,
    QUERY_AFTER = 1 << 5,
    QUERY_LIMIT = 1 << 6,
    QUERY_ADDRESS = 1 << 7,
    QUERY_MAC = 1 << 8,
    QUERY_SINCE = 1 << 9,
    QUERY_FOLLOW = 1 << 10,
    QUERY_TENANT = 1 << 11,
};
enum {
    QUERY_WAIT_MAX_S = 3600,
    QUERY_CONFIRM_MAX_S = 86400,
    QUERY_LIMIT_MAX = 10000,
    QUERY_WHY = 160
};

struct query {
    unsigned int keys; /* those that were given */
    uint64_t wait_s, generation, confirm_s;
    uint64_t limit;
    uint64_t since;
    bool dry_run, follow;
    const char *pool, *after, *address, *mac, *tenant; /* as given; they point into the text */
};

/* Parses a query (null is fine) of which the keys of the set `allowed` may be given, each once. 0,
 * or -EINVAL with a sentence in ret_why. */
int query_parse(char *text, unsigned int allowed, struct query *ret_query, char ret_why[QUERY_WHY]);

enum if_match_kind { IF_MATCH_NONE, IF_MATCH_ANY, IF_MATCH_GENERATION };

struct if_match {
    enum if_match_kind kind;
    uint64_t generation;
};

/* Parses If-Match: `*` or one generation as a strong entity tag, `"7"`. 0 or -EINVAL. */
int if_match_parse(const char *text, struct if_match *ret_match);

#endif
