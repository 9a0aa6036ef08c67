#include "bgp/bgp_show.h"

#include "model/ids.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bgp_bfd_sessions_done(struct bgp_bfd_sessions *sessions)
{
    free(sessions->v);
    *sessions = (struct bgp_bfd_sessions){0};
}

const struct bgp_bfd_session *bgp_bfd_sessions_find(const struct bgp_bfd_sessions *sessions,
                                                    uint32_t network_id, const struct addr *address)
{
    for (size_t i = 0; i < sessions->n; i++) {
        if (sessions->v[i].network_id == network_id &&
            addr_equal(&sessions->v[i].address, address)) {
            return &sessions->v[i];
        }
    }
    return NULL;
}

bool bgp_bfd_sessions_equal(const struct bgp_bfd_sessions *a, const struct bgp_bfd_sessions *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct bgp_bfd_session *other =
            bgp_bfd_sessions_find(b, a->v[i].network_id, &a->v[i].address);

        if (!other || strcmp(other->state, a->v[i].state) != 0 ||
            strcmp(other->diagnostic, a->v[i].diagnostic) != 0) {
            return false;
        }
    }
    return true;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static const char *state_name(const char *text)
{
    static const char *const NAMES[] = {"up", "init", "down", "shutdown"};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!strcmp(text, NAMES[i])) {
            return NAMES[i];
        }
    }
    return "down";
}

static void add(struct bgp_bfd_sessions *sessions, uint32_t network_id, const struct addr *address,
                const cJSON *peer)
{
    struct bgp_bfd_session *session;
    const char *diagnostic = text_of(peer, "diagnostic");

    if (sessions->n == sessions->capacity) {
        sessions->capacity = sessions->capacity ? 2 * sessions->capacity : 16;
        sessions->v = realloc(sessions->v, sessions->capacity * sizeof *sessions->v);
        if (!sessions->v) {
            abort();
        }
    }
    session = &sessions->v[sessions->n++];
    *session = (struct bgp_bfd_session){
        .network_id = network_id,
        .address = *address,
        .state = state_name(text_of(peer, "status")),
    };
    if (strcmp(diagnostic, "ok") != 0 && strcmp(session->state, "up") != 0) {
        snprintf(session->diagnostic, sizeof session->diagnostic, "%s", diagnostic);
    }
}

bool bgp_show_bfd(const char *json, struct bgp_bfd_sessions *ret_sessions)
{
    cJSON *root = cJSON_Parse(json);
    const cJSON *peer;

    if (!cJSON_IsArray(root)) {
        cJSON_Delete(root);
        return false;
    }
    *ret_sessions = (struct bgp_bfd_sessions){0};
    cJSON_ArrayForEach(peer, root) {
        uint32_t id = ids_of_vrf(text_of(peer, "vrf"));
        struct addr address;

        if (id && !addr_parse(text_of(peer, "peer"), &address)) {
            add(ret_sessions, id, &address, peer);
        }
    }
    cJSON_Delete(root);
    return true;
}
