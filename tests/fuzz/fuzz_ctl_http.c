/* Any bytes as an answer: whatever pieces they come in, the result is the same, and what is taken
 * for complete is within the limits. The first byte is the size of the pieces. */
#include "routerctl/http.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_in_pieces(struct ctl_http *http, const char *bytes, size_t len, size_t step)
{
    const char *why = NULL;

    ctl_http_init(http);
    for (size_t i = 0; i < len; i += step) {
        int error = ctl_http_feed(http, bytes + i, len - i < step ? len - i : step, &why);

        if (error) {
            assert(why);
            return error;
        }
    }
    return ctl_http_end(http);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ctl_http whole, pieces;
    const char *bytes;
    int a, b;

    if (!size) {
        return 0;
    }
    bytes = (const char *)data + 1;
    a = read_in_pieces(&whole, bytes, size - 1, size);
    b = read_in_pieces(&pieces, bytes, size - 1, data[0] % 16 + 1);
    assert(a == b);
    if (!a) {
        const struct ctl_answer *x = &whole.answer, *y = &pieces.answer;

        assert(x->status >= 200 && x->status <= 599 && x->status == y->status);
        assert(x->body.len == y->body.len && x->body.len < size);
        assert(!memcmp(ctl_buffer_string(&x->body), ctl_buffer_string(&y->body), x->body.len));
        assert(!strcmp(x->etag, y->etag) && !strcmp(x->content_type, y->content_type));
    }
    ctl_http_done(&whole);
    ctl_http_done(&pieces);
    return 0;
}
