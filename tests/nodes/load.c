/* load: keep-alive clients that allocate addresses as fast as they are answered.
 *
 *   load SOCKET PATH PREFIX POOL CLIENTS ARRAY SECONDS
 *
 * Each of CLIENTS connections POSTs ARRAY nodes at a time (PREFIX-CLIENT-NUMBER, of POOL) and waits
 * for the answer before the next. Prints one line of JSON: nodes, requests, seconds and the
 * requests' latencies in microseconds. Exits 1 if any answer is not 201. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 1 << 20 };

struct client {
    int fd;
    unsigned int number, next; /* of the client; of its next node */
    int64_t sent_ns;
    char *answer;
    size_t len;
};

struct load {
    const char *path, *prefix, *pool;
    unsigned int array;
    uint32_t *latencies_us;
    size_t n, capacity;
    char *request;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

_Noreturn static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void client_open(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    client->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof address)) {
        fail(path);
    }
    client->answer = malloc(ANSWER + 1);
}

static void client_send(struct load *load, struct client *client)
{
    static char body[1 << 20];
    size_t len = 0, sent = 0;
    int head;

    len += (size_t)sprintf(body, load->array > 1 ? "[" : "");
    for (unsigned int i = 0; i < load->array; i++) {
        len +=
            (size_t)sprintf(body + len, "%s{\"name\":\"%s-%u-%u\",\"pool\":\"%s\"}", i ? "," : "",
                            load->prefix, client->number, client->next++, load->pool);
    }
    len += (size_t)sprintf(body + len, load->array > 1 ? "]" : "");
    head = sprintf(load->request, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
                   load->path, len);
    memcpy(load->request + head, body, len);
    len += (size_t)head;
    client->len = 0;
    client->sent_ns = now_ns();
    while (sent < len) {
        ssize_t n = send(client->fd, load->request + sent, len - sent, MSG_NOSIGNAL);

        if (n < 0) {
            fail("send");
        }
        sent += (size_t)n;
    }
}

/* Whether the answer is whole; ends the program if it is not 201. */
static int answer_whole(struct client *client)
{
    const char *end, *length;

    client->answer[client->len] = '\0';
    end = strstr(client->answer, "\r\n\r\n");
    if (!end) {
        return 0;
    }
    length = strstr(client->answer, "Content-Length: ");
    if (!length ||
        client->len < (size_t)(end + 4 - client->answer) + strtoul(length + 16, NULL, 10)) {
        return 0;
    }
    if (strncmp(client->answer, "HTTP/1.1 201", 12) != 0) {
        fprintf(stderr, "%s\n", client->answer);
        exit(1);
    }
    return 1;
}

static void client_receive(struct load *load, struct client *client, int go_on)
{
    ssize_t n = recv(client->fd, client->answer + client->len, ANSWER - client->len, 0);

    if (n <= 0) {
        fail("recv");
    }
    client->len += (size_t)n;
    if (!answer_whole(client)) {
        return;
    }
    if (load->n == load->capacity) {
        load->capacity = load->capacity ? 2 * load->capacity : 65536;
        load->latencies_us = realloc(load->latencies_us, load->capacity * sizeof(uint32_t));
    }
    load->latencies_us[load->n++] = (uint32_t)((now_ns() - client->sent_ns) / 1000);
    client->sent_ns = 0;
    if (go_on) {
        client_send(load, client);
    }
}

static int compare(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static double run(struct load *load, struct client *clients, unsigned int n, double seconds)
{
    int poller = epoll_create1(0);
    int64_t start = now_ns(), end = start + (int64_t)(seconds * 1e9);
    unsigned int waiting = n;

    for (unsigned int i = 0; i < n; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

        epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &event);
        client_send(load, &clients[i]);
    }
    while (waiting) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, 60000);

        if (ready <= 0) {
            fail("no answer");
        }
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;

            client_receive(load, client, now_ns() < end);
            waiting -= !client->sent_ns;
        }
    }
    close(poller);
    return (double)(now_ns() - start) / 1e9;
}

static void report(const struct load *load, double seconds)
{
    if (!load->latencies_us || !load->n) {
        fail("no answer");
    }
    qsort(load->latencies_us, load->n, sizeof *load->latencies_us, compare);
    printf("{\"nodes\":%zu,\"requests\":%zu,\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,"
           "\"max_us\":%u}\n",
           load->n * load->array, load->n, seconds, load->latencies_us[load->n / 2],
           load->latencies_us[load->n * 99 / 100], load->latencies_us[load->n - 1]);
}

int main(int argc, char **argv)
{
    struct load load = {.path = NULL};
    struct client *clients;
    unsigned int n;
    double seconds;

    if (argc != 8 || atoi(argv[5]) < 1) {
        fputs("usage: load SOCKET PATH PREFIX POOL CLIENTS ARRAY SECONDS\n", stderr);
        return 2;
    }
    load.path = argv[2];
    load.prefix = argv[3];
    load.pool = argv[4];
    n = (unsigned int)atoi(argv[5]);
    load.array = (unsigned int)atoi(argv[6]);
    clients = calloc(n, sizeof *clients);
    load.request = malloc(2 << 20);
    if (!clients || !load.request) {
        fail("clients");
    }
    for (unsigned int i = 0; i < n; i++) {
        clients[i].number = i;
        client_open(&clients[i], argv[1]);
    }
    seconds = run(&load, clients, n, atof(argv[7]));
    report(&load, seconds);
    for (unsigned int i = 0; i < n; i++) {
        close(clients[i].fd);
        free(clients[i].answer);
    }
    free(clients);
    free(load.latencies_us);
    free(load.request);
    return 0;
}
