/* Checks of tunnels: their far ends, their identities, and that IKE can tell them apart. */
#include "model/checker.h"
#include "model/proposal.h"
#include "model/tunnel_mtu.h"

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

/* A file among the secrets under any of the names that it may have. */
static bool file_is_there(const struct checker *checker, const char *name, enum tunnel_file file)
{
    const char *suffix;

    for (size_t i = 0; (suffix = tunnel_file_suffix(file, i)); i++) {
        const char *full = arena_printf(checker->arena, "%s%s", name, suffix);

        if (checker->world->file_exists(checker->world->aux, full)) {
            return true;
        }
    }
    return false;
}

static void check_file(const struct checker *checker, const struct doc *doc, const char *name,
                       enum tunnel_file file, const char *what)
{
    if (name && checker->world->file_exists && !file_is_there(checker, name, file)) {
        doc_error(doc, checker->errors, "there is no %s `%s%s` among the secrets", what, name,
                  tunnel_file_suffix(file, 0));
    }
}

static void check_auth(const struct checker *checker, const struct tunnel *tunnel)
{
    const struct doc *auth = doc_get(tunnel->doc, "auth");

    if (!auth) {
        return;
    }
    check_secret(checker, doc_get(auth, "psk"), tunnel->psk_secret);
    check_file(checker, doc_get(auth, "certificate"), tunnel->certificate, TUNNEL_CERTIFICATE,
               "certificate");
    check_file(checker, doc_get(auth, "ca"), tunnel->ca, TUNNEL_CA, "certificate authority");
    check_file(checker, doc_get(auth, "crl"), tunnel->crl, TUNNEL_CRL, "revocation list");
}

/* --- what is weak must be wanted ---------------------------------------------------------------
 */

static void check_weak(const struct checker *checker, const struct tunnel *tunnel, const char *key,
                       const char **proposals, size_t n)
{
    proposals_refuse_weak(proposals, n, doc_get(tunnel->doc, key),
                          "if the other end knows nothing better say `legacy: true`",
                          checker->errors);
}

/* A profile is legacy as a whole, or has nothing weak among its proposals (profile_yaml.c); the
 * topology may have others for all of it. */
static void check_legacy(const struct checker *checker, const struct tunnel *tunnel)
{
    const struct profile *profile = tunnel->profile;
    const struct tunnel_settings *own = &tunnel->own;
    bool is_v1 = profile->ike_version == PROFILE_IKEV1;

    if (tunnel->legacy) {
        return;
    }
    if (is_v1 || (profile->legacy && !(own->ike_proposals && own->esp_proposals))) {
        doc_error(check_at(tunnel->doc, "profile"), checker->errors,
                  "profile `%s` needs what is no longer safe (%s), so the tunnel must say `legacy: "
                  "true`",
                  profile->name, is_v1 ? "IKEv1" : "weak algorithms");
    }
    check_weak(checker, tunnel, "ike", own->ike_proposals, own->n_ike_proposals);
    check_weak(checker, tunnel, "esp", own->esp_proposals, own->n_esp_proposals);
}

/* Quick mode (RFC 2409, 5.5) agrees on one pair of subnets, so on one family. */
static void check_version_1(const struct checker *checker, const struct tunnel *tunnel)
{
    for (size_t i = 1; i < tunnel->n_inside && tunnel->profile->ike_version == 1; i++) {
        int first = tunnel->inside[0].addr.family, other = tunnel->inside[i].addr.family;

        if (first && other && first != other) {
            doc_error(doc_get(tunnel->doc, "inside"), checker->errors,
                      "a tunnel by IKEv1 (profile `%s`) carries either IPv4 or IPv6",
                      tunnel->profile->name);
            return;
        }
    }
}

static void check_mss(const struct checker *checker, const struct tunnel *tunnel)
{
    if (tunnel->own.mss && tunnel->own.mss + 40u > tunnel->mtu) {
        doc_error(doc_get(tunnel->doc, "mss"), checker->errors,
                  "must be at most %u, which is the MTU of %u less 40 bytes of headers",
                  tunnel->mtu - 40, tunnel->mtu);
    }
}

void check_tunnel(const struct checker *checker, struct tunnel *tunnel)
{
    check_uplink(checker, tunnel->doc, tunnel->uplink, UPLINK_ROUTED);
    check_remote(checker, tunnel);
    check_identity(checker, tunnel, "local_id", tunnel->local_id);
    check_identity(checker, tunnel, "remote_id", tunnel->remote_id);
    check_inside(checker, tunnel);
    check_auth(checker, tunnel);
    tunnel->profile = check_profile(checker, tunnel->doc, tunnel->profile_name, PROFILE_OF_TUNNEL);
    if (tunnel->profile) {
        check_legacy(checker, tunnel);
        check_version_1(checker, tunnel);
        if (tunnel->remote && tunnel->uplink) {
            tunnel->mtu = tunnel_mtu(tunnel, checker->world->config);
            check_mss(checker, tunnel);
        }
        check_tunnel_cloud(checker, tunnel);
    }
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
