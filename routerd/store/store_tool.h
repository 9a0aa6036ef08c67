/* store_tool.h - running the tools that come with ovsdb-server; nobody but the store does.
 *
 * Each call blocks until the tool has ended, which its own --timeout sees to. */
#ifndef STORE_STORE_TOOL_H
#define STORE_STORE_TOOL_H

#include <lib/util.h>
#include <openvswitch/dynamic-string.h>

/* Runs a tool with `in` as its standard input (-1: nothing) and `out` as its standard output (-1:
 * into `output` too). 0, or -errno with what it said on standard error in `output`. */
int tool_run(struct ds *output, int in, int out, char *const argv[]);

/* A constant text as an argument. */
static inline char *tool_arg(const char *text)
{
    return CONST_CAST(char *, text);
}

#define TOOL_RUN(output, ...) tool_run(output, -1, -1, (char *const[]){__VA_ARGS__, NULL})

#endif
