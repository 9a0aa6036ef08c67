/* Certificate files: what is right with them, and what is wrong, on a small authority made here. */
#include "ipsec/ipsec_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY = 24 * 3600 };

static char directory[] = "/tmp/test_ipsec_pki.XXXXXX";
static EVP_PKEY *ca_key, *other_ca_key, *own_key;
static X509 *ca, *other_ca;
static int64_t now;

/* --- an authority ------------------------------------------------------------------------------
 */

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Valid from `from` to `until`, in seconds from now. No issuer: signed by itself, an authority. */
static X509 *certify(EVP_PKEY *key, const char *name, const char *alternatives, X509 *issuer,
                     EVP_PKEY *issuer_key, long from, long until)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(subject, "C", MBSTRING_ASC, (const unsigned char *)"JP", -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
    extend(certificate, issuer ? issuer : certificate, NID_basic_constraints,
           issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (!issuer) {
        extend(certificate, certificate, NID_subject_key_identifier, "hash");
    }
    if (alternatives) {
        extend(certificate, issuer, NID_subject_alt_name, alternatives);
    }
    assert_true(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static FILE *file(const char *name, const char *mode)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *opened = fopen(path, mode);
    assert_non_null(opened);
    return opened;
}

static void put_certificate(const char *name, const char *mode, X509 *certificate)
{
    FILE *out = file(name, mode);
    assert_true(PEM_write_X509(out, certificate));
    fclose(out);
}

static void put_key(const char *name, const char *mode, EVP_PKEY *key, const char *passphrase)
{
    FILE *out = file(name, mode);
    assert_true(PEM_write_PrivateKey(out, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
                                     (void *)passphrase));
    fclose(out);
}

static void put_text(const char *name, const char *text)
{
    FILE *out = file(name, "w");
    fputs(text, out);
    fclose(out);
}

static void extend_crl(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    assert_non_null(extension);
    X509_CRL_add_ext(crl, extension, -1);
    X509_EXTENSION_free(extension);
}

static void put_crl(const char *name, X509 *issuer, EVP_PKEY *key, bool der)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)now);
    FILE *out = file(name, "w");

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(crl, time);
    X509_CRL_set1_nextUpdate(crl, time);
    if (!strstr(name, "list") || issuer != ca || der) {
        extend_crl(crl, issuer);
    }
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_true(der ? i2d_X509_CRL_fp(out, crl) : PEM_write_X509_CRL(out, crl));
    fclose(out);
    ASN1_TIME_free(time);
    X509_CRL_free(crl);
}

static void put_own(const char *name, const char *alternatives, long from, long until)
{
    X509 *own = certify(own_key, "vr1", alternatives, ca, ca_key, from, until);

    put_certificate(name, "w", own);
    X509_free(own);
}

static int make_authority(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    now = time(NULL);
    ca_key = EVP_EC_gen("P-256");
    other_ca_key = EVP_EC_gen("P-256");
    own_key = EVP_EC_gen("P-256");
    ca = certify(ca_key, "cloud", NULL, NULL, NULL, -DAY, 100 * DAY);
    other_ca = certify(other_ca_key, "other", NULL, NULL, NULL, -DAY, 100 * DAY);
    return 0;
}

static int drop_authority(void **state)
{
    (void)state;
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(other_ca_key);
    EVP_PKEY_free(own_key);
    X509_free(ca);
    X509_free(other_ca);
    return rmdir(directory);
}

/* Before each test: a folder with what is right. */
static int fill(void **state)
{
    (void)state;
    put_own("vr1.pem", "DNS:vr1.example.com,IP:192.0.2.1,IP:2001:db8::1,email:ops@example.com",
            -DAY, 30 * DAY);
    put_key("vr1.key", "w", own_key, NULL);
    put_certificate("cloud.pem", "w", ca);
    return 0;
}

static void drop(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

static int empty(void **state)
{
    static const char *const names[] = {"vr1.pem",   "vr1.crt",   "vr1",     "vr1.key",
                                        "cloud.pem", "cloud.crl", "list.crl"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        drop(names[i]);
    }
    return 0;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static const struct ipsec_files plain = {"vr1", "cloud", NULL}, listed = {"vr1", "cloud", "list"};

static void assert_fault(const struct ipsec_files *files, const char *expected)
{
    char text[IPSEC_PKI_FAULT] = "", filled[IPSEC_PKI_FAULT];
    struct ipsec_pki pki;

    snprintf(filled, sizeof filled, expected, directory);
    assert_true(ipsec_pki_load(directory, files, now, &pki, text) < 0);
    assert_string_equal(text, filled);
}

static void assert_good(const struct ipsec_files *files, struct ipsec_pki *ret_pki)
{
    char text[IPSEC_PKI_FAULT] = "";
    int error = ipsec_pki_load(directory, files, now, ret_pki, text);

    assert_string_equal(text, "");
    assert_int_equal(error, 0);
}

static void test_what_is_right(void **state)
{
    struct ipsec_pki pki;

    (void)state;
    assert_good(&plain, &pki);
    assert_string_equal(pki.subject, "C=JP, CN=vr1");
    assert_int_equal(pki.n_names, 4);
    assert_string_equal(pki.names[0], "vr1.example.com");
    assert_string_equal(pki.names[1], "192.0.2.1");
    assert_string_equal(pki.names[2], "2001:db8::1");
    assert_string_equal(pki.names[3], "ops@example.com");
    assert_int_equal(strlen(pki.key_id), 40);
    assert_in_range(pki.valid_until - now, 29 * DAY, 31 * DAY);
    assert_int_equal(pki.n_authorities, 1);
    assert_int_equal(pki.n_chain, 0);
    assert_null(pki.crl.bytes);
    const unsigned char *at = pki.key.bytes;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)pki.key.len);
    assert_true(EVP_PKEY_eq(key, own_key) == 1);
    EVP_PKEY_free(key);
    ipsec_pki_done(&pki);
}

/* All in one file, with what is between it and the root; and a list in either form, named or not.
 */
static void test_other_forms(void **state)
{
    struct ipsec_pki pki;

    (void)state;
    drop("vr1.key");
    put_certificate("vr1.pem", "a", other_ca);
    put_key("vr1.pem", "a", own_key, NULL);
    put_crl("cloud.crl", ca, ca_key, false);
    assert_good(&plain, &pki);
    assert_int_equal(pki.n_chain, 1);
    assert_non_null(pki.crl.bytes);
    ipsec_pki_done(&pki);
    put_crl("list.crl", ca, ca_key, true);
    drop("cloud.crl");
    assert_good(&listed, &pki);
    assert_non_null(pki.crl.bytes);
    ipsec_pki_done(&pki);
}

static void test_der(void **state)
{
    struct ipsec_pki pki;
    X509 *own = certify(own_key, "vr1", NULL, ca, ca_key, -DAY, DAY);
    FILE *out = file("vr1.crt", "w");

    (void)state;
    drop("vr1.pem");
    i2d_X509_fp(out, own);
    fclose(out);
    out = file("vr1.key", "w");
    i2d_PrivateKey_fp(out, own_key);
    fclose(out);
    assert_good(&plain, &pki);
    ipsec_pki_done(&pki);
    X509_free(own);
}

static void test_faults_of_the_own(void **state)
{
    (void)state;
    put_key("vr1.key", "w", ca_key, NULL);
    assert_fault(&plain, "the private key in vr1.key is not that of the certificate in vr1.pem");
    put_key("vr1.key", "w", own_key, "secret");
    assert_fault(&plain, "the private key in vr1.key has a passphrase; store it without");
    put_text("vr1.key", "nothing of use");
    assert_fault(&plain, "vr1.key holds no private key (PEM or DER)");
    drop("vr1.key");
    assert_fault(&plain, "there is no private key: neither vr1.key in %s nor one in vr1.pem");
    put_text("vr1.pem", "nothing of use");
    assert_fault(&plain, "vr1.pem holds no certificate (X.509, PEM or DER)");
    put_text("vr1.pem", "");
    assert_fault(&plain, "vr1.pem cannot be read in %s: it is empty or no file");
    drop("vr1.pem");
    assert_fault(&plain, "there is no vr1.pem in %s");
}

static void test_times(void **state)
{
    char text[IPSEC_PKI_FAULT];
    struct ipsec_pki pki;

    (void)state;
    put_own("vr1.pem", NULL, -2 * DAY, -DAY);
    assert_true(ipsec_pki_load(directory, &plain, now, &pki, text) < 0);
    assert_non_null(strstr(text, "the certificate in vr1.pem expired on 20"));
    assert_non_null(strstr(text, "; renew it"));
    put_own("vr1.pem", NULL, DAY, 2 * DAY);
    assert_true(ipsec_pki_load(directory, &plain, now, &pki, text) < 0);
    assert_non_null(strstr(text, "the certificate in vr1.pem is not valid before 20"));
    X509 *old = certify(ca_key, "cloud", NULL, NULL, NULL, -3 * DAY, -DAY);
    put_own("vr1.pem", NULL, -DAY, DAY);
    put_certificate("cloud.pem", "w", old);
    assert_true(ipsec_pki_load(directory, &plain, now, &pki, text) < 0);
    assert_non_null(strstr(text, "the certificate in cloud.pem expired on 20"));
    X509_free(old);
}

static void test_faults_of_the_authority(void **state)
{
    X509 *plain_certificate = certify(own_key, "vr1", NULL, ca, ca_key, -DAY, DAY);

    (void)state;
    put_crl("list.crl", other_ca, other_ca_key, false);
    assert_fault(&listed,
                 "the revocation list in list.crl is not signed by the authority in cloud.pem");
    put_crl("list.crl", ca, ca_key, false);
    assert_fault(&listed, "the revocation list in list.crl has no authority key identifier (RFC "
                          "5280, 5.2.1), by which charon finds it");
    put_text("list.crl", "nothing of use");
    assert_fault(&listed, "list.crl holds no revocation list (X.509, PEM or DER)");
    drop("list.crl");
    assert_fault(&listed, "there is no list.crl in %s");
    put_text("cloud.crl", "nothing of use");
    assert_fault(&plain, "cloud.crl holds no revocation list (X.509, PEM or DER)");
    put_certificate("cloud.pem", "w", plain_certificate);
    assert_fault(&plain, "the certificate in cloud.pem is not an authority's");
    put_text("cloud.pem", "nothing of use");
    assert_fault(&plain, "cloud.pem holds no certificate (X.509, PEM or DER)");
    drop("cloud.pem");
    assert_fault(&plain, "there is no cloud.pem in %s");
    X509_free(plain_certificate);
}

/* A card changes when a file does, and only then. */
static void test_cards(void **state)
{
    struct ipsec_cards *cards = ipsec_cards_new();

    (void)state;
    assert_true(ipsec_cards_empty(cards));
    const struct ipsec_card *card = ipsec_cards_ask(cards, directory, &plain);
    assert_null(card->fault);
    assert_int_equal(card->n_names, 4);
    uint64_t version = card->version;
    assert_false(ipsec_cards_refresh(cards));
    put_crl("cloud.crl", ca, ca_key, false);
    assert_true(ipsec_cards_refresh(cards));
    card = ipsec_cards_ask(cards, directory, &plain);
    assert_true(card->version != version);
    drop("vr1.key");
    assert_true(ipsec_cards_refresh(cards));
    card = ipsec_cards_ask(cards, directory, &plain);
    assert_non_null(strstr(card->fault, "there is no private key"));
    assert_false(ipsec_cards_refresh(cards));
    put_key("vr1.key", "w", own_key, NULL);
    assert_true(ipsec_cards_refresh(cards));
    assert_null(ipsec_cards_ask(cards, directory, &plain)->fault);
    ipsec_cards_free(cards);
    ipsec_cards_free(NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fill, empty)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_right), TEST(test_other_forms),
        TEST(test_der),           TEST(test_faults_of_the_own),
        TEST(test_times),         TEST(test_faults_of_the_authority),
        TEST(test_cards),
    };

    return cmocka_run_group_tests(tests, make_authority, drop_authority);
}
