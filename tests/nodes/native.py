"""routerd alone on this machine, for what needs no guest: an ovsdb-server and a routerd in a temporary directory,
the latter with a network and a /run of its own and so without any backend. As no topology can be pushed while the backends
are away, the one that it starts with is put into its database."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = TOP / "routerd/store/router.ovsschema"
PATH = "/v1/tenants/bio/networks/genome/nodes"

CONFIG = """\
version: 1
router: {{name: vr1, router_id: 192.0.2.1, asn: 65010}}
uplinks:
  wan: {{type: routed, interface: lo}}
control:
  socket: {{path: {dir}/control.sock, mode: "0600"}}
tenants:
  bio:
    controllers: [vcc-bio.example.ac.jp]
    limits: {{networks: 16, segments: 64, tunnels: 64, peers: 128, nodes: 16777216}}
secrets: {{directory: {dir}}}
state: {{server: "unix:{dir}/db.sock", database: Router}}
backends:
  ovs: {{server: "unix:{dir}/none.sock"}}
  ipsec: {{vici: "unix://{dir}/none.vici"}}
  bgp: {{vtysh: {dir}/none}}
profiles: {{directory: {dir}/none}}
"""


class Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket, kept alive."""

    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        """(status, parsed answer or None)"""
        self.request(method, path, None if body is None else json.dumps(body))
        answer = self.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


class Router:
    def __init__(self, topology, routerd=None, keep=False):
        build = os.environ.get("ROUTERD_BUILD", TOP / "build")
        self.routerd = routerd or os.environ.get("ROUTERD") or f"{build}/routerd/routerd"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="routerd-nodes-"))
        self.socket = self.dir / "control.sock"
        self.database = self.dir / "router.db"
        self.keep = keep
        self.db = self.process = None
        (self.dir / "routerd.yaml").write_text(CONFIG.format(dir=self.dir))
        subprocess.run(["ovsdb-tool", "create", self.database, SCHEMA], check=True)
        self.transact([
            {"op": "insert", "table": "Tenant", "row": {"name": "bio", "generation": 1}},
            {"op": "insert", "table": "Generation", "row": {
                "tenant": "bio", "number": 1, "time": 0, "who": "test", "summary": "", "document": topology}}])

    def transact(self, operations):
        """Changes the database's file while nobody serves it."""
        subprocess.run(["ovsdb-tool", "transact", self.database, json.dumps(["Router", *operations])], check=True,
                       stdout=subprocess.DEVNULL)

    def start_db(self):
        sock = self.dir / "db.sock"
        sock.unlink(missing_ok=True)
        (self.dir / ".router.db.~lock~").unlink(missing_ok=True)
        self.db = subprocess.Popen(
            ["ovsdb-server", f"--remote=punix:{sock}", f"--unixctl={self.dir}/ovsdb-server.ctl", "-vconsole:off",
             "-vfile:off", str(self.database)], start_new_session=True)
        self.wait(sock.exists, "ovsdb-server")

    def start_routerd(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" "$@"',
                 self.routerd, "--config", str(self.dir / "routerd.yaml")], stderr=log,
                stdout=log, start_new_session=True)

    @staticmethod
    def wait(condition, what, timeout=60):
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come up")
            time.sleep(0.005)

    def answers(self):
        try:
            return Unix(self.socket).ask("GET", PATH + "?limit=1")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def start(self):
        self.start_db()
        self.start_routerd()
        self.wait(self.answers, "routerd")

    def kill_db(self):
        kill(self.db)

    def kill_routerd(self):
        kill(self.process)

    def client(self, timeout=30):
        return Unix(self.socket, timeout)

    def rss(self):
        """Resident bytes of routerd."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ValueError("no VmRSS")

    def log(self):
        return (self.dir / "log").read_text()

    def close(self):
        for process in (self.process, self.db):
            if process and process.poll() is None:
                kill(process)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()


def kill(process):
    """kill -9: unshare and the shell have become the program itself."""
    process.send_signal(signal.SIGKILL)
    process.wait()
