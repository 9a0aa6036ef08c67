/* profile_reader.h - the reading of one profile's document; only for profile.c. */
#ifndef MODEL_PROFILE_READER_H
#define MODEL_PROFILE_READER_H

#include "model/profile.h"
#include "model/reader.h"

/* Fills in all but the name; reports what is wrong. */
void profile_read(struct reader *reader, const struct doc *doc, struct profile *profile);

#endif
