/* The events over HTTP: all that is kept, from an id on, of a tenant, and as it happens. */
#include "api_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int setup(void **state)
{
    world_setup(state);
    world_open(*state);
    return 0;
}

static void happen(struct world *world, const char *tenant, const char *text)
{
    const struct event_about about = {tenant, "genome", "genome/peer/aws", 0};

    event_log_add(world->engine.events, router_event_new(1775012645678, EVENT_DOWN, &about, text));
}

/* Sends a request and reads until `end` has come or the connection is at its end. */
static char *read_until(int fd, const char *end)
{
    static char text[1 << 16];
    size_t len = 0;

    for (;;) {
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);

        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
        if (n <= 0 || (end && strstr(text, end))) {
            return text;
        }
    }
}

static int begin(struct world *world, const char *target)
{
    int fd = client_open(world->path);
    char request[256];

    assert_true(fd >= 0);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    assert_true(client_send(fd, request, strlen(request)));
    return fd;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word))) {
        text += strlen(word);
        n++;
    }
    return n;
}

static void test_all_that_is_kept(void **state)
{
    static const char *const request =
        "GET /v1/events?since=80&tenant=geo HTTP/1.1\r\nHost: x\r\n\r\n";
    struct world *world = *state;
    char *text;
    int fd;

    fd = begin(world, "/v1/events");
    text = read_until(fd, "\r\n0\r\n\r\n");
    assert_non_null(strstr(text, "200 OK"));
    assert_int_equal(count(text, "\"id\""), 0);
    close(fd);
    for (int i = 0; i < 90; i++) {
        happen(world, i % 3 ? "bio" : "geo", i == 89 ? "a \"quoted\"\nthing" : "down");
    }
    fd = begin(world, "/v1/events");
    text = read_until(fd, "\r\n0\r\n\r\n");
    assert_non_null(strstr(text, "Content-Type: application/x-ndjson\r\n"));
    assert_non_null(strstr(text, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(
        strstr(text, "{\"id\":1,\"time\":\"2026-04-01T03:04:05.678Z\",\"tenant\":\"geo\","
                     "\"network\":\"genome\",\"object\":\"genome/peer/aws\",\"kind\":\"down\","
                     "\"text\":\"down\"}\n"));
    assert_non_null(strstr(text, "a \\\"quoted\\\"\\nthing"));
    assert_int_equal(count(text, "\"id\""), 90);
    /* the connection stays */
    assert_true(client_send(fd, request, strlen(request)));
    text = read_until(fd, "\r\n0\r\n\r\n");
    assert_int_equal(count(text, "\"id\""), 3); /* 82, 85, 88 */
    assert_int_equal(count(text, "\"tenant\":\"bio\""), 0);
    close(fd);
}

static void test_follow(void **state)
{
    struct world *world = *state;
    char *text;
    int fd;

    happen(world, "bio", "first");
    fd = begin(world, "/v1/events?follow=true");
    text = read_until(fd, "first");
    assert_int_equal(count(text, "\"id\""), 1);
    happen(world, "bio", "second");
    text = read_until(fd, "second");
    assert_non_null(strstr(text, "\"id\":2"));
    happen(world, "bio", "third");
    assert_non_null(strstr(read_until(fd, "third"), "\"id\":3"));
    close(fd);
    while (world->api->n_conns) { /* it is seen to be gone */
        usleep(1000);
    }
    assert_int_equal(world->api->n_followers, 0);
}

static void test_follow_of_http_1_0(void **state)
{
    struct world *world = *state;
    char request[] = "GET /v1/events HTTP/1.0\r\n\r\n", *text;
    int fd = client_open(world->path);

    happen(world, "bio", "first");
    assert_true(client_send(fd, request, strlen(request)));
    text = read_until(fd, NULL);
    assert_int_equal(count(text, "chunked"), 0);
    assert_int_equal(count(text, "\"id\""), 1);
    close(fd);
}

static void test_refusals(void **state)
{
    struct world *world = *state;
    struct reply reply;
    int first, second;

    reply = ask(world, "GET", "/v1/events?tenant=astro", "");
    assert_int_equal(reply.status, 404);
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/events?since=x", "");
    assert_int_equal(reply.status, 400);
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/events?follow=1", "");
    assert_int_equal(reply.status, 400);
    reply_done(&reply);
    happen(world, "bio", "first");
    world->api->limits.followers = 1;
    first = begin(world, "/v1/events?follow=true");
    read_until(first, "first");
    second = begin(world, "/v1/events?follow=true");
    assert_non_null(strstr(read_until(second, "already"), " 503 "));
    close(second);
    close(first);
}

/* A client that reads nothing holds up nobody and costs a bounded buffer. */
static void test_a_client_that_does_not_read(void **state)
{
    struct world *world = *state;
    char *text = malloc(4001);
    int fd = begin(world, "/v1/events?follow=true");

    memset(text, 'x', 4000);
    text[4000] = '\0';
    for (int i = 0; i < 5000; i++) {
        happen(world, "bio", text);
    }
    free(text);
    for (int i = 0; i < 10; i++) {
        struct reply reply = ask(world, "GET", "/v1/health", "");

        assert_int_equal(reply.status, 200);
        reply_done(&reply);
    }
    close(fd);
}

static void test_stopping_ends_it(void **state)
{
    struct world *world = *state;
    int fd;

    happen(world, "bio", "first");
    fd = begin(world, "/v1/events?follow=true");
    read_until(fd, "first");
    api_close(world->api);
    world->api = NULL;
    assert_non_null(strstr(read_until(fd, NULL), "0\r\n\r\n"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_that_is_kept, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_follow, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_follow_of_http_1_0, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_does_not_read, setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_stopping_ends_it, setup, world_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
