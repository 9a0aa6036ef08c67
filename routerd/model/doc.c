#include "model/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_SHOWN = DOC_KEY_TEXT - 4, /* bytes of a key that paths and sentences show */
    PATH_TEXT = (DOC_DEPTH + 1) * (KEY_SHOWN + 28),
    HINT_LEN = 32, /* longer keys get no hint */
};

const char *doc_key(const struct doc *member, char buffer[DOC_KEY_TEXT])
{
    const char *key = member->key;
    size_t len = strlen(key), shown = len < KEY_SHOWN ? len : KEY_SHOWN;
    while (shown < len && shown > 0 && ((unsigned char)key[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character */
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)key[i];
        buffer[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    memcpy(buffer + shown, "...", 4);
    if (shown == len)
        buffer[shown] = '\0';
    return buffer;
}

/* Prints the path of a node and returns its length. */
static size_t path_print(const struct doc *doc, char buffer[PATH_TEXT])
{
    const struct doc *chain[DOC_DEPTH + 1];
    size_t n = 0, len = 0;
    for (const struct doc *at = doc; at->parent && n < DOC_DEPTH + 1; at = at->parent)
        chain[n++] = at;
    buffer[0] = '\0';
    while (n-- > 0) {
        char key[DOC_KEY_TEXT];
        if (chain[n]->key) {
            len += (size_t)snprintf(buffer + len, PATH_TEXT - len, "%s%s", len ? "." : "",
                                    doc_key(chain[n], key));
        } else {
            len += (size_t)snprintf(buffer + len, PATH_TEXT - len, "[%zu]", chain[n]->index);
        }
    }
    return len;
}

const char *doc_path(struct arena *arena, const struct doc *doc)
{
    char path[PATH_TEXT];
    size_t len = path_print(doc, path);
    return arena_memdup(arena, path, len);
}

static void report(const struct doc *doc, unsigned int line, unsigned int column,
                   struct errors *errors, const char *format, va_list args)
{
    char path[PATH_TEXT] = "", message[1024] = "";
    if (errors_kept(errors) < ERROR_LIMIT) { /* past that it is only counted, so do it quickly */
        path_print(doc, path);
        vsnprintf(message, sizeof message, format, args);
    }
    errors_add(errors, path, line, column, "%s", message);
}

void doc_error(const struct doc *doc, struct errors *errors, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(doc, doc->line, doc->column, errors, format, args);
    va_end(args);
}

void doc_key_error(const struct doc *member, struct errors *errors, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(member, member->key_line, member->key_column, errors, format, args);
    va_end(args);
}

void doc_error_at(const struct doc *doc, unsigned int line, unsigned int column,
                  struct errors *errors, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(doc, line, column, errors, format, args);
    va_end(args);
}

const struct doc *doc_get(const struct doc *map, const char *key)
{
    if (map->kind != DOC_MAP)
        return NULL;
    for (const struct doc *member = map->child; member; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}

const struct doc *doc_require(const struct doc *map, const char *key, struct errors *errors)
{
    const struct doc *member = doc_get(map, key);
    if (!member && map->kind == DOC_MAP)
        doc_error(map, errors, "`%s` is missing", key);
    return member;
}

bool doc_is_null(const struct doc *doc)
{
    static const char *const NULLS[] = {"", "~", "null", "Null", "NULL"};
    if (doc->kind != DOC_SCALAR || doc->quoted)
        return false;
    for (size_t i = 0; i < sizeof NULLS / sizeof *NULLS; i++)
        if (strcmp(doc->text, NULLS[i]) == 0)
            return true;
    return false;
}

/* --- equality ----------------------------------------------------------------------------------
 */

static bool scalar_equal(const struct doc *a, const struct doc *b)
{
    if (doc_is_null(a) || doc_is_null(b))
        return doc_is_null(a) && doc_is_null(b);
    return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
}

/* The recursion is as deep as documents are: at most DOC_DEPTH. */
// NOLINTNEXTLINE(misc-no-recursion)
bool doc_equal(const struct doc *a, const struct doc *b)
{
    if (a->kind != b->kind || a->n_children != b->n_children)
        return false;
    if (a->kind == DOC_SCALAR)
        return scalar_equal(a, b);
    const struct doc *there = b->child;
    for (const struct doc *here = a->child; here; here = here->next, there = there->next) {
        const struct doc *match = there; /* most documents keep their order */
        if (a->kind == DOC_MAP && strcmp(here->key, there->key) != 0)
            match = doc_get(b, here->key);
        if (!match || !doc_equal(here, match))
            return false;
    }
    return true;
}

/* --- typed readers ------------------------------------------------------------------------------
 */

bool doc_is(const struct doc *doc, enum doc_kind kind, struct errors *errors)
{
    static const char *const NAMES[] = {"a single value", "a list", "a map"};
    if (doc->reported)
        return false;
    if (doc->kind != kind)
        doc_error(doc, errors, "must be %s", NAMES[kind]);
    return doc->kind == kind;
}

/* A scalar of one line; `what` it must be is said otherwise. */
static const char *scalar(const struct doc *doc, struct errors *errors, const char *what)
{
    if (doc->reported)
        return NULL;
    if (doc->kind == DOC_SCALAR && !doc_is_null(doc))
        return doc->text;
    doc_error(doc, errors, "must be %s", what);
    return NULL;
}

bool doc_string(const struct doc *doc, struct errors *errors, const char **ret_text)
{
    const char *text = scalar(doc, errors, "a string");
    if (!text)
        return false;
    if (!*text) {
        doc_error(doc, errors, "must not be empty");
        return false;
    }
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            doc_error(doc, errors, "must not hold control characters");
            return false;
        }
    }
    *ret_text = text;
    return true;
}

bool doc_bool(const struct doc *doc, struct errors *errors, bool *ret_bool)
{
    static const char *const WORDS[] = {"false", "true", "False", "True", "FALSE", "TRUE"};
    if (doc->kind == DOC_SCALAR && !doc->quoted && !doc->reported) {
        for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
            if (strcmp(doc->text, WORDS[i]) == 0) {
                *ret_bool = i % 2;
                return true;
            }
        }
    }
    if (!doc->reported)
        doc_error(doc, errors, "must be true or false");
    return false;
}

/* Reads a plain decimal number without sign, leading zeros or overflow. */
static bool parse_uint(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (!*text || (text[0] == '0' && text[1]))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

bool doc_uint(const struct doc *doc, struct errors *errors, uint64_t min, uint64_t max,
              uint64_t *ret_number)
{
    uint64_t number;
    if (doc->reported)
        return false;
    if (doc->kind == DOC_SCALAR && !doc->quoted && parse_uint(doc->text, &number) &&
        number >= min && number <= max) {
        *ret_number = number;
        return true;
    }
    if (min == max)
        doc_error(doc, errors, "must be %llu", (unsigned long long)min);
    else
        doc_error(doc, errors, "must be a whole number from %llu to %llu", (unsigned long long)min,
                  (unsigned long long)max);
    return false;
}

bool doc_asn(const struct doc *doc, struct errors *errors, uint32_t *ret_asn)
{
    uint64_t asn;
    if (!doc_uint(doc, errors, 1, UINT32_MAX, &asn))
        return false;
    /* AS_TRANS (RFC 6793, 9) and the last ones of both sizes (RFC 7300). */
    if (asn == 23456 || asn == UINT16_MAX || asn == UINT32_MAX) {
        doc_error(doc, errors, "AS number %llu is reserved (RFC %s)", (unsigned long long)asn,
                  asn == 23456 ? "6793" : "7300");
        return false;
    }
    *ret_asn = (uint32_t)asn;
    return true;
}

static bool is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len >= 1 && len <= 63 && !text[len];
}

bool doc_name(const struct doc *doc, struct errors *errors, const char **ret_name)
{
    const char *text = scalar(doc, errors, "a name: 1 to 63 of a-z, 0-9 and -");
    if (!text)
        return false;
    if (!is_name(text)) {
        doc_error(doc, errors, "must be 1 to 63 of a-z, 0-9 and -");
        return false;
    }
    *ret_name = text;
    return true;
}

bool doc_addr(const struct doc *doc, struct errors *errors, struct addr *ret_addr)
{
    static const char WHAT[] = "an address such as 10.1.0.1 or 2001:db8::1";
    const char *text = scalar(doc, errors, WHAT);
    if (!text)
        return false;
    if (addr_parse(text, ret_addr) < 0) {
        doc_error(doc, errors, "must be %s", WHAT);
        return false;
    }
    return true;
}

bool doc_ifaddr(const struct doc *doc, struct errors *errors, struct prefix *ret_prefix)
{
    static const char WHAT[] = "an address with its prefix length such as 10.1.0.1/24";
    const char *text = scalar(doc, errors, WHAT);
    if (!text)
        return false;
    if (prefix_parse(text, ret_prefix) < 0) {
        doc_error(doc, errors, "must be %s", WHAT);
        return false;
    }
    return true;
}

bool doc_prefix(const struct doc *doc, struct errors *errors, struct prefix *ret_prefix)
{
    static const char WHAT[] = "a prefix such as 10.1.0.0/16 or 2001:db8::/32";
    struct prefix prefix;
    char network[PREFIX_TEXT];
    const char *text = scalar(doc, errors, WHAT);
    if (!text)
        return false;
    if (prefix_parse(text, &prefix) < 0) {
        doc_error(doc, errors, "must be %s", WHAT);
        return false;
    }
    if (prefix_has_host_bits(&prefix)) {
        struct prefix clear = prefix_network(&prefix);
        doc_error(doc, errors, "has bits set beyond its length; did you mean %s?",
                  prefix_print(&clear, network));
        return false;
    }
    *ret_prefix = prefix;
    return true;
}

/* --- unknown keys --------------------------------------------------------------------------------
 */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t two = a < b ? a : b;
    return two < c ? two : c;
}

/* Damerau's distance (optimal string alignment) of two short words. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][HINT_LEN + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            bool same = a[i - 1] == b[j - 1];
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_len];
}

/* The known key that was probably meant, or null. */
static const char *nearest(const char *key, const char *const *keys)
{
    const char *found = NULL;
    size_t len = strlen(key), best = len < 4 ? 1 : len < 8 ? 2 : 3;
    if (len == 0 || len > HINT_LEN)
        return NULL;
    for (; *keys; keys++) {
        size_t known_len = strlen(*keys);
        size_t d = known_len > HINT_LEN ? SIZE_MAX : distance(key, len, *keys, known_len);
        if (d <= best && d < known_len && (!found || d < best)) {
            best = d;
            found = *keys;
        }
    }
    return found;
}

static bool is_known(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

void doc_check_keys(const struct doc *map, const char *const *keys, struct errors *errors)
{
    if (map->kind != DOC_MAP)
        return;
    for (const struct doc *member = map->child; member; member = member->next) {
        if (is_known(member->key, keys))
            continue;
        char shown[DOC_KEY_TEXT];
        const char *hint = errors_kept(errors) < ERROR_LIMIT ? nearest(member->key, keys) : NULL;
        doc_key(member, shown);
        if (hint)
            doc_key_error(member, errors, "unknown key `%s`; did you mean `%s`?", shown, hint);
        else
            doc_key_error(member, errors, "unknown key `%s`", shown);
    }
}
