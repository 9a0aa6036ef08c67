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
    ovs_state_free(nft->limits);
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
    ovs_state_free(nft->limits);
    nft->limits = ovs_nft_read(text);
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

/* A rule as an attachment's limit: what is in it is taken off, so that a limit of ours leaves
 * nothing. */
struct rule {
    const cJSON *at; /* the next statement, or null */
    struct attachment limited;
};

static const cJSON *statement(const struct rule *rule, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(rule->at, name);
}

/* The value that the rule compares a field of the frame to; the next statement follows. Null: it
 * does not. */
static const cJSON *take_match(struct rule *rule, const char *protocol, const char *field)
{
    const cJSON *match = statement(rule, "match");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(match, "left"), "payload");

    if (!rule->at || strcmp(text_of(match, "op"), "==") != 0 ||
        strcmp(text_of(payload, "protocol"), protocol) != 0 ||
        strcmp(text_of(payload, "field"), field) != 0) {
        return NULL;
    }
    rule->at = rule->at->next;
    return cJSON_GetObjectItemCaseSensitive(match, "right");
}

static bool take_text(struct rule *rule, const char *protocol, const char *field, const char *text)
{
    struct rule before = *rule;
    const char *value = cJSON_GetStringValue(take_match(rule, protocol, field));

    if (value && !strcmp(value, text)) {
        return true;
    }
    *rule = before;
    return false;
}

static bool take_vlan(struct rule *rule, uint16_t *ret_vlan)
{
    const cJSON *value = take_match(rule, "vlan", "id");

    if (!cJSON_IsNumber(value)) {
        return false;
    }
    *ret_vlan = (uint16_t)value->valueint;
    return true;
}

/* One VLAN, or an outer and an inner one; nft(8) leaves out the outer one's type where it is that
 * of all VLANs. */
static bool take_vlans(struct rule *rule)
{
    struct attachment *limited = &rule->limited;
    bool is_8021ad = take_text(rule, "ether", "type", "8021ad");

    if (!is_8021ad) {
        take_text(rule, "ether", "type", "8021q");
    }
    if (!take_vlan(rule, &limited->vlan)) {
        return false;
    }
    if (take_text(rule, "vlan", "type", "8021q")) {
        limited->outer_vlan = limited->vlan;
        limited->outer_is_8021q = !is_8021ad;
        return take_vlan(rule, &limited->vlan);
    }
    return !is_8021ad;
}

static double number_of(const cJSON *object, const char *key)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

/* "over N/second burst N packets". */
static bool take_rate(struct rule *rule)
{
    const cJSON *limit = statement(rule, "limit");
    double rate = number_of(limit, "rate");
    const char *unit = text_of(limit, "rate_unit");

    if (!rule->at || !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(limit, "inv")) ||
        strcmp(text_of(limit, "per"), "second") != 0 || number_of(limit, "burst") != rate ||
        (unit[0] && strcmp(unit, "packets") != 0) || rate > UINT32_MAX) {
        return false;
    }
    rule->limited.broadcast_limit = (uint32_t)rate;
    rule->at = rule->at->next;
    return true;
}

/* What a rule does, whatever its comment says; "" if that is no limit as we make it. */
static const char *rule_key(struct arena *arena, const cJSON *seen)
{
    const cJSON *statements = cJSON_GetObjectItemCaseSensitive(seen, "expr");
    struct rule rule = {.at = statements ? statements->child : NULL};

    if (take_text(&rule, "ether", "daddr", "ff:ff:ff:ff:ff:ff") && take_vlans(&rule) &&
        take_rate(&rule) && rule.at && statement(&rule, "drop") && !rule.at->next) {
        return ovs_limit_key(arena, &rule.limited);
    }
    return "";
}

static bool chain_is_right(const cJSON *list, const cJSON *chain)
{
    return has_rules(list, text_of(chain, "name")) && !strcmp(text_of(chain, "policy"), "accept") &&
           !strcmp(text_of(chain, "hook"), "ingress") &&
           number_of(chain, "prio") == OVS_NFT_PRIORITY;
}

struct ovs_state *ovs_nft_read(const char *listing)
{
    struct ovs_state *limits = ovs_state_new();
    cJSON *root = cJSON_Parse(listing);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "nftables"), *item;

    cJSON_ArrayForEach(item, list) {
        const cJSON *rule = cJSON_GetObjectItemCaseSensitive(item, "rule");
        const cJSON *chain = cJSON_GetObjectItemCaseSensitive(item, "chain");

        if (rule) {
            ovs_state_add_limit(limits, text_of(rule, "chain"), rule_key(limits->arena, rule));
        } else if (chain && !chain_is_right(list, chain)) {
            ovs_state_add_limit(limits, text_of(chain, "name"), "");
        }
    }
    cJSON_Delete(root);
    return limits;
}

void ovs_nft_see(const struct ovs_nft *nft, struct ovs_state *state)
{
    state->limits_error = nft->error ? arena_strdup(state->arena, nft->error) : NULL;
    for (size_t i = 0; nft->limits && i < nft->limits->n_limits; i++) {
        ovs_state_add_limit(state, nft->limits->limits[i].chain, nft->limits->limits[i].key);
    }
}
