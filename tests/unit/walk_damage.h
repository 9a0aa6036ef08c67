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

#endif
