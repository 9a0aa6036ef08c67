/* The client of a daemon's vty socket, against a daemon in the same thread. */
#include "bgp/bgp_vty.h"
#include "check.h"

#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct world {
    char directory[32], path[64];
    int listener, daemon; /* -1: none */
    struct bgp_vty *vty;
    char said[4096]; /* what the daemon has heard, NULs as newlines */
    char heard[4096];
    int n_heard, n_broken;
};

static void listen_now(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", world->path);
    world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(world->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(world->listener, 3), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    snprintf(world->directory, sizeof world->directory, "/tmp/test_bgp_vty.XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->path, sizeof world->path, "%s/bgpd.vty", world->directory);
    world->daemon = world->listener = -1;
    world->vty = bgp_vty_new("bgpd", world->path);
    *state = world;
    return 0;
}

static void hang_up(struct world *world)
{
    close(world->daemon);
    world->daemon = -1;
}

static int teardown(void **state)
{
    struct world *world = *state;

    bgp_vty_free(world->vty);
    if (world->daemon >= 0) {
        close(world->daemon);
    }
    if (world->listener >= 0) {
        close(world->listener);
    }
    unlink(world->path);
    rmdir(world->directory);
    free(world);
    return 0;
}

static void hear(struct world *world)
{
    char bytes[2048];
    ssize_t n;

    if (world->daemon < 0 && world->listener >= 0) {
        world->daemon = accept4(world->listener, NULL, NULL, SOCK_NONBLOCK);
    }
    n = world->daemon >= 0 ? read(world->daemon, bytes, sizeof bytes) : -1;
    for (ssize_t i = 0; i < n; i++) {
        size_t len = strlen(world->said);

        world->said[len] = bytes[i] ? bytes[i] : '\n';
        world->said[len + 1] = '\0';
    }
}

/* Turns the client's loop until the daemon has heard that much, or for a while. */
static void turn(struct world *world, const char *until)
{
    for (int i = 0; i < 200 && (!until || strcmp(world->said, until) != 0); i++) {
        bgp_vty_run(world->vty);
        hear(world);
        if (!until && i == 5) {
            return;
        }
        poll(NULL, 0, 2);
    }
    if (until) {
        assert_string_equal(world->said, until);
    }
}

static void say(struct world *world, const char *bytes, size_t len)
{
    assert_int_equal(write(world->daemon, bytes, len), (ssize_t)len);
}

static void on_reply(void *world_, const struct bgp_reply *reply)
{
    struct world *world = world_;
    size_t len = strlen(world->heard);

    if (reply->status == BGP_VTY_BROKEN) {
        world->n_broken++;
        return;
    }
    world->n_heard++;
    assert_int_equal(strlen(reply->text), reply->len);
    snprintf(world->heard + len, sizeof world->heard - len, "[%d]%s;", reply->status, reply->text);
}

static void connect_it(struct world *world)
{
    listen_now(world);
    turn(world, "enable\n");
    assert_false(bgp_vty_answers(world->vty));
    say(world, "\0\0\0\0", 4);
    turn(world, NULL);
    assert_true(bgp_vty_answers(world->vty));
    world->said[0] = '\0';
}

static void test_nobody_there(void **state)
{
    struct world *world = *state;

    assert_true(bgp_vty_connecting(world->vty));
    turn(world, NULL);
    assert_false(bgp_vty_answers(world->vty));
    assert_false(bgp_vty_connecting(world->vty));
    assert_non_null(strstr(bgp_vty_problem(world->vty), world->path));
    assert_non_null(strstr(bgp_vty_problem(world->vty), "is FRR running"));
    connect_it(world);
    assert_int_equal(bgp_vty_session(world->vty), 1);
}

static void test_answers_in_order(void **state)
{
    struct world *world = *state;

    connect_it(world);
    bgp_vty_send(world->vty, "show a", NULL, on_reply, world);
    bgp_vty_send(world->vty, "neighbor x password ", "s3cret", on_reply, world);
    bgp_vty_send(world->vty, "nobody asks", NULL, NULL, NULL);
    bgp_vty_send(world->vty, "show b", NULL, on_reply, world);
    assert_int_equal(bgp_vty_pending(world->vty), 4);
    turn(world, "show a\nneighbor x password s3cret\nnobody asks\nshow b\n");
    say(world, "one\n\0\0", 6);
    turn(world, NULL);
    assert_int_equal(world->n_heard, 0);
    say(world, "\0\0\0\0\0\15x\0\0\0\1two\0\0\0\0", 18);
    turn(world, NULL);
    assert_string_equal(world->heard, "[0]one\n;[13];[0]two;");
    assert_int_equal(bgp_vty_pending(world->vty), 0);
}

static void test_a_long_answer(void **state)
{
    struct world *world = *state;
    size_t len = 3 << 20;
    char *text = calloc(1, len + 4);

    connect_it(world);
    memset(text, 'x', len);
    bgp_vty_send(world->vty, "show running-config", NULL, on_reply, world);
    turn(world, "show running-config\n");
    for (size_t sent = 0; sent < len + 4;) {
        ssize_t n = write(world->daemon, text + sent, len + 4 - sent);

        sent += n > 0 ? (size_t)n : 0;
        bgp_vty_run(world->vty);
    }
    turn(world, NULL);
    assert_int_equal(world->n_heard, 1);
    free(text);
}

static void test_the_daemon_dies(void **state)
{
    struct world *world = *state;

    connect_it(world);
    bgp_vty_send(world->vty, "show a", NULL, on_reply, world);
    bgp_vty_send(world->vty, "show b", NULL, on_reply, world);
    turn(world, "show a\nshow b\n");
    hang_up(world);
    turn(world, NULL);
    assert_int_equal(world->n_broken, 2);
    assert_false(bgp_vty_answers(world->vty));
    world->said[0] = '\0';
    turn(world, "enable\n");
    say(world, "\0\0\0\0", 4);
    turn(world, NULL);
    assert_true(bgp_vty_answers(world->vty));
    assert_int_equal(bgp_vty_session(world->vty), 2);
}

static void test_the_daemon_hangs(void **state)
{
    struct world *world = *state;

    connect_it(world);
    bgp_vty_set_deadline(world->vty, 30);
    bgp_vty_send(world->vty, "show a", NULL, on_reply, world);
    for (int i = 0; i < 100 && bgp_vty_answers(world->vty); i++) {
        bgp_vty_run(world->vty);
        poll(NULL, 0, 2);
    }
    assert_false(bgp_vty_answers(world->vty));
    assert_int_equal(world->n_broken, 1);
    assert_non_null(strstr(bgp_vty_problem(world->vty), "has not answered"));
}

static void test_not_frr(void **state)
{
    struct world *world = *state;

    connect_it(world);
    say(world, "HTTP/1.1 400\0\0\0\0", 16);
    turn(world, NULL);
    assert_false(bgp_vty_answers(world->vty));
    assert_non_null(strstr(bgp_vty_problem(world->vty), "does not speak"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_daemon_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_daemon_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_frr, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
