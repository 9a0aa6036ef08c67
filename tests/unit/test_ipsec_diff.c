/* ipsec/: from intended states to connections and steps, on a charon in memory. */
#include "ipsec_fake.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct ipsec_fake *fake = calloc(1, sizeof *fake);

    ipsec_fake_init(fake);
    *state = fake;
    return 0;
}

static int teardown(void **state)
{
    ipsec_fake_done(*state);
    free(*state);
    return 0;
}

/* The plan as text, then carried out. */
static void assert_plan(struct ipsec_fake *fake, const char *expected)
{
    struct plan *plan = ipsec_fake_diff(fake);
    char *text = ipsec_fake_text(plan);

    assert_string_equal(text, expected);
    ipsec_fake_apply(fake, plan);
    plan_free(plan);
    free(text);
}

static void assert_settled(struct ipsec_fake *fake)
{
    assert_plan(fake, "");
}

static void test_create_and_delete(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio",
                        "genome/sakura genome/backup,remote=203.0.113.7,initiate=false");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: connection routerd-1 from 192.0.2.1 to 203.0.113.2, profile generic, initiated from here\n"
        "create bio/genome/tunnel/backup: connection routerd-2 from 192.0.2.1 to 203.0.113.7, profile generic\n");
    assert_settled(fake);
    ipsec_fake_topology(fake, "bio", "genome/sakura");
    assert_plan(
        fake,
        "delete bio/genome/tunnel/backup: connection routerd-2 to 203.0.113.7 with its secret and SAs\n");
    assert_settled(fake);
    ipsec_fake_topology(fake, "bio", "");
    assert_plan(
        fake,
        "delete bio/genome/tunnel/sakura!: connection routerd-1 to 203.0.113.2 with its secret and SAs\n");
    assert_int_equal(fake->seen.n_conns + fake->seen.n_secrets + fake->seen.n_sas, 0);
    assert_settled(fake);
}

static void test_only_ends_are_disruptive(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    ipsec_fake_topology(fake, "bio", "genome/sakura,initiate=false");
    assert_plan(fake, "update bio/genome/tunnel/sakura: no longer initiated from here\n");
    assert_int_equal(fake->seen.n_sas, 1);
    ipsec_fake_topology(fake, "bio", "genome/sakura,initiate=false,remote=203.0.113.3");
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura!: remote address 203.0.113.2 -> 203.0.113.3; remote_id 203.0.113.2 -> 203.0.113.3; secret psk loaded anew, used when the other end begins anew\n");
    assert_int_equal(fake->seen.n_sas, 0);
    assert_settled(fake);
}

static void test_local_identity(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura,local_id=@VR1.example");
    ipsec_fake_settle(fake);
    assert_string_equal(fake->seen.conns[0].local_id, "VR1.example");
    assert_settled(fake);
    ipsec_fake_topology(fake, "bio", "genome/sakura,local_id=vr2.example");
    assert_plan(fake, "update bio/genome/tunnel/sakura!: local_id VR1.example -> vr2.example\n");
    assert_settled(fake);
}

/* charon prints emailAddress= as E=, and has its own mind about much else. */
static void test_identity_printed_otherwise(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura,remote_id=emailAddress=a.example");
    ipsec_fake_settle(fake);
    ipsec_conn_identify(&fake->seen.conns[0], fake->seen.conns[0].local_id, "E=a.example");
    fake->seen.sas[0].remote_id = ipsec_identity("E=a.example");
    assert_settled(fake);
}

static void test_secret(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    fake->secret_generation++;
    assert_plan(
        fake, "update bio/genome/tunnel/sakura: secret psk loaded anew, used at the next rekey\n");
    assert_int_equal(fake->seen.n_secrets, 1);
    assert_int_equal(fake->seen.n_sas, 1);
    assert_settled(fake);
    /* One that cannot be read now is no reason to touch what is loaded. */
    fake->secret_error = -ENOENT;
    assert_settled(fake);
    fake->seen.n_secrets = 0;
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: REFUSED secret psk cannot be read in /secrets: No such file or directory\n");
}

static void test_certificate(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura,certificate=vr1");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: connection routerd-1 from 192.0.2.1 to 203.0.113.2, profile generic, initiated from here\n");
    assert_int_equal(fake->seen.n_keys, 1);
    assert_int_equal(fake->seen.n_secrets, 1);
    assert_true(fake->seen.secrets[0].version == fake->seen.keys[0].number);
    assert_string_equal(fake->seen.conns[0].local_id, "192.0.2.1"); /* the certificate has it */
    assert_settled(fake);
    /* A renewed certificate with the same key, then one with another. */
    fake->secret_generation++;
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: certificate vr1 loaded anew, used at the next rekey\n");
    assert_settled(fake);
    fake->secret_generation++;
    fake->key_generation++;
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: certificate vr1 loaded anew, used at the next rekey\n");
    assert_int_equal(fake->seen.n_keys, 1);
    assert_int_equal(fake->seen.n_sas, 1);
    assert_settled(fake);
    /* What cannot be used now is no reason to touch what is loaded. */
    fake->card_fault = "there is no vr1.pem in /secrets";
    assert_settled(fake);
    fake->card_fault = NULL;
    ipsec_fake_drop_key(fake, fake->seen.keys[0].name);
    assert_plan(fake,
                "update bio/genome/tunnel/sakura: private key of certificate vr1 loaded anew\n");
    assert_settled(fake);
    ipsec_fake_topology(fake, "bio", "");
    assert_plan(
        fake,
        "delete bio/genome/tunnel/sakura!: connection routerd-1 to 203.0.113.2 with its key and SAs\n");
    assert_int_equal(fake->seen.n_keys, 0);
}

static void test_certificate_or_secret(void **state)
{
    struct ipsec_fake *fake = *state;

    fake->card_fault = "there is no vr1.pem in /secrets";
    ipsec_fake_topology(fake, "bio", "genome/sakura,certificate=vr1");
    assert_plan(fake, "create bio/genome/tunnel/sakura: REFUSED there is no vr1.pem in /secrets\n");
    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    fake->card_fault = NULL;
    ipsec_fake_topology(fake, "bio", "genome/sakura,certificate=vr1");
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: certificate vr1 instead of a secret, used at the next rekey\n");
    assert_int_equal(fake->seen.n_secrets, 1);
    assert_true(fake->seen.secrets[0].version == fake->seen.keys[0].number);
    assert_settled(fake);
    ipsec_fake_topology(fake, "bio", "genome/sakura");
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: secret psk instead of a certificate, used at the next rekey\n");
    assert_int_equal(fake->seen.n_keys, 0);
    assert_int_equal(fake->seen.n_sas, 1);
    assert_settled(fake);
}

/* A key whose connection somebody has unloaded is unloaded with the tunnel, or with what takes its
 * place, and one of somebody else's is not. */
static void test_key_without_connection(void **state)
{
    struct ipsec_fake *fake = *state;
    struct ipsec_key theirs = {.number = 1, .name = "0000000000000001000000000000000000000000"};

    ipsec_fake_topology(fake, "bio", "genome/sakura,certificate=vr1");
    ipsec_fake_settle(fake);
    fake->seen.keys[fake->seen.n_keys++] = theirs;
    ipsec_seen_sort(&fake->seen);
    fake->seen.n_conns = 0;
    fake->key_generation++;
    ipsec_fake_settle(fake);
    assert_int_equal(fake->seen.n_keys, 2);
    fake->seen.n_conns = 0;
    ipsec_seen_clear_sas(&fake->seen, 0);
    ipsec_fake_topology(fake, "bio", "");
    assert_plan(fake, "delete /charon/key/routerd-1: left-over key of routerd-1, which has no "
                      "connection any more\n");
    assert_int_equal(fake->seen.n_keys, 1);
    assert_int_equal(fake->seen.n_secrets, 0);
    assert_true(fake->seen.keys[0].number == theirs.number);
    assert_settled(fake);
}

/* One key for two tunnels is unloaded with the last of them. */
static void test_shared_key(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio",
                        "genome/a,certificate=vr1 genome/b,certificate=vr1,remote=203.0.113.3");
    ipsec_fake_settle(fake);
    assert_int_equal(fake->seen.n_keys, 1);
    ipsec_fake_topology(fake, "bio", "genome/a,certificate=vr1");
    ipsec_fake_settle(fake);
    assert_int_equal(fake->seen.n_keys, 1);
    ipsec_fake_topology(fake, "bio", "");
    ipsec_fake_settle(fake);
    assert_int_equal(fake->seen.n_keys, 0);
}

static void test_certified_identity(void **state)
{
    struct ipsec_fake *fake = *state;

    fake->uplink4 = "192.0.2.9";
    ipsec_fake_topology(fake, "bio",
                        "genome/a,certificate=vr1 "
                        "genome/b,certificate=vr1,remote=203.0.113.3,local_id=vr9.example.com "
                        "genome/c,certificate=vr1,remote=203.0.113.4,local_id=CN=vr1");
    assert_plan(
        fake,
        "create bio/genome/tunnel/a: connection routerd-1 from 192.0.2.9 to 203.0.113.2, profile generic, initiated from here\n"
        "create bio/genome/tunnel/b: REFUSED local_id vr9.example.com is not in certificate vr1, which is for vr1.example.com\n"
        "create bio/genome/tunnel/c: connection routerd-3 from 192.0.2.9 to 203.0.113.4, profile generic, initiated from here\n");
    assert_string_equal(fake->seen.conns[0].local_id, "vr1.example.com");
}

static void test_settings(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/a,lifetime=1200");
    ipsec_fake_settle(fake);
    assert_int_equal(fake->seen.conns[0].child_rekey_s, 1200);
    ipsec_fake_topology(fake, "bio", "genome/a");
    assert_plan(fake, "update bio/genome/tunnel/a: child rekeyed every 1200 s -> 3600 s\n");
    ipsec_fake_topology(fake, "bio", "genome/a,proposal=aes128gcm16-prfsha256-ecp256");
    assert_plan(fake, "update bio/genome/tunnel/a: other proposals or settings, agreed at the "
                      "next rekey\n");
    ipsec_fake_topology(fake, "bio",
                        "genome/a,proposal=aes128gcm16-prfsha256-ecp256,nat_traversal=force");
    assert_plan(fake, "update bio/genome/tunnel/a: other proposals or settings, agreed at the "
                      "next rekey\n");
    assert_settled(fake);
}

/* What charon does not offer is not loaded; while it is not known, charon decides. */
static void test_post_quantum(void **state)
{
    struct ipsec_fake *fake = *state;
    static const char tunnel[] = "genome/a,proposal=aes256gcm16-prfsha384-ecp384-ke1_mlkem768";

    fake->seen.algorithms_known = true;
    ipsec_fake_topology(fake, "bio", tunnel);
    assert_plan(fake, "create bio/genome/tunnel/a: REFUSED the charon on this router does not "
                      "offer ke1_mlkem768; it needs strongSwan 6 with ML-KEM\n");
    fake->seen.extra_ke = true;
    strcpy(fake->seen.post_quantum, " mlkem512 ");
    assert_plan(fake, "create bio/genome/tunnel/a: REFUSED the charon on this router does not "
                      "offer ke1_mlkem768; it needs strongSwan 6 with ML-KEM\n");
    strcpy(fake->seen.post_quantum, " mlkem512  mlkem768 ");
    assert_int_equal(ipsec_fake_settle(fake), 1);
    fake->seen.extra_ke = false;
    fake->seen.algorithms_known = false;
    ipsec_fake_topology(fake, "bio", "");
    ipsec_fake_settle(fake);
    ipsec_fake_topology(fake, "bio", tunnel);
    assert_int_equal(ipsec_fake_settle(fake), 1);
}

static void test_what_is_missing_now(void **state)
{
    struct ipsec_fake *fake = *state;

    fake->uplink4 = NULL;
    ipsec_fake_topology(fake, "bio", "genome/sakura genome/dns,remote=vpn.example.com");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: REFUSED uplink wan (interface ens3) has no IPv4 address to reach 203.0.113.2 from\n"
        "create bio/genome/tunnel/dns: REFUSED vpn.example.com does not resolve to an address; is that name right, and does DNS answer?\n");
    assert_int_equal(fake->seen.n_conns, 0);
    fake->uplink4 = "192.0.2.1";
    fake->resolved = "203.0.113.8,203.0.113.9,2001:db8::9";
    assert_int_equal(ipsec_fake_settle(fake), 2);
    assert_string_equal(fake->seen.conns[1].remote_addrs, "203.0.113.8,203.0.113.9");
    /* What is loaded stays when it goes missing again. */
    fake->uplink4 = fake->resolved = NULL;
    assert_settled(fake);
    fake->uplink4 = "192.0.2.99";
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura!: local address 192.0.2.1 -> 192.0.2.99; local_id 192.0.2.1 -> 192.0.2.99\n");
}

static void test_ipv6(void **state)
{
    struct ipsec_fake *fake = *state;

    fake->uplink6 = "2001:db8::1";
    ipsec_fake_topology(fake, "bio", "genome/sakura,remote=2001:db8:2::2");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: connection routerd-1 from 2001:db8::1 to 2001:db8:2::2, profile generic, initiated from here\n");
    assert_settled(fake);
}

static void test_foreign_stays(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_add_foreign(fake, 1);
    ipsec_fake_add_foreign(fake, 9);
    ipsec_fake_topology(fake, "bio", "genome/sakura");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: REFUSED charon holds a connection routerd-1 that is not routerd's; rename or unload that one\n");
    ipsec_fake_topology(fake, "bio", "");
    assert_settled(fake);
    assert_int_equal(fake->seen.n_conns, 2);
}

static void test_strays_are_removed(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    ipsec_fake_add_secret(fake, 5, 77);
    ipsec_seen_add_sa(&fake->seen, &(struct ipsec_sa){.id = 6, .ike_id = 50});
    assert_plan(
        fake,
        "delete /charon/secret/routerd-5: left-over secret of routerd-5, which has no connection any more\n"
        "delete /charon/SAs/routerd-6!: left-over SAs of routerd-6, which has no connection any more\n");
    assert_settled(fake);
    assert_int_equal(fake->seen.n_conns, 1);
    assert_int_equal(fake->seen.n_secrets, 1);
}

static void test_unloaded_by_hand(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    fake->seen.n_conns = 0;
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: connection routerd-1 from 192.0.2.1 to 203.0.113.2, profile generic, initiated from here\n");
    assert_int_equal(fake->seen.sas[0].ike_id, 1); /* the SA was kept */
    assert_settled(fake);
}

static void test_stale_sa(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_settle(fake);
    assert_int_equal(addr_parse("198.51.100.1", &fake->seen.sas[0].remote_host), 0);
    fake->seen.sas[0].nat = true;
    assert_settled(fake); /* behind NAT the address says nothing */
    fake->seen.sas[0].nat = false;
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura!: the SAs are between other ends than the connection\n");
    assert_int_equal(fake->seen.sas[0].ike_id, 2);
}

static void test_same_ends_different_ids(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura,secret=psk-a");
    ipsec_fake_settle(fake);
    ipsec_fake_topology(fake, "geo", "rocks/sakura,secret=psk-b,local_id=geo.example");
    /* The same remote identity with another secret: both secrets need the local identity too. */
    assert_plan(
        fake,
        "update bio/genome/tunnel/sakura: secret psk-a loaded anew, used at the next rekey\n"
        "create geo/rocks/tunnel/sakura: connection routerd-2 from 192.0.2.1 to 203.0.113.2, profile generic, initiated from here\n");
    assert_settled(fake);
}

static const char clash[] =
    "another tunnel has the same local_id and remote_id with another secret; "
    "give this one a local_id or remote_id of its own";

static void test_clash_of_secrets(void **state)
{
    struct ipsec_fake *fake = *state;
    char expected[512];

    ipsec_fake_topology(fake, "bio", "genome/sakura,remote_id=Site.example");
    ipsec_fake_settle(fake);
    ipsec_fake_topology(fake, "geo",
                        "rocks/evil,secret=other,remote_id=@site.EXAMPLE,remote=203.0.113.66");
    snprintf(expected, sizeof expected, "create geo/rocks/tunnel/evil: REFUSED %s\n", clash);
    assert_plan(fake, expected);
    /* An older tunnel that takes over the identities of one that is loaded does not win either. */
    ipsec_fake_topology(fake, "bio", "genome/sakura,secret=other,remote_id=x.example");
    ipsec_fake_settle(fake);
    ipsec_fake_topology(fake, "bio", "genome/sakura,remote_id=site.example");
    snprintf(expected, sizeof expected, "update bio/genome/tunnel/sakura!: REFUSED %s\n", clash);
    assert_plan(fake, expected);
}

static void test_clash_of_roles(void **state)
{
    struct ipsec_fake *fake = *state;

    ipsec_fake_topology(fake, "bio", "genome/sakura");
    ipsec_fake_topology(
        fake, "geo",
        "rocks/evil,local_id=203.0.113.2,remote=203.0.113.5 rocks/worse,remote_id=192.0.2.1,remote=203.0.113.6");
    assert_plan(
        fake,
        "create bio/genome/tunnel/sakura: connection routerd-1 from 192.0.2.1 to 203.0.113.2, profile generic, initiated from here\n"
        "create geo/rocks/tunnel/evil: REFUSED its local_id is the remote_id of another tunnel; give it one of its own\n"
        "create geo/rocks/tunnel/worse: REFUSED its remote_id is the local_id of another tunnel; give it one of its own\n");
}

/* ---------------------------------------------------------------- walks */

static unsigned int next_random(unsigned int *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16 & 0x7fff;
}

static void random_words(unsigned int *seed, const char *tenant, char *words, size_t size)
{
    size_t len = 0;

    words[0] = '\0';
    for (unsigned int i = 0; i < 8; i++) {
        unsigned int dice = next_random(seed) % 8;
        if (dice < 3) {
            continue;
        }
        len += (size_t)snprintf(
            words + len, size - len, "%sn%u/t%u,remote=%s.%u%s%s%s%s", len ? " " : "", i / 3, i,
            strcmp(tenant, "bio") == 0 ? "203.0.113" : "198.51.100", 10 + 2 * i + (dice == 3),
            dice == 4 ? ",initiate=false" : "", dice == 5 ? ",secret=other" : "",
            dice == 6 ? i % 2 ? ",certificate=vr1" : ",certificate=vr2" : "",
            dice > 5 ? "" : ",local_id=");
        if (dice <= 5) {
            len +=
                (size_t)snprintf(words + len, size - len, "%s%u.example", tenant, 2 * i + dice % 2);
        }
    }
}

static void meddle(unsigned int *seed, struct ipsec_fake *fake)
{
    switch (next_random(seed) % 7) {
    case 0: fake->seen.n_conns -= fake->seen.n_conns > 0; break;
    case 1: fake->seen.n_secrets -= fake->seen.n_secrets > 0; break;
    case 2: ipsec_seen_clear_sas(&fake->seen, 0); break;
    case 3: fake->secret_generation++; break;
    case 5: fake->seen.n_keys -= fake->seen.n_keys > 0; break;
    case 6:
        fake->secret_generation++;
        fake->key_generation++;
        break;
    case 4: fake->uplink4 = next_random(seed) % 2 ? "192.0.2.1" : "192.0.2.2"; break;
    }
}

static uint64_t without_sas(struct ipsec_fake *fake)
{
    ipsec_seen_clear_sas(&fake->seen, 0);
    return ipsec_seen_digest(&fake->seen);
}

/* Whatever happens on the way, each plan settles, and the end is that of a fresh build. */
static void test_random_walk(void **state)
{
    struct ipsec_fake *fake = *state;

    for (unsigned int run = 1; run <= 40; run++) {
        unsigned int seed = run;
        char bio[2048] = "", geo[2048] = "";
        for (int i = 0; i < 25; i++) {
            random_words(&seed, "bio", bio, sizeof bio);
            random_words(&seed, "geo", geo, sizeof geo);
            ipsec_fake_topology(fake, "bio", bio);
            ipsec_fake_topology(fake, "geo", geo);
            meddle(&seed, fake);
            ipsec_fake_settle(fake);
        }
        struct ipsec_fake fresh = {.intended = fake->intended,
                                   .config = fake->config,
                                   .facts = fake->facts,
                                   .next_ike_id = 1};
        fresh.seen.arena = arena_new();
        ipsec_fake_settle(&fresh);
        assert_true(without_sas(fake) == without_sas(&fresh));
        ipsec_fake_done_charon(&fresh);
    }
}

/* A tunnel's settings are the same whoever its neighbours are. */
static void test_neighbours(void **state)
{
    static const char *const words[] = {
        "n/a,remote=203.0.113.1",
        "n/b,remote=203.0.113.2,proposal=aes128gcm16-prfsha256-ecp256",
        "n/c,remote=203.0.113.3",
        "n/d,remote=203.0.113.4,lifetime=1200",
        "n/e,remote=203.0.113.5,proposal=aes256gcm16-prfsha384-ecp384-ke1_mlkem768",
        "n/f,remote=203.0.113.6"};
    struct ipsec_fake *fake = *state;
    uint64_t alone[LENGTH(words)];
    char all[1024] = "";

    for (size_t i = 0; i < LENGTH(words); i++) {
        ipsec_fake_topology(fake, "bio", words[i]);
        struct ipsec_wanted *wanted = ipsec_fake_want(fake);
        alone[i] = wanted->tunnels[0].conn.settings;
        ipsec_wanted_free(wanted);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", words[i]);
    }
    ipsec_fake_topology(fake, "bio", all);
    struct ipsec_wanted *wanted = ipsec_fake_want(fake);
    for (size_t i = 0; i < LENGTH(words); i++) {
        const struct ipsec_tunnel *tunnel = &wanted->tunnels[i];
        size_t place = (size_t)(strchr(tunnel->object, '\0')[-1] - 'a'); /* ids are as they came */
        assert_true(tunnel->conn.settings == alone[place]);
        assert_true((alone[i] == alone[0]) == (i != 1 && i != 4));
    }
    ipsec_wanted_free(wanted);
}

/* Facts come and go. */
static void meddle_with_facts(unsigned int *seed, struct ipsec_fake *fake)
{
    switch (next_random(seed) % 5) {
    case 0: fake->resolved = fake->resolved ? NULL : "203.0.113.9,203.0.113.10"; break;
    case 1: fake->uplink4 = fake->uplink4 ? NULL : "192.0.2.3"; break;
    case 2: fake->secret_error = fake->secret_error ? 0 : -ENOENT; break;
    case 3: fake->card_fault = fake->card_fault ? NULL : "the file is torn"; break;
    case 4: meddle(seed, fake); break;
    }
}

/* In whatever order intended states are asked for, with whatever changed meanwhile: the fake sees
 * to it that what was kept does not show. */
static void test_states_by_turns(void **state)
{
    enum { STATES = 5 };
    struct ipsec_fake *fake = *state;
    struct config_uplink uplinks[2] = {{.name = "lan", .interface = "ens9"},
                                       fake->config->uplinks[0]};
    struct config other = *fake->config;
    struct intended *states[STATES] = {intended_ref(fake->intended)};
    unsigned int seed = 7;
    char words[2048] = "";

    other.uplinks = uplinks;
    other.n_uplinks = 2;
    for (int i = 0; i < 400; i++) {
        const char *tenant = next_random(&seed) % 2 ? "bio" : "geo";
        struct intended **place = &states[next_random(&seed) % STATES];
        if (next_random(&seed) % 3 == 0) {
            random_words(&seed, tenant, words, sizeof words);
            snprintf(words + strlen(words), sizeof words - strlen(words),
                     "%sz/name,remote=%s.example", *words ? " " : "", tenant);
            ipsec_fake_topology(fake, tenant, words);
            intended_unref(*place);
            *place =
                i % 5 ? intended_ref(fake->intended) : intended_with_config(fake->intended, &other);
        }
        meddle_with_facts(&seed, fake);
        ipsec_wanted_free(ipsec_fake_want_of(fake, *place ? *place : fake->intended));
        struct plan *plan = ipsec_fake_diff(fake);
        ipsec_fake_apply(fake, plan);
        plan_free(plan);
    }
    for (size_t i = 0; i < STATES; i++) {
        intended_unref(states[i]);
    }
    ipsec_parts_clear(&fake->parts);
}

static void test_large(void **state)
{
    struct ipsec_fake *fake = *state;
    char *words = NULL;
    size_t len;
    FILE *out = open_memstream(&words, &len);

    for (unsigned int i = 0; i < 500; i++) {
        fprintf(out, "%sn/t%u,remote=203.0.%u.%u,local_id=l%u.example", i ? " " : "", i, i / 200,
                i % 200 + 1, i);
    }
    fclose(out);
    ipsec_fake_topology(fake, "bio", words);
    assert_int_equal(ipsec_fake_settle(fake), 500);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_and_delete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_ends_are_disruptive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_local_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_printed_otherwise, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificate_or_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_key_without_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certified_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_post_quantum, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_missing_now, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ipv6, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strays_are_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unloaded_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale_sa, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_ends_different_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clash_of_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clash_of_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_states_by_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
