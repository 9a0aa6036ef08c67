/* passes: what a change of one tenant costs routerd's own processor, part by part.
 *
 *   passes FOLDER ROUNDS
 *
 * FOLDER holds config.yaml, tenant-N.json (the topologies in force of the tenants t0, t1, ...) and
 * changed.json, t0's next one. That is read, checked and put in force, what each backend is to hold
 * is made of all topologies, and compared with what it holds: all before the change. Nothing is
 * carried out. charon's part is compared with nothing. Then bgpd's configuration is read as it is
 * after the change. Prints one line of JSON: the number of steps, and for each part the least
 * microseconds of all rounds. */
#include "backend/siphash.h"
#include "bgp/bgp_config.h"
#include "bgp/bgp_diff.h"
#include "bgp/bgp_want.h"
#include "bgp_text.h"
#include "dhcp/dhcp_state.h"
#include "ipsec/ipsec_want.h"
#include "model/ids.h"
#include "model/intended.h"
#include "model/profile.h"
#include "model/status.h"
#include "net/net_change.h"
#include "net/nft_change.h"
#include "net/nft_state.h"
#include "ovs/ovs_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTS = 24, PATH = 512 };

/* What all backends hold, or are to hold. */
struct states {
    struct ovs_state *ovs;
    struct bgp_state *bgp;
    struct ipsec_wanted *ipsec;
    struct dhcp_wanted dhcp;
};

/* What the backends keep from one state to the next; net's and nft's are the states themselves. */
struct kept {
    struct tenant_parts ovs;
    struct tenant_parts bgp;
    struct net_wanted net;
    struct nft_wanted nft;
};

struct bench {
    const char *folder;
    struct config *config;
    struct profiles *profiles;
    struct intended *intended;
    struct ids ids;
    struct states seen;
    struct net_state net_seen;
    struct tenant_parts ipsec;
    struct kept seen_kept, kept; /* of what is seen, and of what is wanted */
    char *bgp_text;              /* bgpd's configuration after the change */
    char *changed;
    struct {
        const char *name;
        double us;
    } parts[PARTS];
    size_t n_parts;
    double lap_us;
};

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Counts the time since the last lap as the part's. */
static void lap(struct bench *bench, const char *name)
{
    double us = now_us() - bench->lap_us;
    size_t i = 0;

    while (i < bench->n_parts && strcmp(bench->parts[i].name, name) != 0) {
        i++;
    }
    if (i == bench->n_parts && i < PARTS) {
        bench->parts[bench->n_parts].name = name;
        bench->parts[bench->n_parts++].us = us;
    } else if (us < bench->parts[i].us) {
        bench->parts[i].us = us;
    }
    bench->lap_us = now_us();
}

/* A file of the folder as text, or null; `number` is put in its name. */
static char *read_file(const struct bench *bench, const char *name, unsigned int number)
{
    char path[PATH], *text = NULL;
    size_t len, got;
    char buffer[4096];
    int end = snprintf(path, sizeof path, "%s/", bench->folder);
    FILE *in, *out;

    snprintf(path + end, sizeof path - (size_t)end, name, number);
    in = fopen(path, "r");
    if (!in) {
        return NULL;
    }
    out = open_memstream(&text, &len);
    while (out && (got = fread(buffer, 1, sizeof buffer, in)) > 0) {
        fwrite(buffer, 1, got, out);
    }
    fclose(in);
    if (!out || fclose(out)) {
        abort();
    }
    return text;
}

static void insist(const struct errors *errors, const char *what)
{
    if (errors_count(errors)) {
        const struct error *first = errors_get(errors, 0);

        fprintf(stderr, "%s: line %u: %s: %s\n", what, first->line, first->path, first->message);
        exit(1);
    }
}

static bool is_there(void *aux, const char *name)
{
    (void)aux;
    (void)name;
    return true;
}

static bool find_uplink(void *aux, const char *interface, int family, struct addr *ret_addr)
{
    (void)aux;
    (void)interface;
    return family == AF_INET && addr_parse("192.0.2.1", ret_addr) == 0;
}

static size_t resolve(void *aux, const char *name, struct addr *ret_addrs)
{
    (void)aux;
    (void)name;
    (void)ret_addrs;
    return 0;
}

static uint64_t digest_secret(void *aux, const char *path, int *ret_error)
{
    (void)aux;
    (void)path;
    *ret_error = 0;
    return 1;
}

static int digest_password(void *aux, const char *secret, uint64_t *ret_digest,
                           const char **ret_problem)
{
    (void)aux;
    (void)secret;
    *ret_problem = NULL;
    *ret_digest = 1;
    return 0;
}

static uint64_t stamp_password(void *aux, const char *secret)
{
    (void)aux;
    (void)secret;
    return 1;
}

static const struct bgp_passwords PASSWORDS = {digest_password, stamp_password, NULL};

static struct topology *read_topology(struct bench *bench, const char *tenant, const char *text)
{
    struct topology_world world = {bench->config, bench->profiles, bench->intended,
                                   is_there,      is_there,        NULL};
    struct errors *errors = errors_new();
    struct topology *topology = topology_parse(text, strlen(text), errors);

    lap(bench, "document read");
    if (topology) {
        topology_check(topology, tenant, &world, errors);
    }
    lap(bench, "document checked");
    insist(errors, tenant);
    errors_free(errors);
    return topology;
}

static void want_all(struct bench *bench, const struct intended *intended, struct kept *kept,
                     struct states *ret)
{
    static const struct ipsec_seen nothing;
    const struct ipsec_facts facts = {NULL, find_uplink, resolve, digest_secret, NULL};
    const struct nft_host host = {false};

    *ret = (struct states){.ovs = ovs_want(intended, &kept->ovs)};
    lap(bench, "ovs wanted");
    net_want(&kept->net, intended);
    lap(bench, "net wanted");
    nft_want(&kept->nft, intended, &host);
    lap(bench, "nft wanted");
    ret->ipsec = ipsec_want(intended, &bench->ipsec, &facts, &nothing);
    lap(bench, "ipsec wanted");
    ret->bgp = bgp_want(intended, &kept->bgp, &PASSWORDS);
    lap(bench, "bgp wanted");
    dhcp_want(intended, &ret->dhcp);
    lap(bench, "dhcp wanted");
}

static void let_go(struct states *states)
{
    ovs_state_free(states->ovs);
    ipsec_wanted_free(states->ipsec);
    bgp_state_free(states->bgp);
    dhcp_wanted_done(&states->dhcp);
}

static void forget(struct kept *kept)
{
    ovs_want_forget(&kept->ovs);
    bgp_want_forget(&kept->bgp);
    net_wanted_done(&kept->net);
    nft_wanted_done(&kept->nft);
}

/* The kernel's interfaces and routes are others than the wanted ones: the watcher's. */
static void see_net(struct net_state *wanted, struct net_state *ret_seen)
{
    struct net_link *const *links = net_state_links(wanted);

    net_state_init(ret_seen);
    ret_seen->l3mdev_rules = wanted->l3mdev_rules;
    ret_seen->ipv6_forwarding = wanted->ipv6_forwarding;
    for (size_t i = 0; i < wanted->n_links; i++) {
        struct net_link *link = net_state_put_link(ret_seen, (int)i + 1);

        *link = *links[i];
        link->index = (int)i + 1;
        link->addrs = NULL;
        link->n_addrs = 0;
        for (size_t j = 0; j < links[i]->n_addrs; j++) {
            net_link_put_addr(link, &links[i]->addrs[j]);
        }
    }
    for (size_t i = 0; i < ret_seen->n_links; i++) {
        struct net_link *link = net_state_link(ret_seen, (int)i + 1);

        if (link->master[0]) {
            link->master_index = net_state_find(ret_seen, link->master)->index;
        }
    }
    for (size_t i = 0; i < wanted->n_routes; i++) {
        net_state_put_route(ret_seen, net_state_routes(wanted)[i]);
    }
}

/* Of rules only the digests are seen. */
static void see_nft(struct nft_wanted *nft)
{
    nft->state.present = true;
    for (size_t i = 0; i < nft->state.n_items; i++) {
        struct nft_item *item = nft->state.items[i];

        for (size_t j = 0; j < item->n_rules; j++) {
            item->rules[j] = item->digests[j];
        }
    }
}

/* Adds to what is wanted what only the real thing has: then it is what would be seen. */
static void see(struct states *states)
{
    for (size_t i = 0; i < states->ovs->n_ports; i++) {
        states->ovs->ports[i].made = OVS_MADE;
    }
    ovs_state_index(states->ovs);
}

static uint64_t digest_text(const void *bytes, size_t len)
{
    static const struct siphash_key key;

    return siphash(&key, bytes, len);
}

static struct bgp_state *read_bgp(const char *text, const struct bgp_state *last)
{
    return bgp_config_parse(text, strlen(text), digest_text, last);
}

/* What bgpd says before and after the change. */
static void open_bgp(struct bench *bench)
{
    struct topology *topology = read_topology(bench, "t0", bench->changed);
    struct bgp_state *wanted = bench->seen.bgp;
    struct plan *plan = plan_new();
    struct intended *next;
    struct ids ids;

    bench->bgp_text = bgp_text_print(wanted);
    bench->seen.bgp = read_bgp(bench->bgp_text, NULL);
    bgp_diff(wanted, bench->seen.bgp, NULL, plan);
    if (plan->n_steps) {
        fprintf(stderr, "what bgpd says is not what is wanted\n");
        exit(1);
    }
    plan_free(plan);
    bgp_state_free(wanted);
    free(bench->bgp_text);
    ids_clone(&bench->ids, &ids);
    ids_assign(&ids, "t0", topology);
    ids_done(&ids);
    next = intended_with(bench->intended, "t0", 2, topology);
    wanted = bgp_want(next, &bench->seen_kept.bgp, &PASSWORDS);
    bench->bgp_text = bgp_text_print(wanted);
    bgp_state_free(wanted);
    bgp_want_forget(&bench->seen_kept.bgp);
    intended_unref(next);
}

static void open_world(struct bench *bench)
{
    struct errors *errors = errors_new();
    char *text = read_file(bench, "config.yaml", 0);

    bench->config = text ? config_parse(text, strlen(text), errors) : NULL;
    insist(errors, "config.yaml");
    errors_free(errors);
    free(text);
    bench->changed = read_file(bench, "changed.json", 0);
    if (!bench->config || !bench->changed) {
        fprintf(stderr, "%s: there is no config.yaml or changed.json\n", bench->folder);
        exit(1);
    }
    bench->profiles = profiles_new();
    profiles_add_builtin(bench->profiles);
    bench->intended = intended_new(bench->config);
    ids_init(&bench->ids);
    for (unsigned int i = 0; (text = read_file(bench, "tenant-%u.json", i)); i++) {
        char tenant[16];
        struct topology *topology;
        struct intended *next;

        snprintf(tenant, sizeof tenant, "t%u", i);
        topology = read_topology(bench, tenant, text);
        ids_assign(&bench->ids, tenant, topology);
        next = intended_with(bench->intended, tenant, 1, topology);
        intended_unref(bench->intended);
        bench->intended = next;
        free(text);
    }
    want_all(bench, bench->intended, &bench->seen_kept, &bench->seen);
    see(&bench->seen);
    see_net(&bench->seen_kept.net.state, &bench->net_seen);
    see_nft(&bench->seen_kept.nft);
    open_bgp(bench);
    bench->n_parts = 0;
}

/* Returns the number of steps, but for charon's. */
static size_t change(struct bench *bench)
{
    struct plan *plan = plan_new();
    struct states wanted;
    struct topology *topology;
    struct intended *next;
    struct ids ids;
    size_t n_steps;

    bench->lap_us = now_us();
    topology = read_topology(bench, "t0", bench->changed);
    ids_clone(&bench->ids, &ids);
    ids_assign(&ids, "t0", topology);
    next = intended_with(bench->intended, "t0", 2, topology);
    lap(bench, "put in force");
    want_all(bench, next, &bench->kept, &wanted);
    ovs_diff(wanted.ovs, bench->seen.ovs, plan);
    lap(bench, "ovs compared");
    net_diff(&bench->kept.net.state, &bench->net_seen, plan);
    lap(bench, "net compared");
    nft_diff(next, &bench->kept.nft.state, &bench->seen_kept.nft.state, plan);
    lap(bench, "nft compared");
    bgp_diff(wanted.bgp, bench->seen.bgp, NULL, plan);
    lap(bench, "bgp compared");
    bgp_state_free(read_bgp(bench->bgp_text, bench->seen.bgp));
    lap(bench, "bgpd's text read");
    plan_sort(plan);
    n_steps = plan->n_steps;
    lap(bench, "plan sorted");
    status_unref(status_new(next));
    lap(bench, "snapshot's skeleton");
    let_go(&wanted);
    plan_free(plan);
    intended_unref(next);
    ids_done(&ids);
    lap(bench, "freed");
    return n_steps;
}

int main(int argc, char **argv)
{
    struct bench bench = {.folder = argc == 3 ? argv[1] : NULL};
    long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    size_t n_steps = 0;

    if (rounds < 1) {
        fprintf(stderr, "usage: passes FOLDER ROUNDS\n");
        return 2;
    }
    open_world(&bench);
    for (long i = 0; i < rounds; i++) {
        n_steps = change(&bench);
    }
    printf("{\"steps\": %zu, \"parts\": {", n_steps);
    for (size_t i = 0; i < bench.n_parts; i++) {
        printf("%s\"%s\": %.1f", i ? ", " : "", bench.parts[i].name, bench.parts[i].us);
    }
    printf("}}\n");
    let_go(&bench.seen);
    net_state_done(&bench.net_seen);
    ipsec_parts_clear(&bench.ipsec);
    forget(&bench.seen_kept);
    forget(&bench.kept);
    free(bench.bgp_text);
    intended_unref(bench.intended);
    ids_done(&bench.ids);
    profiles_free(bench.profiles);
    config_free(bench.config);
    free(bench.changed);
    return 0;
}
