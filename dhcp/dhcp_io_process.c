#include "dhcp/dhcp_io.h"

#include "log/log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    START_LOOK_MS = 20, /* between looks for the pid file */
    STOP_MS = 2000,     /* to end by itself */
    COMMAND_BYTES = 4096,
};

/* --- the list ------------------------------------------------------------------------------- */

struct process *dhcp_process_find(const struct dhcp *dhcp, const char *key)
{
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        if (!strcmp(dhcp->processes[i]->server.key, key)) {
            return dhcp->processes[i];
        }
    }
    return NULL;
}

/* Takes the process in; null with errno if it is gone. */
static struct process *add_process(struct dhcp *dhcp, const struct dhcp_server *server, pid_t pid,
                                   enum process_state state)
{
    int pidfd = pidfd_open(pid, 0);
    struct process *process;

    if (pidfd < 0) {
        return NULL;
    }
    process = xzalloc(sizeof *process);
    *process = (struct process){.server = *server, .state = state, .pid = pid, .pidfd = pidfd};
    if (dhcp->n_processes == dhcp->capacity) {
        dhcp->processes = x2nrealloc(dhcp->processes, &dhcp->capacity, sizeof *dhcp->processes);
    }
    dhcp->processes[dhcp->n_processes++] = process;
    epoll_ctl(dhcp->epoll, EPOLL_CTL_ADD, pidfd,
              &(struct epoll_event){.events = EPOLLIN, .data.fd = pidfd});
    return process;
}

static void drop_process(struct dhcp *dhcp, size_t i)
{
    close(dhcp->processes[i]->pidfd); /* also out of the epoll set */
    free(dhcp->processes[i]);
    dhcp->processes[i] = dhcp->processes[--dhcp->n_processes];
}

void dhcp_process_close(struct dhcp *dhcp)
{
    while (dhcp->n_processes) {
        drop_process(dhcp, 0);
    }
    free(dhcp->processes);
}

/* --- finding -------------------------------------------------------------------------------- */

/* "# routerd: DHCP of bio/genome/segment/campus" */
static void read_owner(const struct dhcp *dhcp, struct dhcp_server *server)
{
    char path[DHCP_PATH + 64], name[DHCP_DIGEST + 8], text[512], *owner;

    snprintf(name, sizeof name, "conf.%s", server->digest);
    if (dhcp_file_read(dhcp_file_path(dhcp, server->key, name, path), text, sizeof text) <= 0) {
        return;
    }
    text[strcspn(text, "\n")] = '\0';
    owner = strstr(text, " of ");
    if (owner) {
        ovs_strzcpy(server->owner, owner + 4, sizeof server->owner);
    }
}

/* Whether the command line, words with a NUL after each, is that of one of ours. */
static bool is_ours(const struct dhcp *dhcp, const char *command, size_t len,
                    struct dhcp_server *ret_server)
{
    char mark[DHCP_PATH + 32];
    const char *key, *dot;
    size_t mark_len = (size_t)snprintf(mark, sizeof mark, "--conf-file=%s/", dhcp->folder);

    for (const char *word = command; word < command + len; word += strlen(word) + 1) {
        if (strncmp(word, mark, mark_len) != 0) {
            continue;
        }
        key = word + mark_len;
        dot = strstr(key, "/conf.");
        if (dot && (size_t)(dot - key) < sizeof ret_server->key &&
            strlen(dot + 6) == DHCP_DIGEST - 1) {
            *ret_server = (struct dhcp_server){.key = ""};
            memcpy(ret_server->key, key, (size_t)(dot - key));
            memcpy(ret_server->digest, dot + 6, DHCP_DIGEST);
            return true;
        }
    }
    return false;
}

static pid_t read_pid_file(const struct dhcp *dhcp, const char *key)
{
    char path[DHCP_PATH + 64], text[32];

    return dhcp_file_read(dhcp_file_path(dhcp, key, "pid", path), text, sizeof text) > 0
               ? (pid_t)strtol(text, NULL, 10)
               : 0;
}

/* False: the process is none of ours, or gone. */
static bool read_server(const struct dhcp *dhcp, pid_t pid, struct dhcp_server *ret_server)
{
    char path[64], command[COMMAND_BYTES];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    len = dhcp_file_read(path, command, sizeof command);
    return len > 0 && is_ours(dhcp, command, (size_t)len, ret_server);
}

/* proc(5), /proc/PID/stat: the fourth field, counted from behind the name. */
static pid_t parent_of(pid_t pid)
{
    char path[64], text[512], *name_end;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (dhcp_file_read(path, text, sizeof text) <= 0) {
        return 0;
    }
    name_end = strrchr(text, ')');
    return name_end && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

/* dnsmasq's children, for queries over TCP, have its command line, too. Another that its pid file
 * does not name was just being started or ended when the last routerd was killed: it would be one
 * too many. */
static void look_at(struct dhcp *dhcp, pid_t pid)
{
    struct dhcp_server server, parent;
    struct process *process;

    if (!read_server(dhcp, pid, &server)) {
        return;
    }
    if (read_pid_file(dhcp, server.key) != pid) {
        if (!read_server(dhcp, parent_of(pid), &parent)) {
            kill(pid, SIGTERM);
        }
        return;
    }
    read_owner(dhcp, &server);
    process = add_process(dhcp, &server, pid, PROCESS_RUNNING);
    if (process) {
        process->adopted = true;
        log_line(LOG_LEVEL_INFO, "dhcp", "the server on %s is there already, as process %d",
                 server.key, (int)pid);
    }
}

int dhcp_process_scan(struct dhcp *dhcp)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    if (!proc) {
        return -errno;
    }
    while ((entry = readdir(proc))) {
        if (isdigit((unsigned char)entry->d_name[0])) {
            look_at(dhcp, (pid_t)strtol(entry->d_name, NULL, 10));
        }
    }
    closedir(proc);
    return 0;
}

/* --- starting ------------------------------------------------------------------------------- */

/* In the child, after fork() and before exec: async-signal-safe calls only. */
static void __attribute__((noreturn))
become(const char *program, char *const argv[], int log_fd, int group_fd)
{
    char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    sigset_t none;

    setsid();
    sigemptyset(&none);
    signal(SIGHUP, SIG_IGN); /* until dnsmasq takes it */
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (group_fd >= 0 && write(group_fd, "0", 1) != 1) {
        _exit(126);
    }
    dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
    dup2(STDIN_FILENO, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    close_range(3, ~0U, 0);
    execve(program, argv, environment);
    _exit(127);
}

static pid_t spawn(const struct dhcp *dhcp, const struct dhcp_change *change, int group_fd)
{
    char path[DHCP_PATH + 64], argument[DHCP_PATH + 128], name[DHCP_DIGEST + 8];
    char *const argv[] = {(char *)"dnsmasq", (char *)"--keep-in-foreground", argument, NULL};
    int log_fd = open(dhcp_file_path(dhcp, change->key, "log", path),
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    pid_t pid;

    if (log_fd < 0) {
        return -1;
    }
    snprintf(name, sizeof name, "conf.%s", change->digest);
    snprintf(argument, sizeof argument, "--conf-file=%s",
             dhcp_file_path(dhcp, change->key, name, path));
    pid = fork();
    if (pid == 0) {
        become(dhcp->dnsmasq, argv, log_fd, group_fd);
    }
    close(log_fd);
    return pid;
}

/* All that must be there before the process. 0 or -errno. */
static int prepare(const struct dhcp *dhcp, const struct dhcp_change *change,
                   const struct dhcp_service *service, uint64_t *ret_serial)
{
    char name[DHCP_DIGEST + 8], path[DHCP_PATH + 64];
    int error = dhcp_file_make_folder(dhcp, change->key);

    snprintf(name, sizeof name, "conf.%s", change->digest);
    if (!error) {
        error = dhcp_hosts_prepare(dhcp, service, ret_serial);
    }
    if (!error) {
        error = dhcp_file_write(dhcp, change->key, name, change->conf, strlen(change->conf));
    }
    if (error < 0) {
        return error;
    }
    dhcp_file_remove(dhcp, change->key, name);
    unlink(dhcp_file_path(dhcp, change->key, "pid", path));
    return 0;
}

static void finish(struct process *process, enum step_result result, const char *reason)
{
    if (process->step) {
        step_finish(process->plan, process->step, result, reason ? "%s" : NULL, reason);
    }
    process->plan = NULL;
    process->step = NULL;
}

/* Starts the process; the step goes on with it. */
static void launch(struct dhcp *dhcp, struct plan *plan, struct step *step,
                   const struct dhcp_change *change, uint64_t serial)
{
    struct dhcp_server server;
    struct process *process;
    int group_fd = -1, error = 0;
    pid_t pid;

    if (change->index) {
        error = dhcp_vrf_enter(change->key, change->index, &group_fd);
    }
    if (error) {
        step_finish(plan, step, STEP_FAILED,
                    "no control group could be made that binds the server to VRF %s: %s; it needs "
                    "cgroup2 at /sys/fs/cgroup",
                    change->key, ovs_strerror(-error));
        return;
    }
    memcpy(server.key, change->key, sizeof server.key);
    memcpy(server.digest, change->digest, sizeof server.digest);
    memcpy(server.owner, change->owner, sizeof server.owner);
    pid = spawn(dhcp, change, group_fd);
    process = pid > 0 ? add_process(dhcp, &server, pid, PROCESS_STARTING) : NULL;
    if (group_fd >= 0) {
        close(group_fd);
    }
    if (!process) {
        step_finish(plan, step, STEP_FAILED, "%s could not be started: %s", dhcp->dnsmasq,
                    ovs_strerror(errno));
        return;
    }
    process->serial = serial;
    process->plan = plan;
    process->step = step;
    process->deadline_ms = time_msec() + BACKEND_DEADLINE_MS;
    step->result = STEP_RUNNING;
}

void dhcp_process_start(struct dhcp *dhcp, struct plan *plan, struct step *step)
{
    const struct dhcp_change *change = step->data;
    const struct dhcp_service *service = dhcp_wanted_find(&dhcp->wanted, change->key);
    uint64_t serial = 0;
    int error;

    if (change->waits || !service || dhcp_process_find(dhcp, change->key)) {
        step_finish(plan, step, STEP_NOT_READY, "%s",
                    change->waits ? change->waits
                    : service     ? "the former server is still ending"
                                  : "the topology has changed");
        return;
    }
    if (access(dhcp->dnsmasq, X_OK)) {
        step_finish(plan, step, STEP_FAILED, "%s cannot be run: %s; install dnsmasq-base",
                    dhcp->dnsmasq, ovs_strerror(errno));
        return;
    }
    error = prepare(dhcp, change, service, &serial);
    if (error == -EAGAIN) {
        step_finish(plan, step, STEP_NOT_READY, "the nodes are not known yet");
    } else if (error) {
        step_finish(plan, step, STEP_FAILED, "cannot write to %s/%s: %s", dhcp->folder, change->key,
                    ovs_strerror(-error));
    } else {
        launch(dhcp, plan, step, change, serial);
    }
}

/* --- stopping ------------------------------------------------------------------------------- */

void dhcp_process_stop(struct dhcp *dhcp, struct plan *plan, struct step *step)
{
    const struct dhcp_change *change = step->data;
    struct process *process = dhcp_process_find(dhcp, change->key);

    if (change->conf && change->waits) {
        step_finish(plan, step, STEP_NOT_READY, "%s", change->waits); /* the old one goes on */
        return;
    }
    if (!process) {
        step_finish(plan, step, STEP_DONE, NULL);
        return;
    }
    finish(process, STEP_FAILED, "it was stopped");
    pidfd_send_signal(process->pidfd, SIGTERM, NULL, 0);
    process->state = PROCESS_STOPPING;
    process->deadline_ms = time_msec() + STOP_MS;
    process->plan = plan;
    process->step = step;
    step->result = STEP_RUNNING;
}

/* --- what became of them -------------------------------------------------------------------- */

/* The last line of what it said while it was started. */
static void last_words(const struct dhcp *dhcp, const char *key, int status, char buffer[160])
{
    char path[DHCP_PATH + 64], text[2048], *end, *line;
    ssize_t len = dhcp_file_read(dhcp_file_path(dhcp, key, "log", path), text, sizeof text);

    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    end = len > 0 ? strrchr(text, '\n') : NULL;
    line = end ? end + 1 : len > 0 ? text : NULL;
    if (line) {
        snprintf(buffer, 160, "%.150s", line);
    } else {
        snprintf(buffer, 160, "dnsmasq ended with status %d and said nothing", status);
    }
}

static void ended(struct dhcp *dhcp, size_t i)
{
    struct process *process = dhcp->processes[i];
    const struct dhcp_change *change = process->step ? process->step->data : NULL;
    bool stopping = process->state == PROCESS_STOPPING;
    struct step *step = process->step;
    struct plan *plan = process->plan;
    siginfo_t info = {.si_status = 0};
    char words[160];

    waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG); /* it may be init's child */
    dhcp_vrf_leave(process->server.key);
    last_words(dhcp, process->server.key, info.si_status, words);
    if (!stopping) {
        log_line(LOG_LEVEL_WARNING, "dhcp", "the server on %s has ended: %s", process->server.key,
                 words);
        finish(process, STEP_FAILED, words);
    } else if (!change || !change->conf) {
        dhcp_file_remove(dhcp, process->server.key, NULL);
        finish(process, STEP_DONE, NULL);
    }
    drop_process(dhcp, i);
    dhcp->changed = true;
    if (stopping && change && change->conf) {
        dhcp_process_start(dhcp, plan, step);
    }
}

static void look_for_pid_file(struct dhcp *dhcp, struct process *process)
{
    if (read_pid_file(dhcp, process->server.key) == process->pid) {
        process->state = PROCESS_RUNNING;
        finish(process, STEP_DONE, NULL);
        dhcp->changed = true;
    } else if (time_msec() >= process->deadline_ms) {
        finish(process, STEP_FAILED, "dnsmasq did not get ready in time");
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
        process->state = PROCESS_STOPPING;
        process->killed = true;
    }
}

static void look_whether_ended(struct process *process)
{
    if (time_msec() >= process->deadline_ms && !process->killed) {
        process->killed = true;
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
    }
}

void dhcp_process_run(struct dhcp *dhcp)
{
    struct epoll_event events[64];
    int n = epoll_wait(dhcp->epoll, events, 64, 0);

    for (int e = 0; e < n; e++) {
        for (size_t i = 0; i < dhcp->n_processes; i++) {
            if (dhcp->processes[i]->pidfd == events[e].data.fd) {
                ended(dhcp, i);
                break;
            }
        }
        if (events[e].data.fd == -1) {
            dhcp_links_run(dhcp);
        } else if (events[e].data.fd == -2) {
            dhcp_neigh_take_events(dhcp);
        }
    }
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        switch (dhcp->processes[i]->state) {
        case PROCESS_STARTING: look_for_pid_file(dhcp, dhcp->processes[i]); break;
        case PROCESS_STOPPING: look_whether_ended(dhcp->processes[i]); break;
        case PROCESS_RUNNING: break;
        }
    }
}

void dhcp_process_wait(const struct dhcp *dhcp)
{
    poll_fd_wait(dhcp->epoll, POLLIN);
    for (size_t i = 0; i < dhcp->n_processes; i++) {
        if (dhcp->processes[i]->state == PROCESS_STARTING) {
            poll_timer_wait(START_LOOK_MS);
        } else if (dhcp->processes[i]->state == PROCESS_STOPPING && !dhcp->processes[i]->killed) {
            poll_timer_wait_until(dhcp->processes[i]->deadline_ms);
        }
    }
}
