#include "check.h"

#include "backend/secret.h"
#include "backend/siphash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/routerd-secret-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"psk", "fifo", "dir", ".hidden", "ca.pem"};
    char path[96];
    for (size_t i = 0; i < LENGTH(NAMES); i++) {
        snprintf(path, sizeof path, "%s/%s", directory, NAMES[i]);
        remove(path);
    }
    return rmdir(directory);
}

static void put(const char *name, const char *bytes, size_t len)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(bytes, 1, len, file);
    fclose(file);
}

static void test_content(void **state)
{
    (void)state;
    static const struct {
        const char *file, *secret;
        size_t file_len, secret_len;
    } CASES[] = {
        {"s3cret", "s3cret", 6, 6}, {"s3cret\n", "s3cret", 7, 6}, {"s\n\n", "s\n", 3, 2},
        {" s ", " s ", 3, 3},       {"a\0b", "a\0b", 3, 3},
    };
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        struct secret secret;
        put("psk", CASES[i].file, CASES[i].file_len);
        assert_int_equal(secret_read(directory, "psk", &secret), 0);
        assert_int_equal(secret.len, CASES[i].secret_len);
        assert_memory_equal(secret.bytes, CASES[i].secret, secret.len + 1);
        secret_wipe(&secret);
        assert_int_equal(secret.len, 0);
        assert_int_equal(secret.bytes[0], 0);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        bool newline;
        int result;
    } CASES[] = {{0, false, -EINVAL},
                 {0, true, -EINVAL},
                 {1, false, 0},
                 {SECRET_BYTES, false, 0},
                 {SECRET_BYTES, true, 0},
                 {SECRET_BYTES + 1, false, -EFBIG},
                 {SECRET_BYTES + 1, true, -EFBIG},
                 {3 * SECRET_BYTES, true, -EFBIG}};
    static char bytes[3 * SECRET_BYTES + 1];
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        struct secret secret = {.len = 77};
        memset(bytes, 'x', sizeof bytes);
        bytes[CASES[i].len] = '\n';
        put("psk", bytes, CASES[i].len + CASES[i].newline);
        assert_int_equal(secret_read(directory, "psk", &secret), CASES[i].result);
        assert_int_equal(secret.len, CASES[i].result ? 77 : CASES[i].len);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"", ".", "..", ".hidden", "../psk", "a/b", "PSK", "a b"};
    struct secret secret;
    char name[65];
    memset(name, 'a', sizeof name);
    name[64] = '\0';
    assert_int_equal(secret_read(directory, name, &secret), -EINVAL);
    assert_int_equal(secret_read(directory, name + 1, &secret), -ENOENT);
    put(".hidden", "x", 1);
    for (size_t i = 0; i < LENGTH(WRONG); i++)
        assert_int_equal(secret_read(directory, WRONG[i], &secret), -EINVAL);
}

static void test_files(void **state)
{
    (void)state;
    char bytes[8], name[68];
    memset(name, 'a', sizeof name);
    name[67] = '\0';
    assert_int_equal(secret_read_file(directory, name, bytes, sizeof bytes), -ENOENT);
    assert_false(secret_file_exists(directory, name));
    assert_int_equal(secret_read_file(directory, "../ca.pem", bytes, sizeof bytes), -EINVAL);
    put("ca.pem", "12345678", 8);
    assert_true(secret_file_exists(directory, "ca.pem"));
    assert_int_equal(secret_read_file(directory, "ca.pem", bytes, sizeof bytes), 8);
    assert_memory_equal(bytes, "12345678", 8);
    assert_int_equal(secret_read_file(directory, "ca.pem", bytes, 7), -EFBIG);
    put("ca.pem", "", 0);
    assert_int_equal(secret_read_file(directory, "ca.pem", bytes, sizeof bytes), -EINVAL);
}

static void test_what_is_no_secret(void **state)
{
    (void)state;
    char path[96];
    struct secret secret;
    assert_int_equal(secret_read(directory, "none", &secret), -ENOENT);
    assert_int_equal(secret_read("/nonexistent", "psk", &secret), -ENOENT);
    snprintf(path, sizeof path, "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(secret_read(directory, "fifo", &secret), -EINVAL); /* and does not wait */
    snprintf(path, sizeof path, "%s/dir", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(secret_read(directory, "dir", &secret), -EINVAL);
    put("psk", "x", 1);
    assert_true(secret_exists(directory, "psk"));
    assert_false(secret_exists(directory, "none"));
    assert_false(secret_exists(directory, "dir"));
}

static void test_digests(void **state)
{
    (void)state;
    assert_true(secret_digest("abc", 3) == secret_digest("abcd", 3));
    assert_true(secret_digest("abc", 3) != secret_digest("abd", 3));
    assert_true(secret_digest("", 0) != secret_digest("\0", 1));
}

/* The vectors of the authors' reference implementation: key 00..0f, message 00..(len-1). */
static void test_siphash(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } VECTORS[] = {
        {0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
        {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}, {63, 0x958a324ceb064572},
    };
    struct siphash_key key;
    uint8_t message[64];
    for (uint8_t i = 0; i < 64; i++)
        message[i] = i;
    memcpy(key.bytes, message, sizeof key.bytes);
    for (size_t i = 0; i < LENGTH(VECTORS); i++)
        assert_true(siphash(&key, message, VECTORS[i].len) == VECTORS[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_what_is_no_secret),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_siphash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
