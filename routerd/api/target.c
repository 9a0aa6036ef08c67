#include "api/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %41 in place. */
static int decode(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == '%') {
            int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);

            if (low < 0 || high * 16 + low == 0) {
                return -EINVAL;
            }
            *to++ = (char)(high * 16 + low);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return 0;
}

/* --- path ----------------------------------------------------------------------------------- */

/* Leaves out "http://host" (RFC 9112, 3.2.2). */
static char *skip_authority(char *target)
{
    if (!strncasecmp(target, "http://", 7) || !strncasecmp(target, "https://", 8)) {
        char *path = strchr(target + 8, '/');

        return path ? path : target + strlen(target);
    }
    return target;
}

int target_parse(char *target, struct path *ret_path, char **ret_query)
{
    char *rest = skip_authority(target), *query = strchr(rest, '?');

    *ret_path = (struct path){.n_segments = 0};
    if (query) {
        *query++ = '\0';
    }
    *ret_query = query;
    if (*rest != '/') {
        return -EINVAL;
    }
    rest++;
    while (rest) {
        char *segment = strsep(&rest, "/");

        if (decode(segment)) {
            return -EINVAL;
        }
        if (ret_path->n_segments == PATH_SEGMENTS) {
            ret_path->n_segments++;
            return 0;
        }
        ret_path->segments[ret_path->n_segments++] = segment;
    }
    return 0;
}

bool path_match(const struct path *path, const char *pattern, const char *ret_args[PATH_ARGS])
{
    size_t n_args = 0;

    if (path->n_segments > PATH_SEGMENTS) {
        return false;
    }
    for (size_t i = 0; i < path->n_segments; i++) {
        if (*pattern++ != '/') {
            return false;
        }
        size_t len = strcspn(pattern, "/");

        if (*pattern == '{') {
            if (n_args == PATH_ARGS || !*path->segments[i]) {
                return false;
            }
            ret_args[n_args++] = path->segments[i];
        } else if (strlen(path->segments[i]) != len ||
                   memcmp(path->segments[i], pattern, len) != 0) {
            return false;
        }
        pattern += len;
    }
    return !*pattern;
}

/* --- query ---------------------------------------------------------------------------------- */

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (!*text || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text)) {
        return -EINVAL;
    }
    for (; *text; text++) {
        number = number * 10 + (uint64_t)(*text - '0');
    }
    if (number < min || number > max) {
        return -EINVAL;
    }
    *ret_number = number;
    return 0;
}

static int parse_wait(const char *text, struct query *query)
{
    return parse_number(text, 0, QUERY_WAIT_MAX_S, &query->wait_s);
}

static int parse_bool(const char *text, bool *ret_value)
{
    *ret_value = !strcmp(text, "true");
    return *ret_value || !strcmp(text, "false") ? 0 : -EINVAL;
}

static int parse_dry_run(const char *text, struct query *query)
{
    return parse_bool(text, &query->dry_run);
}

static int parse_follow(const char *text, struct query *query)
{
    return parse_bool(text, &query->follow);
}

static int parse_since(const char *text, struct query *query)
{
    return parse_number(text, 0, UINT64_MAX, &query->since);
}

static int parse_tenant(const char *text, struct query *query)
{
    query->tenant = text;
    return *text ? 0 : -EINVAL;
}

static int parse_generation(const char *text, struct query *query)
{
    return parse_number(text, 1, UINT64_MAX, &query->generation);
}

static int parse_confirm(const char *text, struct query *query)
{
    return parse_number(text, 1, QUERY_CONFIRM_MAX_S, &query->confirm_s);
}

static int parse_pool(const char *text, struct query *query)
{
    query->pool = text;
    return *text ? 0 : -EINVAL;
}

static int parse_after(const char *text, struct query *query)
{
    query->after = text;
    return *text ? 0 : -EINVAL;
}

static int parse_limit(const char *text, struct query *query)
{
    return parse_number(text, 1, QUERY_LIMIT_MAX, &query->limit);
}

static int parse_address(const char *text, struct query *query)
{
    query->address = text;
    return *text ? 0 : -EINVAL;
}

static int parse_mac(const char *text, struct query *query)
{
    query->mac = text;
    return *text ? 0 : -EINVAL;
}

static const struct query_parameter {
    const char *name;
    enum query_key key;
    int (*parse)(const char *text, struct query *query);
    const char *values;
} parameters[] = {
    {"wait", QUERY_WAIT, parse_wait, "a number of seconds, 0 to 3600"},
    {"dry_run", QUERY_DRY_RUN, parse_dry_run, "true or false"},
    {"generation", QUERY_GENERATION, parse_generation, "the number of a generation"},
    {"confirm", QUERY_CONFIRM, parse_confirm, "a number of seconds, 1 to 86400"},
    {"pool", QUERY_POOL, parse_pool, "the name of a pool"},
    {"after", QUERY_AFTER, parse_after, "the name of a node"},
    {"limit", QUERY_LIMIT, parse_limit, "a number, 1 to 10000"},
    {"address", QUERY_ADDRESS, parse_address, "an address"},
    {"mac", QUERY_MAC, parse_mac, "a MAC address"},
    {"since", QUERY_SINCE, parse_since, "the id of an event, or 0"},
    {"follow", QUERY_FOLLOW, parse_follow, "true or false"},
    {"tenant", QUERY_TENANT, parse_tenant, "the name of a tenant"},
};

static const struct query_parameter *find_parameter(const char *name, unsigned int allowed)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (parameters[i].key & allowed && !strcmp(parameters[i].name, name)) {
            return &parameters[i];
        }
    }
    return NULL;
}

static int parse_pair(char *pair, unsigned int allowed, struct query *query, char *ret_why)
{
    char *value = strchr(pair, '=');
    const struct query_parameter *parameter;

    if (value) {
        *value++ = '\0';
    }
    if (decode(pair) || (value && decode(value))) {
        snprintf(ret_why, QUERY_WHY, "the query has an escape that is none");
        return -EINVAL;
    }
    parameter = find_parameter(pair, allowed);
    if (!parameter) {
        snprintf(ret_why, QUERY_WHY, "the query parameter `%.64s` is unknown here", pair);
        return -EINVAL;
    }
    if (query->keys & parameter->key) {
        snprintf(ret_why, QUERY_WHY, "the query parameter `%s` is given twice", parameter->name);
        return -EINVAL;
    }
    query->keys |= parameter->key;
    if (parameter->parse(value ? value : "", query)) {
        snprintf(ret_why, QUERY_WHY, "the query parameter `%s` must be %s", parameter->name,
                 parameter->values);
        return -EINVAL;
    }
    return 0;
}

int query_parse(char *text, unsigned int allowed, struct query *ret_query, char ret_why[QUERY_WHY])
{
    *ret_query = (struct query){.keys = 0};
    while (text) {
        char *pair = strsep(&text, "&");

        if (*pair) {
            int error = parse_pair(pair, allowed, ret_query, ret_why);

            if (error) {
                return error;
            }
        }
    }
    return 0;
}

/* --- If-Match ------------------------------------------------------------------------------- */

int if_match_parse(const char *text, struct if_match *ret_match)
{
    size_t len = strlen(text);
    char digits[20];

    if (!strcmp(text, "*")) {
        *ret_match = (struct if_match){IF_MATCH_ANY, 0};
        return 0;
    }
    if (len < 3 || len > 20 || text[0] != '"' || text[len - 1] != '"') {
        return -EINVAL;
    }
    memcpy(digits, text + 1, len - 2);
    digits[len - 2] = '\0';
    if (digits[0] == '0' && digits[1]) {
        return -EINVAL; /* not as we write it, so it is another tag */
    }
    ret_match->kind = IF_MATCH_GENERATION;
    return parse_number(digits, 0, UINT64_MAX, &ret_match->generation);
}
