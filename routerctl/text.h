/* text.h - small texts: what people type, and what they read.
 *
 * Pure but for the character classes of the C library's locale. Durations and numbers from the
 * command line, names in request targets, ages and sizes in tables, and the width that a text takes
 * on a terminal. */
#ifndef ROUTERCTL_TEXT_H
#define ROUTERCTL_TEXT_H

#include "routerctl/buffer.h"

#include <stdint.h>

/* "30s", "5m", "1h", "1h30m", "90" (seconds): whole seconds. 0, -EINVAL if it is none of these,
 * -ERANGE beyond a year. */
int ctl_parse_duration(const char *text, int64_t *ret_seconds);
/* A number of decimal digits. 0 or -EINVAL. */
int ctl_parse_number(const char *text, uint64_t *ret_number);
/* RFC 3339, "2026-04-01T03:04:05.678+09:00": Unix time in seconds. 0 or -EINVAL. */
int ctl_parse_time(const char *text, int64_t *ret_time);

/* Adds a text as one segment of a path (RFC 3986, 2.3): everything but unreserved characters is
 * escaped. */
void ctl_add_url(struct ctl_buffer *buffer, const char *text);
/* Adds a text without what a terminal could take for an order: control characters and malformed
 * UTF-8 become question marks, white space becomes blanks. */
void ctl_add_safe(struct ctl_buffer *buffer, const char *text);
/* Columns that a text takes on a terminal; the text must be safe. */
size_t ctl_text_width(const char *text);
/* The longest beginning of a safe text that is at most `width` columns wide, in bytes. */
size_t ctl_text_fit(const char *text, size_t width);

enum { CTL_SHORT = 32 };
/* "45s", "12m5s", "3h20m", "3d4h": the two largest units. */
const char *ctl_print_age(int64_t seconds, char text[CTL_SHORT]);
/* "512B", "1.5KiB", "3.2TiB" */
const char *ctl_print_bytes(double bytes, char text[CTL_SHORT]);

#endif
