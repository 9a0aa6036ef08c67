#include "routerctl/lines.h"

#include "routerctl/buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 3, CELLS_MAX = 16 << 20 };

struct line {
    const char *text;
    size_t len;
};

struct text {
    struct line *lines;
    size_t n;
};

/* What becomes of the lines, in order. */
struct script {
    struct edit {
        char mark;
        struct line line;
    } * edits;
    size_t n;
};

static struct text split(const char *text)
{
    struct text result = {0};
    size_t n = 1;

    for (const char *p = text; *p; p++) {
        n += *p == '\n';
    }
    result.lines = ctl_alloc(n * sizeof *result.lines);
    while (*text) {
        size_t len = strcspn(text, "\n");

        result.lines[result.n++] = (struct line){text, len};
        text += len + (text[len] == '\n');
    }
    return result;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

static void add(struct script *script, char mark, const struct line *line)
{
    script->edits[script->n++] = (struct edit){mark, *line};
}

/* The lengths of the longest common subsequences of all ends of both, or null: too many. */
static uint32_t *common_lengths(const struct line *old, size_t n_old, const struct line *new,
                                size_t n_new)
{
    size_t width = n_new + 1;
    uint32_t *lengths;

    if (n_old >= CELLS_MAX || n_new >= CELLS_MAX || (n_old + 1) * width > CELLS_MAX) {
        return NULL;
    }
    lengths = ctl_alloc((n_old + 1) * width * sizeof *lengths);
    for (size_t i = n_old; i-- > 0;) {
        for (size_t j = n_new; j-- > 0;) {
            uint32_t down = lengths[(i + 1) * width + j], right = lengths[i * width + j + 1];

            lengths[i * width + j] = same(&old[i], &new[j]) ? lengths[(i + 1) * width + j + 1] + 1
                                     : down > right         ? down
                                                            : right;
        }
    }
    return lengths;
}

/* The stretch between what both begin and end with. */
static void compare(struct script *script, const struct line *old, size_t n_old,
                    const struct line *new, size_t n_new)
{
    uint32_t *lengths = common_lengths(old, n_old, new, n_new);
    size_t width = n_new + 1, i = 0, j = 0;

    while (i < n_old || j < n_new) {
        if (lengths && i < n_old && j < n_new && same(&old[i], &new[j])) {
            add(script, ' ', &old[i++]);
            j++;
        } else if (i < n_old && (j == n_new || !lengths ||
                                 lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
            add(script, '-', &old[i++]);
        } else {
            add(script, '+', &new[j++]);
        }
    }
    free(lengths);
}

static struct script script_of(const struct text *old, const struct text *new)
{
    struct script script = {.edits = ctl_alloc((old->n + new->n + 1) * sizeof *script.edits)};
    size_t head = 0, tail = 0, shorter = old->n < new->n ? old->n : new->n;

    while (head < shorter && same(&old->lines[head], &new->lines[head])) {
        add(&script, ' ', &old->lines[head++]);
    }
    while (tail < shorter - head &&
           same(&old->lines[old->n - 1 - tail], &new->lines[new->n - 1 - tail])) {
        tail++;
    }
    compare(&script, old->lines + head, old->n - head - tail, new->lines + head,
            new->n - head - tail);
    for (size_t i = old->n - tail; i < old->n; i++) {
        add(&script, ' ', &old->lines[i]);
    }
    return script;
}

static bool near_a_change(const struct script *script, size_t i)
{
    size_t first = i < CONTEXT ? 0 : i - CONTEXT;

    for (size_t j = first; j <= i + CONTEXT && j < script->n; j++) {
        if (script->edits[j].mark != ' ') {
            return true;
        }
    }
    return false;
}

void ctl_lines_diff(const char *old, const char *new, ctl_line_cb *line, void *aux)
{
    struct text before = split(old), after = split(new);
    struct script script = script_of(&before, &after);
    bool told = false, left_out = false;

    for (size_t i = 0; i < script.n; i++) {
        const struct edit *edit = &script.edits[i];

        if (!near_a_change(&script, i)) {
            left_out = true;
            continue;
        }
        if (left_out && told) {
            line(' ', "...", 3, aux);
        }
        line(edit->mark, edit->line.text, edit->line.len, aux);
        told = true;
        left_out = false;
    }
    free(script.edits);
    free(before.lines);
    free(after.lines);
}
