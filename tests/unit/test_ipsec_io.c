/* ipsec/: the whole backend against a charon of the test's own: connecting, loading, keeping up,
 * being left alone. The clock is the test's, so no deadline is waited for. */
#include "ipsec_fake.h"
#include "vici_server.h"

#include "backend/backend.h"
#include "ipsec/ipsec.h"
#include "log/log.h"

#include "check.h"

#include <errno.h>
#include <ifaddrs.h>
#include <lib/timeval.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* In the place of the C library's: all clocks of the program run ahead of the real ones by this. */
static int64_t ahead_ms;

int ahead_clock_gettime(clockid_t clock, struct timespec *time) __asm__("clock_gettime");
int ahead_clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);

    time->tv_sec += ahead_ms / 1000;
    time->tv_nsec += ahead_ms % 1000 * 1000000;
    if (time->tv_nsec >= 1000000000) {
        time->tv_nsec -= 1000000000;
        time->tv_sec++;
    }
    return result;
}

/* Likewise: the machine has one interface, the uplink of the tests. */
int fake_getifaddrs(struct ifaddrs **ret_list) __asm__("getifaddrs");
int fake_getifaddrs(struct ifaddrs **ret_list)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    static struct ifaddrs entry = {.ifa_name = (char *)"ens3",
                                   .ifa_addr = (struct sockaddr *)&address};

    address.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
    *ret_list = &entry;
    return 0;
}

void fake_freeifaddrs(struct ifaddrs *list) __asm__("freeifaddrs");
void fake_freeifaddrs(struct ifaddrs *list)
{
    (void)list;
}

struct world {
    struct ipsec_fake fake; /* for its topologies; its charon is not used */
    struct vici_server server;
    struct config config; /* the fake's with other places */
    char uri[128], secrets[96], psk[128];
    struct backend *backend;
    bool changed; /* some run() has said so */
};

static const struct backend_class *const class = &ipsec_backend_class;

static void write_psk(struct world *world, const char *text)
{
    FILE *out = fopen(world->psk, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void open_backend(struct world *world)
{
    assert_int_equal(class->open(&world->config, &world->backend), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    log_set_level(LOG_LEVEL_ERROR);
    ipsec_fake_init(&world->fake);
    vici_server_init(&world->server);
    snprintf(world->secrets, sizeof world->secrets, "%s/secrets", world->server.folder);
    snprintf(world->psk, sizeof world->psk, "%s/psk", world->secrets);
    snprintf(world->uri, sizeof world->uri, "unix://%s", world->server.path);
    assert_int_equal(mkdir(world->secrets, 0700), 0);
    write_psk(world, "swordfish\n");
    world->config = *world->fake.config;
    world->config.ipsec_vici = world->uri;
    world->config.secrets_directory = world->secrets;
    open_backend(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    class->close(world->backend);
    unlink(world->psk);
    rmdir(world->secrets);
    vici_server_done(&world->server);
    ipsec_fake_done(&world->fake);
    free(world);
    return 0;
}

static void intend(struct world *world, const char *words)
{
    ipsec_fake_topology(&world->fake, "bio", words);
    struct intended *intended = intended_with_config(world->fake.intended, &world->config);
    intended_unref(world->fake.intended);
    world->fake.intended = intended;
}

/* Lets both sides work until nothing happens any more. */
static void turn(struct world *world)
{
    for (int idle = 0; idle < 3;) {
        bool busy = vici_server_run(&world->server);
        world->changed = class->run(world->backend) || world->changed;
        busy = vici_server_run(&world->server) || busy;
        idle = busy ? 0 : idle + 1;
    }
}

static void pass_time(struct world *world, int ms)
{
    for (int i = 0; i < ms; i += 50) {
        ahead_ms += 50;
        turn(world);
    }
}

static enum backend_health health(struct world *world)
{
    const char *reason = NULL;
    return class->health(world->backend, &reason);
}

/* A pass: difference, both phases. Returns the plan, for its results. */
static struct plan *pass(struct world *world)
{
    struct plan *plan = plan_new();

    class->diff(world->backend, world->fake.intended, plan);
    plan_sort(plan);
    for (size_t first = 0, end; first < plan->n_steps; first = end) {
        for (end = first;
             end < plan->n_steps && plan->steps[end]->phase == plan->steps[first]->phase;) {
            end++;
        }
        class->apply(world->backend, plan, plan->steps + first, end - first);
        turn(world);
    }
    return plan;
}

/* A pass with `n` steps that all succeed. */
static void assert_pass(struct world *world, size_t n)
{
    struct plan *plan = pass(world);

    assert_int_equal(plan->n_steps, n);
    for (size_t i = 0; i < n; i++) {
        if (plan->steps[i]->result != STEP_DONE) {
            fail_msg("%s: %s", plan->steps[i]->object,
                     plan->steps[i]->reason ? plan->steps[i]->reason : "not finished");
        }
    }
    plan_free(plan);
}

static void assert_tunnel(struct world *world, enum object_state state, const char *reason)
{
    struct status *status = status_new(world->fake.intended);
    const struct tunnel_status *tunnel = &status->tenants[0].networks[0].tunnels[0];

    class->status(world->backend, status);
    if (tunnel->object.state != state) {
        fail_msg("%s: %s", object_state_name(tunnel->object.state),
                 tunnel->object.reason ? tunnel->object.reason : "");
    }
    if (reason) {
        assert_non_null(strstr(tunnel->object.reason, reason));
    } else {
        assert_null(tunnel->object.reason);
        assert_int_equal(tunnel->bytes_in, 1000);
        assert_int_equal(tunnel->bytes_out, 2000);
        assert_true(tunnel->object.since_ms <= time_wall_msec() - 100000);
    }
    status_unref(status);
}

/* One tunnel, loaded and up. */
static void bring_up(struct world *world)
{
    intend(world, "genome/sakura");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 200);
    assert_tunnel(world, OBJECT_UP, NULL);
}

static void test_up(void **state)
{
    struct world *world = *state;

    assert_int_equal(health(world), BACKEND_OPENING);
    bring_up(world);
    assert_int_equal(health(world), BACKEND_READY);
    const struct server_conn *conn = vici_server_conn(&world->server, "routerd-1");
    assert_non_null(conn);
    assert_non_null(strstr(conn->mark, "bio/genome/tunnel/sakura+initiate+"));
    assert_string_equal(world->server.secret_data, "swordfish");
    assert_int_equal(world->server.n_secrets, 1);
    assert_int_equal(world->server.initiations, 1);
    /* Now nothing happens any more: no write, no change told, for a minute. */
    unsigned int writes = world->server.writes;
    pass_time(world, 500);
    world->changed = false;
    pass_time(world, 60000);
    assert_false(world->changed);
    assert_int_equal(world->server.writes, writes);
    assert_pass(world, 0);
}

static void test_restart(void **state)
{
    struct world *world = *state;

    bring_up(world);
    unsigned int writes = world->server.writes;
    class->close(world->backend);
    open_backend(world);
    turn(world);
    assert_pass(world, 0);
    assert_tunnel(world, OBJECT_UP, NULL);
    pass_time(world, 3000);
    assert_int_equal(world->server.writes, writes);
}

static void test_removal(void **state)
{
    struct world *world = *state;

    bring_up(world);
    snprintf(world->server.conns[9].name, sizeof world->server.conns[9].name, "office");
    snprintf(world->server.secrets[world->server.n_secrets++], sizeof world->server.secrets[0],
             "ike-office");
    intend(world, "");
    pass_time(world, 500);
    assert_pass(world, 1);
    assert_null(vici_server_conn(&world->server, "routerd-1"));
    assert_non_null(vici_server_conn(&world->server, "office"));
    assert_int_equal(world->server.n_secrets, 1);
    assert_string_equal(world->server.secrets[0], "ike-office");
    assert_int_equal(world->server.terminations, 1);
    assert_pass(world, 0);
}

static void test_drift(void **state)
{
    struct world *world = *state;

    bring_up(world);
    world->server.conns[0].name[0] = '\0'; /* swanctl --load-all */
    world->changed = false;
    pass_time(world, 450);
    assert_true(world->changed);
    assert_pass(world, 1);
    assert_non_null(vici_server_conn(&world->server, "routerd-1"));

    pass_time(world, 500);
    vici_server_down(&world->server, "routerd-1"); /* swanctl --terminate */
    pass_time(world, 200);
    assert_true(vici_server_conn(&world->server, "routerd-1")->up);

    world->server.n_secrets = 0;
    world->changed = false;
    pass_time(world, 450);
    assert_true(world->changed);
    assert_pass(world, 1);
    assert_int_equal(world->server.n_secrets, 1);
}

static void test_secret_changes(void **state)
{
    struct world *world = *state;

    bring_up(world);
    unsigned int ike_id = world->server.conns[0].ike_id;
    usleep(20000);                  /* a file system's clock is coarse */
    write_psk(world, "marlinfish"); /* as long as the one before */
    world->changed = false;
    pass_time(world, 450);
    assert_true(world->changed);
    assert_pass(world, 1);
    assert_string_equal(world->server.secret_data, "marlinfish");
    assert_int_equal(world->server.n_secrets, 1);
    assert_int_equal(world->server.conns[0].ike_id, ike_id);
    assert_pass(world, 0);
}

/* Other settings touch no SA until the next rekey; then there is one beside it, and when that has
 * had its time the old one ends. */
static void test_renewal(void **state)
{
    struct world *world = *state;

    world->server.young = true;
    intend(world, "genome/sakura");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 200);
    const struct server_conn *conn = vici_server_conn(&world->server, "routerd-1");
    unsigned int first = conn->ike_id;
    vici_server_rekeyed(&world->server, "routerd-1");
    pass_time(world, 500);
    assert_int_equal(world->server.initiations, 1);
    intend(world, "genome/sakura,proposal=aes128gcm16-prfsha256-ecp256");
    assert_pass(world, 1);
    pass_time(world, 60000);
    assert_int_equal(world->server.initiations, 1);
    conn = vici_server_conn(&world->server, "routerd-1");
    assert_int_equal(conn->ike_id, first);
    vici_server_rekeyed(&world->server, "routerd-1");
    pass_time(world, 500);
    assert_int_equal(world->server.initiations, 2);
    assert_int_equal(conn->old_ike_id, first);
    pass_time(world, 6000);
    assert_int_equal(conn->old_ike_id, 0);
    assert_true(conn->ike_id != first);
    assert_int_equal(world->server.terminations, 1);
    vici_server_rekeyed(&world->server, "routerd-1");
    pass_time(world, 60000);
    assert_int_equal(world->server.initiations, 2);
    assert_int_equal(world->server.terminations, 1);
    assert_pass(world, 0);
}

/* Also a routerd that was not there when they were loaded knows that the SAs are older. */
static void test_renewal_after_restart(void **state)
{
    struct world *world = *state;

    bring_up(world);
    intend(world, "genome/sakura,proposal=aes128gcm16-prfsha256-ecp256");
    assert_pass(world, 1);
    class->close(world->backend);
    open_backend(world);
    turn(world);
    assert_pass(world, 0);
    pass_time(world, 1000);
    assert_int_equal(world->server.initiations, 1);
    vici_server_rekeyed(&world->server, "routerd-1");
    pass_time(world, 500);
    assert_int_equal(world->server.initiations, 2);
}

static void test_secret_missing(void **state)
{
    struct world *world = *state;

    unlink(world->psk);
    intend(world, "genome/sakura");
    turn(world);
    struct plan *plan = pass(world);
    assert_int_equal(plan->n_steps, 1);
    assert_int_equal(plan->steps[0]->result, STEP_NOT_READY);
    assert_non_null(strstr(plan->steps[0]->reason, "secret psk cannot be read"));
    plan_free(plan);
    assert_tunnel(world, OBJECT_DOWN, "secret psk cannot be read");
    assert_int_equal(world->server.writes, 0);
    write_psk(world, "swordfish");
    world->changed = false;
    pass_time(world, 450);
    assert_true(world->changed);
    assert_pass(world, 1);
}

static void test_refused_load(void **state)
{
    struct world *world = *state;

    world->server.refuse = true;
    intend(world, "genome/sakura");
    turn(world);
    struct plan *plan = pass(world);
    assert_int_equal(plan->steps[0]->result, STEP_FAILED);
    assert_non_null(strstr(plan->steps[0]->reason, "invalid value for: proposals"));
    plan_free(plan);
}

/* Attempts go on, further and further apart, and the reason is told. */
static void test_backoff(void **state)
{
    struct world *world = *state;

    world->server.no_reply = "received AUTHENTICATION_FAILED notify error";
    intend(world, "genome/sakura");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 60000);
    assert_in_range(world->server.initiations, 5, 9);
    assert_tunnel(world, OBJECT_DOWN, "authentication failed");
    world->server.no_reply = NULL;
    pass_time(world, 40000);
    assert_tunnel(world, OBJECT_UP, NULL);
}

/* No answer at all raises nothing: each attempt ends by its deadline. */
static void test_silence(void **state)
{
    struct world *world = *state;

    world->server.no_reply = "sending packet";
    intend(world, "genome/sakura");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 1000);
    assert_tunnel(world, OBJECT_PENDING, "waiting for the first exchange with 203.0.113.2");
    pass_time(world, 95000);
    assert_in_range(world->server.initiations, 3, 4);
    assert_int_equal(world->server.terminations,
                     world->server.initiations - 1); /* of what is left */
    assert_tunnel(world, OBJECT_DOWN, "no answer from 203.0.113.2");
}

/* An SA that has been replaced may be silent: its other end has gone already. */
static void test_silence_of_a_replaced_sa(void **state)
{
    static const char text[] = "retransmit 3 of request with message ID 2";
    struct world *world = *state;

    world->server.next_ike_id = 5;
    bring_up(world);
    const struct server_conn *conn = vici_server_conn(&world->server, "routerd-1");
    for (int i = 0; i < 4; i++) {
        vici_server_log(&world->server, "routerd-1", conn->ike_id - 1, text);
    }
    pass_time(world, 100);
    assert_tunnel(world, OBJECT_UP, NULL);
    for (int i = 0; i < 4; i++) {
        vici_server_log(&world->server, "routerd-1", conn->ike_id, text);
    }
    pass_time(world, 100);
    assert_tunnel(world, OBJECT_DOWN, "no answer from 203.0.113.2");
}

/* An attempt that is begun anew, with another secret, does not come up beside the new one. */
static void test_secret_changes_during_an_attempt(void **state)
{
    struct world *world = *state;

    world->server.no_reply = "sending packet";
    intend(world, "genome/sakura");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 1000);
    assert_int_equal(world->server.initiations, 1);
    assert_int_equal(world->server.terminations, 0);
    usleep(20000);
    write_psk(world, "marlinfish");
    pass_time(world, 450);
    assert_pass(world, 1);
    pass_time(world, 500);
    assert_int_equal(world->server.initiations, 2);
    assert_int_equal(world->server.terminations, 1);
}

static void test_passive(void **state)
{
    struct world *world = *state;

    intend(world, "genome/sakura,initiate=false");
    turn(world);
    assert_pass(world, 1);
    pass_time(world, 5000);
    assert_int_equal(world->server.initiations, 0);
    assert_tunnel(world, OBJECT_PENDING, "waiting for 203.0.113.2 to initiate");
}

static void test_charon_restarts(void **state)
{
    struct world *world = *state;

    bring_up(world);
    vici_server_kill(&world->server);
    turn(world);
    assert_int_equal(health(world), BACKEND_AWAY);
    assert_tunnel(world, OBJECT_DOWN, "charon closed");
    pass_time(world, 10000);
    assert_tunnel(world, OBJECT_DOWN, "is strongSwan running?");
    vici_server_start(&world->server);
    pass_time(world, 1100);
    assert_int_equal(health(world), BACKEND_READY);
    assert_pass(world, 1);
    pass_time(world, 200);
    assert_tunnel(world, OBJECT_UP, NULL);
}

static void test_charon_stuck(void **state)
{
    struct world *world = *state;

    bring_up(world);
    world->server.deaf = true;
    pass_time(world, 6000);
    assert_int_equal(health(world), BACKEND_AWAY);
    assert_tunnel(world, OBJECT_DOWN, "is it stopped or stuck?");
    pass_time(world, 200000);
    world->server.deaf = false;
    pass_time(world, 1100);
    assert_int_equal(health(world), BACKEND_READY);
    assert_pass(world, 0);
    assert_tunnel(world, OBJECT_UP, NULL);
}

/* Steps under way when charon stops answering end as failed, and what it does later is seen then.
 */
static void test_stuck_in_the_middle(void **state)
{
    struct world *world = *state;

    intend(world, "genome/sakura");
    turn(world);
    world->server.deaf = true;
    struct plan *plan = pass(world);
    assert_int_equal(plan->steps[0]->result, STEP_RUNNING);
    pass_time(world, 12000);
    assert_int_equal(plan->steps[0]->result, STEP_FAILED);
    plan_free(plan);
    world->server.deaf = false;
    pass_time(world, 1500);
    assert_int_equal(health(world), BACKEND_READY);
    plan_free(pass(world));
    pass_time(world, 500);
    assert_pass(world, 0);
    assert_tunnel(world, OBJECT_UP, NULL);
}

/* --- what is read back after steps -------------------------------------------------------------
 */

enum { TUNNELS = 20 };

/* Tunnels t0, t1, ...; the first `n_other` of them with another proposal than the rest. */
static void intend_many(struct world *world, int n, int n_other)
{
    char words[4096] = "";
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        len += (size_t)snprintf(words + len, sizeof words - len,
                                "%sgenome/t%d,remote=203.0.113.%d%s", i ? " " : "", i, i + 1,
                                i < n_other ? ",proposal=aes128gcm16-prfsha256-ecp256" : "");
    }
    intend(world, words);
}

static void bring_up_many(struct world *world)
{
    intend_many(world, TUNNELS, 0);
    turn(world);
    assert_pass(world, TUNNELS);
    pass_time(world, 2000);
    world->server.whole_lists = world->server.listed = 0;
}

/* How many whole lists and connections were listed since the last time. */
static void assert_listed(struct world *world, unsigned int whole, unsigned int conns)
{
    assert_int_equal(world->server.whole_lists, whole);
    assert_int_equal(world->server.listed, conns);
    world->server.whole_lists = world->server.listed = 0;
}

static void test_few_are_read_back(void **state)
{
    struct world *world = *state;

    bring_up_many(world);
    intend_many(world, TUNNELS, 1);
    assert_pass(world, 1);
    assert_listed(world, 0, 1);
    /* The log is a stream of its own: lines about our own doing may come after it. */
    world->changed = false;
    vici_server_log_loaded(&world->server, "routerd-1");
    vici_server_log_loaded(&world->server, "routerd-1");
    turn(world);
    assert_false(world->changed);
    assert_listed(world, 0, 2);
    intend_many(world, TUNNELS - 2, 2); /* one changes, two go */
    assert_pass(world, 3);
    pass_time(world, 1000);
    assert_listed(world, 0, 1);
    assert_pass(world, 0);
    intend_many(world, TUNNELS, 2); /* two come */
    assert_pass(world, 2);
    pass_time(world, 1000);
    assert_listed(world, 0, 2);
    for (size_t i = 0; i < TUNNELS; i++) {
        assert_true(world->server.conns[i].up);
    }
    /* Another backend, which lists all, finds nothing to do either. */
    class->close(world->backend);
    open_backend(world);
    turn(world);
    assert_pass(world, 0);
}

/* Now and then all are listed, and at once when they are many. */
static void test_many_are_read_back(void **state)
{
    struct world *world = *state;

    bring_up_many(world);
    for (int i = 1; i <= TUNNELS; i++) {
        intend_many(world, TUNNELS, i);
        assert_pass(world, 1);
    }
    assert_true(world->server.whole_lists == 1 && world->server.listed < 3 * TUNNELS);
    world->server.whole_lists = world->server.listed = 0;
    intend_many(world, 2 * TUNNELS, 0);
    assert_pass(world, 2 * TUNNELS);
    assert_listed(world, 1, 2 * TUNNELS);
    assert_pass(world, 0);
}

/* Somebody loads another of our connections otherwise. */
static void meddle(struct world *world, const char *name)
{
    struct server_conn *conn = vici_server_conn(&world->server, name);

    snprintf(conn->ike_rekey, sizeof conn->ike_rekey, "77s");
    vici_server_log_loaded(&world->server, name);
}

/* While steps are under way, or are read back, somebody changes what they are not about. */
static void test_meddling_in_the_middle(void **state)
{
    static const char *const commands[] = {"load-conn", "list-conns", "list-sas"};
    struct world *world = *state;

    bring_up_many(world);
    for (size_t i = 0; i < LENGTH(commands); i++) {
        intend_many(world, TUNNELS, 1 + (int)i);
        world->server.deaf_at = commands[i];
        struct plan *plan = pass(world);
        assert_int_equal(plan->n_steps, 1);
        assert_int_equal(plan->steps[0]->result, STEP_RUNNING);
        world->server.deaf_at = NULL;
        world->server.deaf = false;
        meddle(world, "routerd-20");
        turn(world);
        assert_int_equal(plan->steps[0]->result, STEP_DONE);
        plan_free(plan);
        assert_listed(world, 0, 2);
        assert_pass(world, 1);
        assert_listed(world, 0, 1);
    }
}

/* All are loaded anew: one by one they would be too many. */
static void test_all_are_meddled_with(void **state)
{
    struct world *world = *state;
    char name[IPSEC_NAME_TEXT];

    bring_up_many(world);
    for (uint32_t id = 1; id <= TUNNELS; id++) {
        meddle(world, ipsec_name(id, name));
    }
    turn(world);
    assert_int_equal(world->server.whole_lists, 1);
    assert_true(world->server.listed <= TUNNELS + 1);
    assert_pass(world, TUNNELS);
    assert_pass(world, 0);
}

/* What is read back is what charon holds then, whatever was loaded. */
static void test_meddling_with_the_same(void **state)
{
    struct world *world = *state;

    bring_up_many(world);
    intend_many(world, TUNNELS, 1);
    world->server.deaf_at = "list-conns";
    struct plan *plan = pass(world);
    world->server.deaf_at = NULL;
    world->server.deaf = false;
    meddle(world, "routerd-1");
    turn(world);
    assert_int_equal(plan->steps[0]->result, STEP_DONE);
    plan_free(plan);
    assert_listed(world, 0, 1);
    assert_pass(world, 1);
    assert_pass(world, 0);
}

static void test_charon_dies_while_read_back(void **state)
{
    static const char *const commands[] = {"list-conns", "get-shared", "list-sas"};
    struct world *world = *state;

    bring_up_many(world);
    for (size_t i = 0; i < LENGTH(commands); i++) {
        intend_many(world, TUNNELS, 1 + (int)i);
        world->server.deaf_at = commands[i];
        struct plan *plan = pass(world);
        assert_int_equal(plan->steps[0]->result, STEP_RUNNING);
        world->server.deaf_at = NULL;
        world->server.deaf = false;
        vici_server_kill(&world->server);
        turn(world);
        assert_int_equal(plan->steps[0]->result, STEP_FAILED);
        plan_free(plan);
        vici_server_start(&world->server);
        pass_time(world, 1500);
        assert_int_equal(health(world), BACKEND_READY);
        assert_pass(world, TUNNELS);
        pass_time(world, 2000);
        assert_pass(world, 0);
    }
}

static void test_close_in_the_middle(void **state)
{
    struct world *world = *state;

    intend(world, "genome/sakura");
    turn(world);
    world->server.deaf = true;
    struct plan *plan = pass(world);
    class->close(world->backend);
    plan_free(plan);
    world->server.deaf = false;
    open_backend(world);
}

static void test_wrong_uri(void **state)
{
    static const char *const wrong[] = {"tcp://127.0.0.1:4502", "unix://relative",
                                        "/run/charon.vici", "unix://"};
    struct world *world = *state;
    struct backend *backend = NULL;

    log_set_level((enum log_level)0);
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        world->config.ipsec_vici = wrong[i];
        assert_int_equal(class->open(&world->config, &backend), -EINVAL);
        assert_null(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drift, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secret_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewal_after_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secret_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backoff, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence_of_a_replaced_sa, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secret_changes_during_an_attempt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_charon_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_charon_stuck, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_few_are_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_are_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_meddling_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_are_meddled_with, setup, teardown),
        cmocka_unit_test_setup_teardown(test_meddling_with_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_charon_dies_while_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_close_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_uri, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
