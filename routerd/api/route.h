/* route.h - the table of what is served. tests hold it against docs/openapi.yaml. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/server.h"

/* Finds the row of the exchange's request by its head alone. False: it has been refused. */
bool route_begin(struct exchange *exchange);
/* Serves it: when this returns it has been answered or left to a call. */
void route_serve(struct exchange *exchange);

/* The rows. */
void topology_put(struct exchange *exchange);
void topology_delete(struct exchange *exchange);
void topology_get(struct exchange *exchange);
void topology_confirm(struct exchange *exchange);
void topology_rollback(struct exchange *exchange);
void topology_history(struct exchange *exchange);
void nodes_post(struct exchange *exchange);
void nodes_list(struct exchange *exchange);
void nodes_get_one(struct exchange *exchange);
void nodes_delete(struct exchange *exchange);
void status_tenants(struct exchange *exchange);
void status_tenant(struct exchange *exchange);
void status_network(struct exchange *exchange);
void status_routes(struct exchange *exchange);
void status_health(struct exchange *exchange);
void events_get(struct exchange *exchange);
void metrics_get(struct exchange *exchange);

#endif
