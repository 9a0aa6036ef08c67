/* secret.h - reading the facility's secrets: PSKs, BGP passwords.
 *
 * A secret NAME is the file NAME in the configured directory, its whole content without one
 * trailing newline. Its bytes go to charon or FRR and nowhere else: no log, status, plan, event or
 * error ever holds them (their digest may be compared). Files are read when needed, so a changed
 * file takes effect at the next pass. */
#ifndef BACKEND_SECRET_H
#define BACKEND_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SECRET_BYTES = 4096 };

struct secret {
    char bytes[SECRET_BYTES + 1]; /* NUL-terminated after len */
    size_t len;
};

/* Reads one. -ENOENT, -EACCES, -EINVAL (name not 1-63 of a-z 0-9 - . _, or starting with a dot; not
 * a regular file; empty), -EFBIG, ... The caller wipes it with secret_wipe(). */
int secret_read(const char *directory, const char *name, struct secret *ret_secret);
/* Reads a file of up to `size` bytes as it is, such as a certificate or its key: the number of
 * bytes, or -errno as secret_read(). The caller wipes what may hold a key. */
ssize_t secret_read_file(const char *directory, const char *name, char *bytes, size_t size);
/* Whether there is a regular file of that name that can be opened. */
bool secret_file_exists(const char *directory, const char *name);
bool secret_exists(const char *directory, const char *name);
void secret_wipe(struct secret *secret);
/* A digest of bytes under a key made once per process, for comparing without keeping. */
uint64_t secret_digest(const void *bytes, size_t len);

#endif
