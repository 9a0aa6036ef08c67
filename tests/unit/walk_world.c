#include "walk_world.h"

#include "check.h"
#include "topology_fixture.h"

#include <lib/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the parts below the kernel --------------------------------------------------------------- */

static const struct ovs_port *find_port(const struct walk_world *world, const char *name)
{
    const struct ovs_state *now = world->ovs.now;

    for (size_t i = 0; i < now->n_ports; i++) {
        if (!strcmp(now->ports[i].name, name)) {
            return &now->ports[i];
        }
    }
    return NULL;
}

static bool is_intended(const struct walk_world *world, const char *port)
{
    const struct ids *ids = &world->engine.ids;

    for (size_t i = 0; i < ids->n; i++) {
        if (ids->entries[i].kind == ID_SEGMENT && ids->entries[i].id == ids_of_segment(port)) {
            return true;
        }
    }
    return false;
}

static void port_goes(struct walk_world *world, size_t i, bool planned)
{
    struct net_link *link = net_state_find(&world->net.now, world->ports[i].name);

    if (planned && !is_intended(world, link->name) &&
        (link->up || link->alias[0] || link->n_addrs || link->master_index)) {
        fail_msg("%s goes before it was let go of", link->name);
    }
    net_fake_delete(&world->net, link);
    world->ports[i] = world->ports[--world->n_ports];
}

static void port_comes(struct walk_world *world, const struct ovs_port *port)
{
    size_t i = world->n_ports++;

    assert_true(i < WALK_PORTS);
    snprintf(world->ports[i].name, sizeof world->ports[i].name, "%s", port->name);
    snprintf(world->ports[i].bridge, sizeof world->ports[i].bridge, "%s", port->bridge);
    net_fake_add(&world->net, port->name, "openvswitch");
}

/* ovs-vswitchd makes an interface anew that comes to another bridge. */
void walk_world_follow_ovs(struct walk_world *world, bool planned)
{
    const struct ovs_state *now = world->ovs.now;

    for (size_t i = world->n_ports; i-- > 0;) {
        const struct ovs_port *port = find_port(world, world->ports[i].name);

        if (!port || strcmp(port->bridge, world->ports[i].bridge) != 0) {
            port_goes(world, i, planned);
        }
    }
    for (size_t i = 0; i < now->n_ports; i++) {
        const struct ovs_port *port = &now->ports[i];

        if (!ids_of_segment(port->name)) {
            continue;
        }
        if (!net_state_find(&world->net.now, port->name)) {
            port_comes(world, port);
        }
        net_state_find(&world->net.now, port->name)->mtu = port->mtu;
    }
}

/* What dhcp/ sees of the kernel. */
static void tell_dhcp(struct walk_world *world)
{
    struct net_link *const *links = net_state_links(&world->net.now);

    dhcp_fake_clear_links(&world->dhcp);
    for (size_t i = 0; i < world->net.now.n_links; i++) {
        uint32_t index = (uint32_t)links[i]->index;

        dhcp_fake_add_link(&world->dhcp, links[i]->name, index);
        for (size_t j = 0; j < links[i]->n_addrs; j++) {
            dhcp_fake_add_address(&world->dhcp, index, &links[i]->addrs[j].prefix.addr);
        }
    }
}

/* --- backends --------------------------------------------------------------------------------- */

enum { OVS, NET, NFT, IPSEC, BGP, DHCP };

static enum backend_health fake_health(const struct backend *backend OVS_UNUSED,
                                       const char **ret_reason OVS_UNUSED)
{
    return BACKEND_READY;
}

static void fake_diff(struct backend *backend, const struct intended *intended, struct plan *plan)
{
    const struct walk_backend *self = CONTAINER_OF(backend, struct walk_backend, up);
    struct walk_world *world = self->world;

    switch (self->number) {
    case OVS: ovs_fake_add_steps(&world->ovs, intended, plan); break;
    case NET: net_fake_add_steps(&world->net, intended, plan); break;
    case NFT: nft_fake_add_steps(&world->nft, intended, plan); break;
    case IPSEC: ipsec_fake_add_steps(&world->ipsec, intended, plan); break;
    case BGP: bgp_fake_add_steps(&world->bgp, intended, plan); break;
    case DHCP:
        tell_dhcp(world);
        dhcp_fake_add_steps(&world->dhcp, intended, plan);
        break;
    }
}

static void note_steps(struct walk_world *world, struct step **steps, size_t n)
{
    world->steps = xrealloc(world->steps, (world->n_steps + n) * sizeof *world->steps);
    for (size_t i = 0; i < n; i++) {
        world->steps[world->n_steps++] = (struct walk_step){
            .text = walk_step_text(steps[i]),
            .tenant = xstrdup(steps[i]->tenant),
            .object = xstrdup(steps[i]->object),
            .disruptive = steps[i]->disruptive,
            .drift = steps[i]->drift != NULL,
            .result = steps[i]->result,
            .pass = world->engine.pass,
        };
    }
}

static void carry_out(struct walk_world *world, unsigned int number, struct plan *plan,
                      struct step **steps, size_t n)
{
    switch (number) {
    case OVS:
        ovs_fake_carry_out(&world->ovs, plan, steps, n);
        walk_world_follow_ovs(world, true);
        break;
    case NET: net_fake_carry_out(&world->net, plan, steps, n); break;
    case NFT: nft_fake_carry_out(&world->nft, plan, steps, n); break;
    case IPSEC: ipsec_fake_carry_out(&world->ipsec, plan, steps, n); break;
    case BGP: bgp_fake_carry_out(&world->bgp, steps, n); break;
    case DHCP: dhcp_fake_carry_out(&world->dhcp, plan, steps, n); break;
    }
}

/* Whose run() tells of a change when this backend has carried out steps. */
static void tell_changed(struct walk_world *world, unsigned int number, struct step **steps,
                         size_t n)
{
    bool done = false;

    for (size_t i = 0; i < n; i++) {
        done = done || steps[i]->result == STEP_DONE;
    }
    if (!done) {
        return;
    }
    pass_look_again(&world->engine, number);
    if (number == OVS) {
        pass_look_again(&world->engine, NET);
    }
    if (number == OVS || number == NET) {
        pass_look_again(&world->engine, DHCP);
    }
}

static void put_next(struct walk_world *world)
{
    world->next.applies = 0;
    walk_world_put(world, world->next.tenant, world->next.intended, &world->next.ids);
}

static void fake_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    const struct walk_backend *self = CONTAINER_OF(backend, struct walk_backend, up);
    struct walk_world *world = self->world;
    bool last = world->next.applies && --world->next.applies == 0;
    size_t begun = last && self->number != NFT ? n / 2 : n; /* nft's are one transaction */

    carry_out(world, self->number, plan, steps, begun);
    for (size_t i = begun; i < n; i++) {
        step_finish(plan, steps[i], STEP_NOT_READY, NULL);
    }
    note_steps(world, steps, n);
    tell_changed(world, self->number, steps, n);
    if (last) {
        put_next(world);
    }
}

/* In the order of main.c. */
#define BACKEND(word)                                                               \
    {                                                                               \
        .name = word, .health = fake_health, .diff = fake_diff, .apply = fake_apply \
    }
static const struct backend_class class_rows[WALK_BACKENDS] = {
    [OVS] = BACKEND("ovs"),     [NET] = BACKEND("net"), [NFT] = BACKEND("nft"),
    [IPSEC] = BACKEND("ipsec"), [BGP] = BACKEND("bgp"), [DHCP] = BACKEND("dhcp"),
};

/* --- making one ------------------------------------------------------------------------------- */

static void put_addr(struct net_link *link, const char *text)
{
    struct net_addr addr = {.ours = false};

    assert_int_equal(prefix_parse(text, &addr.prefix), 0);
    net_link_put_addr(link, &addr);
}

static void add_uplinks(struct net_fake *net)
{
    struct net_link *second;

    put_addr(net_fake_add_uplink(net), "2001:db8:fff0::1/64");
    second = net_fake_add(net, "wan1", "veth");
    second->up = second->running = true;
    put_addr(second, "198.51.100.253/24");
    put_addr(second, "2001:db8:fff1::1/64");
}

static void add_foreign(struct walk_world *world)
{
    ovs_state_add_bridge(world->ovs.now, "br-int")->mark = "";
    ovs_state_add_port(world->ovs.now, "tap0")->bridge = "br-int";
    net_fake_add(&world->net, "blue", "vrf")->table = 77;
    net_fake_add(&world->net, "ipsec7", "xfrm")->if_id = 70007;
    ipsec_fake_add_foreign(&world->ipsec, 70007);
    bgp_fake_type_all(&world->bgp, "configure terminal\n"
                                   "ip prefix-list FOREIGN seq 5 permit 10.0.0.0/8 le 24\n"
                                   "router bgp 65010 vrf blue\n"
                                   "neighbor 169.254.10.2 remote-as 64512\n"
                                   "end");
}

/* What charon may send from is what the kernel has. */
static bool uplink_addr(void *aux, const char *interface, int family, struct addr *ret_addr)
{
    struct walk_world *world = CONTAINER_OF(aux, struct walk_world, ipsec);
    const struct net_link *link = net_state_find(&world->net.now, interface);

    for (size_t i = 0; link && i < link->n_addrs; i++) {
        if (link->addrs[i].prefix.addr.family == family) {
            *ret_addr = link->addrs[i].prefix.addr;
            return true;
        }
    }
    return false;
}

static void open_engine(struct walk_world *world)
{
    struct engine *engine = &world->engine;
    static const struct backend_class *classes[WALK_BACKENDS];

    engine->backends = xcalloc(WALK_BACKENDS, sizeof *engine->backends);
    engine->clean_for = xcalloc(WALK_BACKENDS, sizeof *engine->clean_for);
    engine->n_backends = WALK_BACKENDS;
    for (unsigned int i = 0; i < WALK_BACKENDS; i++) {
        classes[i] = &class_rows[i];
        world->backends[i] = (struct walk_backend){.up = {classes[i]}, .world = world, .number = i};
        engine->backends[i] = &world->backends[i].up;
    }
    engine->classes = classes;
    engine->store_serial = 1;
    engine->retry_ms = INT64_MAX;
    engine->intended = intended_new(world->setting->config);
    ids_init(&engine->ids);
    shash_init(&engine->attempts);
    shash_init(&engine->applied);
    events_open(engine);
    tell_open(engine);
    drift_open(engine);
}

void walk_world_init(struct walk_world *world, const struct topology_world *setting)
{
    memset(world, 0, sizeof *world);
    world->setting = setting;
    open_engine(world);
    ovs_fake_init(&world->ovs);
    net_fake_init(&world->net);
    nft_fake_init(&world->nft);
    ipsec_fake_init_charon(&world->ipsec);
    world->ipsec.facts.uplink = uplink_addr;
    world->ipsec.resolved = "203.0.113.200,203.0.113.201";
    bgp_fake_init(&world->bgp);
    dhcp_fake_init(&world->dhcp);
    add_uplinks(&world->net);
    add_foreign(world);
}

void walk_world_done(struct walk_world *world)
{
    struct engine *engine = &world->engine;

    pass_forget(engine, NULL);
    drift_close(engine);
    tell_close(engine);
    events_close(engine);
    shash_destroy_free_data(&engine->applied);
    shash_destroy(&engine->attempts);
    ids_done(&engine->ids);
    walk_world_look(world);
    intended_unref(engine->intended);
    free(engine->clean_for);
    free(engine->backends);
    ovs_fake_done(&world->ovs);
    net_fake_done(&world->net);
    nft_fake_done(&world->nft);
    ipsec_fake_done_charon(&world->ipsec);
    bgp_fake_done(&world->bgp);
    dhcp_fake_done(&world->dhcp);
    walk_world_forget(world);
}

/* --- the engine's part ------------------------------------------------------------------------ */

struct intended *walk_world_candidate(const struct walk_world *world, const char *tenant,
                                      const char *text, struct ids *ret_ids)
{
    const struct intended *base = world->engine.intended;
    struct topology_world setting = *world->setting;
    struct errors *errors;
    struct topology *topology;

    setting.intended = base;
    topology = fixture_check(&setting, tenant, text, &errors);
    if (errors_count(errors)) {
        fail_msg("line %u: %s: %s\nin:\n%s", errors_get(errors, 0)->line,
                 errors_get(errors, 0)->path, errors_get(errors, 0)->message, text);
    }
    errors_free(errors);
    ids_clone(&world->engine.ids, ret_ids);
    ids_assign(ret_ids, tenant, topology);
    return intended_with(base, tenant, 1, topology);
}

void walk_world_put(struct walk_world *world, const char *tenant, struct intended *intended,
                    const struct ids *ids)
{
    struct engine *engine = &world->engine;

    intended_unref(engine->intended);
    engine->intended = intended;
    ids_done(&engine->ids);
    engine->ids = *ids;
    engine->dirty = true;
    pass_forget(engine, tenant);
    drift_forget(engine);
}

void walk_world_supersede(struct walk_world *world, unsigned int applies, const char *tenant,
                          struct intended *intended, const struct ids *ids)
{
    world->next.applies = applies;
    world->next.tenant = tenant;
    world->next.intended = intended;
    world->next.ids = *ids;
}

void walk_world_look(struct walk_world *world)
{
    for (size_t i = 0; i < WALK_BACKENDS; i++) {
        pass_look_again(&world->engine, i);
    }
}

static void run_passes(struct walk_world *world)
{
    enum { PASSES = 6 };
    unsigned int first = world->engine.pass;

    world->engine.dirty = true;
    while (world->engine.dirty) {
        pass_run(&world->engine);
        if (world->engine.pass > first + PASSES) {
            fail_msg("still not settled: %s", world->steps[world->n_steps - 1].text);
        }
    }
}

void walk_world_run(struct walk_world *world)
{
    run_passes(world);
    if (world->next.applies) {
        put_next(world);
        run_passes(world);
    }
}

void walk_world_forget(struct walk_world *world)
{
    for (size_t i = 0; i < world->n_steps; i++) {
        free(world->steps[i].text);
        free(world->steps[i].tenant);
        free(world->steps[i].object);
    }
    free(world->steps);
    world->steps = NULL;
    world->n_steps = 0;
}

/* --- as text ---------------------------------------------------------------------------------- */

char *walk_step_text(const struct step *step)
{
    return xasprintf("%s %s %s/%s%s: %s", step->backend, step_action_name(step->action),
                     step->tenant, step->object, step->disruptive ? "!" : "", step->summary);
}

static int cmp_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, which is freed, each behind the name of its part. */
static void print_sorted(FILE *out, const char *part, char *text)
{
    char **lines = NULL, *saved = NULL;
    size_t n = 0;

    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        lines = xrealloc(lines, (n + 1) * sizeof *lines);
        lines[n++] = line;
    }
    if (n) {
        qsort(lines, n, sizeof *lines, cmp_lines);
    }
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%s: %s\n", part, lines[i]);
    }
    free(lines);
    free(text);
}

static char *bgp_lines(const struct bgp_fake *bgp)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < bgp->n_lines; i++) {
        fprintf(out, "%s\n", bgp->lines[i]);
    }
    fclose(out);
    return text;
}

char *walk_world_text(const struct walk_world *world)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    print_sorted(out, "ovs", ovs_fake_text(&world->ovs));
    print_sorted(out, "net", net_fake_text((struct net_fake *)&world->net));
    print_sorted(out, "nft", nft_fake_text(&world->nft));
    print_sorted(out, "ipsec", ipsec_fake_held(&world->ipsec));
    print_sorted(out, "bgp", bgp_lines(&world->bgp));
    print_sorted(out, "dhcp", dhcp_fake_text(&world->dhcp));
    fclose(out);
    return text;
}
