/* From the store's image and the configuration to the intended state: at the start, after the state
 * server was away, and on SIGHUP. A topology that was accepted once and does not go with the
 * configuration of today is never dropped or bent: at the start routerd logs what is wrong and
 * ends, leaving the router as it is; on SIGHUP the running configuration stays. */
#include "engine/engine_internal.h"

#include "backend/secret.h"
#include "log/log.h"

#include <errno.h>
#include <inttypes.h>
#include <lib/util.h>
#include <stdlib.h>
#include <string.h>

struct retired {
    struct config *config;
    struct profiles *profiles;
    struct retired *next;
};

void load_free_retired(struct engine *engine)
{
    while (engine->retired) {
        struct retired *retired = engine->retired;

        engine->retired = retired->next;
        config_free(retired->config);
        profiles_free(retired->profiles);
        free(retired);
    }
}

/* Published snapshots may be read for a while yet, so what they point to is kept; a configuration
 * is a few kilobytes and SIGHUPs are rare. */
static void retire(struct engine *engine)
{
    struct retired *retired = xmalloc(sizeof *retired);

    *retired = (struct retired){engine->config, engine->profiles, engine->retired};
    engine->retired = retired;
}

int load_open_backends(struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        int error = engine->classes[i]->open(engine->config, &engine->backends[i]);

        if (error) {
            log_line(LOG_LEVEL_ERROR, engine->classes[i]->name, "cannot be opened: %s",
                     ovs_strerror(-error));
            return error;
        }
        if (engine->classes[i]->take_nodes) {
            engine->classes[i]->take_nodes(engine->backends[i], node_service_source(engine));
        }
    }
    return 0;
}

void load_close_backends(struct engine *engine)
{
    for (size_t i = 0; i < engine->n_backends; i++) {
        if (engine->backends[i]) {
            engine->classes[i]->close(engine->backends[i]);
            engine->backends[i] = NULL;
            pass_look_again(engine, i);
        }
    }
}

static bool secret_is_there(void *aux, const char *name)
{
    const struct config *config = aux;

    return secret_exists(config->secrets_directory, name);
}

static bool file_is_there(void *aux, const char *name)
{
    const struct config *config = aux;

    return secret_file_exists(config->secrets_directory, name);
}

static void check_against(const struct config *config, const struct profiles *profiles,
                          const struct intended *intended, const char *tenant,
                          struct topology *topology, bool secrets, struct errors *errors)
{
    struct topology_world world = {
        .config = config,
        .profiles = profiles,
        .intended = intended,
        .secret_exists = secrets ? secret_is_there : NULL,
        .file_exists = secrets ? file_is_there : NULL,
        .aux = CONST_CAST(struct config *, config),
    };

    topology_check(topology, tenant, &world, errors);
}

void load_check(const struct engine *engine, const struct intended *intended, const char *tenant,
                struct topology *topology, struct errors *errors)
{
    check_against(engine->config, engine->profiles, intended, tenant, topology, true, errors);
}

/* Reads one stored document. A secret that is missing now is that tunnel's fault at run time, not
 * the document's. Null with the first fault in *ret_detail. */
static struct topology *load_topology(const struct config *config, const struct profiles *profiles,
                                      const struct intended *others, const char *tenant,
                                      const char *text, size_t len, char **ret_detail)
{
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(text, len, errors);

    if (topology) {
        check_against(config, profiles, others, tenant, topology, false, errors);
    }
    if (errors_count(errors)) {
        const struct error *first;

        errors_sort(errors);
        first = errors_get(errors, 0);
        *ret_detail = xasprintf(
            "the topology in force of tenant %s does not go with the configuration: line %u, %s: %s",
            tenant, first->line, first->path, first->message);
        topology_free(topology);
        topology = NULL;
    }
    errors_free(errors);
    return topology;
}

/* Adds one tenant's stored topology to *intended. */
static bool load_tenant(const struct config *config, const struct profiles *profiles,
                        struct ids *ids, const char *tenant, uint64_t generation, const char *text,
                        size_t len, struct intended **intended, char **ret_detail)
{
    struct topology *topology;
    struct intended *next;

    topology = load_topology(config, profiles, *intended, tenant, text, len, ret_detail);
    if (!topology) {
        return false;
    }
    ids_assign(ids, tenant, topology);
    next = intended_with(*intended, tenant, generation, topology);
    intended_unref(*intended);
    *intended = next;
    return true;
}

/* Whether the database has lost a generation that is in force: then nothing that it says is to be
 * believed. */
static bool image_lost_something(struct engine *engine, const struct store_image *image)
{
    for (size_t i = 0; i < engine->intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &engine->intended->tenants[i];
        uint64_t stored = 0;

        for (size_t j = 0; j < image->n_tenants; j++) {
            if (!strcmp(image->tenants[j].name, tenant->name)) {
                stored = image->tenants[j].generation;
            }
        }
        if (stored < tenant->generation) {
            free(engine->store_conflict);
            engine->store_conflict = xasprintf(
                "the state database went back: tenant %s is at generation %" PRIu64
                " and the database at %" PRIu64
                "; what is in force stays; restore the database, or restart routerd to take the database's word",
                tenant->name, tenant->generation, stored);
            log_object(LOG_LEVEL_ERROR, "engine", tenant->name, NULL, "%s", engine->store_conflict);
            return true;
        }
    }
    return false;
}

static void adopt(struct engine *engine, struct intended *intended, struct ids *ids)
{
    intended_unref(engine->intended);
    engine->intended = intended;
    ids_done(&engine->ids);
    engine->ids = *ids;
    engine->dirty = true;
    status_changed(engine);
    pass_forget(engine, NULL);
    drift_forget(engine);
}

static bool load_image(struct engine *engine, const struct store_image *image)
{
    struct intended *intended = intended_new(engine->config);
    char *detail = NULL;
    struct ids ids;

    ids_clone(&image->ids, &ids);
    for (size_t i = 0; i < image->n_tenants && !detail; i++) {
        const struct store_tenant *tenant = &image->tenants[i];

        if (tenant->generation) {
            load_tenant(engine->config, engine->profiles, &ids, tenant->name, tenant->generation,
                        tenant->text, tenant->text_len, &intended, &detail);
        }
    }
    if (detail) {
        log_line(LOG_LEVEL_ERROR, "engine",
                 "%s; mend the configuration and start again; the router is left as it is", detail);
        free(detail);
        intended_unref(intended);
        ids_done(&ids);
        return false;
    }
    adopt(engine, intended, &ids);
    return true;
}

void load_run(struct engine *engine)
{
    const struct store_image *image = store_image(engine->store);

    if (!image || image->serial == engine->store_serial || engine->committing) {
        return;
    }
    free(engine->store_conflict);
    engine->store_conflict = NULL;
    if (engine->store_serial && image_lost_something(engine, image)) {
        engine->store_serial = image->serial;
        return;
    }
    if (!engine->store_serial) {
        status_load_since(engine, image);
    }
    if (load_image(engine, image)) {
        engine->store_serial = image->serial;
    } else {
        engine->fatal = true;
    }
}

/* Every topology in force, read again under another configuration. Null with the first fault. */
static struct intended *reload_all(struct engine *engine, const struct config *config,
                                   const struct profiles *profiles, struct ids *ids,
                                   char **ret_detail)
{
    struct intended *intended = intended_new(config);

    for (size_t i = 0; i < engine->intended->n_tenants; i++) {
        const struct intended_tenant *tenant = &engine->intended->tenants[i];

        if (tenant->generation && !load_tenant(config, profiles, ids, tenant->name,
                                               tenant->generation, tenant->topology->text,
                                               tenant->topology->text_len, &intended, ret_detail)) {
            intended_unref(intended);
            return NULL;
        }
    }
    return intended;
}

static bool text_equal(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

/* What cannot change while routerd runs. */
static char *config_immutable(const struct config *old, const struct config *new)
{
    if (strcmp(old->state_server, new->state_server) != 0 ||
        strcmp(old->state_database, new->state_database) != 0) {
        return xstrdup("state: takes a restart of routerd");
    }
    if (strcmp(old->socket_path, new->socket_path) != 0 ||
        !text_equal(old->socket_group, new->socket_group) || old->socket_mode != new->socket_mode) {
        return xstrdup("control.socket: takes a restart of routerd");
    }
    if (!text_equal(old->metrics_address, new->metrics_address)) {
        return xstrdup("metrics.address: takes a restart of routerd");
    }
    return NULL;
}

bool load_config(struct engine *engine, struct config *config, struct profiles *profiles,
                 char **ret_detail)
{
    struct intended *intended = NULL;
    struct ids ids;

    ids_clone(&engine->ids, &ids);
    *ret_detail = config_immutable(engine->config, config);
    if (!*ret_detail) {
        intended = reload_all(engine, config, profiles, &ids, ret_detail);
    }
    if (!intended) {
        ids_done(&ids);
        config_free(config);
        profiles_free(profiles);
        return false;
    }
    pass_abort(engine);
    load_close_backends(engine);
    adopt(engine, intended, &ids);
    retire(engine);
    engine->config = config;
    engine->profiles = profiles;
    if (load_open_backends(engine)) {
        engine->fatal = true;
    }
    return true;
}
