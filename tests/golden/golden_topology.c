/* Golden files of topologies, tests/golden/topology: each is checked as tenant bio's against the
 * world in tests/golden/topology/world. */
#include "golden.h"

#include "model/config.h"
#include "model/intended.h"
#include "model/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD SOURCE_DIR "/tests/golden/topology/world/"

static struct topology_world world;

/* The whole file, which must be there; the caller frees it. */
static char *file_read(const char *path, size_t *ret_len)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    ssize_t len = file ? getdelim(&text, &size, '\0', file) : -1;

    if (len < 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
    *ret_len = (size_t)len;
    return text;
}

static void must_be_right(const char *path, struct errors *errors)
{
    if (errors_count(errors)) {
        fprintf(stderr, "%s: %s\n", path, errors_get(errors, 0)->message);
        exit(1);
    }
    errors_free(errors);
}

/* Secrets whose names begin with "no" are missing. */
static bool secret_exists(void *aux, const char *name)
{
    (void)aux;
    return strncmp(name, "no", 2) != 0;
}

static struct intended *world_intended(const struct config *config)
{
    struct intended *empty = intended_new(config), *intended;
    struct errors *errors = errors_new();
    struct topology *phys;
    size_t len;
    char *text = file_read(WORLD "phys.yaml", &len);

    phys = topology_parse(text, len, errors);
    must_be_right(WORLD "phys.yaml", errors);
    free(text);
    intended = intended_with(empty, "phys", 1, phys);
    intended_unref(empty);
    return intended;
}

/* A profile that only these files know. */
static void add_profile(struct profiles *profiles, const char *name, const char *path)
{
    struct errors *errors = errors_new();
    size_t len;
    char *text = file_read(path, &len);

    profiles_add(profiles, name, text, len, errors);
    must_be_right(path, errors);
    free(text);
}

static struct topology_world world_new(void)
{
    struct errors *errors = errors_new();
    struct profiles *profiles = profiles_new();
    struct config *config;
    size_t len;
    char *text = file_read(WORLD "config.yaml", &len);

    config = config_parse(text, len, errors);
    must_be_right(WORLD "config.yaml", errors);
    free(text);
    profiles_add_builtin(profiles);
    add_profile(profiles, "old", WORLD "old.yaml");
    return (struct topology_world){config,        profiles,      world_intended(config),
                                   secret_exists, secret_exists, NULL};
}

static void check(const char *text, size_t len, struct errors *errors)
{
    struct topology *topology = topology_parse(text, len, errors);

    if (topology) {
        topology_check(topology, "bio", &world, errors);
    }
    topology_free(topology);
}

int main(int argc, char *argv[])
{
    world = world_new();
    return golden_main(argc, argv, check);
}
