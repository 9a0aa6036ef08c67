#include "dhcp_fake.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dhcp_fake_init(struct dhcp_fake *fake)
{
    *fake = (struct dhcp_fake){.seen = {0}};
    fake->seen.servers = fake->servers;
    fake->seen.links = fake->links;
    fake->seen.addresses = fake->addresses;
}

void dhcp_fake_done(struct dhcp_fake *fake)
{
    while (fake->seen.n_servers) {
        dhcp_fake_kill(fake, 0);
    }
}

void dhcp_fake_clear_links(struct dhcp_fake *fake)
{
    fake->seen.n_links = fake->seen.n_addresses = 0;
}

void dhcp_fake_add_link(struct dhcp_fake *fake, const char *name, uint32_t index)
{
    struct dhcp_link *link = &fake->links[fake->seen.n_links++];

    assert_true(fake->seen.n_links <= DHCP_FAKE_MANY);
    snprintf(link->name, sizeof link->name, "%s", name);
    link->index = index;
}

void dhcp_fake_add_address(struct dhcp_fake *fake, uint32_t index, const struct addr *addr)
{
    assert_true(fake->seen.n_addresses < DHCP_FAKE_MANY);
    fake->addresses[fake->seen.n_addresses++] = (struct dhcp_address){index, *addr, false};
}

void dhcp_fake_kill(struct dhcp_fake *fake, size_t i)
{
    size_t last = --fake->seen.n_servers;

    free(fake->confs[i]);
    fake->servers[i] = fake->servers[last];
    fake->confs[i] = fake->confs[last];
}

void dhcp_fake_add_steps(const struct dhcp_fake *fake, const struct intended *intended,
                         struct plan *plan)
{
    struct dhcp_wanted wanted;

    dhcp_want(intended, &wanted);
    dhcp_diff(&wanted, &fake->seen, plan);
    dhcp_wanted_done(&wanted);
}

static void start(struct dhcp_fake *fake, const struct dhcp_change *change)
{
    size_t i = fake->seen.n_servers++;

    assert_true(i < DHCP_FAKE_MANY);
    assert_int_equal(change->index != 0, change->kind == DHCP_NAMES);
    memcpy(fake->servers[i].key, change->key, sizeof change->key);
    memcpy(fake->servers[i].digest, change->digest, sizeof change->digest);
    memcpy(fake->servers[i].owner, change->owner, sizeof change->owner);
    fake->confs[i] =
        strndup(change->conf, (size_t)(strstr(change->conf, "# interface number") - change->conf));
}

/* As dhcp_io_process.c: what runs goes on until another can be started. */
static bool carry_out(struct dhcp_fake *fake, const struct step *step)
{
    const struct dhcp_change *change = step->data;
    const struct dhcp_server *server = dhcp_seen_find(&fake->seen, change->key);

    assert_int_equal(server != NULL, step->action != STEP_CREATE);
    assert_int_equal(change->conf != NULL, step->action != STEP_DELETE);
    assert_int_equal(step->disruptive, step->action == STEP_UPDATE);
    if (change->waits) {
        return false;
    }
    if (server) {
        dhcp_fake_kill(fake, (size_t)(server - fake->servers));
    }
    if (change->conf) {
        start(fake, change);
    }
    return true;
}

void dhcp_fake_carry_out(struct dhcp_fake *fake, struct plan *plan, struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        step_finish(plan, steps[i], carry_out(fake, steps[i]) ? STEP_DONE : STEP_NOT_READY, NULL);
    }
}

char *dhcp_fake_text(const struct dhcp_fake *fake)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < fake->seen.n_servers; i++) {
        fprintf(out, "server %s of %s:", fake->servers[i].key, fake->servers[i].owner);
        for (const char *c = fake->confs[i]; *c; c++) {
            fputc(*c == '\n' ? ';' : *c, out);
        }
        fputc('\n', out);
    }
    fclose(out);
    return text;
}
