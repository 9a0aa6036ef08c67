#include "ipsec/ipsec.h"

#include "ipsec/ipsec_diff.h"
#include "ipsec/ipsec_internal.h"
#include "log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static struct ipsec *ipsec_of(struct backend *backend)
{
    return (struct ipsec *)backend; /* its first member */
}

/* "unix:///run/charon.vici", or "unix:/run/charon.vici", to its path, or null. */
static const char *socket_path(const char *uri)
{
    const char *path = uri + strlen("unix:");

    if (strncmp(uri, "unix:", strlen("unix:")) != 0) {
        return NULL;
    }
    path += strncmp(path, "//", 2) == 0 ? 2 : 0;
    return *path == '/' && strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path ? path : NULL;
}

static int ipsec_open(const struct config *config, struct backend **ret_backend)
{
    const char *path = socket_path(config->ipsec_vici);

    if (!path) {
        log_line(LOG_LEVEL_ERROR, "ipsec",
                 "%s is not of the form unix:///PATH; charon's vici is used on Unix sockets only",
                 config->ipsec_vici);
        return -EINVAL;
    }
    struct ipsec *ipsec = calloc(1, sizeof *ipsec);
    if (!ipsec || !(ipsec->path = strdup(path))) {
        abort();
    }
    ipsec->backend.class = &ipsec_backend_class;
    ipsec->env = ipsec_env_new(&ipsec->seen);
    keeper_init(ipsec);
    sync_init(ipsec);
    *ret_backend = &ipsec->backend;
    return 0;
}

static void forget_wanted(struct ipsec *ipsec)
{
    ipsec_wanted_free(ipsec->wanted);
    intended_unref(ipsec->wanted_intended);
    ipsec->wanted = NULL;
    ipsec->wanted_intended = NULL;
}

static void ipsec_close(struct backend *backend)
{
    struct ipsec *ipsec = ipsec_of(backend);

    batch_drop(ipsec);
    sync_done(ipsec);
    keeper_done(ipsec);
    forget_wanted(ipsec);
    ipsec_parts_clear(&ipsec->parts);
    ipsec_env_free(ipsec->env);
    ipsec_seen_done(&ipsec->seen);
    free(ipsec->path);
    free(ipsec);
}

static bool ipsec_run(struct backend *backend)
{
    struct ipsec *ipsec = ipsec_of(backend);

    sync_run(ipsec);
    batch_run(ipsec);
    keeper_run(ipsec);
    if (ipsec_env_run(ipsec->env)) {
        ipsec->wanted_stale = ipsec->changed = true;
    }
    bool changed = ipsec->changed;
    ipsec->changed = false;
    return changed;
}

static void ipsec_wait(struct backend *backend)
{
    struct ipsec *ipsec = ipsec_of(backend);

    sync_wait(ipsec);
    batch_wait(ipsec);
    keeper_wait(ipsec);
    ipsec_env_wait(ipsec->env);
}

static enum backend_health ipsec_health(const struct backend *backend, const char **ret_reason)
{
    const struct ipsec *ipsec = (const struct ipsec *)backend;

    if (ipsec->sync.stage == SYNC_READY) {
        return BACKEND_READY;
    }
    *ret_reason = ipsec->sync.was_away ? ipsec->sync.reason : "connecting to charon";
    return ipsec->sync.was_away ? BACKEND_AWAY : BACKEND_OPENING;
}

const struct ipsec_wanted *ipsec_wanted_for(struct ipsec *ipsec, const struct intended *intended)
{
    if (ipsec->wanted_stale || ipsec->wanted_intended != intended) {
        struct ipsec_facts facts = ipsec_env_facts(ipsec->env);
        struct intended *reference = intended_ref(intended);
        forget_wanted(ipsec);
        ipsec->wanted_intended = reference;
        ipsec->wanted = ipsec_want(intended, &ipsec->parts, &facts, &ipsec->seen);
        ipsec->wanted_stale = false;
    }
    return ipsec->wanted;
}

static void ipsec_plan(struct backend *backend, const struct intended *intended, struct plan *plan)
{
    struct ipsec *ipsec = ipsec_of(backend);
    ipsec_diff(ipsec_wanted_for(ipsec, intended), &ipsec->seen, plan);
}

static void ipsec_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    batch_start(ipsec_of(backend), plan, steps, n);
}

static void ipsec_status(struct backend *backend, struct status *status)
{
    ipsec_fill_status(ipsec_of(backend), status);
}

const struct backend_class ipsec_backend_class = {
    .name = "ipsec",
    .open = ipsec_open,
    .close = ipsec_close,
    .run = ipsec_run,
    .wait = ipsec_wait,
    .health = ipsec_health,
    .diff = ipsec_plan,
    .apply = ipsec_apply,
    .status = ipsec_status,
    .routes = NULL,
};
