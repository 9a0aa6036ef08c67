/* json.h - building answers with cJSON.
 *
 * cJSON's numbers are doubles and its strings are whatever they are given; ours are exact, and
 * UTF-8. */
#ifndef API_JSON_H
#define API_JSON_H

#include <cjson/cJSON.h>
#include <stdint.h>

/* Adds an unsigned number of up to 64 bits to an object. */
void json_add_uint(cJSON *object, const char *key, uint64_t number);
/* Adds text; null is "", and bytes that are not UTF-8 become question marks. */
void json_add_text(cJSON *object, const char *key, const char *text);
/* Adds a time as RFC 3339 in UTC, or null for 0. */
void json_add_time(cJSON *object, const char *key, int64_t time_ms);
/* The same with its milliseconds. */
void json_add_moment(cJSON *object, const char *key, int64_t time_ms);
/* Adds `confirm`: until when a generation awaits confirmation, and to what it goes back. */
void json_add_confirm(cJSON *object, int64_t until_ms, uint64_t back);

#endif
