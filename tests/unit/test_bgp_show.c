/* What FRR's show commands say, and when a session counts as up. The texts are FRR 8.4's. */
#include "bgp/bgp_show.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct addr addr(const char *text)
{
    struct addr address = {0};

    assert_int_equal(addr_parse(text, &address), 0);
    return address;
}

/* A summary of one peer in rvrf1001, and of another's VRF. */
static struct bgp_sessions summary(const char *state, const char *peer_state, int table, int outq,
                                   int established, int epoch)
{
    struct bgp_sessions sessions;
    char json[1024];

    snprintf(json, sizeof json,
             "{\"default\":{\"ipv4Unicast\":{\"peers\":{\"10.0.0.9\":{\"state\":\"Idle\"}}}},"
             "\"rvrf1001\":{\"ipv4Unicast\":{\"as\":65010,\"tableVersion\":%d,\"peers\":{"
             "\"169.254.10.2\":{\"remoteAs\":64512,\"outq\":%d,\"inq\":0,"
             "\"peerUptimeEstablishedEpoch\":%d,\"pfxRcd\":2,\"pfxSnt\":5,\"state\":\"%s\","
             "\"peerState\":\"%s\",\"connectionsEstablished\":%d}}},"
             "\"ipv6Unicast\":{\"peers\":{}}}}",
             table, outq, epoch, state, peer_state, established);
    assert_true(bgp_show_summary(json, &sessions));
    assert_int_equal(sessions.n, 1);
    return sessions;
}

static void test_a_summary(void **state)
{
    struct bgp_sessions sessions = summary("Established", "OK", 7, 0, 3, 1795217559);
    struct addr peer = addr("169.254.10.2");
    const struct bgp_session *session = bgp_sessions_find(&sessions, 1, &peer);

    (void)state;
    assert_non_null(session);
    assert_true(session->established);
    assert_string_equal(session->state, "Established");
    assert_int_equal(session->since_ms, 1795217559000);
    assert_int_equal(session->received, 2);
    assert_int_equal(session->sent, 5);
    assert_int_equal(session->table, 7);
    assert_int_equal(session->sessions, 3);
    assert_null(bgp_sessions_find(&sessions, 2, &peer));
    bgp_sessions_done(&sessions);
}

static void test_both_families_of_a_session(void **state)
{
    static const char JSON[] =
        "{\"rvrf1001\":{\"ipv4Unicast\":{\"tableVersion\":7,\"peers\":{\"169.254.10.2\":{"
        "\"pfxRcd\":2,\"pfxSnt\":5,\"state\":\"Established\"}}},\"ipv6Unicast\":{"
        "\"tableVersion\":9,\"peers\":{\"169.254.10.2\":{\"pfxRcd\":1,\"pfxSnt\":3,\"state\":"
        "\"Established\"},\"2001:db8::2\":{\"pfxRcd\":4,\"state\":\"Active\"}}}}}";
    static const char *const ENDS[] = {"false", "true"};
    struct bgp_sessions sessions;
    struct addr peer = addr("169.254.10.2");

    (void)state;
    assert_true(bgp_show_summary(JSON, &sessions));
    assert_int_equal(sessions.n, 2);
    assert_int_equal(sessions.v[0].received, 3);
    assert_int_equal(sessions.v[0].sent, 8);
    assert_int_equal(sessions.v[0].received_of[1], 1);
    assert_int_equal(sessions.v[0].sent_of[0], 5);
    assert_int_equal(sessions.v[0].sent_of[1], 3);
    assert_int_equal(sessions.v[0].tables[1], 9);
    assert_int_equal(sessions.v[0].table, 16);
    assert_true(sessions.v[0].families[0] && sessions.v[0].families[1]);
    assert_false(sessions.v[1].families[0]);
    for (int i = 0; i < 2; i++) {
        char json[400];

        snprintf(json, sizeof json,
                 "{\"169.254.10.2\":{\"gracefulRestartInfo\":{\"endOfRibRecv\":{\"ipv4Unicast\":"
                 "true,\"ipv6Unicast\":%s}}}}",
                 ENDS[i]);
        bgp_show_neighbors(json, 1, &sessions);
        assert_int_equal(bgp_sessions_find(&sessions, 1, &peer)->end_received, i);
    }
    bgp_sessions_done(&sessions);
}

static void test_sessions_of_bfd(void **state)
{
    /* as FRR 8.4.4 prints it, shortened */
    static const char JSON[] =
        "[{\"multihop\":false,\"peer\":\"169.254.10.2\",\"local\":\"169.254.10.1\",\"vrf\":"
        "\"rvrf1001\",\"interface\":\"seg3\",\"status\":\"up\",\"uptime\":7,\"diagnostic\":"
        "\"ok\"},{\"peer\":\"2001:db8::2\",\"vrf\":\"rvrf1001\",\"status\":\"down\","
        "\"diagnostic\":\"control detection time expired\"},{\"peer\":\"10.0.0.1\",\"vrf\":"
        "\"default\",\"status\":\"up\"},7]";
    struct bgp_bfd_sessions sessions, none;
    struct addr four = addr("169.254.10.2"), six = addr("2001:db8::2");

    (void)state;
    assert_true(bgp_show_bfd(JSON, &sessions));
    assert_true(bgp_show_bfd("[]", &none));
    assert_false(bgp_show_bfd("{}", &none));
    assert_int_equal(sessions.n, 2);
    assert_string_equal(bgp_bfd_sessions_find(&sessions, 1, &four)->state, "up");
    assert_string_equal(bgp_bfd_sessions_find(&sessions, 1, &four)->diagnostic, "");
    assert_string_equal(bgp_bfd_sessions_find(&sessions, 1, &six)->state, "down");
    assert_string_equal(bgp_bfd_sessions_find(&sessions, 1, &six)->diagnostic,
                        "control detection time expired");
    assert_null(bgp_bfd_sessions_find(&sessions, 2, &six));
    assert_true(bgp_bfd_sessions_equal(&sessions, &sessions));
    assert_false(bgp_bfd_sessions_equal(&sessions, &none));
    bgp_bfd_sessions_done(&sessions);
}

static void test_what_is_no_summary(void **state)
{
    struct bgp_sessions sessions;

    (void)state;
    assert_false(bgp_show_summary("", &sessions));
    assert_false(bgp_show_summary("% Unknown command", &sessions));
    assert_false(bgp_show_summary("[1]", &sessions));
    assert_true(bgp_show_summary("{\"rvrf1001\":7,\"rvrf1002\":{\"ipv4Unicast\":{\"peers\":[1]}}}",
                                 &sessions));
    assert_int_equal(sessions.n, 0);
    bgp_sessions_done(&sessions);
}

static void mark_end(struct bgp_sessions *sessions, const char *capability, bool received)
{
    char json[400];

    snprintf(json, sizeof json,
             "{\"vrfName\":\"x\",\"169.254.10.2\":{\"neighborCapabilities\":{\"gracefulRestart\":"
             "\"%s\"},\"gracefulRestartInfo\":{\"endOfRibRecv\":{\"ipv4Unicast\":%s}}}}",
             capability, received ? "true" : "false");
    bgp_show_neighbors(json, 1, sessions);
}

/* An answer about one neighbor that has said this much; `enhanced` as its capability is told. */
static const char *said(const char *enhanced, int asked, int updates, int marks)
{
    static char json[500];

    snprintf(json, sizeof json,
             "{\"169.254.10.2\":{\"neighborCapabilities\":{\"enhancedRouteRefresh\":\"%s\"},"
             "\"gracefulRestartInfo\":{\"endOfRibRecv\":{\"ipv4Unicast\":true}},\"messageStats\":{"
             "\"routeRefreshSent\":%d,\"updatesRecv\":%d,\"routeRefreshRecv\":%d}}}",
             enhanced, asked, updates, marks);
    return json;
}

static const struct bgp_calm CALM = {{true, true}, true};
enum { NOW_S = 1795217600, SECOND_MS = 1000 };

static int64_t now_ms(int seconds)
{
    return (int64_t)(NOW_S + seconds) * SECOND_MS;
}

static void test_settled_after_two_equal_looks(void **state)
{
    struct bgp_sessions first = summary("Established", "OK", 7, 0, 1, NOW_S), second;
    bool details;

    (void)state;
    mark_end(&first, "advertisedAndReceived", true);
    assert_false(bgp_show_judge(&first, 1, &CALM, now_ms(0)));
    second = summary("Established", "OK", 7, 0, 1, NOW_S + 1);
    assert_false(bgp_show_carry(&second, &first, now_ms(1), &details));
    assert_false(details);
    assert_int_equal(second.v[0].since_ms, now_ms(0)); /* it wavers */
    assert_true(bgp_show_judge(&second, 1, &CALM, now_ms(1)));
    assert_true(second.v[0].settled);
    bgp_show_unsettle(&second, 1);
    assert_false(second.v[0].settled);
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
}

static void test_not_settled_while_the_table_moves(void **state)
{
    struct bgp_sessions first = summary("Established", "OK", 7, 0, 1, NOW_S), second;
    bool details;

    (void)state;
    mark_end(&first, "advertisedAndReceived", true);
    bgp_show_judge(&first, 1, &CALM, now_ms(0));
    second = summary("Established", "OK", 8, 0, 1, NOW_S);
    bgp_show_carry(&second, &first, now_ms(0), &details);
    assert_false(bgp_show_judge(&second, 1, &CALM, now_ms(0)));
    assert_true(bgp_show_judge(&second, 1, &CALM, now_ms(0)));
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
}

/* Looks twice, `seconds` after it was established. */
static bool settles(const char *capability, bool end, int outq, const struct bgp_calm *calm,
                    int seconds)
{
    struct bgp_sessions sessions = summary("Established", "OK", 7, outq, 1, NOW_S);
    bool settled;

    mark_end(&sessions, capability, end);
    bgp_show_judge(&sessions, 1, calm, now_ms(seconds));
    settled = bgp_show_judge(&sessions, 1, calm, now_ms(seconds));
    bgp_sessions_done(&sessions);
    return settled;
}

static void test_what_settles(void **state)
{
    static const struct bgp_calm BUSY = {{true, true}, false}, BEHIND = {{false, true}, true};

    (void)state;
    assert_true(settles("advertisedAndReceived", true, 0, &CALM, 0));
    assert_false(settles("advertisedAndReceived", false, 0, &CALM, 5));
    assert_true(
        settles("advertisedAndReceived", false, 0, &CALM, 31)); /* it does not keep its word */
    assert_false(settles("advertised", false, 0, &CALM, 2));
    assert_true(settles("advertised", false, 0, &CALM, 4)); /* it cannot mark the end */
    assert_false(settles("advertisedAndReceived", true, 1, &CALM, 0));
    assert_false(settles("advertisedAndReceived", true, 0, &BUSY, 0));
    assert_false(settles("advertisedAndReceived", true, 0, &BEHIND, 0));
}

/* FRR never catches up, for a reason of its own: the session is good all the same. */
static void test_settled_at_last(void **state)
{
    static const struct bgp_calm BEHIND = {{false, true}, true};
    struct bgp_sessions sessions = summary("Established", "OK", 7, 0, 1, NOW_S);

    (void)state;
    mark_end(&sessions, "advertisedAndReceived", true);
    assert_false(bgp_show_judge(&sessions, 1, &BEHIND, now_ms(0)));
    assert_false(bgp_show_judge(&sessions, 1, &BEHIND, now_ms(4)));
    bgp_show_judge(&sessions, 1, &BEHIND, now_ms(6));
    assert_true(bgp_show_judge(&sessions, 1, &BEHIND, now_ms(6)));
    bgp_sessions_done(&sessions);
}

/* Settles a session, changes a filter, and looks `seconds` later, when the peer has said `json`. */
static bool settles_anew(const char *enhanced, const char *json, int seconds)
{
    struct bgp_sessions first = summary("Established", "OK", 7, 0, 1, NOW_S), second;
    char copy[500];
    bool settled, details;

    snprintf(copy, sizeof copy, "%s", json);
    bgp_show_neighbors(said(enhanced, 3, 10, 4), 1, &first);
    bgp_show_judge(&first, 1, &CALM, now_ms(100));
    assert_true(bgp_show_judge(&first, 1, &CALM, now_ms(100)));
    bgp_show_before(said(enhanced, 3, 10, 4), 1, &first, now_ms(100));
    bgp_show_unsettle(&first, 1);
    second = summary("Established", "OK", 7, 0, 1, NOW_S);
    bgp_show_carry(&second, &first, now_ms(100), &details);
    bgp_show_neighbors(copy, 1, &second);
    bgp_show_judge(&second, 1, &CALM, now_ms(100 + seconds));
    settled = bgp_show_judge(&second, 1, &CALM, now_ms(100 + seconds));
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
    return settled;
}

static void test_a_changed_filter_waits_for_the_peer(void **state)
{
    static const char BOTH[] = "advertisedAndReceived", WE[] = "advertised";

    (void)state;
    assert_true(settles_anew(BOTH, said(BOTH, 3, 10, 4), 0)); /* it was not asked */
    assert_false(settles_anew(BOTH, said(BOTH, 4, 10, 4), 0));
    assert_false(settles_anew(BOTH, said(BOTH, 4, 12, 5), 0)); /* it has begun */
    assert_true(settles_anew(BOTH, said(BOTH, 4, 12, 6), 0));
    assert_false(settles_anew(BOTH, said(BOTH, 5, 12, 6), 0)); /* each address family */
    assert_true(settles_anew(BOTH, said(BOTH, 5, 12, 8), 0));
    assert_false(settles_anew(BOTH, said(BOTH, 4, 10, 4), 29));
    assert_true(settles_anew(BOTH, said(BOTH, 4, 10, 4), 30)); /* it does not keep its word */
    assert_false(settles_anew(WE, said(WE, 4, 10, 4), 2));
    assert_true(settles_anew(WE, said(WE, 4, 11, 4), 0));
    assert_true(settles_anew(WE, said(WE, 4, 10, 4), 3)); /* it has nothing to say */
}

/* The answer to the first question is none to the second. */
static void test_a_filter_changed_again_before_the_peer_has_answered(void **state)
{
    static const char BOTH[] = "advertisedAndReceived";
    struct bgp_sessions sessions = summary("Established", "OK", 7, 0, 1, NOW_S);

    (void)state;
    bgp_show_before(said(BOTH, 3, 10, 4), 1, &sessions, now_ms(0));
    bgp_show_before(said(BOTH, 4, 10, 4), 1, &sessions, now_ms(1));
    bgp_show_neighbors(said(BOTH, 5, 11, 6), 1, &sessions);
    assert_true(sessions.v[0].refreshing);
    bgp_show_neighbors(said(BOTH, 5, 12, 8), 1, &sessions);
    assert_false(sessions.v[0].refreshing);
    bgp_sessions_done(&sessions);
}

static void test_another_session_is_judged_anew(void **state)
{
    struct bgp_sessions first = summary("Established", "OK", 7, 0, 1, NOW_S), second;
    bool details;

    (void)state;
    mark_end(&first, "advertisedAndReceived", true);
    bgp_show_judge(&first, 1, &CALM, now_ms(0));
    bgp_show_judge(&first, 1, &CALM, now_ms(0));
    assert_true(first.v[0].settled);
    second = summary("Established", "OK", 7, 0, 2, NOW_S + 9);
    assert_true(bgp_show_carry(&second, &first, now_ms(9), &details));
    assert_false(second.v[0].settled);
    assert_false(second.v[0].end_received);
    assert_int_equal(second.v[0].since_ms, now_ms(9));
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
}

static void test_counters_are_details(void **state)
{
    struct bgp_sessions first = summary("Active", "OK", 7, 0, 1, 0),
                        second = summary("Connect", "OK", 7, 0, 1, 0);
    bool details;

    (void)state;
    assert_false(bgp_show_carry(&second, &first, now_ms(0), &details));
    assert_true(details);
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
}

static void expect_reason(const struct bgp_sessions *sessions, enum bgp_password password,
                          const char *expected)
{
    struct bgp_peer wanted = {
        .asn = 64512, .families = {{.active = true, .max_prefixes = 100}}, .password = password};
    char text[512];

    wanted.address = sessions->v[0].address;
    bgp_show_reason(&sessions->v[0], &wanted, "rvrf1001", text, sizeof text);
    assert_string_equal(text, expected);
}

static void fail_peer(struct bgp_sessions *sessions, const char *due, const char *code,
                      const char *text)
{
    char json[500];

    snprintf(json, sizeof json,
             "{\"rvrf1001\":{\"ipv4Unicast\":{\"peers\":{\"169.254.10.2\":{\"lastResetDueTo\":"
             "\"%s\",\"lastErrorCodeSubcode\":\"%s\",\"lastNotificationReason\":\"%s\"}}}}}",
             due, code, text);
    assert_true(bgp_show_failed(json, sessions));
    assert_false(bgp_show_failed(json, sessions));
}

static void test_reasons(void **state)
{
    struct bgp_sessions sessions = summary("Active", "OK", 7, 0, 1, 0);

    (void)state;
    expect_reason(&sessions, BGP_PASSWORD_NONE,
                  "no TCP connection to 169.254.10.2: is it reachable, and does it speak BGP?");
    expect_reason(&sessions, BGP_PASSWORD_SET,
                  "no TCP connection to 169.254.10.2: is it reachable, and is its password the "
                  "same?");
    fail_peer(&sessions, "BGP Notification send", "0202", "OPEN Message Error/Bad Peer AS");
    expect_reason(&sessions, BGP_PASSWORD_NONE,
                  "169.254.10.2 says that it is of another AS than 64512 (Bad Peer AS)");
    fail_peer(&sessions, "BGP Notification received", "0202", "OPEN Message Error/Bad Peer AS");
    expect_reason(&sessions, BGP_PASSWORD_NONE,
                  "169.254.10.2 expects another AS number of this router (Bad Peer AS)");
    fail_peer(&sessions, "BGP Notification received", "0602", "Cease/Administrative Shutdown");
    expect_reason(&sessions, BGP_PASSWORD_NONE,
                  "169.254.10.2 is shut down or removed at its side (Cease/Administrative "
                  "Shutdown)");
    fail_peer(&sessions, "BGP Notification send", "0400", "Hold Timer Expired");
    expect_reason(&sessions, BGP_PASSWORD_NONE,
                  "no TCP connection to 169.254.10.2 since it fell silent (hold timer expired): is "
                  "it reachable, and does it speak BGP?");
    fail_peer(&sessions, "Waiting for NHT", "", "");
    expect_reason(
        &sessions, BGP_PASSWORD_NONE,
        "rvrf1001 has no route to 169.254.10.2: is the interface of its segment or tunnel "
        "up?");
    bgp_sessions_done(&sessions);
    sessions = summary("Idle (PfxCt)", "PfxCt", 7, 0, 1, 0);
    expect_reason(
        &sessions, BGP_PASSWORD_NONE,
        "169.254.10.2 announced more than 100 prefixes (maximum prefixes exceeded); it is "
        "tried again after 5 minutes, or when its import is changed");
    bgp_sessions_done(&sessions);
    sessions = summary("Established", "OK", 7, 0, 1, NOW_S);
    expect_reason(&sessions, BGP_PASSWORD_NONE, "Established, exchanging routes");
    bgp_sessions_done(&sessions);
}

/* An old error explains nothing when connecting brings no answer at all. */
static void test_silence(void **state)
{
    struct bgp_sessions first = summary("Connect", "OK", 7, 0, 1, 0),
                        second = summary("Connect", "OK", 7, 0, 1, 0),
                        third = summary("Connect", "OK", 7, 0, 1, 0);
    bool details;

    (void)state;
    fail_peer(&first, "BGP Notification send", "0202", "OPEN Message Error/Bad Peer AS");
    bgp_show_carry(&second, &first, now_ms(0), &details);
    expect_reason(&second, BGP_PASSWORD_NONE,
                  "169.254.10.2 says that it is of another AS than 64512 (Bad Peer AS)");
    assert_true(bgp_show_carry(&third, &second, now_ms(3), &details));
    expect_reason(&third, BGP_PASSWORD_NONE,
                  "no TCP connection to 169.254.10.2: is it reachable, and does it speak BGP?");
    bgp_sessions_done(&first);
    bgp_sessions_done(&second);
    bgp_sessions_done(&third);
}

#define GROUP(coalesce, version, queue, list)                                             \
    "Update-group 1:\n  Created: Fri Nov 20 23:32:39 2026\n  MRAI value (seconds): 0\n\n" \
    "  Update-subgroup 1:\n    Coalesce Time: " coalesce "\n    Version: " version        \
    "\n    Packet queue length: " queue                                                   \
    "\n    Total packets enqueued: 3\n    Advertise list: " list                          \
    "\n    Peers:\n      - 169.254.10.2\n"

static void test_update_groups(void **state)
{
    (void)state;
    assert_true(bgp_show_groups_done(GROUP("13", "5", "0", "empty"), 5));
    assert_false(bgp_show_groups_done(GROUP("13", "4", "0", "empty"), 5));
    assert_false(bgp_show_groups_done(GROUP("13", "5", "1", "empty"), 5));
    assert_false(bgp_show_groups_done(GROUP("13", "5", "0", "not empty"), 5));
    assert_false(bgp_show_groups_done(GROUP("13(Running)", "5", "0", "empty"), 5));
    assert_true(bgp_show_groups_done("", 5));
}

static void test_queues(void **state)
{
    static const char HEAD[] = "      List (ms)   Q. Runs   Yields       Cycle Counts   \n"
                               "P    Items  Hold    Total    Total    Best  Gran.    Total   Avg. "
                               "Name\n";
    char text[600];

    (void)state;
    snprintf(text, sizeof text, "%s         0    50       11        0       1      1 queue\n",
             HEAD);
    assert_true(bgp_show_queues_empty(text));
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s",
             "P        2    10        3        0       2      1 clear\n");
    assert_false(bgp_show_queues_empty(text));
    assert_true(
        bgp_show_dplane_empty("Zebra dataplane:\nRoute updates:            144\nRoute update "
                              "queue depth: 0\nRoute update queue max:   18\n"));
    assert_false(bgp_show_dplane_empty("Route update queue depth: 3\n"));
}

static void test_lost_vrfs(void **state)
{
    uint32_t *ids;

    (void)state;
    assert_int_equal(bgp_show_lost_vrfs("vrf red inactive (configured)\n"
                                        "vrf rvrf1001 id 2 table 1001\n"
                                        "vrf rvrf1005 id 4 table 1005 (configured)\n"
                                        "vrf rvrf1006 inactive (configured)\n"
                                        "vrf rvrf06 inactive (configured)\n",
                                        &ids),
                     1);
    assert_int_equal(ids[0], 6);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_summary),
        cmocka_unit_test(test_both_families_of_a_session),
        cmocka_unit_test(test_sessions_of_bfd),
        cmocka_unit_test(test_what_is_no_summary),
        cmocka_unit_test(test_settled_after_two_equal_looks),
        cmocka_unit_test(test_not_settled_while_the_table_moves),
        cmocka_unit_test(test_what_settles),
        cmocka_unit_test(test_settled_at_last),
        cmocka_unit_test(test_a_changed_filter_waits_for_the_peer),
        cmocka_unit_test(test_a_filter_changed_again_before_the_peer_has_answered),
        cmocka_unit_test(test_another_session_is_judged_anew),
        cmocka_unit_test(test_counters_are_details),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_update_groups),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_lost_vrfs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
