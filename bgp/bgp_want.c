#include "bgp/bgp_want_parts.h"

#include <stdlib.h>
#include <string.h>

static void want_password(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    const char *problem = NULL;

    if (!peer->password_secret) {
        return;
    }
    if (want->passwords->digest(want->passwords->aux, peer->password_secret,
                                &wanted->password_digest, &problem)) {
        wanted->password = BGP_PASSWORD_UNREADABLE;
        wanted->password_problem = arena_strdup(want->state->arena, problem);
    } else {
        wanted->password = BGP_PASSWORD_SET;
    }
}

/* What is negotiated of each address family, and how. */
static void want_family(struct want *want, const struct peer *peer, size_t index,
                        struct bgp_family *wanted)
{
    const struct profile *profile = peer->profile;

    wanted->active = true;
    wanted->max_prefixes = peer->import_max_prefixes;
    if (!wanted->max_prefixes && profile) {
        wanted->max_prefixes = profile->max_prefixes;
    }
    wanted->restart_min = wanted->max_prefixes ? BGP_RESTART_MIN : 0;
    wanted->max_prefixes_out = peer->export_max_prefixes;
    if (!wanted->max_prefixes_out && profile) {
        wanted->max_prefixes_out = profile->max_prefixes_out;
    }
    wanted->allowas_in = peer->allowas_in;
    wanted->as_override = peer->as_override;
    wanted->default_originate = peer->default_originate;
    want_policies(want, peer, index, wanted);
}

/* The first of three that is not 0. */
static uint32_t first_of(uint32_t a, uint32_t b, uint32_t c)
{
    return a ? a : b ? b : c;
}

static void want_bfd(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    const struct profile *profile = peer->profile;
    struct bgp_state *state = want->state;
    struct bgp_bfd_profile *bfd;
    uint32_t interval_ms =
        first_of(peer->bfd_interval_ms, profile ? profile->bfd_interval_ms : 0, BGP_BFD_MS);
    uint32_t multiplier =
        first_of(peer->bfd_multiplier, profile ? profile->bfd_multiplier : 0, BGP_BFD_MULTIPLIER);

    wanted->bfd_profile = "";
    if (!peer->bfd) {
        return;
    }
    wanted->bfd = true;
    wanted->bfd_profile = bgp_bfd_name(state->arena, interval_ms, multiplier);
    bfd = bgp_state_add_bfd(state, wanted->bfd_profile);
    bfd->transmit_ms = bfd->receive_ms = interval_ms;
    bfd->multiplier = multiplier;
}

static void want_timers(const struct peer *peer, struct bgp_peer *wanted)
{
    const struct profile *profile = peer->profile;

    wanted->keepalive_s =
        (uint16_t)first_of(peer->keepalive_s, profile ? profile->keepalive_s : 0, 0);
    wanted->hold_s = (uint16_t)first_of(peer->hold_s, profile ? profile->hold_s : 0, 0);
    wanted->connect_s = (uint16_t)first_of(peer->connect_retry_s, BGP_CONNECT_S, 0);
}

static void want_peer(struct want *want, const struct peer *peer, struct bgp_peer *wanted)
{
    wanted->address = peer->address;
    wanted->asn = peer->asn;
    wanted->description = arena_printf(want->state->arena, "%s/%s/peer/%s", want->tenant,
                                       want->network->name, peer->name);
    wanted->peer = peer;
    wanted->graceful_restart = peer->graceful_restart;
    wanted->ttl_security = peer->ttl_security;
    want_password(want, peer, wanted);
    want_timers(peer, wanted);
    want_bfd(want, peer, wanted);
    for (size_t i = 0; i < BGP_FAMILIES; i++) {
        if (peer->families[i]) {
            want_family(want, peer, i, &wanted->families[i]);
        }
    }
}

static void want_announce(struct want *want, struct bgp_instance *instance,
                          const struct prefix *prefix)
{
    if (addr_is_link_local(&prefix->addr)) {
        return;
    }
    instance->networks = arena_grow(want->state->arena, instance->networks, instance->n_networks,
                                    &instance->networks_capacity, sizeof *instance->networks);
    instance->networks[instance->n_networks++] = prefix_network(prefix);
}

static void want_aggregates(struct want *want, struct bgp_instance *instance)
{
    const struct network *network = want->network;

    instance->aggregates =
        arena_calloc(want->state->arena, network->n_aggregates, sizeof *instance->aggregates);
    for (size_t i = 0; i < network->n_aggregates; i++) {
        instance->aggregates[instance->n_aggregates++] = (struct bgp_aggregate){
            network->aggregates[i].prefix, network->aggregates[i].summary_only};
    }
}

static void want_network(struct want *want, struct bgp_instance *instance)
{
    const struct network *network = want->network;

    instance->network_id = network->id;
    instance->asn = network->asn;
    instance->plain = instance->unchecked = instance->logs = instance->ours = true;
    instance->relaxed = true;
    instance->coalesce_ms = BGP_COALESCE_MS;
    instance->tenant = want->tenant;
    instance->network = network->name;
    for (size_t i = 0; i < network->n_segments; i++) {
        for (size_t j = 0; j < network->segments[i].n_gateways; j++) {
            want_announce(want, instance, &network->segments[i].gateways[j]);
        }
    }
    for (size_t i = 0; i < network->n_routes; i++) {
        want_announce(want, instance, &network->routes[i].prefix);
    }
    want_aggregates(want, instance);
    instance->peers = arena_calloc(want->state->arena, network->n_peers, sizeof *instance->peers);
    instance->n_peers = network->n_peers;
    for (size_t i = 0; i < network->n_peers; i++) {
        want_peer(want, &network->peers[i], &instance->peers[i]);
        instance->preserves |= instance->peers[i].graceful_restart;
    }
}

/* --- a tenant -------------------------------------------------------------------------------- */

/* What a tenant's topology asks for. */
struct part {
    struct bgp_state *state; /* in whose arena this is, too */
    const char **secrets;    /* that were read for it; sorted, each once */
    size_t n_secrets, secrets_capacity;
    uint64_t stamp; /* of all of them, from before they were read */
};

static int cmp_names(const void *a_, const void *b_)
{
    const char *const *a = a_, *const *b = b_;

    return strcmp(*a, *b);
}

static void list_secrets(struct part *part, const struct network *network)
{
    for (size_t i = 0; i < network->n_peers; i++) {
        if (network->peers[i].password_secret) {
            part->secrets = arena_grow(part->state->arena, part->secrets, part->n_secrets,
                                       &part->secrets_capacity, sizeof *part->secrets);
            part->secrets[part->n_secrets++] = network->peers[i].password_secret;
        }
    }
}

static void sort_secrets(struct part *part)
{
    size_t kept = 0;

    if (part->n_secrets) {
        qsort(part->secrets, part->n_secrets, sizeof *part->secrets, cmp_names);
    }
    for (size_t i = 0; i < part->n_secrets; i++) {
        if (!kept || strcmp(part->secrets[kept - 1], part->secrets[i]) != 0) {
            part->secrets[kept++] = part->secrets[i];
        }
    }
    part->n_secrets = kept;
}

static uint64_t stamp_of(const struct part *part, const struct bgp_passwords *passwords)
{
    uint64_t stamp = 0;

    for (size_t i = 0; i < part->n_secrets; i++) {
        stamp = stamp * 0x100000001b3U + passwords->stamp(passwords->aux, part->secrets[i]);
    }
    return stamp;
}

static void want_networks(struct want *want, const struct topology *topology,
                          const struct config *config)
{
    struct bgp_state *state = want->state;

    for (size_t i = 0; i < topology->n_networks; i++) {
        struct bgp_instance *instance;

        want->network = &topology->networks[i];
        if (!want->network->n_peers) {
            continue;
        }
        state->instances = arena_grow(state->arena, state->instances, state->n_instances,
                                      &state->instances_capacity, sizeof *state->instances);
        instance = &state->instances[state->n_instances++];
        memset(instance, 0, sizeof *instance);
        instance->router_id = config->router_id;
        want_network(want, instance);
        bgp_instance_sort(instance);
    }
}

static void *make_part(const struct intended *intended, const struct intended_tenant *tenant,
                       void *passwords)
{
    struct bgp_state *state = bgp_state_new();
    struct part *part = arena_alloc(state->arena, sizeof *part);
    struct want want = {.state = state, .tenant = tenant->name, .passwords = passwords};

    part->state = state;
    for (size_t i = 0; i < tenant->topology->n_networks; i++) {
        list_secrets(part, &tenant->topology->networks[i]);
    }
    sort_secrets(part);
    part->stamp = stamp_of(part, passwords);
    want_networks(&want, tenant->topology, intended->config);
    bgp_state_sort(state);
    return part;
}

static void drop_part(void *part_)
{
    struct part *part = part_;

    bgp_state_free(part->state);
}

static const struct tenant_parts_class PARTS = {make_part, drop_part};

/* --- all ------------------------------------------------------------------------------------- */

static void add_part(struct bgp_state *state, const struct bgp_state *part)
{
    for (size_t i = 0; i < part->n_instances; i++) {
        state->instances[state->n_instances++] = part->instances[i];
    }
    for (size_t i = 0; i < part->n_policies; i++) {
        state->policies[state->n_policies++] = part->policies[i];
    }
    for (size_t i = 0; i < part->n_bfds; i++) {
        state->bfds[state->n_bfds++] = part->bfds[i];
    }
}

/* Several tenants may want the same ones. */
static void unique_policies(struct bgp_state *state)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->n_policies; i++) {
        if (!kept || bgp_policy_cmp(state->policies[kept - 1], state->policies[i])) {
            state->policies[kept++] = state->policies[i];
        }
    }
    state->n_policies = kept;
}

struct bgp_state *bgp_want(const struct intended *intended, struct tenant_parts *kept,
                           const struct bgp_passwords *passwords)
{
    struct bgp_state *state = bgp_state_new();

    tenant_parts_update(kept, intended, &PARTS, (void *)passwords);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct part *part = kept->parts[i];

        bgp_state_add_part(state, bgp_state_ref(part->state));
    }
    bgp_state_make_room(state);
    for (size_t i = 0; i < state->n_parts; i++) {
        add_part(state, state->parts[i]);
    }
    bgp_state_sort(state);
    unique_policies(state);
    return state;
}

bool bgp_want_is_stale(const struct tenant_parts *kept, const struct bgp_passwords *passwords)
{
    for (size_t i = 0; kept->intended && i < kept->intended->n_tenants; i++) {
        const struct part *part = kept->parts[i];

        if (part->stamp != stamp_of(part, passwords)) {
            return true;
        }
    }
    return false;
}

void bgp_want_forget(struct tenant_parts *kept)
{
    tenant_parts_clear(kept, &PARTS);
}
