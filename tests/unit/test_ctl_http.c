#include "check.h"

#include "routerctl/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Feeds `text` in pieces of `step` bytes and then ends the connection. 0 or -errno. */
static int read_answer(struct ctl_http *http, const char *text, size_t step)
{
    const char *why = NULL;
    size_t len = strlen(text);

    ctl_http_init(http);
    for (size_t i = 0; i < len; i += step) {
        int error = ctl_http_feed(http, text + i, len - i < step ? len - i : step, &why);

        if (error) {
            assert_non_null(why);
            return error;
        }
    }
    return ctl_http_end(http);
}

static void assert_answer(const char *text, int status, const char *body)
{
    static const size_t steps[] = {1, 2, 3, 7, 1 << 20};

    for (size_t i = 0; i < LENGTH(steps); i++) {
        struct ctl_http http;

        assert_int_equal(read_answer(&http, text, steps[i]), 0);
        assert_int_equal(http.answer.status, status);
        assert_string_equal(ctl_buffer_string(&http.answer.body), body);
        ctl_http_done(&http);
    }
}

static void assert_refused(const char *text, int error)
{
    static const size_t steps[] = {1, 5, 1 << 20};

    for (size_t i = 0; i < LENGTH(steps); i++) {
        struct ctl_http http;
        int result = read_answer(&http, text, steps[i]);

        if (result != error) {
            fail_msg("%d instead of %d from: %s", result, error, text);
        }
        ctl_http_done(&http);
    }
}

static void test_bodies_by_length(void **state)
{
    (void)state;
    assert_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
    assert_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", 200, "hello");
    assert_answer("HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", 404, "");
    assert_answer("HTTP/1.1 200\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok", 200, "ok");
    assert_answer("HTTP/1.0 200 OK\nContent-Length: 2 \n\nok", 200, "ok");
}

static void test_bodies_in_chunks(void **state)
{
    (void)state;
    assert_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n1;name=value\r\n!\r\n0\r\nTrailer: x\r\n\r\n",
                  200, "hello!");
    assert_answer("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n", 200, "");
    assert_answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0A\r\n0123456789\r\n0\r\n\r\n", 200,
        "0123456789");
}

static void test_bodies_up_to_the_end(void **state)
{
    (void)state;
    assert_answer("HTTP/1.1 200 OK\r\n\r\nall of it", 200, "all of it");
    assert_answer("HTTP/1.1 200 OK\r\n\r\n", 200, "");
}

static void test_answers_without_body(void **state)
{
    (void)state;
    assert_answer("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
    assert_answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, "");
}

static void test_interim_answers_are_skipped(void **state)
{
    (void)state;
    assert_answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                  200, "ok");
    assert_answer("HTTP/1.1 103 Early\r\nETag: \"9\"\r\nContent-Length: 1\r\n\r\n"
                  "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok",
                  202, "ok");
}

static void test_headers_that_count(void **state)
{
    struct ctl_http http;

    (void)state;
    assert_int_equal(read_answer(&http,
                                 "HTTP/1.1 200 OK\r\nETAG: \"7\" \r\n"
                                 "Content-Type:application/yaml\r\nX: y\r\n\r\n",
                                 3),
                     0);
    assert_string_equal(http.answer.etag, "\"7\"");
    assert_string_equal(http.answer.content_type, "application/yaml");
    ctl_http_done(&http);
}

static void test_a_connection_that_ends_early(void **state)
{
    (void)state;
    assert_refused("", -ECONNRESET);
    assert_refused("HTTP/1.1 200 OK\r\n", -ECONNRESET);
    assert_refused("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", -ECONNRESET);
    assert_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                   -ECONNRESET);
    assert_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", -ECONNRESET);
}

static void test_what_is_no_answer(void **state)
{
    static const char *const wrong[] = {
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 999 OK\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1g\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_refused(wrong[i], -EPROTO);
    }
}

static void test_a_binary_head(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n";
    const char *why = NULL;
    struct ctl_http http;

    (void)state;
    ctl_http_init(&http);
    assert_int_equal(ctl_http_feed(&http, head, sizeof head - 1, &why), -EPROTO);
    ctl_http_done(&http);
}

static void test_an_endless_head(void **state)
{
    static const char header[] = "X: 0123456789\r\n";
    const char *why = NULL;
    struct ctl_http http;
    int error = 0;

    (void)state;
    ctl_http_init(&http);
    assert_int_equal(ctl_http_feed(&http, "HTTP/1.1 200 OK\r\n", 17, &why), 0);
    for (size_t i = 0; !error && i < CTL_HTTP_HEAD_BYTES; i++) {
        error = ctl_http_feed(&http, header, strlen(header), &why);
    }
    assert_int_equal(error, -EMSGSIZE);
    ctl_http_done(&http);
}

static void test_an_endless_body(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    enum { PIECE = 4 << 20 };
    char *piece = calloc(1, PIECE);
    const char *why = NULL;
    struct ctl_http http;
    int error;

    (void)state;
    ctl_http_init(&http);
    error = ctl_http_feed(&http, head, strlen(head), &why);
    for (size_t i = 0; !error && i <= CTL_HTTP_BODY_BYTES / PIECE; i++) {
        error = ctl_http_feed(&http, piece, PIECE, &why);
    }
    assert_int_equal(error, -EMSGSIZE);
    ctl_http_done(&http);
    free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_by_length),
        cmocka_unit_test(test_bodies_in_chunks),
        cmocka_unit_test(test_bodies_up_to_the_end),
        cmocka_unit_test(test_answers_without_body),
        cmocka_unit_test(test_interim_answers_are_skipped),
        cmocka_unit_test(test_headers_that_count),
        cmocka_unit_test(test_a_connection_that_ends_early),
        cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_a_binary_head),
        cmocka_unit_test(test_an_endless_head),
        cmocka_unit_test(test_an_endless_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
