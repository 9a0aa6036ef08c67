/* walk_damage.h - what somebody may do by hand to a router in memory. */
#ifndef UNIT_WALK_DAMAGE_H
#define UNIT_WALK_DAMAGE_H

#include "chance.h"
#include "walk_world.h"

/* What was hit: "bio/n0" for a part of that network, "" for what all share. */
struct walk_damage {
    char scope[OBJECT_TEXT];
};

/* Alters or removes something of ours, by chance; false: there was nothing of the kind. */
bool walk_damage(struct walk_world *world, struct chance *chance, struct walk_damage *ret_damage);

/* Something of others under a name or number that the next new object of its kind will have. */
struct walk_obstacle {
    unsigned int kind;
    uint32_t id;
};

void walk_obstruct(struct walk_world *world, struct chance *chance,
                   struct walk_obstacle *ret_obstacle);
/* The network that it is in the way of; false: it is in nobody's. */
bool walk_obstacle_hits(const struct walk_world *world, const struct walk_obstacle *obstacle,
                        struct walk_damage *ret_damage);
/* They take it away. */
void walk_obstacle_clear(struct walk_world *world, const struct walk_obstacle *obstacle);

#endif
