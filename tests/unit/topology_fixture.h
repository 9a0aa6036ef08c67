/* topology_fixture.h - topologies and a world to hold them against, for unit tests. */
#ifndef TOPOLOGY_FIXTURE_H
#define TOPOLOGY_FIXTURE_H

#include "model/intended.h"
#include "model/topology.h"

/* A configuration with profiles and nobody's topology in force; secrets named no... are missing. */
struct topology_world fixture_world(const char *config_text);
void fixture_world_done(struct topology_world *world);
/* Puts another tenant's topology into force; it must be readable. */
void fixture_enforce(struct topology_world *world, const char *tenant, const char *text);

/* Parses the text, which must be without fault. The caller frees it. */
struct topology *fixture_parse(const char *text);
/* Parses and checks; the caller frees both. The topology may be null. */
struct topology *fixture_check(const struct topology_world *world, const char *tenant,
                               const char *text, struct errors **ret_errors);
/* Fails unless exactly these faults are found, as "LINE:COLUMN: PATH: MESSAGE\n" each, in this
 * order. */
void fixture_expect(const struct topology_world *world, const char *tenant, const char *text,
                    const char *expected);
/* A file of the tree, NUL-terminated; the caller frees it. */
char *fixture_read(const char *path);

#endif
