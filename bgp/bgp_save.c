#include "bgp/bgp_save.h"

#include "backend/secret.h"
#include "bgp/bgp_config.h"
#include "bgp/bgp_process.h"
#include "log/log.h"
#include "model/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <openvswitch/poll-loop.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SETTLE_MS = 2000,      /* a change may be followed by others */
    SETTLE_MAX_MS = 10000, /* but not for longer */
    DEADLINE_MS = 30000,
    LACKS_MS = 2000, /* to look again whether FRR has read its boot file */
    RETRY_MIN_MS = 10000,
    RETRY_MAX_MS = 300000,
    BOOT_BYTES = 64 << 20,
};

struct bgp_save {
    char *vtysh;
    char *files[2]; /* boot files, the first that exists counts */
    bool known;     /* `saved` is what the boot file says */
    uint64_t saved, seen;
    char *running; /* bgpd's configuration, while it is not saved */
    size_t running_len;
    long long due_ms; /* 0: nothing to save */
    long long first_ms;
    int pidfd; /* of vtysh; -1: none */
    uint64_t saving;
    pid_t bgpd;
    long long deadline_ms, retry_ms;
};

struct bgp_save *bgp_save_new(const char *vtysh, const char *directory)
{
    struct bgp_save *save = xzalloc(sizeof *save);

    save->vtysh = xstrdup(vtysh);
    save->files[0] = xasprintf("%s/frr.conf", directory);
    save->files[1] = xasprintf("%s/bgpd.conf", directory);
    save->pidfd = -1;
    return save;
}

static void forget_running(struct bgp_save *save)
{
    if (save->running) {
        explicit_bzero(save->running, save->running_len);
    }
    free(save->running);
    save->running = NULL;
}

void bgp_save_free(struct bgp_save *save)
{
    if (!save) {
        return;
    }
    if (save->pidfd >= 0) {
        close(save->pidfd);
    }
    forget_running(save);
    free(save->vtysh);
    free(save->files[0]);
    free(save->files[1]);
    free(save);
}

/* The whole of a file, malloc'ed, or null. */
static char *read_file(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *text = NULL;
    size_t len = 0;

    if (fd < 0) {
        return NULL;
    }
    if (!fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size <= BOOT_BYTES) {
        size_t size = (size_t)status.st_size;
        ssize_t n = 1;

        text = xmalloc(size + 1);
        while (len < size && (n = read(fd, text + len, size - len)) > 0) {
            len += (size_t)n;
        }
    }
    close(fd);
    *ret_len = len;
    return text;
}

static char *read_boot(const struct bgp_save *save, size_t *ret_len)
{
    char *text = read_file(save->files[0], ret_len);

    return text ? text : read_file(save->files[1], ret_len);
}

/* The first line of the text, without its newline; false at the end. */
static bool next_line(const char **text, const char *end, const char **ret_line, size_t *ret_len)
{
    const char *newline;

    if (*text >= end) {
        return false;
    }
    newline = memchr(*text, '\n', (size_t)(end - *text));
    *ret_line = *text;
    *ret_len = (size_t)((newline ? newline : end) - *text);
    *text += *ret_len + 1;
    return true;
}

static bool starts_foreign_bgp(const char *line, size_t len)
{
    static const char HEAD[] = "router bgp ";
    const char *vrf;
    char name[IFNAME_TEXT];

    if (len < strlen(HEAD) || memcmp(line, HEAD, strlen(HEAD)) != 0) {
        return false;
    }
    vrf = memmem(line, len, " vrf ", 5);
    if (!vrf) {
        return true;
    }
    vrf += 5;
    ovs_strzcpy(name, "", sizeof name);
    for (size_t i = 0; vrf < line + len && *vrf != ' ' && i + 1 < sizeof name; i++) {
        name[i] = *vrf++;
    }
    return !ids_of_vrf(name);
}

static bool has_line(const char *text, size_t text_len, const char *wanted, size_t wanted_len)
{
    const char *end = text + text_len, *line;
    size_t len;

    while (next_line(&text, end, &line, &len)) {
        if (len == wanted_len && !memcmp(line, wanted, len)) {
            return true;
        }
    }
    return false;
}

bool bgp_save_lacks(const char *boot, size_t boot_len, const char *running, size_t running_len)
{
    const char *end = boot + boot_len, *line;
    size_t len;

    while (next_line(&boot, end, &line, &len)) {
        if (starts_foreign_bgp(line, len) && !has_line(running, running_len, line, len)) {
            return true;
        }
    }
    return false;
}

/* Learns what FRR would start with. */
static void learn_saved(struct bgp_save *save)
{
    size_t len;
    char *text = read_boot(save, &len);

    save->known = true;
    save->saved = 0;
    if (text) {
        struct bgp_state *state = bgp_config_parse(text, len, secret_digest, NULL);

        save->saved = state->fingerprint;
        bgp_state_free(state);
        explicit_bzero(text, len);
        free(text);
    }
}

void bgp_save_note(struct bgp_save *save, const char *config, size_t len, uint64_t fingerprint,
                   pid_t bgpd)
{
    bool changed = fingerprint != save->seen;

    if (!save->known) {
        learn_saved(save);
        changed = true;
    }
    save->seen = fingerprint;
    save->bgpd = bgpd;
    forget_running(save);
    if (fingerprint == save->saved) {
        save->due_ms = 0;
        return;
    }
    save->running = xmemdup0(config, len);
    save->running_len = len;
    if (!save->due_ms) {
        save->first_ms = time_msec();
    }
    if (!save->due_ms || changed) {
        save->due_ms = MIN(time_msec() + SETTLE_MS, save->first_ms + SETTLE_MAX_MS);
    }
}

static void failed(struct bgp_save *save, const char *what, const char *detail)
{
    log_line(
        LOG_LEVEL_ERROR, "bgp",
        "FRR's configuration could not be saved, and a restarted FRR has to wait for routerd to "
        "configure it: %s %s%s",
        save->vtysh, what, detail);
    save->retry_ms = MAX(RETRY_MIN_MS, MIN(save->retry_ms * 2, RETRY_MAX_MS));
    save->due_ms = time_msec() + save->retry_ms;
    save->first_ms = save->due_ms;
}

static void start_vtysh(struct bgp_save *save)
{
    char *argv[] = {save->vtysh, "-c", "write memory", NULL};
    char *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "VTYSH_PAGER=cat", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid;
    int error;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = posix_spawn(&pid, save->vtysh, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error) {
        failed(save, "cannot be started: ", ovs_strerror(error));
        return;
    }
    save->pidfd = pidfd_open(pid, 0);
    ovs_assert(save->pidfd >= 0);
    save->saving = save->seen;
    save->deadline_ms = time_msec() + DEADLINE_MS;
    save->due_ms = 0;
}

/* Whether FRR seems to have read its boot file. */
static bool may_save(const struct bgp_save *save)
{
    size_t len;
    char *boot = bgp_process_is_young(save->bgpd) ? read_boot(save, &len) : NULL;
    bool lacks = boot && bgp_save_lacks(boot, len, save->running, save->running_len);

    if (boot) {
        explicit_bzero(boot, len);
        free(boot);
    }
    return !lacks;
}

static void finish_vtysh(struct bgp_save *save)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)save->pidfd, &info, WEXITED | WNOHANG) || !info.si_pid) {
        return;
    }
    close(save->pidfd);
    save->pidfd = -1;
    if (info.si_code != CLD_EXITED || info.si_status) {
        failed(save, "failed on \"write memory\"", "; try that by hand to see why");
        return;
    }
    save->retry_ms = 0;
    save->saved = save->saving;
    log_line(LOG_LEVEL_INFO, "bgp", "FRR has saved its configuration");
    if (save->seen != save->saved && !save->due_ms) {
        save->due_ms = save->first_ms = time_msec() + SETTLE_MS;
    }
}

void bgp_save_run(struct bgp_save *save)
{
    if (save->pidfd >= 0) {
        if (time_msec() >= save->deadline_ms) {
            pidfd_send_signal(save->pidfd, SIGKILL, NULL, 0);
            save->deadline_ms = time_msec() + DEADLINE_MS;
        }
        finish_vtysh(save);
    } else if (save->due_ms && time_msec() >= save->due_ms && save->running) {
        if (may_save(save)) {
            start_vtysh(save);
        } else {
            save->due_ms = time_msec() + LACKS_MS;
        }
    }
}

void bgp_save_wait(const struct bgp_save *save)
{
    if (save->pidfd >= 0) {
        poll_fd_wait(save->pidfd, POLLIN);
        poll_timer_wait_until(save->deadline_ms);
    } else if (save->due_ms) {
        poll_timer_wait_until(save->due_ms);
    }
}
