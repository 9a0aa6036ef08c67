#include "server.h"

#include "check.h"

#include <lib/util.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void run_command(const char *format, ...)
{
    va_list args;
    char *command;

    va_start(args, format);
    command = xvasprintf(format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
    free(command);
}

pid_t server_start(const char *directory, const char *socket, const char *database)
{
    pid_t pid = fork();

    if (!pid) {
        char *remote = xasprintf("--remote=punix:%s", socket);
        char *ctl = xasprintf("--unixctl=%s/ovsdb-server.%ld.ctl", directory, (long)getpid());

        setenv("OVS_RUNDIR", directory, 1);
        execlp("ovsdb-server", "ovsdb-server", remote, ctl, "-vconsole:off", "-vfile:off", database,
               (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(socket, F_OK); i++) {
        usleep(10000);
    }
    return pid;
}

void server_stop(pid_t pid, const char *socket)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(socket);
}
