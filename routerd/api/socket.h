/* socket.h - the control socket as a file: there for whom the configuration says and for nobody
 * else, never taken from a living routerd, never left in the way by a dead one. */
#ifndef API_SOCKET_H
#define API_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct control_socket {
    int fd, lock_fd;
    char *path;
    dev_t dev;
    ino_t ino;
    bool has_group;
    gid_t group;
};

/* Makes and binds it; clients can connect from control_socket_listen() on. `group` is null for root
 * alone. 0, or -errno with the reason logged: -EADDRINUSE if another routerd serves it. */
int control_socket_open(const char *path, const char *group, unsigned int mode,
                        struct control_socket **ret_socket);
int control_socket_listen(struct control_socket *control);
/* Removes the file if it is still ours; null is fine. */
void control_socket_close(struct control_socket *control);

/* Listens on "ADDRESS:PORT" for those who collect metrics. 0, or -errno with the place logged. */
int metrics_socket_open(const char *address, int *ret_fd);

#endif
