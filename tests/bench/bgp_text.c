#include "bgp_text.h"

#include "model/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_TEXT = 32 };

/* As routerd names them. */
static const char *name_of(const struct bgp_policy *policy, char name[NAME_TEXT])
{
    snprintf(name, NAME_TEXT, BGP_POLICY_MARK "%016" PRIx64, policy->digest);
    return name;
}

/* "seq 5 RULE" for each line of its body. */
static void print_rules(FILE *out, const char *head, const struct bgp_policy *policy)
{
    unsigned int seq = 0;
    char name[NAME_TEXT];

    for (const char *line = policy->body, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        fprintf(out, "%s %s seq %u %.*s\n", head, name_of(policy, name), seq += 5,
                (int)(end - line), line);
    }
    fprintf(out, "!\n");
}

static void print_map(FILE *out, const struct bgp_policy *map)
{
    char name[NAME_TEXT], other[NAME_TEXT];

    fprintf(out, "route-map %s permit 10\n", name_of(map, name));
    for (const char *line = map->body, *end; *line; line = end + 1) {
        const struct bgp_policy *list = NULL;

        end = strchr(line, '\n');
        if (bgp_starts(line, "permit ")) {
            fprintf(out, "exit\n!\nroute-map %s %.*s\n", name, (int)(end - line), line);
            continue;
        }
        if (bgp_starts(line, "match ")) {
            list = map->lists[bgp_starts(line, "match ip")       ? BGP_LIST_PREFIXES
                              : bgp_starts(line, "match large-") ? BGP_LIST_LARGE
                                                                 : BGP_LIST_COMMUNITIES];
        }
        fprintf(out, " %.*s%s%s\n", (int)(end - line), line, list ? " " : "",
                list ? name_of(list, other) : "");
    }
    fprintf(out, "exit\n!\n");
}

static void print_policy(FILE *out, const struct bgp_policy *policy)
{
    static const char *const HEADS[] = {
        [BGP_PREFIXES_IPV4] = "ip prefix-list",
        [BGP_PREFIXES_IPV6] = "ipv6 prefix-list",
        [BGP_COMMUNITIES] = "bgp community-list standard",
        [BGP_LARGE_COMMUNITIES] = "bgp large-community-list standard",
    };

    if (policy->kind == BGP_MAP) {
        print_map(out, policy);
    } else {
        print_rules(out, HEADS[policy->kind], policy);
    }
}

static void print_peer(FILE *out, const struct bgp_peer *peer)
{
    char address[ADDR_TEXT];

    addr_print(&peer->address, address);
    fprintf(out, " neighbor %s remote-as %u\n", address, peer->asn);
    fprintf(out, " neighbor %s description %s\n", address, peer->description);
    if (peer->graceful_restart) {
        fprintf(out, " neighbor %s graceful-restart\n", address);
    }
    if (peer->ttl_security) {
        fprintf(out, " neighbor %s ttl-security hops 1\n", address);
    }
    if (peer->keepalive_s || peer->hold_s) {
        fprintf(out, " neighbor %s timers %u %u\n", address, peer->keepalive_s, peer->hold_s);
    }
    fprintf(out, " neighbor %s timers connect %u\n", address, peer->connect_s);
}

static void print_peer_family(FILE *out, const struct bgp_peer *peer,
                              const struct bgp_family *family)
{
    static const char *const USES[] = {
        [BGP_LIST_IN] = "prefix-list %s in",
        [BGP_LIST_OUT] = "prefix-list %s out",
        [BGP_MAP_IN] = "route-map %s in",
        [BGP_MAP_OUT] = "route-map %s out",
    };
    char address[ADDR_TEXT], name[NAME_TEXT];

    addr_print(&peer->address, address);
    fprintf(out, "  neighbor %s activate\n", address);
    if (family->as_override) {
        fprintf(out, "  neighbor %s as-override\n", address);
    }
    if (family->default_originate) {
        fprintf(out, "  neighbor %s default-originate\n", address);
    }
    if (family->allowas_in) {
        fprintf(out, "  neighbor %s allowas-in %u\n", address, family->allowas_in);
    }
    for (size_t i = 0; i < BGP_USES; i++) {
        if (family->uses[i]) {
            const char *rest = strchr(USES[i], '%') + 2;

            fprintf(out, "  neighbor %s %.*s%s%s\n", address, (int)(rest - 2 - USES[i]), USES[i],
                    name_of(family->uses[i], name), rest);
        }
    }
    if (family->max_prefixes) {
        fprintf(out, "  neighbor %s maximum-prefix %u restart %u\n", address, family->max_prefixes,
                family->restart_min);
    }
    if (family->max_prefixes_out) {
        fprintf(out, "  neighbor %s maximum-prefix-out %u\n", address, family->max_prefixes_out);
    }
}

static void print_family(FILE *out, const struct bgp_instance *instance, size_t index)
{
    char text[PREFIX_TEXT];

    fprintf(out, " !\n address-family %s unicast\n", index ? "ipv6" : "ipv4");
    for (size_t i = 0; i < instance->n_networks; i++) {
        if (instance->networks[i].addr.family == bgp_family_of(index)) {
            fprintf(out, "  network %s\n", prefix_print(&instance->networks[i], text));
        }
    }
    for (size_t i = 0; i < instance->n_aggregates; i++) {
        const struct bgp_aggregate *aggregate = &instance->aggregates[i];

        if (aggregate->prefix.addr.family == bgp_family_of(index)) {
            fprintf(out, "  aggregate-address %s%s\n", prefix_print(&aggregate->prefix, text),
                    aggregate->summary_only ? " summary-only" : "");
        }
    }
    for (size_t i = 0; i < instance->n_peers; i++) {
        if (instance->peers[i].families[index].active) {
            print_peer_family(out, &instance->peers[i], &instance->peers[i].families[index]);
        }
    }
    fprintf(out, " exit-address-family\n");
}

static void print_instance(FILE *out, const struct bgp_instance *instance)
{
    char text[ADDR_TEXT], vrf[IFNAME_TEXT];

    fprintf(out, "router bgp %u vrf %s\n bgp router-id %s\n", instance->asn,
            ids_vrf_name(instance->network_id, vrf), addr_print(&instance->router_id, text));
    fprintf(out,
            " bgp log-neighbor-changes\n no bgp default ipv4-unicast\n coalesce-time %u\n"
            " bgp bestpath as-path multipath-relax\n no bgp network import-check\n",
            instance->coalesce_ms);
    if (instance->preserves) {
        fprintf(out, " bgp graceful-restart preserve-fw-state\n");
    }
    for (size_t i = 0; i < instance->n_peers; i++) {
        print_peer(out, &instance->peers[i]);
    }
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        print_family(out, instance, i);
    }
    fprintf(out, "exit\n!\n");
}

char *bgp_text_print(const struct bgp_state *state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out) {
        abort();
    }
    fprintf(out, "Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n"
                 "frr defaults traditional\nhostname bench\nlog syslog informational\n!\n");
    for (size_t i = 0; i < state->n_instances; i++) {
        print_instance(out, &state->instances[i]);
    }
    for (size_t i = 0; i < state->n_policies; i++) {
        print_policy(out, state->policies[i]);
    }
    fprintf(out, "end\n");
    if (fclose(out)) {
        abort();
    }
    return text;
}
