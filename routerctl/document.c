#include "routerctl/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool is_stdin(const char *file)
{
    return !strcmp(file, "-");
}

const char *ctl_document_name(const char *file)
{
    return is_stdin(file) ? "<stdin>" : file;
}

static int read_all(int fd, struct ctl_buffer *text)
{
    char bytes[64 << 10];

    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);

        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        ctl_buffer_add(text, bytes, n > 0 ? (size_t)n : 0);
        if (text->len > CTL_DOCUMENT_BYTES) {
            return -EFBIG;
        }
    }
}

int ctl_document_read(const char *file, struct ctl_buffer *ret_text)
{
    int fd = is_stdin(file) ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct ctl_buffer text = {0};
    int error;

    if (fd < 0) {
        return -errno;
    }
    error = read_all(fd, &text);
    if (fd != STDIN_FILENO) {
        close(fd);
    }
    if (error) {
        ctl_buffer_done(&text);
        return error;
    }
    *ret_text = text;
    return 0;
}
