/* conn.h - one connection: requests in, answers out, in order, one at a time.
 *
 * A request is read whole (within limits and a time), its row of the table serves it, and its
 * answer goes out before the next one is looked at, so that a client that does not read its answers
 * stops itself and nobody else. What is refused before its body is read, or is no HTTP at all, gets
 * its problem document and then the connection's end, which lingers so that the client can read it.
 */
#ifndef API_CONN_H
#define API_CONN_H

#include "api/server.h"

#include <cjson/cJSON.h>

/* Takes a connected, non-blocking socket. One that is `refused` is told that there are too many. */
void conn_open(struct api *api, int fd, const gid_t *group, bool refused);
/* Goes on as far as it can without blocking. The connection may be gone after it. */
void conn_run(struct conn *conn);
/* Ends what has had its time; called now and then. The connection may be gone after it. */
void conn_tick(struct conn *conn, int64_t now_ms);
/* No further requests: ends it now or once its answer is out. The connection may be gone after it.
 */
void conn_stop(struct conn *conn);
void conn_free(struct conn *conn);
struct conn *conn_next(const struct conn *conn);

/* What a row of the table may do, once: answer, ... */
void conn_answer(struct conn *conn, int status, const char *type, const char *headers,
                 const char *body, size_t len);
/* ... with JSON (taken), ... */
void conn_answer_json(struct conn *conn, int status, const char *type, const char *headers,
                      cJSON *json);
/* ... with a body that comes piece by piece and whose end is not known yet: `more` is called while
 * there is room, and by conn_wake(); it adds what there is with conn_stream_add(), or ends the
 * body, and returns false when there was nothing to do; `done` is called once, whatever the end,
 * ... */
typedef bool stream_more(struct conn *conn, void *aux);
void conn_stream(struct conn *conn, const char *type, stream_more *more, void (*done)(void *aux),
                 void *aux);
void conn_stream_add(struct conn *conn, const char *text, size_t len);
void conn_stream_end(struct conn *conn);
/* Sees whether there is more for a body that comes piece by piece. The connection may be gone after
 * it. */
void conn_wake(struct conn *conn);
/* ... or leave it to a call. */
void conn_call_began(struct conn *conn, struct call *call, int64_t wait_ms);
/* The call is over and its answer follows at once. */
void conn_call_ended(struct conn *conn);
/* The exchange that is being served, for the call's answer. */
const struct exchange *conn_exchange(const struct conn *conn);

#endif
