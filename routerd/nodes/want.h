/* want.h - what a controller asks for: the body of a POST of nodes, typed.
 *
 * One object or a list of them. Shapes, types and what can be seen in the body alone are checked
 * here; what needs to know the network and its nodes is in allocate.h. */
#ifndef NODES_WANT_H
#define NODES_WANT_H

#include "model/doc.h"
#include "nodes/nodes.h"

enum { WANTS = 4096 /* in one request */ };

struct node_want {
    const struct doc *doc; /* where it stood */
    const char *name;
    const char *pool;         /* null: not said */
    struct addr addresses[2]; /* asked for: IPv4, IPv6; without family: any */
    bool has_mac;
    uint8_t mac[MAC_BYTES];
    const char *labels; /* a JSON object with its keys in order, or null */
};

/* Lies in its own arena and is immutable. */
struct node_wants {
    struct arena *arena;
    struct node_want *items;
    size_t n;
};

/* Null: it could not be read at all, and errors were added. Else free with node_wants_free();
 * with errors added it must not be used. */
struct node_wants *node_wants_parse(const char *text, size_t len, struct errors *errors);
void node_wants_free(struct node_wants *wants); /* null is fine */

/* 1-63 of a-z 0-9 - and dots between them, as hosts have. */
bool node_name_valid(const char *name);

#endif
