#include "vici_server.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void vici_server_init(struct vici_server *server)
{
    memset(server, 0, sizeof *server);
    snprintf(server->folder, sizeof server->folder, "/tmp/vici-server-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->path, sizeof server->path, "%s/vici", server->folder);
    server->listener = -1;
    server->next_ike_id = 1;
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        server->clients[i].fd = -1;
    }
    vici_server_start(server);
}

void vici_server_start(struct vici_server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", server->path);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 5), 0);
}

static void drop_client(struct server_client *client)
{
    close(client->fd);
    free(client->input);
    *client = (struct server_client){.fd = -1};
}

void vici_server_kill(struct vici_server *server)
{
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        if (server->clients[i].fd >= 0) {
            drop_client(&server->clients[i]);
        }
    }
    if (server->listener >= 0) {
        close(server->listener);
        unlink(server->path);
    }
    server->listener = -1;
    memset(server->conns, 0, sizeof server->conns);
    server->n_secrets = 0;
}

void vici_server_done(struct vici_server *server)
{
    vici_server_kill(server);
    rmdir(server->folder);
}

struct server_conn *vici_server_conn(struct vici_server *server, const char *name)
{
    for (size_t i = 0; i < SERVER_CONNS; i++) {
        if (strcmp(server->conns[i].name, name) == 0) {
            return &server->conns[i];
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- answers */

static void send_packet(struct server_client *client, struct vici_writer *writer,
                        enum vici_type type)
{
    size_t name_len = writer->bytes[5];
    uint8_t *start = writer->bytes;

    assert_int_equal(vici_finish(writer), 0);
    writer->bytes[4] = (uint8_t)type;
    if (type != VICI_EVENT) {
        /* No name: the header moves up over it. */
        size_t len = writer->len - 4 - 1 - name_len;
        start = writer->bytes + name_len + 1;
        uint8_t header[5] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len, (uint8_t)type};
        memmove(start, header, sizeof header);
    }
    size_t len = (size_t)(writer->bytes + writer->len - start);
    ssize_t sent = send(client->fd, start, len, MSG_NOSIGNAL);
    assert_true(sent == (ssize_t)len || errno == EPIPE ||
                errno == ECONNRESET); /* it may have gone */
    vici_writer_done(writer);
}

static void send_result(struct server_client *client, const char *error)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_CMD_RESPONSE, "");
    vici_key(&writer, "success", error ? "no" : "yes");
    if (error) {
        vici_key(&writer, "errmsg", error);
    }
    send_packet(client, &writer, VICI_CMD_RESPONSE);
}

static void send_empty(struct server_client *client, enum vici_type type)
{
    struct vici_writer writer;

    vici_begin(&writer, type, "");
    send_packet(client, &writer, type);
}

static bool is_registered(const struct server_client *client, const char *event)
{
    for (size_t i = 0; i < client->n_events; i++) {
        if (strcmp(client->events[i], event) == 0) {
            return true;
        }
    }
    return false;
}

static void write_list(struct vici_writer *writer, const char *name, const char *item)
{
    vici_list(writer, name);
    vici_item(writer, item);
    vici_list_end(writer);
}

static void write_auth(struct vici_writer *writer, const char *section, const char *id,
                       const char *mark)
{
    vici_section(writer, section);
    if (*mark) {
        vici_key(writer, "aaa_id", mark);
    }
    vici_key(writer, "id", id);
    vici_section_end(writer);
}

static void list_conn(struct server_client *client, const struct server_conn *conn)
{
    struct vici_writer writer;

    vici_begin(&writer, VICI_EVENT, "list-conn");
    vici_section(&writer, conn->name);
    write_list(&writer, "local_addrs", conn->local_addr);
    write_list(&writer, "remote_addrs", conn->remote_addr);
    vici_key_printf(&writer, "rekey_time", "%d", atoi(conn->ike_rekey));
    vici_key_printf(&writer, "dpd_delay", "%d", atoi(conn->dpd));
    write_auth(&writer, "local-1", conn->local_id, conn->mark);
    write_auth(&writer, "remote-1", conn->remote_id, "");
    vici_section(&writer, "children");
    vici_section(&writer, conn->name);
    vici_key_printf(&writer, "rekey_time", "%d", atoi(conn->child_rekey));
    vici_section_end(&writer);
    vici_section_end(&writer);
    vici_section_end(&writer);
    send_packet(client, &writer, VICI_EVENT);
}

static void write_sa(struct vici_writer *writer, const struct server_conn *conn)
{
    vici_section(writer, conn->name);
    vici_key_printf(writer, "uniqueid", "%u", conn->ike_id);
    vici_key(writer, "state", "ESTABLISHED");
    vici_key(writer, "local-host", conn->local_addr);
    vici_key(writer, "local-id", conn->local_id);
    vici_key(writer, "remote-host", conn->remote_addr);
    vici_key(writer, "remote-id", conn->remote_id);
    vici_key(writer, "established", conn->young ? "0" : "100");
    vici_section(writer, "child-sas");
    vici_section(writer, "child-1");
    vici_key(writer, "state", "INSTALLED");
    vici_key_printf(writer, "if-id-in", "%08x", ipsec_id_of_name(conn->name));
    vici_key_printf(writer, "if-id-out", "%08x", ipsec_id_of_name(conn->name));
    vici_key(writer, "bytes-in", "1000");
    vici_key(writer, "bytes-out", "2000");
    vici_section_end(writer);
    vici_section_end(writer);
    vici_section_end(writer);
}

static void raise_event(struct vici_server *server, const struct server_conn *conn,
                        const char *event)
{
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        struct server_client *client = &server->clients[i];
        if (client->fd >= 0 && is_registered(client, event)) {
            struct vici_writer writer;
            vici_begin(&writer, VICI_EVENT, event);
            write_sa(&writer, conn);
            send_packet(client, &writer, VICI_EVENT);
        }
    }
}

static void raise_updown(struct vici_server *server, const struct server_conn *conn)
{
    raise_event(server, conn, "child-updown");
}

void vici_server_rekeyed(struct vici_server *server, const char *name)
{
    raise_event(server, vici_server_conn(server, name), "child-rekey");
}

/* Of an IKE SA, or of none (0). */
static void raise_log(struct vici_server *server, const char *group, const char *name,
                      unsigned int ike_id, const char *text)
{
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        struct server_client *client = &server->clients[i];
        if (client->fd >= 0 && is_registered(client, "log")) {
            struct vici_writer writer;
            vici_begin(&writer, VICI_EVENT, "log");
            vici_key(&writer, "group", group);
            if (ike_id) {
                vici_key(&writer, "ikesa-name", name);
                vici_key_printf(&writer, "ikesa-uniqueid", "%u", ike_id);
            }
            vici_key(&writer, "msg", text);
            send_packet(client, &writer, VICI_EVENT);
        }
    }
}

void vici_server_log(struct vici_server *server, const char *name, unsigned int ike_id,
                     const char *text)
{
    raise_log(server, "IKE", name, ike_id, text);
}

void vici_server_log_loaded(struct vici_server *server, const char *name)
{
    char text[128];

    snprintf(text, sizeof text, "replaced vici connection: %.64s", name);
    raise_log(server, "CFG", NULL, 0, text);
}

void vici_server_down(struct vici_server *server, const char *name)
{
    struct server_conn *conn = vici_server_conn(server, name);

    assert_non_null(conn);
    conn->up = false;
    raise_updown(server, conn);
}

/* ---------------------------------------------------------------- commands */

static const char *argument(const struct vici_packet *packet, const char *key, char buffer[256])
{
    struct vici_text text = {"", 0};
    vici_find(packet, key, &text);
    return vici_text_copy(text, buffer, 256);
}

static char *place_for(struct server_conn *conn, const struct vici_reader *reader,
                       const struct vici_element *element)
{
    bool local = reader->depth > 1 && vici_text_is(reader->section[1], "local");

    if (element->kind == VICI_ITEM) {
        return reader->depth > 1                            ? NULL
               : vici_text_is(reader->list, "local_addrs")  ? conn->local_addr
               : vici_text_is(reader->list, "remote_addrs") ? conn->remote_addr
                                                            : NULL;
    }
    if (vici_text_is(element->name, "rekey_time")) {
        return reader->depth == 1 ? conn->ike_rekey : conn->child_rekey;
    }
    if (vici_text_is(element->name, "dpd_delay")) {
        return conn->dpd;
    }
    if (vici_text_is(element->name, "id")) {
        return local ? conn->local_id : conn->remote_id;
    }
    return NULL;
}

static void load_conn(struct vici_server *server, struct server_client *client,
                      const struct vici_packet *packet)
{
    struct server_conn conn = {.up = false};
    struct vici_reader reader;
    struct vici_element element;

    vici_reader_init(&reader, packet);
    while (vici_next(&reader, &element) > 0) {
        if (element.kind == VICI_SECTION && reader.depth == 1) {
            vici_text_copy(element.name, conn.name, sizeof conn.name);
        } else if (element.kind == VICI_KEY && vici_text_is(element.name, "aaa_id")) {
            /* charon prints a name without the @ that says that it is one */
            element.value.bytes++;
            element.value.len--;
            vici_text_copy(element.value, conn.mark, sizeof conn.mark);
        } else if (element.kind == VICI_KEY || element.kind == VICI_ITEM) {
            char *place = place_for(&conn, &reader, &element);
            if (place) {
                vici_text_copy(element.value, place, 24);
            }
        }
    }
    server->loads++;
    if (server->refuse) {
        send_result(client, "invalid value for: proposals, config discarded");
        return;
    }
    struct server_conn *old = vici_server_conn(server, conn.name);
    struct server_conn *place = old ? old : vici_server_conn(server, "");
    conn.up = old && old->up;
    conn.ike_id = old ? old->ike_id : 0;
    conn.young = server->young;
    *place = conn;
    vici_server_log_loaded(server, conn.name);
    send_result(client, NULL);
}

static void initiate(struct vici_server *server, struct server_client *client, const char *name)
{
    struct server_conn *conn = vici_server_conn(server, name);

    server->initiations++;
    send_result(client, conn ? NULL : "CHILD_SA config not found");
    if (conn && server->no_reply) {
        vici_server_log(server, name, server->next_ike_id++, server->no_reply);
    } else if (conn) {
        conn->old_ike_id = conn->up ? conn->ike_id : 0;
        conn->up = true;
        conn->ike_id = server->next_ike_id++;
        raise_updown(server, conn);
    }
}

static void terminate(struct vici_server *server, struct server_client *client, const char *name)
{
    struct server_conn *conn = vici_server_conn(server, name);

    server->terminations++;
    send_result(client, conn && conn->up ? NULL : "no matching SAs to terminate found");
    if (conn && conn->up) {
        vici_server_down(server, name);
    }
}

/* Only SAs that others have replaced are ended by their number. */
static void end_old(struct vici_server *server, struct server_client *client, unsigned int ike_id)
{
    server->terminations++;
    send_result(client, NULL);
    for (size_t i = 0; i < SERVER_CONNS; i++) {
        if (server->conns[i].old_ike_id == ike_id) {
            server->conns[i].old_ike_id = 0;
            raise_updown(server, &server->conns[i]);
            return;
        }
    }
    fail_msg("IKE SA %u is ended", ike_id);
}

static void forget_secret(struct vici_server *server, const char *id)
{
    for (size_t i = 0; i < server->n_secrets; i++) {
        if (strcmp(server->secrets[i], id) == 0) {
            memmove(server->secrets[i], server->secrets[--server->n_secrets],
                    sizeof server->secrets[i]);
        }
    }
}

static void list(struct vici_server *server, struct server_client *client, const char *command)
{
    struct vici_writer writer;
    bool conns = strcmp(command, "get-conns") == 0;

    vici_begin(&writer, VICI_CMD_RESPONSE, "");
    vici_list(&writer, conns ? "conns" : "keys");
    for (size_t i = 0; i < SERVER_CONNS; i++) {
        const char *name = conns                   ? server->conns[i].name
                           : i < server->n_secrets ? server->secrets[i]
                                                   : "";
        if (*name) {
            vici_item(&writer, name);
        }
    }
    vici_list_end(&writer);
    send_packet(client, &writer, VICI_CMD_RESPONSE);
}

static void stream(struct vici_server *server, struct server_client *client, const char *command,
                   const char *only)
{
    bool sas = strcmp(command, "list-sas") == 0;

    assert_true(is_registered(client, sas ? "list-sa" : "list-conn"));
    server->whole_lists += !sas && !*only;
    for (size_t i = 0; i < SERVER_CONNS; i++) {
        struct server_conn *conn = &server->conns[i];
        if (!*conn->name || (*only && strcmp(only, conn->name) != 0) || (sas && !conn->up)) {
            continue;
        }
        if (sas && conn->old_ike_id) {
            struct server_conn old = *conn;
            struct vici_writer writer;
            old.ike_id = conn->old_ike_id;
            vici_begin(&writer, VICI_EVENT, "list-sa");
            write_sa(&writer, &old);
            send_packet(client, &writer, VICI_EVENT);
        }
        if (sas) {
            struct vici_writer writer;
            vici_begin(&writer, VICI_EVENT, "list-sa");
            write_sa(&writer, conn);
            send_packet(client, &writer, VICI_EVENT);
        } else {
            list_conn(client, conn);
            server->listed++;
        }
    }
    send_empty(client, VICI_CMD_RESPONSE);
}

static void change(struct vici_server *server, struct server_client *client, const char *command,
                   const struct vici_packet *packet)
{
    char text[256];

    server->writes++;
    if (strcmp(command, "load-conn") == 0) {
        load_conn(server, client, packet);
    } else if (strcmp(command, "load-shared") == 0) {
        forget_secret(server, argument(packet, "id", text));
        memcpy(server->secrets[server->n_secrets++], text, sizeof server->secrets[0]);
        snprintf(server->secret_data, sizeof server->secret_data, "%.60s",
                 argument(packet, "data", text));
        send_result(client, NULL);
    } else if (strcmp(command, "unload-shared") == 0) {
        forget_secret(server, argument(packet, "id", text));
        send_result(client, NULL);
    } else if (strcmp(command, "unload-conn") == 0) {
        struct server_conn *conn = vici_server_conn(server, argument(packet, "name", text));
        send_result(client, conn ? NULL : "unload: connection not found");
        if (conn) {
            conn->name[0] = '\0';
        }
    } else if (strcmp(command, "initiate") == 0) {
        initiate(server, client, argument(packet, "ike", text));
    } else if (strcmp(command, "terminate") == 0 && *argument(packet, "ike-id", text)) {
        end_old(server, client, (unsigned int)strtoul(text, NULL, 10));
    } else if (strcmp(command, "terminate") == 0) {
        terminate(server, client, argument(packet, "ike", text));
    } else {
        send_empty(client, VICI_CMD_UNKNOWN);
    }
}

static void answer(struct vici_server *server, struct server_client *client,
                   const struct vici_packet *packet)
{
    char command[32], only[256];

    vici_text_copy(packet->name, command, sizeof command);
    if (packet->type == VICI_EVENT_REGISTER) {
        snprintf(client->events[client->n_events++], sizeof client->events[0], "%.23s", command);
        send_empty(client, VICI_EVENT_CONFIRM);
    } else if (strcmp(command, "version") == 0 || strcmp(command, "get-keys") == 0 ||
               strcmp(command, "get-algorithms") == 0) {
        send_empty(client, VICI_CMD_RESPONSE);
    } else if (strncmp(command, "get-", 4) == 0) {
        list(server, client, command);
    } else if (strncmp(command, "list-", 5) == 0) {
        stream(server, client, command, argument(packet, "ike", only));
    } else {
        change(server, client, command, packet);
    }
}

/* ---------------------------------------------------------------- sockets */

static bool accept_client(struct vici_server *server)
{
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        struct server_client *client = &server->clients[i];
        if (client->fd < 0) {
            int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            *client = (struct server_client){.fd = fd};
            return fd >= 0;
        }
    }
    fail_msg("too many clients");
    return false;
}

static void take_requests(struct vici_server *server, struct server_client *client)
{
    struct vici_packet packet;

    while (client->fd >= 0 && client->input_len >= 4) {
        size_t len = (size_t)client->input[2] << 8 | client->input[3];
        if (client->input_len < 4 + len) {
            return;
        }
        assert_int_equal(vici_packet_decode(client->input + 4, len, &packet), 0);
        if (server->deaf_at && vici_text_is(packet.name, server->deaf_at)) {
            server->deaf = true;
            return;
        }
        answer(server, client, &packet);
        client->input_len -= 4 + len;
        memmove(client->input, client->input + 4 + len, client->input_len);
    }
}

static bool serve(struct vici_server *server, struct server_client *client)
{
    take_requests(server, client); /* what it did not want to hear */
    client->input = realloc(client->input, client->input_len + 65536);
    ssize_t n = recv(client->fd, client->input + client->input_len, 65536, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        drop_client(client);
        return true;
    }
    if (n < 0) {
        return false;
    }
    client->input_len += (size_t)n;
    take_requests(server, client);
    return true;
}

bool vici_server_run(struct vici_server *server)
{
    bool busy = false;

    if (server->listener < 0 || server->deaf) {
        return false;
    }
    while (accept_client(server)) {
        busy = true;
    }
    for (size_t i = 0; i < SERVER_CLIENTS; i++) {
        if (server->clients[i].fd >= 0) {
            busy = serve(server, &server->clients[i]) || busy;
        }
    }
    return busy;
}
