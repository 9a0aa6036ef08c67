#include "events/event_log.h"

#include <lib/util.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct event_log {
    pthread_mutex_t lock;
    struct router_event **ring;
    size_t capacity;
    size_t first, n; /* ring[(first + i) % capacity], i < n, by id */
    uint64_t next_id;
    bool open;
    void (*notify)(void *aux);
    void *notify_aux;
};

struct event_log *event_log_new(size_t capacity)
{
    struct event_log *log = xzalloc(sizeof *log);

    pthread_mutex_init(&log->lock, NULL);
    log->ring = xcalloc(capacity, sizeof *log->ring);
    log->capacity = capacity;
    log->next_id = 1;
    return log;
}

static struct router_event *event_at(const struct event_log *log, size_t i)
{
    return log->ring[(log->first + i) % log->capacity];
}

void event_log_free(struct event_log *log)
{
    if (!log) {
        return;
    }
    for (size_t i = 0; i < log->n; i++) {
        router_event_unref(event_at(log, i));
    }
    pthread_mutex_destroy(&log->lock);
    free(log->ring);
    free(log);
}

static void put(struct event_log *log, struct router_event *event)
{
    if (log->n == log->capacity) {
        router_event_unref(log->ring[log->first]);
        log->first = (log->first + 1) % log->capacity;
        log->n--;
    }
    log->ring[(log->first + log->n++) % log->capacity] = event;
}

void event_log_open(struct event_log *log, struct router_event **events, size_t n)
{
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < n; i++) {
        put(log, events[i]);
    }
    if (n) {
        log->next_id = events[n - 1]->id + log->capacity;
    }
    log->open = true;
    pthread_mutex_unlock(&log->lock);
}

bool event_log_is_open(struct event_log *log)
{
    bool open;

    pthread_mutex_lock(&log->lock);
    open = log->open;
    pthread_mutex_unlock(&log->lock);
    return open;
}

void event_log_add(struct event_log *log, struct router_event *event)
{
    pthread_mutex_lock(&log->lock);
    ovs_assert(log->open);
    event->id = log->next_id++;
    put(log, event);
    if (log->notify) {
        log->notify(log->notify_aux);
    }
    pthread_mutex_unlock(&log->lock);
}

/* The place of the first event with a greater id. */
static size_t place_behind(const struct event_log *log, uint64_t id)
{
    size_t low = 0, high = log->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (event_at(log, middle)->id <= id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t event_log_read(struct event_log *log, uint64_t *since, const char *tenant,
                      struct router_event **ret_events, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&log->lock);
    for (size_t i = place_behind(log, *since); i < log->n && n < max; i++) {
        struct router_event *event = event_at(log, i);

        if (!tenant || !strcmp(event->about.tenant, tenant)) {
            ret_events[n++] = router_event_ref(event);
        }
        *since = event->id;
    }
    pthread_mutex_unlock(&log->lock);
    return n;
}

uint64_t event_log_first(struct event_log *log)
{
    uint64_t id;

    pthread_mutex_lock(&log->lock);
    id = log->n ? event_at(log, 0)->id : 0;
    pthread_mutex_unlock(&log->lock);
    return id;
}

uint64_t event_log_last(struct event_log *log)
{
    uint64_t id;

    pthread_mutex_lock(&log->lock);
    id = log->n ? event_at(log, log->n - 1)->id : 0;
    pthread_mutex_unlock(&log->lock);
    return id;
}

void event_log_on_add(struct event_log *log, void (*notify)(void *aux), void *aux)
{
    pthread_mutex_lock(&log->lock);
    log->notify = notify;
    log->notify_aux = aux;
    pthread_mutex_unlock(&log->lock);
}
