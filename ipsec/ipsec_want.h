/* ipsec_want.h - from the intended state to the connections that charon should hold.
 *
 * Pure. What the intended state does not say but a connection needs (the uplink's address, what a
 * name resolves to, which version of a secret there is) is asked through struct ipsec_facts. What
 * cannot be had now, or is not to be had, is said in the tunnel's refusal. */
#ifndef IPSEC_WANT_H
#define IPSEC_WANT_H

#include "ipsec/ipsec_state.h"
#include "model/tenant_parts.h"

enum ipsec_refusal {
    IPSEC_ACCEPTED,
    IPSEC_NOT_YET, /* something is missing now; a connection that is loaded already stays */
    IPSEC_NEVER,   /* not before the topology is another */
};

/* What a tunnel's certificate files were found to hold. */
struct ipsec_card {
    const char *fault;   /* null, or a sentence with the file and what is wrong with it; then all
                            else is unset */
    uint64_t version;    /* a digest of the files' identities, never 0 */
    const char *key_id;  /* charon's name of the private key */
    const char *subject; /* the certificate's distinguished name */
    const char *const *names; /* its alternative names */
    size_t n_names;
    /* by ipsec_card_complete(): */
    const char *own_id;                       /* its first host name, or the subject */
    uint64_t identities[IPSEC_PKI_NAMES + 1]; /* of the names and the subject */
};

struct ipsec_tunnel {
    struct ipsec_conn conn;
    const char *tenant, *object; /* "bio", "genome/tunnel/sakura" */
    const char *profile;
    struct profile_psk psk; /* what the cloud takes as a secret */
    struct tunnel_settings settings;
    uint32_t dpd_timeout_s; /* of IKEv1 */
    int family;             /* of what goes through if it can be only one (IKEv1), else 0 */
    const char *secrets_directory;
    const char *secret_name;  /* null: it authenticates by */
    struct ipsec_files files; /* these */
    bool credentials_unknown; /* the files cannot be used now */
    uint64_t secret_version;  /* of what is to be loaded; 0: cannot be told now */
    bool secret_narrow;       /* it is owned by both identities, else by the remote one only
                                 (ipsec_clash.h) */
    enum ipsec_refusal refusal;
    const char *reason; /* unless accepted: a sentence */
};

struct ipsec_wanted {
    struct arena *arena;
    struct ipsec_tunnel *tunnels; /* sorted by id */
    size_t n_tunnels;
};

/* What the machine knows. None of these blocks. */
struct ipsec_facts {
    void *aux;
    /* The address of an interface to send from, of the family. False: it has none. */
    bool (*uplink)(void *aux, const char *interface, int family, struct addr *ret_addr);
    /* The addresses of a DNS name, at most IPSEC_REMOTES. 0: not known (yet). */
    size_t (*resolve)(void *aux, const char *name, struct addr *ret_addrs);
    /* A digest of the secret file's identity, never 0. 0: it cannot be read; -errno in *ret_error.
     */
    uint64_t (*secret)(void *aux, const char *path, int *ret_error);
    /* Of the certificate files; borrowed until the facts are asked for again. */
    const struct ipsec_card *(*card)(void *aux, const char *directory,
                                     const struct ipsec_files *files);
};

/* Fills in what follows from the subject and the names. */
void ipsec_card_complete(struct ipsec_card *card);

/* `seen` decides which of two tunnels with the same identities and different secrets may stay: the
 * one that is loaded, else the one with the lower id. `parts` keeps what the topologies alone say
 * for the next call; start from zeroes. The result refers to it until then, and to the intended
 * state's strings, and is freed with ipsec_wanted_free(). */
struct ipsec_wanted *ipsec_want(const struct intended *intended, struct tenant_parts *parts,
                                const struct ipsec_facts *facts, const struct ipsec_seen *seen);
void ipsec_parts_clear(struct tenant_parts *parts);
void ipsec_wanted_free(struct ipsec_wanted *wanted);
const struct ipsec_tunnel *ipsec_wanted_find(const struct ipsec_wanted *wanted, uint32_t id);

#endif
