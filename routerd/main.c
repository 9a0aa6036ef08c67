/* routerd: the wiring of the daemon. The main thread starts the engine's thread and the API's, and
 * then only waits for signals, so no handler ever runs in the middle of anything. */
#include "api/api.h"
#include "bgp/bgp.h"
#include "config/load.h"
#include "dhcp/dhcp.h"
#include "engine/engine.h"
#include "ipsec/ipsec.h"
#include "log/log.h"
#include "net/net.h"
#include "net/nft.h"
#include "ovs/ovs.h"
#include "store/store.h"

#include <errno.h>
#include <getopt.h>
#include <lib/util.h>
#include <openvswitch/vlog.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct backend_class *const backend_classes[] = {
    &ovs_backend_class,   &net_backend_class, &nft_backend_class,
    &ipsec_backend_class, &bgp_backend_class, &dhcp_backend_class,
};

enum { EXIT_BAD_CONFIG = 1, EXIT_USAGE = 2, SETUP_TIMEOUT_MS = 30000, BACKUP_TIMEOUT_MS = 300000 };

struct options {
    const char *config_file;
    const char *backup, *restore; /* files */
    bool check, setup_database;
};

/* The daemon's parts, for the thread that takes the signals. */
struct daemon {
    const char *config_file;
    struct engine *engine;
    struct api *api;
    pthread_t engine_thread;
};

static void usage(FILE *out)
{
    fputs(
        "usage: routerd --config FILE [--check | --setup-database | --backup FILE | --restore FILE] [--debug]\n"
        "       routerd --version | --help\n"
        "\n"
        "  --config FILE      the configuration, routerd.yaml(5)\n"
        "  --check            check the configuration and exit: 0 right, 1 wrong\n"
        "  --setup-database   make or upgrade the state database and exit\n"
        "  --backup FILE      write a copy of the state database and exit\n"
        "  --restore FILE     put such a copy in its place and exit; routerd must not run\n"
        "  --debug            log more\n",
        out);
}

static int parse_options(int argc, char **argv, struct options *options)
{
    enum {
        OPT_CONFIG = 256,
        OPT_CHECK,
        OPT_SETUP,
        OPT_BACKUP,
        OPT_RESTORE,
        OPT_DEBUG,
        OPT_VERSION,
        OPT_HELP
    };
    static const struct option longs[] = {
        {"config", required_argument, NULL, OPT_CONFIG},
        {"check", no_argument, NULL, OPT_CHECK},
        {"setup-database", no_argument, NULL, OPT_SETUP},
        {"backup", required_argument, NULL, OPT_BACKUP},
        {"restore", required_argument, NULL, OPT_RESTORE},
        {"debug", no_argument, NULL, OPT_DEBUG},
        {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
    };
    int option, modes;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case OPT_CONFIG: options->config_file = optarg; break;
        case OPT_CHECK: options->check = true; break;
        case OPT_SETUP: options->setup_database = true; break;
        case OPT_BACKUP: options->backup = optarg; break;
        case OPT_RESTORE: options->restore = optarg; break;
        case OPT_DEBUG: log_set_level(LOG_LEVEL_DEBUG); break;
        case OPT_VERSION: puts("routerd " ROUTERD_VERSION); exit(EXIT_SUCCESS);
        case OPT_HELP: usage(stdout); exit(EXIT_SUCCESS);
        default: return -EINVAL;
        }
    }
    modes = options->check + options->setup_database + !!options->backup + !!options->restore;
    return options->config_file && optind == argc && modes <= 1 ? 0 : -EINVAL;
}

/* What is done instead of running. */
static int do_once(const struct options *options, const struct config *config)
{
    char *message = NULL;
    int error = 0;

    if (options->setup_database) {
        error = store_setup(config, SETUP_TIMEOUT_MS, &message);
    } else if (options->backup) {
        error = store_backup(config, options->backup, BACKUP_TIMEOUT_MS, &message);
    } else if (options->restore) {
        error = store_restore(config, options->restore, BACKUP_TIMEOUT_MS, &message);
    }

    if (message) {
        fprintf(error ? stderr : stdout, "%s\n", message);
    }
    free(message);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void *engine_main(void *aux)
{
    struct engine *engine = aux;
    int result = engine_run(engine);

    kill(getpid(), result ? SIGUSR1 : SIGUSR2); /* wakes the main thread, which waits for these */
    return NULL;
}

struct reload {
    struct api *api;
    const struct config *config;
};

static void reload_done(struct request *request)
{
    struct reload *reload = request->aux;

    if (request->outcome == REQUEST_DONE) {
        api_reconfigure(reload->api, reload->config);
        log_line(LOG_LEVEL_INFO, "main", "the new configuration is in force");
    } else {
        log_line(LOG_LEVEL_ERROR, "main",
                 "the new configuration is refused and the running one stays: %s", request->detail);
    }
    free(reload);
    request_free(request);
}

static void reload(struct daemon *daemon)
{
    struct request *request = request_new(REQUEST_CONFIG);
    struct reload *context;

    if (!config_load(daemon->config_file, stderr, &request->config, &request->profiles)) {
        log_line(LOG_LEVEL_ERROR, "main", "%s is wrong; the running configuration stays",
                 daemon->config_file);
        request_free(request);
        return;
    }
    context = xmalloc(sizeof *context);
    *context = (struct reload){daemon->api, request->config};
    request->aux = context;
    request->done = reload_done;
    engine_submit(daemon->engine, request);
}

/* Takes signals until the engine has ended. Returns the exit status. */
static int wait_for_signals(struct daemon *daemon, const sigset_t *signals)
{
    for (;;) {
        int signal_number = 0;

        sigwait(signals, &signal_number);
        switch (signal_number) {
        case SIGHUP: reload(daemon); break;
        case SIGTERM:
        case SIGINT:
            log_line(LOG_LEVEL_INFO, "main", "stopping; the router stays as it is");
            engine_stop(daemon->engine);
            break;
        case SIGUSR1: return EXIT_FAILURE;
        default: return EXIT_SUCCESS;
        }
    }
}

static void block_signals(sigset_t *ret_signals)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

    sigemptyset(ret_signals);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        sigaddset(ret_signals, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(const struct options *options, struct config *config, struct profiles *profiles)
{
    struct daemon daemon = {.config_file = options->config_file};
    sigset_t signals;
    int status;

    block_signals(&signals);
    if (engine_open(config, profiles, backend_classes, ARRAY_SIZE(backend_classes),
                    &daemon.engine)) {
        return EXIT_FAILURE;
    }
    if (api_open(config, daemon.engine, &daemon.api)) {
        engine_close(daemon.engine);
        return EXIT_FAILURE;
    }
    log_line(LOG_LEVEL_INFO, "main", "routerd " ROUTERD_VERSION " runs as %s", config->router_name);
    if (pthread_create(&daemon.engine_thread, NULL, engine_main, daemon.engine)) {
        abort();
    }
    status = wait_for_signals(&daemon, &signals);
    pthread_join(daemon.engine_thread, NULL);
    api_close(daemon.api);
    engine_close(daemon.engine);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.config_file = NULL};
    struct profiles *profiles;
    struct config *config;
    int status;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    if (parse_options(argc, argv, &options)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!config_load(options.config_file, stderr, &config, &profiles)) {
        return EXIT_BAD_CONFIG;
    }
    if (!options.check && !options.setup_database && !options.backup && !options.restore) {
        return run(&options, config, profiles);
    }
    status = do_once(&options, config);
    config_free(config);
    profiles_free(profiles);
    return status;
}
