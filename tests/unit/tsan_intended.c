/* Two threads that read, copy and drop the same intended states and snapshots: for ThreadSanitizer.
 */
#include "check.h"
#include "model_make.h"

#include "model/status.h"

#include <pthread.h>
#include <string.h>

enum { ROUNDS = 2000 };

static void *use(void *intended_)
{
    struct intended *intended = intended_;
    for (int i = 0; i < ROUNDS; i++) {
        struct intended *mine = intended_ref(intended);
        struct intended *copy = intended_with_config(mine, NULL);
        struct status *status = status_new(copy);
        intended_unref(copy);
        intended_unref(mine);
        assert_non_null(status_find(status, "bio", "genome"));
        status_unref(status);
    }
    intended_unref(intended);
    return NULL;
}

static void test_threads_share(void **state)
{
    (void)state;
    pthread_t threads[2];
    struct intended *empty = intended_new(NULL);
    struct intended *one = intended_with(empty, "bio", 1, make_topology("genome s:campus t:dc"));
    intended_unref(empty);
    for (size_t i = 0; i < LENGTH(threads); i++)
        pthread_create(&threads[i], NULL, use, intended_ref(one));
    intended_unref(one);
    for (size_t i = 0; i < LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_share)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
