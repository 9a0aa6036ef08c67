/* Requests for nodes. Each is served on the registry at once and answered when everything that it
 * has seen is stored: all that is served while the store commits one group makes up the next group,
 * so that a commit that takes a millisecond is shared by all who wait (group commit). A failed
 * commit throws the registry away and the database is read again; who waited is told to ask
 * again, so nobody is ever told what is not stored. */
#include "engine/engine_internal.h"
#include "engine/engine_registry.h"

#include "log/log.h"
#include "nodes/allocate.h"

#include <errno.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_MAX = 4096,  /* nodes changed in one commit, about */
    EXPIRE_MAX = 512,  /* quarantines ended at a time */
    VISIT_MAX = 20000, /* nodes looked at for one page of a list */
    EXPIRE_CHECK_MS = 60000,
};

/* Requests that are answered together, in order. */
struct group {
    struct request *first, **tail;
};

struct node_service {
    struct engine *engine;
    struct backend_nodes source;
    struct store_nodes_reader reader;
    struct registry registry;
    struct request *todo, **todo_tail; /* not served yet */
    struct group open;                 /* served */
    struct group stored;               /* being stored */
    bool storing;
    bool spoilt;       /* the registry is not what is stored: nothing is served until it is read */
    size_t changed;    /* nodes in `open` */
    int64_t clock_ms;  /* what quarantine_clock() is ahead of time_msec() */
    int64_t expire_ms; /* by quarantine_clock(): when the next quarantine ends, or may */
};

/* The time of quarantines is the wall clock's, as it has to outlive restarts; but a wall clock that
 * is set must neither end a quarantine nor prolong it, so as long as there is one it is not asked
 * again. */
static int64_t quarantine_clock(const struct node_service *service)
{
    return service->clock_ms + time_msec();
}

static void quarantine_clock_set(struct node_service *service)
{
    service->clock_ms = wall_ms() - time_msec();
}

/* --- groups --------------------------------------------------------------------------------- */

static void group_init(struct group *group)
{
    *group = (struct group){.first = NULL};
    group->tail = &group->first;
}

static void group_add(struct group *group, struct request *request)
{
    request->next = NULL;
    *group->tail = request;
    group->tail = &request->next;
}

/* Answers what was made ready. */
static void group_answer(struct group *group)
{
    struct request *next;

    for (struct request *request = group->first; request; request = next) {
        next = request->next;
        request->done(request);
    }
    group_init(group);
}

static void group_refuse(struct group *group, enum request_outcome outcome, const char *detail)
{
    for (struct request *request = group->first; request; request = request->next) {
        request->outcome = outcome;
        request_detail(request, xstrdup(detail));
    }
    group_answer(group);
}

/* --- reading -------------------------------------------------------------------------------- */

static void reader_begin(void *aux)
{
    struct node_service *service = aux;

    group_refuse(&service->open, REQUEST_AWAY, "the state server is being read again");
    registry_reset(&service->registry);
    service->changed = 0;
    service->spoilt = false;
    service->expire_ms = 0;
}

static bool reader_page(void *aux, const struct store_page *page, const char *const *records,
                        size_t n)
{
    struct node_service *service = aux;

    return registry_add_page(&service->registry, page, records, n);
}

/* --- for the backends ----------------------------------------------------------------------- */

static const struct node_service *source_service(const struct backend_nodes *nodes)
{
    return CONTAINER_OF(nodes, struct node_service, source);
}

static bool source_ready(const struct backend_nodes *nodes)
{
    const struct node_service *service = source_service(nodes);
    const char *reason;

    return !service->spoilt && service->engine->store_serial && !service->engine->store_conflict &&
           store_health(service->engine->store, &reason) == STORE_READY;
}

static const struct intended *source_intended(const struct backend_nodes *nodes)
{
    return source_service(nodes)->engine->intended;
}

static uint64_t source_serial(const struct backend_nodes *nodes)
{
    return source_service(nodes)->registry.serial;
}

/* Of a network that never had a node what the registry began with. */
static uint64_t source_serial_of(const struct backend_nodes *nodes, const char *tenant,
                                 const char *network)
{
    const struct node_net *net = registry_find(&source_service(nodes)->registry, tenant, network);

    return net ? net->serial : 1;
}

struct visit {
    const struct nodes *index;
    backend_node_cb *cb;
    void *aux;
};

static void visit_node(void *aux, uint32_t id)
{
    const struct visit *visit = aux;
    struct node node = nodes_get(visit->index, id);

    visit->cb(&(struct backend_node){node.name, node.pool, node.addresses, node.has_mac, node.mac},
              visit->aux);
}

static void source_each(const struct backend_nodes *nodes, const char *tenant, const char *network,
                        backend_node_cb *cb, void *aux)
{
    const struct node_net *net = registry_find(&source_service(nodes)->registry, tenant, network);
    struct visit visit = {net ? net->index : NULL, cb, aux};

    if (net) {
        nodes_each(net->index, visit_node, &visit);
    }
}

const struct nodes *node_service_index(const struct engine *engine, const char *tenant,
                                       const char *network)
{
    const struct node_net *net = registry_find(&engine->nodes->registry, tenant, network);

    return net ? net->index : NULL;
}

const struct backend_nodes *node_service_source(const struct engine *engine)
{
    return &engine->nodes->source;
}

void node_service_open(struct engine *engine)
{
    struct node_service *service = xzalloc(sizeof *service);

    service->engine = engine;
    service->source = (struct backend_nodes){source_ready, source_intended, source_serial,
                                             source_serial_of, source_each};
    service->reader = (struct store_nodes_reader){reader_begin, reader_page, service};
    registry_init(&service->registry);
    service->todo_tail = &service->todo;
    group_init(&service->open);
    group_init(&service->stored);
    quarantine_clock_set(service);
    engine->nodes = service;
    probes_open(engine);
    store_read_nodes(engine->store, &service->reader);
}

void node_service_close(struct engine *engine)
{
    if (engine->nodes) {
        registry_done(&engine->nodes->registry);
        free(engine->nodes);
        engine->nodes = NULL;
        probes_close(engine);
    }
}

/* --- storing -------------------------------------------------------------------------------- */

static void stored(void *aux, int result, const char *detail)
{
    struct engine *engine = aux;
    struct node_service *service = engine->nodes;
    char *why;
    const char *reason;

    service->storing = false;
    status_changed(engine);
    if (!result) {
        group_answer(&service->stored);
        return;
    }
    why = xasprintf("the nodes could not be stored: %s", detail ? detail : ovs_strerror(-result));
    if (result != -ECANCELED) {
        log_line(LOG_LEVEL_WARNING, "engine", "%s", why);
    }
    service->spoilt = true;
    if (result != -ECANCELED && store_health(engine->store, &reason) == STORE_READY) {
        store_read_again(engine->store);
    }
    group_refuse(&service->stored, REQUEST_AWAY, why);
    group_refuse(&service->open, REQUEST_AWAY, why);
    free(why);
}

static void flush(struct engine *engine)
{
    struct node_service *service = engine->nodes;
    struct store_page_change *changes;
    size_t n;

    if (service->storing || service->spoilt) {
        return;
    }
    if (!registry_is_dirty(&service->registry)) {
        group_answer(&service->open);
        return;
    }
    changes = registry_take_changes(&service->registry, &n);
    service->stored = service->open;
    if (!service->open.first) {
        service->stored.tail = &service->stored.first;
    }
    group_init(&service->open);
    service->changed = 0;
    if (n) {
        service->storing = true;
        store_put_nodes(engine->store, changes, n, stored, engine);
    } else {
        group_answer(&service->stored);
    }
    changes_free(changes, n);
}

/* --- answers -------------------------------------------------------------------------------- */

static void add_answer(struct request *request, const struct network *network,
                       const struct nodes *nodes, uint32_t id)
{
    struct node node = nodes_get(nodes, id);
    struct request_node *answer;

    if (!(request->n_nodes & (request->n_nodes - 1))) { /* full at each power of two */
        request->nodes =
            xrealloc(request->nodes, MAX(1, 2 * request->n_nodes) * sizeof *request->nodes);
    }
    answer = &request->nodes[request->n_nodes++];
    *answer = (struct request_node){
        .name = xstrdup(node.name),
        .labels = nullable_xstrdup(node.labels),
        .addresses = {node.addresses[0], node.addresses[1]},
        .has_mac = node.has_mac,
        .pool = network_find_pool(network, node.pool),
    };
    memcpy(answer->mac, node.mac, sizeof answer->mac);
}

static void answer_none(struct request *request)
{
    for (size_t i = 0; i < request->n_nodes; i++) {
        free(request->nodes[i].name);
        free(request->nodes[i].labels);
    }
    free(request->nodes);
    request->nodes = NULL;
    request->n_nodes = 0;
}

/* --- adding --------------------------------------------------------------------------------- */

struct adding {
    const struct network *network;
    struct node_net *net;
    uint32_t *ids;             /* of the new ones */
    struct probe_want *probes; /* likewise */
    size_t n_new;
    size_t limit; /* of the tenant's nodes */
    struct allocation_avoid avoid;
};

static size_t limit_of(const struct engine *engine, const char *tenant)
{
    const struct config_tenant *config = config_find_tenant(engine->config, tenant);

    return config ? config->limits.nodes : 0;
}

static void note_new(struct adding *adding, const struct node_want *want, uint32_t id)
{
    struct node node = nodes_get(adding->net->index, id);
    struct probe_want *probe = &adding->probes[adding->n_new];

    *probe = (struct probe_want){
        .pool = network_find_pool(adding->network, node.pool),
        .addresses = {node.addresses[0], node.addresses[1]},
        .fixed = {want->addresses[0].family != 0, want->addresses[1].family != 0},
        .has_mac = node.has_mac,
    };
    memcpy(probe->mac, node.mac, MAC_BYTES);
    adding->ids[adding->n_new++] = id;
}

/* Nobody has heard of them. */
static void take_back(struct adding *adding)
{
    for (size_t i = 0; i < adding->n_new; i++) {
        nodes_remove(adding->net->index, adding->ids[i]);
    }
    adding->n_new = 0;
}

/* Serves one of the wanted nodes. False: it cannot be, and the outcome says why. */
static bool add_one(struct request *request, struct adding *adding, const struct node_want *want)
{
    char detail[ALLOCATION_DETAIL];
    uint32_t id;

    if (adding->net->use->count + adding->n_new >= adding->limit &&
        nodes_find(adding->net->index, want->name) == NODE_NONE) {
        request->outcome = REQUEST_CONFLICT;
        request->code = "limit-reached";
        request_detail(request, xasprintf("limit-reached: tenant %s may have %zu nodes",
                                          request->tenant, adding->limit));
        return false;
    }
    switch (allocate(adding->net->index, adding->network, want, &adding->avoid, request->errors,
                     &id, detail)) {
    case ALLOCATED: note_new(adding, want, id); break;
    case ALLOCATED_BEFORE: break;
    case ALLOCATION_WRONG: request->outcome = REQUEST_WRONG; return false;
    case ALLOCATION_CONFLICT:
    case ALLOCATION_FULL:
        request->outcome = REQUEST_CONFLICT;
        request->code = strstr(detail, "pool-exhausted") == detail ? "pool-exhausted" : "conflict";
        request_detail(request, xstrdup(detail));
        return false;
    }
    add_answer(request, adding->network, adding->net->index, id);
    return true;
}

/* All or none. Every wrong one is reported. */
static bool add_all(struct request *request, struct adding *adding)
{
    bool ok = true;

    for (size_t i = 0; i < request->wants->n && (ok || request->outcome == REQUEST_WRONG); i++) {
        ok = add_one(request, adding, &request->wants->items[i]) && ok;
        if (!ok && request->outcome == REQUEST_CONFLICT && errors_count(request->errors)) {
            request->outcome = REQUEST_WRONG;
            break;
        }
    }
    if (!ok) {
        take_back(adding);
    }
    return ok;
}

static bool avoids(const struct pool *pool, const struct addr *addr, void *engine)
{
    return probes_avoid(engine, pool, addr);
}

/* Adds all, and asks for the addresses where their pools say so. */
static enum probes add_probed(struct engine *engine, struct request *request, struct adding *adding,
                              bool *ret_ok)
{
    enum probes probes;

    do {
        *ret_ok = add_all(request, adding);
        probes = *ret_ok ? probes_ask(engine, request, adding->probes, adding->n_new) : PROBES_PASS;
        if (probes == PROBES_WAIT) {
            probes_park(engine, request, adding->probes, adding->n_new);
        }
        if (probes != PROBES_PASS) {
            take_back(adding);
            answer_none(request);
        }
    } while (probes == PROBES_AGAIN);
    return probes;
}

/* False: the request is parked. */
static bool serve_add(struct engine *engine, struct request *request, const struct network *network)
{
    struct node_service *service = engine->nodes;
    struct adding adding = {
        .network = network,
        .net = registry_net(&service->registry, request->tenant, request->network),
        .ids = xcalloc(request->wants->n, sizeof *adding.ids),
        .probes = xcalloc(request->wants->n, sizeof *adding.probes),
        .limit = limit_of(engine, request->tenant),
        .avoid = {avoids, engine},
    };
    bool ok;
    enum probes probes = add_probed(engine, request, &adding, &ok);

    if (probes == PROBES_PASS && ok) {
        for (size_t i = 0; i < adding.n_new; i++) {
            registry_added(&service->registry, adding.net, adding.ids[i]);
        }
        service->changed += adding.n_new;
        request->outcome = adding.n_new ? REQUEST_DONE : REQUEST_UNCHANGED;
    } else if (probes == PROBES_PASS) {
        answer_none(request);
        errors_sort(request->errors);
    }
    free(adding.ids);
    free(adding.probes);
    return probes != PROBES_WAIT;
}

/* --- getting -------------------------------------------------------------------------------- */

static uint32_t find_one(const struct request *request, const struct nodes *nodes)
{
    uint32_t id = NODE_NONE;

    if (request->node) {
        return nodes_find(nodes, request->node);
    }
    if (request->by_mac) {
        return nodes_find_mac(nodes, request->mac);
    }
    return nodes_find_address(nodes, &request->address, &id) == ADDRESS_NODE ? id
                                                                             : (uint32_t)NODE_NONE;
}

static void list(struct request *request, const struct network *network, const struct nodes *nodes)
{
    size_t limit = request->limit ? request->limit : REQUEST_NODES_LIMIT, visited = 0;
    uint32_t id = nodes_after(nodes, request->after);

    while (id != NODE_NONE) {
        struct node node = nodes_get(nodes, id);
        uint32_t next = nodes_after(nodes, node.name);

        if (!request->pool || !strcmp(node.pool, request->pool)) {
            add_answer(request, network, nodes, id);
        }
        if (next != NODE_NONE && (request->n_nodes == limit || ++visited == VISIT_MAX)) {
            request->next_node = xstrdup(node.name);
            return;
        }
        id = next;
    }
}

static void serve_get(const struct engine *engine, struct request *request,
                      const struct network *network)
{
    const struct node_net *net =
        registry_find(&engine->nodes->registry, request->tenant, request->network);
    uint32_t id = NODE_NONE;

    request->outcome = REQUEST_DONE;
    if (!request->node && !request->by_address && !request->by_mac) {
        if (net) {
            list(request, network, net->index);
        }
        return;
    }
    if (net) {
        id = find_one(request, net->index);
    }
    if (id != NODE_NONE && request->pool &&
        strcmp(nodes_get(net->index, id).pool, request->pool) != 0) {
        id = NODE_NONE;
    }
    if (id != NODE_NONE) {
        add_answer(request, network, net->index, id);
    } else if (request->node) {
        request->outcome = REQUEST_NOT_FOUND;
        request_detail(request,
                       xasprintf("network %s has no node %.64s", request->network, request->node));
    }
}

/* --- ending --------------------------------------------------------------------------------- */

static void serve_end(struct engine *engine, struct request *request, const struct network *network)
{
    struct node_service *service = engine->nodes;
    struct node_net *net = registry_find(&service->registry, request->tenant, request->network);
    uint32_t id = net ? nodes_find(net->index, request->node) : (uint32_t)NODE_NONE;
    const struct pool *pool;
    int64_t until_ms = 0;

    if (id == NODE_NONE) {
        request->outcome = REQUEST_NOT_FOUND;
        request_detail(request,
                       xasprintf("network %s has no node %.64s", request->network, request->node));
        return;
    }
    pool = network_find_pool(network, nodes_get(net->index, id).pool);
    if (pool && pool->quarantine_s) {
        until_ms = quarantine_clock(service) + (int64_t)pool->quarantine_s * 1000;
        service->expire_ms = MIN(service->expire_ms, until_ms);
    }
    registry_release(&service->registry, net, id, until_ms);
    service->changed++;
    request->outcome = REQUEST_DONE;
}

/* --- quarantines ---------------------------------------------------------------------------- */

/* Ends those of a network that are over; what it finds is the time of the next one. */
static int64_t expire_net(struct node_service *service, struct node_net *net, int64_t now_ms)
{
    int64_t until_ms = INT64_MAX;
    uint32_t id;

    while ((id = nodes_first_quarantine(net->index, &until_ms)) != NODE_NONE &&
           until_ms <= now_ms && service->changed < EXPIRE_MAX) {
        registry_end_quarantine(&service->registry, net, id);
        service->changed++;
        until_ms = INT64_MAX;
    }
    return until_ms;
}

static void expire(struct node_service *service)
{
    int64_t now_ms = quarantine_clock(service), next_ms = INT64_MAX;
    struct shash_node *node;

    if (now_ms < service->expire_ms) {
        return;
    }
    SHASH_FOR_EACH(node, &service->registry.nets) {
        next_ms = MIN(next_ms, expire_net(service, node->data, now_ms));
    }
    if (next_ms == INT64_MAX) {
        quarantine_clock_set(service);
        now_ms = quarantine_clock(service);
    }
    service->expire_ms = MIN(next_ms, now_ms + EXPIRE_CHECK_MS);
}

/* --- the service ---------------------------------------------------------------------------- */

bool node_service_takes(const struct request *request)
{
    return request->kind == REQUEST_NODES_ADD || request->kind == REQUEST_NODES_GET ||
           request->kind == REQUEST_NODES_END;
}

void node_service_add(struct engine *engine, struct request *request)
{
    *engine->nodes->todo_tail = request;
    engine->nodes->todo_tail = &request->next;
}

static struct request *todo_pop(struct node_service *service)
{
    struct request *request = service->todo;

    service->todo = request->next;
    if (!service->todo) {
        service->todo_tail = &service->todo;
    }
    return request;
}

static void serve(struct engine *engine, struct request *request)
{
    const struct intended_tenant *tenant = intended_find(engine->intended, request->tenant);
    const struct network *network =
        tenant ? topology_find_network(tenant->topology, request->network) : NULL;

    intended_unref(request->intended); /* of the last time, if it was parked */
    request->intended = intended_ref(engine->intended);
    if (!network) {
        request->outcome = REQUEST_NOT_FOUND;
        request_detail(request, xasprintf("tenant %s has no network %.64s", request->tenant,
                                          request->network));
    } else if (request->kind == REQUEST_NODES_ADD) {
        if (!serve_add(engine, request, network)) {
            return;
        }
    } else if (request->kind == REQUEST_NODES_END) {
        serve_end(engine, request, network);
    } else {
        serve_get(engine, request, network);
    }
    group_add(&engine->nodes->open, request);
}

/* Answers those that have waited long enough for a state server that does not answer. */
static void refuse_todo(struct node_service *service, bool opening, const char *why)
{
    while (service->todo && (!opening || time_msec() >= service->todo->deadline_ms)) {
        struct request *request = todo_pop(service);

        request_detail(request, xstrdup(why));
        request_answer(request, REQUEST_AWAY);
    }
}

void node_service_run(struct engine *engine)
{
    struct node_service *service = engine->nodes;
    struct request *request;
    bool opening;
    char *blocked = store_blocked(engine, &opening);

    if (!blocked && service->spoilt) {
        blocked = xstrdup("state server: it is being read again");
        opening = true;
    }
    if (blocked) {
        probes_abort(engine, blocked);
        refuse_todo(service, opening, blocked);
        free(blocked);
        return;
    }
    if (engine->committing || engine->exclusive) {
        flush(engine);
        return;
    }
    expire(service);
    while ((request = probes_unpark(engine))) {
        serve(engine, request);
    }
    while (service->todo && service->changed < GROUP_MAX) {
        serve(engine, todo_pop(service));
    }
    if (service->registry.broken) {
        log_line(LOG_LEVEL_ERROR, "engine", "the nodes contradict themselves; reading them again");
        service->spoilt = true;
        group_refuse(&service->open, REQUEST_AWAY, "the nodes are being read again");
        store_read_again(engine->store);
    }
    flush(engine);
}

void node_service_wait(struct engine *engine)
{
    const struct node_service *service = engine->nodes;
    const char *reason;

    if (service->storing || engine->committing || engine->exclusive) {
        return; /* the store's answer wakes us */
    }
    if (service->todo) {
        poll_timer_wait_until(service->todo->deadline_ms);
    }
    if (!service->spoilt && engine->store_serial && !engine->store_conflict &&
        store_health(engine->store, &reason) == STORE_READY) {
        poll_timer_wait(
            MIN(MAX(service->expire_ms - quarantine_clock(service), 1), EXPIRE_CHECK_MS));
    }
}

void node_service_abort(struct engine *engine)
{
    probes_abort(engine, "routerd is stopping; ask again in a moment");
    refuse_todo(engine->nodes, false, "routerd is stopping; ask again in a moment");
    group_refuse(&engine->nodes->open, REQUEST_AWAY, "routerd is stopping; ask again in a moment");
}

bool node_service_busy(const struct engine *engine)
{
    return engine->nodes->storing || engine->nodes->open.first ||
           registry_is_dirty(&engine->nodes->registry);
}

/* --- topologies ----------------------------------------------------------------------------- */

struct holding {
    const struct node_net *net;
    const struct topology *topology;
    const struct network *network; /* in the new topology, or null */
    struct errors *errors;
};

static void check_node(void *aux, uint32_t id)
{
    const struct holding *holding = aux;
    char detail[ALLOCATION_DETAIL];
    const struct doc *doc = holding->topology->doc;
    const struct pool *pool;

    if (allocation_holds(holding->net->index, id, holding->network, detail)) {
        return;
    }
    if (holding->network) {
        pool = network_find_pool(holding->network, nodes_get(holding->net->index, id).pool);
        doc = pool ? pool->doc : holding->network->doc;
        doc_error(doc, holding->errors, "%s; release it first", detail);
    } else {
        doc_error(doc, holding->errors, "%s in network %s; release it first", detail,
                  holding->net->network);
    }
}

static bool family_same(const struct pool_family *a, const struct pool_family *b)
{
    return !prefix_cmp(&a->prefix, &b->prefix) && a->n_usable == b->n_usable &&
           !memcmp(a->usable, b->usable, a->n_usable * sizeof *a->usable);
}

/* Whether all pools that there were are there as they were. */
static bool pools_same(const struct network *old, const struct network *new)
{
    for (size_t i = 0; i < old->n_pools; i++) {
        const struct pool *pool = &old->pools[i], *other = network_find_pool(new, pool->name);

        if (!other || other->n_families != pool->n_families) {
            return false;
        }
        for (size_t j = 0; j < pool->n_families; j++) {
            if (!family_same(&pool->families[j], &other->families[j])) {
                return false;
            }
        }
    }
    return true;
}

void node_service_check(const struct engine *engine, const char *tenant,
                        const struct topology *topology, struct errors *errors)
{
    const struct intended_tenant *old = intended_find(engine->intended, tenant);
    struct shash_node *node;

    SHASH_FOR_EACH(node, &engine->nodes->registry.nets) {
        const struct node_net *net = node->data;
        struct holding holding = {net, topology, topology_find_network(topology, net->network),
                                  errors};
        const struct network *in_force =
            old ? topology_find_network(old->topology, net->network) : NULL;

        if (!strcmp(net->tenant, tenant) && nodes_count(net->index) &&
            !(in_force && holding.network && pools_same(in_force, holding.network))) {
            nodes_each(net->index, check_node, &holding);
        }
    }
}

void node_service_status(const struct engine *engine, struct status *status)
{
    for (size_t i = 0; i < status->n_tenants; i++) {
        const struct tenant_status *tenant = &status->tenants[i];

        for (size_t j = 0; !tenant->home && j < tenant->n_networks; j++) {
            struct network_status *network = &tenant->networks[j];
            const struct node_net *net =
                registry_find(&engine->nodes->registry, tenant->name, network->object.name);

            network->nodes_allocated = net ? nodes_count(net->index) : 0;
        }
    }
}
