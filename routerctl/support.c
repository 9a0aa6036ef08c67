/* `support`: everything that routerd tells, in one file. All of it comes from the API, which tells
 * no secrets, so neither does the file. */
#include "routerctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1000 };

static void add_answer(const struct ctl *ctl, cJSON *bundle, const char *key, const char *target)
{
    cJSON *answer = ctl_try_get(ctl, target, ctl->timeout_ms);

    cJSON_AddItemToObject(bundle, key, answer ? answer : cJSON_CreateNull());
}

/* The document in force, as a text. */
static void add_document(const struct ctl *ctl, cJSON *bundle, const char *target)
{
    struct ctl_request request = {.method = "GET", .target = target, .timeout_ms = ctl->timeout_ms};
    struct ctl_answer answer;
    char *why;

    if (ctl_client_call(ctl->socket, &request, &answer, NULL, &why)) {
        free(why);
        return;
    }
    if (answer.status == 200) {
        cJSON_AddStringToObject(bundle, "topology", ctl_buffer_string(&answer.body));
    }
    ctl_answer_done(&answer);
}

static void add_routes(const struct ctl *ctl, cJSON *bundle, const char *tenant)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(bundle, "status"), *network;
    cJSON *routes = cJSON_AddObjectToObject(bundle, "routes");

    cJSON_ArrayForEach(network, ctl_json_list(status, "networks")) {
        const char *name = ctl_json_text(network, "name");
        char *target = ctl_target(tenant, "/networks/%s/routes", name);

        add_answer(ctl, routes, name, target);
        free(target);
    }
}

static void add_tenant(const struct ctl *ctl, cJSON *tenants, const char *tenant)
{
    static const char *const parts[] = {"status", "history"};
    cJSON *bundle = cJSON_AddObjectToObject(tenants, tenant);
    char *target;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *rest = ctl_printf("/%s", parts[i]);

        target = ctl_target(tenant, rest, NULL);
        add_answer(ctl, bundle, parts[i], target);
        free(target);
        free(rest);
    }
    target = ctl_target(tenant, "/topology", NULL);
    add_document(ctl, bundle, target);
    free(target);
    add_routes(ctl, bundle, tenant);
}

/* The newest lines, parsed. */
static void add_events(const struct ctl *ctl, cJSON *bundle)
{
    struct ctl_request request = {
        .method = "GET", .target = "/v1/events", .timeout_ms = ctl->timeout_ms};
    cJSON *list = cJSON_AddArrayToObject(bundle, "events");
    struct ctl_answer answer;
    char *why, *rest = NULL;

    if (ctl_client_call(ctl->socket, &request, &answer, NULL, &why)) {
        free(why);
        return;
    }
    for (char *line = answer.body.data ? strtok_r(answer.body.data, "\n", &rest) : NULL;
         line && answer.status == 200; line = strtok_r(NULL, "\n", &rest)) {
        cJSON_AddItemToArray(list, cJSON_Parse(line));
        if (cJSON_GetArraySize(list) > EVENTS) {
            cJSON_DeleteItemFromArray(list, 0);
        }
    }
    ctl_answer_done(&answer);
}

static void add_machine(cJSON *bundle, time_t now)
{
    struct utsname machine;
    char text[40];
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    cJSON_AddStringToObject(bundle, "time", text);
    cJSON_AddStringToObject(bundle, "routerctl", ROUTERD_VERSION);
    if (!uname(&machine)) {
        cJSON_AddStringToObject(bundle, "kernel", machine.release);
    }
}

static cJSON *collect(const struct ctl *ctl, time_t now)
{
    cJSON *bundle = cJSON_CreateObject(), *tenants, *list = NULL;
    const cJSON *tenant;

    add_machine(bundle, now);
    add_answer(ctl, bundle, "health", "/v1/health");
    add_events(ctl, bundle);
    tenants = cJSON_AddObjectToObject(bundle, "tenants");
    list = ctl_try_get(ctl, "/v1/tenants", ctl->timeout_ms);
    cJSON_ArrayForEach(tenant, ctl_json_list(list, "tenants")) {
        add_tenant(ctl, tenants, ctl_json_text(tenant, "tenant"));
    }
    cJSON_Delete(list);
    return bundle;
}

static int write_file(const char *name, const struct ctl_buffer *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t done = 0;
    int error = fd < 0 ? errno : 0;

    while (!error && done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (fd >= 0 && close(fd) && !error) {
        error = errno;
    }
    if (error) {
        ctl_error("%s: %s", name, strerror(error));
        return CTL_FAILED;
    }
    ctl_say(stdout, "%s: %zu bytes, without secrets", name, text->len);
    return CTL_DONE;
}

int ctl_support(const struct ctl *ctl, char **args)
{
    time_t now = time(NULL);
    struct ctl_buffer text = {0};
    char name[64];
    cJSON *bundle, *health;
    struct tm local;
    int status;

    status = ctl_get(ctl, "/v1/health", &health); /* says why, if nothing can be had */
    if (status != CTL_DONE) {
        return status;
    }
    cJSON_Delete(health);
    bundle = collect(ctl, now);
    ctl_json_print(&text, bundle);
    cJSON_Delete(bundle);
    if (args[0] && !strcmp(args[0], "-")) {
        fputs(ctl_buffer_string(&text), stdout);
    } else {
        strftime(name, sizeof name, "routerd-support-%Y%m%d-%H%M%S.json",
                 localtime_r(&now, &local));
        status = write_file(args[0] ? args[0] : name, &text);
    }
    ctl_buffer_done(&text);
    return status;
}
