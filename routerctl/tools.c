/* `ping`, `trace` and `capture`: the usual tools, in a network's VRF or on an interface, whose
 * names routerd tells. They run in place of routerctl, on the router itself, and as root: a VRF is
 * reached by nobody else. */
#include "routerctl/ctl.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int must_be_root(const char *command)
{
    if (geteuid() == 0) {
        return CTL_DONE;
    }
    ctl_error("%s enters a network's VRF on the router itself: be root", command);
    return CTL_FAILED;
}

/* Runs `argv` and then `more`; returns only if that cannot be. */
static int become(const char *package, const char *const *argv, char **more)
{
    size_t n = 0, n_more = 0;
    const char **all;
    int error;

    while (argv[n]) {
        n++;
    }
    while (more[n_more]) {
        n_more++;
    }
    all = ctl_alloc((n + n_more + 1) * sizeof *all);
    memcpy(all, argv, n * sizeof *all);
    memcpy(all + n, more, n_more * sizeof *all);
    fflush(NULL);
    execvp(all[0], (char *const *)all);
    error = errno;
    if (error == ENOENT) {
        ctl_error("%s is not installed (Debian: %s)", argv[0], package);
    } else {
        ctl_error("%s: %s", argv[0], strerror(error));
    }
    free(all);
    return CTL_FAILED;
}

/* The interface that stands for an object, if it is on this machine. */
static int check_interface(const char *object, const char *interface)
{
    if (!*interface) {
        ctl_error("%s has no interface yet: see routerctl status", object);
        return CTL_FAILED;
    }
    if (!if_nametoindex(interface)) {
        ctl_error("%s is %s, which is not on this machine: run it on the router", object,
                  interface);
        return CTL_FAILED;
    }
    return CTL_DONE;
}

/* The one network of that name, of the tenant that was named or any; the answers are kept for it.
 */
static int find_network(const struct ctl *ctl, const char *name, struct ctl_answers *ret_answers,
                        const cJSON **ret_network)
{
    int status = ctl_gather(ctl, "/networks/%s", "network", name, ret_answers);

    if (status != CTL_DONE) {
        return status;
    }
    if (cJSON_GetArraySize(ret_answers->list) > 1) {
        ctl_error("several tenants have a network %s: name one with -t", name);
        ctl_answers_done(ret_answers);
        return CTL_USAGE;
    }
    *ret_network = ret_answers->list->child;
    return CTL_DONE;
}

static int find_vrf(const struct ctl *ctl, const char *name, char **ret_vrf)
{
    struct ctl_answers answers;
    const cJSON *network;
    int status = find_network(ctl, name, &answers, &network);

    if (status == CTL_DONE) {
        *ret_vrf = ctl_strdup(ctl_json_text(network, "vrf"));
        ctl_answers_done(&answers);
        status = check_interface(name, *ret_vrf);
        if (status != CTL_DONE) {
            free(*ret_vrf);
        }
    }
    return status;
}

static int in_vrf(const struct ctl *ctl, const char *package, const char *tool, const char *option,
                  char **args)
{
    char *vrf = NULL;
    int status = must_be_root(tool);

    if (status == CTL_DONE && args[1][0] == '-') {
        ctl_error("%s is no host", args[1]);
        status = CTL_USAGE;
    }
    if (status == CTL_DONE) {
        status = find_vrf(ctl, args[0], &vrf);
    }
    if (status == CTL_DONE) {
        status = become(package, (const char *const[]){tool, option, vrf, args[1], NULL}, args + 2);
        free(vrf);
    }
    return status;
}

int ctl_ping(const struct ctl *ctl, char **args)
{
    return in_vrf(ctl, "iputils-ping", "ping", "-I", args);
}

int ctl_trace(const struct ctl *ctl, char **args)
{
    return in_vrf(ctl, "traceroute", "traceroute", "-i", args);
}

/* --- capture -------------------------------------------------------------------------------- */

struct search {
    const char *network; /* null: any */
    const char *name;
    char *interface; /* of the first that was found */
    size_t n;
};

static void look_at(struct search *search, const char *name, const char *interface)
{
    if (!strcmp(name, search->name)) {
        if (!search->n++) {
            search->interface = ctl_strdup(interface);
        }
    }
}

static void look_into(struct search *search, const cJSON *network)
{
    static const char *const lists[] = {"segments", "tunnels"};
    const char *name = ctl_json_text(network, "name");
    const cJSON *object;

    if (search->network && strcmp(search->network, name) != 0) {
        return;
    }
    if (!search->network) {
        look_at(search, name, ctl_json_text(network, "vrf"));
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        cJSON_ArrayForEach(object, ctl_json_list(network, lists[i])) {
            look_at(search, ctl_json_text(object, "name"), ctl_json_text(object, "interface"));
        }
    }
}

static int find_interface(const struct ctl *ctl, const char *object, char **ret_interface)
{
    const char *slash = strchr(object, '/');
    char *network = slash ? ctl_printf("%.*s", (int)(slash - object), object) : NULL;
    struct search search = {.network = network, .name = slash ? slash + 1 : object};
    struct ctl_answers answers;
    const cJSON *tenant, *one;
    int status = ctl_gather(ctl, "/status", NULL, NULL, &answers);

    if (status == CTL_DONE) {
        cJSON_ArrayForEach(tenant, answers.list) {
            cJSON_ArrayForEach(one, ctl_json_list(tenant, "networks")) {
                look_into(&search, one);
            }
        }
        ctl_answers_done(&answers);
        if (search.n != 1) {
            ctl_error(search.n ? "there are several %s: say NETWORK/NAME, and the tenant with -t"
                               : "there is no network, segment or tunnel %s",
                      object);
            status = search.n ? CTL_USAGE : CTL_FAILED;
        }
    }
    if (status == CTL_DONE) {
        *ret_interface = search.interface;
    } else {
        free(search.interface);
    }
    free(network);
    return status;
}

int ctl_capture(const struct ctl *ctl, char **args)
{
    char *interface = NULL;
    int status = must_be_root("capture");

    if (status == CTL_DONE) {
        status = find_interface(ctl, args[0], &interface);
    }
    if (status == CTL_DONE) {
        status = check_interface(args[0], interface);
    }
    if (status == CTL_DONE) {
        status =
            become("tcpdump", (const char *const[]){"tcpdump", "-i", interface, NULL}, args + 1);
    }
    free(interface);
    return status;
}
