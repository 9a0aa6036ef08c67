#include "routerctl/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/* --- what people type ----------------------------------------------------------------------- */

int ctl_parse_number(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 18) {
        return -EINVAL;
    }
    for (; *text; text++) {
        number = number * 10 + (uint64_t)(*text - '0');
    }
    *ret_number = number;
    return 0;
}

/* Each unit once and the largest first; a number without a unit is one of seconds. */
int ctl_parse_duration(const char *text, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    size_t next = 0, n_units = sizeof units / sizeof *units;
    const int64_t most = 366 * 86400;
    int64_t sum = 0;

    if (!*text) {
        return -EINVAL;
    }
    while (*text) {
        size_t digits = strspn(text, "0123456789"), unit = next;
        int64_t number = digits && digits <= 9 ? strtol(text, NULL, 10) : 0;
        bool bare = !text[digits] && !next;

        while (!bare && unit < n_units && units[unit].unit != text[digits]) {
            unit++;
        }
        if (!digits || unit == n_units) {
            return -EINVAL;
        }
        if (digits > 9) {
            return -ERANGE;
        }
        sum += number * (bare ? 1 : units[unit].seconds);
        next = unit + 1;
        text += digits + (bare ? 0 : 1);
        if (sum > most) {
            return -ERANGE;
        }
    }
    *ret_seconds = sum;
    return 0;
}

/* "Z", "+09:00": seconds to subtract. */
static int parse_zone(const char *text, int64_t *ret_offset)
{
    int hours, minutes, end = 0;

    if (!strcmp(text, "Z") || !strcmp(text, "z")) {
        *ret_offset = 0;
        return 0;
    }
    if ((*text != '+' && *text != '-') ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 5 || text[6]) {
        return -EINVAL;
    }
    *ret_offset = (*text == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return 0;
}

int ctl_parse_time(const char *text, int64_t *ret_time)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    int64_t offset;

    if (!rest) {
        return -EINVAL;
    }
    if (*rest == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (parse_zone(rest, &offset)) {
        return -EINVAL;
    }
    *ret_time = (int64_t)timegm(&parts) - offset;
    return 0;
}

/* --- what goes into a request --------------------------------------------------------------- */

void ctl_add_url(struct ctl_buffer *buffer, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c)) {
            ctl_buffer_add(buffer, text, 1);
        } else {
            ctl_buffer_printf(buffer, "%%%02X", c);
        }
    }
}

/* --- what goes to a terminal ---------------------------------------------------------------- */

/* The code point at the beginning of `text`, -1 if there is none, and its bytes (at least one).
 * RFC 3629, section 4: no overlong forms, no surrogates. */
static int32_t decode(const char *text, size_t *ret_len)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t len = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int32_t point;

    *ret_len = 1;
    if (len == 1) {
        return c[0];
    }
    if (!len || c[0] > 0xf4) {
        return -1;
    }
    point = c[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            return -1;
        }
        point = point << 6 | (c[i] & 0x3f);
    }
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return -1;
    }
    *ret_len = len;
    return point;
}

/* C0, DEL, C1, and the marks that turn the direction of the text. */
static bool is_order(int32_t point)
{
    return point < ' ' || (point >= 0x7f && point < 0xa0) || (point >= 0x202a && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0x200e || point == 0x200f ||
           point == 0x2028 || point == 0x2029;
}

void ctl_add_safe(struct ctl_buffer *buffer, const char *text)
{
    while (*text) {
        size_t len;
        int32_t point = decode(text, &len);

        if (point == '\t' || point == '\n' || point == '\r') {
            ctl_buffer_text(buffer, " ");
        } else if (is_order(point)) { /* -1 too */
            ctl_buffer_text(buffer, "?");
        } else {
            ctl_buffer_add(buffer, text, len);
        }
        text += len;
    }
}

static size_t point_width(int32_t point)
{
    int width = wcwidth((wchar_t)point);

    return width < 0 ? 1 : (size_t)width;
}

size_t ctl_text_fit(const char *text, size_t width)
{
    size_t used = 0, columns = 0, len;

    while (text[used]) {
        columns += point_width(decode(text + used, &len));
        if (columns > width) {
            break;
        }
        used += len;
    }
    return used;
}

size_t ctl_text_width(const char *text)
{
    size_t columns = 0, len;

    for (; *text; text += len) {
        columns += point_width(decode(text, &len));
    }
    return columns;
}

const char *ctl_print_age(int64_t seconds, char text[CTL_SHORT])
{
    static const struct {
        char unit, below;
        int64_t seconds, below_seconds;
    } units[] = {{'d', 'h', 86400, 3600}, {'h', 'm', 3600, 60}, {'m', 's', 60, 1}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= units[i].seconds) {
            snprintf(text, CTL_SHORT, "%" PRId64 "%c%" PRId64 "%c", seconds / units[i].seconds,
                     units[i].unit, seconds % units[i].seconds / units[i].below_seconds,
                     units[i].below);
            return text;
        }
    }
    snprintf(text, CTL_SHORT, "%" PRId64 "s", seconds > 0 ? seconds : 0);
    return text;
}

const char *ctl_print_bytes(double bytes, char text[CTL_SHORT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0, last = sizeof units / sizeof *units - 1;

    while (bytes >= 1023.95 && unit < last) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, CTL_SHORT, unit ? "%.1f%s" : "%.0f%s", bytes, units[unit]);
    return text;
}
