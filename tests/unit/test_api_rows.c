/* What each row of the API answers: statuses, headers and documents. */
#include "api_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static int setup(void **state)
{
    world_setup(state);
    world_open(*state);
    return 0;
}

/* A member of the reply's JSON by a path such as "plan.steps.0.object", as text. */
static const char *member(const struct reply *reply, const char *path, char buffer[512])
{
    cJSON *json = cJSON_Parse(reply->body), *at = json;
    char copy[128], *rest = copy, *printed;

    assert_non_null(json);
    snprintf(copy, sizeof copy, "%s", path);
    while (at && rest) {
        const char *key = strsep(&rest, ".");

        at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(key))
                               : cJSON_GetObjectItemCaseSensitive(at, key);
    }
    printed = at ? cJSON_PrintUnformatted(at) : strdup("-");
    snprintf(buffer, 512, "%s", at && cJSON_IsString(at) ? at->valuestring : printed);
    free(printed);
    cJSON_Delete(json);
    return buffer;
}

static bool says(const struct reply *reply, const char *text)
{
    return reply->body && strstr(reply->body, text);
}

#define assert_member(reply, path, expected)                               \
    do {                                                                   \
        char member_buffer[512];                                           \
        assert_string_equal(member(reply, path, member_buffer), expected); \
    } while (0)

#define assert_header(reply, name, expected)                                     \
    do {                                                                         \
        char header_buffer[256];                                                 \
        assert_string_equal(reply_header(reply, name, header_buffer), expected); \
    } while (0)

static void assert_problem(struct reply *reply, int status, const char *type, const char *detail)
{
    char number[16], buffer[512];

    if (reply->status != status) {
        print_error("%s\n", reply->body);
    }
    assert_int_equal(reply->status, status);
    assert_header(reply, "Content-Type", "application/problem+json");
    snprintf(number, sizeof number, "%d", status);
    assert_member(reply, "status", number);
    assert_member(reply, "type", type);
    assert_non_null(strstr(member(reply, "detail", buffer), detail));
    reply_done(reply);
}

#define PUT "/v1/tenants/bio/topology"

/* --- topologies ----------------------------------------------------------------------------- */

static struct request seen; /* what the engine got; strings are of seen_text */
static char seen_text[256];

static void note(struct request *request)
{
    seen = *request;
    snprintf(seen_text, sizeof seen_text, "%s|%s|%zu", request->tenant,
             request->who ? request->who : "",
             request->topology ? request->topology->n_networks : 99);
}

static void take(struct request *request)
{
    struct step *step;

    note(request);
    request->ret_generation = 7;
    request->plan = plan_new();
    step = plan_add(request->plan, "bgp", PHASE_BGP_CREATE, STEP_UPDATE, "bio", "genome/peer/aws");
    step->summary = "max_prefixes 100 -> 200";
    step->disruptive = true;
}

static void test_put(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = take;
    reply = ask(world, "PUT", PUT, WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 202);
    assert_header(&reply, "ETag", "\"7\"");
    assert_header(&reply, "Content-Type", "application/json");
    assert_string_equal(
        reply.body,
        "{\"generation\":7,\"plan\":{\"steps\":[{\"backend\":\"bgp\",\"action\":\"update\","
        "\"object\":\"genome/peer/aws\",\"disruptive\":true,\"summary\":\"max_prefixes 100 -> "
        "200\"}],\"create\":0,\"update\":1,\"delete\":0,\"disruptive\":1}}");
    assert_string_equal(seen_text, "bio|uid 0 (root)|1");
    assert_false(seen.dry_run || seen.has_if_match);
    assert_int_equal(seen.wait_ms, 0);
    reply_done(&reply);
}

static void test_put_json(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = take;
    reply = ask(world, "PUT", PUT, "{\"version\": 1, \"networks\": [{\"name\": \"a\"}]}");
    assert_int_equal(reply.status, 202);
    assert_string_equal(seen_text, "bio|uid 0 (root)|1");
    reply_done(&reply);
}

static void test_delete(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = take;
    reply = ask_with(world, "DELETE", PUT "?wait=2", "If-Match: \"6\"\r\n", "");
    assert_int_equal(reply.status, 202);
    assert_string_equal(seen_text, "bio|uid 0 (root)|0");
    assert_int_equal(seen.wait_ms, 2000);
    assert_true(seen.has_if_match);
    assert_int_equal(seen.if_match, 6);
    reply_done(&reply);
}

static void converge(struct request *request)
{
    take(request);
    request->outcome = REQUEST_CONVERGED;
    request->converged = true;
}

static void not_in_time(struct request *request)
{
    take(request);
    request->detail = strdup("genome/tunnel/sakura is down: no SA");
}

static void unchanged(struct request *request)
{
    note(request);
    request->outcome = REQUEST_UNCHANGED;
    request->ret_generation = 7;
    request->plan = plan_new();
}

static void test_wait(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_publish(world, false, true);
    world->engine.answer = converge;
    reply = ask(world, "PUT", PUT "?wait=30", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 200);
    assert_member(&reply, "converged", "true");
    assert_member(&reply, "outstanding", "-");
    reply_done(&reply);
    world->engine.answer = not_in_time;
    reply = ask(world, "PUT", PUT "?wait=1", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 202);
    assert_member(&reply, "converged", "false");
    assert_member(&reply, "detail", "genome/tunnel/sakura is down: no SA");
    assert_member(&reply, "outstanding",
                  "[{\"object\":\"genome/tunnel/sakura\",\"state\":\"down\","
                  "\"reason\":\"ipsec: no SA\"}]");
    reply_done(&reply);
    world->engine.answer = unchanged;
    reply = ask(world, "PUT", PUT "?wait=1", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 202);
    assert_member(&reply, "converged", "false");
    reply_done(&reply);
}

static void test_unchanged(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = unchanged;
    reply = ask(world, "PUT", PUT, WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"generation\":7,\"plan\":{\"steps\":[],\"create\":0,"
                                    "\"update\":0,\"delete\":0,\"disruptive\":0}}");
    reply_done(&reply);
}

static void planned(struct request *request)
{
    take(request);
    request->outcome = REQUEST_PLANNED;
    request->ret_generation = 6;
}

static void test_dry_run(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = planned;
    reply = ask(world, "PUT", PUT "?dry_run=true&wait=9", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 200);
    assert_true(seen.dry_run);
    assert_int_equal(seen.wait_ms, 0);
    assert_member(&reply, "generation", "6");
    assert_member(&reply, "plan.update", "1");
    assert_member(&reply, "converged", "-");
    reply_done(&reply);
}

static void find_wrong(struct request *request)
{
    note(request);
    errors_add(request->errors, "networks[0].peers[0].via", 24, 10, "no segment `x`");
    errors_sort(request->errors);
    request->outcome = REQUEST_WRONG;
}

static void test_wrong(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = find_wrong;
    reply = ask(world, "PUT", PUT, "version: 1\nnetworks: []\nfoo: 1\n");
    assert_int_equal(reply.status, 422);
    assert_member(&reply, "errors.0.path", "foo"); /* found by parsing, and the engine's with it */
    assert_member(&reply, "errors.0.line", "3");
    assert_member(&reply, "errors.1.path", "networks[0].peers[0].via");
    assert_member(&reply, "errors.1.column", "10");
    assert_member(&reply, "errors.1.message", "no segment `x`");
    assert_problem(&reply, 422, "wrong", "2 errors");
}

static void test_unreadable(void **state)
{
    static const char *const documents[] = {"", "networks: [", "\xff\xfe\xff", "a: b: c"};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct reply reply = ask(world, "PUT", PUT, documents[i]);
        char buffer[512];

        assert_string_not_equal(member(&reply, "errors.0.message", buffer), "-");
        assert_problem(&reply, 400, "unreadable", "1 error");
    }
    assert_int_equal(world->engine.n_submitted, 0);
}

static void stale(struct request *request)
{
    note(request);
    request->outcome = REQUEST_STALE;
    request->ret_generation = 7;
}

static void test_if_match(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = stale;
    reply = ask_with(world, "PUT", PUT, "If-Match: \"6\"\r\n", WORLD_TOPOLOGY);
    assert_header(&reply, "ETag", "\"7\"");
    assert_problem(&reply, 412, "stale", "generation 7 is in force");
    reply = ask_with(world, "PUT", PUT, "If-Match: W/\"6\"\r\n", WORLD_TOPOLOGY);
    assert_problem(&reply, 400, "unreadable", "If-Match");
    reply = ask_with(world, "PUT", PUT, "If-Match: \"6\"\r\nIf-Match: \"6\"\r\n", WORLD_TOPOLOGY);
    assert_problem(&reply, 400, "unreadable", "If-Match");
    reply = ask_with(world, "PUT", PUT, "If-Match: *\r\n", WORLD_TOPOLOGY);
    assert_problem(&reply, 412, "stale", "no topology yet");
    world_publish(world, true, true);
    world->engine.answer = take;
    reply = ask_with(world, "PUT", PUT, "If-Match: *\r\n", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 202);
    assert_false(seen.has_if_match);
    reply_done(&reply);
}

static void away(struct request *request)
{
    note(request);
    request->outcome = REQUEST_AWAY;
    request->detail = strdup("ipsec: unix:///run/charon.vici: no such file");
}

static void failed(struct request *request)
{
    away(request);
    request->outcome = REQUEST_FAILED;
}

static void not_found(struct request *request)
{
    note(request);
    request->outcome = REQUEST_NOT_FOUND;
}

static void test_away(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = away;
    reply = ask(world, "PUT", PUT, WORLD_TOPOLOGY);
    assert_header(&reply, "Retry-After", "1");
    assert_problem(&reply, 503, "away", "charon.vici");
    reply = ask(world, "GET", PUT, "");
    assert_problem(&reply, 503, "away", "charon.vici");
    reply = ask(world, "GET", "/v1/tenants/bio/networks/genome/routes", "");
    assert_problem(&reply, 503, "away", "charon.vici");
    world->engine.answer = failed;
    reply = ask(world, "PUT", PUT, WORLD_TOPOLOGY);
    assert_problem(&reply, 503, "away", "charon.vici");
    world->engine.answer = not_found;
    reply = ask(world, "PUT", PUT, WORLD_TOPOLOGY);
    assert_problem(&reply, 404, "not-found", "tenant");
}

/* --- documents ------------------------------------------------------------------------------ */

static const char *document;

static void give_document(struct request *request)
{
    note(request);
    request->text = strdup(document);
    request->text_len = strlen(document);
    request->ret_generation = request->generation ? request->generation : 7;
}

static void test_get(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = give_document;
    document = "# mine\r\nversion:   1\n\n";
    reply = ask(world, "GET", PUT, "");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, document);
    assert_header(&reply, "ETag", "\"7\"");
    assert_header(&reply, "Content-Type", "application/yaml");
    assert_int_equal(seen.generation, 0);
    reply_done(&reply);
    document = "{version: 1}";
    reply = ask(world, "GET", PUT "?generation=5", "");
    assert_header(&reply, "ETag", "\"5\"");
    assert_header(&reply, "Content-Type", "application/yaml");
    assert_int_equal(seen.generation, 5);
    reply_done(&reply);
    document = " \n{\"version\": 1}\n ";
    reply = ask(world, "GET", PUT, "");
    assert_header(&reply, "Content-Type", "application/json");
    assert_string_equal(reply.body, document);
    reply_done(&reply);
    world->engine.answer = not_found;
    reply = ask(world, "GET", PUT, "");
    assert_problem(&reply, 404, "not-found", "generation");
}

static void test_head(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = give_document;
    document = "version: 1\n";
    reply = ask(world, "HEAD", PUT, "");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, strlen(document));
    assert_string_equal(reply.body, "");
    assert_header(&reply, "ETag", "\"7\"");
    reply_done(&reply);
    reply = ask(world, "HEAD", "/nothing", "");
    assert_int_equal(reply.status, 404);
    reply_done(&reply);
}

/* --- finding the row ------------------------------------------------------------------------ */

static void test_not_found(void **state)
{
    static const char *const targets[] = {"/",
                                          "/v1",
                                          "/v1/tenants/",
                                          "/v2/tenants",
                                          "/v1/tenants/bio/status/x",
                                          "/v1/tenants//status"};
    struct world *world = *state;
    struct reply reply;

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        reply = ask(world, "GET", targets[i], "");
        assert_problem(&reply, 404, "not-found", "nothing of that name");
    }
    reply = ask(world, "PUT", "/v1/tenants/astro/topology", WORLD_TOPOLOGY);
    assert_problem(&reply, 404, "not-found", "no tenant astro");
    reply = ask(world, "GET", "/v1/tenants/%ff%22/status", "");
    assert_problem(&reply, 404, "not-found", "no tenant ?\"");
    reply = ask(world, "GET", "/v1/tenants/%g/status", "");
    assert_problem(&reply, 400, "unreadable", "target");
}

static void test_methods(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "PATCH", PUT, "");

    assert_header(&reply, "Allow", "PUT, GET, HEAD, DELETE");
    assert_problem(&reply, 405, "method-not-allowed", "PATCH");
    reply = ask(world, "POST", "/metrics", "");
    assert_header(&reply, "Allow", "GET, HEAD");
    assert_problem(&reply, 405, "method-not-allowed", "POST");
    reply = ask(world, "put", PUT, "");
    assert_problem(&reply, 405, "method-not-allowed", "put");
}

static void test_queries(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "PUT", PUT "?wait=abc", WORLD_TOPOLOGY);

    assert_problem(&reply, 400, "unreadable", "`wait` must be a number of seconds");
    reply = ask(world, "PUT", PUT "?wiat=1", WORLD_TOPOLOGY);
    assert_problem(&reply, 400, "unreadable", "`wiat` is unknown");
    reply = ask(world, "GET", "/v1/health?wait=1", "");
    assert_problem(&reply, 400, "unreadable", "`wait` is unknown");
    assert_int_equal(world->engine.n_submitted, 0);
}

/* --- generations ---------------------------------------------------------------------------- */

static void answer_confirmable(struct request *request)
{
    request->ret_generation = 8;
    request->plan = plan_new();
    if (request->kind == REQUEST_CONFIRM && request->has_if_match) {
        request->outcome = REQUEST_DONE;
    } else if (request->kind == REQUEST_CONFIRM) {
        request->outcome = REQUEST_CONFLICT;
        request->detail = strdup("generation 8 awaits no confirmation");
    } else if (request->kind == REQUEST_HISTORY) {
        request->history = calloc(1, sizeof *request->history);
        request->n_history = 1;
        request->history[0] =
            (struct request_generation){8, 1775012645678, strdup("uid 0"), strdup("1 to create")};
    } else {
        request->confirm_until_ms = request->confirm_s ? 1775012645678 : 0;
        request->confirm_back = request->generation;
    }
}

static void test_generations(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = answer_confirmable;
    reply = ask(world, "PUT", PUT "?confirm=60", WORLD_TOPOLOGY);
    assert_int_equal(reply.status, 202);
    assert_true(says(&reply, "\"confirm\":{\"until\":\"2026-04-01T03:04:05.678Z\",\"back_to\":0}"));
    reply_done(&reply);
    reply = ask(world, "POST", PUT "/rollback?confirm=5", "{\"generation\": 5}");
    assert_int_equal(reply.status, 202);
    assert_true(says(&reply, "\"back_to\":5"));
    reply_done(&reply);
    reply = ask(world, "POST", PUT "/rollback", "generation: 5\n");
    assert_int_equal(reply.status, 202);
    assert_false(says(&reply, "confirm"));
    reply_done(&reply);
    reply = ask(world, "POST", PUT "/rollback", "");
    assert_int_equal(reply.status, 202);
    reply_done(&reply);
    reply = ask(world, "POST", PUT "/confirm", "");
    assert_problem(&reply, 409, "conflict", "awaits no confirmation");
    reply = ask_with(world, "POST", PUT "/confirm", "If-Match: \"8\"\r\n", "");
    assert_int_equal(reply.status, 200); /* nothing is left to be carried out */
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/tenants/bio/history", "");
    assert_int_equal(reply.status, 200);
    assert_true(says(&reply,
                     "{\"tenant\":\"bio\",\"generation\":8,\"generations\":[{\"generation\":8,"
                     "\"number\":8,\"time\":\"2026-04-01T03:04:05.678Z\",\"who\":\"uid 0\","
                     "\"summary\":\"1 to create\"}]}"));
    reply_done(&reply);
}

static void test_wrong_rollbacks(void **state)
{
    static const char *const bodies[] = {"{}",
                                         "[5]",
                                         "{\"generation\": 0}",
                                         "{\"generation\": \"a\"}",
                                         "{\"generation\": 5, \"x\": 1}",
                                         "{"};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct reply reply = ask(world, "POST", PUT "/rollback", bodies[i]);

        assert_problem(&reply, 400, "unreadable", "the document has");
    }
    assert_int_equal(world->engine.n_submitted, 0);
}

/* --- reads ---------------------------------------------------------------------------------- */

static void test_status(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "GET", "/v1/tenants/bio/status", "");

    assert_problem(&reply, 503, "away", "starting");
    world_publish(world, true, true);
    reply = ask(world, "GET", "/v1/tenants/bio/status", "");
    assert_int_equal(reply.status, 200);
    assert_member(&reply, "tenant", "bio");
    assert_member(&reply, "generation", "7");
    assert_member(&reply, "applied", "7");
    assert_member(&reply, "converged", "true");
    assert_member(&reply, "networks.0.name", "genome");
    assert_member(&reply, "networks.0.state", "up");
    assert_member(&reply, "networks.0.reason", "-");
    assert_member(&reply, "networks.0.nodes", "{\"allocated\":0,\"capacity\":0}");
    assert_member(&reply, "networks.0.segments.0.bridge", "br-sinet");
    assert_member(&reply, "networks.0.tunnels.0.since", "2026-04-01T03:04:05Z");
    assert_true(says(&reply, "\"bytes_in\":18446744073709551615,"));
    assert_true(says(&reply, "\"bytes_out\":9007199254740993}"));
    assert_member(&reply, "networks.0.peers.0.address", "10.1.0.2");
    assert_member(&reply, "networks.0.peers.0.bgp_state", "Established");
    assert_member(&reply, "networks.0.peers.0.via", "campus");
    assert_member(&reply, "networks.0.peers.0.prefixes_received", "3");
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/tenants/geo/status", "");
    assert_string_equal(reply.body, "{\"tenant\":\"geo\",\"generation\":0,\"applied\":0,"
                                    "\"converged\":true,\"networks\":[]}");
    reply_done(&reply);
}

static void test_status_down(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_publish(world, false, true);
    reply = ask(world, "GET", "/v1/tenants/bio/status", "");
    assert_member(&reply, "converged", "false");
    assert_member(&reply, "networks.0.state", "down");
    assert_member(&reply, "networks.0.tunnels.0.state", "down");
    assert_member(&reply, "networks.0.tunnels.0.reason", "ipsec: no SA");
    assert_member(&reply, "networks.0.tunnels.0.since", "null");
    reply_done(&reply);
}

static void test_tenants(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_publish(world, true, true);
    reply = ask(world, "GET", "/v1/tenants", "");
    assert_string_equal(
        reply.body,
        "{\"tenants\":[{\"tenant\":\"bio\",\"generation\":7,\"applied\":7,\"converged\":true},"
        "{\"tenant\":\"geo\",\"generation\":0,\"applied\":0,\"converged\":true}]}");
    reply_done(&reply);
}

/* What was in force is still known: who looks in because the state server is away is told. */
static void test_store_away(void **state)
{
    static const char *const targets[] = {"/v1/tenants/bio/status", "/v1/tenants/geo/status",
                                          "/v1/tenants/bio/networks/genome", "/v1/tenants"};
    struct world *world = *state;
    struct reply reply;

    for (int is_read = 0; is_read < 2; is_read++) {
        world_publish(world, true, true);
        world->engine.status->is_read = is_read;
        world->engine.status->backends[2].answers = false; /* nobody reads at the moment */
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
            reply = ask(world, "GET", targets[i], "");
            if (is_read) {
                assert_int_equal(reply.status, 200);
                reply_done(&reply);
            } else {
                assert_problem(&reply, 503, "away", "state server");
            }
        }
    }
}

static void test_network(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_publish(world, true, true);
    reply = ask(world, "GET", "/v1/tenants/bio/networks/genome", "");
    assert_int_equal(reply.status, 200);
    assert_member(&reply, "name", "genome");
    assert_member(&reply, "tenant", "bio");
    assert_member(&reply, "generation", "7");
    assert_member(&reply, "segments.0.name", "campus");
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/tenants/bio/networks/genom", "");
    assert_problem(&reply, 404, "not-found", "no network genom");
    reply = ask(world, "GET", "/v1/tenants/geo/networks/genome", "");
    assert_problem(&reply, 404, "not-found", "no network genome");
}

static void give_routes(struct request *request)
{
    note(request);
    assert_string_equal(request->network, "genome");
    request->routes = calloc(1, sizeof *request->routes);
    request->n_routes = 1;
    request->routes[0] = (struct request_route){strdup("10.2.0.0/24"), strdup("169.254.10.2"),
                                                strdup("seg-2"), strdup("bgp"), true};
}

static void test_routes(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world->engine.answer = give_routes;
    reply = ask(world, "GET", "/v1/tenants/bio/networks/genome/routes", "");
    assert_int_equal(reply.status, 200);
    assert_member(&reply, "routes",
                  "[{\"prefix\":\"10.2.0.0/24\",\"via\":\"169.254.10.2\",\"interface\":\"seg-2\","
                  "\"protocol\":\"bgp\",\"selected\":true}]");
    reply_done(&reply);
    world->engine.answer = not_found;
    reply = ask(world, "GET", "/v1/tenants/bio/networks/x/routes", "");
    assert_problem(&reply, 404, "not-found", "no network x");
}

static void test_health(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "GET", "/v1/health", "");

    assert_int_equal(reply.status, 200);
    assert_member(&reply, "status", "degraded");
    assert_member(&reply, "router", "vr1");
    assert_member(&reply, "version", ROUTERD_VERSION);
    reply_done(&reply);
    world_publish(world, true, true);
    reply = ask(world, "GET", "/v1/health", "");
    assert_member(&reply, "status", "ok");
    assert_member(&reply, "backends.0", "{\"name\":\"ovs\",\"answers\":true}");
    reply_done(&reply);
    world_publish(world, true, false);
    reply = ask(world, "GET", "/v1/health", "");
    assert_int_equal(reply.status, 200);
    assert_member(&reply, "status", "degraded");
    assert_member(&reply, "backends.1.reason", "no charon");
    reply_done(&reply);
}

static void test_openapi(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "GET", "/v1/openapi.yaml", "");
    FILE *file = fopen(SOURCE_DIR "/docs/openapi.yaml", "re");
    char *text = calloc(1, 1 << 20);

    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 1000);
    fclose(file);
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "application/yaml");
    assert_string_equal(reply.body, text);
    free(text);
    reply_done(&reply);
}

static void test_metrics(void **state)
{
    struct world *world = *state;
    struct reply reply;

    world_publish(world, false, false);
    reply = ask(world, "GET", "/metrics", "");
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    assert_true(says(&reply, "\nrouterd_build_info{version=\"" ROUTERD_VERSION "\"} 1\n"));
    static const char *const lines[] = {
        "\nrouterd_backend_up{backend=\"ipsec\"} 0\n",
        "\nrouterd_tenant_generation{tenant=\"bio\"} 7\n",
        "\nrouterd_tenant_converged{tenant=\"bio\"} 0\n",
        "\nrouterd_objects{tenant=\"bio\",kind=\"tunnel\",state=\"down\"} 1\n",
        "\nrouterd_objects{tenant=\"bio\",kind=\"peer\",state=\"up\"} 1\n",
        "\nrouterd_status_time_seconds 1775012645.678\n",
        "\nrouterd_api_connections 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!says(&reply, lines[i])) {
            fail_msg("there is no %s", lines[i]);
        }
    }
    reply_done(&reply);
}

/* --- another configuration ------------------------------------------------------------------ */

static void test_reconfigure(void **state)
{
    struct world *world = *state;
    struct reply reply = ask(world, "GET", "/v1/tenants/astro/status", "");
    struct config other = world->config;

    assert_problem(&reply, 404, "not-found", "astro");
    world_publish(world, true, true);
    other.n_tenants = 3;
    other.router_name = "vr2";
    api_reconfigure(world->api, &other);
    reply = ask(world, "GET", "/v1/tenants/astro/status", "");
    assert_int_equal(reply.status, 200);
    reply_done(&reply);
    reply = ask(world, "GET", "/v1/health", "");
    assert_member(&reply, "router", "vr2");
    reply_done(&reply);
}

#define row(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        row(test_put),
        row(test_put_json),
        row(test_delete),
        row(test_wait),
        row(test_unchanged),
        row(test_dry_run),
        row(test_wrong),
        row(test_unreadable),
        row(test_if_match),
        row(test_away),
        row(test_get),
        row(test_head),
        row(test_not_found),
        row(test_methods),
        row(test_queries),
        row(test_generations),
        row(test_wrong_rollbacks),
        row(test_status),
        row(test_status_down),
        row(test_tenants),
        row(test_store_away),
        row(test_network),
        row(test_routes),
        row(test_health),
        row(test_openapi),
        row(test_metrics),
        row(test_reconfigure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
