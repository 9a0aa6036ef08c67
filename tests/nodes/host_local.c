/* host_local: CNI's host-local allocates addresses, as a container runtime calls it: a process for
 * each.
 *
 *   host_local PLUGIN CONFIG CLIENTS SECONDS
 *
 * CLIENTS processes of PLUGIN run at a time with the file CONFIG as their input. Prints a line of
 * JSON as load does. Exits 1 if any of them fails. */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1 << 20, CLIENTS = 256 };

struct call {
    pid_t pid;
    int64_t start_ns;
};

static uint32_t latencies_us[CALLS];

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "host_local: %s\n", what);
    exit(1);
}

static void call_start(struct call *call, const char *plugin, const char *config, size_t number)
{
    char id[64];
    char *argv[] = {(char *)plugin, NULL};
    char *environment[] = {
        "CNI_COMMAND=ADD",       id,  "CNI_NETNS=/proc/self/ns/net", "CNI_IFNAME=eth0",
        "CNI_PATH=/usr/lib/cni", NULL};
    posix_spawn_file_actions_t actions;

    snprintf(id, sizeof id, "CNI_CONTAINERID=node-%zu", number);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, config, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    call->start_ns = now_ns();
    if (posix_spawn(&call->pid, plugin, &actions, NULL, argv, environment)) {
        fail("cannot start the plugin");
    }
    posix_spawn_file_actions_destroy(&actions);
}

static int compare(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Waits for any of them. */
static struct call *call_end(struct call *calls, size_t n)
{
    int status;
    pid_t pid = wait(&status);

    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        fail("an allocation failed");
    }
    for (size_t i = 0; i < n; i++) {
        if (calls[i].pid == pid) {
            return &calls[i];
        }
    }
    fail("a process of nobody's has ended");
}

int main(int argc, char **argv)
{
    static struct call calls[CLIENTS];
    size_t clients, started = 0, ended = 0;
    int64_t start, end;

    if (argc != 5) {
        fputs("usage: host_local PLUGIN CONFIG CLIENTS SECONDS\n", stderr);
        return 2;
    }
    clients = strtoul(argv[3], NULL, 10);
    if (!clients || clients > CLIENTS) {
        fail("so many clients cannot be");
    }
    start = now_ns();
    end = start + (int64_t)(atof(argv[4]) * 1e9);
    for (size_t i = 0; i < clients; i++) {
        call_start(&calls[i], argv[1], argv[2], started++);
    }
    while (ended < started && ended < CALLS) {
        struct call *call = call_end(calls, clients);

        latencies_us[ended++] = (uint32_t)((now_ns() - call->start_ns) / 1000);
        if (now_ns() < end) {
            call_start(call, argv[1], argv[2], started++);
        }
    }
    qsort(latencies_us, ended, sizeof *latencies_us, compare);
    printf("{\"nodes\":%zu,\"requests\":%zu,\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,"
           "\"max_us\":%u}\n",
           ended, ended, (double)(now_ns() - start) / 1e9, latencies_us[ended / 2],
           latencies_us[ended * 99 / 100], latencies_us[ended - 1]);
    return 0;
}
