#include "net/nft_io.h"

#include "log/log.h"
#include "net/nft.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nft_backend {
    struct backend backend;
    struct nft_watch watch;
    struct nft_ctx *nft;
    struct nft_wanted wanted;
};

static struct nft_backend *nft_cast(const struct backend *backend)
{
    return (struct nft_backend *)backend;
}

static int nft_open(const struct config *config, struct backend **ret_backend)
{
    (void)config;
    struct nft_backend *nft = calloc(1, sizeof *nft);
    if (!nft)
        abort();
    nft->backend.class = &nft_backend_class;
    nft_watch_open(&nft->watch);
    *ret_backend = &nft->backend;
    return 0;
}

static void nft_close(struct backend *backend)
{
    struct nft_backend *nft = nft_cast(backend);
    nft_wanted_done(&nft->wanted);
    nft_watch_close(&nft->watch);
    if (nft->nft)
        nft_ctx_free(nft->nft);
    free(nft);
}

static bool nft_run(struct backend *backend)
{
    struct nft_watch *watch = &nft_cast(backend)->watch;
    bool was_listed = watch->listed, had_reason = watch->reason[0];
    bool changed = nft_watch_run(watch);
    if (watch->reason[0] && !had_reason)
        log_line(LOG_LEVEL_WARNING, "nft", "%s", watch->reason);
    return changed || was_listed != watch->listed || had_reason != (watch->reason[0] != '\0');
}

static void nft_wait(struct backend *backend)
{
    nft_watch_wait(&nft_cast(backend)->watch);
}

static enum backend_health nft_health(const struct backend *backend, const char **ret_reason)
{
    const struct nft_watch *watch = &nft_cast(backend)->watch;
    if (watch->reason[0]) {
        *ret_reason = watch->reason;
        return BACKEND_AWAY;
    }
    if (watch->listed)
        return BACKEND_READY;
    *ret_reason = "the kernel's nftables are being listed";
    return BACKEND_OPENING;
}

static void nft_backend_diff(struct backend *backend, const struct intended *intended,
                             struct plan *plan)
{
    struct nft_backend *nft = nft_cast(backend);
    nft_want(&nft->wanted, intended, &nft->watch.host);
    nft_diff(intended, &nft->wanted.state, &nft->watch.seen, plan);
}

/* --- one transaction ----------------------------------------------------------------------------
 */

static struct nft_ctx *get_ctx(struct nft_backend *nft)
{
    if (nft->nft)
        return nft->nft;
    nft->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (nft->nft) {
        nft_ctx_buffer_output(nft->nft);
        nft_ctx_buffer_error(nft->nft);
    }
    return nft->nft;
}

static char *commands_of(struct step **steps, size_t n)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        abort();
    for (int round = 0; round < NFT_N_ROUNDS; round++)
        for (size_t i = 0; i < n; i++) {
            const struct nft_change *change = steps[i]->data;
            for (size_t j = 0; !change->obstacle && j < change->n_ops; j++)
                if ((int)change->ops[j].round == round)
                    fprintf(out, "%s\n", change->ops[j].command);
        }
    fclose(out);
    return text;
}

/* Its first line says what; the rest repeats the command. */
static const char *complaint(struct nft_ctx *ctx, struct arena *arena)
{
    const char *text = nft_ctx_get_error_buffer(ctx);
    const char *word = text ? strstr(text, "Error: ") : NULL;
    if (!word)
        return "nftables gave no reason";
    word += strlen("Error: ");
    return arena_memdup(arena, word, strcspn(word, "\n"));
}

/* Null, or why it did not work. */
static const char *transact(struct nft_backend *nft, struct step **steps, size_t n,
                            struct arena *arena)
{
    struct nft_ctx *ctx = get_ctx(nft);
    if (!ctx)
        return "libnftables cannot be used";
    char *commands = commands_of(steps, n);
    const char *reason = NULL;
    if (commands[0] && nft_run_cmd_from_buffer(ctx, commands) != 0) {
        reason = complaint(ctx, arena);
        log_line(LOG_LEVEL_DEBUG, "nft", "refused: %s", commands);
    }
    free(commands);
    return reason;
}

static void finish(struct plan *plan, struct step *step, const char *reason)
{
    const struct nft_change *change = step->data;
    if (change->obstacle)
        step_finish(plan, step, STEP_FAILED, "%s", change->obstacle);
    else if (reason)
        step_finish(plan, step, STEP_FAILED, "nftables refuses: %s", reason);
    else
        step_finish(plan, step, STEP_DONE, NULL);
}

/* All at once; if that is refused, one by one, so that the fault of one is not that of all. */
static void nft_apply(struct backend *backend, struct plan *plan, struct step **steps, size_t n)
{
    struct nft_backend *nft = nft_cast(backend);
    const char *reason = transact(nft, steps, n, plan->arena);
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        if (reason && n > 1)
            finish(plan, steps[i], transact(nft, &steps[i], 1, plan->arena));
        else
            finish(plan, steps[i], reason);
        all &= steps[i]->result == STEP_DONE;
    }
    nft_watch_look(&nft->watch, all);
}

static void nft_status(struct backend *backend, struct status *status)
{
    const char *reason = NULL;
    if (nft_health(backend, &reason) == BACKEND_READY)
        return;
    struct status_cursor cursor = {0};
    struct network_status *network;
    while ((network = status_next(status, &cursor)))
        status_vote(status, &network->object, OBJECT_DOWN, "%s", reason);
}

const struct backend_class nft_backend_class = {
    .name = "nft",
    .open = nft_open,
    .close = nft_close,
    .run = nft_run,
    .wait = nft_wait,
    .health = nft_health,
    .diff = nft_backend_diff,
    .apply = nft_apply,
    .status = nft_status,
};
