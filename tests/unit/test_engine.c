/* The engine on fake backends and a real ovsdb-server: what a request is answered, what is written,
 * what is tried again, what the snapshot says. */
#include "engine_world.h"

static void test_push_converges(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    struct status *status;

    push(f, "bio", 1001, 3, 1);
    push(f, "phys", 1101, 2, 1);
    push(f, "bio", 1001, 2, 2);
    assert_int_equal(fake.applied_steps, 6);
    status = engine_status(f->engine);
    assert_int_equal(status->n_tenants, 2);
    assert_true(status_find_tenant(status, "bio")->converged);
    assert_int_equal(status_find_tenant(status, "bio")->applied, 2);
    assert_true(status_find(status, "bio", "n/segment/a")->since_ms > 0);
    status_unref(status);

    request = ask(f, push_request("bio", 1001, 2, 5000)); /* the same again */
    assert_answer(request, REQUEST_UNCHANGED, 2);
    assert_int_equal(request->plan->n_steps, 0);
    assert_true(request->converged);
    request_free(request);
    assert_int_equal(fake.applied_steps, 6);
}

static void test_refusals_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    request = ask(f, push_request("phys", 1001, 1, 0)); /* a VLAN of the other tenant */
    assert_answer(request, REQUEST_WRONG, 0);
    assert_true(errors_count(request->errors) > 0);
    request_free(request);

    request = push_request("bio", 1001, 2, 0);
    request->has_if_match = true;
    request->if_match = 7;
    assert_answer(ask(f, request), REQUEST_STALE, 1);
    request_free(request);

    request = push_request("bio", 1001, 2, 0);
    request->dry_run = true;
    assert_answer(ask(f, request), REQUEST_PLANNED, 1);
    assert_int_equal(request->plan->n_steps, 1);
    assert_string_equal(request->plan->steps[0]->object, "n/segment/b");
    request_free(request);
    assert_int_equal(fake.applied_steps, 1);
}

static void test_one_failure_leaves_the_rest(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    unsigned int before;

    TELL(fake.fail = "n/segment/b");
    request = ask(f, push_request("bio", 1001, 3, 1500));
    assert_answer(request, REQUEST_DONE, 1);
    assert_false(request->converged);
    assert_non_null(strstr(request->detail, "n/segment/b is error: broken on purpose"));
    assert_null(strstr(request->detail, "segment/a"));
    request_free(request);
    wait_for_state(f, "bio", "n/segment/b", OBJECT_ERROR, "broken on purpose");
    wait_for_state(f, "bio", "n/segment/a", OBJECT_UP, NULL);
    wait_for_state(f, "bio", "n", OBJECT_ERROR, "segment/b");
    before = fake.applied_steps;
    usleep(500000);
    assert_true(fake.applied_steps - before < 4); /* with backoff, whatever else happens */
    TELL(fake.fail = NULL);
    wait_for_state(f, "bio", "n/segment/b", OBJECT_UP, NULL);
}

static void test_not_ready_goes_on_when_something_changes(void **state)
{
    struct fixture *f = *state;

    TELL(fake.not_ready = "n/segment/a");
    request_free(ask(f, push_request("bio", 1001, 2, 0)));
    wait_for_state(f, "bio", "n/segment/a", OBJECT_PENDING, "cable");
    wait_for_state(f, "bio", "n/segment/b", OBJECT_UP, NULL);
    TELL(fake.not_ready = NULL);
    wait_for_state(f, "bio", "n/segment/a", OBJECT_UP, NULL);
}

static void test_what_does_not_stay_is_told_and_not_hammered(void **state)
{
    struct fixture *f = *state;

    TELL(fake.volatile_ = "n/segment/a");
    request_free(ask(f, push_request("bio", 1001, 1, 0)));
    wait_for_state(f, "bio", "n/segment/a", OBJECT_ERROR, "does not stay");
    usleep(1000000);
    assert_true(fake.applied_steps < 8);
}

static void test_drift_is_repaired(void **state)
{
    struct fixture *f = *state;

    push(f, "bio", 1001, 3, 1);
    TELL(fake.wipe = true);
    for (int i = 0; i < 500 && fake.applied_steps < 6; i++) {
        usleep(10000);
    }
    assert_int_equal(fake.applied_steps, 6);
    wait_for_state(f, "bio", "n", OBJECT_UP, NULL);
}

static void test_away_backend_refuses_what_needs_it(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    TELL(fake.health = BACKEND_AWAY);
    wait_for_state(f, "bio", "n/segment/a", OBJECT_DOWN, "plug it in");
    request = ask(f, push_request("bio", 1001, 2, 0));
    assert_answer(request, REQUEST_AWAY, 1);
    assert_non_null(strstr(request->detail, "plug it in"));
    request_free(request);
    request = ask(f, push_request("phys", 1101, 0, 0)); /* nothing of it needs the backend */
    assert_answer(request, REQUEST_DONE, 1);
    request_free(request);
    TELL(fake.health = BACKEND_READY);
    push(f, "bio", 1001, 2, 2);
}

/* While a tenant's steps are tried again and again, snapshots in between are anew for it alone. */
static void test_others_are_seen_beside_one_that_fails(void **state)
{
    struct fixture *f = *state;

    push(f, "bio", 1001, 1, 1);
    TELL(fake.fail = "n/segment/b");
    request_free(ask(f, push_request("phys", 1101, 3, 0)));
    wait_for_state(f, "phys", "n/segment/b", OBJECT_ERROR, "broken on purpose");
    TELL(fake.volatile_ = "n/segment/a"; fake.wipe = true);
    wait_for_state(f, "bio", "n/segment/a", OBJECT_ERROR, "does not stay");
    wait_for_state(f, "bio", "n", OBJECT_ERROR, "segment/a");
    TELL(fake.volatile_ = NULL);
    wait_for_state(f, "bio", "n/segment/a", OBJECT_UP, NULL);
    wait_for_state(f, "bio", "n", OBJECT_UP, NULL);
    wait_for_state(f, "phys", "n/segment/b", OBJECT_ERROR, "broken on purpose");
}

static void test_a_newer_push_supersedes(void **state)
{
    struct fixture *f = *state;
    struct request *first = push_request("bio", 1001, 3, 20000),
                   *second = push_request("bio", 1001, 1, 20000);
    struct latch done;

    TELL(fake.delay_ms = 3000);
    latch_init(&done);
    first->aux = &done;
    first->done = answered;
    engine_submit(f->engine, first);
    wait_for_state(f, "bio", "n/segment/a", OBJECT_PENDING, "is being carried out");
    TELL(fake.delay_ms = 0);
    assert_answer(ask(f, second), REQUEST_CONVERGED, 2);
    assert_true(latch_is_set(&done));
    assert_answer(first, REQUEST_DONE, 1);
    assert_non_null(strstr(first->detail, "superseded by generation 2"));
    latch_destroy(&done);
    request_free(first);
    request_free(second);
}

static void test_restart_keeps_everything(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    struct status *status;
    int64_t since;

    push(f, "bio", 1001, 2, 1);
    push(f, "bio", 1001, 3, 2);
    status = engine_status(f->engine);
    since = status_find(status, "bio", "n/segment/a")->since_ms;
    status_unref(status);
    usleep(200000); /* the times are noted in the background */
    stop_engine(f);
    start_engine(f);
    wait_for_state(f, "bio", "n/segment/c", OBJECT_UP, NULL);
    status = engine_status(f->engine);
    assert_int_equal(status_find_tenant(status, "bio")->generation, 2);
    assert_true(status_find(status, "bio", "n/segment/a")->since_ms >= since);
    status_unref(status);

    request = request_new(REQUEST_DOCUMENT);
    request->tenant = xstrdup("bio");
    request->generation = 1;
    assert_int_equal(ask(f, request)->outcome, REQUEST_DONE);
    assert_null(strstr(request->text, "1003"));
    assert_non_null(strstr(request->text, "1002"));
    request_free(request);
    push(f, "bio", 1001, 1, 3);
}

static void test_no_state_server(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    server_stop(f->server, f->socket);
    request = ask(f, push_request("bio", 1001, 2, 0));
    assert_answer(request, REQUEST_AWAY, 1);
    assert_non_null(strstr(request->detail, "state server"));
    request_free(request);
    start_server(f);
    for (int i = 0; i < 100; i++) {
        request = ask(f, push_request("bio", 1001, 2, 20000));
        if (request->outcome != REQUEST_AWAY) {
            break;
        }
        request_free(request);
        usleep(100000);
    }
    assert_answer(request, REQUEST_CONVERGED, 2);
    request_free(request);
}

/* Another configuration, made of ours by putting `more` behind the socket's path. */
static struct request *reload(struct fixture *f, const char *more)
{
    const char *end = strstr(f->config, "control.sock") + strlen("control.sock");
    char *text = xasprintf("%.*s%s%s", (int)(end - f->config), f->config, more, end);
    struct request *request = request_new(REQUEST_CONFIG);

    request->errors = errors_new();
    request->config = config_parse(text, strlen(text), request->errors);
    assert_non_null(request->config);
    request->profiles = profiles_new();
    profiles_add_builtin(request->profiles);
    free(text);
    return ask(f, request);
}

/* What would not be done is refused, so that nobody believes that it was. */
static void test_reload(void **state)
{
    static const char *const sockets[] = {"2", ", mode: '0600'", ", group: root"};
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    request = reload(f, "");
    assert_int_equal(request->outcome, REQUEST_DONE);
    request_free(request);
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        request = reload(f, sockets[i]);
        assert_int_equal(request->outcome, REQUEST_WRONG);
        assert_string_equal(request->detail, "control.socket: takes a restart of routerd");
        request_free(request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_push_converges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_failure_leaves_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_ready_goes_on_when_something_changes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_stay_is_told_and_not_hammered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_drift_is_repaired, setup, teardown),
        cmocka_unit_test_setup_teardown(test_away_backend_refuses_what_needs_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_are_seen_beside_one_that_fails, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_newer_push_supersedes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart_keeps_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_state_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
