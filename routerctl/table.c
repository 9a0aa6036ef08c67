#include "routerctl/table.h"

#include "routerctl/buffer.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>

struct cell {
    char *text;
    size_t width;
    enum ctl_style style;
};

struct ctl_table {
    const struct ctl_column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells, capacity;
};

struct ctl_table *ctl_table_new(const struct ctl_column *columns, size_t n_columns)
{
    struct ctl_table *table = ctl_alloc(sizeof *table);

    table->columns = columns;
    table->n_columns = n_columns;
    return table;
}

void ctl_table_free(struct ctl_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        free(table->cells[i].text);
    }
    free(table->cells);
    free(table);
}

void ctl_table_cell_styled(struct ctl_table *table, const char *text, enum ctl_style style)
{
    struct ctl_buffer safe = {0};
    struct cell *cell;

    if (table->n_cells == table->capacity) {
        table->capacity = table->capacity ? table->capacity * 2 : 64;
        table->cells = realloc(table->cells, table->capacity * sizeof *table->cells);
        if (!table->cells) {
            abort();
        }
    }
    ctl_add_safe(&safe, text);
    cell = &table->cells[table->n_cells++];
    cell->text = ctl_strdup(ctl_buffer_string(&safe));
    cell->width = ctl_text_width(cell->text);
    cell->style = style;
    ctl_buffer_done(&safe);
}

void ctl_table_cell(struct ctl_table *table, const char *text)
{
    ctl_table_cell_styled(table, text, CTL_PLAIN);
}

void ctl_table_number(struct ctl_table *table, double number)
{
    char *text = ctl_printf("%.0f", number);

    ctl_table_cell(table, text);
    free(text);
}

size_t ctl_table_rows(const struct ctl_table *table)
{
    return table->n_cells / table->n_columns;
}

const char *ctl_style_code(enum ctl_style style, bool colour)
{
    static const char *const codes[] = {
        [CTL_PLAIN] = "\033[0m", [CTL_GOOD] = "\033[32m", [CTL_BUSY] = "\033[33m",
        [CTL_BAD] = "\033[31m",  [CTL_BOLD] = "\033[1m",  [CTL_FAINT] = "\033[2m",
    };

    return colour ? codes[style] : "";
}

/* --- printing ------------------------------------------------------------------------------- */

/* Width of a column, 0 if it is left out. */
static size_t column_width(const struct ctl_table *table, size_t column)
{
    size_t widest = 0, heading = strlen(table->columns[column].heading);

    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        widest = table->cells[i].width > widest ? table->cells[i].width : widest;
    }
    if (!widest && table->columns[column].flags & CTL_OPTIONAL) {
        return 0;
    }
    return widest > heading ? widest : heading;
}

struct printer {
    const struct ctl_table *table;
    size_t *widths;
    size_t last; /* column that is shown */
    FILE *file;
    bool colour;
};

static void print_cell(const struct printer *printer, size_t column, const struct cell *cell)
{
    size_t padding = printer->widths[column] - cell->width;
    bool right = printer->table->columns[column].flags & CTL_RIGHT, last = column == printer->last;
    bool styled = printer->colour && cell->style != CTL_PLAIN;

    fprintf(printer->file, "%*s%s%s%s%*s", right ? (int)padding : 0, "",
            styled ? ctl_style_code(cell->style, true) : "", cell->text,
            styled ? ctl_style_code(CTL_PLAIN, true) : "", right || last ? 0 : (int)padding, "");
    fputs(last ? "\n" : "  ", printer->file);
}

static void print_headings(const struct printer *printer)
{
    const struct ctl_table *table = printer->table;

    for (size_t i = 0; i < table->n_columns; i++) {
        char *heading = (char *)table->columns[i].heading;

        if (printer->widths[i]) {
            print_cell(printer, i, &(struct cell){heading, strlen(heading), CTL_BOLD});
        }
    }
}

static void print_row(const struct printer *printer, const struct cell *cells)
{
    static char nothing[] = "", hyphen[] = "-";
    static const struct cell blank = {nothing, 0, CTL_PLAIN}, dash = {hyphen, 1, CTL_FAINT};
    const struct ctl_column *columns = printer->table->columns;

    for (size_t i = 0; i < printer->table->n_columns; i++) {
        if (printer->widths[i]) {
            print_cell(printer, i,
                       cells[i].width                 ? &cells[i]
                       : columns[i].flags & CTL_BLANK ? &blank
                                                      : &dash);
        }
    }
}

void ctl_table_print(const struct ctl_table *table, FILE *file, bool colour)
{
    struct printer printer = {table, NULL, 0, file, colour};

    printer.widths = ctl_alloc(table->n_columns * sizeof *printer.widths);
    for (size_t i = 0; i < table->n_columns; i++) {
        printer.widths[i] = column_width(table, i);
        printer.last = printer.widths[i] ? i : printer.last;
    }
    print_headings(&printer);
    for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns) {
        print_row(&printer, &table->cells[i]);
    }
    free(printer.widths);
}
