/* The reader of doc.h: libyaml's events become nodes. No recursion: the open lists and maps are on
 * a stack of DOC_DEPTH, which is what bounds libyaml's own quadratic work on nesting too. */
#include "model/doc.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A list or map that is being read. */
struct open_node {
    struct doc *doc;
    struct doc **tail;   /* where the next child goes */
    struct doc *pending; /* a map's member whose key was read, but not its value */
};

struct reader {
    struct arena *arena;
    struct errors *errors;
    const char *text; /* what libyaml reads: without a byte order mark */
    size_t len;
    struct open_node stack[DOC_DEPTH];
    size_t depth;
    struct doc *root;
    size_t n_nodes, n_documents;
    bool stop;
};

/* A fault of the whole document. */
static void fault(struct reader *reader, yaml_mark_t mark, const char *message)
{
    errors_add(reader->errors, "", (unsigned int)mark.line + 1, (unsigned int)mark.column + 1, "%s",
               message);
}

/* A fault of the node that begins at `mark` and is not in the tree yet: its path is its parent's.
 */
static void fault_here(struct reader *reader, yaml_mark_t mark, const char *message)
{
    if (reader->depth == 0) {
        fault(reader, mark, message);
        return;
    }
    const struct open_node *open = &reader->stack[reader->depth - 1];
    doc_error_at(open->pending ? open->pending : open->doc, (unsigned int)mark.line + 1,
                 (unsigned int)mark.column + 1, reader->errors, "%s", message);
}

/* --- the tree
 * -------------------------------------------------------------------------------------- */

static struct doc *node_new(struct reader *reader, yaml_mark_t mark)
{
    if (++reader->n_nodes > DOC_NODES) {
        fault(reader, mark, "the document has too many parts");
        reader->stop = true;
    }
    return arena_alloc(reader->arena, sizeof(struct doc));
}

/* The node of a value that begins at `mark`: the member whose key was just read, or a new one in
 * the open list, or the root. */
static struct doc *node_place(struct reader *reader, enum doc_kind kind, yaml_mark_t mark)
{
    struct open_node *open = reader->depth > 0 ? &reader->stack[reader->depth - 1] : NULL;
    struct doc *doc = open && open->pending ? open->pending : node_new(reader, mark);
    doc->kind = kind;
    doc->line = (unsigned int)mark.line + 1;
    doc->column = (unsigned int)mark.column + 1;
    doc->text = "";
    if (!open) {
        reader->root = doc;
        return doc;
    }
    open->pending = NULL;
    doc->parent = open->doc;
    doc->index = open->doc->n_children++;
    *open->tail = doc;
    open->tail = &doc->next;
    return doc;
}

/* Whether the event is a key of the open map rather than a value. */
static bool wants_key(const struct reader *reader)
{
    if (reader->depth == 0)
        return false;
    const struct open_node *open = &reader->stack[reader->depth - 1];
    return open->doc->kind == DOC_MAP && !open->pending;
}

static void read_key(struct reader *reader, const yaml_event_t *event)
{
    struct open_node *open = &reader->stack[reader->depth - 1];
    struct doc *doc = node_new(reader, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (strlen(text) != len)
        fault_here(reader, event->start_mark, "a key must not hold a NUL character");
    doc->key = arena_memdup(reader->arena, text, len);
    doc->key_line = (unsigned int)event->start_mark.line + 1;
    doc->key_column = (unsigned int)event->start_mark.column + 1;
    doc->parent = open->doc;
    open->pending = doc;
}

static void read_scalar(struct reader *reader, const yaml_event_t *event)
{
    if (wants_key(reader)) {
        read_key(reader, event);
        return;
    }
    struct doc *doc = node_place(reader, DOC_SCALAR, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    doc->text = arena_memdup(reader->arena, text, event->data.scalar.length);
    doc->text_len = event->data.scalar.length;
    doc->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != doc->text_len) {
        doc_error(doc, reader->errors, "must not hold a NUL character");
        doc->reported = true;
    }
}

static void read_open(struct reader *reader, enum doc_kind kind, const yaml_event_t *event)
{
    if (wants_key(reader)) {
        fault_here(reader, event->start_mark, "a key must be a string, not a list or a map");
        reader->stop = true;
        return;
    }
    if (reader->depth == DOC_DEPTH) {
        fault_here(reader, event->start_mark, "nested too deeply");
        reader->stop = true;
        return;
    }
    struct doc *doc = node_place(reader, kind, event->start_mark);
    reader->stack[reader->depth++] = (struct open_node){.doc = doc, .tail = &doc->child};
}

static void read_alias(struct reader *reader, const yaml_event_t *event)
{
    if (wants_key(reader)) {
        fault_here(reader, event->start_mark, "a key must be a string, not an alias");
        reader->stop = true;
        return;
    }
    struct doc *doc = node_place(reader, DOC_SCALAR, event->start_mark);
    doc->reported = true;
    doc_error(doc, reader->errors, "aliases are not allowed");
}

/* --- duplicate keys
 * --------------------------------------------------------------------------------- */

static int by_key(const void *a_, const void *b_)
{
    const struct doc *const *a = a_, *const *b = b_;
    int order = strcmp((*a)->key, (*b)->key);
    return order ? order : ((*a)->index > (*b)->index) - ((*a)->index < (*b)->index);
}

static void check_duplicates(struct reader *reader, const struct doc *map)
{
    if (map->n_children < 2)
        return;
    const struct doc **sorted = calloc(map->n_children, sizeof(struct doc *));
    if (!sorted)
        abort();
    size_t n = 0;
    for (const struct doc *member = map->child; member; member = member->next)
        sorted[n++] = member;
    qsort(sorted, n, sizeof *sorted, by_key);
    const struct doc *first = sorted[0];
    for (size_t i = 1; i < n; i++) {
        if (strcmp(first->key, sorted[i]->key) != 0) {
            first = sorted[i];
            continue;
        }
        char key[DOC_KEY_TEXT];
        doc_key_error(sorted[i], reader->errors, "duplicate key `%s`; first at line %u",
                      doc_key(sorted[i], key), first->key_line);
    }
    free(sorted);
}

static void read_close(struct reader *reader)
{
    const struct doc *doc = reader->stack[--reader->depth].doc;
    if (doc->kind == DOC_MAP)
        check_duplicates(reader, doc);
}

/* --- events
 * -------------------------------------------------------------------------------------------- */

static void check_properties(struct reader *reader, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        fault_here(reader, event->start_mark, "anchors are not allowed");
    if (tag)
        fault_here(reader, event->start_mark, "tags are not allowed");
}

static void read_document_start(struct reader *reader, const yaml_event_t *event)
{
    if (reader->n_documents++ > 0) {
        fault(reader, event->start_mark, "a second document begins here; only one is allowed");
        reader->stop = true;
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        fault(reader, event->start_mark, "tags are not allowed");
}

static void read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: read_document_start(reader, event); break;
    case YAML_SCALAR_EVENT:
        check_properties(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
        read_scalar(reader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        check_properties(reader, event, event->data.sequence_start.anchor,
                         event->data.sequence_start.tag);
        read_open(reader, DOC_LIST, event);
        break;
    case YAML_MAPPING_START_EVENT:
        check_properties(reader, event, event->data.mapping_start.anchor,
                         event->data.mapping_start.tag);
        read_open(reader, DOC_MAP, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: read_close(reader); break;
    case YAML_ALIAS_EVENT: read_alias(reader, event); break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
}

/* --- what libyaml itself refuses
 * ----------------------------------------------------------------------- */

/* The place of a byte, as libyaml's reader tells no line. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < reader->len; i++) {
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)reader->text[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static void report_reader_error(struct reader *reader, const yaml_parser_t *parser)
{
    yaml_mark_t mark = mark_of_offset(reader, parser->problem_offset);
    bool control = strstr(parser->problem, "control") != NULL;
    fault(reader, mark, control ? "control characters are not allowed" : "not valid UTF-8");
}

/* Whether a tab stands at the mark; its column counts characters, which before an indenting tab are
 * blanks. */
static bool tab_at(const struct reader *reader, yaml_mark_t mark)
{
    const char *at = reader->text, *end = reader->text + reader->len;
    for (size_t line = 0; line < mark.line; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return mark.column < (size_t)(end - at) && at[mark.column] == '\t';
}

static void report_syntax_error(struct reader *reader, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    if (strstr(problem, "cannot start any token") && tab_at(reader, mark))
        fault(reader, mark, "a tab cannot indent; use spaces");
    else if (parser->context)
        errors_add(reader->errors, "", (unsigned int)mark.line + 1, (unsigned int)mark.column + 1,
                   "%s (%s at line %zu)", problem, parser->context, parser->context_mark.line + 1);
    else
        fault(reader, mark, problem);
}

static void report_yaml_error(struct reader *reader, const yaml_parser_t *parser)
{
    reader->stop = true;
    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (parser->error == YAML_READER_ERROR)
        report_reader_error(reader, parser);
    else
        report_syntax_error(reader, parser);
}

/* --- the whole
 * ----------------------------------------------------------------------------------------- */

static void read_all(struct reader *reader)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)reader->text, reader->len);
    for (bool end = false; !end && !reader->stop;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            report_yaml_error(reader, &parser);
            break;
        }
        read_event(reader, &event);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

struct doc *doc_parse(struct arena *arena, const char *text, size_t len, struct errors *errors)
{
    static const char BOM[] = "\xef\xbb\xbf";
    if (len > DOC_BYTES) {
        errors_add(errors, "", 0, 0, "the document is larger than %d MiB", DOC_BYTES >> 20);
        return NULL;
    }
    if (len >= 3 && memcmp(text, BOM, 3) == 0) {
        text += 3;
        len -= 3;
    }
    struct reader reader = {.arena = arena, .errors = errors, .text = text, .len = len};
    read_all(&reader);
    if (reader.stop)
        return NULL;
    const struct doc *root = reader.root;
    if (!root ||
        (root->kind == DOC_SCALAR && !root->quoted && !root->text_len && !root->reported)) {
        errors_add(errors, "", 1, 1, "the document is empty");
        return NULL;
    }
    return reader.root;
}
