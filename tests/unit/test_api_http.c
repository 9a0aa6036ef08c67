/* HTTP's bytes: heads, framing, chunks; every refusal with its status. */
#include "api/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[HTTP_HEAD_BYTES + 1];
static struct http_head head;

static int parse(const char *request)
{
    const char *why = NULL;
    size_t len = strlen(request), scanned = 0;
    int status;

    assert_true(len <= HTTP_HEAD_BYTES);
    assert_int_equal(http_head_end(request, len, &scanned), len);
    snprintf(text, sizeof text, "%s", request);
    status = http_head_parse(text, len, &head, &why);
    assert_int_equal(status != 0, why != NULL);
    return status;
}

static void test_head(void **state)
{
    size_t n;

    (void)state;
    assert_int_equal(parse("PUT /v1/x?wait=3 HTTP/1.1\r\nHost: a\r\nIf-Match:\t\"7\" \t\r\n"
                           "Content-Length: 12\r\n\r\n"),
                     0);
    assert_string_equal(head.method, "PUT");
    assert_string_equal(head.target, "/v1/x?wait=3");
    assert_string_equal(http_header(&head, "if-match", &n), "\"7\"");
    assert_int_equal(n, 1);
    assert_null(http_header(&head, "if", &n));
    assert_int_equal(n, 0);
    assert_int_equal(head.content_length, 12);
    assert_true(head.keep_alive && !head.chunked && !head.expect_continue);
}

static void test_lines_may_end_in_lf(void **state)
{
    (void)state;
    assert_int_equal(parse("\r\n\nGET / HTTP/1.1\nHost: a\n\n"), 0);
    assert_string_equal(head.method, "GET");
    assert_int_equal(head.n_headers, 1);
}

static void test_head_end(void **state)
{
    const char *request = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    size_t end = strlen(request) - strlen("rest");

    (void)state;
    for (size_t step = 1; step < 9; step++) { /* whatever the pieces, the end is the same */
        size_t scanned = 0, found = 0, len = 0;

        while (!found && len < strlen(request)) {
            len = len + step < strlen(request) ? len + step : strlen(request);
            found = http_head_end(request, len, &scanned);
        }
        assert_int_equal(found, end);
    }
}

static void test_connection(void **state)
{
    (void)state;
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n"), 0);
    assert_false(head.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n"), 0);
    assert_true(head.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), 0);
    assert_false(head.keep_alive);
    assert_int_equal(parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                           "Transfer-Encoding: Chunked\r\n\r\n"),
                     0);
    assert_true(head.expect_continue && head.chunked);
}

static void test_refused_heads(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GE\tT / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/11\r\nHost: a\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\001b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = parse(cases[i].request);

        if (status != cases[i].status) {
            print_error("%s", cases[i].request);
        }
        assert_int_equal(status, cases[i].status);
    }
}

static void test_nul_in_head(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    const char *why;

    (void)state;
    memcpy(text, request, sizeof request - 1);
    assert_int_equal(http_head_parse(text, sizeof request - 1, &head, &why), 400);
}

static void test_limits_of_heads(void **state)
{
    char *request = calloc(1, HTTP_HEAD_BYTES);
    int len;

    (void)state;
    snprintf(request, HTTP_HEAD_BYTES, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_LINE_BYTES, 0);
    assert_int_equal(parse(request), 414);
    len = snprintf(request, HTTP_HEAD_BYTES, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < HTTP_HEADERS; i++) {
        len += snprintf(request + len, (size_t)(HTTP_HEAD_BYTES - len), "X: %d\r\n", i);
    }
    snprintf(request + len, (size_t)(HTTP_HEAD_BYTES - len), "\r\n");
    assert_int_equal(parse(request), 0);
    snprintf(request + len, (size_t)(HTTP_HEAD_BYTES - len), "X: y\r\n\r\n");
    assert_int_equal(parse(request), 431);
    free(request);
}

/* --- chunks --------------------------------------------------------------------------------- */

/* Decodes in pieces of `step` bytes, in place as connections do; the decoded body is in `text`. */
static int decode(const char *chunks, size_t step, uint64_t max, size_t *ret_rest)
{
    struct http_chunks decoder = {.state = HTTP_CHUNK_SIZE};
    size_t len = strlen(chunks), in = 0, out = 0;
    int status = 0;

    memcpy(text, chunks, len + 1);
    while (!status && in < len && decoder.state != HTTP_CHUNK_DONE) {
        size_t n = len - in < step ? len - in : step, used, written;

        status = http_chunks_feed(&decoder, text + in, n, max, text + out, &used, &written);
        in += used;
        out += written;
    }
    *ret_rest = len - in;
    text[out] = '\0';
    return status ? status : decoder.state == HTTP_CHUNK_DONE ? 0 : -1;
}

static void test_chunks(void **state)
{
    const char *chunks =
        "4;name=\"v\"\r\nWiki\r\n00A\r\npedia in\r\n\r\n0\r\nTrailer: x\r\n\r\nGET";
    size_t rest;

    (void)state;
    for (size_t step = 1; step <= strlen(chunks); step++) {
        assert_int_equal(decode(chunks, step, 14, &rest), 0);
        assert_string_equal(text, "Wikipedia in\r\n");
        assert_int_equal(rest, 3);
    }
}

static void test_refused_chunks(void **state)
{
    char long_line[HTTP_CHUNK_LINE_BYTES + 16], *long_trailer = malloc(HTTP_TRAILER_BYTES + 16);
    size_t rest;

    (void)state;
    assert_int_equal(decode("\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("g\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("-1\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("1\nx\r\n0\r\n\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("1\r\nxy\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("1;\001\r\n", 9, 100, &rest), 400);
    assert_int_equal(decode("1\r\nx\r\n0\r\n\rX", 9, 100, &rest), 400);
    assert_int_equal(decode("1\r\nx", 9, 100, &rest), -1);
    snprintf(long_line, sizeof long_line, "1;%0*d", HTTP_CHUNK_LINE_BYTES, 0);
    assert_int_equal(decode(long_line, 9, 100, &rest), 400);
    snprintf(long_trailer, HTTP_TRAILER_BYTES + 16, "0\r\n%0*d", HTTP_TRAILER_BYTES + 1, 0);
    assert_int_equal(decode(long_trailer, 9, 100, &rest), 400);
    free(long_trailer);
}

static void test_large_chunks(void **state)
{
    size_t rest;

    (void)state;
    assert_int_equal(decode("5\r\nxxxxx\r\n0\r\n\r\n", 4, 5, &rest), 0);
    assert_int_equal(decode("6\r\n", 4, 5, &rest), 413);
    assert_int_equal(decode("3\r\nxxx\r\n3\r\n", 4, 5, &rest), 413);
    assert_int_equal(decode("ffffffffffffffff\r\n", 4, 5, &rest), 413);
    assert_int_equal(decode("0000000000000000000005\r\n", 4, 5, &rest), 413);
    assert_int_equal(decode("fffffffffffffff\r\n", 4, UINT64_MAX, &rest), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_lines_may_end_in_lf),
        cmocka_unit_test(test_head_end),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_refused_heads),
        cmocka_unit_test(test_nul_in_head),
        cmocka_unit_test(test_limits_of_heads),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_refused_chunks),
        cmocka_unit_test(test_large_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
