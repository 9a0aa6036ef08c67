/* routerd: the wiring of the daemon. */
#include <stdio.h>

int main(void)
{
    printf("routerd %s\n", ROUTERD_VERSION);
    return 0;
}
