/* routerd_faults: a routerd that dies by itself at the place ROUTERD_FAULT=N, the Nth that it comes
 * to (engine_fault.h). Never installed. */
#include "engine/engine_fault.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void engine_fault_point(void)
{
    static unsigned long passed; /* on the engine's thread only */
    const char *place = getenv("ROUTERD_FAULT");

    if (place && ++passed == strtoul(place, NULL, 10)) {
        kill(getpid(), SIGKILL);
    }
}

bool engine_fault_one_by_one(void)
{
    return true;
}
