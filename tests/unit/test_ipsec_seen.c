/* ipsec/: charon's answers, its log, names, marks and identities. */
#include "ipsec/ipsec_clash.h"
#include "ipsec/ipsec_seen.h"
#include "ipsec/ipsec_trouble.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Finishes what was written as an event and hands it to a reader of packets. */
static struct vici_packet packet_of(struct vici_writer *writer)
{
    struct vici_packet packet;

    assert_int_equal(vici_finish(writer), 0);
    assert_int_equal(vici_packet_decode(writer->bytes + VICI_HEADER_BYTES,
                                        writer->len - VICI_HEADER_BYTES, &packet),
                     0);
    return packet;
}

static void write_auth(struct vici_writer *writer, const char *section, const char *id,
                       const char *mark)
{
    vici_section(writer, section);
    if (mark) {
        vici_key(writer, "aaa_id", mark);
    }
    vici_key(writer, "id", id);
    vici_key(writer, "class", "pre-shared key");
    vici_list(writer, "groups");
    vici_list_end(writer);
    vici_section_end(writer);
}

static void write_list(struct vici_writer *writer, const char *name, const char *first,
                       const char *second)
{
    vici_list(writer, name);
    vici_item(writer, first);
    if (second) {
        vici_item(writer, second);
    }
    vici_list_end(writer);
}

/* As charon 5.9.8 prints it. */
static int add_conn(struct ipsec_seen *seen, const char *name, const char *mark)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_EVENT, "list-conn");
    vici_section(&writer, name);
    write_list(&writer, "local_addrs", "192.0.2.1", NULL);
    write_list(&writer, "remote_addrs", "203.0.113.2", "203.0.113.3");
    vici_key(&writer, "version", "IKEv2");
    vici_key(&writer, "reauth_time", "0");
    vici_key(&writer, "rekey_time", "28800");
    vici_key(&writer, "unique", "UNIQUE_NO");
    vici_key(&writer, "dpd_delay", "15");
    write_auth(&writer, "local-1", "vr1.example", mark);
    write_auth(&writer, "remote-1", "203.0.113.2", NULL);
    vici_section(&writer, "children");
    vici_section(&writer, name);
    vici_key(&writer, "mode", "TUNNEL");
    vici_key(&writer, "rekey_time", "3600");
    write_list(&writer, "local-ts", "0.0.0.0/0", "::/0");
    vici_section_end(&writer);
    vici_section_end(&writer);
    vici_section_end(&writer);
    struct vici_packet packet = packet_of(&writer);
    int result = ipsec_seen_conn(seen, &packet);
    vici_writer_done(&writer);
    return result;
}

static void test_conns(void **state)
{
    struct ipsec_seen seen = {.arena = NULL};
    (void)state;

    assert_int_equal(
        add_conn(&seen, "routerd-13",
                 "bio/genome/tunnel/sakura+initiate+00000000000000ff+0000000000000007"),
        0);
    assert_int_equal(add_conn(&seen, "routerd-2", NULL), 0);
    assert_int_equal(add_conn(&seen, "office", NULL), 0);
    assert_int_equal(add_conn(&seen, "routerd-x", NULL), 0);
    ipsec_seen_sort(&seen);
    assert_int_equal(seen.n_conns, 2);
    assert_true(seen.conns[0].id == 2 && seen.conns[0].foreign);
    const struct ipsec_conn *conn = ipsec_find_conn(&seen, 13);
    assert_non_null(conn);
    assert_false(conn->foreign);
    assert_true(conn->initiate);
    assert_int_equal(conn->settings, 255);
    assert_int_equal(conn->ends, 7);
    assert_string_equal(conn->owner, "bio/genome/tunnel/sakura");
    assert_string_equal(conn->local_addr, "192.0.2.1");
    assert_string_equal(conn->remote_addrs, "203.0.113.2,203.0.113.3");
    assert_string_equal(conn->local_id, "vr1.example");
    assert_string_equal(conn->remote_id, "203.0.113.2");
    assert_int_equal(conn->ike_rekey_s, 28800);
    assert_int_equal(conn->child_rekey_s, 3600);
    assert_int_equal(conn->dpd_delay_s, 15);
    assert_null(ipsec_find_conn(&seen, 12));
    ipsec_seen_done(&seen);
}

static void write_child(struct vici_writer *writer, const char *name, const char *state,
                        const char *if_id_in)
{
    vici_section(writer, name);
    vici_key(writer, "name", "routerd-13");
    vici_key(writer, "state", state);
    vici_key(writer, "if-id-in", if_id_in);
    vici_key(writer, "if-id-out", "0000000d");
    vici_key(writer, "bytes-in", "100");
    vici_key(writer, "bytes-out", "7");
    vici_section_end(writer);
}

static void write_sa(struct vici_writer *writer, const char *state, bool nat)
{
    vici_begin(writer, VICI_EVENT, "list-sa");
    vici_section(writer, "routerd-13");
    vici_key(writer, "uniqueid", "4");
    vici_key(writer, "state", state);
    vici_key(writer, "local-host", "192.0.2.1");
    vici_key(writer, "local-id", "VR1.example");
    vici_key(writer, "remote-host", "198.51.100.9");
    vici_key(writer, "remote-id", "203.0.113.2");
    if (nat) {
        vici_key(writer, "nat-remote", "yes");
    }
    vici_key(writer, "established", "33");
    vici_section(writer, "child-sas");
}

static void finish_sa(struct ipsec_seen *seen, struct vici_writer *writer)
{
    vici_section_end(writer);
    vici_section_end(writer);
    struct vici_packet packet = packet_of(writer);
    assert_int_equal(ipsec_seen_sa(seen, &packet), 0);
    ipsec_seen_sort(seen);
    vici_writer_done(writer);
}

static void test_sas(void **state)
{
    struct ipsec_seen seen = {.arena = NULL};
    struct vici_writer writer;
    (void)state;

    assert_int_equal(add_conn(&seen, "routerd-13",
                              "bio/genome/tunnel/sakura+wait+00000000000000ff+0000000000000007"),
                     0);
    write_sa(&writer, "ESTABLISHED", false);
    write_child(&writer, "routerd-13-1", "DELETING", "0000000d");
    write_child(&writer, "routerd-13-2", "INSTALLED", "0000000e"); /* of another interface */
    finish_sa(&seen, &writer);
    assert_int_equal(seen.n_sas, 1);
    assert_false(ipsec_seen_up(&seen, 13));
    assert_true(ipsec_sa_stale(&seen.sas[0], &seen.conns[0])); /* another remote address */

    ipsec_seen_clear_sas(&seen, 13);
    write_sa(&writer, "ESTABLISHED", true);
    write_child(&writer, "routerd-13-3", "REKEYED", "0000000d");
    write_child(&writer, "routerd-13-4", "INSTALLED", "0000000d");
    finish_sa(&seen, &writer);
    assert_true(ipsec_seen_up(&seen, 13));
    assert_false(ipsec_seen_up(&seen, 12));
    assert_int_equal(seen.sas[0].ike_id, 4);
    assert_int_equal(seen.sas[0].established_s, 33);
    assert_int_equal(seen.sas[0].n_installed, 2);
    assert_int_equal(seen.sas[0].bytes_in, 200);
    assert_int_equal(seen.sas[0].bytes_out, 14);
    assert_false(ipsec_sa_stale(&seen.sas[0], &seen.conns[0])); /* behind NAT */
    ipsec_conn_identify(&seen.conns[0], "other.example", seen.conns[0].remote_id);
    assert_true(ipsec_sa_stale(&seen.sas[0], &seen.conns[0]));
    ipsec_seen_done(&seen);
}

/* The mark of one with certificates says which, and which key. */
static void test_certified_marks(void **state)
{
    static const char with[] = "bio/genome/tunnel/sakura+wait+00000000000000ff+0000000000000007+"
                               "0000000000000009+fedcba9876543210+0000000000000100";
    static const char *const wrong[] = {"+00000000000000zz", "+0000000000000009",
                                        "+0000000000000009+", "+0000000000000009+1+2",
                                        "+0000000000000009+0000000000000009+0000000000000009+x"};
    struct arena *arena = arena_new();
    struct ipsec_conn conn = {.id = 0};
    char text[IPSEC_MARK_TEXT];
    (void)state;

    assert_true(ipsec_mark_parse(arena, with, &conn));
    assert_int_equal(conn.credentials, 9);
    assert_int_equal(conn.loaded_s, 256);
    assert_true(conn.key == UINT64_C(0xfedcba9876543210));
    assert_string_equal(ipsec_mark(&conn, text), with);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "%.*s%s", (int)(strchr(with, '7') - with + 1), with, wrong[i]);
        assert_false(ipsec_mark_parse(arena, text, &conn));
    }
    arena_free(arena);
}

static void test_keys(void **state)
{
    static const char key[] = "fedcba9876543210aaaaaaaaaaaaaaaaaaaaaaaa";
    struct ipsec_seen seen = {.arena = NULL};
    struct vici_writer writer;
    (void)state;

    vici_begin(&writer, VICI_EVENT, "x");
    vici_list(&writer, "keys");
    vici_item(&writer, key);
    vici_item(&writer, "0000000000000001bbbbbbbbbbbbbbbbbbbbbbbb");
    vici_item(&writer, "routerd-13");
    vici_list_end(&writer);
    struct vici_packet packet = packet_of(&writer);
    assert_int_equal(ipsec_seen_keys(&seen, &packet), 0);
    ipsec_seen_sort(&seen);
    assert_int_equal(seen.n_keys, 2);
    assert_string_equal(ipsec_find_key(&seen, UINT64_C(0xfedcba9876543210))->name, key);
    assert_null(ipsec_find_key(&seen, 2));
    assert_true(ipsec_seen_names(&packet) != 0);
    vici_writer_done(&writer);
    ipsec_seen_done(&seen);
}

/* As strongSwan 5.9 and 6 answer. */
static void test_algorithms(void **state)
{
    static const char *const lists[] = {"dh", "ke"};
    struct ipsec_seen seen = {.arena = NULL};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct vici_writer writer;
        vici_begin(&writer, VICI_EVENT, "x");
        vici_section(&writer, "encryption");
        vici_key(&writer, "AES_CBC", "openssl");
        vici_section_end(&writer);
        vici_section(&writer, lists[i]);
        vici_key(&writer, "ECP_384", "openssl");
        vici_key(&writer, "ML_KEM_768", "ml");
        vici_section_end(&writer);
        struct vici_packet packet = packet_of(&writer);
        assert_false(seen.algorithms_known && i == 0);
        assert_int_equal(ipsec_seen_algorithms(&seen, &packet), 0);
        assert_true(seen.algorithms_known);
        assert_int_equal(seen.extra_ke, i);
        assert_string_equal(seen.post_quantum, i ? " mlkem768 " : "");
        vici_writer_done(&writer);
    }
    ipsec_seen_done(&seen);
}

static void test_secrets(void **state)
{
    struct ipsec_seen seen = {.arena = NULL};
    struct vici_writer writer;
    (void)state;

    vici_begin(&writer, VICI_EVENT, "x");
    vici_list(&writer, "keys");
    vici_item(&writer, "routerd-13-00000000000000ff");
    vici_item(&writer, "ike-office");
    vici_item(&writer, "routerd-13");
    vici_item(&writer, "routerd-13-00000000000000FF");
    vici_item(&writer, "routerd-2-0000000000000001");
    vici_list_end(&writer);
    struct vici_packet packet = packet_of(&writer);
    assert_int_equal(ipsec_seen_secrets(&seen, &packet), 0);
    ipsec_seen_sort(&seen);
    assert_int_equal(seen.n_secrets, 2);
    assert_true(seen.secrets[0].id == 2 && seen.secrets[0].version == 1);
    assert_true(seen.secrets[1].id == 13 && seen.secrets[1].version == 255);
    vici_writer_done(&writer);

    vici_begin(&writer, VICI_EVENT, "x");
    vici_list(&writer, "keys");
    vici_item(&writer, "routerd-2-0000000000000001");
    vici_item(&writer, "office");
    vici_item(&writer, "routerd-13-00000000000000ff");
    vici_list_end(&writer);
    packet = packet_of(&writer);
    assert_true(ipsec_seen_names(&packet) == ipsec_seen_secret_names(&seen));
    seen.n_secrets--;
    assert_false(ipsec_seen_names(&packet) == ipsec_seen_secret_names(&seen));
    vici_writer_done(&writer);
    ipsec_seen_done(&seen);
}

static void test_events(void **state)
{
    struct vici_writer writer;
    struct ipsec_log log;
    (void)state;

    vici_begin(&writer, VICI_EVENT, "child-updown");
    vici_key(&writer, "up", "yes");
    vici_section(&writer, "routerd-13");
    vici_section_end(&writer);
    struct vici_packet packet = packet_of(&writer);
    assert_int_equal(ipsec_event_id(&packet), 13);
    vici_writer_done(&writer);

    vici_begin(&writer, VICI_EVENT, "log");
    vici_key(&writer, "group", "IKE");
    vici_key(&writer, "ikesa-name", "routerd-13");
    vici_key(&writer, "ikesa-uniqueid", "4");
    vici_key(&writer, "msg", "retransmit 1 of request with message ID 0");
    packet = packet_of(&writer);
    assert_int_equal(ipsec_event_log(&packet, &log), 0);
    assert_int_equal(log.id, 13);
    assert_int_equal(log.ike_id, 4);
    assert_int_equal(ipsec_symptom(log.group, log.text).trouble, TROUBLE_NO_ANSWER);
    vici_writer_done(&writer);
}

static void test_names(void **state)
{
    static const char *const wrong[] = {
        "",           "routerd",     "routerd-",  "routerd-0",          "routerd-01",
        "routerd-1x", "xrouterd-1",  "Routerd-1", "routerd-4294967296", "routerd--1",
        "routerd-1 ", "routerd-+12", "13",        "routerd-99999999999"};
    char name[IPSEC_NAME_TEXT];
    (void)state;

    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_int_equal(ipsec_id_of_name(wrong[i]), 0);
    }
    assert_string_equal(ipsec_name(UINT32_MAX, name), "routerd-4294967295");
    assert_int_equal(ipsec_id_of_name(name), UINT32_MAX);
}

static void test_marks(void **state)
{
    static const char *const wrong[] = {
        "",
        "bio/genome/tunnel/sakura",
        "bio/genome/tunnel/sakura+initiate",
        "bio/genome/tunnel/sakura+initiate+123+0000000000000007",
        "bio/genome/tunnel/sakura+perhaps+00000000000000ff+0000000000000007",
        "+initiate+00000000000000ff+0000000000000007",
        "bio/genome/tunnel/sakura+initiate+00000000000000fg+0000000000000007",
        "bio/genome/tunnel/sakura+initiate+00000000000000ff",
        "bio/genome/tunnel/sakura+initiate+00000000000000ff+0000000000000007+"};
    struct arena *arena = arena_new();
    struct ipsec_conn conn = {.owner = "bio/genome/tunnel/sakura",
                              .settings = UINT64_MAX,
                              .ends = 1},
                      read = {0};
    char mark[IPSEC_MARK_TEXT];
    (void)state;

    for (size_t i = 0; i < LENGTH(wrong); i++) {
        assert_false(ipsec_mark_parse(arena, wrong[i], &read));
        assert_null(read.owner);
    }
    assert_true(ipsec_mark_parse(arena, ipsec_mark(&conn, mark), &read));
    assert_string_equal(mark, "bio/genome/tunnel/sakura+wait+ffffffffffffffff+0000000000000001+"
                              "0000000000000000+0000000000000000+0000000000000000");
    assert_string_equal(read.owner, conn.owner);
    assert_false(read.initiate);
    assert_true(read.settings == UINT64_MAX && read.ends == 1);
    arena_free(arena);
}

static void test_identities(void **state)
{
    static const char *const exact[] = {"203.0.113.2",       "2001:db8::1",
                                        "vr1.example.ac.jp", "@vr1.example",
                                        "admin@example.org", "C=JP, O=Site One, CN=vr1",
                                        "site-1.example"};
    static const char *const patterns[] = {"",           "@",
                                           "%any",       "0.0.0.0",
                                           "::",         "*",
                                           "*.example",  "*@example.org",
                                           "10.0.0.0/8", "10.0.0.1-10.0.0.9",
                                           "fqdn:#2a2e", "@#2a2e",
                                           "@@#2a",      "ipv4net:10.0.0.0/8",
                                           "{2}:2a",     "C=JP, CN=*",
                                           "/C=JP/CN=x"};
    (void)state;

    for (size_t i = 0; i < LENGTH(exact); i++) {
        assert_true(ipsec_identity_exact(exact[i]));
    }
    for (size_t i = 0; i < LENGTH(patterns); i++) {
        assert_false(ipsec_identity_exact(patterns[i]));
    }
    assert_true(ipsec_identity("@VR1.example") == ipsec_identity("vr1.example"));
    assert_true(ipsec_identity("2001:DB8:0::1") == ipsec_identity("2001:db8::1"));
    assert_true(ipsec_identity("C=JP,O=x") == ipsec_identity("C=JP, O=x"));
    assert_false(ipsec_identity("vr1.example") == ipsec_identity("vr2.example"));
}

static void test_troubles(void **state)
{
    static const struct {
        const char *group, *text;
        struct ipsec_symptom symptom;
    } lines[] = {
        {"IKE", "received AUTHENTICATION_FAILED notify error", {TROUBLE_REFUSED, true, true}},
        {"IKE",
         "tried 1 shared key for 'a' - 'b', but MAC mismatched",
         {TROUBLE_NOT_GENUINE, true, true}},
        {"IKE", "received NO_PROPOSAL_CHOSEN notify error", {TROUBLE_IKE_PROPOSAL, true, true}},
        {"IKE",
         "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
         {TROUBLE_CHILD_PROPOSAL, true, true}},
        {"IKE",
         "received TS_UNACCEPTABLE notify, no CHILD_SA built",
         {TROUBLE_SELECTORS, true, true}},
        {"IKE", "retransmit 3 of request with message ID 0", {TROUBLE_NO_ANSWER, false, false}},
        {"IKE", "giving up after 5 retransmits", {TROUBLE_NO_ANSWER, true, false}},
        {"IKE",
         "establishing IKE_SA failed, peer not responding",
         {TROUBLE_NO_ANSWER, true, false}},
        {"CFG", "constraint check failed: identity 'x' required ", {TROUBLE_IDENTITY, false, true}},
        {"ENC", "parsed IKE_SA_INIT response 0 [ SA KE No ]", {TROUBLE_NONE, false, true}},
        {"ENC", "generating IKE_AUTH response 1 [ N(AUTH_FAILED) ]", {TROUBLE_NONE, false, false}},
        {"IKE",
         "IKE_SA routerd-1[1] established between 192.0.2.1[a]...203.0.113.2[b]",
         {TROUBLE_NONE, false, false}},
        {"NET", "received AUTHENTICATION_FAILED notify error", {TROUBLE_NONE, false, false}},
    };
    char text[200];
    (void)state;

    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct ipsec_symptom symptom = ipsec_symptom(lines[i].group, lines[i].text);
        assert_int_equal(symptom.trouble, lines[i].symptom.trouble);
        assert_int_equal(symptom.ended, lines[i].symptom.ended);
        assert_int_equal(symptom.alive, lines[i].symptom.alive);
    }
    assert_int_equal(ipsec_log_loaded("CFG", "replaced vici connection: routerd-13"), 13);
    assert_int_equal(
        ipsec_log_loaded("CFG", "loaded IKE shared key with id 'routerd-1-00' for: 'x'"), 1);
    assert_int_equal(ipsec_log_loaded("CFG", "added vici connection: office"), 0);
    assert_int_equal(ipsec_log_loaded("CFG", "added vici connection: routerd-office"), 0);
    assert_int_equal(ipsec_log_loaded("CFG", "added vici connection: routerd-4294967296"), 0);
    assert_int_equal(ipsec_log_loaded("IKE", "replaced vici connection: routerd-13"), 0);
    assert_string_equal(
        ipsec_trouble_text(TROUBLE_REFUSED, "203.0.113.2", "the secret sakura-psk", text,
                           sizeof text),
        "authentication failed: 203.0.113.2 refused us; check the secret sakura-psk and the ids on both ends");
    for (int trouble = TROUBLE_NONE; trouble <= TROUBLE_OTHER; trouble++) {
        assert_true(strlen(ipsec_trouble_text((enum ipsec_trouble)trouble, "r", "s", text,
                                              sizeof text)) > 10);
    }
}

static void test_lists_of_addresses(void **state)
{
    static const char list[] = "203.0.113.20,2001:db8:0:0::1,%any,198.51.100.1";
    static const struct {
        const char *addr;
        bool held;
    } cases[] = {{"203.0.113.20", true}, {"2001:db8::1", true}, {"198.51.100.1", true},
                 {"203.0.113.2", false}, {"2001:db8::", false}, {"198.51.100.10", false}};
    struct addr addr = {.family = 0};
    (void)state;

    assert_false(ipsec_addrs_hold(list, &addr));
    for (size_t i = 0; i < LENGTH(cases); i++) {
        assert_int_equal(addr_parse(cases[i].addr, &addr), 0);
        assert_int_equal(ipsec_addrs_hold(list, &addr), cases[i].held);
        assert_false(ipsec_addrs_hold("", &addr) || ipsec_addrs_hold(NULL, &addr));
    }
}

static unsigned int next_random(unsigned int *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

/* Connections and SAs of ids up to 12, whose numbers say when they were seen. */
static void fill_seen(struct ipsec_seen *seen, unsigned int *seed, unsigned int when)
{
    char name[IPSEC_NAME_TEXT], mark[64];

    for (uint32_t id = 1; id <= 12; id++) {
        if (next_random(seed) % 2) {
            snprintf(mark, sizeof mark, "bio/n%u/tunnel/t+initiate+%016x+%016x", id, when, id);
            assert_int_equal(add_conn(seen, ipsec_name(id, name), mark), 0);
        }
        for (unsigned int i = next_random(seed) % 3; i > 0; i--) {
            struct ipsec_sa sa = {.id = id, .ike_id = 10 * when + i, .n_installed = 1};
            ipsec_seen_add_sa(seen, &sa);
        }
    }
    ipsec_seen_sort(seen);
}

/* One id's connection and SAs are those of the fresh list, the others' stay; and more can be added
 * behind. */
static void test_one_of_many(void **state)
{
    unsigned int seed = 3;
    (void)state;

    for (unsigned int round = 0; round < 300; round++) {
        struct ipsec_seen seen = {.arena = NULL}, fresh = {.arena = NULL}, before = {.arena = NULL};
        unsigned int same = seed;
        fill_seen(&seen, &seed, 1);
        fill_seen(&before, &same, 1);
        fill_seen(&fresh, &seed, 2);
        uint32_t chosen = next_random(&seed) % 14;
        ipsec_seen_take_conn(&seen, &fresh, chosen);
        ipsec_seen_take_sas(&seen, &fresh, chosen);
        for (uint32_t id = 0; id < 14; id++) {
            const struct ipsec_seen *source = id == chosen ? &fresh : &before;
            const struct ipsec_conn *conn = ipsec_find_conn(&seen, id),
                                    *from = ipsec_find_conn(source, id);
            assert_true(ipsec_seen_digest_id(&seen, id) == ipsec_seen_digest_id(source, id));
            assert_true(!conn == !from && (!conn || conn->settings == from->settings));
        }
        ipsec_seen_done(&fresh); /* what was taken is the taker's */
        fill_seen(&seen, &seed, 3);
        for (size_t i = 1; i < seen.n_sas; i++) {
            assert_true(seen.sas[i - 1].id <= seen.sas[i].id);
        }
        ipsec_seen_digest(&seen);
        ipsec_seen_done(&seen);
        ipsec_seen_done(&before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conns),
        cmocka_unit_test(test_one_of_many),
        cmocka_unit_test(test_lists_of_addresses),
        cmocka_unit_test(test_sas),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_certified_marks),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_troubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
