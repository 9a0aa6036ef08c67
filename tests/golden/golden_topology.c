/* Golden files of topologies: each NAME.yaml or NAME.json in the folder is parsed and checked as
 * tenant bio's in a fixed world (world.config.yaml; world.phys.yaml is in force for tenant phys),
 * and what is said of it must be, byte for byte, what is in NAME.errors; one without that file must
 * be right.
 *
 *     golden_topology FOLDER            compares, one line per difference, and counts
 *     golden_topology --update FOLDER   writes the .errors files anew; read the diff */
#include "model/config.h"
#include "model/intended.h"
#include "model/topology.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct world {
    const char *folder;
    struct config *config;
    struct profiles *profiles;
    struct intended *intended;
};

/* The whole file, NUL-terminated, or null; the caller frees it. */
static char *file_read(const char *folder, const char *name, size_t *ret_len)
{
    char path[4096], *text = NULL;
    size_t len = 0;
    FILE *file, *memory;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    if (!file) {
        return NULL;
    }
    memory = open_memstream(&text, &len);
    for (int c = getc(file); c != EOF; c = getc(file)) {
        putc(c, memory);
    }
    fclose(file);
    fclose(memory);
    *ret_len = len;
    return text;
}

static bool file_write(const char *folder, const char *name, const char *text)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!*text) {
        unlink(path);
        return true;
    }
    file = fopen(path, "w");
    if (!file || fputs(text, file) < 0) {
        perror(path);
        return false;
    }
    return fclose(file) == 0;
}

/* NAME:LINE:COLUMN: PATH: MESSAGE for each; the caller frees it. */
static char *errors_print(const char *name, const struct errors *errors)
{
    char *text;
    size_t len;
    FILE *memory = open_memstream(&text, &len);

    for (size_t i = 0; i < errors_kept(errors); i++) {
        const struct error *error = errors_get(errors, i);

        fprintf(memory, "%s:%u:%u: %s%s%s\n", name, error->line, error->column, error->path,
                *error->path ? ": " : "", error->message);
    }
    if (errors_count(errors) > errors_kept(errors)) {
        fprintf(memory, "%s: and %zu more\n", name, errors_count(errors) - errors_kept(errors));
    }
    fclose(memory);
    return text;
}

/* Secrets whose names begin with "no" are missing. */
static bool secret_exists(void *aux, const char *name)
{
    (void)aux;
    return strncmp(name, "no", 2) != 0;
}

/* Parses, and checks if `against` is given; null if it could not be read. */
static struct topology *topology_read(const struct world *world, const char *name,
                                      const struct topology_world *against, struct errors *errors)
{
    struct topology *topology;
    size_t len = 0;
    char *text = file_read(world->folder, name, &len);

    if (!text) {
        perror(name);
        exit(1);
    }
    topology = topology_parse(text, len, errors);
    if (topology && against) {
        topology_check(topology, "bio", against, errors);
    }
    free(text);
    return topology;
}

static void must_be_right(const char *name, struct errors *errors)
{
    char *text = errors_print(name, errors);

    if (*text) {
        fputs(text, stderr);
        exit(1);
    }
    free(text);
    errors_free(errors);
}

static struct world world_new(const char *folder)
{
    struct world world = {.folder = folder, .profiles = profiles_new()};
    struct errors *errors = errors_new();
    struct intended *empty;
    size_t len = 0;
    char *text = file_read(folder, "world.config.yaml", &len);

    if (!text) {
        perror("world.config.yaml");
        exit(1);
    }
    world.config = config_parse(text, len, errors);
    free(text);
    must_be_right("world.config.yaml", errors);
    profiles_add_builtin(world.profiles);
    errors = errors_new();
    empty = world.intended = intended_new(world.config);
    world.intended =
        intended_with(empty, "phys", 1, topology_read(&world, "world.phys.yaml", NULL, errors));
    must_be_right("world.phys.yaml", errors);
    intended_unref(empty);
    return world;
}

static void world_done(struct world *world)
{
    intended_unref(world->intended);
    profiles_free(world->profiles);
    config_free(world->config);
}

/* Whether the file's errors are as they should be, or could be written. */
static bool case_run(const struct world *world, const char *name, bool update)
{
    struct topology_world against = {
        world->config, world->profiles, world->intended, secret_exists, NULL,
    };
    char golden[256], *seen, *expected;
    struct errors *errors = errors_new();
    size_t len;
    bool ok;

    topology_free(topology_read(world, name, &against, errors));
    seen = errors_print(name, errors);
    errors_free(errors);
    if (!*seen != !strncmp(name, "ok-", 3)) {
        printf("%s: seen:\n%s", name, *seen ? seen : "(nothing)\n");
        free(seen);
        return false;
    }
    snprintf(golden, sizeof golden, "%.*s.errors", (int)(strrchr(name, '.') - name), name);
    if (update) {
        ok = file_write(world->folder, golden, seen);
        free(seen);
        return ok;
    }
    expected = file_read(world->folder, golden, &len);
    ok = !strcmp(expected ? expected : "", seen);
    if (!ok) {
        printf("%s: expected:\n%sseen:\n%s", name, expected ? expected : "(nothing)\n",
               *seen ? seen : "(nothing)\n");
    }
    free(expected);
    free(seen);
    return ok;
}

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strncmp(entry->d_name, "world.", 6) &&
           (!strcmp(dot, ".yaml") || !strcmp(dot, ".json"));
}

int main(int argc, char *argv[])
{
    bool update = argc > 2 && !strcmp(argv[1], "--update");
    struct dirent **entries;
    struct world world;
    int n, failed = 0;

    if (argc != 2 + update) {
        fprintf(stderr, "usage: golden_topology [--update] FOLDER\n");
        return 2;
    }
    world = world_new(argv[argc - 1]);
    n = scandir(world.folder, &entries, is_case, alphasort);
    for (int i = 0; i < n; i++) {
        failed += !case_run(&world, entries[i]->d_name, update);
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    world_done(&world);
    printf("%d passed, %d failed\n", n - failed, failed);
    return failed || n <= 0;
}
