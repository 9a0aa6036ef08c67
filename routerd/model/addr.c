#include "model/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96, RFC 4291, 2.5.5.2 */

int addr_parse(const char *text, struct addr *ret_addr)
{
    struct addr addr = {0};
    addr.family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(addr.family, text, addr.bytes) != 1)
        return -EINVAL;
    if (addr.family == AF_INET6 && memcmp(addr.bytes, MAPPED, sizeof MAPPED) == 0)
        return -EINVAL;
    *ret_addr = addr;
    return 0;
}

/* A decimal number of at most three digits without leading zeros, up to `max`; -1 otherwise. */
static int parse_len(const char *text, unsigned int max)
{
    unsigned int len = 0;
    if (!*text || (text[0] == '0' && text[1]))
        return -1;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || c - text >= 3)
            return -1;
        len = len * 10 + (unsigned int)(*c - '0');
    }
    return len <= max ? (int)len : -1;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
    char address[ADDR_TEXT];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof address)
        return -EINVAL;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';

    struct prefix prefix = {0};
    if (addr_parse(address, &prefix.addr) < 0)
        return -EINVAL;
    int len = parse_len(slash + 1, addr_bits(prefix.addr.family));
    if (len < 0)
        return -EINVAL;
    prefix.len = (uint8_t)len;
    *ret_prefix = prefix;
    return 0;
}

const char *addr_print(const struct addr *addr, char buffer[ADDR_TEXT])
{
    if (!addr->family || !inet_ntop(addr->family, addr->bytes, buffer, ADDR_TEXT))
        buffer[0] = '\0';
    return buffer;
}

const char *prefix_print(const struct prefix *prefix, char buffer[PREFIX_TEXT])
{
    char address[ADDR_TEXT];
    buffer[0] = '\0';
    if (prefix->addr.family)
        snprintf(buffer, PREFIX_TEXT, "%s/%u", addr_print(&prefix->addr, address), prefix->len);
    return buffer;
}

unsigned int addr_bits(int family)
{
    return family == AF_INET6 ? 128 : 32;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family) {
        /* AF_INET is less than AF_INET6 on Linux, but that is no promise. */
        int rank_a = a->family == AF_INET6 ? 2 : a->family == AF_INET;
        int rank_b = b->family == AF_INET6 ? 2 : b->family == AF_INET;
        return rank_a < rank_b ? -1 : 1;
    }
    int order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    return (order > 0) - (order < 0);
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
    int order = addr_cmp(&a->addr, &b->addr);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The byte of the netmask of `len` bits at place i. */
static uint8_t mask_byte(unsigned int len, unsigned int i)
{
    if (len >= 8 * (i + 1))
        return 0xff;
    return len <= 8 * i ? 0 : (uint8_t)(0xff << (8 - (len - 8 * i)));
}

struct prefix prefix_network(const struct prefix *prefix)
{
    struct prefix network = *prefix;
    for (unsigned int i = 0; i < addr_bits(prefix->addr.family) / 8; i++)
        network.addr.bytes[i] &= mask_byte(prefix->len, i);
    return network;
}

bool prefix_has_host_bits(const struct prefix *prefix)
{
    struct prefix network = prefix_network(prefix);
    return !addr_equal(&network.addr, &prefix->addr);
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
    if (!addr->family || prefix->addr.family != addr->family)
        return false;
    for (unsigned int i = 0; i < addr_bits(addr->family) / 8; i++)
        if ((prefix->addr.bytes[i] ^ addr->bytes[i]) & mask_byte(prefix->len, i))
            return false;
    return true;
}

bool prefix_covers(const struct prefix *prefix, const struct prefix *inner)
{
    return prefix->len <= inner->len && prefix_contains(prefix, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
    return prefix_covers(a, b) || prefix_covers(b, a);
}

struct addr prefix_first(const struct prefix *prefix)
{
    return prefix_network(prefix).addr;
}

struct addr prefix_last(const struct prefix *prefix)
{
    struct addr last = prefix->addr;
    for (unsigned int i = 0; i < addr_bits(last.family) / 8; i++)
        last.bytes[i] |= (uint8_t)~mask_byte(prefix->len, i);
    return last;
}

int addr_range_parse(const char *text, struct addr_range *ret_range)
{
    const char *dash = strchr(text, '-');
    char first[ADDR_TEXT];
    struct addr_range range;
    size_t len = dash ? (size_t)(dash - text) : strlen(text);

    if (len >= sizeof first)
        return -EINVAL;
    memcpy(first, text, len);
    first[len] = '\0';
    if (addr_parse(first, &range.first) < 0 || addr_parse(dash ? dash + 1 : first, &range.last) < 0)
        return -EINVAL;
    if (range.first.family != range.last.family || addr_cmp(&range.first, &range.last) > 0)
        return -EINVAL;
    *ret_range = range;
    return 0;
}

addr_number addr_to_number(const struct addr *addr)
{
    addr_number number = 0;
    for (unsigned int i = 0; i < addr_bits(addr->family) / 8; i++)
        number = number << 8 | addr->bytes[i];
    return number;
}

struct addr addr_of_number(int family, addr_number number)
{
    struct addr addr = {.family = family};
    for (unsigned int i = addr_bits(family) / 8; i-- > 0; number >>= 8)
        addr.bytes[i] = (uint8_t)number;
    return addr;
}

bool addr_is_link_local(const struct addr *addr)
{
    if (addr->family == AF_INET)
        return addr->bytes[0] == 169 && addr->bytes[1] == 254;
    return addr->family == AF_INET6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *addr)
{
    if (addr->family == AF_INET)
        return (addr->bytes[0] & 0xf0) == 0xe0;
    return addr->family == AF_INET6 && addr->bytes[0] == 0xff;
}

bool addr_is_loopback(const struct addr *addr)
{
    static const uint8_t LOOPBACK6[16] = {[15] = 1};
    if (addr->family == AF_INET)
        return addr->bytes[0] == 127;
    return addr->family == AF_INET6 && memcmp(addr->bytes, LOOPBACK6, sizeof LOOPBACK6) == 0;
}

bool addr_is_unspecified(const struct addr *addr)
{
    static const uint8_t ZERO[16];
    return addr->family && memcmp(addr->bytes, ZERO, sizeof ZERO) == 0;
}
