/* table.h - tables for people: columns under headings, aligned by what a terminal shows.
 *
 * Cells are made safe for the terminal as they are added (text.h). Nothing is cut off: a long
 * reason is the reason. */
#ifndef ROUTERCTL_TABLE_H
#define ROUTERCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum ctl_style { CTL_PLAIN, CTL_GOOD, CTL_BUSY, CTL_BAD, CTL_BOLD, CTL_FAINT };

enum ctl_column_flag {
    CTL_LEFT = 0,
    CTL_RIGHT = 1 << 0,    /* aligned to the right, for numbers */
    CTL_OPTIONAL = 1 << 1, /* left out if it has nothing in any row */
    CTL_BLANK = 1 << 2,    /* empty cells stay empty; elsewhere they are dashes */
};

struct ctl_column {
    const char *heading;
    unsigned int flags; /* set of enum ctl_column_flag */
};

struct ctl_table;

/* Borrows the columns. Never null. */
struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t n_columns);
void ctl_table_free(struct ctl_table *table);
/* The next cell, from left to right and row by row. */
void ctl_table_cell(struct ctl_table *table, const char *text);
void ctl_table_cell_styled(struct ctl_table *table, const char *text, enum ctl_style style);
void ctl_table_number(struct ctl_table *table, double number);
size_t ctl_table_rows(const struct ctl_table *table);
/* Prints the headings and the rows. */
void ctl_table_print(const struct ctl_table *table, FILE *file, bool colour);

/* What switches a style on (off: CTL_PLAIN), "" without colour. */
const char *ctl_style_code(enum ctl_style style, bool colour);

#endif
