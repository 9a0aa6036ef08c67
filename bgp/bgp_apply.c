/* Carries out steps. All steps of a phase go to the daemon as one pipelined exchange, in the order
 * that bgp_change.h tells; each command's status is looked at, and a refused one fails its own step
 * only. Then the configuration is read back, and what nobody refers to any more is dropped in a
 * second exchange. The daemon's deadline (bgp_vty.h) is that of the steps: as long as answers come,
 * a large batch may take longer than BACKEND_DEADLINE_MS. */
#include "backend/secret.h"
#include "bgp/bgp_io.h"
#include "log/log.h"
#include "model/ids.h"

#include <lib/timeval.h>
#include <lib/util.h>
#include <string.h>

enum {
    BRACKET_LINES = 60,      /* policy lines from which on a bracket pays, and of one */
    JOB_DEADLINE_MS = 20000, /* a bracket is answered all at once */
    REFUSAL_BYTES = 160,     /* of FRR's words */
};

/* Whose a command under way is, in the plan's arena. */
struct sent {
    struct bgp *bgp;
    struct step *step;         /* null: nobody's */
    struct bgp_making *making; /* null: none */
    const char *text;          /* as people may see it: without the secret */
    bool secret;
};

static struct bgp_vty *job_vty(const struct bgp *bgp)
{
    struct bgp_vty *const vtys[BGP_DAEMONS] = {bgp->bgpd, bgp->zebra, bgp->bfdd};

    return vtys[bgp->job.daemon];
}

/* FRR's words on one line. Where a secret was sent they may repeat it, so they are left out. */
static const char *refusal_words(struct bgp *bgp, const struct sent *sent,
                                 const struct bgp_reply *reply)
{
    struct arena *arena = bgp->job.plan->arena;
    char *words;

    if (sent->secret || !reply->len) {
        return arena_printf(arena, "status %d", reply->status);
    }
    words = arena_printf(arena, "%.*s", REFUSAL_BYTES, reply->text);
    for (size_t i = 0; words[i]; i++) {
        words[i] = words[i] == '\n' || words[i] == '\r' ? ' ' : words[i];
    }
    words += strspn(words, " %");
    for (size_t len = strlen(words); len && words[len - 1] == ' '; len--) {
        words[len - 1] = '\0';
    }
    return words;
}

static void refuse(struct bgp *bgp, const struct sent *sent, const struct bgp_reply *reply)
{
    const struct bgp_change *change = sent->step ? sent->step->data : NULL;
    const char *words = refusal_words(bgp, sent, reply);
    static const char *const NAMES[BGP_DAEMONS] = {"bgpd", "zebra", "bfdd"};
    const char *daemon = NAMES[bgp->job.daemon];
    bool not_yet = change && change->not_ready && strstr(reply->text, change->not_ready);

    if (sent->making && !sent->making->refusal) {
        sent->making->refusal =
            arena_printf(bgp->job.plan->arena, "%s refused \"%s\": %s", daemon, sent->text, words);
    } else if (sent->step && sent->step->result == STEP_RUNNING) {
        step_finish(bgp->job.plan, sent->step, not_yet ? STEP_NOT_READY : STEP_FAILED,
                    "%s refused \"%s\": %s", daemon, sent->text, words);
    }
}

static void on_answer(void *sent_, const struct bgp_reply *reply)
{
    struct sent *sent = sent_;

    if (sent->bgp->job.stage != BGP_JOB_IDLE) {
        sent->bgp->job.pending--;
        if (reply->status != BGP_REPLY_OK && reply->status != BGP_VTY_BROKEN) {
            refuse(sent->bgp, sent, reply);
        }
    }
}

static void send_text(struct bgp *bgp, struct step *step, struct bgp_making *making,
                      const char *text, const char *secret)
{
    struct sent *sent = arena_alloc(bgp->job.plan->arena, sizeof *sent);

    *sent = (struct sent){bgp, step, making, text, secret != NULL};
    bgp->job.pending++;
    bgp_vty_send(job_vty(bgp), text, secret, on_answer, sent);
}

/* False if its secret cannot be read: then the step has failed and nothing more of it is sent. */
static bool send_command(struct bgp *bgp, struct step *step, const struct bgp_command *command)
{
    struct secret secret;
    int error;

    if (!command->secret) {
        send_text(bgp, step, NULL, command->text, NULL);
        return true;
    }
    error = secret_read(bgp->secrets_directory, command->secret, &secret);
    if (error) {
        step_finish(bgp->job.plan, step, STEP_FAILED, "the secret %s cannot be read from %s: %s",
                    command->secret, bgp->secrets_directory, ovs_strerror(-error));
        return false;
    }
    send_text(bgp, step, NULL, command->text, secret.bytes);
    secret_wipe(&secret);
    return true;
}

/* Goes to the node that the commands start from; `*at` is the network whose node it is now. If an
 * instance cannot be entered the configuration node is where its commands are refused: they can
 * never be taken for another instance's. */
static void send_enter(struct bgp *bgp, struct step *step, const struct bgp_commands *commands,
                       uint32_t *at)
{
    char vrf[IFNAME_TEXT];

    if (commands->network_id && commands->network_id == *at) {
        return;
    }
    send_text(bgp, NULL, NULL, "end", NULL);
    send_text(bgp, step, NULL, "configure terminal", NULL);
    if (commands->network_id) {
        send_text(bgp, step, NULL,
                  arena_printf(bgp->job.plan->arena, "router bgp %u vrf %s", commands->asn,
                               ids_vrf_name(commands->network_id, vrf)),
                  NULL);
    }
    *at = commands->network_id;
}

static void send_commands(struct bgp *bgp, struct step *step, uint32_t *at)
{
    const struct bgp_commands *commands = &((struct bgp_change *)step->data)->commands;

    send_enter(bgp, step, commands, at);
    for (size_t i = 0; i < commands->n; i++) {
        if (!send_command(bgp, step, &commands->v[i])) {
            return;
        }
    }
}

/* The policies that the steps need, each once. */
static size_t gather_makings(struct bgp_job *job, struct bgp_making ***ret_makings,
                             size_t *ret_lines)
{
    size_t n = 0, capacity = 0;

    for (size_t i = 0; i < job->n_steps; i++) {
        const struct bgp_change *change = job->steps[i]->data;

        for (size_t j = 0; j < change->n_makings; j++) {
            if (!change->makings[j]->sent) {
                change->makings[j]->sent = true;
                *ret_makings =
                    arena_grow(job->plan->arena, *ret_makings, n, &capacity, sizeof(void *));
                (*ret_makings)[n++] = change->makings[j];
                *ret_lines += change->makings[j]->commands.n;
            }
        }
    }
    return n;
}

/* Makes policies, before anything refers to them: each line of a prefix list makes bgpd look
 * through all its peers, several times, so it is best made while there are few. Many of them go
 * into brackets that FRR has for reading a configuration file, in which bgpd takes a tenth of the
 * time. A peer that is made in the second after a bracket waits for that second, so it is not for a
 * few lines. */
static void send_makings(struct bgp *bgp)
{
    struct bgp_making **makings = NULL;
    size_t lines = 0, in_bracket = 0, n = gather_makings(&bgp->job, &makings, &lines);
    bool bracket = lines > BRACKET_LINES;

    if (n) {
        send_text(bgp, NULL, NULL, "end", NULL);
        send_text(bgp, NULL, NULL, "configure terminal", NULL);
    }
    for (size_t i = 0; i < n; i++) {
        if (bracket && !in_bracket) {
            send_text(bgp, NULL, NULL, "XFRR_start_configuration", NULL);
        }
        for (size_t j = 0; j < makings[i]->commands.n; j++) {
            send_text(bgp, NULL, makings[i], makings[i]->commands.v[j].text, NULL);
        }
        in_bracket += makings[i]->commands.n;
        if (bracket && (in_bracket >= BRACKET_LINES || i + 1 == n)) {
            send_text(bgp, NULL, makings[i], "XFRR_end_configuration", NULL);
            in_bracket = 0;
        }
    }
}

/* A step whose policies could not be made has failed, though bgpd has accepted its commands. */
static void fail_unmade(struct bgp *bgp, struct step *step)
{
    const struct bgp_change *change = step->data;

    for (size_t i = 0; i < change->n_makings && step->result == STEP_RUNNING; i++) {
        if (change->makings[i]->refusal) {
            step_finish(bgp->job.plan, step, STEP_FAILED, "%s", change->makings[i]->refusal);
        }
    }
}

/* Whether `user` is that policy, or a map that refers to it. */
static bool refers_to(const struct bgp_policy *user, const struct bgp_policy *policy)
{
    if (!user) {
        return false;
    }
    if (user->kind == policy->kind && !strcmp(user->name, policy->name)) {
        return true;
    }
    for (size_t i = 0; i < BGP_LISTS; i++) {
        if (refers_to(user->lists[i], policy)) {
            return true;
        }
    }
    return false;
}

static bool peer_refers_to(const struct bgp_peer *peer, const struct bgp_policy *policy)
{
    for (size_t i = 0; i < BGP_FAMILIES * BGP_USES; i++) {
        if (refers_to(peer->families[i / BGP_USES].uses[i % BGP_USES], policy)) {
            return true;
        }
    }
    return false;
}

static bool is_referred_to(const struct bgp_state *seen, const struct bgp_policy *policy)
{
    for (size_t i = 0; i < seen->n_instances; i++) {
        for (size_t j = 0; j < seen->instances[i].n_peers; j++) {
            if (peer_refers_to(&seen->instances[i].peers[j], policy)) {
                return true;
            }
        }
    }
    return false;
}

/* What is to be dropped: maps, or what they may refer to. */
static void add_drops(struct bgp *bgp, bool maps, struct bgp_commands *commands)
{
    struct bgp_job *job = &bgp->job;

    for (size_t i = 0; i < job->n_steps; i++) {
        const struct bgp_change *change = job->steps[i]->data;

        for (size_t j = 0; j < change->n_drops; j++) {
            if ((change->drops[j]->kind == BGP_MAP) == maps &&
                !is_referred_to(bgp->seen, change->drops[j])) {
                bgp_command_drop(job->plan->arena, commands, change->drops[j]);
            }
        }
    }
}

/* The second exchange. Returns whether there is any. */
static bool send_drops(struct bgp *bgp)
{
    struct bgp_commands commands = {0};

    add_drops(bgp, true, &commands);
    add_drops(bgp, false, &commands);
    if (!commands.n) {
        return false;
    }
    send_text(bgp, NULL, NULL, "end", NULL);
    send_text(bgp, NULL, NULL, "configure terminal", NULL);
    for (size_t i = 0; i < commands.n; i++) {
        send_text(bgp, NULL, NULL, commands.v[i].text, NULL);
    }
    send_text(bgp, NULL, NULL, "end", NULL);
    return true;
}

/* Cuts short the time that a changed peer without a session waits before it tries again. */
static void kick(struct bgp *bgp, const struct bgp_change *change)
{
    const struct bgp_session *session =
        change->kick ? bgp_sessions_find(&bgp->sessions, change->network_id, change->kick) : NULL;
    char vrf[IFNAME_TEXT], address[ADDR_TEXT];

    if (session && !session->established) {
        send_text(bgp, NULL, NULL, "end", NULL);
        send_text(bgp, NULL, NULL,
                  arena_printf(bgp->job.plan->arena, "clear bgp vrf %s %s",
                               ids_vrf_name(change->network_id, vrf),
                               addr_print(change->kick, address)),
                  NULL);
    }
}

/* A network whose sessions are asked for before the commands, in the plan's arena. */
struct before {
    struct bgp *bgp;
    uint32_t network_id;
};

static void on_before(void *before_, const struct bgp_reply *reply)
{
    struct before *before = before_;
    struct bgp *bgp = before->bgp;

    if (bgp->job.stage != BGP_JOB_IDLE) {
        bgp->job.pending--;
        if (reply->status != BGP_VTY_BROKEN) {
            bgp_show_before(reply->text, before->network_id, &bgp->sessions, time_wall_msec());
        }
    }
}

/* Asks what the peers have said before their filters are changed (bgp_show.h). */
static void ask_before(struct bgp *bgp)
{
    struct bgp_job *job = &bgp->job;
    uint32_t last = 0;

    for (size_t i = 0; i < job->n_steps; i++) {
        const struct bgp_change *change = job->steps[i]->data;
        struct before *before;
        char vrf[IFNAME_TEXT];

        if (change->kick && change->network_id != last) {
            last = change->network_id;
            before = arena_alloc(job->plan->arena, sizeof *before);
            *before = (struct before){bgp, last};
            job->pending++;
            bgp_vty_send(job_vty(bgp),
                         arena_printf(job->plan->arena, "show bgp vrf %s neighbors json",
                                      ids_vrf_name(last, vrf)),
                         NULL, on_before, before);
        }
    }
}

static void enter(struct bgp_job *job, enum bgp_job_stage stage)
{
    static const char *const NAMES[] = {"idle", "commands", "read", "drop", "reread"};

    log_line(LOG_LEVEL_DEBUG, "bgp", "job %s -> %s", NAMES[job->stage], NAMES[stage]);
    job->stage = stage;
}

static void finish(struct bgp *bgp, const char *failure)
{
    struct bgp_job *job = &bgp->job;

    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i]->result == STEP_RUNNING) {
            if (failure) {
                step_finish(job->plan, job->steps[i], STEP_FAILED, "%s", failure);
            } else {
                step_finish(job->plan, job->steps[i], STEP_DONE, NULL);
            }
        }
    }
    enter(job, BGP_JOB_IDLE);
    bgp_vty_set_deadline(job_vty(bgp), BGP_VTY_DEADLINE_MS);
    job->pending = 0;
    job->plan = NULL;
    bgp->changed = true;
    bgp_watch_stir(bgp);
}

static void start(struct bgp *bgp)
{
    struct bgp_job *job = &bgp->job;
    uint32_t at = 0;

    enter(job, BGP_JOB_COMMANDS);
    bgp_vty_set_deadline(job_vty(bgp), JOB_DEADLINE_MS);
    if (job->daemon == BGP_BGPD) {
        ask_before(bgp);
        send_makings(bgp);
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        const struct bgp_change *change = job->steps[i]->data;

        send_commands(bgp, job->steps[i], &at);
        if (change->network_id) {
            bgp_show_unsettle(&bgp->sessions, change->network_id);
        }
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        kick(bgp, job->steps[i]->data);
    }
    send_text(bgp, NULL, NULL, "end", NULL);
}

void bgp_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    struct bgp *bgp = CONTAINER_OF(backend, struct bgp, up);
    struct bgp_job *job = &bgp->job;

    *job = (struct bgp_job){.plan = plan};
    job->steps = arena_calloc(plan->arena, n, sizeof *job->steps);
    for (size_t i = 0; i < n; i++) {
        const struct bgp_change *change = steps[i]->data;

        if (change->refusal) {
            step_finish(plan, steps[i], STEP_FAILED, "%s", change->refusal);
            continue;
        }
        job->daemon = change->daemon; /* one phase is one daemon's */
        steps[i]->result = STEP_RUNNING;
        job->steps[job->n_steps++] = steps[i];
    }
    job->session = bgp_vty_session(job_vty(bgp));
    if (!job->n_steps) {
        return;
    }
    if (!bgp_vty_answers(job_vty(bgp)) || !bgp->seen) {
        finish(bgp, bgp_vty_problem(job_vty(bgp)));
        return;
    }
    start(bgp);
}

void bgp_apply_run(struct bgp *bgp)
{
    struct bgp_job *job = &bgp->job;

    if (job->stage == BGP_JOB_IDLE) {
        return;
    }
    if (!bgp_vty_answers(job_vty(bgp)) || bgp_vty_session(job_vty(bgp)) != job->session) {
        finish(bgp, bgp_vty_problem(job_vty(bgp)));
        return;
    }
    if ((job->stage == BGP_JOB_COMMANDS || job->stage == BGP_JOB_DROP) && !job->pending) {
        enter(job, job->stage + 1);
        bgp_watch_read(bgp, job->daemon);
    } else if (job->stage == BGP_JOB_READ && !bgp_watch_reads(bgp, job->daemon)) {
        for (size_t i = 0; i < job->n_steps; i++) {
            fail_unmade(bgp, job->steps[i]);
        }
        enter(job, BGP_JOB_DROP);
        if (job->daemon != BGP_BGPD || !send_drops(bgp)) {
            finish(bgp, NULL);
        }
    } else if (job->stage == BGP_JOB_REREAD && !bgp_watch_reads(bgp, job->daemon)) {
        finish(bgp, NULL);
    }
}
