#include "check.h"
#include "model_make.h"

#include "model/tenant_parts.h"

#include <stdlib.h>
#include <string.h>

/* A part that says what it was made of. */
struct part {
    const char *tenant; /* borrowed from what outlives the part */
    const struct topology *topology;
};

static size_t n_made, n_dropped;

static void *make(const struct intended *intended, const struct intended_tenant *tenant, void *aux)
{
    (void)intended;
    (void)aux;
    struct part *part = calloc(1, sizeof *part);
    assert_non_null(part);
    *part = (struct part){tenant->name, tenant->topology};
    n_made++;
    return part;
}

static void drop(void *part)
{
    n_dropped++;
    free(part);
}

static const struct tenant_parts_class class = {make, drop};

/* Updates and lets go of the caller's reference, so that nothing but the parts holds it. */
static void update(struct tenant_parts *parts, struct intended *intended)
{
    n_made = n_dropped = 0;
    tenant_parts_update(parts, intended, &class, NULL);
    for (size_t i = 0; i < intended->n_tenants; i++) {
        const struct part *part = parts->parts[i];
        assert_string_equal(part->tenant, intended->tenants[i].name);
        assert_ptr_equal(part->topology, intended->tenants[i].topology);
    }
    intended_unref(intended);
}

static struct intended *with(const struct tenant_parts *parts, const char *tenant)
{
    return intended_with(parts->intended, tenant, 1, make_topology("genome"));
}

static void test_only_changed_tenants_are_made(void **state)
{
    (void)state;
    struct tenant_parts parts = {0};
    update(&parts, intended_new(NULL));
    assert_int_equal(n_made, 0);
    update(&parts, with(&parts, "m"));
    assert_int_equal(n_made, 1);
    update(&parts, with(&parts, "a")); /* all places move */
    update(&parts, with(&parts, "z"));
    assert_int_equal(n_made, 1);
    assert_int_equal(n_dropped, 0);
    update(&parts, with(&parts, "m"));
    assert_int_equal(n_made, 1);
    assert_int_equal(n_dropped, 1);
    update(&parts, intended_ref(parts.intended));
    assert_int_equal(n_made, 0);
    tenant_parts_clear(&parts, &class);
    assert_int_equal(n_dropped, 3);
    tenant_parts_clear(&parts, &class);
    assert_int_equal(n_dropped, 3);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct tenant_parts parts = {0};
    update(&parts, intended_new(NULL));
    update(&parts, with(&parts, "bio"));
    update(&parts, with(&parts, "phys"));
    struct intended *before = intended_ref(parts.intended);
    update(&parts, with(&parts, "bio")); /* as for a plan that is only shown */
    assert_int_equal(n_made, 1);
    update(&parts, before);
    assert_int_equal(n_made, 1);
    assert_int_equal(n_dropped, 1);
    update(&parts, intended_new(NULL)); /* tenants that are gone */
    assert_int_equal(n_dropped, 2);
    tenant_parts_clear(&parts, &class);
}

static void test_another_configuration_makes_all_anew(void **state)
{
    (void)state;
    static const struct config config = {.router_name = "vr1"};
    struct tenant_parts parts = {0};
    update(&parts, intended_new(NULL));
    update(&parts, with(&parts, "bio"));
    update(&parts, with(&parts, "phys"));
    update(&parts, intended_with_config(parts.intended, &config));
    assert_int_equal(n_made, 2);
    assert_int_equal(n_dropped, 2);
    tenant_parts_clear(&parts, &class);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_changed_tenants_are_made),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_another_configuration_makes_all_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
