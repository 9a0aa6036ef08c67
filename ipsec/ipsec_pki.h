/* ipsec_pki.h - the certificate files of a tunnel: reading them and finding what is wrong with
 * them.
 *
 * A tunnel names its own certificate, the authority of the other end's, and maybe a revocation
 * list; the files are among the secrets under the names that tunnel_file_suffix() gives. charon
 * takes what it is given and complains much later, in the middle of an exchange, so all that can be
 * known is found here: a file that is missing or not what it should be, a key that does not fit,
 * what has expired or is not yet valid, a list that the authority has not signed. Everything is
 * handed on in DER (X.690), whatever it was written in. OpenSSL's libcrypto does the reading. */
#ifndef IPSEC_PKI_H
#define IPSEC_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IPSEC_KEY_TEXT = 41,       /* a key's SHA-1 in hexadecimal: charon's name of it */
    IPSEC_PKI_FILE = 64 << 10, /* the longest file that is read, bytes */
    IPSEC_PKI_CERTS = 8,       /* certificates in one file */
    IPSEC_PKI_NAMES = 32,      /* identities of the own certificate that are kept */
    IPSEC_PKI_FAULT = 300,
};

/* Names as in the topology; certificate null: the tunnel has a PSK. crl null: the authority's. */
struct ipsec_files {
    const char *certificate, *ca, *crl;
};

struct ipsec_blob {
    uint8_t *bytes; /* heap; null: none */
    size_t len;
};

struct ipsec_pki {
    struct ipsec_blob certificate, key, crl;  /* crl: may be none */
    struct ipsec_blob chain[IPSEC_PKI_CERTS]; /* behind the certificate in its file */
    struct ipsec_blob authorities[IPSEC_PKI_CERTS];
    size_t n_chain, n_authorities;
    char key_id[IPSEC_KEY_TEXT];  /* subjectKeyIdentifier of RFC 5280, 4.2.1.2 (1) */
    char *subject;                /* the distinguished name as charon prints it; heap */
    char *names[IPSEC_PKI_NAMES]; /* alternative names: hosts, addresses, user@host; heap */
    size_t n_names;
    int64_t valid_from, valid_until; /* Unix time, s: of all certificates together */
};

/* Reads and checks all of it. 0; or -EINVAL, -ENOENT, ... with a sentence in ret_fault that names
 * the file and what is wrong with it, and nothing in ret_pki. `now` is Unix time in seconds. To be
 * done with ipsec_pki_done() after success. Blocks for as long as reading small files takes. */
int ipsec_pki_load(const char *directory, const struct ipsec_files *files, int64_t now,
                   struct ipsec_pki *ret_pki, char ret_fault[IPSEC_PKI_FAULT]);
/* Wipes and frees. */
void ipsec_pki_done(struct ipsec_pki *pki);

/* Visits the paths of all files that it may be made of, whether they are there or not, so that a
 * change can be seen. */
void ipsec_pki_each_path(const char *directory, const struct ipsec_files *files,
                         void (*visit)(void *aux, const char *path), void *aux);

#endif
