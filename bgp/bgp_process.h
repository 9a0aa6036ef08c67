/* bgp_process.h - how long an FRR daemon has been running.
 *
 * One that was just started may still be reading its boot file: until then it lacks what others
 * have configured, and it starts no session. */
#ifndef BGP_BGP_PROCESS_H
#define BGP_BGP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum { BGP_PROCESS_YOUNG_S = 60 };

/* Whether it was started within the last BGP_PROCESS_YOUNG_S seconds: proc(5), /proc/PID/stat,
 * field 22. False if that cannot be said. */
bool bgp_process_is_young(pid_t pid);

#endif
