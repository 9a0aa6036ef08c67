/* Backup and restore of the state database, online, with the tools that come with ovsdb-server: the
 * file is one of theirs, too. A restore replaces all rows in one transaction. */
#include "store/store_internal.h"
#include "store/store_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <lib/jsonrpc.h>
#include <lib/latch.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_MS = 10000 };

/* --- backup --------------------------------------------------------------------------------- */

/* A rename would put the backup in the place of whatever is there, also of /dev/null: only a file
 * is replaced. */
static int check_target(const char *file)
{
    struct stat info;

    if (lstat(file, &info)) {
        return errno == ENOENT ? 0 : -errno;
    }
    return S_ISREG(info.st_mode) ? 0 : -EEXIST;
}

/* Makes the file's new content and its name durable. */
static int publish(int fd, const char *from, const char *to)
{
    char *directory = dir_name(to);
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

    if (fsync(fd) || rename(from, to) || parent < 0 || fsync(parent)) {
        error = -errno;
    }
    if (parent >= 0) {
        close(parent);
    }
    free(directory);
    return error;
}

int store_backup(const struct config *config, const char *file, int timeout_ms, char **ret_message)
{
    char *part = xasprintf("%s.part", file);
    char *timeout = xasprintf("--timeout=%d", MAX(1, timeout_ms / 1000));
    struct ds output = DS_EMPTY_INITIALIZER;
    int error = check_target(file), fd = -1;

    if (error == -EEXIST) {
        ds_put_cstr(&output, "what is there is no regular file");
    }
    if (!error) {
        fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        error = fd < 0 ? -errno : 0;
    }
    if (!error) {
        error = tool_run(&output, -1, fd,
                         (char *const[]){tool_arg("ovsdb-client"), timeout, tool_arg("backup"),
                                         tool_arg(config->state_server),
                                         tool_arg(config->state_database), NULL});
    }
    if (!error) {
        error = publish(fd, part, file);
    }
    *ret_message =
        error ? xasprintf("database %s cannot be written to %s: %s", config->state_database, file,
                          output.length ? ds_cstr(&output) : ovs_strerror(-error))
              : xasprintf("database %s is in %s; it tells all topologies and no secrets",
                          config->state_database, file);
    if (fd >= 0) {
        if (error) {
            unlink(part);
        }
        close(fd);
    }
    ds_destroy(&output);
    free(timeout);
    free(part);
    return error;
}

/* --- the lock ------------------------------------------------------------------------------- */

/* The answer to "lock": 0, -EBUSY if another has it, -EPROTO. */
static int lock_answer(const struct jsonrpc_msg *msg)
{
    const struct json *locked = msg->type == JSONRPC_REPLY && msg->result->type == JSON_OBJECT
                                    ? shash_find_data(json_object(msg->result), "locked")
                                    : NULL;

    return !locked ? -EPROTO : locked->type == JSON_TRUE ? 0 : -EBUSY;
}

/* One turn of a session that wants the lock, or has it; 1: no answer yet. */
static int lock_turn(struct jsonrpc_session *session, const char *name, bool *asked)
{
    struct jsonrpc_msg *msg;
    int result = 1;

    jsonrpc_session_run(session);
    if (!*asked && jsonrpc_session_is_connected(session)) {
        *asked = true;
        jsonrpc_session_send(
            session,
            jsonrpc_create_request("lock", json_array_create_1(json_string_create(name)), NULL));
    }
    msg = jsonrpc_session_recv(session);
    if (msg && msg->type == JSONRPC_REQUEST && !strcmp(msg->method, "echo")) {
        jsonrpc_session_send(session, jsonrpc_create_reply(json_clone(msg->params), msg->id));
    } else if (msg && (msg->type == JSONRPC_REPLY || msg->type == JSONRPC_ERROR)) {
        result = lock_answer(msg);
    }
    jsonrpc_msg_destroy(msg);
    return result;
}

static int take_lock(const struct config *config, struct jsonrpc_session *session)
{
    char *name = xasprintf("routerd_%s", config->state_database);
    int64_t until = time_msec() + LOCK_MS;
    bool asked = false;
    int result = 1;

    while (result > 0 && time_msec() < until) {
        result = lock_turn(session, name, &asked);
        if (result > 0) {
            jsonrpc_session_wait(session);
            jsonrpc_session_recv_wait(session);
            poll_timer_wait_until(until);
            poll_block();
        }
    }
    free(name);
    return result > 0 ? -ETIMEDOUT : result;
}

/* --- restore -------------------------------------------------------------------------------- */

/* The tool runs on a thread of its own, so that the lock's connection stays alive. */
struct restore {
    struct ds output;
    int fd;
    char **argv;
    struct latch ended;
    int result;
};

static void *restore_main(void *aux)
{
    struct restore *restore = aux;

    restore->result = tool_run(&restore->output, restore->fd, -1, restore->argv);
    latch_set(&restore->ended);
    return NULL;
}

static int run_locked(struct jsonrpc_session *session, struct restore *restore)
{
    bool asked = true;
    pthread_t thread;

    latch_init(&restore->ended);
    if (pthread_create(&thread, NULL, restore_main, restore)) {
        abort();
    }
    while (!latch_is_set(&restore->ended)) {
        lock_turn(session, "", &asked);
        jsonrpc_session_wait(session);
        jsonrpc_session_recv_wait(session);
        latch_wait(&restore->ended);
        poll_block();
    }
    pthread_join(thread, NULL);
    latch_destroy(&restore->ended);
    return restore->result;
}

/* Whether the file is a backup of this database that this routerd can read. */
static int check_file(const struct config *config, const char *file, struct ds *output,
                      bool *ret_older, char **ret_message)
{
    int error = TOOL_RUN(output, tool_arg("ovsdb-tool"), tool_arg("db-name"), tool_arg(file));
    int cmp;

    if (!error && strcmp(ds_cstr(output), config->state_database) != 0) {
        *ret_message = xasprintf("%s is a backup of database %s, not %s", file, ds_cstr(output),
                                 config->state_database);
        return -EINVAL;
    }
    if (!error) {
        error = TOOL_RUN(output, tool_arg("ovsdb-tool"), tool_arg("db-version"), tool_arg(file));
    }
    if (error) {
        *ret_message = xasprintf("%s is no backup: %s", file, ds_cstr(output));
        return error;
    }
    cmp = schema_version_cmp(ds_cstr(output), router_schema_version);
    *ret_older = cmp < 0;
    if (cmp > 0) {
        *ret_message = xasprintf(
            "%s has the schema of version %s, newer than this routerd's %s: upgrade routerd", file,
            ds_cstr(output), router_schema_version);
        return -EPROTO;
    }
    return 0;
}

static int replace(const struct config *config, const char *file, bool older, int timeout_ms,
                   struct jsonrpc_session *session, char **ret_message)
{
    char *timeout = xasprintf("--timeout=%d", MAX(1, timeout_ms / 1000));
    char *const argv[] = {tool_arg("ovsdb-client"),
                          timeout,
                          tool_arg("restore"),
                          tool_arg(config->state_server),
                          tool_arg(config->state_database),
                          older ? tool_arg("--force") : NULL,
                          NULL};
    struct restore restore = {.output = DS_EMPTY_INITIALIZER,
                              .fd = open(file, O_RDONLY | O_CLOEXEC),
                              .argv = CONST_CAST(char **, argv)};
    int error = restore.fd < 0 ? -errno : run_locked(session, &restore);

    *ret_message =
        error ? xasprintf("database %s could not be restored and is as it was: %s",
                          config->state_database,
                          restore.output.length ? ds_cstr(&restore.output) : ovs_strerror(-error))
              : xasprintf("database %s is that of %s; start routerd", config->state_database, file);
    if (restore.fd >= 0) {
        close(restore.fd);
    }
    ds_destroy(&restore.output);
    free(timeout);
    return error;
}

int store_restore(const struct config *config, const char *file, int timeout_ms, char **ret_message)
{
    struct ds output = DS_EMPTY_INITIALIZER;
    struct jsonrpc_session *session;
    bool older = false;
    int error = check_file(config, file, &output, &older, ret_message);

    ds_destroy(&output);
    if (!error) {
        error = store_setup(config, timeout_ms, ret_message);
    }
    if (error) {
        return error;
    }
    free(*ret_message);
    session = jsonrpc_session_open(config->state_server, true);
    error = take_lock(config, session);
    if (!error) {
        error = replace(config, file, older, timeout_ms, session, ret_message);
    } else {
        *ret_message =
            error == -EBUSY
                ? xasprintf("a routerd runs and holds the lock of database %s: stop it first "
                            "(systemctl stop routerd); nothing was changed",
                            config->state_database)
                : xasprintf("the state server on %s does not answer: %s", config->state_server,
                            ovs_strerror(-error));
    }
    jsonrpc_session_close(session);
    return error;
}
