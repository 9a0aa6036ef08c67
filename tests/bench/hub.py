"""In the guest: N networks of two segments, a tunnel and two peers, built, changed and left alone by routerd and by the
script (tests/lab/handmade.py), turn by turn in one run.

cold    from nothing to all of it. routerd: from the first PUT (tenants have ten networks each) until every generation is applied,
        that is, carried out and read back from every daemon. The script: until its last command has returned.
change  one network of N gets a segment more, another prefix limit and another IKE identity, and loses them again; routerd's
        processor time for it, and what it uses in as many seconds of standing still right after it.
noop    the same topology once more: routerd's processor time for a whole pass (the plan of a dry run), and for standing still.
repair  a gateway address and a port's VLAN of one network are altered by hand: until they are back, and routerd's processor time.

The script is left out beyond --script networks, since it takes minutes there. The far sides are not there: what is measured is
the router's own work, and no tunnel is initiated."""

import argparse
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import api
import shell
from documents import LIMITS, SECRETS, changed, tenants, vlans
from farside import Sinet, Underlay
from ovsdb import Ovsdb
from router import Router
from script import Script

KINDS = ("cold", "change", "noop", "repair")
IDLE_S, STILL_S, PASSES, REPAIRS, CHANGES = 10, 3, 10, 10, 3
PATIENCE_S = 900


class Routerd:
    """routerd with tenants of ten networks, each with a controller, as many as `most` networks need."""

    def __init__(self, most):
        self.hub = api.Routerd({name: [vlans(name)] for name in tenants(most)})
        for tenant in self.hub.document["tenants"].values():
            tenant["limits"] = LIMITS
        self.hub.write_files(SECRETS)
        self.hub.start()

    def push(self, documents):
        """(until all are applied, until all are durable), seconds. Nobody asks for anything meanwhile: routerd tells."""
        with self.hub.following(self.hub.last_event(), PATIENCE_S) as events:
            started = time.monotonic()
            waited = {}
            for tenant, document in documents.items():
                answer = self.hub.put(tenant, document)
                assert answer.status == 202, answer
                waited[tenant] = answer.json["generation"]
            durable = time.monotonic() - started
            while waited:
                event = next(events)
                if event["kind"] == "applied" and event["generation"] >= waited.get(event["tenant"], event["generation"] + 1):
                    del waited[event["tenant"]]
            return time.monotonic() - started, durable

    def change(self, tenant, document):
        """(seconds until applied, processor time, the processor time in as many seconds of standing still), ms."""
        since = self.hub.cpu_seconds()
        spent, _ = self.push({tenant: document})
        used = self.hub.cpu_seconds() - since
        time.sleep(1)
        since = self.hub.cpu_seconds()
        time.sleep(STILL_S)
        still = (self.hub.cpu_seconds() - since) / STILL_S * spent
        return spent, used * 1000, still * 1000

    def outstanding(self, documents):
        return any(self.hub.put(tenant, document, dry_run=True).json["plan"]["steps"] for tenant, document in documents.items())

    def settle(self, documents):
        """Until there is nothing to do, and a moment longer."""
        shell.until(lambda: not self.outstanding(documents), 300, "it does not settle", 0.5)
        time.sleep(5)

    def clear(self, documents):
        self.push({tenant: {"version": 1, "networks": []} for tenant in documents})


def table(title, head, rows):
    print(f"\n{title}")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths)), flush=True)


def median(values):
    return statistics.median(values)


def compare(count, kind, ours, theirs):
    """One row: medians and their ratio."""
    theirs = median(theirs) if theirs else None
    return [str(count), kind, f"{median(ours):.2f}", f"{theirs:.2f}" if theirs else "", f"{median(ours) / theirs:.2f}" if theirs else ""]


def measure_turns(count, rounds, kinds, routerd, scripted, standing):
    """routerd and the script, if it is wanted, by turns: each builds, changes there and back, and goes. What `standing` measures, it
    does once while routerd's networks stand."""
    documents = tenants(count)
    middle = list(documents)[len(documents) // 2]
    other = {**documents, middle: changed(documents[middle])}
    script = Script(list(documents.values()), SECRETS) if scripted else None
    times = {key: [] for key in ("cold", "script cold", "change", "change cpu", "still cpu", "script change", "durable")}
    memory = 0
    for number in range(rounds):
        print(f"  {count} networks, round {number + 1} of {rounds}", flush=True)
        spent, durable = routerd.push(documents)
        times["cold"].append(spent)
        times["durable"].append(durable)
        memory = max(memory, routerd.hub.resident_kb())
        if "change" in kinds:
            routerd.settle(documents)
            for version in (other, documents) * CHANGES:
                for key, value in zip(("change", "change cpu", "still cpu"), routerd.change(middle, version[middle])):
                    times[key].append(value)
                routerd.settle({middle: version[middle]})
        if number == 0:
            standing(middle, documents)
        routerd.clear(documents)
        if not script:
            continue
        times["script cold"].append(script.build())
        if "change" in kinds:
            times["script change"] += [script.change(list(version.values())) for version in (other, documents)]
        script.clear()
    return times, memory


def measure_noop(tenant, document, routerd):
    """Milliseconds of routerd's processor time: for a pass, and for a second of standing still."""
    routerd.settle({tenant: document})
    before = routerd.hub.cpu_seconds()
    time.sleep(IDLE_S)
    idle = (routerd.hub.cpu_seconds() - before) / IDLE_S
    before = routerd.hub.cpu_seconds()
    for _ in range(PASSES):
        assert not routerd.outstanding({tenant: document})
    each = (routerd.hub.cpu_seconds() - before) / PASSES
    return each * 1000, idle * 1000


def measure_repair(tenant, document, routerd):
    """Per damage: the medians of the seconds until it is mended, and of routerd's processor time in milliseconds."""
    routerd.settle({tenant: document})
    network = routerd.hub.status(tenant)["networks"][0]
    interface = network["segments"][0]["interface"]
    ovsdb = Ovsdb()
    where = [["name", "==", interface]]

    def tag():
        return ovsdb.call("transact", "Open_vSwitch", {"op": "select", "table": "Port", "where": where, "columns": ["tag"]})[0]["rows"][0]["tag"]

    def addresses():
        return shell.run(f"ip -o -4 addr show dev {interface}")

    damages = {
        "a VLAN": (tag, lambda: ovsdb.call("transact", "Open_vSwitch", {"op": "update", "table": "Port", "where": where, "row": {"tag": 4000}})),
        "an address": (addresses, lambda: shell.run(f"ip addr del 10.1.0.1/24 dev {interface}"))}
    rows = []
    for name, (look, damage) in damages.items():
        before, times, spent = look(), [], []
        for _ in range(REPAIRS):
            used, started = routerd.hub.cpu_seconds(), time.monotonic()
            damage()
            shell.until(lambda: look() == before, 60, name, 0.005)  # pylint: disable=cell-var-from-loop
            times.append(time.monotonic() - started)
            spent.append(routerd.hub.cpu_seconds() - used)
            time.sleep(1)
        rows.append([name, f"{median(times):.3f}", f"{max(times):.3f}", f"{median(spent) * 1000:.1f}"])
    ovsdb.close()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="what to measure (all)")
    parser.add_argument("-n", default="10,50,100", help="numbers of networks (10,50,100)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--script", type=int, default=50, help="compare with the script for so many networks at most (50)")
    options = parser.parse_args()
    kinds = options.kinds or list(KINDS)
    counts = [int(word) for word in options.n.split(",")]

    print("the router's daemons start", flush=True)
    Sinet(vlans="2-4000").start()
    Underlay().start()
    Router().start()
    routerd = Routerd(max(counts))
    print(f"routerd with nothing to do: {routerd.hub.resident_kb() / 1024:.1f} MB", flush=True)
    rows, noop, repairs = [], [], []

    def standing(tenant, documents):
        count = str(sum(len(document["networks"]) for document in documents.values()))
        if "noop" in kinds:
            each, idle = measure_noop(tenant, documents[tenant], routerd)
            noop.append([count, f"{each:.1f}", f"{idle:.1f}", f"{routerd.hub.resident_kb() / 1024:.1f}"])
            print(f"  nothing to do: {noop[-1]}", flush=True)
        if "repair" in kinds:
            repairs.extend([count, *row] for row in measure_repair(tenant, documents[tenant], routerd))
            print(f"  repairs: {repairs[-2:]}", flush=True)
    for count in counts:
        scripted = count <= options.script and {"cold", "change"} & set(kinds)
        times, memory = measure_turns(count, options.rounds, kinds, routerd, scripted, standing)
        rows.append(compare(count, "cold", times["cold"], times["script cold"]) + ["", "", f"{memory / 1024:.1f}"])
        if "change" in kinds:
            rows.append(compare(count, "change", times["change"], times["script change"]) + [f"{median(times['change cpu']):.0f}", f"{median(times['still cpu']):.0f}", ""])
        print(f"  durable after {median(times['durable']):.3f} s; so far: {rows}", flush=True)
    table("medians in seconds", ["networks", "kind", "routerd", "script", "ratio", "routerd's CPU, ms", "standing still, ms", "MB"], rows)
    if noop:
        table("nothing to do: milliseconds of routerd's processor time", ["networks", "a pass", "a second idle", "MB"], noop)
    if repairs:
        table("repairs", ["networks", "of", "median, s", "worst, s", "routerd's CPU, ms"], repairs)
    routerd.hub.stop()


if __name__ == "__main__":
    main()
