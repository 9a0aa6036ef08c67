/* ipsec_state.h - the objects in charon that this backend deals in, as both sides of the difference
 * use them.
 *
 * Per tunnel: one connection `routerd-ID` with one child of the same name, one shared secret, and
 * the SAs that charon made of them. What charon shows of a connection leaves out its proposals and
 * much else, and of a secret it shows the id only. Two things make up for that, so that everything
 * that we must know is seen and nothing remembered, also after our own restart:
 *
 * The mark: a connection of ours carries in its local section
 * `aaa_id = @TENANT/NETWORK/tunnel/NAME+initiate+SETTINGS+ENDS+CREDENTIALS+KEY+LOADED` (or
 * `+wait+`; the @ makes it a name, whatever stands in it). charon uses aaa_id only to check a
 * RADIUS server's certificate in EAP, which a PSK connection never gets to, and shows it in
 * `swanctl --list-conns`. So an admin reads there whose connection it is, and we read whether we
 * are to bring it up and, from the digests, whether its settings, its identities and what proves
 * them are the wanted ones; as to identities charon's print of them is not compared with what was
 * configured, since it may spell them otherwise. A connection without the mark is foreign whatever
 * its name.
 *
 * The secret's version: its id is `routerd-ID-VERSION`, where the version is a digest of the secret
 * file's name, size and times (mtime and ctime, to the nanosecond) and of the two identities.
 * Another version is loaded before the old one is unloaded. The version is not made of the secret's
 * bytes, so it tells nobody anything about them, needs no key, and survives restarts; a file
 * written anew with the same content is loaded once for nothing, which disturbs no traffic.
 *
 * Certificates are parts of their connection: CREDENTIALS is then a digest of their files' versions
 * likewise, else the secret's version. A private key is loaded apart from it, and charon's name of
 * one is a digest of its public key, with no room for a mark: KEY is the beginning of that name,
 * and a secret that authenticates nobody has KEY as its version, so that a key is known for ours
 * when somebody has unloaded its connection. A key is unloaded with the last of ours that says it
 * has it, and one that nobody of ours says so of is left alone. */
#ifndef IPSEC_STATE_H
#define IPSEC_STATE_H

#include "ipsec/ipsec_pki.h"
#include "model/addr.h"
#include "model/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPSEC_NAME_TEXT = 24,   /* "routerd-4294967295" */
    IPSEC_SECRET_TEXT = 40, /* the same, "-", 16 digits */
    IPSEC_MARK_TEXT = 320,  /* three names of 63, "tunnel", separators, four digests, a time */
    IPSEC_ID_BYTES = 200,   /* the longest identity that we take */
    IPSEC_REMOTES = 4,      /* addresses of one remote that are kept */
    IPSEC_REMOTES_TEXT = IPSEC_REMOTES * ADDR_TEXT,
};

/* A connection with its child, wanted or seen. Strings lie in the owner's arena. */
struct ipsec_conn {
    uint32_t id;
    bool foreign; /* seen only: it has the name of one of ours but not the mark; all below is unset
                   */
    const char *owner; /* "bio/genome/tunnel/sakura" */
    bool initiate;
    uint64_t settings;      /* digest of all settings that charon does not show */
    uint64_t ends;          /* digest of the identities; wanted: 0 while local_id is not known */
    uint64_t credentials;   /* the secret's version, or a digest of the certificates' files; wanted:
                               0 while they cannot be had */
    uint64_t key;           /* ipsec_key_number() of its private key; 0: it has a secret */
    uint32_t loaded_s;      /* Unix time of the last load; SAs that are older were made with other
                               settings. Not wanted: set when it is loaded */
    const char *local_addr; /* wanted: null while the uplink has none */
    const char *remote_addrs; /* comma separated; wanted: null while the name is not resolved */
    const char *local_id, *remote_id; /* wanted: as configured (local_id null while it is the
                                         missing address); seen: as charon prints them */
    uint64_t local_identity, remote_identity; /* ipsec_identity() of them; 0: there is none */
    uint32_t ike_rekey_s, child_rekey_s, dpd_delay_s;
};

/* A loaded shared secret of ours, or what says that a private key is. */
struct ipsec_secret {
    uint32_t id;
    uint64_t version; /* or the key's number */
};

/* A private key that charon holds, whoever loaded it. */
struct ipsec_key {
    uint64_t number;
    char name[IPSEC_KEY_TEXT];
};

/* An IKE SA of the name of one of ours, with what matters of its children. */
struct ipsec_sa {
    uint32_t id;
    uint32_t ike_id; /* charon's unique number of it */
    bool established;
    bool nat; /* the far end sits behind one: its address may be any */
    struct addr local_host, remote_host;
    uint64_t local_id, remote_id; /* ipsec_identity() of them; 0 while unknown */
    uint32_t established_s;       /* ago */
    uint32_t n_installed; /* children that can pass traffic: INSTALLED, with our if_id both ways */
    uint64_t bytes_in, bytes_out; /* of those children */
};

/* What charon was last seen to hold. Each array is sorted by id. */
struct ipsec_seen {
    struct arena *arena; /* of the connections */
    struct ipsec_conn *conns;
    size_t n_conns;
    struct ipsec_secret *secrets;
    size_t n_secrets;
    struct ipsec_sa *sas; /* several of one id are possible */
    size_t n_sas;
    struct ipsec_key *keys; /* sorted by number */
    size_t n_keys;
    /* which further key exchanges (RFC 9370) charon has: whether that is known, whether it knows
     * any, and the words of post-quantum ones, each with a space before and behind */
    bool algorithms_known, extra_ke;
    char post_quantum[64];
};

/* "routerd-13", and back: the id, or 0 if that is not such a name. */
const char *ipsec_name(uint32_t id, char buffer[IPSEC_NAME_TEXT]);
uint32_t ipsec_id_of_name(const char *name);
const char *ipsec_secret_name(const struct ipsec_secret *secret, char buffer[IPSEC_SECRET_TEXT]);
/* False if that is not the id of a secret of ours. */
bool ipsec_secret_of_name(const char *name, struct ipsec_secret *ret_secret);
/* A number for charon's name of a private key: its first 16 digits; 0 if that is none. */
uint64_t ipsec_key_number(const char *name);
/* The first loaded key of that number, or null. */
const struct ipsec_key *ipsec_find_key(const struct ipsec_seen *seen, uint64_t number);
const char *ipsec_mark(const struct ipsec_conn *conn, char buffer[IPSEC_MARK_TEXT]);
/* Fills in owner (allocated) and all that the mark has. False if that is not our
 * mark. */
bool ipsec_mark_parse(struct arena *arena, const char *mark, struct ipsec_conn *conn);

/* FNV-1a over a string with its terminator, to be chained from ipsec_digest_start; for telling
 * versions apart, not for secrecy. */
extern const uint64_t ipsec_digest_start;
uint64_t ipsec_digest(uint64_t digest, const char *text);
uint64_t ipsec_digest_number(uint64_t digest, uint64_t number);

/* A number for an identity, the same for all spellings that charon takes for the same one. */
uint64_t ipsec_identity(const char *id);
/* Sets both identities of a connection, borrowed, and their numbers; null is fine. */
void ipsec_conn_identify(struct ipsec_conn *conn, const char *local_id, const char *remote_id);
/* The first of an id in a sorted array, or null. */
const struct ipsec_conn *ipsec_find_conn(const struct ipsec_seen *seen, uint32_t id);
const struct ipsec_sa *ipsec_find_sa(const struct ipsec_seen *seen, uint32_t id);
const struct ipsec_secret *ipsec_find_secret(const struct ipsec_seen *seen, uint32_t id);
/* The next one of the same id, or null. */
const struct ipsec_sa *ipsec_next_sa(const struct ipsec_seen *seen, const struct ipsec_sa *sa);
const struct ipsec_secret *ipsec_next_secret(const struct ipsec_seen *seen,
                                             const struct ipsec_secret *secret);
/* Whether an SA of the id passes traffic. */
bool ipsec_seen_up(const struct ipsec_seen *seen, uint32_t id);
/* Whether the comma separated list holds the address. */
bool ipsec_addrs_hold(const char *list, const struct addr *addr);
/* Whether an SA was made of other addresses or identities than the connection has now. */
bool ipsec_sa_stale(const struct ipsec_sa *sa, const struct ipsec_conn *conn);

#endif
