/* bgp_config_parts.h - what the files of bgp_config_parse() share; nobody else includes it. Pure.
 *
 * bgp_config_blocks.c takes the text apart into blocks and puts together what they say. Of a block,
 * bgp_config.c takes lines apart and reads instances and BFD's profiles, bgp_config_neighbor.c
 * reads neighbors, bgp_config_policy.c lists and route maps. */
#ifndef BGP_BGP_CONFIG_PARTS_H
#define BGP_BGP_CONFIG_PARTS_H

#include "bgp/bgp_config.h"

enum {
    CONFIG_WORDS = 40,
    SECTION_TEXT = 64,
    CONFIG_LINE_BYTES = 4096, /* VTY_BUFSIZ: FRR takes no longer lines, so it has none */
};

struct reader {
    struct bgp_state *state;
    bgp_digest_cb *digest;
    bool datacenter;               /* "frr defaults datacenter": some lines are left out then */
    struct bgp_instance *instance; /* of the block that we are in, or null */
    struct bgp_policy *map;        /* likewise */
    struct bgp_bfd_profile *bfd;   /* likewise */
    bool in_bfd;                   /* in the block of all of these */
    char section[SECTION_TEXT];    /* the address family's line, "" outside */
    int family;                    /* of the section; 0: none that we write */
    struct bgp_text body;          /* of the last policy */
    uint64_t block;                /* hash of the block's first line, for the fingerprint */
};

/* One line, taken apart. */
struct line {
    const char *text; /* NUL-terminated, without indentation */
    size_t indent;
    char *words[CONFIG_WORDS]; /* the first ones; the last may hold a rest */
    size_t n_words;
    char *copy; /* that the words point into */
};

/* --- bgp_config.c --- */

/* What a block says by itself; one reference, the caller's. Its policies are in the order of the
 * text, and what refers to one refers to its kind and name only. */
struct bgp_state *config_read_block(const char *text, size_t len, bgp_digest_cb *digest,
                                    bool datacenter);

/* Whether word i is this one. */
bool line_is(const struct line *line, size_t i, const char *word);
/* A whole number from `min` to `max` in word i. */
bool line_number(const struct line *line, size_t i, uint64_t min, uint64_t max, uint64_t *ret);
/* The part of the line from word i on, as it was written. */
const char *line_rest(const struct line *line, size_t i);
/* Counts a line into the fingerprint: what it says and where it stands, but not in which order. */
void config_count(struct reader *reader, const struct line *line);
/* Begins a block for config_count(): null for a line on its own. */
void config_begin(struct reader *reader, const struct line *line);
/* Keeps a line that we would not write. */
void config_extra(struct reader *reader, const struct line *line);

/* --- bgp_config_neighbor.c --- */

/* "neighbor ADDRESS ..." of the instance at hand. */
void config_neighbor(struct reader *reader, const struct line *line);

/* --- bgp_config_policy.c --- */

/* Reads a line of the top that belongs to a policy. False if it is none. */
bool config_policy(struct reader *reader, const struct line *line);
/* A line within the route map at hand. */
void config_map_line(struct reader *reader, const struct line *line);
/* A policy that a line refers to: only its kind and name, where config_resolve() will put the real
 * one. */
const struct bgp_policy *config_reference(struct reader *reader, enum bgp_policy_kind kind,
                                          const char *name);
/* When a block has been read: lists are complete. */
void config_seal_lists(struct bgp_state *block);
/* When all have been: makes references those of the policies that are meant. The maps' first. */
void config_resolve_policies(struct bgp_state *state);
void config_resolve(struct bgp_state *state, const struct bgp_policy **reference);

#endif
