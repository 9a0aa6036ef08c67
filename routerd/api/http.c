#include "api/http.h"

#include <string.h>
#include <strings.h>

/* --- where a head ends ---------------------------------------------------------------------- */

/* Empty lines before the request line are ignored (RFC 9112, 2.2), so they end no head. */
static size_t skip_empty_lines(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len &&
           (text[i] == '\n' || (text[i] == '\r' && i + 1 < len && text[i + 1] == '\n'))) {
        i += text[i] == '\r' ? 2 : 1;
    }
    return i;
}

size_t http_head_end(const char *text, size_t len, size_t *scanned)
{
    size_t start = skip_empty_lines(text, len), i = *scanned;

    for (i = i > start ? i : start; i < len; i++) {
        if (text[i] != '\n' || i == start) {
            continue;
        }
        if (text[i - 1] == '\n' || (i - 1 > start && text[i - 1] == '\r' && text[i - 2] == '\n')) {
            return i + 1;
        }
    }
    *scanned = i;
    return 0;
}

/* --- characters ----------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110, 5.6.2. */
static bool is_token_char(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
    if (!*text) {
        return false;
    }
    while (is_token_char(*text)) {
        text++;
    }
    return !*text;
}

static bool is_value(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_target(const char *text)
{
    if (!*text) {
        return false;
    }
    while (*text > 0x20 && *text < 0x7f && *text != '#') {
        text++;
    }
    return !*text;
}

/* --- the head ------------------------------------------------------------------------------- */

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

/* Takes the next line off *text, ended by a NUL and without its CR LF. */
static char *take_line(char **text, const char *end)
{
    char *line = *text, *lf = memchr(line, '\n', (size_t)(end - line));

    if (!lf) {
        return NULL;
    }
    *text = lf + 1;
    *lf = '\0';
    if (lf > line && lf[-1] == '\r') {
        lf[-1] = '\0';
    }
    return line;
}

static int parse_version(const char *text, unsigned int *ret_minor, const char **ret_why)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]) || text[8]) {
        return refuse(400, "the request line does not end in HTTP/1.1", ret_why);
    }
    if (text[5] != '1') {
        return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", ret_why);
    }
    *ret_minor = text[7] > '0';
    return 0;
}

static int parse_request_line(char *line, struct http_head *head, const char **ret_why)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version) {
        return refuse(400, "the request line is not METHOD TARGET HTTP/1.1", ret_why);
    }
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line) || !is_target(target)) {
        return refuse(400, "the method or the target has characters that must not be there",
                      ret_why);
    }
    head->method = line;
    head->target = target;
    return parse_version(version, &head->minor, ret_why);
}

static int parse_header(char *line, struct http_head *head, const char **ret_why)
{
    char *value = strchr(line, ':'), *end;

    if (!value) {
        return refuse(400, "a header has no colon", ret_why);
    }
    if (head->n_headers == HTTP_HEADERS) {
        return refuse(431, "the request has too many headers", ret_why);
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    for (end = value + strlen(value); end > value && strchr(" \t", end[-1]); end--) {
    }
    *end = '\0';
    if (!is_token(line) || !is_value(value)) {
        return refuse(400, "a header has characters that must not be there", ret_why);
    }
    head->headers[head->n_headers++] = (struct http_header){line, value};
    return 0;
}

const char *http_header(const struct http_head *head, const char *name, size_t *ret_n)
{
    const char *value = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (!strcasecmp(head->headers[i].name, name)) {
            value = head->headers[i].value;
            ++*ret_n;
        }
    }
    return value;
}

/* Whether a list of words, separated by commas, has the word. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        list += strspn(list, " \t,");
        size_t n = strcspn(list, " \t,");

        if (n == len && !strncasecmp(list, word, n)) {
            return true;
        }
        list += n;
    }
    return false;
}

static int parse_length(const char *text, uint64_t *ret_length, const char **ret_why)
{
    uint64_t length = 0;

    if (!*text || strlen(text) > 18) {
        return refuse(400, "Content-Length is not a number", ret_why);
    }
    for (; *text; text++) {
        if (!is_digit(*text)) {
            return refuse(400, "Content-Length is not a number", ret_why);
        }
        length = length * 10 + (uint64_t)(*text - '0');
    }
    *ret_length = length;
    return 0;
}

/* How the body is delimited (RFC 9112, 6). */
static int parse_framing(struct http_head *head, const char **ret_why)
{
    size_t n_lengths, n_codings;
    const char *length = http_header(head, "content-length", &n_lengths);
    const char *coding = http_header(head, "transfer-encoding", &n_codings);

    if (n_lengths > 1 || n_codings > 1 || (length && coding)) {
        return refuse(400, "the length of the body is given more than once", ret_why);
    }
    if (coding && strcasecmp(coding, "chunked") != 0) {
        return refuse(501, "of the transfer codings only chunked is supported", ret_why);
    }
    if (coding && head->minor == 0) {
        return refuse(400, "HTTP/1.0 has no transfer codings", ret_why);
    }
    head->chunked = coding != NULL;
    return length ? parse_length(length, &head->content_length, ret_why) : 0;
}

static int parse_meaning(struct http_head *head, const char **ret_why)
{
    size_t n;
    const char *value = http_header(head, "connection", &n);

    head->keep_alive = head->minor > 0;
    for (size_t i = 0; value && i < head->n_headers; i++) {
        if (!strcasecmp(head->headers[i].name, "connection") &&
            has_word(head->headers[i].value, "close")) {
            head->keep_alive = false;
        }
    }
    http_header(head, "host", &n);
    if (n != 1 && (n > 1 || head->minor > 0)) {
        return refuse(400, "the request needs one Host header", ret_why);
    }
    value = http_header(head, "expect", &n);
    if (value && (n > 1 || strcasecmp(value, "100-continue") != 0)) {
        return refuse(417, "nothing but 100-continue can be expected", ret_why);
    }
    head->expect_continue = value && head->minor > 0;
    return parse_framing(head, ret_why);
}

int http_head_parse(char *text, size_t len, struct http_head *ret_head, const char **ret_why)
{
    size_t skipped = skip_empty_lines(text, len);
    char *rest = text + skipped, *line;
    const char *end = text + len;
    int status;

    *ret_head = (struct http_head){.n_headers = 0};
    text[len] = '\0';
    if (memchr(text, '\0', len)) {
        return refuse(400, "the request's head has a NUL", ret_why);
    }
    line = take_line(&rest, end);
    if (!line) {
        return refuse(400, "the request line has no end", ret_why);
    }
    if (strlen(line) > HTTP_LINE_BYTES) {
        return refuse(414, "the request line is too long", ret_why);
    }
    status = parse_request_line(line, ret_head, ret_why);
    while (!status && (line = take_line(&rest, end)) && *line) {
        status = parse_header(line, ret_head, ret_why);
    }
    return status ? status : parse_meaning(ret_head, ret_why);
}

/* --- bodies in chunks ----------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The line with the chunk's size has ended. */
static int chunk_begin(struct http_chunks *chunks, uint64_t max)
{
    if (chunks->left > max || chunks->total > max - chunks->left) {
        return 413;
    }
    chunks->total += chunks->left;
    chunks->state = chunks->left ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
    chunks->line_len = chunks->digits = 0;
    return 0;
}

static int chunk_size_char(struct http_chunks *chunks, char c)
{
    int digit = hex_digit(c);

    if (digit >= 0) {
        if (++chunks->digits > 15) {
            return 413;
        }
        chunks->left = chunks->left * 16 + (uint64_t)digit;
        return 0;
    }
    if (!chunks->digits || !strchr("\r; \t", c) || !c) {
        return 400;
    }
    chunks->state = c == '\r' ? HTTP_CHUNK_SIZE_LF : HTTP_CHUNK_EXTENSION;
    return 0;
}

/* Extensions mean nothing to us; within their quotes a control character has no business either. */
static int chunk_extension_char(struct http_chunks *chunks, char c)
{
    if (c == '\r') {
        chunks->state = HTTP_CHUNK_SIZE_LF;
        return 0;
    }
    return (unsigned char)c < 0x20 && c != '\t' ? 400 : 0;
}

static int chunk_expect(struct http_chunks *chunks, char c, char expected,
                        enum http_chunk_state next)
{
    chunks->state = next;
    return c == expected ? 0 : 400;
}

static int chunk_trailer_char(struct http_chunks *chunks, char c)
{
    if (++chunks->line_len > HTTP_TRAILER_BYTES) {
        return 400;
    }
    if (chunks->state == HTTP_CHUNK_TRAILER && c == '\r') {
        chunks->state = HTTP_CHUNK_TRAILER_LF;
    } else {
        chunks->state = c == '\n' ? HTTP_CHUNK_TRAILER : HTTP_CHUNK_TRAILER_LINE;
    }
    return 0;
}

/* One byte that is not data. */
static int chunk_char(struct http_chunks *chunks, char c, uint64_t max)
{
    switch (chunks->state) {
    case HTTP_CHUNK_SIZE:
    case HTTP_CHUNK_EXTENSION:
        if (++chunks->line_len > HTTP_CHUNK_LINE_BYTES) {
            return 400;
        }
        return chunks->state == HTTP_CHUNK_SIZE ? chunk_size_char(chunks, c)
                                                : chunk_extension_char(chunks, c);
    case HTTP_CHUNK_SIZE_LF: return c == '\n' ? chunk_begin(chunks, max) : 400;
    case HTTP_CHUNK_DATA_CR: return chunk_expect(chunks, c, '\r', HTTP_CHUNK_DATA_LF);
    case HTTP_CHUNK_DATA_LF: return chunk_expect(chunks, c, '\n', HTTP_CHUNK_SIZE);
    case HTTP_CHUNK_TRAILER:
    case HTTP_CHUNK_TRAILER_LINE: return chunk_trailer_char(chunks, c);
    case HTTP_CHUNK_TRAILER_LF: return chunk_expect(chunks, c, '\n', HTTP_CHUNK_DONE);
    case HTTP_CHUNK_DATA:
    case HTTP_CHUNK_DONE: break;
    }
    return 400;
}

int http_chunks_feed(struct http_chunks *chunks, const char *in, size_t len, uint64_t max,
                     char *out, size_t *ret_used, size_t *ret_written)
{
    size_t used = 0, written = 0;
    int status = 0;

    while (!status && used < len && chunks->state != HTTP_CHUNK_DONE) {
        if (chunks->state != HTTP_CHUNK_DATA) {
            status = chunk_char(chunks, in[used++], max);
            continue;
        }
        size_t n = len - used < chunks->left ? len - used : (size_t)chunks->left;

        memmove(out + written, in + used, n);
        used += n;
        written += n;
        chunks->left -= n;
        if (!chunks->left) {
            chunks->state = HTTP_CHUNK_DATA_CR;
        }
    }
    *ret_used = used;
    *ret_written = written;
    return status;
}

/* --- phrases -------------------------------------------------------------------------------- */

const char *http_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "Unknown";
}
