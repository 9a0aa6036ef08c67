/* client.h - one request to routerd and its answer.
 *
 * A connection to the control socket for each request, closed behind the answer. Everything has a
 * deadline, so nothing hangs whatever is at the other end; what goes wrong is said in a sentence
 * that names the place and, where there is one, the remedy. */
#ifndef ROUTERCTL_CLIENT_H
#define ROUTERCTL_CLIENT_H

#include "routerctl/http.h"

#include <stdint.h>

struct ctl_request {
    const char *method, *target;
    const char *if_match; /* a generation or "*"; null: no such header */
    const char *body;     /* null: none */
    size_t body_len;
    int64_t timeout_ms; /* for the whole of it */
    /* Called about once a second while the answer is not there; null is fine. */
    void (*tick)(void *aux);
    void *aux;
    /* Takes what it wants of the body of a success while it comes; null: all is kept. */
    void (*take)(struct ctl_buffer *body, void *aux);
};

/* Sends a request. 0 with an answer, whatever its status, which the caller gives to
 * ctl_answer_done(); or -errno with a sentence (heap) in *ret_why: routerd cannot be reached,
 * did not answer in time, or what answered is not routerd. *ret_sent, unless null, tells whether
 * the request may have arrived. Blocks up to the timeout. */
int ctl_client_call(const char *socket_path, const struct ctl_request *request,
                    struct ctl_answer *ret_answer, bool *ret_sent, char **ret_why);

#endif
