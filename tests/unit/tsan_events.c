/* The log of events between its writer and its readers, under ThreadSanitizer. */
#include "events/event_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS = 20000, READERS = 3, AT_ONCE = 16 };

static struct event_log *event_log;
static unsigned int notified; /* by the writer alone */

static void notify(void *aux)
{
    ++*(unsigned int *)aux;
}

static void *read_all(void *aux)
{
    uint64_t since = 0, last = 0;

    (void)aux;
    while (since < EVENTS) {
        struct router_event *events[AT_ONCE];
        size_t n = event_log_read(event_log, &since, NULL, events, AT_ONCE);

        for (size_t i = 0; i < n; i++) {
            if (events[i]->id <= last || events[i]->text[0] != 'x') {
                abort();
            }
            last = events[i]->id;
            router_event_unref(events[i]);
        }
    }
    return NULL;
}

int main(void)
{
    const struct event_about about = {"bio", "genome", "genome/peer/aws", 0};
    pthread_t readers[READERS];

    event_log = event_log_new(100);
    event_log_open(event_log, NULL, 0);
    event_log_on_add(event_log, notify, &notified);
    for (int i = 0; i < READERS; i++) {
        if (pthread_create(&readers[i], NULL, read_all, NULL)) {
            abort();
        }
    }
    for (int i = 0; i < EVENTS; i++) {
        event_log_add(event_log, router_event_new(i, EVENT_DOWN, &about, "x"));
    }
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    event_log_on_add(event_log, NULL, NULL);
    event_log_free(event_log);
    printf("%u events\n", notified);
    return notified == EVENTS ? 0 : 1;
}
