#include "check.h"

#include "model/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fixture {
    struct arena *arena;
    struct errors *errors;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new();
    f->errors = errors_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    errors_free(f->errors);
    free(f);
    return 0;
}

static struct doc *parse(struct fixture *f, const char *text)
{
    return doc_parse(f->arena, text, strlen(text), f->errors);
}

/* All faults as "LINE:COLUMN: PATH: MESSAGE" lines; forgets them. */
static const char *faults(struct fixture *f)
{
    const char *text = "";
    errors_sort(f->errors);
    for (size_t i = 0; i < errors_kept(f->errors); i++) {
        const struct error *e = errors_get(f->errors, i);
        text = arena_printf(f->arena, "%s%s%u:%u: %s: %s", text, i ? "\n" : "", e->line, e->column,
                            e->path, e->message);
    }
    errors_free(f->errors);
    f->errors = errors_new();
    return text;
}

/* The tree as one line, with quoted scalars in quotes. */
// NOLINTNEXTLINE(misc-no-recursion)
static const char *show(struct fixture *f, const struct doc *doc)
{
    if (doc->kind == DOC_SCALAR)
        return arena_printf(f->arena, doc->quoted ? "'%s'" : "%s", doc->text);
    const char *text = doc->kind == DOC_MAP ? "{" : "[";
    for (const struct doc *child = doc->child; child; child = child->next)
        text = arena_printf(f->arena, "%s%s%s%s%s", text, child == doc->child ? "" : ",",
                            child->key ? child->key : "", child->key ? ":" : "", show(f, child));
    return arena_printf(f->arena, "%s%s", text, doc->kind == DOC_MAP ? "}" : "]");
}

static void test_trees(void **state)
{
    static const char *const PAIRS[][2] = {
        {"a: 1\nb: [x, 'y', \"z\"]\n", "{a:1,b:[x,'y','z']}"},
        {"{\"a\":1,\"b\":[true,null,\"x\\u00e9\\/\\\"\"]}", "{a:1,b:[true,null,'xé/\"']}"},
        {"{\"a\" : \"\\u3042\\n\"\t, \"b\":\t{}\r\n}", "{a:'あ\n',b:{}}"},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "{a:1}"},
        {"# only\n---\na: # comment\n  - b\n  -\n...\n", "{a:[b,]}"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a:'x\ny\n',b:'x y'}"},
        {"a: x y  z\n", "{a:x y  z}"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"''", "''"},
        {"text", "text"},
        {"a: 1\r\nb: 2\r\n", "{a:1,b:2}"},
        {"? a\n: 1\n", "{a:1}"},
        {"a: 'it''s'\n", "{a:'it's'}"},
        {"1: x\ntrue: y\n", "{1:x,true:y}"},
        {"a: http://x/#y\n", "{a:http://x/#y}"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(PAIRS); i++) {
        const struct doc *doc = parse(f, PAIRS[i][0]);
        assert_string_equal(faults(f), "");
        assert_string_equal(show(f, doc), PAIRS[i][1]);
    }
}

static void test_places(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "networks:\n- name: é\n  peers: [{via: x}, {via: y}]\n");
    const struct doc *network = doc_get(root, "networks")->child;
    const struct doc *via = doc_get(doc_get(network, "peers")->child->next, "via");
    assert_string_equal(doc_path(f->arena, root), "");
    assert_string_equal(doc_path(f->arena, network), "networks[0]");
    assert_string_equal(doc_path(f->arena, via), "networks[0].peers[1].via");
    assert_int_equal(via->line, 3);
    assert_int_equal(via->column, 27);
    assert_int_equal(via->key_line, 3);
    assert_int_equal(via->key_column, 22);
    assert_int_equal(via->parent->index, 1);
    assert_int_equal(doc_get(network, "peers")->n_children, 2);
    assert_null(doc_get(network, "segments"));
    assert_null(doc_get(via, "x"));
    doc_error(via, f->errors, "wrong %d", 1);
    doc_key_error(via, f->errors, "wrong %d", 2);
    assert_string_equal(faults(f), "3:22: networks[0].peers[1].via: wrong 2\n"
                                   "3:27: networks[0].peers[1].via: wrong 1");
}

static void test_what_is_not_data(void **state)
{
    static const char *const PAIRS[][2] = {
        {"", "1:1: : the document is empty"},
        {"# nothing\n", "1:1: : the document is empty"},
        {"---\n", "1:1: : the document is empty"},
        {"a: &x 1\nb: *x\n", "1:4: a: anchors are not allowed\n2:4: b: aliases are not allowed"},
        {"a: [&x [], *x, &y {}]", "1:5: a: anchors are not allowed\n1:12: a[1]: aliases are not "
                                  "allowed\n1:16: a: anchors are not allowed"},
        {"&a b: 1\n", "1:1: : anchors are not allowed"},
        {"*a : 1\n", "1:1: : a key must be a string, not an alias"},
        {"a: !!str 1\nb: ! x\nc: !x []\n",
         "1:4: a: tags are not allowed\n2:4: b: tags are not allowed\n3:4: c: tags are not allowed"},
        {"!!map {}", "1:1: : tags are not allowed"},
        {"%TAG ! tag:x,2000:\n---\na: 1\n", "1:1: : tags are not allowed"},
        {"a: 1\n---\nb: 2\n", "2:1: : a second document begins here; only one is allowed"},
        {"a: 1\n...\n---\n", "3:1: : a second document begins here; only one is allowed"},
        {"a: 1\nb: 2\na: 3\na: 4\n",
         "3:1: a: duplicate key `a`; first at line 1\n4:1: a: duplicate key `a`; first at line 1"},
        {"{\"a\":1,\"\\u0061\":2}", "1:8: a: duplicate key `a`; first at line 1"},
        {"? [a]\n: b\n", "1:3: : a key must be a string, not a list or a map"},
        {"{{a: b}: c}", "1:2: : a key must be a string, not a list or a map"},
        {"a: \"\\0\"\n", "1:4: a: must not hold a NUL character"},
        {"{\"a\\u0000\": 1}", "1:2: : a key must not hold a NUL character"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(PAIRS); i++) {
        parse(f, PAIRS[i][0]);
        assert_string_equal(faults(f), PAIRS[i][1]);
    }
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const PAIRS[][2] = {
        {"a:\n\tb: 1\n", "2:1: : a tab cannot indent; use spaces"},
        {"é: 1\na: \"x\xff\"\n", "2:6: : not valid UTF-8"},
        {"a: \xc3", "1:4: : not valid UTF-8"},
        {"a: \xc0\xaf\n", "1:4: : not valid UTF-8"},
        {"a: \xed\xa0\x80\n", "1:4: : not valid UTF-8"},
        {"a: b\x01\n", "1:5: : control characters are not allowed"},
        {"a: \x7f\n", "1:4: : control characters are not allowed"},
        {"\xff\xfe"
         "a",
         "1:1: : not valid UTF-8"},
        {"a: [1, 2\n",
         "2:1: : did not find expected ',' or ']' (while parsing a flow sequence at line 1)"},
        {"a: @\n", "1:4: : found character that cannot start any token (while scanning for the "
                   "next token at line 1)"},
        {"a: b: c\n", "1:5: : mapping values are not allowed in this context"},
        {"a: 'x\n", "2:1: : found unexpected end of stream (while scanning a quoted scalar at "
                    "line 1)"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(PAIRS); i++) {
        assert_null(parse(f, PAIRS[i][0]));
        assert_string_equal(faults(f), PAIRS[i][1]);
    }
    assert_null(doc_parse(f->arena, "a\0: 1", 5, f->errors));
    assert_string_equal(faults(f), "1:2: : control characters are not allowed");
}

static void test_duplicates_go_on(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "a: 1\na: [x]\nb: *z\n");
    uint64_t number;
    faults(f);
    assert_non_null(root);
    /* What was reported is reported once. */
    assert_false(doc_uint(root->child->next, f->errors, 0, 9, &number));
    assert_false(doc_is(root->child->next, DOC_MAP, f->errors));
    assert_false(doc_uint(doc_get(root, "b"), f->errors, 0, 9, &number));
    assert_string_equal(faults(f), "");
    assert_true(doc_uint(doc_get(root, "a"), f->errors, 0, 9, &number));
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    static char text[200001];
    memset(text, '[', DOC_DEPTH);
    memset(text + DOC_DEPTH, ']', DOC_DEPTH);
    assert_non_null(doc_parse(f->arena, text, 2 * DOC_DEPTH, f->errors));
    memset(text, '[', 200000);
    clock_t start = clock();
    assert_null(parse(f, text));
    assert_true(clock() - start < CLOCKS_PER_SEC); /* it is quadratic unless stopped */
    assert_non_null(strstr(faults(f), "nested too deeply"));
    for (size_t i = 0; i < 200000; i++)
        text[i] = i % 2 ? ' ' : '-';
    assert_null(parse(f, text));
    assert_non_null(strstr(faults(f), "nested too deeply"));
}

static void test_size(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(DOC_BYTES + 1);
    memset(text, ' ', DOC_BYTES + 1);
    assert_null(doc_parse(f->arena, text, DOC_BYTES + 1, f->errors));
    assert_string_equal(faults(f), "0:0: : the document is larger than 16 MiB");
    text[0] = 'a';
    assert_non_null(doc_parse(f->arena, text, DOC_BYTES, f->errors));
    text[0] = '[';
    for (size_t i = 1; i < DOC_BYTES; i++)
        text[i] = i % 2 ? '1' : ',';
    assert_null(doc_parse(f->arena, text, DOC_BYTES, f->errors));
    assert_non_null(strstr(faults(f), "the document has too many parts"));
    free(text);
}

static void test_equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } CASES[] = {
        {"{a: 1, b: [x, y]}", "b:\n- \"x\"\n- y # z\na: 1\n", true},
        {"{\"a\": null}", "a:\n", true},
        {"a: ~", "a: ''", false},
        {"a: [x, y]", "a: [y, x]", false},
        {"a: 1", "a: 2", false},
        {"a: 1", "b: 1", false},
        {"a: 1", "{a: 1, b: 1}", false},
        {"a: []", "a: {}", false},
        {"{a: {b: {c: [1, {d: 2}]}}}", "{a: {b: {c: [1, {d: 2}]}}}", true},
        {"{a: {b: {c: [1, {d: 2}]}}}", "{a: {b: {c: [1, {d: 3}]}}}", false},
        {"a: \"\\u0061\"", "a: a", true},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        const struct doc *a = parse(f, CASES[i].a), *b = parse(f, CASES[i].b);
        assert_int_equal(doc_equal(a, b), CASES[i].equal);
        assert_int_equal(doc_equal(b, a), CASES[i].equal);
    }
}

static void test_strings_and_names(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "[x, 27, \"27\", true, '', null, [], \"a\\nb\", A, a-1, é]");
    static const struct {
        const char *string, *name;
    } WANT[] = {{"x", "x"},   {"27", "27"},   {"27", "27"}, {"true", "true"},
                {NULL, NULL}, {NULL, NULL},   {NULL, NULL}, {NULL, NULL},
                {"A", NULL},  {"a-1", "a-1"}, {"é", NULL}};
    size_t i = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next, i++) {
        const char *string = NULL, *name = NULL;
        assert_int_equal(doc_string(doc, f->errors, &string), WANT[i].string != NULL);
        assert_int_equal(doc_name(doc, f->errors, &name), WANT[i].name != NULL);
        if (WANT[i].string)
            assert_string_equal(string, WANT[i].string);
        if (WANT[i].name)
            assert_string_equal(name, WANT[i].name);
    }
    assert_string_equal(faults(f), "1:21: [4]: must not be empty\n"
                                   "1:21: [4]: must be 1 to 63 of a-z, 0-9 and -\n"
                                   "1:25: [5]: must be a string\n"
                                   "1:25: [5]: must be a name: 1 to 63 of a-z, 0-9 and -\n"
                                   "1:31: [6]: must be a string\n"
                                   "1:31: [6]: must be a name: 1 to 63 of a-z, 0-9 and -\n"
                                   "1:35: [7]: must not hold control characters\n"
                                   "1:35: [7]: must be 1 to 63 of a-z, 0-9 and -\n"
                                   "1:43: [8]: must be 1 to 63 of a-z, 0-9 and -\n"
                                   "1:51: [10]: must be 1 to 63 of a-z, 0-9 and -");
}

static void test_name_length(void **state)
{
    struct fixture *f = *state;
    char text[65] = "";
    const char *name;
    memset(text, 'a', 63);
    assert_true(doc_name(parse(f, text), f->errors, &name));
    memset(text, 'a', 64);
    assert_false(doc_name(parse(f, text), f->errors, &name));
}

static void test_numbers(void **state)
{
    struct fixture *f = *state;
    static const char *const GOOD[] = {"1", "0", "4094", "18446744073709551615"};
    static const char *const WRONG[] = {"-1",
                                        "+1",
                                        "01",
                                        "0x10",
                                        "1.0",
                                        "1e3",
                                        "\"1\"",
                                        "1 2",
                                        "true",
                                        "'0'",
                                        "1_000",
                                        "~",
                                        "[]",
                                        "",
                                        "a",
                                        "18446744073709551616",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < LENGTH(GOOD); i++) {
        uint64_t number = 7;
        const struct doc *doc = parse(f, arena_printf(f->arena, "[%s]", GOOD[i]))->child;
        assert_true(doc_uint(doc, f->errors, 0, UINT64_MAX, &number));
        assert_int_equal(number, strtoull(GOOD[i], NULL, 10));
    }
    for (size_t i = 0; i < LENGTH(WRONG); i++) {
        uint64_t number = 7;
        const struct doc *doc = parse(f, arena_printf(f->arena, "a: %s", WRONG[i]))->child;
        assert_false(doc_uint(doc, f->errors, 0, UINT64_MAX, &number));
        assert_int_equal(number, 7);
    }
    faults(f);
    uint64_t number = 0;
    const struct doc *root = parse(f, "[0, 1, 4094, 4095]");
    assert_false(doc_uint(root->child, f->errors, 1, 4094, &number));
    assert_true(doc_uint(root->child->next, f->errors, 1, 4094, &number));
    assert_true(doc_uint(root->child->next->next, f->errors, 1, 4094, &number));
    assert_false(doc_uint(root->child->next->next->next, f->errors, 1, 4094, &number));
    assert_string_equal(faults(f), "1:2: [0]: must be a whole number from 1 to 4094\n"
                                   "1:14: [3]: must be a whole number from 1 to 4094");
}

static void test_as_numbers(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "[1, 23455, 23456, 64512, 65535, 65536, 4294967294, "
                                      "4294967295, 0, 4294967296]");
    static const bool GOOD[] = {true, true, false, true, false, true, true, false, false, false};
    size_t i = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next) {
        uint32_t asn = 0;
        assert_int_equal(doc_asn(doc, f->errors, &asn), GOOD[i++]);
        assert_int_equal(asn != 0, GOOD[i - 1]);
    }
}

static void test_booleans(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "[true, True, TRUE, false, False, FALSE, 'true', yes, on, 1, "
                                      "tRUE, ~, [], y]");
    int i = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next, i++) {
        bool flag = i >= 3;
        assert_int_equal(doc_bool(doc, f->errors, &flag), i < 6);
        assert_int_equal(flag, i < 6 ? i < 3 : true);
    }
    assert_non_null(strstr(faults(f), "1:41: [6]: must be true or false"));
}

static void test_nulls(void **state)
{
    struct fixture *f = *state;
    const struct doc *root =
        parse(f, "{a: , b: ~, c: null, d: Null, e: NULL, f: '', g: nULL, h: []}");
    size_t n = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next)
        assert_int_equal(doc_is_null(doc), n++ < 5);
}

static void test_addresses(void **state)
{
    struct fixture *f = *state;
    const struct doc *root =
        parse(f, "[10.1.0.1, \"2001:db8::1\", 10.1.0.0/16, 10.1.0.1/16, \"::/0\", x, ~, []]");
    static const int WANT[] = {1, 1, 6, 4, 6, 0, 0, 0}; /* bits: address, prefix, ifaddr */
    size_t i = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next, i++) {
        struct addr addr;
        struct prefix prefix, ifaddr;
        int seen = doc_addr(doc, f->errors, &addr) | doc_prefix(doc, f->errors, &prefix) << 1 |
                   doc_ifaddr(doc, f->errors, &ifaddr) << 2;
        assert_int_equal(seen, WANT[i]);
    }
    assert_non_null(strstr(faults(f), "[3]: has bits set beyond its length; did you mean "
                                      "10.1.0.0/16?"));
}

static void test_kinds(void **state)
{
    struct fixture *f = *state;
    const struct doc *root = parse(f, "[x, [], {}, ~]");
    const struct doc *map = NULL;
    size_t i = 0;
    for (const struct doc *doc = root->child; doc; doc = doc->next, i++) {
        map = i == 2 ? doc : map;
        for (int kind = DOC_SCALAR; kind <= DOC_MAP; kind++)
            assert_int_equal(doc_is(doc, (enum doc_kind)kind, f->errors), (int)(i % 3) == kind);
    }
    assert_non_null(strstr(faults(f), "1:13: [3]: must be a map"));
    assert_null(doc_require(map, "name", f->errors));
    assert_string_equal(faults(f), "1:9: [2]: `name` is missing");
}

static void test_unknown_keys(void **state)
{
    static const char *const KEYS[] = {"name", "gateway", "attachments", "via", NULL};
    struct fixture *f = *state;
    doc_check_keys(parse(f, "name: 1\ngatway: 1\ngatewya: 2\nattachment: 3\nvai: 4\nfoo: 5\n"
                            "\"x\\ny\": 6\n'': 7\nx: 8\n"),
                   KEYS, f->errors);
    assert_string_equal(faults(f), "2:1: gatway: unknown key `gatway`; did you mean `gateway`?\n"
                                   "3:1: gatewya: unknown key `gatewya`; did you mean `gateway`?\n"
                                   "4:1: attachment: unknown key `attachment`; did you mean "
                                   "`attachments`?\n"
                                   "5:1: vai: unknown key `vai`; did you mean `via`?\n"
                                   "6:1: foo: unknown key `foo`\n"
                                   "7:1: x?y: unknown key `x?y`\n"
                                   "8:1: : unknown key ``\n"
                                   "9:1: x: unknown key `x`");
}

static void test_long_keys_are_shortened(void **state)
{
    static const char *const KEYS[] = {"name", NULL};
    struct fixture *f = *state;
    char *key = arena_alloc(f->arena, 1001);
    for (size_t i = 0; i < 1000; i++)
        key[i] = "é"[i % 2];
    key[0] = key[1] = 'x'; /* so that a character straddles no limit by chance */
    doc_check_keys(parse(f, arena_printf(f->arena, "{a%s: 1}", key)), KEYS, f->errors);
    const struct error *error = errors_get(f->errors, 0);
    assert_true(strlen(error->path) < 70 && strlen(error->message) < 90);
    assert_non_null(strstr(error->message, "é...`"));
}

static void test_many_faults_are_quick(void **state)
{
    static const char *const KEYS[] = {"name", "gateway", "attachments", NULL};
    struct fixture *f = *state;
    char *text = malloc(12 * 200000 + 1), *at = text;
    for (int i = 0; i < 200000; i++)
        at += sprintf(at, "nam%06d:\n", i);
    clock_t start = clock();
    const struct doc *root = parse(f, text);
    doc_check_keys(root, KEYS, f->errors);
    assert_int_equal(errors_count(f->errors), 200000);
    assert_int_equal(errors_kept(f->errors), ERROR_LIMIT);
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_trees),
        TEST(test_places),
        TEST(test_what_is_not_data),
        TEST(test_what_cannot_be_read),
        TEST(test_duplicates_go_on),
        TEST(test_depth),
        TEST(test_size),
        TEST(test_equality),
        TEST(test_strings_and_names),
        TEST(test_name_length),
        TEST(test_numbers),
        TEST(test_as_numbers),
        TEST(test_booleans),
        TEST(test_nulls),
        TEST(test_addresses),
        TEST(test_kinds),
        TEST(test_unknown_keys),
        TEST(test_long_keys_are_shortened),
        TEST(test_many_faults_are_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
