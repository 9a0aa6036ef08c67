/* dhcp_io.h - between the files that run dnsmasq. Inside dhcp only.
 *
 *   dhcp_io.c          the backend
 *   dhcp_io_process.c  processes: found, started, stopped, watched
 *   dhcp_io_files.c    files, replaced whole
 *   dhcp_io_hosts.c    the nodes, into the files that are read again
 *   dhcp_io_links.c    interfaces and addresses, over netlink
 *   dhcp_io_neigh.c    who answers to an address, over netlink
 *   dhcp_io_vrf.c      a process whose sockets are bound to a VRF
 *   dhcp_status.c      votes */
#ifndef DHCP_DHCP_IO_H
#define DHCP_DHCP_IO_H

#include "dhcp/dhcp_state.h"

#include <sys/types.h>

enum process_state {
    PROCESS_STARTING, /* its pid file is awaited */
    PROCESS_RUNNING,
    PROCESS_STOPPING, /* it was told to end */
};

/* A dnsmasq of ours. */
struct process {
    struct dhcp_server server;
    enum process_state state;
    pid_t pid;
    int pidfd;
    long long deadline_ms; /* STARTING, STOPPING */
    bool killed;
    struct plan *plan; /* of `step`, the one that is under way; null: none */
    struct step *step;
    uint64_t serial;   /* of the nodes in its hosts file; 0: to be looked at anew */
    bool adopted;      /* what it was told last is not known */
    char problem[512]; /* why its hosts file is not as it should be; "": it is */
};

struct mnl_socket;

/* What a service needs to know of the kernel. */
struct links {
    struct mnl_socket *events;
    bool listed, stale;
    long long next_ms; /* not listed again before */
};

struct dhcp {
    struct backend backend;
    const char *dnsmasq; /* the configuration's */
    char folder[DHCP_PATH];
    int epoll; /* of all pidfds and the netlink socket */
    bool scanned;
    char reason[160]; /* why not */
    struct process **processes;
    size_t n_processes, capacity;
    bool changed; /* since the last run() */
    struct links links;
    struct dhcp_seen seen;            /* servers are filled in for each difference */
    struct dhcp_wanted wanted;        /* what is in force */
    const struct intended *wanted_of; /* a reference is held; null: nothing kept */
    bool watches;                     /* there is a segment where addresses are probed */
    struct neigh *neigh;              /* dhcp_io_neigh.c; null: not needed yet */
    const struct backend_nodes *nodes;
    uint64_t nodes_serial; /* that all hosts files were made of; 0: to be looked at anew */
    long long hosts_ms;    /* not before */
};

/* --- processes --- */

/* Finds those that run already. 0 or -errno. */
int dhcp_process_scan(struct dhcp *dhcp);
struct process *dhcp_process_find(const struct dhcp *dhcp, const char *key);
/* Starts or stops one; the step is finished at once or by dhcp_process_run(). */
void dhcp_process_start(struct dhcp *dhcp, struct plan *plan, struct step *step);
void dhcp_process_stop(struct dhcp *dhcp, struct plan *plan, struct step *step);
/* Takes in what became of them. */
void dhcp_process_run(struct dhcp *dhcp);
void dhcp_process_wait(const struct dhcp *dhcp);
/* Lets go of all; they live on. */
void dhcp_process_close(struct dhcp *dhcp);

/* --- files --- */

/* "FOLDER/KEY/NAME" into `buffer`. */
const char *dhcp_file_path(const struct dhcp *dhcp, const char *key, const char *name,
                           char buffer[DHCP_PATH + 64]);
/* Makes the service's folder. 0 or -errno. */
int dhcp_file_make_folder(const struct dhcp *dhcp, const char *key);
/* Replaces a file whole, or leaves it as it is if it says that already. 0: it was replaced, 1: it
 * was so, or -errno. */
int dhcp_file_write(const struct dhcp *dhcp, const char *key, const char *name, const char *text,
                    size_t len);
/* The first bytes of a file with a NUL; their number, or -errno. */
ssize_t dhcp_file_read(const char *path, char *buffer, size_t size);
/* Removes the folder with all files that are ours or dnsmasq's, or (keep) all its configurations
 * but that one. */
void dhcp_file_remove(const struct dhcp *dhcp, const char *key, const char *keep);

/* --- hosts --- */

/* Brings all hosts files up to date and tells the processes, or waits for its turn. */
void dhcp_hosts_run(struct dhcp *dhcp);
void dhcp_hosts_wait(const struct dhcp *dhcp);
/* Writes the one of a service that is about to be started. 0, or -errno; -EAGAIN: the nodes are not
 * known yet. */
int dhcp_hosts_prepare(const struct dhcp *dhcp, const struct dhcp_service *service,
                       uint64_t *ret_serial);
const struct dhcp_service *dhcp_wanted_find(const struct dhcp_wanted *wanted, const char *key);

/* --- links --- */

/* 0 or -errno. */
int dhcp_links_open(struct dhcp *dhcp);
void dhcp_links_close(struct dhcp *dhcp);
/* Takes in events; lists anew what is out of date, if anybody wants to know. */
void dhcp_links_run(struct dhcp *dhcp);
void dhcp_links_list(struct dhcp *dhcp);
void dhcp_links_wait(const struct dhcp *dhcp);

/* --- neighbours --- */

/* As the backend's hooks of these names. */
enum backend_probe dhcp_neigh_probe(struct dhcp *dhcp, const struct segment *segment,
                                    const struct addr *addr, uint8_t *ret_mac);
bool dhcp_neigh_sighting(struct dhcp *dhcp, struct backend_sighting *ret_sighting);
/* Reads what has come; the rest of what is to be done. */
void dhcp_neigh_take_events(struct dhcp *dhcp);
void dhcp_neigh_run(struct dhcp *dhcp);
void dhcp_neigh_wait(const struct dhcp *dhcp);
void dhcp_neigh_close(struct dhcp *dhcp);

/* --- VRF --- */

/* Makes a control group in which each new IP socket is bound to the interface, as `ip vrf exec`
 * does (ip-vrf(8)). *ret_fd is its cgroup.procs, into which a process writes itself. 0 or -errno.
 */
int dhcp_vrf_enter(const char *key, uint32_t index, int *ret_fd);
/* Removes the group of a process that is gone. */
void dhcp_vrf_leave(const char *key);

/* --- status --- */

void dhcp_status(const struct dhcp *dhcp, struct status *status);

#endif
