#include "backend/secret.h"

#include "backend/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* A secret's name, and that of a certificate's file, which has ".pem" behind it. */
enum { SECRET_NAME = 63, FILE_NAME = 67 };

static bool name_valid(const char *name, size_t max)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._");
    return len >= 1 && len <= max && !name[len] && name[0] != '.';
}

/* Opens the file, or -errno. A FIFO must not make us wait, hence O_NONBLOCK. */
static int secret_open(const char *directory, const char *name, size_t max)
{
    if (!name_valid(name, max))
        return -EINVAL;
    int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error = fd < 0 ? -errno : 0;
    close(dir);
    if (error)
        return error;

    struct stat st;
    if (fstat(fd, &st) < 0)
        error = -errno;
    else if (!S_ISREG(st.st_mode))
        error = -EINVAL;
    if (error)
        close(fd);
    return error ? error : fd;
}

/* Reads up to `size` bytes; their number, or -errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, bytes + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

int secret_read(const char *directory, const char *name, struct secret *ret_secret)
{
    char bytes[SECRET_BYTES + 2]; /* a newline, and one more to see that it is too long */
    int fd = secret_open(directory, name, SECRET_NAME);
    if (fd < 0)
        return fd;
    ssize_t len = read_all(fd, bytes, sizeof bytes);
    close(fd);

    if (len > 0 && bytes[len - 1] == '\n')
        len--;
    int error = len < 0 ? (int)len : len == 0 ? -EINVAL : len > SECRET_BYTES ? -EFBIG : 0;
    if (!error) {
        memcpy(ret_secret->bytes, bytes, (size_t)len);
        ret_secret->bytes[len] = '\0';
        ret_secret->len = (size_t)len;
    }
    explicit_bzero(bytes, sizeof bytes);
    return error;
}

ssize_t secret_read_file(const char *directory, const char *name, char *bytes, size_t size)
{
    int fd = secret_open(directory, name, FILE_NAME);
    if (fd < 0)
        return fd;
    ssize_t len = read_all(fd, bytes, size);
    char more;
    if (len == (ssize_t)size && read_all(fd, &more, 1) == 1)
        len = -EFBIG;
    close(fd);
    return len == 0 ? -EINVAL : len;
}

bool secret_file_exists(const char *directory, const char *name)
{
    int fd = secret_open(directory, name, FILE_NAME);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool secret_exists(const char *directory, const char *name)
{
    struct secret secret;
    bool exists = secret_read(directory, name, &secret) == 0;
    if (exists)
        secret_wipe(&secret);
    return exists;
}

void secret_wipe(struct secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}

static struct siphash_key process_key;

static void make_key(void)
{
    if (getrandom(&process_key, sizeof process_key, 0) != sizeof process_key)
        abort(); /* cannot fail for so few bytes, getrandom(2) */
}

uint64_t secret_digest(const void *bytes, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    return siphash(&process_key, bytes, len);
}
