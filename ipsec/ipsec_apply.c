#include "ipsec/ipsec_diff.h"
#include "ipsec/ipsec_internal.h"

#include "backend/secret.h"
#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <stdlib.h>
#include <string.h>

/* A step under way. Its commands are queued in order; what touches SAs goes out when all of them
 * have been answered, since it takes another connection. */
struct job {
    struct batch *batch;
    struct step *step;
    const struct ipsec_change *change;
    unsigned int outstanding;
    bool failed;
    char reason[256];
};

/* All steps of an apply(). They end together, when the lists have been read back. */
struct batch {
    struct ipsec *ipsec;
    struct plan *plan;
    struct job *jobs;
    size_t n_jobs;
    unsigned int outstanding; /* answers, of all jobs */
    bool reading_back, abandoned;
    long long progress_ms; /* when the last answer came */
};

static void job_ended_sas(void *aux, int error, const struct vici_packet *packet);

static void batch_delete(struct batch *batch)
{
    free(batch->jobs);
    free(batch);
}

/* When everything has been answered: reads back, or, if nobody waits for it any more, frees the
 * batch. */
static void batch_check(struct batch *batch)
{
    struct ipsec *ipsec = batch->ipsec;

    if (batch->outstanding > 0) {
        return;
    }
    if (batch->abandoned) {
        batch_delete(batch);
    } else if (!batch->reading_back) {
        batch->reading_back = true;
        sync_list(ipsec);
    }
}

/* ---------------------------------------------------------------- one step's commands */

static void job_fail(struct job *job, const char *what, const char *why)
{
    if (!job->failed) {
        job->failed = true;
        snprintf(job->reason, sizeof job->reason, "%s: %s", what, why);
    }
}

static void job_queue(struct job *job, struct link *link, struct vici_writer *writer,
                      link_answer_cb *answer)
{
    job->outstanding++;
    job->batch->outstanding++;
    link_request(link, writer, answer, job);
}

static void end_sas(struct job *job)
{
    struct vici_writer writer;
    char name[IPSEC_NAME_TEXT];

    vici_begin(&writer, VICI_CMD_REQUEST, "terminate");
    vici_key(&writer, "ike", ipsec_name(job->change->id, name));
    vici_key(&writer, "force", "yes");
    vici_key(&writer, "timeout", "-1");
    job_queue(job, job->batch->ipsec->sas, &writer, job_ended_sas);
}

/* Counts an answer; after the last one of the configuration come the SAs. */
static void job_answered(struct job *job, int error, bool config)
{
    struct batch *batch = job->batch;

    batch->progress_ms = time_msec();
    job->outstanding--;
    batch->outstanding--;
    if (config && job->outstanding == 0 && !error && !job->failed && !batch->abandoned) {
        if (job->change->end_sas) {
            end_sas(job);
        }
        keeper_hurry(batch->ipsec, job->change->id);
    }
    batch_check(batch);
}

/* That there are none is as good; what is left over is seen when the lists are read. */
static void job_ended_sas(void *aux, int error, const struct vici_packet *packet)
{
    (void)packet;
    job_answered(aux, error, false);
}

static void job_loaded(void *aux, int error, const struct vici_packet *packet)
{
    struct job *job = aux;
    char why[200];

    if (!sync_succeeded(error, packet, why, sizeof why)) {
        job_fail(job, "charon refused it", why);
    }
    job_answered(job, error, true);
}

/* Likewise: what was not there need not be unloaded. */
static void job_unloaded(void *aux, int error, const struct vici_packet *packet)
{
    (void)packet;
    job_answered(aux, error, true);
}

static int load_secret(struct job *job)
{
    const struct ipsec_tunnel *tunnel = job->change->tunnel;
    struct ipsec_secret id = {.id = tunnel->conn.id, .version = tunnel->secret_version};
    struct vici_writer writer;
    struct secret secret;
    char name[IPSEC_SECRET_TEXT];

    int error = secret_read(tunnel->secrets_directory, tunnel->secret_name, &secret);
    if (error) {
        return error;
    }
    vici_begin(&writer, VICI_CMD_REQUEST, "load-shared");
    vici_key(&writer, "id", ipsec_secret_name(&id, name));
    vici_key(&writer, "type", "IKE");
    vici_key_bytes(&writer, "data", secret.bytes, secret.len);
    vici_list(&writer, "owners");
    vici_item(&writer, tunnel->conn.remote_id);
    if (tunnel->secret_narrow) {
        vici_item(&writer, tunnel->conn.local_id);
    }
    vici_list_end(&writer);
    secret_wipe(&secret);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
    return 0;
}

static void unload(struct job *job, const char *command, const char *key, const char *name)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, command);
    vici_key(&writer, key, name);
    job_queue(job, job->batch->ipsec->commands, &writer, job_unloaded);
}

static void write_list(struct vici_writer *writer, const char *name, const char *const *values,
                       size_t n)
{
    vici_list(writer, name);
    for (size_t i = 0; i < n; i++) {
        vici_item(writer, values[i]);
    }
    vici_list_end(writer);
}

/* A comma separated list of addresses as a list. */
static void write_addrs(struct vici_writer *writer, const char *name, const char *addrs)
{
    char addr[ADDR_TEXT];

    vici_list(writer, name);
    while (*addrs) {
        size_t len = strcspn(addrs, ",");
        snprintf(addr, sizeof addr, "%.*s", (int)len, addrs);
        vici_item(writer, addr);
        addrs += len + (addrs[len] == ',');
    }
    vici_list_end(writer);
}

static void write_child(struct vici_writer *writer, const struct ipsec_tunnel *tunnel)
{
    static const char *const anything[] = {"0.0.0.0/0", "::/0"};
    const struct profile *profile = tunnel->profile;
    char name[IPSEC_NAME_TEXT];

    vici_section(writer, ipsec_name(tunnel->conn.id, name));
    vici_key(writer, "mode", "tunnel");
    write_list(writer, "local_ts", anything, 2);
    write_list(writer, "remote_ts", anything, 2);
    vici_key_printf(writer, "if_id_in", "%u", tunnel->conn.id);
    vici_key_printf(writer, "if_id_out", "%u", tunnel->conn.id);
    write_list(writer, "esp_proposals", (const char *const *)profile->esp_proposals,
               profile->n_esp_proposals);
    vici_key_printf(writer, "rekey_time", "%us", tunnel->conn.child_rekey_s);
    vici_key(writer, "start_action", "none");
    vici_key(writer, "close_action", "none");
    vici_key(writer, "dpd_action", "none");
    vici_section_end(writer);
}

static void write_auth(struct vici_writer *writer, const char *section, const char *id,
                       const char *mark)
{
    vici_section(writer, section);
    vici_key(writer, "auth", "psk");
    vici_key(writer, "id", id);
    if (mark) {
        vici_key_printf(writer, "aaa_id", "@%s", mark);
    }
    vici_section_end(writer);
}

/* A change here needs another SETTINGS_VERSION in ipsec_want.c. */
static void write_conn(struct vici_writer *writer, const struct ipsec_tunnel *tunnel)
{
    const struct ipsec_conn *conn = &tunnel->conn;
    const struct profile *profile = tunnel->profile;
    char name[IPSEC_NAME_TEXT], mark[IPSEC_MARK_TEXT];

    vici_section(writer, ipsec_name(conn->id, name));
    vici_key(writer, "version", "2");
    write_addrs(writer, "local_addrs", conn->local_addr);
    write_addrs(writer, "remote_addrs", conn->remote_addrs);
    write_list(writer, "proposals", (const char *const *)profile->ike_proposals,
               profile->n_ike_proposals);
    vici_key(writer, "mobike", "no");
    vici_key(writer, "unique", "no");
    vici_key(writer, "keyingtries", "1");
    vici_key(writer, "send_certreq", "no");
    vici_key_printf(writer, "dpd_delay", "%us", conn->dpd_delay_s);
    vici_key_printf(writer, "rekey_time", "%us", conn->ike_rekey_s);
    vici_key(writer, "reauth_time", "0s");
    write_auth(writer, "local", conn->local_id, ipsec_mark(conn, mark));
    write_auth(writer, "remote", conn->remote_id, NULL);
    vici_section(writer, "children");
    write_child(writer, tunnel);
    vici_section_end(writer);
    vici_section_end(writer);
}

static void load_conn(struct job *job)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, "load-conn");
    write_conn(&writer, job->change->tunnel);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
}

/* The secret before the connection, so that nothing is ever authenticated by another's; both gone
 * the other way round. */
static void job_start(struct job *job)
{
    const struct ipsec_change *change = job->change;
    char name[IPSEC_SECRET_TEXT];

    if (change->load_secret) {
        int error = load_secret(job);
        if (error) {
            job_fail(job, "the secret cannot be read", strerror(-error));
            return;
        }
    }
    if (change->load_conn) {
        load_conn(job);
    }
    if (change->unload_conn) {
        unload(job, "unload-conn", "name", ipsec_name(change->id, name));
    }
    for (size_t i = 0; i < change->n_unload_secrets; i++) {
        unload(job, "unload-shared", "id", ipsec_secret_name(&change->unload_secrets[i], name));
    }
    if (job->outstanding == 0 && change->end_sas) {
        end_sas(job);
    }
}

/* ---------------------------------------------------------------- all of them */

static bool refuse(struct plan *plan, struct step *step, const struct ipsec_change *change)
{
    if (change->refusal == IPSEC_ACCEPTED) {
        return false;
    }
    step_finish(plan, step, change->refusal == IPSEC_NEVER ? STEP_FAILED : STEP_NOT_READY, "%s",
                change->reason);
    return true;
}

void batch_start(struct ipsec *ipsec, struct plan *plan, struct step **steps, size_t n)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (!batch || !(batch->jobs = calloc(n ? n : 1, sizeof *batch->jobs))) {
        abort();
    }
    batch->ipsec = ipsec;
    batch->plan = plan;
    batch->progress_ms = time_msec();
    for (size_t i = 0; i < n; i++) {
        if (ipsec->sync.stage != SYNC_READY) {
            step_finish(plan, steps[i], STEP_FAILED, "%s", ipsec->sync.reason);
        } else if (!refuse(plan, steps[i], steps[i]->data)) {
            steps[i]->result = STEP_RUNNING;
            batch->jobs[batch->n_jobs++] =
                (struct job){.batch = batch, .step = steps[i], .change = steps[i]->data};
        }
    }
    if (batch->n_jobs == 0) {
        batch_delete(batch);
        return;
    }
    ipsec->batch = batch;
    for (size_t i = 0; i < batch->n_jobs; i++) {
        job_start(&batch->jobs[i]);
    }
    batch_check(batch);
}

/* Takes the batch off; its memory stays until the last answer has come. */
static void batch_end(struct ipsec *ipsec)
{
    struct batch *batch = ipsec->batch;

    ipsec->batch = NULL;
    ipsec->changed = true;
    batch->abandoned = true;
    batch_check(batch);
}

void batch_listed(struct ipsec *ipsec)
{
    struct batch *batch = ipsec->batch;

    if (!batch || !batch->reading_back) {
        return;
    }
    for (size_t i = 0; i < batch->n_jobs; i++) {
        struct job *job = &batch->jobs[i];
        if (job->failed) {
            step_finish(batch->plan, job->step, STEP_FAILED, "%s", job->reason);
        } else {
            step_finish(batch->plan, job->step, STEP_DONE, NULL);
        }
    }
    batch_end(ipsec);
}

void batch_fail(struct ipsec *ipsec, const char *reason)
{
    struct batch *batch = ipsec->batch;

    if (!batch) {
        return;
    }
    for (size_t i = 0; i < batch->n_jobs; i++) {
        struct job *job = &batch->jobs[i];
        step_finish(batch->plan, job->step, STEP_FAILED, "%s", job->failed ? job->reason : reason);
    }
    batch_end(ipsec);
}

/* The deadline is for progress: many steps may take longer than BACKEND_DEADLINE_MS together on a
 * slow machine. */
void batch_run(struct ipsec *ipsec)
{
    if (ipsec->batch && time_msec() >= ipsec->batch->progress_ms + BACKEND_DEADLINE_MS) {
        batch_fail(ipsec, "charon did not answer in time");
    }
}

void batch_wait(const struct ipsec *ipsec)
{
    if (ipsec->batch) {
        poll_timer_wait_until(ipsec->batch->progress_ms + BACKEND_DEADLINE_MS);
    }
}

void batch_drop(struct ipsec *ipsec)
{
    if (ipsec->batch) {
        batch_end(ipsec);
    }
}
