/* The control socket as a file, and who may speak over it. */
#include "api_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/wait.h>

enum { NOBODY = 65534, GROUP = 1 /* daemon, on every system */ };

static const char *group_name(void)
{
    struct group *group = getgrgid(GROUP);

    return group ? group->gr_name : NULL;
}

static void test_mode_and_group(void **state)
{
    struct world *world = *state;
    mode_t old = umask(0);
    struct stat status;

    world->config.socket_group = group_name();
    world_open(world);
    umask(old);
    assert_int_equal(stat(world->path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0660);
    if (geteuid() == 0) {
        assert_int_equal(status.st_gid, GROUP);
    }
    api_close(world->api);
    world->api = NULL;
    assert_int_equal(stat(world->path, &status), -1);
    umask(0777);
    world_open(world);
    umask(old);
    assert_int_equal(stat(world->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
}

static int try_open(struct world *world)
{
    struct api *api = NULL;
    int error = api_open(&world->config, &world->engine, &api);

    assert_int_equal(error != 0, api == NULL);
    api_close(api);
    return error;
}

static void test_live_one_is_refused(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_open(world);
    assert_int_equal(try_open(world), -EADDRINUSE);
    reply = ask(world, "GET", "/v1/health", "");
    assert_int_equal(reply.status, 200);
    reply_done(&reply);
}

static int bind_other(struct world *world, bool alive)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", world->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (alive) {
        assert_int_equal(listen(fd, 5), 0);
    }
    return fd;
}

static void test_somebody_elses_is_refused(void **state)
{
    struct world *world = *state;
    int fd = bind_other(world, true);

    assert_int_equal(try_open(world), -EADDRINUSE);
    close(fd);
    assert_int_equal(try_open(world), 0); /* now it is a dead one's */
}

static void test_dead_one_is_replaced(void **state)
{
    struct world *world = *state;
    struct reply reply;
    int fd = bind_other(world, false);

    close(fd);
    world_open(world);
    reply = ask(world, "GET", "/v1/health", "");
    assert_int_equal(reply.status, 200);
    reply_done(&reply);
}

static void test_other_files_stay(void **state)
{
    struct world *world = *state;
    int fd = open(world->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    close(fd);
    assert_int_equal(try_open(world), -EEXIST);
    assert_int_equal(access(world->path, F_OK), 0);
    unlink(world->path);
}

/* A successor's socket is not removed by a predecessor that ends late. */
static void test_only_our_own_is_removed(void **state)
{
    struct world *world = *state;
    int fd;

    world_open(world);
    unlink(world->path);
    fd = bind_other(world, true);
    api_close(world->api);
    world->api = NULL;
    assert_int_equal(access(world->path, F_OK), 0);
    close(fd);
    unlink(world->path);
}

static void test_wrong_configuration(void **state)
{
    struct world *world = *state;
    char path[200];

    world->config.socket_group = "no-such-group-anywhere";
    assert_int_equal(try_open(world), -EINVAL);
    world->config.socket_group = NULL;
    snprintf(path, sizeof path, "%s/%0120d", world->directory, 0);
    world->config.socket_path = path;
    assert_int_equal(try_open(world), -ENAMETOOLONG);
    snprintf(path, sizeof path, "%s/missing/missing/s", world->directory);
    assert_int_equal(try_open(world), -ENOENT);
    world->config.socket_path = world->path;
}

static void test_directory_is_made(void **state)
{
    struct world *world = *state;
    char path[128];

    snprintf(path, sizeof path, "%s/made/s", world->directory);
    world->config.socket_path = path;
    assert_int_equal(try_open(world), 0);
    snprintf(path, sizeof path, "%s/made/s.lock", world->directory);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/made", world->directory);
    assert_int_equal(rmdir(path), 0);
}

/* --- who ------------------------------------------------------------------------------------ */

/* What a client gets that is another user: the status, or 255. */
static int ask_as(struct world *world, uid_t uid, gid_t gid, gid_t supplementary,
                  const char *target)
{
    int status;
    pid_t child = fork();

    if (!child) {
        struct reply reply;

        if (setgroups(supplementary ? 1 : 0, &supplementary) || setgid(gid) || setuid(uid)) {
            _exit(255);
        }
        reply = ask(world, "GET", target, "");
        _exit(reply.status / 100 == 2 ? 0 : reply.status == 403 ? 3 : 254);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_who_may(void **state)
{
    struct world *world = *state;

    if (geteuid() != 0 || !group_name()) {
        skip();
    }
    world->config.socket_group = group_name();
    world->config.socket_mode = 0666; /* so that it is ours to refuse */
    world_open(world);
    assert_int_equal(ask_as(world, 0, 0, 0, "/v1/health"), 0);
    assert_int_equal(ask_as(world, NOBODY, GROUP, 0, "/v1/health"), 0);
    assert_int_equal(ask_as(world, NOBODY, NOBODY, GROUP, "/v1/health"), 0);
    assert_int_equal(ask_as(world, NOBODY, NOBODY, 0, "/v1/health"), 3);
    assert_int_equal(ask_as(world, NOBODY, NOBODY, 2, "/v1/nothing"), 3);
}

static void test_root_alone(void **state)
{
    struct world *world = *state;

    if (geteuid() != 0) {
        skip();
    }
    world->config.socket_mode = 0666;
    world_open(world);
    assert_int_equal(ask_as(world, 0, 0, 0, "/v1/health"), 0);
    assert_int_equal(ask_as(world, NOBODY, 0, 0, "/v1/health"), 3); /* root's group is no root */
    assert_int_equal(ask_as(world, NOBODY, GROUP, GROUP, "/v1/health"), 3);
}

/* --- the metrics address ---------------------------------------------------------------------- */

/* A port of the loopback that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int status_over_tcp(int port, const char *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), status;
    struct reply reply;
    char text[256];

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: r\r\n\r\n", target);
    assert_true(client_say(fd, text));
    reply = client_read(fd, true);
    status = reply.status;
    reply_done(&reply);
    close(fd);
    return status;
}

static void test_metrics_address(void **state)
{
    struct world *world = *state;
    char address[32];
    int port = free_port();

    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    world->config.metrics_address = address;
    world_open(world);
    assert_int_equal(status_over_tcp(port, "/metrics"), 200);
    assert_int_equal(status_over_tcp(port, "/v1/health"), 403);
    assert_int_equal(status_over_tcp(port, "/v1/tenants/bio/status"), 403);
    assert_int_equal(status_over_tcp(port, "/nothing"), 404);
}

static void test_metrics_address_in_use(void **state)
{
    struct world *world = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[32];

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
    world->config.metrics_address = text;
    assert_int_equal(try_open(world), -EADDRINUSE);
    close(fd);
}

#define with_world(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(test_mode_and_group),
        with_world(test_live_one_is_refused),
        with_world(test_somebody_elses_is_refused),
        with_world(test_dead_one_is_replaced),
        with_world(test_other_files_stay),
        with_world(test_only_our_own_is_removed),
        with_world(test_wrong_configuration),
        with_world(test_directory_is_made),
        with_world(test_metrics_address),
        with_world(test_metrics_address_in_use),
        with_world(test_who_may),
        with_world(test_root_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
