#include "bgp/bgp_change.h"

#include <stdarg.h>
#include <string.h>

static struct bgp_command *append(struct arena *arena, struct bgp_commands *commands)
{
    commands->v =
        arena_grow(arena, commands->v, commands->n, &commands->capacity, sizeof *commands->v);
    commands->v[commands->n] = (struct bgp_command){0};
    return &commands->v[commands->n++];
}

void bgp_command_add(struct arena *arena, struct bgp_commands *commands, const char *format, ...)
{
    struct bgp_command *command = append(arena, commands);
    va_list args;

    va_start(args, format);
    command->text = arena_vprintf(arena, format, args);
    va_end(args);
}

void bgp_command_append(struct arena *arena, struct bgp_commands *commands,
                        const struct bgp_commands *more)
{
    for (size_t i = 0; i < more->n; i++) {
        *append(arena, commands) = more->v[i];
    }
}

/* How a list's lines begin, up to its name. */
static const char *const LISTS[] = {
    [BGP_PREFIXES_IPV4] = "ip prefix-list",
    [BGP_PREFIXES_IPV6] = "ipv6 prefix-list",
    [BGP_COMMUNITIES] = "bgp community-list standard",
    [BGP_LARGE_COMMUNITIES] = "bgp large-community-list standard",
};

static void make_list(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy)
{
    unsigned int seq = 0;

    for (const char *line = policy->body; *line; line += strcspn(line, "\n") + 1) {
        seq += 5;
        bgp_command_add(arena, commands, "%s %s seq %u %.*s", LISTS[policy->kind], policy->name,
                        seq, (int)strcspn(line, "\n"), line);
    }
}

/* The name that a line of a map leaves out; "" if none. */
static const char *matched(const struct bgp_policy *map, const char *line)
{
    enum bgp_list list = bgp_starts(line, "match community\n")         ? BGP_LIST_COMMUNITIES
                         : bgp_starts(line, "match large-community\n") ? BGP_LIST_LARGE
                                                                       : BGP_LIST_PREFIXES;

    return bgp_starts(line, "match ") && map->lists[list] ? map->lists[list]->name : "";
}

void bgp_command_make(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy)
{
    if (policy->kind != BGP_MAP) {
        make_list(arena, commands, policy);
        return;
    }
    bgp_command_add(arena, commands, "route-map %s permit 10", policy->name);
    for (const char *line = policy->body; *line; line += strcspn(line, "\n") + 1) {
        int len = (int)strcspn(line, "\n");
        const char *name = matched(policy, line);

        if (bgp_starts(line, "permit ")) {
            append(arena, commands)->text = "exit";
            bgp_command_add(arena, commands, "route-map %s %.*s", policy->name, len, line);
        } else {
            bgp_command_add(arena, commands, "%.*s%s%s", len, line, name[0] ? " " : "", name);
        }
    }
    append(arena, commands)->text = "exit";
}

void bgp_command_drop(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy)
{
    bgp_command_add(arena, commands, "no %s %s",
                    policy->kind == BGP_MAP ? "route-map" : LISTS[policy->kind], policy->name);
}

const char *bgp_command_family(int family)
{
    return family == AF_INET ? "address-family ipv4 unicast" : "address-family ipv6 unicast";
}

void bgp_command_undo(struct arena *arena, struct bgp_commands *commands, const char *line)
{
    if (!bgp_starts(line, "no ")) {
        bgp_command_add(arena, commands, "no %s", line);
    } else {
        append(arena, commands)->text = arena_strdup(arena, line + 3);
    }
}
