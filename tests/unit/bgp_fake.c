#include "bgp_fake.h"

#include "check.h"

#include "bgp/bgp_config.h"
#include "bgp/bgp_want.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bgp_fake_init(struct bgp_fake *fake)
{
    *fake = (struct bgp_fake){0};
}

void bgp_fake_done(struct bgp_fake *fake)
{
    for (size_t i = 0; i < fake->n_lines; i++) {
        free(fake->lines[i]);
    }
    free(fake->lines);
    free(fake->log);
    bgp_state_free(fake->seen);
    bgp_want_forget(&fake->wanted_parts);
}

static uint64_t digest(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t sum = 5381;

    while (len--) {
        sum = sum * 33 + *p++;
    }
    return sum;
}

/* --- the lines ------------------------------------------------------------------------------- */

static bool starts(const char *text, const char *head)
{
    return !strncmp(text, head, strlen(head));
}

static void line_drop(struct bgp_fake *fake, size_t i)
{
    free(fake->lines[i]);
    memmove(&fake->lines[i], &fake->lines[i + 1], (fake->n_lines - i - 1) * sizeof *fake->lines);
    fake->n_lines--;
}

/* Drops every line that begins so. Returns how many. */
static size_t lines_drop(struct bgp_fake *fake, const char *head)
{
    size_t n = 0;

    for (size_t i = fake->n_lines; i-- > 0;) {
        if (starts(fake->lines[i], head)) {
            line_drop(fake, i);
            n++;
        }
    }
    return n;
}

static const char *line_find(const struct bgp_fake *fake, const char *head)
{
    for (size_t i = 0; i < fake->n_lines; i++) {
        if (starts(fake->lines[i], head)) {
            return fake->lines[i];
        }
    }
    return NULL;
}

static void line_add(struct bgp_fake *fake, const char *text)
{
    if (fake->n_lines == fake->capacity) {
        fake->capacity = fake->capacity ? 2 * fake->capacity : 64;
        fake->lines = realloc(fake->lines, fake->capacity * sizeof *fake->lines);
    }
    fake->lines[fake->n_lines++] = strdup(text);
}

/* Whether the path of a line (its head up to the value) is that of another: which it replaces. */
static void key_of(const char *line, char *key, size_t size)
{
    char words[8][64] = {{0}};
    int n = sscanf(line, "%63s %63s %63s %63s %63s %63s", words[0], words[1], words[2], words[3],
                   words[4], words[5]);

    snprintf(key, size, "%s", line);
    if (n > 3 && !strcmp(words[0], "neighbor")) {
        if (!strcmp(words[2], "prefix-list") || !strcmp(words[2], "route-map")) {
            snprintf(key, size, "%s %s %s * %s", words[0], words[1], words[2], words[4]);
        } else if ((!strcmp(words[2], "timers") && !strcmp(words[3], "connect")) ||
                   (!strcmp(words[2], "bfd") && !strcmp(words[3], "profile"))) {
            snprintf(key, size, "%s %s %s %s", words[0], words[1], words[2], words[3]);
        } else {
            snprintf(key, size, "%s %s %s", words[0], words[1], words[2]);
        }
    } else if (starts(line, "bgp router-id") || starts(line, "set ") ||
               starts(line, "aggregate-address ") || starts(line, "detect-multiplier") ||
               starts(line, "transmit-interval") || starts(line, "receive-interval")) {
        snprintf(key, size, "%s %s", words[0],
                 starts(line, "detect") || strstr(line, "-interval") ? "" : words[1]);
    } else if (starts(line, "coalesce-time")) {
        snprintf(key, size, "coalesce-time");
    }
}

static const char *value_of(const char *stored)
{
    return strchr(strchr(stored, '|') + 1, '|') + 1;
}

/* Drops the line of this block and section with the same key. */
static bool replace(struct bgp_fake *fake, const char *line)
{
    char here[256], key[300], other[300];
    bool found = false;

    snprintf(here, sizeof here, "%s|%s|", fake->block, fake->section);
    key_of(line, key, sizeof key);
    for (size_t i = fake->n_lines; i-- > 0;) {
        if (starts(fake->lines[i], here)) {
            key_of(value_of(fake->lines[i]), other, sizeof other);
            if (!strcmp(key, other)) {
                line_drop(fake, i);
                found = true;
            }
        }
    }
    return found;
}

static void store(struct bgp_fake *fake, const char *line)
{
    char text[512];

    replace(fake, line);
    snprintf(text, sizeof text, "%s|%s|%s", fake->block, fake->section, line);
    line_add(fake, text);
}

/* --- the commands ---------------------------------------------------------------------------- */

/* Whether a line ends with these words, or has them with more behind. */
static bool has_words(const char *line, const char *words)
{
    const char *found = strstr(line, words);

    return found && found > line && found[-1] == ' ' && strchr(" ", found[strlen(words)]);
}

/* Whether a peer refers to a policy, or a map that a peer refers to; `what` is "prefix-list NAME",
 * "route-map NAME", "community NAME" or "large-community NAME". */
static bool is_referred_to(const struct bgp_fake *fake, const char *what)
{
    for (size_t i = 0; i < fake->n_lines; i++) {
        char map[128];

        if (starts(fake->lines[i], "router bgp") && has_words(fake->lines[i], what)) {
            return true;
        }
        if (sscanf(fake->lines[i], "route-map %127s", map) == 1 &&
            has_words(value_of(fake->lines[i]), what)) {
            char text[160];

            snprintf(text, sizeof text, "route-map %s", map);
            if (is_referred_to(fake, text)) {
                return true;
            }
        }
    }
    return false;
}

static bool type_prefix_list(struct bgp_fake *fake, const char *command)
{
    char family[8], name[128], head[256];
    bool no = starts(command, "no ");

    command += no ? 3 : 0;
    assert_int_equal(sscanf(command, "%7s prefix-list %127s", family, name), 2);
    snprintf(head, sizeof head, "prefix-list %s", name);
    if (starts(name, BGP_POLICY_MARK)) {
        assert_false(is_referred_to(fake, head)); /* it would change under a peer */
    }
    fake->block[0] = fake->section[0] = '\0';
    if (!no) {
        store(fake, command);
        return true;
    }
    snprintf(head, sizeof head, "||%s prefix-list %s ", family, name);
    return lines_drop(fake, head) > 0;
}

/* "bgp community-list standard NAME seq N permit ..." and its negation. */
static bool type_community_list(struct bgp_fake *fake, const char *command)
{
    char kind[32], name[128], head[256];
    bool no = starts(command, "no ");

    command += no ? 3 : 0;
    assert_int_equal(sscanf(command, "bgp %31s standard %127s", kind, name), 2);
    snprintf(head, sizeof head, "%.*s %s", (int)(strlen(kind) - strlen("-list")), kind, name);
    assert_false(is_referred_to(fake, head));
    fake->block[0] = fake->section[0] = '\0';
    if (!no) {
        store(fake, command);
        return true;
    }
    snprintf(head, sizeof head, "||bgp %s standard %s ", kind, name);
    return lines_drop(fake, head) > 0;
}

/* "bfd", and within it "profile NAME" and its lines; "no profile NAME". */
static bool type_bfd(struct bgp_fake *fake, const char *command)
{
    char head[160];

    if (!strcmp(command, "bfd")) {
        snprintf(fake->block, sizeof fake->block, "bfd");
        fake->section[0] = '\0';
    } else if (starts(command, "profile ")) {
        snprintf(fake->section, sizeof fake->section, "%s", command);
        store(fake, "");
    } else if (starts(command, "no profile ")) {
        snprintf(head, sizeof head, "bfd|%s|", command + 3);
        return lines_drop(fake, head) > 0;
    } else {
        assert_true(fake->section[0]);
        store(fake, command);
    }
    return true;
}

static bool type_route_map(struct bgp_fake *fake, const char *command)
{
    char name[128], head[256];
    bool no = starts(command, "no ");

    command += no ? 3 : 0;
    assert_int_equal(sscanf(command, "route-map %127s", name), 1);
    snprintf(head, sizeof head, "route-map %s", name);
    if (starts(name, BGP_POLICY_MARK)) {
        assert_false(is_referred_to(fake, head));
    }
    if (no) {
        snprintf(head, sizeof head, "route-map %s ", name);
        return lines_drop(fake, head) > 0;
    }
    snprintf(fake->block, sizeof fake->block, "%s", command);
    fake->section[0] = '\0';
    store(fake, "");
    return true;
}

/* "router bgp ASN vrf NAME": another AS in the same VRF is refused. */
static bool type_router(struct bgp_fake *fake, const char *command)
{
    const char *vrf = strstr(command, " vrf ");
    char head[160];

    for (size_t i = 0; i < fake->n_lines; i++) {
        const char *other =
            starts(fake->lines[i], "router bgp ") ? strstr(fake->lines[i], " vrf ") : NULL;

        if (vrf && other && !strncmp(vrf, other, strlen(vrf)) && other[strlen(vrf)] == '|' &&
            !starts(fake->lines[i], command)) {
            return false;
        }
    }
    snprintf(fake->block, sizeof fake->block, "%s", command);
    fake->section[0] = '\0';
    snprintf(head, sizeof head, "%s||", command);
    if (!line_find(fake, head)) {
        store(fake, "");
    }
    return true;
}

static bool type_no_router(struct bgp_fake *fake, const char *command)
{
    char head[160];

    snprintf(head, sizeof head, "%s|", command + 3);
    return lines_drop(fake, head) > 0;
}

/* A neighbor's line needs the neighbor, and its activation both filters. */
static bool neighbor_may(const struct bgp_fake *fake, const char *line)
{
    char address[64], command[64], head[300];

    if (sscanf(line, "neighbor %63s %63s", address, command) != 2 ||
        !strcmp(command, "remote-as") || !strcmp(command, "peer-group")) {
        return true;
    }
    snprintf(head, sizeof head, "%s||neighbor %s remote-as ", fake->block, address);
    if (!line_find(fake, head)) {
        return false;
    }
    if (!strcmp(command, "activate")) {
        bool in = false, out = false;

        snprintf(head, sizeof head, "%s|%s|neighbor %s prefix-list ", fake->block, fake->section,
                 address);
        for (size_t i = 0; i < fake->n_lines; i++) {
            const char *found = starts(fake->lines[i], head) ? fake->lines[i] : NULL;

            in |= found && strstr(found, " in");
            out |= found && strstr(found, " out");
        }
        assert_true(in && out); /* or routes pass unfiltered */
    }
    return true;
}

/* "no neighbor ADDRESS" takes all its lines along. */
static void drop_neighbor(struct bgp_fake *fake, const char *address)
{
    char head[160], text[80];

    snprintf(head, sizeof head, "%s|", fake->block);
    snprintf(text, sizeof text, "|neighbor %s ", address);
    for (size_t i = fake->n_lines; i-- > 0;) {
        if (starts(fake->lines[i], head) && strstr(fake->lines[i], text)) {
            line_drop(fake, i);
        }
    }
}

static bool is_stored_negated(const char *line)
{
    return !strcmp(line, "no bgp default ipv4-unicast") ||
           !strcmp(line, "no bgp network import-check");
}

static bool type_in_block(struct bgp_fake *fake, const char *command)
{
    char address[64], more[64], negated[300];

    if (starts(command, "address-family ")) {
        snprintf(fake->section, sizeof fake->section, "%s", command);
        return true;
    }
    if (is_stored_negated(command)) {
        store(fake, command);
        return true;
    }
    snprintf(negated, sizeof negated, "no %s", command);
    if (is_stored_negated(negated)) {
        return replace(fake, negated);
    }
    if (!starts(command, "no ")) {
        if (!neighbor_may(fake, command)) {
            return false;
        }
        store(fake, command);
        return true;
    }
    command += 3;
    if (sscanf(command, "neighbor %63s %63s", address, more) == 1) {
        drop_neighbor(fake, address);
        return true;
    }
    if (sscanf(command, "neighbor %63s %63s", address, more) == 2 && !strcmp(more, "bfd")) {
        snprintf(negated, sizeof negated, "neighbor %s bfd profile x", address);
        replace(fake, negated); /* it goes along */
    }
    return replace(fake, command) ||
           (snprintf(negated, sizeof negated, "%s x", command) && replace(fake, negated));
}

bool bgp_fake_type(struct bgp_fake *fake, const char *command)
{
    if (!strcmp(command, "end")) {
        fake->configuring = false;
        fake->block[0] = fake->section[0] = '\0';
    } else if (!strcmp(command, "configure terminal")) {
        fake->configuring = true;
    } else if (!fake->configuring) {
        return false;
    } else if (!strcmp(command, "exit-address-family") ||
               (!strcmp(command, "exit") && !strcmp(fake->block, "bfd") && fake->section[0])) {
        fake->section[0] = '\0';
    } else if (!strcmp(command, "exit")) {
        fake->configuring = fake->block[0] != '\0';
        fake->block[0] = fake->section[0] = '\0';
    } else if (starts(command, "router bgp ")) {
        return type_router(fake, command);
    } else if (starts(command, "no router bgp ")) {
        return type_no_router(fake, command);
    } else if (strstr(command, " prefix-list ") &&
               (starts(command, "ip") || starts(command, "no ip"))) {
        return type_prefix_list(fake, command);
    } else if (strstr(command, "community-list standard ")) {
        return type_community_list(fake, command);
    } else if (!strcmp(command, "bfd") || !strcmp(fake->block, "bfd")) {
        return type_bfd(fake, command);
    } else if (starts(command, "route-map ") || starts(command, "no route-map ")) {
        return type_route_map(fake, command);
    } else {
        return fake->block[0] && type_in_block(fake, command);
    }
    return true;
}

void bgp_fake_type_all(struct bgp_fake *fake, const char *commands)
{
    char *copy = strdup(commands), *save = NULL;

    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        line += strspn(line, " ");
        if (!bgp_fake_type(fake, line)) {
            fail_msg("refused: %s", line);
        }
    }
    free(copy);
}

/* --- what it prints -------------------------------------------------------------------------- */

/* How long the part of a stored line before the last '|' is. */
static size_t place_len(const char *stored)
{
    return (size_t)(value_of(stored) - stored);
}

static bool printed_before(const struct bgp_fake *fake, size_t i)
{
    size_t len = strcspn(fake->lines[i], "|") + 1;

    for (size_t j = 0; j < i; j++) {
        if (!strncmp(fake->lines[j], fake->lines[i], len)) {
            return true;
        }
    }
    return false;
}

/* Some defaults are not printed. */
static void print_line(FILE *out, bool deep, const char *line)
{
    size_t len = strlen(line);

    if (!strcmp(line, "detect-multiplier 3") || !strcmp(line, "transmit-interval 300") ||
        !strcmp(line, "receive-interval 300")) {
        return;
    }
    len -= len > 13 && !strcmp(line + len - 13, " allowas-in 3") ? 2 : 0;
    fprintf(out, "%s%.*s\n", deep ? "  " : " ", (int)len, line);
}

static void print_section(const struct bgp_fake *fake, FILE *out, size_t first)
{
    size_t len = place_len(fake->lines[first]);
    bool family = strstr(fake->lines[first], "|address-family") != NULL;

    if (family || starts(fake->lines[first], "bfd|")) {
        fprintf(out, " !\n %.*s\n", (int)(len - 2 - strcspn(fake->lines[first], "|")),
                strchr(fake->lines[first], '|') + 1);
    }
    for (size_t i = first; i < fake->n_lines; i++) {
        if (!strncmp(fake->lines[i], fake->lines[first], len) && place_len(fake->lines[i]) == len &&
            *value_of(fake->lines[i])) {
            print_line(out, starts(fake->lines[first], "bfd|") || family, value_of(fake->lines[i]));
        }
    }
    if (family) {
        fprintf(out, " exit-address-family\n");
    }
}

/* A block with its lines first, then its address families. */
static void print_block(const struct bgp_fake *fake, FILE *out, size_t first)
{
    size_t len = strcspn(fake->lines[first], "|") + 1;

    fprintf(out, "%.*s\n", (int)(len - 1), fake->lines[first]);
    for (size_t i = first; i < fake->n_lines; i++) {
        bool again = strncmp(fake->lines[i], fake->lines[first], len) != 0;

        for (size_t j = first; j < i && !again; j++) {
            again = place_len(fake->lines[j]) == place_len(fake->lines[i]) &&
                    !strncmp(fake->lines[j], fake->lines[i], place_len(fake->lines[i]));
        }
        if (!again) {
            print_section(fake, out, i);
        }
    }
    fprintf(out, "exit\n!\n");
}

/* Policies are printed name by name, in the order of their making. */
static void print_top(const struct bgp_fake *fake, FILE *out, size_t first)
{
    const char *line = value_of(fake->lines[first]);
    const char *seq = strstr(line, " seq ");
    char head[256];

    snprintf(head, sizeof head, "%.*s", seq ? (int)(seq - line) + 1 : (int)strlen(line), line);

    for (size_t i = 0; i < first; i++) {
        if (starts(fake->lines[i], "||") && starts(value_of(fake->lines[i]), head)) {
            return;
        }
    }
    for (size_t i = first; i < fake->n_lines; i++) {
        if (starts(fake->lines[i], "||") && starts(value_of(fake->lines[i]), head)) {
            fprintf(out, "%s\n", value_of(fake->lines[i]));
        }
    }
}

static bool is_ours(const char *stored)
{
    const char *vrf = starts(stored, "router bgp ") ? strstr(stored, " vrf rvrf") : NULL;

    return vrf || strstr(stored, "prefix-list " BGP_POLICY_MARK) ||
           strstr(stored, "standard " BGP_POLICY_MARK) || starts(stored, "bfd|profile routerd-") ||
           starts(stored, "route-map " BGP_POLICY_MARK);
}

static char *print(const struct bgp_fake *fake, bool all)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    fprintf(out, "frr version 8.4.4\nfrr defaults traditional\n!\nhostname fake\n!\n");
    for (size_t i = 0; i < fake->n_lines; i++) {
        if (!all && is_ours(fake->lines[i])) {
            continue;
        }
        if (starts(fake->lines[i], "||")) {
            print_top(fake, out, i);
        } else if (!printed_before(fake, i)) {
            print_block(fake, out, i);
        }
    }
    fclose(out);
    return text;
}

char *bgp_fake_config(const struct bgp_fake *fake)
{
    return print(fake, true);
}

char *bgp_fake_foreign(const struct bgp_fake *fake)
{
    return print(fake, false);
}

/* --- steps ----------------------------------------------------------------------------------- */

static int password(void *aux, const char *secret, uint64_t *ret_digest, const char **ret_problem)
{
    char bytes[80];

    (void)aux;
    if (starts(secret, "no")) {
        *ret_problem = "the secret cannot be read";
        return -2;
    }
    snprintf(bytes, sizeof bytes, "pw-%s", secret);
    *ret_digest = digest(bytes, strlen(bytes));
    return 0;
}

static uint64_t stamp(void *aux, const char *secret)
{
    (void)aux;
    (void)secret;
    return 0;
}

static const struct bgp_passwords PASSWORDS = {password, stamp, NULL};

struct bgp_state *bgp_fake_want(const struct intended *intended)
{
    struct tenant_parts none = {0};
    struct bgp_state *wanted = bgp_want(intended, &none, &PASSWORDS);

    bgp_want_forget(&none);
    return wanted;
}

void bgp_fake_add_steps(struct bgp_fake *fake, const struct intended *intended, struct plan *plan)
{
    struct bgp_state *wanted = bgp_want(intended, &fake->wanted_parts, &PASSWORDS);
    char *config = bgp_fake_config(fake);
    struct bgp_state *seen = bgp_config_parse(config, strlen(config), digest, fake->seen);
    struct bgp_residue residue = {.bfd = seen};

    bgp_diff(wanted, seen, &residue, plan);
    bgp_state_free(wanted);
    bgp_state_free(fake->seen);
    fake->seen = seen;
    free(config);
}

struct plan *bgp_fake_plan(struct bgp_fake *fake, const struct intended *intended)
{
    struct plan *plan = plan_new();

    bgp_fake_add_steps(fake, intended, plan);
    plan_sort(plan);
    return plan;
}

static bool send_line(struct bgp_fake *fake, FILE *log, const char *text, const char *secret)
{
    char command[600];

    snprintf(command, sizeof command, "%s%s%s", text, secret ? "pw-" : "", secret ? secret : "");
    fprintf(log, "%s\n", command);
    fake->n_commands++;
    return bgp_fake_type(fake, command);
}

static void send_makings(struct bgp_fake *fake, FILE *log, const struct bgp_change *change)
{
    for (size_t i = 0; i < change->n_makings; i++) {
        struct bgp_making *making = change->makings[i];

        for (size_t j = 0; j < making->commands.n && !making->sent; j++) {
            assert_true(send_line(fake, log, making->commands.v[j].text, NULL));
        }
        making->sent = true;
    }
}

static void send_step(struct bgp_fake *fake, FILE *log, struct step *step)
{
    const struct bgp_change *change = step->data;
    char command[80], vrf[IFNAME_TEXT];
    bool accepted = true;

    if (change->refusal) {
        step->result = STEP_FAILED;
        return;
    }
    send_line(fake, log, "end", NULL);
    send_line(fake, log, "configure terminal", NULL);
    if (change->commands.network_id) {
        snprintf(command, sizeof command, "router bgp %u vrf %s", change->commands.asn,
                 ids_vrf_name(change->commands.network_id, vrf));
        accepted &= send_line(fake, log, command, NULL);
    }
    for (size_t i = 0; i < change->commands.n; i++) {
        accepted &= send_line(fake, log, change->commands.v[i].text, change->commands.v[i].secret);
    }
    step->result = accepted ? STEP_DONE : STEP_FAILED;
}

static void send_drops(struct bgp_fake *fake, FILE *log, const struct bgp_change *change, bool maps)
{
    static const char *const WHAT[] = {"prefix-list", "prefix-list", "community", "large-community",
                                       "route-map"};
    struct arena *arena = arena_new();

    for (size_t i = 0; i < change->n_drops; i++) {
        const struct bgp_policy *policy = change->drops[i];
        struct bgp_commands commands = {0};
        char what[160];

        snprintf(what, sizeof what, "%s %s", WHAT[policy->kind], policy->name);
        if ((policy->kind == BGP_MAP) == maps && !is_referred_to(fake, what)) {
            bgp_command_drop(arena, &commands, policy);
            assert_true(send_line(fake, log, commands.v[0].text, NULL));
        }
    }
    arena_free(arena);
}

static void send_phase(struct bgp_fake *fake, FILE *log, struct step **steps, size_t n)
{
    send_line(fake, log, "end", NULL);
    send_line(fake, log, "configure terminal", NULL);
    for (size_t i = 0; i < n; i++) {
        if (!((struct bgp_change *)steps[i]->data)->refusal) {
            send_makings(fake, log, steps[i]->data);
        }
    }
    for (size_t i = 0; i < n; i++) {
        send_step(fake, log, steps[i]);
    }
    send_line(fake, log, "end", NULL);
    send_line(fake, log, "configure terminal", NULL);
    for (size_t i = 0; i < 2 * n; i++) {
        send_drops(fake, log, steps[i % n]->data, i < n);
    }
    send_line(fake, log, "end", NULL);
}

void bgp_fake_carry_out(struct bgp_fake *fake, struct step **steps, size_t n)
{
    size_t len;
    FILE *log = NULL;

    free(fake->log);
    fake->log = NULL;
    fake->n_commands = 0;
    log = open_memstream(&fake->log, &len);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && steps[end]->phase == steps[i]->phase; end++) {
        }
        send_phase(fake, log, steps + i, end - i);
    }
    fclose(log);
}

size_t bgp_fake_apply(struct bgp_fake *fake, struct plan *plan)
{
    size_t failed = 0;

    bgp_fake_carry_out(fake, plan->steps, plan->n_steps);
    for (size_t i = 0; i < plan->n_steps; i++) {
        failed += plan->steps[i]->result == STEP_FAILED;
    }
    return failed;
}

char *bgp_fake_steps(const struct plan *plan)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *step = plan->steps[i];
        const struct bgp_change *change = step->data;

        fprintf(out, "%s %s/%s%s: %s%s%s\n", step_action_name(step->action), step->tenant,
                step->object, step->disruptive ? "!" : "", step->summary,
                change->refusal ? " REFUSED: " : "", change->refusal ? change->refusal : "");
    }
    fclose(out);
    return text;
}

size_t bgp_fake_pass(struct bgp_fake *fake, const struct intended *intended)
{
    struct plan *plan = bgp_fake_plan(fake, intended);
    size_t n = plan->n_steps, failed = bgp_fake_apply(fake, plan);

    plan_free(plan);
    plan = bgp_fake_plan(fake, intended);
    if (plan->n_steps != failed) {
        char *steps = bgp_fake_steps(plan), *config = bgp_fake_config(fake);

        fail_msg("the second difference is not empty:\n%s\nafter:\n%s\nin:\n%s", steps, fake->log,
                 config);
    }
    plan_free(plan);
    return n;
}
