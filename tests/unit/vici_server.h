/* vici_server.h - a charon for unit tests: a vici socket that keeps what is loaded, and SAs that
 * come up when they are initiated.
 *
 * Single-threaded: it works when vici_server_run() is called, between the runs of what is tested.
 */
#ifndef UNIT_VICI_SERVER_H
#define UNIT_VICI_SERVER_H

#include "ipsec/ipsec_state.h"
#include "ipsec/ipsec_vici.h"

enum { SERVER_CLIENTS = 32, SERVER_CONNS = 64 };

struct server_client {
    int fd; /* -1: none */
    uint8_t *input;
    size_t input_len, input_capacity;
    char events[16][24]; /* registered */
    size_t n_events;
};

/* A loaded connection, kept as the strings that list-conns shows; "" is a free place. */
struct server_conn {
    char name[64], mark[256], local_addr[64], remote_addr[64], local_id[64], remote_id[64],
        ike_rekey[24], child_rekey[24], dpd[24];
    bool up;
    bool young;                      /* its SA was established just now, not 100 s ago */
    unsigned int ike_id, old_ike_id; /* the old one: of an SA beside the newest; 0: none */
};

struct vici_server {
    char folder[64], path[96];
    int listener; /* -1: down */
    struct server_client clients[SERVER_CLIENTS];
    struct server_conn conns[SERVER_CONNS];
    char secrets[SERVER_CONNS][64];
    size_t n_secrets;
    char secret_data[64]; /* of the last load-shared */
    unsigned int next_ike_id;
    bool young;           /* SAs of what is loaded from now on are */
    bool deaf;            /* answers nothing */
    const char *deaf_at;  /* becomes so before it answers this command */
    bool refuse;          /* load-conn fails */
    const char *no_reply; /* initiations fail with this line in the log; null: they succeed */
    unsigned int loads, initiations, terminations,
        writes;                       /* writes: commands that change anything */
    unsigned int whole_lists, listed; /* list-conns of all; list-conn events */
};

void vici_server_init(struct vici_server *server);
void vici_server_done(struct vici_server *server);
/* As if charon was started, and killed: then all is lost. */
void vici_server_start(struct vici_server *server);
void vici_server_kill(struct vici_server *server);
/* Accepts, reads and answers what there is. Whether there was anything. */
bool vici_server_run(struct vici_server *server);
struct server_conn *vici_server_conn(struct vici_server *server, const char *name);
/* A line of the log about one of a connection's SAs. */
void vici_server_log(struct vici_server *server, const char *name, unsigned int ike_id,
                     const char *text);
/* The line that tells that somebody loaded a connection. */
void vici_server_log_loaded(struct vici_server *server, const char *name);
/* Tells that a connection's child was rekeyed. */
void vici_server_rekeyed(struct vici_server *server, const char *name);
/* Ends a connection's SA, with the event. */
void vici_server_down(struct vici_server *server, const char *name);

#endif
