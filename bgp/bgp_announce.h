/* bgp_announce.h - makes zebra know the addresses that the kernel has.
 *
 * zebra 8.4 reads addresses in one thread and links in another: an address whose link it has not
 * come to yet is dropped for good, and no BGP session over it ever comes up ("nexthop_set failed").
 * So while a session is not up its VRF's interfaces are compared: what the kernel has and zebra
 * lacks is announced again, by setting the address to what it is (RTM_NEWADDR with NLM_F_REPLACE,
 * rtnetlink(7)), which changes nothing in the kernel but tells every listener. Only interfaces of
 * routerd's are touched. */
#ifndef BGP_BGP_ANNOUNCE_H
#define BGP_BGP_ANNOUNCE_H

#include <stddef.h>

/* The addresses that the kernel has on routerd's interfaces, at the moment. */
struct bgp_addresses;
/* Lists them; null with errno if that cannot be done. Does not block. */
struct bgp_addresses *bgp_addresses_take(void);
void bgp_addresses_free(struct bgp_addresses *addresses); /* null is fine */

/* Takes zebra's answer to `show interface vrf NAME json`. Returns how many addresses were announced
 * again, or -errno; -EPROTO if the text is not that answer. Does not block. */
int bgp_announce_missing(const struct bgp_addresses *addresses, const char *text);

#endif
