#include "net/net_build.h"

#include <string.h>

/* What a new interface is to us: nothing of what we set is there. */
static const struct net_link BLANK = {.conf = {0, 0, 0, 1, 1}};

static const char *master_name(const struct net_state *seen_state, const struct net_link *seen)
{
    const struct net_link *master =
        seen->master_index ? net_state_link(seen_state, seen->master_index) : NULL;
    return master ? master->name : "";
}

static bool in_wrong_vrf(const struct net_state *seen_state, const struct net_link *wanted,
                         const struct net_link *seen)
{
    return wanted->master[0] && strcmp(wanted->master, master_name(seen_state, seen)) != 0;
}

bool net_link_cycles(const struct net_state *seen_state, const struct net_link *wanted,
                     const struct net_link *seen)
{
    return seen->up && in_wrong_vrf(seen_state, wanted, seen);
}

static struct net_op *text_op(struct net_build *build, enum net_op_kind kind, enum net_round round,
                              const char *text)
{
    struct net_op *op = net_build_op(build, kind, round);
    op->text = arena_strdup(build->plan->arena, text);
    return op;
}

static void number_op(struct net_build *build, enum net_op_kind kind, enum net_round round,
                      uint32_t number)
{
    net_build_op(build, kind, round)->number = number;
}

static const struct net_link *keep_wanted(struct net_build *build, const struct net_link *wanted)
{
    struct net_link *copy = arena_alloc(build->plan->arena, sizeof *copy);
    *copy = *wanted;
    copy->addrs = NULL; /* those belong to the wanted state, which may go before the plan */
    copy->n_addrs = 0;
    return copy;
}

/* The mark first: were we killed right after, the interface must be known as ours. */
static void build_mark(struct net_build *build, const struct net_link *wanted,
                       const struct net_link *seen)
{
    if (strcmp(wanted->alias, seen->alias) != 0) {
        if (seen->altname[0] && strcmp(wanted->altname, seen->altname) != 0)
            text_op(build, NET_OP_ALTNAME_DELETE, NET_ROUND_FIRST, seen->altname);
        text_op(build, NET_OP_ALIAS, NET_ROUND_FIRST, wanted->alias);
        net_build_say(build, "alias \"%s\"", wanted->alias);
    }
    if (strcmp(wanted->altname, seen->altname) != 0) {
        text_op(build, NET_OP_ALTNAME_ADD, NET_ROUND_FIRST, wanted->altname);
        net_build_say(build, "altname %s", wanted->altname);
    }
}

static void build_mtu(struct net_build *build, const struct net_link *wanted,
                      const struct net_link *seen)
{
    if (!wanted->mtu || wanted->mtu == seen->mtu || seen == &BLANK)
        return; /* a new one is created with it */
    number_op(build, NET_OP_MTU, NET_ROUND_FIRST, wanted->mtu);
    net_build_say(build, "mtu %u -> %u", seen->mtu, wanted->mtu);
}

static bool differs(int wanted, int seen)
{
    return wanted >= 0 && seen >= 0 && wanted != seen;
}

static void build_settings(struct net_build *build, const struct net_link *wanted,
                           const struct net_link *seen)
{
    const struct net_conf *want = &wanted->conf, *have = &seen->conf;
    bool forwarding = differs(want->forwarding, have->forwarding);
    bool rp_filter = differs(want->rp_filter, have->rp_filter);
    bool promote = differs(want->promote_secondaries, have->promote_secondaries);

    if (forwarding || rp_filter || promote)
        net_build_op(build, NET_OP_CONF, NET_ROUND_REST)->wanted = keep_wanted(build, wanted);
    if (forwarding)
        net_build_say(build, "IPv4 forwarding on");
    if (rp_filter)
        net_build_say(build, "rp_filter %d -> %d", have->rp_filter, want->rp_filter);
    if (promote)
        net_build_say(build, "promote_secondaries on");
    if (differs(want->accept_ra, have->accept_ra)) {
        number_op(build, NET_OP_ACCEPT_RA, NET_ROUND_REST, (uint32_t)want->accept_ra);
        net_build_say(build, "accept_ra %d -> %d", have->accept_ra, want->accept_ra);
    }
    if (differs(want->disable_ipv6, have->disable_ipv6)) {
        number_op(build, NET_OP_DISABLE_IPV6, NET_ROUND_REST, (uint32_t)want->disable_ipv6);
        net_build_say(build, "IPv6 on");
    }
}

/* The kernel's own link-local addresses come and go with the interface. */
static bool is_kernels(const struct net_addr *addr)
{
    return addr->prefix.addr.family == AF_INET6 && addr_is_link_local(&addr->prefix.addr) &&
           !addr->ours;
}

static bool held_with_other_length(const struct net_link *wanted, const struct net_addr *addr)
{
    for (size_t i = 0; i < wanted->n_addrs; i++)
        if (addr_equal(&wanted->addrs[i].prefix.addr, &addr->prefix.addr))
            return true;
    return false;
}

/* Removes what is not wanted: the early ones are those that would be in the way of wanted ones. The
 * kernel takes an IPv6 address only once, whatever its length. */
static void remove_addrs(struct net_build *build, const struct net_link *wanted,
                         const struct net_link *seen, bool cycles, bool early)
{
    for (size_t i = 0; i < seen->n_addrs; i++) {
        const struct net_addr *addr = &seen->addrs[i];
        if (net_link_find_addr(wanted, &addr->prefix) || is_kernels(addr))
            continue;
        if (early != (cycles || (addr->prefix.addr.family == AF_INET6 &&
                                 held_with_other_length(wanted, addr))))
            continue;
        char text[PREFIX_TEXT];
        net_build_op(build, NET_OP_ADDR_DELETE, early ? NET_ROUND_FIRST : NET_ROUND_REST)->prefix =
            addr->prefix;
        net_build_say(build, "address %s removed", prefix_print(&addr->prefix, text));
        build->disruptive = true;
    }
}

static void add_addrs(struct net_build *build, const struct net_link *wanted,
                      const struct net_link *seen, bool cycles)
{
    for (size_t i = 0; i < wanted->n_addrs; i++) {
        const struct prefix *prefix = &wanted->addrs[i].prefix;
        char text[PREFIX_TEXT];
        bool there = net_link_find_addr(seen, prefix);
        if (there && !(cycles && prefix->addr.family == AF_INET6))
            continue;
        net_build_op(build, NET_OP_ADDR_ADD, NET_ROUND_REST)->prefix = *prefix;
        if (!there)
            net_build_say(build, "address %s added", prefix_print(prefix, text));
    }
}

/* New ones come before old ones go, so that the interface never is without: losing the last address
 * costs it its routes. */
static void build_addrs(struct net_build *build, const struct net_link *wanted,
                        const struct net_link *seen, bool cycles)
{
    remove_addrs(build, wanted, seen, cycles, true);
    add_addrs(build, wanted, seen, cycles);
    remove_addrs(build, wanted, seen, cycles, false);
}

void net_build_link(struct net_build *build, struct net_state *seen_state,
                    const struct net_link *wanted, const struct net_link *seen)
{
    bool create =
        !seen && strcmp(wanted->type, "openvswitch") != 0 && strcmp(wanted->type, "tun") != 0;
    if (!seen)
        seen = &BLANK;
    bool move = in_wrong_vrf(seen_state, wanted, seen), cycles = move && seen->up;

    if (create)
        net_build_op(build, NET_OP_LINK_CREATE, NET_ROUND_FIRST)->wanted =
            keep_wanted(build, wanted);
    build_mark(build, wanted, seen);
    build_mtu(build, wanted, seen);
    if (cycles)
        net_build_op(build, NET_OP_DOWN, NET_ROUND_FIRST);
    if (move) {
        text_op(build, NET_OP_MASTER, NET_ROUND_MASTER, wanted->master);
        net_build_say(build, "into %s", wanted->master);
        build->disruptive |= cycles;
    }
    build_settings(build, wanted, seen);
    build_addrs(build, wanted, seen, cycles);
    if (!seen->up || cycles)
        net_build_op(build, NET_OP_UP, NET_ROUND_REST);
    if (!seen->up)
        net_build_say(build, "set up");
}

void net_build_undo(struct net_build *build, const struct net_link *seen)
{
    build->disruptive = true;
    net_build_op(build, NET_OP_DOWN, NET_ROUND_FIRST); /* before it falls back to the default VRF */
    if (strcmp(seen->type, "vrf") == 0 || strcmp(seen->type, "xfrm") == 0) {
        net_build_op(build, NET_OP_LINK_DELETE, NET_ROUND_REST);
        return;
    }
    for (size_t i = 0; i < seen->n_addrs; i++)
        if (!is_kernels(&seen->addrs[i]))
            net_build_op(build, NET_OP_ADDR_DELETE, NET_ROUND_FIRST)->prefix =
                seen->addrs[i].prefix;
    if (seen->master_index)
        text_op(build, NET_OP_MASTER, NET_ROUND_MASTER, "");
    if (seen->altname[0])
        text_op(build, NET_OP_ALTNAME_DELETE, NET_ROUND_REST, seen->altname);
    text_op(build, NET_OP_ALIAS, NET_ROUND_REST, "");
}

const char *net_link_words(struct arena *arena, const struct net_link *wanted)
{
    if (strcmp(wanted->type, "vrf") == 0)
        return arena_printf(arena, "VRF %s with table %u", wanted->name, wanted->table);
    const char *words =
        wanted->if_id ? arena_printf(arena, "interface %s (xfrm if_id %u) in %s", wanted->name,
                                     wanted->if_id, wanted->master)
                      : arena_printf(arena, "interface %s in %s", wanted->name, wanted->master);
    for (size_t i = 0; i < wanted->n_addrs; i++) {
        char text[PREFIX_TEXT];
        words = arena_printf(arena, "%s%s%s", words, i ? ", " : " with ",
                             prefix_print(&wanted->addrs[i].prefix, text));
    }
    return wanted->mtu ? arena_printf(arena, "%s, mtu %u", words, wanted->mtu) : words;
}
