"""A routerd for routerctl's golden tests: a control socket whose answers are written down.

A server is a table from "METHOD target" to an answer. It serves each connection in a thread of its own,
and keeps what it was asked, so that a case can look at requests too."""

import json
import os
import socket
import threading
import time


class Answer:
    """Bytes to send, and what to do around them."""

    def __init__(self, status=200, body=None, headers=(), *, raw=None, chunks=0, cut=0, delay=0.0, pieces=0):
        self.delay = delay  # seconds before the answer
        self.pieces = pieces  # bytes a send; 0: all at once
        if raw is not None:
            self.bytes = raw
            return
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f"HTTP/1.1 {status} Phrase", "Content-Type: application/json", *headers]
        if chunks:
            head.append("Transfer-Encoding: chunked")
            parts = [content[i:i + chunks] for i in range(0, len(content), chunks)]
            content = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            head.append(f"Content-Length: {len(content)}")
        self.bytes = "\r\n".join(head).encode() + b"\r\n\r\n" + content
        if cut:
            self.bytes = self.bytes[:-cut]


def problem(status, kind, detail, errors=None):
    body = {"type": kind, "title": "Title", "status": status, "detail": detail}
    if errors is not None:
        body["errors"] = errors
    return Answer(status, body)


def ago(seconds):
    """The time that many seconds ago."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


class Server:
    def __init__(self, path, answers):
        self.answers = answers
        self.requests = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(16)
        threading.Thread(target=self.run, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                self.answer(connection)
            except OSError:
                pass

    def answer(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        key = f"{method} {target}"
        answer = self.answers.get(key)
        if answer is None or not getattr(answer, "early", False):
            while len(body) < int(headers.get("content-length", 0)):
                body += connection.recv(65536)
        self.requests.append((key, headers, body))
        if callable(answer):
            answer = answer(len([request for request in self.requests if request[0] == key]))
        if answer is None:
            answer = problem(404, "not-found", "there is nothing of that name here")
        time.sleep(answer.delay)
        step = answer.pieces or len(answer.bytes) or 1
        for i in range(0, len(answer.bytes), step):
            connection.sendall(answer.bytes[i:i + step])
        if not answer.bytes and answer.delay:
            return
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):  # so that what is sent is not lost to a reset
            pass


# --- a router ---------------------------------------------------------------------------------------

HEALTH = {"status": "ok", "router": "vr1", "version": "0.1.0",
          "backends": [{"name": name, "answers": True} for name in ("ovs", "net", "nft", "ipsec", "bgp", "state")]}

AWAY = {**HEALTH, "status": "degraded", "backends": [
    {"name": "ovs", "answers": True},
    {"name": "ipsec", "answers": False,
     "reason": "unix:///run/charon.vici: no such file or directory; is charon running?"}]}


def genome():
    up = {"state": "up", "since": ago(3 * 86400 + 4.5 * 3600)}
    return {
        "name": "genome", **up, "vrf": "vrf-1", "table": 1001,
        "segments": [{"name": "campus", **up, "interface": "seg-1", "bridge": "br-sinet"},
                     {"name": "dx", **up, "interface": "seg-2", "bridge": "br-sinet"}],
        "tunnels": [{"name": "sakura", "state": "up", "since": ago(2 * 3600 + 5.5 * 60), "interface": "tun-7", "if_id": 7,
                     "bytes_in": 123456789, "bytes_out": 512}],
        "peers": [{"name": "aws", **up, "via": "dx", "bgp_state": "Established", "address": "169.254.10.2", "asn": 64512,
                   "prefixes_received": 3, "prefixes_sent": 5},
                  {"name": "sakura", **up, "via": "sakura", "bgp_state": "Established", "address": "169.254.20.2", "asn": 4200000000,
                   "prefixes_received": 100, "prefixes_sent": 12}],
        "egress": {"uplink": "wan", "state": "up", "interface": "ens3", "address": "203.0.113.1",
                   "addresses": ["203.0.113.1"], "gateways": ["203.0.113.254"]},
        "nodes": {"allocated": 0, "capacity": 0}}


def broken():
    network = genome()
    network.update(name="proteome", state="down", vrf="vrf-2", table=1002, since=None,
                   reason="peer aws: 169.254.10.2 does not answer: no route to host")
    network["peers"][0].update(state="down", since=None, bgp_state="Active", prefixes_received=0, prefixes_sent=0,
                               reason="169.254.10.2 does not answer: no route to host")
    network["tunnels"][0].update(state="pending", since=None, reason="203.0.113.2 is being called; \u001b[31mred\n")
    return network


def lost():
    return {**empty(), "name": "lost", "state": "error", "reason": "this kernel has no VRF support: modprobe vrf"}


def empty():
    return {"name": "empty", "state": "up", "since": None, "vrf": "vrf-9", "table": 1009,
            "segments": [], "tunnels": [], "peers": [], "nodes": {"allocated": 0, "capacity": 0}}


def tenant(name, generation, networks, applied=None, converged=True):
    applied = generation if applied is None else applied
    return {"tenant": name, "generation": generation, "applied": applied, "converged": converged,
            "networks": networks}


ROUTES = [
    {"prefix": "10.1.0.0/24", "via": "", "interface": "seg-1", "protocol": "connected", "selected": True},
    {"prefix": "10.2.0.0/24", "via": "169.254.10.2", "interface": "seg-2", "protocol": "bgp", "selected": True},
    {"prefix": "10.2.0.0/24", "via": "169.254.20.2", "interface": "tun-7", "protocol": "bgp", "selected": False},
    {"prefix": "10.1.0.0/16", "via": "", "interface": "", "protocol": "static", "selected": True},
    {"prefix": "2001:db8:1::/64", "via": "", "interface": "seg-1", "protocol": "connected", "selected": True},
]

PLAN = {"steps": [
    {"backend": "bgp", "action": "delete", "object": "genome/peer/azure", "disruptive": True,
     "summary": "session with 169.254.30.2"},
    {"backend": "net", "action": "create", "object": "genome/segment/lab", "disruptive": False,
     "summary": "address 10.4.0.1/24 on seg-9"},
    {"backend": "bgp", "action": "update", "object": "genome/peer/aws", "disruptive": False,
     "summary": "import max_prefixes 100 -> 200"},
], "create": 1, "update": 1, "delete": 1, "disruptive": 1}

NOTHING = {"steps": [], "create": 0, "update": 0, "delete": 0, "disruptive": 0}

FAULTS = [
    {"path": "networks[0].segments[1].attachments[0].vlan", "line": 9, "column": 40,
     "message": "VLAN 1002 of uplink sinet is not granted to tenant bio"},
    {"path": "networks[0].peers[1].via", "line": 24, "column": 10,
     "message": "there is no segment or tunnel `sakuro` in this network"},
    {"path": "", "line": 0, "column": 0, "message": "there are 17 networks, but tenant bio may have 16"},
]

OUTSTANDING = [
    {"object": "genome/peer/aws", "state": "pending", "reason": "the session is in state Active"},
    {"object": "genome/tunnel/sakura", "state": "error", "reason": "authentication failed: wrong PSK?"},
]

DOCUMENT = b"version: 1\nnetworks:\n- name: genome   # ours\n"


def node(name, pool, *addresses, **more):
    """Addresses as ADDRESS/LENGTH or ADDRESS/LENGTH@GATEWAY."""
    parts = []
    for text in addresses:
        address, _, gateway = text.partition("@")
        address, _, length = address.partition("/")
        parts.append({"address": address, "prefix_len": int(length), **({"gateway": gateway} if gateway else {})})
    return {"name": name, "pool": pool, **parts[0], "addresses": parts, "mtu": 1500, **more}


WEB = node("web-1", "campus", "10.1.0.100/24@10.1.0.1", "2001:db8:1::100/64@2001:db8:1::1", mac="02:00:5e:00:53:01")
NODES = [node("db-1", "aws", "10.2.0.4/24"), WEB]


def with_nodes(answers):
    base = "/v1/tenants/bio/networks/genome/nodes"
    answers.update({
        f"GET {base}?limit=5000": Answer(200, {"nodes": NODES[:1], "next": "db-1 &"}),
        f"GET {base}?limit=5000&after=db-1%20%26": Answer(200, {"nodes": NODES[1:], "next": "db-1 &"}),
        f"GET {base}?limit=5000&pool=aws": Answer(200, {"nodes": NODES[:1]}),
        f"GET {base}?limit=5000&address=10.1.0.100": Answer(200, {"nodes": NODES[1:]}),
        f"GET {base}?limit=5000&mac=02%3A00%3A5e%3A00%3A53%3A01": Answer(200, {"nodes": NODES[1:]}),
        "GET /v1/tenants/bio/networks/empty/nodes?limit=5000": Answer(200, {"nodes": []}),
        f"GET {base}/web-1": Answer(200, WEB),
        f"POST {base}": Answer(201, {"nodes": NODES[1:]}),
        "POST /v1/tenants/bio/networks/empty/nodes": problem(422, "wrong", "the document has 1 error", [
            {"path": "name", "line": 1, "column": 9, "message": "must be 1 to 63 of a-z"}]),
        f"DELETE {base}/web-1": Answer(raw=b"HTTP/1.1 204 No Content\r\n\r\n"),
        f"DELETE {base}/none": problem(404, "not-found", "network genome has no node none"),
    })
    return answers


def router(tenants, health=None):
    """The answers of a router with these statuses."""
    answers = {
        "GET /v1/health": Answer(200, health or HEALTH),
        "GET /v1/tenants": Answer(200, {"tenants": [
            {key: value for key, value in status.items() if key != "networks"} for status in tenants]}),
    }
    for status in tenants:
        base = f"/v1/tenants/{status['tenant']}"
        answers[f"GET {base}/status"] = Answer(200, status)
        for network in status["networks"]:
            answer = {**network, "tenant": status["tenant"], "generation": status["generation"]}
            answers[f"GET {base}/networks/{network['name']}"] = Answer(200, answer)
            answers[f"GET {base}/networks/{network['name']}/routes"] = Answer(
                200, {"tenant": status["tenant"], "network": network["name"], "routes": ROUTES})
    return answers


EVENTS = [
    {"id": 1, "time": "2026-04-01T03:04:05.678Z", "tenant": "bio", "network": "", "object": "", "kind": "accepted",
     "generation": 7, "text": "generation 7 is in force, from uid 0 (root): 1 to create"},
    {"id": 2, "time": "2026-04-01T03:04:06.000Z", "tenant": "", "network": "", "object": "ipsec", "kind": "away",
     "text": "ipsec does not answer: \u001b[31mred"},
    {"id": 10002, "time": "2026-04-01T03:04:07.000Z", "tenant": "bio", "network": "genome", "object": "genome/peer/aws",
     "kind": "drift", "text": "genome/peer/aws: deleted by hand or by another program (bgp); restored by: create: session"},
]

HISTORY = {"tenant": "bio", "generation": 7, "generations": [
    {"generation": 7, "number": 7, "time": "2026-04-01T03:04:05.678Z", "who": "uid 0 (root)",
     "summary": "1 to create, 0 to update, 0 to delete, 0 disruptive"},
    {"generation": 6, "number": 6, "time": "2026-03-31T03:04:05.678Z", "who": "vcc-bio.example.ac.jp",
     "summary": "back to generation 4: 0 to create, 2 to update, 0 to delete, 0 disruptive"}]}

OLD = b"version: 1\nnetworks:\n- name: genome\n  segments:\n  - name: a\n  - name: b\n  - name: c\n  - name: d\n  - name: e\n"
NEW = b"version: 1\nnetworks:\n- name: genome\n  segments:\n  - name: a\n  - name: b\n  - name: c\n  - name: f\n  - name: e\n"


def lines(events):
    return "".join(json.dumps(event) + "\n" for event in events).encode()


def generations(answers):
    topology = "/v1/tenants/bio/topology"
    change = {"generation": 8, "plan": PLAN}
    confirm = {"confirm": {"until": "2026-04-01T03:04:05.678Z", "back_to": 7}}
    answers.update({
        f"PUT {topology}?confirm=300": Answer(202, {**change, **confirm}),
        f"PUT {topology}?wait=30&confirm=60": Answer(200, {**change, **confirm, "converged": True}),
        f"POST {topology}/rollback": Answer(202, change),
        f"POST {topology}/rollback?dry_run=true": Answer(200, {**change, "generation": 7}),
        f"POST {topology}/confirm": Answer(200, {"generation": 8, "plan": NOTHING}),
        "GET /v1/tenants/bio/history": Answer(200, HISTORY),
        f"GET {topology}?generation=1": Answer(200, OLD, ['ETag: "1"']),
        f"GET {topology}?generation=2": Answer(200, NEW, ['ETag: "2"']),
        "GET /v1/events?since=0": Answer(200, lines(EVENTS), chunks=50),
        "GET /v1/events?since=2": Answer(200, lines(EVENTS[2:])),
        "GET /v1/events?since=0&tenant=bio": Answer(200, lines(EVENTS[::2])),
    })
    return answers


def one():
    answers = generations(router([tenant("bio", 7, [genome(), empty()])]))
    topology = "/v1/tenants/bio/topology"
    change = {"generation": 8, "plan": PLAN}
    answers.update({
        f"PUT {topology}?dry_run=true": Answer(200, {**change, "generation": 7}),
        f"PUT {topology}": Answer(202, change),
        f"PUT {topology}?wait=30": Answer(200, {**change, "converged": True}),
        f"PUT {topology}?wait=2": Answer(202, {
            **change, "converged": False, "detail": "genome/peer/aws is pending: the session is in state Active",
            "outstanding": OUTSTANDING}),
        f"PUT {topology}?wait=3": Answer(202, {
            **change, "converged": False, "detail": "superseded by generation 9", "outstanding": OUTSTANDING[:1]}),
        f"DELETE {topology}": Answer(202, change),
        f"DELETE {topology}?dry_run=true": Answer(200, change),
        f"GET {topology}": Answer(200, DOCUMENT, ['ETag: "7"']),
        f"GET {topology}?generation=5": Answer(200, b"version: 1\nnetworks: []\n", ['ETag: "5"']),
        f"GET {topology}?generation=4": problem(404, "not-found", "there is no such generation"),
        "GET /v1/tenants/astro/status": problem(404, "not-found", "there is no tenant astro"),
        "GET /v1/tenants/a%2Fb%3F/status": problem(404, "not-found", "there is no tenant a/b?"),
        "GET /v1/tenants/bio/networks/none": problem(404, "not-found", "tenant bio has no network none"),
    })
    return answers


def unchanged():
    answers = router([tenant("bio", 7, [genome()])])
    topology = "/v1/tenants/bio/topology"
    for query in ("", "?dry_run=true"):
        answers[f"PUT {topology}{query}"] = Answer(200, {"generation": 7, "plan": NOTHING})
    answers[f"PUT {topology}?wait=30"] = Answer(200, {"generation": 7, "plan": NOTHING, "converged": True})
    return answers


def two():
    answers = router([tenant("bio", 7, [genome(), broken()], 6, False), tenant("phys", 12, [genome(), lost()])], AWAY)
    answers["GET /v1/tenants/phys/networks/genome/nodes/web-1"] = Answer(200, WEB)
    return answers


def wrong():
    answers = router([tenant("bio", 7, [])])
    topology = "/v1/tenants/bio/topology"
    for query in ("", "?dry_run=true", "?wait=30"):
        answers[f"PUT {topology}{query}"] = problem(422, "wrong", "the document has 3 errors", FAULTS)
    return answers


def refusing():
    answers = router([tenant("bio", 7, [])])
    topology = "/v1/tenants/bio/topology"
    answers[f"PUT {topology}"] = problem(412, "stale", "If-Match: generation 7 is in force")
    answers[f"PUT {topology}?dry_run=true"] = Answer(500, b"<html>Internal Server Error</html>")
    answers[f"DELETE {topology}"] = problem(503, "away", "state server: connecting")
    answers["GET /v1/tenants/bio/status"] = problem(
        403, "forbidden", "uid 1000 is neither root nor in the control socket's group")
    return answers


def starting():
    away = problem(503, "away", "routerd is starting")
    return {"GET /v1/health": Answer(200, {**HEALTH, "status": "degraded", "backends": []}),
            "GET /v1/tenants": away}


def strange(answer):
    """Every question gets the same."""
    keys = ["GET /v1/health", "GET /v1/tenants", "GET /v1/tenants/bio/status", "GET /v1/tenants/bio/topology",
            "PUT /v1/tenants/bio/topology", "PUT /v1/tenants/bio/topology?dry_run=true"]
    return {key: answer for key in keys}


def early(answer):
    answer.early = True  # before the request's body has been read
    return answer


SERVERS = {
    "one": one,
    "nodes": lambda: with_nodes(router([tenant("bio", 7, [{**genome(), "nodes": {"allocated": 2, "capacity": 352}}, {
        **empty(), "nodes": {"allocated": 5, "capacity": 18446744073709551615}}])])),
    "unchanged": unchanged,
    "two": two,
    "none": lambda: router([]),
    "wrong": wrong,
    "refusing": refusing,
    "starting": starting,
    "chunked": lambda: strange(Answer(200, tenant("bio", 7, []), chunks=5, pieces=3)),
    "cut": lambda: strange(Answer(200, tenant("bio", 7, [genome()]), cut=9)),
    "closing": lambda: strange(Answer(raw=b"")),
    "garbage": lambda: strange(Answer(raw=b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    "page": lambda: strange(Answer(200, b"<html>hello</html>")),
    "list": lambda: strange(Answer(200, [])),
    "odd": lambda: strange(Answer(200, {"tenants": {"a": 1}, "networks": [1, None, {"segments": 7, "name": []}],
                                        "plan": [], "generation": "x", "backends": 3})),
    "silent": lambda: strange(Answer(raw=b"", delay=30)),
    "trickle": lambda: strange(Answer(200, {"x": "y" * 1000}, delay=30)),
    "early": lambda: strange(early(problem(413, "too-large", "the body is longer than 16 MiB"))),
    "huge": lambda: {**one(), "GET /v1/tenants/bio/status": Answer(200, tenant("bio", 7, [
        {**empty(), "name": f"n{i}", "reason": "x" * 1000} for i in range(20000)]), chunks=65536)},
    "deaf": lambda: None,
}


def start(name, path):
    """The server of that name, listening at the path; "deaf" only leaves a dead socket there."""
    answers = SERVERS[name]()
    if answers is None:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(path)
        dead.close()
        return None
    return Server(path, answers)


def remove(path):
    if os.path.exists(path):
        os.unlink(path)
