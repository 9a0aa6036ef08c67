/* ipsec_vici.h - the wire format of vici, charon's control protocol: writing requests, reading
 * answers and events.
 *
 * Pure: bytes in, bytes out. Sockets are ipsec_link.h's business, meaning is ipsec_seen.h's.
 * Source: strongSwan's src/libcharon/plugins/vici/README.md. A packet is a 32-bit length in network
 * order, a type, for some types a name, and a message: a tree of sections with key/value pairs and
 * lists, flattened into elements. What comes in is checked to be balanced and within its bounds,
 * since a wrong daemon may sit behind the socket. */
#ifndef IPSEC_VICI_H
#define IPSEC_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VICI_HEADER_BYTES = 4,
    VICI_PACKET_BYTES = 512 * 1024, /* the most that charon takes or gives, without the header */
    VICI_DEPTH = 8,                 /* of sections; list-sa, the deepest, has 3 */
};

enum vici_type {
    VICI_CMD_REQUEST,
    VICI_CMD_RESPONSE,
    VICI_CMD_UNKNOWN,
    VICI_EVENT_REGISTER,
    VICI_EVENT_UNREGISTER,
    VICI_EVENT_CONFIRM,
    VICI_EVENT_UNKNOWN,
    VICI_EVENT,
};

/* A piece of a packet: borrowed from its bytes, not NUL-terminated. */
struct vici_text {
    const char *bytes;
    size_t len;
};

bool vici_text_is(struct vici_text text, const char *string);
bool vici_text_starts(struct vici_text text, const char *prefix);
/* Copies into `buffer`, cut at size - 1, NUL-terminated, with control characters replaced by '?'.
 */
const char *vici_text_copy(struct vici_text text, char *buffer, size_t size);
/* The decimal (base 10) or hexadecimal (16) number that the whole text is, or `fallback`. */
uint64_t vici_text_number(struct vici_text text, int base, uint64_t fallback);

/* ---- writing */

/* A packet being written. Errors (a name over 255 bytes, a value over 65,535, too much in all)
 * stick and are told by vici_finish(). */
struct vici_writer {
    uint8_t *bytes; /* heap */
    size_t len, capacity;
    bool failed;
};

/* Starts a packet with its header; the writer is filled anew and owned by the caller:
 * vici_writer_done(). */
void vici_begin(struct vici_writer *writer, enum vici_type type, const char *name);
void vici_section(struct vici_writer *writer, const char *name);
void vici_section_end(struct vici_writer *writer);
void vici_key(struct vici_writer *writer, const char *name, const char *value);
void vici_key_bytes(struct vici_writer *writer, const char *name, const void *value, size_t len);
void vici_key_printf(struct vici_writer *writer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void vici_list(struct vici_writer *writer, const char *name);
void vici_item(struct vici_writer *writer, const char *value);
void vici_item_bytes(struct vici_writer *writer, const void *value, size_t len);
void vici_list_end(struct vici_writer *writer);
/* Fills in the length. 0, or -EMSGSIZE. */
int vici_finish(struct vici_writer *writer);
/* Wipes (it may hold a PSK) and frees the bytes. */
void vici_writer_done(struct vici_writer *writer);

/* ---- reading */

struct vici_packet {
    enum vici_type type;
    struct vici_text name; /* empty for the types that have none */
    const uint8_t *message;
    size_t message_len;
};

/* Takes apart a packet without its header. 0, or -EBADMSG. */
int vici_packet_decode(const uint8_t *bytes, size_t len, struct vici_packet *ret_packet);

enum vici_kind {
    VICI_SECTION = 1,
    VICI_SECTION_END,
    VICI_KEY,
    VICI_LIST,
    VICI_ITEM,
    VICI_LIST_END
};

/* Walks over the elements of a message. `section` holds the names of the sections around the
 * current element, `list` that of the list. */
struct vici_reader {
    const uint8_t *next, *end;
    struct vici_text section[VICI_DEPTH];
    size_t depth;
    bool in_list;
    struct vici_text list;
};

struct vici_element {
    enum vici_kind kind;
    struct vici_text name;  /* VICI_SECTION, VICI_KEY, VICI_LIST */
    struct vici_text value; /* VICI_KEY, VICI_ITEM */
};

void vici_reader_init(struct vici_reader *reader, const struct vici_packet *packet);
/* 1: an element; 0: the end; -EBADMSG: not a message. With VICI_SECTION the depth counts the new
 * section already, with VICI_SECTION_END no longer. */
int vici_next(struct vici_reader *reader, struct vici_element *ret_element);
/* The value of a key at the top of the packet's message. */
bool vici_find(const struct vici_packet *packet, const char *key, struct vici_text *ret_value);

#endif
