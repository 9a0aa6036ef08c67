#include "model/config_reader.h"
#include "model/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum { SUN_PATH = 108 }; /* unix(7), with its NUL */

static bool consists_of(const char *text, const char *characters)
{
    return *text && !text[strspn(text, characters)];
}

/* --- paths
 * ------------------------------------------------------------------------------------------------
 */

void read_path(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_path = ret, *path;
    if (!doc_string(doc, reader->errors, &path))
        return;
    if (path[0] != '/')
        doc_error(doc, reader->errors, "must be an absolute path");
    else
        *ret_path = path;
}

static bool socket_path_valid(const char *path)
{
    return path[0] == '/' && path[1] && strlen(path) < SUN_PATH;
}

void read_socket_path(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_path = ret, *path;
    if (!doc_string(doc, reader->errors, &path))
        return;
    if (!socket_path_valid(path))
        doc_error(doc, reader->errors, "must be an absolute path of less than %d bytes", SUN_PATH);
    else
        *ret_path = path;
}

void read_vici(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_uri = ret, *uri;
    if (!doc_string(doc, reader->errors, &uri))
        return;
    size_t head = strncmp(uri, "unix://", 7) == 0 ? 7 : strncmp(uri, "unix:", 5) == 0 ? 5 : 0;
    if (!head || !socket_path_valid(uri + head))
        doc_error(doc, reader->errors, "must be a socket such as unix:///run/charon.vici");
    else
        *ret_uri = uri;
}

/* --- the control socket
 * ------------------------------------------------------------------------------------- */

void read_group(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_group = ret, *group;
    if (!doc_string(doc, reader->errors, &group))
        return;
    if (!consists_of(group, LETTERS DIGITS "_.-") || group[0] == '-' || strlen(group) > 32)
        doc_error(doc, reader->errors, "must be a group's name or number");
    else
        *ret_group = group;
}

/* Four octal digits of which the first is 0, quoted or not: YAML 1.1 and people agree on what that
 * is. */
void read_mode(struct reader *reader, const struct doc *doc, void *ret)
{
    unsigned int *ret_mode = ret;
    const char *mode;
    if (!doc_string(doc, reader->errors, &mode))
        return;
    if (strlen(mode) != 4 || mode[0] != '0' || !consists_of(mode, "01234567"))
        doc_error(doc, reader->errors, "must be an octal mode such as \"0660\"");
    else
        *ret_mode = (unsigned int)strtoul(mode, NULL, 8);
}

/* --- the router's identity
 * ------------------------------------------------------------------------------------ */

void read_asn(struct reader *reader, const struct doc *doc, void *ret)
{
    doc_asn(doc, reader->errors, ret);
}

void read_router_id(struct reader *reader, const struct doc *doc, void *ret)
{
    struct addr *ret_addr = ret, addr;
    if (!doc_addr(doc, reader->errors, &addr))
        return;
    if (addr.family != AF_INET)
        doc_error(doc, reader->errors, "must be an IPv4 address");
    else if (addr_is_unspecified(&addr) || addr_is_loopback(&addr) || addr_is_multicast(&addr))
        doc_error(doc, reader->errors, "must be a unicast address that is the router's own");
    else
        *ret_addr = addr;
}

/* --- addresses of servers
 * --------------------------------------------------------------------------------------- */

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" in the first `len` bytes of `text`. */
static bool endpoint_valid(const char *text, size_t len)
{
    char address[ADDR_TEXT];
    struct addr addr;
    bool bracket = len > 0 && text[0] == '[';
    const char *end = text + len;
    const char *colon = memrchr(text, ':', len);
    if (!colon || colon + 1 == end || end - colon > 6)
        return false;
    const char *first = text + bracket, *last = colon - bracket;
    if (last <= first || (size_t)(last - first) >= sizeof address || (bracket && *last != ']'))
        return false;
    memcpy(address, first, (size_t)(last - first));
    address[last - first] = '\0';
    if (addr_parse(address, &addr) < 0 || (addr.family == AF_INET6) != bracket)
        return false;

    unsigned int port = 0;
    for (const char *c = colon + 1; c < end; c++) {
        if (*c < '0' || *c > '9')
            return false;
        port = port * 10 + (unsigned int)(*c - '0');
    }
    return port >= 1 && port <= 65535 && colon[1] != '0';
}

void read_endpoint(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_endpoint = ret, *endpoint;
    if (!doc_string(doc, reader->errors, &endpoint))
        return;
    if (!endpoint_valid(endpoint, strlen(endpoint)))
        doc_error(doc, reader->errors,
                  "must be ADDRESS:PORT, such as 0.0.0.0:8443 or [2001:db8::1]:8443");
    else
        *ret_endpoint = endpoint;
}

static bool remote_valid(const char *remote, size_t len)
{
    if (len > 5 && memcmp(remote, "unix:", 5) == 0)
        return remote[5] == '/' && len - 5 > 1 && len - 5 < SUN_PATH;
    if (len > 4 && (memcmp(remote, "tcp:", 4) == 0 || memcmp(remote, "ssl:", 4) == 0))
        return endpoint_valid(remote + 4, len - 4);
    return false;
}

/* Several servers of one cluster are separated by commas. */
void read_remote(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_remote = ret, *remote;
    if (!doc_string(doc, reader->errors, &remote))
        return;
    for (const char *at = remote;; at++) {
        size_t len = strcspn(at, ",");
        if (!remote_valid(at, len)) {
            doc_error(doc, reader->errors,
                      "must be an OVSDB server such as unix:/run/openvswitch/db.sock or "
                      "tcp:127.0.0.1:6640");
            return;
        }
        at += len;
        if (!*at)
            break;
    }
    *ret_remote = remote;
}

void read_database(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_name = ret, *name;
    if (!doc_string(doc, reader->errors, &name))
        return;
    if (!consists_of(name, LETTERS DIGITS "_") || strchr(DIGITS, name[0]) || name[0] == '_')
        doc_error(doc, reader->errors, "must be a database's name: letters, digits and _");
    else
        *ret_name = name;
}

void read_datapath(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_type = ret, *type;
    if (!doc_string(doc, reader->errors, &type))
        return;
    if (strcmp(type, "system") != 0 && strcmp(type, "netdev") != 0)
        doc_error(doc, reader->errors, "must be system or netdev");
    else
        *ret_type = type;
}

/* --- names
 * ---------------------------------------------------------------------------------------------------------
 */

/* The kernel's own rule (dev_valid_name) and ASCII only, as OVSDB and people have to agree on it.
 */
static bool interface_valid(const char *name)
{
    if (strlen(name) >= IFNAME_TEXT || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || *c == '/' || *c == ':' || *c == '*' || *c == '"' ||
            *c == '\'' || *c == '\\')
            return false;
    return true;
}

void read_interface(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_name = ret, *name;
    if (!doc_string(doc, reader->errors, &name))
        return;
    if (!interface_valid(name))
        doc_error(
            doc, reader->errors,
            "must be an interface's name: 1 to 15 bytes without blanks, quotes, /, :, * and \\");
    else if (ids_of_vrf(name) || ids_of_segment(name) || ids_of_tunnel(name) || ids_of_bridge(name))
        doc_error(doc, reader->errors, "must not be a name that routerd gives to its own");
    else
        *ret_name = name;
}

/* RFC 1035, 2.3.1 with RFC 1123, 2.1. */
static bool dns_name_valid(const char *name)
{
    if (!consists_of(name, LETTERS DIGITS "-.") || strlen(name) > 253)
        return false;
    for (const char *label = name;; label++) {
        size_t len = strcspn(label, ".");
        if (len < 1 || len > 63 || label[0] == '-' || label[len - 1] == '-')
            return false;
        label += len;
        if (!*label)
            return true;
    }
}

void read_dns_name(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_name = ret, *name;
    if (!doc_string(doc, reader->errors, &name))
        return;
    if (!dns_name_valid(name))
        doc_error(doc, reader->errors, "must be a DNS name");
    else
        *ret_name = name;
}

static bool name_valid(const char *name)
{
    return consists_of(name, "abcdefghijklmnopqrstuvwxyz" DIGITS "-") && strlen(name) <= 63;
}

void read_named(struct reader *reader, const struct doc *doc, size_t max,
                void (*read)(struct reader *reader, const struct doc *member))
{
    if (!doc_is(doc, DOC_MAP, reader->errors))
        return;
    if (doc->n_children > max) {
        doc_error(doc, reader->errors, "has %zu members, at most %zu are possible", doc->n_children,
                  max);
        return;
    }
    for (const struct doc *member = doc->child; member; member = member->next) {
        if (!name_valid(member->key))
            doc_key_error(member, reader->errors, "a name must be 1 to 63 of a-z, 0-9 and -");
        else if (!member->reported)
            read(reader, member);
    }
}
