/* `check`, `plan`, `apply`, `clear`, `rollback` and `confirm`: what a tenant wants, and what it
 * would take. */
#include "routerctl/ctl.h"
#include "routerctl/document.h"
#include "routerctl/outstanding.h"
#include "routerctl/plan.h"
#include "routerctl/progress.h"
#include "routerctl/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beyond the seconds that routerd is asked to wait. */
enum { WAIT_GRACE_MS = 15000 };

/* A change of one tenant's topology. */
struct change {
    char *tenant;
    const char *method, *path; /* of the tenant */
    const char *file;          /* null: there is none */
    struct ctl_buffer document;
    bool dry_run;
    cJSON *answer;
};

static void change_done(struct change *change)
{
    free(change->tenant);
    ctl_buffer_done(&change->document);
    cJSON_Delete(change->answer);
}

static int read_document(struct change *change)
{
    int error = ctl_document_read(change->file, &change->document);

    if (error == -EFBIG) {
        ctl_error("%s: longer than 16 MiB, which is all that routerd takes",
                  ctl_document_name(change->file));
    } else if (error) {
        ctl_error("%s: %s", ctl_document_name(change->file), strerror(-error));
    }
    return error ? CTL_FAILED : CTL_DONE;
}

static char *change_target(const struct ctl *ctl, const struct change *change)
{
    char *target = ctl_target(change->tenant, change->path, NULL), *with_query;
    struct ctl_buffer query = {0};

    if (change->dry_run) {
        ctl_buffer_text(&query, "?dry_run=true");
    } else if (ctl->given & CTL_OPTION_WAIT) {
        ctl_buffer_printf(&query, "?wait=%" PRId64, ctl->wait_s);
    }
    if (ctl->given & CTL_OPTION_CONFIRM && !change->dry_run) {
        ctl_buffer_printf(&query, "%sconfirm=%" PRId64, query.len ? "&" : "?", ctl->confirm_s);
    }
    with_query = ctl_printf("%s%s", target, ctl_buffer_string(&query));
    ctl_buffer_done(&query);
    free(target);
    return with_query;
}

static int send_change(const struct ctl *ctl, struct change *change)
{
    struct ctl_progress progress = {.ctl = ctl, .tenant = change->tenant};
    bool waits = ctl->given & CTL_OPTION_WAIT && !change->dry_run;
    char *target = change_target(ctl, change);
    struct ctl_request request = {
        .method = change->method,
        .target = target,
        .if_match = ctl->if_match,
        .body = change->document.len ? ctl_buffer_string(&change->document) : NULL,
        .body_len = change->document.len,
        .timeout_ms = ctl->timeout_ms,
        .tick = waits && ctl->progress ? ctl_progress_tick : NULL,
        .aux = &progress,
    };
    struct ctl_answer answer;
    int status;

    if (waits && ctl->wait_s * 1000 + WAIT_GRACE_MS > request.timeout_ms) {
        request.timeout_ms = ctl->wait_s * 1000 + WAIT_GRACE_MS;
    }
    status =
        ctl_call(ctl, &request, change->file ? ctl_document_name(change->file) : NULL, &answer);
    ctl_progress_end(&progress);
    free(target);
    if (status == CTL_DONE) {
        status = ctl_answer_json(ctl, &answer, &change->answer);
        ctl_answer_done(&answer);
    }
    return status;
}

/* Finds the tenant, reads the file, and asks. The caller gives the change to change_done(). */
static int make_change(const struct ctl *ctl, const char *file, bool dry_run,
                       struct change *ret_change)
{
    int status;

    *ret_change = (struct change){
        .method = file ? "PUT" : "DELETE", .path = "/topology", .file = file, .dry_run = dry_run};
    status = file ? read_document(ret_change) : CTL_DONE;
    if (status == CTL_DONE) {
        status = ctl_one_tenant(ctl, &ret_change->tenant);
    }
    return status == CTL_DONE ? send_change(ctl, ret_change) : status;
}

/* --- without effect ------------------------------------------------------------------------- */

int ctl_check(const struct ctl *ctl, char **args)
{
    struct change change;
    int status = make_change(ctl, args[0], true, &change);

    if (status == CTL_DONE && ctl->output == CTL_TABLE) {
        ctl_say(stdout, "%s: right, for tenant %s", ctl_document_name(args[0]), change.tenant);
    } else if (status == CTL_DONE) {
        ctl_print(ctl, change.answer);
    }
    change_done(&change);
    return status;
}

static int print_plan(const struct ctl *ctl, const struct change *change, int status)
{
    if (status == CTL_DONE && ctl->output == CTL_TABLE) {
        ctl_plan_print(ctl, cJSON_GetObjectItemCaseSensitive(change->answer, "plan"));
    } else if (status == CTL_DONE) {
        ctl_print(ctl, change->answer);
    }
    return status;
}

static int show_plan(const struct ctl *ctl, const char *file)
{
    struct change change;
    int status = print_plan(ctl, &change, make_change(ctl, file, true, &change));

    change_done(&change);
    return status;
}

int ctl_plan(const struct ctl *ctl, char **args)
{
    return show_plan(ctl, args[0]);
}

/* --- with effect ---------------------------------------------------------------------------- */

static void say_accepted(const struct change *change)
{
    const cJSON *plan = cJSON_GetObjectItemCaseSensitive(change->answer, "plan");
    double generation = ctl_json_number(change->answer, "generation");
    char *counts;

    if (ctl_plan_empty(plan)) {
        ctl_say(stdout, "tenant %s: generation %.0f is in force already, nothing to do",
                change->tenant, generation);
        return;
    }
    counts = ctl_plan_counts(plan);
    ctl_say(stdout, "tenant %s: generation %.0f is accepted: %s", change->tenant, generation,
            counts);
    free(counts);
}

static void say_confirm(const struct change *change)
{
    const cJSON *confirm = cJSON_GetObjectItemCaseSensitive(change->answer, "confirm");

    if (confirm) {
        ctl_say(stdout,
                "tenant %s: it goes back to generation %.0f at %s unless you say: routerctl -t %s "
                "confirm",
                change->tenant, ctl_json_number(confirm, "back_to"),
                ctl_json_text(confirm, "until"), change->tenant);
    }
}

/* Why the waiting has ended. routerd's sentence is of use when it is not about what the table says
 * anyway. */
static void say_not_converged(const struct ctl *ctl, const char *detail, const cJSON *outstanding)
{
    const char *first = ctl_json_text(outstanding ? outstanding->child : NULL, "object");

    if (*detail && (!*first || strncmp(detail, first, strlen(first)) != 0)) {
        ctl_error("accepted, but not converged: %s", detail);
    } else {
        ctl_error("accepted, but not converged within %" PRId64 " s", ctl->wait_s);
    }
}

static void say_waited(const struct ctl *ctl, const struct change *change, bool converged)
{
    const cJSON *outstanding = ctl_json_list(change->answer, "outstanding");

    if (converged) {
        puts("converged: everything is up");
        return;
    }
    fflush(stdout);
    say_not_converged(ctl, ctl_json_text(change->answer, "detail"), outstanding);
    if (cJSON_GetArraySize(outstanding)) {
        ctl_print_outstanding(ctl, outstanding);
    }
}

/* Without --wait a change is done when it is accepted; with it, when it has converged. */
static int tell_change(const struct ctl *ctl, const struct change *change)
{
    bool converged = ctl_json_bool(change->answer, "converged");
    bool waited = ctl->given & CTL_OPTION_WAIT;

    if (ctl->output != CTL_TABLE) {
        ctl_print(ctl, change->answer);
    } else {
        say_accepted(change);
        say_confirm(change);
        if (waited) {
            say_waited(ctl, change, converged);
        }
    }
    return waited && !converged ? CTL_FAILED : CTL_DONE;
}

static int carry_out(const struct ctl *ctl, const char *file)
{
    struct change change;
    int status = make_change(ctl, file, false, &change);

    if (status == CTL_DONE) {
        status = tell_change(ctl, &change);
    }
    change_done(&change);
    return status;
}

int ctl_apply(const struct ctl *ctl, char **args)
{
    return carry_out(ctl, args[0]);
}

/* Asks the person at the terminal; without one, --yes must have been said. */
static int confirm_clear(const struct ctl *ctl)
{
    char line[16] = "", *tenant;
    int status;

    if (ctl->given & CTL_OPTION_YES) {
        return CTL_DONE;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        ctl_error("clear removes every network of the tenant: say --yes if that is wanted");
        return CTL_USAGE;
    }
    status = ctl_one_tenant(ctl, &tenant);
    if (status != CTL_DONE) {
        return status;
    }
    fprintf(stderr, "Remove every network of tenant %s? [y/N] ", tenant);
    free(tenant);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y')) {
        return CTL_DONE;
    }
    ctl_error("nothing was changed");
    return CTL_FAILED;
}

int ctl_clear(const struct ctl *ctl, char **args)
{
    int status;

    (void)args;
    if (ctl->given & CTL_OPTION_DRY_RUN) {
        return show_plan(ctl, NULL);
    }
    status = confirm_clear(ctl);
    return status == CTL_DONE ? carry_out(ctl, NULL) : status;
}

/* --- generations ---------------------------------------------------------------------------- */

int ctl_rollback(const struct ctl *ctl, char **args)
{
    struct change change = {
        .method = "POST", .path = "/topology/rollback", .dry_run = ctl->given & CTL_OPTION_DRY_RUN};
    uint64_t generation;
    int status;

    if (args[0] && (ctl_parse_number(args[0], &generation) || !generation)) {
        ctl_error("%s is no generation; `routerctl history` lists them", args[0]);
        return CTL_USAGE;
    }
    if (args[0]) {
        ctl_buffer_printf(&change.document, "{\"generation\": %" PRIu64 "}", generation);
    }
    status = ctl_one_tenant(ctl, &change.tenant);
    if (status == CTL_DONE) {
        status = send_change(ctl, &change);
    }
    if (change.dry_run) {
        status = print_plan(ctl, &change, status);
    } else if (status == CTL_DONE) {
        status = tell_change(ctl, &change);
    }
    change_done(&change);
    return status;
}

int ctl_confirm(const struct ctl *ctl, char **args)
{
    struct change change = {.method = "POST", .path = "/topology/confirm"};
    int status = ctl_one_tenant(ctl, &change.tenant);

    (void)args;
    if (status == CTL_DONE) {
        status = send_change(ctl, &change);
    }
    if (status == CTL_DONE && ctl->output == CTL_TABLE) {
        ctl_say(stdout, "tenant %s: generation %.0f is confirmed", change.tenant,
                ctl_json_number(change.answer, "generation"));
    } else if (status == CTL_DONE) {
        ctl_print(ctl, change.answer);
    }
    change_done(&change);
    return status;
}
