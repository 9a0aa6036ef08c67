/* Answers of FRR's daemons: the framing, and the text of every show command. */
#include "bgp/bgp_reply.h"
#include "bgp/bgp_show.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *text)
{
    struct bgp_sessions sessions = {0}, again = {0};
    struct bgp_calm calm = {{true, true}, true};
    struct bgp_bfd_sessions bfd;
    uint32_t *ids;
    bool details;

    if (bgp_show_summary(text, &sessions)) {
        bgp_show_summary(text, &again);
        bgp_show_carry(&again, &sessions, 1, &details);
        bgp_show_failed(text, &again);
        bgp_show_neighbors(text, 1, &again);
        bgp_show_judge(&again, 1, &calm, 5000);
    }
    for (size_t i = 0; i < again.n; i++) {
        struct bgp_peer wanted = {.address = again.v[i].address};
        char reason[64];

        bgp_show_reason(&again.v[i], &wanted, "rvrf1001", reason, sizeof reason);
    }
    bgp_sessions_done(&sessions);
    bgp_sessions_done(&again);
    if (bgp_show_bfd(text, &bfd)) {
        if (!bgp_bfd_sessions_equal(&bfd, &bfd) && bfd.n < 2) {
            abort();
        }
        bgp_bfd_sessions_done(&bfd);
    }
    bgp_show_groups_done(text, 5);
    bgp_show_queues_empty(text);
    bgp_show_dplane_empty(text);
    bgp_show_lost_vrfs(text, &ids);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size ? size : 1);
    char *text = malloc(size + 1);
    size_t first = 0, scanned = 0;
    struct bgp_reply reply;
    ssize_t n;

    if (!bytes || !text)
        abort();
    memcpy(bytes, data, size);
    memcpy(text, data, size);
    text[size] = '\0';
    while ((n = bgp_reply_next(bytes + first, size - first, &scanned, &reply)) > 0) {
        if (memchr(reply.text, '\0', reply.len) || (size_t)n > size - first)
            abort();
        first += (size_t)n;
        scanned = 0;
    }
    read_all(text);
    free(bytes);
    free(text);
    return 0;
}
