/* bgp_save.h - has FRR save its configuration, so that it starts with it the next time.
 *
 * What FRR would start with is read from its boot file and compared, as far as it concerns us, with
 * what bgpd runs: so nothing is saved that is saved already, also after a restart of routerd. A
 * change is given two seconds to be followed by others, then `vtysh -c "write memory"` is started
 * and watched over a pidfd; nothing blocks. That writes all of FRR's configuration, so it is not
 * done while bgpd lacks a BGP instance of others that the boot file has: then FRR is still reading
 * it. */
#ifndef BGP_BGP_SAVE_H
#define BGP_BGP_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bgp_save;

/* `vtysh` is its path, `directory` where FRR's boot files are; both are copied. Never null. */
struct bgp_save *bgp_save_new(const char *vtysh, const char *directory);
void bgp_save_free(struct bgp_save *save); /* null is fine; a vtysh under way goes on alone */

/* bgpd's running configuration, when it was read anew; `fingerprint` is of all that is saved of
 * ours (struct bgp_state), `bgpd` its process (0: unknown). */
void bgp_save_note(struct bgp_save *save, const char *config, size_t len, uint64_t fingerprint,
                   pid_t bgpd);
void bgp_save_run(struct bgp_save *save);
void bgp_save_wait(const struct bgp_save *save);

/* Whether a BGP instance of others that `boot` has is missing in `running`; pure. */
bool bgp_save_lacks(const char *boot, size_t boot_len, const char *running, size_t running_len);

#endif
