/* Addresses that somebody uses without being given them. Before a pool with `probe` gives one out,
 * the segment is asked, and the request is parked until there is an answer; then it is served as if
 * it had just come, and now the answers are known. What was seen to be used is told as an event. */
#include "engine/engine_internal.h"

#include "log/log.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum {
    USED_MS = 10000,   /* for so long an address that somebody answered for is not chosen */
    LOOK_MS = 20,      /* between looks for answers */
    TOLD_MS = 3600000, /* the same user of an address is told of once an hour */
    TOLD_MAX = 4096,
    HOST_TEXT = 160,
};

#define FREE_IN "is free in pool "

struct used {
    uint32_t segment_id;
    struct addr addr;
    long long until_ms;
};

struct parked {
    struct request *request; /* its `intended` keeps what the wants point to */
    struct probe_want *wants;
    size_t n;
    struct parked *next;
};

struct probe_service {
    struct parked *parked;
    long long look_ms;
    struct used *used;
    size_t n_used, capacity;
    struct shash told; /* "bio/genome 10.1.0.9 02:..." -> long long * */
};

void probes_open(struct engine *engine)
{
    engine->probes = xzalloc(sizeof *engine->probes);
    shash_init(&engine->probes->told);
}

void probes_close(struct engine *engine)
{
    shash_destroy_free_data(&engine->probes->told);
    free(engine->probes->used);
    free(engine->probes);
    engine->probes = NULL;
}

/* --- telling -------------------------------------------------------------------------------- */

/* Who uses an address, as text. */
struct user {
    const char *tenant, *network;
    const struct segment *segment;
    char addr[ADDR_TEXT], mac[MAC_TEXT];
};

static struct user user_of(const char *tenant, const char *network, const struct segment *segment,
                           const struct addr *addr, const uint8_t mac[MAC_BYTES])
{
    struct user user = {.tenant = tenant, .network = network, .segment = segment};

    addr_print(addr, user.addr);
    mac_print(mac, user.mac);
    return user;
}

/* Whether it is news. */
static bool is_news(struct probe_service *probes, const struct user *user)
{
    char *key = xasprintf("%s/%s %s %s", user->tenant, user->network, user->addr, user->mac);
    long long *told_ms = shash_find_data(&probes->told, key);
    bool news = !told_ms || time_msec() - *told_ms >= TOLD_MS;

    if (!told_ms) {
        if (shash_count(&probes->told) >= TOLD_MAX) {
            shash_clear_free_data(&probes->told);
        }
        told_ms = xmalloc(sizeof *told_ms);
        shash_add(&probes->told, key, told_ms);
    }
    if (news) {
        *told_ms = time_msec();
    }
    free(key);
    return news;
}

static void tell(struct engine *engine, const struct user *user, const char *owner)
{
    char *object;

    if (!is_news(engine->probes, user)) {
        return;
    }
    object = xasprintf("%s/segment/%s", user->network, user->segment->name);
    log_object(LOG_LEVEL_WARNING, "engine", user->tenant, object,
               "a host with MAC %s uses address %s, which %s", user->mac, user->addr, owner);
    events_emit(engine, EVENT_CONFLICT,
                &(struct event_about){user->tenant, user->network, object, 0},
                "a host with MAC %s uses address %s, which %s", user->mac, user->addr, owner);
    free(object);
}

/* --- asking --------------------------------------------------------------------------------- */

static enum backend_probe probe(const struct engine *engine, const struct segment *segment,
                                const struct addr *addr, uint8_t *ret_mac)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        if (engine->classes[i]->probe) {
            return engine->classes[i]->probe(engine->backends[i], segment, addr, ret_mac);
        }
    }
    return PROBE_IMPOSSIBLE;
}

static void note_used(struct probe_service *probes, const struct segment *segment,
                      const struct addr *addr)
{
    size_t kept = 0;

    for (size_t i = 0; i < probes->n_used; i++) {
        if (probes->used[i].until_ms > time_msec()) {
            probes->used[kept++] = probes->used[i];
        }
    }
    probes->n_used = kept;
    if (kept == probes->capacity) {
        probes->used = x2nrealloc(probes->used, &probes->capacity, sizeof *probes->used);
    }
    probes->used[probes->n_used++] = (struct used){segment->id, *addr, time_msec() + USED_MS};
}

static bool is_claimed(const struct parked *parked, uint32_t segment_id, const struct addr *addr)
{
    for (size_t i = 0; i < parked->n; i++) {
        const struct probe_want *want = &parked->wants[i];

        if (want->pool->segment->id == segment_id &&
            (addr_equal(&want->addresses[0], addr) || addr_equal(&want->addresses[1], addr))) {
            return true;
        }
    }
    return false;
}

/* Whether a request that is parked may get the address. */
static bool is_claimed_by_any(const struct probe_service *probes, uint32_t segment_id,
                              const struct addr *addr)
{
    for (const struct parked *parked = probes->parked; parked; parked = parked->next) {
        if (is_claimed(parked, segment_id, addr)) {
            return true;
        }
    }
    return false;
}

bool probes_avoid(const struct engine *engine, const struct pool *pool, const struct addr *addr)
{
    const struct probe_service *probes = engine->probes;

    if (!pool->probes || !pool->segment) {
        return false;
    }
    for (size_t i = 0; i < probes->n_used; i++) {
        if (probes->used[i].segment_id == pool->segment->id &&
            probes->used[i].until_ms > time_msec() && addr_equal(&probes->used[i].addr, addr)) {
            return true;
        }
    }
    return is_claimed_by_any(probes, pool->segment->id, addr);
}

/* Somebody has answered: the node itself, it may be. */
static enum probes used(struct engine *engine, struct request *request,
                        const struct probe_want *want, int i, const uint8_t mac[MAC_BYTES])
{
    struct user user =
        user_of(request->tenant, request->network, want->pool->segment, &want->addresses[i], mac);
    char owner[HOST_TEXT];

    if (want->has_mac && !memcmp(want->mac, mac, MAC_BYTES)) {
        return PROBES_PASS;
    }
    snprintf(owner, sizeof owner, FREE_IN "%s", want->pool->name);
    tell(engine, &user, owner);
    if (!want->fixed[i]) {
        note_used(engine->probes, want->pool->segment, &want->addresses[i]);
        return PROBES_AGAIN;
    }
    request->outcome = REQUEST_CONFLICT;
    request->code = "conflict";
    request_detail(request,
                   xasprintf("address %s is in use on segment %s by a host with MAC %s, which is "
                             "not that of the node",
                             user.addr, user.segment->name, user.mac));
    return PROBES_REFUSE;
}

static enum probes ask_one(struct engine *engine, struct request *request,
                           const struct probe_want *want, int i)
{
    uint8_t mac[MAC_BYTES];

    switch (probe(engine, want->pool->segment, &want->addresses[i], mac)) {
    case PROBE_FREE: return PROBES_PASS;
    case PROBE_RUNNING: return PROBES_WAIT;
    case PROBE_USED: return used(engine, request, want, i, mac);
    case PROBE_IMPOSSIBLE: break;
    }
    request->outcome = REQUEST_AWAY;
    request_detail(request, xasprintf("pool %s probes its addresses, and segment %s is not up, so "
                                      "that nobody can be asked; ask again when it is",
                                      want->pool->name, want->pool->segment->name));
    return PROBES_REFUSE;
}

/* All questions go out at once; the worst answer counts. */
enum probes probes_ask(struct engine *engine, struct request *request,
                       const struct probe_want *wants, size_t n)
{
    enum probes worst = PROBES_PASS;

    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < 2 && wants[i].pool && wants[i].pool->probes; j++) {
            enum probes one =
                wants[i].addresses[j].family ? ask_one(engine, request, &wants[i], j) : PROBES_PASS;

            if (one == PROBES_REFUSE) {
                return one;
            }
            worst = MAX(worst, one);
        }
    }
    return worst;
}

/* --- parking -------------------------------------------------------------------------------- */

void probes_park(struct engine *engine, struct request *request, const struct probe_want *wants,
                 size_t n)
{
    struct parked *parked = xzalloc(sizeof *parked);

    parked->request = request;
    parked->wants = xcalloc(n, sizeof *wants);
    for (size_t i = 0; i < n; i++) {
        if (wants[i].pool->probes) {
            parked->wants[parked->n++] = wants[i];
        }
    }
    parked->next = engine->probes->parked;
    engine->probes->parked = parked;
}

static bool is_answered(const struct engine *engine, const struct parked *parked)
{
    uint8_t mac[MAC_BYTES];

    for (size_t i = 0; i < parked->n; i++) {
        for (int j = 0; j < 2; j++) {
            if (parked->wants[i].addresses[j].family &&
                probe(engine, parked->wants[i].pool->segment, &parked->wants[i].addresses[j],
                      mac) == PROBE_RUNNING) {
                return false;
            }
        }
    }
    return true;
}

static struct request *take(struct parked **link)
{
    struct parked *parked = *link;
    struct request *request = parked->request;

    *link = parked->next;
    free(parked->wants);
    free(parked);
    return request;
}

struct request *probes_unpark(struct engine *engine)
{
    struct probe_service *probes = engine->probes;
    struct parked **link = &probes->parked;

    if (!probes->parked || time_msec() < probes->look_ms) {
        return NULL;
    }
    while (*link) {
        if (is_answered(engine, *link)) {
            return take(link);
        }
        link = &(*link)->next;
    }
    probes->look_ms = time_msec() + LOOK_MS;
    return NULL;
}

void probes_abort(struct engine *engine, const char *why)
{
    while (engine->probes->parked) {
        struct request *request = take(&engine->probes->parked);

        request_detail(request, xstrdup(why));
        request_answer(request, REQUEST_AWAY);
    }
}

/* --- sightings ------------------------------------------------------------------------------ */

/* The pool that would give the address out, if it is one that probes. */
static const struct pool *pool_of(const struct backend_sighting *sighting)
{
    for (size_t i = 0; i < sighting->network->n_pools; i++) {
        const struct pool *pool = &sighting->network->pools[i];
        const struct pool_family *family = pool_find_family(pool, sighting->addr.family);

        if (pool->probes && pool->segment == sighting->segment && family &&
            pool_family_has(family, &sighting->addr)) {
            return pool;
        }
    }
    return NULL;
}

/* Whether the address is used by somebody who was not given it; says whose it is. What a parked
 * request may get is about to be known better, and what was released a moment ago is left alone. */
static bool is_foreign(const struct engine *engine, const struct backend_sighting *sighting,
                       const struct pool *pool, char ret_owner[HOST_TEXT])
{
    const struct nodes *nodes =
        node_service_index(engine, sighting->tenant, sighting->network->name);
    uint32_t id = 0;
    enum address_use use = nodes ? nodes_find_address(nodes, &sighting->addr, &id) : ADDRESS_FREE;
    char mac[MAC_TEXT];
    struct node node;

    if (use == ADDRESS_FREE) {
        snprintf(ret_owner, HOST_TEXT, FREE_IN "%s", pool->name);
        return !is_claimed_by_any(engine->probes, pool->segment->id, &sighting->addr);
    }
    node = nodes_get(nodes, id);
    if (use != ADDRESS_NODE || !node.has_mac || !memcmp(node.mac, sighting->mac, MAC_BYTES)) {
        return false;
    }
    snprintf(ret_owner, HOST_TEXT, "is that of node %s with MAC %s", node.name,
             mac_print(node.mac, mac));
    return true;
}

static void judge(struct engine *engine, const struct backend_sighting *sighting)
{
    const struct pool *pool = pool_of(sighting);
    char owner[HOST_TEXT];
    struct user user;

    if (pool && is_foreign(engine, sighting, pool, owner)) {
        user = user_of(sighting->tenant, sighting->network->name, sighting->segment,
                       &sighting->addr, sighting->mac);
        tell(engine, &user, owner);
    }
}

void probes_run(struct engine *engine)
{
    struct backend_sighting sighting;

    for (size_t i = 0; i < engine->n_backends; i++) {
        while (engine->classes[i]->sighting &&
               engine->classes[i]->sighting(engine->backends[i], &sighting)) {
            judge(engine, &sighting);
        }
    }
}

void probes_wait(const struct engine *engine)
{
    if (engine->probes->parked) {
        poll_timer_wait_until(engine->probes->look_ms);
    }
}
