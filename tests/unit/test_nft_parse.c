/* net/nft: what the kernel lists of a table, as messages that were written down, whole and garbled.
 */
#include "check.h"

#include "net/nft_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_corpus(size_t *ret_len)
{
    FILE *file = fopen(SOURCE_DIR "/tests/fuzz/corpus/netlink/nftables", "rb");
    char *bytes = malloc(4096);

    if (!file || !bytes) {
        fail_msg("there is no listing to read");
        abort();
    }
    *ret_len = fread(bytes, 1, 4096, file);
    fclose(file);
    assert_int_not_equal(*ret_len, 0);
    return bytes;
}

static void take_after(struct nft_state *state, struct nft_made ours, const char *bytes, size_t len)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;
    int left = (int)len;

    nft_state_init(state);
    state->ours = ours;
    for (; mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
         message = mnl_nlmsg_next(message, &left))
        if (nft_parse_event(message))
            nft_parse_listed(state, message);
    nft_parse_finish(state);
}

static void take(struct nft_state *state, const char *bytes, size_t len)
{
    take_after(state, (struct nft_made){0}, bytes, len);
}

/* The rule's comment as it is seen when that was ours. */
static void assert_rule(const char *bytes, size_t len, struct nft_made ours, const char *comment)
{
    struct nft_state seen;

    take_after(&seen, ours, bytes, len);
    assert_string_equal(nft_state_find(&seen, NFT_CHAIN, "input")->rules[0], comment);
    nft_state_done(&seen);
}

/* With our comment still, as when an edited listing is loaded again. */
static void test_rule_of_another_hand(void **state)
{
    size_t len;
    char *bytes = read_corpus(&len);
    struct nft_state seen;
    (void)state;

    take(&seen, bytes, len);
    struct nft_made found = seen.found;
    nft_state_done(&seen);
    assert_true(found.table && found.rule > 1);
    assert_rule(bytes, len, found, "4a00aa427c6bb115");
    assert_rule(bytes, len, (struct nft_made){found.table, found.rule + 1}, "4a00aa427c6bb115");
    assert_rule(bytes, len, (struct nft_made){found.table, found.rule - 1}, "");
    assert_rule(bytes, len, (struct nft_made){found.table + 1, found.rule}, "");
    free(bytes);
}

static void test_listing(void **state)
{
    size_t len;
    char *bytes = read_corpus(&len);
    struct nft_state seen;
    (void)state;

    take(&seen, bytes, len);
    assert_true(seen.present);
    assert_false(seen.foreign);
    assert_false(seen.dormant);
    const struct nft_item *input = nft_state_find(&seen, NFT_CHAIN, "input"),
                          *network = nft_state_find(&seen, NFT_CHAIN, "network1001"),
                          *own = nft_state_find(&seen, NFT_ELEMENT, "own4"),
                          *ports = nft_state_find(&seen, NFT_SET, "ports");

    assert_int_equal(input->number, 0);
    assert_string_equal(input->comment, "61f0ec72d8f24e5a");
    assert_int_equal(input->n_rules, 1);
    assert_string_equal(input->rules[0], "4a00aa427c6bb115");
    assert_int_equal(network->number, 1001);
    assert_string_equal(network->comment, "bio/genome");
    assert_int_equal(own->number, 1001);
    assert_string_equal(own->text, "\"rvrf1001\" . 10.1.0.1");
    assert_true(ports->broken); /* its element is nobody's */
    assert_null(nft_state_find(&seen, NFT_ELEMENT, "ports"));
    nft_state_done(&seen);
    free(bytes);
}

static void test_garbled(void **state)
{
    size_t len;
    char *bytes = read_corpus(&len);
    uint64_t random = 7;
    (void)state;

    for (int i = 0; len && i < 20000; i++) {
        struct nft_state seen;
        char *copy = malloc(len);

        assert_non_null(copy);
        memcpy(copy, bytes, len);
        for (int j = 0; j < 1 + i % 3; j++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            copy[(random >> 20) % len] = (char)(random >> 50);
        }
        take(&seen, copy, len - random % 64);
        nft_state_done(&seen);
        free(copy);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_rule_of_another_hand),
        cmocka_unit_test(test_garbled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
