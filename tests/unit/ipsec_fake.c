#include "ipsec_fake.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config_text[] =
    "version: 1\n"
    "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
    "uplinks: {wan: {type: routed, interface: ens3}}\n"
    "tenants:\n"
    "  bio: {controllers: [a.example], limits: {networks: 64, segments: 64, tunnels: 600, peers: 64, nodes: 64}}\n"
    "  geo: {controllers: [b.example], limits: {networks: 64, segments: 64, tunnels: 600, peers: 64, nodes: 64}}\n"
    "secrets: {directory: /secrets}\n";

static bool fake_uplink(void *aux, const char *interface, int family, struct addr *ret_addr)
{
    const struct ipsec_fake *fake = aux;
    const char *text = family == AF_INET ? fake->uplink4 : fake->uplink6;

    assert_string_equal(interface, "ens3");
    return text && addr_parse(text, ret_addr) == 0;
}

static size_t fake_resolve(void *aux, const char *name, struct addr *ret_addrs)
{
    const struct ipsec_fake *fake = aux;
    char copy[IPSEC_REMOTES_TEXT], *rest = copy;
    size_t n = 0;

    assert_non_null(strchr(name, '.'));
    snprintf(copy, sizeof copy, "%s", fake->resolved ? fake->resolved : "");
    for (char *addr; (addr = strsep(&rest, ",")) && *addr && n < IPSEC_REMOTES;) {
        assert_int_equal(addr_parse(addr, &ret_addrs[n++]), 0);
    }
    return n;
}

static uint64_t fake_secret(void *aux, const char *path, int *ret_error)
{
    const struct ipsec_fake *fake = aux;
    const char *name = path + strlen("/secrets/");

    assert_memory_equal(path, "/secrets/", strlen("/secrets/"));
    *ret_error = fake->secret_error;
    return fake->secret_error ? 0
                              : ipsec_digest(ipsec_digest_start + fake->secret_generation, name);
}

static const struct ipsec_card *fake_card(void *aux, const char *directory,
                                          const struct ipsec_files *files)
{
    static const char *const names[] = {"vr1.example.com", "192.0.2.1", "ops@example.com"};
    struct ipsec_fake *fake = aux;

    assert_string_equal(directory, "/secrets");
    assert_non_null(files->ca);
    uint64_t key = ipsec_digest(ipsec_digest_start + fake->key_generation, files->certificate);
    snprintf(fake->key_id, sizeof fake->key_id, "%016llx000000000000000000000000",
             (unsigned long long)key);
    fake->card = (struct ipsec_card){
        .version = ipsec_digest(ipsec_digest_start + fake->secret_generation, files->certificate),
        .key_id = fake->key_id,
        .subject = "C=JP, CN=vr1",
        .names = names,
        .n_names = 3,
    };
    ipsec_card_complete(&fake->card);
    if (fake->card_fault) {
        fake->card = (struct ipsec_card){.fault = fake->card_fault};
    }
    return &fake->card;
}

void ipsec_fake_init_charon(struct ipsec_fake *fake)
{
    *fake = (struct ipsec_fake){.uplink4 = "192.0.2.1", .next_ike_id = 1};
    fake->facts = (struct ipsec_facts){fake, fake_uplink, fake_resolve, fake_secret, fake_card};
    fake->seen.arena = arena_new();
}

void ipsec_fake_init(struct ipsec_fake *fake)
{
    struct errors *errors = errors_new();

    ipsec_fake_init_charon(fake);
    fake->config = config_parse(config_text, strlen(config_text), errors);
    if (!fake->config) {
        fail_msg("%s", errors_get(errors, 0)->message);
    }
    errors_free(errors);
    fake->profiles = profiles_new();
    profiles_add_builtin(fake->profiles);
    ids_init(&fake->ids);
    fake->intended = intended_new(fake->config);
}

void ipsec_fake_done_charon(struct ipsec_fake *fake)
{
    ipsec_seen_done(&fake->seen);
    ipsec_parts_clear(&fake->parts);
}

void ipsec_fake_done(struct ipsec_fake *fake)
{
    ipsec_fake_done_charon(fake);
    intended_unref(fake->intended);
    ids_done(&fake->ids);
    profiles_free(fake->profiles);
    config_free(fake->config);
}

/* ---------------------------------------------------------------- topologies */

/* "NAME,key=value,..." as a tunnel of the document. */
static void write_tunnel(FILE *out, char *word, unsigned int number)
{
    const char *name = strsep(&word, ","), *secret = "psk", *remote = "203.0.113.2";
    const char *certificate = NULL;

    fprintf(out, "  - {name: %s, profile: generic, uplink: wan", name);
    for (char *pair; (pair = strsep(&word, ","));) {
        const char *key = strsep(&pair, "=");
        if (strcmp(key, "secret") == 0) {
            secret = pair;
        } else if (strcmp(key, "remote") == 0) {
            remote = pair;
        } else if (strcmp(key, "certificate") == 0) {
            certificate = pair;
        } else if (strcmp(key, "lifetime") == 0) {
            fprintf(out, ", esp: {lifetime: %s}", pair);
        } else if (strcmp(key, "proposal") == 0) {
            fprintf(out, ", ike: {proposals: [%s]}", pair);
        } else if (strcmp(key, "legacy") == 0) {
            fprintf(out, ", legacy: %s", pair);
        } else {
            fprintf(out, ", %s: \"%s\"", key, pair);
        }
    }
    fprintf(out, ", remote: \"%s\", inside: [10.0.%u.%u/30]", remote, number / 64,
            number % 64 * 4 + 1);
    if (certificate) {
        fprintf(out, ", auth: {certificate: %s, ca: cloud}}\n", certificate);
    } else {
        fprintf(out, ", auth: {psk: {secret: %s}}}\n", secret);
    }
}

/* Not inlined: gcc 12 then takes the text for a local of open_memstream()'s. */
static __attribute__((noinline)) char *document(const char *words)
{
    char *text = NULL, *copy = strdup(words), *rest = copy, network[64] = "";
    unsigned int number = 0;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    fprintf(out, "version: 1\nnetworks:%s\n", *words ? "" : " []");
    for (char *word; (word = strsep(&rest, " "));) {
        const char *name = strsep(&word, "/");
        if (!word) {
            continue;
        }
        if (strcmp(name, network) != 0) {
            snprintf(network, sizeof network, "%s", name);
            fprintf(out, "- name: %s\n  tunnels:\n", name);
        }
        write_tunnel(out, word, number++);
    }
    fclose(out);
    free(copy);
    return text;
}

/* initiate: "false" is quoted by write_tunnel(), so it is set here. */
static void unquote(char *text)
{
    char *at = strstr(text, "\"false\"");

    while (at) {
        at[0] = at[6] = ' ';
        at = strstr(at, "\"false\"");
    }
}

void ipsec_fake_topology(struct ipsec_fake *fake, const char *tenant, const char *words)
{
    struct errors *errors = errors_new();
    char *text = document(words);
    unquote(text);
    struct topology *topology = topology_parse(text, strlen(text), errors);
    struct topology_world world = {
        .config = fake->config, .profiles = fake->profiles, .intended = fake->intended};

    if (topology) {
        topology_check(topology, tenant, &world, errors);
    }
    if (errors_count(errors) > 0) {
        fail_msg("%s\n%s", errors_get(errors, 0)->message, text);
    }
    ids_assign(&fake->ids, tenant, topology);
    struct intended *next = intended_with(fake->intended, tenant, 1, topology);
    intended_unref(fake->intended);
    fake->intended = next;
    errors_free(errors);
    free(text);
}

/* --- what is made of kept parts is what is made anew ------------------------------------------ */

static void assert_same_text(const char *a, const char *b)
{
    assert_true(a && b ? strcmp(a, b) == 0 : a == b);
}

static void assert_same_list(const char **a, size_t n, const char **b, size_t m)
{
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(a[i], b[i]);
    }
}

static void assert_same_conn(const struct ipsec_conn *a, const struct ipsec_conn *b)
{
    assert_int_equal(a->id, b->id);
    assert_same_text(a->owner, b->owner);
    assert_same_text(a->local_addr, b->local_addr);
    assert_same_text(a->remote_addrs, b->remote_addrs);
    assert_same_text(a->local_id, b->local_id);
    assert_same_text(a->remote_id, b->remote_id);
    assert_true(a->foreign == b->foreign && a->initiate == b->initiate);
    assert_true(a->settings == b->settings && a->ends == b->ends);
    assert_true(a->credentials == b->credentials && a->key == b->key);
    assert_true(a->local_identity == b->local_identity);
    assert_true(a->local_identity == (a->local_id ? ipsec_identity(a->local_id) : 0));
    assert_true(a->remote_identity == b->remote_identity);
    assert_int_equal(a->loaded_s, b->loaded_s);
    assert_int_equal(a->ike_rekey_s, b->ike_rekey_s);
    assert_int_equal(a->child_rekey_s, b->child_rekey_s);
    assert_int_equal(a->dpd_delay_s, b->dpd_delay_s);
}

static void assert_same_settings(const struct tunnel_settings *a, const struct tunnel_settings *b)
{
    assert_same_list(a->ike_proposals, a->n_ike_proposals, b->ike_proposals, b->n_ike_proposals);
    assert_same_list(a->ike_more, a->n_ike_more, b->ike_more, b->n_ike_more);
    assert_same_list(a->esp_proposals, a->n_esp_proposals, b->esp_proposals, b->n_esp_proposals);
    assert_same_list(a->esp_more, a->n_esp_more, b->esp_more, b->n_esp_more);
    assert_int_equal(a->ike_version, b->ike_version);
    assert_int_equal(a->replay_window, b->replay_window);
    assert_int_equal(a->force_nat_traversal, b->force_nat_traversal);
}

static void assert_same_tunnel(const struct ipsec_tunnel *a, const struct ipsec_tunnel *b)
{
    assert_same_conn(&a->conn, &b->conn);
    assert_same_settings(&a->settings, &b->settings);
    assert_same_text(a->tenant, b->tenant);
    assert_same_text(a->object, b->object);
    assert_same_text(a->profile, b->profile);
    assert_same_text(a->psk.characters, b->psk.characters);
    assert_int_equal(a->dpd_timeout_s, b->dpd_timeout_s);
    assert_int_equal(a->family, b->family);
    assert_same_text(a->secrets_directory, b->secrets_directory);
    assert_same_text(a->secret_name, b->secret_name);
    assert_same_text(a->files.certificate, b->files.certificate);
    assert_same_text(a->files.ca, b->files.ca);
    assert_same_text(a->files.crl, b->files.crl);
    assert_int_equal(a->credentials_unknown, b->credentials_unknown);
    assert_true(a->secret_version == b->secret_version && a->secret_narrow == b->secret_narrow);
    assert_int_equal(a->refusal, b->refusal);
    assert_same_text(a->reason, b->reason);
}

struct ipsec_wanted *ipsec_fake_want_of(struct ipsec_fake *fake, const struct intended *intended)
{
    struct tenant_parts none = {.intended = NULL};
    struct ipsec_wanted *wanted = ipsec_want(intended, &fake->parts, &fake->facts, &fake->seen);
    struct ipsec_wanted *fresh = ipsec_want(intended, &none, &fake->facts, &fake->seen);

    assert_int_equal(wanted->n_tunnels, fresh->n_tunnels);
    for (size_t i = 0; i < wanted->n_tunnels; i++) {
        assert_same_tunnel(&wanted->tunnels[i], &fresh->tunnels[i]);
    }
    ipsec_wanted_free(fresh);
    ipsec_parts_clear(&none);
    return wanted;
}

struct ipsec_wanted *ipsec_fake_want(struct ipsec_fake *fake)
{
    return ipsec_fake_want_of(fake, fake->intended);
}

/* ---------------------------------------------------------------- charon */

void ipsec_fake_add_steps(struct ipsec_fake *fake, const struct intended *intended,
                          struct plan *plan)
{
    struct ipsec_wanted *wanted = ipsec_fake_want_of(fake, intended);

    ipsec_diff(wanted, &fake->seen, plan);
    ipsec_wanted_free(wanted);
}

struct plan *ipsec_fake_diff(struct ipsec_fake *fake)
{
    struct plan *plan = plan_new();

    ipsec_fake_add_steps(fake, fake->intended, plan);
    plan_sort(plan);
    return plan;
}

static void *grow(void *array, size_t n, size_t size)
{
    array = realloc(array, (n + 64) * size);
    assert_non_null(array);
    return array;
}

static void add_conn(struct ipsec_fake *fake, const struct ipsec_conn *conn)
{
    fake->seen.conns = grow(fake->seen.conns, fake->seen.n_conns, sizeof *fake->seen.conns);
    fake->seen.conns[fake->seen.n_conns++] = *conn;
    ipsec_seen_sort(&fake->seen);
}

void ipsec_fake_add_foreign(struct ipsec_fake *fake, uint32_t id)
{
    add_conn(fake, &(struct ipsec_conn){.id = id, .foreign = true});
}

void ipsec_fake_add_secret(struct ipsec_fake *fake, uint32_t id, uint64_t version)
{
    fake->seen.secrets = grow(fake->seen.secrets, fake->seen.n_secrets, sizeof *fake->seen.secrets);
    fake->seen.secrets[fake->seen.n_secrets++] = (struct ipsec_secret){id, version};
    ipsec_seen_sort(&fake->seen);
}

void ipsec_fake_drop_conn(struct ipsec_fake *fake, uint32_t id)
{
    struct ipsec_conn *conn = (struct ipsec_conn *)ipsec_find_conn(&fake->seen, id);

    if (conn) {
        assert_false(conn->foreign);
        memmove(conn, conn + 1,
                (size_t)(fake->seen.conns + fake->seen.n_conns - (conn + 1)) * sizeof *conn);
        fake->seen.n_conns--;
    }
}

void ipsec_fake_drop_foreign(struct ipsec_fake *fake, uint32_t id)
{
    struct ipsec_conn *conn = (struct ipsec_conn *)ipsec_find_conn(&fake->seen, id);

    assert_true(conn && conn->foreign);
    conn->foreign = false;
    ipsec_fake_drop_conn(fake, id);
}

void ipsec_fake_drop_secret(struct ipsec_fake *fake, const struct ipsec_secret *secret)
{
    for (size_t i = 0; i < fake->seen.n_secrets; i++) {
        struct ipsec_secret *at = &fake->seen.secrets[i];
        if (at->id == secret->id && at->version == secret->version) {
            memmove(at, at + 1, (fake->seen.n_secrets - i - 1) * sizeof *at);
            fake->seen.n_secrets--;
            return;
        }
    }
    fail_msg("a secret is unloaded that is not loaded");
}

/* With what says whose it is; what is loaded again takes the place of the one before. */
static void load_key(struct ipsec_fake *fake, uint32_t id, uint64_t number)
{
    const struct ipsec_secret *mark = ipsec_find_secret(&fake->seen, id);

    while (mark && mark->version != number) {
        mark = ipsec_next_secret(&fake->seen, mark);
    }
    if (!mark) {
        ipsec_fake_add_secret(fake, id, number);
    }
    if (!ipsec_find_key(&fake->seen, number)) {
        fake->seen.keys = grow(fake->seen.keys, fake->seen.n_keys, sizeof *fake->seen.keys);
        struct ipsec_key *key = &fake->seen.keys[fake->seen.n_keys++];
        key->number = number;
        snprintf(key->name, sizeof key->name, "%016llx000000000000000000000000",
                 (unsigned long long)number);
        ipsec_seen_sort(&fake->seen);
    }
}

void ipsec_fake_drop_key(struct ipsec_fake *fake, const char *name)
{
    struct ipsec_key *key = (struct ipsec_key *)ipsec_find_key(&fake->seen, ipsec_key_number(name));

    assert_non_null(key);
    memmove(key, key + 1, (size_t)(fake->seen.keys + fake->seen.n_keys - (key + 1)) * sizeof *key);
    fake->seen.n_keys--;
}

/* As charon prints an identity: without the mark of a name. */
static const char *printed(const char *id)
{
    return id + (*id == '@');
}

/* What charon would show: through the mark's text, as in life. */
static void load_conn(struct ipsec_fake *fake, const struct ipsec_conn *wanted)
{
    struct arena *arena = fake->seen.arena;
    char mark[IPSEC_MARK_TEXT];
    struct ipsec_conn conn = {
        .id = wanted->id,
        .local_addr = arena_strdup(arena, wanted->local_addr),
        .remote_addrs = arena_strdup(arena, wanted->remote_addrs),
        .ike_rekey_s = wanted->ike_rekey_s,
        .child_rekey_s = wanted->child_rekey_s,
        .dpd_delay_s = wanted->dpd_delay_s,
    };

    ipsec_conn_identify(&conn, arena_strdup(arena, printed(wanted->local_id)),
                        arena_strdup(arena, printed(wanted->remote_id)));
    assert_true(ipsec_mark_parse(arena, ipsec_mark(wanted, mark), &conn));
    ipsec_fake_drop_conn(fake, conn.id);
    add_conn(fake, &conn);
}

void ipsec_fake_establish(struct ipsec_fake *fake)
{
    for (size_t i = 0; i < fake->seen.n_conns; i++) {
        const struct ipsec_conn *conn = &fake->seen.conns[i];
        if (conn->foreign || !conn->initiate || ipsec_find_sa(&fake->seen, conn->id)) {
            continue;
        }
        struct ipsec_sa sa = {
            .id = conn->id, .ike_id = fake->next_ike_id++, .established = true, .n_installed = 1};
        char first[ADDR_TEXT];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(conn->remote_addrs, ","),
                 conn->remote_addrs);
        assert_int_equal(addr_parse(conn->local_addr, &sa.local_host), 0);
        assert_int_equal(addr_parse(first, &sa.remote_host), 0);
        sa.local_id = ipsec_identity(conn->local_id);
        sa.remote_id = ipsec_identity(conn->remote_id);
        ipsec_seen_add_sa(&fake->seen, &sa);
        ipsec_seen_sort(&fake->seen); /* for the next one to be found or not */
    }
}

static void apply(struct ipsec_fake *fake, const struct ipsec_change *change)
{
    if (change->refusal != IPSEC_ACCEPTED) {
        return;
    }
    if (change->load_secret) {
        ipsec_fake_add_secret(fake, change->id, change->tunnel->secret_version);
    }
    if (change->load_key) {
        assert_non_null(change->tunnel->files.certificate);
        load_key(fake, change->id, change->tunnel->conn.key);
    }
    if (change->load_conn) {
        assert_true(change->tunnel->secret_name
                        ? ipsec_find_secret(&fake->seen, change->id) != NULL
                        : ipsec_find_key(&fake->seen, change->tunnel->conn.key) != NULL);
        load_conn(fake, &change->tunnel->conn);
    }
    if (change->unload_conn) {
        ipsec_fake_drop_conn(fake, change->id);
    }
    for (size_t i = 0; i < change->n_unload_secrets; i++) {
        ipsec_fake_drop_secret(fake, &change->unload_secrets[i]);
    }
    if (change->unload_key &&
        ipsec_find_key(&fake->seen, ipsec_key_number(change->unload_key))) { /* of two tunnels */
        ipsec_fake_drop_key(fake, change->unload_key);
    }
    if (change->end_sas) {
        ipsec_seen_clear_sas(&fake->seen, change->id);
    }
}

void ipsec_fake_carry_out(struct ipsec_fake *fake, struct plan *plan, struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ipsec_change *change = steps[i]->data;

        apply(fake, change);
        step_finish(plan, steps[i],
                    change->refusal == IPSEC_ACCEPTED ? STEP_DONE
                    : change->refusal == IPSEC_NEVER  ? STEP_FAILED
                                                      : STEP_NOT_READY,
                    NULL);
    }
    ipsec_fake_establish(fake);
}

void ipsec_fake_apply(struct ipsec_fake *fake, struct plan *plan)
{
    ipsec_fake_carry_out(fake, plan, plan->steps, plan->n_steps);
}

size_t ipsec_fake_settle(struct ipsec_fake *fake)
{
    struct plan *plan = ipsec_fake_diff(fake);
    size_t n = plan->n_steps;

    ipsec_fake_apply(fake, plan);
    plan_free(plan);
    plan = ipsec_fake_diff(fake);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct ipsec_change *change = plan->steps[i]->data;
        if (change->refusal == IPSEC_ACCEPTED) {
            fail_msg("after applying there is still: %s: %s", plan->steps[i]->object,
                     plan->steps[i]->summary);
        }
    }
    plan_free(plan);
    return n;
}

char *ipsec_fake_text(const struct plan *plan)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        const struct ipsec_change *change = step->data;
        bool refused = change->refusal != IPSEC_ACCEPTED;
        fprintf(out, "%s %s/%s%s: %s%s\n", step_action_name(step->action), step->tenant,
                step->object, step->disruptive ? "!" : "", refused ? "REFUSED " : "",
                refused ? change->reason : step->summary);
    }
    fclose(out);
    return text;
}

char *ipsec_fake_held(const struct ipsec_fake *fake)
{
    const struct ipsec_seen *seen = &fake->seen;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < seen->n_conns; i++) {
        const struct ipsec_conn *conn = &seen->conns[i];
        char mark[IPSEC_MARK_TEXT];

        fprintf(out, "conn %u", conn->id);
        if (!conn->foreign) {
            fprintf(out, " %s %s %s %s %s %u %u %u", ipsec_mark(conn, mark), conn->local_addr,
                    conn->remote_addrs, conn->local_id, conn->remote_id, conn->ike_rekey_s,
                    conn->child_rekey_s, conn->dpd_delay_s);
        }
        fputc('\n', out);
    }
    for (size_t i = 0; i < seen->n_secrets; i++) {
        char name[IPSEC_SECRET_TEXT];

        fprintf(out, "secret %s\n", ipsec_secret_name(&seen->secrets[i], name));
    }
    for (size_t i = 0; i < seen->n_keys; i++) {
        fprintf(out, "key %s\n", seen->keys[i].name);
    }
    for (size_t i = 0; i < seen->n_sas; i++) {
        const struct ipsec_conn *conn = ipsec_find_conn(seen, seen->sas[i].id);
        char local[ADDR_TEXT], remote[ADDR_TEXT];

        if (conn && !conn->initiate) {
            continue;
        }
        fprintf(out, "SA %u %s %s\n", seen->sas[i].id, addr_print(&seen->sas[i].local_host, local),
                addr_print(&seen->sas[i].remote_host, remote));
    }
    fclose(out);
    return text;
}
