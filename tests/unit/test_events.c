/* Events: their kinds, the log's ids and limits, and what a storm becomes. */
#include "events/event_damper.h"
#include "events/event_log.h"

#include <lib/util.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct router_event *make(const char *tenant, const char *object, const char *text)
{
    const struct event_about about = {tenant, NULL, object, 0};

    return router_event_new(1000, EVENT_DOWN, &about, text);
}

static void test_kinds(void **state OVS_UNUSED)
{
    enum event_kind found;

    for (int i = 0; i < N_EVENT_KINDS; i++) {
        assert_true(event_kind_find(event_kind_name((enum event_kind)i), &found));
        assert_int_equal(found, i);
    }
    assert_false(event_kind_find("", &found));
}

static void test_event_copies(void **state OVS_UNUSED)
{
    char tenant[] = "bio", text[] = "it is down";
    const struct event_about about = {tenant, NULL, "genome/peer/aws", 7};
    struct router_event *event = router_event_new(5, EVENT_DOWN, &about, text);

    memset(tenant, 'x', 3);
    memset(text, 'x', 3);
    assert_string_equal(event->about.tenant, "bio");
    assert_string_equal(event->about.network, "");
    assert_string_equal(event->about.object, "genome/peer/aws");
    assert_string_equal(event->text, "it is down");
    assert_int_equal(event->about.generation, 7);
    router_event_unref(router_event_ref(event));
    router_event_unref(event);
    router_event_unref(NULL);
}

static void drop(struct router_event **events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        router_event_unref(events[i]);
    }
}

static void test_log_keeps_the_newest(void **state OVS_UNUSED)
{
    struct event_log *log = event_log_new(10);
    struct router_event *events[20];
    uint64_t since = 0;
    size_t n;

    assert_false(event_log_is_open(log));
    event_log_open(log, NULL, 0);
    assert_int_equal(event_log_last(log), 0);
    for (int i = 0; i < 25; i++) {
        event_log_add(log, make(i % 2 ? "bio" : "geo", "", "x"));
    }
    assert_int_equal(event_log_first(log), 16);
    assert_int_equal(event_log_last(log), 25);
    n = event_log_read(log, &since, NULL, events, 4);
    assert_int_equal(n, 4);
    assert_int_equal(events[0]->id, 16);
    assert_int_equal(since, 19);
    drop(events, n);
    n = event_log_read(log, &since, "bio", events, 20);
    assert_int_equal(n, 3); /* 20, 22, 24 */
    assert_int_equal(events[0]->id, 20);
    assert_int_equal(since, 25); /* also behind what was another's */
    drop(events, n);
    assert_int_equal(event_log_read(log, &since, NULL, events, 20), 0);
    since = 1000;
    assert_int_equal(event_log_read(log, &since, NULL, events, 20), 0);
    assert_int_equal(since, 1000);
    event_log_free(log);
}

static void count_call(void *aux)
{
    ++*(int *)aux;
}

static void test_log_goes_on_behind_what_was_kept(void **state OVS_UNUSED)
{
    struct event_log *log = event_log_new(10);
    struct router_event *kept[2] = {make("bio", "", "one"), make("bio", "", "two")};
    struct router_event *read[4];
    uint64_t since = 6;
    int calls = 0;

    kept[0]->id = 5;
    kept[1]->id = 7;
    event_log_open(log, kept, 2);
    event_log_on_add(log, count_call, &calls);
    event_log_add(log, make("bio", "", "three"));
    event_log_on_add(log, NULL, NULL);
    event_log_add(log, make("bio", "", "four"));
    assert_int_equal(calls, 1);
    assert_int_equal(event_log_read(log, &since, NULL, read, 4), 3);
    assert_int_equal(read[0]->id, 7);
    assert_int_equal(read[1]->id, 17); /* none that may have been shown is given again */
    assert_int_equal(read[2]->id, 18);
    drop(read, 3);
    event_log_free(log);
}

/* One object flaps for a minute, 100 times a second; the last word gets out. */
static void test_a_flapping_object_is_damped(void **state OVS_UNUSED)
{
    struct event_damper *damper = event_damper_new();
    struct router_event *event, *last = NULL;
    size_t passed = 0, other = 0;
    int64_t now;

    for (now = 0; now < 60000; now += 10) {
        char text[32];

        snprintf(text, sizeof text, "number %d", (int)now);
        event = event_damper_put(damper, now, make("bio", "g/tunnel/a", text));
        passed += event != NULL;
        router_event_unref(event);
        if (now % 5000 == 0) { /* others are not hurt */
            event = event_damper_put(damper, now, make("bio", "g/tunnel/b", text));
            other += event != NULL;
            router_event_unref(event);
        }
        while ((event = event_damper_take(damper, now))) {
            passed++;
            router_event_unref(event);
        }
    }
    assert_in_range(passed, 40, 60);
    assert_int_equal(other, 12);
    for (; event_damper_due(damper) != INT64_MAX; now += 10) {
        while ((event = event_damper_take(damper, now))) {
            router_event_unref(last);
            last = event;
        }
    }
    assert_non_null(last);
    assert_non_null(strstr(last->text, "number 59990"));
    assert_non_null(strstr(last->text, "earlier ones were left out)"));
    router_event_unref(last);
    event_damper_free(damper);
}

/* Thousands of objects at once: bounded for a while, and each gets its last word in the end. */
static void test_a_storm_is_bounded(void **state OVS_UNUSED)
{
    struct event_damper *damper = event_damper_new();
    size_t passed = 0, words = 0;
    struct router_event *event;
    int64_t now;

    for (now = 0; now < 10000; now += 1000) {
        for (int i = 0; i < 3000; i++) {
            char object[32];

            snprintf(object, sizeof object, "g/tunnel/t%d", i);
            event = event_damper_put(damper, now, make("bio", object, now == 9000 ? "end" : "x"));
            passed += event != NULL;
            words += event && !strncmp(event->text, "end", 3);
            router_event_unref(event);
        }
        assert_null(event_damper_put(damper, now, make("bio", "g/tunnel/t1", "x")));
        event = event_damper_put(damper, now, make("bio", "", "a generation"));
        assert_non_null(event); /* never in the way of these */
        router_event_unref(event);
    }
    assert_in_range(passed, 1000, 1200);
    for (; event_damper_due(damper) != INT64_MAX; now += 50) {
        while ((event = event_damper_take(damper, now))) {
            words += !strncmp(event->text, "end", 3);
            router_event_unref(event);
        }
    }
    assert_int_equal(words + 1, 3000); /* t1's last was another */
    event_damper_free(damper);
}

/* More objects than are remembered share a place; nothing is lost but counted. */
static void test_no_end_of_objects(void **state OVS_UNUSED)
{
    struct event_damper *damper = event_damper_new();
    struct router_event *event;

    for (int i = 0; i < 50000; i++) {
        char object[32];

        snprintf(object, sizeof object, "g/node/n%d", i);
        router_event_unref(event_damper_put(damper, 0, make("bio", object, "x")));
    }
    assert_null(event_damper_put(damper, 1, make("bio", "g/node/last", "the last")));
    event_damper_free(damper);
    damper = event_damper_new();
    for (int i = 0; i < 20000; i++) { /* idle ones make room */
        char object[32];

        snprintf(object, sizeof object, "g/node/n%d", i);
        event = event_damper_put(damper, i * 100, make("bio", object, "x"));
        assert_non_null(event);
        router_event_unref(event);
    }
    event_damper_free(damper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_event_copies),
        cmocka_unit_test(test_log_keeps_the_newest),
        cmocka_unit_test(test_log_goes_on_behind_what_was_kept),
        cmocka_unit_test(test_a_flapping_object_is_damped),
        cmocka_unit_test(test_a_storm_is_bounded),
        cmocka_unit_test(test_no_end_of_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
