/* store_world.h - a world for tests of the store: a real ovsdb-server in a directory of its own. */
#ifndef STORE_WORLD_H
#define STORE_WORLD_H

#include "server.h"

#include "store/store.h"

#include <errno.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[64];
    char socket[96], server[104], database[96], conf[96];
    struct config config;
    pid_t pid;
};

__attribute__((unused)) static pid_t start_server(const struct fixture *f)
{
    return server_start(f->directory, f->socket, f->conf);
}

__attribute__((unused)) static void stop_server(struct fixture *f)
{
    server_stop(f->pid, f->socket);
}

__attribute__((unused)) static int setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    strcpy(f->directory, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/db.sock", f->directory);
    snprintf(f->server, sizeof f->server, "unix:%s", f->socket);
    snprintf(f->database, sizeof f->database, "%s/router.db", f->directory);
    snprintf(f->conf, sizeof f->conf, "%s/conf.db", f->directory);
    run_command("ovsdb-tool create %s /usr/share/openvswitch/vswitch.ovsschema", f->conf);
    f->config.state_server = f->server;
    f->config.state_database = "Router";
    f->config.state_file = f->database;
    f->pid = start_server(f);
    *state = f;
    return 0;
}

__attribute__((unused)) static int teardown(void **state)
{
    struct fixture *f = *state;

    stop_server(f);
    run_command("rm -r %s", f->directory);
    free(f);
    return 0;
}

/* Runs the store until the condition holds; a test that waits in vain fails. */
#define RUN_UNTIL(store, condition)                   \
    for (time_t start_ = time(NULL); !(condition);) { \
        assert_true(time(NULL) - start_ < 20);        \
        store_run(store);                             \
        if (condition) {                              \
            break;                                    \
        }                                             \
        store_wait(store);                            \
        poll_timer_wait(200);                         \
        poll_block();                                 \
    }

__attribute__((unused)) static bool is_ready(const struct store *store)
{
    const char *reason;

    return store_health(store, &reason) == STORE_READY;
}

__attribute__((unused)) static bool is_away_for(const struct store *store, const char *text)
{
    const char *reason = "";

    return store_health(store, &reason) == STORE_AWAY && strstr(reason, text);
}

struct answer {
    bool given;
    int result;
    char text[128];
};

__attribute__((unused)) static void take(void *aux, int result, const char *detail)
{
    struct answer *answer = aux;

    assert_false(answer->given);
    answer->given = true;
    answer->result = result;
    snprintf(answer->text, sizeof answer->text, "%s", detail ? detail : "");
}

__attribute__((unused)) static void take_text(void *aux, int result, const char *text, size_t len)
{
    take(aux, result, text);
    assert_int_equal(len, text ? strlen(text) : 0);
}

__attribute__((unused)) static void put(struct store *store, uint64_t generation, const char *text,
                                        const struct ids *ids, struct answer *answer)
{
    struct store_change change = {.tenant = "bio",
                                  .generation = generation,
                                  .text = text,
                                  .text_len = strlen(text),
                                  .who = "uid 0",
                                  .summary = "1 to create",
                                  .ids = ids};

    *answer = (struct answer){false, 0, ""};
    store_put(store, &change, take, answer);
}

#endif
