/* prefix_rule.h - the rules of a peer's import and export: "10.3.0.0/16 ge 20 le 24".
 *
 * Text to struct prefix_rule (topology.h) and back. */
#ifndef MODEL_PREFIX_RULE_H
#define MODEL_PREFIX_RULE_H

#include "model/topology.h"

enum { PREFIX_RULE_TEXT = PREFIX_TEXT + 16 };

/* True with *ret_rule set, or false after reporting why it is no rule. */
bool prefix_rule_read(const struct doc *doc, struct errors *errors, struct prefix_rule *ret_rule);
/* The shortest text of the rule; rules that match the same give the same text. Returns the buffer.
 */
const char *prefix_rule_print(const struct prefix_rule *rule, char buffer[PREFIX_RULE_TEXT]);

#endif
