/* dhcp_state.h - what should run and what runs, as values.
 *
 * Pure: no process, no file. A service is a dnsmasq that should run, a server is one that does. */
#ifndef DHCP_DHCP_STATE_H
#define DHCP_DHCP_STATE_H

#include "backend/backend.h"
#include "model/arena.h"
#include "model/ids.h"
#include "model/intended.h"

#include <net/if.h>

enum { DHCP_DIGEST = 17, DHCP_PATH = 256 };

enum dhcp_kind { DHCP_ON_SEGMENT, DHCP_NAMES };

/* A dnsmasq that should run. */
struct dhcp_service {
    enum dhcp_kind kind;
    char key[IFNAME_TEXT]; /* its folder: the interface that it is bound to */
    const char *tenant;
    const char *object; /* "genome/segment/campus"; "genome" */
    const struct network *network;
    const struct segment *segment; /* DHCP_ON_SEGMENT */
    const char *conf;              /* without what only the kernel knows */
    const char *what;              /* "DHCP and router advertisements" */
    struct addr *listens;          /* DHCP_NAMES: the router's addresses that it is asked at */
    size_t n_listens;
};

/* In the order of the intended state; all in the arena but for what belongs to the topology. */
struct dhcp_wanted {
    struct arena *arena;
    struct dhcp_service *services;
    size_t n, capacity;
};

/* A dnsmasq that runs, or that is being started. */
struct dhcp_server {
    char key[IFNAME_TEXT];
    char digest[DHCP_DIGEST]; /* of what it was started with */
    char owner[OBJECT_TEXT];  /* "bio/genome/segment/campus", as its configuration says */
};

/* An interface in the kernel, as far as a service depends on it. */
struct dhcp_link {
    char name[IFNAMSIZ];
    uint32_t index;
};

struct dhcp_address {
    uint32_t index; /* of the interface */
    struct addr addr;
    bool tentative; /* nobody can bind to it yet (RFC 4862, 5.4) */
};

struct dhcp_seen {
    struct dhcp_server *servers;
    size_t n_servers;
    struct dhcp_link *links;
    size_t n_links;
    struct dhcp_address *addresses;
    size_t n_addresses;
};

/* The data of a step: all that is needed to carry it out, in the plan's arena. */
struct dhcp_change {
    enum dhcp_kind kind;
    char key[IFNAME_TEXT];
    char digest[DHCP_DIGEST];
    char owner[OBJECT_TEXT];
    const char *conf;  /* whole; null to stop it */
    uint32_t index;    /* of the VRF that sockets are bound to; 0: none */
    const char *waits; /* why it cannot be started yet, or null */
};

/* dhcp_want.c. Frees nothing of an old one. */
void dhcp_want(const struct intended *intended, struct dhcp_wanted *ret_wanted);
void dhcp_wanted_done(struct dhcp_wanted *wanted);
/* The folder of all files, from the configuration, into `buffer`. */
const char *dhcp_folder(const struct config *config, char buffer[DHCP_PATH]);

/* dhcp_diff.c */
void dhcp_diff(const struct dhcp_wanted *wanted, const struct dhcp_seen *seen, struct plan *plan);
const struct dhcp_server *dhcp_seen_find(const struct dhcp_seen *seen, const char *key);

/* dhcp_host_want.c. The line of a node in a service's hosts file with its newline, into `buffer`;
 * its length, 0 if the node is none of the service's. */
enum { DHCP_LINE = 1024 };
size_t dhcp_host_line(const struct dhcp_service *service, const struct backend_node *node,
                      char buffer[DHCP_LINE]);

#endif
