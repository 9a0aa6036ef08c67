/* profile_builtin.h - the shipped profiles as text.
 *
 * The array is made from configs/profiles/ by the build (cmake/profiles.cmake), in the order of
 * names. */
#ifndef MODEL_PROFILE_BUILTIN_H
#define MODEL_PROFILE_BUILTIN_H

#include <stddef.h>

struct profile_builtin {
    const char *name;
    const char *text;
    size_t len;
};

extern const struct profile_builtin profiles_builtin[];
extern const size_t n_profiles_builtin;

#endif
