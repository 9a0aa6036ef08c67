/* community.h - BGP communities: "65000:100", "no-export", "4200000000:1:2".
 *
 * Text to struct community (topology.h) and back, in the form that FRR prints. Of the reserved ones
 * (RFC 1997) only those with a name here are taken. */
#ifndef MODEL_COMMUNITY_H
#define MODEL_COMMUNITY_H

#include "model/topology.h"

enum { COMMUNITY_TEXT = 40 };

/* True with *ret_community set, or false after reporting why it is none. */
bool community_read(const struct doc *doc, struct errors *errors, struct community *ret_community);
/* Returns the buffer. */
const char *community_print(const struct community *community, char buffer[COMMUNITY_TEXT]);
/* Order: the plain ones first, each kind by number. */
int community_cmp(const struct community *a, const struct community *b);

#endif
