#include "nodes/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int mac_parse(const char *text, uint8_t ret_mac[MAC_BYTES])
{
    static const uint8_t none[MAC_BYTES];
    uint8_t mac[MAC_BYTES];

    if (strlen(text) != MAC_TEXT - 1) {
        return -EINVAL;
    }
    for (size_t i = 0; i < MAC_BYTES; i++) {
        int high = hex(text[3 * i]), low = hex(text[3 * i + 1]);
        char after = text[3 * i + 2];

        if (high < 0 || low < 0 ||
            (i < MAC_BYTES - 1 && (after != text[2] || !strchr(":-", after)))) {
            return -EINVAL;
        }
        mac[i] = (uint8_t)(high * 16 + low);
    }
    if (mac[0] & 1 || !memcmp(mac, none, MAC_BYTES)) { /* a group's (IEEE 802), or nobody's */
        return -EINVAL;
    }
    memcpy(ret_mac, mac, MAC_BYTES);
    return 0;
}

const char *mac_print(const uint8_t mac[MAC_BYTES], char buffer[MAC_TEXT])
{
    snprintf(buffer, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    return buffer;
}
