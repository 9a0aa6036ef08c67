/* engine_world.h - a world for tests of the engine: a backend in memory that fails as it is told, a
 * real ovsdb-server in a directory of its own, and an engine on its thread. */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include "engine_fixture.h"

#include "engine/engine.h"
#include "model/config.h"

#include <errno.h>
#include <lib/fatal-signal.h>
#include <lib/latch.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/shash.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A backend that holds the segments' names in memory. It is told from the test's thread, under a
 * lock, what shall go wrong. */
struct fake {
    struct backend up;
    struct shash held; /* "bio/genome/segment/campus" */
    struct step *running[64];
    struct plan *running_plan;
    size_t n_running;
    int64_t running_until;
    size_t counted; /* see `counts` */
};

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    enum backend_health health;
    const char *fail;      /* steps of this object fail */
    const char *not_ready; /* steps of this object are not ready */
    const char *volatile_; /* steps of this object are done without effect */
    const char *counts;    /* this object of phys is set for how many segments all tenants have */
    int delay_ms;          /* steps run for so long */
    bool changed, wipe;
    unsigned int applied_steps;
    struct latch wake;
} fake;

static int fake_open(const struct config *config OVS_UNUSED, struct backend **ret_backend)
{
    struct fake *f = xzalloc(sizeof *f);

    shash_init(&f->held);
    *ret_backend = &f->up;
    return 0;
}

static void fake_close(struct backend *backend)
{
    struct fake *f = CONTAINER_OF(backend, struct fake, up);

    shash_destroy(&f->held);
    free(f);
}

static void fake_carry_out(struct fake *f, struct plan *plan, struct step *step)
{
    char *path = xasprintf("%s/%s", step->tenant, step->object);

    fake.applied_steps++;
    if (fake.fail && !strcmp(fake.fail, step->object)) {
        step_finish(plan, step, STEP_FAILED, "broken on purpose");
    } else if (fake.not_ready && !strcmp(fake.not_ready, step->object)) {
        step_finish(plan, step, STEP_NOT_READY, "waits for the cable");
    } else {
        if (fake.volatile_ && !strcmp(fake.volatile_, step->object)) {
            /* says that it did it */
        } else if (step->action == STEP_UPDATE) {
            f->counted = *(const size_t *)step->data;
        } else if (step->action == STEP_DELETE) {
            shash_find_and_delete(&f->held, path);
        } else {
            shash_add_once(&f->held, path, f);
        }
        step_finish(plan, step, STEP_DONE, NULL);
    }
    free(path);
}

static bool fake_run(struct backend *backend)
{
    struct fake *f = CONTAINER_OF(backend, struct fake, up);
    bool changed;

    latch_poll(&fake.wake);
    pthread_mutex_lock(&fake_lock);
    changed = fake.changed;
    fake.changed = false;
    if (fake.wipe) {
        shash_clear(&f->held);
        fake.wipe = false;
    }
    if (f->n_running && time_msec() >= f->running_until) {
        for (size_t i = 0; i < f->n_running; i++) {
            fake_carry_out(f, f->running_plan, f->running[i]);
        }
        f->n_running = 0;
        changed = true;
    }
    pthread_mutex_unlock(&fake_lock);
    return changed;
}

static void fake_wait(struct backend *backend)
{
    struct fake *f = CONTAINER_OF(backend, struct fake, up);

    latch_wait(&fake.wake);
    if (f->n_running) {
        poll_timer_wait_until(f->running_until);
    }
}

static enum backend_health fake_health(const struct backend *backend OVS_UNUSED,
                                       const char **ret_reason)
{
    enum backend_health health;

    pthread_mutex_lock(&fake_lock);
    health = fake.health;
    pthread_mutex_unlock(&fake_lock);
    if (health == BACKEND_AWAY) {
        *ret_reason = "it was unplugged; plug it in";
    }
    return health;
}

typedef void segment_visitor(struct fake *f, const char *tenant, const char *object,
                             const char *path, void *aux);

static void each_segment(struct fake *f, const struct intended *intended, segment_visitor *visit,
                         void *aux)
{
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &intended->tenants[i];

        for (size_t j = 0; j < tenant->topology->n_networks; j++) {
            const struct network *network = &tenant->topology->networks[j];

            for (size_t k = 0; k < network->n_segments; k++) {
                char *path = xasprintf("%s/%s/segment/%s", tenant->name, network->name,
                                       network->segments[k].name);

                visit(f, tenant->name, strchr(path, '/') + 1, path, aux);
                free(path);
            }
        }
    }
}

struct diff {
    struct plan *plan;
    struct shash wanted;
};

static void diff_one(struct fake *f, const char *tenant, const char *object, const char *path,
                     void *aux)
{
    struct diff *diff = aux;

    shash_add_once(&diff->wanted, path, f);
    if (!shash_find(&f->held, path)) {
        plan_add(diff->plan, "fake", PHASE_OVS_CREATE, STEP_CREATE, tenant, object)->summary =
            "port";
    }
}

static void diff_count(const struct fake *f, const struct diff *diff)
{
    size_t n = shash_count(&diff->wanted);

    if (fake.counts && n != f->counted) {
        struct step *step =
            plan_add(diff->plan, "fake", PHASE_OVS_CREATE, STEP_UPDATE, "phys", fake.counts);

        step->summary = "count";
        step->data = arena_alloc(diff->plan->arena, sizeof n);
        *(size_t *)step->data = n;
    }
}

static void fake_diff(struct backend *backend, const struct intended *intended, struct plan *plan)
{
    struct fake *f = CONTAINER_OF(backend, struct fake, up);
    struct diff diff = {plan, SHASH_INITIALIZER(&diff.wanted)};
    struct shash_node *node;

    each_segment(f, intended, diff_one, &diff);
    SHASH_FOR_EACH(node, &f->held) {
        if (!shash_find(&diff.wanted, node->name)) {
            char *tenant = xmemdup0(node->name, strcspn(node->name, "/"));

            plan_add(plan, "fake", PHASE_OVS_DELETE, STEP_DELETE, tenant,
                     strchr(node->name, '/') + 1)
                ->summary = "port";
            free(tenant);
        }
    }
    diff_count(f, &diff);
    shash_destroy(&diff.wanted);
}

static void fake_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    struct fake *f = CONTAINER_OF(backend, struct fake, up);

    pthread_mutex_lock(&fake_lock);
    for (size_t i = 0; i < n; i++) {
        if (fake.delay_ms) {
            steps[i]->result = STEP_RUNNING;
            f->running[f->n_running++] = steps[i];
        } else {
            fake_carry_out(f, plan, steps[i]);
        }
    }
    f->running_plan = plan;
    f->running_until = time_msec() + fake.delay_ms;
    pthread_mutex_unlock(&fake_lock);
}

static void status_one(struct fake *f, const char *tenant, const char *object, const char *path,
                       void *aux)
{
    struct object_status *status = status_find_fresh(aux, tenant, object);
    const char *reason = "";

    if (!status) {
        return;
    }
    if (fake_health(&f->up, &reason) == BACKEND_AWAY) {
        status_vote(aux, status, OBJECT_DOWN, "%s", reason);
    } else if (!shash_find(&f->held, path)) {
        status_vote(aux, status, OBJECT_PENDING, "not there yet");
    }
}

static void fake_status(struct backend *backend, struct status *status)
{
    each_segment(CONTAINER_OF(backend, struct fake, up), status->intended, status_one, status);
}

static const struct backend_class fake_class = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .run = fake_run,
    .wait = fake_wait,
    .health = fake_health,
    .diff = fake_diff,
    .apply = fake_apply,
    .status = fake_status,
};
static const struct backend_class *const classes[] = {&fake_class};

/* --- the fixture: ovsdb-server and an engine on its thread --- */

__attribute__((unused)) static void start_server(struct fixture *f)
{
    char *conf = xasprintf("%s/conf.db", f->directory);

    f->server = server_start(f->directory, f->socket, conf);
    free(conf);
}

__attribute__((unused)) static void start_engine(struct fixture *f)
{
    start_engine_on(f, classes);
}

/* All but the engine. */
static int setup_world(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    fatal_signal_init(); /* before two threads do it at a time in poll_block() */
    strcpy(f->directory, "/tmp/test_engine.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/db.sock", f->directory);
    run_command("ovsdb-tool create %s/conf.db /usr/share/openvswitch/vswitch.ovsschema",
                f->directory);
    start_server(f);
    f->config = xasprintf("version: 1\n"
                          "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
                          "uplinks: {sinet: {type: trunk, interface: ens4}}\n"
                          "control: {socket: {path: %s/control.sock}}\n"
                          "tenants:\n"
                          "  bio: {vlans: {sinet: [1001-1099]}}\n"
                          "  phys: {vlans: {sinet: [1101-1199]}}\n"
                          "state: {server: \"unix:%s\", file: %s/router.db}\n",
                          f->directory, f->socket, f->directory);
    memset(&fake, 0, sizeof fake);
    fake.health = BACKEND_READY;
    latch_init(&fake.wake);
    *state = f;
    return 0;
}

__attribute__((unused)) static int setup(void **state)
{
    setup_world(state);
    start_engine(*state);
    return 0;
}

static int teardown_world(void **state)
{
    struct fixture *f = *state;

    server_stop(f->server, f->socket);
    run_command("rm -r %s", f->directory);
    latch_destroy(&fake.wake);
    free(f->config);
    free(f);
    return 0;
}

__attribute__((unused)) static int teardown(void **state)
{
    stop_engine(*state);
    return teardown_world(state);
}

/* Tells the fake something and has it look. */
#define TELL(...)                         \
    do {                                  \
        pthread_mutex_lock(&fake_lock);   \
        __VA_ARGS__;                      \
        fake.changed = true;              \
        pthread_mutex_unlock(&fake_lock); \
        latch_set(&fake.wake);            \
    } while (0)

static void answered(struct request *request)
{
    latch_set(request->aux);
}

/* Hands a request over and waits for its answer. */
__attribute__((unused)) static struct request *ask(struct fixture *f, struct request *request)
{
    struct latch done;

    latch_init(&done);
    request->aux = &done;
    request->done = answered;
    engine_submit(f->engine, request);
    for (int64_t start = time_msec(); !latch_is_set(&done);) {
        assert_true(time_msec() - start < 30000);
        latch_wait(&done);
        poll_timer_wait(1000);
        poll_block();
    }
    latch_destroy(&done);
    return request;
}

__attribute__((unused)) static struct request *topology_request(const char *tenant,
                                                                const char *text)
{
    struct request *request = request_new(REQUEST_TOPOLOGY);

    request->tenant = xstrdup(tenant);
    request->who = xstrdup("uid 0");
    request->errors = errors_new();
    request->topology = topology_parse(text, strlen(text), request->errors);
    assert_non_null(request->topology);
    return request;
}

/* Pushes one network "n" with segments a, b, c, ... on VLANs base, base + 1, ... */
__attribute__((unused)) static struct request *push_request(const char *tenant, int base,
                                                            int n_segments, int64_t wait_ms)
{
    struct request *request;
    char text[2048], *p = text;

    p += sprintf(p, "version: 1\nnetworks:\n- name: n\n  segments:%s\n", n_segments ? "" : " []");
    for (int i = 0; i < n_segments; i++) {
        p += sprintf(
            p,
            "  - {name: %c, attachments: [{uplink: sinet, vlan: %d}], gateway: [10.%d.0.1/24]}\n",
            'a' + i, base + i, i);
    }
    request = topology_request(tenant, text);
    request->wait_ms = wait_ms;
    return request;
}

__attribute__((unused)) static void assert_answer(struct request *request,
                                                  enum request_outcome outcome, uint64_t generation)
{
    if (request->outcome != outcome) {
        print_error("outcome %d: %s\n", request->outcome, request->detail ? request->detail : "");
        for (size_t i = 0; request->errors && i < errors_kept(request->errors); i++) {
            print_error("%s: %s\n", errors_get(request->errors, i)->path,
                        errors_get(request->errors, i)->message);
        }
    }
    assert_int_equal(request->outcome, outcome);
    assert_int_equal(request->ret_generation, generation);
}

__attribute__((unused)) static void push(struct fixture *f, const char *tenant, int base,
                                         int n_segments, uint64_t generation)
{
    struct request *request = ask(f, push_request(tenant, base, n_segments, 20000));

    assert_answer(request, REQUEST_CONVERGED, generation);
    assert_true(request->converged);
    request_free(request);
}

/* The state of an object in the newest snapshot; waits until it is `state`. */
__attribute__((unused)) static void wait_for_state(struct fixture *f, const char *tenant,
                                                   const char *object, enum object_state state,
                                                   const char *reason)
{
    for (int i = 0; i < 2000; i++) {
        struct status *status = engine_status(f->engine);
        struct object_status *found = status ? status_find(status, tenant, object) : NULL;
        bool ok = found && found->state == state && (!reason || strstr(found->reason, reason));

        status_unref(status);
        if (ok) {
            return;
        }
        usleep(10000);
    }
    fail_msg("%s %s does not become %s", tenant, object, object_state_name(state));
}

#endif
