/* Generations on the real engine and a real ovsdb-server: history, going back, and what is rolled
 * back by itself unless it is confirmed, over restarts too. */
#include "engine_world.h"

#include "events/event_log.h"

static struct request *push_confirm(struct fixture *f, int base, int n_segments, int64_t confirm_s)
{
    struct request *request = push_request("bio", base, n_segments, 0);

    request->confirm_s = confirm_s;
    return ask(f, request);
}

static struct request *rollback_request(uint64_t generation)
{
    struct request *request = request_new(REQUEST_ROLLBACK);

    request->tenant = xstrdup("bio");
    request->who = xstrdup("uid 7");
    request->generation = generation;
    return request;
}

static struct request *simple(enum request_kind kind)
{
    struct request *request = request_new(kind);

    request->tenant = xstrdup("bio");
    request->who = xstrdup("uid 7");
    return request;
}

static void wait_for_generation(struct fixture *f, uint64_t generation)
{
    for (int i = 0; i < 2000; i++) {
        struct status *status = engine_status(f->engine);
        const struct tenant_status *tenant = status ? status_find_tenant(status, "bio") : NULL;
        bool there = tenant && tenant->applied == generation && tenant->converged;

        status_unref(status);
        if (there) {
            return;
        }
        usleep(10000);
    }
    fail_msg("generation %d is not reached", (int)generation);
}

static size_t segments_now(struct fixture *f)
{
    struct status *status = engine_status(f->engine);
    const struct tenant_status *tenant = status_find_tenant(status, "bio");
    size_t n = tenant->n_networks ? tenant->networks[0].n_segments : 0;

    status_unref(status);
    return n;
}

static bool awaits(struct fixture *f)
{
    struct status *status = engine_status(f->engine);
    const struct tenant_status *tenant = status_find_tenant(status, "bio");
    bool result = tenant && tenant->confirm_until_ms;

    status_unref(status);
    return result;
}

static bool has_event(struct fixture *f, enum event_kind kind, const char *text)
{
    uint64_t since = 0;
    bool found = false;

    for (size_t n = 1; n;) {
        struct router_event *event;

        n = event_log_read(engine_events(f->engine), &since, NULL, &event, 1);
        if (n) {
            found |= event->kind == kind && strstr(event->text, text);
            router_event_unref(event);
        }
    }
    return found;
}

static void test_history(void **state)
{
    struct fixture *f = *state;
    struct request *request = ask(f, simple(REQUEST_HISTORY));

    assert_answer(request, REQUEST_DONE, 0);
    assert_int_equal(request->n_history, 0);
    request_free(request);
    for (int i = 0; i < 70; i++) {
        request = ask(f, push_request("bio", 1001, 1 + i % 3, 0));
        assert_answer(request, REQUEST_DONE, (uint64_t)i + 1);
        request_free(request);
    }
    for (int round = 0; round < 2; round++) { /* as written, and as read again */
        request = ask(f, simple(REQUEST_HISTORY));
        assert_int_equal(request->n_history, 64);
        assert_int_equal(request->history[0].number, 70);
        assert_int_equal(request->history[63].number, 7);
        assert_string_equal(request->history[0].who, "uid 0");
        assert_non_null(strstr(request->history[0].summary, "to create"));
        assert_true(request->history[0].time_ms >= request->history[63].time_ms);
        request_free(request);
        stop_engine(f);
        start_engine(f);
    }
    request = simple(REQUEST_DOCUMENT);
    request->generation = 7;
    request = ask(f, request);
    assert_answer(request, REQUEST_DONE, 7);
    request_free(request);
    request = ask(f, rollback_request(6));
    assert_int_equal(request->outcome, REQUEST_NOT_FOUND);
    request_free(request);
}

static void test_rollback(void **state)
{
    struct fixture *f = *state;
    struct request *request = ask(f, rollback_request(0));

    assert_int_equal(request->outcome, REQUEST_NOT_FOUND); /* no topology yet */
    request_free(request);
    push(f, "bio", 1001, 1, 1);
    push(f, "bio", 1001, 2, 2);
    push(f, "bio", 1001, 3, 3);

    request = rollback_request(1);
    request->dry_run = true;
    request = ask(f, request);
    assert_answer(request, REQUEST_PLANNED, 3);
    assert_int_equal(plan_count(request->plan).delete, 2);
    request_free(request);

    request = rollback_request(1);
    request->has_if_match = true;
    request->if_match = 2;
    request = ask(f, request);
    assert_answer(request, REQUEST_STALE, 3);
    request_free(request);

    request = rollback_request(1);
    request->wait_ms = 20000;
    request = ask(f, request);
    assert_answer(request, REQUEST_CONVERGED, 4);
    request_free(request);
    assert_int_equal(segments_now(f), 1);
    assert_true(has_event(f, EVENT_ROLLED_BACK, "the topology of generation 1 again"));

    request = ask(f, rollback_request(0)); /* the one before */
    assert_answer(request, REQUEST_DONE, 5);
    request_free(request);
    wait_for_generation(f, 5);
    assert_int_equal(segments_now(f), 3);
    request = ask(f, rollback_request(2));
    request_free(request);
    request = ask(f, rollback_request(6)); /* is in force */
    assert_answer(request, REQUEST_UNCHANGED, 6);
    request_free(request);
    request = ask(f, rollback_request(60));
    assert_int_equal(request->outcome, REQUEST_NOT_FOUND);
    request_free(request);
}

/* What was right then may not be right now. */
static void test_rollback_is_checked_again(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    char *old = f->config;

    push(f, "bio", 1001, 2, 1);
    push(f, "bio", 1050, 1, 2);
    stop_engine(f);
    f->config = xstrdup(old);
    memcpy(strstr(f->config, "1001-1099"), "1049-1099", 9);
    start_engine(f);
    request = ask(f, rollback_request(1));
    assert_answer(request, REQUEST_WRONG, 2);
    assert_true(errors_count(request->errors) > 0);
    request_free(request);
    free(old);
}

static void test_confirmed_in_time(void **state)
{
    struct fixture *f = *state;
    struct request *request = ask(f, simple(REQUEST_CONFIRM));

    assert_int_equal(request->outcome, REQUEST_CONFLICT); /* nothing awaits it */
    request_free(request);
    push(f, "bio", 1001, 1, 1);
    request = push_confirm(f, 1001, 2, 2);
    assert_answer(request, REQUEST_DONE, 2);
    assert_true(request->confirm_until_ms > 0);
    assert_int_equal(request->confirm_back, 1);
    request_free(request);
    assert_true(awaits(f));
    request = push_confirm(f, 1001, 2, 0); /* the same again changes nothing, this neither */
    assert_answer(request, REQUEST_UNCHANGED, 2);
    assert_true(request->confirm_until_ms > 0);
    request_free(request);
    request = simple(REQUEST_CONFIRM);
    request->has_if_match = true;
    request->if_match = 1;
    request = ask(f, request);
    assert_answer(request, REQUEST_STALE, 2);
    request_free(request);
    request = ask(f, simple(REQUEST_CONFIRM));
    assert_answer(request, REQUEST_DONE, 2);
    request_free(request);
    assert_false(awaits(f));
    assert_true(has_event(f, EVENT_CONFIRMED, "uid 7"));
    sleep(3);
    assert_int_equal(segments_now(f), 2);
    request = ask(f, simple(REQUEST_CONFIRM));
    assert_int_equal(request->outcome, REQUEST_CONFLICT);
    request_free(request);
}

static void test_rolled_back_by_itself(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    request = push_confirm(f, 1001, 2, 1);
    assert_answer(request, REQUEST_DONE, 2);
    request_free(request);
    wait_for_generation(f, 3);
    assert_int_equal(segments_now(f), 1);
    assert_false(awaits(f));
    assert_true(has_event(f, EVENT_ROLLED_BACK, "was not confirmed in time"));
    request = ask(f, simple(REQUEST_CONFIRM));
    assert_int_equal(request->outcome, REQUEST_CONFLICT); /* too late */
    request_free(request);
    request = ask(f, simple(REQUEST_HISTORY));
    assert_non_null(strstr(request->history[0].who, "not confirmed"));
    assert_non_null(strstr(request->history[0].summary, "back to generation 1"));
    request_free(request);
}

/* The first topology of all goes back to none. */
static void test_rolled_back_to_nothing(void **state)
{
    struct fixture *f = *state;
    struct request *request = push_confirm(f, 1001, 2, 1);

    assert_answer(request, REQUEST_DONE, 1);
    assert_int_equal(request->confirm_back, 0);
    request_free(request);
    wait_for_generation(f, 2);
    assert_int_equal(segments_now(f), 0);
}

static void test_over_a_restart(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    request = push_confirm(f, 1001, 2, 3);
    request_free(request);
    stop_engine(f);
    start_engine(f); /* in time: it goes on waiting */
    wait_for_generation(f, 2);
    assert_true(awaits(f));
    wait_for_generation(f, 3);
    assert_int_equal(segments_now(f), 1);

    request = push_confirm(f, 1001, 3, 1);
    assert_answer(request, REQUEST_DONE, 4);
    request_free(request);
    stop_engine(f);
    sleep(2);
    start_engine(f); /* too late: at once */
    wait_for_generation(f, 5);
    assert_int_equal(segments_now(f), 1);
}

/* The wall clock was set back by a day while routerd was not there: not longer than was given. */
static void test_a_clock_set_back(void **state)
{
    struct fixture *f = *state;
    struct request *request;
    char *command;

    push(f, "bio", 1001, 1, 1);
    request = push_confirm(f, 1001, 2, 2);
    request_free(request);
    stop_engine(f);
    command =
        xasprintf("ovsdb-client transact unix:%s '[\"Router\", {\"op\": \"mutate\", \"table\": "
                  "\"Tenant\", \"where\": [[\"name\", \"==\", \"bio\"]], \"mutations\": "
                  "[[\"confirm_until\", \"+=\", 86400000]]}]' >/dev/null",
                  f->socket);
    assert_int_equal(system(command), 0);
    free(command);
    start_engine(f);
    wait_for_generation(f, 3);
    assert_int_equal(segments_now(f), 1);
}

/* A newer one settles what awaited; a newer one that must be confirmed goes back to the last that
 * need not be. */
static void test_superseded(void **state)
{
    struct fixture *f = *state;
    struct request *request;

    push(f, "bio", 1001, 1, 1);
    request_free(push_confirm(f, 1001, 2, 1));
    push(f, "bio", 1001, 3, 3);
    assert_false(awaits(f));
    sleep(2);
    assert_int_equal(segments_now(f), 3);

    request_free(push_confirm(f, 1001, 2, 60));
    request = push_confirm(f, 1001, 4, 1);
    assert_answer(request, REQUEST_DONE, 5);
    assert_int_equal(request->confirm_back, 3);
    request_free(request);
    wait_for_generation(f, 6);
    assert_int_equal(segments_now(f), 3);

    request_free(push_confirm(f, 1001, 2, 1)); /* 7, and by hand what was there before */
    request = push_confirm(f, 1001, 3, 1);
    assert_answer(request, REQUEST_DONE, 8);
    request_free(request);
    for (int i = 0; i < 1000 && awaits(f); i++) {
        usleep(10000);
    }
    assert_false(awaits(f)); /* nothing is left to go back to */
    request = ask(f, simple(REQUEST_HISTORY));
    assert_int_equal(request->ret_generation, 8);
    request_free(request);
}

/* It is told when what was there before does not go any more, and tried until it does. */
static void test_a_rollback_that_does_not_go(void **state)
{
    struct fixture *f = *state;
    char *old = f->config;

    push(f, "bio", 1001, 2, 1);
    request_free(push_confirm(f, 1050, 1, 2));
    stop_engine(f);
    f->config = xstrdup(old);
    memcpy(strstr(f->config, "1001-1099"), "1049-1099", 9);
    start_engine(f);
    for (int i = 0; i < 1000 && !has_event(f, EVENT_ROLLBACK_FAILED, "cannot come back"); i++) {
        usleep(10000);
    }
    assert_true(has_event(f, EVENT_ROLLBACK_FAILED, "vlan"));
    assert_true(awaits(f));
    stop_engine(f);
    free(f->config);
    f->config = old;
    start_engine(f);
    wait_for_generation(f, 3);
    assert_int_equal(segments_now(f), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rollback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rollback_is_checked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_confirmed_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rolled_back_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rolled_back_to_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_clock_set_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_superseded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rollback_that_does_not_go, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
