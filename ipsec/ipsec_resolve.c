#include "ipsec/ipsec_resolve.h"

#include "ipsec/ipsec_state.h"

#include <lib/timeval.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

/* What the library writes to while a lookup is under way: by itself on the heap, since a lookup
 * cannot be called back. */
struct lookup {
    struct gaicb request, *list[1];
    struct addrinfo hints;
    char *name;
};

struct name {
    char *name;
    struct addr addrs[IPSEC_REMOTES];
    size_t n_addrs;
    struct lookup *lookup; /* null: none under way */
    long long next_ms;
};

struct resolver {
    struct name *names;
    size_t n_names;
};

struct resolver *resolver_new(void)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);

    if (!resolver) {
        abort();
    }
    return resolver;
}

static void lookup_free(struct lookup *lookup)
{
    if (lookup->request.ar_result) {
        freeaddrinfo(lookup->request.ar_result);
    }
    free(lookup->name);
    free(lookup);
}

void resolver_free(struct resolver *resolver)
{
    for (size_t i = 0; resolver && i < resolver->n_names; i++) {
        struct lookup *lookup = resolver->names[i].lookup;
        /* One that is being worked on cannot be cancelled, and its memory must stay: given up. */
        if (lookup && gai_cancel(&lookup->request) != EAI_NOTCANCELED) {
            lookup_free(lookup);
        }
        free(resolver->names[i].name);
    }
    if (resolver) {
        free(resolver->names);
        free(resolver);
    }
}

static void start(struct name *name)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (!lookup || !(lookup->name = strdup(name->name))) {
        abort();
    }
    lookup->hints = (struct addrinfo){.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    lookup->request = (struct gaicb){.ar_name = lookup->name, .ar_request = &lookup->hints};
    lookup->list[0] = &lookup->request;
    if (getaddrinfo_a(GAI_NOWAIT, lookup->list, 1, NULL) == 0) {
        name->lookup = lookup;
    } else {
        lookup_free(lookup);
        name->next_ms = time_msec() + RESOLVE_RETRY_MS;
    }
}

size_t resolver_ask(struct resolver *resolver, const char *text, struct addr *ret_addrs,
                    size_t size)
{
    for (size_t i = 0; i < resolver->n_names; i++) {
        const struct name *name = &resolver->names[i];
        if (strcmp(name->name, text) == 0) {
            size_t n = name->n_addrs < size ? name->n_addrs : size;
            memcpy(ret_addrs, name->addrs, n * sizeof *ret_addrs);
            return n;
        }
    }
    if (resolver->n_names < RESOLVE_NAMES) {
        resolver->names =
            realloc(resolver->names, (resolver->n_names + 1) * sizeof *resolver->names);
        struct name name = {.name = strdup(text)};
        if (!resolver->names || !name.name) {
            abort();
        }
        start(&name);
        resolver->names[resolver->n_names++] = name;
    }
    return 0;
}

static int compare_addrs(const void *a, const void *b)
{
    return addr_cmp(a, b);
}

static struct addr addr_of(const struct sockaddr *address)
{
    struct addr addr = {.family = address->sa_family};

    if (address->sa_family == AF_INET) {
        memcpy(addr.bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else {
        memcpy(addr.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    }
    return addr;
}

/* Sorted, since DNS gives them in turns. */
static size_t collect(const struct addrinfo *info, struct addr *addrs)
{
    size_t n = 0;

    for (; info && n < IPSEC_REMOTES; info = info->ai_next) {
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6) {
            addrs[n++] = addr_of(info->ai_addr);
        }
    }
    qsort(addrs, n, sizeof *addrs, compare_addrs);
    return n;
}

/* Whether the name's addresses changed. */
static bool finish(struct name *name, int error)
{
    struct lookup *lookup = name->lookup;
    struct addr addrs[IPSEC_REMOTES] = {{0}};
    size_t n = error == 0 ? collect(lookup->request.ar_result, addrs) : 0;
    bool changed =
        n > 0 && (n != name->n_addrs || memcmp(addrs, name->addrs, n * sizeof *addrs) != 0);

    if (changed) {
        memcpy(name->addrs, addrs, sizeof addrs);
        name->n_addrs = n;
    }
    lookup_free(lookup);
    name->lookup = NULL;
    name->next_ms = time_msec() + (n > 0 ? RESOLVE_MS : RESOLVE_RETRY_MS);
    return changed;
}

bool resolver_run(struct resolver *resolver)
{
    bool changed = false;

    for (size_t i = 0; i < resolver->n_names; i++) {
        struct name *name = &resolver->names[i];
        if (!name->lookup && time_msec() >= name->next_ms) {
            start(name);
        }
        if (name->lookup) {
            int error = gai_error(&name->lookup->request);
            changed = (error != EAI_INPROGRESS && finish(name, error)) || changed;
        }
    }
    return changed;
}

void resolver_wait(const struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->n_names; i++) {
        const struct name *name = &resolver->names[i];
        poll_timer_wait_until(name->lookup ? time_msec() + RESOLVE_CHECK_MS : name->next_ms);
    }
}
