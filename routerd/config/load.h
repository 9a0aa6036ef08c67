/* load.h - reads the configuration file and the profiles that it names.
 *
 * The model knows what they mean (model/config.h, model/profile.h); here is the reading of files
 * and the way faults are told: `FILE:LINE:COLUMN: path: what is wrong`, one line each. Blocks on
 * the file system; called at start, by --check, and by the thread that takes SIGHUP. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "model/config.h"
#include "model/profile.h"

#include <stdio.h>

/* Reads `file` and the profiles (those compiled in, then those of the configured directory, if it
 * is there). Writes every fault to `out`. Returns true with both outputs set, which the caller
 * frees; false with neither. */
bool config_load(const char *file, FILE *out, struct config **ret_config,
                 struct profiles **ret_profiles);

#endif
