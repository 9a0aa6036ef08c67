/* The difference of two texts: right whatever the texts, short, and with an end for huge ones. */
#include "routerctl/buffer.h"
#include "routerctl/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct told {
    struct ctl_buffer all, old, new;
    size_t changes;
};

static void take(char mark, const char *line, size_t len, void *aux)
{
    struct told *told = aux;

    ctl_buffer_printf(&told->all, "%c%.*s|", mark, (int)len, line);
    if (mark != '+') {
        ctl_buffer_printf(&told->old, "%.*s\n", (int)len, line);
    }
    if (mark != '-') {
        ctl_buffer_printf(&told->new, "%.*s\n", (int)len, line);
    }
    told->changes += mark != ' ';
}

static struct told diff(const char *old, const char *new)
{
    struct told told = {.changes = 0};

    ctl_lines_diff(old, new, take, &told);
    return told;
}

static void done(struct told *told)
{
    ctl_buffer_done(&told->all);
    ctl_buffer_done(&told->old);
    ctl_buffer_done(&told->new);
}

static void assert_diff(const char *old, const char *new, const char *expected)
{
    struct told told = diff(old, new);

    assert_string_equal(ctl_buffer_string(&told.all), expected);
    done(&told);
}

static void test_examples(void **state)
{
    (void)state;
    assert_diff("", "", "");
    assert_diff("a\nb\n", "a\nb\n", "");
    assert_diff("a\nb\n", "a\nb", "");
    assert_diff("", "a\n", "+a|");
    assert_diff("a\n", "", "-a|");
    assert_diff("a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c|");
    assert_diff("1\n2\n3\n4\n5\n6\nx\n", "1\n2\n3\n4\n5\n6\ny\n", " 4| 5| 6|-x|+y|");
    assert_diff("x\n1\n2\n3\n4\n5\n6\n7\nx\n", "y\n1\n2\n3\n4\n5\n6\n7\ny\n",
                "-x|+y| 1| 2| 3| ...| 5| 6| 7|-x|+y|");
}

static uint32_t random_state = 1;

static unsigned int below(unsigned int n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % n;
}

static void random_text(char *text)
{
    unsigned int n = below(5);

    *text = '\0';
    for (unsigned int i = 0; i < n; i++) {
        sprintf(text + strlen(text), "%c\n", 'a' + (int)below(3));
    }
}

/* So short that no line is left out: without the new lines it is the old text, and the other way
 * round. */
static void test_says_both_texts(void **state)
{
    char old[32], new[32];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct told told;

        random_text(old);
        random_text(new);
        told = diff(old, new);
        if (strcmp(old, new) != 0) {
            assert_string_equal(ctl_buffer_string(&told.old), old);
            assert_string_equal(ctl_buffer_string(&told.new), new);
            assert_true(told.changes > 0);
        } else {
            assert_int_equal(told.all.len, 0);
        }
        done(&told);
    }
}

/* A stretch that would take too much memory is told as a whole. */
static void test_huge(void **state)
{
    struct ctl_buffer old = {0}, new = {0};
    struct told told;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        ctl_buffer_printf(&old, "old %d\n", i);
        ctl_buffer_printf(&new, "new %d\n", i);
    }
    told = diff(old.data, new.data);
    assert_int_equal(told.changes, 20000);
    done(&told);
    ctl_buffer_done(&old);
    ctl_buffer_done(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_says_both_texts),
        cmocka_unit_test(test_huge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
