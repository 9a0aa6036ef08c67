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
    char reason[400];
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

/* What the steps were about. */
static void read_back(struct batch *batch)
{
    uint32_t *ids = calloc(batch->n_jobs, sizeof *ids);

    if (!ids) {
        abort();
    }
    for (size_t i = 0; i < batch->n_jobs; i++) {
        ids[i] = batch->jobs[i].change->id;
    }
    batch->reading_back = true;
    sync_list_few(batch->ipsec, ids, batch->n_jobs);
    free(ids);
}

bool batch_concerns(const struct ipsec *ipsec, uint32_t id)
{
    for (size_t i = 0; ipsec->batch && i < ipsec->batch->n_jobs; i++) {
        if (ipsec->batch->jobs[i].change->id == id) {
            return true;
        }
    }
    return false;
}

/* When everything has been answered: reads back, or, if nobody waits for it any more, frees the
 * batch. */
static void batch_check(struct batch *batch)
{
    if (batch->outstanding > 0) {
        return;
    }
    if (batch->abandoned) {
        batch_delete(batch);
    } else if (!batch->reading_back) {
        read_back(batch);
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
        } else if (job->change->load_conn) {
            keeper_outdated(batch->ipsec, job->change->id);
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

/* Whether it was read and is one that the cloud takes; else the job failed. */
static bool take_secret(struct job *job, struct secret *ret_secret)
{
    const struct ipsec_tunnel *tunnel = job->change->tunnel;
    char text[PROFILE_FAULT_TEXT];
    const char *fault;
    int error = secret_read(tunnel->secrets_directory, tunnel->secret_name, ret_secret);

    if (error) {
        job_fail(job, "the secret cannot be read", strerror(-error));
        return false;
    }
    fault = profile_psk_fault(tunnel->profile, &tunnel->psk, (const char *)ret_secret->bytes,
                              ret_secret->len, text);
    if (fault) {
        secret_wipe(ret_secret);
        job_fail(job, tunnel->secret_name, fault);
    }
    return !fault;
}

static void load_secret(struct job *job)
{
    const struct ipsec_tunnel *tunnel = job->change->tunnel;
    struct ipsec_secret id = {.id = tunnel->conn.id, .version = tunnel->secret_version};
    struct vici_writer writer;
    struct secret secret;
    char name[IPSEC_SECRET_TEXT];

    if (!take_secret(job, &secret)) {
        return;
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
}

static void load_conn(struct job *job, const struct ipsec_pki *pki)
{
    struct ipsec_tunnel tunnel = *job->change->tunnel;
    struct vici_writer writer;

    tunnel.conn.loaded_s = (uint32_t)(time_wall_msec() / 1000);
    vici_begin(&writer, VICI_CMD_REQUEST, "load-conn");
    ipsec_write_conn(&writer, &tunnel, pki);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
}

/* ---------------------------------------------------------------- certificates */

static void load_certificate(struct job *job, const char *type, const struct ipsec_blob *blob)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, "load-cert");
    vici_key(&writer, "type", type);
    vici_key(&writer, "flag", "NONE");
    vici_key_bytes(&writer, "data", blob->bytes, blob->len);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
}

/* Says that the key is ours, before it is there: of a type that only a password of EAP would be
 * looked up by, for an identity that nobody has. */
static void load_key_mark(struct job *job)
{
    const struct ipsec_conn *conn = &job->change->tunnel->conn;
    struct ipsec_secret id = {.id = conn->id, .version = conn->key};
    struct vici_writer writer;
    char name[IPSEC_SECRET_TEXT];

    vici_begin(&writer, VICI_CMD_REQUEST, "load-shared");
    vici_key(&writer, "id", ipsec_secret_name(&id, name));
    vici_key(&writer, "type", "NTLM");
    vici_key(&writer, "data", name);
    vici_list(&writer, "owners");
    vici_item(&writer, name);
    vici_list_end(&writer);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
}

static void load_key(struct job *job, const struct ipsec_pki *pki)
{
    struct vici_writer writer;

    load_key_mark(job);

    vici_begin(&writer, VICI_CMD_REQUEST, "load-key");
    vici_key(&writer, "type", "any");
    vici_key_bytes(&writer, "data", pki->key.bytes, pki->key.len);
    job_queue(job, job->batch->ipsec->commands, &writer, job_loaded);
    for (size_t i = 0; i < pki->n_chain; i++) {
        load_certificate(job, "X509", &pki->chain[i]);
    }
    if (pki->crl.bytes) {
        load_certificate(job, "X509_CRL", &pki->crl);
    }
}

/* The files may have changed since the plan was made: then its key would not be what the mark says,
 * and the next plan is right. */
static void load_with_certificate(struct job *job)
{
    const struct ipsec_change *change = job->change;
    const struct ipsec_tunnel *tunnel = change->tunnel;
    char fault[IPSEC_PKI_FAULT];
    struct ipsec_pki pki;

    if (ipsec_pki_load(tunnel->secrets_directory, &tunnel->files, time_wall_msec() / 1000, &pki,
                       fault) != 0) {
        job_fail(job, "the certificate cannot be used", fault);
        return;
    }
    if (ipsec_key_number(pki.key_id) != tunnel->conn.key) {
        job_fail(job, "the certificate cannot be used", "its files are being changed");
    } else {
        if (change->load_key) {
            load_key(job, &pki);
        }
        if (change->load_conn) {
            load_conn(job, &pki);
        }
    }
    ipsec_pki_done(&pki);
}

static void load_with_secret(struct job *job)
{
    if (job->change->load_secret) {
        load_secret(job);
    }
    if (job->change->load_conn && !job->failed) {
        load_conn(job, NULL);
    }
}

static void unload(struct job *job, const char *command, const char *key, const char *name)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_REQUEST, command);
    vici_key(&writer, key, name);
    job_queue(job, job->batch->ipsec->commands, &writer, job_unloaded);
}

/* The secret or key before the connection, so that nothing is ever authenticated by another's; both
 * gone the other way round. */
static void job_start(struct job *job)
{
    const struct ipsec_change *change = job->change;
    char name[IPSEC_SECRET_TEXT];

    if (change->load_key || change->load_secret || change->load_conn) {
        (change->tunnel->files.certificate ? load_with_certificate : load_with_secret)(job);
    }
    if (job->failed) {
        return;
    }
    if (change->unload_conn) {
        unload(job, "unload-conn", "name", ipsec_name(change->id, name));
    }
    for (size_t i = 0; i < change->n_unload_secrets; i++) {
        unload(job, "unload-shared", "id", ipsec_secret_name(&change->unload_secrets[i], name));
    }
    if (change->unload_key) {
        unload(job, "unload-key", "id", change->unload_key);
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
