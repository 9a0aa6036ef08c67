/* reader.h - documents into structs by tables of keys.
 *
 * A kind of object is a table of fields: key, whether it must be there, who reads its value, where
 * the result goes. A value that is wrong is reported once, at its place, and what it would have
 * filled in is left as it was (zero, or the default), so that later checks can tell and stay silent
 * about it. Lists keep one element for each in the text, wrong ones too. It stands on doc.h, which
 * knows types and no tables. */
#ifndef MODEL_READER_H
#define MODEL_READER_H

#include "model/doc.h"

struct reader {
    struct arena *arena; /* of what is read */
    struct errors *errors;
};

/* Reads the value `doc` into what `ret` points to. */
typedef void read_fn(struct reader *reader, const struct doc *doc, void *ret);

enum need { OPTIONAL, REQUIRED };

struct field {
    const char *key; /* null ends the table */
    enum need need;
    read_fn *read;
    size_t offset; /* within the object of what `read` is given */
};

enum { READER_FIELDS = 16 }; /* a table is no longer */

struct list {
    size_t min, max; /* number of entries; min is 0 or 1 */
    size_t size;     /* bytes of an element */
    read_fn *read;   /* an element */
};

/* Reports missing and unknown keys and reads the others, in the order of the table. */
void read_map(struct reader *reader, const struct doc *doc, const struct field *fields,
              void *object);
/* The elements, zeroed before they are read, in the reader's arena. Null and *ret_n untouched if it
 * is no list or its length is out of bounds, which is reported. */
void *read_list(struct reader *reader, const struct doc *doc, const struct list *list,
                size_t *ret_n);
/* Whether read_list() gave all of the list's elements; null, for a key that is not there, has none.
 */
bool read_list_worked(const struct doc *doc, size_t n);

/* Values: `ret` is what the function of the same name in doc.h fills in. */
read_fn read_name, read_string, read_bool, read_addr, read_prefix, read_ifaddr;
/* The number, or 0 after reporting that it is none between min and max. */
uint64_t read_uint(struct reader *reader, const struct doc *doc, uint64_t min, uint64_t max);

#endif
