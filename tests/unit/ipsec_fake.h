/* ipsec_fake.h - a world for the unit tests of ipsec/: a configuration, topologies written short,
 * facts that can be changed, and a charon in memory that carries out what ipsec_diff() says. */
#ifndef UNIT_IPSEC_FAKE_H
#define UNIT_IPSEC_FAKE_H

#include "ipsec/ipsec_diff.h"
#include "ipsec/ipsec_seen.h"
#include "model/ids.h"
#include "model/profile.h"

struct ipsec_fake {
    struct config *config;
    struct profiles *profiles;
    struct ids ids;
    struct intended *intended;
    struct tenant_parts parts;
    struct ipsec_facts facts;
    /* what the facts tell */
    const char *uplink4, *uplink6; /* null: none */
    const char *resolved;          /* comma separated; null: nothing */
    uint64_t secret_generation;    /* raises every secret's version */
    int secret_error;              /* 0: they can be read */
    const char *card_fault;        /* null: certificates can be used */
    uint64_t key_generation;       /* raises every certificate's key */
    struct ipsec_card card;
    char key_id[IPSEC_KEY_TEXT];
    /* what charon holds */
    struct ipsec_seen seen;
    uint32_t next_ike_id;
};

void ipsec_fake_init(struct ipsec_fake *fake);
/* The charon and the facts alone. */
void ipsec_fake_init_charon(struct ipsec_fake *fake);
void ipsec_fake_done_charon(struct ipsec_fake *fake);
void ipsec_fake_done(struct ipsec_fake *fake);
/* Puts a tenant's topology in force: each word "NETWORK/NAME,key=value,..." is a tunnel. Keys as in
 * the contract; secret for auth.psk.secret, certificate for auth.certificate, lifetime for
 * esp.lifetime, proposal for ike.proposals. The defaults: remote=203.0.113.2, secret=psk. */
void ipsec_fake_topology(struct ipsec_fake *fake, const char *tenant, const char *words);
/* Of what is in force, and of any: parts are kept, and make what is made without them. */
struct ipsec_wanted *ipsec_fake_want(struct ipsec_fake *fake);
struct ipsec_wanted *ipsec_fake_want_of(struct ipsec_fake *fake, const struct intended *intended);
/* Adds the steps from what is there to the intended state. */
void ipsec_fake_add_steps(struct ipsec_fake *fake, const struct intended *intended,
                          struct plan *plan);
/* A plan of those to what is in force; the caller frees it. */
struct plan *ipsec_fake_diff(struct ipsec_fake *fake);
/* Carries out steps that are accepted and sets their results, as the backend's apply() does; then
 * every connection that is to be initiated has an SA. */
void ipsec_fake_carry_out(struct ipsec_fake *fake, struct plan *plan, struct step **steps,
                          size_t n);
/* All steps of a plan. */
void ipsec_fake_apply(struct ipsec_fake *fake, struct plan *plan);
/* Diff and apply, until the diff is empty, which must be after once. Returns how many steps there
 * were. */
size_t ipsec_fake_settle(struct ipsec_fake *fake);
/* Each step as "action tenant/object[!]: summary", or "...: REFUSED reason"; one a line;
 * malloc()ed. */
char *ipsec_fake_text(const struct plan *plan);
/* All that charon holds, a connection, secret, key or SA a line, but for SAs that are the other
 * end's to make: those may or may not be there. malloc()ed. */
char *ipsec_fake_held(const struct ipsec_fake *fake);
/* Adds to what charon holds. */
void ipsec_fake_add_secret(struct ipsec_fake *fake, uint32_t id, uint64_t version);
void ipsec_fake_add_foreign(struct ipsec_fake *fake, uint32_t id);
void ipsec_fake_drop_foreign(struct ipsec_fake *fake, uint32_t id);
/* Somebody unloads a connection, a secret, a private key. */
void ipsec_fake_drop_conn(struct ipsec_fake *fake, uint32_t id);
void ipsec_fake_drop_secret(struct ipsec_fake *fake, const struct ipsec_secret *secret);
void ipsec_fake_drop_key(struct ipsec_fake *fake, const char *name);
void ipsec_fake_establish(struct ipsec_fake *fake);

#endif
