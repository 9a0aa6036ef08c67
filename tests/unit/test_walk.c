/* Random walks of whole topologies through the engine's passes and all backends' differences, on
 * their fakes: what a dry run lists is what is carried out, then nothing is left to do, the end is
 * the same as if it had been built at once, and what did not change was not interrupted.
 *
 * ROUTERD_WALK_SEED is the first walk's seed, ROUTERD_WALKS how many there are: a failure says
 * which one it was. */
#include "check.h"
#include "topology_fixture.h"
#include "walk_damage.h"
#include "walk_topology.h"
#include "walk_world.h"

#include "log/log.h"

#include <lib/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS = 12, STEPS = 12 };

static struct {
    unsigned int topologies, steps, disruptive, damages, repairs;
} told;

static unsigned int number_of(const char *variable, unsigned int otherwise)
{
    const char *text = getenv(variable);

    return text ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

/* --- plans ------------------------------------------------------------------------------------ */

/* The steps of a plan, one a line; the plan is freed. */
static char *plan_lines(struct plan *plan)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++) {
        char *line = walk_step_text(plan->steps[i]);

        fprintf(out, "%s\n", line);
        free(line);
    }
    fclose(out);
    plan_free(plan);
    return text;
}

/* Likewise what the first pass has carried out, without what was done to the other tenant. */
static char *first_lines(const struct walk_world *world, const char *tenant)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < world->n_steps && world->steps[i].pass == world->steps[0].pass; i++) {
        if (!world->steps[i].tenant[0] || !strcmp(world->steps[i].tenant, tenant)) {
            fprintf(out, "%s\n", world->steps[i].text);
        }
    }
    fclose(out);
    return text;
}

/* Whether what others do is told from what was asked for. */
static void expect_drift(const struct walk_world *world, bool drift)
{
    for (size_t i = 0; i < world->n_steps; i++) {
        const struct walk_step *step = &world->steps[i];

        if (step->pass == world->steps[0].pass && step->drift != drift) {
            fail_msg("%s drift: %s", drift ? "is not taken for" : "is taken for", step->text);
        }
    }
}

/* The first lines that differ say more than the whole. */
static void expect_same(const char *what, const char *text, const char *expected)
{
    while (*text && *text == *expected) {
        size_t len = strcspn(text, "\n") + 1;

        if (strncmp(text, expected, len) != 0) {
            break;
        }
        expected += len;
        text += len;
    }
    if (strcmp(text, expected) != 0) {
        fail_msg("%s: is\n%.*s\nnot\n%.*s", what, (int)strcspn(text, "\n"), text,
                 (int)strcspn(expected, "\n"), expected);
    }
}

/* What was not ready in a pass is done in a later one, and nothing else is. */
static void expect_once(const struct walk_world *world)
{
    for (size_t i = 0; i < world->n_steps; i++) {
        const struct walk_step *step = &world->steps[i];
        const struct walk_step *before = NULL;

        for (size_t j = 0; j < i; j++) {
            if (!strcmp(world->steps[j].text, step->text)) {
                before = &world->steps[j];
            }
        }
        if (before ? before->result != STEP_NOT_READY : step->pass != world->steps[0].pass) {
            fail_msg("not in the first pass, or done already: %s", step->text);
        }
        if (step->result == STEP_FAILED) {
            fail_msg("failed: %s", step->text);
        }
    }
}

static void expect_settled(struct walk_world *world)
{
    walk_world_look(world);
    for (size_t i = 0; i < WALK_TENANTS; i++) {
        char *left = plan_lines(pass_plan(&world->engine, world->engine.intended, walk_tenants[i]));

        expect_same("still to do", left, "");
        free(left);
    }
}

/* --- what did not change ---------------------------------------------------------------------- */

static const struct network *find_network(const struct intended *intended, const char *tenant,
                                          const char *object)
{
    const struct intended_tenant *found = intended_find(intended, tenant);
    char *name = xmemdup0(object, strcspn(object, "/"));
    const struct network *network = found ? topology_find_network(found->topology, name) : NULL;

    free(name);
    return network;
}

static const struct doc *find_link(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        if (!strcmp(network->segments[i].name, name)) {
            return network->segments[i].doc;
        }
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        if (!strcmp(network->tunnels[i].name, name)) {
            return network->tunnels[i].doc;
        }
    }
    return NULL;
}

static const struct peer *find_peer(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->n_peers; i++) {
        if (!strcmp(network->peers[i].name, name)) {
            return &network->peers[i];
        }
    }
    return NULL;
}

static bool same_peer(const struct network *before, const struct network *after, const char *name)
{
    const struct peer *was = find_peer(before, name), *is = find_peer(after, name);

    return was && is && before->asn == after->asn && doc_equal(was->doc, is->doc) &&
           doc_equal(find_link(before, was->via), find_link(after, is->via));
}

/* Whether what the step is about is the same in both: its network, or itself. What dhcp/ serves
 * on a segment is the pools' to say. */
static bool is_same(const struct walk_step *step, const struct intended *before,
                    const struct intended *after)
{
    const struct network *was = find_network(before, step->tenant, step->object),
                         *is = find_network(after, step->tenant, step->object);
    const char *kind = strchr(step->object, '/');
    const char *name = kind ? strchr(kind + 1, '/') : NULL;
    bool link = kind && (!strncmp(kind, "/segment/", 9) || !strncmp(kind, "/tunnel/", 8));

    if (!was || !is) {
        return false;
    }
    if (link && strncmp(step->text, "dhcp", 4) != 0) {
        const struct doc *a = find_link(was, name + 1), *b = find_link(is, name + 1);

        return a && b && doc_equal(a, b);
    }
    return doc_equal(was->doc, is->doc) ||
           (kind && !strncmp(kind, "/peer/", 6) && same_peer(was, is, name + 1));
}

static void expect_uninterrupted(const struct walk_world *world, const struct intended *before)
{
    for (size_t i = 0; i < world->n_steps; i++) {
        if (world->steps[i].disruptive &&
            is_same(&world->steps[i], before, world->engine.intended)) {
            fail_msg("interrupts what did not change: %s", world->steps[i].text);
        }
    }
}

/* --- a fresh build ---------------------------------------------------------------------------- */

/* What is never set back belongs to the uplinks. */
static void forget_forwarding(struct walk_world *world, const struct walk_world *from)
{
    static const char *const UPLINKS[] = {"wan0", "wan1"};

    for (size_t i = 0; i < LENGTH(UPLINKS); i++) {
        net_state_find(&world->net.now, UPLINKS[i])->conf.forwarding =
            net_state_find((struct net_state *)&from->net.now, UPLINKS[i])->conf.forwarding;
    }
}

static void expect_as_built_afresh(const struct walk_world *world)
{
    struct walk_world *fresh = xmalloc(sizeof *fresh);
    struct ids ids;
    char *text = walk_world_text(world), *expected;

    walk_world_init(fresh, world->setting);
    ids_clone(&world->engine.ids, &ids);
    walk_world_put(fresh, NULL, intended_ref(world->engine.intended), &ids);
    walk_world_run(fresh);
    expect_once(fresh);
    expect_settled(fresh);
    forget_forwarding(fresh, world);
    expected = walk_world_text(fresh);
    expect_same("against a fresh build", text, expected);
    free(text);
    free(expected);
    walk_world_done(fresh);
    free(fresh);
}

/* --- damage ----------------------------------------------------------------------------------- */

enum { DAMAGES = 3 };

static bool concerns(const struct walk_step *step, const struct walk_damage *damage)
{
    char path[2 * OBJECT_TEXT];
    size_t len = strlen(damage->scope);

    snprintf(path, sizeof path, "%s/%s", step->tenant, step->object);
    return len == 0 || (!strncmp(path, damage->scope, len) && strchr("/", path[len]));
}

static void expect_only(const struct walk_world *world, const struct walk_damage *damages, size_t n)
{
    for (size_t i = 0; i < world->n_steps; i++) {
        bool expected = false;

        for (size_t j = 0; j < n; j++) {
            expected = expected || concerns(&world->steps[i], &damages[j]);
        }
        if (!expected) {
            fail_msg("was not damaged: %s", world->steps[i].text);
        }
    }
}

/* What others do is mended by what it concerns, and everything is as it was. */
static void suffer(struct walk_world *world, struct chance *chance)
{
    struct walk_damage damages[DAMAGES];
    char *before = walk_world_text(world), *after;
    size_t n = 0;

    for (unsigned int i = 1 + chance_below(chance, DAMAGES); i > 0; i--) {
        n += walk_damage(world, chance, &damages[n]);
    }
    walk_world_forget(world);
    walk_world_look(world);
    walk_world_run(world);
    expect_only(world, damages, n);
    expect_drift(world, true);
    expect_settled(world);
    after = walk_world_text(world);
    expect_same("after the damage", after, before);
    told.damages += (unsigned int)n;
    told.repairs += (unsigned int)world->n_steps;
    free(before);
    free(after);
}

/* --- walks ------------------------------------------------------------------------------------ */

static char *dry_run(struct walk_world *world, const char *tenant, const char *text)
{
    struct ids ids;
    struct intended *candidate = walk_world_candidate(world, tenant, text, &ids);
    char *lines = plan_lines(pass_plan(&world->engine, candidate, tenant));

    ids_done(&ids);
    intended_unref(candidate);
    return lines;
}

static void count_steps(const struct walk_world *world)
{
    told.topologies++;
    told.steps += (unsigned int)world->n_steps;
    for (size_t i = 0; i < world->n_steps; i++) {
        told.disruptive += world->steps[i].disruptive;
    }
}

static void take_step(struct walk_world *world, const char *tenant, const char *text)
{
    char *planned = dry_run(world, tenant, text), *done;
    struct intended *before = intended_ref(world->engine.intended), *after;
    struct ids ids;

    after = walk_world_candidate(world, tenant, text, &ids);
    walk_world_put(world, tenant, after, &ids);
    walk_world_forget(world);
    walk_world_run(world);
    count_steps(world);
    done = first_lines(world, tenant);
    expect_same("what is carried out against the dry run", done, planned);
    expect_once(world);
    expect_drift(world, false);
    expect_settled(world);
    expect_uninterrupted(world, before);
    expect_as_built_afresh(world);
    intended_unref(before);
    free(planned);
    free(done);
}

/* What others have is in the way: it holds up the network that it hits and nothing else, and once
 * it has gone everything comes. */
static void take_obstructed(struct walk_world *world, const char *tenant, const char *text,
                            struct chance *chance)
{
    struct walk_obstacle obstacle;
    struct walk_damage hit;
    struct intended *intended;
    struct ids ids;

    walk_obstruct(world, chance, &obstacle);
    intended = walk_world_candidate(world, tenant, text, &ids);
    walk_world_put(world, tenant, intended, &ids);
    walk_world_forget(world);
    walk_world_run(world);
    count_steps(world);
    for (size_t i = 0; i < world->n_steps; i++) {
        const struct walk_step *step = &world->steps[i];

        if (step->result == STEP_FAILED &&
            !(walk_obstacle_hits(world, &obstacle, &hit) && concerns(step, &hit))) {
            fail_msg("failed with nothing in its way: %s", step->text);
        }
    }
    walk_obstacle_clear(world, &obstacle);
    pass_forget(&world->engine, NULL); /* as if the time had come to try again */
    walk_world_look(world);
    walk_world_run(world);
    expect_settled(world);
    expect_as_built_afresh(world);
}

/* A topology that is superseded by another while it is being carried out. */
static void take_two(struct walk_world *world, const char *const tenants[2], char *const texts[2],
                     struct chance *chance)
{
    enum { APPLIES = 16 };
    struct ids ids;
    struct intended *intended = walk_world_candidate(world, tenants[0], texts[0], &ids);

    walk_world_put(world, tenants[0], intended, &ids);
    intended = walk_world_candidate(world, tenants[1], texts[1], &ids);
    walk_world_supersede(world, 1 + chance_below(chance, APPLIES), tenants[1], intended, &ids);
    walk_world_forget(world);
    walk_world_run(world);
    count_steps(world);
    expect_settled(world);
    expect_as_built_afresh(world);
}

/* Makes the next topology of one of the tenants. */
static char *next_text(struct walk_topology *topologies, struct chance *chance, const char **tenant)
{
    unsigned int i = chance_below(chance, WALK_TENANTS);

    walk_topology_step(&topologies[i], chance);
    *tenant = walk_tenants[i];
    return walk_topology_text(&topologies[i]);
}

static void walk(const struct topology_world *setting, uint64_t seed)
{
    struct chance chance = {seed};
    struct walk_world *world = xmalloc(sizeof *world);
    struct walk_topology topologies[WALK_TENANTS];

    walk_world_init(world, setting);
    for (unsigned int i = 0; i < WALK_TENANTS; i++) {
        walk_topology_init(&topologies[i], i);
    }
    for (int i = 0; i < STEPS; i++) {
        const char *tenants[2];
        char *texts[2] = {next_text(topologies, &chance, &tenants[0]), NULL};

        switch (chance_below(&chance, 6)) {
        case 0: take_obstructed(world, tenants[0], texts[0], &chance); break;
        case 1:
            texts[1] = next_text(topologies, &chance, &tenants[1]);
            take_two(world, tenants, texts, &chance);
            break;
        default: take_step(world, tenants[0], texts[0]);
        }
        suffer(world, &chance);
        free(texts[0]);
        free(texts[1]);
    }
    walk_world_done(world);
    free(world);
}

static void test_walks(void **state)
{
    struct topology_world setting = fixture_world(walk_config);
    unsigned int first = number_of("ROUTERD_WALK_SEED", 1), n = number_of("ROUTERD_WALKS", WALKS);

    (void)state;
    for (unsigned int i = 0; i < n; i++) {
        print_message("walk with seed %u\n", first + i);
        walk(&setting, first + i);
    }
    print_message("%u topologies, %u steps, %u of them disruptive; %u damages, %u steps\n",
                  told.topologies, told.steps, told.disruptive, told.damages, told.repairs);
    fixture_world_done(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
