/* `graph`: networks and what they are made of, as a tree for people or for dot(1). */
#include "routerctl/ctl.h"
#include "routerctl/text.h"

#include <stdlib.h>
#include <string.h>

static const struct part {
    const char *list, *word, *shape;
} parts[] = {{"segments", "segment", "box"}, {"tunnels", "tunnel", "hexagon"}};
enum { N_PARTS = sizeof parts / sizeof *parts };

static bool goes_via(const cJSON *peer, const cJSON *part)
{
    return !strcmp(ctl_json_text(peer, "via"), ctl_json_text(part, "name"));
}

/* "aws (AS 64512, 169.254.10.2)" */
static char *peer_text(const cJSON *peer)
{
    return ctl_printf("%s (AS %.0f, %s)", ctl_json_text(peer, "name"), ctl_json_number(peer, "asn"),
                      ctl_json_text(peer, "address"));
}

/* --- a tree --------------------------------------------------------------------------------- */

static void say_state(const struct ctl *ctl, const char *indent, const char *what,
                      const cJSON *object)
{
    const char *state = ctl_json_text(object, "state"), *reason = ctl_json_text(object, "reason");
    bool up = !strcmp(state, "up");
    struct ctl_buffer line = {0};

    ctl_add_safe(&line, what);
    printf("%s%s  %s%s%s", indent, line.data ? line.data : "",
           ctl_style_code(up ? CTL_GOOD : CTL_BAD, ctl->colour), state,
           ctl_style_code(CTL_PLAIN, ctl->colour));
    ctl_buffer_done(&line);
    ctl_add_safe(&line, reason);
    printf("%s%s\n", *reason ? ": " : "", ctl_buffer_string(&line));
    ctl_buffer_done(&line);
}

static void tree_part(const struct ctl *ctl, const cJSON *network, const struct part *part,
                      const cJSON *object)
{
    const cJSON *peer;
    char *text = ctl_printf("%s %s (%s)", part->word, ctl_json_text(object, "name"),
                            ctl_json_text(object, "interface"));

    say_state(ctl, "  |- ", text, object);
    free(text);
    cJSON_ArrayForEach(peer, ctl_json_list(network, "peers")) {
        if (goes_via(peer, object)) {
            char *name = peer_text(peer);

            text = ctl_printf("peer %s", name);
            say_state(ctl, "  |   |- ", text, peer);
            free(name);
            free(text);
        }
    }
}

static void tree_network(const struct ctl *ctl, const char *tenant, const cJSON *network)
{
    char *text = ctl_printf("%s/%s (%s)", tenant, ctl_json_text(network, "name"),
                            ctl_json_text(network, "vrf"));
    const cJSON *object;

    say_state(ctl, "", text, network);
    free(text);
    for (size_t i = 0; i < N_PARTS; i++) {
        cJSON_ArrayForEach(object, ctl_json_list(network, parts[i].list)) {
            tree_part(ctl, network, &parts[i], object);
        }
    }
}

/* --- dot ------------------------------------------------------------------------------------ */

/* A text in quotes; names have none, but nothing that routerd says is trusted that far. */
static char *quoted(const char *text)
{
    struct ctl_buffer safe = {0};
    char *result;

    ctl_add_safe(&safe, text);
    for (size_t i = 0; i < safe.len; i++) {
        safe.data[i] = safe.data[i] == '"' || safe.data[i] == '\\' ? '?' : safe.data[i];
    }
    result = ctl_printf("\"%s\"", ctl_buffer_string(&safe));
    ctl_buffer_done(&safe);
    return result;
}

static void dot_node(const char *id, const char *label, const char *shape, const cJSON *object)
{
    bool up = !strcmp(ctl_json_text(object, "state"), "up");
    char *quoted_id = quoted(id), *quoted_label = quoted(label);

    printf("  %s [label=%s, shape=%s, color=%s];\n", quoted_id, quoted_label, shape,
           up ? "darkgreen" : "red");
    free(quoted_id);
    free(quoted_label);
}

static void dot_edge(const char *from, const char *to)
{
    char *a = quoted(from), *b = quoted(to);

    printf("  %s -- %s;\n", a, b);
    free(a);
    free(b);
}

static void dot_part(const cJSON *network, const char *id, const struct part *part,
                     const cJSON *object)
{
    char *part_id = ctl_printf("%s/%s/%s", id, part->word, ctl_json_text(object, "name"));
    const cJSON *peer;

    dot_node(part_id, ctl_json_text(object, "name"), part->shape, object);
    dot_edge(id, part_id);
    cJSON_ArrayForEach(peer, ctl_json_list(network, "peers")) {
        if (goes_via(peer, object)) {
            char *peer_id = ctl_printf("%s/peer/%s", id, ctl_json_text(peer, "name"));
            char *label = peer_text(peer);

            dot_node(peer_id, label, "ellipse", peer);
            dot_edge(part_id, peer_id);
            free(peer_id);
            free(label);
        }
    }
    free(part_id);
}

static void dot_network(const struct ctl *ctl, const char *tenant, const cJSON *network)
{
    char *id = ctl_printf("%s/%s", tenant, ctl_json_text(network, "name"));
    const cJSON *object;

    (void)ctl;
    dot_node(id, id, "doublecircle", network);
    for (size_t i = 0; i < N_PARTS; i++) {
        cJSON_ArrayForEach(object, ctl_json_list(network, parts[i].list)) {
            dot_part(network, id, &parts[i], object);
        }
    }
    free(id);
}

/* --- the command ---------------------------------------------------------------------------- */

static size_t draw(const struct ctl *ctl, const cJSON *tenants, const char *name)
{
    bool dot = ctl->given & CTL_OPTION_DOT;
    const cJSON *tenant, *network;
    size_t n = 0;

    cJSON_ArrayForEach(tenant, tenants) {
        cJSON_ArrayForEach(network, ctl_json_list(tenant, "networks")) {
            if (!name || !strcmp(ctl_json_text(network, "name"), name)) {
                (dot ? dot_network : tree_network)(ctl, ctl_json_text(tenant, "tenant"), network);
                n++;
            }
        }
    }
    return n;
}

int ctl_graph(const struct ctl *ctl, char **args)
{
    struct ctl_answers answers;
    int status = ctl_gather(ctl, "/status", NULL, NULL, &answers);
    size_t n;

    if (status != CTL_DONE) {
        return status;
    }
    if (ctl->output != CTL_TABLE) {
        ctl_print_answers(ctl, &answers);
        ctl_answers_done(&answers);
        return CTL_DONE;
    }
    if (ctl->given & CTL_OPTION_DOT) {
        puts("graph routerd {\n  rankdir=LR;");
    }
    n = draw(ctl, answers.list, args[0]);
    if (ctl->given & CTL_OPTION_DOT) {
        puts("}");
    }
    ctl_answers_done(&answers);
    if (args[0] && !n) {
        ctl_error("there is no network %s", args[0]);
        return CTL_FAILED;
    }
    return CTL_DONE;
}
