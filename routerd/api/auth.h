/* auth.h - who is at the other end of a connection of the control socket. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/server.h"

/* Over IP (the metrics address) everybody is a scraper. On the control socket root and the members
 * of the socket's group are admins of every tenant; `group` is null if the socket has none. Asks
 * the kernel, once for a connection. */
void auth_client(int fd, const gid_t *group, struct client *ret_client);

#endif
