/* FRR's configuration as people may have written it, and what is done about it: a difference to
 * nothing must be made of whatever was read. And whatever was read before, it is read the same. */
#include "bgp/bgp_config.h"
#include "bgp/bgp_diff.h"
#include "bgp/bgp_save.h"
#include "bgp_dump.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* FNV-1a */
static uint64_t digest(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325U;

    for (; len; len--)
        hash = (hash ^ *at++) * 0x100000001b3U;
    return hash;
}

/* The text after one that lacks a part of it. */
static void read_again(const char *text, size_t size, const struct bgp_state *fresh)
{
    size_t cut = size / 3;
    char *part = malloc(size ? size : 1), *a, *b;
    struct bgp_state *last, *again;

    if (!part)
        abort();
    memcpy(part, text, cut);
    memcpy(part + cut, text + 2 * cut, size - 2 * cut);
    last = bgp_config_parse(part, size - cut, digest, NULL);
    free(part);
    again = bgp_config_parse(text, size, digest, last);
    bgp_state_free(last);
    a = bgp_dump(fresh);
    b = bgp_dump(again);
    if (strcmp(a, b) != 0)
        abort();
    free(a);
    free(b);
    bgp_state_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1); /* its end is watched */
    struct bgp_state *seen, *wanted = bgp_state_new();
    struct bgp_residue residue = {0};
    struct plan *plan = plan_new();

    if (!text)
        abort();
    memcpy(text, data, size);
    seen = bgp_config_parse(text, size, digest, NULL);
    read_again(text, size, seen);
    residue.state = residue.bfd = seen;
    bgp_diff(wanted, seen, &residue, plan);
    plan_free(plan);
    plan = plan_new();
    bgp_diff(wanted, wanted, NULL, plan);
    if (plan->n_steps)
        abort();
    bgp_save_lacks(text, size, text, size / 2);
    plan_free(plan);
    bgp_state_free(seen);
    bgp_state_free(wanted);
    free(text);
    return 0;
}
