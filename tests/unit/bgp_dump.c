#include "bgp_dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *or_none(const char *text)
{
    return text ? text : "(none)";
}

/* A seen one is told by its place, as others may say the same under another name. */
static void dump_reference(FILE *out, const struct bgp_state *state,
                           const struct bgp_policy *policy)
{
    size_t i = 0;

    if (!policy) {
        fprintf(out, " -");
        return;
    }
    if (!policy->name) {
        fprintf(out, " =%zu", bgp_state_policy_slot(state, policy));
        return;
    }
    while (i < state->n_policies && state->policies[i] != policy) {
        i++;
    }
    fprintf(out, " #%zu", i);
}

static void dump_policy(FILE *out, const struct bgp_state *state, const struct bgp_policy *policy)
{
    fprintf(out, "policy %d %s %" PRIx64 "%s lists", policy->kind, or_none(policy->name),
            policy->digest, policy->missing ? " missing" : "");
    for (size_t i = 0; i < BGP_LISTS; i++) {
        dump_reference(out, state, policy->lists[i]);
    }
    fprintf(out, "\n%s", policy->body);
}

static void dump_extras(FILE *out, const struct bgp_extra *extras, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "  extra [%s] [%s]\n", extras[i].section, extras[i].line);
    }
}

static void dump_family(FILE *out, const struct bgp_state *state, const struct bgp_family *family)
{
    fprintf(out, "  family %d %u %u %u %u %d %d uses", family->active, family->max_prefixes,
            family->restart_min, family->max_prefixes_out, family->allowas_in, family->as_override,
            family->default_originate);
    for (size_t i = 0; i < BGP_USES; i++) {
        dump_reference(out, state, family->uses[i]);
        fprintf(out, " %s", or_none(family->names[i]));
    }
    fprintf(out, "\n");
}

static void dump_peer(FILE *out, const struct bgp_state *state, const struct bgp_peer *peer)
{
    char address[ADDR_TEXT];

    fprintf(out, " peer %s %u [%s] password %d %" PRIx64 " %s timers %u %u %u",
            addr_print(&peer->address, address), peer->asn, peer->description, peer->password,
            peer->password_digest, or_none(peer->password_problem), peer->keepalive_s, peer->hold_s,
            peer->connect_s);
    fprintf(out, " bfd %d [%s] restart %d ttl %d of %p\n", peer->bfd, peer->bfd_profile,
            peer->graceful_restart, peer->ttl_security, (const void *)peer->peer);
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        dump_family(out, state, &peer->families[i]);
    }
    dump_extras(out, peer->extras, peer->n_extras);
}

static void dump_instance(FILE *out, const struct bgp_state *state,
                          const struct bgp_instance *instance)
{
    char text[PREFIX_TEXT], router_id[ADDR_TEXT] = "";

    if (instance->router_id.family) {
        addr_print(&instance->router_id, router_id);
    }
    fprintf(out, "instance %u %u [%s] %d%d%d%d%d%d %u [%s/%s]\n", instance->network_id,
            instance->asn, router_id, instance->plain, instance->unchecked, instance->logs,
            instance->relaxed, instance->preserves, instance->ours, instance->coalesce_ms,
            instance->tenant, instance->network);
    for (size_t i = 0; i < instance->n_networks; i++) {
        fprintf(out, " network %s\n", prefix_print(&instance->networks[i], text));
    }
    for (size_t i = 0; i < instance->n_aggregates; i++) {
        fprintf(out, " aggregate %s %d\n", prefix_print(&instance->aggregates[i].prefix, text),
                instance->aggregates[i].summary_only);
    }
    for (size_t i = 0; i < instance->n_peers; i++) {
        dump_peer(out, state, &instance->peers[i]);
    }
    dump_extras(out, instance->extras, instance->n_extras);
}

char *bgp_dump(const struct bgp_state *state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "fingerprint %" PRIx64 "\n", state->fingerprint);
    for (size_t i = 0; i < state->n_instances; i++) {
        dump_instance(out, state, &state->instances[i]);
    }
    for (size_t i = 0; i < state->n_policies; i++) {
        dump_policy(out, state, state->policies[i]);
    }
    for (size_t i = 0; i < state->n_bfds; i++) {
        fprintf(out, "bfd %s %u %u %u %d\n", state->bfds[i].name, state->bfds[i].transmit_ms,
                state->bfds[i].receive_ms, state->bfds[i].multiplier, state->bfds[i].odd);
    }
    fclose(out);
    return text;
}
