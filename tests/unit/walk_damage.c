#include "walk_damage.h"

#include "check.h"
#include "net/net_egress.h"

#include <stdio.h>
#include <string.h>

/* --- whose it was ----------------------------------------------------------------------------- */

/* The network in "bio/n0/segment/s1"; what is an uplink's is everybody's. */
static void hit_path(struct walk_damage *damage, const char *path)
{
    const char *slash = strchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 + strcspn(slash + 1, "/") : 0;

    snprintf(damage->scope, sizeof damage->scope, "%.*s",
             strncmp(path, "uplink/", 7) ? (int)len : 0, path);
}

/* The network of a routing table; 0 is everybody's. */
static void hit_table(const struct walk_world *world, struct walk_damage *damage, uint32_t table)
{
    const struct intended *intended = world->engine.intended;

    damage->scope[0] = '\0';
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct topology *topology = intended->tenants[i].topology;

        for (size_t j = 0; j < topology->n_networks; j++) {
            if (ids_vrf_table(topology->networks[j].id) == table) {
                snprintf(damage->scope, sizeof damage->scope, "%s/%s", intended->tenants[i].name,
                         topology->networks[j].name);
            }
        }
    }
}

static size_t pick(struct chance *chance, size_t n)
{
    return chance_below(chance, (unsigned int)n);
}

/* --- Open vSwitch ----------------------------------------------------------------------------- */

static bool hurt_port(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct ovs_state *now = world->ovs.now;
    struct ovs_port *port = &now->ports[pick(chance, now->n_ports)];

    if (!ovs_port_mark(port)[0]) {
        return false;
    }
    hit_path(damage, ovs_port_mark(port));
    switch (chance_below(chance, 6)) {
    case 0: *port = now->ports[--now->n_ports]; break;
    case 1: port->tag = 4000; break;
    case 2: port->mtu = 1234; break;
    case 3: port->lldp = true; break;
    case 4: port->mark = ""; break; /* the other witness is left */
    default: port->plain = false;
    }
    walk_world_follow_ovs(world, false);
    return true;
}

static void drop_bridge(struct ovs_state *now, struct ovs_bridge *bridge)
{
    for (size_t i = now->n_ports; i-- > 0;) {
        if (!strcmp(now->ports[i].bridge, bridge->name)) {
            now->ports[i] = now->ports[--now->n_ports];
        }
    }
    *bridge = now->bridges[--now->n_bridges];
}

static bool hurt_bridge(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct ovs_state *now = world->ovs.now;
    struct ovs_bridge *bridge = &now->bridges[pick(chance, now->n_bridges)];

    if (!ovs_bridge_mark(bridge)[0]) {
        return false;
    }
    hit_path(damage, ovs_bridge_mark(bridge));
    switch (chance_below(chance, 3)) {
    case 0: drop_bridge(now, bridge); break;
    case 1: bridge->macs = 0; break;
    default: bridge->settings &= ~(unsigned int)OVS_NO_STP;
    }
    walk_world_follow_ovs(world, false);
    return true;
}

static bool hurt_limits(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct ovs_state *now = world->ovs.now;

    damage->scope[0] = '\0';
    if (chance_below(chance, 2) && now->vlan_limit_ours) {
        now->vlan_limit = OVS_LIMIT_UNSET;
        return true;
    }
    return now->n_limits && now->n_limits--;
}

/* --- the kernel ------------------------------------------------------------------------------- */

static void put_stray(struct net_link *link)
{
    struct net_addr stray = {.ours = false};

    assert_int_equal(prefix_parse("10.7.7.7/24", &stray.prefix), 0);
    net_link_put_addr(link, &stray);
}

static bool hurt_link(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct net_fake *net = &world->net;
    struct net_link *link = net_state_links(&net->now)[pick(chance, net->now.n_links)];
    bool port = ids_of_segment(link->name);

    if (!net_link_is_ours(link)) {
        return false;
    }
    hit_path(damage, link->alias + strlen(NET_MARK));
    switch (chance_below(chance, 9)) {
    case 0: net_fake_down(net, link); return true;
    case 1: put_stray(link); return true;
    case 2: link->altname[0] = '\0'; return true;
    case 3: link->conf.rp_filter = 1; return true;
    case 4: link->alias[0] = '\0'; return true;
    case 5:
        if (link->n_addrs) {
            struct prefix prefix = link->addrs[0].prefix;

            net_fake_drop_addr(net, link, &prefix);
        }
        return true;
    case 6:
        if (!ids_of_vrf(link->name)) {
            link->master_index = net_state_find(&net->now, "blue")->index;
        }
        return true;
    case 7:
        if (ids_of_tunnel(link->name)) {
            link->mtu = 1290;
        }
        return true;
    default:
        if (!port) { /* those are Open vSwitch's */
            net_fake_delete(net, link);
        }
        return true;
    }
}

static bool hurt_route(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct net_state *now = &world->net.now;
    struct net_route stray = {.type = NET_ROUTE_BLACKHOLE, .metric = NET_ROUTE_METRIC};
    const struct net_route *route;

    if (!now->n_routes) {
        return false;
    }
    route = net_state_routes(now)[pick(chance, now->n_routes)];
    hit_table(world, damage, route->table);
    if (chance_below(chance, 3)) {
        net_state_drop_route(now, route);
    } else {
        stray.table = route->table;
        assert_int_equal(prefix_parse("192.0.2.0/24", &stray.prefix), 0);
        net_state_put_route(now, &stray);
    }
    return true;
}

static bool hurt_rule(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct net_state *now = &world->net.now;
    struct net_rule rule;

    if (!now->n_rules) {
        return false;
    }
    rule = now->rules[pick(chance, now->n_rules)];
    hit_table(world, damage, rule.table);
    return net_state_drop_rule(now, &rule);
}

static bool hurt_filter(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct nft_state *now = &world->nft.now;
    struct nft_item *item;

    if (!now->n_items) {
        return false;
    }
    item = now->items[pick(chance, now->n_items)];
    hit_table(world, damage, item->number);
    if (item->kind == NFT_ELEMENT) {
        nft_fake_drop(&world->nft, item);
    } else if (item->kind == NFT_SET) {
        nft_fake_flush_set(&world->nft, item->name);
        item->broken = true; /* somebody's element is in it */
    } else if (item->n_rules) {
        item->n_rules--;
    } else {
        item->broken = true;
    }
    return true;
}

/* --- charon ----------------------------------------------------------------------------------- */

static bool hurt_tunnel(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    struct ipsec_seen *seen = &world->ipsec.seen;
    struct ipsec_conn *conn = &seen->conns[pick(chance, seen->n_conns)];
    const struct ipsec_secret *secret = ipsec_find_secret(seen, conn->id);

    if (conn->foreign) {
        return false;
    }
    hit_path(damage, conn->owner);
    switch (chance_below(chance, 4)) {
    case 0: ipsec_fake_drop_conn(&world->ipsec, conn->id); break;
    case 1: conn->settings ^= 1; break;
    case 2: conn->remote_addrs = "192.0.2.99"; break;
    default:
        if (secret) {
            ipsec_fake_drop_secret(&world->ipsec,
                                   &(struct ipsec_secret){conn->id, secret->version});
        }
    }
    return true;
}

/* Several tunnels may have it. */
static bool hurt_key(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    const struct ipsec_seen *seen = &world->ipsec.seen;
    char name[IPSEC_KEY_TEXT];

    damage->scope[0] = '\0';
    if (!seen->n_keys) {
        return false;
    }
    memcpy(name, seen->keys[pick(chance, seen->n_keys)].name, sizeof name);
    ipsec_fake_drop_key(&world->ipsec, name);
    return true;
}

/* --- FRR -------------------------------------------------------------------------------------- */

/* In a block, or null: in none. What FRR does not take does no harm. */
static bool type_in(struct bgp_fake *bgp, const char *block, const char *command)
{
    bool taken;

    bgp_fake_type(bgp, "configure terminal");
    if (block) {
        assert_true(bgp_fake_type(bgp, block));
    }
    taken = bgp_fake_type(bgp, command);
    bgp_fake_type(bgp, "end");
    return taken;
}

static bool hurt_peer(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    static const char *const COMMANDS[] = {"no neighbor %s",
                                           "neighbor %s description stray",
                                           "neighbor %s timers 7 21",
                                           "no neighbor %s password",
                                           "neighbor %s shutdown",
                                           "no neighbor %s bfd",
                                           "neighbor %s timers connect 99"};
    struct bgp_fake *bgp = &world->bgp;
    const char *line = bgp->lines[pick(chance, bgp->n_lines)];
    char block[128], command[128], address[64];
    const char *vrf = strstr(line, " vrf rvrf");

    if (!vrf || sscanf(line, "%127[^|]||neighbor %63s", block, address) != 2) {
        return false;
    }
    hit_table(world, damage, (uint32_t)strtoul(vrf + strlen(" vrf rvrf"), NULL, 10));
    snprintf(command, sizeof command, chance_word(chance, COMMANDS, LENGTH(COMMANDS)), address);
    type_in(bgp, block, command);
    return true;
}

static bool hurt_instance(struct walk_world *world, struct chance *chance,
                          struct walk_damage *damage)
{
    static const char *const COMMANDS[] = {"bgp router-id 192.0.2.99", "no bgp router-id",
                                           "bgp bestpath compare-routerid"};
    struct bgp_fake *bgp = &world->bgp;
    const char *line = bgp->lines[pick(chance, bgp->n_lines)];
    const char *vrf = strstr(line, " vrf rvrf");
    char block[128], command[160];

    if (!vrf || sscanf(line, "%127[^|]|", block) != 1) {
        return false;
    }
    hit_table(world, damage, (uint32_t)strtoul(vrf + strlen(" vrf rvrf"), NULL, 10));
    if (chance_below(chance, 2)) {
        snprintf(command, sizeof command, "no %s", block);
        assert_true(type_in(bgp, NULL, command));
    } else {
        type_in(bgp, block, chance_word(chance, COMMANDS, LENGTH(COMMANDS)));
    }
    return true;
}

static bool hurt_policies(struct walk_world *world, struct chance *chance,
                          struct walk_damage *damage)
{
    (void)chance;
    damage->scope[0] = '\0';
    type_in(&world->bgp, NULL,
            "ip prefix-list " BGP_POLICY_MARK "0123456789abcdef seq 5 permit 10.0.0.0/8");
    return true;
}

static bool hurt_server(struct walk_world *world, struct chance *chance, struct walk_damage *damage)
{
    const struct dhcp_seen *seen = &world->dhcp.seen;
    size_t i = seen->n_servers ? pick(chance, seen->n_servers) : 0;

    if (!seen->n_servers) {
        return false;
    }
    hit_path(damage, seen->servers[i].owner);
    dhcp_fake_kill(&world->dhcp, i);
    return true;
}

/* ---------------------------------------------------------------------------------------------- */

bool walk_damage(struct walk_world *world, struct chance *chance, struct walk_damage *ret_damage)
{
    static bool (*const HURT[])(struct walk_world * world, struct chance * chance,
                                struct walk_damage * damage) = {
        hurt_port,  hurt_bridge,   hurt_limits,   hurt_link,   hurt_link,
        hurt_route, hurt_rule,     hurt_filter,   hurt_tunnel, hurt_key,
        hurt_peer,  hurt_instance, hurt_policies, hurt_server};

    return HURT[chance_below(chance, LENGTH(HURT))](world, chance, ret_damage);
}

/* --- obstacles -------------------------------------------------------------------------------- */

enum {
    RIVAL_VRF,
    RIVAL_INSTANCE,
    RIVAL_TUNNEL,
    RIVAL_CONNECTION,
    RIVAL_BRIDGE,
    RIVAL_PORT,
    RIVALS
};

static bool is_of_network(const struct walk_obstacle *obstacle)
{
    return obstacle->kind == RIVAL_VRF || obstacle->kind == RIVAL_INSTANCE;
}

void walk_obstruct(struct walk_world *world, struct chance *chance,
                   struct walk_obstacle *ret_obstacle)
{
    const struct ids *ids = &world->engine.ids;
    struct walk_obstacle obstacle = {chance_below(chance, RIVALS), 0};
    char name[IFNAME_TEXT], command[64];

    obstacle.id =
        is_of_network(&obstacle) ? ids->next_network : ids->next_link + chance_below(chance, 4);
    switch (obstacle.kind) {
    case RIVAL_VRF:
        net_fake_add(&world->net, "rival", "vrf")->table = ids_vrf_table(obstacle.id);
        break;
    case RIVAL_INSTANCE:
        snprintf(command, sizeof command, "router bgp 65001 vrf %s",
                 ids_vrf_name(obstacle.id, name));
        assert_true(type_in(&world->bgp, command, "neighbor 10.0.0.9 remote-as 64512"));
        break;
    case RIVAL_TUNNEL: net_fake_add(&world->net, "rival", "xfrm")->if_id = obstacle.id; break;
    case RIVAL_CONNECTION: ipsec_fake_add_foreign(&world->ipsec, obstacle.id); break;
    case RIVAL_BRIDGE:
        ovs_state_add_bridge(world->ovs.now, ids_bridge_name(obstacle.id, name));
        break;
    case RIVAL_PORT:
        ovs_state_add_port(world->ovs.now, ids_segment_name(obstacle.id, name))->bridge = "br-int";
        walk_world_follow_ovs(world, false);
        break;
    }
    *ret_obstacle = obstacle;
}

bool walk_obstacle_hits(const struct walk_world *world, const struct walk_obstacle *obstacle,
                        struct walk_damage *ret_damage)
{
    const struct ids *ids = &world->engine.ids;

    for (size_t i = 0; i < ids->n; i++) {
        const struct id_entry *entry = &ids->entries[i];

        if (entry->id == obstacle->id && is_of_network(obstacle) == (entry->kind == ID_NETWORK)) {
            snprintf(ret_damage->scope, sizeof ret_damage->scope, "%s/%s", entry->tenant,
                     entry->network);
            return true;
        }
    }
    return false;
}

static void drop_port(struct ovs_state *now, struct ovs_port *port)
{
    assert_string_equal(port->bridge, "br-int");
    *port = now->ports[--now->n_ports];
}

/* Nobody has put his hand on what is theirs. */
static void expect_untouched(struct walk_world *world, const char *name)
{
    const struct net_link *link = net_state_find(&world->net.now, name);

    if (link->alias[0] || link->up || link->n_addrs || link->master_index) {
        fail_msg("%s is not routerd's", name);
    }
}

void walk_obstacle_clear(struct walk_world *world, const struct walk_obstacle *obstacle)
{
    char name[IFNAME_TEXT], command[64];

    switch (obstacle->kind) {
    case RIVAL_VRF:
    case RIVAL_TUNNEL:
        net_fake_delete(&world->net, net_state_find(&world->net.now, "rival"));
        break;
    case RIVAL_INSTANCE:
        snprintf(command, sizeof command, "no router bgp 65001 vrf %s",
                 ids_vrf_name(obstacle->id, name));
        assert_true(type_in(&world->bgp, NULL, command));
        break;
    case RIVAL_CONNECTION: ipsec_fake_drop_foreign(&world->ipsec, obstacle->id); break;
    case RIVAL_BRIDGE:
        drop_bridge(world->ovs.now,
                    ovs_fake_bridge(&world->ovs, ids_bridge_name(obstacle->id, name)));
        break;
    case RIVAL_PORT:
        drop_port(world->ovs.now, ovs_fake_port(&world->ovs, ids_segment_name(obstacle->id, name)));
        expect_untouched(world, name);
        walk_world_follow_ovs(world, false);
        break;
    }
}
