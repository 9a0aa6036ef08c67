/* The store against a real ovsdb-server in a temporary directory: writing, reading again, a server
 * that dies, the lock, a full history. */
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

static pid_t start_server(const struct fixture *f)
{
    pid_t pid = fork();

    if (!pid) {
        char *remote = xasprintf("--remote=punix:%s", f->socket), *ctl;

        ctl = xasprintf("--unixctl=%s/ovsdb-server.%ld.ctl", f->directory, (long)getpid());
        setenv("OVS_RUNDIR", f->directory, 1);
        execlp("ovsdb-server", "ovsdb-server", remote, ctl, "-vconsole:off", "-vfile:off", f->conf,
               (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(f->socket, F_OK); i++) {
        usleep(10000);
    }
    return pid;
}

static void stop_server(struct fixture *f)
{
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    unlink(f->socket);
}

static int setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);
    char *command;

    strcpy(f->directory, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/db.sock", f->directory);
    snprintf(f->server, sizeof f->server, "unix:%s", f->socket);
    snprintf(f->database, sizeof f->database, "%s/router.db", f->directory);
    snprintf(f->conf, sizeof f->conf, "%s/conf.db", f->directory);
    command = xasprintf("ovsdb-tool create %s /usr/share/openvswitch/vswitch.ovsschema", f->conf);
    assert_int_equal(system(command), 0);
    free(command);
    f->config.state_server = f->server;
    f->config.state_database = "Router";
    f->config.state_file = f->database;
    f->pid = start_server(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char *command = xasprintf("rm -r %s", f->directory);

    stop_server(f);
    assert_int_equal(system(command), 0);
    free(command);
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

static bool is_ready(const struct store *store)
{
    const char *reason;

    return store_health(store, &reason) == STORE_READY;
}

static bool is_away_for(const struct store *store, const char *text)
{
    const char *reason = "";

    return store_health(store, &reason) == STORE_AWAY && strstr(reason, text);
}

struct answer {
    bool given;
    int result;
    char text[128];
};

static void take(void *aux, int result, const char *detail)
{
    struct answer *answer = aux;

    assert_false(answer->given);
    answer->given = true;
    answer->result = result;
    snprintf(answer->text, sizeof answer->text, "%s", detail ? detail : "");
}

static void take_text(void *aux, int result, const char *text, size_t len)
{
    take(aux, result, text);
    assert_int_equal(len, text ? strlen(text) : 0);
}

static void put(struct store *store, uint64_t generation, const char *text, const struct ids *ids,
                struct answer *answer)
{
    struct store_change change = {"bio",   generation,    text, strlen(text),
                                  "uid 0", "1 to create", ids};

    *answer = (struct answer){false, 0, ""};
    store_put(store, &change, take, answer);
}

static void test_writes_and_reads_again(void **state)
{
    struct fixture *f = *state;
    const struct store_image *image;
    struct answer answer;
    struct store *store;
    struct ids ids;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store)); /* it made its database by itself */
    assert_int_equal(store_image(store)->n_tenants, 0);
    ids_init(&ids);
    ids_add(&ids, ID_NETWORK, "bio", "genome", "", 1);
    ids_add(&ids, ID_SEGMENT, "bio", "genome", "campus", 7);
    put(store, 1, "version: 1\nnetworks: []\n", &ids, &answer);
    RUN_UNTIL(store, answer.given);
    assert_int_equal(answer.result, 0);
    put(store, 2, "{\"version\": 1, \"networks\": [] } # \"é\"\n", &ids, &answer);
    RUN_UNTIL(store, answer.given);
    assert_int_equal(answer.result, 0);
    ids_done(&ids);
    store_close(store);

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    image = store_image(store);
    assert_int_equal(image->n_tenants, 1);
    assert_string_equal(image->tenants[0].name, "bio");
    assert_int_equal(image->tenants[0].generation, 2);
    assert_string_equal(image->tenants[0].text, "{\"version\": 1, \"networks\": [] } # \"é\"\n");
    assert_int_equal(image->tenants[0].n_history, 2);
    assert_string_equal(image->tenants[0].history[0].who, "uid 0");
    assert_int_equal(image->ids.n, 2);
    assert_int_equal(image->ids.entries[1].id + image->ids.entries[0].id, 8);
    answer = (struct answer){false, 0, ""};
    store_read(store, "bio", 1, take_text, &answer);
    RUN_UNTIL(store, answer.given);
    assert_string_equal(answer.text, "version: 1\nnetworks: []\n");
    answer = (struct answer){false, 0, ""};
    store_read(store, "bio", 9, take_text, &answer);
    RUN_UNTIL(store, answer.given);
    assert_int_equal(answer.result, -ENOENT);
    store_close(store);
}

static void test_keeps_64_generations(void **state)
{
    struct fixture *f = *state;
    struct answer answer;
    struct store *store;
    struct ids ids;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    ids_init(&ids);
    for (uint64_t i = 1; i <= 70; i++) {
        put(store, i, "version: 1\nnetworks: []\n", &ids, &answer);
        RUN_UNTIL(store, answer.given);
        assert_int_equal(answer.result, 0);
    }
    ids_done(&ids);
    assert_int_equal(store_image(store)->tenants[0].n_history, STORE_GENERATIONS);
    store_close(store);
    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    assert_int_equal(store_image(store)->tenants[0].n_history, STORE_GENERATIONS);
    assert_int_equal(store_image(store)->tenants[0].history[0].number, 7);
    assert_int_equal(store_image(store)->tenants[0].history[63].number, 70);
    store_close(store);
}

static void test_server_dies_and_comes_back_without_the_database(void **state)
{
    struct fixture *f = *state;
    struct answer answer;
    struct store *store;
    uint64_t serial;
    struct ids ids;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    ids_init(&ids);
    put(store, 1, "version: 1\nnetworks: []\n", &ids, &answer);
    RUN_UNTIL(store, answer.given);
    serial = store_image(store)->serial;
    stop_server(f);
    put(store, 2, "version: 1\nnetworks: []\n", &ids, &answer);
    RUN_UNTIL(store, answer.given);
    assert_true(answer.result == -EAGAIN || answer.result == -EIO);
    RUN_UNTIL(store, is_away_for(store, f->socket));
    f->pid = start_server(f); /* serves conf.db alone, as after a restart of its service */
    RUN_UNTIL(store, is_ready(store));
    assert_true(store_image(store)->serial > serial);
    assert_int_equal(store_image(store)->tenants[0].generation, 1);
    ids_done(&ids);
    store_close(store);
}

static void test_only_one_routerd_writes(void **state)
{
    struct fixture *f = *state;
    struct store *first, *second;

    assert_int_equal(store_open(&f->config, &first), 0);
    RUN_UNTIL(first, is_ready(first));
    assert_int_equal(store_open(&f->config, &second), 0);
    RUN_UNTIL(second, is_away_for(second, "another routerd"));
    store_close(first);
    RUN_UNTIL(second, is_ready(second));
    store_close(second);
}

static void test_remembers_since(void **state)
{
    struct fixture *f = *state;
    struct store_since since[] = {{(char *)"bio/genome/segment/campus", 1234567890123},
                                  {(char *)"bio/genome", 5}};
    struct answer answer;
    struct store *store;
    struct ids ids;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    store_put_since(store, since, 2);
    since[1].since_ms = 0;
    store_put_since(store, since + 1, 1);
    ids_init(&ids);
    put(store, 1, "version: 1\nnetworks: []\n", &ids, &answer);
    RUN_UNTIL(store, answer.given);
    ids_done(&ids);
    store_close(store);
    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    assert_int_equal(store_image(store)->n_since, 1);
    assert_string_equal(store_image(store)->since[0].object, "bio/genome/segment/campus");
    assert_true(store_image(store)->since[0].since_ms == 1234567890123);
    store_close(store);
}

static void test_setup_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    char *message = NULL;

    assert_int_equal(store_setup(&f->config, 5000, &message), 0);
    assert_non_null(strstr(message, "was made"));
    free(message);
    assert_int_equal(store_setup(&f->config, 5000, &message), 0);
    assert_non_null(strstr(message, "is there"));
    free(message);
    stop_server(f);
    assert_int_not_equal(store_setup(&f->config, 2000, &message), 0);
    assert_non_null(strstr(message, f->socket));
    free(message);
    f->pid = start_server(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_and_reads_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keeps_64_generations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_server_dies_and_comes_back_without_the_database, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_only_one_routerd_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_remembers_since, setup, teardown),
        cmocka_unit_test_setup_teardown(test_setup_says_what_is_wrong, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
