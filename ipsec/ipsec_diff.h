/* ipsec_diff.h - from wanted and seen connections, secrets and SAs to steps. Pure. */
#ifndef IPSEC_DIFF_H
#define IPSEC_DIFF_H

#include "ipsec/ipsec_want.h"
#include "model/plan.h"

/* What a step of this backend does, in this order. It lies with all that it points to in the plan's
 * arena. */
struct ipsec_change {
    uint32_t id;
    enum ipsec_refusal
        refusal; /* unless accepted nothing of the below is done, and reason says why */
    const char *reason;
    const struct ipsec_tunnel *tunnel; /* null: nothing is loaded */
    bool unload_conn;
    bool load_secret, load_conn;
    bool load_key; /* with what says that it is ours, and what else belongs to a certificate and is
                      loaded apart */
    struct ipsec_secret *unload_secrets;
    size_t n_unload_secrets;
    const char *unload_key; /* charon's name of it; null: none */
    bool end_sas; /* every SA of the connection's name; the wanted ones are made again from what is
                     loaded by then */
};

/* Adds the steps. Data of each is a struct ipsec_change. */
void ipsec_diff(const struct ipsec_wanted *wanted, const struct ipsec_seen *seen,
                struct plan *plan);

#endif
