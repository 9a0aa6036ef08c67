"""In the guest: N networks of two segments, a tunnel and two peers, built, changed and left alone by routerd and by the
script (tests/lab/handmade.py), turn by turn in one run.

cold    from nothing to all of it. routerd: from the PUT until the generation is applied, that is, carried out and read back
        from every daemon. The script: until its last command has returned.
change  one network of N gets a segment more, another prefix limit and another IKE identity, and loses them again.
noop    the same topology once more: routerd's processor time for a whole pass (the plan of a dry run), and for standing still.

The far sides are not there: what is measured is the router's own work, and no tunnel is initiated."""

import argparse
import copy
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import api
import shell
from farside import Sinet, Underlay
from router import Router
from script import Script

KINDS = ("cold", "change", "noop")
IDLE_S, PASSES = 10, 10
SECRETS = {"bench": "a-psk-for-the-bench"}


def network(index):
    vlan = 1001 + 3 * index
    return {
        "name": f"net-{index}", "asn": 65010,
        "segments": [
            {"name": "campus", "attachments": [{"uplink": "sinet", "vlan": vlan}], "gateway": ["10.1.0.1/24"]},
            {"name": "dx", "attachments": [{"uplink": "sinet", "vlan": vlan + 1}], "gateway": ["169.254.10.1/30"]}],
        "tunnels": [{"name": "site", "uplink": "wan", "remote": f"203.0.113.{2 + index % 250}", "remote_id": f"site-{index}.example",
                     "auth": {"psk": {"secret": "bench"}}, "inside": ["169.254.20.1/30"], "initiate": False}],
        "peers": [{"name": "aws", "via": "dx", "address": "169.254.10.2", "asn": 64512},
                  {"name": "site", "via": "site", "address": "169.254.20.2", "asn": 64513}]}


def topology(count):
    return {"version": 1, "networks": [network(index) for index in range(count)]}


def changed(document):
    """The same with one network of them altered."""
    document = copy.deepcopy(document)
    middle = document["networks"][len(document["networks"]) // 2]
    vlan = middle["segments"][0]["attachments"][0]["vlan"] + 2
    middle["segments"].append({"name": "more", "attachments": [{"uplink": "sinet", "vlan": vlan}], "gateway": ["10.7.0.1/24"]})
    middle["peers"][0]["import"] = {"max_prefixes": 77}
    middle["tunnels"][0]["remote_id"] = "another.example"
    return document


class Routerd:
    def __init__(self):
        self.hub = api.Routerd({"bench": ["1001-2000"]})
        self.hub.document["tenants"]["bench"]["limits"] = {"networks": 1000, "segments": 3000, "tunnels": 1000, "peers": 2000}
        self.hub.write_files(SECRETS)
        self.hub.start()

    def push(self, document):
        """(until applied, until durable), seconds."""
        started = time.monotonic()
        answer = self.hub.put("bench", document)
        assert answer.status == 202, answer
        durable = time.monotonic() - started
        generation = answer.json["generation"]
        shell.until(lambda: self.hub.status("bench")["applied"] >= generation, 900,
                    lambda: api.outstanding(self.hub.status("bench"))[:5], interval=0.1)
        return time.monotonic() - started, durable

    def clear(self):
        if self.hub.get("/v1/tenants/bench/topology").status == 200:
            self.push({"version": 1, "networks": []})


def table(title, head, rows):
    print(f"\n{title}")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)), flush=True)


def median(values):
    return statistics.median(values)


def compare(count, kind, ours, theirs):
    """One row: medians and their ratio."""
    return [str(count), kind, f"{median(ours):.2f}", f"{median(theirs):.2f}", f"{median(ours) / median(theirs):.2f}"]


def measure_turns(count, rounds, kinds, routerd):
    """routerd and the script by turns: each builds, changes there and back, and goes."""
    document = topology(count)
    other = changed(document)
    script = Script(document, SECRETS)
    times = {key: [] for key in ("cold", "script cold", "change", "change cpu", "script change", "durable")}
    memory = 0
    for number in range(rounds):
        print(f"  {count} networks, round {number + 1} of {rounds}", flush=True)
        spent, durable = routerd.push(document)
        times["cold"].append(spent)
        times["durable"].append(durable)
        memory = max(memory, routerd.hub.resident_kb())
        if "change" in kinds:
            before = routerd.hub.cpu_seconds()
            times["change"] += [routerd.push(version)[0] for version in (other, document)]
            times["change cpu"].append((routerd.hub.cpu_seconds() - before) / 2)
        routerd.clear()
        times["script cold"].append(script.build())
        if "change" in kinds:
            times["script change"] += [script.change(version) for version in (other, document)]
        script.clear()
    return times, memory


def measure_noop(count, routerd):
    """Milliseconds of routerd's processor time: for a pass, and for a second of standing still."""
    document = topology(count)
    routerd.push(document)
    shell.until(lambda: not routerd.hub.put("bench", document, dry_run=True).json["plan"]["steps"], 300, "it does not settle", 0.5)
    time.sleep(5)
    before = routerd.hub.cpu_seconds()
    time.sleep(IDLE_S)
    idle = (routerd.hub.cpu_seconds() - before) / IDLE_S
    before = routerd.hub.cpu_seconds()
    for _ in range(PASSES):
        assert routerd.hub.put("bench", document, dry_run=True).json["plan"]["steps"] == []
    each = (routerd.hub.cpu_seconds() - before) / PASSES
    return each * 1000, idle * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="what to measure (all)")
    parser.add_argument("-n", default="10,50,100", help="numbers of networks (10,50,100)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    kinds = options.kinds or list(KINDS)
    counts = [int(word) for word in options.n.split(",")]

    print("the router's daemons start", flush=True)
    Sinet(vlans="2-4000").start()
    Underlay().start()
    Router().start()
    routerd = Routerd()
    print(f"routerd with nothing to do: {routerd.hub.resident_kb() / 1024:.1f} MB", flush=True)
    rows, noop = [], []
    for count in counts:
        if "cold" in kinds or "change" in kinds:
            times, memory = measure_turns(count, options.rounds, kinds, routerd)
            rows.append(compare(count, "cold", times["cold"], times["script cold"]) + ["", f"{memory / 1024:.1f}"])
            if "change" in kinds:
                rows.append(compare(count, "change", times["change"], times["script change"]) + [f"{median(times['change cpu']) * 1000:.0f}", ""])
            print(f"  durable after {median(times['durable']):.3f} s; so far: {rows}", flush=True)
        if "noop" in kinds:
            each, idle = measure_noop(count, routerd)
            noop.append([str(count), f"{each:.1f}", f"{idle:.1f}", f"{routerd.hub.resident_kb() / 1024:.1f}"])
            print(f"  nothing to do: {noop[-1]}", flush=True)
            routerd.clear()
    if rows:
        table("medians in seconds", ["networks", "kind", "routerd", "script", "ratio", "routerd's CPU, ms", "MB"], rows)
    if noop:
        table("nothing to do: milliseconds of routerd's processor time", ["networks", "a pass", "a second idle", "MB"], noop)
    routerd.hub.stop()


if __name__ == "__main__":
    main()
