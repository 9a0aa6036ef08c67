/* OVSDB holds what ovs-vswitchd is to do and what it last did; that the daemon has died or hangs is
 * not in it. So we hold a connection to its control socket (ovs-appctl(8)) open, whose end is the
 * daemon's end, and ask for its version now and then, which only a working main loop answers. */
#include "ovs/ovs_io.h"

#include "log/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ASK_MS = 1500,      /* from an answer to the next call */
    ANSWER_MS = 3500,   /* a call's deadline: together a daemon that hangs is seen in 5 s */
    SEARCH_MS = 250,    /* between looks for a new daemon's socket */
    HANDLERS_MS = 5000, /* what a new daemon gets to start its threads */
    BUSY_MS = 120000,   /* how long one that works hard may leave a call unanswered */
};

static const char PREFIX[] = "ovs-vswitchd.", SUFFIX[] = ".ctl";
/* JSON-RPC 1.0, as unixctl speaks it. Any answer will do. */
static const char CALL[] = "{\"id\":0,\"method\":\"version\",\"params\":[]}";

void ovs_watch_init(struct ovs_watch *watch, const char *server)
{
    const char *slash;

    memset(watch, 0, sizeof *watch);
    watch->fd = -1;
    if (strncmp(server, "unix:", 5) != 0 || !(slash = strrchr(server, '/'))) {
        watch->alive = true; /* an OVS elsewhere: cur_cfg has to tell */
        return;
    }
    watch->directory = xmemdup0(server + 5, (size_t)(slash - server) - 5);
}

static void set_text(char **text, char *value)
{
    free(*text);
    *text = value;
}

static void hang_up(struct ovs_watch *watch)
{
    if (watch->fd >= 0) {
        close(watch->fd);
        watch->fd = -1;
    }
}

void ovs_watch_done(struct ovs_watch *watch)
{
    hang_up(watch);
    free(watch->directory);
    free(watch->reason);
    free(watch->warning);
}

/* --- /proc --- */

/* The state letter and CPU time of the daemon's process (proc_pid_stat(5)); false if it is not to
 * be seen from here. */
static bool read_stat(int pid, char *ret_state, long long *ret_ticks)
{
    long long user, system;
    char path[64], text[512];
    const char *end;
    size_t n;
    FILE *file;

    if (pid <= 0) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, pid);
    file = fopen(path, "re");
    if (!file) {
        return false;
    }
    n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    end = strrchr(text, ')');
    if (!end || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", ret_state,
                       &user, &system) != 3) {
        return false;
    }
    *ret_ticks = user + system;
    return true;
}

/* Whether it has used the CPU since it was last looked at, or is deep in the kernel. */
static bool is_working(struct ovs_watch *watch)
{
    long long ticks;
    char state;
    bool working;

    if (!read_stat(watch->pid, &state, &ticks) || strchr("TtZX", state)) {
        return false;
    }
    working = ticks > watch->cpu_ticks || state == 'D';
    watch->cpu_ticks = ticks;
    return working;
}

static bool is_handler(int dir_fd, const char *task)
{
    char path[288], name[32] = "";
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "%s/comm", task);
    fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
    if (fd >= 0) {
        close(fd);
    }
    return n > 0 && !strncmp(name, "handler", 7);
}

/* A daemon started within 10 s of the machine's boot may count no CPUs and start no handler
 * threads: then no first packet of a flow is ever forwarded, and only its log says so. */
static void look_for_handlers(struct ovs_watch *watch)
{
    char path[64];
    struct dirent *entry;
    bool found = false;
    long long ticks;
    char state;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", watch->pid);
    dir = read_stat(watch->pid, &state, &ticks) ? opendir(path) : NULL;
    if (!dir) {
        return;
    }
    while (!found && (entry = readdir(dir))) {
        found = entry->d_name[0] != '.' && is_handler(dirfd(dir), entry->d_name);
    }
    closedir(dir);
    watch->looked = found;
    if (found) {
        set_text(&watch->warning, NULL);
    } else if (!watch->warning) {
        set_text(&watch->warning,
                 xasprintf("ovs-vswitchd (pid %d) has no handler threads and forwards nothing; was "
                           "it started within 10 s of boot? Restart openvswitch-switch",
                           watch->pid));
        log_line(LOG_LEVEL_ERROR, "ovs", "%s", watch->warning);
    }
}

/* --- the connection --- */

static void away(struct ovs_watch *watch, char *reason)
{
    hang_up(watch);
    watch->alive = false;
    watch->pid = 0;
    watch->busy_until_ms = 0;
    watch->next_ms = time_msec() + SEARCH_MS;
    set_text(&watch->reason, reason);
    set_text(&watch->warning, NULL);
}

int ovs_watch_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* Connects to one socket; those of daemons that are gone refuse. */
static int try_socket(struct ovs_watch *watch, const char *name)
{
    char *path = xasprintf("%s/%s", watch->directory, name);
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    int fd = ovs_watch_connect(path);

    free(path);
    if (fd < 0) {
        return fd;
    }
    watch->fd = fd;
    getsockopt(watch->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    watch->pid = peer.pid;
    watch->looked = watch->asked = false;
    watch->next_ms = time_msec();
    return 0;
}

static bool is_socket_name(const char *name)
{
    size_t n = strlen(name);

    return n > strlen(PREFIX) + strlen(SUFFIX) && !strncmp(name, PREFIX, strlen(PREFIX)) &&
           !strcmp(name + n - strlen(SUFFIX), SUFFIX);
}

static void search(struct ovs_watch *watch)
{
    struct dirent *entry;
    DIR *dir = opendir(watch->directory);
    int error = dir ? -ENOENT : -errno;

    while (dir && watch->fd < 0 && (entry = readdir(dir))) {
        if (is_socket_name(entry->d_name)) {
            error = try_socket(watch, entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (watch->fd < 0) {
        away(watch,
             xasprintf("ovs-vswitchd does not answer in %s: %s; is openvswitch-switch running?",
                       watch->directory, ovs_strerror(-error)));
    }
}

static void ask(struct ovs_watch *watch)
{
    long long ticks;
    char state;

    if (send(watch->fd, CALL, strlen(CALL), MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        return; /* the next receive() will say why */
    }
    watch->asked = true;
    watch->asked_ms = time_msec();
    watch->busy_until_ms = 0;
    watch->cpu_ticks = read_stat(watch->pid, &state, &ticks) ? ticks : 0;
}

/* Takes in what has come. False if the connection has ended. */
static bool receive(struct ovs_watch *watch)
{
    char bytes[512];
    ssize_t n;

    while ((n = recv(watch->fd, bytes, sizeof bytes, 0)) > 0) {
        watch->asked = false;
        watch->busy_until_ms = 0;
        watch->next_ms = time_msec() + ASK_MS;
        watch->alive_ms = watch->alive ? watch->alive_ms : time_msec();
        watch->alive = true;
        set_text(&watch->reason, NULL);
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* An unanswered call: of one that is seen to work for a long time it is no proof. */
static void overdue(struct ovs_watch *watch, long long patience_ms)
{
    long long now = time_msec();

    if (now < MAX(watch->asked_ms + BUSY_MS, patience_ms) && is_working(watch)) {
        watch->busy_until_ms = now + ANSWER_MS;
        return;
    }
    away(watch, xasprintf("ovs-vswitchd (control socket in %s) does not answer: it hangs",
                          watch->directory));
}

static long long deadline(const struct ovs_watch *watch)
{
    return MAX(watch->asked_ms + ANSWER_MS, watch->busy_until_ms);
}

static void connected_run(struct ovs_watch *watch, bool kernel, long long patience_ms)
{
    if (!receive(watch)) {
        away(watch, xasprintf("ovs-vswitchd in %s has ended; is openvswitch-switch running?",
                              watch->directory));
    } else if (watch->asked && time_msec() >= deadline(watch)) {
        overdue(watch, patience_ms);
    } else if (!watch->asked && time_msec() >= watch->next_ms) {
        if (watch->alive && kernel && !watch->looked &&
            time_msec() >= watch->alive_ms + HANDLERS_MS) {
            look_for_handlers(watch);
        }
        ask(watch);
    }
}

void ovs_watch_run(struct ovs_watch *watch, bool kernel, long long patience_ms)
{
    if (!watch->directory) {
        return;
    }
    if (watch->fd < 0 && time_msec() >= watch->next_ms) {
        search(watch);
    }
    if (watch->fd >= 0) {
        connected_run(watch, kernel, patience_ms);
    }
}

void ovs_watch_wait(const struct ovs_watch *watch)
{
    if (!watch->directory) {
        return;
    }
    if (watch->fd < 0) {
        poll_timer_wait_until(watch->next_ms);
        return;
    }
    poll_fd_wait(watch->fd, POLLIN);
    poll_timer_wait_until(watch->asked ? deadline(watch) : watch->next_ms);
}

bool ovs_watch_busy(const struct ovs_watch *watch)
{
    return watch->alive && watch->asked && watch->busy_until_ms > time_msec();
}
