/* engine_fixture.h - an engine on its thread, and an ovsdb-server in a directory of its own. */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include "server.h"

#include "engine/engine.h"
#include "model/config.h"

#include <lib/util.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    char directory[64], socket[96];
    pid_t server;
    struct engine *engine;
    pthread_t thread;
    char *config; /* its text */
};

static void *engine_thread(void *aux)
{
    engine_run(aux);
    return NULL;
}

__attribute__((unused)) static void start_engine_on(struct fixture *f,
                                                    const struct backend_class *const *class)
{
    struct errors *errors = errors_new();
    struct profiles *profiles = profiles_new();
    struct config *config = config_parse(f->config, strlen(f->config), errors);

    assert_non_null(config);
    errors_free(errors);
    profiles_add_builtin(profiles);
    assert_int_equal(engine_open(config, profiles, class, 1, &f->engine), 0);
    assert_int_equal(pthread_create(&f->thread, NULL, engine_thread, f->engine), 0);
}

__attribute__((unused)) static void stop_engine(struct fixture *f)
{
    engine_stop(f->engine);
    pthread_join(f->thread, NULL);
    engine_close(f->engine);
}

#endif
