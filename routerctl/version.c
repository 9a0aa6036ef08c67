/* `version`: ours and, if it can be had, the daemon's. */
#include "routerctl/ctl.h"

#include <stdlib.h>

enum { HEALTH_TIMEOUT_MS = 5000 };

static void print_json(const struct ctl *ctl, const cJSON *health)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "routerctl", ROUTERD_VERSION);
    if (health) {
        cJSON_AddStringToObject(json, "routerd", ctl_json_text(health, "version"));
        cJSON_AddStringToObject(json, "router", ctl_json_text(health, "router"));
    } else {
        cJSON_AddNullToObject(json, "routerd");
    }
    ctl_print(ctl, json);
    cJSON_Delete(json);
}

int ctl_version(const struct ctl *ctl, char **args)
{
    cJSON *health = ctl_try_get(ctl, "/v1/health", HEALTH_TIMEOUT_MS);

    (void)args;
    if (ctl->output != CTL_TABLE) {
        print_json(ctl, health);
    } else {
        puts("routerctl " ROUTERD_VERSION);
        if (health) {
            ctl_say(stdout, "routerd %s, router %s", ctl_json_text(health, "version"),
                    ctl_json_text(health, "router"));
        } else {
            ctl_say(stdout, "routerd does not answer at %s", ctl->socket);
        }
    }
    cJSON_Delete(health);
    return CTL_DONE;
}
