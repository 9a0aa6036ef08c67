#include "net/net_state.h"

#include "model/arena.h"
#include "net/sorted.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Trees take events one by one, arrays serve the readers; both by libc. */

static void *must(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

static int link_cmp_index(const void *a, const void *b)
{
    const struct net_link *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static int link_cmp_name(const void *a, const void *b)
{
    const struct net_link *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);
    return order ? order : link_cmp_index(*x, *y);
}

int net_route_cmp_key(const struct net_route *a, const struct net_route *b)
{
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    int order = prefix_cmp(&a->prefix, &b->prefix);
    if (order)
        return order;
    return (a->metric > b->metric) - (a->metric < b->metric);
}

static int route_cmp(const void *a, const void *b)
{
    return net_route_cmp_key(a, b);
}

static int route_cmp_place(const void *a, const void *b)
{
    return net_route_cmp_key(*(const struct net_route *const *)a,
                             *(const struct net_route *const *)b);
}

static void link_free(void *data)
{
    struct net_link *link = data;
    free(link->addrs);
    free(link);
}

void net_state_init(struct net_state *state)
{
    *state = (struct net_state){.ipv6_forwarding = -1};
}

void net_state_done(struct net_state *state)
{
    tdestroy(state->link_tree, link_free);
    tdestroy(state->route_tree, free);
    free(state->links);
    free(state->routes);
    free(state->gateways);
    free(state->rules);
    free(state->egresses);
    free(state->resolved);
    arena_free(state->arena);
    net_state_init(state);
}

bool net_link_is_ours(const struct net_link *link)
{
    return strncmp(link->alias, NET_MARK, strlen(NET_MARK)) == 0;
}

static uint64_t digest(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

const char *net_altname(const char *alias, char buffer[NET_ALTNAME_TEXT])
{
    enum { DIGITS = 16, KEPT = NET_ALTNAME_TEXT - 1 - 1 - DIGITS };

    buffer[0] = '\0';
    if (strncmp(alias, NET_MARK, strlen(NET_MARK)) != 0)
        return buffer;
    const char *path = alias + strlen(NET_MARK);
    if (strlen(path) < NET_ALTNAME_TEXT)
        snprintf(buffer, NET_ALTNAME_TEXT, "%s", path);
    else
        snprintf(buffer, NET_ALTNAME_TEXT, "%.*s-%016llx", (int)KEPT, path,
                 (unsigned long long)digest(path));
    for (char *c = buffer; *c; c++)
        if (*c == '/')
            *c = '.'; /* the kernel takes no slash in a name */
    return buffer;
}

struct net_link *net_state_link(const struct net_state *state, int index)
{
    struct net_link key = {.index = index};
    struct net_link **found = tfind(&key, &state->link_tree, link_cmp_index);
    return found ? *found : NULL;
}

/* Takes it out of the array, if there is one yet. */
static void take_out(struct net_state *state, const struct net_link *link)
{
    size_t i = 0;
    if (!state->links)
        return;
    while (state->links[i] != link)
        i++;
    memmove(state->links + i, state->links + i + 1,
            (state->n_links - i - 1) * sizeof *state->links);
    if (i < state->n_sorted)
        state->n_sorted--;
}

void net_state_renamed(struct net_state *state, struct net_link *link)
{
    take_out(state, link);
    if (state->links)
        state->links[state->n_links - 1] = link;
}

struct net_link *net_state_put_link(struct net_state *state, int index)
{
    struct net_link *link = net_state_link(state, index);
    if (link)
        return link;
    link = must(calloc(1, sizeof *link));
    link->index = index;
    link->conf = (struct net_conf){-1, -1, -1, -1, -1};
    must(tsearch(link, &state->link_tree, link_cmp_index));
    state->n_links++;
    if (state->links) {
        state->links = must(reallocarray(state->links, state->n_links, sizeof *state->links));
        state->links[state->n_links - 1] = link;
    }
    return link;
}

void net_state_drop_link(struct net_state *state, int index)
{
    struct net_link *link = net_state_link(state, index);
    if (!link)
        return;
    tdelete(link, &state->link_tree, link_cmp_index);
    take_out(state, link);
    state->n_links--;
    link_free(link);
}

struct collector {
    void **array;
    size_t n;
};

static void collect(const void *node, VISIT visit, void *aux)
{
    struct collector *collector = aux;
    if (visit == postorder || visit == leaf)
        collector->array[collector->n++] = *(void *const *)node;
}

static void *flatten(void *tree, size_t n)
{
    struct collector collector = {.array = must(calloc(n + 1, sizeof(void *)))};
    twalk_r(tree, collect, &collector);
    return collector.array;
}

struct net_link *const *net_state_links(struct net_state *state)
{
    if (!state->links) {
        state->links = flatten(state->link_tree, state->n_links);
        state->n_sorted = 0;
    }
    size_t n_new = state->n_links - state->n_sorted;
    if (n_new) {
        struct net_link **new = must(calloc(n_new, sizeof(struct net_link *)));
        memcpy(new, state->links + state->n_sorted, n_new * sizeof *new);
        qsort(new, n_new, sizeof *new, link_cmp_name);
        state->links = sorted_add(state->links, state->n_sorted, new, n_new, link_cmp_name);
        state->n_sorted = state->n_links;
        free(new);
    }
    return state->links;
}

static int name_cmp(const void *key, const void *element)
{
    const struct net_link *const *link = element;
    return strcmp(key, (*link)->name);
}

struct net_link *net_state_find(struct net_state *state, const char *name)
{
    struct net_link *const *found =
        bsearch(name, net_state_links(state), state->n_links, sizeof *state->links, name_cmp);
    return found ? *found : NULL;
}

static int link_cmp_name_only(const void *a, const void *b)
{
    const struct net_link *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

struct net_link **net_state_match_links(struct net_state *state, struct net_state *other)
{
    return sorted_match(net_state_links(state), state->n_links, net_state_links(other),
                        other->n_links, link_cmp_name_only);
}

static size_t addr_place(const struct net_link *link, const struct prefix *prefix, bool *ret_there)
{
    size_t i = 0;
    int order = 1;
    while (i < link->n_addrs && (order = prefix_cmp(&link->addrs[i].prefix, prefix)) < 0)
        i++;
    *ret_there = i < link->n_addrs && order == 0;
    return i;
}

bool net_link_put_addr(struct net_link *link, const struct net_addr *addr)
{
    bool there;
    size_t i = addr_place(link, &addr->prefix, &there);
    if (there) {
        struct net_addr *old = &link->addrs[i];
        bool same = old->tentative == addr->tentative && old->duplicate == addr->duplicate &&
                    old->ours == addr->ours;
        *old = *addr;
        return !same;
    }
    link->addrs = must(realloc(link->addrs, (link->n_addrs + 1) * sizeof *link->addrs));
    memmove(link->addrs + i + 1, link->addrs + i, (link->n_addrs - i) * sizeof *link->addrs);
    link->addrs[i] = *addr;
    link->n_addrs++;
    return true;
}

bool net_link_drop_addr(struct net_link *link, const struct prefix *prefix)
{
    bool there;
    size_t i = addr_place(link, prefix, &there);
    if (!there)
        return false;
    link->n_addrs--;
    memmove(link->addrs + i, link->addrs + i + 1, (link->n_addrs - i) * sizeof *link->addrs);
    return true;
}

const struct net_addr *net_link_find_addr(const struct net_link *link, const struct prefix *prefix)
{
    bool there;
    size_t i = addr_place(link, prefix, &there);
    return there ? &link->addrs[i] : NULL;
}

static struct net_route *route_find(const struct net_state *state, const struct net_route *key)
{
    struct net_route **found = tfind(key, &state->route_tree, route_cmp);
    return found ? *found : NULL;
}

static void routes_moved(struct net_state *state)
{
    free(state->routes);
    state->routes = NULL;
}

bool net_state_put_route(struct net_state *state, const struct net_route *route)
{
    struct net_route *old = route_find(state, route);
    if (old) {
        bool same = old->type == route->type && addr_equal(&old->via, &route->via) &&
                    old->oif == route->oif;
        *old = *route;
        return !same;
    }
    struct net_route *copy = must(malloc(sizeof *copy));
    *copy = *route;
    must(tsearch(copy, &state->route_tree, route_cmp));
    state->n_routes++;
    routes_moved(state);
    return true;
}

bool net_state_drop_route(struct net_state *state, const struct net_route *key)
{
    struct net_route *old = route_find(state, key);
    if (!old)
        return false;
    tdelete(old, &state->route_tree, route_cmp);
    state->n_routes--;
    routes_moved(state);
    free(old);
    return true;
}

bool net_state_drop_routes_of(struct net_state *state, int family, int oif)
{
    struct net_route **routes = flatten(state->route_tree, state->n_routes);
    size_t n = state->n_routes;
    for (size_t i = 0; i < n; i++)
        if (routes[i]->type == NET_ROUTE_UNICAST && routes[i]->prefix.addr.family == family &&
            routes[i]->oif == oif)
            net_state_drop_route(state, routes[i]);
    free(routes);
    return state->n_routes != n;
}

struct net_route *const *net_state_routes(struct net_state *state)
{
    if (!state->routes)
        state->routes = flatten(state->route_tree, state->n_routes);
    return state->routes;
}

const struct net_route *net_state_find_route(struct net_state *state, const struct net_route *key)
{
    struct net_route *const *found = bsearch(&key, net_state_routes(state), state->n_routes,
                                             sizeof *state->routes, route_cmp_place);
    return found ? *found : NULL;
}

struct net_route **net_state_match_routes(struct net_state *state, struct net_state *other)
{
    return sorted_match(net_state_routes(state), state->n_routes, net_state_routes(other),
                        other->n_routes, route_cmp_place);
}

/* --- a state of others --- */

void net_state_join(struct net_state *whole, struct net_state *part)
{
    whole->links = sorted_add(whole->links, whole->n_links, net_state_links(part), part->n_links,
                              link_cmp_name);
    whole->n_links += part->n_links;
    whole->n_sorted = whole->n_links;
    whole->routes = sorted_add(whole->routes, whole->n_routes, net_state_routes(part),
                               part->n_routes, route_cmp_place);
    whole->n_routes += part->n_routes;
}

void net_state_leave(struct net_state *whole, struct net_state *part)
{
    whole->n_links = sorted_remove(whole->links, whole->n_links, part->links, part->n_links);
    whole->n_sorted = whole->n_links;
    whole->n_routes = sorted_remove(whole->routes, whole->n_routes, part->routes, part->n_routes);
}

void net_state_lend_routes(struct net_state *whole, struct net_route *routes, size_t n)
{
    struct net_route **lent = must(calloc(n + 1, sizeof(struct net_route *)));
    size_t n_lent = 0, n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!net_state_find_route(whole, &routes[i]))
            lent[n_lent++] = &routes[i];
    qsort(lent, n_lent, sizeof *lent, route_cmp_place);
    for (size_t i = 0; i < n_lent; i++)
        if (n_kept == 0 || net_route_cmp_key(lent[n_kept - 1], lent[i]) != 0)
            lent[n_kept++] = lent[i];
    whole->routes = sorted_add(whole->routes, whole->n_routes, lent, n_kept, route_cmp_place);
    whole->n_routes += n_kept;
    free(lent);
}
