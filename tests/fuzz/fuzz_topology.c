/* Any bytes, as a topology of a tenant that may do a lot: parsing and checking find faults, each
 * with a place, or what is accepted keeps the promises of topology.h that the backends stand on. */
#include "model/intended.h"
#include "model/topology.h"
#include "model/tunnel_mtu.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "version: 1\n"
    "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
    "uplinks: {sinet: {type: trunk, interface: e4}, wan: {type: routed, interface: e3}}\n"
    "tenants:\n"
    "  bio:\n"
    "    controllers: [bio.example.com]\n"
    "    vlans: {sinet: ['1-4094']}\n"
    "    limits: {networks: 100, segments: 100, tunnels: 100, peers: 100, nodes: 1}\n";

/* Made once; libFuzzer never returns. */
static struct topology_world world;

static void world_init(void)
{
    struct errors *errors = errors_new();
    struct config *config = config_parse(config_text, sizeof config_text - 1, errors);
    struct profiles *profiles = profiles_new();

    assert(config && !errors_count(errors));
    errors_free(errors);
    profiles_add_builtin(profiles);
    world = (struct topology_world){
        .config = config, .profiles = profiles, .intended = intended_new(config)};
}

static void check_segment(const struct segment *segment)
{
    assert(segment->name && segment->n_attachments > 0);
    for (size_t i = 0; i < segment->n_attachments; i++) {
        const struct attachment *attachment = &segment->attachments[i];

        assert(config_find_uplink(world.config, attachment->uplink)->type == UPLINK_TRUNK);
        assert(attachment->vlan >= 1 && attachment->vlan <= 4094);
    }
    for (size_t i = 0; i < segment->n_gateways; i++) {
        assert(segment->gateways[i].addr.family && segment->gateways[i].len);
    }
}

static void check_tunnel(const struct tunnel *tunnel)
{
    assert(tunnel->name && tunnel->profile && tunnel->remote);
    assert(!tunnel->psk_secret == (tunnel->certificate && tunnel->ca));
    assert(tunnel_mtu(tunnel, world.config) >= TUNNEL_MTU_MIN);
    assert(tunnel_mss(tunnel, AF_INET6) >= 536);
    assert(config_find_uplink(world.config, tunnel->uplink)->type == UPLINK_ROUTED);
    assert(tunnel->n_inside > 0 && tunnel->inside[0].addr.family);
    assert(!strpbrk(tunnel->remote, " \",{}"));
    assert(!tunnel->local_id || !strpbrk(tunnel->local_id, "\"\n"));
}

static void check_rules(const struct prefix_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct prefix_rule *rule = &rules[i];

        assert(rule->prefix.len <= rule->ge && rule->ge <= rule->le);
        assert(rule->le <= addr_bits(rule->prefix.addr.family));
        assert(!prefix_has_host_bits(&rule->prefix));
    }
}

static void check_peer(const struct network *network, const struct peer *peer)
{
    assert(peer->name && peer->profile && !peer->segment != !peer->tunnel);
    assert(peer->address.family && peer->asn && peer->asn != network->asn);
    check_rules(peer->import_prefixes, peer->n_import_prefixes);
    check_rules(peer->export_prefixes, peer->n_export_prefixes);
}

static void check_network(const struct network *network)
{
    assert(network->name && network->asn);
    for (size_t i = 0; i < network->n_segments; i++) {
        check_segment(&network->segments[i]);
    }
    for (size_t i = 0; i < network->n_tunnels; i++) {
        check_tunnel(&network->tunnels[i]);
    }
    for (size_t i = 0; i < network->n_peers; i++) {
        check_peer(network, &network->peers[i]);
    }
    for (size_t i = 0; i < network->n_routes; i++) {
        const struct route *route = &network->routes[i];

        assert(route->prefix.addr.family && route->blackhole == !route->via.family);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errors *errors = errors_new();
    struct topology *topology;

    if (!world.config) {
        world_init();
    }
    topology = topology_parse((const char *)data, size, errors);
    assert(topology || errors_count(errors));
    if (topology) {
        topology_check(topology, "bio", &world, errors);
    }
    for (size_t i = 0; i < errors_kept(errors); i++) {
        assert(errors_get(errors, i)->line && *errors_get(errors, i)->message);
    }
    for (size_t i = 0; topology && !errors_count(errors) && i < topology->n_networks; i++) {
        check_network(&topology->networks[i]);
    }
    topology_free(topology);
    errors_free(errors);
    return 0;
}
