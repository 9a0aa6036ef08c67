/* Tunnels, from a document to structs. */
#include "model/proposal.h"
#include "model/topology.h"
#include "model/topology_reader.h"

#include <string.h>

enum { SECONDS_MIN = 10, SECONDS_MAX = 7 * 24 * 3600 };

/* A PSK, or a certificate with the authority that the other end's is from. */
static void read_auth(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"psk", OPTIONAL, read_secret, offsetof(struct tunnel, psk_secret)},
        {"certificate", OPTIONAL, read_name, offsetof(struct tunnel, certificate)},
        {"ca", OPTIONAL, read_name, offsetof(struct tunnel, ca)},
        {"crl", OPTIONAL, read_name, offsetof(struct tunnel, crl)},
        {0},
    };
    const struct doc *psk = doc_get(doc, "psk"), *certificate = doc_get(doc, "certificate"),
                     *ca = doc_get(doc, "ca"), *crl = doc_get(doc, "crl");

    read_map(reader, doc, fields, ret);
    if (doc->kind != DOC_MAP) {
        return;
    }
    if (psk && (certificate || ca || crl)) {
        doc_error(psk, reader->errors, "there is either a PSK or a certificate");
    } else if (!psk && !certificate && !ca && !crl) {
        doc_error(doc, reader->errors,
                  "needs either `psk: {secret: NAME}` or `certificate: NAME` with `ca: NAME`");
    } else if (!psk) {
        doc_require(doc, "certificate", reader->errors);
        doc_require(doc, "ca", reader->errors);
    }
}

static void read_inside(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {1, 8, sizeof(struct prefix), read_ifaddr};
    struct tunnel *tunnel = ret;

    tunnel->inside = read_list(reader, doc, &list, &tunnel->n_inside);
}

/* --- what is otherwise than the profile says ---------------------------------------------------
 */

static void read_ike_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct tunnel_settings *own = ret;

    own->ike_proposals = read_proposals(reader, doc, &own->n_ike_proposals);
}

static void read_esp_proposals(struct reader *reader, const struct doc *doc, void *ret)
{
    struct tunnel_settings *own = ret;

    own->esp_proposals = read_proposals(reader, doc, &own->n_esp_proposals);
}

static void read_lifetime(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, SECONDS_MIN, SECONDS_MAX);
}

static void read_dpd(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 1, 3600);
}

static void read_replay_window(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint32_t *)ret = (uint32_t)read_uint(reader, doc, 32, 4096);
}

static void read_ike(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"proposals", OPTIONAL, read_ike_proposals, 0},
        {"lifetime", OPTIONAL, read_lifetime, offsetof(struct tunnel_settings, ike_lifetime_s)},
        {"dpd", OPTIONAL, read_dpd, offsetof(struct tunnel_settings, dpd_delay_s)},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

static void read_esp(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"proposals", OPTIONAL, read_esp_proposals, 0},
        {"lifetime", OPTIONAL, read_lifetime, offsetof(struct tunnel_settings, child_lifetime_s)},
        {"replay_window", OPTIONAL, read_replay_window,
         offsetof(struct tunnel_settings, replay_window)},
        {0},
    };

    read_map(reader, doc, fields, ret);
}

static void read_mtu(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 1280, 9216);
}

static void read_mss(struct reader *reader, const struct doc *doc, void *ret)
{
    *(uint16_t *)ret = (uint16_t)read_uint(reader, doc, 536, 9176);
}

static void read_nat_traversal(struct reader *reader, const struct doc *doc, void *ret)
{
    struct tunnel_settings *own = ret;
    const char *text;

    if (!doc_string(doc, reader->errors, &text)) {
        return;
    }
    if (strcmp(text, "force") != 0 && strcmp(text, "auto") != 0) {
        doc_error(doc, reader->errors, "must be `auto` or `force`");
        return;
    }
    own->has_nat_traversal = true;
    own->force_nat_traversal = text[0] == 'f';
}

#define OWN(member) offsetof(struct tunnel, own.member)

static void read_tunnel(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct field fields[] = {
        {"name", REQUIRED, read_name, offsetof(struct tunnel, name)},
        {"profile", OPTIONAL, read_name, offsetof(struct tunnel, profile_name)},
        {"uplink", REQUIRED, read_name, offsetof(struct tunnel, uplink)},
        {"remote", REQUIRED, read_string, offsetof(struct tunnel, remote)},
        {"local_id", OPTIONAL, read_string, offsetof(struct tunnel, local_id)},
        {"remote_id", OPTIONAL, read_string, offsetof(struct tunnel, remote_id)},
        {"auth", REQUIRED, read_auth, 0},
        {"inside", REQUIRED, read_inside, 0},
        {"initiate", OPTIONAL, read_bool, offsetof(struct tunnel, initiate)},
        {"ike", OPTIONAL, read_ike, offsetof(struct tunnel, own)},
        {"esp", OPTIONAL, read_esp, offsetof(struct tunnel, own)},
        {"mtu", OPTIONAL, read_mtu, OWN(mtu)},
        {"mss", OPTIONAL, read_mss, OWN(mss)},
        {"nat_traversal", OPTIONAL, read_nat_traversal, offsetof(struct tunnel, own)},
        {"legacy", OPTIONAL, read_bool, offsetof(struct tunnel, legacy)},
        {0},
    };
    struct tunnel *tunnel = ret;

    tunnel->doc = doc;
    tunnel->initiate = true;
    tunnel->profile_name = "generic";
    read_map(reader, doc, fields, tunnel);
}

void read_tunnels(struct reader *reader, const struct doc *doc, void *ret)
{
    static const struct list list = {0, 4096, sizeof(struct tunnel), read_tunnel};
    struct network *network = ret;

    network->tunnels = read_list(reader, doc, &list, &network->n_tunnels);
}
