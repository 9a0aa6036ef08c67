#include "ipsec/ipsec_diff.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char backend[] = "ipsec";

/* What differs, as a text that grows: "remote 203.0.113.2 -> 203.0.113.3; secret sakura-psk
 * changed". */
struct summary {
    char text[1024];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void summary_add(struct summary *summary,
                                                              const char *format, ...)
{
    size_t room = sizeof summary->text - summary->len;
    va_list args;

    if (summary->len > 0 && room > 2) {
        memcpy(summary->text + summary->len, "; ", 3);
        summary->len += 2;
        room -= 2;
    }
    va_start(args, format);
    int len = vsnprintf(summary->text + summary->len, room, format, args);
    va_end(args);
    summary->len += len > 0 && (size_t)len < room ? (size_t)len : room - 1;
}

/* ---------------------------------------------------------------- what differs */

static void differ_text(struct summary *summary, const char *what, const char *before,
                        const char *after)
{
    if (strcmp(before, after) != 0) {
        summary_add(summary, "%s %s -> %s", what, before, after);
    }
}

static void differ_seconds(struct summary *summary, const char *what, uint32_t before,
                           uint32_t after)
{
    if (before != after) {
        summary_add(summary, "%s %" PRIu32 " s -> %" PRIu32 " s", what, before, after);
    }
}

static void differ_identity(struct summary *summary, const char *what, const char *before,
                            const char *after)
{
    if (ipsec_identity(before) != ipsec_identity(after)) {
        summary_add(summary, "%s %s -> %s", what, before, after);
    }
}

/* The parts that the SAs are made of: with others there must be other SAs. What is not known now is
 * taken to be as before. */
static void differ_ends(struct summary *summary, const struct ipsec_conn *before,
                        const struct ipsec_conn *after)
{
    if (after->local_addr) {
        differ_text(summary, "local address", before->local_addr, after->local_addr);
        differ_text(summary, "remote address", before->remote_addrs, after->remote_addrs);
    }
    if (after->ends != 0 && before->ends != after->ends) {
        size_t len = summary->len;
        differ_identity(summary, "local_id", before->local_id, after->local_id);
        differ_identity(summary, "remote_id", before->remote_id, after->remote_id);
        if (summary->len == len) {
            summary_add(summary, "other identities");
        }
    }
}

static void differ_settings(struct summary *summary, const struct ipsec_conn *before,
                            const struct ipsec_conn *after)
{
    differ_text(summary, "owner", before->owner, after->owner);
    differ_seconds(summary, "IKE rekeyed every", before->ike_rekey_s, after->ike_rekey_s);
    differ_seconds(summary, "child rekeyed every", before->child_rekey_s, after->child_rekey_s);
    differ_seconds(summary, "dead peer detection every", before->dpd_delay_s, after->dpd_delay_s);
    if (before->initiate != after->initiate) {
        summary_add(summary,
                    after->initiate ? "initiated from here" : "no longer initiated from here");
    }
    if (before->settings != after->settings) {
        summary_add(summary, "other proposals or settings, agreed %s",
                    after->initiate ? "at the next rekey" : "when the other end begins anew");
    }
}

/* How each end shows who it is. */
static void differ_credentials(struct summary *summary, const struct ipsec_conn *before,
                               const struct ipsec_tunnel *tunnel)
{
    const struct ipsec_conn *after = &tunnel->conn;

    if (tunnel->credentials_unknown ||
        (before->credentials == after->credentials && before->key == after->key)) {
        return;
    }
    summary_add(summary, "%s %s%s, used %s", after->key ? "certificate" : "secret",
                after->key ? tunnel->files.certificate : tunnel->secret_name,
                !before->key == !after->key ? " loaded anew"
                : after->key                ? " instead of a secret"
                                            : " instead of a certificate",
                after->initiate ? "at the next rekey" : "when the other end begins anew");
}

/* ---------------------------------------------------------------- copies for the plan */

static const char **copy_list(struct arena *arena, const char **texts, size_t n)
{
    const char **copy = arena_calloc(arena, n, sizeof *copy);

    for (size_t i = 0; i < n; i++) {
        copy[i] = arena_strdup(arena, texts[i]);
    }
    return copy;
}

static struct tunnel_settings copy_settings(struct arena *arena,
                                            const struct tunnel_settings *source)
{
    struct tunnel_settings copy = *source;

    copy.ike_proposals = copy_list(arena, source->ike_proposals, source->n_ike_proposals);
    copy.ike_more = copy_list(arena, source->ike_more, source->n_ike_more);
    copy.esp_proposals = copy_list(arena, source->esp_proposals, source->n_esp_proposals);
    copy.esp_more = copy_list(arena, source->esp_more, source->n_esp_more);
    return copy;
}

static const struct ipsec_tunnel *copy_tunnel(struct arena *arena,
                                              const struct ipsec_tunnel *source)
{
    struct ipsec_tunnel *copy = arena_alloc(arena, sizeof *copy);

    *copy = *source;
    copy->conn.owner = arena_strdup(arena, source->conn.owner);
    copy->conn.local_addr = arena_strdup(arena, source->conn.local_addr);
    copy->conn.remote_addrs = arena_strdup(arena, source->conn.remote_addrs);
    copy->conn.local_id = arena_strdup(arena, source->conn.local_id);
    copy->conn.remote_id = arena_strdup(arena, source->conn.remote_id);
    copy->tenant = arena_strdup(arena, source->tenant);
    copy->object = arena_strdup(arena, source->object);
    copy->profile = arena_strdup(arena, source->profile);
    copy->psk.characters = arena_strdup(arena, source->psk.characters);
    copy->psk.not_first = arena_strdup(arena, source->psk.not_first);
    copy->settings = copy_settings(arena, &source->settings);
    copy->secrets_directory = arena_strdup(arena, source->secrets_directory);
    copy->secret_name = arena_strdup(arena, source->secret_name);
    copy->files.certificate = arena_strdup(arena, source->files.certificate);
    copy->files.ca = arena_strdup(arena, source->files.ca);
    copy->files.crl = arena_strdup(arena, source->files.crl);
    copy->reason = arena_strdup(arena, source->reason);
    return copy;
}

/* ---------------------------------------------------------------- steps */

static bool has_secret(const struct ipsec_seen *seen, uint32_t id, uint64_t version)
{
    const struct ipsec_secret *secret = ipsec_find_secret(seen, id);

    for (; secret; secret = ipsec_next_secret(seen, secret)) {
        if (secret->version == version) {
            return true;
        }
    }
    return false;
}

static bool has_stale_sa(const struct ipsec_seen *seen, const struct ipsec_conn *conn)
{
    const struct ipsec_sa *sa = ipsec_find_sa(seen, conn->id);

    for (; sa; sa = ipsec_next_sa(seen, sa)) {
        if (ipsec_sa_stale(sa, conn)) {
            return true;
        }
    }
    return false;
}

/* Whether a wanted connection has the private key, or one that cannot be changed now. */
static bool key_is_needed(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                          uint64_t key)
{
    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        const struct ipsec_tunnel *tunnel = &wanted->tunnels[i];
        const struct ipsec_conn *loaded =
            tunnel->refusal == IPSEC_ACCEPTED ? NULL : ipsec_find_conn(seen, tunnel->conn.id);

        if (tunnel->conn.key == key || (loaded && loaded->key == key)) {
            return true;
        }
    }
    return false;
}

/* A private key that was our connection's, unless somebody needs it still. */
static void stale_key(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                      struct arena *arena, struct ipsec_change *change, uint64_t number)
{
    const struct ipsec_key *key = number ? ipsec_find_key(seen, number) : NULL;

    if (key && !key_is_needed(wanted, seen, number)) {
        change->unload_key = arena_strdup(arena, key->name);
    }
}

/* The loaded secrets of an id but for the version to keep, and the key that one of them stands for.
 */
static void stale_secrets(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                          struct arena *arena, struct ipsec_change *change, const uint64_t *keep)
{
    const struct ipsec_secret *first = ipsec_find_secret(seen, change->id);
    size_t n = 0;

    for (const struct ipsec_secret *at = first; at; at = ipsec_next_secret(seen, at)) {
        n++;
    }
    change->unload_secrets = arena_calloc(arena, n, sizeof *change->unload_secrets);
    for (size_t i = 0; i < n; i++) {
        if (!keep || first[i].version != *keep) {
            change->unload_secrets[change->n_unload_secrets++] = first[i];
            stale_key(wanted, seen, arena, change, first[i].version);
        }
    }
}

static struct step *add_step(struct plan *plan, const struct ipsec_tunnel *tunnel,
                             enum step_action action, const struct ipsec_change *change)
{
    struct step *step =
        plan_add(plan, backend, PHASE_IPSEC_CREATE, action, tunnel->tenant, tunnel->object);
    struct ipsec_change *data = arena_alloc(plan->arena, sizeof *data);

    *data = *change;
    data->tunnel = copy_tunnel(plan->arena, tunnel);
    data->refusal = tunnel->refusal;
    data->reason = data->tunnel->reason;
    step->data = data;
    return step;
}

static void diff_new(const struct ipsec_wanted *wanted, const struct ipsec_tunnel *tunnel,
                     const struct ipsec_seen *seen, struct plan *plan)
{
    const struct ipsec_conn *conn = &tunnel->conn;
    struct ipsec_change change = {.id = conn->id, .load_conn = true};
    char name[IPSEC_NAME_TEXT];

    if (tunnel->secret_name) {
        change.load_secret = !has_secret(seen, conn->id, tunnel->secret_version);
    } else {
        change.load_key = true;
    }
    stale_secrets(wanted, seen, plan->arena, &change,
                  tunnel->secret_name ? &tunnel->secret_version : &conn->key);
    change.end_sas = conn->local_addr && has_stale_sa(seen, conn);
    struct step *step = add_step(plan, tunnel, STEP_CREATE, &change);
    step->disruptive = change.end_sas;
    step->summary =
        arena_printf(plan->arena, "connection %s from %s to %s, profile %s%s",
                     ipsec_name(conn->id, name), conn->local_addr ? conn->local_addr : "the uplink",
                     conn->remote_addrs ? conn->remote_addrs : conn->remote_id, tunnel->profile,
                     conn->initiate ? ", initiated from here" : "");
}

static void diff_foreign(const struct ipsec_tunnel *tunnel, struct plan *plan)
{
    struct ipsec_change change = {.id = tunnel->conn.id};
    struct ipsec_tunnel refused = *tunnel;
    char name[IPSEC_NAME_TEXT];

    refused.refusal = IPSEC_NEVER;
    refused.reason = arena_printf(
        plan->arena,
        "charon holds a connection %s that is not routerd's; rename or unload that one",
        ipsec_name(tunnel->conn.id, name));
    add_step(plan, &refused, STEP_CREATE, &change)->summary =
        arena_printf(plan->arena, "connection %s", name);
}

/* The secret in the version that is wanted, and no other. While its file cannot be read the one
 * that is loaded stays. */
static void diff_secret(const struct ipsec_wanted *wanted, const struct ipsec_tunnel *tunnel,
                        const struct ipsec_conn *loaded, const struct ipsec_seen *seen,
                        struct plan *plan, struct ipsec_change *change, struct summary *summary)
{
    uint64_t version = tunnel->secret_version;

    change->load_secret = version != 0 ? !has_secret(seen, change->id, version)
                                       : !ipsec_find_secret(seen, change->id);
    if (version != 0) {
        stale_secrets(wanted, seen, plan->arena, change, &version);
    }
    bool told = version != 0 && version != loaded->credentials; /* by differ_credentials() */
    if (!told && (change->load_secret || change->n_unload_secrets > 0)) {
        summary_add(summary, "secret %s loaded anew", tunnel->secret_name);
    }
}

/* Likewise the private key, which comes and goes with the certificates. */
static void diff_key(const struct ipsec_wanted *wanted, const struct ipsec_tunnel *tunnel,
                     const struct ipsec_conn *loaded, const struct ipsec_seen *seen,
                     struct plan *plan, struct ipsec_change *change, struct summary *summary)
{
    bool other = loaded->credentials != tunnel->conn.credentials;

    if (tunnel->credentials_unknown) {
        return;
    }
    stale_key(wanted, seen, plan->arena, change, loaded->key);
    if (tunnel->conn.key) {
        change->load_key = other || !ipsec_find_key(seen, tunnel->conn.key) ||
                           !has_secret(seen, change->id, tunnel->conn.key);
        stale_secrets(wanted, seen, plan->arena, change, &tunnel->conn.key);
    }
    if (!other && (change->load_key || change->n_unload_secrets > 0)) {
        summary_add(summary, "private key of certificate %s loaded anew",
                    tunnel->files.certificate);
    }
}

static void diff_both(const struct ipsec_wanted *wanted, const struct ipsec_tunnel *tunnel,
                      const struct ipsec_conn *loaded, const struct ipsec_seen *seen,
                      struct plan *plan)
{
    struct ipsec_change change = {.id = loaded->id};
    struct summary summary = {.len = 0};

    differ_ends(&summary, loaded, &tunnel->conn);
    change.end_sas = summary.len > 0;
    differ_settings(&summary, loaded, &tunnel->conn);
    differ_credentials(&summary, loaded, tunnel);
    change.load_conn = summary.len > 0;
    if (!change.end_sas && has_stale_sa(seen, loaded)) {
        change.end_sas = true;
        summary_add(&summary, "the SAs are between other ends than the connection");
    }
    if (tunnel->secret_name) {
        diff_secret(wanted, tunnel, loaded, seen, plan, &change, &summary);
    }
    if (tunnel->files.certificate || loaded->key) {
        diff_key(wanted, tunnel, loaded, seen, plan, &change, &summary);
    }
    if (tunnel->refusal == IPSEC_NEVER) {
        summary_add(&summary, "connection");
    }
    if (summary.len > 0) {
        struct step *step = add_step(plan, tunnel, STEP_UPDATE, &change);
        step->disruptive = change.end_sas;
        step->summary = arena_strdup(plan->arena, summary.text);
    }
}

/* A connection is told by its mark, "TENANT/OBJECT"; of secrets and SAs without one nobody knows
 * whose they were. */
static struct step *add_gone(const struct ipsec_change *change, const struct ipsec_conn *loaded,
                             const struct ipsec_seen *seen, struct plan *plan)
{
    struct arena *arena = plan->arena;
    const char *slash = loaded ? strchr(loaded->owner, '/') : NULL;
    const char *what = ipsec_find_sa(seen, change->id) ? "SAs"
                       : change->unload_key            ? "key"
                                                       : "secret";
    char name[IPSEC_NAME_TEXT];

    ipsec_name(change->id, name);
    if (slash) {
        const char *tenant = arena_memdup(arena, loaded->owner, (size_t)(slash - loaded->owner));
        struct step *step =
            plan_add(plan, backend, PHASE_IPSEC_DELETE, STEP_DELETE, tenant, slash + 1);
        step->summary = arena_printf(arena, "connection %s to %s with its %s and SAs", name,
                                     loaded->remote_addrs, loaded->key ? "key" : "secret");
        return step;
    }
    struct step *step = plan_add(plan, backend, PHASE_IPSEC_DELETE, STEP_DELETE, "",
                                 arena_printf(arena, "charon/%s/%s", what, name));
    step->summary =
        arena_printf(arena, "left-over %s of %s, which has no connection any more", what, name);
    return step;
}

static void diff_gone(const struct ipsec_wanted *wanted, uint32_t id,
                      const struct ipsec_conn *loaded, const struct ipsec_seen *seen,
                      struct plan *plan)
{
    struct ipsec_change *change = arena_alloc(plan->arena, sizeof *change);
    struct step *step;

    *change = (struct ipsec_change){.id = id, .unload_conn = loaded != NULL, .end_sas = true};
    stale_secrets(wanted, seen, plan->arena, change, NULL);
    if (loaded) {
        stale_key(wanted, seen, plan->arena, change, loaded->key);
    }
    step = add_gone(change, loaded, seen, plan);
    step->data = change;
    step->disruptive = ipsec_find_sa(seen, id) != NULL;
}

/* ---------------------------------------------------------------- merging by id */

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The lowest id of the three seen arrays that is at least `from`; UINT32_MAX when there is none. */
struct cursor {
    const struct ipsec_seen *seen;
    size_t conn, secret, sa;
};

static uint32_t cursor_id(struct cursor *cursor, uint32_t from)
{
    const struct ipsec_seen *seen = cursor->seen;
    uint32_t id = UINT32_MAX;

    while (cursor->conn < seen->n_conns && seen->conns[cursor->conn].id < from) {
        cursor->conn++;
    }
    while (cursor->secret < seen->n_secrets && seen->secrets[cursor->secret].id < from) {
        cursor->secret++;
    }
    while (cursor->sa < seen->n_sas && seen->sas[cursor->sa].id < from) {
        cursor->sa++;
    }
    id = cursor->conn < seen->n_conns ? lower(id, seen->conns[cursor->conn].id) : id;
    id = cursor->secret < seen->n_secrets ? lower(id, seen->secrets[cursor->secret].id) : id;
    return cursor->sa < seen->n_sas ? lower(id, seen->sas[cursor->sa].id) : id;
}

static void diff_id(const struct ipsec_wanted *wanted, uint32_t id,
                    const struct ipsec_tunnel *tunnel, const struct ipsec_seen *seen,
                    struct plan *plan)
{
    const struct ipsec_conn *loaded = ipsec_find_conn(seen, id);

    if (tunnel && loaded && loaded->foreign) {
        diff_foreign(tunnel, plan);
    } else if (tunnel && loaded) {
        diff_both(wanted, tunnel, loaded, seen, plan);
    } else if (tunnel) {
        diff_new(wanted, tunnel, seen, plan);
    } else if (!loaded || !loaded->foreign) {
        diff_gone(wanted, id, loaded, seen, plan);
    }
}

void ipsec_diff(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen, struct plan *plan)
{
    struct cursor cursor = {.seen = seen};
    uint32_t next = 1;
    size_t i = 0;

    for (;;) {
        uint32_t id = cursor_id(&cursor, next);
        uint32_t wanted_id = i < wanted->n_tunnels ? wanted->tunnels[i].conn.id : UINT32_MAX;
        id = lower(id, wanted_id);
        if (id == UINT32_MAX) {
            return;
        }
        diff_id(wanted, id, id == wanted_id ? &wanted->tunnels[i++] : NULL, seen, plan);
        next = id + 1;
    }
}
