#include "ipsec/ipsec_vici.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool vici_text_is(struct vici_text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.bytes, string, text.len) == 0;
}

bool vici_text_starts(struct vici_text text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.bytes, prefix, len) == 0;
}

const char *vici_text_copy(struct vici_text text, char *buffer, size_t size)
{
    size_t len = text.len < size ? text.len : size - 1;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        buffer[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    buffer[len] = '\0';
    return buffer;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

uint64_t vici_text_number(struct vici_text text, int base, uint64_t fallback)
{
    uint64_t number = 0;

    if (text.len == 0) {
        return fallback;
    }
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_value(text.bytes[i]);
        if (digit >= base || number > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base) {
            return fallback;
        }
        number = number * (uint64_t)base + (uint64_t)digit;
    }
    return number;
}

/* ---------------------------------------------------------------- writing */

/* Room for `len` more bytes, or null. Not realloc(): what is left behind is wiped. */
static uint8_t *writer_room(struct vici_writer *writer, size_t len)
{
    if (writer->failed || writer->len + len > VICI_PACKET_BYTES) {
        writer->failed = true;
        return NULL;
    }
    if (writer->len + len > writer->capacity) {
        size_t capacity = 2 * (writer->len + len) + 256;
        uint8_t *bytes = malloc(capacity);
        if (!bytes) {
            abort();
        }
        if (writer->bytes) {
            memcpy(bytes, writer->bytes, writer->len);
            explicit_bzero(writer->bytes, writer->capacity);
            free(writer->bytes);
        }
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    writer->len += len;
    return writer->bytes + writer->len - len;
}

static void write_byte(struct vici_writer *writer, uint8_t byte)
{
    uint8_t *room = writer_room(writer, 1);
    if (room) {
        *room = byte;
    }
}

static void write_bytes(struct vici_writer *writer, const void *bytes, size_t len)
{
    uint8_t *room = writer_room(writer, len);
    if (room && len > 0) {
        memcpy(room, bytes, len);
    }
}

static void write_name(struct vici_writer *writer, const char *name)
{
    size_t len = strlen(name);

    if (len > UINT8_MAX) {
        writer->failed = true;
        return;
    }
    write_byte(writer, (uint8_t)len);
    write_bytes(writer, name, len);
}

static void write_value(struct vici_writer *writer, const void *value, size_t len)
{
    if (len > UINT16_MAX) {
        writer->failed = true;
        return;
    }
    write_byte(writer, (uint8_t)(len >> 8));
    write_byte(writer, (uint8_t)len);
    write_bytes(writer, value, len);
}

void vici_begin(struct vici_writer *writer, enum vici_type type, const char *name)
{
    *writer = (struct vici_writer){0};
    write_bytes(writer, "\0\0\0", VICI_HEADER_BYTES);
    write_byte(writer, (uint8_t)type);
    write_name(writer, name);
}

void vici_section(struct vici_writer *writer, const char *name)
{
    write_byte(writer, VICI_SECTION);
    write_name(writer, name);
}

void vici_section_end(struct vici_writer *writer)
{
    write_byte(writer, VICI_SECTION_END);
}

void vici_key_bytes(struct vici_writer *writer, const char *name, const void *value, size_t len)
{
    write_byte(writer, VICI_KEY);
    write_name(writer, name);
    write_value(writer, value, len);
}

void vici_key(struct vici_writer *writer, const char *name, const char *value)
{
    vici_key_bytes(writer, name, value, strlen(value));
}

void vici_key_printf(struct vici_writer *writer, const char *name, const char *format, ...)
{
    char buffer[512];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof buffer) {
        writer->failed = true;
        return;
    }
    vici_key(writer, name, buffer);
}

void vici_list(struct vici_writer *writer, const char *name)
{
    write_byte(writer, VICI_LIST);
    write_name(writer, name);
}

void vici_item_bytes(struct vici_writer *writer, const void *value, size_t len)
{
    write_byte(writer, VICI_ITEM);
    write_value(writer, value, len);
}

void vici_item(struct vici_writer *writer, const char *value)
{
    vici_item_bytes(writer, value, strlen(value));
}

void vici_list_end(struct vici_writer *writer)
{
    write_byte(writer, VICI_LIST_END);
}

int vici_finish(struct vici_writer *writer)
{
    if (writer->failed) {
        return -EMSGSIZE;
    }
    size_t len = writer->len - VICI_HEADER_BYTES;
    for (int i = 0; i < VICI_HEADER_BYTES; i++) {
        writer->bytes[i] = (uint8_t)(len >> (24 - 8 * i));
    }
    return 0;
}

void vici_writer_done(struct vici_writer *writer)
{
    if (writer->bytes) {
        explicit_bzero(writer->bytes, writer->capacity);
        free(writer->bytes);
    }
    *writer = (struct vici_writer){0};
}

/* ---------------------------------------------------------------- reading */

/* Takes a text behind its length of `width` bytes. */
static bool take_text(const uint8_t **next, const uint8_t *end, int width,
                      struct vici_text *ret_text)
{
    size_t len = 0;

    if (end - *next < width) {
        return false;
    }
    for (int i = 0; i < width; i++) {
        len = len << 8 | *(*next)++;
    }
    if ((size_t)(end - *next) < len) {
        return false;
    }
    *ret_text = (struct vici_text){(const char *)*next, len};
    *next += len;
    return true;
}

int vici_packet_decode(const uint8_t *bytes, size_t len, struct vici_packet *ret_packet)
{
    const uint8_t *next = bytes, *end = bytes + len;
    struct vici_packet packet = {0};

    if (len == 0 || *next > VICI_EVENT) {
        return -EBADMSG;
    }
    packet.type = (enum vici_type) * next++;
    packet.name = (struct vici_text){"", 0};
    bool named = packet.type == VICI_CMD_REQUEST || packet.type == VICI_EVENT_REGISTER ||
                 packet.type == VICI_EVENT_UNREGISTER || packet.type == VICI_EVENT;
    if (named && !take_text(&next, end, 1, &packet.name)) {
        return -EBADMSG;
    }
    packet.message = next;
    packet.message_len = (size_t)(end - next);
    *ret_packet = packet;
    return 0;
}

void vici_reader_init(struct vici_reader *reader, const struct vici_packet *packet)
{
    *reader =
        (struct vici_reader){.next = packet->message, .end = packet->message + packet->message_len};
}

/* Keeps the reader's place: sections and lists balanced, list items in lists only, nothing else
 * there. */
static bool place_element(struct vici_reader *reader, const struct vici_element *element)
{
    if (reader->in_list != (element->kind == VICI_ITEM || element->kind == VICI_LIST_END)) {
        return false;
    }
    switch (element->kind) {
    case VICI_SECTION:
        if (reader->depth == VICI_DEPTH) {
            return false;
        }
        reader->section[reader->depth++] = element->name;
        return true;
    case VICI_SECTION_END: return reader->depth > 0 && reader->depth-- > 0;
    case VICI_LIST:
        reader->in_list = true;
        reader->list = element->name;
        return true;
    case VICI_LIST_END: reader->in_list = false; return true;
    case VICI_KEY:
    case VICI_ITEM: return true;
    }
    return false;
}

int vici_next(struct vici_reader *reader, struct vici_element *ret_element)
{
    struct vici_element element = {.name = {"", 0}, .value = {"", 0}};

    if (reader->next == reader->end) {
        return reader->depth == 0 && !reader->in_list ? 0 : -EBADMSG;
    }
    uint8_t kind = *reader->next++;
    if (kind < VICI_SECTION || kind > VICI_LIST_END) {
        return -EBADMSG;
    }
    element.kind = (enum vici_kind)kind;
    bool named = kind == VICI_SECTION || kind == VICI_KEY || kind == VICI_LIST;
    bool valued = kind == VICI_KEY || kind == VICI_ITEM;
    if ((named && !take_text(&reader->next, reader->end, 1, &element.name)) ||
        (valued && !take_text(&reader->next, reader->end, 2, &element.value)) ||
        !place_element(reader, &element)) {
        return -EBADMSG;
    }
    *ret_element = element;
    return 1;
}

bool vici_find(const struct vici_packet *packet, const char *key, struct vici_text *ret_value)
{
    struct vici_reader reader;
    struct vici_element element;

    vici_reader_init(&reader, packet);
    while (vici_next(&reader, &element) > 0) {
        if (element.kind == VICI_KEY && reader.depth == 0 && vici_text_is(element.name, key)) {
            *ret_value = element.value;
            return true;
        }
    }
    return false;
}
