#include "golden.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The whole file, NUL-terminated, or null; the caller frees it. */
static char *file_read(const char *path, size_t *ret_len)
{
    char *text = NULL, buffer[4096];
    size_t len = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    FILE *memory = open_memstream(&text, &len);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        fwrite(buffer, 1, n, memory);
    fclose(file);
    fclose(memory);
    *ret_len = len;
    return text;
}

static bool file_write(const char *path, const char *text)
{
    if (!*text)
        return unlink(path) == 0 || access(path, F_OK) != 0;
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

/* All faults as text; the caller frees it. */
static char *errors_print(const char *name, const struct errors *errors)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);
        fprintf(memory, "%s:%u:%u: %s%s%s\n", name, error->line, error->column, error->path,
                *error->path ? ": " : "", error->message);
    }
    fclose(memory);
    return text;
}

static char *check_file(const char *folder, const char *name, golden_check *check)
{
    char path[4096];
    size_t len = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = file_read(path, &len);
    if (!text) {
        perror(path);
        return NULL;
    }
    struct errors *errors = errors_new();
    check(text, len, errors);
    errors_sort(errors);
    char *seen = errors_print(name, errors);
    errors_free(errors);
    free(text);
    return seen;
}

static bool compare(const char *name, const char *path, const char *seen)
{
    size_t len = 0;
    char *expected = file_read(path, &len);
    bool same = strcmp(expected ? expected : "", seen) == 0;
    if (!same)
        printf("%s: expected\n%sseen\n%s\n", name, expected ? expected : "", seen);
    free(expected);
    return same;
}

static bool run_case(const char *folder, const char *name, golden_check *check, bool update)
{
    char path[4096];
    int stem = (int)(strrchr(name, '.') - name);
    snprintf(path, sizeof path, "%s/%.*s.errors", folder, stem, name);
    char *seen = check_file(folder, name, check);
    bool good = seen && (update ? file_write(path, seen) : compare(name, path, seen));
    free(seen);
    return good;
}

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".json") == 0);
}

int golden_main(int argc, char *argv[], golden_check *check)
{
    bool update = argc == 3 && strcmp(argv[1], "--update") == 0;
    struct dirent **entries = NULL;
    int failed = 0;
    if (argc != 2 + update) {
        fprintf(stderr, "usage: %s [--update] FOLDER\n", argv[0]);
        return 2;
    }
    int n = scandir(argv[argc - 1], &entries, is_case, alphasort);
    for (int i = 0; i < n; i++) {
        failed += !run_case(argv[argc - 1], entries[i]->d_name, check, update);
        free(entries[i]);
    }
    free(entries);
    printf("%d passed, %d failed\n", n < 0 ? 0 : n - failed, failed);
    return failed > 0 || n <= 0;
}
