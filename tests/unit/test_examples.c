/* The examples that people start from must be right, and those of two tenants right together. */
#include "topology_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void each_is_right(void **state)
{
    static const struct {
        const char *file, *tenant;
    } examples[] = {
        {"configs/examples/minimal.yaml", "bio"},
        {"configs/examples/campus-l2vpn-ipsec.yaml", "bio"},
        {"configs/examples/ipv6.yaml", "bio"},
        {"configs/examples/tunnels.yaml", "bio"},
        {"configs/examples/egress.yaml", "bio"},
        {"configs/examples/layer2.yaml", "bio"},
        {"configs/examples/clouds.yaml", "bio"},
        {"configs/examples/nodes.yaml", "bio"},
        {"configs/examples/bio.yaml", "bio"},
        {"configs/examples/phys.yaml", "phys"},
    };
    char *config = fixture_read("configs/examples/routerd.yaml");
    struct topology_world world = fixture_world(config);

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *text = fixture_read(examples[i].file);

        fixture_expect(&world, examples[i].tenant, text, "");
        free(text);
    }
    fixture_world_done(&world);
    free(config);
}

static void two_tenants_live_side_by_side(void **state)
{
    char *config = fixture_read("configs/examples/routerd.yaml");
    char *bio = fixture_read("configs/examples/bio.yaml");
    char *phys = fixture_read("configs/examples/phys.yaml");
    struct topology_world world = fixture_world(config);

    (void)state;
    fixture_enforce(&world, "bio", bio);
    fixture_expect(&world, "phys", phys, "");
    fixture_enforce(&world, "phys", phys);
    fixture_expect(&world, "bio", bio, "");
    fixture_world_done(&world);
    free(config);
    free(bio);
    free(phys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_right),
        cmocka_unit_test(two_tenants_live_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
