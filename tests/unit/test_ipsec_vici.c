/* ipsec/ipsec_vici.h: the wire format, against the example of vici's own documentation. */
#include "ipsec/ipsec_vici.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "Encoding example" of strongSwan's src/libcharon/plugins/vici/README.md. */
static const char example[] =
    "\x03\x04key1\x00\x06value1\x01\x08section1\x01\x0bsub-section\x03\x04key2\x00\x06value2\x02"
    "\x04\x05list1\x05\x00\x05item1\x05\x00\x05item2\x06\x02";

static void write_example(struct vici_writer *writer)
{
    vici_begin(writer, VICI_CMD_REQUEST, "do");
    vici_key(writer, "key1", "value1");
    vici_section(writer, "section1");
    vici_section(writer, "sub-section");
    vici_key(writer, "key2", "value2");
    vici_section_end(writer);
    vici_list(writer, "list1");
    vici_item(writer, "item1");
    vici_item(writer, "item2");
    vici_list_end(writer);
    vici_section_end(writer);
}

static void test_write(void **state)
{
    struct vici_writer writer;
    (void)state;

    write_example(&writer);
    assert_int_equal(vici_finish(&writer), 0);
    size_t len = sizeof example - 1;
    assert_int_equal(writer.len, 4 + 4 + len);
    assert_memory_equal(writer.bytes, "\0\0\0", 3);
    assert_int_equal(writer.bytes[3], 4 + len);
    assert_memory_equal(writer.bytes + 4, "\0\002do", 4);
    assert_memory_equal(writer.bytes + 8, example, len);
    vici_writer_done(&writer);
}

static void test_write_too_long(void **state)
{
    struct vici_writer writer;
    char name[300];
    (void)state;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    vici_begin(&writer, VICI_CMD_REQUEST, "do");
    vici_section(&writer, name);
    assert_int_equal(vici_finish(&writer), -EMSGSIZE);
    vici_writer_done(&writer);

    char *value = calloc(1, UINT16_MAX + 1);
    vici_begin(&writer, VICI_CMD_REQUEST, "do");
    vici_key_bytes(&writer, "k", value, UINT16_MAX);
    assert_int_equal(vici_finish(&writer), 0);
    vici_key_bytes(&writer, "k", value, UINT16_MAX + 1);
    assert_int_equal(vici_finish(&writer), -EMSGSIZE);
    vici_writer_done(&writer);

    vici_begin(&writer, VICI_CMD_REQUEST, "do");
    for (int i = 0; i < 9; i++) {
        vici_key_bytes(&writer, "k", value, UINT16_MAX);
    }
    assert_int_equal(vici_finish(&writer), -EMSGSIZE);
    vici_writer_done(&writer);
    free(value);
}

/* Each element as a word, with the sections around it. */
static void describe(const struct vici_reader *reader, const struct vici_element *element,
                     char *text, size_t size)
{
    static const char *const kinds[] = {"", "section", "end", "key", "list", "item", "end-list"};
    char name[32], value[32];
    size_t len = strlen(text);

    snprintf(text + len, size - len, "%zu:%s:%s:%s ", reader->depth, kinds[element->kind],
             vici_text_copy(element->name, name, sizeof name),
             vici_text_copy(element->value, value, sizeof value));
}

static int walk(const void *bytes, size_t len, char *text, size_t size)
{
    struct vici_packet packet = {.message = bytes, .message_len = len};
    struct vici_reader reader;
    struct vici_element element;
    int more;

    text[0] = '\0';
    vici_reader_init(&reader, &packet);
    while ((more = vici_next(&reader, &element)) > 0) {
        describe(&reader, &element, text, size);
    }
    return more;
}

static void test_read(void **state)
{
    char text[512];
    (void)state;

    assert_int_equal(walk(example, sizeof example - 1, text, sizeof text), 0);
    assert_string_equal(
        text,
        "0:key:key1:value1 1:section:section1: 2:section:sub-section: 2:key:key2:value2 1:end:: "
        "1:list:list1: 1:item::item1 1:item::item2 1:end-list:: 0:end:: ");
}

static void test_read_wrong(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } wrong[] = {
        {"\x00", 1}, /* no such element */
        {"\x07", 1}, /* likewise */
        {"\x01", 1}, /* no name */
        {"\x01\x05"
         "abc",
         5}, /* half a name */
        {"\x03\x01"
         "a\x00",
         4}, /* half a length */
        {"\x03\x01"
         "a\x00\x02"
         "b",
         6},         /* half a value */
        {"\x02", 1}, /* an end without a beginning */
        {"\x01\x01"
         "a",
         3}, /* a beginning without an end */
        {"\x05\x00\x01"
         "a",
         4},         /* an item outside of a list */
        {"\x06", 1}, /* the end of no list */
        {"\x04\x01"
         "a",
         3}, /* a list without an end */
        {"\x04\x01"
         "a\x03\x01"
         "a\x00\x00\x06",
         9}, /* a key in a list */
        {"\x04\x01"
         "a\x04\x01"
         "b\x06\x06",
         8}, /* a list in a list */
        {"\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x01\x00\x02\x02\x02\x02\x02\x02\x02\x02\x02",
         27}, /* too deep */
    };
    char text[512];
    (void)state;

    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_int_equal(walk(wrong[i].bytes, wrong[i].len, text, sizeof text), -EBADMSG);
    }
    for (size_t len = 1; len < sizeof example - 1; len++) {
        int result = walk(example, len, text, sizeof text);
        assert_int_equal(result,
                         len == 14 ? 0 : -EBADMSG); /* only after the first key it is whole */
    }
}

static void test_packet(void **state)
{
    struct vici_packet packet;
    struct vici_text value;
    (void)state;

    assert_int_equal(
        vici_packet_decode((const uint8_t *)"\x07\x03log\x03\x01k\x00\x01v", 11, &packet), 0);
    assert_int_equal(packet.type, VICI_EVENT);
    assert_true(vici_text_is(packet.name, "log"));
    assert_true(vici_find(&packet, "k", &value));
    assert_true(vici_text_is(value, "v"));
    assert_false(vici_find(&packet, "kk", &value));
    assert_int_equal(vici_packet_decode((const uint8_t *)"\x01", 1, &packet), 0);
    assert_int_equal(packet.message_len, 0);
    assert_int_equal(vici_packet_decode((const uint8_t *)"", 0, &packet), -EBADMSG);
    assert_int_equal(vici_packet_decode((const uint8_t *)"\x08", 1, &packet), -EBADMSG);
    assert_int_equal(vici_packet_decode((const uint8_t *)"\x07\x09log", 5, &packet), -EBADMSG);
}

static struct vici_text text_of(const char *string)
{
    return (struct vici_text){string, strlen(string)};
}

static void test_text(void **state)
{
    char buffer[6];
    (void)state;

    assert_string_equal(vici_text_copy(text_of("a\nb\x1b"
                                               "cdef"),
                                       buffer, sizeof buffer),
                        "a?b?c");
    assert_int_equal(vici_text_number(text_of("0000002a"), 16, 7), 42);
    assert_int_equal(vici_text_number(text_of("42"), 10, 7), 42);
    assert_int_equal(vici_text_number(text_of("4a"), 10, 7), 7);
    assert_int_equal(vici_text_number(text_of(""), 10, 7), 7);
    assert_true(vici_text_number(text_of("18446744073709551615"), 10, 7) == UINT64_MAX);
    assert_int_equal(vici_text_number(text_of("18446744073709551616"), 10, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),  cmocka_unit_test(test_write_too_long),
        cmocka_unit_test(test_read),   cmocka_unit_test(test_read_wrong),
        cmocka_unit_test(test_packet), cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
