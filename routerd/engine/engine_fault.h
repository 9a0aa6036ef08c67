/* engine_fault.h - places where a test may let routerd die.
 *
 * In routerd the functions do nothing and no variable or option makes them do anything. A program
 * of the tests that defines them itself gets its own in their place, since the linker then takes
 * nothing from engine_fault.c: unit/test_engine_crash.c, and routerd_faults for the lab. */
#ifndef ENGINE_ENGINE_FAULT_H
#define ENGINE_ENGINE_FAULT_H

#include <stdbool.h>

/* Passed before and after the durable write of a change, and before and after each step. */
void engine_fault_point(void);
/* Whether steps are to be carried out one by one, so that there is a place between any two. */
bool engine_fault_one_by_one(void);

#endif
