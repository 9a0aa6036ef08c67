/* tenant_parts.h - something that is made of the intended state, in one part for each tenant.
 *
 * A change concerns one tenant; the others' topologies stay the same objects (intended.h), and so
 * do the parts that were made of them. What is made of the parts together costs its maker a look at
 * each, not the making. Pure; for one thread. */
#ifndef MODEL_TENANT_PARTS_H
#define MODEL_TENANT_PARTS_H

#include "model/intended.h"

struct tenant_parts {
    const struct intended *intended; /* whose tenants they are of; a reference; null: none yet */
    void **parts;                    /* in the order of its tenants */
};

struct tenant_parts_class {
    /* Makes a tenant's part, of nothing but its arguments. It may borrow what belongs to the
     * topology, the tenant's name and the configuration: they outlive it. It must not keep
     * `intended` itself, nor `tenant`. */
    void *(*make)(const struct intended *intended, const struct intended_tenant *tenant, void *aux);
    void (*drop)(void *part);
};

/* Makes the parts those of `intended`. The part of a tenant whose topology and configuration are
 * the same objects stays as it is; others are dropped and made. Start from zeroes. */
void tenant_parts_update(struct tenant_parts *parts, const struct intended *intended,
                         const struct tenant_parts_class *class, void *aux);
/* Drops them all. */
void tenant_parts_clear(struct tenant_parts *parts, const struct tenant_parts_class *class);

#endif
