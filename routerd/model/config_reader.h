/* config_reader.h - what the readers of the configuration's sections share.
 *
 * config_yaml.c owns the whole and the small sections, config_uplinks.c and config_tenants.c the
 * two that are maps of things, config_values.c the values that only a configuration has. Each
 * reports all of its faults and goes on. */
#ifndef MODEL_CONFIG_READER_H
#define MODEL_CONFIG_READER_H

#include "model/config.h"
#include "model/reader.h"

enum { CONFIG_UPLINKS = 64, CONFIG_TENANTS = 4096 };

/* VLANs as one entry of a tenant's list grants them. */
struct vlan_grant {
    const struct doc *doc;
    const char *tenant, *uplink;
    struct vlan_range range;
};

/* A struct reader that knows the whole: read_fn's of this family may cast theirs to it. */
struct config_reader {
    struct reader reader; /* first */
    struct config *config;
    struct vlan_grant *grants;
    size_t n_grants, grants_capacity;
};

/* Sections; ret is the struct config. Uplinks are to be read before tenants. */
read_fn read_uplinks, read_tenants;
/* What can only be seen once every tenant was read. */
void check_grants(struct config_reader *reader);

/* Values; ret is a const char ** unless said otherwise. */
read_fn read_path;        /* absolute */
read_fn read_socket_path; /* absolute, and short enough for bind(2) */
read_fn read_group;       /* group(5) */
read_fn read_mode;        /* unsigned int */
read_fn read_asn;         /* uint32_t */
read_fn read_router_id;   /* struct addr */
read_fn read_remote;      /* OVSDB: ovsdb(7), "Connection Methods", the active ones */
read_fn read_database;    /* OVSDB: RFC 7047, 3.1, <id> */
read_fn read_datapath;    /* "system" or "netdev" */
read_fn read_vici;        /* "unix:///run/charon.vici" */
read_fn read_endpoint;    /* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
read_fn read_interface;   /* an interface of the host that is not ours */
read_fn read_dns_name;

/* The members of a map with keys of the user's choice, each once, whose keys are names: reports the
 * others. Calls back for each that is good. */
void read_named(struct reader *reader, const struct doc *doc, size_t max,
                void (*read)(struct reader *reader, const struct doc *member));

#endif
