#include "store/store_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 8192 };

static void read_output(int fd, struct ds *output)
{
    char buffer[1024];
    ssize_t got;

    while ((got = read(fd, buffer, sizeof buffer)) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0 && output->length < OUTPUT_MAX) {
            ds_put_buffer(output, buffer, (size_t)got);
        }
    }
    ds_chomp(output, '\n');
}

static int spawn_tool(char *const argv[], int in, int out, int error, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int result;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    if (in < 0) {
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    } else {
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, error, 2);
    result = posix_spawnp(ret_pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -result;
}

int tool_run(struct ds *output, int in, int out, char *const argv[])
{
    int pipe_fds[2], status = 0, error;
    pid_t pid;

    ds_clear(output);
    if (pipe2(pipe_fds, O_CLOEXEC)) {
        return -errno;
    }
    error = spawn_tool(argv, in, out < 0 ? pipe_fds[1] : out, pipe_fds[1], &pid);
    close(pipe_fds[1]);
    if (!error) {
        read_output(pipe_fds[0], output);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        error = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
    } else {
        ds_put_format(output, "%s: %s; install Open vSwitch's tools (Debian: openvswitch-common)",
                      argv[0], ovs_strerror(-error));
    }
    close(pipe_fds[0]);
    return error;
}
