/* dhcp_fake.h - the machine that dhcp/ sees, in memory: interfaces with their addresses, and the
 * servers that run. */
#ifndef DHCP_FAKE_H
#define DHCP_FAKE_H

#include "dhcp/dhcp_state.h"

enum { DHCP_FAKE_MANY = 256 };

struct dhcp_fake {
    struct dhcp_seen seen; /* of the arrays below */
    struct dhcp_server servers[DHCP_FAKE_MANY];
    char *confs[DHCP_FAKE_MANY]; /* of the servers, but for the number of the interface */
    struct dhcp_link links[DHCP_FAKE_MANY];
    struct dhcp_address addresses[DHCP_FAKE_MANY];
};

void dhcp_fake_init(struct dhcp_fake *fake);
void dhcp_fake_done(struct dhcp_fake *fake);

/* Interfaces and addresses are told anew whenever they have changed. */
void dhcp_fake_clear_links(struct dhcp_fake *fake);
void dhcp_fake_add_link(struct dhcp_fake *fake, const char *name, uint32_t index);
void dhcp_fake_add_address(struct dhcp_fake *fake, uint32_t index, const struct addr *addr);
/* A server dies. */
void dhcp_fake_kill(struct dhcp_fake *fake, size_t i);

/* Adds the steps from what is there to the intended state. */
void dhcp_fake_add_steps(const struct dhcp_fake *fake, const struct intended *intended,
                         struct plan *plan);
/* Carries out steps and sets their results, as the backend's apply() does. */
void dhcp_fake_carry_out(struct dhcp_fake *fake, struct plan *plan, struct step **steps, size_t n);
/* The servers as lines of text, without the numbers of interfaces; malloc()ed. */
char *dhcp_fake_text(const struct dhcp_fake *fake);

#endif
