#include "dhcp/dhcp_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0755, FILE_MODE = 0644 }; /* dnsmasq reads as a user of its own */

const char *dhcp_file_path(const struct dhcp *dhcp, const char *key, const char *name,
                           char buffer[DHCP_PATH + 64])
{
    snprintf(buffer, DHCP_PATH + 64, "%s/%s%s%s", dhcp->folder, key, *name ? "/" : "", name);
    return buffer;
}

/* The umask must not keep dnsmasq out. */
static int make_folder(const char *path)
{
    if (mkdir(path, FOLDER_MODE) && errno != EEXIST) {
        return -errno;
    }
    return chmod(path, FOLDER_MODE) ? -errno : 0;
}

int dhcp_file_make_folder(const struct dhcp *dhcp, const char *key)
{
    char path[DHCP_PATH + 64];
    int error = make_folder(dhcp->folder);

    return error ? error : make_folder(dhcp_file_path(dhcp, key, "", path));
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static bool file_says(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char buffer[65536];
    size_t at = 0;
    ssize_t n;

    if (fd < 0) {
        return false;
    }
    while ((n = read(fd, buffer, sizeof buffer)) > 0 && at + (size_t)n <= len &&
           !memcmp(buffer, text + at, (size_t)n)) {
        at += (size_t)n;
    }
    close(fd);
    return n == 0 && at == len;
}

int dhcp_file_write(const struct dhcp *dhcp, const char *key, const char *name, const char *text,
                    size_t len)
{
    char path[DHCP_PATH + 64], new_path[DHCP_PATH + 64];
    int fd, error;

    dhcp_file_path(dhcp, key, name, path);
    if (file_says(path, text, len)) {
        return 1;
    }
    dhcp_file_path(dhcp, key, "new", new_path);
    fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return -errno;
    }
    error = fchmod(fd, FILE_MODE) ? -errno : write_all(fd, text, len);
    if (close(fd) && !error) {
        error = -errno;
    }
    if (!error && rename(new_path, path)) {
        error = -errno;
    }
    if (error) {
        unlink(new_path);
    }
    return error;
}

ssize_t dhcp_file_read(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        return -errno;
    }
    n = read(fd, buffer, size - 1);
    if (n < 0) {
        n = -errno;
    }
    buffer[n > 0 ? n : 0] = '\0';
    close(fd);
    return n;
}

void dhcp_file_remove(const struct dhcp *dhcp, const char *key, const char *keep)
{
    char path[DHCP_PATH + 64];
    struct dirent *entry;
    DIR *folder = opendir(dhcp_file_path(dhcp, key, "", path));

    if (!folder) {
        return;
    }
    while ((entry = readdir(folder))) {
        bool is_conf = !strncmp(entry->d_name, "conf.", 5);

        if (entry->d_name[0] != '.' && (!keep || (is_conf && strcmp(entry->d_name, keep) != 0))) {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    closedir(folder);
    if (!keep) {
        rmdir(path);
    }
}
