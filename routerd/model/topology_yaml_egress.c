/* A network's `egress` from the document: its uplink, the source NAT, and the ports that are
 * forwarded into the network. */
#include "model/topology.h"
#include "model/topology_reader.h"

#include <netinet/in.h>
#include <string.h>

enum { PUBLISH_MAX = 1024, FROM_MAX = 256 };

static void read_protocol(struct reader *reader, const struct doc *doc, void *ret)
{
    uint8_t *ret_protocol = ret;
    const char *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    if (!strcmp(text, "tcp")) {
        *ret_protocol = IPPROTO_TCP;
    } else if (!strcmp(text, "udp")) {
        *ret_protocol = IPPROTO_UDP;
    } else {
        doc_error(doc, reader->errors, "must be tcp or udp");
    }
}

static void read_port(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1, UINT16_MAX);
}

static void read_from(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, FROM_MAX, sizeof(struct prefix), read_prefix};
    struct publish *publish = ret;

    publish->from = read_list(reader, doc, &list, &publish->n_from);
}

static void read_publish(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"protocol", REQUIRED, read_protocol, offsetof(struct publish, protocol)},
        {"port", REQUIRED, read_port, offsetof(struct publish, port)},
        {"to", REQUIRED, read_addr, offsetof(struct publish, to)},
        {"to_port", OPTIONAL, read_port, offsetof(struct publish, to_port)},
        {"address", OPTIONAL, read_addr, offsetof(struct publish, address)},
        {"from", OPTIONAL, read_from, 0},
        {0},
    };
    struct publish *publish = ret;

    publish->doc = doc;
    read_map(reader, doc, fields, publish);
    if (!doc_get(doc, "to_port")) {
        publish->to_port = publish->port;
    }
}

static void read_publishes(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, PUBLISH_MAX, sizeof(struct publish), read_publish};
    struct egress *egress = ret;

    egress->publishes = read_list(reader, doc, &list, &egress->n_publishes);
}

void read_egress(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"uplink", REQUIRED, read_name, offsetof(struct egress, uplink)},
        {"nat", OPTIONAL, read_bool, offsetof(struct egress, nat)},
        {"address", OPTIONAL, read_addr, offsetof(struct egress, address)},
        {"prefix6", OPTIONAL, read_prefix, offsetof(struct egress, prefix6)},
        {"publish", OPTIONAL, read_publishes, 0},
        {0},
    };
    struct egress *egress = arena_alloc(reader->arena, sizeof *egress);

    egress->doc = doc;
    egress->nat = true;
    read_map(reader, doc, fields, egress);
    *(struct egress **)ret = egress;
}
