#include "ipsec/ipsec_clash.h"

#include <stdlib.h>
#include <string.h>

bool ipsec_identity_exact(const char *id)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct addr addr;
    size_t len = strlen(id);

    if (addr_parse(id, &addr) == 0) {
        return !addr_is_unspecified(&addr);
    }
    /* No '*', '%', '/', '#', '{': patterns, subnets, binary forms. ':' only in addresses: no
     * "type:value". */
    const char *body = id + (*id == '@');
    if (len > IPSEC_ID_BYTES || *body == '\0' || *body == '@') {
        return false;
    }
    for (const char *c = body; *c; c++) {
        if (!strchr(letters, *c) && !strchr("._-@=, +()'", *c)) {
            return false;
        }
    }
    /* "10.0.0.1-10.0.0.9" is a range of addresses. */
    const char *dash = strchr(body, '-');
    char first[ADDR_TEXT];
    if (dash && (size_t)(dash - body) < sizeof first) {
        memcpy(first, body, (size_t)(dash - body));
        first[dash - body] = '\0';
        return addr_parse(first, &addr) != 0;
    }
    return true;
}

void ipsec_refuse(struct arena *arena, struct ipsec_tunnel *tunnel, enum ipsec_refusal refusal,
                  const char *format, ...)
{
    va_list args;

    if (tunnel->refusal >= refusal) {
        return;
    }
    va_start(args, format);
    tunnel->refusal = refusal;
    tunnel->reason = arena_vprintf(arena, format, args);
    va_end(args);
}

enum role { ROLE_LOCAL, ROLE_REMOTE };

/* A tunnel's use of an identity. */
struct claim {
    uint64_t identity, other;
    enum role role;
    bool holds; /* the tunnel is loaded with these identities */
    struct ipsec_tunnel *tunnel;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Of one identity, whoever came first. */
static int compare_seniority(const struct claim *a, const struct claim *b)
{
    if (a->holds != b->holds) {
        return a->holds ? -1 : 1;
    }
    return compare_numbers(a->tunnel->conn.id, b->tunnel->conn.id);
}

static int compare_by_identity(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare_numbers(x->identity, y->identity);
    return order != 0 ? order : compare_seniority(x, y);
}

static int compare_by_pair(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare_numbers(x->identity, y->identity);
    if (order == 0) {
        order = compare_numbers(x->other, y->other);
    }
    return order != 0 ? order : compare_seniority(x, y);
}

static void refuse_mixed_roles(struct arena *arena, struct claim *claims, size_t n)
{
    size_t first = 0;

    for (size_t i = 1; i < n; i++) {
        if (claims[i].identity != claims[first].identity) {
            first = i;
        } else if (claims[i].role != claims[first].role) {
            ipsec_refuse(arena, claims[i].tunnel, IPSEC_NEVER,
                         "its %s is the %s of another tunnel; give it one of its own",
                         claims[i].role == ROLE_LOCAL ? "local_id" : "remote_id",
                         claims[i].role == ROLE_LOCAL ? "remote_id" : "local_id");
        }
    }
}

static bool same_secret(const struct claim *a, const struct claim *b)
{
    return strcmp(a->tunnel->secret_name, b->tunnel->secret_name) == 0;
}

static void refuse_second_secrets(struct arena *arena, struct claim *claims, size_t n)
{
    size_t first = 0;

    for (size_t i = 1; i < n; i++) {
        if (claims[i].identity != claims[first].identity ||
            claims[i].other != claims[first].other) {
            first = i;
        } else if (!same_secret(&claims[i], &claims[first])) {
            ipsec_refuse(arena, claims[i].tunnel, IPSEC_NEVER,
                         "another tunnel has the same local_id and remote_id with another secret; "
                         "give this one a local_id or remote_id of its own");
        }
    }
}

/* Of each group with the same remote identity: all, if there is more than one secret. */
static void narrow_secrets(struct claim *claims, size_t n)
{
    for (size_t first = 0, end; first < n; first = end) {
        bool narrow = false;
        for (end = first; end < n && claims[end].identity == claims[first].identity; end++) {
            narrow = narrow || !same_secret(&claims[end], &claims[first]);
        }
        for (size_t i = first; i < end; i++) {
            claims[i].tunnel->secret_narrow = narrow;
        }
    }
}

static size_t claim(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                    struct claim *claims)
{
    size_t n = 0;

    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        struct ipsec_tunnel *tunnel = &wanted->tunnels[i];
        const struct ipsec_conn *loaded = ipsec_find_conn(seen, tunnel->conn.id);
        if (!tunnel->conn.local_id || !tunnel->secret_name || tunnel->refusal == IPSEC_NEVER) {
            continue;
        }
        uint64_t local = ipsec_identity(tunnel->conn.local_id);
        uint64_t remote = ipsec_identity(tunnel->conn.remote_id);
        bool holds = loaded && !loaded->foreign && ipsec_identity(loaded->local_id) == local &&
                     ipsec_identity(loaded->remote_id) == remote;
        claims[n++] = (struct claim){remote, local, ROLE_REMOTE, holds, tunnel};
        claims[n++] = (struct claim){local, remote, ROLE_LOCAL, holds, tunnel};
    }
    return n;
}

static size_t keep_remotes(struct claim *claims, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (claims[i].role == ROLE_REMOTE && claims[i].tunnel->refusal != IPSEC_NEVER) {
            claims[kept++] = claims[i];
        }
    }
    return kept;
}

void ipsec_clash(struct ipsec_wanted *wanted, const struct ipsec_seen *seen)
{
    struct claim *claims = calloc(2 * wanted->n_tunnels + 1, sizeof *claims);
    if (!claims) {
        abort();
    }
    size_t n = claim(wanted, seen, claims);

    qsort(claims, n, sizeof *claims, compare_by_identity);
    refuse_mixed_roles(wanted->arena, claims, n);
    n = keep_remotes(claims, n);
    qsort(claims, n, sizeof *claims, compare_by_pair);
    refuse_second_secrets(wanted->arena, claims, n);
    narrow_secrets(claims, keep_remotes(claims, n));
    free(claims);
}
