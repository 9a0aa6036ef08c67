/* topology_reader.h - what the files of topology_parse() share: the kinds of objects that have a
 * file of their own. Not for others. */
#ifndef MODEL_TOPOLOGY_READER_H
#define MODEL_TOPOLOGY_READER_H

#include "model/reader.h"

/* topology_yaml_peers.c: the lists of a network's peers and aggregates into the struct network. */
read_fn read_peers, read_aggregates;

/* topology_yaml_pools.c: the list of a network's pools into the struct network. */
read_fn read_pools;
/* topology_yaml_tunnels.c: likewise its tunnels. */
read_fn read_tunnels;

/* topology_yaml.c: {secret: NAME} into a const char *. */
read_fn read_secret;

/* topology_yaml_egress.c: a network's egress into the pointer to it. */
read_fn read_egress;

#endif
