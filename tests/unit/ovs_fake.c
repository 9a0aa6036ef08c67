#include "ovs_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char CONFIG[] =
    "version: 1\n"
    "router: {name: vr1, router_id: 192.0.2.1, asn: 65010}\n"
    "uplinks:\n"
    "  sinet: {type: trunk, interface: ens4, bridge: br-sinet, mtu: 9000}\n"
    "  lab: {type: trunk, interface: ens5, bridge: br-lab, mtu: 1500}\n"
    "  wan: {type: routed, interface: ens3}\n"
    "tenants:\n"
    "  bio: {controllers: [bio.example.ac.jp], vlans: {sinet: [\"2-1999\"], lab: [\"2-1999\"]}}\n"
    "  geo: {controllers: [geo.example.ac.jp], vlans: {sinet: [\"2000-4094\"]}}\n";

struct config *ovs_fake_config(void)
{
    struct errors *errors = errors_new();
    struct config *config = config_parse(CONFIG, strlen(CONFIG), errors);

    if (!config) {
        fail_msg("config: %s", errors_get(errors, 0)->message);
    }
    errors_free(errors);
    return config;
}

/* --- intended states --- */

/* What is written behind a mark at the end of a name. */
static void write_limit(FILE *out, const char *key, char *mark)
{
    if (mark) {
        *mark++ = '\0';
        fprintf(out, "%s: %s, ", key, mark);
    }
}

static void write_attachments(FILE *out, char *words)
{
    char *saved = NULL;

    for (char *word = strtok_r(words, "+", &saved); word; word = strtok_r(NULL, "+", &saved)) {
        char *vlan = strchr(word, ':'), *inner, *type, *limit = strchr(word, '!');

        *vlan++ = '\0';
        fputc('{', out);
        write_limit(out, "broadcast_limit", limit);
        inner = strchr(vlan, '.');
        type = inner ? strchr(inner, 'q') : NULL;
        if (type) {
            *type = '\0';
        }
        if (inner) {
            *inner++ = '\0';
            fprintf(out, "uplink: %s, vlan: %s, outer_vlan: %s%s}, ", word, inner, vlan,
                    type ? ", outer_ethertype: 802.1q" : "");
        } else {
            fprintf(out, "uplink: %s, vlan: %s}, ", word, vlan);
        }
    }
}

static struct topology *topology_of(const char *segments)
{
    char *text = NULL, *words = strdup(segments), *saved = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct errors *errors = errors_new();
    struct topology *topology;

    fputs("version: 1\nnetworks:\n- name: net\n  segments:\n", out);
    for (char *word = strtok_r(words, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
        char *attachments = strchr(word, '='), *macs = strchr(word, '%'), *mtu = strchr(word, '@');

        *attachments++ = '\0';
        fputs("  - {", out);
        write_limit(out, "mac_limit", macs);
        write_limit(out, "mtu", mtu);
        fprintf(out, "name: %s, attachments: [", word);
        write_attachments(out, attachments);
        fputs("]}\n", out);
    }
    fclose(out);
    topology = topology_parse(text, len, errors);
    if (!topology || errors_count(errors)) {
        fail_msg("topology: %s\n%s", errors_get(errors, 0)->message, text);
    }
    errors_free(errors);
    free(text);
    free(words);
    return topology;
}

struct intended *ovs_fake_with(const struct intended *base, struct ids *ids, const char *tenant,
                               const char *segments)
{
    struct topology *topology = segments ? topology_of(segments) : topology_new_empty();

    ids_assign(ids, tenant, topology);
    return intended_with(base, tenant, 1, topology);
}

struct intended *ovs_fake_intended(const struct config *config, struct ids *ids, const char *bio,
                                   const char *geo)
{
    struct intended *none = intended_new(config);
    struct intended *one = ovs_fake_with(none, ids, "bio", bio);
    struct intended *both = ovs_fake_with(one, ids, "geo", geo);

    intended_unref(none);
    intended_unref(one);
    return both;
}

unsigned int ovs_fake_roll(unsigned int *seed, unsigned int n)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % n;
}

char *ovs_fake_segments(unsigned int *seed, unsigned int vlan)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (unsigned int i = 0; i < 10; i++) {
        unsigned int n = ovs_fake_roll(seed, 4);

        if (n) {
            fprintf(out, " s%u%s%s=", i, ovs_fake_roll(seed, 3) ? "" : "@1400",
                    n > 1 && ovs_fake_roll(seed, 2) ? "%100" : "");
        }
        for (unsigned int j = 0; j < n; j++) {
            vlan += 1 + ovs_fake_roll(seed, 2);
            fprintf(out, "%s%s:", j ? "+" : "", ovs_fake_roll(seed, 3) ? "sinet" : "lab");
            if (ovs_fake_roll(seed, 4) == 0) { /* one of four outer VLANs, of which one is 802.1Q */
                unsigned int outer = ovs_fake_roll(seed, 4);

                fprintf(out, "%u.%u%s", 4000 + outer, vlan, outer == 3 ? "q" : "");
            } else {
                fprintf(out, "%u", vlan);
            }
            if (ovs_fake_roll(seed, 6) == 0) {
                fprintf(out, "!%u", 50 * (1 + ovs_fake_roll(seed, 2)));
            }
        }
    }
    fclose(out);
    return text;
}

/* --- the fake --- */

void ovs_fake_init(struct ovs_fake *fake)
{
    *fake = (struct ovs_fake){.now = ovs_state_new()};
}

void ovs_fake_done(struct ovs_fake *fake)
{
    ovs_state_free(fake->now);
    ovs_want_forget(&fake->kept);
}

struct ovs_state *ovs_fake_look(const struct ovs_fake *fake)
{
    struct ovs_state *seen = ovs_state_new();

    for (size_t i = 0; i < fake->now->n_bridges; i++) {
        *ovs_state_add_bridge(seen, "") = fake->now->bridges[i];
    }
    for (size_t i = 0; i < fake->now->n_ports; i++) {
        struct ovs_port *port = ovs_state_add_port(seen, "");

        *port = fake->now->ports[i];
        if (port->made == OVS_UNMADE) {
            port->made = OVS_MADE;
        }
    }
    for (size_t i = 0; i < fake->now->n_limits; i++) {
        const struct ovs_limit *limit = &fake->now->limits[i];

        ovs_state_add_limit(seen, limit->chain, limit->key);
    }
    seen->vlan_limit = fake->now->vlan_limit;
    seen->vlan_limit_ours = fake->now->vlan_limit_ours;
    ovs_state_index(seen);
    return seen;
}

struct ovs_bridge *ovs_fake_bridge(struct ovs_fake *fake, const char *name)
{
    for (size_t i = 0; i < fake->now->n_bridges; i++) {
        if (!strcmp(fake->now->bridges[i].name, name)) {
            return &fake->now->bridges[i];
        }
    }
    return NULL;
}

struct ovs_port *ovs_fake_port(struct ovs_fake *fake, const char *name)
{
    for (size_t i = 0; i < fake->now->n_ports; i++) {
        if (!strcmp(fake->now->ports[i].name, name)) {
            return &fake->now->ports[i];
        }
    }
    return NULL;
}

static void do_bridge(struct ovs_fake *fake, const struct ovs_bridge *want)
{
    struct ovs_bridge *bridge = ovs_fake_bridge(fake, want->name);

    if (!bridge) {
        bridge = ovs_state_add_bridge(fake->now, want->name);
    } else {
        assert_true(ovs_bridge_mark(bridge)[0]);
    }
    bridge->mark = arena_strdup(fake->now->arena, want->mark);
    bridge->local_mark = arena_strdup(fake->now->arena, want->local_mark);
    bridge->datapath = arena_strdup(fake->now->arena, want->datapath);
    bridge->settings = want->settings;
    bridge->macs = want->macs;
}

static void do_port(struct ovs_fake *fake, const struct ovs_port *want)
{
    struct arena *arena = fake->now->arena;
    struct ovs_port *port = ovs_fake_port(fake, want->name);

    assert_non_null(ovs_fake_bridge(fake, want->bridge));
    if (!port) {
        port = ovs_state_add_port(fake->now, want->name);
    } else {
        assert_true(ovs_port_mark(port)[0]);
    }
    *port = *want;
    port->name = arena_strdup(arena, want->name);
    port->bridge = arena_strdup(arena, want->bridge);
    port->mark = arena_strdup(arena, want->mark);
    port->interface_mark = arena_strdup(arena, want->interface_mark);
    port->type = arena_strdup(arena, want->type);
    port->peer = arena_strdup(arena, want->peer);
    port->mac = arena_strdup(arena, want->mac);
    port->error = "";
    port->adopt = false;
    port->made = OVS_UNMADE;
}

static void drop_port(struct ovs_fake *fake, struct ovs_port *port)
{
    assert_true(ovs_port_mark(port)[0]);
    *port = fake->now->ports[--fake->now->n_ports];
}

static void do_drop_bridge(struct ovs_fake *fake, const char *name)
{
    struct ovs_bridge *bridge = ovs_fake_bridge(fake, name);

    assert_non_null(bridge);
    assert_true(ovs_bridge_mark(bridge)[0]);
    for (size_t i = fake->now->n_ports; i-- > 0;) {
        if (!strcmp(fake->now->ports[i].bridge, name)) {
            drop_port(fake, &fake->now->ports[i]);
        }
    }
    *bridge = fake->now->bridges[--fake->now->n_bridges];
}

static void drop_limits(struct ovs_fake *fake, const char *chain)
{
    struct ovs_state *now = fake->now;
    size_t kept = 0;

    for (size_t i = 0; i < now->n_limits; i++) {
        if (chain && strcmp(now->limits[i].chain, chain) != 0) {
            now->limits[kept++] = now->limits[i];
        }
    }
    now->n_limits = kept;
}

/* As much of nft(8) as ovs_limit.c speaks. */
static void do_nft(struct ovs_fake *fake, const char *commands)
{
    char *text = strdup(commands), *saved = NULL;

    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        char *chain = strstr(line, " on-"), *comment = strstr(line, "comment \"");

        if (chain) {
            chain++;
            chain[strcspn(chain, " ")] = '\0';
        }
        if (!strncmp(line, "delete table", 12)) {
            drop_limits(fake, NULL);
        } else if (!strncmp(line, "flush chain", 11)) {
            assert_non_null(chain);
            drop_limits(fake, chain);
        } else if (!strncmp(line, "add rule", 8)) {
            comment += strlen("comment \"");
            comment[strcspn(comment, "\"")] = '\0';
            ovs_state_add_limit(fake->now, chain, comment);
        }
    }
    free(text);
}

static void do_work(struct ovs_fake *fake, const struct ovs_work *work)
{
    if (work->nft) {
        do_nft(fake, work->nft);
    }
    for (size_t i = 0; i < work->n_ops; i++) {
        const struct ovs_op *op = &work->ops[i];

        switch (op->kind) {
        case OVS_OP_BRIDGE: do_bridge(fake, op->bridge); break;
        case OVS_OP_LIMIT:
            assert_int_equal(fake->now->vlan_limit, OVS_LIMIT_UNSET);
            fake->now->vlan_limit = OVS_LIMIT_SERVICE;
            fake->now->vlan_limit_ours = true;
            break;
        case OVS_OP_DROP_LIMIT:
            assert_true(fake->now->vlan_limit_ours);
            fake->now->vlan_limit = OVS_LIMIT_UNSET;
            fake->now->vlan_limit_ours = false;
            break;
        case OVS_OP_PORT: do_port(fake, op->port); break;
        case OVS_OP_RETRY: ovs_fake_port(fake, op->port->name)->made = OVS_UNMADE; break;
        case OVS_OP_DROP_PORT:
            if (ovs_fake_port(fake, op->port->name)) {
                drop_port(fake, ovs_fake_port(fake, op->port->name));
            }
            break;
        case OVS_OP_DROP_BRIDGE: do_drop_bridge(fake, op->bridge->name); break;
        }
    }
}

/* As ovs_io_rows.c: all of a step or nothing. */
static bool can_do(struct ovs_fake *fake, const struct ovs_work *work)
{
    bool can = !work->blocked;

    for (size_t i = 0; i < work->n_ops && can; i++) {
        const struct ovs_op *op = &work->ops[i];
        bool coming = false;

        for (size_t j = 0; j < work->n_ops && op->kind == OVS_OP_PORT; j++) {
            coming = coming || (work->ops[j].kind == OVS_OP_BRIDGE &&
                                !strcmp(work->ops[j].bridge->name, op->port->bridge));
        }
        can = op->kind != OVS_OP_PORT || coming || ovs_fake_bridge(fake, op->port->bridge);
    }
    return can;
}

void ovs_fake_carry_out(struct ovs_fake *fake, struct plan *plan, struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ovs_work *work = steps[i]->data;

        if (!can_do(fake, work)) {
            step_finish(plan, steps[i], work->blocked ? STEP_FAILED : STEP_NOT_READY, NULL);
        } else {
            do_work(fake, work);
            step_finish(plan, steps[i], STEP_DONE, NULL);
        }
    }
}

size_t ovs_fake_apply(struct ovs_fake *fake, struct plan *plan)
{
    size_t blocked = 0;

    ovs_fake_carry_out(fake, plan, plan->steps, plan->n_steps);
    for (size_t i = 0; i < plan->n_steps; i++) {
        blocked += plan->steps[i]->result != STEP_DONE;
    }
    return blocked;
}

void ovs_fake_add_steps(struct ovs_fake *fake, const struct intended *intended, struct plan *plan)
{
    struct ovs_state *want = ovs_want(intended, &fake->kept);
    struct ovs_state *seen = ovs_fake_look(fake);

    ovs_diff(want, seen, plan);
    ovs_state_free(want);
    ovs_state_free(seen);
}

struct plan *ovs_fake_plan(struct ovs_fake *fake, const struct intended *intended)
{
    struct plan *plan = plan_new();

    ovs_fake_add_steps(fake, intended, plan);
    plan_sort(plan);
    return plan;
}

static int line_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *ovs_fake_text(const struct ovs_fake *fake)
{
    const struct ovs_state *now = fake->now;
    size_t n = 0, len;
    char **lines = calloc(now->n_bridges + now->n_ports + now->n_limits + 2, sizeof *lines);
    char *text = NULL;
    FILE *out;

    for (size_t i = 0; i < now->n_bridges; i++) {
        const struct ovs_bridge *b = &now->bridges[i];

        assert_true(asprintf(&lines[n++], "bridge %s mark=%s/%s datapath=%s settings=%u macs=%u\n",
                             b->name, b->mark, b->local_mark, b->datapath, b->settings,
                             b->macs) > 0);
    }
    for (size_t i = 0; i < now->n_ports; i++) {
        const struct ovs_port *p = &now->ports[i];

        assert_true(
            asprintf(&lines[n++],
                     "port %s on=%s mark=%s/%s type=%s peer=%s tag=%d mtu=%u mac=%s%s%s%s\n",
                     p->name, p->bridge, p->mark, p->interface_mark, p->type, p->peer, p->tag,
                     p->mtu, p->mac, p->plain ? "" : " not plain", p->lldp ? " lldp" : "",
                     p->service == OVS_SERVICE_8021Q ? " 802.1q"
                     : p->service                    ? " 802.1ad"
                                                     : "") > 0);
    }
    for (size_t i = 0; i < now->n_limits; i++) {
        assert_true(
            asprintf(&lines[n++], "limit %s %s\n", now->limits[i].chain, now->limits[i].key) > 0);
    }
    if (now->vlan_limit != OVS_LIMIT_UNSET) {
        assert_true(asprintf(&lines[n++], "vlan-limit %d\n", now->vlan_limit) > 0);
    }
    qsort(lines, n, sizeof *lines, line_cmp);
    out = open_memstream(&text, &len);
    for (size_t i = 0; i < n; i++) {
        fputs(lines[i], out);
        free(lines[i]);
    }
    fclose(out);
    free(lines);
    return text;
}
