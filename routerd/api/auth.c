#include "api/auth.h"

#include "api/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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
    snprintf(ret_client->who, sizeof ret_client->who, "uid %u%s", (unsigned int)credentials.uid,
             credentials.uid ? "" : " (root)");
    ret_client->admin =
        credentials.uid == 0 || (group && (credentials.gid == *group || has_group(fd, *group)));
}
