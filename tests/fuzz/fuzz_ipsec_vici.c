/* Packets of charon, or of whatever sits behind its socket: taking them apart and reading meaning
 * into them. */
#include "ipsec/ipsec_seen.h"
#include "ipsec/ipsec_trouble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name as text, through the parsers of names and marks. */
static void read_names(const struct ipsec_log *log)
{
    struct arena *arena = arena_new();
    struct ipsec_conn conn = {0};
    struct ipsec_secret secret;

    ipsec_mark_parse(arena, log->text, &conn);
    ipsec_secret_of_name(log->text, &secret);
    ipsec_id_of_name(log->text);
    ipsec_key_number(log->text);
    ipsec_identity(log->text);
    ipsec_symptom(log->group, log->text);
    ipsec_log_loaded(log->group, log->text);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipsec_seen seen = {.arena = NULL};
    struct vici_packet packet;
    struct ipsec_log log;

    if (vici_packet_decode(data, size, &packet) != 0) {
        return 0;
    }
    /* The same message several times over, as a list of many is. */
    for (int i = 0; i < 3; i++) {
        ipsec_seen_conn(&seen, &packet);
        ipsec_seen_secrets(&seen, &packet);
        ipsec_seen_keys(&seen, &packet);
        ipsec_seen_algorithms(&seen, &packet);
        ipsec_seen_sa(&seen, &packet);
    }
    ipsec_seen_sort(&seen);
    for (size_t i = 0; i < seen.n_sas && seen.n_conns > 0; i++) {
        if (!seen.conns[0].foreign) {
            ipsec_sa_stale(&seen.sas[i], &seen.conns[0]);
        }
    }
    ipsec_seen_digest_id(&seen, 13);
    ipsec_seen_digest(&seen);
    ipsec_seen_names(&packet);
    ipsec_event_id(&packet);
    if (ipsec_event_log(&packet, &log) == 0) {
        read_names(&log);
    }
    ipsec_seen_clear_sas(&seen, 13);
    ipsec_seen_done(&seen);
    return 0;
}
