#include "routerctl/json.h"

#include <math.h>
#include <stdlib.h>

const char *ctl_json_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

double ctl_json_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

bool ctl_json_bool(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

const cJSON *ctl_json_list(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsArray(item) ? item : NULL;
}

void ctl_json_add_number(struct ctl_buffer *buffer, double number)
{
    bool whole = number == floor(number) && fabs(number) < 1e19;

    ctl_buffer_printf(buffer, whole ? "%.0f" : "%.17g", number);
}

/* --- writing JSON --------------------------------------------------------------------------- */

static void add_string(struct ctl_buffer *buffer, const char *text)
{
    cJSON *item = cJSON_CreateStringReference(text);
    char *quoted = cJSON_PrintUnformatted(item);

    if (!quoted) {
        abort();
    }
    ctl_buffer_text(buffer, quoted);
    cJSON_free(quoted);
    cJSON_Delete(item);
}

static void add_value(struct ctl_buffer *buffer, const cJSON *item, int depth);

/* cJSON nests no deeper than CJSON_NESTING_LIMIT, so this recursion ends. */
static void add_children(struct ctl_buffer *buffer, const cJSON *parent, int depth)
{
    bool map = cJSON_IsObject(parent);

    ctl_buffer_text(buffer, map ? "{" : "[");
    for (const cJSON *item = parent->child; item; item = item->next) {
        ctl_buffer_printf(buffer, "\n%*s", 2 * (depth + 1), "");
        if (map) {
            add_string(buffer, item->string);
            ctl_buffer_text(buffer, ": ");
        }
        add_value(buffer, item, depth + 1);
        ctl_buffer_text(buffer, item->next ? "," : "");
    }
    if (parent->child) {
        ctl_buffer_printf(buffer, "\n%*s", 2 * depth, "");
    }
    ctl_buffer_text(buffer, map ? "}" : "]");
}

static void add_value(struct ctl_buffer *buffer, const cJSON *item, int depth)
{
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        add_children(buffer, item, depth);
    } else if (cJSON_IsString(item)) {
        add_string(buffer, item->valuestring);
    } else if (cJSON_IsNumber(item)) {
        ctl_json_add_number(buffer, item->valuedouble);
    } else {
        ctl_buffer_text(buffer,
                        cJSON_IsBool(item) ? cJSON_IsTrue(item) ? "true" : "false" : "null");
    }
}

void ctl_json_print(struct ctl_buffer *buffer, const cJSON *json)
{
    add_value(buffer, json, 0);
    ctl_buffer_text(buffer, "\n");
}
