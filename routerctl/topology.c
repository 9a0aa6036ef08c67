/* `topology`: the document as it was pushed. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>

/* An entity tag is the generation in quotes. */
static double tag_generation(const char *etag)
{
    return *etag == '"' ? strtod(etag + 1, NULL) : 0;
}

/* For programs the document is one text among others, byte for byte. */
static void print_wrapped(const struct ctl *ctl, const char *tenant,
                          const struct ctl_answer *answer)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "tenant", tenant);
    cJSON_AddNumberToObject(json, "generation", tag_generation(answer->etag));
    cJSON_AddStringToObject(json, "document", ctl_buffer_string(&answer->body));
    ctl_print(ctl, json);
    cJSON_Delete(json);
}

static int print_topology(const struct ctl *ctl, const char *tenant, const char *generation)
{
    char *topology = ctl_target(tenant, "/topology", NULL);
    char *target = ctl_printf("%s%s%s", topology, generation ? "?generation=" : "",
                              generation ? generation : "");
    struct ctl_request request = {
        .method = "GET",
        .target = target,
        .timeout_ms = ctl->timeout_ms,
    };
    struct ctl_answer answer;
    int status = ctl_call(ctl, &request, NULL, &answer);

    if (status == CTL_DONE) {
        if (ctl->output == CTL_TABLE) {
            fwrite(ctl_buffer_string(&answer.body), 1, answer.body.len, stdout);
        } else {
            print_wrapped(ctl, tenant, &answer);
        }
        ctl_answer_done(&answer);
    }
    free(target);
    free(topology);
    return status;
}

int ctl_topology(const struct ctl *ctl, char **args)
{
    uint64_t number;
    char *tenant;
    int status;

    if (args[0] && (ctl_parse_number(args[0], &number) || !number)) {
        ctl_error("%s is no generation; `topology 7` shows the seventh", args[0]);
        return CTL_USAGE;
    }
    status = ctl_one_tenant(ctl, &tenant);
    if (status == CTL_DONE) {
        status = print_topology(ctl, tenant, args[0]);
        free(tenant);
    }
    return status;
}
