/* Golden files of configurations: tests/golden/config. */
#include "golden.h"

#include "model/config.h"

static void check(const char *text, size_t len, struct errors *errors)
{
    config_free(config_parse(text, len, errors));
}

int main(int argc, char *argv[])
{
    return golden_main(argc, argv, check);
}
