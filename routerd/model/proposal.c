#include "model/proposal.h"

#include <string.h>

static void read_proposal(struct reader *reader, const struct doc *doc, void *ret)
{
    const char **ret_proposal = ret, *proposal;

    if (!doc_string(doc, reader->errors, &proposal)) {
        return;
    }
    if (proposal[strspn(proposal, "abcdefghijklmnopqrstuvwxyz0123456789-_")] ||
        proposal[0] == '-') {
        doc_error(doc, reader->errors,
                  "must be a proposal such as aes256-sha256-modp2048 (swanctl.conf(5))");
    } else {
        *ret_proposal = proposal;
    }
}

const char **read_proposals(struct reader *reader, const struct doc *doc, size_t *ret_n)
{
    static const struct list list = {1, PROPOSALS, sizeof(const char *), read_proposal};
    size_t before = errors_count(reader->errors), n = 0;
    const char **proposals = read_list(reader, doc, &list, &n);

    if (errors_count(reader->errors) > before) {
        return NULL;
    }
    *ret_n = n;
    return proposals;
}

bool proposal_next_word(const char **at, char word[PROPOSAL_WORD])
{
    size_t len = strcspn(*at, "-"), kept = len < PROPOSAL_WORD ? len : PROPOSAL_WORD - 1;

    if (**at == '\0') {
        return false;
    }
    memcpy(word, *at, kept);
    word[kept] = '\0';
    *at += len + ((*at)[len] == '-');
    return true;
}

static bool is_in(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool proposal_is_weak(const char *proposal, char word[PROPOSAL_WORD])
{
    static const char *const weak[] = {"des",     "3des",     "md5",      "md5_128",
                                       "prfmd5",  "sha",      "sha1",     "sha1_160",
                                       "prfsha1", "modp768",  "modp1024", "modp1024s160",
                                       "null",    "modp1536", "modpnull"};

    while (proposal_next_word(&proposal, word)) {
        if (is_in(word, weak, sizeof weak / sizeof *weak)) {
            return true;
        }
    }
    return false;
}

void proposals_refuse_weak(const char *const *proposals, size_t n, const struct doc *map,
                           const char *remedy, struct errors *errors)
{
    const struct doc *doc = proposals ? doc_get(map, "proposals")->child : NULL;
    char word[PROPOSAL_WORD];

    for (size_t i = 0; proposals && i < n; i++, doc = doc->next) {
        if (proposal_is_weak(proposals[i], word)) {
            doc_error(doc, errors, "%s is weak (RFC 8247, RFC 8221); %s", word, remedy);
        }
    }
}

bool proposal_word_is_extra_ke(const char *word)
{
    return (strncmp(word, "ke", 2) == 0 && word[2] >= '1' && word[2] <= '7' && word[3] == '_') ||
           strncmp(word, "mlkem", 5) == 0;
}

/* --- what ESP costs ----------------------------------------------------------------------------
 */

/* RFC 4106, 4309, 7634 (AEAD: 8 bytes of IV, no padding but to 4), 3686 (CTR), 3602 (AES-CBC), 2451
 * (3DES), 2410 (NULL), 4543 (GMAC). The first whose name begins the word counts; an AEAD's check
 * value is what the word ends with. */
static const struct cipher {
    const char *name;
    unsigned int iv, block;
} ciphers[] = {
    {"chacha20poly1305", 8, 4}, {"3des", 8, 8},      {"des", 8, 8},       {"blowfish", 8, 8},
    {"cast128", 8, 8},          {"null", 0, 4},      {"aes", 16, 16},     {"camellia", 16, 16},
    {"serpent", 16, 16},        {"twofish", 16, 16}, {"default", 16, 16},
};

/* RFC 2403, 2404, 3566, 4494, 4868; what a cipher's own check value is follows below. */
static const struct integrity {
    const char *name;
    unsigned int icv;
} integrities[] = {
    {"md5", 12},         {"md5_128", 16}, {"sha", 12},      {"sha1", 12},
    {"sha1_160", 20},    {"sha256", 16},  {"sha2_256", 16}, {"sha256_96", 12},
    {"sha2_256_96", 12}, {"sha384", 24},  {"sha2_384", 24}, {"sha512", 32},
    {"sha2_512", 32},    {"aesxcbc", 12}, {"aescmac", 12},  {"default", 32},
};

/* Bytes of the check value of a cipher that has one, or 0. "aes256gcm", "aes128ccm8",
 * "aes256gcm128" (in bits), "aes128gmac". */
static unsigned int aead_icv(const char *word)
{
    static const struct integrity sizes[] = {{"8", 8},   {"12", 12},  {"16", 16}, {"64", 8},
                                             {"96", 12}, {"128", 16}, {"", 16}};
    const char *mode = strstr(word, "gcm");

    mode = mode ? mode : strstr(word, "ccm");
    if (strstr(word, "gmac") || strncmp(word, "chacha20", 8) == 0) {
        return 16;
    }
    for (size_t i = 0; mode && i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(mode + 3, sizes[i].name) == 0) {
            return sizes[i].icv;
        }
    }
    return mode ? 16 : 0;
}

static void raise_to(unsigned int *most, unsigned int value)
{
    *most = value > *most ? value : *most;
}

static void add_word(struct esp_cost *cost, const char *word)
{
    unsigned int icv = aead_icv(word);
    bool counter = icv || strstr(word, "ctr");

    for (size_t i = 0; i < sizeof integrities / sizeof *integrities; i++) {
        if (strcmp(word, integrities[i].name) == 0) {
            raise_to(&cost->icv, integrities[i].icv);
        }
    }
    if (strcmp(word, "aesxcbc") == 0 || strcmp(word, "aescmac") == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
        if (strncmp(word, ciphers[i].name, strlen(ciphers[i].name)) == 0) {
            raise_to(&cost->iv, counter ? 8 : ciphers[i].iv);
            raise_to(&cost->block, counter ? 4 : ciphers[i].block);
            raise_to(&cost->icv, icv);
            return;
        }
    }
}

struct esp_cost proposal_esp_cost(const char *proposal)
{
    struct esp_cost cost = {.block = 4}; /* RFC 4303, 2.4: aligned to 4 at least */
    char word[PROPOSAL_WORD];

    while (proposal_next_word(&proposal, word)) {
        add_word(&cost, word);
    }
    return cost;
}
