#include "bgp/bgp_process.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool bgp_process_is_young(pid_t pid)
{
    char path[64], text[1024], *field;
    struct timespec now;
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file) {
        return false;
    }
    n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    field = strrchr(text, ')');
    for (int i = 2; field && i < 22; i++) {
        field = strchr(field + 1, ' ');
    }
    if (!field || clock_gettime(CLOCK_BOOTTIME, &now)) {
        return false;
    }
    return now.tv_sec - (time_t)(strtoull(field, NULL, 10) / (size_t)sysconf(_SC_CLK_TCK)) <
           BGP_PROCESS_YOUNG_S;
}
