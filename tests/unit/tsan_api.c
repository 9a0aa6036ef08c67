/* The queue between the API's thread and the engine's, under ThreadSanitizer: many clients, answers
 * from another thread, clients that leave early, snapshots and configurations that change
 * meanwhile, and an end in the middle of it. */
#include "api_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PUT "/v1/tenants/bio/topology"

static void echo(struct request *request)
{
    request->ret_generation = request->if_match + 1;
    request->plan = plan_new();
}

struct member {
    struct world *world;
    pthread_t thread;
    unsigned int number;
    bool leaves; /* without its answers */
};

static void *member_run(void *aux)
{
    struct member *member = aux;

    for (unsigned int round = 0; round < 40; round++) {
        int fd = client_open(member->world->path);
        unsigned int generation = member->number * 1000 + round;
        char text[256], expected[64];
        struct reply reply;

        snprintf(text, sizeof text,
                 "DELETE " PUT " HTTP/1.1\r\nHost: x\r\nIf-Match: \"%u\"\r\n\r\n", generation);
        client_say(fd, text);
        if (!member->leaves) {
            reply = client_read(fd, true);
            snprintf(expected, sizeof expected, "{\"generation\":%u,", generation + 1);
            assert(reply.status == 202 && !strncmp(reply.body, expected, strlen(expected)));
            reply_done(&reply);
            client_say(fd, "GET /v1/tenants/bio/status HTTP/1.1\r\nHost: x\r\n\r\n");
            reply = client_read(fd, true);
            assert(reply.status == 200);
            reply_done(&reply);
        }
        close(fd);
    }
    return NULL;
}

static void test_crowd(void **state)
{
    struct world world;
    struct member members[12];

    (void)state;
    world_init(&world);
    world.limits.tenant_calls = 1000;
    world.engine.answer = echo;
    world_publish(&world, true, true);
    world_open(&world);
    for (unsigned int i = 0; i < 12; i++) {
        members[i] = (struct member){.world = &world, .number = i + 1, .leaves = i % 3 == 0};
        assert_int_equal(pthread_create(&members[i].thread, NULL, member_run, &members[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        world_publish(&world, i % 2, true);
        api_reconfigure(world.api, &world.config);
        usleep(2000);
    }
    for (unsigned int i = 0; i < 12; i++) {
        pthread_join(members[i].thread, NULL);
    }
    world_done(&world);
}

/* The API ends while the engine has requests, and while it answers them. */
static void test_end(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct world world;
        int fds[20];

        world_init(&world);
        world.engine.answer = echo;
        world_open(&world);
        engine_set_hold(&world.engine, true);
        for (int i = 0; i < 20; i++) {
            fds[i] = client_open(world.path);
            client_say(fds[i], "DELETE " PUT " HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        engine_await(&world.engine, 20);
        engine_set_hold(&world.engine, false);
        api_close(world.api);
        world.api = NULL;
        for (int i = 0; i < 20; i++) {
            struct reply reply = client_read(fds[i], true);

            assert_true(reply.status == 202 || reply.status == 503);
            reply_done(&reply);
            close(fds[i]);
        }
        world_done(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
