/* doc.h - a YAML or JSON document as a tree that knows where each of its parts stood.
 *
 * The one reader of everything that people and controllers write: topologies, configuration,
 * profiles, request bodies. It accepts the part of YAML 1.1 that is data (JSON is a part of that)
 * and reports, with line and column: anchors, aliases, tags, several documents, duplicate keys,
 * keys that are not plain strings, invalid UTF-8, nesting beyond DOC_DEPTH, and more than DOC_NODES
 * nodes. It gives no meaning to keys; topology_yaml.c, config_yaml.c and profile.c do, with the
 * doc_get_* functions, which report wrong types and ranges at the right place.
 * libyaml is quadratic in flow nesting, so the depth is bounded while events are read. */
#ifndef MODEL_DOC_H
#define MODEL_DOC_H

#include "model/addr.h"
#include "model/arena.h"
#include "model/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOC_BYTES = 16 << 20, DOC_DEPTH = 16, DOC_NODES = 2000000 };

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc {
    enum doc_kind kind;
    bool quoted; /* a scalar that was quoted (or a block scalar): never null, boolean or number */
    unsigned int line, column; /* from 1 */
    const char *key;           /* of a map's member, else null */
    unsigned int key_line, key_column;
    const char *text; /* of a scalar */
    size_t text_len;
    struct doc *child; /* first child of a list or map, in the order of the text */
    struct doc *next;  /* next sibling */
    size_t n_children;
    const struct doc *parent; /* null for the root */
    size_t index;             /* among its siblings */
    bool reported; /* its fault was reported already: the typed readers refuse it silently */
};

/* Parses `text` (not NUL-terminated, at most DOC_BYTES: else an error) into `arena`. Returns the
 * root, or null with at least one error added. Duplicate keys are reported and the parse goes on,
 * so a non-null root may come with errors. An empty document is an error. */
struct doc *doc_parse(struct arena *arena, const char *text, size_t len, struct errors *errors);

/* The path of a node such as `networks[0].peers[1].via`, in `arena`; "" for the root. */
const char *doc_path(struct arena *arena, const struct doc *doc);
/* Adds a fault at a node (its key's place for a map's member of kind list or map is its value's
 * place). */
void doc_error(const struct doc *doc, struct errors *errors, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a fault at the key of a map's member, or at another place that belongs to the node. */
void doc_key_error(const struct doc *member, struct errors *errors, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void doc_error_at(const struct doc *doc, unsigned int line, unsigned int column,
                  struct errors *errors, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A member's key as sentences show it: shortened and without control characters. */
enum { DOC_KEY_TEXT = 68 };
const char *doc_key(const struct doc *member, char buffer[DOC_KEY_TEXT]);

/* The member of a map, or null. */
const struct doc *doc_get(const struct doc *map, const char *key);
/* Whether two documents mean the same: the order of map members, comments, style and layout do not
 * count. */
bool doc_equal(const struct doc *a, const struct doc *b);

/* Typed readers: each takes the node (not the map) and returns true with *ret set, or reports and
 * returns false with it untouched. */
bool doc_string(const struct doc *doc, struct errors *errors,
                const char **ret_text); /* a scalar, not null */
bool doc_bool(const struct doc *doc, struct errors *errors,
              bool *ret_bool); /* true or false (YAML 1.2 core) */
bool doc_uint(const struct doc *doc, struct errors *errors, uint64_t min, uint64_t max,
              uint64_t *ret_number);
bool doc_name(const struct doc *doc, struct errors *errors,
              const char **ret_name); /* 1-63 of a-z 0-9 - */
bool doc_asn(const struct doc *doc, struct errors *errors,
             uint32_t *ret_asn); /* 1-4294967294, none that an RFC forbids */
bool doc_addr(const struct doc *doc, struct errors *errors, struct addr *ret_addr);
bool doc_prefix(const struct doc *doc, struct errors *errors,
                struct prefix *ret_prefix); /* host bits refused */
bool doc_ifaddr(const struct doc *doc, struct errors *errors,
                struct prefix *ret_prefix); /* host bits kept */
bool doc_is(const struct doc *doc, enum doc_kind kind,
            struct errors *errors); /* reports another kind */
bool doc_is_null(const struct doc *doc);
/* The member of a map, or null, which is reported as missing at the map. */
const struct doc *doc_require(const struct doc *map, const char *key, struct errors *errors);
/* Reports every member of `map` that is not in the null-terminated list `keys` as an unknown key
 * (with the nearest known one as a hint). */
void doc_check_keys(const struct doc *map, const char *const *keys, struct errors *errors);

#endif
