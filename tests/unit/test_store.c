/* The store against a real ovsdb-server in a temporary directory: writing, reading again, a server
 * that dies, the lock, a full history. */
#include "store_world.h"

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
