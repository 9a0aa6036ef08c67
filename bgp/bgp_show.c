#include "bgp/bgp_show.h"

#include "model/ids.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENT_MS = 2000 };

void bgp_sessions_done(struct bgp_sessions *sessions)
{
    free(sessions->v);
    *sessions = (struct bgp_sessions){0};
}

static int cmp_sessions(const void *a_, const void *b_)
{
    const struct bgp_session *a = a_, *b = b_;

    return a->network_id != b->network_id ? (a->network_id < b->network_id ? -1 : 1)
                                          : addr_cmp(&a->address, &b->address);
}

struct bgp_session *bgp_sessions_find(const struct bgp_sessions *sessions, uint32_t network_id,
                                      const struct addr *address)
{
    struct bgp_session key = {.network_id = network_id, .address = *address};

    return sessions->n ? bsearch(&key, sessions->v, sessions->n, sizeof key, cmp_sessions) : NULL;
}

static struct bgp_session *session_add(struct bgp_sessions *sessions)
{
    if (sessions->n == sessions->capacity) {
        sessions->capacity = sessions->capacity ? 2 * sessions->capacity : 64;
        sessions->v = realloc(sessions->v, sessions->capacity * sizeof *sessions->v);
        if (!sessions->v) {
            abort();
        }
    }
    sessions->v[sessions->n] = (struct bgp_session){.state = ""};
    return &sessions->v[sessions->n++];
}

/* --- JSON ------------------------------------------------------------------------------------ */

static double get_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) && item->valuedouble > 0 ? item->valuedouble : 0;
}

static uint32_t get_u32(const cJSON *object, const char *key)
{
    double value = get_number(object, key);

    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* A number that a double holds exactly. */
static uint64_t get_u53(const cJSON *object, const char *key)
{
    double value = get_number(object, key);

    return value < 9007199254740992.0 ? (uint64_t)value : 0;
}

static const char *get_string(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *state_name(const char *text)
{
    static const char *const NAMES[] = {"Idle",     "Connect",     "Active",
                                        "OpenSent", "OpenConfirm", "Established"};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!strncmp(text, NAMES[i], strlen(NAMES[i]))) {
            return NAMES[i];
        }
    }
    return "";
}

static void read_peer(const cJSON *peer, size_t index, struct bgp_session *session)
{
    session->state = state_name(get_string(peer, "state"));
    session->established = !strcmp(session->state, "Established");
    session->overflow = !strcmp(get_string(peer, "peerState"), "PfxCt");
    session->shut = !strcmp(get_string(peer, "peerState"), "Admin");
    session->since_ms =
        session->established ? (int64_t)get_u53(peer, "peerUptimeEstablishedEpoch") * 1000 : 0;
    session->sessions = get_u32(peer, "connectionsEstablished");
    session->received = session->received_of[index] = get_u32(peer, "pfxRcd");
    session->sent = session->sent_of[index] = get_u32(peer, "pfxSnt");
    session->queued = get_u32(peer, "outq") + get_u32(peer, "inq");
}

/* The peers of one address family. */
static void read_family(const cJSON *section, size_t index, uint32_t network_id,
                        struct bgp_sessions *sessions)
{
    uint64_t table = get_u53(section, "tableVersion");
    const cJSON *peer;

    cJSON_ArrayForEach(peer, get(section, "peers")) {
        struct bgp_session *session;
        struct addr address;

        if (peer->string && !addr_parse(peer->string, &address)) {
            session = session_add(sessions);
            session->network_id = network_id;
            session->address = address;
            session->families[index] = true;
            session->table = session->tables[index] = table;
            read_peer(peer, index, session);
        }
    }
}

/* What the other address family says of the same session. */
static void merge(struct bgp_session *session, const struct bgp_session *other)
{
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        session->families[i] |= other->families[i];
        session->received_of[i] += other->received_of[i];
        session->sent_of[i] += other->sent_of[i];
        session->tables[i] += other->tables[i];
    }
    session->table += other->table;
    session->received += other->received;
    session->sent += other->sent;
    session->overflow |= other->overflow;
    session->queued = session->queued > other->queued ? session->queued : other->queued;
}

static void sort_and_merge(struct bgp_sessions *sessions)
{
    size_t kept = 0;

    if (sessions->n > 1) {
        qsort(sessions->v, sessions->n, sizeof *sessions->v, cmp_sessions);
    }
    for (size_t i = 0; i < sessions->n; i++) {
        if (kept && !cmp_sessions(&sessions->v[kept - 1], &sessions->v[i])) {
            merge(&sessions->v[kept - 1], &sessions->v[i]);
        } else {
            sessions->v[kept++] = sessions->v[i];
        }
    }
    sessions->n = kept;
}

bool bgp_show_summary(const char *json, struct bgp_sessions *ret_sessions)
{
    cJSON *root = cJSON_Parse(json);
    const cJSON *vrf;

    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return false;
    }
    *ret_sessions = (struct bgp_sessions){0};
    cJSON_ArrayForEach(vrf, root) {
        uint32_t id = vrf->string ? ids_of_vrf(vrf->string) : 0;

        if (id) {
            read_family(get(vrf, "ipv4Unicast"), 0, id, ret_sessions);
            read_family(get(vrf, "ipv6Unicast"), 1, id, ret_sessions);
        }
    }
    cJSON_Delete(root);
    sort_and_merge(ret_sessions);
    return true;
}

static bool same_life(const struct bgp_session *a, const struct bgp_session *b)
{
    return a->established == b->established && a->sessions == b->sessions;
}

/* FRR counts backwards from a rounded uptime, so its answer wavers by a second. */
static void carry_since(struct bgp_session *session, const struct bgp_session *old)
{
    int64_t difference = session->since_ms - old->since_ms;

    if (old->since_ms && difference >= -2000 && difference <= 2000) {
        session->since_ms = old->since_ms;
    }
}

/* A peer that is there answers or refuses within a moment. */
static void carry_silence(struct bgp_session *session, const struct bgp_session *old,
                          int64_t now_ms)
{
    if (!strcmp(session->state, "Connect")) {
        session->connect_ms = old->connect_ms ? old->connect_ms : now_ms;
        session->silent = now_ms - session->connect_ms >= SILENT_MS;
    }
}

static void carry_verdict(struct bgp_session *session, const struct bgp_session *old)
{
    carry_since(session, old);
    session->can_mark_end = old->can_mark_end;
    session->end_received = old->end_received;
    memcpy(session->limited, old->limited, sizeof session->limited);
    session->refreshing = old->refreshing;
    session->refresh_ms = old->refresh_ms;
    session->before = old->before;
    session->can_mark_refresh = old->can_mark_refresh;
    session->settled = old->settled;
    session->passing = old->passing;
    session->passing_table = old->passing_table;
    session->passing_ms = old->passing_ms;
}

bool bgp_show_carry(struct bgp_sessions *sessions, const struct bgp_sessions *old, int64_t now_ms,
                    bool *ret_details)
{
    bool changed = sessions->n != old->n;

    *ret_details = false;
    for (size_t i = 0; i < sessions->n; i++) {
        struct bgp_session *session = &sessions->v[i];
        const struct bgp_session *before =
            bgp_sessions_find(old, session->network_id, &session->address);

        if (!before) {
            changed = true;
            continue;
        }
        session->error = before->error;
        session->error_received = before->error_received;
        memcpy(session->last, before->last, sizeof session->last);
        memcpy(session->error_text, before->error_text, sizeof session->error_text);
        carry_silence(session, before, now_ms);
        if (session->established && same_life(session, before)) {
            carry_verdict(session, before);
        }
        changed |= !same_life(session, before) || session->overflow != before->overflow ||
                   session->shut != before->shut || session->silent != before->silent;
        *ret_details |= session->state != before->state || session->received != before->received ||
                        session->sent != before->sent;
    }
    return changed;
}

static unsigned int hex_byte(const char *text)
{
    unsigned int value = 0;

    for (int i = 0; i < 2; i++) {
        char c = text[i];

        value = value * 16 + (unsigned int)(c >= '0' && c <= '9'   ? c - '0'
                                            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                                   : 0);
    }
    return value;
}

/* Returns whether that is another failure than before. */
static bool read_failure(const cJSON *peer, struct bgp_session *session)
{
    struct bgp_session before = *session;
    const char *code = get_string(peer, "lastErrorCodeSubcode");
    const char *last = get_string(peer, "lastResetDueTo");

    session->error = strlen(code) == 4 ? hex_byte(code) << 8 | hex_byte(code + 2) : 0;
    session->error_received = strstr(last, "received") != NULL;
    snprintf(session->last, sizeof session->last, "%s", last);
    snprintf(session->error_text, sizeof session->error_text, "%s",
             get_string(peer, "lastNotificationReason"));
    return session->error != before.error || session->error_received != before.error_received ||
           strcmp(session->last, before.last) != 0;
}

static bool read_failures(const cJSON *peers, uint32_t network_id, struct bgp_sessions *sessions)
{
    const cJSON *peer;
    bool changed = false;

    cJSON_ArrayForEach(peer, peers) {
        struct bgp_session *session;
        struct addr address;

        if (peer->string && !addr_parse(peer->string, &address)) {
            session = bgp_sessions_find(sessions, network_id, &address);
            changed |= session && read_failure(peer, session);
        }
    }
    return changed;
}

bool bgp_show_failed(const char *json, struct bgp_sessions *sessions)
{
    cJSON *root = cJSON_Parse(json);
    const cJSON *vrf;
    bool changed = false;

    cJSON_ArrayForEach(vrf, root) {
        uint32_t id = vrf->string ? ids_of_vrf(vrf->string) : 0;

        if (id) {
            changed |= read_failures(get(get(vrf, "ipv4Unicast"), "peers"), id, sessions);
            changed |= read_failures(get(get(vrf, "ipv6Unicast"), "peers"), id, sessions);
        }
    }
    cJSON_Delete(root);
    return changed;
}

/* Whether the end was marked of each address family that the session has. */
static bool all_ends(const cJSON *ends, const struct bgp_session *session)
{
    return (!session->families[0] || cJSON_IsTrue(get(ends, "ipv4Unicast"))) &&
           (!session->families[1] || cJSON_IsTrue(get(ends, "ipv6Unicast")));
}

static struct bgp_talk read_talk(const cJSON *peer)
{
    const cJSON *stats = get(peer, "messageStats");

    return (struct bgp_talk){
        .asked = get_u32(stats, "routeRefreshSent"),
        .updates = get_u32(stats, "updatesRecv"),
        .marks = get_u32(stats, "routeRefreshRecv"),
    };
}

/* Whether the peer was asked and has not answered yet. */
static bool is_awaited(const struct bgp_session *session, const struct bgp_talk *now)
{
    uint32_t asked = now->asked - session->before.asked;

    return asked && (session->can_mark_refresh ? now->marks - session->before.marks < 2 * asked
                                               : now->updates == session->before.updates);
}

static void read_details(const cJSON *peer, struct bgp_session *session)
{
    const cJSON *capabilities = get(peer, "neighborCapabilities");
    const char *restart = get_string(capabilities, "gracefulRestart");
    struct bgp_talk talk = read_talk(peer);

    session->can_mark_end = strstr(restart, "Received") || !strcmp(restart, "received");
    session->end_received =
        all_ends(get(get(peer, "gracefulRestartInfo"), "endOfRibRecv"), session);
    session->can_mark_refresh =
        !strcmp(get_string(capabilities, "enhancedRouteRefresh"), "advertisedAndReceived");
    session->refreshing = session->refreshing && is_awaited(session, &talk);
}

typedef void detail_cb(const cJSON *peer, struct bgp_session *session);

static void each_neighbor(const char *json, uint32_t network_id, struct bgp_sessions *sessions,
                          detail_cb *cb)
{
    cJSON *root = cJSON_Parse(json);
    const cJSON *peer;

    cJSON_ArrayForEach(peer, root) {
        struct bgp_session *session;
        struct addr address;

        if (peer->string && !addr_parse(peer->string, &address)) {
            session = bgp_sessions_find(sessions, network_id, &address);
            if (session) {
                cb(peer, session);
            }
        }
    }
    cJSON_Delete(root);
}

void bgp_show_neighbors(const char *json, uint32_t network_id, struct bgp_sessions *sessions)
{
    each_neighbor(json, network_id, sessions, read_details);
}

static void read_before(const cJSON *peer, struct bgp_session *session)
{
    if (!session->refreshing) {
        session->before = read_talk(peer);
    }
    session->refreshing = session->established;
}

void bgp_show_before(const char *json, uint32_t network_id, struct bgp_sessions *sessions,
                     int64_t now_ms)
{
    for (size_t i = 0; i < sessions->n; i++) {
        if (sessions->v[i].network_id == network_id) {
            sessions->v[i].refresh_ms = now_ms;
        }
    }
    each_neighbor(json, network_id, sessions, read_before);
}

/* --- tables ---------------------------------------------------------------------------------- */

/* The number after `label` in a line that begins with it, blanks aside. */
static bool labelled(const char *line, const char *label, uint64_t *ret)
{
    line += strspn(line, " ");
    if (!bgp_starts(line, label)) {
        return false;
    }
    line += strlen(label);
    line += strspn(line, " ");
    if (*line < '0' || *line > '9') {
        return false;
    }
    *ret = strtoull(line, NULL, 10);
    return true;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

bool bgp_show_groups_done(const char *text, uint64_t table)
{
    for (const char *line = text; *line; line = next_line(line)) {
        size_t len = strcspn(line, "\n");
        uint64_t value;

        if (labelled(line, "Version:", &value) && value < table) {
            return false;
        }
        if (labelled(line, "Packet queue length:", &value) && value) {
            return false;
        }
        if (labelled(line, "Coalesce Time:", &value) && memmem(line, len, "(Running)", 9)) {
            return false;
        }
        if (memmem(line, len, "Advertise list: not", 19)) {
            return false;
        }
    }
    return true;
}

bool bgp_show_queues_empty(const char *text)
{
    for (const char *line = text; *line; line = next_line(line)) {
        const char *p = line + (*line == 'P' || *line == ' ');
        uint64_t items;

        if (labelled(p, "", &items) && items) {
            return false;
        }
    }
    return true;
}

bool bgp_show_dplane_empty(const char *text)
{
    for (const char *line = text; *line; line = next_line(line)) {
        uint64_t depth;

        if (labelled(line, "Route update queue depth:", &depth)) {
            return !depth;
        }
    }
    return true;
}

size_t bgp_show_lost_vrfs(const char *text, uint32_t **ret_ids)
{
    uint32_t *ids = NULL;
    size_t n = 0;

    for (const char *line = text; *line; line = next_line(line)) {
        char name[IFNAME_TEXT] = "", state[16] = "";
        uint32_t id;

        if (sscanf(line, "vrf %15s %15s", name, state) != 2 || strcmp(state, "inactive") != 0) {
            continue;
        }
        id = ids_of_vrf(name);
        if (id) {
            ids = realloc(ids, (n + 1) * sizeof *ids);
            if (!ids) {
                abort();
            }
            ids[n++] = id;
        }
    }
    *ret_ids = ids;
    return n;
}
