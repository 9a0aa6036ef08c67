/* golden.h - a driver for golden files of faults.
 *
 * Each NAME.yaml or NAME.json of a folder is wrong in some way, and NAME.errors holds all that is
 * said of it, as lines "NAME.yaml:LINE:COLUMN: PATH: MESSAGE"; one without that file is right. A
 * driver brings the check alone:
 *
 *     golden_THING FOLDER            compares, shows each difference, and counts
 *     golden_THING --update FOLDER   writes the .errors files anew; read the diff */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "model/error.h"

#include <stddef.h>

/* Adds all that is wrong with the text. */
typedef void golden_check(const char *text, size_t len, struct errors *errors);

/* What main() returns: 0 if every file is as it should be and there is at least one. */
int golden_main(int argc, char *argv[], golden_check *check);

#endif
