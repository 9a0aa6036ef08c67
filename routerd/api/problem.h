/* problem.h - refusals: RFC 9457 problem documents, the one shape of all of them. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/server.h"

/* Answers with a problem; the detail is a sentence for people, without secrets. `headers` are whole
 * lines ("Allow: GET\r\n") or null. */
void problem_answer(struct conn *conn, int status, const char *headers, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* As above, with a type of its own. */
void problem_answer_type(struct conn *conn, int status, const char *type, const char *detail);
/* As above, with the faults of a document; they must be sorted. */
void problem_answer_errors(struct conn *conn, int status, const struct errors *errors);

/* For what is only away for the moment. */
#define PROBLEM_RETRY "Retry-After: 1\r\n"

#endif
