/* document.h - a topology's file, to be sent. */
#ifndef ROUTERCTL_DOCUMENT_H
#define ROUTERCTL_DOCUMENT_H

#include "routerctl/buffer.h"

enum { CTL_DOCUMENT_BYTES = 16 << 20 }; /* routerd takes no more */

/* What the file is called in errors: "-", standard input, has a name of its own. */
const char *ctl_document_name(const char *file);
/* Reads the file to its end. 0, or -errno (-EFBIG beyond CTL_DOCUMENT_BYTES). */
int ctl_document_read(const char *file, struct ctl_buffer *ret_text);

#endif
