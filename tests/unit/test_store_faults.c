/* What can happen to the state database: a full disk, a server that dies while it writes, a file
 * that lost its end or is none, schemas from before and after us; and the way back, a backup. */
#include "store_world.h"

#include <sys/mount.h>
#include <sys/stat.h>

enum { DISK_KB = 256, KILLS = 5 };

/* The generation in force after the store has been read anew; 0: none. */
static uint64_t read_generation(struct fixture *f, char text[128])
{
    const struct store_image *image;
    uint64_t generation = 0;
    struct store *store;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    image = store_image(store);
    if (image->n_tenants) {
        generation = image->tenants[0].generation;
        snprintf(text, 128, "%s", image->tenants[0].text);
    }
    store_close(store);
    return generation;
}

static void document_of(uint64_t generation, char text[128])
{
    snprintf(text, 128, "version: 1\nnetworks: [] # %d\n", (int)generation);
}

static int put_and_wait(struct store *store, uint64_t generation, struct answer *answer)
{
    char text[128];
    struct ids ids;

    ids_init(&ids);
    document_of(generation, text);
    put(store, generation, text, &ids, answer);
    RUN_UNTIL(store, answer->given);
    ids_done(&ids);
    return answer->result;
}

/* --- a full disk ---------------------------------------------------------------------------- */

static int setup_small_disk(void **state)
{
    struct fixture *f;
    char disk[96], options[32];

    if (setup(state)) {
        return -1;
    }
    f = *state;
    snprintf(disk, sizeof disk, "%s/disk", f->directory);
    snprintf(options, sizeof options, "size=%dk", DISK_KB);
    mkdir(disk, 0700);
    if (!mount("none", disk, "tmpfs", 0, options)) { /* else the test skips itself */
        snprintf(f->database, sizeof f->database, "%s/disk/router.db", f->directory);
    }
    return 0;
}

static int teardown_small_disk(void **state)
{
    struct fixture *f = *state;
    char disk[96];

    snprintf(disk, sizeof disk, "%s/disk", f->directory);
    umount2(disk, MNT_DETACH);
    return teardown(state);
}

/* Fills the disk but for nothing. */
static void fill_up(const struct fixture *f, const char *name)
{
    char *command = xasprintf("cat /dev/zero 2>/dev/null > %s/disk/%s", f->directory, name);

    assert_int_not_equal(system(command), 0);
    free(command);
}

static void make_room(const struct fixture *f, const char *name)
{
    char *file = xasprintf("%s/disk/%s", f->directory, name);

    assert_int_equal(unlink(file), 0);
    free(file);
}

static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    uint64_t generation = 1;
    struct answer answer;
    struct store *store;
    char text[128], wanted[128];

    if (!strstr(f->database, "/disk/")) {
        skip();
    }
    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    assert_int_equal(put_and_wait(store, generation, &answer), 0);
    fill_up(f, "ballast");
    while (generation < 200 && !put_and_wait(store, generation + 1, &answer)) {
        generation++; /* what is left of the last page */
    }
    for (int i = 0; i < 2; i++) { /* at once, and when it is tried again */
        assert_true(answer.result == -ENOSPC || answer.result == -EIO);
        assert_non_null(strstr(answer.text, "make room on the disk"));
        put_and_wait(store, generation + 1, &answer);
    }
    assert_int_equal(store_image(store)->tenants[0].generation, generation);
    make_room(f, "ballast");
    assert_int_equal(put_and_wait(store, generation + 1, &answer), 0);
    store_close(store);
    stop_server(f);
    f->pid = start_server(f);
    assert_int_equal(read_generation(f, text), generation + 1);
    document_of(generation + 1, wanted);
    assert_string_equal(text, wanted);
}

/* --- a server that dies while it writes ------------------------------------------------------- */

static void test_killed_while_it_writes(void **state)
{
    struct fixture *f = *state;
    char text[128], wanted[128];
    uint64_t generation = 0;

    for (int i = 0; i < KILLS; i++) {
        struct store *store;
        struct answer answer = {.given = true};
        struct ids ids;
        pid_t killer;

        ids_init(&ids);
        assert_int_equal(store_open(&f->config, &store), 0);
        RUN_UNTIL(store, is_ready(store));
        assert_true(!generation || store_image(store)->tenants[0].generation == generation);
        killer = fork();
        if (!killer) {
            usleep(1500 * (useconds_t)(i + 1));
            kill(f->pid, SIGKILL);
            _exit(0);
        }
        do { /* as fast as it can, until the server is gone */
            document_of(generation + 1, text);
            put(store, generation + 1, text, &ids, &answer);
            RUN_UNTIL(store, answer.given);
            generation += answer.result == 0;
        } while (answer.result == 0);
        waitpid(killer, NULL, 0);
        store_close(store);
        ids_done(&ids);
        stop_server(f);
        f->pid = start_server(f);
        {
            uint64_t there = read_generation(f, text);

            assert_in_range(there, generation, generation + 1); /* what was answered, or one more */
            generation = there;
        }
        if (generation) {
            document_of(generation, wanted);
            assert_string_equal(text, wanted); /* never half of it */
        }
    }
    assert_true(generation > 0);
}

/* --- damaged files ---------------------------------------------------------------------------- */

static void write_generations(struct fixture *f, uint64_t n)
{
    struct answer answer;
    struct store *store;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    for (uint64_t i = 1; i <= n; i++) {
        assert_int_equal(put_and_wait(store, i, &answer), 0);
    }
    store_close(store);
}

/* The end of the file is missing: what is whole counts, and nothing else. */
static void test_truncated_file(void **state)
{
    struct fixture *f = *state;
    char text[128], wanted[128];
    struct stat info;

    write_generations(f, 3);
    stop_server(f);
    assert_int_equal(stat(f->database, &info), 0);
    assert_int_equal(truncate(f->database, info.st_size - 10), 0);
    f->pid = start_server(f);
    assert_int_equal(read_generation(f, text), 2);
    document_of(2, wanted);
    assert_string_equal(text, wanted);
}

static void test_no_database_file(void **state)
{
    struct fixture *f = *state;
    struct store *store;
    FILE *file;

    write_generations(f, 1);
    stop_server(f);
    file = fopen(f->database, "w");
    fputs("this is no database\n", file);
    fclose(file);
    f->pid = start_server(f);
    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_away_for(store, f->database));
    assert_true(is_away_for(store, "restore a backup"));
    store_close(store);
}

/* --- other schemas ---------------------------------------------------------------------------- */

static void test_newer_schema(void **state)
{
    struct fixture *f = *state;
    struct store *store;

    run_command("sed 's/\"version\": \"[0-9.]*\"/\"version\": \"99.0.0\"/' "
                "%s/routerd/store/router.ovsschema > %s/newer && ovsdb-tool create %s %s/newer",
                SOURCE_DIR, f->directory, f->database, f->directory);
    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_away_for(store, "newer than this routerd's"));
    assert_true(is_away_for(store, "upgrade routerd, or restore a backup"));
    store_close(store);
}

/* What the version before had, with a topology in it: it is upgraded, and the topology stays. */
static void test_older_schema(void **state)
{
    struct fixture *f = *state;
    char text[128];

    run_command(
        "python3 -c \"import json,sys; s=json.load(open('%s/routerd/store/router.ovsschema')); "
        "s['version']='1.1.0'; del s['tables']['Event']; c=s['tables']['Tenant']['columns']; "
        "[c.pop(k) for k in ('confirm_until','confirm_for','confirm_back')]; "
        "json.dump(s, open('%s/older', 'w'))\" && ovsdb-tool create %s %s/older",
        SOURCE_DIR, f->directory, f->database, f->directory);
    run_command(
        "ovsdb-tool transact %s '[\"Router\", {\"op\": \"insert\", \"table\": \"Tenant\", "
        "\"row\": {\"name\": \"bio\", \"generation\": 1}}, {\"op\": \"insert\", \"table\": "
        "\"Generation\", \"row\": {\"tenant\": \"bio\", \"number\": 1, \"time\": 1, \"who\": "
        "\"x\", \"summary\": \"\", \"document\": \"version: 1\"}}]' >/dev/null",
        f->database);
    assert_int_equal(read_generation(f, text), 1);
    assert_string_equal(text, "version: 1");
}

/* --- backups ---------------------------------------------------------------------------------- */

static int restore(struct fixture *f, const char *file, const char *says)
{
    char *message = NULL;
    int result = store_restore(&f->config, file, 20000, &message);

    assert_non_null(message);
    if (!strstr(message, says)) {
        fail_msg("%s is not in: %s", says, message);
    }
    free(message);
    return result;
}

static void test_backup_and_restore(void **state)
{
    struct fixture *f = *state;
    char *message = NULL, *file = xasprintf("%s/backup", f->directory), text[128];
    struct answer answer;
    struct store *store;
    struct stat info;

    assert_int_equal(store_open(&f->config, &store), 0);
    RUN_UNTIL(store, is_ready(store));
    assert_int_equal(put_and_wait(store, 1, &answer), 0);
    assert_int_equal(put_and_wait(store, 2, &answer), 0);
    assert_int_equal(store_backup(&f->config, file, 20000, &message), 0); /* while it runs */
    assert_non_null(strstr(message, file));
    free(message);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(put_and_wait(store, 3, &answer), 0);
    assert_int_equal(restore(f, file, "stop it first"), -EBUSY);
    assert_int_equal(store_image(store)->tenants[0].generation, 3);
    store_close(store);
    assert_int_equal(read_generation(f, text), 3);
    assert_int_equal(restore(f, file, "start routerd"), 0);
    assert_int_equal(read_generation(f, text), 2);
    assert_non_null(strstr(text, "# 2"));
    free(file);
}

/* All is lost but the backup. */
static void test_restore_into_nothing(void **state)
{
    struct fixture *f = *state;
    char *message = NULL, *file = xasprintf("%s/backup", f->directory), text[128];

    write_generations(f, 3);
    assert_int_equal(store_backup(&f->config, file, 20000, &message), 0);
    free(message);
    stop_server(f);
    unlink(f->database);
    f->pid = start_server(f);
    assert_int_equal(restore(f, file, "start routerd"), 0);
    assert_int_equal(read_generation(f, text), 3);
    free(file);
}

static void test_wrong_backups(void **state)
{
    struct fixture *f = *state;
    char *message = NULL, text[128];

    write_generations(f, 2);
    assert_true(restore(f, "/nonexistent/file", "is no backup") < 0);
    run_command("echo nonsense > %s/nonsense", f->directory);
    message = xasprintf("%s/nonsense", f->directory);
    assert_true(restore(f, message, "is no backup") < 0);
    free(message);
    assert_true(restore(f, f->conf, "is a backup of database Open_vSwitch") < 0);
    assert_true(store_backup(&f->config, "/nonexistent/file", 20000, &message) < 0);
    assert_non_null(strstr(message, "No such file"));
    free(message);
    assert_int_equal(read_generation(f, text), 2);
}

/* What is no file stays what it is: a backup to /dev/null must not take the machine's. */
static void test_backup_in_place_of_no_file(void **state)
{
    struct fixture *f = *state;
    char *place = xasprintf("%s/place", f->directory), *message = NULL;
    struct stat info;

    write_generations(f, 1);
    assert_int_equal(mkfifo(place, 0600), 0);
    assert_true(store_backup(&f->config, place, 20000, &message) < 0);
    assert_non_null(strstr(message, "no regular file"));
    free(message);
    assert_int_equal(stat(place, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_int_equal(unlink(place), 0);
    assert_int_equal(symlink(f->conf, place), 0);
    assert_true(store_backup(&f->config, place, 20000, &message) < 0);
    free(message);
    assert_int_equal(lstat(place, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full_disk, setup_small_disk, teardown_small_disk),
        cmocka_unit_test_setup_teardown(test_killed_while_it_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_database_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newer_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backup_and_restore, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_into_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_backups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backup_in_place_of_no_file, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
