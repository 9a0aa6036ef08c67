#include "ipsec/ipsec_card.h"

#include <errno.h>
#include <lib/timeval.h>
#include <openvswitch/shash.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CARDS = 4096,          /* past this many all are forgotten and asked anew: dry runs */
    FAULT_AGAIN_MS = 5000, /* a fault that time alone may mend */
};

/* A card with what it was made of. */
struct entry {
    struct ipsec_card card;
    char *directory, *certificate, *ca, *crl;
    struct ipsec_pki pki; /* without keys; the card points into it */
    char fault[IPSEC_PKI_FAULT];
    uint64_t files; /* digest of their versions */
    long long again_ms;
};

struct ipsec_cards {
    struct shash entries;
};

struct ipsec_cards *ipsec_cards_new(void)
{
    struct ipsec_cards *cards = calloc(1, sizeof *cards);

    if (!cards) {
        abort();
    }
    shash_init(&cards->entries);
    return cards;
}

static void entry_free(struct entry *entry)
{
    ipsec_pki_done(&entry->pki);
    free(entry->directory);
    free(entry->certificate);
    free(entry->ca);
    free(entry->crl);
    free(entry);
}

static void clear(struct ipsec_cards *cards)
{
    struct shash_node *node;

    SHASH_FOR_EACH(node, &cards->entries) {
        entry_free(node->data);
    }
    shash_clear(&cards->entries);
}

void ipsec_cards_free(struct ipsec_cards *cards)
{
    if (cards) {
        clear(cards);
        shash_destroy(&cards->entries);
        free(cards);
    }
}

bool ipsec_cards_empty(const struct ipsec_cards *cards)
{
    return shash_is_empty(&cards->entries);
}

/* --- making one ---------------------------------------------------------------------------------
 */

static uint64_t digest_time(uint64_t digest, const struct timespec *time)
{
    return ipsec_digest_number(ipsec_digest_number(digest, (uint64_t)time->tv_sec),
                               (uint64_t)time->tv_nsec);
}

uint64_t ipsec_file_version(const char *path, int *ret_error)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        *ret_error = -errno;
        return 0;
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        *ret_error = -EINVAL;
        return 0;
    }
    uint64_t digest =
        ipsec_digest_number(ipsec_digest(ipsec_digest_start, path), (uint64_t)info.st_size);
    digest = digest_time(digest_time(digest, &info.st_mtim), &info.st_ctim);
    return digest ? digest : 1;
}

static void add_version(void *aux, const char *path)
{
    uint64_t *digest = aux;
    int error;

    *digest = ipsec_digest_number(*digest, ipsec_file_version(path, &error));
}

static struct ipsec_files files_of(const struct entry *entry)
{
    return (struct ipsec_files){entry->certificate, entry->ca, entry->crl};
}

static uint64_t files_digest(const struct entry *entry)
{
    struct ipsec_files files = files_of(entry);
    uint64_t digest = ipsec_digest_start;

    ipsec_pki_each_path(entry->directory, &files, add_version, &digest);
    return digest ? digest : 1;
}

static void forget_keys(struct ipsec_pki *pki)
{
    explicit_bzero(pki->key.bytes, pki->key.len);
    free(pki->key.bytes);
    pki->key = (struct ipsec_blob){.bytes = NULL};
}

static void make(struct entry *entry, uint64_t digest)
{
    struct ipsec_files files = files_of(entry);
    struct ipsec_pki pki;

    int error =
        ipsec_pki_load(entry->directory, &files, time_wall_msec() / 1000, &pki, entry->fault);
    entry->files = digest;
    entry->again_ms = time_msec() + FAULT_AGAIN_MS;
    ipsec_pki_done(&entry->pki);
    entry->card = (struct ipsec_card){.fault = entry->fault};
    if (error) {
        return;
    }
    forget_keys(&pki);
    entry->pki = pki;
    entry->card = (struct ipsec_card){
        .version = digest,
        .key_id = entry->pki.key_id,
        .subject = entry->pki.subject,
        .names = (const char *const *)entry->pki.names,
        .n_names = entry->pki.n_names,
    };
    ipsec_card_complete(&entry->card);
}

static bool is_due(const struct entry *entry, uint64_t digest)
{
    if (digest != entry->files) {
        return true;
    }
    return entry->card.fault ? time_msec() >= entry->again_ms
                             : time_wall_msec() / 1000 >= entry->pki.valid_until;
}

/* Whether it is another card than before. */
static bool refresh(struct entry *entry)
{
    char before[IPSEC_PKI_FAULT] = "";
    uint64_t version = entry->card.version, digest = files_digest(entry);

    if (!is_due(entry, digest)) {
        return false;
    }
    if (entry->card.fault) {
        memcpy(before, entry->fault, sizeof before);
    }
    make(entry, digest);
    return entry->card.version != version ||
           (entry->card.fault && strcmp(entry->card.fault, before) != 0);
}

bool ipsec_cards_refresh(struct ipsec_cards *cards)
{
    struct shash_node *node;
    bool changed = false;

    SHASH_FOR_EACH(node, &cards->entries) {
        changed = refresh(node->data) || changed;
    }
    return changed;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static char *copy(const char *text)
{
    char *result = text ? strdup(text) : NULL;

    if (text && !result) {
        abort();
    }
    return result;
}

const struct ipsec_card *ipsec_cards_ask(struct ipsec_cards *cards, const char *directory,
                                         const struct ipsec_files *files)
{
    char key[4096];

    snprintf(key, sizeof key, "%s/%s\n%s\n%s", directory, files->certificate, files->ca,
             files->crl ? files->crl : "");
    struct entry *entry = shash_find_data(&cards->entries, key);
    if (entry) {
        return &entry->card;
    }
    if (shash_count(&cards->entries) >= CARDS) {
        clear(cards);
    }
    entry = calloc(1, sizeof *entry);
    if (!entry) {
        abort();
    }
    entry->directory = copy(directory);
    entry->certificate = copy(files->certificate);
    entry->ca = copy(files->ca);
    entry->crl = copy(files->crl);
    make(entry, files_digest(entry));
    shash_add(&cards->entries, key, entry);
    return &entry->card;
}
