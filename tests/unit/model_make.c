#include "model_make.h"

#include <assert.h>
#include <string.h>

enum { MAX = 64 };

static void add_part(struct topology *topology, struct network *network, const char *word)
{
    assert(network); /* the words begin with one */
    const char *name = arena_strdup(topology->arena, word + 2);
    if (word[0] == 's')
        network->segments[network->n_segments++].name = name;
    else if (word[0] == 't')
        network->tunnels[network->n_tunnels++].name = name;
    else
        network->peers[network->n_peers++].name = name;
}

static struct network *add_network(struct topology *topology, const char *word)
{
    struct arena *arena = topology->arena;
    struct network *network = &topology->networks[topology->n_networks++];
    network->name = arena_strdup(arena, word);
    network->segments = arena_calloc(arena, MAX, sizeof *network->segments);
    network->tunnels = arena_calloc(arena, MAX, sizeof *network->tunnels);
    network->peers = arena_calloc(arena, MAX, sizeof *network->peers);
    return network;
}

struct topology *make_topology(const char *words)
{
    struct topology *topology = topology_new_empty();
    struct network *network = NULL;
    char *rest = NULL, *text = arena_strdup(topology->arena, words);
    topology->networks = arena_calloc(topology->arena, MAX, sizeof *topology->networks);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (word[1] == ':')
            add_part(topology, network, word);
        else
            network = add_network(topology, word);
    }
    return topology;
}
