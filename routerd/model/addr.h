/* addr.h - IP addresses, prefixes and ranges of both families, as values.
 *
 * Text forms: RFC 4632 (IPv4 CIDR), RFC 4291 (IPv6), printed as RFC 5952. IPv4-mapped and scoped
 * (`%eth0`) addresses are refused. */
#ifndef MODEL_ADDR_H
#define MODEL_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
    int family;        /* AF_INET, AF_INET6, or 0: no address */
    uint8_t bytes[16]; /* network order; an IPv4 address uses the first four, the rest is 0 */
};

/* A prefix, or an interface's address with its prefix length (then host bits are set). */
struct prefix {
    struct addr addr;
    uint8_t len; /* bits */
};

/* All addresses from the first to the last, both included and of one family. */
struct addr_range {
    struct addr first, last;
};

enum { ADDR_TEXT = 46, PREFIX_TEXT = 50 }; /* buffer sizes that hold any text form */

/* 0, or -EINVAL with *ret_addr untouched. The whole string must be one address; no leading zeros in
 * IPv4 parts. */
int addr_parse(const char *text, struct addr *ret_addr);
/* "ADDRESS/LEN"; host bits are kept as given. A text without "/LEN" is -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret_prefix);
/* Print into `buffer` (ADDR_TEXT / PREFIX_TEXT bytes), which is returned. */
const char *addr_print(const struct addr *addr, char buffer[ADDR_TEXT]);
const char *prefix_print(const struct prefix *prefix, char buffer[PREFIX_TEXT]);

unsigned int addr_bits(int family);                       /* 32 or 128 */
int addr_cmp(const struct addr *a, const struct addr *b); /* IPv4 before IPv6, then numerically */
static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_cmp(a, b) == 0;
}
int prefix_cmp(const struct prefix *a, const struct prefix *b); /* address as given, then length */

/* The prefix with its host bits cleared. */
struct prefix prefix_network(const struct prefix *prefix);
bool prefix_has_host_bits(const struct prefix *prefix);
/* Whether `prefix` covers the address / the whole of `inner`; false across families. */
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
bool prefix_covers(const struct prefix *prefix, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* First and last address of the prefix. */
struct addr prefix_first(const struct prefix *prefix);
struct addr prefix_last(const struct prefix *prefix);

/* "FIRST-LAST" or one address. 0, or -EINVAL: not that, families mixed, the first after the last.
 */
int addr_range_parse(const char *text, struct addr_range *ret_range);
/* Addresses as numbers; the number's high bits are lost where the family has no room for them. */
typedef unsigned __int128 addr_number;
addr_number addr_to_number(const struct addr *addr);
struct addr addr_of_number(int family, addr_number number);

bool addr_is_link_local(const struct addr *addr); /* 169.254.0.0/16, fe80::/10 */
bool addr_is_multicast(const struct addr *addr);
bool addr_is_loopback(const struct addr *addr);
bool addr_is_unspecified(const struct addr *addr);

#endif
