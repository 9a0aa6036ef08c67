/* Nodes and topologies at the same time, on an engine with nothing but a backend that answers for
 * hosts on a segment, and a real ovsdb-server: no
 * topology that is accepted leaves a node without its pool, whichever comes first; the tenant's
 * limit; counting. What requests for nodes come to is tested in tests/nodes. */
#include "engine_fixture.h"

#include "engine/engine.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a wall clock that can be set ----------------------------------------------------------- */

static _Atomic int64_t set_forward_s;

/* In the place of libc's. */
int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    int error = (int)syscall(SYS_clock_gettime, clock_id, tp);

    if (!error && clock_id == CLOCK_REALTIME) {
        tp->tv_sec += set_forward_s;
    }
    return error;
}

/* --- hosts on a segment --------------------------------------------------------------------- */

enum { ASKED = 64, ANSWER_MS = 30 };

/* Set while nobody asks; the rest is the engine thread's. */
static struct {
    const char *used; /* an address that `mac` answers for; null: none */
    uint8_t mac[MAC_BYTES];
    bool away;
    struct addr asked[ASKED];
    long long asked_ms[ASKED];
    size_t n_asked;
} hosts = {.mac = {2, 0, 0, 0, 0, 0x99}};

static int hosts_open(const struct config *config, struct backend **ret_backend)
{
    (void)config;
    *ret_backend = xzalloc(sizeof **ret_backend);
    return 0;
}

static void hosts_close(struct backend *backend)
{
    free(backend);
}

static bool hosts_run(struct backend *backend)
{
    (void)backend;
    return false;
}

static void hosts_wait(struct backend *backend)
{
    (void)backend;
}

static enum backend_health hosts_health(const struct backend *backend, const char **ret_reason)
{
    (void)backend;
    *ret_reason = NULL;
    return BACKEND_READY;
}

static void hosts_diff(struct backend *backend, const struct intended *intended, struct plan *plan)
{
    (void)backend;
    (void)intended;
    (void)plan;
}

static void hosts_status(struct backend *backend, struct status *status)
{
    (void)backend;
    (void)status;
}

static enum backend_probe hosts_probe(struct backend *backend, const struct segment *segment,
                                      const struct addr *addr, uint8_t *ret_mac)
{
    char text[ADDR_TEXT];
    size_t i = 0;

    (void)backend;
    assert_string_equal(segment->name, "s");
    if (hosts.away) {
        return PROBE_IMPOSSIBLE;
    }
    while (i < hosts.n_asked && !addr_equal(&hosts.asked[i], addr)) {
        i++;
    }
    if (i == hosts.n_asked) {
        assert_true(i < ASKED);
        hosts.asked[hosts.n_asked] = *addr;
        hosts.asked_ms[hosts.n_asked++] = time_msec();
    }
    if (time_msec() < hosts.asked_ms[i] + ANSWER_MS) {
        return PROBE_RUNNING;
    }
    memcpy(ret_mac, hosts.mac, MAC_BYTES);
    return hosts.used && !strcmp(addr_print(addr, text), hosts.used) ? PROBE_USED : PROBE_FREE;
}

static const struct backend_class hosts_class = {
    .name = "hosts",
    .open = hosts_open,
    .close = hosts_close,
    .run = hosts_run,
    .wait = hosts_wait,
    .health = hosts_health,
    .diff = hosts_diff,
    .status = hosts_status,
    .probe = hosts_probe,
};
static const struct backend_class *const classes[] = {&hosts_class};

/* --- the fixture ---------------------------------------------------------------------------- */

static int setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);
    char *database;

    strcpy(f->directory, "/tmp/test_engine.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/db.sock", f->directory);
    run_command("ovsdb-tool create %s/router.db %s/routerd/store/router.ovsschema", f->directory,
                SOURCE_DIR);
    database = xasprintf("%s/router.db", f->directory);
    f->server = server_start(f->directory, f->socket, database);
    free(database);
    f->config =
        xasprintf("version: 1\n"
                  "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
                  "uplinks: {sinet: {type: trunk, interface: ens4}}\n"
                  "control: {socket: {path: %s/control.sock}}\n"
                  "tenants: {bio: {limits: {nodes: 300}, vlans: {sinet: ['1-9']}}, geo: {}}\n"
                  "state: {server: \"unix:%s\", file: %s/router.db}\n",
                  f->directory, f->socket, f->directory);
    start_engine_on(f, classes);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    stop_engine(f);
    server_stop(f->server, f->socket);
    run_command("rm -r %s", f->directory);
    free(f->config);
    free(f);
    return 0;
}

/* --- requests ------------------------------------------------------------------------------- */

static void request_done(struct request *request)
{
    sem_post(request->aux);
}

/* Hands over; to be awaited with take(). */
static struct request *give(struct fixture *f, struct request *request)
{
    sem_t *answered = xmalloc(sizeof *answered);

    sem_init(answered, 0, 0);
    request->aux = answered;
    request->done = request_done;
    engine_submit(f->engine, request);
    return request;
}

static enum request_outcome take(struct request *request)
{
    while (sem_wait(request->aux)) {
    }
    sem_destroy(request->aux);
    free(request->aux);
    return request->outcome;
}

static struct request *topology_request(const char *text)
{
    struct request *request = request_new(REQUEST_TOPOLOGY);

    request->tenant = xstrdup("bio");
    request->who = xstrdup("test");
    request->errors = errors_new();
    request->topology = topology_parse(text, strlen(text), request->errors);
    assert_int_equal(errors_count(request->errors), 0);
    return request;
}

/* 10.0.0.0/16 without the addresses from 10.0.0.128 on, or with them. */
static struct request *pools_request(bool wide, const char *quarantine)
{
    char *text =
        xasprintf("version: 1\nnetworks: [{name: a, pools: [{name: p, prefix: 10.0.0.0/16, "
                  "range: 10.0.0.1-10.0.%s, quarantine: %s}]}]\n",
                  wide ? "200.0" : "0.127", quarantine);
    struct request *request = topology_request(text);

    free(text);
    return request;
}

static struct request *node_request(enum request_kind kind, const char *body)
{
    struct request *request = request_new(kind);

    request->tenant = xstrdup("bio");
    request->network = xstrdup("a");
    if (kind == REQUEST_NODES_ADD) {
        request->errors = errors_new();
        request->wants = node_wants_parse(body, strlen(body), request->errors);
        assert_int_equal(errors_count(request->errors), 0);
    } else if (body) {
        request->node = xstrdup(body);
    }
    return request;
}

static enum request_outcome ask(struct fixture *f, struct request *request)
{
    enum request_outcome outcome = take(give(f, request));

    request_free(request);
    return outcome;
}

/* --- tests ---------------------------------------------------------------------------------- */

/* In both orders, many times, mostly at once: the pool shrinks while a node takes what it loses. */
static void no_node_is_left_without_its_pool(void **state)
{
    struct fixture *f = *state;
    int refused = 0, conflicts = 0;

    assert_int_equal(ask(f, pools_request(true, "0")), REQUEST_DONE);
    for (int i = 0; i < 200; i++) {
        struct request *shrink = pools_request(false, i % 4 == 1 ? "0" : "1");
        struct request *add = node_request(REQUEST_NODES_ADD, "{name: n, address: 10.0.9.9}");
        struct request *first = i % 2 ? shrink : add, *second = i % 2 ? add : shrink;
        bool at_once = i % 8 > 1;

        give(f, first);
        if (at_once) {
            give(f, second);
            take(first);
        } else {
            take(first);
            give(f, second);
        }
        take(second);
        assert_true((add->outcome == REQUEST_DONE && shrink->outcome == REQUEST_WRONG) ||
                    (add->outcome == REQUEST_WRONG && shrink->outcome == REQUEST_DONE));
        assert_true(at_once || first->outcome == REQUEST_DONE);
        refused += shrink->outcome == REQUEST_WRONG;
        conflicts += add->outcome == REQUEST_WRONG;
        if (shrink->outcome == REQUEST_WRONG) {
            assert_non_null(strstr(errors_get(shrink->errors, 0)->message, "node n has 10.0.9.9"));
        }
        request_free(add);
        request_free(shrink);
        ask(f, pools_request(true, "0"));
        ask(f, node_request(REQUEST_NODES_END, "n"));
        assert_int_equal(ask(f, node_request(REQUEST_NODES_GET, "n")), REQUEST_NOT_FOUND);
    }
    assert_true(refused > 0 && conflicts > 0);
}

static void growing_is_free_and_nodes_stay(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    assert_int_equal(ask(f, pools_request(false, "60")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "[{name: x}, {name: y}]")),
                     REQUEST_DONE);
    assert_int_equal(ask(f, pools_request(true, "60")), REQUEST_DONE);
    assert_int_equal(ask(f, topology_request("version: 1\nnetworks: []\n")), REQUEST_WRONG);
    stop_engine(f);
    start_engine_on(f, classes);
    request = node_request(REQUEST_NODES_GET, NULL);
    assert_int_equal(take(give(f, request)), REQUEST_DONE);
    assert_int_equal(request->n_nodes, 2);
    assert_string_equal(request->nodes[1].name, "y");
    assert_int_equal(request->nodes[1].addresses[0].bytes[3], 2);
    assert_string_equal(request->nodes[1].pool->name, "p");
    request_free(request);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_END, "x")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_END, "y")), REQUEST_DONE);
    assert_int_equal(ask(f, topology_request("version: 1\nnetworks: []\n")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_GET, NULL)), REQUEST_NOT_FOUND);
    assert_int_equal(ask(f, pools_request(true, "60")), REQUEST_DONE);
    request =
        node_request(REQUEST_NODES_ADD, "{name: z}"); /* the quarantine outlived the network */
    assert_int_equal(take(give(f, request)), REQUEST_DONE);
    assert_int_equal(request->nodes[0].addresses[0].bytes[3], 3);
    request_free(request);
}

static void the_tenants_limit_holds(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    char name[64];

    assert_int_equal(ask(f, pools_request(true, "0")), REQUEST_DONE);
    for (int i = 0; i < 300; i += 2) {
        snprintf(name, sizeof name, "[{name: n%d}, {name: n%d}]", i, i + 1);
        assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, name)), REQUEST_DONE);
    }
    request = node_request(REQUEST_NODES_ADD, "[{name: n1}, {name: m}]");
    assert_int_equal(take(give(f, request)), REQUEST_CONFLICT);
    assert_string_equal(request->code, "limit-reached");
    request_free(request);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "[{name: n1}]")), REQUEST_UNCHANGED);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_END, "n1")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "[{name: m}, {name: n2}]")),
                     REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "{name: o}")), REQUEST_CONFLICT);
}

static struct request *probing_request(void)
{
    return topology_request(
        "version: 1\nnetworks:\n- name: a\n"
        "  segments: [{name: s, attachments: [{uplink: sinet, vlan: 7}], gateway: [10.5.0.1/24]}]\n"
        "  pools: [{name: p, prefix: 10.5.0.0/24, probe: true, quarantine: 0}]\n");
}

static void expect_address(struct fixture *f, const char *body, const char *expected)
{
    struct request *request = node_request(REQUEST_NODES_ADD, body);
    char text[ADDR_TEXT];

    assert_int_equal(take(give(f, request)), REQUEST_DONE);
    assert_int_equal(request->n_nodes, 1);
    assert_string_equal(addr_print(&request->nodes[0].addresses[0], text), expected);
    request_free(request);
}

static void what_others_use_is_not_given_out(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    hosts.used = "10.5.0.2";
    hosts.n_asked = 0;
    assert_int_equal(ask(f, probing_request()), REQUEST_DONE);
    expect_address(f, "{name: n}", "10.5.0.3");
    request = node_request(REQUEST_NODES_ADD, "{name: m, address: 10.5.0.2}");
    assert_int_equal(take(give(f, request)), REQUEST_CONFLICT);
    assert_string_equal(request->detail,
                        "address 10.5.0.2 is in use on segment s by a host with MAC "
                        "02:00:00:00:00:99, which is not that of the node");
    assert_int_equal(request->n_nodes, 0);
    request_free(request);
    expect_address(f, "{name: m, address: 10.5.0.2, mac: '02:00:00:00:00:99'}", "10.5.0.2");
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "{name: n}")), REQUEST_UNCHANGED);
    hosts.away = true;
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "{name: o}")), REQUEST_AWAY);
    hosts.away = false;
    hosts.used = NULL;
}

/* Each parked request has an address of its own in view, and all are answered. */
static void probes_of_many_do_not_meet(void **state)
{
    enum { MANY = 20 };
    struct fixture *f = *state;
    struct request *requests[MANY];
    bool seen[256] = {false};
    char body[64];

    hosts.n_asked = 0;
    assert_int_equal(ask(f, probing_request()), REQUEST_DONE);
    for (int i = 0; i < MANY; i++) {
        snprintf(body, sizeof body, "[{name: n%d}, {name: m%d}]", i, i);
        requests[i] = give(f, node_request(REQUEST_NODES_ADD, body));
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(take(requests[i]), REQUEST_DONE);
        for (size_t j = 0; j < 2; j++) {
            uint8_t last = requests[i]->nodes[j].addresses[0].bytes[3];

            assert_false(seen[last]);
            seen[last] = true;
        }
        request_free(requests[i]);
    }
    assert_true(hosts.n_asked <= 2 * MANY + 2);
}

/* Whether what a had can be b's. */
static bool released_is_free(struct fixture *f)
{
    struct request *request = node_request(REQUEST_NODES_ADD, "{name: b, address: 10.0.0.1}");
    bool is_free = take(give(f, request)) == REQUEST_DONE;

    request_free(request);
    return is_free;
}

static void a_clock_that_is_set_is_no_quarantine(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, pools_request(true, "3")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "{name: a}")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_END, "a")), REQUEST_DONE);
    set_forward_s = 7200;
    assert_false(released_is_free(f));
    usleep(500000);
    assert_false(released_is_free(f));
    set_forward_s = -86400;
    for (int i = 0; i < 100 && !released_is_free(f); i++) {
        usleep(100000);
    }
    assert_int_equal(ask(f, node_request(REQUEST_NODES_GET, "b")), REQUEST_DONE);
    set_forward_s = 0;
}

static void status_counts_nodes(void **state)
{
    struct fixture *f = *state;
    uint64_t seen = 0;

    assert_int_equal(ask(f, pools_request(true, "0")), REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_ADD, "[{name: a}, {name: b}]")),
                     REQUEST_DONE);
    assert_int_equal(ask(f, node_request(REQUEST_NODES_END, "a")), REQUEST_DONE);
    for (int i = 0; i < 200 && seen != 1; i++) {
        struct status *status = engine_status(f->engine);
        const struct tenant_status *tenant = status_find_tenant(status, "bio");

        seen = tenant && tenant->n_networks ? tenant->networks[0].nodes_allocated : 0;
        status_unref(status);
        usleep(20000);
    }
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_node_is_left_without_its_pool, setup, teardown),
        cmocka_unit_test_setup_teardown(growing_is_free_and_nodes_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_tenants_limit_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_is_no_quarantine, setup, teardown),
        cmocka_unit_test_setup_teardown(status_counts_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_use_is_not_given_out, setup, teardown),
        cmocka_unit_test_setup_teardown(probes_of_many_do_not_meet, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
