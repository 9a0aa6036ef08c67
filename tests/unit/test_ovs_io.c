/* ovs/ on a real ovsdb-server and a real ovs-vswitchd in a directory of their own. The daemon runs
 * on its dummy datapath, so no interface of the machine is touched and no privilege is needed. */
#include "ovs_fake.h"

#include "ovs/ovs.h"
#include "ovs/ovs_io.h"

#include <errno.h>
#include <fcntl.h>
#include <lib/timeval.h>
#include <openvswitch/poll-loop.h>
#include <openvswitch/vlog.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SLACK_MS = 20000
}; /* how long anything may take on a machine that is busy with other things */

struct fixture {
    char directory[64];
    pid_t server, daemon;
    struct config *config;
    struct ids ids;
    struct backend *backend;
    struct intended *intended;
    struct plan *last; /* the last plan that was carried out */
    size_t n_steps;    /* carried out since the last change of what is wanted */
};

/* --- processes --- */

static pid_t spawn(const struct fixture *f, char *const argv[])
{
    pid_t pid = fork();

    if (pid == 0) {
        char log[96];
        int fd;

        snprintf(log, sizeof log, "%s/log", f->directory);
        fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(fd, 1);
        dup2(fd, 2);
        setenv("OVS_RUNDIR", f->directory, 1);
        execvp(argv[0], argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static int run(const struct fixture *f, char *const argv[])
{
    int status = 0;

    assert_int_equal(waitpid(spawn(f, argv), &status, 0) > 0, 1);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What `is` has found, in static memory. */
static const char *faults(const struct fixture *f)
{
    static char text[1024];
    char path[96];
    FILE *file;

    snprintf(path, sizeof path, "%s/faults", f->directory);
    file = fopen(path, "re");
    text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
    if (file) {
        fclose(file);
    }
    return text;
}

/* Runs one command line. In it $D is the fixture's directory, `vsctl` talks to its server, `is
 * TABLE RECORD COLUMN VALUE` compares. */
static void shell(const struct fixture *f, const char *command)
{
    static const char prelude[] =
        "PATH=$PATH:/usr/sbin:/sbin\n"
        "vsctl() { ovs-vsctl --timeout=20 --db=unix:$D/db \"$@\"; }\n"
        "is() { got=$(vsctl get $1 $2 $3 | tr -d '\"'); [ \"$got\" = \"$4\" ] && return;\n"
        "       echo \"$1 $2 $3 is $got, not $4\" >>$D/faults; exit 1; }\n";
    char *line = NULL;

    assert_true(asprintf(&line, "D=%s\n%s%s", f->directory, prelude, command) > 0);
    if (run(f, (char *[]){"sh", "-c", line, NULL})) {
        fail_msg("failed: %s\n%s", command, faults(f));
    }
    free(line);
}

static void stop(pid_t *pid, int signal_number)
{
    if (*pid > 0) {
        kill(*pid, signal_number);
        kill(*pid, SIGCONT);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

static void start_server(struct fixture *f)
{
    char database[96], remote[96], control[96];

    snprintf(database, sizeof database, "%s/conf.db", f->directory);
    snprintf(remote, sizeof remote, "--remote=punix:%s/db", f->directory);
    snprintf(control, sizeof control, "--unixctl=%s/ovsdb-server.ctl", f->directory);
    f->server = spawn(f, (char *[]){"/usr/sbin/ovsdb-server", database, remote, control, NULL});
    shell(f, "for i in $(seq 100); do vsctl --no-wait init && break; sleep 0.1; done");
}

static void start_daemon(struct fixture *f)
{
    char remote[96], control[96];

    snprintf(remote, sizeof remote, "unix:%s/db", f->directory);
    snprintf(control, sizeof control, "--unixctl=%s/ovs-vswitchd.1.ctl", f->directory);
    f->daemon = spawn(f, (char *[]){"/usr/sbin/ovs-vswitchd", remote, control,
                                    "--enable-dummy=override", "--disable-system", NULL});
}

/* --- a small engine --- */

static enum backend_health health(const struct fixture *f)
{
    const char *reason = NULL;

    return ovs_backend_class.health(f->backend, &reason);
}

static bool is_running(const struct plan *plan)
{
    bool running = false;

    for (size_t i = 0; i < plan->n_steps; i++) {
        running = running || plan->steps[i]->result == STEP_RUNNING;
    }
    return running;
}

static void turn(struct fixture *f)
{
    ovs_backend_class.run(f->backend);
    ovs_backend_class.wait(f->backend);
    poll_timer_wait(50);
    poll_block();
    ovs_backend_class.run(f->backend);
}

static void carry_out(struct fixture *f, struct plan *plan)
{
    for (size_t i = 0, n; i < plan->n_steps; i += n) {
        for (n = 1; i + n < plan->n_steps; n++) {
            if (plan->steps[i + n]->phase != plan->steps[i]->phase) {
                break;
            }
        }
        ovs_backend_class.apply(f->backend, plan, &plan->steps[i], n);
        while (is_running(plan)) {
            turn(f);
        }
    }
    f->n_steps += plan->n_steps;
}

/* Runs until the backend is ready and a difference is empty; of refused steps, for a second time.
 */
static void settle(struct fixture *f)
{
    long long deadline = time_msec() + SLACK_MS;

    for (;;) {
        struct plan *plan;
        bool failed = false;

        turn(f);
        if (time_msec() > deadline) {
            fail_msg("it does not settle");
        }
        if (health(f) != BACKEND_READY) {
            continue;
        }
        plan = plan_new();
        ovs_backend_class.diff(f->backend, f->intended, plan);
        plan_sort(plan);
        if (plan->n_steps == 0) {
            plan_free(plan);
            return;
        }
        carry_out(f, plan);
        for (size_t i = 0; i < plan->n_steps; i++) {
            failed = failed || plan->steps[i]->result == STEP_FAILED;
        }
        plan_free(f->last);
        f->last = plan;
        if (failed) {
            return;
        }
    }
}

static void want(struct fixture *f, const char *segments)
{
    struct intended *next = ovs_fake_intended(f->config, &f->ids, segments, NULL);

    intended_unref(f->intended);
    f->intended = next;
    f->n_steps = 0;
}

static void await_health(struct fixture *f, enum backend_health wanted, const char *reason_part)
{
    long long deadline = time_msec() + SLACK_MS;
    const char *reason = NULL;

    while (ovs_backend_class.health(f->backend, &reason) != wanted) {
        turn(f);
        if (time_msec() > deadline) {
            fail_msg("health stays: %s", reason ? reason : "(no reason)");
        }
    }
    if (reason_part && !strstr(reason, reason_part)) {
        fail_msg("reason is \"%s\"", reason);
    }
}

static const struct segment_status *first_segment(struct fixture *f, struct status **ret_status)
{
    *ret_status = status_new(f->intended);
    ovs_backend_class.status(f->backend, *ret_status);
    return &(*ret_status)->tenants[0].networks[0].segments[0];
}

/* --- set up --- */

static int setup_with(void **state, const char *tag_limit)
{
    struct fixture *f = calloc(1, sizeof *f);
    char *command = NULL, server[96];

    strcpy(f->directory, "/tmp/test_ovs_io.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    assert_true(asprintf(&command,
                         "sed 's/4095/%s/; /cksum/d' /usr/share/openvswitch/vswitch.ovsschema "
                         ">$D/schema && ovsdb-tool create $D/conf.db $D/schema",
                         tag_limit) > 0);
    shell(f, command);
    free(command);
    start_server(f);
    start_daemon(f);
    f->config = ovs_fake_config();
    snprintf(server, sizeof server, "unix:%s/db", f->directory);
    f->config->ovs_server = arena_strdup(f->config->arena, server);
    ids_init(&f->ids);
    assert_int_equal(ovs_backend_class.open(f->config, &f->backend), 0);
    await_health(f, BACKEND_READY, NULL);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, "4095");
}

static int setup_small_tags(void **state)
{
    return setup_with(state, "50");
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ovs_backend_class.close(f->backend);
    stop(&f->daemon, SIGKILL);
    stop(&f->server, SIGKILL);
    shell(f, "rm -r $D");
    plan_free(f->last);
    intended_unref(f->intended);
    ids_done(&f->ids);
    config_free(f->config);
    free(f);
    return 0;
}

/* --- tests --- */

static void test_life(void **state)
{
    struct fixture *f = *state;

    want(f, "a=sinet:10 b=sinet:11+lab:7");
    settle(f);
    assert_int_equal(f->n_steps, 4);
    shell(
        f,
        "is port rseg1 tag 10; is interface rseg1 mtu_request 9000; is interface rseg1 type internal;"
        "is port rseg1 external_ids:routerd bio/net/segment/a;"
        "is interface rseg1 external_ids:routerd bio/net/segment/a;"
        "is bridge br-sinet external_ids:routerd uplink/sinet;"
        "is interface rbr2-lab-7 options:peer lab-7-rbr2; is port lab-7-rbr2 tag 7;"
        "[ $(vsctl port-to-br rseg1) = br-sinet ] && [ $(vsctl port-to-br rseg2) = rbr2 ]");
    want(f, "a=sinet:10+lab:9 b=sinet:11");
    settle(f);
    shell(f, "[ $(vsctl port-to-br rseg1) = rbr1 ] && [ $(vsctl port-to-br rseg2) = br-sinet ] && "
             "! vsctl br-exists rbr2");
    want(f, NULL);
    settle(f);
    shell(f, "[ -z \"$(vsctl list-br)\" ]");
}

static void test_repairs(void **state)
{
    struct fixture *f = *state;

    want(f, "a=sinet:10 b=sinet:11+sinet:12");
    settle(f);
    shell(
        f,
        "vsctl set port rseg1 tag=99 trunks=1,2 vlan_mode=trunk -- set interface rseg1 "
        "mtu_request=1400 'mac=\"02:00:00:00:00:01\"' -- clear port rseg1 external_ids -- set interface ens4 "
        "lldp:enable=true -- set bridge br-sinet stp_enable=true fail_mode=secure "
        "other_config:forward-bpdu=true -- clear bridge rbr2 external_ids -- set interface "
        "rbr2-sinet-12 options:peer=nobody -- del-port rseg2");
    settle(f);
    shell(
        f,
        "is port rseg1 tag 10; is port rseg1 trunks []; is port rseg1 vlan_mode [];"
        "is port rseg1 external_ids:routerd bio/net/segment/a; is interface rseg1 mtu_request 9000;"
        "is interface ens4 lldp {}; is bridge br-sinet stp_enable false;"
        "is bridge br-sinet fail_mode standalone;"
        "is bridge br-sinet other_config '{disable-in-band=true, mac-table-size=65536}';"
        "is bridge rbr2 external_ids:routerd bio/net/segment/b;"
        "is interface rbr2-sinet-12 options:peer sinet-12-rbr2;"
        "[ $(vsctl port-to-br rseg2) = rbr2 ] && "
        "[ $(vsctl get interface rseg1 mac) != '\"02:00:00:00:00:01\"' ]");
}

static void test_outer_vlans(void **state)
{
    struct fixture *f = *state;

    want(f, "a=sinet:7.5 b%50=sinet:8.5q+lab:9");
    settle(f);
    shell(f,
          "is Open_vSwitch . other_config:vlan-limit 2;"
          "is port sinet-7-rq7-c027b064 vlan_mode dot1q-tunnel;"
          "is port sinet-7-rq7-c027b064 other_config '{qinq-ethtype=802.1ad}';"
          "is port sinet-8-rq8-c027b064 other_config '{qinq-ethtype=802.1q}';"
          "is bridge rbr2 other_config:mac-table-size 50;"
          "[ $(vsctl port-to-br rseg1) = rq7-c027b064 ];"
          "vsctl set port sinet-7-rq7-c027b064 vlan_mode=access other_config:qinq-ethtype=802.1q "
          "-- set bridge rbr2 other_config:mac-table-size=9");
    settle(f);
    shell(f, "is port sinet-7-rq7-c027b064 vlan_mode dot1q-tunnel;"
             "is port sinet-7-rq7-c027b064 other_config '{qinq-ethtype=802.1ad}';"
             "is bridge rbr2 other_config:mac-table-size 50");
    want(f, "a=sinet:7");
    settle(f);
    shell(f, "is Open_vSwitch . other_config {}; ! vsctl br-exists rq7-c027b064;"
             "vsctl set Open_vSwitch . other_config:vlan-limit=0");
    want(f, "a=sinet:7.5");
    settle(f);
    want(f, NULL);
    settle(f);
    shell(f, "is Open_vSwitch . other_config:vlan-limit 0;"
             "vsctl remove Open_vSwitch . other_config vlan-limit");
}

static void test_foreign_stays(void **state)
{
    struct fixture *f = *state;

    shell(
        f,
        "vsctl add-br br-sinet -- set bridge br-sinet stp_enable=true -- add-port br-sinet ens4 -- "
        "add-br br0 -- add-port br0 eth9");
    want(f, "a=sinet:10 b=lab:3");
    settle(f);
    want(f, NULL);
    settle(f);
    shell(f, "[ \"$(vsctl list-br | tr '\\n' ' ')\" = 'br-sinet br0 ' ] && "
             "[ \"$(vsctl list-ports br-sinet)\" = ens4 ] && [ $(vsctl list-ports br0) = eth9 ] && "
             "[ $(vsctl get bridge br-sinet stp_enable) = true ] && "
             "[ \"$(vsctl get port ens4 external_ids)\" = '{}' ]");
}

/* Nothing is written while nothing changes, and a wake-up is not a change. */
static void test_second_pass_is_silent(void **state)
{
    struct fixture *f = *state;
    long long until;

    want(f, "a=sinet:10 b=sinet:11+lab:7");
    settle(f);
    shell(f, "vsctl get open_vswitch . next_cfg >$D/before");
    for (until = time_msec() + 2500; time_msec() < until;) {
        struct plan *plan = plan_new();

        assert_false(ovs_backend_class.run(f->backend));
        ovs_backend_class.diff(f->backend, f->intended, plan);
        assert_int_equal(plan->n_steps, 0);
        plan_free(plan);
        ovs_backend_class.wait(f->backend);
        poll_timer_wait(200);
        poll_block();
    }
    /* ovs-vsctl counts its own change. */
    shell(f, "[ $(vsctl get open_vswitch . next_cfg) -le $(($(cat $D/before) + 1)) ]");
}

static void test_culprit_is_found(void **state)
{
    struct fixture *f = *state;
    size_t failed = 0;

    want(f, "a=sinet:10 b=sinet:60 c=sinet:12");
    settle(f);
    for (size_t i = 0; i < f->last->n_steps; i++) {
        const struct step *step = f->last->steps[i];

        if (step->result == STEP_FAILED) {
            failed++;
            assert_string_equal(step->object, "net/segment/b");
            assert_non_null(strstr(step->reason, "60 is not in the valid range 0 to 50"));
        }
    }
    assert_int_equal(failed, 1);
    shell(f,
          "[ $(vsctl port-to-br rseg1) = br-sinet ] && [ $(vsctl port-to-br rseg3) = br-sinet ]");
}

static void test_refused_interface(void **state)
{
    struct fixture *f = *state;
    const struct segment_status *segment;
    struct status *status;

    want(f, "a=sinet:10");
    settle(f);
    /* As ovs-vswitchd writes it down when the kernel has such an interface already. */
    shell(f, "vsctl --no-wait set interface rseg1 ofport=-1 'error=\"(File exists)\"'");
    turn(f);
    turn(f);
    segment = first_segment(f, &status);
    assert_int_equal(segment->object.state, OBJECT_ERROR);
    assert_string_equal(segment->object.reason, "OVS: (File exists)");
    status_unref(status);
    f->n_steps = 0;
    settle(f); /* tries it again, and that is enough here */
    assert_int_equal(f->n_steps, 1);
    shell(f, "[ $(vsctl get interface rseg1 ofport) -gt 0 ]");
}

static void test_daemon_dies(void **state)
{
    struct fixture *f = *state;
    struct status *status;

    want(f, "a=sinet:10");
    settle(f);
    stop(&f->daemon, SIGKILL);
    await_health(f, BACKEND_AWAY, "ovs-vswitchd");
    assert_int_equal(first_segment(f, &status)->object.state, OBJECT_DOWN);
    status_unref(status);
    shell(f, "vsctl --no-wait set port rseg1 tag=7");
    start_daemon(f);
    await_health(f, BACKEND_READY, NULL);
    settle(f);
    shell(f, "is port rseg1 tag 10");
}

static void test_daemon_hangs(void **state)
{
    struct fixture *f = *state;
    long long start;

    want(f, "a=sinet:10");
    settle(f);
    start = time_msec();
    kill(f->daemon, SIGSTOP);
    await_health(f, BACKEND_AWAY, "hangs");
    assert_true(time_msec() - start < 8000);
    kill(f->daemon, SIGCONT);
    await_health(f, BACKEND_READY, NULL);
}

static void test_server_dies(void **state)
{
    struct fixture *f = *state;

    want(f, "a=sinet:10");
    settle(f);
    stop(&f->server, SIGKILL);
    await_health(f, BACKEND_AWAY, "ovsdb-server");
    start_server(f);
    shell(f, "vsctl --no-wait del-port rseg1");
    await_health(f, BACKEND_READY, NULL);
    settle(f);
    shell(f, "[ $(vsctl port-to-br rseg1) = br-sinet ]");
}

static void test_server_hangs(void **state)
{
    struct fixture *f = *state;
    long long start;

    want(f, "a=sinet:10");
    settle(f);
    start = time_msec();
    kill(f->server, SIGSTOP);
    await_health(f, BACKEND_AWAY, "ovsdb-server");
    assert_true(time_msec() - start < 8000);
    kill(f->server, SIGCONT);
    await_health(f, BACKEND_READY, NULL);
    settle(f);
}

/* Steps under way when the daemon hangs are given up, and done once it goes on. */
static void test_hangs_under_way(void **state)
{
    struct fixture *f = *state;
    struct plan *plan = plan_new();

    want(f, "a=sinet:10");
    kill(f->daemon, SIGSTOP);
    ovs_backend_class.diff(f->backend, f->intended, plan);
    assert_int_equal(plan->n_steps, 2);
    carry_out(f, plan);
    assert_int_equal(plan->steps[1]->result, STEP_NOT_READY);
    assert_non_null(strstr(plan->steps[1]->reason, "ovs-vswitchd"));
    kill(f->daemon, SIGCONT);
    await_health(f, BACKEND_READY, NULL);
    settle(f);
    plan_free(plan);
}

/* A restore flag that a failed reload left behind makes a new ovs-vswitchd deaf. */
static void test_flow_restore_wait(void **state)
{
    struct fixture *f = *state;
    const char *reason = NULL;

    shell(f, "vsctl set open_vswitch . other_config:flow-restore-wait=true");
    turn(f);
    await_health(f, BACKEND_READY, NULL);
    ovs_backend_class.health(f->backend, &reason);
    assert_null(reason); /* the running one does not look at it any more */
    stop(&f->daemon, SIGKILL);
    await_health(f, BACKEND_AWAY, NULL);
    start_daemon(f);
    await_health(f, BACKEND_READY, "flow-restore-wait");
    shell(f, "vsctl remove open_vswitch . other_config flow-restore-wait");
    ovs_backend_class.health(f->backend, &reason);
    for (int i = 0; i < 100 && reason; i++) {
        turn(f);
        ovs_backend_class.health(f->backend, &reason);
    }
    assert_null(reason);
}

/* --- looks at rows --- */

/* Where port p1 is, and the marks of its interface and of its bridge's. */
static void say_p1(const struct ovs_state *state, char text[64])
{
    const struct ovs_port *port = ovs_state_port(state, "p1");

    snprintf(text, 64, "nowhere");
    if (port) {
        snprintf(text, 64, "%s %d %s/%s", port->bridge, port->tag, port->interface_mark,
                 ovs_state_bridge(state, port->bridge)->local_mark);
    }
}

/* Looks until p1 is as expected. Each look that keeps rows gives what a first look does. */
static void look_until(struct ovs_seen *seen, struct ovsdb_idl *idl, const char *expected)
{
    const struct ovs_nft nft = {.fd = -1};
    long long deadline = time_msec() + SLACK_MS;
    char text[64] = "";

    while (strcmp(text, expected) != 0) {
        struct ovs_seen first;
        unsigned int seqno = ovsdb_idl_get_seqno(idl);

        if (time_msec() > deadline) {
            fail_msg("it is \"%s\", not \"%s\"", text, expected);
        }
        ovsdb_idl_run(idl);
        assert_true(!ovs_see(seen, idl, &nft) || ovsdb_idl_get_seqno(idl) != seqno ||
                    seen->turn == 1);
        ovs_seen_init(&first);
        assert_true(ovs_see(&first, idl, &nft));
        assert_true(ovs_see_equal(seen->state, first.state));
        ovs_seen_done(&first);
        say_p1(seen->state, text);
        ovsdb_idl_wait(idl);
        poll_timer_wait(50);
        poll_block();
    }
}

static void test_looks(void **state)
{
    static const char *const steps[][2] = {
        {"vsctl add-br b1 -- add-br b2 -- add-port b1 p1 tag=5 -- add-port b1 p2", "b1 5 /"},
        {"vsctl set port p1 tag=6", "b1 6 /"},
        {"vsctl set interface p1 external_ids:routerd=x", "b1 6 x/"},
        {"u=$(vsctl get port p1 _uuid) && vsctl remove bridge b1 ports $u -- add bridge b2 ports $u",
         "b2 6 x/"},
        {"vsctl set interface b2 external_ids:routerd=y", "b2 6 x/y"},
        {"vsctl del-br b1 -- clear interface p1 external_ids", "b2 6 /y"},
        {"vsctl del-br b2 -- add-br b2 -- add-port b2 p1 tag=7", "b2 7 /"},
        {"vsctl del-port p1", "nowhere"},
    };
    struct fixture *f = *state;
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&ovsrec_idl_class, false);
    struct ovs_seen seen;

    ovs_seen_init(&seen);
    ovs_see_register(idl);
    ovsdb_idl_set_remote(idl, f->config->ovs_server, true);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        shell(f, steps[i][0]);
        look_until(&seen, idl, steps[i][1]);
    }
    stop(&f->server, SIGKILL);
    start_server(f);
    shell(f, "vsctl --no-wait add-port b2 p1 tag=8");
    look_until(&seen, idl, "b2 8 /");
    ovs_seen_done(&seen);
    ovsdb_idl_destroy(idl);
}

#define ON_OVS(TEST) cmocka_unit_test_setup_teardown(TEST, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_OVS(test_life),
        ON_OVS(test_repairs),
        ON_OVS(test_outer_vlans),
        ON_OVS(test_foreign_stays),
        ON_OVS(test_second_pass_is_silent),
        cmocka_unit_test_setup_teardown(test_culprit_is_found, setup_small_tags, teardown),
        ON_OVS(test_refused_interface),
        ON_OVS(test_daemon_dies),
        ON_OVS(test_daemon_hangs),
        ON_OVS(test_server_dies),
        ON_OVS(test_server_hangs),
        ON_OVS(test_hangs_under_way),
        ON_OVS(test_flow_restore_wait),
        ON_OVS(test_looks),
    };

    signal(SIGPIPE, SIG_IGN);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
