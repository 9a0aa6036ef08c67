/* The limits of broadcasts in the kernel's nftables: read when they change, set by commands. */
#include "ovs/ovs_io.h"

#include "log/log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that hears of each change of a rule, by whomever; -1: then only our own are seen. */
static int listen_for_changes(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int group = NFNLGRP_NFTABLES;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

    if (fd < 0) {
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) ||
        setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group)) {
        close(fd);
        return -1;
    }
    return fd;
}

void ovs_nft_init(struct ovs_nft *nft)
{
    *nft = (struct ovs_nft){.fd = listen_for_changes(), .dirty = true};
    nft->context = nft_ctx_new(NFT_CTX_DEFAULT);
    if (nft->context) {
        nft_ctx_buffer_output(nft->context);
        nft_ctx_buffer_error(nft->context);
    }
}

void ovs_nft_done(struct ovs_nft *nft)
{
    if (nft->context) {
        nft_ctx_free(nft->context);
    }
    if (nft->fd >= 0) {
        close(nft->fd);
    }
    free(nft->error);
    free(nft->text);
}

/* Runs commands; the answer is borrowed until the next ones. 0, or -EIO with *ret_text an error. */
static int run(struct ovs_nft *nft, const char *commands, unsigned int flags, const char **ret_text)
{
    int failed;

    if (!nft->context) {
        *ret_text = "libnftables does not work";
        return -EIO;
    }
    nft_ctx_output_set_flags(nft->context, flags);
    failed = nft_run_cmd_from_buffer(nft->context, commands);
    *ret_text =
        failed ? nft_ctx_get_error_buffer(nft->context) : nft_ctx_get_output_buffer(nft->context);
    return failed ? -EIO : 0;
}

/* What changed is not read from the messages, since a listing tells all. */
bool ovs_nft_run(struct ovs_nft *nft)
{
    char buffer[8192];
    const char *text;

    while (nft->fd >= 0 && (recv(nft->fd, buffer, sizeof buffer, 0) > 0 || errno == ENOBUFS)) {
        nft->dirty = true;
    }
    if (!nft->dirty) {
        return false;
    }
    nft->dirty = false;
    if (run(nft, "list table " OVS_NFT_TABLE, NFT_CTX_OUTPUT_JSON, &text)) {
        text = ""; /* there is no such table */
    }
    if (nft->text && !strcmp(nft->text, text)) {
        return false;
    }
    free(nft->text);
    nft->text = xstrdup(text);
    return true;
}

void ovs_nft_wait(const struct ovs_nft *nft)
{
    if (nft->fd >= 0) {
        poll_fd_wait(nft->fd, POLLIN);
    }
    if (nft->dirty) {
        poll_immediate_wake();
    }
}

/* The first line, without nft's name of the input. */
static char *first_line(const char *text)
{
    const char *error = strstr(text, "Error: ");

    error = error ? error + strlen("Error: ") : text;
    return xmemdup0(error, strcspn(error, "\n"));
}

void ovs_nft_apply(struct ovs_nft *nft, struct plan *plan, struct step *step)
{
    const struct ovs_work *work = step->data;
    const char *text;

    nft->dirty = true;
    free(nft->error);
    nft->error = NULL;
    if (run(nft, work->nft, 0, &text)) {
        nft->error = first_line(text);
        step_finish(plan, step, STEP_FAILED, "nftables: %s", nft->error);
    } else {
        step_finish(plan, step, STEP_DONE, NULL);
    }
}

/* --- what a listing says --- */

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static bool has_rules(const cJSON *list, const char *chain)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list) {
        const cJSON *rule = cJSON_GetObjectItemCaseSensitive(item, "rule");

        if (rule && !strcmp(text_of(rule, "chain"), chain)) {
            return true;
        }
    }
    return false;
}

void ovs_nft_see(const struct ovs_nft *nft, struct ovs_state *state)
{
    cJSON *root = cJSON_Parse(nft->text ? nft->text : "");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "nftables"), *item;

    state->limits_error = nft->error ? arena_strdup(state->arena, nft->error) : NULL;
    cJSON_ArrayForEach(item, list) {
        const cJSON *rule = cJSON_GetObjectItemCaseSensitive(item, "rule");
        const cJSON *chain = cJSON_GetObjectItemCaseSensitive(item, "chain");

        if (rule) {
            ovs_state_add_limit(state, text_of(rule, "chain"), text_of(rule, "comment"));
        } else if (chain && !has_rules(list, text_of(chain, "name"))) {
            ovs_state_add_limit(state, text_of(chain, "name"), "");
        }
    }
    cJSON_Delete(root);
}
