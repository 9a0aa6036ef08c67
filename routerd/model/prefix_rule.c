#include "model/prefix_rule.h"

#include <stdio.h>
#include <string.h>

/* The number after "le" or "ge". */
static bool rule_number(const char *text, uint8_t *ret_number)
{
    unsigned int number = 0;
    size_t len = strspn(text, "0123456789");

    if (len < 1 || len > 3 || text[len] || (text[0] == '0' && len > 1)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        number = number * 10 + (unsigned int)(text[i] - '0');
    }
    *ret_number = (uint8_t)(number < UINT8_MAX ? number : UINT8_MAX);
    return true;
}

enum { RULE_WORDS = 5, RULE_TEXT = 80 };

/* Splits a rule at its spaces in place; -1 if there are too many words. */
static int rule_split(char *text, const char *words[RULE_WORDS])
{
    int n = 0;
    char *rest = NULL;

    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (n == RULE_WORDS) {
            return -1;
        }
        words[n++] = word;
    }
    return n;
}

/* Fills in all but whether the numbers make sense; false if it is no rule at all. */
static bool rule_parse(const char *text, struct prefix_rule *rule)
{
    char buffer[RULE_TEXT];
    const char *words[RULE_WORDS];
    int n, at = 1;

    if (snprintf(buffer, sizeof buffer, "%s", text) >= (int)sizeof buffer) {
        return false;
    }
    n = rule_split(buffer, words);
    if (n < 1 || n % 2 == 0 || prefix_parse(words[0], &rule->prefix)) {
        return false;
    }
    rule->ge = rule->prefix.len;
    rule->le = n == 1 ? rule->prefix.len : (uint8_t)addr_bits(rule->prefix.addr.family);
    if (at < n && !strcmp(words[at], "ge")) {
        if (!rule_number(words[at + 1], &rule->ge)) {
            return false;
        }
        at += 2;
    }
    if (at < n && !strcmp(words[at], "le")) {
        if (!rule_number(words[at + 1], &rule->le)) {
            return false;
        }
        at += 2;
    }
    return at == n;
}

/* Reports numbers that match nothing. */
static bool rule_is_sane(const struct prefix_rule *rule, const struct doc *doc,
                         struct errors *errors)
{
    unsigned int len = rule->prefix.len, bits = addr_bits(rule->prefix.addr.family);
    struct prefix network = prefix_network(&rule->prefix);
    char text[PREFIX_TEXT];

    if (prefix_has_host_bits(&rule->prefix)) {
        doc_error(doc, errors, "its prefix has bits set beyond its length; did you mean %s?",
                  prefix_print(&network, text));
    } else if (rule->ge < len || rule->ge > bits) {
        doc_error(doc, errors, "`ge` must be from %u, the prefix's own length, to %u", len, bits);
    } else if (rule->le < len || rule->le > bits) {
        doc_error(doc, errors, "`le` must be from %u, the prefix's own length, to %u", len, bits);
    } else if (rule->le < rule->ge) {
        doc_error(doc, errors, "`le` %u is less than `ge` %u, so nothing can match", rule->le,
                  rule->ge);
    } else {
        return true;
    }
    return false;
}

bool prefix_rule_read(const struct doc *doc, struct errors *errors, struct prefix_rule *ret_rule)
{
    struct prefix_rule rule = {0};
    const char *text;

    if (!doc_string(doc, errors, &text)) {
        return false;
    }
    if (!rule_parse(text, &rule)) {
        doc_error(doc, errors, "must be PREFIX [ge N] [le N], such as 10.0.0.0/8 ge 16 le 24");
        return false;
    }
    if (!rule_is_sane(&rule, doc, errors)) {
        return false;
    }
    *ret_rule = rule;
    return true;
}

const char *prefix_rule_print(const struct prefix_rule *rule, char buffer[PREFIX_RULE_TEXT])
{
    unsigned int len = rule->prefix.len, bits = addr_bits(rule->prefix.addr.family);
    char prefix[PREFIX_TEXT], ge[8] = "", le[8] = "";

    if (rule->ge != len) {
        snprintf(ge, sizeof ge, " ge %u", rule->ge);
    }
    if (rule->le != len && (rule->le != bits || rule->ge == len)) {
        snprintf(le, sizeof le, " le %u", rule->le);
    }
    snprintf(buffer, PREFIX_RULE_TEXT, "%s%s%s", prefix_print(&rule->prefix, prefix), ge, le);
    return buffer;
}
