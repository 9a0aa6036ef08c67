/* A tunnel as charon's load-conn takes it (swanctl.conf(5) has the same keys). Pure. */
#include "ipsec/ipsec_internal.h"

#include <string.h>

/* A comma separated list of addresses as a list. */
static void write_addrs(struct vici_writer *writer, const char *name, const char *addrs)
{
    char addr[ADDR_TEXT];

    vici_list(writer, name);
    while (*addrs) {
        size_t len = strcspn(addrs, ",");
        snprintf(addr, sizeof addr, "%.*s", (int)len, addrs);
        vici_item(writer, addr);
        addrs += len + (addrs[len] == ',');
    }
    vici_list_end(writer);
}

/* Two lists as one. */
static void write_proposals(struct vici_writer *writer, const char *name, const char **first,
                            size_t n_first, const char **more, size_t n_more)
{
    vici_list(writer, name);
    for (size_t i = 0; i < n_first; i++) {
        vici_item(writer, first[i]);
    }
    for (size_t i = 0; i < n_more; i++) {
        vici_item(writer, more[i]);
    }
    vici_list_end(writer);
}

static void write_selectors(struct vici_writer *writer, const char *name, int family)
{
    vici_list(writer, name);
    if (family != AF_INET6) {
        vici_item(writer, "0.0.0.0/0");
    }
    if (family != AF_INET) {
        vici_item(writer, "::/0");
    }
    vici_list_end(writer);
}

static void write_child(struct vici_writer *writer, const struct ipsec_tunnel *tunnel)
{
    const struct tunnel_settings *settings = &tunnel->settings;
    char name[IPSEC_NAME_TEXT];

    vici_section(writer, ipsec_name(tunnel->conn.id, name));
    vici_key(writer, "mode", "tunnel");
    write_selectors(writer, "local_ts", tunnel->family);
    write_selectors(writer, "remote_ts", tunnel->family);
    vici_key_printf(writer, "if_id_in", "%u", tunnel->conn.id);
    vici_key_printf(writer, "if_id_out", "%u", tunnel->conn.id);
    write_proposals(writer, "esp_proposals", settings->esp_proposals, settings->n_esp_proposals,
                    settings->esp_more, settings->n_esp_more);
    vici_key_printf(writer, "rekey_time", "%us", tunnel->conn.child_rekey_s);
    vici_key_printf(writer, "replay_window", "%u", settings->replay_window);
    vici_key(writer, "start_action", "none");
    vici_key(writer, "close_action", "none");
    vici_key(writer, "dpd_action", "none");
    vici_section_end(writer);
}

static void write_blobs(struct vici_writer *writer, const char *name,
                        const struct ipsec_blob *blobs, size_t n)
{
    vici_list(writer, name);
    for (size_t i = 0; i < n; i++) {
        vici_item_bytes(writer, blobs[i].bytes, blobs[i].len);
    }
    vici_list_end(writer);
}

static void write_local(struct vici_writer *writer, const struct ipsec_conn *conn,
                        const struct ipsec_pki *pki)
{
    char mark[IPSEC_MARK_TEXT];

    vici_section(writer, "local");
    vici_key(writer, "auth", pki ? "pubkey" : "psk");
    vici_key(writer, "id", conn->local_id);
    if (pki) {
        write_blobs(writer, "certs", &pki->certificate, 1);
    }
    vici_key_printf(writer, "aaa_id", "@%s", ipsec_mark(conn, mark));
    vici_section_end(writer);
}

static void write_remote(struct vici_writer *writer, const struct ipsec_conn *conn,
                         const struct ipsec_pki *pki)
{
    vici_section(writer, "remote");
    vici_key(writer, "auth", pki ? "pubkey" : "psk");
    vici_key(writer, "id", conn->remote_id);
    if (pki) {
        write_blobs(writer, "cacerts", pki->authorities, pki->n_authorities);
    }
    vici_section_end(writer);
}

/* A change here needs another SETTINGS_VERSION in ipsec_draft.c. */
void ipsec_write_conn(struct vici_writer *writer, const struct ipsec_tunnel *tunnel,
                      const struct ipsec_pki *pki)
{
    const struct ipsec_conn *conn = &tunnel->conn;
    const struct tunnel_settings *settings = &tunnel->settings;
    char name[IPSEC_NAME_TEXT];

    vici_section(writer, ipsec_name(conn->id, name));
    vici_key_printf(writer, "version", "%u", settings->ike_version);
    write_addrs(writer, "local_addrs", conn->local_addr);
    write_addrs(writer, "remote_addrs", conn->remote_addrs);
    write_proposals(writer, "proposals", settings->ike_proposals, settings->n_ike_proposals,
                    settings->ike_more, settings->n_ike_more);
    vici_key(writer, "mobike", "no");
    vici_key(writer, "unique", "no");
    vici_key(writer, "keyingtries", "1");
    vici_key(writer, "encap", settings->force_nat_traversal ? "yes" : "no");
    vici_key(writer, "send_certreq", pki ? "yes" : "no");
    vici_key(writer, "send_cert", pki ? "always" : "never");
    vici_key_printf(writer, "dpd_delay", "%us", conn->dpd_delay_s);
    if (tunnel->dpd_timeout_s) {
        vici_key_printf(writer, "dpd_timeout", "%us", tunnel->dpd_timeout_s);
    }
    vici_key_printf(writer, "rekey_time", "%us", conn->ike_rekey_s);
    vici_key(writer, "reauth_time", "0s");
    write_local(writer, conn, pki);
    write_remote(writer, conn, pki);
    vici_section(writer, "children");
    write_child(writer, tunnel);
    vici_section_end(writer);
    vici_section_end(writer);
}
