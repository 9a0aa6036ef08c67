#include "check.h"

#include "log/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *captured;

/* Runs `write_lines` with stderr in a file and keeps what it wrote. */
static const char *capture(void (*write_lines)(void))
{
    static size_t size = 1 << 20;
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    free(captured);
    captured = calloc(1, size + 1);
    size_t len = fread(captured, 1, size, file);
    captured[len] = '\0';
    fclose(file);
    return captured;
}

static void write_fields(void)
{
    errno = EBUSY;
    log_object(LOG_LEVEL_INFO, "ovs", "bio", "genome/segment/campus", "port %s", "created");
    log_line(LOG_LEVEL_ERROR, "store", "cannot reach %s", "db.sock");
    log_object(LOG_LEVEL_WARNING, "bgp", "bio", "genome", "away");
    log_object(LOG_LEVEL_WARNING, "api", "bio", NULL, "refused");
    if (errno != EBUSY)
        abort();
}

static void test_lines(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(capture(write_fields),
                        "<6>ovs: port created tenant=bio network=genome "
                        "object=genome/segment/campus\n"
                        "<3>store: cannot reach db.sock\n"
                        "<4>bgp: away tenant=bio network=genome object=genome\n"
                        "<4>api: refused tenant=bio\n");
}

static void write_levels(void)
{
    log_line(LOG_LEVEL_DEBUG, "x", "debug");
    log_line(LOG_LEVEL_INFO, "x", "info");
    log_line(LOG_LEVEL_ERROR, "x", "error");
}

static void test_levels(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(capture(write_levels), "<6>x: info\n<3>x: error\n");
    log_set_level(LOG_LEVEL_DEBUG);
    assert_string_equal(capture(write_levels), "<7>x: debug\n<6>x: info\n<3>x: error\n");
    log_set_level(LOG_LEVEL_ERROR);
    assert_string_equal(capture(write_levels), "<3>x: error\n");
    log_set_level(LOG_LEVEL_INFO);
}

static void write_hostile(void)
{
    log_line(LOG_LEVEL_INFO, "bgp", "%s", "vtysh said:\r\n<0>kernel: panic\x1b[31m");
    log_line(LOG_LEVEL_INFO, "bgp", "%s%5000d", "wide", 1);
}

static void test_an_event_is_one_line(void **state)
{
    (void)state;
    const char *text = capture(write_hostile);
    assert_non_null(strstr(text, "<6>bgp: vtysh said:  <0>kernel: panic [31m\n"));
    const char *wide = strchr(text, '\n') + 1;
    assert_int_equal(strncmp(wide, "<6>bgp: wide ", 13), 0);
    assert_ptr_equal(strchr(wide, '\n') + 1, text + strlen(text));
}

static void *write_many(void *word)
{
    for (int i = 0; i < 500; i++)
        log_line(LOG_LEVEL_INFO, word, "%0100d", i);
    return NULL;
}

static void write_from_threads(void)
{
    static char words[][4] = {"aaa", "bbb"};
    pthread_t threads[LENGTH(words)];
    for (size_t i = 0; i < LENGTH(words); i++)
        pthread_create(&threads[i], NULL, write_many, words[i]);
    for (size_t i = 0; i < LENGTH(words); i++)
        pthread_join(threads[i], NULL);
}

static void test_threads_do_not_mix(void **state)
{
    (void)state;
    const char *at = capture(write_from_threads);
    size_t n = 0;
    for (const char *end; (end = strchr(at, '\n')); at = end + 1, n++)
        assert_int_equal(end - at, 3 + 3 + 2 + 100);
    assert_int_equal(n, 1000);
    free(captured);
    captured = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_an_event_is_one_line),
        cmocka_unit_test(test_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
