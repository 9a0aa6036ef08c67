#include "bgp/bgp_io.h"

#include "backend/secret.h"
#include "bgp/bgp.h"
#include "bgp/bgp_want.h"

#include <errno.h>
#include <lib/hash.h>
#include <lib/timeval.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char BGPD_VTY[] = "/run/frr/bgpd.vty";
static const char ZEBRA_VTY[] = "/run/frr/zebra.vty";
static const char BFDD_VTY[] = "/run/frr/bfdd.vty";
static const char BOOT_DIRECTORY[] = "/etc/frr";

enum { SECRETS_MS = 1000 };

static struct bgp *bgp_of(const struct backend *backend)
{
    return CONTAINER_OF(backend, struct bgp, up);
}

static int bgp_open(const struct config *config, struct backend **ret_backend)
{
    struct bgp *bgp = xzalloc(sizeof *bgp);

    bgp->up.class = &bgp_backend_class;
    bgp->secrets_directory = xstrdup(config->secrets_directory);
    bgp->bgpd = bgp_vty_new("bgpd", BGPD_VTY);
    bgp->zebra = bgp_vty_new("zebra", ZEBRA_VTY);
    bgp->bfdd = bgp_vty_new("bfdd", BFDD_VTY);
    bgp->save = bgp_save_new(config->bgp_vtysh, BOOT_DIRECTORY);
    *ret_backend = &bgp->up;
    return 0;
}

static void bgp_close(struct backend *backend)
{
    struct bgp *bgp = bgp_of(backend);

    bgp_vty_free(bgp->bgpd);
    bgp_vty_free(bgp->zebra);
    bgp_vty_free(bgp->bfdd);
    bgp_save_free(bgp->save);
    bgp_watch_done(bgp);
    bgp_bfd_done(bgp);
    bgp_state_free(bgp->wanted);
    bgp_want_forget(&bgp->wanted_parts);
    intended_unref(bgp->intended);
    free(bgp->secret_problem);
    free(bgp->secrets_directory);
    free(bgp);
}

enum backend_health bgp_health(const struct backend *backend, const char **ret_reason)
{
    const struct bgp *bgp = bgp_of(backend);

    if (bgp_watch_complete(bgp)) {
        if (bgp->bfd.problem) {
            *ret_reason = bgp->bfd.problem;
        }
        return BACKEND_READY;
    }
    if (!bgp_vty_answers(bgp->bgpd)) {
        *ret_reason = bgp_vty_problem(bgp->bgpd);
        return bgp_vty_connecting(bgp->bgpd) ? BACKEND_OPENING : BACKEND_AWAY;
    }
    if (!bgp_vty_answers(bgp->zebra)) {
        *ret_reason = bgp_vty_problem(bgp->zebra);
        return bgp_vty_connecting(bgp->zebra) ? BACKEND_OPENING : BACKEND_AWAY;
    }
    *ret_reason = "FRR's state is being read";
    return BACKEND_OPENING;
}

/* What FRR and TCP take as a password: a word. */
static bool password_is_usable(const struct secret *secret)
{
    for (size_t i = 0; i < secret->len; i++) {
        if (secret->bytes[i] <= ' ' || secret->bytes[i] > '~') {
            return false;
        }
    }
    return secret->len <= BGP_PASSWORD_BYTES;
}

static int password_digest(void *bgp_, const char *name, uint64_t *ret_digest,
                           const char **ret_problem)
{
    struct bgp *bgp = bgp_;
    struct secret secret;
    int error = secret_read(bgp->secrets_directory, name, &secret);

    free(bgp->secret_problem);
    bgp->secret_problem = NULL;
    if (error) {
        bgp->secret_problem = xasprintf("the secret %s cannot be read from %s: %s", name,
                                        bgp->secrets_directory, ovs_strerror(-error));
    } else if (!password_is_usable(&secret)) {
        bgp->secret_problem =
            xasprintf("the secret %s cannot be a BGP password: that is 1 to %d printable ASCII "
                      "characters without a space",
                      name, BGP_PASSWORD_BYTES);
        error = -EINVAL;
    } else {
        *ret_digest = secret_digest(secret.bytes, secret.len);
    }
    secret_wipe(&secret);
    *ret_problem = bgp->secret_problem;
    return error;
}

/* Changes when the secret's file does. */
static uint64_t password_stamp(void *bgp_, const char *name)
{
    const struct bgp *bgp = bgp_;
    char path[512];
    struct stat status;
    uint32_t stamp;

    snprintf(path, sizeof path, "%s/%s", bgp->secrets_directory, name);
    if (stat(path, &status)) {
        return 0;
    }
    stamp = hash_bytes(&status.st_mtim, sizeof status.st_mtim, 1);
    stamp = hash_bytes(&status.st_ino, sizeof status.st_ino, stamp);
    return hash_add64(stamp, (uint64_t)status.st_size);
}

static bool wanted_is_stale(struct bgp *bgp)
{
    const struct bgp_passwords passwords = {password_digest, password_stamp, bgp};

    return bgp_want_is_stale(&bgp->wanted_parts, &passwords);
}

/* Nobody tells of a changed file; it is noticed within a second or two. */
static bool secrets_changed(struct bgp *bgp)
{
    if (!bgp->wanted || time_msec() < bgp->secrets_ms) {
        return false;
    }
    bgp->secrets_ms = time_msec() + SECRETS_MS;
    return wanted_is_stale(bgp);
}

static bool bgp_run(struct backend *backend)
{
    struct bgp *bgp = bgp_of(backend);
    enum backend_health health;
    const char *reason = "";
    uint32_t stamp;
    bool changed;

    bgp_vty_run(bgp->bgpd);
    bgp_vty_run(bgp->zebra);
    bgp_bfd_run(bgp);
    bgp_apply_run(bgp);
    bgp_watch_run(bgp);
    bgp_vty_run(bgp->bgpd); /* off with what was just asked */
    bgp_vty_run(bgp->zebra);
    bgp_save_run(bgp->save);
    health = bgp_health(backend, &reason);
    stamp = hash_string(reason, health);
    changed = bgp->changed || secrets_changed(bgp) || stamp != bgp->health_stamp;
    bgp->health_stamp = stamp;
    bgp->changed = false;
    return changed;
}

static void bgp_wait(struct backend *backend)
{
    struct bgp *bgp = bgp_of(backend);

    bgp_vty_wait(bgp->bgpd);
    bgp_vty_wait(bgp->zebra);
    bgp_bfd_wait(bgp);
    bgp_watch_wait(bgp);
    bgp_save_wait(bgp->save);
}

void bgp_want_now(struct bgp *bgp, const struct intended *intended)
{
    const struct bgp_passwords passwords = {password_digest, password_stamp, bgp};
    bool stale = wanted_is_stale(bgp);

    if (bgp->wanted && bgp->intended == intended && !stale) {
        return;
    }
    if (stale) {
        bgp_want_forget(&bgp->wanted_parts);
    }
    bgp_state_free(bgp->wanted);
    intended_unref(bgp->intended);
    bgp->intended = intended_ref(intended);
    bgp->wanted = bgp_want(intended, &bgp->wanted_parts, &passwords);
}

static void bgp_diff_now(struct backend *backend, const struct intended *intended,
                         struct plan *plan)
{
    struct bgp *bgp = bgp_of(backend);

    bgp_want_now(bgp, intended);
    bgp_diff(bgp->wanted, bgp->seen, &bgp->residue, plan);
}

const struct backend_class bgp_backend_class = {
    .name = "bgp",
    .open = bgp_open,
    .close = bgp_close,
    .run = bgp_run,
    .wait = bgp_wait,
    .health = bgp_health,
    .diff = bgp_diff_now,
    .apply = bgp_apply,
    .status = bgp_status,
};
