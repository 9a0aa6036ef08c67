/* net/: what is wanted and kept from state to state is what would be made afresh, field by field:
 * while tenants change, come, go, and are back as they were, and with them the configuration, the
 * host's own way to the outside, and whether it forwards. */
#include "check.h"
#include "net_fake.h"

#include "net/net_egress.h"
#include "net/nft_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WALKS = 20, STEPS = 60, NETWORKS = 3, PARTS = 2 };

struct wanted {
    struct net_wanted net;
    struct nft_wanted nft;
};

struct walk {
    struct chance chance;
    struct ids ids;
    struct net_fake fake; /* the host */
    struct nft_host host;
    struct wanted kept;
};

/* --- generated tenants --- */

static bool often(struct chance *chance)
{
    return chance_below(chance, 3) != 0;
}

static void write_segments(FILE *out, struct chance *chance)
{
    fputs("  segments:\n", out);
    for (unsigned int i = 0; i < PARTS; i++)
        fprintf(out,
                "  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], strict_source: %s, "
                "gateway: [10.%u.0.1/24%s]}\n",
                i, 2 + i, chance_below(chance, 4) ? "false" : "true", i,
                chance_below(chance, 3) ? "" : ", \"2001:db8:5::1/64\"");
}

static void write_tunnels(FILE *out, struct chance *chance)
{
    if (often(chance))
        fprintf(out,
                "  tunnels:\n"
                "  - {name: t, profile: %s, uplink: wan, remote: 203.0.113.2, "
                "auth: {psk: {secret: s}}, inside: [10.9.1.1/24]}\n",
                chance_below(chance, 2) ? "generic" : "narrow");
}

static void write_routes(FILE *out, struct chance *chance)
{
    fprintf(out, "  routes:\n  - {prefix: 172.%u.0.0/16, via: 10.0.0.5}\n",
            16 + chance_below(chance, 9));
    if (often(chance)) /* which goes before that of the egress */
        fprintf(out, "  - {prefix: 203.0.%u.0/24, blackhole: true}\n",
                112 + chance_below(chance, 2));
}

static void write_egress(FILE *out, struct chance *chance)
{
    if (often(chance))
        return;
    fprintf(out, "  egress:\n    uplink: wan\n    nat: %s\n", often(chance) ? "true" : "false");
    if (often(chance))
        fprintf(out, "    publish:\n    - {protocol: tcp, port: %u, to: 10.0.0.5}\n",
                9000 + chance_below(chance, 9));
}

static void write_pools(FILE *out, struct chance *chance)
{
    if (!often(chance))
        fprintf(out, "  pools:\n  - {name: p, prefix: 10.0.0.64/26, dhcp: %s, dns: %s}\n",
                often(chance) ? "true" : "false",
                often(chance) ? "true, forwarders: [192.0.2.9]" : "false");
}

/* The networks of a tenant, or null; malloc()ed. */
static char *make_networks(struct chance *chance)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (unsigned int i = 0; i < NETWORKS; i++) {
        if (often(chance))
            continue;
        fprintf(out, "- name: n%u\n  asn: 65010\n", i);
        write_segments(out, chance);
        write_tunnels(out, chance);
        write_routes(out, chance);
        write_egress(out, chance);
        write_pools(out, chance);
        fprintf(out, "  peers:\n  - {name: p, via: s0, address: 10.0.0.%u, asn: 64512}\n",
                5 + chance_below(chance, 3));
    }
    fclose(out);
    if (text[0])
        return text;
    free(text);
    return NULL;
}

/* A copy in which one tenant is another. */
static struct intended *change_tenant(struct walk *walk, struct intended *base)
{
    static const char *const tenants[] = {"bio", "geo", "astro", "med"};
    char *networks = make_networks(&walk->chance);
    struct intended *next =
        net_fake_with(intended_ref(base), &walk->ids,
                      chance_word(&walk->chance, tenants, LENGTH(tenants)), networks);

    free(networks);
    return next;
}

static struct intended *change_config(struct walk *walk, const struct intended *base)
{
    static struct config_uplink uplinks[] = {
        {.name = "wan", .type = UPLINK_ROUTED, .interface = "wan1", .mtu = 1500},
    };
    static const struct config others[] = {
        {.ovs_datapath = "netdev", .uplinks = uplinks, .n_uplinks = 1},
        {.ovs_datapath = "system", .uplinks = uplinks, .n_uplinks = 0},
    };

    return intended_with_config(base, &others[chance_below(&walk->chance, LENGTH(others))]);
}

static void change_host(struct walk *walk)
{
    struct net_link *wan = net_state_find(&walk->fake.now, "wan0");
    struct net_addr addr = {0};

    switch (chance_below(&walk->chance, 4)) {
    case 0: wan->up = !wan->up; break;
    case 1: net_state_drop_gateways(&walk->fake.now, wan->index); break;
    case 2:
        assert_int_equal(prefix_parse("203.0.113.7/24", &addr.prefix), 0);
        addr.prefix.addr.bytes[2] = (uint8_t)(112 + chance_below(&walk->chance, 3));
        net_link_put_addr(wan, &addr);
        break;
    case 3: walk->host.forwards = !walk->host.forwards; break;
    }
}

/* --- all fields as text --- */

static void print_link(FILE *out, const struct net_link *link)
{
    fprintf(out, "link %d %s %s %s %s %u %u %u %d %s %s %s, %d %d %d %d %d", link->index,
            link->name, link->type, link->alias, link->altname, link->table, link->if_id, link->mtu,
            link->up, link->master, link->tenant, link->object, link->conf.forwarding,
            link->conf.rp_filter, link->conf.promote_secondaries, link->conf.accept_ra,
            link->conf.disable_ipv6);
    for (size_t i = 0; i < link->n_addrs; i++) {
        char text[PREFIX_TEXT];

        fprintf(out, " %s %d", prefix_print(&link->addrs[i].prefix, text), link->addrs[i].ours);
    }
    fputc('\n', out);
}

static void print_addr(FILE *out, const struct addr *addr)
{
    char text[ADDR_TEXT];

    fprintf(out, " %s", addr->family ? addr_print(addr, text) : "-");
}

static void print_route(FILE *out, const struct net_route *route)
{
    char text[PREFIX_TEXT];

    fprintf(out, "route %u %s %u %d %s %d %s %s", route->table, prefix_print(&route->prefix, text),
            route->metric, (int)route->type, route->dev, route->uplink, route->tenant,
            route->object);
    print_addr(out, &route->via);
    fputc('\n', out);
}

static void print_egress(FILE *out, const struct net_egress *egress)
{
    fprintf(out, "egress %u %s %d %s %s", egress->table, egress->uplink, egress->ipv6,
            egress->tenant, egress->object);
    print_addr(out, &egress->gateways[0]);
    print_addr(out, &egress->gateways[1]);
    fputc('\n', out);
}

static void print_net(FILE *out, struct net_state *state)
{
    fprintf(out, "l3mdev %d forwarding %d\n", state->l3mdev_rules, state->ipv6_forwarding);
    for (size_t i = 0; i < state->n_links; i++)
        print_link(out, net_state_links(state)[i]);
    for (size_t i = 0; i < state->n_routes; i++)
        print_route(out, net_state_routes(state)[i]);
    for (size_t i = 0; i < state->n_egresses; i++)
        print_egress(out, &state->egresses[i]);
    for (size_t i = 0; i < state->n_rules; i++)
        fprintf(out, "rule %d %u %u %u\n", state->rules[i].family, state->rules[i].mark,
                state->rules[i].table, state->rules[i].priority);
}

static void print_nft(FILE *out, const struct nft_state *state)
{
    for (size_t i = 0; i < state->n_items; i++) {
        const struct nft_item *item = state->items[i];

        fprintf(out, "%u %d %s %s %s\n", item->number, (int)item->kind, item->name, item->text,
                item->comment);
        for (size_t j = 0; j < item->n_rules; j++)
            fprintf(out, "  %s\n", item->rules[j]);
    }
}

static char *text_of(struct wanted *wanted)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    print_net(out, &wanted->net.state);
    print_nft(out, &wanted->nft.state);
    fclose(out);
    return text;
}

/* --- walks --- */

static void make_wanted(struct walk *walk, const struct intended *intended, struct wanted *wanted)
{
    net_want(&wanted->net, intended);
    nft_want(&wanted->nft, intended, &walk->host);
}

static void drop_wanted(struct wanted *wanted)
{
    net_wanted_done(&wanted->net);
    nft_wanted_done(&wanted->nft);
}

static void expect_same(struct wanted *kept, struct wanted *fresh)
{
    char *text = text_of(kept), *expected = text_of(fresh);

    assert_string_equal(text, expected);
    free(text);
    free(expected);
}

/* As it is made, and with the routes that the host's state lets be; these it must lose again. */
static void expect_as_afresh(struct walk *walk, const struct intended *intended)
{
    struct wanted fresh = {0};

    if (walk->kept.net.parts.intended == intended)
        net_egress_forget(&walk->kept.net.state);
    make_wanted(walk, intended, &walk->kept);
    make_wanted(walk, intended, &fresh);
    expect_same(&walk->kept, &fresh);
    net_egress_resolve(&walk->kept.net.state, &walk->fake.now);
    net_egress_resolve(&fresh.net.state, &walk->fake.now);
    expect_same(&walk->kept, &fresh);
    drop_wanted(&fresh);
}

/* Another state, often only for a plan: then the one in force comes back. */
static struct intended *step(struct walk *walk, struct intended *in_force)
{
    struct intended *next = chance_below(&walk->chance, 8) ? change_tenant(walk, in_force)
                                                           : change_config(walk, in_force);

    if (!often(&walk->chance)) {
        change_host(walk);
        expect_as_afresh(walk, in_force);
    }
    expect_as_afresh(walk, next);
    if (!often(&walk->chance)) {
        expect_as_afresh(walk, in_force);
        intended_unref(next);
        return in_force;
    }
    intended_unref(in_force);
    return next;
}

static void test_kept_is_as_afresh(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct walk walk = {.chance = {seed}};

        ids_init(&walk.ids);
        net_fake_init(&walk.fake);
        net_fake_add_uplink(&walk.fake);
        struct intended *intended = net_fake_intended(&walk.ids, NULL, NULL);
        for (int i = 0; i < STEPS; i++)
            intended = step(&walk, intended);
        intended_unref(intended); /* what is kept holds what it needs */
        free(text_of(&walk.kept));
        drop_wanted(&walk.kept);
        net_fake_done(&walk.fake);
        ids_done(&walk.ids);
    }
}

/* The others' interfaces, routes and items stay the very same. */
static void test_only_the_changed_tenant_is_made_anew(void **state)
{
    (void)state;
    static const char *const text = "- name: n\n"
                                    "  segments:\n"
                                    "  - {name: s, attachments: [{uplink: sinet, vlan: 5}]}\n";
    static const struct nft_host host = {.forwards = false};
    struct wanted kept = {0};
    struct ids ids;

    ids_init(&ids);
    struct intended *both = net_fake_intended(&ids, text, text);
    struct intended *next = net_fake_with(intended_ref(both), &ids, "geo", text);
    net_want(&kept.net, both);
    nft_want(&kept.nft, both, &host);
    const struct net_link *bio = net_state_find(&kept.net.state, "rvrf1001"),
                          *geo = net_state_find(&kept.net.state, "rvrf1002");
    const struct nft_item *chain = nft_state_find(&kept.nft.state, NFT_CHAIN, "network1001");
    assert_non_null(bio);
    assert_non_null(chain);
    net_want(&kept.net, next);
    nft_want(&kept.nft, next, &host);
    assert_ptr_equal(net_state_find(&kept.net.state, "rvrf1001"), bio);
    assert_ptr_not_equal(net_state_find(&kept.net.state, "rvrf1002"), geo);
    assert_ptr_equal(nft_state_find(&kept.nft.state, NFT_CHAIN, "network1001"), chain);
    drop_wanted(&kept);
    intended_unref(both);
    intended_unref(next);
    ids_done(&ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_is_as_afresh),
        cmocka_unit_test(test_only_the_changed_tenant_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
