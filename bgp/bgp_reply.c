#include "bgp/bgp_reply.h"

#include <errno.h>
#include <string.h>

ssize_t bgp_reply_next(const char *bytes, size_t len, size_t *scanned, struct bgp_reply *ret_reply)
{
    const char *nul = *scanned < len ? memchr(bytes + *scanned, '\0', len - *scanned) : NULL;
    size_t n;

    if (!nul) {
        *scanned = len;
        return len > BGP_REPLY_BYTES ? -EPROTO : 0;
    }
    n = (size_t)(nul - bytes);
    *scanned = n;
    for (size_t i = n; i < len && i < n + BGP_REPLY_TAIL - 1; i++) {
        if (bytes[i]) {
            return -EPROTO;
        }
    }
    if (len < n + BGP_REPLY_TAIL) {
        return 0;
    }
    *ret_reply = (struct bgp_reply){bytes, n, (unsigned char)bytes[n + BGP_REPLY_TAIL - 1]};
    return (ssize_t)(n + BGP_REPLY_TAIL);
}
