#!/usr/bin/python3
"""A random history of the nodes API under kill -9, and its judgement.

    history.py [--seconds S | --long] [--clients N] [--seed S] [--save FILE]

Clients allocate, fix, release, allocate in batches and read at random, in a pool small enough to be fought for, while
routerd and ovsdb-server are killed at random and started again. Every request and answer is recorded; checker.py says
what is wrong with them. In the end, after the last quarantine, the pool is filled to its last address, so that none
is still held by anyone released. --long: 10 minutes and at least 200 kills."""

import argparse
import http.client
import json
import pathlib
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checker  # noqa: E402
import native  # noqa: E402

QUARANTINE = 2
TOPOLOGY = f"""\
version: 1
networks:
- name: genome
  pools:
  - {{name: small, prefix: 10.2.0.0/24, provider: aws, quarantine: {QUARANTINE}}}
  - {{name: both, prefix: [10.3.0.0/25, "2001:db8::/64"], range: 10.3.0.1-10.3.0.100, quarantine: {QUARANTINE}}}
"""
CAPACITY = {"small": 251, "both": 100}
KEPT = 9  # nodes that a client keeps at a time


class Recorder:
    def __init__(self):
        self.lock = threading.Lock()
        self.operations = []

    def add(self, operation):
        with self.lock:
            self.operations.append(operation)


class Client(threading.Thread):
    """One client: its names are nobody else's."""

    def __init__(self, number, router, recorder, stop, seed):
        super().__init__(name=f"client-{number}")
        self.number, self.router, self.recorder, self.stop = number, router, recorder, stop
        self.random = random.Random(seed * 1000 + number)
        self.connection = None
        self.next = 0
        self.mine = {}  # name -> pool, those that are there or may be
        self.failure = None

    def ask(self, method, path, body=None):
        """(status or None, answer)"""
        try:
            if not self.connection:
                self.connection = self.router.client(timeout=20)
            return self.connection.ask(method, path, body)
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection:
                self.connection.close()
            self.connection = None
            time.sleep(self.random.uniform(0, 0.05))
            return None, None

    def record(self, kind, ask, **operation):
        operation |= {"kind": kind, "start": time.monotonic()}
        status, answer = self.ask(*ask)
        operation |= {"end": time.monotonic(), "status": status}
        if status == 503:
            time.sleep(self.random.uniform(0, 0.02))
        if kind == "add" and status in (200, 201):
            operation["nodes"] = {n["name"]: [a["address"] for a in n["addresses"]] for n in answer["nodes"]}
        if kind == "get" and status == 200:
            operation["addresses"] = [a["address"] for a in answer["addresses"]]
        if kind == "list" and status == 200:
            if "next" in answer:
                raise AssertionError("a page that should hold all has a next one")
            operation["nodes"] = {n["name"]: [a["address"] for a in n["addresses"]] for n in answer["nodes"]}
        if status not in (None, 200, 201, 204, 404, 409, 503):
            raise AssertionError(f"{ask} was answered {status}: {answer}")
        self.recorder.add(operation)
        return status

    def new_name(self):
        self.next += 1
        return f"c{self.number}-{self.next}"

    def post(self, wants):
        """Repeats until it is known what has come of it, or gives up."""
        body = wants if len(wants) > 1 else wants[0]
        names = [want["name"] for want in wants]
        for _ in range(self.random.randint(1, 6)):
            status = self.record("add", ("POST", native.PATH, body), wants=names)
            if status in (200, 201) or (status is None or status == 503):
                self.mine.update(dict.fromkeys(names))
            if status == 409 and self.random.random() < 0.5:
                self.release()  # else most of the history is about pools that are full
            if status in (200, 201, 409):
                return

    def allocate(self):
        want = {"name": self.new_name(), "pool": self.random.choice(["small", "small", "both"])}
        if self.random.random() < 0.3:
            want["mac"] = f"02:00:00:{self.number:02x}:{self.next >> 8 & 255:02x}:{self.next & 255:02x}"
        if self.random.random() < 0.2:
            want["labels"] = {"owner": f"c{self.number}"}
        self.post([want])

    def fix(self):
        self.post([{"name": self.new_name(), "address": f"10.2.0.{self.random.randint(4, 254)}"}])

    def batch(self):
        self.post([{"name": self.new_name(), "pool": self.random.choice(["small", "both"])}
                   for _ in range(self.random.randint(2, 5))])

    def again(self):
        if self.mine:
            name = self.random.choice(list(self.mine))
            self.record("get", ("GET", f"{native.PATH}/{name}"), name=name)

    def release(self):
        if self.mine:
            name = self.random.choice(list(self.mine))
            if self.record("release", ("DELETE", f"{native.PATH}/{name}"), name=name) in (204, 404):
                del self.mine[name]

    def read(self):
        self.record("list", ("GET", f"{native.PATH}?limit=10000"))

    def step(self):
        if len(self.mine) > KEPT:
            return self.release()
        steps, weights = zip((self.allocate, 4), (self.fix, 1), (self.batch, 2), (self.release, 5), (self.again, 3),
                             (self.read, 0.3))
        return self.random.choices(steps, weights)[0]()

    def run(self):
        try:
            while not self.stop.is_set():
                self.step()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
            self.stop.set()


class Killer(threading.Thread):
    """Kills and starts again; in the end both run."""

    def __init__(self, router, stop, seed):
        super().__init__(name="killer")
        self.router, self.stop = router, stop
        self.random = random.Random(seed)
        self.kills = {"routerd": 0, "ovsdb-server": 0}
        self.failure = None

    def kill(self):
        which = self.random.choice(["routerd", "routerd", "ovsdb-server", "ovsdb-server", "both"])
        if which in ("ovsdb-server", "both"):
            self.router.kill_db()
            self.kills["ovsdb-server"] += 1
        if which in ("routerd", "both"):
            self.router.kill_routerd()
            self.kills["routerd"] += 1
        time.sleep(self.random.choice([0, 0, 0.05, 0.3]))
        if which in ("ovsdb-server", "both"):
            self.router.start_db()
        if which in ("routerd", "both"):
            self.router.start_routerd()

    def run(self):
        try:
            while not self.stop.wait(self.random.choice([0.05, 0.5, 1, 2, 3])):
                self.kill()
                self.router.wait(self.router.answers, "routerd after a kill")
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
            self.stop.set()


def final_list(router, recorder):
    """What there is when all is quiet."""
    start = time.monotonic()
    status, answer = router.client().ask("GET", f"{native.PATH}?limit=10000")
    recorder.add({"kind": "list", "start": start, "end": time.monotonic(), "status": status, "final": True,
                  "nodes": {n["name"]: [a["address"] for a in n["addresses"]] for n in answer["nodes"]}})
    return answer["nodes"]


def fill(router, nodes):
    """The faults that filling each pool to its last address shows."""
    client, faults = router.client(), []
    for pool, capacity in CAPACITY.items():
        living, added = sum(node["pool"] == pool for node in nodes), 0
        while True:
            status, answer = client.ask("POST", native.PATH, {"name": f"last-{pool}-{added}", "pool": pool})
            if status != 201:
                break
            added += 1
        if answer.get("type") != "pool-exhausted" or living + added != capacity:
            faults.append(f"pool {pool} has {living} nodes and room for {added} more, of {capacity}: {answer}")
    return faults


def run(seconds, clients, seed):
    """(history, kills, faults seen on the way)"""
    recorder, stop = Recorder(), threading.Event()
    with native.Router(TOPOLOGY) as router:
        workers = [Client(i, router, recorder, stop, seed) for i in range(clients)]
        killer = Killer(router, stop, seed)
        for thread in [*workers, killer]:
            thread.start()
        stop.wait(seconds)
        stop.set()
        for thread in [*workers, killer]:
            thread.join()
        failures = [f"{t.name}: {t.failure!r}" for t in [*workers, killer] if t.failure]
        if failures:
            return recorder.operations, killer.kills, [*failures, router.log()[-3000:]]
        router.wait(router.answers, "routerd in the end")
        nodes = final_list(router, recorder)
        time.sleep(QUARANTINE + 1)
        return recorder.operations, killer.kills, fill(router, nodes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--save", type=pathlib.Path)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    history, kills, faults = run(600 if options.long else options.seconds, options.clients, options.seed)
    if options.save:
        options.save.write_text("".join(json.dumps(operation) + "\n" for operation in history))
    counts = {}
    for operation in history:
        key = f"{operation['kind']} {operation['status']}"
        counts[key] = counts.get(key, 0) + 1
    print(f"{len(history)} operations, kills: {kills}", dict(sorted(counts.items())))
    faults += checker.check(history, QUARANTINE)
    if options.long and sum(kills.values()) < 200:
        faults.append(f"only {sum(kills.values())} kills")
    for fault in faults[:50]:
        print(f"FAULT: {fault}")
    print("right" if not faults else f"{len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
