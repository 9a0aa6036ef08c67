#include "ipsec/ipsec_internal.h"
#include "log/log.h"

#include <errno.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void enter_list(struct ipsec *ipsec);

bool sync_succeeded(int error, const struct vici_packet *packet, char *buffer, size_t size)
{
    struct vici_text text = {"", 0};

    if (error) {
        snprintf(buffer, size, "%s",
                 error == -ECONNRESET ? "the connection to charon was lost" : strerror(-error));
        return false;
    }
    if (vici_find(packet, "success", &text) && vici_text_is(text, "yes")) {
        return true;
    }
    text = (struct vici_text){"charon says no more", 19};
    vici_find(packet, "errmsg", &text);
    vici_text_copy(text, buffer, size);
    return false;
}

/* ---------------------------------------------------------------- stages */

static void close_links(struct ipsec *ipsec)
{
    link_close(ipsec->commands);
    link_close(ipsec->sas);
    link_close(ipsec->events);
}

void sync_lose(struct ipsec *ipsec, const char *format, ...)
{
    struct sync *sync = &ipsec->sync;
    va_list args;

    char before[sizeof sync->reason];
    memcpy(before, sync->reason, sizeof before);
    va_start(args, format);
    vsnprintf(sync->reason, sizeof sync->reason, format, args);
    va_end(args);
    if (!sync->was_away || strcmp(before, sync->reason) != 0) {
        log_line(LOG_LEVEL_WARNING, "ipsec", "%s", sync->reason);
        ipsec->changed = true;
    }
    sync->was_away = true;
    sync->stage = SYNC_CLOSED;
    sync->listing = sync->reading_sas = sync->list_again = false;
    sync->n_again = 0;
    batch_fail(ipsec, sync->reason);
    close_links(ipsec);
    ipsec_seen_done(&sync->fresh);
    keeper_reset(ipsec);
    sync->retry_ms = time_msec() + sync->backoff_ms;
    sync->backoff_ms =
        sync->backoff_ms * 2 > RECONNECT_MAX_MS ? RECONNECT_MAX_MS : sync->backoff_ms * 2;
}

/* An answer that only counts. */
static void on_registered(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    (void)packet; /* an event that this charon does not know is done without */

    if (error != -ECONNRESET && --ipsec->sync.unanswered == 0) {
        enter_list(ipsec);
    }
}

static void on_algorithms(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;

    if (!error) {
        ipsec_seen_algorithms(&ipsec->seen, packet);
        ipsec->wanted_stale = true;
    }
    on_registered(aux, error, packet);
}

static void register_event(struct ipsec *ipsec, struct link *link, const char *event)
{
    ipsec->sync.unanswered++;
    link_register(link, event, on_registered, ipsec);
}

static void enter_register(struct ipsec *ipsec)
{
    static const char *const events[] = {"child-updown", "ike-updown", "child-rekey",
                                         "ike-rekey",    "ike-update", "log"};
    int error = link_open(ipsec->events);

    error = error ? error : link_open(ipsec->sas);
    if (error) {
        sync_lose(ipsec, "charon does not take a second connection on unix://%s: %s", ipsec->path,
                  strerror(-error));
        return;
    }
    ipsec->sync.stage = SYNC_REGISTER;
    ipsec->sync.unanswered = 0;
    register_event(ipsec, ipsec->commands, "list-conn");
    register_event(ipsec, ipsec->sas, "list-sa");
    ipsec->sync.unanswered++;
    link_command(ipsec->commands, "get-algorithms", on_algorithms, ipsec);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        register_event(ipsec, ipsec->events, events[i]);
    }
}

static void on_hello(void *aux, int error, const struct vici_packet *packet)
{
    (void)packet;
    if (error != -ECONNRESET) {
        enter_register(aux);
    }
}

static void open_first(struct ipsec *ipsec)
{
    int error = link_open(ipsec->commands);

    if (error) {
        sync_lose(ipsec, "charon does not answer on unix://%s: %s; is strongSwan running?",
                  ipsec->path, strerror(-error));
        return;
    }
    ipsec->sync.stage = SYNC_HELLO;
    link_command(ipsec->commands, "version", on_hello, ipsec);
}

static void enter_list(struct ipsec *ipsec)
{
    ipsec->sync.stage = SYNC_LIST;
    ipsec->sync.all_dirty = false;
    ipsec->sync.n_dirty = 0;
    sync_list(ipsec);
}

static void enter_ready(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;

    sync->stage = SYNC_READY;
    sync->backoff_ms = RECONNECT_MIN_MS;
    sync->was_away = false;
    sync->reason[0] = '\0';
    sync->poll_ms = time_msec() + POLL_MS;
    ipsec->changed = true;
    log_line(LOG_LEVEL_INFO, "ipsec", "connected to charon: %zu connections and %zu SAs are ours",
             ipsec->seen.n_conns, ipsec->seen.n_sas);
}

/* ---------------------------------------------------------------- lists */

static void note_change(struct ipsec *ipsec, bool conns)
{
    ipsec->changed = true;
    ipsec->wanted_stale = ipsec->wanted_stale || conns;
}

static void take_fresh_sas(struct ipsec *ipsec)
{
    struct ipsec_seen *seen = &ipsec->seen, *fresh = &ipsec->sync.fresh;

    free(seen->sas);
    seen->sas = fresh->sas;
    seen->n_sas = fresh->n_sas;
    fresh->sas = NULL;
    fresh->n_sas = 0;
    ipsec->sync.counters_ms = time_msec();
}

static void take_fresh_secrets(struct ipsec_seen *seen, struct ipsec_seen *fresh)
{
    ipsec_seen_clear_secrets(seen);
    seen->secrets = fresh->secrets;
    seen->n_secrets = fresh->n_secrets;
    fresh->secrets = NULL;
    fresh->n_secrets = 0;
    ipsec_seen_clear_keys(seen);
    seen->keys = fresh->keys;
    seen->n_keys = fresh->n_keys;
    fresh->keys = NULL;
    fresh->n_keys = 0;
}

static void take_fresh_conns(struct ipsec_seen *seen, struct ipsec_seen *fresh)
{
    ipsec_seen_clear_conns(seen);
    seen->arena = fresh->arena;
    seen->conns = fresh->conns;
    seen->n_conns = fresh->n_conns;
    fresh->arena = NULL;
    fresh->conns = NULL;
    fresh->n_conns = 0;
}

static void take_all(struct ipsec *ipsec)
{
    struct ipsec_seen *seen = &ipsec->seen, *fresh = &ipsec->sync.fresh;
    uint64_t before = ipsec_seen_digest(seen);

    take_fresh_sas(ipsec);
    take_fresh_secrets(seen, fresh);
    take_fresh_conns(seen, fresh);
    ipsec->sync.n_partly = 0;
    if (ipsec_seen_digest(seen) != before) {
        note_change(ipsec, true);
    }
    keeper_seen(ipsec);
}

/* A connection and its SAs. */
static void take_id(struct ipsec *ipsec, uint32_t id)
{
    uint64_t before = ipsec_seen_digest_id(&ipsec->seen, id);

    ipsec_seen_take_conn(&ipsec->seen, &ipsec->sync.fresh, id);
    ipsec_seen_take_sas(&ipsec->seen, &ipsec->sync.fresh, id);
    if (ipsec_seen_digest_id(&ipsec->seen, id) != before) {
        note_change(ipsec, true);
    }
    keeper_seen_id(ipsec, id);
}

static void take_few(struct ipsec *ipsec)
{
    struct ipsec_seen *seen = &ipsec->seen, *fresh = &ipsec->sync.fresh;
    uint64_t before = ipsec_seen_digest_secrets(seen);

    take_fresh_secrets(seen, fresh);
    if (ipsec_seen_digest_secrets(seen) != before) {
        note_change(ipsec, false);
    }
    for (size_t i = 0; i < ipsec->sync.n_listed; i++) {
        take_id(ipsec, ipsec->sync.listed[i]);
    }
    ipsec_seen_done(fresh);
}

static void take_fresh(struct ipsec *ipsec)
{
    ipsec_seen_sort(&ipsec->sync.fresh);
    (ipsec->sync.n_listed > 0 ? take_few : take_all)(ipsec);
}

/* Whether there was something to be listed after the present lists. */
static bool list_again(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;
    size_t n = sync->n_again;

    sync->n_again = 0;
    if (sync->list_again) {
        sync->list_again = false;
        sync_list(ipsec);
    } else if (n > 0) {
        sync_list_few(ipsec, sync->again, n);
    } else {
        return false;
    }
    return true;
}

static void on_listed(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    struct sync *sync = &ipsec->sync;
    (void)packet;

    if (!sync->listing || error || --sync->list_parts > 0) {
        return;
    }
    sync->listing = false;
    take_fresh(ipsec);
    if (sync->stage == SYNC_LIST) {
        enter_ready(ipsec);
    }
    if (!list_again(ipsec)) {
        batch_listed(ipsec);
    }
}

static void on_secrets(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;

    if (!error) {
        ipsec_seen_secrets(&ipsec->sync.fresh, packet);
    }
    on_listed(aux, error, packet);
}

static void on_keys(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;

    if (!error) {
        ipsec_seen_keys(&ipsec->sync.fresh, packet);
    }
    on_listed(aux, error, packet);
}

/* Asks for connections or SAs: of an id, or all (0). */
static void request_list(struct ipsec *ipsec, struct link *link, const char *command, uint32_t id,
                         link_answer_cb *answer)
{
    struct vici_writer writer;
    char name[IPSEC_NAME_TEXT];

    vici_begin(&writer, VICI_CMD_REQUEST, command);
    if (id != 0) {
        vici_key(&writer, "ike", ipsec_name(id, name));
    }
    link_request(link, &writer, answer, ipsec);
}

static void list_id(struct ipsec *ipsec, uint32_t id)
{
    request_list(ipsec, ipsec->commands, "list-conns", id, on_listed);
    request_list(ipsec, ipsec->sas, "list-sas", id, on_listed);
    ipsec->sync.list_parts += 2;
}

/* Secrets and keys: charon lists no few of them. */
static void begin_list(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;

    sync->listing = true;
    sync->list_parts = 2;
    sync->n_listed = 0;
    /* Not the SAs: some may be coming in, and have been taken by the time that list-sas' turn
     * comes. */
    ipsec_seen_clear_conns(&sync->fresh);
    ipsec_seen_clear_secrets(&sync->fresh);
    ipsec_seen_clear_keys(&sync->fresh);
    link_command(ipsec->commands, "get-shared", on_secrets, ipsec);
    link_command(ipsec->commands, "get-keys", on_keys, ipsec);
}

/* All is listed once there is a connection. */
static bool may_list(const struct ipsec *ipsec)
{
    return link_is_open(ipsec->commands) && link_is_open(ipsec->sas);
}

void sync_list(struct ipsec *ipsec)
{
    if (ipsec->sync.listing) {
        ipsec->sync.list_again = true;
    } else if (may_list(ipsec)) {
        begin_list(ipsec);
        list_id(ipsec, 0);
    }
}

/* Adds to those that are listed after the present lists. */
static void list_later(struct sync *sync, uint32_t id)
{
    for (size_t i = 0; i < sync->n_again; i++) {
        if (sync->again[i] == id) {
            return;
        }
    }
    if (sync->n_again == LIST_FEW) {
        sync->list_again = true;
    } else {
        sync->again[sync->n_again++] = id;
    }
}

/* Every now and then all are listed, too: what is known of the others is what charon said, but one
 * never knows; and the strings of what was replaced pile up in the arena. */
void sync_list_few(struct ipsec *ipsec, const uint32_t *ids, size_t n)
{
    struct sync *sync = &ipsec->sync;

    if (sync->n_partly + n > LIST_FEW) {
        sync_list(ipsec);
    } else if (sync->listing) {
        for (size_t i = 0; i < n; i++) {
            list_later(sync, ids[i]);
        }
    } else if (may_list(ipsec)) {
        begin_list(ipsec);
        for (size_t i = 0; i < n; i++) {
            sync->listed[sync->n_listed++] = ids[i];
            list_id(ipsec, ids[i]);
        }
        sync->n_partly += n;
    }
}

/* A list is streamed as events on the connection that asked. */
static void on_list_event(void *aux, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    int error = 0;

    if (vici_text_is(packet->name, "list-conn") && ipsec->sync.listing) {
        error = ipsec_seen_conn(&ipsec->sync.fresh, packet);
    } else if (vici_text_is(packet->name, "list-sa")) {
        error = ipsec_seen_sa(&ipsec->sync.fresh, packet);
    }
    if (error) {
        log_line(LOG_LEVEL_WARNING, "ipsec", "charon sent a list that cannot be read");
    }
}

/* ---------------------------------------------------------------- SAs after events */

static void take_sas(struct ipsec *ipsec)
{
    struct ipsec_seen *seen = &ipsec->seen, *fresh = &ipsec->sync.fresh;
    uint32_t id = ipsec->sync.reading_id;
    uint64_t before = id ? ipsec_seen_digest_id(seen, id) : ipsec_seen_digest(seen);

    ipsec_seen_sort(fresh);
    if (id) {
        ipsec_seen_take_sas(seen, fresh, id);
        ipsec_seen_clear_sas(fresh, 0);
        keeper_seen_id(ipsec, id);
    } else {
        take_fresh_sas(ipsec);
        keeper_seen(ipsec);
    }
    if ((id ? ipsec_seen_digest_id(seen, id) : ipsec_seen_digest(seen)) != before) {
        note_change(ipsec, false);
    }
}

static void on_sas(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    (void)packet;

    if (!error && ipsec->sync.reading_sas) {
        ipsec->sync.reading_sas = false;
        take_sas(ipsec);
    }
}

static void read_sas(struct ipsec *ipsec, uint32_t id)
{
    ipsec->sync.reading_sas = true;
    ipsec->sync.reading_id = id;
    ipsec->sync.refresh_ms = time_msec() + REFRESH_MS;
    request_list(ipsec, ipsec->sas, "list-sas", id, on_sas);
}

static void mark_dirty(struct sync *sync, uint32_t id)
{
    enum { FEW = 64 }; /* a list of one makes charon ask the kernel about one only */

    for (size_t i = 0; i < sync->n_dirty; i++) {
        if (sync->dirty[i] == id) {
            return;
        }
    }
    if (sync->n_dirty == FEW || sync->all_dirty) {
        sync->all_dirty = true;
        return;
    }
    if (!sync->dirty && !(sync->dirty = calloc(FEW, sizeof *sync->dirty))) {
        abort();
    }
    sync->dirty[sync->n_dirty++] = id;
}

static bool counters_due(const struct sync *sync)
{
    return sync->counters_wanted && time_msec() >= sync->counters_ms + COUNTERS_MS;
}

/* One of those that changed, or all at once if those are many. */
static void refresh_sas(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;

    if (sync->listing || sync->reading_sas) {
        return;
    }
    if (counters_due(sync) || (sync->all_dirty && time_msec() >= sync->refresh_ms)) {
        sync->all_dirty = sync->counters_wanted = false;
        sync->n_dirty = 0;
        read_sas(ipsec, 0);
    } else if (sync->n_dirty > 0 && !sync->all_dirty) {
        read_sas(ipsec, sync->dirty[--sync->n_dirty]);
    }
}

/* Somebody loaded something of an id (0: nothing), or our last steps did: the log is a stream of
 * its own, and its lines may come late. What is loaded before the first lists is in them. */
static void on_loaded(struct ipsec *ipsec, uint32_t id)
{
    if (id != 0 && ipsec->sync.stage >= SYNC_LIST && !batch_concerns(ipsec, id)) {
        sync_list_few(ipsec, &id, 1);
    }
}

static void on_event(void *aux, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;

    if (vici_text_is(packet->name, "log")) {
        struct ipsec_log log;
        if (ipsec_event_log(packet, &log) != 0) {
            return;
        }
        on_loaded(ipsec, ipsec_log_loaded(log.group, log.text));
        keeper_log(ipsec, &log);
        return;
    }
    uint32_t id = ipsec_event_id(packet);
    if (id != 0) {
        mark_dirty(&ipsec->sync, id);
        if (vici_text_is(packet->name, "child-rekey") || vici_text_is(packet->name, "ike-rekey")) {
            keeper_rekeyed(ipsec, id);
        }
    }
}

/* ---------------------------------------------------------------- polling names */

static void compare_names(struct ipsec *ipsec, int error, const struct vici_packet *packet,
                          uint64_t known)
{
    if (error) {
        return;
    }
    ipsec->sync.polls--;
    /* While steps are under way the lists change by our own doing, and are read after it. */
    if (!ipsec->batch && !ipsec->sync.listing && ipsec_seen_names(packet) != known) {
        log_line(LOG_LEVEL_INFO, "ipsec",
                 "somebody loaded or unloaded connections, secrets or keys in charon");
        sync_list(ipsec);
    }
}

static void on_conn_names(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    compare_names(ipsec, error, packet, ipsec_seen_conn_names(&ipsec->seen));
}

static void on_secret_names(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    compare_names(ipsec, error, packet, ipsec_seen_secret_names(&ipsec->seen));
}

static void on_key_names(void *aux, int error, const struct vici_packet *packet)
{
    struct ipsec *ipsec = aux;
    compare_names(ipsec, error, packet, ipsec_seen_key_names(&ipsec->seen));
}

/* Keys are asked about while a connection of ours has one. */
static bool has_keys(const struct ipsec_seen *seen)
{
    for (size_t i = 0; i < seen->n_conns; i++) {
        if (seen->conns[i].key != 0) {
            return true;
        }
    }
    return false;
}

static void poll_names(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;

    if (time_msec() < sync->poll_ms || sync->polls > 0) {
        return;
    }
    sync->poll_ms = time_msec() + POLL_MS;
    if (ipsec->batch || sync->listing) {
        return;
    }
    sync->polls = 2;
    link_command(ipsec->commands, "get-conns", on_conn_names, ipsec);
    link_command(ipsec->commands, "get-shared", on_secret_names, ipsec);
    if (has_keys(&ipsec->seen)) {
        sync->polls++;
        link_command(ipsec->commands, "get-keys", on_key_names, ipsec);
    }
}

/* ---------------------------------------------------------------- the loop */

static void run_link(struct ipsec *ipsec, struct link *link)
{
    int error = link_is_open(link) ? link_run(link) : 0;

    if (error && ipsec->sync.stage != SYNC_CLOSED) {
        sync_lose(ipsec, "charon closed unix://%s: %s; is strongSwan running?", ipsec->path,
                  strerror(-error));
    }
}

static void check_late(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;
    bool first = sync->stage == SYNC_HELLO;

    if (sync->stage == SYNC_CLOSED) {
        return;
    }
    if (first && !sync->was_away && link_late_ms(ipsec->commands) >= LATE_MS) {
        snprintf(
            sync->reason, sizeof sync->reason,
            "charon takes connections on unix://%s but does not answer; is it stopped or stuck?",
            ipsec->path);
        log_line(LOG_LEVEL_WARNING, "ipsec", "%s", sync->reason);
        sync->was_away = ipsec->changed = true;
    }
    if (link_late_ms(ipsec->commands) >= (first ? HELLO_LATE_MS : LATE_MS) ||
        link_late_ms(ipsec->events) >= LATE_MS) {
        sync_lose(ipsec, "charon has not answered on unix://%s for %d s; is it stopped or stuck?",
                  ipsec->path, LATE_MS / 1000);
    } else if (link_late_ms(ipsec->sas) >= SAS_LATE_MS) {
        sync_lose(ipsec,
                  "charon has not listed its SAs on unix://%s for %d s; is one of them stuck?",
                  ipsec->path, SAS_LATE_MS / 1000);
    }
}

void sync_init(struct ipsec *ipsec)
{
    ipsec->commands = link_new(ipsec->path, on_list_event, ipsec);
    ipsec->sas = link_new(ipsec->path, on_list_event, ipsec);
    ipsec->events = link_new(ipsec->path, on_event, ipsec);
    ipsec->sync.backoff_ms = RECONNECT_MIN_MS;
}

void sync_done(struct ipsec *ipsec)
{
    close_links(ipsec);
    link_free(ipsec->commands);
    link_free(ipsec->sas);
    link_free(ipsec->events);
    ipsec_seen_done(&ipsec->sync.fresh);
    free(ipsec->sync.dirty);
}

void sync_run(struct ipsec *ipsec)
{
    struct sync *sync = &ipsec->sync;

    if (sync->stage == SYNC_CLOSED && time_msec() >= sync->retry_ms) {
        sync->polls = 0;
        open_first(ipsec);
    }
    run_link(ipsec, ipsec->events);
    run_link(ipsec, ipsec->commands);
    run_link(ipsec, ipsec->sas);
    check_late(ipsec);
    if (sync->stage == SYNC_READY) {
        refresh_sas(ipsec);
        poll_names(ipsec);
    }
}

void sync_wait(struct ipsec *ipsec)
{
    const struct sync *sync = &ipsec->sync;

    if (sync->stage == SYNC_CLOSED) {
        poll_timer_wait_until(sync->retry_ms);
        return;
    }
    link_wait(ipsec->events);
    link_wait(ipsec->commands);
    link_wait(ipsec->sas);
    if (link_pending(ipsec->commands) + link_pending(ipsec->sas) + link_pending(ipsec->events) >
        0) {
        poll_timer_wait_until(time_msec() + LATE_MS / 10);
    }
    if (sync->stage != SYNC_READY) {
        return;
    }
    if (sync->polls == 0) {
        poll_timer_wait_until(sync->poll_ms);
    }
    if (sync->listing || sync->reading_sas) {
        return; /* what is due then is done after it */
    }
    if (sync->all_dirty) {
        poll_timer_wait_until(sync->refresh_ms);
    }
    if (sync->counters_wanted) {
        poll_timer_wait_until(sync->counters_ms + COUNTERS_MS);
    }
    if (sync->n_dirty > 0) {
        poll_immediate_wake();
    }
}
