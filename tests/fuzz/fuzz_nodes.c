/* Bodies of requests for nodes, and records as the state database may have them: nothing that they
 * hold may do harm, and what is accepted comes out as it went in. */
#include "nodes/record.h"
#include "nodes/want.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record that is taken is printed as one that says the same. */
static void check_record(const char *text)
{
    struct nodes *nodes = nodes_new(), *copy = nodes_new();
    char printed[RECORD_TEXT], again[RECORD_TEXT];
    uint32_t id, id_copy;

    if (!record_add(nodes, "p", text, &id)) {
        record_print(nodes, id, printed);
        assert(!record_add(copy, "p", printed, &id_copy));
        assert(!strcmp(record_print(copy, id_copy, again), printed));
    }
    nodes_free(nodes);
    nodes_free(copy);
}

/* What is wanted can be a node, and its record can be read again. */
static void check_want(const struct node_want *want)
{
    struct nodes *nodes = nodes_new();
    struct node node = {.name = want->name,
                        .pool = "p",
                        .has_mac = want->has_mac,
                        .labels = want->labels,
                        .addresses = {want->addresses[0], want->addresses[1]}};
    char printed[RECORD_TEXT];
    uint32_t id;

    memcpy(node.mac, want->mac, MAC_BYTES);
    if (!node.addresses[0].family && !node.addresses[1].family) {
        node.addresses[0] = (struct addr){.family = AF_INET, .bytes = {10, 0, 0, 1}};
    }
    assert(!nodes_add(nodes, &node, &id));
    record_print(nodes, id, printed);
    assert(!strpbrk(printed, "\n\r\t"));
    nodes_remove(nodes, id);
    assert(!record_add(nodes, "p", printed, &id));
    assert(!want->labels || !strcmp(nodes_get(nodes, id).labels, want->labels));
    nodes_free(nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errors *errors = errors_new();
    struct node_wants *wants = node_wants_parse((const char *)data, size, errors);
    char *text = malloc(size + 1);

    assert(wants || errors_count(errors));
    for (size_t i = 0; wants && !errors_count(errors) && i < wants->n; i++) {
        check_want(&wants->items[i]);
    }
    node_wants_free(wants);
    errors_free(errors);
    memcpy(text, data, size);
    text[size] = '\0';
    check_record(text);
    free(text);
    return 0;
}
