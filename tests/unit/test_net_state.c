#include "chance.h"
#include "check.h"

#include "net/net_state.h"

#include <stdio.h>
#include <string.h>

enum { WALKS = 20, STEPS = 200, LINKS = 12 };

static void expect_sorted(struct net_state *state)
{
    struct net_link *const *links = net_state_links(state);

    for (size_t i = 0; i < state->n_links; i++) {
        assert_ptr_equal(net_state_link(state, links[i]->index), links[i]);
        assert_ptr_equal(net_state_find(state, links[i]->name), links[i]);
        assert_true(i == 0 || strcmp(links[i - 1]->name, links[i]->name) < 0);
    }
}

static void put(struct net_state *state, int index, unsigned int name)
{
    struct net_link *link = net_state_put_link(state, index);

    snprintf(link->name, sizeof link->name, "if%u-%d", name, index);
    net_state_renamed(state, link);
}

/* They come, are renamed and go, several of them between two looks. */
static void test_links_stay_sorted(void **state_)
{
    (void)state_;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        struct chance chance = {seed};
        struct net_state state;

        net_state_init(&state);
        for (int i = 0; i < STEPS; i++) {
            int index = 1 + (int)chance_below(&chance, LINKS);

            if (chance_below(&chance, 3))
                put(&state, index, chance_below(&chance, 100));
            else
                net_state_drop_link(&state, index);
            if (chance_below(&chance, 3) == 0)
                expect_sorted(&state);
        }
        expect_sorted(&state);
        net_state_done(&state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links_stay_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
