/* A routerd that dies before or after any step of a plan, and a plan that tells the truth.
 *
 * The engine runs in a process of its own with four backends whose state is in memory that outlives
 * it, on a real ovsdb-server. It is killed at each place there is, started again, and must end
 * where an undisturbed one ends. Each backend's step waits for what it stands on, as in a router.
 */
#include "engine_world.h"

#include "engine/engine_fault.h"

#include <sys/mman.h>

enum { HELD = 64, NAME = 96, LOG = 1 << 16, PUSH_MS = 20000 };

enum part { PART_OVS, PART_NET, PART_IPSEC, PART_BGP, N_PARTS };

struct item {
    char name[NAME]; /* "bio/genome/peer/aws"; "": free */
    char value[NAME];
};

/* What outlives the engine's process. */
static struct shared {
    struct item held[N_PARTS][HELD];
    unsigned int writes;
    char log[LOG]; /* the steps that were carried out, one a line */
} * shared;

/* --- where to die --------------------------------------------------------------------------- */

static unsigned int points, die_at; /* 0: never */

void engine_fault_point(void)
{
    if (++points == die_at) {
        kill(getpid(), SIGKILL);
    }
}

bool engine_fault_one_by_one(void)
{
    return true;
}

/* --- backends ------------------------------------------------------------------------------- */

struct partial {
    struct backend up;
    enum part part;
};

struct wanted {
    struct item items[HELD];
    size_t n;
};

__attribute__((format(printf, 4, 5))) static void want(struct wanted *wanted, const char *tenant,
                                                       const char *value, const char *format, ...)
{
    struct item *item = &wanted->items[wanted->n++];
    char object[NAME];
    va_list args;

    assert_true(wanted->n <= HELD);
    va_start(args, format);
    vsnprintf(object, sizeof object, format, args);
    va_end(args);
    assert_true(snprintf(item->name, NAME, "%s/%s", tenant, object) < NAME);
    snprintf(item->value, NAME, "%s", value);
}

static void want_network(struct wanted *wanted, enum part part, const char *tenant,
                         const struct network *network)
{
    char value[32];

    if (part == PART_NET) {
        want(wanted, tenant, "vrf", "%s", network->name);
    }
    for (size_t i = 0; i < network->n_segments; i++) {
        const struct segment *segment = &network->segments[i];

        if (part == PART_OVS) {
            snprintf(value, sizeof value, "vlan %u", segment->attachments[0].vlan);
            want(wanted, tenant, value, "%s/segment/%s", network->name, segment->name);
        } else if (part == PART_NET) {
            want(wanted, tenant, "address", "%s/segment/%s", network->name, segment->name);
        }
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        if (part == PART_NET || part == PART_IPSEC) {
            want(wanted, tenant, "tunnel", "%s/tunnel/%s", network->name, network->tunnels[i].name);
        }
    }
    for (size_t i = 0; i < network->n_peers && part == PART_BGP; i++) {
        snprintf(value, sizeof value, "as %u", network->peers[i].asn);
        want(wanted, tenant, value, "%s/peer/%s", network->name, network->peers[i].name);
    }
}

static struct wanted want_all(const struct intended *intended, enum part part)
{
    struct wanted wanted = {.n = 0};

    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &intended->tenants[i];

        for (size_t j = 0; j < tenant->topology->n_networks; j++) {
            want_network(&wanted, part, tenant->name, &tenant->topology->networks[j]);
        }
    }
    return wanted;
}

static struct item *find(struct item *items, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(items[i].name, name)) {
            return &items[i];
        }
    }
    return NULL;
}

static enum part part_of(const struct backend *backend)
{
    return CONTAINER_OF(backend, struct partial, up)->part;
}

static void add_step(struct plan *plan, enum part part, enum step_action action, const char *name,
                     const char *value)
{
    static const char *const names[] = {"ovs", "net", "ipsec", "bgp"};
    static const enum plan_phase phases[][2] = {{PHASE_OVS_CREATE, PHASE_OVS_DELETE},
                                                {PHASE_NET_CREATE, PHASE_NET_DELETE},
                                                {PHASE_IPSEC_CREATE, PHASE_IPSEC_DELETE},
                                                {PHASE_BGP_CREATE, PHASE_BGP_DELETE}};
    char *tenant = xmemdup0(name, strcspn(name, "/"));
    struct step *step = plan_add(plan, names[part], phases[part][action == STEP_DELETE], action,
                                 tenant, strchr(name, '/') + 1);

    step->summary = arena_strdup(plan->arena, value);
    free(tenant);
}

static void part_diff(struct backend *backend, const struct intended *intended, struct plan *plan)
{
    enum part part = part_of(backend);
    struct wanted wanted = want_all(intended, part);
    struct item *held = shared->held[part];

    for (size_t i = 0; i < HELD; i++) {
        if (held[i].name[0] && !find(wanted.items, wanted.n, held[i].name)) {
            add_step(plan, part, STEP_DELETE, held[i].name, held[i].value);
        }
    }
    for (size_t i = 0; i < wanted.n; i++) {
        const struct item *there = find(held, HELD, wanted.items[i].name);

        if (!there || strcmp(there->value, wanted.items[i].value) != 0) {
            add_step(plan, part, there ? STEP_UPDATE : STEP_CREATE, wanted.items[i].name,
                     wanted.items[i].value);
        }
    }
}

/* Whether what an object stands on is there; what stands on it is gone before it goes. */
static bool stands(enum part part, const char *name)
{
    char network[NAME];
    const char *end = strchr(strchr(name, '/') + 1, '/');

    if (part == PART_NET && end && strstr(name, "/segment/")) {
        return find(shared->held[PART_OVS], HELD, name);
    }
    if (part == PART_IPSEC) {
        return find(shared->held[PART_NET], HELD, name);
    }
    if (part == PART_BGP) {
        snprintf(network, sizeof network, "%.*s", (int)(end - name), name);
        return find(shared->held[PART_NET], HELD, network);
    }
    return true;
}

static void carry_out(enum part part, struct plan *plan, struct step *step)
{
    struct item *held = shared->held[part], *item;
    char name[NAME];

    assert_true(snprintf(name, NAME, "%s/%s", step->tenant, step->object) < NAME);
    item = find(held, HELD, name);
    if (step->action == STEP_DELETE) {
        item->name[0] = '\0';
    } else if (!stands(part, name)) {
        step_finish(plan, step, STEP_NOT_READY, "what it stands on is missing");
        return;
    } else {
        item = item ? item : find(held, HELD, "");
        snprintf(item->name, NAME, "%s", name);
        snprintf(item->value, NAME, "%s", step->summary);
    }
    shared->writes++;
    sprintf(shared->log + strlen(shared->log), "%s %s %s %s\n", step->backend,
            step_action_name(step->action), name, step->summary);
    step_finish(plan, step, STEP_DONE, NULL);
}

static void part_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        carry_out(part_of(backend), plan, steps[i]);
    }
}

static int part_open(enum part part, struct backend **ret_backend)
{
    struct partial *partial = xzalloc(sizeof *partial);

    partial->part = part;
    *ret_backend = &partial->up;
    return 0;
}

static void part_close(struct backend *backend)
{
    free(CONTAINER_OF(backend, struct partial, up));
}

static bool part_run(struct backend *backend OVS_UNUSED)
{
    return false;
}

static void part_wait(struct backend *backend OVS_UNUSED)
{
}

static enum backend_health part_health(const struct backend *backend OVS_UNUSED,
                                       const char **ret_reason OVS_UNUSED)
{
    return BACKEND_READY;
}

static void part_status(struct backend *backend OVS_UNUSED, struct status *status OVS_UNUSED)
{
}

#define PART(part, name_)                                                                        \
    static int open_##part(const struct config *config OVS_UNUSED, struct backend **ret_backend) \
    {                                                                                            \
        return part_open(part, ret_backend);                                                     \
    }                                                                                            \
    static const struct backend_class class_##part = {                                           \
        .name = name_,                                                                           \
        .open = open_##part,                                                                     \
        .close = part_close,                                                                     \
        .run = part_run,                                                                         \
        .wait = part_wait,                                                                       \
        .health = part_health,                                                                   \
        .diff = part_diff,                                                                       \
        .apply = part_apply,                                                                     \
        .status = part_status,                                                                   \
    };

PART(PART_OVS, "ovs")
PART(PART_NET, "net")
PART(PART_IPSEC, "ipsec")
PART(PART_BGP, "bgp")

static const struct backend_class *const parts[] = {&class_PART_OVS, &class_PART_NET,
                                                    &class_PART_IPSEC, &class_PART_BGP};

/* --- the engine's process ------------------------------------------------------------------- */

static void open_engine(struct fixture *f)
{
    struct errors *errors = errors_new();
    struct profiles *profiles = profiles_new();
    struct config *config = config_parse(f->config, strlen(f->config), errors);

    errors_free(errors);
    profiles_add_builtin(profiles);
    if (!config || engine_open(config, profiles, parts, N_PARTS, &f->engine)) {
        _exit(2);
    }
    pthread_create(&f->thread, NULL, engine_thread, f->engine);
}

/* Until everything of the generation in force is there. The one in force, 0 for none. */
static uint64_t await_converged(struct fixture *f)
{
    for (int i = 0; i < 4000; i++) {
        struct status *status = engine_status(f->engine);
        const struct tenant_status *tenant = status ? status_find_tenant(status, "bio") : NULL;
        bool answers = status && status->backends[status->n_backends - 1].answers;
        bool done = answers && (!tenant || tenant->converged);
        uint64_t generation = tenant ? tenant->generation : 0;

        status_unref(status);
        if (done) {
            return generation;
        }
        usleep(5000);
    }
    _exit(3);
}

/* Starts an engine that dies at a place (0: nowhere), pushes a topology unless it is null, and
 * waits until it has converged. Returns the generation in force, or 100 if it died. */
static uint64_t run(struct fixture *f, const char *text, unsigned int place)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        uint64_t generation;

        die_at = place;
        open_engine(f);
        if (text) {
            struct request *request = topology_request("bio", text);

            request->wait_ms = PUSH_MS;
            ask(f, request);
            if (request->outcome != REQUEST_CONVERGED) {
                _exit(4);
            }
            request_free(request);
        }
        generation = await_converged(f);
        _exit(10 + (int)generation);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return 100;
    }
    assert_true(WEXITSTATUS(status) >= 10);
    return (uint64_t)WEXITSTATUS(status) - 10;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All that the backends hold, sorted; malloc()ed. */
static char *state_text(void)
{
    char *lines[N_PARTS * HELD], *text = xzalloc(LOG);
    size_t n = 0;

    for (int part = 0; part < N_PARTS; part++) {
        for (int i = 0; i < HELD; i++) {
            const struct item *item = &shared->held[part][i];

            if (item->name[0]) {
                lines[n++] = xasprintf("%d %s %s\n", part, item->name, item->value);
            }
        }
    }
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++) {
        sprintf(text + strlen(text), "%s", lines[i]);
        free(lines[i]);
    }
    return text;
}

static const char OLD[] =
    "version: 1\nnetworks:\n"
    "- name: gone\n  segments:\n"
    "  - {name: a, attachments: [{uplink: sinet, vlan: 1050}], gateway: [10.9.0.1/24]}\n"
    "  peers: [{name: p, via: a, address: 10.9.0.2, asn: 64512}]\n"
    "- name: kept\n  segments:\n"
    "  - {name: a, attachments: [{uplink: sinet, vlan: 1001}], gateway: [10.1.0.1/24]}\n"
    "  - {name: b, attachments: [{uplink: sinet, vlan: 1002}], gateway: [10.2.0.1/24]}\n"
    "  peers:\n"
    "  - {name: p, via: a, address: 10.1.0.2, asn: 64512}\n"
    "  - {name: q, via: b, address: 10.2.0.2, asn: 64513}\n";
static const char NEW[] =
    "version: 1\nnetworks:\n"
    "- name: made\n  segments:\n"
    "  - {name: a, attachments: [{uplink: sinet, vlan: 1050}], gateway: [10.9.0.1/24]}\n"
    "  peers: [{name: p, via: a, address: 10.9.0.2, asn: 64512}]\n"
    "- name: kept\n  segments:\n"
    "  - {name: a, attachments: [{uplink: sinet, vlan: 1003}], gateway: [10.1.0.1/24]}\n"
    "  - {name: c, attachments: [{uplink: sinet, vlan: 1002}], gateway: [10.2.0.1/24]}\n"
    "  peers:\n"
    "  - {name: p, via: a, address: 10.1.0.2, asn: 64599}\n"
    "  - {name: r, via: c, address: 10.2.0.2, asn: 64513}\n";

static int setup_shared(void **state)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    return setup_world(state);
}

static int teardown_shared(void **state)
{
    munmap(shared, sizeof *shared);
    return teardown_world(state);
}

static void test_dies_at_every_place(void **state)
{
    struct fixture *f = *state;
    uint64_t generation = run(f, OLD, 0);
    char *old_text = state_text(), *new_text, *text;
    unsigned int place, survived = 0;

    assert_int_equal(generation, 1);
    assert_int_equal(run(f, NEW, 0), 2);
    new_text = state_text();
    assert_string_not_equal(old_text, new_text);
    generation = run(f, OLD, 0);
    for (place = 1; !survived; place++) {
        const char *wanted = place % 2 ? NEW : OLD; /* there and back again */
        uint64_t before = generation;
        unsigned int writes;

        generation = run(f, wanted, place);
        survived = generation != 100;
        generation = run(f, NULL, 0); /* takes it up */
        assert_in_range(generation, before, before + 1);
        text = state_text();
        assert_string_equal(text, ((place % 2) == (generation > before)) ? new_text : old_text);
        free(text);
        writes = shared->writes;
        assert_int_equal(run(f, NULL, 0), generation);
        assert_int_equal(shared->writes, writes); /* nothing to do */
        if (generation == before) {               /* it died before it was durable: push it again */
            generation = run(f, wanted, 0);
        }
    }
    print_message("%u places\n", place - 2);
    assert_true(place - 2 > 30); /* two for the write, and two for each step */
    free(old_text);
    free(new_text);
}

/* --- the plan tells the truth --------------------------------------------------------------- */

static uint32_t random_state = 1;

static unsigned int below(unsigned int n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

static char *random_topology(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    fputs("version: 1\nnetworks:\n", out);
    for (int i = 0; i < 4; i++) {
        if (i && !below(2)) {
            continue;
        }
        fprintf(out, "- name: n%d\n  segments:\n", i);
        for (int j = 0; j < 3; j++) {
            if (!j || below(2)) {
                fprintf(out,
                        "  - {name: s%d, attachments: [{uplink: sinet, vlan: %u}], gateway: "
                        "[10.%d.0.1/24]}\n",
                        j, 1001 + (unsigned int)(i * 20 + j * 5) + below(3), j);
            }
        }
        fputs("  peers:\n", out);
        fprintf(out, "  - {name: p0, via: s0, address: 10.0.0.2, asn: %u}\n", 64512 + below(3));
        for (unsigned int j = 1; j < 1 + below(3); j++) {
            fprintf(out, "  - {name: p%u, via: s0, address: 10.0.0.%u, asn: %u}\n", j, j + 2,
                    64512 + below(3));
        }
    }
    fclose(out);
    return text;
}

static char *plan_text(const struct plan *plan)
{
    char *text = xzalloc(LOG);

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];

        sprintf(text + strlen(text), "%s %s %s/%s %s\n", step->backend,
                step_action_name(step->action), step->tenant, step->object, step->summary);
    }
    return text;
}

/* A dry run's steps are those that are then carried out, one after the other, and no others. */
static void test_the_plan_is_what_happens(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    char *topology, *plan;

    open_engine(f);
    for (int i = 0; i < 60; i++) {
        topology = random_topology();
        request = topology_request("bio", topology);
        request->dry_run = true;
        request = ask(f, request);
        assert_int_equal(request->outcome, REQUEST_PLANNED);
        plan = plan_text(request->plan);
        request_free(request);
        shared->log[0] = '\0';
        request = topology_request("bio", topology);
        request->wait_ms = PUSH_MS;
        request = ask(f, request);
        assert_true(request->converged);
        request_free(request);
        assert_string_equal(shared->log, plan);
        free(plan);
        free(topology);
    }
    stop_engine(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dies_at_every_place, setup_shared, teardown_shared),
        cmocka_unit_test_setup_teardown(test_the_plan_is_what_happens, setup_shared,
                                        teardown_shared),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
