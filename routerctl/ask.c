/* Asking routerd, for commands. */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- problems ------------------------------------------------------------------------------- */

/* One fault of a document as a compiler would tell it: FILE:LINE:COLUMN: path: message. Of a body
 * that nobody wrote by hand the place is of no use. */
static void tell_fault(const char *file, const cJSON *fault)
{
    const char *path = ctl_json_text(fault, "path"), *message = ctl_json_text(fault, "message");
    double line = ctl_json_number(fault, "line");
    struct ctl_buffer place = {0};

    if (!file) {
        ctl_error("%s%s%s", path, *path ? ": " : "", message);
        return;
    }
    ctl_buffer_text(&place, file);
    if (line > 0) {
        ctl_buffer_printf(&place, ":%.0f:%.0f", line, ctl_json_number(fault, "column"));
    }
    if (*path) {
        ctl_buffer_printf(&place, ": %s", path);
    }
    ctl_say(stderr, "%s: %s", place.data, message);
    ctl_buffer_done(&place);
}

/* RFC 9457; what is no problem document is told by its status alone. */
static void tell_problem(const struct ctl *ctl, const struct ctl_answer *answer, const char *file)
{
    cJSON *problem = cJSON_Parse(ctl_buffer_string(&answer->body));
    const cJSON *faults = ctl_json_list(problem, "errors"), *fault;
    const char *detail = ctl_json_text(problem, "detail");

    if (cJSON_IsObject(problem) && ctl->output != CTL_TABLE) {
        ctl_print(ctl, problem);
        cJSON_Delete(problem);
        return;
    }
    cJSON_ArrayForEach(fault, faults) {
        tell_fault(file, fault);
    }
    detail = *detail ? detail : ctl_json_text(problem, "title");
    if (cJSON_GetArraySize(faults) && !file) {
        /* all is said */
    } else if (*detail) {
        bool about_file = file && (faults || answer->status == 413);

        ctl_error("%s%s%s", about_file ? file : "", about_file ? ": " : "", detail);
    } else {
        ctl_error("routerd refused with status %d and gave no reason", answer->status);
    }
    cJSON_Delete(problem);
}

/* --- requests ------------------------------------------------------------------------------- */

static bool is_change(const struct ctl_request *request)
{
    return strcmp(request->method, "GET") != 0 && !strstr(request->target, "dry_run=true");
}

int ctl_call(const struct ctl *ctl, const struct ctl_request *request, const char *file,
             struct ctl_answer *ret_answer)
{
    struct ctl_answer answer;
    bool sent = false;
    char *why;

    if (ctl_client_call(ctl->socket, request, &answer, &sent, &why)) {
        ctl_error("%s%s", why,
                  sent && is_change(request)
                      ? "; whether the change was accepted is not known: see routerctl status"
                      : "");
        free(why);
        return CTL_UNREACHABLE;
    }
    if (answer.status < 200 || answer.status > 299) {
        tell_problem(ctl, &answer, file);
        ctl_answer_done(&answer);
        return CTL_FAILED;
    }
    *ret_answer = answer;
    return CTL_DONE;
}

int ctl_answer_json(const struct ctl *ctl, const struct ctl_answer *answer, cJSON **ret_json)
{
    cJSON *json = cJSON_ParseWithLength(ctl_buffer_string(&answer->body), answer->body.len);

    if (!cJSON_IsObject(json)) {
        ctl_error("what answers at %s is not routerd: its answer is no JSON", ctl->socket);
        cJSON_Delete(json);
        return CTL_UNREACHABLE;
    }
    *ret_json = json;
    return CTL_DONE;
}

int ctl_get(const struct ctl *ctl, const char *target, cJSON **ret_json)
{
    struct ctl_request request = {
        .method = "GET",
        .target = target,
        .timeout_ms = ctl->timeout_ms,
    };
    struct ctl_answer answer;
    int status = ctl_call(ctl, &request, NULL, &answer);

    if (status == CTL_DONE) {
        status = ctl_answer_json(ctl, &answer, ret_json);
        ctl_answer_done(&answer);
    }
    return status;
}

cJSON *ctl_try_get(const struct ctl *ctl, const char *target, int64_t timeout_ms)
{
    struct ctl_request request = {.method = "GET", .target = target, .timeout_ms = timeout_ms};
    struct ctl_answer answer;
    cJSON *json = NULL;
    char *why;

    if (ctl_client_call(ctl->socket, &request, &answer, NULL, &why)) {
        free(why);
        return NULL;
    }
    if (answer.status == 200) {
        json = cJSON_ParseWithLength(ctl_buffer_string(&answer.body), answer.body.len);
    }
    ctl_answer_done(&answer);
    return json;
}

/* --- tenants -------------------------------------------------------------------------------- */

char *ctl_target(const char *tenant, const char *rest, const char *name)
{
    struct ctl_buffer target = {0};
    const char *place = name ? strstr(rest, "%s") : NULL;

    ctl_buffer_text(&target, "/v1/tenants/");
    ctl_add_url(&target, tenant);
    ctl_buffer_add(&target, rest, place ? (size_t)(place - rest) : strlen(rest));
    if (place) {
        ctl_add_url(&target, name);
        ctl_buffer_text(&target, place + strlen("%s"));
    }
    return target.data;
}

/* The tenants' names, a list of texts for the caller to free. */
static int get_tenants(const struct ctl *ctl, cJSON **ret_names)
{
    const cJSON *tenant;
    cJSON *answer, *names;
    int status;

    if (ctl->tenant) {
        *ret_names = cJSON_CreateArray();
        cJSON_AddItemToArray(*ret_names, cJSON_CreateString(ctl->tenant));
        return CTL_DONE;
    }
    status = ctl_get(ctl, "/v1/tenants", &answer);
    if (status != CTL_DONE) {
        return status;
    }
    names = cJSON_CreateArray();
    cJSON_ArrayForEach(tenant, ctl_json_list(answer, "tenants")) {
        cJSON_AddItemToArray(names, cJSON_CreateString(ctl_json_text(tenant, "tenant")));
    }
    cJSON_Delete(answer);
    *ret_names = names;
    return CTL_DONE;
}

static void tell_ambiguous(const cJSON *names)
{
    struct ctl_buffer text = {0};
    const cJSON *name;

    cJSON_ArrayForEach(name, names) {
        ctl_buffer_printf(&text, "%s%s", text.len ? ", " : "", name->valuestring);
    }
    ctl_error("which tenant? name one with -t or ROUTERD_TENANT: %s", ctl_buffer_string(&text));
    ctl_buffer_done(&text);
}

int ctl_one_tenant(const struct ctl *ctl, char **ret_tenant)
{
    cJSON *names;
    int status = get_tenants(ctl, &names);

    if (status != CTL_DONE) {
        return status;
    }
    if (cJSON_GetArraySize(names) == 1) {
        *ret_tenant = ctl_strdup(names->child->valuestring);
    } else if (names->child) {
        tell_ambiguous(names);
        status = CTL_USAGE;
    } else {
        ctl_error("routerd's configuration has no tenants");
        status = CTL_FAILED;
    }
    cJSON_Delete(names);
    return status;
}

/* --- all tenants ---------------------------------------------------------------------------- */

/* One of several tenants: that it has no such object is no failure. */
static int get_if_there(const struct ctl *ctl, const char *target, cJSON **ret_json)
{
    struct ctl_request request = {
        .method = "GET",
        .target = target,
        .timeout_ms = ctl->timeout_ms,
    };
    struct ctl_answer answer;
    char *why;
    int status = CTL_DONE;

    *ret_json = NULL;
    if (ctl_client_call(ctl->socket, &request, &answer, NULL, &why)) {
        ctl_error("%s", why);
        free(why);
        return CTL_UNREACHABLE;
    }
    if (answer.status == 200) {
        status = ctl_answer_json(ctl, &answer, ret_json);
    } else if (answer.status != 404) {
        tell_problem(ctl, &answer, NULL);
        status = CTL_FAILED;
    }
    ctl_answer_done(&answer);
    return status;
}

static int gather_one(const struct ctl *ctl, const char *tenant, const char *rest, const char *name,
                      struct ctl_answers *answers)
{
    char *target = ctl_target(tenant, rest, name);
    cJSON *json = NULL;
    int status =
        answers->several && name ? get_if_there(ctl, target, &json) : ctl_get(ctl, target, &json);

    free(target);
    if (json) {
        if (!*ctl_json_text(json, "tenant")) {
            cJSON_AddStringToObject(json, "tenant", tenant);
        }
        cJSON_AddItemToArray(answers->list, json);
    }
    return status;
}

int ctl_gather(const struct ctl *ctl, const char *rest, const char *what, const char *name,
               struct ctl_answers *ret_answers)
{
    cJSON *names, *tenant;
    int status = get_tenants(ctl, &names);
    struct ctl_answers answers;

    if (status != CTL_DONE) {
        return status;
    }
    answers = (struct ctl_answers){cJSON_CreateArray(), cJSON_GetArraySize(names) != 1};
    cJSON_ArrayForEach(tenant, names) {
        if (status == CTL_DONE) {
            status = gather_one(ctl, tenant->valuestring, rest, name, &answers);
        }
    }
    cJSON_Delete(names);
    if (status == CTL_DONE && name && !answers.list->child) {
        ctl_error("no tenant has a %s %s", what, name);
        status = CTL_FAILED;
    }
    if (status != CTL_DONE) {
        ctl_answers_done(&answers);
        return status;
    }
    *ret_answers = answers;
    return CTL_DONE;
}

void ctl_answers_done(struct ctl_answers *answers)
{
    cJSON_Delete(answers->list);
    *answers = (struct ctl_answers){0};
}
