#include "nodes/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *print_addresses(char *at, const struct node *node)
{
    for (int i = 0; i < 2; i++) {
        if (node->addresses[i].family) {
            if (i && node->addresses[0].family) {
                *at++ = ',';
            }
            addr_print(&node->addresses[i], at);
            at += strlen(at);
        }
    }
    return at;
}

const char *record_print(const struct nodes *nodes, uint32_t id, char buffer[RECORD_TEXT])
{
    struct node node = nodes_get(nodes, id);
    char *at = buffer;

    if (!node.name) {
        at += sprintf(at, "!%" PRId64 " ", nodes_quarantined_until(nodes, id));
        print_addresses(at, &node);
        return buffer;
    }
    at = stpcpy(stpcpy(at, node.name), " ");
    at = stpcpy(print_addresses(at, &node), " ");
    if (node.has_mac) {
        mac_print(node.mac, at);
        at += strlen(at);
    } else {
        at = stpcpy(at, "-");
    }
    if (node.labels) {
        snprintf(at, (size_t)(buffer + RECORD_TEXT - at), " %s", node.labels);
    }
    return buffer;
}

/* The next word of a text in place; null: there is none. */
static char *next_word(char **text)
{
    char *word = *text, *end = word ? strchr(word, ' ') : NULL;

    *text = end ? end + 1 : NULL;
    if (end) {
        *end = '\0';
    }
    return word && *word ? word : NULL;
}

static int parse_addresses(char *text, struct addr ret_addresses[2])
{
    int n = 0;

    if (!text) {
        return -EINVAL;
    }
    while (text) {
        char *word = strsep(&text, ",");
        struct addr addr;

        if (addr_parse(word, &addr) || ret_addresses[addr.family == AF_INET6].family) {
            return -EINVAL;
        }
        ret_addresses[addr.family == AF_INET6] = addr;
        n++;
    }
    return n ? 0 : -EINVAL;
}

static int add_quarantine(struct nodes *nodes, const char *pool, const char *until, char *rest,
                          uint32_t *ret_id)
{
    struct addr addresses[2] = {{0}, {0}};
    char *end;
    long long until_ms = strtoll(until, &end, 10);

    if (*end || end == until || parse_addresses(next_word(&rest), addresses)) {
        return -EINVAL;
    }
    return nodes_add_quarantine(nodes, pool, addresses, until_ms, ret_id);
}

static int add_node(struct nodes *nodes, const char *pool, const char *name, char *rest,
                    uint32_t *ret_id)
{
    struct node node = {.name = name, .pool = pool};
    const char *mac;

    if (strlen(name) > NODE_NAME || parse_addresses(next_word(&rest), node.addresses)) {
        return -EINVAL;
    }
    mac = next_word(&rest);
    if (!mac) {
        return -EINVAL;
    }
    node.has_mac = strcmp(mac, "-") != 0;
    node.labels = rest;
    if (node.has_mac && mac_parse(mac, node.mac)) {
        return -EINVAL;
    }
    return nodes_add(nodes, &node, ret_id);
}

int record_add(struct nodes *nodes, const char *pool, const char *record, uint32_t *ret_id)
{
    char text[RECORD_TEXT], *rest = text, *first;
    size_t len = strlen(record);

    if (len >= sizeof text) {
        return -EINVAL;
    }
    memcpy(text, record, len + 1);
    first = next_word(&rest);
    if (!first || !rest) {
        return -EINVAL;
    }
    return *first == '!' ? add_quarantine(nodes, pool, first + 1, rest, ret_id)
                         : add_node(nodes, pool, first, rest, ret_id);
}
