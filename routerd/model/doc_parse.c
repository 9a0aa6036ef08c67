/* The reader of doc.h: libyaml's events become nodes. No recursion: the open lists and maps are on
 * a stack of DOC_DEPTH, which is what bounds libyaml's own quadratic work on nesting too. */
#include "model/doc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A list or map that is being read. */
struct open_node {
    struct doc *doc;
    struct doc **tail;   /* where the next child goes */
    struct doc *pending; /* a map's member whose key was read, but not its value */
};

struct parse {
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
static void fault(struct parse *parse, yaml_mark_t mark, const char *message)
{
    errors_add(parse->errors, "", (unsigned int)mark.line + 1, (unsigned int)mark.column + 1, "%s",
               message);
}

/* A fault of the node that begins at `mark` and is not in the tree yet: its path is its parent's.
 */
static void fault_here(struct parse *parse, yaml_mark_t mark, const char *message)
{
    if (parse->depth == 0) {
        fault(parse, mark, message);
        return;
    }
    const struct open_node *open = &parse->stack[parse->depth - 1];
    doc_error_at(open->pending ? open->pending : open->doc, (unsigned int)mark.line + 1,
                 (unsigned int)mark.column + 1, parse->errors, "%s", message);
}

/* --- the tree
 * -------------------------------------------------------------------------------------- */

static struct doc *node_new(struct parse *parse, yaml_mark_t mark)
{
    if (++parse->n_nodes > DOC_NODES) {
        fault(parse, mark, "the document has too many parts");
        parse->stop = true;
    }
    return arena_alloc(parse->arena, sizeof(struct doc));
}

/* The node of a value that begins at `mark`: the member whose key was just read, or a new one in
 * the open list, or the root. */
static struct doc *node_place(struct parse *parse, enum doc_kind kind, yaml_mark_t mark)
{
    struct open_node *open = parse->depth > 0 ? &parse->stack[parse->depth - 1] : NULL;
    struct doc *doc = open && open->pending ? open->pending : node_new(parse, mark);
    doc->kind = kind;
    doc->line = (unsigned int)mark.line + 1;
    doc->column = (unsigned int)mark.column + 1;
    doc->text = "";
    if (!open) {
        parse->root = doc;
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
static bool wants_key(const struct parse *parse)
{
    if (parse->depth == 0)
        return false;
    const struct open_node *open = &parse->stack[parse->depth - 1];
    assert(open->doc);
    return open->doc->kind == DOC_MAP && !open->pending;
}

static void read_key(struct parse *parse, const yaml_event_t *event)
{
    struct open_node *open = &parse->stack[parse->depth - 1];
    struct doc *doc = node_new(parse, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (strlen(text) != len)
        fault_here(parse, event->start_mark, "a key must not hold a NUL character");
    doc->key = arena_memdup(parse->arena, text, len);
    doc->key_line = (unsigned int)event->start_mark.line + 1;
    doc->key_column = (unsigned int)event->start_mark.column + 1;
    doc->parent = open->doc;
    open->pending = doc;
}

static void read_scalar(struct parse *parse, const yaml_event_t *event)
{
    if (wants_key(parse)) {
        read_key(parse, event);
        return;
    }
    struct doc *doc = node_place(parse, DOC_SCALAR, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    doc->text = arena_memdup(parse->arena, text, event->data.scalar.length);
    doc->text_len = event->data.scalar.length;
    doc->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != doc->text_len) {
        doc_error(doc, parse->errors, "must not hold a NUL character");
        doc->reported = true;
    }
}

static void read_open(struct parse *parse, enum doc_kind kind, const yaml_event_t *event)
{
    if (wants_key(parse)) {
        fault_here(parse, event->start_mark, "a key must be a string, not a list or a map");
        parse->stop = true;
        return;
    }
    if (parse->depth == DOC_DEPTH) {
        fault_here(parse, event->start_mark, "nested too deeply");
        parse->stop = true;
        return;
    }
    struct doc *doc = node_place(parse, kind, event->start_mark);
    parse->stack[parse->depth++] = (struct open_node){.doc = doc, .tail = &doc->child};
}

static void read_alias(struct parse *parse, const yaml_event_t *event)
{
    if (wants_key(parse)) {
        fault_here(parse, event->start_mark, "a key must be a string, not an alias");
        parse->stop = true;
        return;
    }
    struct doc *doc = node_place(parse, DOC_SCALAR, event->start_mark);
    doc->reported = true;
    doc_error(doc, parse->errors, "aliases are not allowed");
}

/* --- duplicate keys
 * --------------------------------------------------------------------------------- */

static int by_key(const void *a_, const void *b_)
{
    const struct doc *const *a = a_, *const *b = b_;
    int order = strcmp((*a)->key, (*b)->key);
    return order ? order : ((*a)->index > (*b)->index) - ((*a)->index < (*b)->index);
}

static void check_duplicates(struct parse *parse, struct doc *map)
{
    if (map->n_children < 2)
        return;
    struct doc **sorted = calloc(map->n_children, sizeof(struct doc *));
    if (!sorted)
        abort();
    size_t n = 0;
    for (struct doc *member = map->child; member; member = member->next)
        sorted[n++] = member;
    qsort(sorted, n, sizeof *sorted, by_key);
    const struct doc *first = sorted[0];
    for (size_t i = 1; i < n; i++) {
        if (strcmp(first->key, sorted[i]->key) != 0) {
            first = sorted[i];
            continue;
        }
        char key[DOC_KEY_TEXT];
        doc_key_error(sorted[i], parse->errors, "duplicate key `%s`; first at line %u",
                      doc_key(sorted[i], key), first->key_line);
        sorted[i]->reported = true; /* its value would only be confusing */
    }
    free(sorted);
}

static void read_close(struct parse *parse)
{
    assert(parse->depth > 0); /* libyaml pairs its events */
    struct doc *doc = parse->stack[--parse->depth].doc;
    assert(doc);
    if (doc->kind == DOC_MAP)
        check_duplicates(parse, doc);
}

/* --- events
 * -------------------------------------------------------------------------------------------- */

static void check_properties(struct parse *parse, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        fault_here(parse, event->start_mark, "anchors are not allowed");
    if (tag)
        fault_here(parse, event->start_mark, "tags are not allowed");
}

static void read_document_start(struct parse *parse, const yaml_event_t *event)
{
    if (parse->n_documents++ > 0) {
        fault(parse, event->start_mark, "a second document begins here; only one is allowed");
        parse->stop = true;
    }
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        fault(parse, event->start_mark, "tags are not allowed");
}

static void read_event(struct parse *parse, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: read_document_start(parse, event); break;
    case YAML_SCALAR_EVENT:
        check_properties(parse, event, event->data.scalar.anchor, event->data.scalar.tag);
        read_scalar(parse, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        check_properties(parse, event, event->data.sequence_start.anchor,
                         event->data.sequence_start.tag);
        read_open(parse, DOC_LIST, event);
        break;
    case YAML_MAPPING_START_EVENT:
        check_properties(parse, event, event->data.mapping_start.anchor,
                         event->data.mapping_start.tag);
        read_open(parse, DOC_MAP, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: read_close(parse); break;
    case YAML_ALIAS_EVENT: read_alias(parse, event); break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
}

/* --- what libyaml itself refuses
 * ----------------------------------------------------------------------- */

/* The place of a byte, as libyaml's reader tells no line. */
static yaml_mark_t mark_of_offset(const struct parse *parse, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < parse->len; i++) {
        if (parse->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)parse->text[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static void report_reader_error(struct parse *parse, const yaml_parser_t *parser)
{
    yaml_mark_t mark = mark_of_offset(parse, parser->problem_offset);
    bool control = strstr(parser->problem, "control") != NULL;
    fault(parse, mark, control ? "control characters are not allowed" : "not valid UTF-8");
}

/* Whether a tab stands at the mark; its column counts characters, which before an indenting tab are
 * blanks. */
static bool tab_at(const struct parse *parse, yaml_mark_t mark)
{
    const char *at = parse->text, *end = parse->text + parse->len;
    for (size_t line = 0; line < mark.line; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return mark.column < (size_t)(end - at) && at[mark.column] == '\t';
}

static void report_syntax_error(struct parse *parse, const yaml_parser_t *parser)
{
    yaml_mark_t mark = parser->problem_mark;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    if (strstr(problem, "cannot start any token") && tab_at(parse, mark))
        fault(parse, mark, "a tab cannot indent; use spaces");
    else if (parser->context)
        errors_add(parse->errors, "", (unsigned int)mark.line + 1, (unsigned int)mark.column + 1,
                   "%s (%s at line %zu)", problem, parser->context, parser->context_mark.line + 1);
    else
        fault(parse, mark, problem);
}

static void report_yaml_error(struct parse *parse, const yaml_parser_t *parser)
{
    parse->stop = true;
    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (parser->error == YAML_READER_ERROR)
        report_reader_error(parse, parser);
    else
        report_syntax_error(parse, parser);
}

/* --- the whole
 * ----------------------------------------------------------------------------------------- */

static void read_all(struct parse *parse)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)parse->text, parse->len);
    for (bool end = false; !end && !parse->stop;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            report_yaml_error(parse, &parser);
            break;
        }
        read_event(parse, &event);
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
    struct parse parse = {.arena = arena, .errors = errors, .text = text, .len = len};
    read_all(&parse);
    if (parse.stop)
        return NULL;
    const struct doc *root = parse.root;
    if (!root ||
        (root->kind == DOC_SCALAR && !root->quoted && !root->text_len && !root->reported)) {
        errors_add(errors, "", 1, 1, "the document is empty");
        return NULL;
    }
    return parse.root;
}
