/* json.h - answers as JSON: what is in them, and how they are written for programs.
 *
 * The readers never fail: what is not there, or is of another type, is empty. */
#ifndef ROUTERCTL_JSON_H
#define ROUTERCTL_JSON_H

#include "routerctl/buffer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Borrowed; "" if there is no such text. */
const char *ctl_json_text(const cJSON *object, const char *key);
double ctl_json_number(const cJSON *object, const char *key); /* or 0 */
bool ctl_json_bool(const cJSON *object, const char *key);     /* or false */
/* A list, borrowed; null (which cJSON takes for an empty one) if there is none. */
const cJSON *ctl_json_list(const cJSON *object, const char *key);
/* Adds a number as people and programs write it: integers without exponent. */
void ctl_json_add_number(struct ctl_buffer *buffer, double number);

/* The whole, with indentation and a newline at the end. */
void ctl_json_print(struct ctl_buffer *buffer, const cJSON *json);
/* The same as YAML 1.1 and 1.2 read it alike. */
void ctl_yaml_print(struct ctl_buffer *buffer, const cJSON *json);

#endif
