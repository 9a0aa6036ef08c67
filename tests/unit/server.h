/* server.h - a real ovsdb-server in a test's own directory. */
#ifndef UNIT_SERVER_H
#define UNIT_SERVER_H

#include <sys/types.h>

/* Runs a command of the shell; the test fails if that does. */
void run_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Starts a server that serves the database file at the socket; all of its own goes to the
 * directory. Returns when it listens, or after 5 s. */
pid_t server_start(const char *directory, const char *socket, const char *database);
/* Kills it, and removes the socket. */
void server_stop(pid_t pid, const char *socket);

#endif
