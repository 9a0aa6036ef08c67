/* Checks of attachments: that the uplink's VLANs are granted, and used once, whoever uses them.
 *
 * What an uplink carries, and what is granted, is the outer VLAN of Q-in-Q, else the only one. It
 * is one attachment's, or the outer VLAN of several with different ones inside, of one tenant or
 * of several. */
#include "model/checker.h"

#include <string.h>

enum { VLANS = 4096 };

/* Who uses a VLAN that the uplink carries: alone, or as the outer one. */
struct vlan_use {
    const struct attachment *alone, *outer; /* the first of this topology */
    const struct attachment *foreign_alone, *foreign_outer;
};

struct vlan_uses {
    const struct config *config;
    struct vlan_use *uses;       /* of all VLANs of all uplinks */
    struct keyed pairs, foreign; /* attachments by uplink, outer and inner VLAN */
};

/* One attachment of this topology while it is checked. */
struct vlan_check {
    const struct checker *checker;
    struct vlan_use *use;
    const struct attachment *attachment;
    const char *uplink;
    unsigned int vlan; /* that the uplink carries */
    const struct doc *at;
};

static unsigned int carried(const struct attachment *attachment)
{
    return attachment->outer_vlan ? attachment->outer_vlan : attachment->vlan;
}

static struct vlan_use *vlan_use(const struct vlan_uses *uses, const struct config_uplink *uplink,
                                 unsigned int vlan)
{
    return &uses->uses[(size_t)(uplink - uses->config->uplinks) * VLANS + vlan % VLANS];
}

static const char *pair_key(struct arena *arena, const struct attachment *attachment)
{
    return arena_printf(arena, "%s/%u/%u", attachment->uplink, attachment->outer_vlan,
                        attachment->vlan);
}

static void mark_foreign(struct vlan_uses *uses, const struct attachment *attachment)
{
    const struct config_uplink *uplink =
        attachment->uplink ? config_find_uplink(uses->config, attachment->uplink) : NULL;
    struct vlan_use *use;

    if (!uplink) { /* it may have left the configuration */
        return;
    }
    use = vlan_use(uses, uplink, carried(attachment));
    if (attachment->outer_vlan) {
        use->foreign_outer = attachment;
        keyed_add(&uses->foreign, pair_key(uses->foreign.arena, attachment), attachment);
    } else {
        use->foreign_alone = attachment;
    }
}

static void mark_foreign_network(void *aux, const struct network *network)
{
    for (size_t i = 0; i < network->n_segments; i++) {
        for (size_t j = 0; j < network->segments[i].n_attachments; j++) {
            mark_foreign(aux, &network->segments[i].attachments[j]);
        }
    }
}

/* --- this topology's ---------------------------------------------------------------------------
 */

static void check_alone(const struct vlan_check *check)
{
    const struct vlan_use *use = check->use;
    struct errors *errors = check->checker->errors;

    if (use->alone || use->outer) {
        const struct attachment *other = use->alone ? use->alone : use->outer;

        doc_error(check->at, errors, "VLAN %u of uplink %s is already used by %s%s", check->vlan,
                  check->uplink, check_place(check->checker, other->doc),
                  use->alone ? "" : ", as outer VLAN");
    } else if (use->foreign_alone || use->foreign_outer) {
        doc_error(check->at, errors, "VLAN %u of uplink %s is in use by another tenant",
                  check->vlan, check->uplink);
    }
}

static void check_outer(const struct vlan_check *check)
{
    const struct vlan_use *use = check->use;
    bool is_8021q = check->attachment->outer_is_8021q;
    struct errors *errors = check->checker->errors;

    if (use->alone) {
        doc_error(check->at, errors,
                  "VLAN %u of uplink %s is already used by %s, which has no VLAN inside of it",
                  check->vlan, check->uplink, check_place(check->checker, use->alone->doc));
    } else if (use->foreign_alone) {
        doc_error(check->at, errors, "VLAN %u of uplink %s is in use by another tenant",
                  check->vlan, check->uplink);
    } else if (use->outer && use->outer->outer_is_8021q != is_8021q) {
        doc_error(check->at, errors,
                  "outer VLAN %u of uplink %s has another `outer_ethertype` at %s", check->vlan,
                  check->uplink, check_place(check->checker, use->outer->doc));
    } else if (use->foreign_outer && use->foreign_outer->outer_is_8021q != is_8021q) {
        doc_error(check->at, errors,
                  "outer VLAN %u of uplink %s has another `outer_ethertype` at another tenant",
                  check->vlan, check->uplink);
    }
}

/* Says nothing of other tenants' use of a VLAN that this one may not use anyway. */
static void check_attachment(const struct checker *checker, struct vlan_uses *uses,
                             const struct attachment *attachment)
{
    const struct config_uplink *uplink =
        check_uplink(checker, attachment->doc, attachment->uplink, UPLINK_TRUNK);
    bool is_outer = attachment->outer_vlan != 0;
    struct vlan_check check = {
        .checker = checker,
        .attachment = attachment,
        .vlan = carried(attachment),
        .at = check_at(attachment->doc, is_outer ? "outer_vlan" : "vlan"),
    };

    if (!uplink || !attachment->vlan || (!is_outer && doc_get(attachment->doc, "outer_vlan"))) {
        return;
    }
    if (attachment->broadcast_limit && strcmp(uses->config->ovs_datapath, "system") != 0) {
        doc_error(doc_get(attachment->doc, "broadcast_limit"), checker->errors,
                  "needs the kernel's datapath, but the router's Open vSwitch has its own "
                  "(backends.ovs.datapath)");
    }
    check.uplink = uplink->name;
    check.use = vlan_use(uses, uplink, check.vlan);
    if (!config_tenant_has_vlan(checker->tenant, uplink->name, (uint16_t)check.vlan)) {
        doc_error(check.at, checker->errors, "VLAN %u of uplink %s is not granted to tenant %s",
                  check.vlan, uplink->name, checker->tenant->name);
    } else if (is_outer) {
        check_outer(&check);
        keyed_add(&uses->pairs, pair_key(checker->arena, attachment), attachment);
    } else {
        check_alone(&check);
    }
    if (is_outer && !check.use->outer) {
        check.use->outer = attachment;
    } else if (!is_outer && !check.use->alone) {
        check.use->alone = attachment;
    }
}

static void report_pair(void *aux, const void *attachment_, const void *first_)
{
    const struct checker *checker = aux;
    const struct attachment *attachment = attachment_, *first = first_;

    doc_error(check_at(attachment->doc, "vlan"), checker->errors,
              "VLAN %u in outer VLAN %u of uplink %s is already used by %s", attachment->vlan,
              attachment->outer_vlan, attachment->uplink, check_place(checker, first->doc));
}

static void check_pairs(const struct checker *checker, struct vlan_uses *uses)
{
    keyed_sort(&uses->pairs);
    keyed_each_repeated(&uses->pairs, report_pair, (void *)checker);
    keyed_sort(&uses->foreign);
    for (size_t i = 0; i < uses->pairs.n; i++) {
        const struct attachment *attachment = uses->pairs.items[i].object;

        if (keyed_find(&uses->foreign, uses->pairs.items[i].key)) {
            doc_error(check_at(attachment->doc, "vlan"), checker->errors,
                      "VLAN %u in outer VLAN %u of uplink %s is in use by another tenant",
                      attachment->vlan, attachment->outer_vlan, attachment->uplink);
        }
    }
}

void check_attachments(const struct checker *checker)
{
    const struct config *config = checker->world->config;
    struct vlan_uses uses = {
        .config = config,
        .uses = arena_calloc(checker->arena, config->n_uplinks * VLANS, sizeof *uses.uses),
        .pairs = {.arena = checker->arena},
        .foreign = {.arena = checker->arena},
    };

    each_foreign_network(checker, mark_foreign_network, &uses);
    for (size_t i = 0; i < checker->topology->n_networks; i++) {
        const struct network *network = &checker->topology->networks[i];

        for (size_t j = 0; j < network->n_segments; j++) {
            const struct segment *segment = &network->segments[j];

            for (size_t k = 0; k < segment->n_attachments; k++) {
                check_attachment(checker, &uses, &segment->attachments[k]);
            }
        }
    }
    check_pairs(checker, &uses);
}
