#include "api/json.h"

#include "api/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void json_add_uint(cJSON *object, const char *key, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    cJSON_AddRawToObject(object, key, text);
}

/* The length of the UTF-8 character that `text` begins with (RFC 3629, 4), or 0. */
static size_t character_len(const unsigned char *text)
{
    size_t len = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

    if (len == 1) {
        return 1;
    }
    if (text[0] < 0xc2 || text[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)) {
        return 0;
    }
    return len;
}

void json_add_text(cJSON *object, const char *key, const char *text)
{
    char *clean = api_strdup(text ? text : ""), *at = clean;

    while (*at) {
        size_t len = character_len((const unsigned char *)at);

        if (!len) {
            *at = '?';
        }
        at += len ? len : 1;
    }
    cJSON_AddStringToObject(object, key, clean);
    free(clean);
}

void json_add_time(cJSON *object, const char *key, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    char text[40];

    if (time_ms <= 0 || !gmtime_r(&seconds, &utc) ||
        !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    cJSON_AddStringToObject(object, key, text);
}

void json_add_moment(cJSON *object, const char *key, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    char date[32], text[48];
    struct tm utc;

    if (time_ms <= 0 || !gmtime_r(&seconds, &utc) ||
        !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc)) {
        cJSON_AddNullToObject(object, key);
        return;
    }
    snprintf(text, sizeof text, "%s.%03dZ", date, (int)(time_ms % 1000));
    cJSON_AddStringToObject(object, key, text);
}

void json_add_confirm(cJSON *object, int64_t until_ms, uint64_t back)
{
    cJSON *confirm = cJSON_AddObjectToObject(object, "confirm");

    json_add_moment(confirm, "until", until_ms);
    json_add_uint(confirm, "back_to", back);
}
