/* JSON as YAML, by libyaml's emitter. The emitter knows which texts would be misread as syntax;
 * here is which would be misread as another type: those are quoted, by the rules of YAML 1.1 (which
 * has the most of them) and 1.2 at once. */
#include "routerctl/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

static void emit(yaml_emitter_t *emitter, int made, yaml_event_t *event)
{
    /* The one thing that can fail is memory: the text is UTF-8, as cJSON's parser made it. */
    if (!made || !yaml_emitter_emit(emitter, event)) {
        abort();
    }
}

static bool is_word(const char *text)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcasecmp(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* Plain are only those that begin like a word, or a path, and are none that means something. */
static bool must_quote(const char *text)
{
    bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                  *text == '_' || *text == '/';

    return !letter || is_word(text);
}

static void emit_text(yaml_emitter_t *emitter, const char *text)
{
    yaml_scalar_style_t style = strchr(text, '\n') ? YAML_LITERAL_SCALAR_STYLE
                                : must_quote(text) ? YAML_SINGLE_QUOTED_SCALAR_STYLE
                                                   : YAML_ANY_SCALAR_STYLE;
    yaml_event_t event;

    emit(emitter,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                      (int)strlen(text), 1, 1, style),
         &event);
}

static void emit_plain(yaml_emitter_t *emitter, const char *text)
{
    yaml_event_t event;

    emit(emitter,
         yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                      (int)strlen(text), 1, 0, YAML_PLAIN_SCALAR_STYLE),
         &event);
}

static void emit_number(yaml_emitter_t *emitter, double number)
{
    struct ctl_buffer text = {0};

    ctl_json_add_number(&text, number);
    emit_plain(emitter, ctl_buffer_string(&text));
    ctl_buffer_done(&text);
}

static void emit_value(yaml_emitter_t *emitter, const cJSON *item);

static void emit_map(yaml_emitter_t *emitter, const cJSON *map)
{
    yaml_event_t event;

    emit(emitter,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
         &event);
    for (const cJSON *item = map->child; item; item = item->next) {
        emit_text(emitter, item->string);
        emit_value(emitter, item);
    }
    emit(emitter, yaml_mapping_end_event_initialize(&event), &event);
}

static void emit_list(yaml_emitter_t *emitter, const cJSON *list)
{
    yaml_event_t event;

    emit(emitter,
         yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
         &event);
    for (const cJSON *item = list->child; item; item = item->next) {
        emit_value(emitter, item);
    }
    emit(emitter, yaml_sequence_end_event_initialize(&event), &event);
}

static void emit_value(yaml_emitter_t *emitter, const cJSON *item)
{
    if (cJSON_IsObject(item)) {
        emit_map(emitter, item);
    } else if (cJSON_IsArray(item)) {
        emit_list(emitter, item);
    } else if (cJSON_IsString(item)) {
        emit_text(emitter, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        emit_number(emitter, item->valuedouble);
    } else {
        emit_plain(emitter, cJSON_IsBool(item) ? cJSON_IsTrue(item) ? "true" : "false" : "null");
    }
}

static int add_output(void *buffer, unsigned char *bytes, size_t len)
{
    ctl_buffer_add(buffer, (const char *)bytes, len);
    return 1;
}

void ctl_yaml_print(struct ctl_buffer *buffer, const cJSON *json)
{
    yaml_emitter_t emitter;
    yaml_event_t event;

    if (!yaml_emitter_initialize(&emitter)) {
        abort();
    }
    yaml_emitter_set_output(&emitter, add_output, buffer);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    emit(&emitter, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
    emit(&emitter, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
    emit_value(&emitter, json);
    emit(&emitter, yaml_document_end_event_initialize(&event, 1), &event);
    emit(&emitter, yaml_stream_end_event_initialize(&event), &event);
    yaml_emitter_delete(&emitter);
}
