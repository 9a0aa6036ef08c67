#include "ipsec/ipsec_trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pattern {
    const char *group;
    const char *part; /* of the line */
    struct ipsec_symptom symptom;
};

/* The first that fits counts. A trouble that has not ended the attempt is the reason of the end
 * that follows. */
static const struct pattern patterns[] = {
    {"IKE", "received AUTHENTICATION_FAILED notify", {TROUBLE_REFUSED, true, true}},
    {"IKE", "but MAC mismatched", {TROUBLE_NOT_GENUINE, true, true}},
    {"IKE", "no shared key found for", {TROUBLE_NO_SECRET, true, false}},
    {"IKE", "no private key found for", {TROUBLE_NO_SECRET, true, false}},
    {"CFG", "certificate was revoked", {TROUBLE_REVOKED, false, true}},
    {"CFG", "certificate invalid (valid from", {TROUBLE_EXPIRED, false, true}},
    {"CFG", "no issuer certificate found for", {TROUBLE_UNTRUSTED, false, true}},
    {"CFG",
     "constraint check failed: peer not authenticated by CA",
     {TROUBLE_UNTRUSTED, false, true}},
    {"IKE", "public key found for", {TROUBLE_OTHER, true, true}}, /* "no trusted RSA ..." */
    {"IKE",
     "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA",
     {TROUBLE_CHILD_PROPOSAL, true, true}},
    {"IKE", "received NO_PROPOSAL_CHOSEN notify", {TROUBLE_IKE_PROPOSAL, true, true}},
    {"IKE",
     "received INVALID_KE_PAYLOAD notify, no CHILD_SA",
     {TROUBLE_CHILD_PROPOSAL, true, true}},
    {"IKE", "received proposals unacceptable", {TROUBLE_IKE_PROPOSAL, true, true}},
    {"IKE", "no acceptable proposal found", {TROUBLE_CHILD_PROPOSAL, false, true}},
    {"IKE", "received TS_UNACCEPTABLE notify", {TROUBLE_SELECTORS, true, true}},
    {"IKE", "no acceptable traffic selectors found", {TROUBLE_SELECTORS, false, true}},
    {"IKE", "traffic selectors", {TROUBLE_SELECTORS, false, true}},
    {"IKE", "unable to install", {TROUBLE_KERNEL, false, true}},
    {"IKE", "unable to allocate SPIs from kernel", {TROUBLE_KERNEL, false, false}},
    {"IKE", "failed to establish CHILD_SA", {TROUBLE_OTHER, true, true}},
    {"IKE", "closing IKE_SA due CHILD_SA setup failure", {TROUBLE_OTHER, true, true}},
    {"IKE", "peer not responding", {TROUBLE_NO_ANSWER, true, false}},
    {"IKE", "giving up after", {TROUBLE_NO_ANSWER, true, false}},
    {"IKE", "retransmit ", {TROUBLE_NO_ANSWER, false, false}},
    {"IKE", "received DELETE for IKE_SA", {TROUBLE_CLOSED, true, true}},
    {"IKE", "notify error", {TROUBLE_OTHER, true, true}},
    {"IKE", "giving up", {TROUBLE_OTHER, true, true}},
    {"CFG", "constraint check failed: identity", {TROUBLE_IDENTITY, false, true}},
    {"CFG", "unacceptable: ", {TROUBLE_IDENTITY, false, true}},
    {"CFG", "no alternative config found", {TROUBLE_IDENTITY, true, true}},
    {"ENC", " response ", {TROUBLE_NONE, false, true}},
};

struct ipsec_symptom ipsec_symptom(const char *group, const char *text)
{
    bool parsed = strcmp(group, "ENC") != 0 || strncmp(text, "parsed ", 7) == 0;

    for (size_t i = 0; parsed && i < sizeof patterns / sizeof *patterns; i++) {
        if (strcmp(group, patterns[i].group) == 0 && strstr(text, patterns[i].part)) {
            return patterns[i].symptom;
        }
    }
    return (struct ipsec_symptom){TROUBLE_NONE, false, false};
}

uint32_t ipsec_log_loaded(const char *group, const char *text)
{
    static const char *const marks[] = {"vici connection: routerd-",
                                        "shared key with id 'routerd-"};

    for (size_t i = 0; strcmp(group, "CFG") == 0 && i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(text, marks[i]);
        unsigned long long id = at ? strtoull(at + strlen(marks[i]), NULL, 10) : 0;
        if (id > 0 && id <= UINT32_MAX) {
            return (uint32_t)id;
        }
    }
    return 0;
}

const char *ipsec_trouble_text(enum ipsec_trouble trouble, const char *remote, const char *own,
                               char *buffer, size_t size)
{
    switch (trouble) {
    case TROUBLE_NONE:
        snprintf(buffer, size, "waiting for the first exchange with %s", remote);
        break;
    case TROUBLE_NO_ANSWER:
        snprintf(
            buffer, size,
            "no answer from %s; is it reachable on UDP 500 and 4500, and does it know this router?",
            remote);
        break;
    case TROUBLE_REFUSED:
        snprintf(buffer, size,
                 "authentication failed: %s refused us; check %s and the ids on both ends", remote,
                 own);
        break;
    case TROUBLE_NOT_GENUINE:
        snprintf(buffer, size, "authentication failed: the secret of %s is not %s", remote, own);
        break;
    case TROUBLE_IDENTITY:
        snprintf(buffer, size, "authentication failed: %s has another identity than remote_id says",
                 remote);
        break;
    case TROUBLE_NO_SECRET:
        snprintf(buffer, size, "charon has nothing to show for these ids; it should be %s", own);
        break;
    case TROUBLE_REVOKED:
        snprintf(buffer, size, "authentication failed: the certificate of %s was revoked", remote);
        break;
    case TROUBLE_EXPIRED:
        snprintf(buffer, size,
                 "authentication failed: the certificate of %s has expired or is not valid yet",
                 remote);
        break;
    case TROUBLE_UNTRUSTED:
        snprintf(buffer, size,
                 "authentication failed: the certificate of %s is not of the authority that `ca` "
                 "names",
                 remote);
        break;
    case TROUBLE_IKE_PROPOSAL:
        snprintf(buffer, size,
                 "%s accepts none of the profile's IKE proposals, or does not know this router",
                 remote);
        break;
    case TROUBLE_CHILD_PROPOSAL:
        snprintf(buffer, size, "%s accepts none of the profile's ESP proposals", remote);
        break;
    case TROUBLE_SELECTORS:
        snprintf(
            buffer, size,
            "%s does not accept the traffic selectors 0.0.0.0/0 and ::/0 of a route-based tunnel",
            remote);
        break;
    case TROUBLE_KERNEL:
        snprintf(buffer, size, "charon could not put the SAs into the kernel; see its log");
        break;
    case TROUBLE_CLOSED: snprintf(buffer, size, "%s closed the tunnel", remote); break;
    case TROUBLE_OTHER:
        snprintf(buffer, size, "the exchange with %s failed; see charon's log", remote);
        break;
    }
    return buffer;
}
