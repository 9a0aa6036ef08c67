#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads at most DOC_BYTES + 1 bytes, so that a longer file is refused by the parser as too long. */
static int read_all(int fd, char **ret_text, size_t *ret_len)
{
    size_t capacity = 65536, len = 0;
    char *text = malloc(capacity);

    while (text) {
        ssize_t got = read(fd, text + len, capacity - len);

        if (got == 0 || len > DOC_BYTES) {
            *ret_text = text;
            *ret_len = len;
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
        if (len == capacity) {
            char *larger = realloc(text, capacity *= 2);

            if (!larger) {
                errno = ENOMEM;
                break;
            }
            text = larger;
        }
    }
    free(text);
    return errno ? -errno : -ENOMEM;
}

static int read_file(const char *file, char **ret_text, size_t *ret_len)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    int error;

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
        close(fd);
        return S_ISDIR(info.st_mode) ? -EISDIR : -EINVAL;
    }
    error = read_all(fd, ret_text, ret_len);
    close(fd);
    return error;
}

static const char *why_unread(int error)
{
    return error == -EINVAL ? "it is no regular file" : strerror(-error);
}

static void print_errors(FILE *out, const char *file, struct errors *errors)
{
    errors_sort(errors);
    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);

        fprintf(out, "%s:%u:%u: %s%s%s\n", file, error->line, error->column, error->path,
                error->path[0] ? ": " : "", error->message);
    }
    if (errors_count(errors) > errors_kept(errors)) {
        fprintf(out, "%s: and %zu more\n", file, errors_count(errors) - errors_kept(errors));
    }
}

static bool load_profile(const char *directory, const char *file_name, FILE *out,
                         struct profiles *profiles)
{
    struct errors *errors = errors_new();
    char *path = NULL, *name = NULL, *text = NULL;
    size_t len = 0;
    bool ok = false;
    int error;

    if (asprintf(&path, "%s/%s", directory, file_name) < 0 ||
        asprintf(&name, "%.*s", (int)strlen(file_name) - 5, file_name) < 0) {
        abort();
    }
    error = read_file(path, &text, &len);
    if (error) {
        fprintf(out, "%s: %s\n", path, why_unread(error));
    } else {
        ok = profiles_add(profiles, name, text, len, errors);
        print_errors(out, path, errors);
    }
    errors_free(errors);
    free(text);
    free(path);
    free(name);
    return ok;
}

static int is_profile(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 5, ".yaml");
}

static bool load_profiles(const char *directory, FILE *out, struct profiles *profiles)
{
    struct dirent **entries = NULL;
    int n = scandir(directory, &entries, is_profile, alphasort);
    bool ok = true;

    if (n < 0 && errno != ENOENT) {
        fprintf(out, "%s: %s\n", directory, strerror(errno));
        return false;
    }
    for (int i = 0; i < n; i++) {
        ok &= load_profile(directory, entries[i]->d_name, out, profiles);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static struct config *load_config(const char *file, FILE *out)
{
    struct errors *errors = errors_new();
    struct config *config = NULL;
    char *text = NULL;
    size_t len = 0;
    int error = read_file(file, &text, &len);

    if (error) {
        fprintf(out, "%s: %s\n", file, why_unread(error));
    } else {
        config = config_parse(text, len, errors);
        print_errors(out, file, errors);
    }
    free(text);
    errors_free(errors);
    return config;
}

bool config_load(const char *file, FILE *out, struct config **ret_config,
                 struct profiles **ret_profiles)
{
    struct config *config = load_config(file, out);
    struct profiles *profiles;

    if (!config) {
        return false;
    }
    profiles = profiles_new();
    profiles_add_builtin(profiles);
    if (!load_profiles(config->profiles_directory, out, profiles)) {
        config_free(config);
        profiles_free(profiles);
        return false;
    }
    *ret_config = config;
    *ret_profiles = profiles;
    return true;
}
