/* outstanding.h - what of a tenant is not up, for those who waited in vain. */
#ifndef API_OUTSTANDING_H
#define API_OUTSTANDING_H

#include "engine/engine.h"

#include <cjson/cJSON.h>

/* Adds "outstanding": a list of {"object","state","reason"} from the newest snapshot. */
void outstanding_add(cJSON *answer, struct engine *engine, const char *tenant);

#endif
