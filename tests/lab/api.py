"""routerd as a process and as an API: what a controller and the facility's admin do with it."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import time

import topology
from farside import SCRATCH
from shell import Daemon, run, until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ROUTERD_BUILD", REPOSITORY / "build"))
SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("routerd", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Answer:
    """A response: status, headers, the body as text and as JSON."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


class Routerd:
    """The daemon under test with its configuration in the guest's /run/lab/routerd."""

    def __init__(self, tenants, folder=SCRATCH / "routerd"):
        self.folder = folder
        self.socket, self.config, self.secrets = folder / "control.sock", folder / "routerd.yaml", folder / "secrets"
        self.document = topology.config(self.secrets, self.socket, folder / "profiles", tenants)
        self.daemon = Daemon("routerd", [str(BUILD / "routerd/routerd"), "--config", str(self.config)],
                             env={"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"})

    # ------------------------------------------------------------ the process

    @staticmethod
    def built():
        return (BUILD / "routerd/routerd").exists()

    def write_files(self, psks):
        """The configuration and {secret's name: text}."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.secrets.mkdir(parents=True, mode=0o700)
        (self.folder / "profiles").mkdir()
        shutil.copy(REPOSITORY / "configs/profiles/generic.yaml", self.folder / "profiles")
        self.write_config()
        for name, text in psks.items():
            self.write_secret(name, text)

    def write_config(self):
        self.config.write_text(topology.to_text(self.document), encoding="utf-8")

    def write_secret(self, name, text):
        path = self.secrets / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def setup_database(self):
        run([*self.daemon.command, "--setup-database"])

    def start(self, seconds=30):
        self.daemon.start()
        until(self.healthy, seconds, lambda: f"routerd is not healthy: {self._why()}\n{self.daemon.tail()}")
        return self

    def _why(self):
        if not self.daemon.alive():
            return f"exit status {self.daemon.process.poll()}"
        try:
            return self.get("/v1/health")
        except OSError as problem:
            return problem

    def healthy(self):
        """Every backend answers. A daemon that has died is no use waiting for."""
        assert self.daemon.alive(), f"routerd died: {self.daemon.process.poll()}\n{self.daemon.tail(40)}"
        try:
            answer = self.get("/v1/health")
        except OSError:
            return False
        return answer.status == 200 and answer.json["status"] == "ok"

    def backend_reason(self, name):
        """Why a backend does not answer, or None if it does."""
        found = next(backend for backend in self.get("/v1/health").json["backends"] if backend["name"] == name)
        return None if found["answers"] else found["reason"]

    def stop(self):
        status = self.daemon.end()
        assert status == 0, f"routerd ended with {status} on SIGTERM\n{self.daemon.tail(40)}"

    def kill(self):
        self.daemon.kill()

    def reload(self):
        self.daemon.process.send_signal(signal.SIGHUP)

    def cpu_seconds(self):
        """Of its threads that live, without its children; in steps of nanoseconds, not of ticks."""
        threads = pathlib.Path(f"/proc/{self.daemon.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def sanitizer_reports(self):
        return [line for line in self.daemon.tail(100_000).splitlines() if any(mark in line for mark in SANITIZER_MARKS)]

    # ------------------------------------------------------------ the API

    def call(self, method, path, body=None, headers=None, timeout=120):
        connection = _Connection(self.socket, timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.call("GET", path, timeout=20)

    def put(self, tenant, document, wait=None, dry_run=False, if_match=None, confirm=None):
        query = [f"wait={wait}"] if wait is not None else []
        query += [f"confirm={confirm}"] if confirm is not None else []
        query += ["dry_run=true"] if dry_run else []
        headers = {"Content-Type": "application/yaml"}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        path = f"/v1/tenants/{tenant}/topology" + ("?" + "&".join(query) if query else "")
        return self.call("PUT", path, topology.to_text(document), headers)

    def delete(self, tenant, wait=None):
        return self.call("DELETE", f"/v1/tenants/{tenant}/topology" + (f"?wait={wait}" if wait is not None else ""))

    def events(self, since=0):
        """What has happened, as a list."""
        answer = self.get(f"/v1/events?since={since}")
        assert answer.status == 200, answer
        return [json.loads(line) for line in answer.text.splitlines()]

    def last_event(self):
        return max([event["id"] for event in self.events()], default=0)

    @contextlib.contextmanager
    def following(self, since, patience):
        """The events from then on, as they come: an iterator that raises TimeoutError after so many seconds without one."""
        connection = _Connection(self.socket, patience)
        try:
            connection.request("GET", f"/v1/events?since={since}&follow=true")
            yield (json.loads(line) for line in connection.getresponse())
        finally:
            connection.close()

    def status(self, tenant):
        answer = self.get(f"/v1/tenants/{tenant}/status")
        assert answer.status == 200, answer
        return answer.json

    def object(self, tenant, network, kind, name):
        """The status of one object: kind is "segments", "tunnels" or "peers"; None if there is none."""
        for net in self.status(tenant)["networks"]:
            if net["name"] == network:
                return next((thing for thing in net.get(kind, []) if thing["name"] == name), None)
        return None

    def network(self, tenant, network):
        return next((net for net in self.status(tenant)["networks"] if net["name"] == network), None)

    def converged(self, tenant):
        try:
            return self.status(tenant)["converged"]
        except OSError:
            return False

    def until_converged(self, *tenants, seconds=60):
        for tenant in tenants:
            until(lambda: self.converged(tenant), seconds, lambda: f"{tenant} has not converged: {outstanding(self.status(tenant))}")


def outstanding(status):
    """What is not up, as (path, state, reason)."""
    found = []
    for net in status["networks"]:
        if net["state"] != "up":
            found.append((net["name"], net["state"], net.get("reason")))
        for kind in ("segments", "tunnels", "peers", "routes"):
            found += [(f"{net['name']}/{kind}/{thing['name']}", thing["state"], thing.get("reason"))
                      for thing in net.get(kind, []) if thing.get("state", "up") != "up"]
    return found


def routerctl(routerd, *words, check=True, tenant=None):
    command = [str(BUILD / "routerctl/routerctl"), "-s", str(routerd.socket)]
    return run([*command, *(["-t", tenant] if tenant else []), *words], check=check)


def wait_a_pass(seconds=1.0):
    """Long enough for routerd to notice something and to do what it must not do."""
    time.sleep(seconds)
