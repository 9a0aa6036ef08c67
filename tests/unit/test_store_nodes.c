/* Pages of nodes in the store, on a real ovsdb-server in a temporary directory: what is written is
 * read again, a page that is lost is noticed, an old database is upgraded, a torn file loses only
 * what was never answered. */
#include "server.h"

#include "store/store.h"

#include <errno.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/vlog.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[64];
    char socket[96], server[104], database[96];
    struct config config;
    pid_t pid;
    struct store *store;
    struct store_nodes_reader reader;
    char *seen; /* "1 bio/genome/aws: a b\n" for each page */
};

static void start_server(struct fixture *f)
{
    f->pid = server_start(f->directory, f->socket, f->database);
}

/* --- the reader ----------------------------------------------------------------------------- */

static void begin(void *aux)
{
    struct fixture *f = aux;

    free(f->seen);
    f->seen = xstrdup("");
}

static bool take_page(void *aux, const struct store_page *page, const char *const *records,
                      size_t n)
{
    struct fixture *f = aux;

    char *text =
        xasprintf("%s%u %s/%s/%s:", f->seen, page->number, page->tenant, page->network, page->pool);

    for (size_t i = 0; i <= n; i++) {
        char *longer = xasprintf("%s%s%s", text, i < n ? " " : "\n", i < n ? records[i] : "");

        free(text);
        text = longer;
    }
    free(f->seen);
    f->seen = text;
    return n == 0 || strcmp(records[0], "senseless") != 0;
}

static void open_store(struct fixture *f)
{
    assert_int_equal(store_open(&f->config, &f->store), 0);
    store_read_nodes(f->store, &f->reader);
}

static int setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    strcpy(f->directory, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->socket, sizeof f->socket, "%s/db.sock", f->directory);
    snprintf(f->server, sizeof f->server, "unix:%s", f->socket);
    snprintf(f->database, sizeof f->database, "%s/router.db", f->directory);
    run_command("ovsdb-tool create %s %s/routerd/store/router.ovsschema", f->database, SOURCE_DIR);
    f->config.state_server = f->server;
    f->config.state_database = "Router";
    f->config.state_file = f->database;
    f->reader = (struct store_nodes_reader){begin, take_page, f};
    start_server(f);
    open_store(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    server_stop(f->pid, f->socket);
    run_command("rm -r %s", f->directory);
    free(f->seen);
    free(f);
    return 0;
}

#define RUN_UNTIL(f, condition)                       \
    for (time_t start_ = time(NULL); !(condition);) { \
        assert_true(time(NULL) - start_ < 20);        \
        store_run((f)->store);                        \
        if (condition) {                              \
            break;                                    \
        }                                             \
        store_wait((f)->store);                       \
        poll_timer_wait(200);                         \
        poll_block();                                 \
    }

static bool is_ready(const struct fixture *f)
{
    const char *reason;

    return store_health(f->store, &reason) == STORE_READY;
}

static void read_again(struct fixture *f)
{
    store_close(f->store);
    free(f->seen);
    f->seen = NULL;
    open_store(f);
    RUN_UNTIL(f, is_ready(f));
}

/* --- the writer ----------------------------------------------------------------------------- */

struct answer {
    bool given;
    int result;
};

static void take(void *aux, int result, const char *detail)
{
    struct answer *answer = aux;

    (void)detail;
    assert_false(answer->given);
    *answer = (struct answer){true, result};
}

static int put(struct fixture *f, const struct store_page_change *changes, size_t n)
{
    struct answer answer = {false, 0};

    store_put_nodes(f->store, changes, n, take, &answer);
    RUN_UNTIL(f, answer.given);
    return answer.result;
}

static const char *const three[] = {"web-1 10.2.0.4 - {\"a\":\"b\"}", "web-2 10.2.0.5 -",
                                    "web-3 10.2.0.6 -"};
static const char *const four[] = {"!1775012645000 10.2.0.4"};

static void put_two_pages(struct fixture *f)
{
    const struct store_page_change changes[] = {
        {{7, "bio", "genome", "aws"}, STORE_PAGE_NEW, NULL, 0, three, 3},
        {{9, "bio", "brain", "campus"}, STORE_PAGE_NEW, NULL, 0, three, 1},
    };

    assert_int_equal(put(f, changes, 2), 0);
}

static void test_writes_and_reads_again(void **state)
{
    struct fixture *f = *state;
    const struct store_page_change change[] = {
        {{7, "", "", ""}, STORE_PAGE_CHANGED, three, 1, four, 1},
        {{9, "", "", ""}, STORE_PAGE_GONE, NULL, 0, NULL, 0},
    };

    RUN_UNTIL(f, is_ready(f));
    assert_string_equal(f->seen, "");
    put_two_pages(f);
    assert_string_equal(f->seen, "");
    read_again(f);
    assert_string_equal(
        f->seen,
        "7 bio/genome/aws: web-1 10.2.0.4 - {\"a\":\"b\"} web-2 10.2.0.5 - web-3 10.2.0.6 -\n"
        "9 bio/brain/campus: web-1 10.2.0.4 - {\"a\":\"b\"}\n");
    assert_int_equal(put(f, change, 2), 0);
    store_read_again(f->store);
    RUN_UNTIL(f, !is_ready(f));
    RUN_UNTIL(f, is_ready(f));
    assert_string_equal(
        f->seen, "7 bio/genome/aws: !1775012645000 10.2.0.4 web-2 10.2.0.5 - web-3 10.2.0.6 -\n");
}

static void test_reads_many_pages(void **state)
{
    struct fixture *f = *state;
    struct store_page_change changes[150];
    size_t lines = 0;

    RUN_UNTIL(f, is_ready(f));
    for (uint32_t i = 0; i < 150; i++) {
        changes[i] = (struct store_page_change){
            {3 * i, "bio", "genome", "aws"}, STORE_PAGE_NEW, NULL, 0, three, i % 4};
    }
    assert_int_equal(put(f, changes, 150), 0);
    read_again(f);
    for (const char *p = f->seen; (p = strchr(p, '\n')); p++) {
        lines++;
    }
    assert_int_equal(lines, 150);
    assert_non_null(strstr(f->seen, "\n447 bio/genome/aws: web-1"));
}

static void test_notices_a_lost_page(void **state)
{
    struct fixture *f = *state;
    const struct store_page_change change = {{7, "", "", ""}, STORE_PAGE_CHANGED, NULL, 0, four, 1};

    RUN_UNTIL(f, is_ready(f));
    assert_int_equal(put(f, &change, 1), -EPROTO);
}

static void test_senseless_nodes_are_refused(void **state)
{
    static const char *const senseless[] = {"senseless"};
    const struct store_page_change change = {
        {7, "bio", "genome", "aws"}, STORE_PAGE_NEW, NULL, 0, senseless, 1};
    struct fixture *f = *state;
    const char *reason = NULL;

    RUN_UNTIL(f, is_ready(f));
    assert_int_equal(put(f, &change, 1), 0);
    store_read_again(f->store);
    RUN_UNTIL(f, store_health(f->store, &reason) == STORE_AWAY);
    assert_non_null(strstr(reason, "restore a backup"));
}

/* The schema of the release before nodes were kept. */
static void test_upgrades_the_first_schema(void **state)
{
    struct fixture *f = *state;
    char *message = NULL;

    store_close(f->store);
    server_stop(f->pid, f->socket);
    run_command(
        "cd %s && rm router.db && "
        "/usr/bin/python3 -c \"import json; s = json.load(open('%s/routerd/store/router.ovsschema')); "
        "s['version'] = '1.0.0'; del s['tables']['Node_Page']; json.dump(s, open('old', 'w'))\" && "
        "ovsdb-tool create router.db old && ovsdb-tool transact router.db "
        "'[\"Router\", {\"op\": \"insert\", \"table\": \"Since\", \"row\": {\"object\": \"bio\"}}]' "
        ">/dev/null",
        f->directory, SOURCE_DIR);
    start_server(f);
    assert_int_equal(store_setup(&f->config, 5000, &message), 0);
    assert_non_null(strstr(message, "upgraded"));
    free(message);
    open_store(f);
    RUN_UNTIL(f, is_ready(f));
    assert_int_equal(store_image(f->store)->n_since, 1);
    put_two_pages(f);
}

/* --- power loss ----------------------------------------------------------------------------- */

static off_t size_of(const char *file)
{
    struct stat info;

    assert_int_equal(stat(file, &info), 0);
    return info.st_size;
}

/* At whatever byte of its last record the file ends: what was answered before is there, the last is
 * there whole or not at all, and it can be written to. */
static void test_a_torn_file_loses_only_what_is_unanswered(void **state)
{
    struct fixture *f = *state;
    const struct store_page_change last = {{7, "", "", ""}, STORE_PAGE_CHANGED, three, 1, four, 1};
    off_t before, after;

    RUN_UNTIL(f, is_ready(f));
    put_two_pages(f);
    before = size_of(f->database);
    assert_int_equal(put(f, &last, 1), 0);
    after = size_of(f->database);
    assert_true(after > before + 20);
    store_close(f->store);
    server_stop(f->pid, f->socket);
    run_command("cp %s %s/whole.db", f->database, f->directory);
    for (off_t cut = before; cut <= after; cut += 1) {
        run_command("rm -f %s/.router.db.~lock~ && cp %s/whole.db %s", f->directory, f->directory,
                    f->database);
        assert_int_equal(truncate(f->database, cut), 0);
        start_server(f);
        open_store(f);
        RUN_UNTIL(f, is_ready(f));
        assert_non_null(strstr(f->seen, cut == after ? "7 bio/genome/aws: !1775012645000"
                                                     : "7 bio/genome/aws: web-1"));
        assert_non_null(strstr(f->seen, "9 bio/brain/campus: web-1"));
        assert_int_equal(put(f, &last, 1), 0);
        store_close(f->store);
        server_stop(f->pid, f->socket);
    }
    start_server(f);
    open_store(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_and_reads_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reads_many_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notices_a_lost_page, setup, teardown),
        cmocka_unit_test_setup_teardown(test_senseless_nodes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upgrades_the_first_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_torn_file_loses_only_what_is_unanswered, setup,
                                        teardown),
    };

    signal(SIGPIPE, SIG_IGN); /* as routerd does */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
