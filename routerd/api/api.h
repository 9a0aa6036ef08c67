/* api.h - HTTP/1.1 for controllers, routerctl and monitoring (contract, section 4).
 *
 * The API's thread runs libevent. It parses and authorises, answers reads from the engine's last
 * published snapshot, and hands everything else to the engine as a request whose answer comes back
 * through an event. docs/openapi.yaml is its description and is served as it stands. */
#ifndef API_API_H
#define API_API_H

#include "engine/engine.h"
#include "model/config.h"

struct api;

/* Opens the control socket (replacing a stale one of a dead routerd, refusing a live one's:
 * -EADDRINUSE) and starts the thread. 0, or -errno with the place logged. */
int api_open(const struct config *config, struct engine *engine, struct api **ret_api);
/* Answers what is waiting with 503, removes the socket, ends the thread. Call after engine_run()
 * has returned. */
void api_close(struct api *api);
/* What a new configuration means to the API: limits and tenants at once. The old one must stay
 * alive until this returns. */
void api_reconfigure(struct api *api, const struct config *config);

#endif
