#include "api/auth.h"

#include "api/buffer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The client's supplementary groups as they were when it connected, in heap memory. */
static gid_t *peer_groups(int fd, size_t *ret_n)
{
    socklen_t size = 64 * sizeof(gid_t);
    gid_t *groups = api_alloc(size);
    int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);

    if (result && errno == ERANGE) { /* and then `size` is what it takes */
        free(groups);
        groups = api_alloc(size);
        result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    }
    *ret_n = result ? 0 : size / sizeof *groups;
    return groups;
}

static bool has_group(int fd, gid_t group)
{
    size_t n;
    gid_t *groups = peer_groups(fd, &n);
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        found |= groups[i] == group;
    }
    free(groups);
    return found;
}

/* The user's name, if this machine's own file of users has one: a directory service may not answer
 * for long, and nobody waits for a name. */
static bool local_name(uid_t uid, char name[CLIENT_USER])
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd entry, *found = NULL;
    char text[1024];
    bool known = false;

    while (file && !known && !fgetpwent_r(file, &entry, text, sizeof text, &found)) {
        known = entry.pw_uid == uid && strlen(entry.pw_name) < CLIENT_USER;
    }
    if (known) {
        memcpy(name, entry.pw_name, strlen(entry.pw_name) + 1);
    }
    if (file) {
        fclose(file);
    }
    return known;
}

static void name_client(uid_t uid, char who[CLIENT_WHO])
{
    char name[CLIENT_USER];

    if (local_name(uid, name)) {
        snprintf(who, CLIENT_WHO, "uid %u (%s)", (unsigned int)uid, name);
    } else {
        snprintf(who, CLIENT_WHO, "uid %u%s", (unsigned int)uid, uid ? "" : " (root)");
    }
}

void auth_client(int fd, const gid_t *group, struct client *ret_client)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials, domain_size = sizeof(int);
    int domain = AF_UNSPEC;

    *ret_client = (struct client){.admin = false, .who = "unknown"};
    if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) && domain != AF_UNIX) {
        ret_client->scraper = true;
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size)) {
        return;
    }
    name_client(credentials.uid, ret_client->who);
    ret_client->admin =
        credentials.uid == 0 || (group && (credentials.gid == *group || has_group(fd, *group)));
}
