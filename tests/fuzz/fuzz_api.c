/* Raw requests through the pure pieces of the API: head, target, query, If-Match, body in chunks.
 */
#include "api/http.h"
#include "api/target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(const struct http_head *head)
{
    static const char *const patterns[] = {
        "/v1/tenants/{tenant}/topology",
        "/v1/tenants/{tenant}/networks/{network}/nodes/{node}",
        "/metrics",
    };
    const char *args[PATH_ARGS] = {NULL};
    char *query, why[QUERY_WHY] = "";
    struct if_match match;
    struct query parsed;
    struct path path;
    size_t n;
    const char *value = http_header(head, "if-match", &n);

    if (value && !if_match_parse(value, &match)) {
        assert(match.kind != IF_MATCH_NONE);
    }
    if (target_parse(head->target, &path, &query)) {
        return;
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (path_match(&path, patterns[i], args)) {
            assert(path.n_segments <= PATH_SEGMENTS);
        }
    }
    if (query_parse(query, ~0U, &parsed, why)) {
        assert(*why && strlen(why) < QUERY_WHY);
    } else {
        assert(parsed.wait_s <= QUERY_WAIT_MAX_S);
    }
}

/* Whatever the pieces that a body comes in, it is the same body. */
static size_t decode(const uint8_t *data, size_t size, size_t step, char *out, int *ret_status)
{
    struct http_chunks chunks = {.state = HTTP_CHUNK_SIZE};
    size_t in = 0, len = 0;

    *ret_status = 0;
    while (!*ret_status && in < size && chunks.state != HTTP_CHUNK_DONE) {
        size_t n = size - in < step ? size - in : step, used, written;

        *ret_status = http_chunks_feed(&chunks, (const char *)data + in, n, 1 << 16, out + len,
                                       &used, &written);
        assert(used <= n && written <= used);
        in += used;
        len += written;
    }
    return len;
}

static void check_chunks(const uint8_t *data, size_t size)
{
    char *whole = malloc(size + 1), *pieces = malloc(size + 1);
    int status, other;
    size_t len = decode(data, size, size + 1, whole, &status);

    assert(decode(data, size, 3, pieces, &other) == len && status == other);
    assert(!memcmp(whole, pieces, len));
    free(whole);
    free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t scanned = 0, len = http_head_end((const char *)data, size, &scanned);
    struct http_head head;
    const char *why = NULL;
    char *text;

    if (!len) {
        check_chunks(data, size);
        return 0;
    }
    assert(len <= size);
    text = malloc(len + 1);
    memcpy(text, data, len);
    if (http_head_parse(text, len, &head, &why)) {
        assert(why);
    } else {
        check_target(&head);
    }
    free(text);
    check_chunks(data + len, size - len);
    return 0;
}
