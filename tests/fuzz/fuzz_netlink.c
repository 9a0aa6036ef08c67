/* Netlink messages as they come from the kernel, cut and garbled in every way. */
#include "net/net_io.h"
#include "net/nft_io.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const uplinks[] = {"wan0"};
    struct net_state state;
    struct nft_state table;
    bool relist = false;
    /* Aligned, and its end is watched. libmnl rounds the length of a message up, which is right:
     * the kernel pads all of them (netlink(7)). */
    char *copy = calloc(1, MNL_ALIGN(size) + 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    net_state_init(&state);
    nft_state_init(&table);
    state.uplinks = uplinks;
    state.n_uplinks = 1;
    int left = (int)size;
    const struct nlmsghdr *message = (const struct nlmsghdr *)copy;
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
        if (message->nlmsg_len > (uint32_t)left)
            break; /* libmnl takes it for negative; recvmsg() gives none such */
        net_parse_message(&state, message, &relist);
        if (nft_parse_event(message))
            nft_parse_listed(&table, message);
    }
    nft_parse_finish(&table);
    nft_state_done(&table);
    net_state_done(&state);
    free(copy);
    return 0;
}
