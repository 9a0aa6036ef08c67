#include "api/socket.h"

#include "api/buffer.h"
#include "log/log.h"

#include <errno.h>
#include <event2/util.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int failed(const char *path, const char *what)
{
    int error = errno ? errno : EIO;

    log_line(LOG_LEVEL_ERROR, "api", "control socket %s: %s: %s", path, what, strerror(error));
    return -error;
}

static int find_group(const char *name, gid_t *ret_group)
{
    long hint = sysconf(_SC_GETGR_R_SIZE_MAX);
    size_t size = hint > 0 ? (size_t)hint : 1024;
    struct group group, *found = NULL;
    int error;

    do {
        char *buffer = api_alloc(size);

        error = getgrnam_r(name, &group, buffer, size, &found);
        *ret_group = found ? group.gr_gid : 0;
        free(buffer);
        size *= 2;
    } while (error == ERANGE && size < (1 << 20));
    if (!found) {
        log_line(LOG_LEVEL_ERROR, "api",
                 "control.socket.group: there is no group %s; make it (groupadd --system %s) or "
                 "name another",
                 name, name);
        return -EINVAL;
    }
    return 0;
}

static int make_address(const char *path, struct sockaddr_un *ret_address)
{
    size_t len = strlen(path);

    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof ret_address->sun_path) {
        errno = ENAMETOOLONG;
        return failed(path, "the path is too long");
    }
    memcpy(ret_address->sun_path, path, len + 1);
    return 0;
}

/* The directory of a service manager's making is there; a bare machine's /run has none. */
static void make_directory(const char *path)
{
    char *directory = api_strdup(path), *slash = strrchr(directory, '/');

    if (slash && slash > directory) {
        *slash = '\0';
        (void)mkdir(directory, 0755); /* if it is missing then, bind() says so */
    }
    free(directory);
}

/* Two routerds that start at the same moment would both find a dead one's socket and each remove
 * the other's: the lock of the file beside it lets one go first. Its holder keeps it for life. */
static int take_lock(struct control_socket *control)
{
    char *path = api_printf("%s.lock", control->path);

    control->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (control->lock_fd < 0) {
        return failed(control->path, "its lock cannot be made");
    }
    if (flock(control->lock_fd, LOCK_EX | LOCK_NB)) {
        errno = EADDRINUSE;
        return failed(control->path, "another routerd has its lock");
    }
    return 0;
}

static int connect_to(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -errno : 0;

    if (!result && connect(fd, (const struct sockaddr *)address, sizeof *address)) {
        result = -errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

/* Removes the socket of a routerd that is dead. */
static int remove_stale(const struct sockaddr_un *address)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status)) {
        return errno == ENOENT ? 0 : failed(path, "it cannot be looked at");
    }
    if (!S_ISSOCK(status.st_mode)) {
        errno = EEXIST;
        return failed(path, "something that is no socket is in its place");
    }
    if (connect_to(address) != -ECONNREFUSED) {
        errno = EADDRINUSE;
        return failed(path, "somebody serves it already");
    }
    return unlink(path) ? failed(path, "the dead one's cannot be removed") : 0;
}

/* Nobody can connect before listen(), so mode and group are right by then, whatever the umask. */
static int bind_in_place(struct control_socket *control, const struct sockaddr_un *address,
                         unsigned int mode)
{
    struct stat status;

    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0) {
        return failed(control->path, "no socket can be made");
    }
    if (bind(control->fd, (const struct sockaddr *)address, sizeof *address)) {
        return failed(control->path, "it cannot be made");
    }
    if (lstat(control->path, &status)) {
        return failed(control->path, "it cannot be looked at");
    }
    control->dev = status.st_dev;
    control->ino = status.st_ino;
    if (control->has_group && chown(control->path, (uid_t)-1, control->group)) {
        return failed(control->path, "its group cannot be set");
    }
    return chmod(control->path, mode) ? failed(control->path, "its mode cannot be set") : 0;
}

static int socket_make(struct control_socket *control, const char *group, unsigned int mode)
{
    struct sockaddr_un address;
    int error = group ? find_group(group, &control->group) : 0;

    if (!error) {
        error = make_address(control->path, &address);
    }
    if (!error) {
        make_directory(control->path);
        error = take_lock(control);
    }
    if (!error) {
        error = remove_stale(&address);
    }
    return error ? error : bind_in_place(control, &address, mode);
}

int control_socket_open(const char *path, const char *group, unsigned int mode,
                        struct control_socket **ret_socket)
{
    struct control_socket *control = api_alloc(sizeof *control);
    int error;

    *control = (struct control_socket){
        .fd = -1, .lock_fd = -1, .path = api_strdup(path), .has_group = group != NULL};
    error = socket_make(control, group, mode);
    if (error) {
        control_socket_close(control);
        return error;
    }
    *ret_socket = control;
    return 0;
}

int control_socket_listen(struct control_socket *control)
{
    return listen(control->fd, BACKLOG) ? failed(control->path, "it cannot be listened on") : 0;
}

void control_socket_close(struct control_socket *control)
{
    struct stat status;

    if (!control) {
        return;
    }
    if (control->ino && !lstat(control->path, &status) && status.st_dev == control->dev &&
        status.st_ino == control->ino) {
        unlink(control->path);
    }
    if (control->fd >= 0) {
        close(control->fd);
    }
    if (control->lock_fd >= 0) {
        close(control->lock_fd);
    }
    free(control->path);
    free(control);
}

int metrics_socket_open(const char *address, int *ret_fd)
{
    struct sockaddr_storage sockaddr;
    int len = sizeof sockaddr, on = 1, fd, error;

    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&sockaddr, &len)) {
        return -EINVAL; /* the configuration was checked, so this is a form that libevent does not
                           know */
    }
    fd = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&sockaddr, (socklen_t)len) || listen(fd, 16)) {
        error = -errno;
        log_line(LOG_LEVEL_ERROR, "api", "metrics.address: cannot listen on %s: %s", address,
                 strerror(-error));
        if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    *ret_fd = fd;
    return 0;
}
