#include "ipsec/ipsec_seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ipsec_seen_clear_conns(struct ipsec_seen *seen)
{
    arena_free(seen->arena);
    seen->arena = NULL;
    free(seen->conns);
    seen->conns = NULL;
    seen->n_conns = 0;
}

void ipsec_seen_clear_secrets(struct ipsec_seen *seen)
{
    free(seen->secrets);
    seen->secrets = NULL;
    seen->n_secrets = 0;
}

void ipsec_seen_clear_keys(struct ipsec_seen *seen)
{
    free(seen->keys);
    seen->keys = NULL;
    seen->n_keys = 0;
}

void ipsec_seen_clear_sas(struct ipsec_seen *seen, uint32_t id)
{
    size_t kept = 0;

    for (size_t i = 0; i < seen->n_sas; i++) {
        if (id != 0 && seen->sas[i].id != id) {
            seen->sas[kept++] = seen->sas[i];
        }
    }
    seen->n_sas = kept;
    if (kept == 0) {
        free(seen->sas);
        seen->sas = NULL;
    }
}

void ipsec_seen_done(struct ipsec_seen *seen)
{
    ipsec_seen_clear_conns(seen);
    ipsec_seen_clear_secrets(seen);
    ipsec_seen_clear_keys(seen);
    ipsec_seen_clear_sas(seen, 0);
}

/* Appends an element to a heap array that grows by doubling: whenever its count is a power of two
 * it is full. */
static void *append(void *array, size_t n, size_t size)
{
    if ((n & (n - 1)) != 0) {
        return array;
    }
    array = realloc(array, (n == 0 ? 1 : 2 * n) * size);
    if (!array) {
        abort();
    }
    return array;
}

static uint32_t id_of(struct vici_text name)
{
    char buffer[IPSEC_NAME_TEXT];

    if (name.len >= sizeof buffer) {
        return 0;
    }
    return ipsec_id_of_name(vici_text_copy(name, buffer, sizeof buffer));
}

static uint32_t number32(struct vici_text text, int base)
{
    uint64_t number = vici_text_number(text, base, 0);
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static const char *text_dup(struct arena *arena, struct vici_text text)
{
    return arena_memdup(arena, text.bytes, text.len);
}

static void conn_top_key(struct ipsec_conn *conn, const struct vici_element *element)
{
    if (vici_text_is(element->name, "rekey_time")) {
        conn->ike_rekey_s = number32(element->value, 10);
    } else if (vici_text_is(element->name, "dpd_delay")) {
        conn->dpd_delay_s = number32(element->value, 10);
    }
}

static void conn_auth_key(struct arena *arena, struct ipsec_conn *conn, struct vici_text section,
                          const struct vici_element *element)
{
    bool local = vici_text_starts(section, "local");

    if (vici_text_is(element->name, "id") && (local || vici_text_starts(section, "remote"))) {
        *(local ? &conn->local_id : &conn->remote_id) = text_dup(arena, element->value);
    } else if (local && vici_text_is(element->name, "aaa_id")) {
        char mark[IPSEC_MARK_TEXT];
        if (element->value.len < sizeof mark) {
            ipsec_mark_parse(arena, vici_text_copy(element->value, mark, sizeof mark), conn);
        }
    }
}

static void conn_addr(struct arena *arena, struct ipsec_conn *conn, struct vici_text list,
                      struct vici_text value)
{
    const char **addrs = vici_text_is(list, "local_addrs") ? &conn->local_addr : NULL;

    if (vici_text_is(list, "remote_addrs")) {
        addrs = &conn->remote_addrs;
    }
    if (addrs) {
        const char *addr = text_dup(arena, value);
        *addrs = *addrs ? arena_printf(arena, "%s,%s", *addrs, addr) : addr;
    }
}

static void conn_element(struct arena *arena, struct ipsec_conn *conn,
                         const struct vici_reader *reader, const struct vici_element *element)
{
    if (element->kind == VICI_ITEM && reader->depth == 1) {
        conn_addr(arena, conn, reader->list, element->value);
    } else if (element->kind == VICI_KEY && reader->depth == 1) {
        conn_top_key(conn, element);
    } else if (element->kind == VICI_KEY && reader->depth == 2) {
        conn_auth_key(arena, conn, reader->section[1], element);
    } else if (element->kind == VICI_KEY && reader->depth == 3 &&
               vici_text_is(reader->section[1], "children") &&
               vici_text_is(element->name, "rekey_time")) {
        conn->child_rekey_s = number32(element->value, 10);
    }
}

int ipsec_seen_conn(struct ipsec_seen *seen, const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;
    struct ipsec_conn conn = {0};
    int more;

    if (!seen->arena) {
        seen->arena = arena_new();
    }
    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        if (element.kind == VICI_SECTION && reader.depth == 1) {
            conn.id = id_of(element.name);
        } else if (conn.id != 0) {
            conn_element(seen->arena, &conn, &reader, &element);
        }
    }
    if (more < 0 || conn.id == 0) {
        return more;
    }
    if (!conn.owner || !conn.local_addr || !conn.remote_addrs || !conn.local_id ||
        !conn.remote_id) {
        conn = (struct ipsec_conn){.id = conn.id, .foreign = true};
    }
    ipsec_conn_identify(&conn, conn.local_id, conn.remote_id);
    seen->conns = append(seen->conns, seen->n_conns, sizeof *seen->conns);
    seen->conns[seen->n_conns++] = conn;
    return 0;
}

int ipsec_seen_secrets(struct ipsec_seen *seen, const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;
    int more;

    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        char name[IPSEC_SECRET_TEXT];
        struct ipsec_secret secret;
        if (element.kind == VICI_ITEM && element.value.len < sizeof name &&
            ipsec_secret_of_name(vici_text_copy(element.value, name, sizeof name), &secret)) {
            seen->secrets = append(seen->secrets, seen->n_secrets, sizeof *seen->secrets);
            seen->secrets[seen->n_secrets++] = secret;
        }
    }
    return more;
}

int ipsec_seen_keys(struct ipsec_seen *seen, const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;
    int more;

    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        struct ipsec_key key;
        if (element.kind != VICI_ITEM || element.value.len >= sizeof key.name) {
            continue;
        }
        vici_text_copy(element.value, key.name, sizeof key.name);
        key.number = ipsec_key_number(key.name);
        if (key.number != 0) {
            seen->keys = append(seen->keys, seen->n_keys, sizeof *seen->keys);
            seen->keys[seen->n_keys++] = key;
        }
    }
    return more;
}

/* strongSwan 6 has a list `ke` where 5.9 has `dh`. */
int ipsec_seen_algorithms(struct ipsec_seen *seen, const struct vici_packet *packet)
{
    static const char *const names[][2] = {
        {"ML_KEM_512", "mlkem512"}, {"ML_KEM_768", "mlkem768"}, {"ML_KEM_1024", "mlkem1024"}};
    struct vici_reader reader;
    struct vici_element element;
    int more;

    seen->extra_ke = false;
    seen->post_quantum[0] = '\0';
    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        if (reader.depth != 1 || !vici_text_is(reader.section[0], "ke")) {
            continue;
        }
        seen->extra_ke = true;
        for (size_t i = 0; element.kind == VICI_KEY && i < sizeof names / sizeof *names; i++) {
            size_t len = strlen(seen->post_quantum);
            if (vici_text_is(element.name, names[i][0])) {
                snprintf(seen->post_quantum + len, sizeof seen->post_quantum - len, " %s ",
                         names[i][1]);
            }
        }
    }
    seen->algorithms_known = more == 0;
    return more;
}

/* A child while its keys come in. */
struct child {
    bool installed;
    uint32_t if_id_in, if_id_out;
    uint64_t bytes_in, bytes_out;
};

static void child_key(struct child *child, const struct vici_element *element)
{
    struct vici_text name = element->name, value = element->value;

    if (vici_text_is(name, "state")) {
        /* While it is rekeyed the old one still carries the traffic. */
        child->installed = vici_text_is(value, "INSTALLED") || vici_text_is(value, "UPDATING") ||
                           vici_text_is(value, "REKEYING") || vici_text_is(value, "REKEYED");
    } else if (vici_text_is(name, "if-id-in")) {
        child->if_id_in = number32(value, 16);
    } else if (vici_text_is(name, "if-id-out")) {
        child->if_id_out = number32(value, 16);
    } else if (vici_text_is(name, "bytes-in")) {
        child->bytes_in = vici_text_number(value, 10, 0);
    } else if (vici_text_is(name, "bytes-out")) {
        child->bytes_out = vici_text_number(value, 10, 0);
    }
}

static void child_end(struct ipsec_sa *sa, const struct child *child)
{
    if (child->installed && child->if_id_in == sa->id && child->if_id_out == sa->id) {
        sa->n_installed++;
        sa->bytes_in += child->bytes_in;
        sa->bytes_out += child->bytes_out;
    }
}

static uint64_t identity(struct vici_text text)
{
    char buffer[512];
    return ipsec_identity(vici_text_copy(text, buffer, sizeof buffer));
}

static void parse_host(struct vici_text text, struct addr *addr)
{
    char buffer[ADDR_TEXT];

    if (text.len < sizeof buffer) {
        addr_parse(vici_text_copy(text, buffer, sizeof buffer), addr);
    }
}

static void sa_key(struct ipsec_sa *sa, const struct vici_element *element)
{
    struct vici_text name = element->name, value = element->value;

    if (vici_text_is(name, "uniqueid")) {
        sa->ike_id = number32(value, 10);
    } else if (vici_text_is(name, "state")) {
        sa->established = vici_text_is(value, "ESTABLISHED") || vici_text_is(value, "REKEYING");
    } else if (vici_text_is(name, "established")) {
        sa->established_s = number32(value, 10);
    } else if (vici_text_is(name, "local-host")) {
        parse_host(value, &sa->local_host);
    } else if (vici_text_is(name, "remote-host")) {
        parse_host(value, &sa->remote_host);
    } else if (vici_text_is(name, "local-id")) {
        sa->local_id = identity(value);
    } else if (vici_text_is(name, "remote-id")) {
        sa->remote_id = identity(value);
    } else if (vici_text_is(name, "nat-remote")) {
        sa->nat = true;
    }
}

void ipsec_seen_add_sa(struct ipsec_seen *seen, const struct ipsec_sa *sa)
{
    seen->sas = append(seen->sas, seen->n_sas, sizeof *seen->sas);
    seen->sas[seen->n_sas++] = *sa;
}

int ipsec_seen_sa(struct ipsec_seen *seen, const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;
    struct ipsec_sa sa = {0};
    struct child child = {0};
    int more;

    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        if (element.kind == VICI_SECTION && reader.depth == 1) {
            sa.id = id_of(element.name);
        } else if (element.kind == VICI_SECTION && reader.depth == 3) {
            child = (struct child){0};
        } else if (element.kind == VICI_SECTION_END && reader.depth == 2) {
            child_end(&sa, &child);
        } else if (element.kind == VICI_KEY && reader.depth == 1) {
            sa_key(&sa, &element);
        } else if (element.kind == VICI_KEY && reader.depth == 3) {
            child_key(&child, &element);
        }
    }
    if (more < 0 || sa.id == 0) {
        return more;
    }
    ipsec_seen_add_sa(seen, &sa);
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_secrets(const void *a, const void *b)
{
    const struct ipsec_secret *x = a, *y = b;
    int by_id = compare_ids(&x->id, &y->id);
    return by_id != 0 ? by_id : x->version < y->version ? -1 : x->version > y->version;
}

static int compare_sas(const void *a, const void *b)
{
    const struct ipsec_sa *x = a, *y = b;
    int by_id = compare_ids(&x->id, &y->id);
    return by_id != 0 ? by_id : compare_ids(&x->ike_id, &y->ike_id);
}

static int compare_keys(const void *a, const void *b)
{
    const struct ipsec_key *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n > 1) {
        qsort(array, n, size, compare);
    }
}

void ipsec_seen_sort(struct ipsec_seen *seen)
{
    sort(seen->conns, seen->n_conns, sizeof *seen->conns, compare_ids);
    sort(seen->secrets, seen->n_secrets, sizeof *seen->secrets, compare_secrets);
    sort(seen->sas, seen->n_sas, sizeof *seen->sas, compare_sas);
    sort(seen->keys, seen->n_keys, sizeof *seen->keys, compare_keys);
}

/* --- one of many ------------------------------------------------------------------------------ */

/* The first of an id, or where it would be, in an array of what begins with one; and how many. */
static size_t find_span(const void *array, size_t n, size_t size, uint32_t id, size_t *ret_n)
{
    size_t from = 0, end;

    while (from < n && *(const uint32_t *)((const char *)array + from * size) < id) {
        from++;
    }
    for (end = from; end < n && *(const uint32_t *)((const char *)array + end * size) == id;) {
        end++;
    }
    *ret_n = end - from;
    return from;
}

static void copy_elements(void *to, size_t at, const void *from, size_t first, size_t n,
                          size_t size)
{
    if (n > 0) {
        memcpy((char *)to + at * size, (const char *)from + first * size, n * size);
    }
}

/* A heap array, with the room that append() counts on, of `old` with those of an id exchanged for
 * n_fresh others; `old` is freed. */
static void *exchange(void *old, size_t *n, size_t size, uint32_t id, const void *fresh,
                      size_t n_fresh)
{
    size_t n_gone, from = find_span(old, *n, size, id, &n_gone), room = 1;
    size_t count = *n - n_gone + n_fresh;

    while (room < count) {
        room *= 2;
    }
    void *array = malloc(room * size);
    if (!array) {
        abort();
    }
    copy_elements(array, 0, old, 0, from, size);
    copy_elements(array, from, fresh, 0, n_fresh, size);
    copy_elements(array, from + n_fresh, old, from + n_gone, *n - from - n_gone, size);
    free(old);
    *n = count;
    return array;
}

void ipsec_seen_take_conn(struct ipsec_seen *seen, const struct ipsec_seen *fresh, uint32_t id)
{
    const struct ipsec_conn *source = ipsec_find_conn(fresh, id);
    struct ipsec_conn conn = source ? *source : (struct ipsec_conn){.id = id};

    if (!seen->arena) {
        seen->arena = arena_new();
    }
    conn.owner = arena_strdup(seen->arena, conn.owner);
    conn.local_addr = arena_strdup(seen->arena, conn.local_addr);
    conn.remote_addrs = arena_strdup(seen->arena, conn.remote_addrs);
    conn.local_id = arena_strdup(seen->arena, conn.local_id);
    conn.remote_id = arena_strdup(seen->arena, conn.remote_id);
    seen->conns =
        exchange(seen->conns, &seen->n_conns, sizeof *seen->conns, id, &conn, source ? 1 : 0);
}

void ipsec_seen_take_sas(struct ipsec_seen *seen, const struct ipsec_seen *fresh, uint32_t id)
{
    size_t n, from = find_span(fresh->sas, fresh->n_sas, sizeof *fresh->sas, id, &n);

    seen->sas = exchange(seen->sas, &seen->n_sas, sizeof *seen->sas, id,
                         n > 0 ? &fresh->sas[from] : NULL, n);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_ours(const char *name)
{
    struct ipsec_secret secret;
    return ipsec_id_of_name(name) != 0 || ipsec_secret_of_name(name, &secret) ||
           ipsec_key_number(name) != 0;
}

uint64_t ipsec_seen_names(const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;
    uint64_t sum = 0;

    vici_reader_init(&reader, packet);
    while (vici_next(&reader, &element) > 0) {
        char name[IPSEC_SECRET_TEXT];
        if (element.kind == VICI_ITEM && element.value.len < sizeof name &&
            is_ours(vici_text_copy(element.value, name, sizeof name))) {
            sum += ipsec_digest(ipsec_digest_start, name);
        }
    }
    return sum;
}

uint64_t ipsec_seen_conn_names(const struct ipsec_seen *seen)
{
    char name[IPSEC_NAME_TEXT];
    uint64_t sum = 0;

    for (size_t i = 0; i < seen->n_conns; i++) {
        sum += ipsec_digest(ipsec_digest_start, ipsec_name(seen->conns[i].id, name));
    }
    return sum;
}

uint64_t ipsec_seen_secret_names(const struct ipsec_seen *seen)
{
    char name[IPSEC_SECRET_TEXT];
    uint64_t sum = 0;

    for (size_t i = 0; i < seen->n_secrets; i++) {
        sum += ipsec_digest(ipsec_digest_start, ipsec_secret_name(&seen->secrets[i], name));
    }
    return sum;
}

uint64_t ipsec_seen_key_names(const struct ipsec_seen *seen)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < seen->n_keys; i++) {
        sum += ipsec_digest(ipsec_digest_start, seen->keys[i].name);
    }
    return sum;
}

/* --- digests ---------------------------------------------------------------------------------- */

static uint64_t digest_conn(uint64_t digest, const struct ipsec_conn *conn)
{
    digest = ipsec_digest_number(digest, conn->id);
    if (conn->foreign) {
        return digest;
    }
    const char *const texts[] = {conn->owner, conn->local_addr, conn->remote_addrs, conn->local_id,
                                 conn->remote_id};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        digest = ipsec_digest(digest, texts[i]);
    }
    digest = ipsec_digest_number(ipsec_digest_number(digest, conn->settings), conn->ends);
    digest = ipsec_digest_number(ipsec_digest_number(digest, conn->credentials), conn->key);
    digest = ipsec_digest_number(digest, (uint64_t)conn->ike_rekey_s << 32 | conn->child_rekey_s);
    return ipsec_digest_number(digest, (uint64_t)conn->dpd_delay_s << 1 | conn->initiate);
}

static uint64_t digest_addr(uint64_t digest, const struct addr *addr)
{
    digest = ipsec_digest_number(digest, (uint64_t)addr->family);
    for (size_t i = 0; i < sizeof addr->bytes; i += sizeof(uint64_t)) {
        uint64_t number;
        memcpy(&number, &addr->bytes[i], sizeof number);
        digest = ipsec_digest_number(digest, number);
    }
    return digest;
}

static uint64_t digest_sa(uint64_t digest, const struct ipsec_sa *sa)
{
    digest = ipsec_digest_number(digest, (uint64_t)sa->id << 32 | sa->ike_id);
    digest = ipsec_digest_number(digest, (uint64_t)sa->n_installed << 2 | (uint64_t)sa->nat << 1 |
                                             sa->established);
    digest = digest_addr(digest_addr(digest, &sa->local_host), &sa->remote_host);
    return ipsec_digest_number(ipsec_digest_number(digest, sa->local_id), sa->remote_id);
}

uint64_t ipsec_seen_digest_secrets(const struct ipsec_seen *seen)
{
    uint64_t digest = ipsec_seen_key_names(seen);

    for (size_t i = 0; i < seen->n_secrets; i++) {
        digest = ipsec_digest_number(digest, seen->secrets[i].id);
        digest = ipsec_digest_number(digest, seen->secrets[i].version);
    }
    return digest;
}

uint64_t ipsec_seen_digest_id(const struct ipsec_seen *seen, uint32_t id)
{
    const struct ipsec_conn *conn = ipsec_find_conn(seen, id);
    uint64_t digest = conn ? digest_conn(ipsec_digest_start, conn) : ipsec_digest_start;

    for (const struct ipsec_sa *sa = ipsec_find_sa(seen, id); sa; sa = ipsec_next_sa(seen, sa)) {
        digest = digest_sa(digest, sa);
    }
    return digest;
}

uint64_t ipsec_seen_digest(const struct ipsec_seen *seen)
{
    uint64_t digest = ipsec_seen_digest_secrets(seen);

    for (size_t i = 0; i < seen->n_conns; i++) {
        digest = digest_conn(digest, &seen->conns[i]);
    }
    for (size_t i = 0; i < seen->n_sas; i++) {
        digest = digest_sa(digest, &seen->sas[i]);
    }
    digest = ipsec_digest(digest, seen->post_quantum);
    return ipsec_digest_number(digest, seen->algorithms_known + 2u * seen->extra_ke);
}

uint32_t ipsec_event_id(const struct vici_packet *packet)
{
    struct vici_reader reader;
    struct vici_element element;

    vici_reader_init(&reader, packet);
    while (vici_next(&reader, &element) > 0) {
        if (element.kind == VICI_SECTION && reader.depth == 1) {
            return id_of(element.name);
        }
    }
    return 0;
}

int ipsec_event_log(const struct vici_packet *packet, struct ipsec_log *ret_log)
{
    struct vici_reader reader;
    struct vici_element element;
    struct ipsec_log log = {0};
    int more;

    vici_reader_init(&reader, packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        if (element.kind != VICI_KEY || reader.depth != 0) {
            continue;
        }
        if (vici_text_is(element.name, "ikesa-name")) {
            log.id = id_of(element.value);
        } else if (vici_text_is(element.name, "ikesa-uniqueid")) {
            log.ike_id = number32(element.value, 10);
        } else if (vici_text_is(element.name, "group")) {
            vici_text_copy(element.value, log.group, sizeof log.group);
        } else if (vici_text_is(element.name, "msg")) {
            vici_text_copy(element.value, log.text, sizeof log.text);
        }
    }
    if (more == 0) {
        *ret_log = log;
    }
    return more;
}
