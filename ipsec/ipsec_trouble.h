/* ipsec_trouble.h - what charon's log tells about a tunnel that does not come up.
 *
 * A failed initiation raises no event and its answer says nothing (it is asked for with timeout
 * -1), but charon's log, which vici passes on as events with the connection's name, says why. Here
 * its lines are sorted into troubles; pure. The texts are charon 5.9's (sa/ikev2/); a line that is
 * not known is passed over, and then the attempt's deadline ends it without a better reason. */
#ifndef IPSEC_TROUBLE_H
#define IPSEC_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ipsec_trouble {
    TROUBLE_NONE,
    TROUBLE_NO_ANSWER,   /* retransmits, no response */
    TROUBLE_REFUSED,     /* the other end refused our identity or secret */
    TROUBLE_NOT_GENUINE, /* the other end's secret is not ours */
    TROUBLE_IDENTITY,    /* the other end has another identity than wanted */
    TROUBLE_NO_SECRET,   /* charon has no secret or key for these identities */
    TROUBLE_REVOKED,     /* the other end's certificate is on the revocation list */
    TROUBLE_EXPIRED,     /* the other end's certificate is not valid now */
    TROUBLE_UNTRUSTED,   /* the other end's certificate is of another authority */
    TROUBLE_IKE_PROPOSAL,
    TROUBLE_CHILD_PROPOSAL,
    TROUBLE_SELECTORS, /* it wants other traffic selectors than 0.0.0.0/0 and ::/0 */
    TROUBLE_KERNEL,    /* the SAs could not be put into the kernel */
    TROUBLE_CLOSED,    /* the other end closed it */
    TROUBLE_OTHER,
};

struct ipsec_symptom {
    enum ipsec_trouble trouble;
    bool ended; /* the attempt is over */
    bool alive; /* the other end has answered */
};

/* What a line of the log groups "IKE", "ENC", "CFG", ... means. All false and none: nothing. */
struct ipsec_symptom ipsec_symptom(const char *group, const char *text);
/* The id of the connection or secret of our names that a line tells was loaded, or 0. (Unloading is
 * not logged.) */
uint32_t ipsec_log_loaded(const char *group, const char *text);
/* A sentence for people; `remote` is the tunnel's, `own` what we show ourselves by: "the secret
 * sakura-psk", "the certificate vr1". Returns `buffer`. */
const char *ipsec_trouble_text(enum ipsec_trouble trouble, const char *remote, const char *own,
                               char *buffer, size_t size);

#endif
