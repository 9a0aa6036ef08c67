/* topology_reader.h - what the files of topology_parse() share: the kinds of objects that have a
 * file of their own. Not for others. */
#ifndef MODEL_TOPOLOGY_READER_H
#define MODEL_TOPOLOGY_READER_H

#include "model/reader.h"

/* topology_yaml_pools.c: the list of a network's pools into the struct network. */
read_fn read_pools;

#endif
