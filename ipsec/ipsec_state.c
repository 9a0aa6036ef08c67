#include "ipsec/ipsec_state.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "routerd-";

const char *ipsec_name(uint32_t id, char buffer[IPSEC_NAME_TEXT])
{
    snprintf(buffer, IPSEC_NAME_TEXT, "%s%" PRIu32, prefix, id);
    return buffer;
}

/* The id at the start of what follows the prefix, printed as we print it; 0 if there is none. */
static uint32_t parse_id(const char *name, const char **ret_rest)
{
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) {
        return 0;
    }
    const char *digits = name + sizeof prefix - 1;
    size_t len = strspn(digits, "0123456789");
    if (len == 0 || len > 10 || *digits == '0') {
        return 0;
    }
    unsigned long long id = strtoull(digits, NULL, 10);
    *ret_rest = digits + len;
    return id <= UINT32_MAX ? (uint32_t)id : 0;
}

uint32_t ipsec_id_of_name(const char *name)
{
    const char *rest = "";
    uint32_t id = parse_id(name, &rest);
    return *rest == '\0' ? id : 0;
}

const char *ipsec_secret_name(const struct ipsec_secret *secret, char buffer[IPSEC_SECRET_TEXT])
{
    snprintf(buffer, IPSEC_SECRET_TEXT, "%s%" PRIu32 "-%016" PRIx64, prefix, secret->id,
             secret->version);
    return buffer;
}

/* Sixteen lower-case digits and nothing else. */
static bool parse_hex(const char *text, uint64_t *ret_number)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
        return false;
    }
    *ret_number = strtoull(text, NULL, 16);
    return true;
}

bool ipsec_secret_of_name(const char *name, struct ipsec_secret *ret_secret)
{
    struct ipsec_secret secret;
    const char *rest = "";

    secret.id = parse_id(name, &rest);
    if (secret.id == 0 || *rest != '-' || !parse_hex(rest + 1, &secret.version)) {
        return false;
    }
    *ret_secret = secret;
    return true;
}

static const char mark_initiate[] = "initiate", mark_wait[] = "wait";

uint64_t ipsec_key_number(const char *name)
{
    char digits[17] = "";
    uint64_t number;

    if (strlen(name) != IPSEC_KEY_TEXT - 1) {
        return 0;
    }
    memcpy(digits, name, sizeof digits - 1);
    return parse_hex(digits, &number) ? number : 0;
}

const char *ipsec_mark(const struct ipsec_conn *conn, char buffer[IPSEC_MARK_TEXT])
{
    snprintf(buffer, IPSEC_MARK_TEXT,
             "%s+%s+%016" PRIx64 "+%016" PRIx64 "+%016" PRIx64 "+%016" PRIx64 "+%016" PRIx64,
             conn->owner, conn->initiate ? mark_initiate : mark_wait, conn->settings, conn->ends,
             conn->credentials, conn->key, (uint64_t)conn->loaded_s);
    return buffer;
}

bool ipsec_mark_parse(struct arena *arena, const char *mark, struct ipsec_conn *conn)
{
    enum { NUMBERS = 5, OLD_NUMBERS = 2 }; /* in the marks of before there were certificates */
    char copy[IPSEC_MARK_TEXT], *rest = copy;
    uint64_t numbers[NUMBERS] = {0};
    size_t n = 0;

    if (snprintf(copy, sizeof copy, "%s", mark) >= (int)sizeof copy) {
        return false;
    }
    const char *owner = strsep(&rest, "+"), *role = strsep(&rest, "+");
    for (const char *text; n < NUMBERS && (text = strsep(&rest, "+")); n++) {
        if (!parse_hex(text, &numbers[n])) {
            return false;
        }
    }
    if (*owner == '\0' || rest || (n != NUMBERS && n != OLD_NUMBERS) ||
        (strcmp(role, mark_initiate) != 0 && strcmp(role, mark_wait) != 0)) {
        return false;
    }
    conn->owner = arena_strdup(arena, owner);
    conn->initiate = strcmp(role, mark_initiate) == 0;
    conn->settings = numbers[0];
    conn->ends = numbers[1];
    conn->credentials = numbers[2];
    conn->key = numbers[3];
    conn->loaded_s = (uint32_t)numbers[4];
    return true;
}

const uint64_t ipsec_digest_start = UINT64_C(0xcbf29ce484222325);

static uint64_t digest_byte(uint64_t digest, uint8_t byte)
{
    return (digest ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t ipsec_digest(uint64_t digest, const char *text)
{
    do {
        digest = digest_byte(digest, (uint8_t)*text);
    } while (*text++ != '\0');
    return digest;
}

uint64_t ipsec_digest_number(uint64_t digest, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        digest = digest_byte(digest, (uint8_t)(number >> 8 * i));
    }
    return digest;
}

/* charon takes "@name" and "name" for the same, and compares names without regard to case. Spaces
 * matter nowhere that we allow them. */
uint64_t ipsec_identity(const char *id)
{
    uint64_t digest = ipsec_digest_start;
    struct addr addr;
    char text[ADDR_TEXT];

    if (addr_parse(id, &addr) == 0) {
        id = addr_print(&addr, text);
    }
    if (*id == '@') {
        id++;
    }
    for (; *id; id++) {
        if (*id != ' ') {
            digest = digest_byte(digest, (uint8_t)tolower((unsigned char)*id));
        }
    }
    return digest;
}

void ipsec_conn_identify(struct ipsec_conn *conn, const char *local_id, const char *remote_id)
{
    conn->local_id = local_id;
    conn->remote_id = remote_id;
    conn->local_identity = local_id ? ipsec_identity(local_id) : 0;
    conn->remote_identity = remote_id ? ipsec_identity(remote_id) : 0;
}

const struct ipsec_key *ipsec_find_key(const struct ipsec_seen *seen, uint64_t number)
{
    size_t low = 0, high = seen->n_keys;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seen->keys[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < seen->n_keys && seen->keys[low].number == number ? &seen->keys[low] : NULL;
}

/* The three other element types start with the id, so one search serves them. */
static const void *find_first(const void *array, size_t n, size_t size, uint32_t id)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (*(const uint32_t *)((const char *)array + middle * size) < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const char *found = low < n ? (const char *)array + low * size : NULL;
    return found && *(const uint32_t *)found == id ? found : NULL;
}

const struct ipsec_conn *ipsec_find_conn(const struct ipsec_seen *seen, uint32_t id)
{
    return find_first(seen->conns, seen->n_conns, sizeof *seen->conns, id);
}

const struct ipsec_sa *ipsec_find_sa(const struct ipsec_seen *seen, uint32_t id)
{
    return find_first(seen->sas, seen->n_sas, sizeof *seen->sas, id);
}

const struct ipsec_secret *ipsec_find_secret(const struct ipsec_seen *seen, uint32_t id)
{
    return find_first(seen->secrets, seen->n_secrets, sizeof *seen->secrets, id);
}

const struct ipsec_sa *ipsec_next_sa(const struct ipsec_seen *seen, const struct ipsec_sa *sa)
{
    const struct ipsec_sa *next = sa + 1;
    return next < seen->sas + seen->n_sas && next->id == sa->id ? next : NULL;
}

const struct ipsec_secret *ipsec_next_secret(const struct ipsec_seen *seen,
                                             const struct ipsec_secret *secret)
{
    const struct ipsec_secret *next = secret + 1;
    return next < seen->secrets + seen->n_secrets && next->id == secret->id ? next : NULL;
}

bool ipsec_seen_up(const struct ipsec_seen *seen, uint32_t id)
{
    const struct ipsec_sa *sa = ipsec_find_sa(seen, id);

    for (; sa; sa = ipsec_next_sa(seen, sa)) {
        if (sa->n_installed > 0) {
            return true;
        }
    }
    return false;
}

bool ipsec_addrs_hold(const char *list, const struct addr *addr)
{
    char text[ADDR_TEXT];
    struct addr item;

    while (list && *list) {
        size_t len = strcspn(list, ",");
        if (len < sizeof text) {
            memcpy(text, list, len);
            text[len] = '\0';
            if (addr_parse(text, &item) == 0 && addr_equal(&item, addr)) {
                return true;
            }
        }
        list += len + (list[len] == ',');
    }
    return false;
}

bool ipsec_sa_stale(const struct ipsec_sa *sa, const struct ipsec_conn *conn)
{
    if (!sa->established) {
        return false;
    }
    if (sa->local_id != conn->local_identity || sa->remote_id != conn->remote_identity) {
        return true;
    }
    return !ipsec_addrs_hold(conn->local_addr, &sa->local_host) ||
           (!sa->nat && !ipsec_addrs_hold(conn->remote_addrs, &sa->remote_host));
}
