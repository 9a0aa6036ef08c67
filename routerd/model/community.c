#include "model/community.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 1997, RFC 7999, RFC 8326; in the order of their values. */
static const struct {
    const char *name;
    uint32_t value;
} NAMES[] = {
    {"graceful-shutdown", 0xffff0000},
    {"blackhole", 0xffff029a},
    {"no-export", 0xffffff01},
    {"no-advertise", 0xffffff02},
};

enum { NAMES_N = sizeof NAMES / sizeof *NAMES };

/* Up to three numbers with colons between them. Returns how many, 0 if it is anything else. */
static size_t read_numbers(const char *text, uint32_t numbers[3])
{
    size_t n = 0;

    for (; n < 3; n++) {
        uint64_t value = 0;
        size_t digits = 0;

        for (; text[digits] >= '0' && text[digits] <= '9' && digits < 10; digits++) {
            value = value * 10 + (uint64_t)(text[digits] - '0');
        }
        if (!digits || value > UINT32_MAX) {
            return 0;
        }
        numbers[n] = (uint32_t)value;
        text += digits;
        if (!*text) {
            return n + 1;
        }
        if (*text++ != ':') {
            return 0;
        }
    }
    return 0;
}

bool community_read(const struct doc *doc, struct errors *errors, struct community *ret_community)
{
    const char *text;
    uint32_t numbers[3] = {0};
    size_t n;

    if (!doc_string(doc, errors, &text)) {
        return false;
    }
    for (size_t i = 0; i < NAMES_N; i++) {
        if (!strcmp(text, NAMES[i].name)) {
            *ret_community = (struct community){.part = {NAMES[i].value}};
            return true;
        }
    }
    n = read_numbers(text, numbers);
    if (n == 3) {
        *ret_community = (struct community){true, {numbers[0], numbers[1], numbers[2]}};
        return true;
    }
    if (n != 2 || numbers[0] > UINT16_MAX || numbers[1] > UINT16_MAX) {
        doc_error(doc, errors,
                  "must be a community such as 65000:100 (two numbers up to 65535), a large one "
                  "such as 4200000000:1:2, or no-export, no-advertise, blackhole, "
                  "graceful-shutdown");
        return false;
    }
    if (!numbers[0] || numbers[0] == UINT16_MAX) {
        doc_error(doc, errors,
                  "communities that begin with %" PRIu32 " are reserved (RFC 1997); write those "
                  "that are well-known by name, such as no-export",
                  numbers[0]);
        return false;
    }
    *ret_community = (struct community){.part = {numbers[0] << 16 | numbers[1]}};
    return true;
}

const char *community_print(const struct community *community, char buffer[COMMUNITY_TEXT])
{
    const uint32_t *part = community->part;

    if (community->large) {
        snprintf(buffer, COMMUNITY_TEXT, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, part[0], part[1],
                 part[2]);
        return buffer;
    }
    for (size_t i = 0; i < NAMES_N; i++) {
        if (part[0] == NAMES[i].value) {
            snprintf(buffer, COMMUNITY_TEXT, "%s", NAMES[i].name);
            return buffer;
        }
    }
    snprintf(buffer, COMMUNITY_TEXT, "%" PRIu32 ":%" PRIu32, part[0] >> 16, part[0] & 0xffff);
    return buffer;
}

int community_cmp(const struct community *a, const struct community *b)
{
    if (a->large != b->large) {
        return a->large ? 1 : -1;
    }
    for (size_t i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i]) {
            return a->part[i] < b->part[i] ? -1 : 1;
        }
    }
    return 0;
}
