"""In the guest: TCP through the router as routerd makes it and as the script (tests/lab/handmade.py) makes it from the same kernel
objects, by turns in one run: from VLAN to VLAN, and from VLAN through the IPsec tunnel."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

import api
import handmade
import router
import shell
import traffic
from script import Script
from topology import BIO, network, topology
from world import World

PATHS = ("VLAN to VLAN", "through the tunnel")


def measure(source, target, seconds):
    """Mbit/s of one TCP connection, as its receiver counts."""
    serve = subprocess.Popen(["ip", "netns", "exec", target.ns, "iperf3", "-s", "-1", "-B", target.address], stdout=subprocess.DEVNULL)
    try:
        shell.until(lambda: target.address in shell.run("ss -Htln sport = :5201", ns=target.ns), 20, "iperf3 does not listen")
        shown = json.loads(shell.run(["iperf3", "-J", "-O", "2", "-t", str(seconds), "-c", target.address], ns=source.ns, timeout=seconds + 60))
    finally:
        serve.kill()
        serve.wait()
    return shown["end"]["sum_received"]["bits_per_second"] / 1e6


def converged(routerd, answer):
    """Else what is outstanding, as routerd and as FRR tell it."""
    if answer.status != 200:
        print(router.vty("bgpd", "show bgp vrf all summary failed"), router.vty("zebra", "show interface vrf all brief", "show ip route vrf all"))
        sys.exit(f"not converged: {api.outstanding(routerd.status('bio'))}\n{routerd.daemon.tail()}")


def through(far, seconds):
    """Both paths, once everybody reaches everybody."""
    for a, b in far.pairs():
        assert traffic.reach(a, b.address, 90), f"{a} does not reach {b}"
    return measure(far.campus, far.aws, seconds), measure(far.campus, far.site, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement (10)")
    options = parser.parse_args()

    print("the far sides and the router's daemons start", flush=True)
    world = World(places=(BIO,))
    world.start()
    document = topology(network(BIO))
    routerd = api.Routerd({"bio": ["1001-1099"]})
    routerd.write_files({BIO.secret: BIO.psk})
    routerd.start()
    found = {"routerd": [], "script": []}
    for number in range(options.rounds):
        print(f"  round {number + 1} of {options.rounds}", flush=True)
        converged(routerd, routerd.put("bio", document, wait=120))
        found["routerd"].append(through(world.bio, options.seconds))
        converged(routerd, routerd.delete("bio", wait=60))
        script = Script([document], {BIO.secret: BIO.psk})
        script.build()
        found["script"].append(through(world.bio, options.seconds))
        print("  " + "; ".join(f"{who} " + ", ".join(f"{rate:.0f}" for rate in rows[-1]) for who, rows in found.items()) + " Mbit/s", flush=True)
        script.clear()
    print(f"\nmedians of {options.rounds} rounds, one TCP connection, {options.seconds} s\n  {'path':20} {'routerd':>8} {'script':>8} Mbit/s  ratio")
    for i, path in enumerate(PATHS):
        ours, theirs = (statistics.median(row[i] for row in found[who]) for who in ("routerd", "script"))
        print(f"  {path:20} {ours:8.0f} {theirs:8.0f}         {ours / theirs:.3f}", flush=True)
    routerd.stop()


if __name__ == "__main__":
    main()
