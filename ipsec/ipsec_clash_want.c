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

enum role { ROLE_REMOTE, ROLE_LOCAL };

/* A tunnel's use of an identity. */
struct claim {
    uint64_t identity, other;
    /* Of one identity, whoever came first: whether the tunnel is not loaded with these identities,
     * its place in the order of ids, the role. */
    uint64_t seniority;
};

static uint64_t seniority(bool holds, size_t place, enum role role)
{
    return (uint64_t)!holds << 63 | (uint64_t)place << 1 | role;
}

static enum role role_of(const struct claim *claim)
{
    return (enum role)(claim->seniority & 1);
}

static struct ipsec_tunnel *tunnel_of(const struct ipsec_wanted *wanted, const struct claim *claim)
{
    return &wanted->tunnels[(claim->seniority & ~(UINT64_C(1) << 63)) >> 1];
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_by_identity(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare_numbers(x->identity, y->identity);
    return order != 0 ? order : compare_numbers(x->seniority, y->seniority);
}

static int compare_by_pair(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare_numbers(x->identity, y->identity);
    if (order == 0) {
        order = compare_numbers(x->other, y->other);
    }
    return order != 0 ? order : compare_numbers(x->seniority, y->seniority);
}

static void refuse_mixed_roles(const struct ipsec_wanted *wanted, const struct claim *claims,
                               size_t n)
{
    size_t first = 0;

    for (size_t i = 1; i < n; i++) {
        if (claims[i].identity != claims[first].identity) {
            first = i;
        } else if (role_of(&claims[i]) != role_of(&claims[first])) {
            bool local = role_of(&claims[i]) == ROLE_LOCAL;
            ipsec_refuse(wanted->arena, tunnel_of(wanted, &claims[i]), IPSEC_NEVER,
                         "its %s is the %s of another tunnel; give it one of its own",
                         local ? "local_id" : "remote_id", local ? "remote_id" : "local_id");
        }
    }
}

static bool same_secret(const struct ipsec_wanted *wanted, const struct claim *a,
                        const struct claim *b)
{
    return strcmp(tunnel_of(wanted, a)->secret_name, tunnel_of(wanted, b)->secret_name) == 0;
}

static void refuse_second_secrets(const struct ipsec_wanted *wanted, const struct claim *claims,
                                  size_t n)
{
    size_t first = 0;

    for (size_t i = 1; i < n; i++) {
        if (claims[i].identity != claims[first].identity ||
            claims[i].other != claims[first].other) {
            first = i;
        } else if (!same_secret(wanted, &claims[i], &claims[first])) {
            ipsec_refuse(wanted->arena, tunnel_of(wanted, &claims[i]), IPSEC_NEVER,
                         "another tunnel has the same local_id and remote_id with another secret; "
                         "give this one a local_id or remote_id of its own");
        }
    }
}

/* Of each group with the same remote identity: all, if there is more than one secret. */
static void narrow_secrets(const struct ipsec_wanted *wanted, const struct claim *claims, size_t n)
{
    for (size_t first = 0, end; first < n; first = end) {
        bool narrow = false;
        for (end = first; end < n && claims[end].identity == claims[first].identity; end++) {
            narrow = narrow || !same_secret(wanted, &claims[end], &claims[first]);
        }
        for (size_t i = first; i < end; i++) {
            tunnel_of(wanted, &claims[i])->secret_narrow = narrow;
        }
    }
}

static size_t claim(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                    struct claim *claims)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        const struct ipsec_tunnel *tunnel = &wanted->tunnels[i];
        if (!tunnel->conn.local_id || !tunnel->secret_name || tunnel->refusal == IPSEC_NEVER) {
            continue;
        }
        while (at < seen->n_conns && seen->conns[at].id < tunnel->conn.id) {
            at++;
        }
        const struct ipsec_conn *loaded = at < seen->n_conns ? &seen->conns[at] : NULL;
        uint64_t local = tunnel->conn.local_identity, remote = tunnel->conn.remote_identity;
        bool holds = loaded && loaded->id == tunnel->conn.id && !loaded->foreign &&
                     loaded->local_identity == local && loaded->remote_identity == remote;
        claims[n++] = (struct claim){remote, local, seniority(holds, i, ROLE_REMOTE)};
        claims[n++] = (struct claim){local, remote, seniority(holds, i, ROLE_LOCAL)};
    }
    return n;
}

static size_t keep_remotes(const struct ipsec_wanted *wanted, struct claim *claims, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (role_of(&claims[i]) == ROLE_REMOTE &&
            tunnel_of(wanted, &claims[i])->refusal != IPSEC_NEVER) {
            claims[kept++] = claims[i];
        }
    }
    return kept;
}

/* Whether a remote identity is used twice, in whatever role. Mostly none is, and then nothing
 * clashes. */
static bool any_meet(const struct claim *claims, size_t n)
{
    struct slot {
        uint64_t identity;
        bool taken, remote;
    } * slots;
    size_t size = 16;
    bool meet = false;

    while (size < 2 * n) {
        size *= 2;
    }
    if (!(slots = calloc(size, sizeof *slots))) {
        abort();
    }
    for (size_t i = 0; i < n && !meet; i++) {
        size_t at = claims[i].identity & (size - 1);
        bool remote = role_of(&claims[i]) == ROLE_REMOTE;
        while (slots[at].taken && slots[at].identity != claims[i].identity) {
            at = (at + 1) & (size - 1);
        }
        meet = slots[at].taken && (remote || slots[at].remote);
        slots[at] = (struct slot){claims[i].identity, true, remote};
    }
    free(slots);
    return meet;
}

void ipsec_clash(struct ipsec_wanted *wanted, const struct ipsec_seen *seen)
{
    struct claim *claims = calloc(2 * wanted->n_tunnels + 1, sizeof *claims);
    if (!claims) {
        abort();
    }
    size_t n = claim(wanted, seen, claims);

    if (any_meet(claims, n)) {
        qsort(claims, n, sizeof *claims, compare_by_identity);
        refuse_mixed_roles(wanted, claims, n);
        n = keep_remotes(wanted, claims, n);
        qsort(claims, n, sizeof *claims, compare_by_pair);
        refuse_second_secrets(wanted, claims, n);
        narrow_secrets(wanted, claims, keep_remotes(wanted, claims, n));
    }
    free(claims);
}
