/* Nodes as lines of the files that dnsmasq reads again on SIGHUP. */
#include "dhcp/dhcp_state.h"

#include <stdio.h>
#include <string.h>

/* A name that dnsmasq takes for a name where lease times and keywords may stand, too. */
static bool can_be_told(const char *name)
{
    return *name >= 'a' && *name <= 'z' && !strchr(name, '.') && strcmp(name, "ignore") != 0 &&
           strcmp(name, "infinite") != 0;
}

/* "02:00:5e:00:53:01,10.1.0.100,[2001:db8:1::64],web-1" */
static size_t line_of_host(const struct dhcp_service *service, const struct pool *pool,
                           const struct backend_node *node, char *buffer)
{
    const uint8_t *mac = node->mac;
    char text[ADDR_TEXT];
    int len;

    if (!node->has_mac || pool->segment != service->segment || !pool->serves_dhcp) {
        return 0;
    }
    len = snprintf(buffer, DHCP_LINE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
    for (int i = 0; i < 2; i++) {
        if (node->addresses[i].family) {
            len += snprintf(buffer + len, (size_t)(DHCP_LINE - len), i ? ",[%s]" : ",%s",
                            addr_print(&node->addresses[i], text));
        }
    }
    len += snprintf(buffer + len, (size_t)(DHCP_LINE - len), "%s%s\n",
                    can_be_told(node->name) ? "," : "", can_be_told(node->name) ? node->name : "");
    return (size_t)len;
}

/* "10.1.0.100 web-1.vc.example web-1": the first name is the one that the address has. */
static size_t line_of_name(const struct pool *pool, const struct backend_node *node, char *buffer)
{
    char text[ADDR_TEXT];
    int len = 0;

    for (int i = 0; i < 2; i++) {
        if (!node->addresses[i].family) {
            continue;
        }
        addr_print(&node->addresses[i], text);
        len += pool->domain
                   ? snprintf(buffer + len, (size_t)(DHCP_LINE - len), "%s %s.%s %s\n", text,
                              node->name, pool->domain, node->name)
                   : snprintf(buffer + len, (size_t)(DHCP_LINE - len), "%s %s\n", text, node->name);
    }
    return (size_t)len;
}

size_t dhcp_host_line(const struct dhcp_service *service, const struct backend_node *node,
                      char buffer[DHCP_LINE])
{
    const struct pool *pool = network_find_pool(service->network, node->pool);

    if (!pool) {
        return 0;
    }
    return service->kind == DHCP_ON_SEGMENT ? line_of_host(service, pool, node, buffer)
                                            : line_of_name(pool, node, buffer);
}
