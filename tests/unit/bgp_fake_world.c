/* Intended states from short texts. */
#include "bgp_fake.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config *the_config;
static struct profiles *the_profiles;

static const char CONFIG[] =
    "version: 1\n"
    "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
    "uplinks:\n"
    "  sinet: {type: trunk, interface: ens4}\n"
    "  wan: {type: routed, interface: ens3}\n"
    "tenants:\n"
    "  bio: {controllers: [b.example], vlans: {sinet: [\"2-1999\"]}, limits: {networks: 900, "
    "segments: 2000, tunnels: 900, peers: 2000, nodes: 9}}\n"
    "  phys: {controllers: [p.example], vlans: {sinet: [\"2000-3999\"]}, limits: {networks: 900, "
    "segments: 2000, tunnels: 900, peers: 2000, nodes: 9}}\n";

static void expect_none(struct errors *errors, const char *text)
{
    if (errors_count(errors)) {
        fail_msg("line %u: %s: %s\nin:\n%s", errors_get(errors, 0)->line,
                 errors_get(errors, 0)->path, errors_get(errors, 0)->message, text);
    }
    errors_free(errors);
}

static void world_init(void)
{
    struct errors *errors = errors_new();

    the_config = config_parse(CONFIG, strlen(CONFIG), errors);
    expect_none(errors, CONFIG);
    the_profiles = profiles_new();
    profiles_add_builtin(the_profiles);
}

void bgp_fake_world_done(void)
{
    config_free(the_config);
    profiles_free(the_profiles);
    the_config = NULL;
    the_profiles = NULL;
}

struct intended *bgp_fake_change(const struct intended *base, struct ids *ids, const char *tenant,
                                 const char *networks)
{
    struct topology_world world = {
        .config = the_config, .profiles = the_profiles, .intended = base};
    struct errors *errors = errors_new();
    struct topology *topology;
    struct intended *next;
    size_t len;
    char *text = NULL;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "version: 1\nnetworks:%s%s\n", networks ? "\n" : " []", networks ? networks : "");
    fclose(out);
    topology = topology_parse(text, len, errors);
    if (topology) {
        topology_check(topology, tenant, &world, errors);
    }
    expect_none(errors, text);
    ids_assign(ids, tenant, topology);
    next = intended_with(base, tenant, 1, topology);
    free(text);
    return next;
}

struct intended *bgp_fake_intended(struct ids *ids, const char *bio, const char *phys)
{
    struct intended *none, *one, *both;

    if (!the_config) {
        world_init();
    }
    none = intended_new(the_config);
    one = bgp_fake_change(none, ids, "bio", bio);
    both = bgp_fake_change(one, ids, "phys", phys);
    intended_unref(none);
    intended_unref(one);
    return both;
}
