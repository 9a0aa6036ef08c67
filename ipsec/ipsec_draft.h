/* ipsec_draft.h - tunnels as far as the topology and the configuration alone say.
 *
 * A tenant's drafts stay while its topology does (tenant_parts.h); what the machine knows is added
 * to a copy each time (ipsec_want.c). Pure. */
#ifndef IPSEC_DRAFT_H
#define IPSEC_DRAFT_H

#include "ipsec/ipsec_want.h"

struct ipsec_draft {
    struct ipsec_tunnel tunnel; /* without addresses, credentials, and a local_id that is one of
                                   those; refused for what will never do */
    const struct tunnel *source;
    size_t uplink;            /* its place in the configuration; behind them all: it is not there */
    struct addr remote;       /* family 0: a name, to be resolved */
    const char *remote_addrs; /* as charon prints it; null: a name */
    const char *secret_path;
    bool extra_ke; /* a proposal has a further key exchange */
};

/* A tenant's part. */
struct ipsec_drafts {
    struct arena *arena;
    struct ipsec_draft *drafts;
    size_t n_drafts;
};

extern const struct tenant_parts_class ipsec_drafts_class;

#endif
