/* The engine's events: which there are of a generation's life, of drift, of what goes down and
 * comes back; that they are kept over a restart and nothing is told twice. */
#include "engine_world.h"

#include "events/event_log.h"

#include <sys/wait.h>

/* The newest event of a kind behind `since`; waits for it. The caller's reference. */
static struct router_event *await_event(struct fixture *f, uint64_t since, enum event_kind kind,
                                        const char *object)
{
    for (int i = 0; i < 1000; i++) {
        struct router_event *events[64], *found = NULL;
        uint64_t at = since;
        size_t n = event_log_read(engine_events(f->engine), &at, NULL, events, 64);

        for (size_t j = 0; j < n; j++) {
            if (!found && events[j]->kind == kind && !strcmp(events[j]->about.object, object)) {
                found = router_event_ref(events[j]);
            }
            router_event_unref(events[j]);
        }
        if (found) {
            return found;
        }
        usleep(10000);
    }
    fail_msg("no event %s of %s", event_kind_name(kind), object);
    return NULL;
}

static uint64_t expect(struct fixture *f, uint64_t since, enum event_kind kind, const char *object,
                       const char *text)
{
    struct router_event *event = await_event(f, since, kind, object);
    uint64_t id = event->id;

    if (!strstr(event->text, text)) {
        fail_msg("%s is not in: %s", text, event->text);
    }
    router_event_unref(event);
    return id;
}

static uint64_t last_id(struct fixture *f)
{
    return event_log_last(engine_events(f->engine));
}

static void test_life_of_a_generation(void **state)
{
    struct fixture *f = *state;
    struct router_event *event;
    uint64_t id;

    push(f, "bio", 1001, 2, 1);
    event = await_event(f, 0, EVENT_ACCEPTED, "");
    assert_string_equal(event->about.tenant, "bio");
    assert_int_equal(event->about.generation, 1);
    assert_non_null(strstr(event->text, "from uid 0: 2 to create"));
    assert_true(event->time_ms > 1500000000000);
    router_event_unref(event);
    id = expect(f, 0, EVENT_APPLIED, "", "generation 1");
    id = expect(f, id, EVENT_CONVERGED, "", "generation 1");
    expect(f, 0, EVENT_UP, "n/segment/a", "is up");
    expect(f, 0, EVENT_UP, "n/segment/b", "is up");
    push(f, "bio", 1001, 1, 2);
    expect(f, id, EVENT_CONVERGED, "", "generation 2");
}

static void test_drift_and_backends(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    push(f, "bio", 1001, 1, 1);
    id = expect(f, 0, EVENT_CONVERGED, "", "generation 1");
    TELL(fake.wipe = true);
    id = expect(
        f, id, EVENT_DRIFT, "n/segment/a",
        "n/segment/a: deleted by hand or by another program (fake); restored by: create: port");
    TELL(fake.health = BACKEND_AWAY);
    id = expect(f, id, EVENT_AWAY, "fake", "it was unplugged");
    id = expect(f, id, EVENT_DOWN, "n/segment/a", "is down: it was unplugged");
    TELL(fake.health = BACKEND_READY; fake.wipe = true);
    expect(f, id, EVENT_BACK, "fake", "answers again");
    expect(f, id, EVENT_UP, "n/segment/a", "is up");
    expect(f, id, EVENT_DRIFT, "n/segment/a", "lost while its backend was away");
}

static void expect_no_drift(struct fixture *f)
{
    struct router_event *events[64];
    uint64_t since = 0;
    size_t n = event_log_read(engine_events(f->engine), &since, NULL, events, 64);

    for (size_t i = 0; i < n; i++) {
        assert_int_not_equal(events[i]->kind, EVENT_DRIFT);
        router_event_unref(events[i]);
    }
}

static void test_a_push_is_no_drift(void **state)
{
    struct fixture *f = *state;

    push(f, "bio", 1001, 1, 1);
    push(f, "bio", 1001, 4, 2);
    push(f, "bio", 1001, 2, 3);
    expect(f, 0, EVENT_CONVERGED, "", "generation");
    expect_no_drift(f);
}

/* What one tenant's change does to another's object was not done by hand. */
static void test_a_push_is_no_drift_elsewhere(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    TELL(fake.counts = "n/segment/a");
    push(f, "phys", 1101, 1, 1);
    id = expect(f, 0, EVENT_CONVERGED, "", "generation 1");
    push(f, "bio", 1001, 2, 1);
    expect(f, id, EVENT_CONVERGED, "", "generation 1");
    expect_no_drift(f);
}

static void wait_for_serial(struct fixture *f, uint64_t first_id)
{
    for (int i = 0; i < 1000 && event_log_first(engine_events(f->engine)) != first_id; i++) {
        usleep(10000);
    }
    assert_int_equal(event_log_first(engine_events(f->engine)), first_id);
}

static void test_kept_over_a_restart(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    push(f, "bio", 1001, 2, 1);
    expect(f, 0, EVENT_CONVERGED, "", "generation 1");
    TELL(fake.health = BACKEND_AWAY);
    expect(f, 0, EVENT_DOWN, "n/segment/b", "unplugged");
    before = last_id(f);
    stop_engine(f);
    start_engine(f);
    wait_for_serial(f, 1);
    assert_true(last_id(f) >= before);
    TELL(fake.health = BACKEND_READY); /* a fake forgets all when it is closed */
    expect(f, before, EVENT_BACK, "fake", "answers again");
    expect(f, before, EVENT_UP, "n/segment/b", "is up");
    expect(f, before, EVENT_DRIFT, "n/segment/a", "restored");
    for (uint64_t since = before; since < last_id(f);) {
        struct router_event *event;

        if (event_log_read(engine_events(f->engine), &since, NULL, &event, 1)) {
            assert_true(event->id > before);
            assert_int_not_equal(event->kind, EVENT_DOWN); /* was told */
            assert_int_not_equal(event->kind, EVENT_AWAY);
            assert_int_not_equal(event->kind, EVENT_APPLIED);
            assert_int_not_equal(event->kind, EVENT_CONVERGED);
            router_event_unref(event);
        }
    }
}

/* A routerd that ends waits for a disk that takes its time. */
static void test_kept_though_the_disk_is_slow(void **state)
{
    struct fixture *f = *state;
    uint64_t id;
    pid_t pid;

    push(f, "bio", 1001, 1, 1);
    id = expect(f, 0, EVENT_CONVERGED, "", "generation 1");
    assert_int_equal(kill(f->server, SIGSTOP), 0);
    TELL(fake.health = BACKEND_AWAY);
    id = expect(f, id, EVENT_DOWN, "n/segment/a", "unplugged");
    pid = fork();
    if (!pid) {
        sleep(1);
        kill(f->server, SIGCONT);
        _exit(0);
    }
    stop_engine(f);
    waitpid(pid, NULL, 0);
    start_engine(f);
    wait_for_serial(f, 1);
    expect(f, id - 1, EVENT_DOWN, "n/segment/a", "unplugged");
}

/* While the state server is away nothing waits, and what has happened is stored later. */
static void test_stored_when_the_server_is_back(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    push(f, "bio", 1001, 1, 1);
    id = expect(f, 0, EVENT_CONVERGED, "", "generation 1");
    server_stop(f->server, f->socket);
    id = expect(f, id, EVENT_AWAY, "state", "does not answer");
    TELL(fake.wipe = true);
    id = expect(f, id, EVENT_DRIFT, "n/segment/a", "restored");
    start_server(f);
    expect(f, id, EVENT_BACK, "state", "answers again");
    stop_engine(f);
    start_engine(f);
    wait_for_serial(f, 1);
    expect(f, id - 1, EVENT_DRIFT, "n/segment/a", "restored");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life_of_a_generation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drift_and_backends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_push_is_no_drift, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_push_is_no_drift_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kept_over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kept_though_the_disk_is_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stored_when_the_server_is_back, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
