#include "topology_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All faults as text; the caller frees it. */
static char *print(const struct errors *errors)
{
    char *text;
    size_t len;
    FILE *memory = open_memstream(&text, &len);

    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);

        fprintf(memory, "%u:%u: %s: %s\n", error->line, error->column, error->path, error->message);
    }
    fclose(memory);
    return text;
}

static void expect(struct errors *errors, const char *expected)
{
    char *seen = print(errors);

    assert_string_equal(seen, expected);
    free(seen);
    errors_free(errors);
}

static bool secret_exists(void *aux, const char *name)
{
    (void)aux;
    return strncmp(name, "no", 2) != 0;
}

struct topology_world fixture_world(const char *config_text)
{
    struct errors *errors = errors_new();
    struct profiles *profiles = profiles_new();
    struct config *config = config_parse(config_text, strlen(config_text), errors);

    expect(errors, "");
    profiles_add_builtin(profiles);
    return (struct topology_world){config,        profiles,      intended_new(config),
                                   secret_exists, secret_exists, NULL};
}

void fixture_world_done(struct topology_world *world)
{
    intended_unref((struct intended *)world->intended);
    profiles_free((struct profiles *)world->profiles);
    config_free((struct config *)world->config);
}

void fixture_enforce(struct topology_world *world, const char *tenant, const char *text)
{
    struct intended *base = (struct intended *)world->intended;

    world->intended = intended_with(base, tenant, 1, fixture_parse(text));
    intended_unref(base);
}

struct topology *fixture_parse(const char *text)
{
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(text, strlen(text), errors);

    expect(errors, "");
    assert_non_null(topology);
    return topology;
}

struct topology *fixture_check(const struct topology_world *world, const char *tenant,
                               const char *text, struct errors **ret_errors)
{
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(text, strlen(text), errors);

    if (topology) {
        topology_check(topology, tenant, world, errors);
    }
    *ret_errors = errors;
    return topology;
}

void fixture_expect(const struct topology_world *world, const char *tenant, const char *text,
                    const char *expected)
{
    struct errors *errors;
    struct topology *topology = fixture_check(world, tenant, text, &errors);

    expect(errors, expected);
    topology_free(topology);
}

char *fixture_read(const char *path)
{
    char *text = NULL, full[4096];
    size_t size = 0;
    FILE *file;

    snprintf(full, sizeof full, "%s/%s", SOURCE_DIR, path);
    file = fopen(full, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    return text;
}
