#include "net_fake.h"

#include "model/plan.h"
#include "model/tunnel_mtu.h"
#include "net/net_egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void net_fake_init(struct net_fake *fake)
{
    net_state_init(&fake->now);
    fake->now.ipv6_forwarding = 0;
    fake->next_index = 1;
    fake->wanted = (struct net_wanted){0};
}

void net_fake_done(struct net_fake *fake)
{
    net_state_done(&fake->now);
    net_wanted_done(&fake->wanted);
}

/* --- the kernel --- */

static bool made_by_ovs(const struct net_link *link)
{
    return strcmp(link->type, "openvswitch") == 0;
}

struct net_link *net_fake_add(struct net_fake *fake, const char *name, const char *type)
{
    struct net_link *link = net_state_put_link(&fake->now, fake->next_index++);

    snprintf(link->name, sizeof link->name, "%s", name);
    snprintf(link->type, sizeof link->type, "%s", type);
    link->conf = (struct net_conf){0, 0, 0, 1, 0};
    link->mtu = 1500;
    net_state_renamed(&fake->now, link);
    return link;
}

struct net_link *net_fake_add_uplink(struct net_fake *fake)
{
    struct prefix own;
    struct net_gateway gateway = {.family = AF_INET, .metric = 100};
    struct net_link *link = net_fake_add(fake, "wan0", "veth");

    assert_int_equal(prefix_parse("203.0.113.1/24", &own), 0);
    assert_int_equal(addr_parse("203.0.113.254", &gateway.via), 0);
    gateway.oif = link->index;
    link->up = link->running = true;
    net_link_put_addr(link, &(struct net_addr){.prefix = own});
    net_state_put_gateway(&fake->now, &gateway);
    return link;
}

static void drop_family(struct net_link *link, int family)
{
    for (size_t i = link->n_addrs; i-- > 0;)
        if (link->addrs[i].prefix.addr.family == family)
            net_link_drop_addr(link, &link->addrs[i].prefix);
}

void net_fake_down(struct net_fake *fake, struct net_link *link)
{
    link->up = link->running = false;
    drop_family(link, AF_INET6);
    net_state_drop_routes_of(&fake->now, AF_INET, link->index);
    net_state_drop_routes_of(&fake->now, AF_INET6, link->index);
}

static void move_out(struct net_fake *fake, struct net_link *link, int master)
{
    bool up = link->up;

    if (link->master_index == master)
        return;
    net_fake_down(fake, link); /* the kernel sets it down and up again */
    link->up = link->running = up;
    link->master_index = master;
}

void net_fake_delete(struct net_fake *fake, struct net_link *link)
{
    struct net_link *const *links = net_state_links(&fake->now);

    for (size_t i = 0; i < fake->now.n_links; i++)
        if (links[i]->master_index == link->index)
            move_out(fake, links[i], 0);
    net_fake_down(fake, link);
    net_state_drop_link(&fake->now, link->index);
}

void net_fake_drop_addr(struct net_fake *fake, struct net_link *link, const struct prefix *prefix)
{
    net_link_drop_addr(link, prefix);
    if (link->n_addrs == 0 || link->addrs[0].prefix.addr.family != AF_INET)
        net_state_drop_routes_of(&fake->now, AF_INET, link->index);
}

/* --- operations --- */

static void create(struct net_fake *fake, const struct net_link *wanted)
{
    struct net_link *const *links = net_state_links(&fake->now);

    for (size_t i = 0; i < fake->now.n_links; i++) {
        bool rival = strcmp(links[i]->type, wanted->type) == 0 &&
                     links[i]->table == wanted->table && links[i]->if_id == wanted->if_id;

        if (rival || strcmp(links[i]->name, wanted->name) == 0)
            fail_msg("%s is in the way of %s", links[i]->name, wanted->name);
    }
    struct net_link *link = net_fake_add(fake, wanted->name, wanted->type);
    link->table = wanted->table;
    if (wanted->table)
        fake->now.l3mdev_rules = NET_IPV4 | NET_IPV6;
    link->if_id = wanted->if_id;
    if (wanted->mtu)
        link->mtu = wanted->mtu;
}

static void delete (struct net_fake *fake, struct net_link *link)
{
    struct net_link *const *links = net_state_links(&fake->now);

    assert_true(net_link_is_ours(link));
    for (size_t i = 0; i < fake->now.n_links; i++)
        if (links[i]->master_index == link->index && links[i]->up && net_link_is_ours(links[i]))
            fail_msg("%s falls out of %s while up", links[i]->name, link->name);
    net_fake_delete(fake, link);
}

static void set_up(struct net_fake *fake, struct net_link *link)
{
    const struct net_link *vrf = net_state_link(&fake->now, link->master_index);

    if (strcmp(link->type, "vrf") != 0 && (!vrf || !net_link_is_ours(vrf)))
        fail_msg("%s is set up outside of a VRF", link->name);
    link->up = link->running = true;
}

static void set_master(struct net_fake *fake, struct net_link *link, const char *name)
{
    const struct net_link *vrf = name[0] ? net_state_find(&fake->now, name) : NULL;

    if (link->up)
        fail_msg("%s changes its VRF while up", link->name);
    if (name[0] && (!vrf || !net_link_is_ours(vrf)))
        fail_msg("%s is put into %s, which is not ours", link->name, name);
    move_out(fake, link, vrf ? vrf->index : 0);
}

static void add_addr(struct net_link *link, const struct prefix *prefix)
{
    for (size_t i = 0; i < link->n_addrs; i++)
        if (prefix->addr.family == AF_INET6 &&
            addr_equal(&link->addrs[i].prefix.addr, &prefix->addr) &&
            link->addrs[i].prefix.len != prefix->len)
            fail_msg("%s has the address already, with another length", link->name);
    net_link_put_addr(link, &(struct net_addr){.prefix = *prefix, .ours = true});
}

static void set_conf(struct net_conf *conf, const struct net_conf *wanted)
{
    if (wanted->forwarding >= 0)
        conf->forwarding = wanted->forwarding;
    if (wanted->rp_filter >= 0)
        conf->rp_filter = wanted->rp_filter;
    if (wanted->promote_secondaries >= 0)
        conf->promote_secondaries = wanted->promote_secondaries;
}

static void put_route(struct net_fake *fake, const struct net_op *op)
{
    struct net_route route = *op->route;

    if (op->kind == NET_OP_ROUTE_ADD && net_state_find_route(&fake->now, &route))
        fail_msg("a route is there already");
    if (route.type == NET_ROUTE_UNICAST) {
        const struct net_link *dev = net_state_find(&fake->now, route.dev);

        if (!dev || !dev->up) {
            fail_msg("the way of a route is closed: %s", route.dev);
            abort();
        }
        route.oif = dev->index;
    }
    route.tenant = route.object = NULL;
    route.uplink = false;
    net_state_put_route(&fake->now, &route);
}

static void do_link_op(struct net_fake *fake, const struct net_op *op, struct net_link *link)
{
    if (op->kind == NET_OP_LINK_DELETE)
        delete (fake, link);
    else if (op->kind == NET_OP_ALIAS)
        snprintf(link->alias, sizeof link->alias, "%s", op->text);
    else if (op->kind == NET_OP_ALTNAME_ADD)
        snprintf(link->altname, sizeof link->altname, "%s", op->text);
    else if (op->kind == NET_OP_ALTNAME_DELETE)
        link->altname[0] = '\0';
    else if (op->kind == NET_OP_MASTER)
        set_master(fake, link, op->text);
    else if (op->kind == NET_OP_MTU)
        link->mtu = op->number;
    else if (op->kind == NET_OP_UP)
        set_up(fake, link);
    else if (op->kind == NET_OP_DOWN)
        net_fake_down(fake, link);
    else if (op->kind == NET_OP_CONF)
        set_conf(&link->conf, &op->wanted->conf);
    else if (op->kind == NET_OP_ACCEPT_RA)
        link->conf.accept_ra = (int8_t)op->number;
    else if (op->kind == NET_OP_DISABLE_IPV6)
        link->conf.disable_ipv6 = (int8_t)op->number;
    else if (op->kind == NET_OP_ADDR_ADD)
        add_addr(link, &op->prefix);
    else if (op->kind == NET_OP_ADDR_DELETE)
        net_fake_drop_addr(fake, link, &op->prefix);
}

static void do_op(struct net_fake *fake, const struct net_op *op)
{
    if (op->kind == NET_OP_LINK_CREATE) {
        create(fake, op->wanted);
    } else if (op->kind == NET_OP_ROUTE_DELETE) {
        net_state_drop_route(&fake->now, op->route);
    } else if (op->route) {
        put_route(fake, op);
    } else if (op->kind == NET_OP_RULE_ADD) {
        fake->now.l3mdev_rules |= (uint8_t)op->number;
    } else if (op->kind == NET_OP_MARK_ADD || op->kind == NET_OP_MARK_DELETE) {
        struct net_rule rule =
            net_rule_of(&(struct net_egress){.table = op->number}, op->prefix.addr.family);

        assert_true(op->kind == NET_OP_MARK_ADD ? net_state_put_rule(&fake->now, &rule)
                                                : net_state_drop_rule(&fake->now, &rule));
    } else if (op->kind == NET_OP_IPV6_FORWARDING) {
        fake->now.ipv6_forwarding = 1;
    } else {
        struct net_link *link = net_state_find(&fake->now, op->link);

        if (!link) {
            fail_msg("%s is not there", op->link);
            abort(); /* not reached, which the analyzer does not know; likewise below */
        }
        if (op->uplink && op->kind == NET_OP_CONF) {
            set_conf(&link->conf, &op->wanted->conf);
            return;
        }
        if (!net_link_is_ours(link) && op->kind != NET_OP_ALIAS)
            fail_msg("%s is not ours", op->link);
        if (!net_link_is_ours(link) && !ids_of_segment(link->name) && link->alias[0] &&
            !link->altname[0])
            fail_msg("%s is somebody else's", op->link);
        do_link_op(fake, op, link);
    }
}

/* --- passes --- */

/* As net_io_write.c: what a step waits for may come with an earlier round. */
static void do_round(struct net_fake *fake, struct step *step, int round)
{
    const struct net_change *change = step->data;

    for (size_t i = 0; i < change->n_ops; i++) {
        if ((int)change->ops[i].round != round)
            continue;
        if (change->waits_for && !net_state_find(&fake->now, change->waits_for))
            step->result = STEP_NOT_READY;
        if (step->result != STEP_RUNNING)
            return;
        do_op(fake, &change->ops[i]);
    }
}

void net_fake_carry_out(struct net_fake *fake, struct plan *plan, struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct net_change *change = steps[i]->data;

        steps[i]->result = change->obstacle == STEP_TODO ? STEP_RUNNING : change->obstacle;
    }
    for (int round = 0; round < NET_N_ROUNDS; round++)
        for (size_t i = 0; i < n; i++)
            do_round(fake, steps[i], round);
    for (size_t i = 0; i < n; i++)
        if (steps[i]->result == STEP_RUNNING)
            step_finish(plan, steps[i], STEP_DONE, NULL);
}

static size_t apply_phase(struct net_fake *fake, struct plan *plan, enum plan_phase phase)
{
    size_t first = 0, n = 0, left = 0;

    while (first < plan->n_steps && plan->steps[first]->phase != phase)
        first++;
    while (first + n < plan->n_steps && plan->steps[first + n]->phase == phase)
        n++;
    net_fake_carry_out(fake, plan, plan->steps + first, n);
    for (size_t i = 0; i < n; i++)
        left += plan->steps[first + i]->result != STEP_DONE;
    return left;
}

/* What ovs/ does between the phases of ours. */
static void play_ovs(struct net_fake *fake, struct net_state *wanted)
{
    struct net_link *const *links = net_state_links(wanted);

    for (size_t i = 0; i < wanted->n_links; i++)
        if (made_by_ovs(links[i]) && !net_state_find(&fake->now, links[i]->name))
            net_fake_add(fake, links[i]->name, "openvswitch");
    for (size_t i = 0; i < fake->now.n_links; i++) {
        struct net_link *link = net_state_links(&fake->now)[i];

        if (!made_by_ovs(link) || !ids_of_segment(link->name) || net_state_find(wanted, link->name))
            continue;
        if (link->up || link->alias[0] || link->n_addrs || link->master_index)
            fail_msg("%s goes before it was let go of", link->name);
        net_fake_delete(fake, link);
        i--;
    }
}

size_t net_fake_apply(struct net_fake *fake, const struct intended *intended, struct plan *plan)
{
    size_t left = apply_phase(fake, plan, PHASE_NET_DELETE);

    net_want(&fake->wanted, intended);
    play_ovs(fake, &fake->wanted.state);
    return left + apply_phase(fake, plan, PHASE_NET_CREATE);
}

void net_fake_add_steps(struct net_fake *fake, const struct intended *intended, struct plan *plan)
{
    net_want(&fake->wanted, intended);
    net_diff(&fake->wanted.state, &fake->now, plan);
}

struct plan *net_fake_plan(struct net_fake *fake, const struct intended *intended)
{
    struct plan *plan = plan_new();

    net_fake_add_steps(fake, intended, plan);
    net_wanted_done(&fake->wanted); /* the plan must stand on its own */
    plan_sort(plan);
    return plan;
}

size_t net_fake_pass(struct net_fake *fake, const struct intended *intended)
{
    struct plan *plan = net_fake_plan(fake, intended);
    size_t n = plan->n_steps;

    net_fake_apply(fake, intended, plan);
    plan_free(plan);
    return n;
}

/* --- as text --- */

static void print_link(FILE *out, struct net_fake *fake, const struct net_link *link)
{
    const struct net_link *master = net_state_link(&fake->now, link->master_index);

    fprintf(out,
            "%s %s alias=%s altname=%s table=%u if_id=%u mtu=%u %s master=%s conf=%d,%d,%d,%d,%d",
            link->name, link->type, link->alias, link->altname, link->table, link->if_id, link->mtu,
            link->up ? "up" : "down", master ? master->name : "", link->conf.forwarding,
            link->conf.rp_filter, link->conf.promote_secondaries, link->conf.accept_ra,
            link->conf.disable_ipv6);
    for (size_t i = 0; i < link->n_addrs; i++) {
        char text[PREFIX_TEXT];

        fprintf(out, " %s", prefix_print(&link->addrs[i].prefix, text));
    }
    fputc('\n', out);
}

char *net_fake_text(struct net_fake *fake)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < fake->now.n_links; i++)
        print_link(out, fake, net_state_links(&fake->now)[i]);
    for (size_t i = 0; i < fake->now.n_routes; i++) {
        const struct net_route *route = net_state_routes(&fake->now)[i];
        const struct net_link *dev = net_state_link(&fake->now, route->oif);
        char prefix[PREFIX_TEXT], via[ADDR_TEXT] = "";

        if (route->via.family)
            addr_print(&route->via, via);
        fprintf(out, "route %u %s metric %u type %d via %s dev %s\n", route->table,
                prefix_print(&route->prefix, prefix), route->metric, (int)route->type, via,
                dev ? dev->name : "");
    }
    for (size_t i = 0; i < fake->now.n_rules; i++)
        fprintf(out, "rule %d mark %x table %u\n", fake->now.rules[i].family == AF_INET ? 4 : 6,
                fake->now.rules[i].mark, fake->now.rules[i].table);
    fclose(out);
    return text;
}

/* --- intended states --- */

static const struct profile generic = {.name = "generic", .mtu = 1400},
                            narrow = {.name = "narrow", .mtu = 1380};

static struct topology *topology_of(const char *networks)
{
    struct errors *errors = errors_new();
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "version: 1\nnetworks:\n%s", networks);
    fclose(out);
    struct topology *topology = topology_parse(text, len, errors);
    if (!topology || errors_count(errors)) {
        fail_msg("topology: %s\n%s", errors_get(errors, 0)->message, text);
        abort();
    }
    errors_free(errors);
    free(text);
    return topology;
}

/* What topology_check() finds out about pools, as far as it matters here: the segment they lie on.
 */
static void settle_pools(struct topology *topology)
{
    for (size_t i = 0; i < topology->n_networks; i++) {
        struct network *network = &topology->networks[i];

        for (size_t j = 0; j < network->n_pools * network->n_segments; j++) {
            struct pool *pool = &network->pools[j / network->n_segments];
            const struct segment *segment = &network->segments[j % network->n_segments];

            if (segment->n_gateways && prefix_covers(&segment->gateways[0], &pool->prefixes[0])) {
                pool->segment = segment;
                pool->families[0] = (struct pool_family){.prefix = pool->prefixes[0]};
                pool->n_families = 1;
            }
        }
    }
}

static void settle_tunnels(struct topology *topology, const struct config *config)
{
    for (size_t i = 0; i < topology->n_networks; i++)
        for (size_t j = 0; j < topology->networks[i].n_tunnels; j++) {
            struct tunnel *tunnel = &topology->networks[i].tunnels[j];

            tunnel->profile = strcmp(tunnel->profile_name, "narrow") == 0 ? &narrow : &generic;
            tunnel->mtu = tunnel_mtu(tunnel, config);
        }
}

struct intended *net_fake_with(struct intended *base, struct ids *ids, const char *tenant,
                               const char *networks)
{
    struct topology *topology = networks ? topology_of(networks) : topology_new_empty();

    settle_pools(topology);
    settle_tunnels(topology, base->config);
    ids_assign(ids, tenant, topology);
    struct intended *next = intended_with(base, tenant, 1, topology);
    intended_unref(base);
    return next;
}

struct intended *net_fake_intended(struct ids *ids, const char *bio, const char *geo)
{
    static struct config_uplink uplinks[] = {
        {.name = "sinet",
         .type = UPLINK_TRUNK,
         .interface = "sinet0",
         .mtu = 1500,
         .bridge = "br-sinet"},
        {.name = "wan", .type = UPLINK_ROUTED, .interface = "wan0", .mtu = 1500},
    };
    static const struct config config = {
        .ovs_datapath = "system", .uplinks = uplinks, .n_uplinks = 2};

    return net_fake_with(net_fake_with(intended_new(&config), ids, "bio", bio), ids, "geo", geo);
}

struct intended *net_fake_random(struct ids *ids, struct chance *chance, unsigned int networks,
                                 net_fake_writer *write)
{
    struct intended *intended;
    char *texts[2];

    for (unsigned int tenant = 0; tenant < 2; tenant++) {
        size_t len;
        FILE *out = open_memstream(&texts[tenant], &len);

        for (unsigned int number = 0; number < networks; number++) {
            if (!chance_below(chance, 2))
                continue;
            fprintf(out, "- name: n%u\n", number);
            write(out, chance, tenant, number);
        }
        fclose(out);
    }
    intended = net_fake_intended(ids, texts[0][0] ? texts[0] : NULL, texts[1][0] ? texts[1] : NULL);
    free(texts[0]);
    free(texts[1]);
    return intended;
}
