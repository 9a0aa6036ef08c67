#include "model/tenant_parts.h"

#include <stdlib.h>
#include <string.h>

/* The old place of the tenant's part if that may stay, or null. */
static void **find_same(const struct tenant_parts *parts, const struct intended *intended,
                        const struct intended_tenant *tenant)
{
    if (!parts->intended || parts->intended->config != intended->config)
        return NULL;
    const struct intended_tenant *old = intended_find(parts->intended, tenant->name);
    return old && old->shared == tenant->shared ? &parts->parts[old - parts->intended->tenants]
                                                : NULL;
}

void tenant_parts_update(struct tenant_parts *parts, const struct intended *intended,
                         const struct tenant_parts_class *class, void *aux)
{
    if (parts->intended == intended)
        return;
    struct tenant_parts next = {intended_ref(intended),
                                calloc(intended->n_tenants + 1, sizeof *next.parts)};
    if (!next.parts)
        abort();
    for (size_t i = 0; i < intended->n_tenants; i++) {
        void **same = find_same(parts, intended, &intended->tenants[i]);
        next.parts[i] = same ? *same : class->make(intended, &intended->tenants[i], aux);
        if (same)
            *same = NULL;
    }
    tenant_parts_clear(parts, class);
    *parts = next;
}

void tenant_parts_clear(struct tenant_parts *parts, const struct tenant_parts_class *class)
{
    for (size_t i = 0; parts->parts && i < parts->intended->n_tenants; i++)
        if (parts->parts[i])
            class->drop(parts->parts[i]);
    free(parts->parts);
    intended_unref((struct intended *)parts->intended);
    *parts = (struct tenant_parts){0};
}
