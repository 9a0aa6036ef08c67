#include "net/net_build.h"

#include <stdarg.h>
#include <string.h>

const char *net_build_split(struct arena *arena, const char *alias, const char **ret_object)
{
    const char *path = alias + strlen(NET_MARK);
    const char *slash = strchr(path, '/');
    *ret_object = slash ? slash + 1 : path;
    return slash ? arena_memdup(arena, path, (size_t)(slash - path)) : "";
}

const char *net_vrf_of_table(uint32_t table, char buffer[IFNAME_TEXT])
{
    uint32_t base = ids_vrf_table(0);
    buffer[0] = '\0';
    return table > base ? ids_vrf_name(table - base, buffer) : buffer;
}

const char *net_build_owner(struct plan *plan, struct net_state *wanted, struct net_state *seen,
                            uint32_t table, const char **ret_object)
{
    char name[IFNAME_TEXT];
    const struct net_link *vrf = net_state_find(seen, net_vrf_of_table(table, name));
    if (!vrf || !net_link_is_ours(vrf))
        vrf = net_state_find(wanted, name);
    if (vrf)
        return net_build_split(plan->arena, vrf->alias, ret_object);
    *ret_object = arena_printf(plan->arena, "table %u", table);
    return "";
}

struct net_build net_build_start(struct plan *plan, const char *link)
{
    return (struct net_build){.plan = plan, .interface = link};
}

struct net_op *net_build_op(struct net_build *build, enum net_op_kind kind, enum net_round round)
{
    if (!build->change) {
        build->change = arena_alloc(build->plan->arena, sizeof *build->change);
        build->link = arena_strdup(build->plan->arena, build->interface);
    }
    struct net_change *change = build->change;
    change->ops = arena_grow(build->plan->arena, change->ops, change->n_ops, &change->capacity,
                             sizeof *change->ops);
    struct net_op *op = &change->ops[change->n_ops++];
    *op = (struct net_op){.kind = kind, .round = round, .link = build->link};
    return op;
}

void net_build_route(struct net_build *build, enum net_op_kind kind, enum net_round round,
                     const struct net_route *route)
{
    struct net_route *copy = arena_alloc(build->plan->arena, sizeof *copy);
    *copy = *route;
    struct net_op *op = net_build_op(build, kind, round);
    op->link = NULL;
    op->route = copy;
}

void net_build_say(struct net_build *build, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *more = arena_vprintf(build->plan->arena, format, args);
    va_end(args);
    build->words =
        build->words ? arena_printf(build->plan->arena, "%s, %s", build->words, more) : more;
}

void net_build_finish(struct net_build *build, enum plan_phase phase, enum step_action action,
                      const char *tenant, const char *object, const char *summary)
{
    struct step *step = plan_add(build->plan, "net", phase, action, tenant, object);
    step->summary = summary;
    step->disruptive = build->disruptive;
    step->data = build->change;
}
