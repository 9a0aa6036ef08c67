/* Connections: framing, limits, time, clients that stall, vanish, come in crowds, or talk nonsense.
 */
#include "api_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PUT "/v1/tenants/bio/topology"
#define GET_HEALTH "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"

static void assert_status(int fd, int status)
{
    struct reply reply = client_read(fd, true);

    assert_int_equal(reply.status, status);
    reply_done(&reply);
}

/* The answer, which is a problem document, and then the connection's end. */
static void assert_refused(int fd, int status)
{
    struct reply reply = client_read(fd, true);
    char buffer[256];

    assert_int_equal(reply.status, status);
    assert_string_equal(reply_header(&reply, "Content-Type", buffer), "application/problem+json");
    assert_string_equal(reply_header(&reply, "Connection", buffer), "close");
    assert_true(client_closed(fd));
    reply_done(&reply);
    close(fd);
}

static void assert_works(struct world *world)
{
    struct reply reply = ask(world, "GET", "/v1/health", "");

    assert_int_equal(reply.status, 200);
    reply_done(&reply);
}

/* Waits until the server has so many connections: it is what it says itself. */
static void await_connections(struct world *world, int n)
{
    char line[64];

    snprintf(line, sizeof line, "\nrouterd_api_connections %d\n",
             n + 1); /* and the one that asks */
    for (int i = 0; i < 400; i++) {
        struct reply reply = ask(world, "GET", "/metrics", "");
        bool there = reply.status == 200 && strstr(reply.body, line);

        reply_done(&reply);
        if (there) {
            return;
        }
        usleep(10000);
    }
    fail_msg("there are never %d connections", n);
}

/* --- one connection, many requests ---------------------------------------------------------- */

static void test_keep_alive(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    fd = client_open(world->path);
    for (int i = 0; i < 3; i++) {
        client_say(fd, GET_HEALTH);
        assert_status(fd, 200);
        client_say(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"); /* no reason to part */
        assert_status(fd, 404);
    }
    client_say(fd, "GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(fd, 200);
    assert_true(client_closed(fd));
    close(fd);
}

static void test_pipelining(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    fd = client_open(world->path);
    for (int i = 0; i < 100; i++) {
        client_say(fd, GET_HEALTH "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n"
                                  "version: 1\nnetworks: []\nHEAD /v1/health HTTP/1.1\r\nHost: "
                                  "x\r\n\r\nPUT " PUT " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n5\r\nversi\r\n6\r\non: 1\n\r\n0\r\n\r\n");
    }
    for (int i = 0; i < 100; i++) {
        struct reply reply;

        assert_status(fd, 200);
        assert_status(fd, 202);
        reply = client_read(fd, false);
        assert_int_equal(reply.status, 200);
        reply_done(&reply);
        assert_status(fd, 202);
    }
    close(fd);
}

static void test_byte_by_byte(void **state)
{
    struct world *world = *state;
    const char *request = "\r\nPUT " PUT "?wait=0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n5\r\nversi\r\n6;x\r\non: 1\n\r\n0\r\nA: b\r\n\r\n";
    int fd;

    world_open(world);
    fd = client_open(world->path);
    for (size_t i = 0; i < strlen(request); i++) {
        client_send(fd, request + i, 1);
        usleep(200);
    }
    assert_status(fd, 202);
    client_say(fd, GET_HEALTH);
    assert_status(fd, 200);
    close(fd);
}

static void test_http_1_0(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "GET /v1/health HTTP/1.0\r\n\r\n");
    assert_status(fd, 200);
    assert_true(client_closed(fd));
    close(fd);
}

static void test_half_close(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    engine_set_hold(&world->engine, true);
    fd = client_open(world->path);
    client_say(fd, "PUT " PUT
                   " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nversion: 1" GET_HEALTH);
    shutdown(fd, SHUT_WR); /* has said all, and listens */
    engine_await(&world->engine, 1);
    usleep(20000);
    engine_set_hold(&world->engine, false);
    assert_status(fd, 202);
    assert_status(fd, 200);
    assert_true(client_closed(fd));
    close(fd);
}

/* --- nonsense ------------------------------------------------------------------------------- */

static void test_malformed(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"\x16\x03\x01\x02\n\n", 400},
        {"GARBAGE\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\n\r\n", 505},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nExpect: cake\r\nContent-Length: 3\r\n\r\n", 417},
        {"PUT /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", 404},
        {"PUT " PUT "?x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n", 413},
        {"PUT " PUT " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1000001\r\n", 413},
    };
    struct world *world = *state;

    world_open(world);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = client_open(world->path);

        client_say(fd, cases[i].request);
        assert_refused(fd, cases[i].status);
    }
    assert_int_equal(world->engine.n_submitted, 0);
    assert_works(world);
}

static void test_long_heads(void **state)
{
    struct world *world = *state;
    char *line = malloc(HTTP_HEAD_BYTES + 1);
    int fd;

    world_open(world);
    memset(line, 'x', HTTP_HEAD_BYTES);
    line[HTTP_HEAD_BYTES] = '\0';
    fd = client_open(world->path);
    client_say(fd, "GET /v1/health HTTP/1.1\r\nHost: x\r\nX: ");
    client_say(fd, line);
    assert_refused(fd, 431);
    line[HTTP_LINE_BYTES] = '\0';
    fd = client_open(world->path);
    client_say(fd, "GET /");
    client_say(fd, line);
    client_say(fd, " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_refused(fd, 414);
    free(line);
}

/* --- large bodies --------------------------------------------------------------------------- */

static const char megabyte[1 << 20] = {[0 ... sizeof megabyte - 1] = '#'};

static void test_large_body(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n");
    client_say(fd, "version: 1\n");
    client_send(fd, megabyte, sizeof megabyte - strlen("version: 1\n"));
    for (int i = 1; i < 16; i++) {
        client_send(fd, megabyte, sizeof megabyte);
    }
    assert_status(fd, 202); /* a comment of 16 MiB */
    client_say(fd, GET_HEALTH);
    assert_status(fd, 200);
    close(fd);
}

/* One that sends all of what is too much before it looks for an answer still gets it. */
static void test_too_large_body(void **state)
{
    struct world *world = *state;
    char length[64];
    int fd;

    world_open(world);
    fd = client_open(world->path);
    snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", 18 * sizeof megabyte);
    client_say(fd, "PUT " PUT " HTTP/1.1\r\nHost: x\r\n");
    client_say(fd, length);
    for (int i = 0; i < 18; i++) {
        assert_true(client_send(fd, megabyte, sizeof megabyte));
    }
    assert_refused(fd, 413);
    fd = client_open(world->path);
    client_say(fd, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 18; i++) {
        client_say(fd, "100000\r\n");
        assert_true(client_send(fd, megabyte, sizeof megabyte));
        client_say(fd, "\r\n");
    }
    assert_refused(fd, 413);
    assert_int_equal(world->engine.n_submitted, 0);
}

static void test_all_bodies(void **state)
{
    struct world *world = *state;
    int first, second;

    world->limits.bodies = 3 << 20;
    world_open(world);
    first = client_open(world->path);
    client_say(first, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    client_send(first, megabyte, sizeof megabyte); /* held in 2 MiB */
    await_connections(world, 1);
    second = client_open(world->path);
    client_say(second, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
    client_send(second, megabyte, sizeof megabyte);
    client_send(second, megabyte, sizeof megabyte);
    assert_refused(second, 503);
    close(first);
    await_connections(world, 0);
    second = client_open(world->path);
    client_say(second, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
    client_send(second, megabyte, sizeof megabyte);
    assert_status(second, 400); /* all comment: no document; what matters is that it was read */
    close(second);
}

static void test_continue(void **state)
{
    struct world *world = *state;
    struct reply reply;
    int fd;

    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                   "10\r\n\r\n");
    reply = client_read(fd, true);
    assert_int_equal(reply.status, 100);
    reply_done(&reply);
    client_say(fd, "version: 1");
    assert_status(fd, 202);
    client_say(fd, "PUT /v1/tenants/astro/topology HTTP/1.1\r\nHost: x\r\nExpect: "
                   "100-continue\r\nContent-Length: 10\r\n\r\n");
    assert_refused(fd, 404); /* without asking for the body first */
}

/* --- clients that stall --------------------------------------------------------------------- */

static void test_slow_head(void **state)
{
    struct world *world = *state;
    int fd;

    world->limits.head_ms = 300;
    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "GET /v1/health HT");
    for (int i = 0; i < 5; i++) { /* a byte now and then buys no time */
        usleep(50000);
        client_say(fd, "T");
    }
    assert_works(world); /* nobody else waits for it */
    assert_refused(fd, 408);
}

static void test_slow_body(void **state)
{
    struct world *world = *state;
    int fd;

    world->limits.body_ms = 300;
    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "PUT " PUT " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nver");
    assert_works(world);
    assert_refused(fd, 408);
}

static void test_idle(void **state)
{
    struct world *world = *state;
    int fd;

    world->limits.idle_ms = 300;
    world_open(world);
    fd = client_open(world->path);
    assert_true(client_closed(fd));
    close(fd);
    fd = client_open(world->path);
    client_say(fd, GET_HEALTH);
    assert_status(fd, 200);
    assert_true(client_closed(fd));
    close(fd);
}

/* A client that asks and does not read stops itself, and loses the connection in the end. */
static void test_unread_answers(void **state)
{
    struct world *world = *state;
    struct pollfd poll_fd = {.events = POLLOUT};
    int fd;

    world->limits.write_ms = 500;
    world_open(world);
    fd = client_open(world->path);
    poll_fd.fd = fd;
    for (int i = 0; i < 200000 && poll(&poll_fd, 1, 200) == 1 && poll_fd.revents == POLLOUT; i++) {
        send(fd, GET_HEALTH, strlen(GET_HEALTH), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    assert_works(world);
    await_connections(world, 0);
    close(fd);
}

static void test_linger(void **state)
{
    struct world *world = *state;
    int fd;

    world->limits.linger_ms = 300;
    world_open(world);
    fd = client_open(world->path);
    client_say(fd, "GARBAGE\r\n\r\n");
    assert_status(fd, 400);
    for (int i = 0; i < 1000 && client_say(fd, "more and more\r\n"); i++) {
        usleep(1000); /* never closes its side */
    }
    assert_false(client_say(fd, "x"));
    close(fd);
}

static void test_engine_stalls(void **state)
{
    struct world *world = *state;
    int fd;

    world->limits.engine_ms = 300;
    world_open(world);
    engine_set_hold(&world->engine, true);
    fd = client_open(world->path);
    client_say(fd, "GET " PUT " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_status(fd, 503);
    client_say(fd, GET_HEALTH);
    assert_status(fd, 200);
    engine_set_hold(&world->engine, false); /* the late answer goes nowhere */
    await_connections(world, 1);
    close(fd);
}

/* --- clients that vanish -------------------------------------------------------------------- */

static void test_client_gone(void **state)
{
    struct world *world = *state;

    world_open(world);
    engine_set_hold(&world->engine, true);
    for (size_t i = 1; i <= 20; i++) {
        int fd = client_open(world->path);

        client_say(fd, "PUT " PUT
                       "?wait=60 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nversion: 1");
        engine_await(&world->engine, i);
        close(fd);
    }
    await_connections(world, 0); /* they are seen to be gone while the engine still works */
    engine_set_hold(&world->engine, false);
    assert_works(world);
}

static void test_gone_midway(void **state)
{
    struct world *world = *state;
    static const char *const parts[] = {"", "G", "GET /v1/health HTTP/1.1\r\nHost: x\r\n",
                                        "PUT " PUT
                                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nv"};

    world_open(world);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int fd = client_open(world->path);

        client_say(fd, parts[i]);
        close(fd);
    }
    await_connections(world, 0);
    assert_int_equal(world->engine.n_submitted, 0);
}

/* --- crowds --------------------------------------------------------------------------------- */

static void test_too_many_connections(void **state)
{
    struct world *world = *state;
    int fds[8], extra[4];

    world->limits.connections = 8;
    world->limits.refused = 3;
    world_open(world);
    for (int i = 0; i < 8; i++) {
        fds[i] = client_open(world->path);
        client_say(fds[i], GET_HEALTH);
        assert_status(fds[i], 200);
    }
    for (int i = 0; i < 4; i++) {
        extra[i] = client_open(world->path);
    }
    usleep(50000);
    for (int i = 0; i < 3; i++) {
        client_say(extra[i], GET_HEALTH);
        assert_refused(extra[i], 503);
    }
    assert_true(client_closed(extra[3]));
    close(extra[3]);
    for (int i = 0; i < 8; i++) { /* those who were first are served as before */
        client_say(fds[i], GET_HEALTH);
        assert_status(fds[i], 200);
        close(fds[i]);
    }
    await_connections(world, 0);
}

static void test_too_many_requests(void **state)
{
    struct world *world = *state;
    int fds[3];

    world->limits.tenant_calls = 2;
    world_open(world);
    engine_set_hold(&world->engine, true);
    for (int i = 0; i < 2; i++) {
        fds[i] = client_open(world->path);
        client_say(fds[i], "DELETE " PUT " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    engine_await(&world->engine, 2);
    fds[2] = client_open(world->path);
    client_say(fds[2], "DELETE " PUT " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_status(fds[2], 429);
    client_say(fds[2], "DELETE /v1/tenants/geo/topology HTTP/1.1\r\nHost: x\r\n\r\n");
    engine_await(&world->engine, 3); /* another tenant's */
    engine_set_hold(&world->engine, false);
    for (int i = 0; i < 3; i++) {
        assert_status(fds[i], 202);
        close(fds[i]);
    }
}

static void echo(struct request *request)
{
    request->ret_generation = request->has_if_match ? request->if_match + 1 : 0;
    request->plan = plan_new();
}

struct crowd {
    struct world *world;
    pthread_t thread;
    unsigned int number;
};

static void *crowd_member(void *aux)
{
    struct crowd *member = aux;
    int fd = client_open(member->world->path);

    for (unsigned int i = 0; i < 100; i++) {
        unsigned int generation = member->number * 1000 + i;
        char text[256], expected[64];
        struct reply reply;

        snprintf(text, sizeof text,
                 "DELETE " PUT " HTTP/1.1\r\nHost: x\r\nIf-Match: \"%u\"\r\n\r\n", generation);
        client_say(fd, text);
        reply = client_read(fd, true);
        snprintf(expected, sizeof expected, "{\"generation\":%u,", generation + 1);
        assert(reply.status == 202 && !strncmp(reply.body, expected, strlen(expected)));
        reply_done(&reply);
    }
    close(fd);
    return NULL;
}

/* Each gets the answers to its own questions. */
static void test_crowd(void **state)
{
    struct world *world = *state;
    struct crowd crowd[32];

    world->engine.answer = echo;
    world_open(world);
    for (unsigned int i = 0; i < 32; i++) {
        crowd[i] = (struct crowd){.world = world, .number = i + 1};
        assert_int_equal(pthread_create(&crowd[i].thread, NULL, crowd_member, &crowd[i]), 0);
    }
    for (unsigned int i = 0; i < 32; i++) {
        pthread_join(crowd[i].thread, NULL);
    }
    assert_int_equal(world->engine.n_submitted, 3200);
}

/* --- the end -------------------------------------------------------------------------------- */

static void test_close(void **state)
{
    struct world *world = *state;
    int idle, waiting, half;

    world_open(world);
    engine_set_hold(&world->engine, true);
    idle = client_open(world->path);
    client_say(idle, GET_HEALTH);
    assert_status(idle, 200);
    half = client_open(world->path);
    client_say(half, "PUT " PUT " HTTP/1.1\r\n");
    waiting = client_open(world->path);
    client_say(waiting,
               "PUT " PUT "?wait=60 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nversion: 1");
    engine_await(&world->engine, 1);
    api_close(world->api);
    world->api = NULL;
    assert_status(waiting, 503);
    assert_true(client_closed(waiting));
    assert_true(client_closed(idle));
    close(half); /* its bytes were never read, so it may also be told of a reset */
    assert_int_equal(client_open(world->path), -1);
    close(idle);
    close(waiting); /* and the engine's late answer goes nowhere, in teardown */
}

#define conn(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        conn(test_keep_alive),
        conn(test_pipelining),
        conn(test_byte_by_byte),
        conn(test_http_1_0),
        conn(test_half_close),
        conn(test_malformed),
        conn(test_long_heads),
        conn(test_large_body),
        conn(test_too_large_body),
        conn(test_all_bodies),
        conn(test_continue),
        conn(test_slow_head),
        conn(test_slow_body),
        conn(test_idle),
        conn(test_unread_answers),
        conn(test_linger),
        conn(test_engine_stalls),
        conn(test_client_gone),
        conn(test_gone_midway),
        conn(test_too_many_connections),
        conn(test_too_many_requests),
        conn(test_crowd),
        conn(test_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
