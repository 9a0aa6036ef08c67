/* call.h - requests of clients that the engine answers.
 *
 * A call ties a connection to a request that the engine has. Either may end first: when the client
 * goes, the call stays, nameless, until the engine has answered; when the API closes, the engine's
 * late answers are dropped. The engine's thread only ever touches the mailbox. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/server.h"

/* Writes the answer to a request that the engine has answered. The request is borrowed. */
typedef void call_answer(struct conn *conn, const struct request *request);

/* Hands a request (taken) to the engine for the exchange that is being served; its answer comes
 * from `answer`. Answers 429 itself when too many are with the engine already. */
void call_submit(struct exchange *exchange, struct request *request, call_answer *answer);
/* The connection has gone, or has been answered without the engine. */
void call_forget(struct call *call);

/* 0 or -errno. */
int mailbox_new(struct mailbox **ret_mailbox);
/* What becomes readable when there is something to collect. */
int mailbox_fd(const struct mailbox *mailbox);
/* Asks the API's thread to stop; any thread. */
void mailbox_stop(struct mailbox *mailbox);
/* Makes it readable; any thread. */
void mailbox_wake(struct mailbox *mailbox);
/* Answers all that the engine has answered since the last time. Returns whether to stop. */
bool mailbox_collect(struct mailbox *mailbox);
/* No more is collected: late answers of the engine are freed where they come. */
void mailbox_close(struct mailbox *mailbox);
/* Gives up all calls that are still with the engine, with a 503 for those who wait. */
void calls_abort(struct api *api);

#endif
