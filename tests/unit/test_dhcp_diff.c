/* dhcp/: the configuration of each server, the lines of the hosts files, and the properties of the
 * difference over generated topologies on processes in memory. */
#include "chance.h"
#include "dhcp_fake.h"
#include "topology_fixture.h"

#include "model/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WALKS = 100, STEPS = 20 };

#define CONFIG                                                          \
    "version: 1\nrouter: {name: r, router_id: 192.0.2.1, asn: 65010}\n" \
    "uplinks: {sinet: {type: trunk, interface: e4, mtu: 9000}}\n"       \
    "control: {socket: {path: /run/x/control.sock}}\n"                  \
    "tenants: {bio: {controllers: [bio.example.com], vlans: {sinet: ['1-3000']}}}\n"

/* The intended state of one tenant; numbers are given anew, in the topology's order. */
static struct intended *intend(const struct topology_world *world, const char *text)
{
    struct errors *errors;
    struct topology *topology = fixture_check(world, "bio", text, &errors);
    struct intended *empty = intended_new(world->config), *intended;
    struct ids ids;

    assert_int_equal(errors_count(errors), 0);
    errors_free(errors);
    ids_init(&ids);
    ids_assign(&ids, "bio", topology);
    ids_done(&ids);
    intended = intended_with(empty, "bio", 1, topology);
    intended_unref(empty);
    return intended;
}

#define SEGMENT(name, vlan, gateways, more)                                          \
    "  - {name: " name ", attachments: [{uplink: sinet, vlan: " vlan "}], gateway: " \
    "[" gateways "]" more "}\n"

static void expect_conf(const struct dhcp_wanted *wanted, size_t i, const char *key,
                        const char *object, const char *conf)
{
    assert_true(i < wanted->n);
    assert_string_equal(wanted->services[i].key, key);
    assert_string_equal(wanted->services[i].object, object);
    assert_string_equal(wanted->services[i].conf, conf);
}

static void configures_servers(void **state)
{
    (void)state;
    struct topology_world world = fixture_world(CONFIG);
    struct dhcp_wanted wanted;
    struct intended *intended = intend(
        &world,
        "version: 1\nnetworks:\n- name: a\n  segments:\n" SEGMENT(
            "s", "7", "10.1.0.1/16, '2001:db8::1/64', 10.5.0.1/24", ", router_advertisements: true")
            SEGMENT("t", "8", "10.2.0.1/24", "") SEGMENT(
                "u", "9", "'2001:db8:9::1/64'",
                ", router_advertisements: true") "  pools:\n"
                                                 "  - {name: p, prefix: [10.1.4.0/24, '2001:db8::/72'], dhcp: true, dns: true, domain: "
                                                 "vc.example, forwarders: 10.2.0.53, mtu: 1400}\n"
                                                 "  - {name: q, prefix: 10.5.0.0/24, dhcp: true, gateway: 10.5.0.9, dns: [192.0.2.53]}\n"
                                                 "  - {name: r, prefix: 10.2.0.0/24}\n");

    dhcp_want(intended, &wanted);
    assert_int_equal(wanted.n, 3);
    expect_conf(&wanted, 0, "rseg1", "a/segment/s",
                "# routerd: DHCP and router advertisements of bio/a/segment/s\n"
                "bind-interfaces\nno-resolv\nno-hosts\npid-file=/run/x/dhcp/rseg1/pid\n"
                "port=0\ninterface=rseg1\nno-ping\ndhcp-authoritative\n"
                "quiet-dhcp\nquiet-dhcp6\nquiet-ra\n"
                "dhcp-ignore=tag:!known\ndhcp-ignore-names\ndhcp-lease-max=16777216\n"
                "dhcp-hostsfile=/run/x/dhcp/rseg1/hosts\ndhcp-leasefile=/run/x/dhcp/rseg1/leases\n"
                "dhcp-range=set:s0,10.1.0.0,static,255.255.0.0,120\n"
                "dhcp-option=tag:s0,option:router,10.1.0.1\ndhcp-option=tag:s0,option:mtu,1400\n"
                "dhcp-option=tag:s0,option:dns-server,10.1.0.1\n"
                "dhcp-option=tag:s0,option:domain-name,vc.example\n"
                "dhcp-option=tag:s0,option:domain-search,vc.example\n"
                "dhcp-range=set:s1,2001:db8::,static,64,120\n"
                "dhcp-option=tag:s1,option6:dns-server,[2001:db8::1]\n"
                "dhcp-option=tag:s1,option6:domain-search,vc.example\n"
                "dhcp-range=set:s2,10.5.0.0,static,255.255.255.0,120\n"
                "dhcp-option=tag:s2,option:router,10.5.0.9\ndhcp-option=tag:s2,option:mtu,9000\n"
                "dhcp-option=tag:s2,option:dns-server,192.0.2.53\n"
                "enable-ra\nra-param=rseg1,mtu:1400,200,1800\n"
                "dhcp-option=option6:dns-server,[2001:db8::1]\n");
    expect_conf(&wanted, 1, "rseg3", "a/segment/u",
                "# routerd: router advertisements of bio/a/segment/u\n"
                "bind-interfaces\nno-resolv\nno-hosts\npid-file=/run/x/dhcp/rseg3/pid\n"
                "port=0\ninterface=rseg3\nno-ping\ndhcp-authoritative\n"
                "quiet-dhcp\nquiet-dhcp6\nquiet-ra\n"
                "dhcp-ignore=tag:!known\ndhcp-ignore-names\ndhcp-lease-max=16777216\n"
                "dhcp-hostsfile=/run/x/dhcp/rseg3/hosts\ndhcp-leasefile=/run/x/dhcp/rseg3/leases\n"
                "dhcp-range=2001:db8:9::,ra-only,64\n"
                "enable-ra\nra-param=rseg3,200,1800\n");
    expect_conf(&wanted, 2, "rvrf1001", "a",
                "# routerd: DNS of bio/a\n"
                "bind-interfaces\nno-resolv\nno-hosts\npid-file=/run/x/dhcp/rvrf1001/pid\n"
                "domain-needed\nno-ident\naddn-hosts=/run/x/dhcp/rvrf1001/hosts\n"
                "listen-address=10.1.0.1\nlisten-address=2001:db8::1\nlisten-address=10.5.0.1\n"
                "local=/vc.example/\nserver=10.2.0.53\ncache-size=1000\n");
    dhcp_wanted_done(&wanted);
    intended_unref(intended);
    fixture_world_done(&world);
}

/* --- hosts ---------------------------------------------------------------------------------- */

static void expect_line(const struct dhcp_service *service, const struct backend_node *node,
                        const char *expected)
{
    char line[DHCP_LINE];
    size_t len = dhcp_host_line(service, node, line);

    assert_int_equal(len, strlen(expected));
    assert_memory_equal(line, expected, len);
}

static void writes_hosts(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {2, 0, 0x5e, 0, 0x53, 1};
    struct topology_world world = fixture_world(CONFIG);
    struct addr addresses[2];
    struct dhcp_wanted wanted;
    struct intended *intended = intend(
        &world, "version: 1\nnetworks:\n- name: a\n  segments:\n" SEGMENT(
                    "s", "7", "10.1.0.1/16, '2001:db8::1/64'",
                    "") "  pools:\n"
                        "  - {name: p, prefix: [10.1.4.0/24, '2001:db8::/72'], dhcp: true, dns: "
                        "true, domain: vc.example}\n"
                        "  - {name: q, prefix: 10.3.0.0/24}\n");
    struct backend_node node = {"web-1", "p", addresses, true, mac};

    dhcp_want(intended, &wanted);
    assert_int_equal(wanted.n, 2);
    assert_int_equal(addr_parse("10.1.4.9", &addresses[0]), 0);
    assert_int_equal(addr_parse("2001:db8::9", &addresses[1]), 0);
    expect_line(&wanted.services[0], &node, "02:00:5e:00:53:01,10.1.4.9,[2001:db8::9],web-1\n");
    expect_line(&wanted.services[1], &node,
                "10.1.4.9 web-1.vc.example web-1\n2001:db8::9 web-1.vc.example web-1\n");
    addresses[1].family = 0;
    node.name = "12h"; /* for dnsmasq a lease time */
    expect_line(&wanted.services[0], &node, "02:00:5e:00:53:01,10.1.4.9\n");
    node.name = "ignore";
    expect_line(&wanted.services[0], &node, "02:00:5e:00:53:01,10.1.4.9\n");
    node.name = "a.b";
    expect_line(&wanted.services[0], &node, "02:00:5e:00:53:01,10.1.4.9\n");
    node.has_mac = false;
    expect_line(&wanted.services[0], &node, "");
    expect_line(&wanted.services[1], &node, "10.1.4.9 a.b.vc.example a.b\n");
    node = (struct backend_node){"db", "q", addresses, true, mac};
    expect_line(&wanted.services[0], &node, "");
    expect_line(&wanted.services[1], &node, "10.1.4.9 db\n");
    node.pool = "gone";
    expect_line(&wanted.services[1], &node, "");
    dhcp_wanted_done(&wanted);
    intended_unref(intended);
    fixture_world_done(&world);
}

/* --- properties ----------------------------------------------------------------------------- */

static void write_network(FILE *out, struct chance *chance, unsigned int network)
{
    bool ra[3];

    fprintf(out, "- name: n%u\n  segments:\n", network);
    for (unsigned int i = 0; i < 3; i++) {
        ra[i] = chance_below(chance, 2);
        fprintf(out,
                "  - {name: s%u, attachments: [{uplink: sinet, vlan: %u}], gateway: [10.%u.0.1/24, "
                "'2001:db8:%u::1/64'], router_advertisements: %s}\n",
                i, 2 + network * 3 + i, i, i, ra[i] ? "true" : "false");
    }
    fputs("  pools:\n  - {name: far, prefix: 10.9.0.0/24}\n", out);
    for (unsigned int i = 0; i < 3; i++) {
        if (chance_below(chance, 2)) {
            fprintf(out, "  - {name: p%u, prefix: 10.%u.0.0/24, dhcp: %s, dns: %s, mtu: %u}\n", i,
                    i, chance_below(chance, 2) ? "true" : "false",
                    chance_below(chance, 2) ? "true" : "false", 1400 + chance_below(chance, 2));
        }
    }
}

static struct intended *generate(const struct topology_world *world, struct chance *chance)
{
    struct intended *intended;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fputs("version: 1\nnetworks:\n- {name: empty}\n", out);
    for (unsigned int i = 0; i < 3; i++) {
        if (chance_below(chance, 3)) {
            write_network(out, chance, i);
        }
    }
    fclose(out);
    intended = intend(world, text);
    free(text);
    return intended;
}

/* The kernel's part of the intended state, some of it with other numbers than before. */
static void follow(struct dhcp_fake *fake, const struct intended *intended, uint32_t numbers)
{
    const struct topology *topology = intended->tenants[0].topology;
    char name[IFNAME_TEXT];

    dhcp_fake_clear_links(fake);
    for (size_t i = 0; i < topology->n_networks; i++) {
        const struct network *network = &topology->networks[i];

        dhcp_fake_add_link(fake, ids_vrf_name(network->id, name), 100 * numbers + network->id);
        for (size_t j = 0; j < network->n_segments; j++) {
            const struct segment *segment = &network->segments[j];
            uint32_t index = 1000 * numbers + segment->id;

            dhcp_fake_add_link(fake, ids_segment_name(segment->id, name), index);
            for (size_t k = 0; k < segment->n_gateways; k++) {
                dhcp_fake_add_address(fake, index, &segment->gateways[k].addr);
            }
        }
    }
}

static size_t pass(struct dhcp_fake *fake, const struct intended *intended)
{
    struct plan *plan = plan_new();
    size_t n;

    dhcp_fake_add_steps(fake, intended, plan);
    dhcp_fake_carry_out(fake, plan, plan->steps, plan->n_steps);
    for (size_t i = 0; i < plan->n_steps; i++) {
        assert_string_equal(plan->steps[i]->tenant, "bio");
        assert_int_equal(plan->steps[i]->result, STEP_DONE);
    }
    n = plan->n_steps;
    plan_free(plan);
    return n;
}

static void a_second_pass_is_empty(void **state)
{
    (void)state;
    struct topology_world world = fixture_world(CONFIG);
    struct chance chance = {7};

    for (unsigned int walk = 0; walk < WALKS; walk++) {
        struct dhcp_fake fake;

        dhcp_fake_init(&fake);
        for (unsigned int i = 0; i < STEPS; i++) {
            struct intended *intended = generate(&world, &chance);
            struct dhcp_wanted wanted;

            dhcp_want(intended, &wanted);
            follow(&fake, intended, 1 + i / 10);
            pass(&fake, intended);
            assert_int_equal(fake.seen.n_servers, wanted.n);
            assert_int_equal(pass(&fake, intended), 0);
            if (fake.seen.n_servers) { /* one dies */
                dhcp_fake_kill(&fake, fake.seen.n_servers - 1);
                assert_int_equal(pass(&fake, intended), 1);
                assert_int_equal(pass(&fake, intended), 0);
            }
            dhcp_wanted_done(&wanted);
            intended_unref(intended);
        }
        dhcp_fake_done(&fake);
    }
    fixture_world_done(&world);
}

/* Nothing is started on what is not there, and what runs is not stopped for it. */
static void waits_for_interfaces(void **state)
{
    (void)state;
    struct topology_world world = fixture_world(CONFIG);
    struct dhcp_fake fake;
    struct plan *plan;
    struct intended *intended = intend(
        &world, "version: 1\nnetworks:\n- name: a\n  segments:\n" SEGMENT(
                    "s", "7", "10.1.0.1/16",
                    "") "  pools: [{name: p, prefix: 10.1.4.0/24, dhcp: true, dns: true}]\n");

    dhcp_fake_init(&fake);
    plan = plan_new();
    dhcp_fake_add_steps(&fake, intended, plan);
    assert_int_equal(plan->n_steps, 2);
    assert_string_equal(((struct dhcp_change *)plan->steps[0]->data)->waits,
                        "interface rseg1 is not there yet");
    plan_free(plan);
    follow(&fake, intended, 1);
    fake.addresses[0].tentative = true;
    plan = plan_new();
    dhcp_fake_add_steps(&fake, intended, plan);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(((struct dhcp_change *)plan->steps[i]->data)->waits,
                            "address 10.1.0.1 cannot be used yet");
    }
    plan_free(plan);
    fake.addresses[0].tentative = false;
    assert_int_equal(pass(&fake, intended), 2);
    plan = plan_new(); /* the interface will be another one */
    plan_remake(plan, "rseg1");
    dhcp_fake_add_steps(&fake, intended, plan);
    assert_int_equal(plan->n_steps, 1);
    assert_string_equal(plan->steps[0]->object, "a/segment/s");
    assert_true(plan->steps[0]->disruptive);
    assert_string_equal(((struct dhcp_change *)plan->steps[0]->data)->waits,
                        "interface rseg1 is not there yet");
    plan_free(plan);
    dhcp_fake_done(&fake);
    intended_unref(intended);
    fixture_world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configures_servers),
        cmocka_unit_test(writes_hosts),
        cmocka_unit_test(a_second_pass_is_empty),
        cmocka_unit_test(waits_for_interfaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
