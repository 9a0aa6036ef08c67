/* Making, serving and upgrading the state database with the tools that come with ovsdb-server,
 * which know its file format and its locks. */
#include "store/store_internal.h"
#include "store/store_tool.h"

#include "log/log.h"

#include <errno.h>
#include <glob.h>
#include <lib/latch.h>
#include <lib/util.h>
#include <openvswitch/dynamic-string.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOOL_TIMEOUT_S = 10 };

int schema_version_cmp(const char *a, const char *b)
{
    return strverscmp(a, b);
}

/* The schema as a file that the tools can open: no file of ours needs to be installed for it. */
static int schema_file(char path[64])
{
    int fd = memfd_create("router.ovsschema", 0);
    size_t len = strlen(router_schema_text);

    if (fd >= 0 && write(fd, router_schema_text, len) == (ssize_t)len) {
        snprintf(path, 64, "/proc/%ld/fd/%d", (long)getpid(), fd);
        return fd;
    }
    return -errno;
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (const char *p = text; (p = strstr(p, line)); p += len) {
        if ((p == text || p[-1] == '\n') && (p[len] == '\n' || p[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Asks the server through its control socket, which is beside its database socket. Dead servers may
 * have left theirs there too: the one that answers is right. */
static int add_database(const struct config *config, const char *file, struct ds *output)
{
    char *directory = dir_name(config->state_server + strlen("unix:"));
    char *pattern = xasprintf("%s/ovsdb-server.*.ctl", directory);
    glob_t found = {.gl_pathc = 0};
    int error = -ENOENT;

    ds_clear(output);
    ds_put_format(output, "there is no control socket %s", pattern);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && error; i++) {
        error = TOOL_RUN(output, tool_arg("ovs-appctl"), tool_arg("--timeout=10"), tool_arg("-t"),
                         found.gl_pathv[i], tool_arg("ovsdb-server/add-db"), tool_arg(file));
    }
    globfree(&found);
    free(pattern);
    free(directory);
    return error;
}

static char *database_file(const struct config *config)
{
    char *lower = xstrdup(config->state_database), *file;

    for (char *p = lower; *p; p++) {
        *p = *p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p;
    }
    file = config->state_file ? xstrdup(config->state_file)
                              : xasprintf("/var/lib/openvswitch/%s.db", lower);
    free(lower);
    return file;
}

static int create_database(const struct config *config, const char *schema, struct ds *output,
                           char **ret_message)
{
    char *file = database_file(config);
    bool exists = access(file, F_OK) == 0;
    int error = 0;

    if (strncmp(config->state_server, "unix:", 5) != 0) {
        *ret_message = xasprintf(
            "%s serves no database %s, and it is not on this machine: make it there with `ovsdb-tool create` (or "
            "create-cluster) and the schema router.ovsschema",
            config->state_server, config->state_database);
        free(file);
        return -ENOENT;
    }
    if (!exists) {
        error =
            TOOL_RUN(output, tool_arg("ovsdb-tool"), tool_arg("create"), file, tool_arg(schema));
    }
    if (!error) {
        error = add_database(config, file, output);
    }
    *ret_message =
        error ? xasprintf("the state database %s cannot be %s: %s%s", file,
                          exists ? "served" : "made", ds_cstr(output),
                          exists ? "; if the file is damaged, move it away and restore a backup "
                                   "(routerd --restore)"
                                 : "")
              : xasprintf("database %s %s in %s", config->state_database,
                          exists ? "is served again, from what is" : "was made", file);
    free(file);
    return error;
}

static int upgrade_database(const struct config *config, const char *schema, struct ds *output,
                            char **ret_message)
{
    char *server = tool_arg(config->state_server), *database = tool_arg(config->state_database),
         *old;
    int cmp, error;

    error = TOOL_RUN(output, tool_arg("ovsdb-client"), tool_arg("--timeout=10"),
                     tool_arg("get-schema-version"), server, database);
    if (error) {
        *ret_message = xasprintf("%s: %s", config->state_server, ds_cstr(output));
        return error;
    }
    old = xstrdup(ds_cstr(output));
    cmp = schema_version_cmp(old, router_schema_version);
    if (cmp < 0) {
        error = TOOL_RUN(output, tool_arg("ovsdb-client"), tool_arg("--timeout=10"),
                         tool_arg("convert"), server, tool_arg(schema));
    }
    *ret_message =
        error ? xasprintf("database %s: the upgrade from schema %s to %s failed: %s", database, old,
                          router_schema_version, ds_cstr(output))
        : cmp < 0 ? xasprintf("database %s: upgraded from schema %s to %s", database, old,
                              router_schema_version)
        : cmp > 0
            ? xasprintf(
                  "database %s has schema %s, newer than this routerd's %s: upgrade routerd, or restore a backup",
                  database, old, router_schema_version)
            : xasprintf("database %s is there, schema %s", database, old);
    free(old);
    return cmp > 0 ? -EPROTO : error;
}

int store_setup(const struct config *config, int timeout_ms, char **ret_message)
{
    struct ds output = DS_EMPTY_INITIALIZER;
    char *timeout = xasprintf("--timeout=%d", MAX(1, timeout_ms / 1000));
    char schema[64];
    int fd = schema_file(schema), error = fd < 0 ? fd : 0;

    if (!error) {
        error = TOOL_RUN(&output, tool_arg("ovsdb-client"), timeout, tool_arg("list-dbs"),
                         tool_arg(config->state_server));
    }
    if (error) {
        *ret_message = xasprintf(
            "the state server does not answer on %s: %s; is ovsdb-server running?",
            config->state_server, output.length ? ds_cstr(&output) : ovs_strerror(-error));
    } else if (has_line(ds_cstr(&output), config->state_database)) {
        error = upgrade_database(config, schema, &output, ret_message);
    } else {
        error = create_database(config, schema, &output, ret_message);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(timeout);
    ds_destroy(&output);
    return error;
}

struct setup_run {
    const struct config *config;
    pthread_t thread;
    struct latch ended;
    int result;
    char *message;
};

static void *setup_main(void *aux)
{
    struct setup_run *run = aux;

    run->result = store_setup(run->config, TOOL_TIMEOUT_S * 1000, &run->message);
    latch_set(&run->ended);
    return NULL;
}

struct setup_run *setup_start(const struct config *config)
{
    struct setup_run *run = xzalloc(sizeof *run);

    run->config = config;
    latch_init(&run->ended);
    if (pthread_create(&run->thread, NULL, setup_main, run)) {
        abort();
    }
    return run;
}

void setup_finish(struct setup_run *run)
{
    if (run) {
        pthread_join(run->thread, NULL);
        latch_destroy(&run->ended);
        free(run->message);
        free(run);
    }
}

bool setup_poll(struct setup_run *run, int *ret_result, char **ret_message)
{
    if (!latch_is_set(&run->ended)) {
        return false;
    }
    pthread_join(run->thread, NULL);
    *ret_result = run->result;
    *ret_message = run->message;
    run->message = NULL;
    log_line(run->result ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "store", "%s",
             *ret_message ? *ret_message : "");
    latch_destroy(&run->ended);
    free(run);
    return true;
}

void setup_wait(struct setup_run *run)
{
    latch_wait(&run->ended);
}
