#include "walk_topology.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char walk_config[] =
    "version: 1\n"
    "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
    "uplinks:\n"
    "  sinet: {type: trunk, interface: ens4, bridge: br-sinet, mtu: 9000}\n"
    "  lab: {type: trunk, interface: ens5, bridge: br-lab, mtu: 1500}\n"
    "  wan: {type: routed, interface: wan0}\n"
    "  wan2: {type: routed, interface: wan1, gateway: [198.51.100.254]}\n"
    "secrets: {directory: /secrets}\n"
    "tenants:\n"
    "  bio: {controllers: [b.example], vlans: {sinet: [\"100-399\"], lab: [\"100-399\"]}}\n"
    "  phys: {controllers: [p.example], vlans: {sinet: [\"500-799\"], lab: [\"500-799\"]}}\n";

const char *const walk_tenants[WALK_TENANTS] = {"bio", "phys"};

enum {
    VLANS = 100,     /* from 100 or 500 on: those that carry segments */
    OUTER = 200,     /* more: the first of those that carry others */
    OUTERS = 2,      /* so many of them */
    ATTACHMENTS = 3, /* of a segment, at most */
    LINKS = WALK_SEGMENTS + WALK_TUNNELS,
};

/* A segment or tunnel, for what goes over it. */
struct link {
    char name[8];
    bool there, v4, v6;
    bool inner;                /* all its VLANs are inside of others */
    bool narrow;               /* it carries no more than 1500 bytes */
    const struct cloud *cloud; /* of a tunnel */
};

/* The network that is being written. */
struct writer {
    FILE *out;
    const struct walk_topology *topology;
    unsigned int network;
    struct chance chance; /* of the part at hand */
    struct link links[LINKS];
    bool egress;
};

#define ANY(writer, words) chance_word(&(writer)->chance, words, LENGTH(words))

static unsigned int below(struct writer *writer, unsigned int n)
{
    return chance_below(&writer->chance, n);
}

static void begin_part(struct writer *writer, unsigned int part)
{
    writer->chance.state = writer->topology->networks[writer->network].seeds[part];
}

/* --- segments --------------------------------------------------------------------------------- */

/* Number i of segment s is never another's of the tenant. */
static void write_attachment(struct writer *writer, unsigned int s, unsigned int i,
                             struct link *link)
{
    const struct walk_topology *topology = writer->topology;
    unsigned int number = (writer->network * WALK_SEGMENTS + s) * ATTACHMENTS + i;
    unsigned int vlan = 100 + 400 * topology->tenant;
    unsigned int outer = below(writer, OUTERS);
    bool lab = below(writer, 4) == 0, inner = below(writer, 3) == 0;

    fprintf(writer->out, "%s{uplink: %s, ", i ? ", " : "", lab ? "lab" : "sinet");
    if (inner) {
        fprintf(writer->out, "vlan: %u, outer_vlan: %u, outer_ethertype: %s", 2 + number,
                vlan + OUTER + outer, topology->ethertypes & 1U << outer ? "802.1q" : "802.1ad");
    } else {
        fprintf(writer->out, "vlan: %u", vlan + (number + topology->rotation) % VLANS);
    }
    if (below(writer, 4) == 0) {
        fprintf(writer->out, ", broadcast_limit: %u", 50 + 50 * below(writer, 2));
    }
    fputc('}', writer->out);
    link->inner &= inner;
    link->narrow |= lab;
}

static void write_gateways(struct writer *writer, unsigned int s, struct link *link)
{
    unsigned int own = 1 + (below(writer, 4) == 0), length = 24 + (below(writer, 4) == 0);
    const char *comma = "";

    link->v4 = below(writer, 6) != 0;
    link->v6 = below(writer, 2) != 0;
    fputs(", gateway: [", writer->out);
    if (link->v4) {
        fprintf(writer->out, "10.%u.0.%u/%u", s, own, length);
        comma = ", ";
    }
    if (link->v6) {
        fprintf(writer->out, "%s\"2001:db8:%u::%u/64\"", comma, s, own);
        comma = ", ";
    }
    if (below(writer, 5) == 0) {
        fprintf(writer->out, "%s10.%u.0.1/24", comma, 100 + s);
    }
    fputc(']', writer->out);
}

static void write_segment(struct writer *writer, unsigned int s)
{
    static const char *const MTUS[] = {"", "", ", mtu: 1400", ", mtu: 1450"};
    static const char *const MACS[] = {"", ", mac_limit: 100", ", mac_limit: 200"};
    static const char *const STRICT[] = {"", ", strict_source: true"};
    struct link *link = &writer->links[s];
    unsigned int n;

    begin_part(writer, WALK_SEGMENT + s);
    link->there = below(writer, 4) != 0;
    if (!link->there) {
        return;
    }
    link->inner = true;
    snprintf(link->name, sizeof link->name, "%s%u", below(writer, 6) ? "s" : "x", s);
    n = below(writer, 3) ? 1 : 2 + below(writer, ATTACHMENTS - 1);
    fprintf(writer->out, "  - {name: %s, attachments: [", link->name);
    for (unsigned int i = 0; i < n; i++) {
        write_attachment(writer, s, i, link);
    }
    fputc(']', writer->out);
    write_gateways(writer, s, link);
    fprintf(writer->out, "%s%s%s", ANY(writer, MTUS), n > 1 ? ANY(writer, MACS) : "",
            ANY(writer, STRICT));
    if (link->v6 && below(writer, 2)) {
        fputs(", router_advertisements: true", writer->out);
    }
    fputs("}\n", writer->out);
}

/* --- tunnels ---------------------------------------------------------------------------------- */

/* What a cloud takes of what is written below. */
static const struct cloud {
    const char *profile;
    bool v6, legacy, password, bfd;
} CLOUDS[] = {
    {"generic", true, false, true, true},     {"generic", true, false, true, true},
    {"aws-vpn", true, false, true, true},     {"azure-vpn", true, false, false, false},
    {"gcp-ha-vpn", false, false, true, true}, {"sakura", false, true, true, true},
};

/* Both ends and what they prove themselves by, so that no two tunnels are taken for each other. */
static void write_ends(struct writer *writer, unsigned int number)
{
    static const char *const CERTIFIED[] = {"", ", local_id: vr1.example.com"};
    static const char *const SECRETS[] = {"a", "b", "c"};
    bool certificate = below(writer, 4) == 0;

    switch (below(writer, 4)) {
    case 0: fprintf(writer->out, ", remote: vpn%u.example.net", number); break;
    case 1: fprintf(writer->out, ", remote: \"2001:db8:ffff::%x\"", number + 1); break;
    default: fprintf(writer->out, ", remote: 198.51.100.%u", 1 + 2 * number + below(writer, 2));
    }
    if (certificate) {
        fprintf(writer->out, "%s, remote_id: gw%u.example.net, auth: {certificate: %s, ca: cloud}",
                ANY(writer, CERTIFIED), number, below(writer, 2) ? "vr1" : "vr2");
        return;
    }
    if (below(writer, 4) == 0) {
        fprintf(writer->out, ", local_id: vr1-%u.example.net, remote_id: hub.example.net", number);
    } else if (below(writer, 3) == 0) {
        fprintf(writer->out, ", remote_id: gw%u.example.net", number);
    }
    fprintf(writer->out, ", auth: {psk: {secret: %s}}", ANY(writer, SECRETS));
}

static void write_settings(struct writer *writer)
{
    static const char *const IKE[] = {"", "", ", ike: {lifetime: 7200, dpd: 20}",
                                      ", ike: {proposals: [aes256gcm16-prfsha384-ecp384]}"};
    static const char *const ESP[] = {
        "", "", ", esp: {lifetime: 1800, replay_window: 256}",
        ", esp: {proposals: [aes256gcm16-ecp384, aes256-sha384-ecp384]}"};
    static const char *const SIZES[] = {"", "", ", mtu: 1300", ", mtu: 1380, mss: 1200",
                                        ", nat_traversal: force"};
    static const char *const INITIATE[] = {"", "", ", initiate: false"};

    fprintf(writer->out, "%s%s%s%s", ANY(writer, IKE), ANY(writer, ESP), ANY(writer, SIZES),
            ANY(writer, INITIATE));
}

static void write_tunnel(struct writer *writer, unsigned int t)
{
    struct link *link = &writer->links[WALK_SEGMENTS + t];
    unsigned int number =
        (writer->topology->tenant * WALK_NETWORKS + writer->network) * WALK_TUNNELS + t;

    begin_part(writer, WALK_TUNNEL + t);
    link->there = below(writer, 3) == 0;
    if (!link->there) {
        return;
    }
    link->cloud = &CLOUDS[below(writer, LENGTH(CLOUDS))];
    link->v4 = !link->cloud->v6 || below(writer, 4);
    link->v6 = link->cloud->v6 && (!link->v4 || below(writer, 2));
    snprintf(link->name, sizeof link->name, "%s%u", below(writer, 6) ? "t" : "y", t);
    fprintf(writer->out, "  - {name: %s, profile: %s, uplink: %s", link->name, link->cloud->profile,
            below(writer, 4) ? "wan" : "wan2");
    write_ends(writer, number);
    write_settings(writer);
    fprintf(writer->out, "%s, inside: [", link->cloud->legacy ? ", legacy: true" : "");
    if (link->v4) {
        fprintf(writer->out, "169.254.21.%u/30", 4 * t + 1);
    }
    if (link->v6) {
        fprintf(writer->out, "%s\"fd00:%u::1/126\"", link->v4 ? ", " : "", t);
    }
    fputs("]}\n", writer->out);
}

/* --- peers ------------------------------------------------------------------------------------ */

static void write_policy(struct writer *writer)
{
    static const char *const IMPORTS[] = {
        "",
        "",
        ", import: {prefixes: []}",
        ", import: {prefixes: [\"10.0.0.0/8 le 24\", \"2001:db8::/32 ge 48\"]}",
        ", import: {max_prefixes: 9}",
        (", import: {communities: [\"65000:1\", \"1:2:3\", no-export], local_preference: 200, "
         "set_communities: [\"65000:9\", \"7:7:7\"]}"),
    };
    static const char *const EXPORTS[] = {
        "",
        "",
        ", export: {prepend: 3, med: 0}",
        ", export: {prefixes: [10.1.0.0/24, \"10.0.0.0/8 ge 24 le 24\"]}",
        ", export: {communities: [\"65000:1\"], max_prefixes: 50, default_originate: true}",
        ", export: {communities: [\"65000:1\"], set_communities: [\"3:2:1\"], prepend: 2}",
    };

    fprintf(writer->out, "%s%s", ANY(writer, IMPORTS), ANY(writer, EXPORTS));
}

static void write_session(struct writer *writer, const struct link *link)
{
    static const char *const BFDS[] = {"",
                                       "",
                                       ", bfd: true",
                                       ", bfd: {interval: 900}",
                                       ", bfd: {multiplier: 5}",
                                       ", ttl_security: true"};
    static const char *const FLAGS[] = {"",
                                        ", graceful_restart: true",
                                        ", allowas_in: 3",
                                        ", allowas_in: 1, as_override: true",
                                        ", timers: {keepalive: 3, hold: 9}",
                                        ", timers: {connect_retry: 20}, graceful_restart: false"};
    static const char *const FAMILIES[] = {"", ", families: [ipv4, ipv6]", ", families: [ipv6]",
                                           ", families: [ipv4]"};

    if (link->cloud) {
        fputs(link->cloud->bfd && below(writer, 2) ? ", bfd: true" : "", writer->out);
    } else {
        fprintf(writer->out, "%s%s", ANY(writer, BFDS), ANY(writer, FLAGS));
    }
    if (link->v4 && link->v6) {
        fputs(ANY(writer, FAMILIES), writer->out);
    }
    if ((!link->cloud || link->cloud->password) && below(writer, 4) == 0) {
        fprintf(writer->out, ", password: {secret: %s}", below(writer, 2) ? "a" : "b");
    }
}

/* A peer of the cloud that comes inside of an outer VLAN and carries 1500 bytes; else of any. */
static const char *segment_profile(struct writer *writer, const struct link *link)
{
    if (link->inner && below(writer, 2)) {
        return ", profile: azure-expressroute, asn: 12076";
    }
    return below(writer, 2) ? ", asn: 64512" : ", asn: 64513";
}

static void write_peer(struct writer *writer, unsigned int p)
{
    unsigned int i;
    const struct link *link;
    bool v4;

    begin_part(writer, WALK_PEER + p);
    i = below(writer, LINKS);
    link = &writer->links[i];
    if (!link->there || !(link->v4 || link->v6)) {
        return;
    }
    v4 = link->v4 && (!link->v6 || below(writer, 2));
    if (link->cloud && p != i % WALK_PEERS) {
        return; /* one peer at the end of a tunnel */
    }
    fprintf(writer->out, "  - {name: p%u, via: %s, address: ", p, link->name);
    if (link->cloud) {
        fprintf(writer->out, v4 ? "169.254.21.%u" : "\"fd00:%u::2\"",
                v4 ? 4 * (i - WALK_SEGMENTS) + 2 : i - WALK_SEGMENTS);
        fputs(", asn: 64512", writer->out);
    } else {
        fprintf(writer->out, v4 ? "10.%u.0.%u" : "\"2001:db8:%u::%u\"", i, 20 + p);
        fputs(segment_profile(writer, link), writer->out);
    }
    write_policy(writer);
    write_session(writer, link);
    fputs("}\n", writer->out);
}

/* --- routes, aggregates, pools, egress -------------------------------------------------------- */

static void write_via(struct writer *writer, const char *prefix, unsigned int i, bool v4)
{
    const struct link *link = &writer->links[i];
    unsigned int t = i - WALK_SEGMENTS;

    fprintf(writer->out, "  - {prefix: \"%s\", via: ", prefix);
    if (link->cloud) {
        fprintf(writer->out, v4 ? "169.254.21.%u}\n" : "\"fd00:%u::2\"}\n", v4 ? 4 * t + 2 : t);
    } else {
        fprintf(writer->out, v4 ? "10.%u.0.%u}\n" : "\"2001:db8:%u::%u\"}\n", i,
                5 + below(writer, 2));
    }
}

/* The last of them is the default route, unless egress has that. */
static void write_route(struct writer *writer, unsigned int r)
{
    static const char *const V4[WALK_ROUTES] = {"172.16.0.0/16", "172.17.0.0/16", "10.0.0.128/26",
                                                "0.0.0.0/0"};
    static const char *const V6[WALK_ROUTES] = {"2001:db8:f0::/48", "2001:db8:f1::/48",
                                                "2001:db8:f2::/48", "2001:db8:f3::/48"};
    unsigned int i;

    begin_part(writer, WALK_ROUTE + r);
    i = below(writer, LINKS);
    if (writer->links[i].v6 && below(writer, 2)) {
        write_via(writer, V6[r], i, false);
    }
    if (writer->egress && r + 1 == WALK_ROUTES) {
        return;
    }
    if (writer->links[i].v4 && below(writer, 2)) {
        write_via(writer, V4[r], i, true);
    } else if (below(writer, 3) == 0) {
        fprintf(writer->out, "  - {prefix: %s, blackhole: true}\n", V4[r]);
    }
}

static void write_aggregates(struct writer *writer)
{
    static const char *const AGGREGATES[] = {
        "", "", "  aggregates: [{prefix: 10.0.0.0/8}, {prefix: \"2001:db8::/32\"}]\n",
        "  aggregates: [{prefix: 10.0.0.0/8, summary_only: true}, {prefix: 10.64.0.0/10}]\n"};

    begin_part(writer, WALK_AGGREGATES);
    fputs(ANY(writer, AGGREGATES), writer->out);
}

static void write_pool(struct writer *writer, unsigned int s)
{
    static const char *const DHCP[] = {"", "", ", dhcp: true", ", dhcp: true, quarantine: 600",
                                       ", probe: true"};
    static const char *const DNS[] = {"", ", dns: [192.0.2.53]", ", dns: true",
                                      ", dns: true, forwarders: [10.9.0.53]"};
    static const char *const MORE[] = {"", "", ", domain: vc.example", ", mtu: 1400",
                                       ", gateway: 10.%u.0.9"};
    const struct link *link = &writer->links[s];

    if (!link->v4 || below(writer, 2)) {
        return;
    }
    fprintf(writer->out, "  - {name: pool%u, prefix: [10.%u.0.64/26", s, s);
    if (link->v6 && below(writer, 2)) {
        fprintf(writer->out, ", \"2001:db8:%u::1000/116\"", s);
    }
    fprintf(writer->out, "]%s%s", ANY(writer, DHCP), ANY(writer, DNS));
    fprintf(writer->out, ANY(writer, MORE), s);
    fputs("}\n", writer->out);
}

static void write_pools(struct writer *writer)
{
    begin_part(writer, WALK_POOLS);
    fputs("  pools:\n  - {name: far, prefix: 10.200.0.0/24, provider: aws}\n", writer->out);
    for (unsigned int s = 0; s < WALK_SEGMENTS; s++) {
        write_pool(writer, s);
    }
}

static void write_publish(struct writer *writer)
{
    static const char *const FROM[] = {"", ", from: [198.51.100.0/24]"};
    unsigned int port = 9000 + 10 * (writer->topology->tenant * WALK_NETWORKS + writer->network);

    fputs(", publish: [", writer->out);
    for (unsigned int i = 0, n = below(writer, 3); i < n; i++) {
        fprintf(writer->out, "%s{protocol: %s, port: %u, to: 10.%u.0.70%s%s}", i ? ", " : "",
                below(writer, 2) ? "tcp" : "udp", port + i, below(writer, 2),
                below(writer, 2) ? ", to_port: 22" : "", ANY(writer, FROM));
    }
    fputc(']', writer->out);
}

static void write_egress(struct writer *writer)
{
    static const char *const ADDRESSES[] = {"", ", address: 203.0.113.9", ", address: 203.0.113.10",
                                            ", prefix6: \"2001:db8:5::/64\"",
                                            ", address: \"2001:db8:6::1\""};

    begin_part(writer, WALK_EGRESS);
    writer->egress = below(writer, 2);
    if (!writer->egress) {
        return;
    }
    fprintf(writer->out, "  egress: {uplink: %s", below(writer, 3) ? "wan" : "wan2");
    if (below(writer, 4) == 0) {
        fputs(", nat: false", writer->out);
    } else {
        fputs(ANY(writer, ADDRESSES), writer->out);
        write_publish(writer);
    }
    fputs("}\n", writer->out);
}

/* --- all -------------------------------------------------------------------------------------- */

/* A list of what `write` writes for 0 to n - 1; left out if that is nothing. */
static void write_list(struct writer *writer, const char *key,
                       void (*write)(struct writer *writer, unsigned int i), unsigned int n)
{
    FILE *out = writer->out;
    char *items = NULL;
    size_t len = 0;

    writer->out = open_memstream(&items, &len);
    for (unsigned int i = 0; i < n; i++) {
        write(writer, i);
    }
    fclose(writer->out);
    writer->out = out;
    fprintf(out, "  %s:%s\n%s", key, len ? "" : " []", items);
    free(items);
}

static void write_network(FILE *out, const struct walk_topology *topology, unsigned int network)
{
    static const char *const ASNS[] = {"", "  asn: 65010\n", "  asn: 65020\n"};
    static const char *const NAMES[] = {"n", "n", "n", "m"};
    struct writer writer = {.out = out, .topology = topology, .network = network};

    begin_part(&writer, WALK_HEAD);
    fprintf(out, "- name: %s%u\n", ANY(&writer, NAMES), network);
    fputs(ANY(&writer, ASNS), out);
    write_list(&writer, "segments", write_segment, WALK_SEGMENTS);
    write_list(&writer, "tunnels", write_tunnel, WALK_TUNNELS);
    write_list(&writer, "peers", write_peer, WALK_PEERS);
    write_egress(&writer);
    write_list(&writer, "routes", write_route, WALK_ROUTES);
    write_aggregates(&writer);
    write_pools(&writer);
}

char *walk_topology_text(const struct walk_topology *topology)
{
    char *text = NULL;
    size_t len;
    bool any = false;
    FILE *out = open_memstream(&text, &len);

    for (unsigned int i = 0; i < WALK_NETWORKS; i++) {
        any = any || topology->networks[i].there;
    }
    fprintf(out, "version: 1\nnetworks:%s\n", any ? "" : " []");
    for (unsigned int i = 0; i < WALK_NETWORKS; i++) {
        unsigned int network = topology->backwards ? WALK_NETWORKS - 1 - i : i;

        if (topology->networks[network].there) {
            write_network(out, topology, network);
        }
    }
    fclose(out);
    return text;
}

/* --- the way ---------------------------------------------------------------------------------- */

void walk_topology_init(struct walk_topology *topology, unsigned int tenant)
{
    memset(topology, 0, sizeof *topology);
    topology->tenant = tenant;
}

static uint64_t new_seed(struct chance *chance)
{
    return (uint64_t)chance_below(chance, 1U << 31) << 20 | chance_below(chance, 1U << 20);
}

static void step_network(struct walk_topology *topology, unsigned int i, struct chance *chance)
{
    bool was = topology->networks[i].there;

    if (!was || chance_below(chance, 8) == 0) {
        topology->networks[i].there = !was || chance_below(chance, 2);
        for (unsigned int part = 0; part < WALK_PARTS; part++) {
            topology->networks[i].seeds[part] = new_seed(chance);
        }
        return;
    }
    for (unsigned int n = 1 + chance_below(chance, 3); n > 0; n--) {
        topology->networks[i].seeds[chance_below(chance, WALK_PARTS)] = new_seed(chance);
    }
}

void walk_topology_step(struct walk_topology *topology, struct chance *chance)
{
    for (unsigned int n = 1 + chance_below(chance, 2); n > 0; n--) {
        step_network(topology, chance_below(chance, WALK_NETWORKS), chance);
    }
    if (chance_below(chance, 10) == 0) {
        topology->rotation = chance_below(chance, VLANS);
    }
    if (chance_below(chance, 20) == 0) {
        topology->ethertypes ^= 1U << chance_below(chance, OUTERS);
    }
    topology->backwards = chance_below(chance, 2);
}
