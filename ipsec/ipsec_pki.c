#include "ipsec/ipsec_pki.h"

#include "backend/secret.h"
#include "model/addr.h"
#include "model/tunnel_settings.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_TEXT = 80 };

/* A file as it was read, with its name for people. */
struct file {
    char name[FILE_TEXT];
    char bytes[IPSEC_PKI_FILE];
    size_t len;
};

struct load {
    const char *directory;
    const struct ipsec_files *files;
    int64_t now;
    struct ipsec_pki *pki;
    char *fault;
    struct file file; /* the one that is being read; wiped at the end */
    char own_name[FILE_TEXT], ca_name[FILE_TEXT];
    X509 *own;
    STACK_OF(X509) * authorities;
};

__attribute__((format(printf, 3, 4))) static int fault(struct load *load, int error,
                                                       const char *format, ...)
{
    va_list args;

    ERR_clear_error();
    va_start(args, format);
    vsnprintf(load->fault, IPSEC_PKI_FAULT, format, args);
    va_end(args);
    return error;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* The first of its names that is there. -ENOENT: none is; *ret_error of any other is told. */
static int read_first(struct load *load, const char *name, enum tunnel_file kind)
{
    struct file *file = &load->file;
    const char *suffix;

    for (size_t i = 0; (suffix = tunnel_file_suffix(kind, i)); i++) {
        snprintf(file->name, sizeof file->name, "%s%s", name, suffix);
        ssize_t len =
            secret_read_file(load->directory, file->name, file->bytes, sizeof file->bytes);
        if (len >= 0) {
            file->len = (size_t)len;
            return 0;
        }
        if (len != -ENOENT) {
            return fault(load, (int)len, "%s cannot be read in %s: %s", file->name, load->directory,
                         len == -EINVAL ? "it is empty or no file" : strerror((int)-len));
        }
    }
    snprintf(file->name, sizeof file->name, "%s%s", name, tunnel_file_suffix(kind, 0));
    return -ENOENT;
}

static int read_file(struct load *load, const char *name, enum tunnel_file kind)
{
    int error = read_first(load, name, kind);

    if (error == -ENOENT) {
        fault(load, error, "there is no %s in %s", load->file.name, load->directory);
    }
    return error;
}

void ipsec_pki_each_path(const char *directory, const struct ipsec_files *files,
                         void (*visit)(void *aux, const char *path), void *aux)
{
    const struct {
        const char *name;
        enum tunnel_file kind;
    } parts[] = {{files->certificate, TUNNEL_CERTIFICATE},
                 {files->certificate, TUNNEL_KEY},
                 {files->ca, TUNNEL_CA},
                 {files->crl ? files->crl : files->ca, TUNNEL_CRL}};
    const char *suffix;
    char path[4096];

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (size_t k = 0; (suffix = tunnel_file_suffix(parts[i].kind, k)); k++) {
            if (snprintf(path, sizeof path, "%s/%s%s", directory, parts[i].name, suffix) <
                (int)sizeof path) {
                visit(aux, path);
            }
        }
    }
}

/* --- certificates -------------------------------------------------------------------------------
 */

/* Takes over what libcrypto allocated. */
static struct ipsec_blob blob(unsigned char *der, int len)
{
    struct ipsec_blob result = {.bytes = len > 0 ? malloc((size_t)len) : NULL};

    if (result.bytes) {
        memcpy(result.bytes, der, (size_t)len);
        result.len = (size_t)len;
    }
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    return result;
}

static struct ipsec_blob certificate_blob(const X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);

    return blob(der, len);
}

/* All certificates of the file, PEM or one in DER; null if there is none. */
static STACK_OF(X509) * parse_certificates(const struct file *file)
{
    const unsigned char *at = (const unsigned char *)file->bytes;
    STACK_OF(X509) *all = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
    X509 *certificate;

    while (sk_X509_num(all) < IPSEC_PKI_CERTS &&
           (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        sk_X509_push(all, certificate);
    }
    if (sk_X509_num(all) == 0 && (certificate = d2i_X509(NULL, &at, (long)file->len))) {
        sk_X509_push(all, certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return all;
}

/* Seconds from Unix time 0; far away if it cannot be told. */
static int64_t unix_time(const ASN1_TIME *time)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool known = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;

    ASN1_TIME_free(epoch);
    return known ? (int64_t)days * 86400 + seconds : 0;
}

static void print_time(const ASN1_TIME *time, char *buffer, size_t size)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(buffer, size, "%Y-%m-%d %H:%M UTC", &tm) == 0) {
        snprintf(buffer, size, "an unknown time");
    }
}

static int check_time(struct load *load, const char *file, const X509 *certificate)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    int64_t from_s = unix_time(from), until_s = unix_time(until);
    struct ipsec_pki *pki = load->pki;
    char text[64];

    if (load->now >= until_s) {
        print_time(until, text, sizeof text);
        return fault(load, -EINVAL, "the certificate in %s expired on %s; renew it", file, text);
    }
    if (load->now < from_s) {
        print_time(from, text, sizeof text);
        return fault(load, -EINVAL,
                     "the certificate in %s is not valid before %s; is this "
                     "machine's clock right?",
                     file, text);
    }
    pki->valid_from = from_s > pki->valid_from ? from_s : pki->valid_from;
    pki->valid_until = until_s < pki->valid_until ? until_s : pki->valid_until;
    return 0;
}

/* --- whom the own one is for --------------------------------------------------------------------
 */

static void add_name(struct ipsec_pki *pki, const char *text, size_t len)
{
    /* What could not be written as an identity confirms none. */
    if (pki->n_names < IPSEC_PKI_NAMES && strnlen(text, len) == len && len > 0) {
        pki->names[pki->n_names++] = strndup(text, len);
    }
}

static void add_address(struct ipsec_pki *pki, const ASN1_OCTET_STRING *octets)
{
    int len = ASN1_STRING_length(octets);
    struct addr addr = {.family = len == 4 ? AF_INET : AF_INET6};
    char text[ADDR_TEXT];

    if (len == 4 || len == 16) {
        memcpy(addr.bytes, ASN1_STRING_get0_data(octets), (size_t)len);
        addr_print(&addr, text);
        add_name(pki, text, strlen(text));
    }
}

static void take_names(struct ipsec_pki *pki, X509 *own)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS || name->type == GEN_EMAIL) {
            add_name(pki, (const char *)ASN1_STRING_get0_data(name->d.ia5),
                     (size_t)ASN1_STRING_length(name->d.ia5));
        } else if (name->type == GEN_IPADD) {
            add_address(pki, name->d.iPAddress);
        }
    }
    GENERAL_NAMES_free(names);
}

/* "C=JP, O=Lab, CN=vr1", as charon writes and reads it. */
static char *print_subject(const X509 *own)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *copy;

    X509_NAME_print_ex(bio, X509_get_subject_name(own), 0,
                       ASN1_STRFLGS_UTF8_CONVERT | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);
    BIO_write(bio, "", 1); /* the end of the string */
    BIO_get_mem_data(bio, &text);
    copy = strdup(text);
    BIO_free(bio);
    return copy;
}

/* --- the parts ----------------------------------------------------------------------------------
 */

static int load_own(struct load *load)
{
    struct ipsec_pki *pki = load->pki;
    int error = read_file(load, load->files->certificate, TUNNEL_CERTIFICATE);

    if (error) {
        return error;
    }
    memcpy(load->own_name, load->file.name, sizeof load->own_name);
    STACK_OF(X509) *all = parse_certificates(&load->file);
    if (sk_X509_num(all) == 0) {
        error = fault(load, -EINVAL, "%s holds no certificate (X.509, PEM or DER)", load->own_name);
    } else {
        load->own = sk_X509_shift(all);
        pki->certificate = certificate_blob(load->own);
        error = check_time(load, load->own_name, load->own);
    }
    for (int i = 0; !error && i < sk_X509_num(all); i++) {
        pki->chain[pki->n_chain++] = certificate_blob(sk_X509_value(all, i));
    }
    sk_X509_pop_free(all, X509_free);
    return error;
}

/* So that a key with a passphrase is a fault and no question at the terminal. */
static int no_passphrase(char *buffer, int size, int for_writing, void *asked)
{
    (void)buffer;
    (void)size;
    (void)for_writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *parse_key(const struct file *file, bool *ret_encrypted)
{
    const unsigned char *at = (const unsigned char *)file->bytes;
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, ret_encrypted);

    if (!key && !*ret_encrypted) {
        key = d2i_AutoPrivateKey(NULL, &at, (long)file->len);
    }
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static int take_key(struct load *load, EVP_PKEY *key)
{
    unsigned char digest[SHA_DIGEST_LENGTH], *der = NULL;
    unsigned int len = 0;

    if (X509_check_private_key(load->own, key) != 1) {
        return fault(load, -EINVAL, "the private key in %s is not that of the certificate in %s",
                     load->file.name, load->own_name);
    }
    int der_len = i2d_PrivateKey(key, &der);
    load->pki->key = blob(der, der_len);
    if (!load->pki->key.bytes || X509_pubkey_digest(load->own, EVP_sha1(), digest, &len) != 1) {
        return fault(load, -EINVAL, "the private key in %s is of an unknown kind", load->file.name);
    }
    for (unsigned int i = 0; i < len; i++) {
        snprintf(load->pki->key_id + 2 * i, 3, "%02x", digest[i]);
    }
    return 0;
}

/* In a file of its own, else behind the certificate. */
static int load_key(struct load *load)
{
    bool encrypted = false;
    int error = read_first(load, load->files->certificate, TUNNEL_KEY);
    bool of_its_own = error == 0;

    if (error == -ENOENT) {
        error = read_file(load, load->files->certificate, TUNNEL_CERTIFICATE);
    }
    if (error) {
        return error;
    }
    EVP_PKEY *key = parse_key(&load->file, &encrypted);
    if (key) {
        error = take_key(load, key);
    } else if (encrypted) {
        error = fault(load, -EINVAL, "the private key in %s has a passphrase; store it without",
                      load->file.name);
    } else if (of_its_own) {
        error = fault(load, -EINVAL, "%s holds no private key (PEM or DER)", load->file.name);
    } else {
        error = fault(load, -ENOENT, "there is no private key: neither %s.key in %s nor one in %s",
                      load->files->certificate, load->directory, load->file.name);
    }
    EVP_PKEY_free(key);
    return error;
}

static int load_authority(struct load *load)
{
    struct ipsec_pki *pki = load->pki;
    int error = read_file(load, load->files->ca, TUNNEL_CA);

    if (error) {
        return error;
    }
    memcpy(load->ca_name, load->file.name, sizeof load->ca_name);
    load->authorities = parse_certificates(&load->file);
    if (sk_X509_num(load->authorities) == 0) {
        return fault(load, -EINVAL, "%s holds no certificate (X.509, PEM or DER)", load->ca_name);
    }
    for (int i = 0; i < sk_X509_num(load->authorities); i++) {
        X509 *authority = sk_X509_value(load->authorities, i);

        if (X509_check_ca(authority) == 0) {
            return fault(load, -EINVAL, "the certificate in %s is not an authority's",
                         load->ca_name);
        }
        error = check_time(load, load->ca_name, authority);
        if (error) {
            return error;
        }
        pki->authorities[pki->n_authorities++] = certificate_blob(authority);
    }
    return 0;
}

static X509_CRL *parse_crl(const struct file *file)
{
    const unsigned char *at = (const unsigned char *)file->bytes;
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

    if (!crl) {
        crl = d2i_X509_CRL(NULL, &at, (long)file->len);
    }
    BIO_free(bio);
    ERR_clear_error();
    return crl;
}

static bool crl_is_signed(const struct load *load, X509_CRL *crl)
{
    for (int i = 0; i < sk_X509_num(load->authorities); i++) {
        if (X509_CRL_verify(crl, X509_get0_pubkey(sk_X509_value(load->authorities, i))) == 1) {
            return true;
        }
    }
    return false;
}

/* The one that was named, else the authority's if that is there. */
static int load_crl(struct load *load)
{
    bool named = load->files->crl != NULL;
    unsigned char *der = NULL;
    int error, len;

    if (named) {
        error = read_file(load, load->files->crl, TUNNEL_CRL);
    } else {
        snprintf(load->file.name, sizeof load->file.name, "%s%s", load->files->ca,
                 tunnel_file_suffix(TUNNEL_CRL, 0));
        ssize_t n = secret_read_file(load->directory, load->file.name, load->file.bytes,
                                     sizeof load->file.bytes);
        load->file.len = n > 0 ? (size_t)n : 0;
        error = n == -ENOENT ? -ENOENT : 0;
    }
    if (error) {
        return named ? error : 0;
    }
    X509_CRL *crl = parse_crl(&load->file);
    if (!crl) {
        return fault(load, -EINVAL, "%s holds no revocation list (X.509, PEM or DER)",
                     load->file.name);
    }
    if (!crl_is_signed(load, crl)) {
        error = fault(load, -EINVAL,
                      "the revocation list in %s is not signed by the authority in "
                      "%s",
                      load->file.name, load->ca_name);
    } else if (X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) < 0) {
        error =
            fault(load, -EINVAL,
                  "the revocation list in %s has no authority key identifier (RFC 5280, 5.2.1), "
                  "by which charon finds it",
                  load->file.name);
    } else {
        len = i2d_X509_CRL(crl, &der);
        load->pki->crl = blob(der, len);
    }
    X509_CRL_free(crl);
    return error;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

int ipsec_pki_load(const char *directory, const struct ipsec_files *files, int64_t now,
                   struct ipsec_pki *ret_pki, char ret_fault[IPSEC_PKI_FAULT])
{
    struct load *load = calloc(1, sizeof *load);

    if (!load) {
        abort();
    }
    *load = (struct load){
        .directory = directory, .files = files, .now = now, .pki = ret_pki, .fault = ret_fault};
    *ret_pki = (struct ipsec_pki){.valid_until = INT64_MAX};
    int error = load_own(load);
    error = error ? error : load_key(load);
    error = error ? error : load_authority(load);
    error = error ? error : load_crl(load);
    if (!error) {
        take_names(ret_pki, load->own);
        ret_pki->subject = print_subject(load->own);
    } else {
        ipsec_pki_done(ret_pki);
    }
    X509_free(load->own);
    sk_X509_pop_free(load->authorities, X509_free);
    explicit_bzero(load, sizeof *load); /* the file that was read last may hold the key */
    free(load);
    return error;
}

static void blob_done(struct ipsec_blob *blob_)
{
    if (blob_->bytes) {
        explicit_bzero(blob_->bytes, blob_->len);
    }
    free(blob_->bytes);
    *blob_ = (struct ipsec_blob){.bytes = NULL};
}

void ipsec_pki_done(struct ipsec_pki *pki)
{
    blob_done(&pki->certificate);
    blob_done(&pki->key);
    blob_done(&pki->crl);
    for (size_t i = 0; i < IPSEC_PKI_CERTS; i++) {
        blob_done(&pki->chain[i]);
        blob_done(&pki->authorities[i]);
    }
    for (size_t i = 0; i < pki->n_names; i++) {
        free(pki->names[i]);
    }
    free(pki->subject);
    *pki = (struct ipsec_pki){.n_names = 0};
}
