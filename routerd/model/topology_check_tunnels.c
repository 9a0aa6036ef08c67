/* Checks of tunnels: their far ends, their identities, and that IKE can tell them apart. */
#include "model/checker.h"

#include <ctype.h>
#include <string.h>

/* --- tunnels -----------------------------------------------------------------------------------
 */

/* RFC 1123, 2.1: letters, digits and inner hyphens, 63 in a label, 253 in all; the last label is
 * not all digits, so that a mistyped address is no name. */
static bool is_dns_name(const char *text)
{
    size_t len = strlen(text), label = 0;
    bool digits = true;

    for (size_t i = 0; i < len; i++) {
        char c = text[i], next = text[i + 1];
        bool edge = label == 0 || next == '.' || next == '\0';

        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
            digits = true;
            continue;
        }
        if (!isalnum((unsigned char)c) && (c != '-' || edge)) {
            return false;
        }
        digits = digits && isdigit((unsigned char)c);
        if (++label > 63) {
            return false;
        }
    }
    return len <= 253 && label > 0 && !digits;
}

static void check_remote(const struct checker *checker, const struct tunnel *tunnel)
{
    const struct doc *doc = doc_get(tunnel->doc, "remote");
    struct addr address;

    if (!tunnel->remote) {
        return;
    }
    if (!addr_parse(tunnel->remote, &address)) {
        check_host_address(checker, doc, &address);
    } else if (!is_dns_name(tunnel->remote)) {
        doc_error(doc, checker->errors,
                  "must be an address such as 203.0.113.2 or a DNS name such as vpn.example.com");
    }
}

enum { IDENTITY_LEN = 255 };

/* An IKE identity as strongSwan reads them: it must mean one, not any or many of them, and it must
 * fit between quotes. */
static void check_identity(const struct checker *checker, const struct tunnel *tunnel,
                           const char *key, const char *text)
{
    const struct doc *doc = doc_get(tunnel->doc, key);
    struct prefix prefix;
    struct addr addr;
    const char *fault = NULL;

    if (!text) {
        return;
    }
    if (strlen(text) > IDENTITY_LEN) {
        fault = "must be no longer than 255 bytes";
    }
    for (const char *c = text; *c && !fault; c++) {
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') {
            fault = "may only hold printable ASCII characters, but neither \" nor \\";
        } else if (*c == '*') {
            fault = "must be one identity, without wildcards";
        }
    }
    if (!fault && (text[0] == '%' || !prefix_parse(text, &prefix) ||
                   (!addr_parse(text, &addr) && addr_is_unspecified(&addr)))) {
        fault = "must be one identity, not a range of them";
    }
    if (fault) {
        doc_error(doc, checker->errors, "%s", fault);
    }
}

/* Several IPv6 subnets are common, but for IPv4 an interface has one, and clouds expect one. */
static void check_inside(const struct checker *checker, struct tunnel *tunnel)
{
    const struct doc *list = doc_get(tunnel->doc, "inside");
    const struct doc *doc = tunnel->n_inside ? list->child : NULL;
    size_t n = 0;

    for (size_t i = 0; i < tunnel->n_inside; i++, doc = doc->next) {
        if (tunnel->inside[i].addr.family == AF_INET && ++n == 2) {
            doc_error(doc, checker->errors, "a tunnel has at most one IPv4 address");
        }
    }
    check_own_addresses(checker, list, tunnel->inside, tunnel->n_inside);
}

void check_tunnel(const struct checker *checker, struct tunnel *tunnel)
{
    check_uplink(checker, tunnel->doc, tunnel->uplink, UPLINK_ROUTED);
    check_remote(checker, tunnel);
    check_identity(checker, tunnel, "local_id", tunnel->local_id);
    check_identity(checker, tunnel, "remote_id", tunnel->remote_id);
    check_inside(checker, tunnel);
    if (tunnel->psk_secret) {
        check_secret(checker, doc_get(doc_get(tunnel->doc, "auth"), "psk"), tunnel->psk_secret);
    }
    tunnel->profile = check_profile(checker, tunnel->doc, tunnel->profile_name);
}

/* --- what IKE tells tunnels apart by -----------------------------------------------------------
 */

/* An address or a name in the one form that all its spellings have. */
static const char *canonical(struct arena *arena, const char *text)
{
    char buffer[ADDR_TEXT], *lower;
    struct addr addr;

    if (!addr_parse(text, &addr)) {
        return arena_strdup(arena, addr_print(&addr, buffer));
    }
    lower = arena_strdup(arena, text);
    for (char *c = lower; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return lower;
}

/* The uplink, the remote and both identities as one text; no part can hold a line's end. */
static const char *tunnel_identity(struct arena *arena, const struct tunnel *tunnel)
{
    const char *remote_id = tunnel->remote_id ? tunnel->remote_id : tunnel->remote;

    return arena_printf(arena, "%s\n%s\n%s\n%s", tunnel->uplink, canonical(arena, tunnel->remote),
                        canonical(arena, tunnel->local_id ? tunnel->local_id : ""),
                        canonical(arena, remote_id));
}

static void identities_collect(void *aux, const struct network *network)
{
    struct keyed *identities = aux;

    for (size_t i = 0; i < network->n_tunnels; i++) {
        const struct tunnel *tunnel = &network->tunnels[i];

        if (tunnel->uplink && tunnel->remote) {
            keyed_add(identities, tunnel_identity(identities->arena, tunnel), tunnel);
        }
    }
}

static void report_identity(void *aux, const void *tunnel_, const void *first_)
{
    const struct checker *checker = aux;
    const struct tunnel *tunnel = tunnel_, *first = first_;

    doc_error(doc_get(tunnel->doc, "remote"), checker->errors,
              "IKE could not tell this tunnel from %s: `uplink` and `remote` are the same, so "
              "`local_id` or `remote_id` must differ",
              check_place(checker, first->doc));
}

void check_tunnel_identities(const struct checker *checker)
{
    struct keyed own = {.arena = checker->arena}, foreign = {.arena = checker->arena};

    for (size_t i = 0; i < checker->topology->n_networks; i++) {
        identities_collect(&own, &checker->topology->networks[i]);
    }
    keyed_sort(&own);
    keyed_each_repeated(&own, report_identity, (void *)checker);
    each_foreign_network(checker, identities_collect, &foreign);
    keyed_sort(&foreign);
    for (size_t i = 0; i < own.n; i++) {
        const struct tunnel *tunnel = own.items[i].object;

        if (keyed_find(&foreign, own.items[i].key)) {
            doc_error(doc_get(tunnel->doc, "remote"), checker->errors,
                      "IKE could not tell this tunnel from another tenant's: `uplink` and `remote` "
                      "are the same, so `local_id` or `remote_id` must differ");
        }
    }
}
