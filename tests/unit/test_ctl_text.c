#include "check.h"

#include "routerctl/text.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } durations[] = {
        {"0", 0},          {"90", 90},      {"30s", 30},         {"5m", 300},
        {"1h", 3600},      {"1h30m", 5400}, {"1d2h3m4s", 93784}, {"366d", 366 * 86400},
        {"000000001s", 1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(durations); i++) {
        int64_t seconds = -1;

        assert_int_equal(ctl_parse_duration(durations[i].text, &seconds), 0);
        assert_int_equal(seconds, durations[i].seconds);
    }
}

static void test_what_is_no_duration(void **state)
{
    static const char *const wrong[] = {"",   "s",    "m5",   "5 m", "-5s",  "+5s", "5.5s", "5ms",
                                        "5x", "1m1h", "1m1m", "1h5", "5s5s", " 5s", "5s ",  "1,5h"};
    int64_t seconds = 77;

    (void)state;
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_int_equal(ctl_parse_duration(wrong[i], &seconds), -EINVAL);
    }
    assert_int_equal(ctl_parse_duration("367d", &seconds), -ERANGE);
    assert_int_equal(ctl_parse_duration("99999999999999999999s", &seconds), -ERANGE);
    assert_int_equal(seconds, 77);
}

static void test_numbers(void **state)
{
    static const char *const wrong[] = {"",   "-1", "+1",  "1x",
                                        " 1", "1 ", "0x1", "9999999999999999999"};
    uint64_t number = 0;

    (void)state;
    assert_int_equal(ctl_parse_number("18446744073709551", &number), 0);
    assert_int_equal(number, 18446744073709551);
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_int_equal(ctl_parse_number(wrong[i], &number), -EINVAL);
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
    } times[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-04-01T03:04:05Z", 1775012645},
        {"2026-04-01T03:04:05.678Z", 1775012645},
        {"2026-04-01T12:04:05+09:00", 1775012645},
        {"2026-03-31T22:04:05.1-05:00", 1775012645},
    };
    static const char *const wrong[] = {"",
                                        "now",
                                        "2026-04-01",
                                        "2026-04-01T03:04:05",
                                        "2026-04-01T03:04:05X",
                                        "2026-04-01T03:04:05+09",
                                        "2026-04-01T03:04:05+09:000",
                                        "2026-04-01T03:04:05Z0"};
    int64_t time = 77;

    (void)state;
    for (size_t i = 0; i < LENGTH(times); i++) {
        assert_int_equal(ctl_parse_time(times[i].text, &time), 0);
        assert_int_equal(time, times[i].time);
    }
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_int_equal(ctl_parse_time(wrong[i], &time), -EINVAL);
    }
}

static void test_names_in_urls(void **state)
{
    static const char *const pairs[][2] = {
        {"genome-1", "genome-1"},
        {"a_b.c~d", "a_b.c~d"},
        {"a/../b?c=d#e", "a%2F..%2Fb%3Fc%3Dd%23e"},
        {"100% \r\n", "100%25%20%0D%0A"},
        {"\xe3\x82\xb2", "%E3%82%B2"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        struct ctl_buffer url = {0};

        ctl_add_url(&url, pairs[i][0]);
        assert_string_equal(ctl_buffer_string(&url), pairs[i][1]);
        ctl_buffer_done(&url);
    }
}

static void test_orders_to_the_terminal_are_taken_out(void **state)
{
    static const char *const pairs[][2] = {
        {"plain", "plain"},
        {"\033[31mred\033[0m", "?[31mred?[0m"},
        {"two\r\nlines\tand a tab", "two  lines and a tab"},
        {"bell\a del\x7f", "bell? del?"},
        {"c1: \xc2\x9b", "c1: ?"},
        {"\xe3\x82\xb2\xe3\x83\x8e\xe3\x83\xa0", "\xe3\x82\xb2\xe3\x83\x8e\xe3\x83\xa0"},
        {"turned: \xe2\x80\xae", "turned: ?"},
        {"lone \x80 and \xff", "lone ? and ?"},
        {"cut \xe3\x82", "cut ??"},
        {"overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"beyond \xf4\x90\x80\x80", "beyond ????"},
        {"\xf0\x9f\x90\x88", "\xf0\x9f\x90\x88"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        struct ctl_buffer text = {0};

        ctl_add_safe(&text, pairs[i][0]);
        assert_string_equal(ctl_buffer_string(&text), pairs[i][1]);
        ctl_buffer_done(&text);
    }
}

static void test_widths(void **state)
{
    const char *genome = "\xe3\x82\xb2\xe3\x83\x8e\xe3\x83\xa0"; /* three letters, two wide each */

    (void)state;
    assert_int_equal(ctl_text_width(""), 0);
    assert_int_equal(ctl_text_width("genome"), 6);
    assert_int_equal(ctl_text_width(genome), 6);
    assert_int_equal(ctl_text_width("e\xcc\x81"), 1); /* a combining accent */
    assert_int_equal(ctl_text_fit(genome, 5), 6);
    assert_int_equal(ctl_text_fit(genome, 6), 9);
    assert_int_equal(ctl_text_fit("genome", 3), 3);
    assert_int_equal(ctl_text_fit("genome", 80), 6);
}

static void test_ages(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } ages[] = {
        {-5, "0s"},     {0, "0s"},         {59, "59s"},     {60, "1m0s"},     {3599, "59m59s"},
        {3600, "1h0m"}, {86399, "23h59m"}, {86400, "1d0h"}, {273600, "3d4h"}, {86400000, "1000d0h"},
    };
    char text[CTL_SHORT];

    (void)state;
    for (size_t i = 0; i < LENGTH(ages); i++) {
        assert_string_equal(ctl_print_age(ages[i].seconds, text), ages[i].text);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        double bytes;
        const char *text;
    } sizes[] = {
        {0, "0B"},
        {1023, "1023B"},
        {1024, "1.0KiB"},
        {1536, "1.5KiB"},
        {1048575, "1.0MiB"},
        {3.5 * 1024 * 1024 * 1024, "3.5GiB"},
        {18446744073709551615.0, "16.0EiB"},
    };
    char text[CTL_SHORT];

    (void)state;
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        assert_string_equal(ctl_print_bytes(sizes[i].bytes, text), sizes[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_what_is_no_duration),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_names_in_urls),
        cmocka_unit_test(test_orders_to_the_terminal_are_taken_out),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_sizes),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
