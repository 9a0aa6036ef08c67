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

static void make_prefix_list(struct arena *arena, struct bgp_commands *commands,
                             const struct bgp_policy *policy)
{
    const char *family = policy->kind == BGP_PREFIXES_IPV4 ? "ip" : "ipv6";
    unsigned int seq = 0;

    for (const char *line = policy->body; *line; line += strcspn(line, "\n") + 1) {
        seq += 5;
        bgp_command_add(arena, commands, "%s prefix-list %s seq %u %.*s", family, policy->name, seq,
                        (int)strcspn(line, "\n"), line);
    }
}

void bgp_command_make(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy)
{
    if (policy->kind != BGP_SETTINGS) {
        make_prefix_list(arena, commands, policy);
        return;
    }
    bgp_command_add(arena, commands, "route-map %s permit 10", policy->name);
    for (const char *line = policy->body; *line; line += strcspn(line, "\n") + 1) {
        bgp_command_add(arena, commands, "%.*s", (int)strcspn(line, "\n"), line);
    }
    append(arena, commands)->text = "exit";
}

void bgp_command_drop(struct arena *arena, struct bgp_commands *commands,
                      const struct bgp_policy *policy)
{
    static const char *const DROP[] = {
        [BGP_PREFIXES_IPV4] = "no ip prefix-list",
        [BGP_PREFIXES_IPV6] = "no ipv6 prefix-list",
        [BGP_SETTINGS] = "no route-map",
    };

    bgp_command_add(arena, commands, "%s %s", DROP[policy->kind], policy->name);
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
