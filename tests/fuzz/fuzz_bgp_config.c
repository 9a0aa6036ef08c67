/* FRR's configuration as people may have written it, and what is done about it: a difference to
 * nothing must be made of whatever was read. */
#include "bgp/bgp_config.h"
#include "bgp/bgp_diff.h"
#include "bgp/bgp_save.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t digest(const void *bytes, size_t len)
{
    return len + (len ? *(const uint8_t *)bytes : 0);
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
    seen = bgp_config_parse(text, size, digest);
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
