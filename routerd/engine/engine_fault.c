#include "engine/engine_fault.h"

void engine_fault_point(void)
{
}

bool engine_fault_one_by_one(void)
{
    return false;
}
