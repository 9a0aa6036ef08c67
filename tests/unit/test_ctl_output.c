/* What routerctl prints: tables, JSON, YAML. */
#include "check.h"

#include "routerctl/json.h"
#include "routerctl/table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* --- tables --------------------------------------------------------------------------------- */

static const struct ctl_column columns[] = {
    {"TENANT", CTL_OPTIONAL},
    {"NAME", CTL_LEFT},
    {"COUNT", CTL_RIGHT},
    {"REASON", CTL_OPTIONAL},
};

/* Prints and frees the table. */
static char *print(struct ctl_table *table, bool colour)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);

    ctl_table_print(table, file, colour);
    fclose(file);
    ctl_table_free(table);
    return text;
}

static void add(struct ctl_table *table, const char *tenant, const char *name, double count,
                const char *reason)
{
    ctl_table_cell(table, tenant);
    ctl_table_cell(table, name);
    ctl_table_number(table, count);
    ctl_table_cell(table, reason);
}

static void assert_printed(struct ctl_table *table, const char *wanted)
{
    char *text = print(table, false);

    assert_string_equal(text, wanted);
    free(text);
}

static void test_columns_are_aligned(void **state)
{
    struct ctl_table *table = ctl_table_new(columns, LENGTH(columns));

    (void)state;
    add(table, "bio", "genome", 7, "");
    add(table, "physics", "x", 12345678, "a long reason, which is not cut off");
    assert_int_equal(ctl_table_rows(table), 2);
    assert_printed(table, "TENANT   NAME       COUNT  REASON\n"
                          "bio      genome         7  -\n"
                          "physics  x       12345678  a long reason, which is not cut off\n");
}

static void test_columns_without_anything_are_left_out(void **state)
{
    struct ctl_table *table = ctl_table_new(columns, LENGTH(columns));

    (void)state;
    add(table, "", "", 1, "");
    assert_printed(table, "NAME  COUNT\n"
                          "-         1\n");
}

static void test_a_table_without_rows(void **state)
{
    (void)state;
    assert_printed(ctl_table_new(columns, LENGTH(columns)), "NAME  COUNT\n");
}

static void test_wide_characters_take_two_columns(void **state)
{
    struct ctl_table *table = ctl_table_new(columns, LENGTH(columns));

    (void)state;
    add(table, "", "\xe3\x82\xb2\xe3\x83\x8e\xe3\x83\xa0", 1, "");
    add(table, "", "genomes", 2, "");
    assert_printed(table, "NAME     COUNT\n"
                          "\xe3\x82\xb2\xe3\x83\x8e\xe3\x83\xa0       1\n"
                          "genomes      2\n");
}

static void test_a_cell_gives_the_terminal_no_orders(void **state)
{
    struct ctl_table *table = ctl_table_new(columns, LENGTH(columns));

    (void)state;
    add(table, "", "a\033[2Jb\nc", 1, "");
    assert_printed(table, "NAME      COUNT\n"
                          "a?[2Jb c      1\n");
}

static void test_colour_changes_no_width(void **state)
{
    struct ctl_table *table = ctl_table_new(columns, LENGTH(columns));
    char *text;

    (void)state;
    ctl_table_cell(table, "");
    ctl_table_cell_styled(table, "up", CTL_GOOD);
    ctl_table_number(table, 1);
    ctl_table_cell(table, "");
    text = print(table, true);
    assert_string_equal(text, "\033[1mNAME\033[0m  \033[1mCOUNT\033[0m\n"
                              "\033[32mup\033[0m        1\n");
    free(text);
}

/* --- JSON and YAML -------------------------------------------------------------------------- */

typedef void print_fn(struct ctl_buffer *buffer, const cJSON *json);

static void assert_json(print_fn *to, const char *json, const char *wanted)
{
    cJSON *value = cJSON_Parse(json);
    struct ctl_buffer text = {0};

    assert_non_null(value);
    to(&text, value);
    assert_string_equal(ctl_buffer_string(&text), wanted);
    ctl_buffer_done(&text);
    cJSON_Delete(value);
}

static void test_json(void **state)
{
    (void)state;
    assert_json(ctl_json_print, "{}", "{}\n");
    assert_json(ctl_json_print, "[]", "[]\n");
    assert_json(ctl_json_print, "{\"a\":[1,true,null,\"x\\n\\\"\"],\"b\":{\"c\":false}}",
                "{\n  \"a\": [\n    1,\n    true,\n    null,\n    \"x\\n\\\"\"\n  ],\n"
                "  \"b\": {\n    \"c\": false\n  }\n}\n");
}

static void test_numbers_have_no_exponent(void **state)
{
    (void)state;
    assert_json(ctl_json_print, "[4294967294,1000000000000000000,9007199254740991,-1,0.5]",
                "[\n  4294967294,\n  1000000000000000000,\n  9007199254740991,\n  -1,\n  0.5\n]\n");
}

static void test_yaml(void **state)
{
    (void)state;
    assert_json(ctl_yaml_print, "{}", "{}\n");
    assert_json(ctl_yaml_print, "{\"a\":[1,true,null,\"x\"],\"b\":{\"c\":[]}}",
                "a:\n- 1\n- true\n- null\n- x\nb:\n  c: []\n");
    assert_json(ctl_yaml_print, "{\"document\":\"version: 1\\nnetworks: []\\n\"}",
                "document: |\n  version: 1\n  networks: []\n");
}

static void test_yaml_texts_stay_texts(void **state)
{
    static const char *const quoted[] = {
        "yes", "No",   "on",  "OFF", "true",       "Null", "y",  "",   "1",           "1.0",
        "0x1", "1:20", "1e3", "~",   "2026-04-01", ".inf", "-1", "+1", "10.1.0.0/16", "2001:db8::1",
        "<<",  "=",    "- a", "# a", "'",          "%a",   "@a", "`a",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(quoted); i++) {
        cJSON *list = cJSON_CreateArray();
        struct ctl_buffer text = {0};

        cJSON_AddItemToArray(list, cJSON_CreateString(quoted[i]));
        ctl_yaml_print(&text, list);
        if (!strchr("'\"", ctl_buffer_string(&text)[2])) {
            fail_msg("not quoted: %s", text.data);
        }
        ctl_buffer_done(&text);
        cJSON_Delete(list);
    }
    assert_json(ctl_yaml_print, "[\"genome/peer/aws\",\"br-sinet\",\"a: b\",\"a #b\"]",
                "- genome/peer/aws\n- br-sinet\n- 'a: b'\n- 'a #b'\n");
}

static void test_what_is_not_there_is_empty(void **state)
{
    cJSON *json = cJSON_Parse("{\"text\":1,\"list\":{},\"number\":\"1\",\"bool\":1}");

    (void)state;
    assert_string_equal(ctl_json_text(json, "text"), "");
    assert_string_equal(ctl_json_text(json, "none"), "");
    assert_string_equal(ctl_json_text(NULL, "none"), "");
    assert_null(ctl_json_list(json, "list"));
    assert_true(ctl_json_number(json, "number") == 0);
    assert_false(ctl_json_bool(json, "bool"));
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_aligned),
        cmocka_unit_test(test_columns_without_anything_are_left_out),
        cmocka_unit_test(test_a_table_without_rows),
        cmocka_unit_test(test_wide_characters_take_two_columns),
        cmocka_unit_test(test_a_cell_gives_the_terminal_no_orders),
        cmocka_unit_test(test_colour_changes_no_width),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_numbers_have_no_exponent),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_yaml_texts_stay_texts),
        cmocka_unit_test(test_what_is_not_there_is_empty),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
